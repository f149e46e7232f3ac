// SPDX-License-Identifier: MIT
// How predictions follow a column, or two: their mean over rows where all rows are given one value of it.
#ifndef RECSYS_RANKER_PARTIAL_DEPENDENCE_HPP
#define RECSYS_RANKER_PARTIAL_DEPENDENCE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/row_scorer.hpp>
#include <recsys/ranker/permutation_importance.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

struct partial_dependence_options {
    natural points = 20; ///< of each column, at most, 1 to 10000
    bool raw = false;    ///< means of raw scores, not of predictions
    run_options run = {};
};

/// The values that a column was given: numbers rising, or categories, the most frequent first. A missing value is NaN or nothing.
struct dependence_axis {
    std::string column;
    std::vector<float> numbers;                         ///< of a number column
    std::vector<std::optional<std::string>> categories; ///< of other columns

    std::size_t size() const noexcept { return numbers.size() + categories.size(); }
    /// A value for printing.
    std::string text(std::size_t i) const {
        if (!categories.empty()) return categories[i].value_or("missing");
        return std::isnan(numbers[i]) ? "missing" : detail::concat(numbers[i]);
    }
};

struct dependence {
    std::vector<dependence_axis> axes; ///< one, or two
    std::vector<double> mean;          ///< of each value; of two columns values of the first x values of the second

    double at(std::size_t i, std::size_t j = 0) const { return mean.at(i * (axes.size() > 1 ? axes[1].size() : 1) + j); }
};

namespace detail {

/// The values of a column that rows are given, as columns of one value.
class dependence_grid {
public:
    dependence_axis axis;

    dependence_grid(frame const& rows, std::string_view column, std::size_t points) : m_from(rows.column(column)), m_n_rows(rows.n_rows()) {
        axis.column = m_from.name;
        if (m_from.kind == column_kind::number) take_numbers(points);
        else take_categories(points);
    }
    frame_column column(std::size_t i) const {
        frame_column out{m_from.name, m_from.kind, {}, {}, {}, m_from.dictionary};
        if (m_from.kind == column_kind::number) out.numbers = buffer<float>(m_n_rows, axis.numbers[i]);
        else if (m_from.kind == column_kind::category || m_codes[i] != missing_category)
            out.codes = buffer<std::int32_t>(m_n_rows, m_codes[i]);
        if (m_from.kind == column_kind::categories) {
            buffer<std::uint64_t> ends(m_n_rows, 0);
            if (!out.codes.empty()) std::iota(ends.begin(), ends.end(), std::uint64_t{1});
            out.ends = std::move(ends);
        }
        return out;
    }

private:
    void take_numbers(std::size_t points) {
        auto const of = m_from.numbers.span();
        std::vector<float> present, distinct;
        std::copy_if(of.begin(), of.end(), std::back_inserter(present), [](float x) { return !std::isnan(x); });
        std::sort(present.begin(), present.end());
        std::unique_copy(present.begin(), present.end(), std::back_inserter(distinct));
        if (distinct.size() <= points) axis.numbers = std::move(distinct);
        else {
            for (std::size_t i = 0; i < points; ++i)
                axis.numbers.push_back(present[(2 * i + 1) * present.size() / (2 * points)]); // the middle of each of `points` parts
            axis.numbers.erase(std::unique(axis.numbers.begin(), axis.numbers.end()), axis.numbers.end());
        }
        if (present.size() < of.size()) axis.numbers.push_back(std::numeric_limits<float>::quiet_NaN());
    }
    void take_categories(std::size_t points) {
        std::vector<std::pair<std::uint64_t, std::int32_t>> counts(m_from.dictionary->size() + 1); // rows, code; first those without one
        for (std::size_t c = 0; c < counts.size(); ++c) counts[c].second = static_cast<std::int32_t>(c) - 1;
        for (std::size_t row = 0; row < m_n_rows; ++row) {
            auto const codes = m_from.row_codes(row);
            if (codes.empty()) ++counts[0].first;
            for (auto const code : codes) ++counts[static_cast<std::size_t>(code + 1)].first;
        }
        std::stable_sort(counts.begin(), counts.end(), [](auto const& a, auto const& b) { return a.first > b.first; });
        for (auto const& [n, code] : counts) {
            if (n == 0 || m_codes.size() == points) break;
            m_codes.push_back(code);
            axis.categories.push_back(code == missing_category ? std::nullopt : std::optional(m_from.dictionary->text(code)));
        }
    }

