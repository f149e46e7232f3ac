// SPDX-License-Identifier: MIT
// A model that was trained elsewhere, for prediction: the doors of a booster model, the numbers of its own library.
#ifndef RECSYS_RANKER_IMPORTED_MODEL_HPP
#define RECSYS_RANKER_IMPORTED_MODEL_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/math.hpp>
#include <recsys/core/number.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/row_schema.hpp>
#include <recsys/ranker/imported_features.hpp>
#include <recsys/ranker/imported_trees.hpp>
#include <recsys/ranker/predictor.hpp>
#include <recsys/ranker/row_answers.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/row_model.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// How raw scores become predictions: as they are, 1 / (1 + e^-kx), e^x over the sum of all outputs, e^x, x|x|, log(1 + e^x).
enum class answer_link : std::uint8_t { identity, sigmoid, softmax, exponential, square, log_exponential };

/// All that an imported model is.
struct imported_state final : row_model {
    imported_features features;
    imported_trees trees;
    std::size_t round = 1;         ///< trees that stand or fall together: 1, or one an output
    bool is_mean = false;          ///< the sum of the leaves is divided by the number of rounds
    double scale = 1;              ///< raw score = scale x sum of leaves + bias
    std::vector<double> bias = {}; ///< one an output
    answer_link link = answer_link::identity;
    double steepness = 1; ///< k of the sigmoid
    /// What classes are called, in the order of the outputs, two of one output; empty: it gives no classes.
    std::vector<std::string> class_names = {};
    std::vector<std::int32_t> numbers = {}; ///< the same as numbers, where all of them are

    std::size_t n_rounds() const noexcept { return trees.size() / round; }
    std::span<ranker_column const> columns() const noexcept override { return features.columns; }
    std::size_t n_outputs() const noexcept override { return bias.size(); }
    bool takes_one_baseline() const noexcept override { return true; }
    void answer(row_block const& rows, row_baselines baselines, predict_scratch& scratch, double* answers) const override {
        raw(rows, baselines, scratch, answers);
        for (std::size_t r = 0; r < rows.n; ++r) finish(answers + r * n_outputs());
    }
    void raw(row_block const& rows, row_baselines baselines, predict_scratch& scratch, double* raws) const override {
        sums(rows, 0, n_rounds(), scratch);
        raw_of_sums(scratch.outputs.data(), rows.n, 0, n_rounds(), baselines, raws);
    }
    std::span<std::int32_t const> labels() const override {
        check_classes();
        if (numbers.empty())
            throw_data("predict_classes: the classes of the model are no whole numbers, such as ", in_quotes(class_names[0]),
                       "; predict_class_names gives them as text");
        return numbers;
    }
    void check_classes() const {
        if (class_names.empty()) throw_data("predict_classes: the model was trained for numbers, not for classes");
    }
    /// The classes 0, 1, ... where the model does not name them; one for each output, two for one output.
    void number_classes() {
        for (std::size_t c = 0; c < std::max<std::size_t>(2, n_outputs()); ++c) class_names.push_back(concat(c));
    }
    /// Call it when all is there.
    void prepare() {
        for (auto const& name : class_names) {
            auto const number = parse_number<std::int32_t>(name);
            if (!number) return numbers.clear();
            numbers.push_back(*number);
        }
    }

    /// The sums of the leaves of rounds first .. last - 1: scratch.outputs[output * block_rows + row].
    void sums(row_block const& rows, std::size_t first, std::size_t last, predict_scratch& scratch) const {
        auto* const bins = scratch.bins_for(features.size());
        features.bins(rows, bins, scratch.cells);
        scratch.outputs.assign(n_outputs() * block_rows, 0);
        trees.add_to(scratch.outputs.data(), first * round, last * round, bins, rows.n);
    }
    /// raws[row * n_outputs + output] of the sums of rounds first .. last - 1. The bias belongs to the first round.
    void raw_of_sums(double const* of, std::size_t n, std::size_t first, std::size_t last, row_baselines baselines, double* raws) const {
        double const factor = is_mean && last > first ? scale / static_cast<double>(last - first) : scale;
        for (std::size_t r = 0; r < n; ++r)
            for (std::size_t o = 0; o < n_outputs(); ++o)
                raws[r * n_outputs() + o] = factor * of[o * block_rows + r] + (first == 0 ? bias[o] : 0) + baselines.at(r, o);
    }
    void finish(double* x) const noexcept {
        auto const each = [&](auto const& f) {
            for (std::size_t o = 0; o < n_outputs(); ++o) x[o] = f(x[o]);
        };
        switch (link) {
        case answer_link::identity: return;
        case answer_link::sigmoid: return each([&](double v) { return sigmoid(steepness * v); });
        case answer_link::exponential: return each([](double v) { return std::exp(v); });
        case answer_link::square: return each([](double v) { return v * std::abs(v); });
        case answer_link::log_exponential: return each([](double v) { return std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v))); });
        case answer_link::softmax: return softmax({x, n_outputs()});
        }
    }
};

}

/// Rounds first .. last - 1 of a model, from 0: those that there are not are left out.
struct tree_range {
    natural first = 0, last = std::numeric_limits<std::size_t>::max();
};

/// A model that CatBoost or LightGBM trained: `load_catboost_json`, `load_lightgbm_text`. A handle: a copy shares. Safe to use from many
/// threads. It scores rows as a booster_model does, in frames, single rows, spans, and as the second stage of `two_stage`.
///
/// It asks for the columns that its trees use, by the names that they had in training; other columns are ignored. Numbers are compared as float.
/// The sum of the leaves is taken in double, in the order of the trees; the baseline of the rows, if they have one, is added to it.
class imported_model {
public:
    explicit imported_model(std::shared_ptr<detail::imported_state const> state) : m_state(std::move(state)) {}

