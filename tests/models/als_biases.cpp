// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
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

/// Weights of both signs, stored zeros, and users and items without any entry.
rs::csr mixed() {
    auto const seen = rs::user_items(recsys_test::interactions_data(60, 45, 1500, 8));
    std::vector<std::size_t> rows;
    for (std::size_t u = 0; u < 60; ++u)
        for (std::size_t k = 0; k < seen.seen(user(u)).size(); ++k) rows.push_back(u * 1000 + k);
    return rs::csr_from(rows,
                        rs::columns()
                            .user([](std::size_t row) { return row / 1000 + 2; })
                            .item([&](std::size_t row) { return rs::to_size(seen.seen(user(row / 1000))[row % 1000]) + 1; })
                            .weight([&](std::size_t row) {
                                float const w = seen.weights(user(row / 1000))[row % 1000];
                                return row % 13 == 4 ? 0.0f : row % 7 == 2 ? -w : w;
                            }),
                        {.n_users = 64, .n_items = 50});
}
rs::csr wishes_of(rs::csr const& m) {
    return rs::map_values(m, [](rs::user_index u, rs::item_index i, float r) {
        return r > 0 ? 0.25f * static_cast<float>(1 + (rs::to_size(u) + 2 * rs::to_size(i)) % 5) : -0.5f;
    });
}
std::vector<rs::als_options> kinds() {
    std::vector<rs::als_options> out;
    for (double const w0 : {1.0, 0.3, 0.0})
        for (double const power : {0.0, 0.5, 1.0})
            for (std::size_t const factors : {3u, 40u}) {
                rs::als_options o{.factors = factors, .regularization = power > 0 ? 0.03 : 0.4, .frequency_power = power, .alpha = 4};
                o.unobserved_weight = w0, o.iterations = 3, o.biases = true, o.seed = 3;
                out.push_back(o);
            }
    return out;
}
/// Without absent pairs some systems have few entries and little regularization.
template <class Scalar> double tolerance(rs::als_options const& o) {
    return !std::is_same_v<Scalar, float> ? 1e-9 : o.unobserved_weight == 0 ? 2e-3 : 1e-4;
}

}

TEST_CASE_TEMPLATE("biases: a step gives the items, then the users, that a dense solve over all pairs gives", Scalar, float, double) {
    auto const m = mixed();
    auto const wishes = wishes_of(m);
    for (auto const level : factor_tables::levels()) {
        factor_tables::forced const use(level);
        for (auto o : kinds())
            for (bool const with_wishes : {false, true}) {
                rs::als_extras<Scalar> extras;
                if (with_wishes) extras.preferences = wishes;
                auto const before = rs::basic_als<Scalar>(o).fit(m, extras);
                o.iterations = 1;
                auto const after = rs::basic_als<Scalar>(o).resume(before, m, extras);
                dense_als::problem const dense(m, o, with_wishes ? &wishes : nullptr);
                auto const items = dense.items_for(dense_als::users_of(before));
                CHECK(dense_als::distance(dense_als::items_of(after), items) < tolerance<Scalar>(o));
                CHECK(dense_als::distance(dense_als::users_of(after), dense.users_for(dense_als::items_of(after))) < tolerance<Scalar>(o));
                auto const loss = dense.loss(dense_als::users_of(after), dense_als::items_of(after));
                CHECK(after.report().loss.back() == doctest::Approx(loss).epsilon(std::is_same_v<Scalar, float> ? 1e-5 : 1e-11));
                CHECK(after.report().loss.back() <= before.report().loss.back() * (1 + 1e-6));
                CHECK(after.n_factors() == o.factors + 2);
                CHECK(after.item_gramian().size() == after.n_factors() * after.n_factors());
                dense_als::matrix const x = dense_als::users_of(after), gramian = x.transpose() * x;
                for (std::size_t i = 0; i < after.n_factors(); ++i)
                    CHECK(after.user_gramian()[i * after.n_factors() + 1] ==
                          doctest::Approx(gramian(static_cast<Eigen::Index>(i), 1)).epsilon(1e-9));
            }
    }
}

TEST_CASE("biases: no small change of a user's factors or bias lowers the loss, by finite differences") {
    auto const m = mixed();
    for (auto const& o : kinds()) {
        auto const model = rs::basic_als<double>(o).fit(m);
        dense_als::problem const dense(m, o);
        auto const x = dense_als::users_of(model), y = dense_als::items_of(model);
        double const step = 1e-4, scale = dense.loss(x, y);
        for (auto const u : {0, 2, 17, 63}) // some without entries
            for (Eigen::Index j = 0; j + 1 < x.cols(); ++j) {
                auto up = x, down = x;
                up(u, j) += step, down(u, j) -= step;
                CHECK(std::abs(dense.loss(up, y) - dense.loss(down, y)) / (2 * step) < 1e-7 * scale);
                CHECK(dense.loss(up, y) >= scale);
            }
    }
}

