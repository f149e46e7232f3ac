// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include "support/feature_world.hpp"

namespace rs = recsys;
using namespace feature_world;

TEST_CASE("the event index groups the items of each user in time order, equal times in input order") {
    std::vector<play> const log{{"b", 1, day(3)}, {"a", 2, day(2)}, {"b", 3, day(1)}, {"b", 4, day(3)}, {"a", 2, day(0)}};
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track).time(&play::at));
    rs::detail::event_index const index(data);
    auto const ids = [&](char const* user) {
        std::vector<int> out;
        for (auto const item : index.items(data.users().at(user))) out.push_back(data.items().id(item));
        return out;
    };
    CHECK(ids("a") == std::vector{2, 2});
    CHECK(ids("b") == std::vector{3, 1, 4});
    CHECK(index.first_time(data.users().at("b")) == day(1));
    CHECK(index.last_time(data.users().at("b")) == day(3));
    CHECK(index.items(rs::user_index{7}).empty());
}

TEST_CASE("whole days are floored") {
    using std::chrono::hours, std::chrono::microseconds;
    CHECK(rs::detail::whole_days(day(0) + hours(1), day(1)) == 0);
    CHECK(rs::detail::whole_days(day(0), day(1)) == 1);
    CHECK(rs::detail::whole_days(day(0), day(2) - microseconds(1)) == 1);
}

TEST_CASE("events at or after the moment are refused") {
    rs::detail::event_columns columns;
    columns.users = {rs::user_index{0}}, columns.items = {rs::item_index{0}}, columns.times = {day(2)};
    rs::events const late(columns, 1, 1, {0, 0, day(2)});
    CHECK_THROWS_WITH_AS(rs::detail::known_events{late}, doctest::Contains("must be before 2022-03-03T00:00:00Z"), rs::data_error);
    CHECK_NOTHROW(rs::detail::known_events{rs::events(columns, 1, 1, {0, 0, day(2) + std::chrono::microseconds(1)})});
}

TEST_CASE("undated events have an index in input order, but no moment") {
    std::vector<play> const log{{"a", 2, {}}, {"a", 1, {}}};
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track));
    rs::detail::known_events const known{data};
    CHECK(data.items().id(known.by_user.items(rs::user_index{0})[0]) == 2);
    CHECK_THROWS_WITH_AS(static_cast<void>(known.moment("age")), doctest::Contains("age needs times and the events have none"),
                         rs::data_error);
}

TEST_CASE("an empty past has an empty index") {
    rs::detail::event_index const index{rs::events({}, 3, 2, {})};
    CHECK(index.items(rs::user_index{2}).empty());
    CHECK(rs::detail::event_index().items(rs::user_index{0}).empty());
}
