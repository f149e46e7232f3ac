// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "support/interactions.hpp"

namespace rs = recsys;

namespace {

using entry = rs::matrix_entry<float>;
entry at(std::uint32_t u, std::uint32_t i, float value) { return {rs::user_index{u}, rs::item_index{i}, value}; }
float sum(rs::csr const& m) {
    float out = 0;
    for (auto const v : m.values()) out += v;
    return out;
}

}

TEST_CASE("c16 leave-k-out loses nothing: short rows stay in train, shapes are kept") {
    std::vector<entry> const rows{at(0, 0, 3), at(0, 1, 2), at(0, 2, 1), at(1, 1, 5), at(3, 0, 7), at(3, 3, 1)};
    auto const m = rs::csr_from(rows, {.n_users = 4});
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        auto const [train, test] = rs::leave_k_out(m, {.k = 1, .seed = seed});
        CHECK(test.n_entries() == 2);
        CHECK(test.seen(rs::user_index{0}).size() == 1);
        CHECK(test.seen(rs::user_index{3}).size() == 1);
        CHECK(sum(train) + sum(test) == 19);
        CHECK(train.n_users() == 4);
        CHECK(test.n_users() == 4);
        CHECK(train.n_items() == 4);
        CHECK(test.n_items() == 4);
        CHECK(train.seen(rs::user_index{2}).empty());
        for (auto const u : rs::index_range<rs::user_index>(4))
            for (auto const i : test.seen(u)) CHECK_FALSE(std::binary_search(train.seen(u).begin(), train.seen(u).end(), i));
    }
}

TEST_CASE("c16 a row of exactly k entries stays, k of 0 takes nothing") {
    std::vector<entry> const rows{at(0, 0, 1), at(0, 1, 1), at(1, 0, 1), at(1, 1, 1), at(1, 2, 1)};
    auto const m = rs::csr_from(rows);
    auto const two = rs::leave_k_out(m, {.k = 2});
    CHECK(two.test.seen(rs::user_index{0}).empty());
    CHECK(two.test.seen(rs::user_index{1}).size() == 2);
    CHECK(two.train.n_entries() + two.test.n_entries() == 5);
    CHECK(rs::leave_k_out(m, {.k = 0}).test.n_entries() == 0);
}

TEST_CASE("the choice depends on the seed, and each entry of a row is chosen about as often") {
    std::vector<entry> rows;
    for (std::uint32_t i = 0; i < 5; ++i) rows.push_back(at(0, i, 1));
    auto const m = rs::csr_from(rows);
    std::vector<int> chosen(5);
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        auto const test = rs::leave_k_out(m, {.seed = seed}).test;
        ++chosen[rs::to_size(test.seen(rs::user_index{0})[0])];
    }
    for (auto const n : chosen) {
        CHECK(n > 150);
        CHECK(n < 250);
    }
    auto const big = rs::user_items(recsys_test::interactions_data(40, 30, 600, 2));
    auto const a = rs::leave_k_out(big, {.seed = 1}), b = rs::leave_k_out(big, {.seed = 1});
    CHECK(std::equal(a.test.columns().begin(), a.test.columns().end(), b.test.columns().begin(), b.test.columns().end()));
    CHECK(a.train.provenance().users == big.provenance().users);
}
