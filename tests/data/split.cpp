// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/fixtures/data.hpp"

namespace {

using namespace std::chrono;
using recsys::item_index;
using moment = recsys::time_point;
using recsys::user_index;

struct row {
    int user;
    int item;
    int at;
    float weight = 1;
};
sys_seconds at(int t) { return sys_seconds(seconds{t}); }
auto data_of(std::vector<row> const& rows) {
    return recsys::ingest(rows, recsys::columns().user(&row::user).item(&row::item).unix_seconds(&row::at).weight(&row::weight));
}
auto undated(std::vector<row> const& rows) {
    return recsys::ingest(rows, recsys::columns().user(&row::user).item(&row::item).weight(&row::weight));
}

std::vector<int> seconds_of(auto const& window) {
    std::vector<int> out;
    for (auto const t : window.event_times()) out.push_back(static_cast<int>(t.time_since_epoch() / seconds{1}));
    return out;
}
/// Every row as (user, item, time, weight), in its order.
using full_row = std::tuple<user_index, item_index, std::int64_t, float>;
std::vector<full_row> rows_of(auto const& window) {
    std::vector<full_row> out;
    auto const times = window.event_times();
    auto const weights = window.event_weights();
    for (std::size_t i = 0; i < window.size(); ++i)
        out.emplace_back(window.event_users()[i], window.event_items()[i], times.empty() ? 0 : times[i].time_since_epoch().count(),
                         weights.empty() ? 1.f : weights[i]);
    return out;
}
bool in_time_order(auto const& window) { return std::is_sorted(window.event_times().begin(), window.event_times().end()); }
/// train and test together are the data, row by row, and each is in order.
void check_conserved(auto const& data, auto const& w) {
    auto all = rows_of(data), parts = rows_of(w.train);
    auto const test = rows_of(w.test);
    parts.insert(parts.end(), test.begin(), test.end());
    std::sort(all.begin(), all.end()), std::sort(parts.begin(), parts.end());
    CHECK(all == parts);
    CHECK(in_time_order(w.train));
    CHECK(in_time_order(w.test));
    CHECK(w.train.n_users() == data.n_users());
    CHECK(w.test.n_items() == data.n_items());
    CHECK(w.test.from() == std::nullopt);
    CHECK_FALSE(w.report().safe_in_time);
    CHECK(w.report().rows() == data.size());
}
std::vector<row> random_rows(std::size_t n, std::uint64_t seed) {
    recsys::random_stream random(seed);
    std::vector<row> rows;
    for (std::size_t i = 0; i < n; ++i)
        rows.push_back({static_cast<int>(random.below(40)), static_cast<int>(random.below(60)), static_cast<int>(random.below(n / 2)),
                        static_cast<float>(i)});
    return rows;
}

}

TEST_CASE("c14 a row at the cut is in the test, one at the end is counted as left out") {
    auto const data = data_of({{1, 1, 10}, {2, 1, 20}, {3, 1, 30}});
    auto const open = recsys::split_by_time(data, at(20));
    CHECK(seconds_of(open.train) == std::vector{10});
    CHECK(seconds_of(open.test) == std::vector{20, 30});
    CHECK(open.left_out == 0);
    auto const closed = recsys::split_by_time(data, at(20), {.until = at(30)});
    CHECK(seconds_of(closed.train) == std::vector{10});
    CHECK(seconds_of(closed.test) == std::vector{20});
    CHECK(closed.left_out == 1);
    CHECK(closed.report().left_out == 1);
    CHECK(closed.test.from() == moment(seconds{20}));
    CHECK(closed.test.until() == moment(seconds{30}));
    CHECK(open.test.until() == std::nullopt);
}

TEST_CASE("c14 windows one after the other hold each row at most once") {
    auto const data = data_of(random_rows(500, 3));
    std::size_t sum = 0;
    for (int t = 0; t < 250; t += 50) sum += recsys::split_by_time(data, at(t), {.until = at(t + 50)}).test.size();
    CHECK(sum == data.size());
}

TEST_CASE("c14 equal times do not straddle a cut chosen by share") {
    auto const data = data_of({{1, 1, 10}, {2, 1, 20}, {3, 1, 20}, {4, 1, 20}, {5, 1, 30}});
    for (auto const& [share, expected] :
         std::vector<std::pair<double, int>>{{0.2, 30}, {0.3, 20}, {0.5, 20}, {0.7, 20}, {0.9, 10}, {1, 10}}) {
        auto const cut = recsys::moment_of_share(data, share);
        CHECK(cut == moment(seconds{expected}));
        auto const w = recsys::split_by_time(data, cut);
        CHECK((w.train.empty() || w.train.event_times().back() < w.test.event_times().front()));
    }
    CHECK_THROWS_AS((void)recsys::moment_of_share(data, 0), recsys::option_error);
    CHECK_THROWS_AS((void)recsys::moment_of_share(data, std::numeric_limits<double>::quiet_NaN()), recsys::option_error);
    CHECK_THROWS_AS((void)recsys::moment_of_share(undated({{1, 1, 1}}), 0.5), recsys::data_error);
}

