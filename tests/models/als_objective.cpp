// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/brute_force.hpp"
#include "support/dense_als.hpp"
#include "support/interactions.hpp"
#include "support/model_contract.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

constexpr std::size_t n_users = 70, n_items = 40;

/// With empty rows and columns, stored zeros and negative weights; most items have rows long enough for conjugate gradients, some users too.
rs::csr sample() {
    auto const all = rs::user_items(recsys_test::interactions_data(n_users - 3, n_items - 2, 2500, 5));
    std::vector<rs::matrix_entry<float>> rows;
    for (auto const u : users_to(n_users - 3))
        for (std::size_t k = 0; k < all.seen(u).size(); ++k) {
            std::size_t const kind = (rs::to_size(u) * 5 + k * 3) % 11;
            if (rs::to_size(u) != 7)
                rows.push_back({u, all.seen(u)[k], kind == 0 ? 0.f : kind == 1 ? -all.weights(u)[k] : all.weights(u)[k]});
        }
    return rs::csr_from(rows, {.n_users = n_users, .n_items = n_items});
}
/// Preferences of any sign, on the same entries.
rs::csr preferences_of(rs::csr const& m) {
    return rs::map_values(m, [](rs::user_index u, rs::item_index i, float r) {
        return r > 0 ? 0.25f * static_cast<float>(1 + (rs::to_size(u) + 2 * rs::to_size(i)) % 5) : -0.5f;
    });
}

struct one_case {
    rs::als_options options;
    bool preferences = false;
};
std::vector<one_case> cases() {
    std::vector<one_case> out;
    auto const square_root = [](double x) { return std::sqrt(x); };
    auto const lighter = [](double x) { return x < 2.5 ? -0.9 : 0.5 * x; }; // below the weight of absent pairs and above
    for (double const w0 : {1.0, 0.3, 0.0})
        for (double const power : {0.0, 0.5, 1.0})
            for (bool const preferences : {false, true}) {
                rs::als_options o{.factors = 6, .regularization = power > 0 ? 0.03 : 0.4, .frequency_power = power, .alpha = 4};
                o.unobserved_weight = w0, o.iterations = 3, o.cg_steps = 60, o.seed = 3;
                out.push_back({o, preferences});
                if (w0 == 0.0 && power == 0.5) continue;
                o.confidence = rs::confidence_form::log, o.epsilon = 0.5;
                out.push_back({o, preferences});
                o.confidence = rs::confidence_form::linear, o.confidence_shape = square_root;
                out.push_back({o, preferences});
                o.alpha = 1, o.confidence_shape = lighter;
                out.push_back({o, preferences});
            }
    return out;
}

template <class Scalar> rs::als_extras<Scalar> extras_of(one_case const& one, rs::csr const& preferences) {
    rs::als_extras<Scalar> out;
    if (one.preferences) out.preferences = preferences;
    return out;
}
/// Every loss, and both half-steps, against the dense twin.
template <class Scalar> void check_case(one_case const& one, rs::csr const& m, rs::csr const& preferences, double near_enough) {
    auto const& o = one.options;
    CAPTURE(o.unobserved_weight);
    CAPTURE(o.frequency_power);
    CAPTURE(one.preferences);
    CAPTURE(static_cast<bool>(o.confidence_shape));
    CAPTURE(static_cast<int>(o.confidence));
    CAPTURE(static_cast<int>(o.solver));
    dense_als::problem const problem(m, o, one.preferences ? &preferences : nullptr);
    auto const extras = extras_of<Scalar>(one, preferences);
    auto const model = rs::basic_als<Scalar>(o).fit(m, extras);
    auto const x = dense_als::users_of(model), y = dense_als::items_of(model);
    CHECK(dense_als::distance(x, problem.users_for(y)) < near_enough);
    CHECK(model.report().loss.back() == doctest::Approx(problem.loss(x, y)).epsilon(near_enough));
    for (std::size_t n = 1; n < model.report().loss.size(); ++n)
        CHECK(model.report().loss[n] <= model.report().loss[n - 1] * (1 + near_enough));
    auto once = o;
    once.iterations = 1;
    auto const later = rs::basic_als<Scalar>(once).resume(model, m, extras);
    CHECK(dense_als::distance(dense_als::items_of(later), problem.items_for(x)) < near_enough);
}
template <class Scalar> bool same(std::vector<Scalar> const& a, std::span<Scalar const> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}
rs::history row_of(rs::csr const& m, rs::user_index u) {
    std::vector<rs::history::entry> rows;
    for (std::size_t k = 0; k < m.seen(u).size(); ++k) rows.push_back({m.seen(u)[k], m.weights(u)[k]});
    return rs::history(std::move(rows));
}
rs::csr one_by_one(float r) { return rs::csr_from(std::vector<rs::matrix_entry<float>>{{user(0), item(0), r}}); }

}

