// SPDX-License-Identifier: MIT
// From a training frame to features: target statistics of the keys that are planned, and the bins of every training row.
#ifndef RECSYS_RANKER_TRAINING_FEATURES_HPP
#define RECSYS_RANKER_TRAINING_FEATURES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_leaves.hpp>
#include <recsys/core/team.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/binning.hpp>
#include <recsys/ranker/booster_options.hpp>
#include <recsys/ranker/feature_plan.hpp>
#include <recsys/ranker/feature_space.hpp>
#include <recsys/ranker/packed_rows.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/target_statistics.hpp>
#include <recsys/ranker/training_bins.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Targets of statistics for classes: one each, unless there are very many; then rare classes share some.
inline constexpr std::size_t most_statistic_targets = 32;
/// The target of each class, by their weights.
inline std::vector<std::uint32_t> statistic_targets(std::span<double const> class_weights) {
    std::vector<std::uint32_t> order(class_weights.size()), out(order.size());
    std::iota(order.begin(), order.end(), 0u);
    if (order.size() <= most_statistic_targets) return order;
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return class_weights[a] > class_weights[b]; });
    constexpr std::uint32_t alone = most_statistic_targets / 2;
    for (std::uint32_t i = 0; i < order.size(); ++i) out[order[i]] = i < alone ? i : alone + i % alone;
    return out;
}

/// Makes the features and bins of a training frame.
class feature_maker {
public:
    feature_maker(frame const& rows, std::vector<ranker_column> columns, statistic_rows about, booster_options const& options,
                  team& workers)
        : m_from(rows, columns, about, options, workers), m_plan(feature_planner(m_from, std::move(columns)).make()) {}
    /// Builds everything; call once.
    std::pair<feature_space, training_bins> make() && {
        measure_keys();
        lay_out();
        pack_columns();
        for (std::uint32_t k = 0; k < m_space.keys.size(); ++k) pack_key(k);
        m_space.prepare();
        return {std::move(m_space), std::move(m_bins)};
    }

private:
    std::size_t n_rows() const noexcept { return m_from.size(); }
    bool permuted(std::size_t f) const noexcept { return m_space.features[f].kind == feature_kind::statistic; }

    // --- statistics ---------------------------------------------------------------------------------

    /// The cell or cells of every row; valid until the next call.
    key_rows const& cells_of(statistic_key const& key) {
        auto& out = m_cells; // one memory for all keys: many would leave holes between what stays
        out.ends.clear();
        if (!m_space.has_lists(key)) {
            if (out.cells.size() != n_rows()) out.cells = buffer<std::uint32_t>(n_rows());
            m_from.for_blocks_of_all([&](row_block const& block, std::size_t first, std::size_t) {
                for (std::size_t r = 0; r < block.n; ++r) out.cells[first + r] = key.cell(block, r, m_space.missing);
            });
            return out;
        }
        std::vector<std::uint32_t> cells;
        m_from.for_blocks([&](row_block const& block, std::size_t) {
            for (std::size_t r = 0; r < block.n; ++r) {
                for (auto const code : block.codes(key.column, r)) cells.push_back(statistic_key::cell_of(code));
                out.ends.push_back(cells.size());
            }
        });
        out.cells = buffer<std::uint32_t>(cells.size());
        std::copy(cells.begin(), cells.end(), out.cells.begin());
        return out;
    }
    std::size_t cell_count(statistic_key const& key) const noexcept {
        if (key.with == statistic_key::join::category) return key.pairs.size();
        return (m_space.columns[key.column].categories->size() + 1) * (key.cuts.size() + 1);
    }
    static std::vector<float> priors_of(statistic_key const& key) {
        if (key.with != statistic_key::join::none) return {0.5f};
        return {0.f, 0.5f, 1.f};
    }
    /// The rows from which the borders of statistics are chosen are multiples of it.
    std::size_t sample_step() const noexcept { return std::max<std::size_t>(1, n_rows() / 65536); }
    /// For each key: totals, and features with borders that fit the values of the leaf permutation.
    void measure_keys() {
        auto const leaf_order = m_from.order(1 + m_from.options.permutations);
        std::size_t const step = sample_step();
        for (std::uint32_t k = 0; k < m_space.keys.size(); ++k) {
            auto& key = m_space.keys[k];
            auto const& cells = cells_of(key);
            fill_totals(key, cells, cell_count(key), m_from.about);
            auto const priors = priors_of(key);
            std::size_t const unit = m_plan.n_units++;
            std::vector<std::vector<float>> sample(priors.size(), std::vector<float>((n_rows() + step - 1) / step));
            for (std::size_t target = 0; target < m_from.about.n_targets; ++target) {
                ordered_statistics(cells, key.n_cells(), m_from.about, target, leaf_order, static_cast<std::uint32_t>(step), priors,
                                   [&](std::size_t row, float const* of) {
                                       for (std::size_t p = 0; p < priors.size(); ++p) sample[p][row / step] = of[p];
                                   });
                for (std::size_t p = 0; p < priors.size(); ++p) {
                    auto* const f = add_key_feature(k, unit, feature_kind::statistic, sample[p]);
                    if (f) f->prior = priors[p], f->category = static_cast<std::int32_t>(target);
                }
            }
            for (std::size_t i = 0; i < sample[0].size(); ++i) sample[0][i] = count_of(key, cells, i * step);
            add_key_feature(k, unit, feature_kind::count, sample[0]);
        }
    }
    /// How many rows the cells of a row have, on average.
    static float count_of(statistic_key const& key, key_rows const& cells, std::size_t row) noexcept {
        float count = 0;
        for (auto const c : cells.of(row)) count += key.counts[c];
        return cells.of(row).size() == 1 ? count : count / static_cast<float>(cells.of(row).size());
    }
    /// Null where the values do not differ.
    ranker_feature* add_key_feature(std::uint32_t k, std::size_t unit, feature_kind kind, std::span<float const> sample) {
        std::vector<float> weights;
        for (std::size_t row = 0; row < n_rows() && !m_from.about.weight.empty(); row += sample_step())
            weights.push_back(m_from.about.weight[row]);
        bool const joined = m_space.keys[k].with != statistic_key::join::none;
        auto borders = greedy_borders(distinct_values(sample, weights),
                                      joined ? std::size_t{15} : static_cast<std::size_t>(m_from.options.statistic_borders));
        if (borders.empty()) return nullptr;
        auto& f = m_plan.add(unit, m_plan.n_draws++);
        f.kind = kind, f.source = k, f.borders = std::move(borders);
        return &f;
    }

