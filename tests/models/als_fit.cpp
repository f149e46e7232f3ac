// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "support/brute_force.hpp"
#include "support/dense_als.hpp"
#include "support/interactions.hpp"

namespace rs = recsys;
using namespace brute_force;
using rs::als_solver;

namespace {

rs::csr sample() { return rs::user_items(recsys_test::interactions_data(60, 45, 3000, 7)); }

/// The first users and items of a matrix.
rs::csr corner(rs::csr const& m, std::size_t n_users, std::size_t n_items) {
    std::vector<rs::matrix_entry<float>> rows;
    for (auto const u : users_to(n_users))
        for (std::size_t k = 0; k < m.seen(u).size(); ++k)
            if (rs::to_size(m.seen(u)[k]) < n_items) rows.push_back({u, m.seen(u)[k], m.weights(u)[k]});
    return rs::csr_from(rows, {.n_users = n_users, .n_items = n_items});
}
template <class Scalar> bool same_factors(rs::basic_als_model<Scalar> const& a, rs::basic_als_model<Scalar> const& b) {
    auto const same = [](std::span<Scalar const> x, std::span<Scalar const> y) {
        return std::equal(x.begin(), x.end(), y.begin(), y.end());
    };
    return same(a.user_factors(), b.user_factors()) && same(a.item_factors(), b.item_factors());
}
bool is_zero(std::span<float const> row) {
    return std::all_of(row.begin(), row.end(), [](float x) { return x == 0; });
}

}

TEST_CASE_TEMPLATE("an update solves the users for the old items, then goes on as a fit does", Scalar, float, double) {
    auto const now = sample();
    double const near_enough = std::is_same_v<Scalar, float> ? 1e-4 : 1e-10;
    rs::als_options options{.factors = 5, .regularization = 0.3, .iterations = 4};
    auto const old = rs::basic_als<Scalar>(options).fit(corner(now, 50, 40));
    options.iterations = 1;
    auto const next = rs::basic_als<Scalar>(options).update(old, now);
    CHECK(next.n_users() == 60);
    CHECK(next.n_items() == 45);
    dense_als::problem const problem(now, 1, 0.3);
    dense_als::matrix before = dense_als::matrix::Zero(45, 5);
    before.topRows(40) = dense_als::items_of(old);
    auto const items = problem.items_for(problem.users_for(before));
    CHECK(dense_als::distance(dense_als::items_of(next), items) < near_enough);
    CHECK(dense_als::distance(dense_als::users_of(next), problem.users_for(items)) < near_enough);
    for (auto const u : users_to(60)) CHECK(next.knows(u) == !now.seen(u).empty());
}

TEST_CASE("an iteration of an update is ahead of the first ones of a fresh fit, by every solver") {
    auto const now = sample();
    for (auto const solver : {als_solver::exact, als_solver::cg}) {
        rs::als_options options{.factors = 8, .regularization = 0.1, .iterations = 15, .solver = solver};
        auto const old = rs::als(options).fit(corner(now, 54, 42));
        auto const fresh = rs::als(options).fit(now).report().loss;
        options.iterations = 2;
        auto const loss = rs::als(options).update(old, now).report().loss;
        CHECK(loss[0] < fresh[1]);
        CHECK(loss[1] < fresh[3]);
    }
}

TEST_CASE("an update without anything new is a resume whose users were solved first") {
    auto const now = sample();
    rs::als_options options{.factors = 5, .iterations = 3};
    auto const model = rs::als(options).fit(now);
    CHECK(same_factors(rs::als(options).update(model, now), rs::als(options).resume(model, now))); // exact users stay where they are
}

TEST_CASE("a new user who has only new items, and these, get factors") {
    auto const old = rs::als({.factors = 3, .iterations = 3}).fit(matrix(4, {{0, 1}, {1, 2}, {0, 3}}));
    auto const now = matrix(8, {{0, 1}, {1, 2}, {0, 3}, {4, 5}, {4, 5}, {}, {2, 6}});
    for (auto const solver : {als_solver::exact, als_solver::cg}) {
        auto const next = rs::als({.factors = 3, .iterations = 5, .solver = solver}).update(old, now);
        for (std::size_t const u : {3u, 4u, 6u}) CHECK_FALSE(is_zero(next.factors(user(u))));
        for (std::size_t const i : {4u, 5u, 6u}) CHECK_FALSE(is_zero(next.factors(item(i))));
        CHECK(is_zero(next.factors(user(5))));
        CHECK(is_zero(next.factors(item(7))));
        CHECK_FALSE(next.knows(item(7)));
    }
}

