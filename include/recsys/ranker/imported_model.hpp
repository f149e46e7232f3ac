// SPDX-License-Identifier: MIT
// A model that was trained elsewhere, for prediction: the doors of a booster model, the numbers of its own library.
#ifndef RECSYS_RANKER_IMPORTED_MODEL_HPP
#define RECSYS_RANKER_IMPORTED_MODEL_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/math.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/team.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/row_schema.hpp>
#include <recsys/ranker/imported_features.hpp>
#include <recsys/ranker/imported_trees.hpp>
#include <recsys/ranker/predictor.hpp>
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
    std::size_t n_trees = 0;
    double scale = 1;              ///< raw score = scale x sum of leaves + bias
    std::vector<double> bias = {}; ///< one an output
    answer_link link = answer_link::identity;
    double steepness = 1; ///< k of the sigmoid

    std::span<ranker_column const> columns() const noexcept override { return features.columns; }
    std::size_t n_outputs() const noexcept override { return bias.size(); }
    void answer(row_block const& rows, float const* baselines, predict_scratch& scratch, double* answers) const override {
        raw(rows, baselines, scratch, answers);
        for (std::size_t r = 0; r < rows.n; ++r) finish(answers + r * n_outputs());
    }
    /// raws[row * n_outputs + output].
    void raw(row_block const& rows, float const* baselines, predict_scratch& scratch, double* raws) const {
        auto* const bins = scratch.bins_for(features.size());
        features.bins(rows, bins, scratch.cells);
        scratch.outputs.assign(n_outputs() * block_rows, 0);
        trees.add_to(scratch.outputs.data(), bins, rows.n);
        for (std::size_t r = 0; r < rows.n; ++r)
            for (std::size_t o = 0; o < n_outputs(); ++o)
                raws[r * n_outputs() + o] =
                    scale * scratch.outputs[o * block_rows + r] + bias[o] + (baselines ? static_cast<double>(baselines[r]) : 0.0);
    }

private:
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
        case answer_link::softmax: break;
        }
        double const most = *std::max_element(x, x + n_outputs());
        double sum = 0;
        each([&](double v) { return std::exp(v - most); });
        for (std::size_t o = 0; o < n_outputs(); ++o) sum += x[o];
        each([&](double v) { return v / sum; });
    }
};

}

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
        return evaluate<float>(rows, run, [&](auto&&... to) { m_state->answer(to...); });
    }
    /// The raw scores, n_rows x n_outputs.
    [[nodiscard]] std::vector<double> predict_raw(frame const& rows, run_options const& run = {}) const {
        return evaluate<double>(rows, run, [&](auto&&... to) { m_state->raw(to...); });
    }
    /// @throws data_error  where a column that the model needs is missing or of another type.
    void check(frame const& rows) const { detail::frame_reader(m_state->columns(), rows); }

    /// The model for single rows and spans of the user's own type; names and types are checked here, once.
    /// @throws data_error  where the schema lacks a column that the model needs, or has it of another type.
    template <class Row> recsys::predictor<Row> predictor(row_schema<Row> const& schema) const {
        return recsys::predictor<Row>(m_state, schema);
    }
    std::size_t n_trees() const noexcept { return m_state->n_trees; }
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
    template <class Number, class Answer>
    std::vector<Number> evaluate(frame const& rows, run_options const& run, Answer const& answer) const {
        detail::frame_reader const reader(m_state->columns(), rows);
        std::vector<Number> out(detail::checked_product(rows.n_rows(), n_outputs(), "import: predictions"));
        detail::team workers(run.threads);
        std::vector<detail::predict_scratch> scratch(workers.size());
        workers.blocks(rows.n_rows(), detail::block_rows * 32, [&](std::size_t from, std::size_t to, std::size_t worker) {
            auto& mine = scratch[worker];
            mine.answers.resize(detail::block_rows * n_outputs());
            for (std::size_t row = from; row < to; row += detail::block_rows) {
                std::size_t const n = std::min(detail::block_rows, to - row);
                auto const* const baselines = rows.baselines().empty() ? nullptr : rows.baselines().data() + row;
                answer(reader.read(row, n, mine.rows), baselines, mine, mine.answers.data());
                for (std::size_t i = 0; i < n * n_outputs(); ++i) out[row * n_outputs() + i] = static_cast<Number>(mine.answers[i]);
            }
        });
        return out;
    }
    std::shared_ptr<detail::imported_state const> m_state;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
