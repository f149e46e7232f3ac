// SPDX-License-Identifier: MIT
#include "generate_order.hpp"

#include <bit>
#include <utility>

namespace music {

namespace {

/// Not negative: then the bits are in the order of the numbers.
std::uint32_t bits_of(float key) { return recsys::detail::bit_cast<std::uint32_t>(key + 0.f); }

/// Sorts key << 32 | owner by the key, keeping the order of equal keys; the owners go to `out`.
void sort_bucket(std::span<std::uint64_t> rows, std::vector<std::uint64_t>& other, std::uint32_t* out) {
    std::uint64_t least = ~std::uint64_t{0}, most = 0;
    for (auto const row : rows) least = std::min(least, row >> 32), most = std::max(most, row >> 32);
    unsigned const bits = rows.empty() ? 0 : static_cast<unsigned>(std::bit_width(most - least)), passes = (bits + 10) / 11;
    other.resize(std::max(other.size(), rows.size()));
    auto *from = rows.data(), *to = other.data();
    for (unsigned pass = 0; pass < passes; ++pass) {
        std::uint32_t places[2049] = {};
        unsigned const shift = 32 + 11 * pass;
        auto const digit = [=](std::uint64_t row) { return ((row - (least << 32)) >> shift) & 2047; };
        for (std::size_t i = 0; i < rows.size(); ++i) ++places[digit(from[i]) + 1];
        for (std::size_t d = 1; d < 2048; ++d) places[d] += places[d - 1];
        for (std::size_t i = 0; i < rows.size(); ++i) to[places[digit(from[i])]++] = from[i];
        std::swap(from, to);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) out[i] = static_cast<std::uint32_t>(from[i]);
}

}

std::uint64_t key_order::filled() const {
    std::uint64_t n = 0;
    for (auto const count : m_counts) n += count;
    return n;
}

float key_order::key_at(std::uint64_t rank) const {
    std::size_t bucket = 0;
    for (;; ++bucket) {
        std::uint64_t n = 0;
        for (std::size_t chunk = 0; chunk < n_chunks(); ++chunk) n += m_counts[chunk * n_buckets + bucket];
        if (rank < n) break;
        rank -= n;
    }
    std::vector<float> keys;
    for (std::size_t i = 0; i < m_keys.size(); ++i)
        if (m_keys[i] >= 0 && bucket_of(m_keys[i]) == bucket) keys.push_back(m_keys[i]);
    auto const at = keys.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(keys.begin(), at, keys.end());
    return *at;
}

numbers key_order::owners() {
    // Counts become places: of a bucket, those of the earlier chunks come first.
    std::vector<std::size_t> first(n_buckets + 1);
    std::size_t n = 0;
    for (std::size_t bucket = 0; bucket < n_buckets; ++bucket) {
        first[bucket] = n;
        for (std::size_t chunk = 0; chunk < n_chunks(); ++chunk)
            n += std::exchange(m_counts[chunk * n_buckets + bucket], static_cast<std::uint32_t>(n));
    }
    first[n_buckets] = n;
    large_array<std::uint64_t> rows(n);
    m_team.run(n_chunks(), [&](std::size_t chunk, std::size_t) {
        auto* const places = m_counts.data() + chunk * n_buckets;
        auto at = static_cast<std::size_t>(m_chunks[chunk].first_key);
        for (auto owner = m_chunks[chunk].first_owner; owner < m_chunks[chunk + 1].first_owner; ++owner)
            for (std::uint32_t i = 0; i < m_keys_of[owner]; ++i, ++at)
                rows[places[bucket_of(m_keys[at])]++] = std::uint64_t{bits_of(m_keys[at])} << 32 | owner;
        m_on.add(m_chunks[chunk + 1].first_key - m_chunks[chunk].first_key);
    });
    m_keys = {};
    numbers out(n);
    std::vector<std::vector<std::uint64_t>> scratch(m_team.size());
    m_team.run(n_buckets, [&](std::size_t bucket, std::size_t worker) {
        sort_bucket(rows.span().subspan(first[bucket], first[bucket + 1] - first[bucket]), scratch[worker], out.data() + first[bucket]);
        m_on.add(first[bucket + 1] - first[bucket]);
    });
    return out;
}

}
