// SPDX-License-Identifier: MIT
// Hundreds of millions of things in the order of their times: a sort by buckets that knows what the times look like.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_ORDER_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_ORDER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <recsys/core.hpp>

#include "generate_memory.hpp"
#include "generate_watch.hpp"

namespace music {

/// Each owner has some keys in [0, 1]; gives the owners in the order of the keys, equal keys in the order of their owners.
/// 4 bytes a key while they are made, 12 while they are sorted.
class key_order {
public:
    /// @param keys_of  how many keys each owner has. @param team, on  must outlive it; `on` is told each key three times.
    key_order(recsys::detail::team& team, watch& on, std::span<std::uint32_t const> keys_of) : m_team(team), m_on(on), m_keys_of(keys_of) {
        std::uint64_t n = 0;
        for (std::uint32_t owner = 0; owner < keys_of.size(); ++owner) {
            if (m_chunks.empty() || n >= m_chunks.back().first_key + chunk_keys) m_chunks.push_back({owner, n});
            n += keys_of[owner];
        }
        m_chunks.push_back({static_cast<std::uint32_t>(keys_of.size()), n});
        m_keys = large_array<float>(static_cast<std::size_t>(n), -1.f);
        m_counts.resize(n_chunks() * n_buckets);
    }
    std::uint64_t size() const { return m_keys.size(); }

    /// fill(owner, keys) for each owner of whom takes(owner) is true, from several threads.
    template <class Takes, class Fill> void fill(Takes const& takes, Fill const& fill) {
        m_team.run(n_chunks(), [&](std::size_t chunk, std::size_t) {
            auto* const counts = m_counts.data() + chunk * n_buckets;
            auto at = static_cast<std::size_t>(m_chunks[chunk].first_key);
            std::uint64_t n = 0;
            for (auto owner = m_chunks[chunk].first_owner; owner < m_chunks[chunk + 1].first_owner; ++owner) {
                auto const keys = m_keys.span().subspan(at, m_keys_of[owner]);
                at += keys.size();
                if (!takes(owner)) continue;
                fill(owner, keys);
                n += keys.size();
                for (float const key : keys) ++counts[bucket_of(key)];
            }
            m_on.add(n);
        });
    }
    /// How many keys were made.
    std::uint64_t filled() const;
    /// The key with so many others before it, of those that were made.
    float key_at(std::uint64_t rank) const;
    /// All keys must have been made; they are gone then.
    numbers owners();

private:
    struct part {
        std::uint32_t first_owner;
        std::uint64_t first_key;
    };
    static constexpr std::size_t n_buckets = 2048, chunk_keys = std::size_t{1} << 18;
    static std::size_t bucket_of(float key) {
        return std::min(n_buckets - 1, static_cast<std::size_t>(key * static_cast<float>(n_buckets)));
    }
    std::size_t n_chunks() const { return m_chunks.size() - 1; }

    recsys::detail::team& m_team;
    watch& m_on;
    std::span<std::uint32_t const> m_keys_of;
    std::vector<part> m_chunks;
    large_array<float> m_keys;
    std::vector<std::uint32_t> m_counts; ///< of each chunk and bucket
};

}

#endif
