// SPDX-License-Identifier: MIT
// Items laid out for search by factors: the longest rows first, sixteen side by side.
#ifndef RECSYS_RETRIEVAL_FACTOR_INDEX_HPP
#define RECSYS_RETRIEVAL_FACTOR_INDEX_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/team.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/factor_rough.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Where the kernels' sums neither overflow nor lose their small terms; what lies outside is scored pair by pair. Not for NaN.
template <class Scalar> bool has_plain_length(double length, similarity by) noexcept {
    if (by == similarity::cosine) return length > 1e-12 && length < 1e12;
    return length < (std::is_same_v<Scalar, float> ? 1e18 : 1e150);
}

/// A copy of some rows of a table in the order of their lengths, longest first, equal ones by number: so that whole groups can be passed over.
///
/// Cosines are the same for every length: their order is that of the numbers. Immutable; 4 n_factors bytes an item (8 for double) and 16, and of the
/// larger ones of float n_factors + 4 more for rough scores. Cost: O(n (n_factors + log n)).
template <factor_scalar Scalar> class factor_index {
public:
    static constexpr std::size_t lanes = 16, group_blocks = 8, group_size = lanes * group_blocks;

    factor_index() = default;
    /// @param items  rising.
    factor_index(factor_pairs<Scalar> const& pairs, std::vector<std::uint32_t> items, team& workers)
        : m_by(pairs.by()), m_level(pairs.level()), m_n_factors(pairs.items().n_factors), m_items(std::move(items)) {
        sort(pairs, workers);
        pack(pairs, workers);
        if constexpr (std::is_same_v<Scalar, float>) make_rough(pairs, workers);
        m_lengths = {};
        m_places.assign(pairs.items().n_rows, no_place);
        for (std::size_t place = 0; place < m_items.size(); ++place) m_places[m_items[place]] = static_cast<std::uint32_t>(place);
    }
    static constexpr std::uint32_t no_place = 0xffffffffu;

    similarity by() const noexcept { return m_by; }
    simd_level level() const noexcept { return m_level; }
    std::size_t n_factors() const noexcept { return m_n_factors; }
    /// Of 8 blocks of 16 places; the last item fills up the last group.
    std::size_t n_groups() const noexcept { return m_longest.size(); }
    /// The items in the order of their places; those whose lengths are not plain come last, from n_plain() on, and are not packed.
    std::span<std::uint32_t const> items() const noexcept { return m_items; }
    std::size_t n_plain() const noexcept { return m_n_plain; }
    /// Where an item is, or no_place.
    std::uint32_t place_of(std::size_t item) const noexcept { return m_places[item]; }
    Scalar const* block(std::size_t b) const noexcept { return m_packed.data() + b * lanes * m_n_factors; }
    /// Of a block: 1 / length for each of its items; null where scores are no cosines.
    Scalar const* scales(std::size_t b) const noexcept { return m_scales.empty() ? nullptr : m_scales.data() + b * lanes; }
    /// The largest and the smallest length in a group; only where scores are no cosines.
    double longest(std::size_t group) const noexcept { return m_longest[group]; }
    double shortest(std::size_t group) const noexcept { return m_shortest[group]; }
    /// The items as whole numbers, of cosines multiplied with 1 / length; empty where that is of no use.
    rough_items const& rough() const noexcept { return m_rough; }

private:
    void sort(factor_pairs<Scalar> const& pairs, team& workers) {
        m_lengths.resize(m_items.size());
        workers.blocks(m_items.size(), 4096, [&](std::size_t first, std::size_t last, std::size_t) {
            for (std::size_t i = first; i < last; ++i)
                m_lengths[i] =
                    m_by == similarity::cosine ? pairs.item_length(m_items[i]) : length_of(pairs.items().row(m_items[i]), m_n_factors);
        });
        std::vector<std::pair<double, std::uint32_t>> plain;
        std::vector<std::uint32_t> others;
        plain.reserve(m_items.size());
        for (std::size_t i = 0; i < m_items.size(); ++i)
            if (has_plain_length<Scalar>(m_lengths[i], m_by)) plain.emplace_back(m_lengths[i], m_items[i]);
            else others.push_back(m_items[i]);
        if (m_by != similarity::cosine)
            std::sort(plain.begin(), plain.end(),
                      [](auto const& a, auto const& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
        m_n_plain = plain.size();
        for (std::size_t i = 0; i < plain.size(); ++i) m_lengths[i] = plain[i].first, m_items[i] = plain[i].second;
        std::copy(others.begin(), others.end(), m_items.begin() + static_cast<std::ptrdiff_t>(m_n_plain));
    }
    void pack(factor_pairs<Scalar> const& pairs, team& workers) {
        std::size_t const n_groups = (m_n_plain + group_size - 1) / group_size, n_blocks = n_groups * group_blocks;
        std::size_t const block_size = checked_product(lanes, m_n_factors, "top-k");
        m_packed = buffer<Scalar>(checked_product(n_blocks, block_size, "top-k"));
        m_longest.resize(n_groups), m_shortest.resize(n_groups);
        if (m_by == similarity::cosine) m_scales = buffer<Scalar>(n_blocks * lanes, Scalar{0});
        workers.blocks(n_groups, 8, [&](std::size_t first, std::size_t last, std::size_t) {
            for (std::size_t g = first; g < last; ++g) {
                m_longest[g] = m_lengths[g * group_size], m_shortest[g] = m_lengths[std::min(m_n_plain, (g + 1) * group_size) - 1];
                for (std::size_t b = g * group_blocks; b < (g + 1) * group_blocks; ++b)
                    pack_block(pairs, b, m_packed.data() + b * block_size);
            }
        });
    }
    void pack_block(factor_pairs<Scalar> const& pairs, std::size_t b, Scalar* out) {
        std::size_t const start = b * lanes;
        Scalar const* rows[lanes];
        for (std::size_t i = 0; i < lanes; ++i) rows[i] = pairs.items().row(m_items[std::min(start + i, m_n_plain - 1)]);
        for (std::size_t k = 0; k < m_n_factors; ++k)
            for (std::size_t i = 0; i < lanes; ++i) out[k * lanes + i] = rows[i][k];
        if (!m_scales.empty())
            for (std::size_t i = start; i < std::min(start + lanes, m_n_plain); ++i) m_scales[i] = static_cast<Scalar>(1 / m_lengths[i]);
    }
    void make_rough(factor_pairs<Scalar> const& pairs, team& workers) {
        auto const kernel = rough_kernels(m_level);
        if (m_by == similarity::euclidean || !rough_items::pays(kernel, m_n_plain, m_n_factors)) return;
        m_rough = {kernel,
                   m_n_plain,
                   m_n_factors,
                   workers,
                   [&](std::size_t place) { return pairs.items().row(m_items[place]); },
                   [&](std::size_t place) { return m_by == similarity::cosine ? 1 / m_lengths[place] : 1; }};
    }

    similarity m_by = similarity::dot;
    simd_level m_level = simd_level::portable;
    std::size_t m_n_factors = 0, m_n_plain = 0;
    std::vector<std::uint32_t> m_items, m_places;
    std::vector<double> m_lengths; // by place, while it is made
    std::vector<double> m_longest, m_shortest;
    buffer<Scalar> m_packed, m_scales;
    rough_items m_rough;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
