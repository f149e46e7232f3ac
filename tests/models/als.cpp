// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "support/brute_force.hpp"
#include "support/dense_als.hpp"
#include "support/interactions.hpp"
#include "support/model_contract.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

rs::csr sample() { return rs::user_items(recsys_test::interactions_data(60, 45, 1500, 7)); }

template <class Scalar> bool same_factors(rs::basic_als_model<Scalar> const& a, rs::basic_als_model<Scalar> const& b) {
    auto const same = [](std::span<Scalar const> x, std::span<Scalar const> y) {
        return std::equal(x.begin(), x.end(), y.begin(), y.end());
    };
    return same(a.user_factors(), b.user_factors()) && same(a.item_factors(), b.item_factors());
}
template <class Scalar> bool all_finite(rs::basic_als_model<Scalar> const& model) {
    auto const finite = [](std::span<Scalar const> x) {
        return std::all_of(x.begin(), x.end(), [](Scalar v) { return std::isfinite(v); });
    };
    return finite(model.user_factors()) && finite(model.item_factors());
}
template <class Scalar> double loss_of(rs::basic_als_model<Scalar> const& model, dense_als::problem const& problem) {
    return problem.loss(dense_als::users_of(model), dense_als::items_of(model));
}
rs::csr entries(std::vector<rs::matrix_entry<float>> const& rows, std::size_t users, std::size_t items) {
    return rs::csr_from(rows, {.n_users = users, .n_items = items});
}
template <class Index> bool is_zero(std::span<Index const> row) {
    return std::all_of(row.begin(), row.end(), [](Index x) { return x == 0; });
}

}

TEST_CASE_TEMPLATE("the users of a fit are the dense solution for its items, and each iteration's items that of the users before", Scalar,
                   float, double) {
    auto const seen = sample();
    for (std::size_t const factors : {1u, 8u, 50u})
        for (double const alpha : {0.0, 1.0, 40.0}) {
            dense_als::problem const problem(seen, alpha, 0.3);
            // Fifty factors of 45 items are badly conditioned.
            double const near_enough = (std::is_same_v<Scalar, float> ? 2e-5 : 1e-11) * (factors == 50 ? 50 : 1);
            rs::als_options const options{.factors = factors, .regularization = 0.3, .alpha = alpha, .iterations = 3, .seed = 5};
            auto const model = rs::basic_als<Scalar>(options).fit(seen);
            CAPTURE(factors);
            CAPTURE(alpha);
            CHECK(dense_als::distance(dense_als::users_of(model), problem.users_for(dense_als::items_of(model))) < near_enough);
            auto next = options;
            next.iterations = 1;
            auto const later = rs::basic_als<Scalar>(next).resume(model, seen);
            CHECK(dense_als::distance(dense_als::items_of(later), problem.items_for(dense_als::users_of(model))) < near_enough);
        }
}

TEST_CASE_TEMPLATE("the loss of each iteration is the sum over every pair, and an exact fit never raises it", Scalar, float, double) {
    std::vector<rs::matrix_entry<double>> rows; // with a stored zero and a negative weight here and there
    auto const log = recsys_test::interactions(30, 25, 400, 9);
    for (std::size_t k = 0; k < log.size(); ++k)
        rows.push_back({user(static_cast<std::size_t>(log[k].user)), item(static_cast<std::size_t>(log[k].item)),
                        k % 11 == 0 ? 0.0 : (k % 7 == 0 ? -1.25 : 1.0) * static_cast<double>(log[k].count)});
    auto const m = rs::csr_from(rows, {.duplicates = rs::duplicates::first, .n_users = 30, .n_items = 25});
    REQUIRE(m.report().stored_zeros > 5);
    REQUIRE(m.report().negatives > 5);
    double const near_enough = std::is_same_v<Scalar, float> ? 1e-5 : 1e-11;
    for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg})
        for (double const lambda : {0.01, 20.0}) {
            dense_als::problem const problem(m, 10, lambda);
            rs::als_options options{.factors = 6, .regularization = lambda, .alpha = 10, .iterations = 8, .solver = solver, .seed = 2};
            auto const whole = rs::basic_als<Scalar>(options).fit(m);
            auto const& losses = whole.report().loss;
            REQUIRE(losses.size() == 8);
            for (std::size_t n = 1; n <= 8; ++n) {
                options.iterations = n;
                auto const model = rs::basic_als<Scalar>(options).fit(m);
                CHECK(model.report().loss.back() == losses[n - 1]);
                CHECK(losses[n - 1] == doctest::Approx(loss_of(model, problem)).epsilon(near_enough));
                if (n > 1) CHECK(losses[n - 1] <= losses[n - 2] * (1 + near_enough));
            }
        }
}

