// SPDX-License-Identifier: MIT
// Splits of a dataset into a past to fit on and a truth to be judged by: at moments, by last rows, at random, by whole users or items.
#ifndef RECSYS_DATA_SPLIT_HPP
#define RECSYS_DATA_SPLIT_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/dataset.hpp>
#include <recsys/data/split_report.hpp>
#include <recsys/data/truth.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Two parts of one dataset; `auto const [train, test] = split_by_time(...)` binds these two.
template <class Data> struct two_windows {
    Data train;
    truth test;
    std::size_t left_out = 0; ///< rows in neither: at or after the end of the test window

    /// Rows and users of each side, who is common and who cold, and what is odd. O(rows).
    split_report report() const { return detail::report_of(train, "train", {{"test", &test}}, left_out); }
};

/// Three parts of one dataset, one after the other; `auto const [past, labels, future] = split_by_time(...)` binds these three.
template <class Data> struct three_windows {
    Data past;
    truth labels;
    truth future;
    std::size_t left_out = 0; ///< rows in none: at or after the end of the future window

    split_report report() const { return detail::report_of(past, "past", {{"labels", &labels}, {"future", &future}}, left_out); }
};

namespace detail {
template <std::size_t I, class Windows> auto& window_at(Windows& w) noexcept {
    if constexpr (requires { w.train; }) {
        if constexpr (I == 0) return w.train;
        else return w.test;
    } else {
        if constexpr (I == 0) return w.past;
        else if constexpr (I == 1) return w.labels;
        else return w.future;
    }
}
}
// What structured bindings ask for: the windows alone are bound.
template <std::size_t I, class Data> auto& get(two_windows<Data>& w) noexcept { return detail::window_at<I>(w); }
template <std::size_t I, class Data> auto const& get(two_windows<Data> const& w) noexcept { return detail::window_at<I>(w); }
template <std::size_t I, class Data> auto&& get(two_windows<Data>&& w) noexcept { return std::move(detail::window_at<I>(w)); }
template <std::size_t I, class Data> auto& get(three_windows<Data>& w) noexcept { return detail::window_at<I>(w); }
template <std::size_t I, class Data> auto const& get(three_windows<Data> const& w) noexcept { return detail::window_at<I>(w); }
template <std::size_t I, class Data> auto&& get(three_windows<Data>&& w) noexcept { return std::move(detail::window_at<I>(w)); }

struct time_split_options {
    std::optional<time_point> until = {}; ///< the last window ends before it; rows from then on are in no window and counted
};
struct last_n_options {
    natural n = 1; ///< rows of each user that go to the test
};

