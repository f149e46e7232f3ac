// SPDX-License-Identifier: MIT
// What a split gave: rows and users of each window, who is common and who cold, and what is odd.
#ifndef RECSYS_DATA_SPLIT_REPORT_HPP
#define RECSYS_DATA_SPLIT_REPORT_HPP

#include <recsys/core/push_macros.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/types.hpp>
#include <recsys/data/events.hpp>
#include <recsys/data/truth.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// One window of a split. Common and cold are said of the first window, on which models are fitted: for itself nobody is cold.
struct window_report {
    std::string name;
    std::size_t rows = 0;
    std::size_t users = 0;        ///< with a row here
    std::size_t items = 0;        ///< with a row here
    std::size_t common_users = 0; ///< of these users, with a row in the first window
    std::size_t cold_users = 0;   ///< of these users, without one
    std::size_t cold_items = 0;   ///< of these items, without a row in the first window
    std::size_t rows_of_cold_users = 0;
    std::size_t rows_of_cold_items = 0;
    std::optional<time_point> first = {}; ///< its first and last row
    std::optional<time_point> last = {};
};

struct split_report {
    std::vector<window_report> windows; ///< the one to fit on first
    std::size_t left_out = 0;           ///< rows in no window
    bool safe_in_time = false;          ///< the windows lie one after the other

    /// Rows that were split: those of all windows and those left out.
    std::size_t rows() const noexcept {
        std::size_t sum = left_out;
        for (auto const& w : windows) sum += w.rows;
        return sum;
    }
    /// What is odd, a sentence each: empty and tiny windows (fewer than 10 users, less than a thousandth of the rows, all rows on one day
    /// of UTC), nobody in common with the first window, not safe in time, rows left out.
    std::vector<std::string> warnings() const {
        std::vector<std::string> out;
        for (auto const& w : windows) warn(w, out);
        if (left_out > 0) out.push_back(detail::concat(left_out, " rows lie after the end of the last window and are in none"));
        if (!safe_in_time) out.emplace_back("not safe in time: the first window may hold rows that are later than rows it is judged by");
        return out;
    }

private:
    void warn(window_report const& w, std::vector<std::string>& out) const {
        using namespace std::chrono;
        if (w.rows == 0) return out.push_back(detail::concat("window ", w.name, " is empty"));
        if (w.users < 10) out.push_back(detail::concat("window ", w.name, " is tiny: ", w.users, " users"));
        else if (w.rows < rows() / 1000) out.push_back(detail::concat("window ", w.name, " is tiny: ", w.rows, " of ", rows(), " rows"));
        if (safe_in_time && w.first && floor<days>(*w.first) == floor<days>(*w.last))
            out.push_back(detail::concat("window ", w.name, " holds one day only: its rows are from ", detail::time_text(*w.first), " to ",
                                         detail::time_text(*w.last)));
        if (&w != &windows.front() && w.common_users == 0)
            out.push_back(detail::concat("window ", w.name, " has no user in common with ", windows.front().name));
    }
};

namespace detail {

/// Which of n indices occur in a column.
template <class Index> std::vector<bool> occurring(std::span<Index const> column, std::size_t n) {
    std::vector<bool> is_there(n);
    for (auto const index : column) is_there[to_size(index)] = true;
    return is_there;
}

template <class Index> struct side_counts {
    std::size_t there = 0, cold = 0, cold_rows = 0;
    side_counts(std::span<Index const> column, std::vector<bool> const& known) {
        auto const here = occurring(column, known.size());
        for (std::size_t i = 0; i < here.size(); ++i) there += here[i], cold += here[i] && !known[i];
        for (auto const index : column) cold_rows += !known[to_size(index)];
    }
};

/// Of an `events` or a `truth`.
template <class Window>
window_report window_of(Window const& rows, std::string_view name, std::vector<bool> const& users, std::vector<bool> const& items) {
    side_counts<user_index> const by_user(rows.event_users(), users);
    side_counts<item_index> const by_item(rows.event_items(), items);
    window_report out;
    out.name = name, out.rows = rows.size(), out.users = by_user.there, out.items = by_item.there;
    out.cold_users = by_user.cold, out.common_users = by_user.there - by_user.cold, out.cold_items = by_item.cold;
    out.rows_of_cold_users = by_user.cold_rows, out.rows_of_cold_items = by_item.cold_rows;
    if (auto const times = rows.event_times(); !times.empty()) out.first = times.front(), out.last = times.back();
    return out;
}

inline split_report report_of(events const& train, std::string_view name,
                              std::vector<std::pair<std::string_view, truth const*>> const& later, std::size_t left_out) {
    auto const users = occurring(train.event_users(), train.n_users());
    auto const items = occurring(train.event_items(), train.n_items());
    split_report out;
    out.left_out = left_out, out.safe_in_time = true;
    out.windows.push_back(window_of(train, name, users, items));
    for (auto const& [window_name, window] : later) {
        out.windows.push_back(window_of(*window, window_name, users, items));
        out.safe_in_time = out.safe_in_time && window->from().has_value();
    }
    return out;
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
