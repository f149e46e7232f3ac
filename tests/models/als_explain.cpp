// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "support/brute_force.hpp"
#include "support/dense_als.hpp"
#include "support/interactions.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

template <class Scalar> rs::basic_als_model<Scalar> two_factor_items() {
    rs::als_parts<Scalar> parts;
    parts.n_users = 1, parts.n_items = 2, parts.n_factors = 2, parts.alpha = 1, parts.regularization = 0.1;
    parts.user_factors = {Scalar{0}, Scalar{0}};
    parts.item_factors = {Scalar{1}, Scalar{0}, Scalar{1}, Scalar{1}};
    return rs::basic_als_model<Scalar>(parts);
}

}

TEST_CASE_TEMPLATE("contributions add up to the score, for every user and item of an exact model", Scalar, float, double) {
    auto const seen = rs::user_items(recsys_test::interactions_data(40, 30, 900, 4));
    double const near_enough = std::is_same_v<Scalar, float> ? 1e-3 : 1e-9;
    for (double const alpha : {1.0, 40.0}) {
        auto const model = rs::basic_als<Scalar>({.factors = 6, .regularization = 0.2, .alpha = alpha, .iterations = 4}).fit(seen);
        for (std::size_t u = 0; u < 40; ++u)
            for (std::size_t i = 0; i < 30; ++i) {
                auto const why = rs::explain(model, user(u), item(i), seen, {.k = 1000});
                double sum = 0, score = 0;
                for (auto const& one : why.contributions) sum += static_cast<double>(one.score);
                for (std::size_t j = 0; j < 6; ++j)
                    score += static_cast<double>(model.factors(user(u))[j]) * static_cast<double>(model.factors(item(i))[j]);
                CHECK(why.score == doctest::Approx(score).epsilon(near_enough).scale(1));
                CHECK(sum == doctest::Approx(why.score).epsilon(1e-5).scale(1));
                CHECK(why.contributions.size() == seen.seen(user(u)).size());
            }
    }
}

TEST_CASE("each contribution is c p y' inv(Y'CY + lambda I) y of the item, computed densely") {
    auto const seen = rs::user_items(recsys_test::interactions_data(20, 15, 200, 6));
    auto const model = rs::basic_als<double>({.factors = 4, .regularization = 0.3, .alpha = 5, .iterations = 3}).fit(seen);
    auto const y = dense_als::items_of(model);
    dense_als::problem const problem(seen, 5, 0.3);
    for (Eigen::Index u = 0; u < 20; ++u) {
        dense_als::matrix const a = y.transpose() * problem.c.row(u).asDiagonal() * y + 0.3 * dense_als::matrix::Identity(4, 4);
        dense_als::vector const direction = a.ldlt().solve(dense_als::vector(y.row(7)));
        for (auto const& [past, part] : rs::explain(model, user(static_cast<std::size_t>(u)), item(7), seen, {.k = 100}).contributions) {
            auto const i = static_cast<Eigen::Index>(rs::to_size(past));
            CHECK(part == doctest::Approx(problem.c(u, i) * problem.p(u, i) * y.row(i).dot(direction)).epsilon(1e-5).scale(0.01));
        }
    }
}

TEST_CASE_TEMPLATE("c31 a disliked item adds nothing itself but bends what the others add; a stored zero is not listed", Scalar, float,
                   double) {
    auto const model = two_factor_items<Scalar>();
    // A = (8.1 4; 4 4.1), b = (4, 0): the scores of c31.
    auto const folded = model.fold_in(rs::history({{item(0), 3}, {item(1), -3}}));
    auto const why = rs::explain(model, folded, item(1));
    CHECK(why.score == doctest::Approx(0.023242).epsilon(1e-4));
    REQUIRE(why.contributions.size() == 2);
    CHECK(why.contributions[0].item == item(0));
    CHECK(static_cast<double>(why.contributions[0].score) == doctest::Approx(0.023242).epsilon(1e-4));
    CHECK(why.contributions[1] == rs::scored{item(1), 0});
    auto const zero = rs::explain(model, model.fold_in(rs::history({{item(0), 3}, {item(1), 0}})), item(1));
    CHECK(zero.contributions.size() == 1);
    CHECK(zero.score == doctest::Approx(0.086768).epsilon(1e-4));
}

TEST_CASE("the best k are listed, ties by the smaller item, and the score is that of all") {
    rs::als_parts<double> parts; // three items that are the same
    parts.n_users = 1, parts.n_items = 4, parts.n_factors = 1;
    parts.user_factors = {0.0}, parts.item_factors = {1.0, 1.0, 1.0, 2.0};
    rs::basic_als_model<double> const model(parts);
    auto const folded = model.fold_in(std::vector{item(2), item(1), item(0)});
    auto const why = rs::explain(model, folded, item(3), {.k = 2});
    CHECK(items_of(why.contributions) == some_items({0, 1}));
    CHECK(why.score == doctest::Approx(3 * static_cast<double>(why.contributions[0].score)));
    CHECK(rs::explain(model, folded, item(3), {.k = 0}).contributions.empty());
}

TEST_CASE("a user without history has nothing to explain; what does not fit is an error") {
    auto const data = recsys_test::interactions_data(20, 15, 200, 6);
    auto const seen = rs::user_items(data);
    auto const model = rs::als({.factors = 4, .iterations = 2}).fit(seen);
    auto const nothing = rs::explain(model, model.fold_in(rs::history()), item(3));
    CHECK(nothing.score == 0);
    CHECK(nothing.contributions.empty());
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::explain(model, user(20), item(0), seen)), "explain: user 20, there are 20", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::explain(model, user(0), item(15), seen)), "als: item 15, there are 15 items",
                         rs::data_error);
    auto const other = rs::user_items(recsys_test::interactions_data(20, 16, 200, 6));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::explain(model, user(0), item(0), other)), doctest::Contains("other item ids"),
                         rs::data_error);
}