TEST_CASE_TEMPLATE("every combination of the objective is solved as densely in double, and its loss is the sum over every pair", Scalar,
                   float, double) {
    auto const m = sample();
    auto const preferences = preferences_of(m);
    REQUIRE(m.report().stored_zeros > 50);
    REQUIRE(m.report().negatives > 50);
    REQUIRE(m.report().empty_rows == 4);
    for (auto one : cases())
        for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
            one.options.solver = solver;
            check_case<Scalar>(one, m, preferences, std::is_same_v<Scalar, float> ? 1e-3 : 1e-9);
        }
}

TEST_CASE("the same at every level of the instruction set, for one factor and for more factors than items" * doctest::test_suite("slow")) {
    auto const m = sample();
    auto const preferences = preferences_of(m);
    for (auto const level : {rs::detail::simd_level::portable, rs::detail::simd_level::avx2, rs::detail::simd_level::avx512}) {
        if (!rs::detail::has_simd_level(level)) continue;
        rs::detail::force_simd_level(level);
        for (auto one : cases())
            for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
                if (one.options.frequency_power == 0.5 || !one.preferences) continue;
                one.options.solver = solver, one.options.iterations = 2;
                for (std::size_t const factors : {1u, 43u}) {
                    one.options.factors = factors;
                    check_case<double>(one, m, preferences, factors == 1 ? 1e-9 : 1e-6);
                }
            }
    }
    rs::detail::force_simd_level({});
}

// In double to the last bit; in float as far as two ways of solving in float agree, on the items of plain ALS: relaxed ones are worse
// conditioned, which is no matter of the objective.
TEST_CASE_TEMPLATE("folding in a training row is the training's half-step, whatever the objective" * doctest::test_suite("slow"), Scalar,
                   float, double) {
    auto const m = sample();
    auto const preferences = preferences_of(m);
    auto const by_item = rs::transpose(m), preferred_by_item = rs::transpose(preferences);
    auto const agree = [](std::vector<Scalar> const& a, std::span<Scalar const> b,
                          double w0) { // without absent pairs training in float loses most
        return std::is_same_v<Scalar, double> ? same(a, b) : dense_als::distance(a, b) < (w0 == 0 ? 2e-3 : 1e-4);
    };
    for (auto one : cases())
        for (std::size_t const factors : {6u, 64u}) { // rows longer and shorter than half the factors
            one.options.factors = factors, one.options.iterations = 2;
            if (std::is_same_v<Scalar, float>) one.options.relaxation = 1;
            auto const extras = extras_of<Scalar>(one, preferences);
            auto const model = rs::basic_als<Scalar>(one.options).fit(m, extras);
            for (auto const u : users_to(n_users)) {
                auto const given = one.preferences ? preferences.weights(u) : std::span<float const>{};
                CHECK(agree(model.fold_in(row_of(m, u), given).factors, model.factors(u), one.options.unobserved_weight));
            }
            auto once = one.options;
            once.iterations = 1;
            auto const next = rs::basic_als<Scalar>(once).resume(model, m, extras);
            for (std::size_t i = 0; i < n_items; ++i) {
                std::vector<rs::item_taker> takers;
                for (std::size_t k = 0; k < by_item.users(item(i)).size(); ++k) {
                    takers.push_back({by_item.users(item(i))[k], by_item.weights(item(i))[k]});
                    if (one.preferences) takers.back().preference = preferred_by_item.weights(item(i))[k];
                }
                CHECK(agree(model.fold_in_item(takers).factors, next.factors(item(i)), one.options.unobserved_weight));
            }
        }
}

