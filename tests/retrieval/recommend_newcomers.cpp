// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <vector>

#include "support/brute_force.hpp"
#include "support/interactions.hpp"

namespace rs = recsys;
using namespace brute_force;

TEST_CASE("a folded-in user gets the list of his row, and what made him counts as seen") {
    auto const data = recsys_test::interactions_data(60, 40, 1500, 3);
    auto const seen = rs::user_items(data);
    auto const model = rs::als({.factors = 6, .alpha = 4, .iterations = 5}).fit(seen);
    for (std::size_t const u : {0u, 7u, 31u}) {
        auto const had = seen.seen(user(u));
        std::vector<rs::history::entry> entries;
        for (std::size_t j = 0; j < had.size(); ++j) entries.push_back({had[j], seen.weights(user(u))[j]});
        rs::history const h(entries);
        auto const folded = model.fold_in(h);
        auto const list = rs::recommend(model, folded, {.k = 10});
        // His scores, computed plainly.
        std::vector<float> scores(model.n_items());
        for (std::size_t i = 0; i < scores.size(); ++i) {
            double sum = 0;
            for (std::size_t f = 0; f < 6; ++f)
                sum += static_cast<double>(folded.factors[f]) * static_cast<double>(model.factors(item(i))[f]);
            scores[i] = static_cast<float>(sum);
        }
        auto const wanted =
            best_of(scores, 10, [&](rs::item_index i) { return model.knows(i) && !std::binary_search(had.begin(), had.end(), i); });
        REQUIRE(list.size() == wanted.size());
        for (std::size_t j = 0; j < list.size(); ++j) CHECK(list[j].score == doctest::Approx(wanted[j].score).epsilon(1e-4));
        CHECK(rs::recommend(model, h, {.k = 10}) == list);
        auto const unseen = rs::recommend(model, folded, {.k = 1000}),
                   all = rs::recommend(model, folded, {.k = 1000, .include_seen = true});
        CHECK(all.size() == unseen.size() + had.size());
        for (auto const& one : unseen) CHECK_FALSE(std::binary_search(had.begin(), had.end(), one.item));
    }
}

TEST_CASE("a folded-in user is under the same rules; without items he gets an empty list") {
    auto const data = recsys_test::interactions_data(60, 40, 1500, 3);
    auto const seen = rs::user_items(data);
    auto const model = rs::als({.factors = 6, .iterations = 3}).fit(seen);
    auto const fine = rs::basic_als<double>({.factors = 6, .iterations = 3}).fit(seen);
    rs::history const h({{item(1), 2}, {item(5), 1}});
    auto const list = rs::recommend(model, h, {.k = 8});
    REQUIRE(list.size() == 8);
    CHECK(items_of(rs::recommend(fine, h, {.k = 3})).size() == 3);
    rs::item_set const deny{list[0].item, list[3].item};
    for (auto const& one : rs::recommend(model, h, {.k = 8, .deny = deny})) CHECK_FALSE(deny.contains(one.item));
    CHECK(items_of(rs::recommend(model, h, {.k = 8, .allow = deny})) == std::vector{list[0].item, list[3].item});
    std::atomic<int> others = 0;
    CHECK(rs::recommend(model, h, {.keep_if = [&](rs::user_index u, rs::item_index) { return others += u != rs::anonymous_user, false; }})
              .empty());
    CHECK(others == 0);
    CHECK(rs::recommend(model, rs::history()).empty());
    CHECK(rs::recommend(model, model.fold_in(rs::history()), {.k = 3, .include_seen = true}).empty());
    CHECK(rs::recommend(model, h, {.k = 0}).empty());
    CHECK_THROWS_AS(static_cast<void>(rs::recommend(model, rs::history({{item(40), 1}}))), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(model, rs::history({{item(1), 1}}, {0, 99, {}}))),
                         doctest::Contains("other item ids"), rs::data_error);
    rs::folded_user<float> const stranger{std::vector<float>(5), h};
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(model, stranger)), "recommend: the folded-in user has 5 factors, the model has 6",
                         rs::data_error);
}

TEST_CASE("c33 a user without history gets an empty list and a count, and a fallback stands in for the model") {
    auto const seen = matrix(2, {{0}, {}, {0, 1}});
    auto const model = rs::als({.factors = 2, .iterations = 3}).fit(seen);
    CHECK(rs::recommend(model, user(1), seen).empty());
    auto const report = rs::recommend(model, users_to(3), seen, {}, [](rs::lists const&) {});
    CHECK(report.cold_users == 1);
    CHECK(report.empty == 2); // the last one has seen everything
    auto const filled = rs::recommend(rs::fallback(model, same_for_all({1, 2}, 3)), user(1), seen);
    CHECK(items_of(filled) == some_items({1, 0}));
}

TEST_CASE("c17 users and items that occur only later are known to the encoders, counted as cold, and read nothing past the end") {
    struct row {
        char const* user;
        char const* item;
        std::int64_t at;
    };
    std::vector<row> const log{{"u0", "i0", 1}, {"u1", "i0", 2}, {"u2", "i0", 11}, {"u0", "i5", 12}};
    auto const data = rs::ingest(log, rs::columns().user(&row::user).item(&row::item).unix_seconds(&row::at));
    auto const w = rs::split_by_time(data, rs::time_point(std::chrono::seconds(10)));
    auto const seen = rs::user_items(w.train);
    auto const model = rs::als({.factors = 2, .iterations = 2}).fit(seen);
    auto const report = rs::recommend(model, w.test.active_users(), seen, {.include_seen = true}, [&](rs::lists const& block) {
        for (auto const& [u, list] : block)
            for (auto const& one : list) CHECK(one.item == data.items().at("i0")); // i5 is in no list
    });
    CHECK(report.users == 2);
    CHECK(report.cold_users == 1);
    CHECK(report.empty == 1);
}