    frame_column m_from;
    std::size_t m_n_rows;
    std::vector<std::int32_t> m_codes; ///< of axis.categories
};

template <class Model> std::vector<double> scores_of(Model const& model, frame const& rows, bool raw, run_options const& run) {
    auto const doubles = [](auto const& from) { return std::vector<double>(from.begin(), from.end()); };
    if constexpr (requires { model.predict_raw(rows, run); })
        if (raw) return doubles(model.predict_raw(rows, run));
    if (raw) throw_option("partial_dependence: raw = true, but the model has no predict_raw");
    if constexpr (requires { model.predict(rows, run); }) return doubles(model.predict(rows, run));
    else return doubles(model.predict(rows));
}

/// The mean over the rows by their weights. @throws data_error  where there are not as many scores as rows.
inline double weighted_mean(std::vector<double> const& scores, frame const& rows) {
    if (scores.size() != rows.n_rows())
        throw_data("partial_dependence: the model gives ", scores.size(), " numbers for ", rows.n_rows(), " rows");
    double sum = 0, weight = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        double const w = rows.weights().empty() ? 1.0 : static_cast<double>(rows.weights()[i]);
        sum += w * scores[i], weight += w;
    }
    return sum / weight;
}

template <class Model> dependence depend(Model const& model, frame const& rows, std::vector<std::string> const& columns,
                                         partial_dependence_options const& options) {
    constexpr bool scores_rows = row_scorer<Model>;
    static_assert(scores_rows, "partial_dependence: a model is needed whose predict(frame) gives one number a row");
    dependence out;
    if constexpr (scores_rows) {
        if (options.points == 0 || options.points > 10000)
            throw_option("partial_dependence: points must be in [1, 10000], got ", static_cast<std::size_t>(options.points));
        if (rows.n_rows() == 0) throw_data("partial_dependence: the frame has no rows");
        if (columns.size() == 2 && columns[0] == columns[1])
            throw_option("partial_dependence: two columns are needed, got ", in_quotes(columns[0]), " twice");
        if constexpr (requires { model.columns(); }) static_cast<void>(chosen_columns("partial_dependence", model.columns(), columns));
        std::vector<dependence_grid> grids;
        for (auto const& name : columns) out.axes.push_back(grids.emplace_back(rows, name, options.points).axis);
        std::size_t const n_second = grids.size() > 1 ? grids[1].axis.size() : 1;
        progress_reporter progress(options.run.progress, "partial dependence", grids[0].axis.size() * n_second);
        for (std::size_t i = 0; i < grids[0].axis.size(); ++i) {
            auto const first = with_column(rows, grids[0].column(i));
            for (std::size_t j = 0; j < n_second; ++j) {
                auto const given = grids.size() > 1 ? with_column(first, grids[1].column(j)) : first;
                out.mean.push_back(weighted_mean(scores_of(model, given, options.raw, {options.run.threads, {}}), rows));
                progress.report_or_throw(out.mean.size());
            }
        }
    }
    return out;
}

}

/// The mean prediction over the rows, by their weights, where all of them are given one value of a column, for each of several values: the middles
/// of `points` parts with equally many rows of a number, or all its values where they are no more, and missing where rows miss it; the most
/// frequent categories. A row of several categories is given one. Rows are given values that may never come together: a column that hangs
/// on others shows what the model would say, not what will happen. Any row_scorer; the grid comes from the rows, its values may be new to the model.
/// Cost: a prediction of all rows for each value. The same bits for any number of threads.
/// @throws option_error  for points outside 1 .. 10000, a column that the model does not have; data_error  without rows, where a column is
///         missing or of another type; cancelled  when progress says so.
/// Source: Friedman (2001), "Greedy function approximation: a gradient boosting machine", section 8.2.
template <class Model> [[nodiscard]] dependence partial_dependence(Model const& model, frame const& rows, std::string_view column,
                                                                   partial_dependence_options const& options = {}) {
    return detail::depend(model, rows, {std::string(column)}, options);
}
/// The same for each value of one column with each of another.
template <class Model> [[nodiscard]] dependence partial_dependence(Model const& model, frame const& rows, std::string_view first,
                                                                   std::string_view second,
                                                                   partial_dependence_options const& options = {}) {
    return detail::depend(model, rows, {std::string(first), std::string(second)}, options);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
