// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <vector>

#include "support/brute_force.hpp"
#include "support/factor_tables.hpp"
#include "support/interactions.hpp"

namespace rs = recsys;
using namespace brute_force;
using namespace factor_tables;

TEST_CASE("a prepared model stands for the model everywhere, with the same bits") {
    auto const data = recsys_test::interactions_data(60, 300, 4000, 5);
    auto const half = data.before(data.as_of().value() - std::chrono::hours(100)); // some users and items are not in it
    auto const seen = rs::user_items(half);
    auto const model = rs::als({.factors = 12, .iterations = 3}).fit(seen);
    auto const ready = rs::prepare(model);
    CHECK(ready.n_users() == 60);
    CHECK(ready.n_items() == 300);
    CHECK(ready.n_factors() == 12);
    CHECK(ready.model().n_items() == 300);
    CHECK(ready.provenance().items == model.provenance().items);
    for (auto const& one :
         {rs::recommend_options{.k = 20}, rs::recommend_options{.k = 7, .include_seen = true, .deny = random_set(300, 3, 1)}})
        for (auto const u : users_to(60)) {
            CHECK(ready.knows(u) == model.knows(u));
            CHECK(rs::recommend(ready, u, seen, one) == rs::recommend(model, u, seen, one));
        }
    CHECK(flat(rs::recommend(ready, users_to(60), seen)) == flat(rs::recommend(model, users_to(60), seen)));
    CHECK(flat(rs::recommend(rs::any_recommender(ready), users_to(60), seen)) == flat(rs::recommend(model, users_to(60), seen)));
    std::vector<float> scores(300), wanted(300);
    ready.score(user(3), std::span<float>(scores));
    model.score(user(3), std::span<float>(wanted));
    CHECK(scores == wanted);
    for (std::size_t i = 0; i < 300; i += 7) {
        CHECK(ready.knows(item(i)) == model.knows(item(i)));
        for (auto const by : {rs::similarity::dot, rs::similarity::cosine, rs::similarity::euclidean})
            CHECK(rs::similar_items(ready, item(i), {.similarity = by}) == rs::similar_items(model, item(i), {.similarity = by}));
    }
    CHECK(rs::similar_users(ready, user(4)) == rs::similar_users(model, user(4)));
    auto const session = some_items({1, 5, 9});
    auto const list = rs::recommend(ready, ready.fold_in(session));
    CHECK(list == rs::recommend(model, model.fold_in(session)));
    CHECK(list.size() == 10);
    rs::recommend_options const few{.k = 3, .allow = rs::item_set{item(2), item(5), item(8), item(11), item(14)}};
    CHECK(rs::recommend(ready, ready.fold_in(session), few) == rs::recommend(model, model.fold_in(session), few));
    auto const other = recsys_test::interactions_data(60, 301, 4000, 5);
    CHECK_THROWS_AS(static_cast<void>(rs::recommend(ready, user(0), rs::user_items(other))), rs::data_error);
}

TEST_CASE("the user's own factors are prepared by their own kind of score") {
    auto users = normal_table(2, 3, 1), items = normal_table(50, 3, 2);
    rs::embeddings const e(users.span(), items.span(), 3, rs::similarity::cosine);
    auto const ready = rs::prepare(e);
    auto const copy = ready;
    CHECK(rs::recommend(copy, user(1), rs::nothing_seen) == rs::recommend(e, user(1), rs::nothing_seen));
    CHECK_THROWS_AS(static_cast<void>(rs::recommend(ready, user(2), rs::nothing_seen)), rs::data_error);
}

TEST_CASE("an index that was made at another level of instructions is not used") {
    auto const users = normal_table(3, 20, 1), items = normal_table(400, 20, 2);
    rs::embeddings const e(users.span(), items.span(), 20);
    for (auto const made : levels())
        for (auto const asked : levels()) {
            rs::detail::force_simd_level(made);
            auto const ready = rs::prepare(e);
            forced const now(asked);
            CHECK(rs::recommend(ready, user(2), rs::nothing_seen) == known_list(e, user(2), rs::nothing_seen, 10));
        }
}
