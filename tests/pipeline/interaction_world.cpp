// SPDX-License-Identifier: MIT
// The generator of large logs: what benchmarks are run on must have the structure that it promises.
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "support/interaction_world.hpp"

namespace rs = recsys;

namespace {

/// More than one block of users.
interaction_world::shape const small_shape{.n_users = 2500, .n_items = 1000, .n_events = 75000, .seed = 3};

interaction_world::block const& small_log() {
    static interaction_world::block const log = interaction_world::make_all(small_shape);
    return log;
}

std::span<std::int32_t const> row(interaction_world::rows const& all, std::size_t user) {
    auto const first = static_cast<std::size_t>(user == 0 ? 0 : all.ends[user - 1]);
    return std::span<std::int32_t const>(all.items).subspan(first, static_cast<std::size_t>(all.ends[user]) - first);
}

bool same(interaction_world::rows const& a, interaction_world::rows const& b) {
    return a.ends == b.ends && a.items == b.items && a.counts == b.counts;
}

bool rises(std::span<std::int32_t const> items) {
    return std::adjacent_find(items.begin(), items.end(), [](std::int32_t a, std::int32_t b) { return a >= b; }) == items.end();
}

std::vector<std::size_t> takers(interaction_world::rows const& all, std::size_t n_items) {
    std::vector<std::size_t> out(n_items, 0);
    for (auto const item : all.items) ++out[static_cast<std::size_t>(item)];
    return out;
}

/// How many of the users' test items are among the k best by `score_of(user, item)` that are not in their train row.
template <class Score> std::size_t hits(interaction_world::block const& log, std::size_t n_items, std::size_t k, Score const& score_of) {
    std::size_t found = 0;
    for (std::size_t user = 0; user < log.train.ends.size(); user += 10) {
        auto const had = row(log.train, user), wanted = row(log.test, user);
        std::vector<std::pair<float, std::int32_t>> scores;
        for (std::int32_t i = 0; i < static_cast<std::int32_t>(n_items); ++i)
            if (!std::binary_search(had.begin(), had.end(), i)) scores.push_back({-score_of(user, static_cast<std::size_t>(i)), i});
        std::partial_sort(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(k), scores.end());
        for (std::size_t i = 0; i < k; ++i) found += std::binary_search(wanted.begin(), wanted.end(), scores[i].second);
    }
    return found;
}

}

TEST_CASE("weights decide how often numbers are drawn") {
    std::vector<double> const weights{1, 0, 3, 4};
    interaction_world::weighted_draw const draw(weights);
    std::vector<std::size_t> drawn(weights.size(), 0);
    rs::random_stream random(5);
    for (int i = 0; i < 80000; ++i) ++drawn[draw(random)];
    CHECK(drawn[1] == 0);
    CHECK(static_cast<double>(drawn[0]) == doctest::Approx(10000).epsilon(0.04));
    CHECK(static_cast<double>(drawn[2]) == doctest::Approx(30000).epsilon(0.04));
    CHECK(static_cast<double>(drawn[3]) == doctest::Approx(40000).epsilon(0.04));
}

TEST_CASE("the log is the same for any number of threads") {
    auto const three = interaction_world::make_all(small_shape, 3);
    CHECK(same(small_log().train, three.train));
    CHECK(same(small_log().test, three.test));
}

TEST_CASE("a user's rows depend on the seed, and not on how many users there are") {
    auto few = small_shape;
    few.n_users = 100, few.n_events = 3000;
    auto const first_of = [](interaction_world::rows const& all) {
        return std::vector(all.items.begin(), all.items.begin() + all.ends[99]);
    };
    CHECK(first_of(interaction_world::make_all(few).train) == first_of(small_log().train));
    few.seed = 4;
    CHECK(first_of(interaction_world::make_all(few).train) != first_of(small_log().train));
}

