// SPDX-License-Identifier: MIT
// Which pairs of columns deserve a target statistic of their own: those that say something which the two columns do not say one by one.
#ifndef RECSYS_RANKER_JOIN_SEARCH_HPP
#define RECSYS_RANKER_JOIN_SEARCH_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/hash.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/team.hpp>
#include <recsys/ranker/binning.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/target_statistics.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// At most `most` of the borders, evenly spread; the one that keeps missing numbers apart stays.
inline std::vector<float> coarse_cuts(std::span<float const> borders, std::size_t most) {
    std::vector<float> cuts;
    auto const finite = [](float b) { return b > -greatest_number && b < greatest_number; };
    std::vector<float> plain;
    for (auto const b : borders)
        if (finite(b)) plain.push_back(b);
    std::size_t const n = std::min(most, plain.size());
    for (std::size_t i = 0; i < n; ++i) cuts.push_back(plain[(2 * i + 1) * plain.size() / (2 * n)]);
    for (auto const b : borders)
        if (!finite(b)) cuts.push_back(b);
    std::sort(cuts.begin(), cuts.end());
    return cuts;
}

/// Numbers of 64 bits to small indices, for as many as a sample has rows.
class small_index {
public:
    explicit small_index(std::size_t rows) : m_keys(std::bit_ceil(rows * 2 + 2)), m_places(m_keys.size()) {}
    void clear() { std::fill(m_places.begin(), m_places.end(), 0u), m_size = 0; }
    std::uint32_t operator()(std::uint64_t key) {
        std::size_t const mask = m_keys.size() - 1;
        for (std::size_t i = static_cast<std::size_t>(mix_bits(key)) & mask;; i = (i + 1) & mask) {
            if (m_places[i] == 0) {
                m_keys[i] = key;
                return (m_places[i] = ++m_size) - 1;
            }
            if (m_keys[i] == key) return m_places[i] - 1;
        }
    }

private:
    std::vector<std::uint64_t> m_keys;
    std::vector<std::uint32_t> m_places;
    std::uint32_t m_size = 0;
};

/// A column as the search sees it: the cell of each sampled row and what the target was in that cell before the row.
struct search_column {
    std::uint32_t column = 0;
    bool category = false;
    std::vector<float> cuts;
    std::vector<std::uint32_t> cells;
    std::vector<float> means;
};

/// The worth of a pair: how well the pair's cell, by the rows before, foretells what both columns leave over.
struct pair_worth {
    std::uint32_t first = 0, second = 0; ///< places among the search columns
    double gain = 0;                     ///< explained squares
    bool clear = false;                  ///< that this is no chance
};

/// Sampled rows in a random order.
class join_search {
public:
    join_search(std::span<float const> target, std::span<float const> weight, std::vector<search_column> columns)
        : m_target(target), m_weight(weight), m_columns(std::move(columns)) {
        double sum = 0, total = 0;
        for (std::size_t i = 0; i < target.size(); ++i) sum += w(i) * static_cast<double>(target[i]), total += w(i);
        m_mean = static_cast<float>(sum / total);
        for (auto& c : m_columns) measure(c);
    }
    /// All pairs of a category with a number, or with a category after it, in a fixed order.
    std::vector<pair_worth> worths(team& workers) const {
        std::vector<pair_worth> pairs;
        for (std::uint32_t a = 0; a < m_columns.size(); ++a)
            for (std::uint32_t b = 0; m_columns[a].category && b < m_columns.size(); ++b)
                if (!m_columns[b].category || b > a) pairs.push_back({a, b});
        std::vector<small_index> index;
        for (std::size_t i = 0; i < workers.size(); ++i) index.emplace_back(m_target.size());
        workers.run(pairs.size(), [&](std::size_t i, std::size_t worker) { measure(pairs[i], index[worker]); });
        return pairs;
    }

private:
    double w(std::size_t i) const noexcept { return m_weight.empty() ? 1.0 : static_cast<double>(m_weight[i]); }

    /// Means of the target by cell over the rows before, drawn to the mean of all by one row.
    void measure(search_column& c) const {
        std::vector<cell_total> totals(1 + (c.cells.empty() ? 0 : *std::max_element(c.cells.begin(), c.cells.end())));
        c.means.resize(c.cells.size());
        for (std::size_t i = 0; i < c.cells.size(); ++i) {
            auto& t = totals[c.cells[i]];
            c.means[i] = target_statistic(t.sum, t.count, m_mean);
            auto const weight = static_cast<float>(w(i));
            t.sum += weight * m_target[i], t.count += weight;
        }
    }
    void measure(pair_worth& p, small_index& index) const {
        auto const &a = m_columns[p.first], &b = m_columns[p.second];
        std::vector<cell_total> totals;
        index.clear();
        double sum = 0, squares = 0;
        for (std::size_t i = 0; i < m_target.size(); ++i) {
            auto const cell = index(std::uint64_t{a.cells[i]} << 32 | b.cells[i]);
            if (cell == totals.size()) totals.emplace_back();
            auto& t = totals[cell];
            float const left_over = m_target[i] - a.means[i] - b.means[i] + m_mean;
            double const told = w(i) * static_cast<double>(left_over * t.sum / (t.count + 3.f));
            sum += told, squares += told * told;
            auto const weight = static_cast<float>(w(i));
            t.sum += weight * left_over, t.count += weight;
        }
        p.gain = sum, p.clear = sum > 4 * std::sqrt(squares); // four standard errors
    }

    std::span<float const> m_target, m_weight;
    std::vector<search_column> m_columns;
    float m_mean = 0;
};

/// The pairs that are worth it, best first, at most `most`. Then, unless only `clear` ones are wanted, those of which it is not known.
inline std::vector<pair_worth> best_pairs(std::vector<pair_worth> pairs, std::size_t most, bool clear) {
    if (clear) pairs.erase(std::remove_if(pairs.begin(), pairs.end(), [](pair_worth const& p) { return !p.clear; }), pairs.end());
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](pair_worth const& a, pair_worth const& b) { return a.clear != b.clear ? a.clear : a.gain > b.gain; });
    if (pairs.size() > most) pairs.resize(most);
    return pairs;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
