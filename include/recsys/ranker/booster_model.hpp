// SPDX-License-Identifier: MIT
// A trained booster: scores of frames, of prefixes of its trees, importances. Immutable.
#ifndef RECSYS_RANKER_BOOSTER_MODEL_HPP
#define RECSYS_RANKER_BOOSTER_MODEL_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>
#include <recsys/core/math.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_leaves.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/row_schema.hpp>
#include <recsys/ranker/feature_space.hpp>
#include <recsys/ranker/importance.hpp>
#include <recsys/ranker/loss.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/row_model.hpp>
#include <recsys/ranker/tree_set.hpp>
#include <recsys/ranker/tree_tables.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

template <class Row> class predictor;

namespace detail {

/// All that a booster model is.
struct booster_state final : row_model {
    feature_space space;
    tree_set trees;
    output_kind output = output_kind::raw;
    fit_report report;
    std::optional<time_point> as_of = {};
    tree_tables tables; ///< of `trees`

    /// Makes what predictions are read from; call it once features and trees are there.
    void prepare() {
        space.prepare();
        tables = tree_tables(trees);
    }
    /// @param baseline  of the row.
    double answer(std::int64_t sum, float baseline = 0) const noexcept {
        double const raw = trees.raw(sum) + static_cast<double>(baseline);
        return output == output_kind::probability ? sigmoid(raw) : output == output_kind::rate ? std::exp(raw) : raw;
    }
    /// The sums of the leaves of trees first .. last - 1, in scratch.sums.
    void add(row_block const& rows, std::size_t first, std::size_t last, predict_scratch& scratch) const {
        auto* const bins = scratch.bins_for(space.features.size());
        auto const kernels = bin_kernels(active_simd_level());
        space.bins(kernels, rows, bins, scratch.cells);
        std::fill_n(scratch.sums, rows.n, std::int64_t{0});
        if (first == 0 && last == trees.size()) tables.add(trees, kernels, bins, space.features.size(), rows.n, scratch.sums);
        else add_trees(trees, kernels, first, last, bins, block_rows, rows.n, scratch.sums);
    }

    std::span<ranker_column const> columns() const noexcept override { return space.columns; }
    std::size_t n_outputs() const noexcept override { return 1; }
    void answer(row_block const& rows, float const* baselines, predict_scratch& scratch, double* answers) const override {
        add(rows, 0, trees.size(), scratch);
        for (std::size_t i = 0; i < rows.n; ++i) answers[i] = answer(scratch.sums[i], baselines ? baselines[i] : 0.f);
    }
};

}

/// Scores rows by gradient-boosted oblivious trees. A handle: a copy shares. Safe to use from many threads.
///
/// Columns are found by name and must be of the type they were trained with; other columns are ignored. A row's raw score is a sum of integers
/// and a start value: the same for any number of threads, rows and machines. Missing numbers go where `booster_options::missing` says; a
/// category never seen in training has the statistics of no rows at all; a missing category is one of its own.
class booster_model {
public:
    booster_model() : m_state(std::make_shared<detail::booster_state const>()) {}
    explicit booster_model(std::shared_ptr<detail::booster_state const> state) : m_state(std::move(state)) {}

