// SPDX-License-Identifier: MIT
// Which columns matter to a loss or metric on given rows: how much worse it gets where a column's values are shuffled.
#ifndef RECSYS_RANKER_PERMUTATION_IMPORTANCE_HPP
#define RECSYS_RANKER_PERMUTATION_IMPORTANCE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/take_rows.hpp>
#include <recsys/ranker/loss.hpp>
#include <recsys/ranker/loss_change.hpp>
#include <recsys/ranker/valid_metric.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

struct permutation_importance_options {
    recsys::loss loss = log_loss{};
    valid_metric metric = {};           ///< by which scores are better, such as valid_ndcg{.k = 10} or valid_auc{}; none: by the loss
    std::vector<std::string> only = {}; ///< these columns; none: all of the model
    natural repeats = 5;                ///< shuffles a column, 1 to 1000
    std::uint64_t seed = 0;
    run_options run = {};
};

/// What shuffling a column does.
struct permutation_importance_of {
    std::string column;
    double mean = 0;           ///< how much the loss rises, or the metric worsens, over the repeats
    double standard_error = 0; ///< of the mean; 0 for one repeat
};

namespace detail {

inline bool same_value(frame_column const& c, std::size_t a, std::size_t b) noexcept {
    if (c.kind == column_kind::number) return bit_cast<std::uint32_t>(c.numbers[a]) == bit_cast<std::uint32_t>(c.numbers[b]);
    auto const x = c.row_codes(a), y = c.row_codes(b);
    return std::equal(x.begin(), x.end(), y.begin(), y.end());
}
/// Whether a column says something of groups: it is the same for all rows of each.
inline bool is_of_groups(frame_column const& c, std::span<std::uint64_t const> group_ends) noexcept {
    std::size_t first = 0;
    for (auto const end : group_ends) {
        for (std::size_t row = first + 1; row < end; ++row)
            if (!same_value(c, first, row)) return false;
        first = static_cast<std::size_t>(end);
    }
    return !group_ends.empty();
}
/// From which row each row takes its value: rows are shuffled among all rows, or whole groups among groups.
inline std::vector<std::size_t> shuffled_rows(std::size_t n_rows, std::span<std::uint64_t const> group_ends, bool by_group,
                                              random_stream random) {
    std::vector<std::size_t> from(by_group ? group_ends.size() : n_rows);
    std::iota(from.begin(), from.end(), std::size_t{0});
    random.shuffle(from);
    if (!by_group) return from;
    std::vector<std::size_t> out;
    out.reserve(n_rows);
    for (std::size_t g = 0; g < from.size(); ++g)
        out.resize(static_cast<std::size_t>(group_ends[g]), from[g] == 0 ? 0 : static_cast<std::size_t>(group_ends[from[g] - 1]));
    return out;
}
/// The frame with another column in place of that of its name.
inline frame with_column(frame const& rows, frame_column column) {
    std::vector<frame_column> columns(rows.columns().begin(), rows.columns().end());
    for (auto& c : columns)
        if (c.name == column.name) c = std::move(column);
    return frame(rows.n_rows(), std::move(columns), rows.rows());
}
/// The columns to go through. @throws option_error  for one that the model does not have.
inline std::vector<std::string> chosen_columns(char const* who, std::vector<std::string> const& of_model,
                                               std::vector<std::string> const& only) {
    for (auto const& name : only)
        if (std::find(of_model.begin(), of_model.end(), name) == of_model.end())
            throw_option(who, ": the model has no column ", in_quotes(name));
    return only.empty() ? of_model : only;
}

}

/// How much the loss of rows rises, or their metric worsens, where the values of a column are shuffled: what the model owes to it, on these rows.
/// The most first, equal ones in the order of the columns. Rows other than those of training say what helps new ones. Columns that say the same
/// in part, as of one thing, look less important each.
///
/// A row gets the value of any row, so that groups keep their rows and targets; a column that is the same for all rows of each group is shuffled
/// among groups. A column that no tree asks has exactly 0. Any model with `predict_raw(frame, run_options)` of one number a row and `columns()`.
/// Cost: repeats x columns predictions of all rows. The same bits for any number of threads.
/// @throws option_error  for repeats outside 1 .. 1000 and columns that the model does not have; data_error  without rows or targets, for
///         targets that the loss does not allow, where a column is missing or of another type; cancelled  when progress says so.
/// Source: Breiman (2001), "Random forests", section 10; Fisher, Rudin, Dominici (2019).
template <class Model> [[nodiscard]] std::vector<permutation_importance_of>
permutation_importance(Model const& model, frame const& rows, permutation_importance_options const& options = {}) {
    constexpr bool gives_scores = requires {
        { model.predict_raw(rows, options.run) } -> std::convertible_to<std::vector<double>>;
        { model.columns() } -> std::convertible_to<std::vector<std::string>>;
    };
    static_assert(gives_scores, "permutation_importance: a model is needed with predict_raw(frame, run_options) and columns()");
    std::vector<permutation_importance_of> out;
    if constexpr (gives_scores) {
        if (options.repeats == 0 || options.repeats > 1000)
            detail::throw_option("permutation_importance: repeats must be in [1, 1000], got ", static_cast<std::size_t>(options.repeats));
        auto const names = detail::chosen_columns("permutation_importance", model.columns(), options.only);
        detail::score_judge const judge("permutation_importance", rows, options.loss, options.metric);
        auto const worth = [&](frame const& of) {
            std::vector<double> const raw = model.predict_raw(of, run_options{options.run.threads, {}});
            if (raw.size() != of.n_rows())
                detail::throw_data("permutation_importance: the model gives ", raw.size(), " numbers for ", of.n_rows(), " rows");
            return judge(std::vector<float>(raw.begin(), raw.end()));
        };
        detail::progress_reporter progress(options.run.progress, "permutation importance", names.size() * options.repeats);
        double const before = worth(rows);
        for (std::size_t c = 0; c < names.size(); ++c) {
            auto const& column = rows.column(names[c]);
            bool const by_group = detail::is_of_groups(column, rows.group_ends());
            std::vector<double> changes;
            for (std::size_t i = 0; i < options.repeats; ++i) {
                auto const from = detail::shuffled_rows(rows.n_rows(), rows.group_ends(), by_group, random_stream(options.seed, i));
                changes.push_back(worth(detail::with_column(rows, detail::take_column(column, from))) - before);
                progress.report_or_throw(c * options.repeats + i + 1);
            }
            double const n = static_cast<double>(changes.size()), mean = std::accumulate(changes.begin(), changes.end(), 0.0) / n;
            double squares = 0;
            for (double const change : changes) squares += (change - mean) * (change - mean);
            out.push_back({names[c], mean, n > 1 ? std::sqrt(squares / (n - 1) / n) : 0});
        }
        std::stable_sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.mean > b.mean; });
    }
    return out;
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