    /// What the library's own predict gives: probabilities for losses of classes, e^raw for Poisson, raw scores for most others. n_rows x
    /// n_outputs, a row after the other. @throws data_error  where a column is missing or of another type.
    [[nodiscard]] std::vector<float> predict(frame const& rows, run_options const& run = {}) const {
        return predict(rows, tree_range{}, run);
    }
    /// Of some of its trees: LightGBM's start_iteration and the end of num_iteration, CatBoost's ntree_start and ntree_end. What CatBoost adds to all
    /// trees belongs to the first.
    [[nodiscard]] std::vector<float> predict(frame const& rows, tree_range const& range, run_options const& run = {}) const {
        return evaluate<float>(rows, range, run, [&](double* of_row) { m_state->finish(of_row); });
    }
    /// The raw scores, n_rows x n_outputs.
    [[nodiscard]] std::vector<double> predict_raw(frame const& rows, run_options const& run = {}) const {
        return predict_raw(rows, tree_range{}, run);
    }
    [[nodiscard]] std::vector<double> predict_raw(frame const& rows, tree_range const& range, run_options const& run = {}) const {
        return evaluate<double>(rows, range, run, [](double*) {});
    }
    /// The class of each row, as the library's own: the highest raw score, the first of equal ones; of one raw score the second class where it is above
    /// 0. @throws data_error  for models of other losses, and where classes are no whole numbers: predict_class_names has them.
    [[nodiscard]] std::vector<std::int32_t> predict_classes(frame const& rows, run_options const& run = {}) const {
        return detail::class_answers(*m_state, rows, run);
    }
    /// The same as text. @throws data_error  for models of other losses.
    [[nodiscard]] std::vector<std::string> predict_class_names(frame const& rows, run_options const& run = {}) const {
        m_state->check_classes();
        std::vector<std::string> out;
        for (auto const place : detail::class_places(*m_state, rows, run)) out.push_back(m_state->class_names[place]);
        return out;
    }
    /// What the classes are called, in the order of predictions, two for one raw score; none where there are no classes. LightGBM's are 0, 1, ...
    std::vector<std::string> const& class_names() const& noexcept { return m_state->class_names; }
    std::vector<std::string> class_names() const&& { return m_state->class_names; }
    /// The predictions of growing numbers of trees: sink(number of trees, predictions) after each `every` trees and after the last; the same as
    /// `predict` of so many from the first. The sink returns nothing, or bool, where false stops. The span is valid during the call.
    template <class Sink> void staged(frame const& rows, natural every, Sink&& sink, run_options const& run = {}) const {
        std::vector<double> sums(detail::block_rows * n_outputs() * ((rows.n_rows() + detail::block_rows - 1) / detail::block_rows), 0);
        detail::in_stages("", *m_state, rows, n_trees(), every, sink, run,
                          [&](detail::row_block const& block, detail::row_baselines baselines, detail::predict_scratch& mine,
                              std::size_t row, std::size_t first, std::size_t last) {
                              auto* const so_far = sums.data() + row * n_outputs();
                              m_state->sums(block, first, last, mine);
                              for (std::size_t i = 0; i < mine.outputs.size(); ++i) so_far[i] += mine.outputs[i];
                              m_state->raw_of_sums(so_far, block.n, 0, last, baselines, mine.answers.data());
                              for (std::size_t i = 0; i < block.n; ++i) m_state->finish(mine.answers.data() + i * n_outputs());
                          });
    }
    /// @throws data_error  where a column that the model needs is missing or of another type.
    void check(frame const& rows) const { detail::frame_reader(m_state->columns(), rows); }

    /// The model for single rows and spans of the user's own type; names and types are checked here, once.
    /// @throws data_error  where the schema lacks a column that the model needs, or has it of another type.
    template <class Row> recsys::predictor<Row> predictor(row_schema<Row> const& schema) const {
        return recsys::predictor<Row>(m_state, schema);
    }
    /// How many trees; of several outputs of which each has its own (LightGBM): how many each has.
    std::size_t n_trees() const noexcept { return m_state->n_rounds(); }
    /// How many numbers a row gets: 1, or the number of classes.
    std::size_t n_outputs() const noexcept { return m_state->n_outputs(); }
    /// The names of the columns that its trees use.
    std::vector<std::string> columns() const {
        std::vector<std::string> out;
        for (auto const& c : m_state->columns()) out.push_back(c.name);
        return out;
    }
    /// For what works on models inside the library.
    detail::imported_state const& state() const& noexcept { return *m_state; }

private:
    template <class Number, class Finish>
    std::vector<Number> evaluate(frame const& rows, tree_range const& range, run_options const& run, Finish const& finish) const {
        std::size_t const last = std::min<std::size_t>(range.last, n_trees()), first = std::min<std::size_t>(range.first, last);
        return detail::all_answers<Number>(
            *m_state, rows, run,
            [&](detail::row_block const& block, detail::row_baselines baselines, detail::predict_scratch& mine, double* answers) {
                m_state->sums(block, first, last, mine);
                m_state->raw_of_sums(mine.outputs.data(), block.n, first, last, baselines, answers);
                for (std::size_t r = 0; r < block.n; ++r) finish(answers + r * n_outputs());
            });
    }
    std::shared_ptr<detail::imported_state const> m_state;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
