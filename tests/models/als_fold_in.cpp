// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/brute_force.hpp"
#include "support/dense_als.hpp"
#include "support/factor_tables.hpp"
#include "support/interactions.hpp"
#include "support/model_contract.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

rs::csr sample() { return rs::user_items(recsys_test::interactions_data(60, 45, 2500, 8)); }

rs::history history_of_row(rs::csr const& seen, rs::user_index u) {
    std::vector<rs::history::entry> rows;
    for (std::size_t k = seen.seen(u).size(); k > 0; --k) rows.push_back({seen.seen(u)[k - 1], seen.weights(u)[k - 1]}); // in any order
    return rs::history(std::move(rows));
}
template <class Scalar> bool same(std::vector<Scalar> const& a, std::span<Scalar const> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

template <class Model, class What>
concept folds = requires(Model const& model, What const& what) {
    model.fold_in(what);
};

/// One factor, items 1 and 2, lambda .1, and alpha 1: the model of c32.
rs::basic_als_model<double> tiny() {
    rs::als_parts<double> parts;
    parts.n_users = 1, parts.n_items = 2, parts.n_factors = 1, parts.alpha = 1, parts.regularization = 0.1;
    parts.user_factors = {3.0}, parts.item_factors = {1.0, 2.0};
    return rs::basic_als_model<double>(parts);
}

}

TEST_CASE("c32 a new user is solved as training solves one: the example by hand") {
    auto const x = tiny().fold_in(rs::history({{item(1), 2}})); // c = 3
    REQUIRE(x.factors.size() == 1);
    CHECK(x.factors[0] == doctest::Approx(0.458015).epsilon(1e-5));
    CHECK(x.items.items().size() == 1);
}

// In double to the last bit; in float as far as two ways of solving in float agree.
TEST_CASE_TEMPLATE("c32 folding in a training row gives the trained factors", Scalar, float, double) {
    auto const seen = sample();
    for (std::size_t const factors : {1u, 9u, 64u}) // rows shorter and longer than half the factors
        for (double const alpha : {1.0, 40.0}) {
            auto const model =
                rs::basic_als<Scalar>({.factors = factors, .regularization = 0.2, .alpha = alpha, .iterations = 3}).fit(seen);
            auto const again = model_contract::saved_and_loaded(model);
            for (auto const u : users_to(60)) {
                auto const h = history_of_row(seen, u);
                auto const folded = model.fold_in(h).factors;
                CHECK(again.fold_in(h).factors == folded);
                if (std::is_same_v<Scalar, double>) CHECK(same(folded, model.factors(u)));
                else CHECK(dense_als::distance(folded, model.factors(u)) < 5e-5);
            }
        }
}

TEST_CASE("in float rows of a quarter as many entries as factors, and of more than 512, give the trained factors to the last bit") {
    auto const seen = rs::user_items(recsys_test::interactions_data(60, 900, 25000, 8));
    std::size_t short_ones = 0, long_ones = 0;
    for (std::size_t const factors : {9u, 256u, 600u}) {
        auto const model = rs::als({.factors = factors, .regularization = 0.2, .iterations = 1}).fit(seen);
        for (auto const u : users_to(60)) {
            auto const n = seen.seen(u).size();
            if (4 * n > factors && n <= 512) continue;
            ++(n > 512 ? long_ones : short_ones);
            CHECK(same(model.fold_in(history_of_row(seen, u)).factors, model.factors(u)));
        }
    }
    CHECK(short_ones > 0);
    CHECK(long_ones > 0);
}

