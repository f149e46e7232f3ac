// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <chrono>
#include <string>

#include "support/fixtures/statistics.hpp"

namespace rs = recsys;
using namespace std::chrono;

TEST_CASE("the calendar is that of pandas") {
    for (auto const& row : statistics_fixture::calendar) {
        auto const c = rs::calendar_of(rs::time_point(seconds(row[0])));
        long long const ours[] = {row[0], c.year, c.month, c.day, c.hour, c.minute, c.second, c.day_of_week, c.day_of_year, c.quarter};
        for (std::size_t i = 0; i < std::size(ours); ++i) {
            INFO("row of " << row[0] << ", field " << i);
            CHECK(ours[i] == row[i]);
        }
        CHECK(c.is_weekend == (row[7] >= 5));
        CHECK(rs::day_of_week(rs::time_point(seconds(row[0]))) == row[7]);
        CHECK(rs::month_of(rs::time_point(seconds(row[0]))) == row[2]);
    }
}

TEST_CASE("a local clock is an offset from UTC") {
    auto const late = rs::parse_time("2024-12-31T23:30:00Z");
    CHECK(rs::calendar_of(late, hours{1}).year == 2025);
    CHECK(rs::calendar_of(late, hours{1}).day_of_year == 1);
    CHECK(rs::calendar_of(late, -minutes{30}).hour == 23);
    CHECK(rs::calendar_of(late, -minutes{30}).minute == 0);
}

TEST_CASE("c10 fractions of a second are read digit by digit, and cut at microseconds") {
    auto const micros = [](char const* text) { return rs::try_parse_unix_seconds(text)->time_since_epoch().count(); };
    CHECK(micros("1700000000.123456789") == 1700000000123456);
    CHECK(micros("1700000000.1") == 1700000000100000);
    CHECK(micros("1700000000.0000009999") == 1700000000000000);
    CHECK(micros("-0.5") == -500000);
    CHECK(micros("-0.0000001") == -1);
    CHECK(micros("0") == 0);
    CHECK(rs::parse_time("2024-01-01T00:00:00.1234567Z").time_since_epoch().count() % 1000000 == 123456);
    for (char const* const wrong : {"", ".5", "1.", "1e9", " 1", "1 ", "99999999999999999999", "nan", "1,5"}) {
        INFO(wrong);
        CHECK_FALSE(rs::try_parse_unix_seconds(wrong).has_value());
    }
}

TEST_CASE("c11 offsets in the text count, and a split sees them") {
    auto const a = rs::parse_time("2024-03-10T12:00:00+02:00"), b = rs::parse_time("2024-03-10T11:30:00Z");
    CHECK(a == rs::time_point(seconds(1710064800)));
    CHECK(b == rs::time_point(seconds(1710070200)));
    CHECK(rs::parse_time("2024-03-10T12:00:00+0200") == a);
    CHECK(rs::parse_time("2024-03-10T12:00+02") == a);
    CHECK(rs::parse_time("2024-03-10 10:00") == a);
    CHECK(rs::parse_time("2024-03-10T09:30:00-00:30") == a);
    struct row {
        int user, item;
        rs::time_point at;
    };
    std::vector<row> const rows{{1, 1, a}, {2, 1, b}};
    auto const w = rs::split_by_time(rs::ingest(rows, rs::columns().user(&row::user).item(&row::item).time(&row::at)),
                                     rs::parse_time("2024-03-10T11:00:00Z"));
    CHECK(w.train.size() == 1);
    CHECK(w.train.users().id(w.train.event_users()[0]) == 1);
}

TEST_CASE("c12 times before 1970 fall on the day before") {
    auto const day = [](long long s) { return rs::day_number(rs::time_point(seconds(s))); };
    CHECK(day(-1) == -1);
    CHECK(day(-86400) == -1);
    CHECK(day(-86401) == -2);
    CHECK(rs::calendar_of(rs::time_point(seconds(-1))).hour == 23);
    CHECK(rs::calendar_of(rs::time_point(microseconds(-1))).second == 59);
}

TEST_CASE("texts that are no dates are none, and parse_time names them") {
    for (char const* const wrong :
         {"", "2022", "2022-13-01", "2022-02-29", "2022-1-1", "22-01-01", "2022-01-01T", "2022-01-01T24:00", "2022-01-01T10:60",
          "2022-01-01T10:00:60", "2022-01-01T10:00:00.", "2022-01-01T10:00+2", "2022-01-01T10:00X", "2022-01-01T10:00Zz", "x2022-01-01"}) {
        INFO(wrong);
        CHECK_FALSE(rs::try_parse_time(wrong).has_value());
    }
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::parse_time("2022-13-01")), doctest::Contains("'2022-13-01' is no date"), rs::data_error);
    CHECK(rs::parse_time("2024-02-29") == rs::time_point(sys_days{2024y / 2 / 29}));
}
