// SPDX-License-Identifier: MIT
// A booster on rows of the user's own type: one struct, or a span of them.
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
#include <recsys/ranker/booster_model.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// Looks categories up in a ranker's dictionary.
class code_sink final : public key_sink {
public:
    code_sink(category_dictionary const& known, bool lists, block_codes& to) : m_known(known), m_lists(lists), m_to(to) {
        m_to.codes.clear(), m_to.ends.clear();
    }
    void key(std::string_view text) override { m_to.codes.push_back(m_known.find(text).value_or(unknown_category)); }
    void missing() override { m_to.codes.push_back(missing_category); }
    void end_row() override {
        if (m_lists) m_to.end_row();
    }

private:
    category_dictionary const& m_known;
    bool m_lists;
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
    predictor(std::shared_ptr<detail::booster_state const> model, row_schema<Row> const& schema) : m_model(std::move(model)) {
        auto const& readers = schema.readers();
        m_baseline = readers.baseline;
        for (auto const& wanted : m_model->space.columns) {
            auto const at =
                std::find_if(readers.columns.begin(), readers.columns.end(), [&](auto const& c) { return c.name == wanted.name; });
            if (at == readers.columns.end())
                detail::throw_data("booster: the schema has no column ", detail::in_quotes(wanted.name),
                                   ", which the model was trained on");
            detail::check_same_kind(wanted, at->kind, at->keys);
            m_columns.push_back(*at);
        }
    }

    /// The prediction for one row: a probability for log loss.
    double operator()(Row const& row) const {
        double out = 0;
        score(std::span<Row const>(&row, 1), [&](std::size_t, double value) { out = value; });
        return out;
    }
    /// One prediction a row. @throws data_error  where the spans differ in length.
    void operator()(std::span<Row const> rows, std::span<float> out) const {
        if (rows.size() != out.size()) detail::throw_data("predictor: ", rows.size(), " rows and room for ", out.size(), " predictions");
        for (std::size_t first = 0; first < rows.size(); first += detail::block_rows) {
            auto const block = rows.subspan(first, std::min(detail::block_rows, rows.size() - first));
            score(block, [&](std::size_t i, double value) { out[first + i] = static_cast<float>(value); });
        }
    }

private:
    template <class Function> void score(std::span<Row const> rows, Function const& f) const {
        // A projection may itself predict: the scratch is out of its reach meanwhile.
        auto scratch = std::move(detail::thread_scratch());
        auto& mine = scratch.predict;
        auto& block = mine.rows.block;
        block.n = rows.size();
        block.columns.assign(m_columns.size(), {});
        if (scratch.numbers.size() < m_columns.size()) scratch.numbers.resize(m_columns.size());
        if (mine.rows.codes.size() < m_columns.size()) mine.rows.codes.resize(m_columns.size());
        for (std::size_t c = 0; c < m_columns.size(); ++c) read(c, rows, scratch);
        auto* const bins = mine.bins_for(m_model->space);
        m_model->space.bins(block, bins, mine.cells);
        std::fill_n(mine.sums, rows.size(), std::int64_t{0});
        detail::add_trees(m_model->trees, 0, m_model->trees.size(), bins, detail::block_rows, rows.size(), mine.sums);
        scratch.baselines.assign(rows.size(), 0.f);
        if (m_baseline) m_baseline(rows, scratch.baselines.data());
        for (std::size_t i = 0; i < rows.size(); ++i) f(i, m_model->answer(mine.sums[i], scratch.baselines[i]));
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
        detail::code_sink sink(*m_model->space.columns[c].categories, from.kind == column_kind::categories, codes);
        from.read_keys(rows, sink);
        out.codes = codes.codes.data(), out.ends = codes.ends.data();
    }

    std::shared_ptr<detail::booster_state const> m_model;
    std::vector<detail::schema_column<Row>> m_columns;
    detail::number_reader<Row> m_baseline;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
