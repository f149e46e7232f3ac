// SPDX-License-Identifier: MIT
// Categories as numbers: how the target went with a category before (ordered statistics in training) or in all of the training rows.
#ifndef RECSYS_RANKER_TARGET_STATISTICS_HPP
#define RECSYS_RANKER_TARGET_STATISTICS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/hash.hpp>
#include <recsys/core/random.hpp>
#include <recsys/data/id_table.hpp>
#include <recsys/ranker/binning.hpp>
#include <recsys/ranker/row_block.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// What a category's past says of the target: (sum of targets + prior) / (number of rows + 1); the prior alone where there were none.
/// Source: Prokhorenkova et al., "CatBoost: unbiased boosting with categorical features" (2018), section 3.2.
constexpr float target_statistic(float sum, float count, float prior) noexcept { return (sum + prior) / (count + 1.f); }

/// What is counted: the values of one category column, alone or joined with the bin of a number or with a second category.
///
/// Each value is a cell; cell 0 of a single column is "missing", cell c + 1 the category c. A value without a cell is unknown: no rows.
struct statistic_key {
    enum class join : std::uint8_t { none, number, category };

    std::uint32_t column = 0;
    join with = join::none;
    std::uint32_t other = 0;          ///< the joined column
    std::vector<float> cuts;          ///< of a joined number: its bin is the count of cuts below it
    std::vector<std::uint64_t> pairs; ///< of a joined category: (first cell) << 32 | second cell, rising; the place is the cell
    std::vector<float> sums, counts;  ///< a value a cell, over all training rows; sums of several targets one target after the other

    static constexpr std::uint32_t no_cell = 0xFFFFFFFFu;

    std::size_t n_cells() const noexcept { return counts.size(); }
    static std::uint32_t cell_of(std::int32_t code) noexcept {
        return code == unknown_category ? no_cell : static_cast<std::uint32_t>(code + 1);
    }
    static std::uint64_t pair_of(std::int32_t a, std::int32_t b) noexcept { return std::uint64_t{cell_of(a)} << 32 | cell_of(b); }

    /// For looking up pairs; call it once they are there.
    void index_pairs() {
        m_places = {};
        for (std::size_t i = 0; i < pairs.size(); ++i) m_places.insert(mix_bits(pairs[i]), static_cast<std::uint32_t>(i));
    }
    /// The cell of a row, no_cell if it has none. Not for columns of several categories.
    std::uint32_t cell(row_block const& rows, std::size_t r, missing_numbers missing) const noexcept {
        auto const code = rows.columns[column].codes[r];
        if (with == join::category) {
            auto const pair = pair_of(code, rows.columns[other].codes[r]);
            return m_places.find(mix_bits(pair), [&](std::uint32_t place) { return pairs[place] == pair; });
        }
        auto const first = cell_of(code);
        if (with == join::none || first == no_cell) return first;
        auto const x = comparable_number(rows.columns[other].numbers[r], missing);
        std::uint64_t cell = std::uint64_t{first} * (cuts.size() + 1);
        for (auto const cut : cuts) cell += cut < x;
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(cell, no_cell));
    }
    std::size_t n_targets() const noexcept { return counts.empty() ? 1 : sums.size() / counts.size(); }
    float sum(std::uint32_t cell, std::size_t target) const noexcept {
        return cell < counts.size() ? sums[target * counts.size() + cell] : 0.f;
    }
    float count(std::uint32_t cell) const noexcept { return cell < counts.size() ? counts[cell] : 0.f; }

private:
    code_slots m_places;
};
static_assert(statistic_key::no_cell == no_code);

/// The cells of the training rows for one key; `ends` only for a column of several categories, whose rows have any number of cells.
struct key_rows {
    buffer<std::uint32_t> cells;
    std::vector<std::size_t> ends;
    std::span<std::uint32_t const> of(std::size_t row) const noexcept {
        if (ends.empty()) return {cells.data() + row, 1};
        std::size_t const first = row == 0 ? 0 : ends[row - 1];
        return {cells.data() + first, ends[row] - first};
    }
};

/// Targets and weights (empty = 1) of the training rows, for statistics: numbers in [0, 1]; or each row is of one of several targets, whose
/// number it has: it counts 1 there and 0 in the others.
struct statistic_rows {
    std::span<float const> target, weight;
    std::size_t n_targets = 1;
    float target_of(std::size_t row, std::size_t which) const noexcept {
        return n_targets == 1 ? target[row] : target[row] == static_cast<float>(which) ? 1.f : 0.f;
    }
    std::size_t size() const noexcept { return target.size(); }
    float weight_of(std::size_t row) const noexcept { return weight.empty() ? 1.f : weight[row]; }
};