TEST_CASE("biases: conjugate gradients come to the same factors") {
    auto const m = mixed();
    for (auto o : kinds()) {
        if (o.unobserved_weight == 0) continue; // ill-conditioned: many steps
        auto const exact = rs::basic_als<double>(o).fit(m);
        o.solver = rs::als_solver::cg, o.cg_steps = 60;
        auto const model = rs::basic_als<double>(o).fit(m);
        CHECK(dense_als::distance(dense_als::users_of(model), dense_als::users_of(exact)) < 1e-6);
        CHECK(model.report().loss.back() == doctest::Approx(exact.report().loss.back()).epsilon(1e-8));
        o.cg_steps = 2, o.iterations = 8;
        auto const& loss = rs::als(o).fit(m).report().loss;
        for (std::size_t i = 1; i < loss.size(); ++i) CHECK(loss[i] <= loss[i - 1] * (1 + 1e-6));
    }
}

TEST_CASE("biases: a model is one like any other: scores, lists, files, any number of threads") {
    for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg})
        model_contract::check_model_contract([&](auto const& data, std::size_t threads) {
            return rs::als({.factors = 6,
                            .regularization = 0.1,
                            .biases = true,
                            .iterations = 3,
                            .solver = solver,
                            .run = {.threads = threads}})
                .fit(rs::user_items(data));
        });
}

TEST_CASE("biases: rows of thousands of entries are solved in parts like others") {
    std::vector<std::size_t> rows(30000);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
    auto const m = rs::csr_from(rows,
                                rs::columns()
                                    .user([](std::size_t i) { return i % 9000; })
                                    .item([](std::size_t i) { return i < 9000 ? 0 : 1 + i * 7 % 5; })
                                    .weight([](std::size_t i) { return static_cast<float>(1 + i % 3); }),
                                {});
    rs::als_options o{.factors = 2, .regularization = 0.1, .biases = true, .iterations = 2};
    auto const before = rs::basic_als<double>(o).fit(m);
    o.iterations = 1;
    auto const after = rs::basic_als<double>(o).resume(before, m);
    CHECK(dense_als::distance(dense_als::items_of(after), dense_als::problem(m, o).items_for(dense_als::users_of(before))) < 1e-9);
}

TEST_CASE_TEMPLATE("biases: folding in a training row gives the trained user, an item's takers the next item", Scalar, float, double) {
    auto const m = mixed();
    auto const by_item = rs::transpose(m);
    rs::als_fold_workspace<Scalar> work;
    for (auto o : kinds()) {
        double const most = std::is_same_v<Scalar, float> ? tolerance<Scalar>(o) : 0;
        auto const model = rs::basic_als<Scalar>(o).fit(m);
        for (auto const u : users_to(64)) {
            std::vector<rs::history::entry> rows;
            for (std::size_t k = 0; k < m.seen(u).size(); ++k) rows.push_back({m.seen(u)[k], m.weights(u)[k]});
            auto const folded = model.fold_in(rs::history(rows));
            CHECK(dense_als::distance(folded.factors, model.factors(u)) <= most);
            CHECK(folded.factors.back() == Scalar{1});
            auto const again = model.fold_in(rs::history(rows), work);
            CHECK(std::equal(again.begin(), again.end(), folded.factors.begin(), folded.factors.end()));
            if (rows.empty()) continue;
            auto const wanted = rs::recommend(model, folded, {.k = 5});
            for (auto const& one : wanted) {
                std::vector<float> score(1);
                model.score(u, std::span<rs::item_index const>(&one.item, 1), score);
                CHECK(static_cast<double>(one.score) == doctest::Approx(static_cast<double>(score[0])).epsilon(1e-3));
            }
        }
        o.iterations = 1;
        auto const next = rs::basic_als<Scalar>(o).resume(model, m);
        for (std::size_t i = 0; i < 50; ++i) {
            std::vector<rs::item_taker> takers;
            for (std::size_t k = 0; k < by_item.users(item(i)).size(); ++k)
                takers.push_back({by_item.users(item(i))[k], by_item.weights(item(i))[k]});
            CHECK(dense_als::distance(model.fold_in_item(takers).factors, next.factors(item(i))) <= most);
        }
    }
}

TEST_CASE("biases: what explains a score adds up to it, with a base that no past item has") {
    auto const m = mixed();
    for (auto const& o : kinds()) {
        if (o.unobserved_weight == 0) continue; // a user without entries has no cells
        auto const model = rs::basic_als<double>(o).fit(m);
        for (auto const u : {0u, 2u, 30u})
            for (auto const i : {0u, 1u, 44u}) {
                auto const why = rs::explain(model, user(u), item(i), m, {.k = 1000});
                double score = static_cast<double>(model.bias(user(u))) + static_cast<double>(model.bias(item(i))), sum = why.base;
                for (std::size_t j = 0; j < o.factors; ++j) score += model.factors(user(u))[j] * model.factors(item(i))[j];
                for (auto const& part : why.contributions) sum += static_cast<double>(part.score);
                CHECK(why.score == doctest::Approx(score).epsilon(1e-6));
                CHECK(sum == doctest::Approx(score).epsilon(1e-4));
            }
    }
}