namespace {

/// Weights of every sign, and zeros.
rs::history odd_history(std::size_t n, std::size_t n_items, std::uint64_t seed) {
    rs::random_stream random(seed);
    std::vector<rs::history::entry> rows;
    for (std::size_t i = 0; i < n; ++i) {
        float const weight = i % 11 == 5 ? 0.0f : static_cast<float>(1 + random.below(5)) * (i % 7 == 3 ? -1.0f : 1.0f);
        rows.push_back({item(i * (n_items / n)), weight});
    }
    return rs::history(std::move(rows));
}
rs::csr matrix_of(rs::history const& h, std::size_t n_items, std::span<float const> values) {
    std::vector<std::size_t> rows(h.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
    return rs::csr_from(
        rows,
        rs::columns().user([](std::size_t) { return 0; }).item([&](std::size_t i) { return h.items()[i]; }).weight([&](std::size_t i) {
            return values[i];
        }),
        {.n_items = n_items});
}
template <class Scalar>
rs::basic_als_model<Scalar> random_model(std::size_t n_items, std::size_t factors, rs::als_objective const& by, double skew = 0) {
    rs::random_stream random(3);
    rs::als_parts<Scalar> parts;
    static_cast<rs::als_objective&>(parts) = by;
    parts.n_users = 1, parts.n_items = n_items, parts.n_factors = factors;
    std::vector<Scalar> table(n_items * factors);
    for (std::size_t i = 0; i < table.size(); ++i) // columns of falling size, and alike: an ill-conditioned Gramian
        table[i] =
            static_cast<Scalar>((0.3 * random.normal() + (skew > 0 ? 1.0 : 0.0)) * std::exp(-skew * static_cast<double>(i % factors)));
    parts.user_factors = rs::detail::shared_array<Scalar>(std::vector<Scalar>(factors));
    parts.item_factors = rs::detail::shared_array<Scalar>(std::move(table));
    return rs::basic_als_model<Scalar>(std::move(parts));
}

}

TEST_CASE_TEMPLATE("a history of any length and kind is solved like a dense system in double, by every door and level" *
                       doctest::test_suite("slow"),
                   Scalar, float, double) {
    std::size_t const n_items = 8300;
    std::vector<rs::als_objective> const kinds = {{.alpha = 1, .regularization = 0.5},
                                                  {.alpha = 40, .regularization = 0.01},
                                                  {.alpha = 2, .regularization = 0.1, .frequency_power = 1},
                                                  {.alpha = 0, .regularization = 0.5},
                                                  {.alpha = 0.5, .regularization = 3, .frequency_power = 0.5, .unobserved_weight = 0.01},
                                                  {.alpha = 5, .regularization = 1, .unobserved_weight = 0}};
    rs::als_fold_workspace<Scalar> work;
    for (std::size_t const f : {1u, 20u, 32u})
        for (auto const& by : kinds) {
            rs::als_options const options{.factors = f,
                                          .regularization = by.regularization,
                                          .frequency_power = by.frequency_power,
                                          .alpha = by.alpha,
                                          .unobserved_weight = by.unobserved_weight};
            for (std::size_t const n : {std::size_t{1}, std::size_t{2}, f / 4 + 1, f, f + 1, 5 * f, std::size_t{513}, std::size_t{8300}}) {
                auto const h = odd_history(n, n_items, n);
                std::vector<float> wishes(n);
                for (std::size_t i = 0; i < n; ++i) wishes[i] = static_cast<float>(i % 4) - 1;
                auto const preferences = matrix_of(h, n_items, wishes);
                auto const table = dense_als::items_of(random_model<Scalar>(n_items, f, by));
                for (bool const with_wishes : {false, true}) {
                    auto const given = with_wishes ? std::span<float const>(wishes) : std::span<float const>();
                    auto const wanted =
                        dense_als::problem(matrix_of(h, n_items, h.weights()), options, with_wishes ? &preferences : nullptr)
                            .users_for(table);
                    std::vector<double> const row(wanted.data(), wanted.data() + wanted.size());
                    for (auto const level : factor_tables::levels()) {
                        factor_tables::forced const use(level);
                        auto const model = random_model<Scalar>(n_items, f, by);
                        auto const x = model.fold_in(h, given).factors;
                        std::vector<double> const got(x.begin(), x.end());
                        double const rounding = n > 512 ? 1e-4 : 1e-5; // longer sums in float
                        CHECK(dense_als::distance(got, std::span<double const>(row)) < (std::is_same_v<Scalar, float> ? rounding : 1e-10));
                        CHECK(same(x, model.fold_in(h, work, given)));
                    }
                }
            }
        }
}

TEST_CASE("in float a system that is ill-conditioned loses nothing beside the training: it is refined, or solved in its basis") {
    std::size_t const n_items = 400, f = 24;
    rs::als_fold_workspace<float> work;
    for (double const skew : {0.05, 0.2, 0.35, 0.6})
        for (double const regularization : {0.0, 1e-9, 1e-4, 0.1})
            for (double const alpha : {1.0, 1000.0}) {
                rs::als_objective const by{.alpha = alpha, .regularization = regularization};
                auto const model = random_model<float>(n_items, f, by, skew);
                rs::als_options const options{.factors = f, .regularization = regularization, .alpha = alpha};
                for (std::size_t const n : {std::size_t{10}, f, 3 * f}) {
                    auto const h = odd_history(n, n_items, n);
                    auto const seen = matrix_of(h, n_items, h.weights());
                    auto const table = dense_als::items_of(model);
                    auto const wanted = dense_als::problem(seen, options).users_for(table);
                    auto const x = model.fold_in(h, work);
                    dense_als::matrix row(1, static_cast<Eigen::Index>(f));
                    for (std::size_t j = 0; j < f; ++j) row(0, static_cast<Eigen::Index>(j)) = static_cast<double>(x[j]);
                    // What counts where factors are all but free: the scores.
                    CHECK(dense_als::distance(row * table.transpose(), wanted * table.transpose()) < 2e-4);
                }
            }
}

TEST_CASE("a workspace is used again, for other lengths and other models") {
    auto const seen = sample();
    auto const model = rs::als({.factors = 8, .iterations = 2}).fit(seen), larger = rs::als({.factors = 70, .iterations = 2}).fit(seen);
    rs::als_fold_workspace<float> work;
    auto const longest = odd_history(40, 45, 1), shorter = odd_history(20, 45, 2), shortest = odd_history(2, 45, 3);
    float const* const place = model.fold_in(longest, work).data();
    for (auto const& h : {shortest, longest, shorter}) {
        CHECK(same(model.fold_in(h).factors, model.fold_in(h, work)));
        CHECK(model.fold_in(h, work).data() == place);
    }
    for (auto const& h : {shortest, longest, shorter}) {
        CHECK(same(larger.fold_in(h).factors, larger.fold_in(h, work)));
        CHECK(same(model.fold_in(h).factors, model.fold_in(h, work)));
    }
}

TEST_CASE("c32 for a model of conjugate gradients the exact factors given its items, near the trained ones") {
    auto const seen = sample();
    auto const model = rs::als({.factors = 9, .regularization = 0.2, .iterations = 10, .solver = rs::als_solver::cg}).fit(seen);
    auto const exact = dense_als::problem(seen, 1, 0.2).users_for(dense_als::items_of(model));
    for (auto const u : users_to(60)) {
        auto const x = model.fold_in(history_of_row(seen, u)).factors;
        for (std::size_t j = 0; j < 9; ++j) {
            CHECK(static_cast<double>(x[j]) ==
                  doctest::Approx(exact(static_cast<Eigen::Index>(rs::to_size(u)), static_cast<Eigen::Index>(j))).epsilon(1e-3));
        }
        CHECK(dense_als::distance(x, model.factors(u)) < 0.05);
    }
}

TEST_CASE_TEMPLATE("a new item is solved as the next iteration solves the items", Scalar, float, double) {
    auto const seen = sample();
    auto const by_item = rs::transpose(seen);
    for (std::size_t const factors : {5u, 64u}) {
        rs::als_options options{.factors = factors, .regularization = 0.2, .alpha = 3, .iterations = 2};
        auto const model = rs::basic_als<Scalar>(options).fit(seen);
        options.iterations = 1;
        auto const next = rs::basic_als<Scalar>(options).resume(model, seen);
        for (std::size_t i = 0; i < 45; ++i) {
            std::vector<rs::item_taker> takers;
            for (std::size_t k = by_item.users(item(i)).size(); k > 0; --k)
                takers.push_back({by_item.users(item(i))[k - 1], by_item.weights(item(i))[k - 1]});
            auto const folded = model.fold_in_item(takers).factors;
            if (std::is_same_v<Scalar, double>) CHECK(same(folded, next.factors(item(i))));
            else CHECK(dense_als::distance(folded, next.factors(item(i))) < 5e-5);
        }
    }
}

TEST_CASE("the rows of a new item's user add up") {
    auto const model = rs::als({.factors = 4, .iterations = 3}).fit(sample());
    std::vector<rs::item_taker> const apart{{user(3), 1}, {user(7), 2}, {user(3), 4}}, together{{user(3), 5}, {user(7), 2}};
    CHECK(model.fold_in_item(apart).factors == model.fold_in_item(together).factors);
    CHECK(model.fold_in_item({}).factors == std::vector<float>(4));
}

TEST_CASE("an anonymous session is a history of its items with weight 1 each; repeats add up, any range will do") {
    auto const model = rs::als({.factors = 6, .alpha = 10, .iterations = 3}).fit(sample());
    std::vector<rs::item_index> const session{item(4), item(9), item(4), item(2)};
    auto const folded = model.fold_in(session);
    CHECK(folded.factors == model.fold_in(rs::history({{item(2), 1}, {item(4), 2}, {item(9), 1}})).factors);
    CHECK(std::vector<rs::item_index>(folded.items.items().begin(), folded.items.items().end()) == std::vector{item(2), item(4), item(9)});
    CHECK(model.fold_in(std::span<rs::item_index const>(session)).factors == folded.factors);
    rs::item_index const pair[] = {item(2), item(4)};
    CHECK(model.fold_in(pair).factors.size() == 6);
    // His list leaves out what he played.
    for (auto const& one : rs::recommend(model, folded, {.k = 100}))
        CHECK(std::find(session.begin(), session.end(), one.item) == session.end());
    CHECK(model.fold_in(std::vector<rs::item_index>{}).factors == std::vector<float>(6));
}

TEST_CASE("an empty history, and one of zeros, gives zeros") {
    auto const model = rs::als({.factors = 4, .iterations = 2}).fit(sample());
    CHECK(model.fold_in(rs::history()).factors == std::vector<float>(4));
    auto const zeros = model.fold_in(rs::history({{item(1), 0}, {item(2), 0}}));
    CHECK(zeros.factors == std::vector<float>(4));
    CHECK(zeros.items.size() == 2); // they count as seen
}

TEST_CASE_TEMPLATE("a history longer than a part is solved like any other", Scalar, float, double) {
    std::size_t const n = 20000;
    rs::random_stream random(3);
    rs::als_parts<Scalar> parts;
    parts.n_users = 1, parts.n_items = n, parts.n_factors = 3, parts.alpha = 2, parts.regularization = 0.5;
    std::vector<Scalar> factors(3 * n);
    for (auto& x : factors) x = static_cast<Scalar>(random.normal());
    parts.user_factors = rs::detail::shared_array<Scalar>(std::vector<Scalar>(3));
    parts.item_factors = rs::detail::shared_array<Scalar>(factors);
    rs::basic_als_model<Scalar> const model(parts);
    for (std::size_t const length : {std::size_t{8192}, std::size_t{8193}, std::size_t{19000}}) {
        std::vector<rs::history::entry> rows;
        for (std::size_t i = 0; i < length; ++i) rows.push_back({item(i), static_cast<float>(1 + random.below(3))});
        rs::history const h(rows);
        auto const one = rs::csr_from(rows,
                                      rs::columns()
                                          .user([](auto const&) { return 0; })
                                          .item([](auto const& r) { return r.item; })
                                          .weight(&rs::history::entry::weight),
                                      {.n_items = n});
        auto const wanted = dense_als::problem(one, 2, 0.5).users_for(dense_als::items_of(model));
        auto const x = model.fold_in(h).factors;
        for (Eigen::Index j = 0; j < 3; ++j)
            CHECK(static_cast<double>(x[static_cast<std::size_t>(j)]) ==
                  doctest::Approx(wanted(0, j)).epsilon(std::is_same_v<Scalar, float> ? 1e-4 : 1e-10));
    }
}

TEST_CASE("c23 items and users past the end, and those of other encoders, are errors that name them") {
    auto const model = rs::als({.factors = 4, .iterations = 2}).fit(sample());
    CHECK_THROWS_WITH_AS(static_cast<void>(model.fold_in(rs::history({{item(45), 1}}))), "als: fold_in: item 45, there are 45 items",
                         rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(model.fold_in(std::vector{item(3), item(4000000000)})),
                         "als: fold_in: item 4000000000, there are 45 items", rs::data_error);
    std::vector<rs::item_taker> const stranger{{user(60), 1}}, odd{{user(1), std::numeric_limits<float>::quiet_NaN()}};
    CHECK_THROWS_WITH_AS(static_cast<void>(model.fold_in_item(stranger)), "als: fold_in: user 60, there are 60 users", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(model.fold_in_item(odd)), doctest::Contains("is not finite"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(model.fold_in(rs::history({{item(1), 1}}, {0, 99, {}}))), doctest::Contains("other item ids"),
                         rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::als_model().fold_in(rs::history({{item(0), 1}}))), rs::data_error);
}

TEST_CASE("c32 two rows for one user do not get in: a history is one user's, whatever its length") {
    // The shape of the mistake, a matrix of two rows given for one user, does not compile: fold_in takes a history or items.
    auto const model = tiny();
    static_assert(folds<rs::als_model, rs::history> && folds<rs::als_model, std::vector<rs::item_index>>);
    static_assert(!folds<rs::als_model, rs::csr> && !folds<rs::als_model, std::vector<rs::user_index>>);
    CHECK(model.fold_in(rs::history({{item(0), 1}, {item(1), 1}})).factors.size() == 1);
}

TEST_CASE("without regularization a singular side folds nothing in, and says so") {
    rs::als_parts<float> parts;
    parts.n_users = 1, parts.n_items = 2, parts.n_factors = 2, parts.regularization = 0;
    parts.user_factors = {1.f, 2.f}, parts.item_factors = {1.f, 0.f, 0.f, 1.f};
    rs::als_model const model(parts); // two items span both factors, one user does not
    CHECK(model.fold_in(std::vector{item(0)}).factors.size() == 2);
    std::vector<rs::item_taker> const takers{{user(0), 1}};
    CHECK_THROWS_WITH_AS(static_cast<void>(model.fold_in_item(takers)),
                         "als: fold_in: the Gramian of the user factors is singular with regularization 0; fit with regularization above 0",
                         rs::data_error);
}