namespace detail {

template <class Data>
truth truth_between(Data const& data, std::size_t first, std::size_t last, time_point from, std::optional<time_point> until) {
    return truth(window_access::rows(data, first, last), from, until);
}

/// The rows for which `chosen` is set, or not set, in their order.
template <class Data> events pick_rows(Data const& data, std::vector<bool> const& chosen, bool wanted) {
    auto const n = static_cast<std::size_t>(std::count(chosen.begin(), chosen.end(), wanted));
    auto const pick = [&]<class Value>(std::span<Value const> from) {
        buffer<Value> to(from.empty() ? 0 : n);
        for (std::size_t i = 0, at = 0; i < from.size(); ++i)
            if (chosen[i] == wanted) to[at++] = from[i];
        return to;
    };
    event_columns columns;
    columns.users = pick(data.event_users()), columns.items = pick(data.event_items());
    columns.weights = pick(data.event_weights()), columns.times = pick(data.event_times());
    auto from = data.provenance();
    from.as_of.reset();
    return events(std::move(columns), data.n_users(), data.n_items(), from);
}

template <class Data> two_windows<Data> split_rows(Data const& data, std::vector<bool> const& in_test) {
    return {window_access::with_rows(data, pick_rows(data, in_test, false)), truth(pick_rows(data, in_test, true), {}), 0};
}

/// round(share * n) of n, each equally likely. Source: selection sampling, Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S.
inline std::vector<bool> choose(std::size_t n, double share, std::uint64_t seed, std::string_view where) {
    if (!(share >= 0 && share <= 1)) throw_option(where, ": share must be in [0, 1], got ", share);
    auto wanted = static_cast<std::size_t>(std::llround(share * static_cast<double>(n)));
    random_stream random(seed);
    std::vector<bool> chosen(n);
    for (std::size_t i = 0; i < n && wanted > 0; ++i)
        if (random.below(n - i) < wanted) chosen[i] = true, --wanted;
    return chosen;
}

/// Rows of chosen users or items, of those that occur.
template <class Data, class Column> two_windows<Data> hold_out_whole(Data const& data, Column const& column, std::size_t n, double share,
                                                                     std::uint64_t seed, std::string_view where) {
    std::vector<bool> occurs(n);
    for (auto const index : column) occurs[to_size(index)] = true;
    auto const n_there = static_cast<std::size_t>(std::count(occurs.begin(), occurs.end(), true));
    auto const chosen = choose(n_there, share, seed, where);
    std::vector<bool> held_out(n);
    for (std::size_t i = 0, there = 0; i < n; ++i)
        if (occurs[i]) held_out[i] = chosen[there++];
    std::vector<bool> in_test(data.size());
    for (std::size_t row = 0; row < data.size(); ++row) in_test[row] = held_out[to_size(column[row])];
    return split_rows(data, in_test);
}

/// The fold of each row: sizes differ by at most one, folds are a random arrangement.
inline std::vector<std::uint32_t> folds_of_rows(std::size_t n, std::size_t k, std::uint64_t seed) {
    if (k < 2 || k > n) throw_option("k_folds: the number of folds must be in [2, number of rows = ", n, "], got ", k);
    std::vector<std::uint32_t> folds(n);
    for (std::size_t row = 0; row < n; ++row) folds[row] = static_cast<std::uint32_t>(row % k);
    random_stream(seed).shuffle(folds);
    return folds;
}
template <class Data> two_windows<Data> one_fold(Data const& data, std::vector<std::uint32_t> const& folds, std::size_t fold) {
    std::vector<bool> in_test(data.size());
    for (std::size_t row = 0; row < data.size(); ++row) in_test[row] = folds[row] == fold;
    return split_rows(data, in_test);
}

}

// --- at moments, safe in time ---------------------------------------------------------------------

/// train before the cut, test from it on: [.., cut) and [cut, until). A row at the cut is in the test. Shares the columns, copies no row.
/// @throws data_error  for rows without times. @throws option_error for `until` before the cut.
template <class User, class Item, class Moment> [[nodiscard]] two_windows<dataset<User, Item>>
split_by_time(dataset<User, Item> const& data, Moment const& cut, time_split_options const& options = {}) {
    auto const t = detail::moment_of("split_by_time", cut);
    if (options.until && *options.until < t)
        detail::throw_option("split_by_time: until ", detail::time_text(*options.until), " is before the cut ", detail::time_text(t));
    auto const middle = detail::window_access::first_at_or_after(data, "split_by_time", t);
    auto const end = options.until ? detail::window_access::first_at_or_after(data, "split_by_time", *options.until) : data.size();
    return {detail::window_access::window(data, 0, middle, t), detail::truth_between(data, middle, end, t, options.until),
            data.size() - end};
}

/// past before t0, labels in [t0, t2), future from t2 on (before `until`). Shares the columns, copies no row.
/// @throws data_error  for rows without times. @throws option_error unless t0 <= t2 <= until.
template <class User, class Item, class Begin, class End> [[nodiscard]] three_windows<dataset<User, Item>>
split_by_time(dataset<User, Item> const& data, Begin const& labels_begin, End const& future_begin, time_split_options const& options = {}) {
    auto const t0 = detail::moment_of("split_by_time", labels_begin), t2 = detail::moment_of("split_by_time", future_begin);
    if (t2 < t0)
        detail::throw_option("split_by_time: the future begins at ", detail::time_text(t2), ", before the labels at ",
                             detail::time_text(t0));
    auto later = split_by_time(data, t2, options);
    auto const first = detail::window_access::first_at_or_after(data, "split_by_time", t0);
    return {detail::window_access::window(data, 0, first, t0), detail::truth_between(data, first, later.train.size(), t0, t2),
            std::move(later.test), later.left_out};
}

/// The moment from which on about `share` of the rows come: that of the row at position floor((1 - share) * size). Rows of equal times are
/// never torn apart: cutting there puts all of them into the test. @throws data_error for no rows or rows without times.
template <class User, class Item> time_point moment_of_share(dataset<User, Item> const& data, double share) {
    if (!(share > 0 && share <= 1)) detail::throw_option("moment_of_share: share must be in (0, 1], got ", share);
    auto const times = data.event_times();
    if (times.empty()) detail::throw_data("moment_of_share: there are no rows with times");
    auto const position = static_cast<std::size_t>((1 - share) * static_cast<double>(times.size()));
    return times[std::min(position, times.size() - 1)];
}

