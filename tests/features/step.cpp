// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <numeric>

namespace rs = recsys;
using rs::detail::feature_step;

namespace {

/// Users 0 .. n - 1 with 1 + u % 3 candidates each; item = (u + j) % 5.
rs::detail::candidate_rows some_rows(std::size_t n) {
    rs::detail::candidate_rows rows;
    for (std::size_t u = 0; u < n; ++u) {
        rows.users.push_back(static_cast<rs::user_index>(u));
        for (std::size_t j = 0; j < 1 + u % 3; ++j) rows.items.push_back(static_cast<rs::item_index>((u + j) % 5));
        rows.ends.push_back(rows.items.size());
    }
    rows.pool_numbers.resize(1);
    for (std::size_t r = 0; r < rows.size(); ++r) rows.pool_numbers[0].push_back(static_cast<float>(r));
    return rows;
}

}

TEST_CASE("a frame gathers tables by item and by user, copies the pool's numbers and computes the rest, for any number of threads") {
    auto const rows = some_rows(200); // more than one chunk of users
    auto dictionary = std::make_shared<rs::category_dictionary>();
    for (char const* word : {"a", "b", "c"}) dictionary->add(word);
    rs::frame_column numbers, category, several;
    numbers.name = "number", numbers.numbers = {0.f, 10.f, 20.f, 30.f, 40.f};
    category.name = "category", category.kind = rs::column_kind::category, category.dictionary = dictionary;
    std::vector<std::int32_t> of_user(200);
    for (std::size_t u = 0; u < 200; ++u) of_user[u] = u % 4 == 3 ? rs::missing_category : static_cast<std::int32_t>(u % 4);
    category.codes = rs::detail::shared_array<std::int32_t>(of_user);
    several.name = "several", several.kind = rs::column_kind::categories, several.dictionary = dictionary;
    several.codes = {0, 1, 2, 2}, several.ends = {0, 2, 3, 3, 4};
    std::vector<rs::detail::feature_step_ptr> const steps{
        rs::detail::pool_step("pool", 0), rs::detail::table_step(feature_step::from::item, numbers),
        rs::detail::table_step(feature_step::from::user, category), rs::detail::table_step(feature_step::from::item, several),
        rs::detail::computed_step("computed", [](std::span<rs::detail::user_candidates const> users, std::span<float> column) {
            for (auto const& [user, first, items] : users)
                for (std::size_t j = 0; j < items.size(); ++j)
                    column[first + j] = static_cast<float>(1000 * rs::to_size(user) + rs::to_size(items[j]));
        })};
    for (std::size_t const threads : {1u, 3u}) {
        rs::detail::team workers(threads);
        auto const f = rs::detail::frame_of(steps, rows, std::vector<float>(rows.size(), 1.f), rs::time_point{}, workers);
        REQUIRE(f.n_rows() == rows.size());
        REQUIRE(f.n_groups() == 200);
        for (std::size_t g = 0; g < 200; ++g)
            for (std::size_t r = rows.first(g); r < rows.ends[g]; ++r) {
                auto const item = rs::to_size(rows.items[r]);
                CHECK(rs::to_size(f.user(r)) == g);
                CHECK(f.item(r) == rows.items[r]);
                CHECK(f.value(r, "pool") == static_cast<float>(r));
                CHECK(f.value(r, "number") == static_cast<float>(10 * item));
                CHECK(f.value(r, "computed") == static_cast<float>(1000 * g + item));
                CHECK(f.column("category").row_codes(r)[0] == of_user[g]);
                auto const codes = f.column("several").row_codes(r), wanted = several.row_codes(item);
                CHECK(std::vector<std::int32_t>(codes.begin(), codes.end()) == std::vector<std::int32_t>(wanted.begin(), wanted.end()));
            }
        CHECK(f.as_of() == rs::time_point{});
        CHECK(f.targets().size() == rows.size());
    }
}

TEST_CASE("no candidates give a frame without rows that has all columns") {
    rs::detail::candidate_rows none;
    none.pool_numbers.resize(1);
    rs::detail::team workers(1);
    std::vector<rs::detail::feature_step_ptr> const steps{rs::detail::pool_step("pool", 0)};
    auto const f = rs::detail::frame_of(steps, none, {}, {}, workers);
    CHECK(f.n_rows() == 0);
    CHECK(f.n_columns() == 1);
    CHECK(f.n_groups() == 0);
}