    /// One score a row: probabilities for log loss, rates for Poisson, raw scores for other losses.
    /// The baseline of the rows, if they have one, is added to the raw scores, here and in all that predicts.
    /// @throws data_error  where a column is missing or of another type, or a missing number is forbidden.
    [[nodiscard]] std::vector<float> predict(frame const& rows, run_options const& run = {}) const {
        std::vector<float> out(rows.n_rows());
        evaluate(rows, run, 0, n_trees(),
                 [&](std::size_t row, std::int64_t sum) { out[row] = static_cast<float>(m_state->answer(sum, baseline(rows, row))); });
        return out;
    }
    /// One raw score a row (log odds for log loss), exact to the last bit of the fixed point.
    [[nodiscard]] std::vector<double> predict_raw(frame const& rows, run_options const& run = {}) const {
        std::vector<double> out(rows.n_rows());
        evaluate(rows, run, 0, n_trees(),
                 [&](std::size_t row, std::int64_t sum) { out[row] = m_state->trees.raw(sum) + static_cast<double>(baseline(rows, row)); });
        return out;
    }
    /// The predictions of growing numbers of trees: sink(number of trees, predictions) after each `every` trees and after the last.
    /// The sink returns nothing, or bool, where false stops. The span is valid during the call.
    template <class Sink> void staged(frame const& rows, natural every, Sink&& sink, run_options const& run = {}) const {
        using sink_type = std::remove_reference_t<Sink>;
        constexpr bool is_sink = std::invocable<sink_type&, std::size_t, std::span<float const>>;
        static_assert(is_sink, "staged: the sink is called as sink(number of trees, std::span<float const> predictions)");
        if constexpr (is_sink) {
            if (every == 0) detail::throw_option("booster: staged predictions need a step of at least 1 tree, got 0");
            std::vector<std::int64_t> sums(rows.n_rows(), 0);
            std::vector<float> out(rows.n_rows());
            for (std::size_t first = 0; first < n_trees();) {
                std::size_t const last = std::min<std::size_t>(n_trees(), first + every);
                evaluate(rows, run, first, last, [&](std::size_t row, std::int64_t sum) {
                    sums[row] += sum;
                    out[row] = static_cast<float>(m_state->answer(sums[row], baseline(rows, row)));
                });
                first = last;
                if constexpr (std::is_void_v<std::invoke_result_t<sink_type&, std::size_t, std::span<float const>>>)
                    sink(last, std::span<float const>(out));
                else if (!static_cast<bool>(sink(last, std::span<float const>(out)))) return;
            }
        }
    }
    /// @throws data_error  where a column that the model needs is missing or of another type.
    void check(frame const& rows) const { detail::frame_reader(m_state->space.columns, rows); }

    /// The model for single rows and spans of the user's own type; names and types are checked here, once.
    /// @throws data_error  where the schema lacks a column that the model needs, or has it of another type.
    template <class Row> recsys::predictor<Row> predictor(row_schema<Row> const& schema) const {
        return recsys::predictor<Row>(m_state, schema);
    }

    /// How much each column of the training rows matters, the most first; equal ones in the order of the columns. In percent for
    /// prediction_change and gain, a number for splits. A feature of two columns counts half for each.
    [[nodiscard]] std::vector<std::pair<std::string, double>> importances(importance_kind kind = importance_kind::prediction_change) const {
        return detail::importances(m_state->space, m_state->trees, kind);
    }
    std::size_t n_trees() const noexcept { return m_state->trees.size(); }
    /// What predict() gives.
    output_kind output() const noexcept { return m_state->output; }
    /// The raw score before the first tree.
    double start() const noexcept { return m_state->trees.start; }
    /// The names of the columns that it was trained on.
    std::vector<std::string> columns() const {
        std::vector<std::string> out;
        for (auto const& c : m_state->space.columns) out.push_back(c.name);
        return out;
    }
    /// The moment up to which its training and validation rows know events, the targets too, if they say so: `two_stage` and `evaluate` look at it.
    std::optional<time_point> as_of() const noexcept { return m_state->as_of; }
    fit_report const& report() const& noexcept { return m_state->report; }
    fit_report report() const&& { return m_state->report; }
    /// For what works on models inside the library.
    detail::booster_state const& state() const& noexcept { return *m_state; }

private:
    static float baseline(frame const& rows, std::size_t row) noexcept { return rows.baselines().empty() ? 0.f : rows.baselines()[row]; }
    /// f(row, sum of the leaves of trees first .. last - 1) for every row, from several threads.
    template <class Function>
    void evaluate(frame const& rows, run_options const& run, std::size_t first, std::size_t last, Function const& f) const {
        detail::frame_reader const reader(m_state->space.columns, rows);
        detail::team workers(run.threads);
        std::vector<detail::predict_scratch> scratch(workers.size());
        workers.blocks(rows.n_rows(), detail::block_rows * 32, [&](std::size_t from, std::size_t to, std::size_t worker) {
            auto& mine = scratch[worker];
            for (std::size_t row = from; row < to; row += detail::block_rows) {
                std::size_t const n = std::min(detail::block_rows, to - row);
                m_state->add(reader.read(row, n, mine.rows), first, last, mine);
                for (std::size_t i = 0; i < n; ++i) f(row + i, mine.sums[i]);
            }
        });
    }

    std::shared_ptr<detail::booster_state const> m_state;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