TEST_CASE("a matrix of rank one is found") {
    // Users 0 to 9 took items 0 to 4, the others items 5 to 9.
    std::vector<std::vector<std::size_t>> rows;
    for (std::size_t u = 0; u < 20; ++u)
        rows.push_back(u < 10 ? std::vector<std::size_t>{0, 1, 2, 3, 4} : std::vector<std::size_t>{5, 6, 7, 8, 9});
    auto const model = rs::basic_als<double>({.factors = 2, .regularization = 1e-6, .iterations = 30}).fit(matrix(10, rows));
    for (std::size_t u = 0; u < 20; ++u) {
        auto const scores = model_contract::scores_of(model, user(u));
        for (std::size_t i = 0; i < 10; ++i) CHECK(scores[i] == doctest::Approx((u < 10) == (i < 5) ? 1 : 0).epsilon(1e-4));
    }
}

TEST_CASE("c19 a stored zero changes no factor, counts as seen and is reported") {
    std::vector<rs::matrix_entry<float>> rows{{user(0), item(1), 2}, {user(1), item(0), 1}, {user(1), item(1), 3}, {user(2), item(0), 1}};
    auto const without = entries(rows, 3, 3);
    rows.push_back({user(0), item(0), 0}), rows.push_back({user(2), item(2), 0});
    auto const with = entries(rows, 3, 3);
    for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
        rs::als_options const options{.factors = 2, .iterations = 4, .solver = solver};
        auto const a = rs::als(options).fit(with), b = rs::als(options).fit(without);
        CHECK(same_factors(a, b));
        CHECK(a.report().loss == b.report().loss);
        CHECK(a.knows(item(2)));
        CHECK_FALSE(b.knows(item(2)));
        CHECK(is_zero(a.factors(item(2))));
    }
    CHECK(with.report().stored_zeros == 2);
    CHECK(rs::als({.factors = 2}).fit(with).report().warnings.empty());
    // More zeros than values: what a cast to small integers leaves of ratings in [0, 1].
    auto const truncated =
        rs::map_values(sample(), [](rs::user_index u, rs::item_index, float) { return static_cast<std::int8_t>(rs::to_size(u) % 3 == 0); });
    auto const warnings = rs::als({.factors = 2, .iterations = 1}).fit(truncated).report().warnings;
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("were the values truncated") != std::string::npos);
}

TEST_CASE("c22 users are rows and items columns, whatever the numbers") {
    auto const model = rs::als({.factors = 4, .iterations = 2}).fit(matrix(3, {{2}, {0, 1}}));
    CHECK(model.n_users() == 2);
    CHECK(model.n_items() == 3);
    CHECK(model.user_factors().size() == 2 * 4);
    CHECK(model.item_factors().size() == 3 * 4);
    CHECK(model.user_matrix().rows() == 2);
    CHECK(model.item_matrix().rows() == 3);
    CHECK(rs::similar_items(model, item(2)).size() == 2);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(model, user(2), rs::nothing_seen)), doctest::Contains("user 2"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(model.factors(user(2))), "als: user 2, there are 2 users", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(model.factors(item(3))), "als: item 3, there are 3 items", rs::data_error);
    static_assert(!std::is_convertible_v<rs::user_index, rs::item_index>);
    for (auto const& one : rs::recommend(model, user(0), rs::nothing_seen)) CHECK(rs::to_size(one.item) < 3);
}