TEST_CASE("each user has each item once, in train or in test, and there are as many events as were asked for") {
    auto const& log = small_log();
    REQUIRE(log.train.ends.size() == small_shape.n_users);
    REQUIRE(log.test.ends.size() == small_shape.n_users);
    bool rise = true, disjoint = true, complete = true, in_range = true;
    for (std::size_t user = 0; user < small_shape.n_users; ++user) {
        auto const train = row(log.train, user), test = row(log.test, user);
        rise = rise && rises(train) && rises(test);
        complete = complete && train.size() >= 6 && !test.empty();
        for (auto const item : test) disjoint = disjoint && !std::binary_search(train.begin(), train.end(), item);
        in_range = in_range && train.front() >= 0 && train.back() < static_cast<std::int32_t>(small_shape.n_items);
    }
    CHECK(rise);
    CHECK(disjoint);
    CHECK(complete);
    CHECK(in_range);
    auto const first = row(log.train, 0), of_next_block = row(log.train, interaction_world::world::block_users);
    CHECK(!std::equal(first.begin(), first.end(), of_next_block.begin(), of_next_block.end()));
    auto const n_train = static_cast<double>(log.train.items.size()), n_test = static_cast<double>(log.test.items.size());
    CHECK(n_train + n_test == doctest::Approx(75000).epsilon(0.03));
    CHECK(n_test / (n_train + n_test) == doctest::Approx(0.2).epsilon(0.1)); // rounded down for each user
    auto const counts = std::accumulate(log.train.counts.begin(), log.train.counts.end(), 0.0);
    CHECK(counts / n_train == doctest::Approx(2).epsilon(0.02));
}

TEST_CASE("a few items have much of the log, and most of them have some of it") {
    auto counts = takers(small_log().train, small_shape.n_items);
    std::sort(counts.rbegin(), counts.rend());
    auto const total = std::accumulate(counts.begin(), counts.end(), std::size_t{0}),
               head = std::accumulate(counts.begin(), counts.begin() + 10, std::size_t{0}); // one in a hundred
    CHECK(head * 20 > total);                                                               // five times an equal share
    CHECK(head * 2 < total);
    CHECK(counts[counts.size() * 9 / 10] > 0);
}

TEST_CASE("who has an item has its companions more often than those of another item") {
    rs::detail::team workers(1);
    interaction_world::world const world(small_shape, workers);
    auto const& log = small_log();
    std::size_t own = 0, of_next = 0;
    for (std::size_t user = 0; user < small_shape.n_users; ++user) {
        auto const had = row(log.train, user);
        auto const count = [&](std::size_t item) {
            std::size_t n = 0;
            for (auto const companion : world.companions(item))
                n += std::binary_search(had.begin(), had.end(), static_cast<std::int32_t>(companion));
            return n;
        };
        for (auto const item : had) {
            own += count(static_cast<std::size_t>(item));
            of_next += count((static_cast<std::size_t>(item) + 1) % small_shape.n_items);
        }
    }
    // A quarter of the events were drawn as companions of an earlier one, which is in train four times of five.
    auto const expected = 0.25 * 0.8 * static_cast<double>(log.train.items.size());
    CHECK(static_cast<double>(own) - static_cast<double>(of_next) == doctest::Approx(expected).epsilon(0.2));
}

TEST_CASE("factors find more of what is held out than popularity does" * doctest::test_suite("slow")) {
    interaction_world::shape const shape{.n_users = 4000, .n_items = 3000, .n_events = 400000, .seed = 3};
    auto const log = interaction_world::make_all(shape);
    std::vector<std::int64_t> offsets{0};
    offsets.insert(offsets.end(), log.train.ends.begin(), log.train.ends.end());
    std::vector<rs::item_index> items;
    for (auto const item : log.train.items) items.push_back(static_cast<rs::item_index>(item));
    rs::csr const train(shape.n_users, shape.n_items, rs::detail::shared_array<std::int64_t>(std::move(offsets)),
                        rs::detail::shared_array<rs::item_index>(std::move(items)), rs::detail::shared_array<float>(log.train.counts));
    auto const model = rs::als({.factors = 48, .regularization = 10, .iterations = 6, .run = {.threads = 1}}).fit(train);
    auto const popular = takers(log.train, shape.n_items);
    auto const by_popularity = hits(log, shape.n_items, 10, [&](std::size_t, std::size_t i) { return static_cast<float>(popular[i]); });
    auto const by_factors = hits(log, shape.n_items, 10, [&](std::size_t u, std::size_t i) {
        auto const x = model.factors(static_cast<rs::user_index>(u)), y = model.factors(static_cast<rs::item_index>(i));
        return std::inner_product(x.begin(), x.end(), y.begin(), 0.0f);
    });
    CHECK(by_popularity > 100);
    CHECK(4 * by_factors > 5 * by_popularity); // without topics they find fewer
}