TEST_CASE("c15 a global split leaks nothing; the last row of each user is not safe in time and says so") {
    auto const data = data_of({{1, 1, 1}, {1, 2, 2}, {2, 1, 100}, {2, 2, 101}});
    auto const global = recsys::split_by_time(data, at(100));
    CHECK(seconds_of(global.train) == std::vector{1, 2});
    CHECK(seconds_of(global.test) == std::vector{100, 101});
    CHECK(global.report().safe_in_time);
    CHECK(global.train.as_of() == moment(seconds{100}));
    auto const last_rows = recsys::leave_one_out(data);
    CHECK(seconds_of(last_rows.train) == std::vector{1, 100});
    CHECK(seconds_of(last_rows.test) == std::vector{2, 101});
    CHECK_FALSE(last_rows.report().safe_in_time);
    CHECK(last_rows.test.from() == std::nullopt);
    CHECK(last_rows.train.as_of() == moment(seconds{100}) + microseconds{1});
    auto const warnings = last_rows.report().warnings();
    CHECK(std::find(warnings.begin(), warnings.end(),
                    "not safe in time: the first window may hold rows that are later than rows it is judged by") != warnings.end());
}

TEST_CASE("c15 for any data and cut, train ends before the test begins") {
    auto const data = data_of(random_rows(400, 9));
    for (int cut = 0; cut <= 200; cut += 7) {
        auto const w = recsys::split_by_time(data, at(cut));
        CHECK(w.train.size() + w.test.size() == data.size());
        CHECK((w.train.empty() || w.train.event_times().back() < at(cut)));
        CHECK((w.test.empty() || w.test.event_times().front() >= at(cut)));
    }
}

TEST_CASE("c16 leave-k-out keeps short users wholly in train and loses nothing") {
    auto const users = recsys::user_encoder<int>::fit(std::vector<int>{0, 1, 2, 3});
    std::vector<row> const rows{{0, 0, 1, 3}, {0, 1, 2, 2}, {0, 2, 3, 1}, {1, 0, 1, 5}, {3, 0, 1, 7}, {3, 2, 2, 1}};
    auto const data = recsys::ingest(rows, recsys::columns().user(&row::user).item(&row::item).unix_seconds(&row::at).weight(&row::weight),
                                     {.users = users});
    auto const w = recsys::last_n(data, {.n = 1});
    CHECK(w.test.size() == 2);
    CHECK(std::vector(w.test.active_users().begin(), w.test.active_users().end()) == std::vector{user_index{0}, user_index{3}});
    float sum = 0;
    for (auto const& r : rows_of(w.train)) sum += std::get<3>(r);
    for (auto const& r : rows_of(w.test)) sum += std::get<3>(r);
    CHECK(sum == 19);
    CHECK(w.train.n_users() == 4);
    CHECK(w.train.n_items() == 3);
    CHECK(w.test.n_users() == 4);
    check_conserved(data, w);
    auto const two = recsys::last_n(data, {.n = 2});
    CHECK(two.test.size() == 2); // of user 0 alone: user 3 has no more than two rows
    CHECK(recsys::last_n(data, {.n = 0}).test.size() == 0);
}

TEST_CASE("c17 users and items of the test alone have indices in both windows and are counted") {
    auto const data = data_of({{0, 0, 1}, {1, 0, 2}, {2, 0, 10}, {0, 5, 11}});
    auto const w = recsys::split_by_time(data, at(10));
    CHECK(w.train.n_users() == 3);
    CHECK(w.train.n_items() == 2);
    CHECK(w.test.n_items() == 2);
    auto const test = w.report().windows[1];
    CHECK(test.cold_users == 1);
    CHECK(test.common_users == 1);
    CHECK(test.cold_items == 1);
    CHECK(test.rows_of_cold_users == 1);
    CHECK(test.rows_of_cold_items == 1);
    CHECK(w.test.items(user_index{0}).size() == 1);
    CHECK(w.train.items().at(5) == item_index{1});
}