/// A random order of rows: rows stay together in runs of `run`, so that memory is read in pieces.
class row_order {
public:
    row_order(std::size_t n_rows, std::size_t run, std::uint64_t seed, std::uint64_t stream)
        : m_n_rows(n_rows), m_run(run), m_runs((n_rows + run - 1) / run) {
        std::iota(m_runs.begin(), m_runs.end(), 0u);
        random_stream random(seed, stream);
        random.shuffle(m_runs);
    }
    /// f(row) for the first rows of the order, at most so many.
    template <class Function> void for_first(std::size_t most, Function const& f) const {
        for (auto const r : m_runs) {
            std::size_t const first = r * m_run, n = std::min({m_run, m_n_rows - first, most});
            for (std::size_t row = first; row < first + n; ++row) f(row);
            most -= n;
        }
    }
    template <class Function> void for_all(Function const& f) const { for_first(m_n_rows, f); }

private:
    std::size_t m_n_rows, m_run;
    std::vector<std::uint32_t> m_runs;
};

struct cell_total {
    float sum = 0, count = 0;
};

/// Walks the rows in an order and gives, for each whose number is a multiple of `every`, the statistics of its cells over the rows before it:
/// emit(row, value of each prior). A row of several categories has the mean over them; each of its categories then counts the row once.
template <class Emit> void ordered_statistics(key_rows const& keys, std::size_t n_cells, statistic_rows const& rows, std::size_t target,
                                              row_order const& order, std::uint32_t every, std::span<float const> priors,
                                              Emit const& emit) {
    std::vector<cell_total> totals(n_cells);
    std::vector<float> values(priors.size());
    order.for_all([&](std::size_t row) {
        auto const cells = keys.of(row);
        if (every == 1 || static_cast<std::uint32_t>(row) % every == 0) {
            for (std::size_t p = 0; p < priors.size(); ++p) {
                float value = 0;
                for (auto const c : cells) value += target_statistic(totals[c].sum, totals[c].count, priors[p]);
                values[p] = cells.size() == 1 ? value : value / static_cast<float>(cells.size());
            }
            emit(row, values.data());
        }
        float const w = rows.weight_of(row);
        for (auto const c : cells) totals[c].sum += w * rows.target_of(row, target), totals[c].count += w;
    });
}

/// The totals of all rows, in the order of the rows.
inline void fill_totals(statistic_key& key, key_rows const& cells, std::size_t n_cells, statistic_rows const& rows) {
    std::vector<double> sums(n_cells * rows.n_targets), counts(n_cells);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        double const w = static_cast<double>(rows.weight_of(row));
        bool const one = rows.n_targets == 1;
        std::size_t const first = one ? 0 : n_cells * static_cast<std::size_t>(rows.target[row]);
        for (auto const c : cells.of(row)) sums[first + c] += one ? w * static_cast<double>(rows.target[row]) : w, counts[c] += w;
    }
    key.sums.resize(sums.size()), key.counts.resize(n_cells);
    std::transform(sums.begin(), sums.end(), key.sums.begin(), [](double s) { return static_cast<float>(s); });
    std::transform(counts.begin(), counts.end(), key.counts.begin(), [](double s) { return static_cast<float>(s); });
}

/// Targets brought to [0, 1]: linearly between their 1% and 99% quantiles, cut off outside. Empty where they all lie there.
inline std::vector<float> unit_targets(std::span<float const> targets) {
    auto const [least, most] = std::minmax_element(targets.begin(), targets.end());
    if (targets.empty() || (*least >= 0 && *most <= 1)) return {};
    std::vector<float> out(targets.begin(), targets.end());
    std::vector<float> sorted = out;
    auto const quantile = [&](double share) {
        auto const at = sorted.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1));
        std::nth_element(sorted.begin(), at, sorted.end());
        return *at;
    };
    float low = quantile(0.01), high = quantile(0.99);
    if (!(low < high)) low = *least, high = *most;
    float const scale = low < high ? 1.f / (high - low) : 0.f;
    for (auto& t : out) t = std::min(std::max((t - low) * scale, 0.f), 1.f);
    return out;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
