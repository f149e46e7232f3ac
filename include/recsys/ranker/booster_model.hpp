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
#include <recsys/ranker/row_answers.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/row_model.hpp>
#include <recsys/ranker/tree_set.hpp>
#include <recsys/ranker/tree_tables.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

template <class Row> class predictor;

namespace detail {

/// A class of a model: tree t is of class t % n_classes.
struct model_class {
    double start = 0; ///< raw score before the first tree
    std::int32_t label = 0;
    std::uint32_t target = 0; ///< which of the targets of statistics is its own
};

/// All that a booster model is.
struct booster_state final : row_model {
    feature_space space;
    tree_set trees;
    std::vector<model_class> classes; ///< of losses of several classes; else empty
    output_kind output = output_kind::raw;
    fit_report report;
    std::optional<time_point> as_of = {};
    tree_tables tables; ///< of `trees`

    /// Makes what predictions are read from; call it once features and trees are there.
    void prepare() {
        space.prepare();
        tables = tree_tables(trees, n_outputs());
        m_labels.clear();
        for (auto const& c : classes) m_labels.push_back(c.label);
        if (output == output_kind::probability) m_labels = {0, 1};
    }
    /// How many trees each output has.
    std::size_t n_rounds() const noexcept { return trees.size() / n_outputs(); }
    double raw(std::int64_t sum, std::size_t output_number, double baseline) const noexcept {
        return trees.raw(sum) + (classes.empty() ? 0.0 : classes[output_number].start) + baseline;
    }
    /// Raw scores of a row become predictions.
    void finish(std::span<double> of_row) const noexcept {
        if (output == output_kind::class_probabilities) return softmax(of_row);
        if (output == output_kind::raw) return;
        for (auto& x : of_row) x = output == output_kind::probability ? sigmoid(x) : std::exp(x);
    }
    /// The sums of the leaves of trees first .. last - 1, in scratch.sums; `first` is a multiple of n_outputs.
    void add(row_block const& rows, std::size_t first, std::size_t last, predict_scratch& scratch) const {
        auto* const bins = scratch.bins_for(space.features.size());
        auto const kernels = bin_kernels(active_simd_level());
        space.bins(kernels, rows, bins, scratch.cells);
        scratch.sums.assign(n_outputs() * block_rows, 0);
        auto* const sums = scratch.sums.data();
        if (first == 0 && last == trees.size()) tables.add(trees, kernels, bins, space.features.size(), rows.n, sums);
        else add_trees(trees, kernels, first, last, bins, block_rows, rows.n, sums, n_outputs());
    }

    std::span<ranker_column const> columns() const noexcept override { return space.columns; }
    std::size_t n_outputs() const noexcept override { return std::max<std::size_t>(1, classes.size()); }
    void answer(row_block const& rows, row_baselines baselines, predict_scratch& scratch, double* answers) const override {
        raw(rows, baselines, scratch, answers);
        for (std::size_t i = 0; i < rows.n; ++i) finish({answers + i * n_outputs(), n_outputs()});
    }
    void raw(row_block const& rows, row_baselines baselines, predict_scratch& scratch, double* raws) const override {
        add(rows, 0, trees.size(), scratch);
        std::size_t const n = n_outputs();
        for (std::size_t i = 0; i < rows.n; ++i)
            for (std::size_t o = 0; o < n; ++o) raws[i * n + o] = raw(scratch.sums[o * block_rows + i], o, baselines.at(i, o));
    }
    std::span<std::int32_t const> labels() const override {
        if (m_labels.empty()) throw_data("predict_classes: the model was trained for numbers, not for classes");
        return m_labels;
    }

private:
    std::vector<std::int32_t> m_labels;
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

    /// One score a row: probabilities for log loss, rates for Poisson, raw scores for other losses. For multi_class probabilities, n_rows x n_outputs,
    /// row after row, in the order of labels().
    /// The baseline of the rows, if they have one, is added to the raw scores, here and in all that predicts.
    /// @throws data_error  where a column is missing or of another type, or a missing number is forbidden.
    [[nodiscard]] std::vector<float> predict(frame const& rows, run_options const& run = {}) const {
        return detail::all_answers<float>(*m_state, rows, run, [&](auto&&... to) { m_state->answer(to...); });
    }
    /// One raw score a row (log odds for log loss) or one a class, exact to the last bit of the fixed point.
    [[nodiscard]] std::vector<double> predict_raw(frame const& rows, run_options const& run = {}) const {
        return detail::all_answers<double>(*m_state, rows, run, [&](auto&&... to) { m_state->raw(to...); });
    }
    /// The label of the most probable class of each row, the first of equal ones; for log loss 1 where the probability is above 0.5, else 0.
    /// @throws data_error  for models of other losses.
    [[nodiscard]] std::vector<std::int32_t> predict_classes(frame const& rows, run_options const& run = {}) const {
        return detail::class_answers(*m_state, rows, run);
    }
    /// The predictions of growing numbers of trees: sink(number of trees, predictions) after each `every` trees and after the last.
    /// The sink returns nothing, or bool, where false stops. The span is valid during the call; for multi_class it is as predict() gives it.
    template <class Sink> void staged(frame const& rows, natural every, Sink&& sink, run_options const& run = {}) const {
        std::size_t const n = n_outputs();
        std::vector<std::int64_t> sums(rows.n_rows() * n, 0);
        detail::in_stages("booster: ", *m_state, rows, n_trees(), every, sink, run,
                          [&](detail::row_block const& block, detail::row_baselines baselines, detail::predict_scratch& mine,
                              std::size_t row, std::size_t first, std::size_t last) {
                              m_state->add(block, first * n, last * n, mine);
                              for (std::size_t i = 0; i < block.n; ++i) {
                                  auto const of_row = std::span(mine.answers).subspan(i * n, n);
                                  for (std::size_t o = 0; o < n; ++o)
                                      of_row[o] = m_state->raw(sums[(row + i) * n + o] += mine.sums[o * detail::block_rows + i], o,
                                                               baselines.at(i, o));
                                  m_state->finish(of_row);
                              }
                          });
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
    /// How many trees; for multi_class how many each class has.
    std::size_t n_trees() const noexcept { return m_state->n_rounds(); }
    /// How many numbers a row gets: 1, or the number of classes.
    std::size_t n_outputs() const noexcept { return m_state->n_outputs(); }
    /// The labels of the classes, in the order of predictions; 0 and 1 for log loss. @throws data_error  for models of other losses.
    std::vector<std::int32_t> labels() const { return {m_state->labels().begin(), m_state->labels().end()}; }
    /// What predict() gives.
    output_kind output() const noexcept { return m_state->output; }
    /// The raw score before the first tree, of an output.
    double start(std::size_t output = 0) const noexcept { return m_state->raw(0, output, 0); }
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
    std::shared_ptr<detail::booster_state const> m_state;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