TEST_CASE("an update gives the same bits for any number of threads") {
    auto const now = sample();
    for (auto const solver : {als_solver::exact, als_solver::cg}) {
        rs::als_options options{.factors = 9, .iterations = 2, .solver = solver};
        auto const old = rs::als(options).fit(corner(now, 50, 40));
        options.run.threads = 1;
        auto const once = rs::als(options).update(old, now);
        for (std::size_t const threads : {2u, 7u}) {
            options.run.threads = threads;
            CHECK(same_factors(rs::als(options).update(old, now), once));
        }
    }
}

TEST_CASE("an update from nothing starts afresh; what does not fit is an error") {
    auto const now = matrix(3, {{0, 1}, {1, 2}}, {1, 2, {}});
    rs::als_options const options{.factors = 2, .iterations = 3};
    rs::als const trainer(options);
    auto const nothing = trainer.fit(matrix(2, {{}, {}}));
    CHECK(same_factors(trainer.update(nothing, now), trainer.fit(now)));
    auto const model = trainer.fit(now);
    CHECK_THROWS_WITH_AS(static_cast<void>(trainer.update(model, matrix(4, {{0}}))),
                         "als: update: the model has 2 users and 3 items, expected a matrix of no fewer, got 1 and 4", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(trainer.update(model, matrix(2, {{0}, {1}}))),
                         doctest::Contains("expected a matrix of no fewer"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::als({.factors = 3}).update(model, now)),
                         "als: update: factors must be those of the model, 2, got 3", rs::option_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(trainer.update(model, matrix(3, {{0, 1}, {1, 2}, {0}}, {5, 6, {}}))),
                         doctest::Contains("other item ids"), rs::data_error); // the items have not grown
    CHECK(trainer.update(model, matrix(4, {{0, 1}, {1, 2}, {3}}, {5, 6, {}})).n_items() == 4);
    // Without the new users and items resume does not take it.
    CHECK_THROWS_AS(static_cast<void>(trainer.resume(model, matrix(4, {{0, 1}, {1, 2}}))), rs::data_error);
}

TEST_CASE_TEMPLATE("relaxed iterations are those of a dense solve, and the users of the model the solution for its items", Scalar, float,
                   double) {
    auto const seen = sample();
    double const near_enough = std::is_same_v<Scalar, float> ? 1e-4 : 1e-10;
    for (bool const biases : {false, true}) {
        rs::als_options options{.factors = 5, .regularization = 0.3, .alpha = 5, .biases = biases, .iterations = 1};
        dense_als::problem const problem(seen, options);
        auto const start = rs::basic_als<Scalar>(options).fit(seen);
        options.iterations = 4, options.relaxation = 1.6;
        auto const model = rs::basic_als<Scalar>(options).resume(start, seen);
        dense_als::matrix users = dense_als::users_of(start), items = dense_als::items_of(start), solved;
        for (std::size_t n = 0; n < 4; ++n) {
            double const share = n == 0 ? 1 : 1.6;
            items += share * (problem.items_for(users) - items);
            solved = problem.users_for(items);
            CHECK(model.report().loss[n] == doctest::Approx(problem.loss(solved, items)).epsilon(near_enough));
            users += share * (solved - users);
        }
        CHECK(dense_als::distance(dense_als::users_of(model), solved) < near_enough);
        CHECK(dense_als::distance(dense_als::items_of(model), items) < near_enough);
        // Watched, the same bits; and so is a model that a watcher has seen.
        std::vector<rs::basic_als_model<Scalar>> models;
        auto const watched = rs::basic_als<Scalar>(options).resume(
            start, seen, {.watch = [&](rs::als_moment<Scalar> const& now) { models.push_back(now.model); }});
        CHECK(same_factors(watched, model));
        options.iterations = 3;
        CHECK(same_factors(models[2], rs::basic_als<Scalar>(options).resume(start, seen)));
    }
}

TEST_CASE("a fit that is stopped solves its users again, by every solver; relaxed ones are ahead of plain ones") {
    auto const seen = sample();
    for (auto const solver : {als_solver::exact, als_solver::cg}) {
        rs::als_options options{.factors = 6, .regularization = 0.3, .iterations = 9, .solver = solver};
        auto const whole = rs::als(options).fit(seen).report().loss;
        options.run.progress = [](rs::progress const& p) { return p.done < 5; };
        auto const part = rs::als(options).fit(seen);
        REQUIRE(part.report().loss.size() == 5);
        CHECK(part.report().loss.back() <= whole[4]); // conjugate gradients come nearer
        dense_als::problem const problem(seen, 1, 0.3);
        CHECK(part.report().loss.back() ==
              doctest::Approx(problem.loss(dense_als::users_of(part), dense_als::items_of(part))).epsilon(1e-5));
        CHECK(dense_als::distance(dense_als::users_of(part), problem.users_for(dense_als::items_of(part))) < 1e-2);
        options.run.progress = {}, options.relaxation = 1;
        auto const plain = rs::als(options).fit(seen).report().loss;
        CHECK(whole[0] == plain[0]);
        CHECK(whole[6] < plain[8]);
    }
}
