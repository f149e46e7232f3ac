// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include "support/brute_force.hpp"
#include "support/dense_als.hpp"
#include "support/interactions.hpp"

namespace rs = recsys;
using namespace brute_force;
using rs::als_solver;

namespace {

rs::csr sample() { return rs::user_items(recsys_test::interactions_data(80, 60, 4000, 12)); }

/// One user step on given items is a fold-in; conjugate gradients take it by resuming for an iteration from these users.
template <class Scalar> double distance(rs::basic_als_model<Scalar> const& a, rs::basic_als_model<Scalar> const& b) {
    return std::max(dense_als::distance(dense_als::users_of(a), dense_als::users_of(b)),
                    dense_als::distance(dense_als::items_of(a), dense_als::items_of(b)));
}

}

TEST_CASE_TEMPLATE("many steps of conjugate gradients are the exact solver, also for a strong alpha", Scalar, float, double) {
    auto const seen = sample();
    for (double const alpha : {1.0, 40.0}) {
        rs::als_options options{.factors = 8, .regularization = 0.1, .alpha = alpha, .iterations = 5};
        auto const exact = rs::basic_als<Scalar>(options).fit(seen);
        options.solver = als_solver::cg, options.cg_steps = 60;
        auto const cg = rs::basic_als<Scalar>(options).fit(seen);
        CHECK(distance(cg, exact) < (std::is_same_v<Scalar, float> ? 1e-3 : 1e-10));
        CHECK(cg.report().loss.back() == doctest::Approx(exact.report().loss.back()).epsilon(std::is_same_v<Scalar, float> ? 1e-4 : 1e-11));
    }
}

TEST_CASE("conjugate gradients come nearer with every step, and three are near enough for the lists") {
    auto const seen = sample();
    for (double const alpha : {1.0, 40.0}) {
        rs::als_options options{.factors = 12, .regularization = 0.1, .alpha = alpha, .iterations = 10};
        auto const exact = rs::als(options).fit(seen);
        options.solver = als_solver::cg;
        double last = 1e300;
        for (std::size_t const steps : {1u, 3u, 6u, 20u}) {
            options.cg_steps = steps;
            double const loss = rs::als(options).fit(seen).report().loss.back();
            CAPTURE(alpha);
            CAPTURE(steps);
            CHECK(loss > exact.report().loss.back() * 0.99);
            CHECK(loss < last * 1.01);
            last = loss;
            if (steps >= 3) CHECK(loss < exact.report().loss.back() * 1.02);
        }
    }
}

TEST_CASE("warm steps go on: from the exact solution a step of conjugate gradients stays there") {
    auto const seen = sample();
    rs::als_options options{.factors = 6, .regularization = 1, .iterations = 600};
    auto const exact = rs::basic_als<double>(options).fit(seen); // converged
    options.iterations = 1, options.solver = als_solver::cg, options.cg_steps = 1;
    auto const after = rs::basic_als<double>(options).resume(exact, seen);
    CHECK(distance(after, exact) < 1e-3);
    CHECK(after.report().loss[0] == doctest::Approx(exact.report().loss.back()).epsilon(1e-6));
}

TEST_CASE_TEMPLATE("c31 a disliked item is held against the user with its confidence, by every solver", Scalar, float, double) {
    // lambda .1, c = 1 + |r|, r = +3 and -3: A = (8.1 4; 4 4.1), b = (4, 0). The row is repeated so that conjugate gradients take it on.
    rs::als_parts<Scalar> parts;
    parts.n_users = 1, parts.n_items = 2, parts.n_factors = 2, parts.alpha = 1, parts.regularization = 0.1;
    parts.user_factors = {Scalar{0}, Scalar{0}};
    parts.item_factors = {Scalar{1}, Scalar{0}, Scalar{1}, Scalar{1}};
    rs::basic_als_model<Scalar> const model(parts);
    auto const folded = model.fold_in(rs::history({{item(0), 3}, {item(1), -3}}));
    double const x0 = static_cast<double>(folded.factors[0]), x1 = static_cast<double>(folded.factors[1]);
    CHECK(x0 == doctest::Approx(0.952934).epsilon(2e-6));
    CHECK(x1 == doctest::Approx(-0.929692).epsilon(2e-6));
    CHECK(x0 + x1 == doctest::Approx(0.023242).epsilon(1e-4));
    // The same by a fit of each solver: the users are the dense solution with p = 0 and c = 4.
    auto const seen = rs::map_values(
        sample(), [](rs::user_index u, rs::item_index i, float r) { return (rs::to_size(u) + rs::to_size(i)) % 3 == 0 ? -r : r; });
    dense_als::problem const problem(seen, 1, 0.1);
    rs::als_options options{.factors = 5, .regularization = 0.1, .iterations = 4, .cg_steps = 60};
    for (auto const solver : {als_solver::exact, als_solver::cg}) {
        options.solver = solver;
        auto const fit = rs::basic_als<Scalar>(options).fit(seen);
        CHECK(dense_als::distance(dense_als::users_of(fit), problem.users_for(dense_als::items_of(fit))) <
              (std::is_same_v<Scalar, float> ? 1e-4 : 1e-9));
    }
}