TEST_CASE("c29 more factors than data: finite with regularization, a clear error without, by every solver") {
    auto const identity = matrix(4, {{0}, {1}, {2}, {3}});
    for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
        rs::als_options options{.factors = 6, .regularization = 0.01, .solver = solver};
        CHECK(all_finite(rs::als(options).fit(identity)));
        CHECK(all_finite(rs::basic_als<double>(options).fit(identity)));
        options.regularization = 0;
        CHECK_THROWS_WITH_AS(
            static_cast<void>(rs::als(options).fit(identity)),
            "als: the Gramian of the user factors is singular with regularization 0 and 6 factors (fewer independent rows than "
            "factors?); set regularization above 0 or take fewer factors",
            rs::data_error);
        options.factors = 3; // few enough
        CHECK(all_finite(rs::als(options).fit(identity)));
    }
}

TEST_CASE("c30 nothing to find: factors of zero or nearly zero, by every solver") {
    auto const one = matrix(40, {std::vector<std::size_t>{0}, {1, 2}});
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < 40; ++i) all.push_back(i);
    auto const wide = matrix(40, {all, all}); // long enough to be solved by conjugate gradients
    auto const disliked = rs::map_values(wide, [](rs::user_index, rs::item_index, float) { return -1; });
    for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
        for (auto const& m : {one, wide}) {
            auto const model = rs::als({.factors = 3, .regularization = 1e30, .solver = solver, .cg_steps = 20}).fit(m);
            REQUIRE(all_finite(model));
            for (auto const x : model.user_factors()) CHECK(std::abs(x) < 1e-10);
        }
        auto const model = rs::als({.factors = 3, .solver = solver, .cg_steps = 20}).fit(disliked); // every preference is 0
        CHECK(is_zero(model.item_factors()));
        CHECK(is_zero(model.user_factors()));
        CHECK(model.report().loss.back() == 0);
    }
}

TEST_CASE("c33 users and items without entries have factors of exactly zero and are not known") {
    auto const seen = matrix(3, {{0}, {}, {0, 2}});
    for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
        auto const model = rs::als({.factors = 5, .iterations = 3, .solver = solver}).fit(seen);
        CHECK(is_zero(model.factors(user(1))));
        CHECK(is_zero(model.factors(item(1))));
        CHECK_FALSE(is_zero(model.factors(user(2))));
        CHECK_FALSE(model.knows(user(1)));
        CHECK_FALSE(model.knows(item(1)));
        CHECK_FALSE(model.knows(user(3)));
        CHECK_FALSE(model.knows(item(3)));
        CHECK(model.knows(user(0)));
        CHECK(model.knows(item(2)));
        CHECK(rs::recommend(model, user(1), seen).empty());
        for (auto const& one : rs::recommend(model, user(0), seen, {.include_seen = true})) CHECK(one.item != item(1));
    }
}

TEST_CASE("c34 the same seed gives the same file for any number of threads, another seed another one") {
    auto const seen = rs::user_items(recsys_test::interactions_data(50, 40, 900, 3));
    for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
        auto const file = [&](std::size_t threads, std::uint64_t seed) {
            return model_contract::saved(
                rs::als({.factors = 10, .iterations = 4, .solver = solver, .seed = seed, .run = {.threads = threads}}).fit(seen));
        };
        auto const once = file(1, 7);
        for (std::size_t const threads : {1u, 2u, 4u, 7u, 8u}) CHECK(file(threads, 7) == once);
        CHECK(file(1, 8) != once);
    }
}

TEST_CASE("the same bits for any number of threads also where rows are long and blocks are many") {
    rs::random_stream random(5);
    std::vector<std::vector<std::size_t>> rows(20000);
    for (auto& row : rows)
        for (std::size_t i = 0; i < 12; ++i)
            if (random.below(1 + i) == 0) row.push_back(i); // item 0 has every user, item 1 half of them
    auto const seen = matrix(12, rows);
    auto const fit = [&](std::size_t threads) { return rs::als({.factors = 3, .iterations = 2, .run = {.threads = threads}}).fit(seen); };
    auto const once = fit(1);
    CHECK(same_factors(once, fit(2)));
    CHECK(same_factors(once, fit(7)));
    dense_als::problem const problem(seen, 1, 0.01);
    CHECK(once.report().loss.back() == doctest::Approx(loss_of(once, problem)).epsilon(1e-6));
}