TEST_CASE("what an exact model explains adds up to its scores, whatever the objective") {
    auto const m = sample();
    auto const preferences = preferences_of(m);
    for (auto const& one : cases()) {
        auto const model = rs::basic_als<double>(one.options).fit(m, extras_of<double>(one, preferences));
        rs::explain_options options{.k = 100};
        if (one.preferences) options.preferences = preferences;
        for (auto const u : users_to(n_users)) {
            auto const why = rs::explain(model, u, item(4), m, options);
            CHECK(why.score == doctest::Approx(static_cast<double>(model_contract::scores_of(model, u)[4])).epsilon(1e-5).scale(0.01));
            double sum = 0;
            for (auto const& part : why.contributions) sum += static_cast<double>(part.score);
            CHECK(sum == doctest::Approx(why.score).epsilon(1e-5).scale(0.1));
        }
        auto const given = one.preferences ? preferences.weights(user(2)) : std::span<float const>{};
        auto const folded = model.fold_in(row_of(m, user(2)), given);
        CHECK(rs::explain(model, folded, item(4)).score == rs::explain(model, user(2), item(4), m, options).score);
    }
}

TEST_CASE("the objective by hand: one factor, one stored weight of 3 and one absent item") {
    // y = (2, 1), lambda .5: x = 2 c p / (4 c + w0 + lambda_row).
    auto const solved = [](rs::als_objective const& by, std::vector<float> const& preferences = {}) {
        rs::als_parts<double> parts;
        static_cast<rs::als_objective&>(parts) = by;
        parts.n_users = 1, parts.n_items = 2, parts.n_factors = 1;
        parts.user_factors = {0.0}, parts.item_factors = {2.0, 1.0};
        return rs::basic_als_model<double>(parts).fold_in(rs::history({{item(0), 3}}), preferences).factors[0];
    };
    CHECK(solved({.alpha = 2, .regularization = 0.5}) == doctest::Approx(14 / 29.5));
    CHECK(solved({.alpha = 2, .regularization = 0.5, .unobserved_weight = 0.25}) == doctest::Approx(14 / 28.75));
    CHECK(solved({.alpha = 2, .regularization = 0.5, .unobserved_weight = 0}) == doctest::Approx(14 / 28.5));
    // n + w0 N = 1 + 2.
    CHECK(solved({.alpha = 2, .regularization = 0.5, .frequency_power = 1}) == doctest::Approx(14 / 30.5));
    CHECK(solved({.alpha = 2, .regularization = 0.5, .frequency_power = 0.5}) == doctest::Approx(14 / (29 + 0.5 * std::sqrt(3.))));
    double const c = 1 + 2 * std::log(1 + 3 / 0.2);
    CHECK(solved({.alpha = 2, .regularization = 0.5, .confidence = rs::confidence_form::log, .epsilon = 0.2}) ==
          doctest::Approx(2 * c / (4 * c + 1.5)));
    CHECK(solved({.alpha = 2, .regularization = 0.5, .confidence_shape = [](double x) { return x * x; }}) ==
          doctest::Approx(38 / (76 + 1.5)));
    CHECK(solved({.alpha = 2, .regularization = 0.5, .confidence_shape = [](double) { return -0.4; }}) == doctest::Approx(0.4 / 2.3));
    CHECK(solved({.alpha = 2, .regularization = 0.5}, {-0.5f}) == doctest::Approx(-7 / 29.5));
    CHECK(solved({.alpha = 0, .regularization = 0.5}) == doctest::Approx(2 / 5.5)); // confidence 1
}

