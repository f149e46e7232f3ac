// SPDX-License-Identifier: MIT
// What a step of `features` adds: one column that knows how to fill itself for a block of candidates, a few users at a time.
#ifndef RECSYS_FEATURES_STEP_HPP
#define RECSYS_FEATURES_STEP_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// The candidates of a block, grouped by user, and what the pool says of each. Every user has at least one.
struct candidate_rows {
    std::vector<user_index> users;
    std::vector<std::uint64_t> ends; ///< where each user's rows end
    std::vector<item_index> items;
    std::vector<std::vector<float>> pool_numbers; ///< for each pool column a number a row

    std::size_t size() const noexcept { return items.size(); }
    std::size_t first(std::size_t group) const noexcept { return group == 0 ? 0 : static_cast<std::size_t>(ends[group - 1]); }
};

/// One user's candidates: item j is row first + j of the block.
struct user_candidates {
    user_index user{};
    std::size_t first = 0;
    std::span<item_index const> items;
};

/// Fills column[first + j] for each item j of each user. Called from several threads with different users.
using compute_numbers = std::function<void(std::span<user_candidates const> users, std::span<float> column)>;

/// A column and where its values come from.
struct feature_step {
    enum class from { pool, item, user, computed };
    from source = from::computed;
    /// For `item` and `user` the values, where a row is an item or a user; else the name and kind only.
    frame_column table;
    std::size_t pool_column = 0; ///< for `pool`
    compute_numbers compute;     ///< for `computed`
};
using feature_step_ptr = std::shared_ptr<feature_step const>;

inline feature_step_ptr table_step(feature_step::from source, frame_column table) {
    feature_step step;
    step.source = source, step.table = std::move(table);
    return std::make_shared<feature_step const>(std::move(step));
}
inline feature_step_ptr computed_step(std::string name, compute_numbers compute) {
    feature_step step;
    step.table.name = std::move(name), step.compute = std::move(compute);
    return std::make_shared<feature_step const>(std::move(step));
}
inline feature_step_ptr pool_step(std::string name, std::size_t pool_column) {
    feature_step step;
    step.source = feature_step::from::pool, step.table.name = std::move(name), step.pool_column = pool_column;
    return std::make_shared<feature_step const>(std::move(step));
}

// --- filling a block ----------------------------------------------------------------------------

/// Users are handed to the steps in chunks: scratch memory of a step lives for one chunk.
inline constexpr std::size_t users_per_chunk = 64;

/// f(users of a chunk) over all users of the rows.
template <class Function> void for_user_chunks(candidate_rows const& rows, team& workers, Function const& f) {
    workers.blocks(rows.users.size(), users_per_chunk, [&](std::size_t begin, std::size_t end, std::size_t) {
        std::vector<user_candidates> users;
        users.reserve(end - begin);
        for (std::size_t g = begin; g < end; ++g) {
            auto const first = rows.first(g);
            users.push_back({rows.users[g], first, std::span<item_index const>(rows.items).subspan(first, rows.ends[g] - first)});
        }
        f(std::span<user_candidates const>(users));
    });
}

/// f(row, entry of the table) for the rows of some users.
template <class Function> void for_table_rows(feature_step const& step, std::span<user_candidates const> users, Function const& f) {
    for (auto const& [user, first, items] : users)
        for (std::size_t j = 0; j < items.size(); ++j)
            f(first + j, step.source == feature_step::from::item ? to_size(items[j]) : to_size(user));
}

/// A number column of a block.
inline frame_column gather_numbers(feature_step const& step, candidate_rows const& rows, team& workers) {
    buffer<float> numbers(rows.size());
    auto const out = numbers.span();
    if (step.source == feature_step::from::pool) std::copy_n(rows.pool_numbers[step.pool_column].data(), rows.size(), out.data());
    else
        for_user_chunks(rows, workers, [&](std::span<user_candidates const> users) {
            if (step.source == feature_step::from::computed) step.compute(users, out);
            else for_table_rows(step, users, [&](std::size_t row, std::size_t entry) { out[row] = step.table.numbers[entry]; });
        });
    frame_column column;
    column.name = step.table.name, column.numbers = std::move(numbers);
    return column;
}

/// A column of one category a row.
inline frame_column gather_category(feature_step const& step, candidate_rows const& rows, team& workers) {
    buffer<std::int32_t> codes(rows.size());
    auto const out = codes.span();
    for_user_chunks(rows, workers, [&](std::span<user_candidates const> users) {
        for_table_rows(step, users, [&](std::size_t row, std::size_t entry) { out[row] = step.table.codes[entry]; });
    });
    frame_column column;
    column.name = step.table.name, column.kind = column_kind::category;
    column.codes = std::move(codes), column.dictionary = step.table.dictionary;
    return column;
}

/// A column of several categories a row.
inline frame_column gather_categories(feature_step const& step, candidate_rows const& rows, team& workers) {
    buffer<std::uint64_t> ends(rows.size());
    auto const out_ends = ends.span();
    for_user_chunks(rows, workers, [&](std::span<user_candidates const> users) {
        for_table_rows(step, users, [&](std::size_t row, std::size_t entry) { out_ends[row] = step.table.row_codes(entry).size(); });
    });
    std::uint64_t total = 0;
    for (auto& end : out_ends) end = total += end;
    buffer<std::int32_t> codes(static_cast<std::size_t>(total));
    auto const out_codes = codes.span();
    for_user_chunks(rows, workers, [&](std::span<user_candidates const> users) {
        for_table_rows(step, users, [&](std::size_t row, std::size_t entry) {
            auto const from = step.table.row_codes(entry);
            std::copy(from.begin(), from.end(), out_codes.begin() + static_cast<std::ptrdiff_t>(out_ends[row] - from.size()));
        });
    });
    frame_column column;
    column.name = step.table.name, column.kind = column_kind::categories;
    column.codes = std::move(codes), column.ends = std::move(ends), column.dictionary = step.table.dictionary;
    return column;
}

inline frame_column column_of(feature_step const& step, candidate_rows const& rows, team& workers) {
    if (step.table.kind == column_kind::number) return gather_numbers(step, rows, workers);
    return step.table.kind == column_kind::category ? gather_category(step, rows, workers) : gather_categories(step, rows, workers);
}

/// The frame of a block: a column for each step, the rows grouped by user. O(rows x columns) and what the steps cost.
/// @param targets        empty, or one a row.
/// @param targets_as_of  the moment up to which they know events.
inline frame frame_of(std::span<feature_step_ptr const> steps, candidate_rows const& rows, std::vector<float> targets,
                      std::optional<time_point> as_of, team& workers, std::optional<time_point> targets_as_of = {}) {
    std::vector<frame_column> columns;
    columns.reserve(steps.size());
    for (auto const& step : steps) columns.push_back(column_of(*step, rows, workers));
    buffer<user_index> users(rows.size());
    for (std::size_t g = 0; g < rows.users.size(); ++g)
        std::fill(users.begin() + rows.first(g), users.begin() + rows.ends[g], rows.users[g]);
    frame_rows about;
    about.users = std::move(users);
    about.items = shared_array<item_index>(rows.items);
    about.group_ends = shared_array<std::uint64_t>(rows.ends);
    if (!targets.empty()) about.targets = shared_array<float>(std::move(targets));
    about.as_of = as_of, about.targets_as_of = targets_as_of;
    return frame(rows.size(), std::move(columns), std::move(about));
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
