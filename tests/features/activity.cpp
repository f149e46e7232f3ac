// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include "support/feature_world.hpp"

namespace rs = recsys;
using namespace feature_world;

namespace {

/// Numbers of a step for users 0 .. n - 1, each with the candidate 0.
std::vector<float> of_users(rs::detail::feature_step_ptr const& step, std::size_t n_users) {
    rs::item_index const items[] = {rs::item_index{0}};
    std::vector<rs::detail::user_candidates> users;
    for (std::size_t u = 0; u < n_users; ++u) users.push_back({static_cast<rs::user_index>(u), u, items});
    std::vector<float> column(n_users, -1.f);
    step->compute(users, column);
    return column;
}
/// User 0: items 0, 1, 1, 3 over 45 days and an hour; user 1: item 2 once; user 2: two events of one day; user 3: none.
auto hand_made() {
    using std::chrono::hours;
    rs::detail::event_columns columns;
    columns.users = {rs::user_index{0}, rs::user_index{1}, rs::user_index{2}, rs::user_index{2},
                     rs::user_index{0}, rs::user_index{0}, rs::user_index{0}};
    columns.items = {rs::item_index{0}, rs::item_index{2}, rs::item_index{0}, rs::item_index{1},
                     rs::item_index{1}, rs::item_index{1}, rs::item_index{3}};
    columns.times = {day(0), day(1), day(2), day(2) + hours(23), day(10), day(20), day(45) + hours(1)};
    return std::make_shared<rs::detail::known_events const>(rs::events(columns, 4, 4, {0, 0, day(50)}));
}
rs::detail::shared_array<float> const values{1.f, 4.f, 10.f, missing};

}

TEST_CASE("number of events, months and events a month of hand-made histories") {
    auto const known = hand_made();
    CHECK(of_users(rs::detail::user_events_step("n", known), 4) == std::vector<float>{4, 1, 2, 0});
    auto const months = of_users(rs::detail::user_months_step("m", known), 4);
    CHECK(months[0] == 1.5f);
    CHECK(months[1] == 0);
    CHECK(months[2] == 0); // 23 hours are no whole day
    CHECK(std::isnan(months[3]));
    auto const rate = of_users(rs::detail::user_events_per_month_step("r", known), 4);
    CHECK(rate[0] == doctest::Approx(4 / 1.5));
    CHECK(std::isnan(rate[1])); // division by zero
    CHECK(std::isnan(rate[2]));
    CHECK(std::isnan(rate[3]));
}

TEST_CASE("means are over events or over distinct items; items without the number are left out") {
    auto const known = hand_made();
    auto const by_event = of_users(rs::detail::user_mean_step("e", {known, values, rs::averaged::over_events}), 4);
    CHECK(by_event[0] == 3); // (1 + 4 + 4) / 3
    CHECK(by_event[1] == 10);
    CHECK(by_event[2] == 2.5f);
    CHECK(std::isnan(by_event[3]));
    auto const by_item = of_users(rs::detail::user_mean_step("i", {known, values, rs::averaged::over_items}), 4);
    CHECK(by_item[0] == 2.5f);
}

TEST_CASE("the deviation divides by n - 1, and is missing for fewer than two values") {
    auto const found = of_users(rs::detail::user_deviation_step("d", hand_made(), values), 4);
    CHECK(found[0] == doctest::Approx(std::sqrt(3.0))); // 1, 4, 4: (4 + 1 + 1) / 2
    CHECK(std::isnan(found[1]));
    CHECK(found[2] == doctest::Approx(std::sqrt(4.5)));
    CHECK(std::isnan(found[3]));
}

TEST_CASE("equal values have deviation exactly 0") {
    auto const known = hand_made();
    auto const found = of_users(rs::detail::user_deviation_step("d", known, {0.1f, 0.1f, 0.1f, 0.1f}), 3);
    CHECK(found[0] == 0);
}

TEST_CASE("the gap is the candidate's number minus the user's mean") {
    auto const found = of_users(rs::detail::gap_step("g", {hand_made(), values, rs::averaged::over_events}), 4);
    CHECK(found[0] == -2);
    CHECK(found[1] == -9);
    CHECK(std::isnan(found[3]));
}