TEST_CASE("log confidence is linear confidence on log_scaled weights") {
    auto const m = rs::map_values(sample(), [](rs::user_index, rs::item_index, float r) { return static_cast<double>(r); });
    rs::als_options o{.factors = 5, .alpha = 3, .iterations = 3};
    auto const scaled = rs::basic_als<double>(o).fit(rs::log_scaled(m, 0.7));
    o.confidence = rs::confidence_form::log, o.epsilon = 0.7;
    auto const logged = rs::basic_als<double>(o).fit(m);
    CHECK(dense_als::distance(dense_als::users_of(logged), dense_als::users_of(scaled)) < 1e-10);
}

TEST_CASE("halving every weight of the sum and lambda changes no factor") {
    // c = 1 + alpha s and w0 = 1 beside c / 2 = 1 + (alpha s - 1) / 2, w0 = .5.
    auto const m = sample();
    rs::als_options o{.factors = 5, .regularization = 0.6, .alpha = 3, .iterations = 3};
    auto const whole = rs::basic_als<double>(o).fit(m);
    o.regularization = 0.3, o.alpha = 1, o.unobserved_weight = 0.5, o.confidence_shape = [](double x) { return (3 * x - 1) / 2; };
    auto const half = rs::basic_als<double>(o).fit(m);
    CHECK(dense_als::distance(dense_als::users_of(half), dense_als::users_of(whole)) < 1e-9);
    CHECK(half.report().loss.back() == doctest::Approx(whole.report().loss.back() / 2).epsilon(1e-12));
}

TEST_CASE("rows of more than a part know their length, also by conjugate gradients and by fold-in" * doctest::test_suite("slow")) {
    std::vector<std::vector<std::size_t>> rows(20000);
    rs::random_stream random(6);
    for (auto& row : rows)
        for (std::size_t i = 0; i < 9; ++i)
            if (random.below(1 + i) == 0) row.push_back(i); // item 0 has every user, item 1 half of them
    auto const m = rs::map_values(matrix(10, rows), [](rs::user_index u, rs::item_index i, float) {
        return rs::to_size(u) % 5 == 0 ? 0.f : (rs::to_size(u) + rs::to_size(i)) % 3 == 0 ? 1.f : 4.f;
    });
    rs::als_options o{.factors = 3, .regularization = 0.01, .frequency_power = 1, .alpha = 1, .iterations = 2};
    o.unobserved_weight = 0.2, o.confidence_shape = [](double x) { return x < 2 ? -0.9 : x; };
    dense_als::problem const problem(m, o);
    for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
        o.solver = solver;
        auto const model = rs::basic_als<double>(o).fit(m);
        CHECK(model.report().loss.back() ==
              doctest::Approx(problem.loss(dense_als::users_of(model), dense_als::items_of(model))).epsilon(1e-10));
        auto once = o;
        once.iterations = 1;
        auto const next = rs::basic_als<double>(once).resume(model, m);
        CHECK(dense_als::distance(dense_als::items_of(next), problem.items_for(dense_als::users_of(model))) < 1e-9);
        std::vector<rs::item_taker> takers;
        for (std::size_t u = 0; u < rows.size(); ++u) takers.push_back({user(u), m.weights(user(u))[0]});
        CHECK(dense_als::distance(model.fold_in_item(takers).factors, next.factors(item(0))) < 1e-11);
    }
}

