// SPDX-License-Identifier: MIT
// The rows of a frame through a fitted model: predictions, raw scores, classes, stages.
#ifndef RECSYS_RANKER_ROW_ANSWERS_HPP
#define RECSYS_RANKER_ROW_ANSWERS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/multi_class.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/row_model.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// All rows of a frame through a model, a block after the other: call(rows, baselines, scratch) fills scratch.answers; f(first number, answer).
template <class Call, class Function>
void for_answers(row_model const& model, frame const& rows, run_options const& run, Call const& call, Function const& f) {
    frame_reader const reader(model.columns(), rows);
    std::size_t const n_outputs = model.n_outputs();
    auto const baselines = baselines_of(rows, n_outputs, model.takes_one_baseline());
    team workers(run.threads);
    std::vector<predict_scratch> scratch(workers.size());
    workers.blocks(rows.n_rows(), block_rows * 32, [&](std::size_t from, std::size_t to, std::size_t worker) {
        auto& mine = scratch[worker];
        mine.answers.resize(block_rows * n_outputs);
        for (std::size_t row = from; row < to; row += block_rows) {
            std::size_t const n = std::min(block_rows, to - row);
            call(reader.read(row, n, mine.rows), baselines.from(row), mine, row);
            for (std::size_t i = 0; i < n * n_outputs; ++i) f(row * n_outputs + i, mine.answers[i]);
        }
    });
}
/// predict() and predict_raw(): n_rows x n_outputs.
template <class Number, class Answer>
std::vector<Number> all_answers(row_model const& model, frame const& rows, run_options const& run, Answer const& answer) {
    std::vector<Number> out(checked_product(rows.n_rows(), model.n_outputs(), "predict: predictions"));
    for_answers(
        model, rows, run,
        [&](row_block const& block, row_baselines baselines, predict_scratch& mine, std::size_t) {
            answer(block, baselines, mine, mine.answers.data());
        },
        [&](std::size_t i, double value) { out[i] = static_cast<Number>(value); });
    return out;
}
/// predict_classes(): the place of each row's class.
inline std::vector<std::size_t> class_places(row_model const& model, frame const& rows, run_options const& run) {
    auto const raws = all_answers<double>(model, rows, run, [&](auto&&... to) { model.raw(to...); });
    std::vector<std::size_t> out(rows.n_rows());
    for (std::size_t row = 0; row < out.size(); ++row) out[row] = class_place(&raws[row * model.n_outputs()], model.n_outputs());
    return out;
}
inline std::vector<std::int32_t> class_answers(row_model const& model, frame const& rows, run_options const& run) {
    auto const labels = model.labels();
    std::vector<std::int32_t> out(rows.n_rows());
    auto const places = class_places(model, rows, run);
    std::transform(places.begin(), places.end(), out.begin(), [&](std::size_t place) { return labels[place]; });
    return out;
}
/// staged(): add(rows, baselines, scratch, first row, first tree, last) adds trees to a block and fills scratch.answers.
template <class Sink, class Add> void in_stages(std::string_view who, row_model const& model, frame const& rows, std::size_t n_trees,
                                                std::size_t every, Sink& sink, run_options const& run, Add const& add) {
    constexpr bool is_sink = std::invocable<Sink&, std::size_t, std::span<float const>>;
    static_assert(is_sink, "staged: the sink is called as sink(number of trees, std::span<float const> predictions)");
    if constexpr (is_sink) {
        if (every == 0) throw_option(who, "staged predictions need a step of at least 1 tree, got 0");
        std::vector<float> out(rows.n_rows() * model.n_outputs());
        for (std::size_t first = 0; first < n_trees;) {
            std::size_t const last = std::min(n_trees, first + every);
            for_answers(
                model, rows, run,
                [&](row_block const& block, row_baselines baselines, predict_scratch& mine, std::size_t row) {
                    add(block, baselines, mine, row, first, last);
                },
                [&](std::size_t i, double value) { out[i] = static_cast<float>(value); });
            first = last;
            if (!goes_on(sink, last, std::span<float const>(out))) return;
        }
    }
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