TEST_CASE("three windows tile the line and share the columns") {
    auto const data = data_of({{1, 1, 10}, {2, 1, 20}, {3, 1, 29}, {4, 1, 30}, {5, 1, 40}});
    auto const w = recsys::split_by_time(data, at(20), at(30));
    CHECK(seconds_of(w.past) == std::vector{10});
    CHECK(seconds_of(w.labels) == std::vector{20, 29});
    CHECK(seconds_of(w.future) == std::vector{30, 40});
    CHECK(w.past.as_of() == moment(seconds{20}));
    CHECK(w.labels.from() == moment(seconds{20}));
    CHECK(w.labels.until() == moment(seconds{30}));
    CHECK(w.future.from() == moment(seconds{30}));
    CHECK(w.past.event_users().data() == data.event_users().data());
    CHECK(w.labels.event_users().data() == data.event_users().data() + 1);
    CHECK(w.future.event_users().data() == data.event_users().data() + 3);
    auto const ended = recsys::split_by_time(data, at(20), at(30), {.until = at(40)});
    CHECK(ended.future.size() == 1);
    CHECK(ended.left_out == 1);
    CHECK(ended.report().rows() == data.size());
}

TEST_CASE("windows bind to exactly two and three names, of any constness") {
    auto const data = data_of({{1, 1, 10}, {2, 1, 20}, {3, 1, 30}});
    auto const [train, test] = recsys::split_by_time(data, at(20));
    CHECK(train.size() + test.size() == 3);
    auto [past, labels, future] = recsys::split_by_time(data, at(20), at(30));
    past = data;
    CHECK(past.size() == 3);
    CHECK(labels.size() + future.size() == 2);
    auto windows = recsys::split_by_time(data, at(20));
    auto& [left, right] = windows;
    CHECK(&left == &windows.train);
    CHECK(&right == &windows.test);
    static_assert(std::is_same_v<decltype(train), recsys::dataset<int, int> const>);
    static_assert(std::is_same_v<decltype(test), recsys::truth const>);
    static_assert(std::tuple_size_v<recsys::three_windows<recsys::dataset<int, int>>> == 3);
}

TEST_CASE("cuts out of order are option errors, rows without times data errors, moments of any unit are fine") {
    auto const data = data_of({{1, 1, 10}, {2, 1, 20}});
    CHECK_THROWS_WITH_AS((void)recsys::split_by_time(data, at(20), at(10)),
                         "split_by_time: the future begins at 1970-01-01T00:00:10Z, before the labels at 1970-01-01T00:00:20Z",
                         recsys::option_error);
    CHECK_THROWS_AS((void)recsys::split_by_time(data, at(20), {.until = at(10)}), recsys::option_error);
    CHECK_THROWS_AS((void)recsys::split_by_time(undated({{1, 1, 1}}), at(20)), recsys::data_error);
    CHECK(recsys::split_by_time(data, sys_days{days{1}}).train.size() == 2);
    CHECK(recsys::split_by_time(data, sys_time<nanoseconds>(seconds{20}) + nanoseconds{999}).train.size() == 1);
    CHECK(recsys::split_by_time(data, moment{}, sys_days{days{1}}).labels.size() == 2);
    CHECK(recsys::split_by_time(data_of({}), at(1)).test.empty());
}

TEST_CASE("c12 a split by day puts the second before midnight before it, before 1970 too") {
    auto const data = data_of({{1, 1, -1}, {2, 1, -86400}, {3, 1, -86401}, {4, 1, 0}});
    CHECK(seconds_of(recsys::split_by_time(data, sys_days{days{-1}}).train) == std::vector{-86401});
    CHECK(seconds_of(recsys::split_by_time(data, sys_days{days{-1}}).test) == std::vector{-86400, -1, 0});
    CHECK(seconds_of(recsys::split_by_time(data, sys_days{days{0}}).test) == std::vector{0});
}

TEST_CASE("window sizes and cold users are those of pandas") {
    using namespace data_fixture;
    auto const data =
        recsys::ingest(recsys::row_numbers(std::size(event_users)), recsys::columns()
                                                                        .user([](std::size_t i) { return event_users[i]; })
                                                                        .item([](std::size_t i) { return event_items[i]; })
                                                                        .unix_seconds([](std::size_t i) { return event_times[i]; }));
    auto const check = [](recsys::window_report const& w, auto const& expected) {
        std::size_t const found[] = {
            w.rows, w.users, w.items, w.common_users, w.cold_users, w.cold_items, w.rows_of_cold_users, w.rows_of_cold_items};
        for (std::size_t i = 0; i < 8; ++i) CHECK(found[i] == static_cast<std::size_t>(expected[i]));
    };
    auto const report =
        recsys::split_by_time(data, sys_days{2022y / 12 / 16}, sys_days{2022y / 12 / 30}, {.until = sys_days{2023y / 1 / 4}}).report();
    check(report.windows[0], past_counts);
    check(report.windows[1], labels_counts);
    check(report.windows[2], future_counts);
    CHECK(report.left_out == static_cast<std::size_t>(left_out[0]));
    check(recsys::split_by_time(data, sys_days{2022y / 12 / 16}).report().windows[1], rest_counts);

    auto const last_rows = recsys::last_n(data, {.n = 2});
    REQUIRE(last_rows.test.size() == std::size(last_two_rows));
    bool same = true;
    for (std::size_t i = 0; i < last_rows.test.size(); ++i) {
        auto const from = static_cast<std::size_t>(last_two_rows[i]);
        same = same && data.users().id(last_rows.test.event_users()[i]) == event_users[from] &&
               data.items().id(last_rows.test.event_items()[i]) == event_items[from];
    }
    CHECK(same);
}