TEST_CASE("biases: similar items and users are those with similar factors, whatever their biases") {
    auto const model = rs::als({.factors = 5, .regularization = 0.1, .biases = true, .iterations = 4}).fit(mixed());
    std::vector<float> users, items;
    for (auto const u : users_to(64)) users.insert(users.end(), model.factors(u).begin(), model.factors(u).begin() + 5);
    for (std::size_t i = 0; i < 50; ++i) items.insert(items.end(), model.factors(item(i)).begin(), model.factors(item(i)).begin() + 5);
    rs::embeddings const alike(users, items, 5);
    auto const ready = rs::prepare(model);
    std::vector<rs::item_index> some;
    for (std::size_t i = 1; i < 46; ++i) some.push_back(item(i));
    rs::item_set known(std::vector<rs::item_index>(some.begin(), some.end()));
    for (auto const by : {rs::similarity::cosine, rs::similarity::euclidean, rs::similarity::dot}) {
        for (auto const i : some) {
            auto const wanted = rs::similar_items(alike, i, {.k = 7, .similarity = by, .allow = known});
            CHECK(rs::similar_items(model, i, {.k = 7, .similarity = by, .allow = known}) == wanted);
            CHECK(rs::similar_items(ready, i, {.k = 7, .similarity = by, .allow = known}) == wanted);
        }
        auto const all = rs::similar_items(model, some, {.k = 7, .similarity = by, .allow = known});
        for (auto const& [of, list] : all) {
            auto const wanted = rs::similar_items(alike, of, {.k = 7, .similarity = by, .allow = known});
            CHECK(std::equal(list.begin(), list.end(), wanted.begin(), wanted.end()));
        }
        CHECK(rs::similar_users(model, user(5), {.k = 3, .similarity = by}).size() == 3);
    }
}

TEST_CASE("biases: a model goes on with a larger matrix, and stops early") {
    auto const m = mixed();
    rs::als_options o{.factors = 4, .regularization = 0.2, .biases = true, .iterations = 4};
    auto const small = rs::user_items(recsys_test::interactions_data(40, 30, 900, 3));
    auto const first = rs::als(o).fit(small);
    auto const larger = rs::als(o).update(first, m);
    CHECK(larger.n_users() == 64);
    for (std::size_t i = 1; i < larger.report().loss.size(); ++i)
        CHECK(larger.report().loss[i] <= larger.report().loss[i - 1] * (1 + 1e-6));
    rs::als_extras<float> extras;
    extras.watch = [](rs::als_moment<float> const& now) { return now.iteration == 1 ? 0.0 : 1.0; };
    auto const best = rs::als(o).fit(m, extras);
    o.iterations = 2;
    CHECK(model_contract::scores_of(best, user(7)) == model_contract::scores_of(rs::als(o).fit(m), user(7)));
    o.biases = false;
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::als(o).resume(best, m)),
                         "als: resume: biases must be as in the model, which was fitted with them", rs::option_error);
}

TEST_CASE("biases: items that differ only in how many take them differ only in their biases") {
    // Each item is taken by users who have nothing else in common: with factors that cost much, popularity is all there is.
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < 10; ++i)
        for (std::size_t k = 0; k < 3 * (i + 1); ++k) rows.push_back(i);
    std::size_t next_user = 0;
    auto const m =
        rs::csr_from(rows, rs::columns().user([&](std::size_t) { return next_user++; }).item([](std::size_t i) { return i; }), {});
    auto const model = rs::als({.factors = 2, .regularization = 5, .biases = true, .iterations = 20}).fit(m);
    for (std::size_t i = 1; i < 10; ++i) CHECK(model.bias(item(i)) > model.bias(item(i - 1)));
    CHECK(model.has_biases());
    CHECK(rs::als({.factors = 2}).fit(m).bias(item(3)) == 0);
}

TEST_CASE("biases: rows from elsewhere must have their ones") {
    rs::als_parts<float> parts;
    parts.biases = true, parts.n_users = 1, parts.n_items = 2, parts.n_factors = 3;
    parts.user_factors = {0.5f, 0.25f, 1.f}, parts.item_factors = {2.f, 1.f, 0.125f, 4.f, 1.f, -1.f};
    std::vector<float> scores(2);
    rs::als_model(parts).score(user(0), scores);
    CHECK(scores == std::vector<float>{1.375f, 1.25f});
    parts.item_factors = {2.f, 1.f, 0.125f, 4.f, 0.5f, -1.f};
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::als_model(parts)), "als: with biases number 1 of item 1 must be 1, got 0.5", rs::data_error);
    parts.n_factors = 2;
    CHECK_THROWS_AS(static_cast<void>(rs::als_model(parts)), rs::data_error);
}
