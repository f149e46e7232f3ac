// SPDX-License-Identifier: MIT
// A frame of some rows of another: columns are copied, dictionaries shared.
#ifndef RECSYS_DATA_TAKE_ROWS_HPP
#define RECSYS_DATA_TAKE_ROWS_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/data/frame.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// @param width  how many values a row has.
template <class Value>
shared_array<Value> take_values(shared_array<Value> const& from, std::span<std::size_t const> rows, std::size_t width = 1) {
    if (from.empty()) return {};
    buffer<Value> out(rows.size() * width);
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t k = 0; k < width; ++k) out[i * width + k] = from[rows[i] * width + k];
    return shared_array<Value>(std::move(out));
}

inline frame_column take_column(frame_column const& from, std::span<std::size_t const> rows) {
    frame_column out;
    out.name = from.name, out.kind = from.kind, out.dictionary = from.dictionary;
    if (from.kind == column_kind::number) out.numbers = take_values(from.numbers, rows);
    else if (from.kind == column_kind::category) out.codes = take_values(from.codes, rows);
    else {
        std::vector<std::int32_t> codes;
        std::vector<std::uint64_t> ends;
        ends.reserve(rows.size());
        for (auto const row : rows) {
            auto const of_row = from.row_codes(row);
            codes.insert(codes.end(), of_row.begin(), of_row.end());
            ends.push_back(codes.size());
        }
        out.codes = shared_array<std::int32_t>(std::move(codes)), out.ends = shared_array<std::uint64_t>(std::move(ends));
    }
    return out;
}

/// Where groups end among the rows taken: rows of one group must be neighbours in `rows`.
inline std::vector<std::uint64_t> take_group_ends(std::span<std::uint64_t const> ends, std::span<std::size_t const> rows) {
    std::vector<std::uint64_t> out;
    std::size_t group = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        bool const first = i == 0;
        bool const same = !first && rows[i] < ends[group] && (group == 0 || rows[i] >= ends[group - 1]);
        if (same) continue;
        if (!first) out.push_back(i);
        for (group = first || rows[i] < rows[i - 1] ? 0 : group; rows[i] >= ends[group];) ++group;
    }
    if (!rows.empty()) out.push_back(rows.size());
    return out;
}

/// The rows of these numbers, in this order. O(rows x columns).
inline frame take_rows(frame const& from, std::span<std::size_t const> rows) {
    std::vector<frame_column> columns;
    columns.reserve(from.n_columns());
    for (auto const& column : from.columns()) columns.push_back(take_column(column, rows));
    auto const& about = from.rows();
    frame_rows out;
    out.users = take_values(about.users, rows), out.items = take_values(about.items, rows);
    out.targets = take_values(about.targets, rows), out.weights = take_values(about.weights, rows);
    out.baselines = take_values(about.baselines, rows, from.n_baselines());
    if (!about.group_ends.empty()) out.group_ends = shared_array<std::uint64_t>(take_group_ends(about.group_ends.span(), rows));
    out.as_of = about.as_of, out.targets_as_of = about.targets_as_of;
    return frame(rows.size(), std::move(columns), std::move(out));
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