TEST_CASE("random splits hold out the share asked for, lose nothing and depend on the seed alone") {
    auto const data = data_of(random_rows(1000, 1));
    auto const w = recsys::random_split(data, 0.2, 5);
    CHECK(w.test.size() == 200);
    check_conserved(data, w);
    CHECK(rows_of(recsys::random_split(data, 0.2, 5).test) == rows_of(w.test));
    CHECK(rows_of(recsys::random_split(data, 0.2, 6).test) != rows_of(w.test));
    CHECK(recsys::random_split(data, 0).test.empty());
    CHECK(recsys::random_split(data, 1).train.empty());
    CHECK_THROWS_AS((void)recsys::random_split(data, 1.5), recsys::option_error);
    CHECK_THROWS_AS((void)recsys::random_split(data, std::numeric_limits<double>::quiet_NaN()), recsys::option_error);
}

TEST_CASE("each row is held out equally often") {
    std::vector<row> rows;
    for (int i = 0; i < 10; ++i) rows.push_back({i, i, i});
    auto const data = data_of(rows);
    std::vector<int> times(10);
    for (std::uint64_t seed = 0; seed < 2000; ++seed)
        for (auto const& r : rows_of(recsys::random_split(data, 0.3, seed).test)) ++times[recsys::to_size(std::get<0>(r))];
    for (auto const n : times) CHECK((n > 480 && n < 720)); // expected 600, standard deviation 20.5
}

TEST_CASE("each row is in the test of exactly one of k folds") {
    auto const data = data_of(random_rows(103, 2));
    auto const folds = recsys::k_folds(data, 5, 7);
    REQUIRE(folds.size() == 5);
    std::vector<full_row> tests;
    for (std::size_t f = 0; f < 5; ++f) {
        check_conserved(data, folds[f]);
        CHECK((folds[f].test.size() == 20 || folds[f].test.size() == 21));
        auto const rows = rows_of(folds[f].test);
        tests.insert(tests.end(), rows.begin(), rows.end());
        auto const alone = recsys::k_fold(data, f, 5, 7);
        CHECK(rows_of(alone.test) == rows);
        CHECK(rows_of(alone.train) == rows_of(folds[f].train));
    }
    auto all = rows_of(data);
    std::sort(all.begin(), all.end()), std::sort(tests.begin(), tests.end());
    CHECK(tests == all);
    CHECK(rows_of(recsys::k_fold(data, 0, 5, 8).test) != rows_of(folds[0].test));
    CHECK_THROWS_AS((void)recsys::k_folds(data, 1), recsys::option_error);
    CHECK_THROWS_AS((void)recsys::k_folds(data, 104), recsys::option_error);
    CHECK_THROWS_AS((void)recsys::k_folds(data, -1), recsys::option_error);
    CHECK_THROWS_AS((void)recsys::k_fold(data, 5, 5), recsys::option_error);
}

TEST_CASE("cold users and cold items are held out whole") {
    auto const data = data_of(random_rows(600, 4));
    auto const users = recsys::cold_users(data, 0.25, 3);
    check_conserved(data, users);
    CHECK(users.test.active_users().size() == 10);
    CHECK(users.report().windows[1].common_users == 0);
    CHECK(users.report().windows[1].cold_users == 10);
    auto const items = recsys::cold_items(data, 0.1, 3);
    check_conserved(data, items);
    CHECK(items.report().windows[1].items == 6);
    CHECK(items.report().windows[1].cold_items == 6);
    CHECK(rows_of(recsys::cold_users(data, 0.25, 3).test) == rows_of(users.test));
    CHECK(rows_of(recsys::cold_users(data, 0.25, 4).test) != rows_of(users.test));
}

TEST_CASE("undated rows split too, in their order") {
    auto const data = undated({{1, 1, 0, 1}, {2, 2, 0, 2}, {1, 3, 0, 3}, {2, 4, 0, 4}});
    auto const w = recsys::leave_one_out(data);
    check_conserved(data, w);
    CHECK(w.train.as_of() == std::nullopt);
    CHECK(rows_of(w.test)[0] == full_row(user_index{0}, item_index{2}, 0, 3.f));
    CHECK(rows_of(w.test)[1] == full_row(user_index{1}, item_index{3}, 0, 4.f));
    check_conserved(data, recsys::random_split(data, 0.5));
    check_conserved(data, recsys::cold_users(data, 0.5));
}
