// SPDX-License-Identifier: MIT
// A ranker on rows of the user's own type: one struct, or a span of them.
#ifndef RECSYS_RANKER_PREDICTOR_HPP
#define RECSYS_RANKER_PREDICTOR_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/data/row_schema.hpp>
#include <recsys/ranker/multi_class.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/row_model.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// Gives categories the codes of a ranker's column.
class code_sink final : public key_sink {
public:
    code_sink(ranker_column const& column, block_codes& to) : m_column(column), m_to(to) { m_to.codes.clear(), m_to.ends.clear(); }
    void key(std::string_view text) override { m_to.codes.push_back(m_column.code(text)); }
    void integer(std::int64_t value) override {
        if (m_column.code_of) key_sink::integer(value);
        else m_to.codes.push_back(m_column.categories->find_integer(value).value_or(unknown_category));
    }
    void missing() override { m_to.codes.push_back(m_column.missing); }
    void end_row() override {
        if (m_column.kind == column_kind::categories) m_to.end_row();
    }

private:
    ranker_column const& m_column;
    block_codes& m_to;
};

/// A thread's memory for predictors; it grows to the largest model and stays.
struct predictor_scratch {
    predict_scratch predict;
    std::vector<std::vector<float>> numbers;
    std::vector<float> baselines;
};
inline predictor_scratch& thread_scratch() {
    thread_local predictor_scratch scratch;
    return scratch;
}

}

/// Scores rows of the user's type: `model.predictor(schema)`. A handle: it shares the model and keeps the schema. Safe to call from many
/// threads; allocates nothing once a thread has called it (beyond what the projections do).
template <class Row> class predictor {
public:
    predictor(std::shared_ptr<detail::row_model const> model, row_schema<Row> const& schema) : m_model(std::move(model)) {
        auto const& readers = schema.readers();
        m_baseline = readers.baseline;
        for (auto const& wanted : m_model->columns()) {
            auto const at =
                std::find_if(readers.columns.begin(), readers.columns.end(), [&](auto const& c) { return c.name == wanted.name; });
            if (at == readers.columns.end())
                detail::throw_data("booster: the schema has no column ", detail::in_quotes(wanted.name),
                                   ", which the model was trained on");
            detail::check_same_kind(wanted, at->kind, at->keys);
            m_columns.push_back(*at);
        }
    }

    /// The prediction for one row: a probability for log loss. @throws data_error  where the model has several outputs.
    double operator()(Row const& row) const {
        if (m_model->n_outputs() != 1)
            detail::throw_data("predictor: the model gives ", m_model->n_outputs(), " numbers a row; give it spans");
        double out = 0;
        score(std::span<Row const>(&row, 1), [&](std::size_t, double value) { out = value; });
        return out;
    }
    /// The class of a row, as predict_classes gives it. @throws data_error  where the model has no classes.
    std::int32_t predict_class(Row const& row) const {
        auto const labels = m_model->labels();
        std::size_t place = 0;
        evaluate(
            std::span<Row const>(&row, 1), [&](auto&&... to) { m_model->raw(to...); },
            [&](std::span<double const> raws) { place = detail::class_place(raws.data(), raws.size()); });
        return labels[place];
    }
    /// One prediction a row, or as many as the model has outputs, a row after the other. @throws data_error  where there is other room for them.
    void operator()(std::span<Row const> rows, std::span<float> out) const {
        auto const n = m_model->n_outputs();
        if (rows.size() * n != out.size())
            detail::throw_data("predictor: ", rows.size(), " rows and room for ", out.size(), " predictions, ", n, " a row");
        for (std::size_t first = 0; first < rows.size(); first += detail::block_rows) {
            auto const block = rows.subspan(first, std::min(detail::block_rows, rows.size() - first));
            score(block, [&](std::size_t i, double value) { out[first * n + i] = static_cast<float>(value); });
        }
    }

private:
    template <class Function> void score(std::span<Row const> rows, Function const& f) const {
        evaluate(
            rows, [&](auto&&... to) { m_model->answer(to...); },
            [&](std::span<double const> answers) {
                for (std::size_t i = 0; i < answers.size(); ++i) f(i, answers[i]);
            });
    }
    template <class Answer, class Function> void evaluate(std::span<Row const> rows, Answer const& answer, Function const& f) const {
        // A projection may itself predict: the scratch is out of its reach meanwhile.
        auto scratch = std::move(detail::thread_scratch());
        auto& mine = scratch.predict;
        auto& block = mine.rows.block;
        block.n = rows.size();
        block.columns.assign(m_columns.size(), {});
        if (scratch.numbers.size() < m_columns.size()) scratch.numbers.resize(m_columns.size());
        if (mine.rows.codes.size() < m_columns.size()) mine.rows.codes.resize(m_columns.size());
        for (std::size_t c = 0; c < m_columns.size(); ++c) read(c, rows, scratch);
        std::size_t const n = m_model->n_outputs();
        detail::row_baselines baselines;
        if (m_baseline) {
            scratch.baselines.clear(), m_baseline(rows, scratch.baselines);
            baselines = {scratch.baselines.data(), scratch.baselines.size() / rows.size()};
            if (baselines.n != n && !(baselines.n == 1 && m_model->takes_one_baseline()))
                detail::throw_data("predictor: the rows have ", baselines.n, " baselines each, the model has ", n, " raw scores a row");
        }
        mine.answers.resize(detail::block_rows * n);
        answer(block, baselines, mine, mine.answers.data());
        f(std::span<double const>(mine.answers).first(rows.size() * n));
        detail::thread_scratch() = std::move(scratch);
    }
    void read(std::size_t c, std::span<Row const> rows, detail::predictor_scratch& scratch) const {
        auto& out = scratch.predict.rows.block.columns[c];
        auto const& from = m_columns[c];
        if (from.kind == column_kind::number) {
            scratch.numbers[c].resize(detail::block_rows);
            from.read_numbers(rows, scratch.numbers[c].data());
            out.numbers = scratch.numbers[c].data();
            return;
        }
        auto& codes = scratch.predict.rows.codes[c];
        detail::code_sink sink(m_model->columns()[c], codes);
        from.read_keys(rows, sink);
        out.codes = codes.codes.data(), out.ends = codes.ends.data();
    }

    std::shared_ptr<detail::row_model const> m_model;
    std::vector<detail::schema_column<Row>> m_columns;
    detail::baseline_reader<Row> m_baseline;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
