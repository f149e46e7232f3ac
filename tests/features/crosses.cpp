// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include "support/feature_world.hpp"

namespace rs = recsys;
using namespace feature_world;

namespace {

rs::item_index operator""_i(unsigned long long n) { return static_cast<rs::item_index>(n); }

/// Items 0: {rock, pop}; 1: {pop}; 2: {}; 3: {rock}. User 0 played 0, 1, 2, 0 (oldest first); user 1 nothing.
auto hand_made() {
    rs::detail::event_columns columns;
    columns.users = {rs::user_index{0}, rs::user_index{0}, rs::user_index{0}, rs::user_index{0}};
    columns.items = {0_i, 1_i, 2_i, 0_i};
    columns.times = {day(0), day(1), day(3), day(4) + std::chrono::hours(12)};
    return std::make_shared<rs::detail::known_events const>(rs::events(columns, 2, 4, {0, 0, day(10)}));
}
rs::frame_column genres() {
    auto dictionary = std::make_shared<rs::category_dictionary>();
    dictionary->add("rock"), dictionary->add("pop");
    rs::frame_column table;
    table.name = "genres", table.kind = rs::column_kind::categories, table.dictionary = dictionary;
    table.codes = {0, 1, 1, 0}, table.ends = {2, 3, 3, 4};
    return table;
}
/// Numbers of items 0 .. 3 for both users.
std::vector<float> of_pairs(rs::detail::feature_step_ptr const& step) {
    rs::item_index const items[] = {0_i, 1_i, 2_i, 3_i};
    std::vector<rs::detail::user_candidates> const users{{rs::user_index{0}, 0, items}, {rs::user_index{1}, 4, items}};
    std::vector<float> column(8, -1.f);
    step->compute(users, column);
    return column;
}
rs::detail::item_factors factors(std::vector<std::vector<float>> const& rows) {
    return rs::detail::copied_factors(
        [&](rs::item_index i) -> auto const& { return rows[rs::to_size(i)]; }, rows.size());
}

}

TEST_CASE("the share of the first value counts events whose item has it first; no value or no history is missing") {
    auto const found = of_pairs(rs::detail::first_value_share_step("g", hand_made(), genres()));
    CHECK(found[0] == 0.5f);  // rock first: 0, 0 of four events
    CHECK(found[1] == 0.25f); // pop first: 1
    CHECK(std::isnan(found[2]));
    CHECK(found[3] == 0.5f);
    for (std::size_t j = 4; j < 8; ++j) CHECK(std::isnan(found[j]));
}

TEST_CASE("the affinity is the mean share over the candidate's values") {
    auto const found = of_pairs(rs::detail::affinity_step("a", hand_made(), genres()));
    CHECK(found[0] == (0.5f + 0.75f) / 2); // rock in 2 of 4 events, pop in 3
    CHECK(found[1] == 0.75f);
    CHECK(std::isnan(found[2]));
    CHECK(found[3] == 0.5f);
    CHECK(std::isnan(found[4]));
}

TEST_CASE("the category share is over all events, also those without the category") {
    auto table = genres();
    table.kind = rs::column_kind::category, table.codes = {0, 1, rs::missing_category, 0}, table.ends = {};
    auto const found = rs::detail::category_shares(*hand_made(), table);
    CHECK(found[0] == 0.5f);
    CHECK(found[1] == 0.25f);
    CHECK(std::isnan(found[2]));
    CHECK(found[3] == 0.5f);
}

TEST_CASE("events of the pair and whole days since the last one") {
    auto const known = hand_made();
    CHECK(of_pairs(rs::detail::pair_events_step("n", known)) == std::vector<float>{2, 1, 1, 0, 0, 0, 0, 0});
    auto const days = of_pairs(rs::detail::pair_days_step("d", known));
    CHECK(days[0] == 5); // five and a half
    CHECK(days[1] == 9);
    CHECK(days[2] == 7);
    CHECK(std::isnan(days[3]));
    CHECK(std::isnan(days[4]));
}

TEST_CASE("the last items are distinct, newest first") {
    std::vector<rs::item_index> const history{4_i, 1_i, 2_i, 1_i, 3_i, 3_i};
    CHECK(rs::detail::last_items(history, 3) == std::vector{3_i, 1_i, 2_i});
    CHECK(rs::detail::last_items(history, 9) == std::vector{3_i, 1_i, 2_i, 4_i});
    CHECK(rs::detail::last_items({}, 2).empty());
}

TEST_CASE("c28 the largest cosine divides by both lengths: 1 for parallel factors, 0 for orthogonal ones") {
    // (3,4), (6,8), (4,-3) of the case, and the user's own items are 0 and 1 twice scaled
    auto const found = of_pairs(rs::detail::last_similarity_step("s", hand_made(), factors({{3, 4}, {6, 8}, {0, 0}, {4, -3}}), 5));
    CHECK(found[0] == doctest::Approx(1).epsilon(1e-6));
    CHECK(found[1] == doctest::Approx(1).epsilon(1e-6));
    CHECK(std::isnan(found[2])); // no factors
    CHECK(std::abs(found[3]) < 1e-6);
    CHECK(std::isnan(found[4])); // no history
}

TEST_CASE("only the last n items are compared") {
    auto const all = factors({{1, 0}, {0, 1}, {1, 1}, {0, 2}});
    CHECK(of_pairs(rs::detail::last_similarity_step("s", hand_made(), all, 5))[3] == 1);
    CHECK(of_pairs(rs::detail::last_similarity_step("s", hand_made(), all, 1))[3] == 0); // item 0 alone
}

TEST_CASE("the dot product in lanes agrees with a plain one for every length") {
    rs::random_stream random(3);
    for (std::size_t n = 0; n < 70; ++n) {
        std::vector<float> a(n), b(n);
        double wanted = 0;
        for (std::size_t i = 0; i < n; ++i)
            a[i] = static_cast<float>(random.normal()), b[i] = static_cast<float>(random.normal()), wanted += double(a[i]) * double(b[i]);
        CHECK(rs::detail::lane_dot(a, b) == doctest::Approx(wanted).epsilon(1e-4));
    }
}
