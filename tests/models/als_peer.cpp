// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "support/brute_force.hpp"
#include "support/dense_als.hpp"
#include "support/fixtures/als.hpp"

// Against implicit's exact ALS, plain: the same matrix, the same start of the users, items first, the confidence 1 + alpha r handed to it whole.

namespace rs = recsys;
using namespace brute_force;

namespace {

rs::csr plays() {
    return rs::csr_view(als_fixture::n_users, als_fixture::n_items, std::span<std::int64_t const>(als_fixture::offsets),
                        std::span<std::int32_t const>(als_fixture::columns), std::span<float const>(als_fixture::values));
}
template <class Scalar, std::size_t N> rs::detail::shared_array<Scalar> array(float const (&values)[N]) {
    return rs::detail::shared_array<Scalar>(std::vector<Scalar>(values, values + N));
}
template <class Scalar> rs::basic_als_model<Scalar> fit(rs::als_options options, rs::basic_als_model<Scalar> const& from) {
    options.relaxation = 1;
    options.factors = als_fixture::n_factors, options.regularization = als_fixture::regularization, options.alpha = als_fixture::alpha;
    return rs::basic_als<Scalar>(options).resume(from, plays());
}
/// implicit's start as a model that is resumed from.
template <class Scalar> rs::basic_als_model<Scalar> start() {
    rs::als_parts<Scalar> parts;
    parts.n_users = als_fixture::n_users, parts.n_items = als_fixture::n_items, parts.n_factors = als_fixture::n_factors;
    parts.user_factors = array<Scalar>(als_fixture::start);
    parts.item_factors = rs::detail::shared_array<Scalar>(std::vector<Scalar>(als_fixture::n_items * als_fixture::n_factors));
    return rs::basic_als_model<Scalar>(parts);
}
/// implicit's own factors as a model.
rs::als_model theirs() {
    rs::als_parts<float> parts;
    parts.n_users = als_fixture::n_users, parts.n_items = als_fixture::n_items, parts.n_factors = als_fixture::n_factors;
    parts.alpha = als_fixture::alpha, parts.regularization = als_fixture::regularization;
    parts.user_factors = array<float>(als_fixture::user_factors), parts.item_factors = array<float>(als_fixture::item_factors);
    return rs::als_model(parts);
}
std::vector<rs::item_index> their_list(std::size_t u) {
    std::vector<rs::item_index> out;
    for (std::size_t k = 0; k < 10; ++k) out.push_back(item(static_cast<std::size_t>(als_fixture::top_10[u * 10 + k])));
    return out;
}

}

TEST_CASE_TEMPLATE("from the same start the loss of each iteration and the factors are those of implicit", Scalar, float, double) {
    auto const model = fit<Scalar>({.iterations = als_fixture::n_iterations}, start<Scalar>());
    REQUIRE(model.report().loss.size() == als_fixture::n_iterations);
    for (std::size_t n = 0; n < als_fixture::n_iterations; ++n)
        CHECK(model.report().loss[n] == doctest::Approx(als_fixture::losses[n]).epsilon(1e-4));
    CHECK(dense_als::distance(dense_als::users_of(model), dense_als::users_of(theirs())) < 1e-3);
    CHECK(dense_als::distance(dense_als::items_of(model), dense_als::items_of(theirs())) < 1e-3);
}

TEST_CASE("implicit's loss is the sum over every pair of its factors, as ours is") {
    dense_als::problem const problem(plays(), als_fixture::alpha, als_fixture::regularization);
    double const loss = problem.loss(dense_als::users_of(theirs()), dense_als::items_of(theirs()));
    CHECK(als_fixture::losses[als_fixture::n_iterations - 1] == doctest::Approx(loss).epsilon(1e-4));
}

TEST_CASE("the lists of ten are implicit's but where scores are equal to five digits, by every solver") {
    auto const seen = plays();
    for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg}) {
        auto const model = fit<float>({.iterations = als_fixture::n_iterations, .solver = solver, .cg_steps = 40}, start<float>());
        std::size_t lists = 0;
        for (auto const u : users_to(als_fixture::n_users)) {
            auto const list = rs::recommend(model, u, seen, {.k = 10});
            if (seen.seen(u).empty()) {
                CHECK(list.empty()); // implicit ranks items for him all the same
                continue;
            }
            auto const wanted = their_list(rs::to_size(u));
            REQUIRE(list.size() == wanted.size());
            for (std::size_t k = 0; k < 10; ++k)
                if (list[k].item != wanted[k]) {
                    std::vector<float> score(1);
                    model.score(u, std::span<rs::item_index const>(wanted).subspan(k, 1), std::span<float>(score));
                    CHECK(score[0] == doctest::Approx(list[k].score).epsilon(1e-4).scale(1));
                }
            ++lists;
        }
        CHECK(lists == als_fixture::n_users - 1);
    }
}

TEST_CASE("implicit's factors in a model give implicit's lists") {
    auto const seen = plays();
    auto const model = theirs();
    std::size_t same = 0;
    for (auto const u : users_to(als_fixture::n_users))
        if (!seen.seen(u).empty()) same += items_of(rs::recommend(model, u, seen, {.k = 10})) == their_list(rs::to_size(u));
    CHECK(same == als_fixture::n_users - 1);
}
