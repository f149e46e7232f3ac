// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <span>
#include <vector>

#include "support/brute_force.hpp"
#include "support/factor_tables.hpp"

namespace rs = recsys;
using namespace brute_force;
using namespace factor_tables;

TEST_CASE("minus the distance, worked by hand: equal rows are 0 apart, the nearest come first") {
    std::vector<float> const users{0, 0, 3, 4}, items{3, 4, 0, 0, 6, 8, -3, -4, 3, 4};
    rs::embeddings const e(users, items, 2, rs::similarity::euclidean);
    CHECK(e.similarity() == rs::similarity::euclidean);
    std::vector<float> out(5);
    e.score(user(0), std::span<float>(out));
    CHECK(out == std::vector<float>{-5, 0, -10, -5, -5});
    CHECK(items_of(rs::recommend(e, user(0), rs::nothing_seen)) == some_items({1, 0, 3, 4, 2}));
    CHECK(rs::recommend(e, user(1), rs::nothing_seen, {.k = 2}) == std::vector<rs::scored>{{item(0), 0}, {item(4), 0}});
    CHECK(rs::similar_items(e, item(0), {.k = 2, .similarity = rs::similarity::euclidean}) ==
          std::vector<rs::scored>{{item(4), 0}, {item(1), -5}});
    CHECK(e.knows(item(1))); // a zero vector is a place like any other
}

TEST_CASE("distances do not leave the range of float where their squares do") {
    std::vector<float> const users{0, 0}, items{3e25f, 4e25f, 3e-25f, 4e-25f};
    for (auto const level : levels()) {
        forced const now(level);
        rs::embeddings const e(users, items, 2, rs::similarity::euclidean);
        std::vector<float> out(2);
        e.score(user(0), std::span<float>(out));
        CHECK(out[0] == doctest::Approx(-5e25));
        CHECK(std::abs(out[1] / -5e-25f - 1) < 1e-6f);
    }
}

TEST_CASE("a pair has the same bits from either side and by every door") {
    auto const a = normal_table(30, 21, 1), b = normal_table(40, 21, 2);
    for (auto const level : levels()) {
        forced const now(level);
        for (auto const by : {rs::similarity::dot, rs::similarity::cosine, rs::similarity::euclidean}) {
            rs::embeddings const ab(a.span(), b.span(), 21, by), ba(b.span(), a.span(), 21, by);
            std::size_t differ = 0;
            for (std::size_t u = 0; u < 30; ++u) {
                std::vector<float> row(40), one(1), back(30);
                ab.score(user(u), std::span<float>(row));
                for (std::size_t i = 0; i < 40; ++i) {
                    ab.score(user(u), some_items({i}), std::span<float>(one));
                    ba.score(user(i), std::span<float>(back));
                    differ += one[0] != row[i] || back[u] != row[i];
                }
            }
            CHECK(differ == 0);
        }
    }
}
