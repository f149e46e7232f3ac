// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono;

struct row {
    int user;
    int item;
    sys_seconds at;
};
sys_seconds on_day(int d, int second = 0) { return sys_days{2022y / 12 / 1} + days{d} + seconds{second}; }
auto data_of(std::vector<row> const& rows) {
    return recsys::ingest(rows, recsys::columns().user(&row::user).item(&row::item).time(&row::at));
}
bool warns(std::vector<std::string> const& warnings, std::string_view words) {
    return std::any_of(warnings.begin(), warnings.end(), [&](auto const& w) { return w.find(words) != std::string::npos; });
}
/// Thirty users, each with a row on every day of ten.
std::vector<row> plenty() {
    std::vector<row> rows;
    for (int d = 0; d < 10; ++d)
        for (int u = 0; u < 30; ++u) rows.push_back({u, u + d, on_day(d, u)});
    return rows;
}

}

TEST_CASE("a split without oddities has no warnings") {
    auto const data = data_of(plenty());
    CHECK(recsys::split_by_time(data, on_day(5)).report().warnings().empty());
    CHECK(recsys::split_by_time(data, on_day(4), on_day(7)).report().warnings().empty());
}

TEST_CASE("empty windows, tiny windows and windows of a day are named") {
    auto const data = data_of(plenty());
    auto const empty = recsys::split_by_time(data, on_day(10)).report();
    CHECK(empty.warnings() == std::vector<std::string>{"window test is empty"});
    auto const labels = recsys::split_by_time(data, on_day(5), on_day(5)).report();
    CHECK(warns(labels.warnings(), "window labels is empty"));
    auto const one_day = recsys::split_by_time(data, on_day(8), on_day(9)).report();
    CHECK(one_day.warnings() ==
          std::vector<std::string>{"window labels holds one day only: its rows are from 2022-12-09T00:00:00Z to 2022-12-09T00:00:29Z",
                                   "window future holds one day only: its rows are from 2022-12-10T00:00:00Z to 2022-12-10T00:00:29Z"});
    auto const few = recsys::split_by_time(data, on_day(9, 25)).report();
    CHECK(warns(few.warnings(), "window test is tiny: 5 users"));
}

TEST_CASE("fewer than a thousandth of the rows is tiny") {
    auto rows = std::vector<row>();
    for (int i = 0; i < 20000; ++i) rows.push_back({i % 20, i, on_day(i / 10000)});
    for (int i = 0; i < 15; ++i) rows.push_back({i, i, on_day(2 + i)});
    CHECK(warns(recsys::split_by_time(data_of(rows), on_day(2)).report().warnings(), "window test is tiny: 15 of 20015 rows"));
}

TEST_CASE("nobody in common and rows after the end are said") {
    auto rows = plenty();
    for (auto& r : rows)
        if (r.at >= on_day(5)) r.user += 100;
    auto const report = recsys::split_by_time(data_of(rows), on_day(5), {.until = on_day(9)}).report();
    CHECK(warns(report.warnings(), "window test has no user in common with train"));
    CHECK(warns(report.warnings(), "30 rows lie after the end of the last window"));
    CHECK(report.windows[1].cold_users == 30);
    CHECK(report.windows[0].first == recsys::time_point(on_day(0)));
    CHECK(report.windows[0].last == recsys::time_point(on_day(4, 29)));
}

TEST_CASE("a window of one midnight holds one day only, of two it does not") {
    std::vector<row> rows;
    for (auto const& r : plenty()) rows.push_back({r.user, r.item, floor<days>(r.at)});
    auto const data = data_of(rows);
    CHECK(warns(recsys::split_by_time(data, on_day(9)).report().warnings(), "window test holds one day only"));
    CHECK(recsys::split_by_time(data, on_day(8)).report().warnings().empty());
}
