// SPDX-License-Identifier: MIT
// What some users have seen, as bits in the order of an index, so that kernels pass over it.
#ifndef RECSYS_RETRIEVAL_SEEN_MARKS_HPP
#define RECSYS_RETRIEVAL_SEEN_MARKS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// A bit for each user and each of the first 65,536 places of an index, at most 8 KB a user; what lies beyond is searched by halves.
class seen_marks {
public:
    /// @param index  has place_of(item) and items().
    template <class Index, class Seen> void start(Index const& index, std::span<user_index const> users, Seen const& seen) {
        m_n_users = users.size(), m_n_groups = std::min((index.items().size() + group_size - 1) / group_size, most_groups);
        m_bits.assign(m_n_users * m_n_groups * words, 0);
        m_far.clear(), m_far_ends.clear();
        for (std::size_t u = 0; u < users.size(); ++u) {
            auto const& row = seen.seen(users[u]); // may be returned by value
            for (item_index const item : std::span<item_index const>(row)) {
                std::size_t const place = index.place_of(to_size(item));
                if (place / group_size < m_n_groups) word(u, place) |= bit_of(place);
                else m_far.push_back(static_cast<std::uint32_t>(place)); // also those that are not in the index
            }
            std::sort(m_far.begin() + static_cast<std::ptrdiff_t>(u == 0 ? 0 : m_far_ends[u - 1]), m_far.end());
            m_far_ends.push_back(m_far.size());
        }
    }
    /// From a block on to the end of its group of 32 for each block the lanes that hold what a user has seen; null where that is not known.
    std::uint16_t const* blocks(std::size_t u, std::size_t block) const noexcept {
        return block / words < m_n_groups ? m_bits.data() + index_of(u, block * 16) : nullptr;
    }
    bool contains(std::size_t u, std::size_t place) const noexcept {
        if (place / group_size < m_n_groups) return (m_bits[index_of(u, place)] & bit_of(place)) != 0;
        auto const at = [&](std::size_t i) { return m_far.begin() + static_cast<std::ptrdiff_t>(i); };
        return std::binary_search(at(u == 0 ? 0 : m_far_ends[u - 1]), at(m_far_ends[u]), static_cast<std::uint32_t>(place));
    }

private:
    static constexpr std::size_t group_size = 512, words = 32, most_groups = 128;
    std::size_t index_of(std::size_t u, std::size_t place) const noexcept {
        return (place / group_size * m_n_users + u) * words + place / 16 % words;
    }
    std::uint16_t& word(std::size_t u, std::size_t place) noexcept { return m_bits[index_of(u, place)]; }
    static std::uint16_t bit_of(std::size_t place) noexcept { return static_cast<std::uint16_t>(1u << place % 16); }

    std::size_t m_n_users = 0, m_n_groups = 0;
    std::vector<std::uint16_t> m_bits; // by group, user and block
    std::vector<std::uint32_t> m_far;  // places, rising for each user
    std::vector<std::size_t> m_far_ends;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
