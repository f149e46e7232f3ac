// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include "support/feature_world.hpp"

namespace rs = recsys;
using namespace feature_world;
using std::chrono::days;
using rs::item_statistic;

namespace {

/// Item 0: day 0, 69, 70, 93 - 1 us, 93, 99; item 1: once, 23 hours before the moment (day 100); item 2: never.
rs::events hand_made() {
    auto const us = std::chrono::microseconds(1);
    std::vector<rs::time_point> const times{day(0), day(69), day(70), day(93) - us, day(93), day(99), day(99) + std::chrono::hours(1)};
    rs::detail::event_columns columns;
    columns.times = rs::detail::shared_array<rs::time_point>(times);
    columns.users = {rs::user_index{0}, rs::user_index{0}, rs::user_index{1}, rs::user_index{2},
                     rs::user_index{0}, rs::user_index{1}, rs::user_index{1}};
    columns.items = {rs::item_index{0}, rs::item_index{0}, rs::item_index{0}, rs::item_index{0},
                     rs::item_index{0}, rs::item_index{0}, rs::item_index{1}};
    return rs::events(columns, 4, 3, {0, 0, day(100)});
}

std::vector<float> numbers(item_statistic const& s, rs::events const& e) { return s(rs::detail::known_events(e)); }

}

TEST_CASE("windows of plays are half-open: an event exactly w days before the moment is in, one before it is not") {
    auto const e = hand_made();
    CHECK(numbers(item_statistic::plays(), e) == std::vector<float>{6, 1, 0});
    CHECK(numbers(item_statistic::plays(days{30}), e) == std::vector<float>{4, 1, 0});
    CHECK(numbers(item_statistic::plays(days{7}), e) == std::vector<float>{2, 1, 0});
    CHECK(numbers(item_statistic::plays(days{1}), e) == std::vector<float>{1, 1, 0});
}

TEST_CASE("log plays, trend and age of a hand-made log") {
    auto const e = hand_made();
    auto const logs = numbers(item_statistic::log_plays(days{30}), e);
    CHECK(logs[0] == doctest::Approx(std::log(5.0)));
    CHECK(logs[2] == 0);
    auto const trend = numbers(item_statistic::trend(), e);
    CHECK(trend[0] == doctest::Approx(61.0 / 29));
    CHECK(trend[1] == doctest::Approx(31.0 / 8));
    CHECK(trend[2] == 1);
    auto const age = numbers(item_statistic::age(), e);
    CHECK(age[0] == 100);
    CHECK(age[1] == 0); // 23 hours
    CHECK(std::isnan(age[2]));
}

TEST_CASE("the rating is the number of distinct users, min-max scaled over items with events") {
    auto const e = hand_made();
    CHECK(numbers(item_statistic::users(), e) == std::vector<float>{3, 1, 0});
    auto const rating = numbers(item_statistic::rating(), e);
    CHECK(rating[0] == 1);
    CHECK(rating[1] == 0);
    CHECK(std::isnan(rating[2]));
}

TEST_CASE("equal counts of users give rating 0") {
    std::vector<play> const log{{"a", 1, day(0)}, {"b", 2, day(0)}, {"b", 2, day(1)}};
    CHECK(numbers(item_statistic::rating(), rs::ingest(log, rs::columns().user(&play::user).item(&play::track).time(&play::at))) ==
          std::vector<float>{0, 0});
}

TEST_CASE("an empty past has no plays and no ratings") {
    rs::events const none({}, 2, 2, {0, 0, day(3)});
    CHECK(numbers(item_statistic::plays(days{7}), none) == std::vector<float>{0, 0});
    CHECK(std::isnan(numbers(item_statistic::rating(), none)[0]));
    CHECK(std::isnan(numbers(item_statistic::age(), none)[1]));
}

TEST_CASE("what needs times says so for undated events, what does not works") {
    std::vector<play> const log{{"a", 1, {}}, {"b", 1, {}}};
    auto const undated = rs::ingest(log, rs::columns().user(&play::user).item(&play::track));
    CHECK_THROWS_AS(static_cast<void>(numbers(item_statistic::plays(days{7}), undated)), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(numbers(item_statistic::trend(), undated)), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(numbers(item_statistic::age(), undated)), rs::data_error);
    CHECK(numbers(item_statistic::plays(), undated) == std::vector<float>{2});
    CHECK(numbers(item_statistic::users(), undated) == std::vector<float>{2});
}

TEST_CASE("a window of no days is an option error") {
    CHECK_THROWS_WITH_AS(static_cast<void>(item_statistic::plays(days{0})), doctest::Contains("from 1 to 1000000 days, got 0"),
                         rs::option_error);
    CHECK_THROWS_AS(static_cast<void>(item_statistic::log_plays(days{-1})), rs::option_error);
    CHECK_THROWS_AS(static_cast<void>(item_statistic::trend(days{7}, days{0})), rs::option_error);
}

TEST_CASE("a function of the events is a statistic, and its answer must have a number for each item") {
    auto const e = hand_made();
    CHECK(numbers(item_statistic([](rs::events const& known) { return std::vector<float>(known.n_items(), 7.f); }), e) ==
          std::vector<float>{7, 7, 7});
    CHECK_THROWS_WITH_AS(static_cast<void>(numbers(item_statistic([](rs::events const&) { return std::vector<float>(2); }), e)),
                         doctest::Contains("2 numbers for 3 items"), rs::data_error);
}