TEST_CASE("a user's start depends on the seed and his number alone") {
    auto const few = matrix(4, {{0, 1}, {2, 3}});
    auto const many = matrix(4, {{0, 1}, {2, 3}, {}, {}});
    rs::als_options const options{.factors = 2, .iterations = 3, .seed = 11};
    auto const a = rs::als(options).fit(few), b = rs::als(options).fit(many);
    CHECK(std::equal(a.user_factors().begin(), a.user_factors().end(), b.user_factors().begin()));
}

TEST_CASE("any type of value will do, and keeps its precision") {
    auto const seen = sample();
    auto const small_ones =
        rs::map_values(seen, [](rs::user_index, rs::item_index, float r) { return static_cast<std::int8_t>(std::min(r, 100.f)); });
    auto const back = rs::map_values(small_ones, [](rs::user_index, rs::item_index, std::int8_t r) { return static_cast<float>(r); });
    rs::als_options const options{.factors = 4, .iterations = 3};
    CHECK(same_factors(rs::als(options).fit(small_ones), rs::als(options).fit(back)));
    auto const fine = rs::basic_als<double>(options).fit(seen);
    auto const coarse = rs::als(options).fit(seen);
    CHECK(coarse.report().loss.back() == doctest::Approx(fine.report().loss.back()).epsilon(1e-4));
    CHECK(dense_als::distance(dense_als::items_of(coarse), dense_als::items_of(fine)) < 1e-3);
    // In double a weight of 1e-9 beside 1 is not lost.
    auto const tiny = rs::csr_from(std::vector<rs::matrix_entry<double>>{{user(0), item(0), 1 + 1e-9}, {user(1), item(0), 1}});
    auto const told = rs::basic_als<double>({.factors = 1, .regularization = 0.1, .iterations = 2}).fit(tiny);
    CHECK(told.user_factors()[0] != told.user_factors()[1]);
}

TEST_CASE("progress tells each iteration and its loss; false before the first is cancelled, later gives the last whole one") {
    auto const seen = sample();
    std::vector<std::uint64_t> done;
    std::vector<double> losses;
    rs::als_options options{.factors = 4, .iterations = 4};
    options.run.progress = [&](rs::progress const& p) {
        CHECK(p.stage == "als");
        CHECK(p.total == 4);
        done.push_back(p.done), losses.push_back(p.loss);
    };
    auto const whole = rs::als(options).fit(seen);
    CHECK(done == std::vector<std::uint64_t>{0, 1, 2, 3, 4});
    CHECK(std::isnan(losses[0]));
    CHECK(std::equal(losses.begin() + 1, losses.end(), whole.report().loss.begin(), whole.report().loss.end()));
    CHECK_FALSE(whole.report().stopped);
    options.run.progress = [](rs::progress const& p) { return p.done < 2; };
    auto const part = rs::als(options).fit(seen);
    CHECK(part.report().stopped);
    CHECK(part.report().loss.size() == 2);
    options.run.progress = {}, options.iterations = 2;
    CHECK(same_factors(part, rs::als(options).fit(seen)));
    options.run.progress = [](rs::progress const&) { return false; };
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::als(options).fit(seen)), "als: stopped by the progress callback after 0 of 2",
                         rs::cancelled);
}

TEST_CASE("tolerance stops where an iteration gains less than its share") {
    auto const seen = sample();
    rs::als_options options{.factors = 4, .iterations = 200, .tolerance = 0.001};
    auto const loss = rs::als(options).fit(seen).report().loss;
    REQUIRE(loss.size() > 2);
    REQUIRE(loss.size() < 200);
    for (std::size_t n = 1; n + 1 < loss.size(); ++n) CHECK(loss[n - 1] - loss[n] >= 0.001 * loss[n - 1]);
    CHECK(loss[loss.size() - 2] - loss.back() < 0.001 * loss[loss.size() - 2]);
}

TEST_CASE("resume of plain ALS goes on as if there had been no break, by every solver") {
    auto const seen = sample();
    for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
        rs::als_options options{.factors = 5, .iterations = 5, .solver = solver, .relaxation = 1};
        auto const whole = rs::als(options).fit(seen);
        options.iterations = 2;
        auto const first = rs::als(options).fit(seen);
        options.iterations = 3;
        auto const second = rs::als(options).resume(first, seen);
        CHECK(same_factors(whole, second));
        CHECK(second.report().loss.size() == 3);
        CHECK(second.report().loss.front() < first.report().loss.back());
        CHECK(second.report().loss.back() == whole.report().loss.back());
    }
}

