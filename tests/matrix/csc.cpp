// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/interactions.hpp"

namespace rs = recsys;

namespace {

rs::csr sample() { return rs::user_items(recsys_test::interactions_data(37, 23, 400, 3)); }

template <class A, class B> bool same(A const& a, B const& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}

TEST_CASE("the transpose holds each entry once, by item, users rising") {
    auto const m = sample();
    auto const t = rs::transpose(m);
    CHECK(t.n_users() == 37);
    CHECK(t.n_items() == 23);
    CHECK(t.n_entries() == m.n_entries());
    CHECK(t.provenance().users == m.provenance().users);
    CHECK(t.as_of() == m.as_of());
    std::vector<std::vector<float>> dense(37, std::vector<float>(23)), back = dense;
    for (auto const u : rs::index_range<rs::user_index>(37))
        for (std::size_t i = 0; i < m.seen(u).size(); ++i) dense[rs::to_size(u)][rs::to_size(m.seen(u)[i])] = m.weights(u)[i];
    for (auto const i : rs::index_range<rs::item_index>(23)) {
        CHECK(std::is_sorted(t.users(i).begin(), t.users(i).end()));
        for (std::size_t k = 0; k < t.users(i).size(); ++k) back[rs::to_size(t.users(i)[k])][rs::to_size(i)] = t.weights(i)[k];
    }
    CHECK(dense == back);
    CHECK(t.users(rs::item_index{23}).empty());
}

TEST_CASE("transposing twice gives the same arrays") {
    auto const m = sample();
    auto const twice = rs::transpose(rs::transpose(m));
    CHECK(same(twice.offsets(), m.offsets()));
    CHECK(same(twice.columns(), m.columns()));
    CHECK(same(twice.values(), m.values()));
    CHECK(rs::transpose(rs::csr()).n_entries() == 0);
}

TEST_CASE("arrays by item that are no matrix are errors that name the item") {
    using rs::user_index;
    auto const made = [](std::vector<std::int64_t> offsets, std::vector<user_index> rows, std::vector<double> values) {
        return rs::basic_csc<double>(2, 2, rs::detail::shared_array<std::int64_t>(std::move(offsets)),
                                     rs::detail::shared_array<user_index>(std::move(rows)),
                                     rs::detail::shared_array<double>(std::move(values)));
    };
    auto const right = made({0, 0, 2}, {user_index{0}, user_index{1}}, {1, 2});
    CHECK(right.weights(rs::item_index{1})[1] == 2);
    CHECK_THROWS_AS(made({0, 2}, {user_index{0}, user_index{1}}, {1, 2}), rs::data_error);
    CHECK_THROWS_WITH_AS(made({0, 3, 2}, {user_index{0}, user_index{1}}, {1, 2}), doctest::Contains("item 0"), rs::data_error);
    CHECK_THROWS_WITH_AS(made({0, 0, 1}, {user_index{2}}, {1}), doctest::Contains("item 1 has user 2"), rs::data_error);
    CHECK_THROWS_WITH_AS(made({0, 0, 2}, {user_index{1}, user_index{1}}, {1, 2}), doctest::Contains("rise strictly"), rs::data_error);
    CHECK_THROWS_WITH_AS(made({0, 1, 1}, {user_index{1}}, {std::numeric_limits<double>::quiet_NaN()}), doctest::Contains("not finite"),
                         rs::data_error);
}