// --- other splits: not safe in time, their truth has no beginning ---------------------------------

/// The last n rows of each user to the test, in time order (equal times and undated rows: in input order). A user with at most n rows stays
/// wholly in train. Not safe in time: train holds rows of other users that are later than rows of the test. O(rows).
template <class User, class Item>
[[nodiscard]] two_windows<dataset<User, Item>> last_n(dataset<User, Item> const& data, last_n_options const& options = {}) {
    std::vector<std::size_t> left(data.n_users());
    for (auto const user : data.event_users()) ++left[to_size(user)];
    for (auto& rows : left) rows = rows > options.n ? rows - options.n : rows;
    std::vector<bool> in_test(data.size());
    for (std::size_t row = 0; row < data.size(); ++row) {
        auto& rows = left[to_size(data.event_users()[row])];
        if (rows == 0) in_test[row] = true;
        else --rows;
    }
    return detail::split_rows(data, in_test);
}
/// The last row of each user with at least two to the test: last_n with n = 1.
template <class User, class Item> [[nodiscard]] two_windows<dataset<User, Item>> leave_one_out(dataset<User, Item> const& data) {
    return last_n(data);
}

/// round(share * rows) rows to the test, each equally likely. Not safe in time. Copies the rows. O(rows).
template <class User, class Item>
[[nodiscard]] two_windows<dataset<User, Item>> random_split(dataset<User, Item> const& data, double share, std::uint64_t seed = 0) {
    return detail::split_rows(data, detail::choose(data.size(), share, seed, "random_split"));
}

/// k splits; each row is in the test of exactly one, whose sizes differ by at most one. Not safe in time.
/// Copies: k times the rows. For many rows make one at a time with k_fold. @throws option_error unless 2 <= k <= rows.
template <class User, class Item>
[[nodiscard]] std::vector<two_windows<dataset<User, Item>>> k_folds(dataset<User, Item> const& data, natural k, std::uint64_t seed = 0) {
    auto const folds = detail::folds_of_rows(data.size(), k, seed);
    std::vector<two_windows<dataset<User, Item>>> out;
    for (std::size_t fold = 0; fold < k; ++fold) out.push_back(detail::one_fold(data, folds, fold));
    return out;
}
/// The split of number `fold` of k_folds(data, k, seed) alone.
template <class User, class Item>
[[nodiscard]] two_windows<dataset<User, Item>> k_fold(dataset<User, Item> const& data, natural fold, natural k, std::uint64_t seed = 0) {
    if (fold >= k) detail::throw_option("k_fold: fold must be below the number of folds ", std::size_t{k}, ", got ", std::size_t{fold});
    return detail::one_fold(data, detail::folds_of_rows(data.size(), k, seed), fold);
}

/// All rows of round(share * active users) users to the test: users that train knows nothing of. Not safe in time. O(rows).
template <class User, class Item>
[[nodiscard]] two_windows<dataset<User, Item>> cold_users(dataset<User, Item> const& data, double share, std::uint64_t seed = 0) {
    return detail::hold_out_whole(data, data.event_users(), data.n_users(), share, seed, "cold_users");
}
/// All rows of round(share * played items) items to the test: items that train knows nothing of. Not safe in time. O(rows).
template <class User, class Item>
[[nodiscard]] two_windows<dataset<User, Item>> cold_items(dataset<User, Item> const& data, double share, std::uint64_t seed = 0) {
    return detail::hold_out_whole(data, data.event_items(), data.n_items(), share, seed, "cold_items");
}

}} // namespace recsys

namespace std {
template <class Data> struct tuple_size<recsys::two_windows<Data>> : integral_constant<size_t, 2> {};
template <class Data> struct tuple_size<recsys::three_windows<Data>> : integral_constant<size_t, 3> {};
template <size_t I, class Data> struct tuple_element<I, recsys::two_windows<Data>> {
    using type = conditional_t<I == 0, Data, recsys::truth>;
};
template <size_t I, class Data> struct tuple_element<I, recsys::three_windows<Data>> {
    using type = conditional_t<I == 0, Data, recsys::truth>;
};
}

#include <recsys/core/pop_macros.hpp>
#endif