TEST_CASE("resume on a later matrix is ahead of a fresh start, and knows who is new") {
    auto const data = recsys_test::interactions_data(60, 45, 1500, 7);
    auto const before = data.before(*data.as_of() - std::chrono::hours(30));
    auto const old = rs::als({.factors = 6, .iterations = 20}).fit(rs::user_items(before));
    auto const now = rs::user_items(data);
    rs::als const once({.factors = 6, .iterations = 1});
    auto const warm = once.resume(old, now), cold = once.fit(now);
    CHECK(warm.report().loss[0] < cold.report().loss[0]);
    CHECK(warm.as_of() == data.as_of());
    for (auto const u : users_to(60)) CHECK(warm.knows(u) == !now.seen(u).empty());
}

TEST_CASE("resume from a model that has learned nothing starts afresh; one that does not fit is an error") {
    auto const seen = matrix(3, {{0, 1}, {1, 2}});
    rs::als_options const options{.factors = 2, .iterations = 3};
    auto const nothing = rs::als(options).fit(matrix(3, {{}, {}}));
    CHECK(is_zero(nothing.user_factors()));
    CHECK(same_factors(rs::als(options).resume(nothing, seen), rs::als(options).fit(seen)));
    auto const model = rs::als(options).fit(seen);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::als(options).resume(model, matrix(4, {{0}, {1}}))),
                         "als: resume: the model has 2 users and 3 items, the matrix 2 and 4", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::als({.factors = 3}).resume(model, seen)),
                         "als: resume: factors must be those of the model, 2, got 3", rs::option_error);
    auto const theirs = rs::als(options).fit(matrix(3, {{0, 1}, {1, 2}}, {1, 2, {}}));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::als(options).resume(theirs, matrix(3, {{0, 1}, {1, 2}}, {1, 3, {}}))),
                         doctest::Contains("other item ids"), rs::data_error);
}

TEST_CASE("a matrix without users, items or entries gives a model of its size") {
    auto const none = rs::als({.factors = 3}).fit(rs::csr());
    CHECK(none.n_users() == 0);
    CHECK(none.n_items() == 0);
    CHECK(none.report().loss.back() == 0);
    auto const bare = rs::als({.factors = 3}).fit(matrix(5, {{}, {}}));
    CHECK(bare.n_users() == 2);
    CHECK(is_zero(bare.item_factors()));
    CHECK(rs::recommend(bare, users_to(2), rs::nothing_seen).n_slots() == 0);
    CHECK(rs::als({.factors = 3}).fit(matrix(0, {{}, {}})).n_items() == 0);
    CHECK(rs::als({.factors = 3}).fit(matrix(4, {})).n_items() == 4);
}

TEST_CASE("confidences too large for the scalar type are an error before anything is solved") {
    auto const huge = rs::csr_from(std::vector<rs::matrix_entry<double>>{{user(0), item(0), 1e29}, {user(0), item(1), -1e25}});
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::als({.factors = 2, .alpha = 100}).fit(huge)),
                         doctest::Contains("als: the largest confidence is"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::als({.factors = 2, .alpha = 0.1}).fit(huge)), doctest::Contains("take basic_als<double>"),
                         rs::data_error); // below the limit, but what is lost beside it is too much
    auto const large = rs::csr_from(std::vector<rs::matrix_entry<double>>{{user(0), item(0), 1e9}, {user(0), item(1), -1e5}});
    CHECK(all_finite(rs::basic_als<double>({.factors = 2, .alpha = 100}).fit(large)));
}

TEST_CASE("als keeps the contract of models") {
    model_contract::check_model_contract([](auto const& past, std::size_t threads) {
        return rs::als({.factors = 8, .iterations = 3, .run = {.threads = threads}}).fit(rs::user_items(past));
    });
    model_contract::check_model_contract([](auto const& past, std::size_t threads) {
        return rs::als({.factors = 12, .alpha = 40, .iterations = 3, .solver = rs::als_solver::cg, .run = {.threads = threads}})
            .fit(rs::user_items(past));
    });
}
