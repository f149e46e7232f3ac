// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <chrono>
#include <vector>

namespace rs = recsys;
using namespace std::chrono;

namespace {

struct play {
    int user, track;
    sys_days day;
};
sys_days const cut = 2024y / 6 / 1;
constexpr rs::item_index item(std::size_t i) { return static_cast<rs::item_index>(i); }
constexpr rs::user_index user(std::size_t u) { return static_cast<rs::user_index>(u); }

}

TEST_CASE("the source's definitions alone, on ranges and iterators") {
    std::vector<int> const list{1, 2, 3}, liked{3, 9};
    CHECK(rs::source_precision(5)(list, liked) == doctest::Approx(1. / 3)); // ours divides by 5
    CHECK(rs::source_precision(2)(list.begin(), list.end(), liked.begin(), liked.end()) == 0);
    CHECK(rs::source_precision(5)(std::vector<int>{}, liked) == 0);
    CHECK(rs::source_precision(5).name() == "source_precision@5");
    std::vector<std::vector<int>> const lists{{1, 2, 3}, {}, {2, 4}};
    CHECK(rs::source_coverage(5)(lists) == 2); // four items, two users
    CHECK(rs::source_coverage(1)(lists.begin(), lists.end()) == 1);
    CHECK(rs::source_coverage(1)(std::vector<std::vector<int>>{}) == 0);
}

TEST_CASE("the source divides hits by what was listed, an empty truth counts as 0, coverage is items per user") {
    // Past: 0 {0, 3}, 1 {1}. Truth: 0 {0, 2}; user 1 has none, user 2 has no list.
    std::vector<play> const log{{0, 0, cut - days{1}}, {0, 3, cut - days{1}}, {1, 1, cut - days{1}}, {0, 0, cut}, {0, 2, cut}, {2, 1, cut}};
    auto const w = rs::split_by_time(rs::ingest(log, rs::columns().user(&play::user).item(&play::track).time(&play::day)), cut);
    rs::lists const given({user(0), user(1), user(2)}, {3, 4, 4}, {{item(0), 3}, {item(1), 2}, {item(3), 1}, {item(1), 1}});
    auto const m = rs::judge_by_source(given, w.test, rs::user_items(w.train), {.k = 2, .coverage_depth = 3});
    CHECK(m.users == 2);
    CHECK(m.precision == doctest::Approx((1. / 2 + 0) / 2));
    CHECK(m.recall == doctest::Approx((1. / 2 + 0) / 2));
    CHECK(m.coverage == doctest::Approx(3. / 2));
    CHECK(m.novelty == doctest::Approx((0.5 + 0) / 2));
    CHECK_THROWS_AS(static_cast<void>(rs::judge_by_source(given, w.test, rs::user_items(w.train), {.k = 0})), rs::option_error);
    CHECK(rs::judge_by_source(rs::lists(), w.test, rs::user_items(w.train)).users == 0);

    struct makes_rows {
        rs::csr of;
        std::vector<rs::item_index> seen(rs::user_index u) const {
            auto const row = of.seen(u);
            return {row.begin(), row.end()};
        }
    };
    CHECK(rs::judge_by_source(given, w.test, makes_rows{rs::user_items(w.train)}, {.k = 2}).novelty == m.novelty);
    rs::lists const wrong({user(0)}, {1}, {{item(99), 1}});
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::judge_by_source(wrong, w.test, rs::user_items(w.train))), doctest::Contains("item 99"),
                         rs::data_error);
    rs::lists const foreign({user(0)}, {1}, {{item(0), 1}}, {7, 8, {}});
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::judge_by_source(foreign, w.test, rs::user_items(w.train))),
                         doctest::Contains("other user ids"), rs::data_error);
}