TEST_CASE("the same bits for any number of threads, whatever the objective" * doctest::test_suite("slow")) {
    auto const m = sample();
    auto const preferences = preferences_of(m);
    for (auto one : cases())
        for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
            if (one.options.frequency_power == 0.5 || !one.preferences) continue;
            one.options.solver = solver, one.options.cg_steps = 3, one.options.factors = 20;
            auto const fit = [&](std::size_t threads) {
                one.options.run.threads = threads;
                return model_contract::saved(rs::als(one.options).fit(m, extras_of<float>(one, preferences)));
            };
            auto const once = fit(1);
            CHECK(fit(2) == once);
            CHECK(fit(7) == once);
        }
}

TEST_CASE("confidences that are not numbers from 0, and preferences of other entries, are errors") {
    auto const m = sample();
    auto const fit = [&](auto const& shape) {
        rs::als_options o{.factors = 2, .alpha = 2, .iterations = 1};
        o.confidence_shape = shape;
        return rs::als(o).fit(one_by_one(-3));
    };
    CHECK_THROWS_WITH_AS(static_cast<void>(fit([](double x) { return -x; })),
                         "als: the confidence of weight -3 is -5, expected a number from 0", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(fit([](double) { return std::numeric_limits<double>::quiet_NaN(); })),
                         doctest::Contains("expected a number from 0"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(fit([](double) { return std::numeric_limits<double>::infinity(); })),
                         doctest::Contains("als: the largest confidence is inf"), rs::data_error);
    CHECK_NOTHROW(static_cast<void>(fit([](double) { return -0.5; }))); // of 0
    rs::als const trainer({.factors = 2, .iterations = 1});
    CHECK_THROWS_WITH_AS(static_cast<void>(trainer.fit(m, {.preferences = one_by_one(1)})),
                         "als: the preferences must have the entries that the weights have: make them with map_values", rs::data_error);
    auto const model = trainer.fit(m, {.preferences = preferences_of(m)});
    std::vector<float> const one{1}, nan{std::numeric_limits<float>::quiet_NaN()};
    CHECK_THROWS_WITH_AS(static_cast<void>(model.fold_in(rs::history({{item(1), 1}, {item(2), 1}}), one)),
                         "als: fold_in: 1 preferences of 2 items", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(model.fold_in(rs::history({{item(1), 1}}), nan)), "als: fold_in: a preference is not finite",
                         rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::explain(model, user(0), item(0), m, {.preferences = one_by_one(1)})), rs::data_error);
}

TEST_CASE("a file keeps the objective but not a function: folding in asks for it again") {
    auto const m = sample();
    auto const square = [](double x) { return x * x; };
    rs::als_options o{.factors = 4, .frequency_power = 0.5, .alpha = 3, .confidence = rs::confidence_form::log, .epsilon = 0.25};
    o.unobserved_weight = 0.5, o.iterations = 2;
    auto const logged = rs::als(o).fit(m);
    auto const again = model_contract::saved_and_loaded(logged);
    CHECK(again.objective().confidence == rs::confidence_form::log);
    CHECK(again.objective().epsilon == 0.25);
    CHECK(again.objective().frequency_power == 0.5);
    CHECK(again.objective().unobserved_weight == 0.5);
    CHECK(again.fold_in(row_of(m, user(3))).factors == logged.fold_in(row_of(m, user(3))).factors);
    o.confidence = rs::confidence_form::linear, o.confidence_shape = square;
    auto const shaped = rs::als(o).fit(m);
    auto const lost = model_contract::saved_and_loaded(shaped);
    char const* const message =
        "als: the model was fitted with a confidence_shape, which a file does not keep: give it by with_confidence_shape";
    CHECK_THROWS_WITH_AS(static_cast<void>(lost.fold_in(row_of(m, user(3)))), message, rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::explain(lost, user(3), item(1), m)), message, rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(model_contract::saved_and_loaded(lost).objective()), message, rs::data_error);
    auto const found = lost.with_confidence_shape(square);
    CHECK(found.fold_in(row_of(m, user(3))).factors == shaped.fold_in(row_of(m, user(3))).factors);
    CHECK(rs::explain(found, user(3), item(1), m).score == rs::explain(shaped, user(3), item(1), m).score);
}
