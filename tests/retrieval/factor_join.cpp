// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <limits>
#include <vector>

#include "support/brute_force.hpp"
#include "support/factor_tables.hpp"

namespace rs = recsys;
using namespace brute_force;
using namespace factor_tables;

// Similar items of all items, where each pair is scored once, against the same asked one by one, which scores every pair for itself.

namespace {

std::vector<rs::item_index> all_of(table const& items) {
    std::vector<rs::item_index> out;
    for (std::size_t i = 0; i < items.rows; ++i) out.push_back(item(i));
    return out;
}
void check_join(table const& items, rs::similar_options options) {
    auto const users = normal_table(1, items.factors, 1);
    for (auto const level : levels()) {
        forced const now(level);
        CAPTURE(rs::detail::level_name(level));
        rs::embeddings const e(users.span(), items.span(), items.factors);
        for (std::size_t const threads : {1u, 3u}) {
            options.run.threads = threads;
            bool same = true;
            auto const all = rs::similar_items(e, all_of(items), options);
            for (auto const& [i, list] : all) {
                if (rs::to_size(i) % 7 != 0 && rs::to_size(i) < items.rows - 5) continue;
                same = same && rs::similar_items(e, i, options) == std::vector<rs::scored>(list.begin(), list.end());
            }
            CHECK(same);
        }
    }
}

}

TEST_CASE("joined lists are those of items asked one by one, for even and odd numbers of parts" * doctest::test_suite("slow")) {
    for (std::size_t const n : {40u, 1024u, 1025u, 2100u, 3600u}) {
        check_join(normal_table(n, 5, 2), {.k = 6});
        check_join(coarse_table_of(n, 3, 3), {.k = 9}); // ties, twins and rows of zeros
    }
}
TEST_CASE("joined lists hold rows that the kernels cannot sum, at both ends of the table and inside") {
    auto items = normal_table(1500, 4, 5);
    for (std::size_t const i : {0u, 7u, 700u, 1499u})
        for (std::size_t k = 0; k < 4; ++k) items.row(i)[k] *= i % 2 ? 1e20f : 1e-20f;
    for (std::size_t const i : {3u, 1498u}) std::fill_n(items.row(i), 4, 0.f);
    check_join(items, {.k = 10});
}
TEST_CASE("joined lists obey allow and deny, and long lists are whole") {
    auto const items = normal_table(1200, 3, 5);
    check_join(items, {.k = 5, .deny = rs::item_set{item(0), item(17), item(1199)}});
    check_join(items, {.k = 5, .allow = rs::item_set(all_of(items))});
    check_join(normal_table(70, 3, 5), {.k = 100});
    check_join(normal_table(70, 3, 5), {.k = 1});
}
TEST_CASE("items that come twice, or in another order, have their lists too") {
    auto const items = normal_table(300, 3, 5), users = normal_table(1, 3, 1);
    rs::embeddings const e(users.span(), items.span(), 3);
    auto twice = all_of(items);
    twice.push_back(item(5));
    auto const with_twins = rs::similar_items(e, twice);
    REQUIRE(with_twins.size() == 301);
    std::vector<rs::scored> const first(with_twins[5].list.begin(), with_twins[5].list.end());
    CHECK(first == std::vector<rs::scored>(with_twins[300].list.begin(), with_twins[300].list.end()));
    CHECK(first.size() == 10);
    auto backwards = all_of(items);
    std::reverse(backwards.begin(), backwards.end());
    auto const reversed = rs::similar_items(e, backwards);
    CHECK(reversed[294].of == item(5));
    CHECK(first == std::vector<rs::scored>(reversed[294].list.begin(), reversed[294].list.end()));
}
TEST_CASE("a row that is no number is an error of the join that names the pair") {
    auto items = normal_table(1500, 3, 5);
    auto const users = normal_table(1, 3, 1);
    items.row(1200)[1] = std::numeric_limits<float>::quiet_NaN();
    rs::embeddings const e(users.span(), items.span(), 3);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::similar_items(e, all_of(items))),
                         "similar_items: the similarity of items 0 and 1200 is not a number", rs::data_error);
}