TEST_CASE("c19 a stored zero weighs like an absent pair: the example by hand, by every solver") {
    // One factor, y = (1, 2), lambda .1: x = 6 / 13.1 whether item 0 is stored as 0 or absent.
    rs::als_parts<double> parts;
    parts.n_users = 1, parts.n_items = 2, parts.n_factors = 1, parts.alpha = 1, parts.regularization = 0.1;
    parts.user_factors = {0.0}, parts.item_factors = {1.0, 2.0};
    rs::basic_als_model<double> const model(parts);
    CHECK(model.fold_in(rs::history({{item(0), 0}, {item(1), 2}})).factors[0] == doctest::Approx(6 / 13.1));
    CHECK(model.fold_in(rs::history({{item(1), 2}})).factors[0] == doctest::Approx(6 / 13.1));
    auto const seen = sample();
    auto const with_zeros = rs::map_values(
        seen, [](rs::user_index u, rs::item_index i, float r) { return (rs::to_size(u) * 7 + rs::to_size(i)) % 4 == 0 ? 0.f : r; });
    REQUIRE(with_zeros.report().stored_zeros > 100);
    dense_als::problem const problem(with_zeros, 5, 0.1);
    rs::als_options options{.factors = 5, .regularization = 0.1, .alpha = 5, .iterations = 3, .cg_steps = 60};
    for (auto const solver : {als_solver::exact, als_solver::cg}) {
        options.solver = solver;
        auto const fit = rs::basic_als<double>(options).fit(with_zeros);
        CHECK(dense_als::distance(dense_als::users_of(fit), problem.users_for(dense_als::items_of(fit))) < 1e-9);
    }
}

TEST_CASE("c18 a pair that comes twice is one entry of the sum, by every solver") {
    auto const seen = sample();
    std::vector<rs::matrix_entry<float>> apart;
    for (auto const u : users_to(80))
        for (std::size_t k = 0; k < seen.seen(u).size(); ++k) {
            float const r = seen.weights(u)[k];
            apart.push_back({u, seen.seen(u)[k], r - 1}), apart.push_back({u, seen.seen(u)[k], 1});
        }
    auto const together = rs::csr_from(apart, {.n_users = 80, .n_items = 60});
    REQUIRE(together.report().merged == seen.n_entries());
    for (auto const solver : {als_solver::exact, als_solver::cg}) {
        rs::als_options const options{.factors = 5, .frequency_power = 0.5, .iterations = 3, .solver = solver};
        CHECK(distance(rs::als(options).fit(together), rs::als(options).fit(seen)) == 0);
    }
}

TEST_CASE("huge confidences beside small ones are solved as densely in double, whatever the objective") {
    auto const seen = rs::map_values(sample(), [](rs::user_index u, rs::item_index i, float r) {
        return (rs::to_size(u) * 3 + rs::to_size(i)) % 7 == 0 ? 1e5f * r : (rs::to_size(u) + rs::to_size(i)) % 5 == 0 ? -1e-4f * r : r;
    });
    for (double const power : {0.0, 1.0})
        for (double const w0 : {1.0, 0.01})
            for (auto const solver : {als_solver::exact, als_solver::cg}) {
                rs::als_options options{
                    .factors = 6, .regularization = 0.1, .frequency_power = power, .alpha = 40, .unobserved_weight = w0};
                options.iterations = 3, options.solver = solver, options.cg_steps = 200;
                dense_als::problem const problem(seen, options);
                auto const fit = rs::basic_als<double>(options).fit(seen);
                CAPTURE(power);
                CAPTURE(w0);
                CHECK(dense_als::distance(dense_als::users_of(fit), problem.users_for(dense_als::items_of(fit))) < 1e-6);
                CHECK(fit.report().loss.back() ==
                      doctest::Approx(problem.loss(dense_als::users_of(fit), dense_als::items_of(fit))).epsilon(1e-7));
            }
}

TEST_CASE("the levels of the instruction set agree but for the last bits") {
    using rs::detail::simd_level;
    auto const seen = sample();
    for (auto const solver : {als_solver::exact, als_solver::cg})
        for (std::size_t const factors : {7u, 24u}) {
            rs::als_options const options{.factors = factors, .regularization = 1, .iterations = 4, .solver = solver};
            rs::detail::force_simd_level(simd_level::portable);
            auto const plain = rs::als(options).fit(seen);
            for (auto const level : {simd_level::avx2, simd_level::avx512}) {
                if (!rs::detail::has_simd_level(level)) continue;
                rs::detail::force_simd_level(level);
                auto const wide = rs::als(options).fit(seen);
                CHECK(distance(wide, plain) < 1e-3);
                CHECK(wide.report().loss.back() == doctest::Approx(plain.report().loss.back()).epsilon(1e-5));
            }
            rs::detail::force_simd_level({});
        }
}