    // --- bins ---------------------------------------------------------------------------------------

    void lay_out() {
        std::vector<std::size_t> n_bins;
        std::vector<char> late;
        std::vector<std::pair<std::uint32_t, float>> known; // key and prior of the slots of statistics
        std::vector<std::size_t> slot_of_known;
        for (std::size_t f = 0; f < m_space.features.size(); ++f) {
            auto const& of = m_space.features[f];
            std::size_t slot = n_bins.size();
            if (permuted(f)) {
                std::pair const id(of.source, of.prior);
                auto const at = static_cast<std::size_t>(std::find(known.begin(), known.end(), id) - known.begin());
                if (at == known.size()) known.push_back(id), slot_of_known.push_back(slot);
                slot = slot_of_known[at];
            }
            m_bins.slot_of.push_back(static_cast<std::uint32_t>(slot));
            m_bins.target_of.push_back(permuted(f) ? static_cast<std::uint32_t>(of.category) : 0);
            if (slot == n_bins.size()) {
                n_bins.push_back(0), late.push_back(permuted(f));
                m_bins.unit_of.push_back(m_plan.unit[f]), m_bins.draw_of.push_back(m_plan.draw[f]);
            }
            n_bins[slot] = std::max(n_bins[slot], of.n_bins());
        }
        m_bins.n_units = m_plan.n_units;
        m_bins.feature_of.assign(m_from.about.n_targets, std::vector<std::uint32_t>(n_bins.size(), training_bins::no_feature));
        for (std::size_t f = 0; f < m_space.features.size(); ++f)
            for (std::size_t target = 0; target < m_from.about.n_targets; ++target)
                if (!permuted(f) || static_cast<std::size_t>(m_space.features[f].category) == target)
                    m_bins.feature_of[target][m_bins.slot_of[f]] = static_cast<std::uint32_t>(f);
        // Memory and time go with permutations x targets.
        m_bins.permutations = std::clamp<std::size_t>(most_statistic_targets / m_from.about.n_targets, 1, m_from.options.permutations);
        m_bins.packed = packed_rows(packed_layout(n_bins, late), n_rows(), m_bins.copy_of(m_from.about.n_targets, 0));
    }
    /// Puts bins of the rows that row_of(0) .. row_of(n - 1) are where they are read from.
    template <class Row> static void put(std::uint8_t const* bins, std::size_t n, Row const& row_of, packed_rows::strided<std::uint8_t> to,
                                         unsigned shift) noexcept {
        for (std::size_t i = 0; i < n; ++i) {
            auto& byte = *to.of(row_of(i));
            byte = static_cast<std::uint8_t>(byte | bins[i] << shift);
        }
    }
    /// Numbers and one-hot features.
    void pack_columns() {
        feature_space plain;
        std::vector<std::size_t> which;
        plain.columns = m_space.columns, plain.missing = m_space.missing;
        for (std::size_t f = 0; f < m_space.features.size(); ++f)
            if (m_space.features[f].kind == feature_kind::number || m_space.features[f].kind == feature_kind::has)
                plain.features.push_back(m_space.features[f]), which.push_back(f);
        plain.prepare();
        std::vector<std::vector<std::uint8_t>> bins(m_from.workers.size(), std::vector<std::uint8_t>(which.size() * block_rows));
        std::vector<std::vector<std::uint32_t>> cells(m_from.workers.size());
        m_from.for_blocks_of_all([&](row_block const& block, std::size_t first, std::size_t worker) {
            plain.bins(m_kernels, block, bins[worker].data(), cells[worker]);
            for (std::size_t i = 0; i < which.size(); ++i)
                put(
                    bins[worker].data() + i * block_rows, block.n, [&](std::size_t r) { return first + r; },
                    m_bins.packed.column(m_bins.field_of(which[i]), 0), m_bins.field_of(which[i]).shift);
        });
    }
    /// The counts of a key, and its statistics in every order, for every target.
    void pack_key(std::uint32_t k) {
        auto const& key = m_space.keys[k];
        auto const& cells = cells_of(key);
        for (std::size_t f = 0; f < m_space.features.size(); ++f) {
            auto const& of = m_space.features[f];
            if (of.kind != feature_kind::count || of.source != k) continue;
            border_table const table(of.borders);
            m_from.workers.blocks(n_rows(), block_rows, [&](std::size_t first, std::size_t last, std::size_t) {
                float counts[block_rows];
                std::uint8_t bins[block_rows];
                for (std::size_t row = first; row < last; ++row) counts[row - first] = count_of(key, cells, row);
                table.bins(m_kernels, counts, last - first, missing_numbers::lowest, bins);
                put(
                    bins, last - first, [&](std::size_t r) { return first + r; }, m_bins.packed.column(m_bins.field_of(f), 0),
                    m_bins.field_of(f).shift);
            });
        }
        std::size_t const n_orders = m_bins.permutations + 1;
        m_from.workers.run(n_orders * m_from.about.n_targets, [&](std::size_t task, std::size_t) {
            std::size_t const target = task / n_orders, order = task % n_orders;
            std::vector<packed_rows::strided<std::uint8_t>> to;
            std::vector<unsigned> shifts;
            std::vector<float> priors;
            std::vector<border_table> tables;
            for (std::size_t f = 0; f < m_space.features.size(); ++f) {
                auto const& of = m_space.features[f];
                if (!permuted(f) || of.source != k || static_cast<std::size_t>(of.category) != target) continue;
                to.push_back(m_bins.packed.column(m_bins.field_of(f), task)), shifts.push_back(m_bins.field_of(f).shift);
                priors.push_back(of.prior), tables.emplace_back(of.borders);
            }
            if (to.empty()) return;
            // Bins of many rows at a time.
            std::vector<float> waiting(to.size() * block_rows);
            std::size_t rows[block_rows], n = 0;
            auto const flush = [&] {
                std::uint8_t bins[block_rows];
                for (std::size_t i = 0; i < to.size(); ++i) {
                    tables[i].bins(m_kernels, waiting.data() + i * block_rows, n, missing_numbers::lowest, bins);
                    put(
                        bins, n, [&](std::size_t r) { return rows[r]; }, to[i], shifts[i]);
                }
                n = 0;
            };
            // The last order is that in which borders were chosen, even where there are fewer permutations than are wanted.
            auto const rows_in_order = m_from.order(1 + (order < m_bins.permutations ? order : std::size_t{m_from.options.permutations}));
            ordered_statistics(cells, key.n_cells(), m_from.about, target, rows_in_order, 1, priors,
                               [&](std::size_t row, float const* values) {
                                   for (std::size_t i = 0; i < to.size(); ++i) waiting[i * block_rows + n] = values[i];
                                   rows[n] = row;
                                   if (++n == block_rows) flush();
                               });
            flush();
        });
    }

    feature_rows const m_from;
    bin_table const m_kernels = bin_kernels(active_simd_level());
    feature_plan m_plan;
    feature_space& m_space = m_plan.space;
    training_bins m_bins;
    key_rows m_cells;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
