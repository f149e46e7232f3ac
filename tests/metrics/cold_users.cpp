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

}

TEST_CASE("the share of each cold user's events that one list covers") {
    // Users 1, 2, 3 are cold. 1 plays 0 twice and 1; 2 plays 2; 3 plays 0 and 1.
    std::vector<play> const log{{0, 0, cut - days{1}}, {0, 1, cut}, {1, 0, cut}, {1, 0, cut},
                                {1, 1, cut},           {2, 2, cut}, {3, 0, cut}, {3, 1, cut}};
    auto const w = rs::split_by_time(rs::ingest(log, rs::columns().user(&play::user).item(&play::track).time(&play::day)), cut);
    auto const seen = rs::user_items(w.train);
    std::vector<rs::item_index> const shown{static_cast<rs::item_index>(0)};
    auto const report = rs::judge_cold_users(w.test, seen, shown);
    CHECK(report.users == 3);
    CHECK(report.events == 6);
    CHECK(report.without_hit == doctest::Approx(1. / 3));
    CHECK(report.share_of_others == doctest::Approx((2. / 3 + 0.5) / 2));
    CHECK(report.recall == doctest::Approx((2. / 3 + 0.5) / 3));
    std::vector<rs::item_index> const wrong{static_cast<rs::item_index>(7)};
    CHECK_THROWS_AS(static_cast<void>(rs::judge_cold_users(w.test, seen, wrong)), rs::data_error);
    auto const other = rs::ingest(std::vector<play>{{7, 8, cut}}, rs::columns().user(&play::user).item(&play::track).time(&play::day));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::judge_cold_users(w.test, rs::user_items(other), shown)), doctest::Contains("other user ids"),
                         rs::data_error);
}

TEST_CASE("without cold users everything is 0") {
    std::vector<play> const log{{0, 0, cut - days{1}}, {0, 1, cut}};
    auto const w = rs::split_by_time(rs::ingest(log, rs::columns().user(&play::user).item(&play::track).time(&play::day)), cut);
    auto const report = rs::judge_cold_users(w.test, rs::user_items(w.train), {});
    CHECK(report.users == 0);
    CHECK(report.recall == 0);
    CHECK(report.without_hit == 0);
}
