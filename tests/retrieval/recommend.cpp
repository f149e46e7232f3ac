// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <atomic>
#include <cmath>
#include <fstream>
#include <limits>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/brute_force.hpp"
#include "support/interactions.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

std::vector<rs::item_index> listed(table_scorer const& s, rs::recommend_options const& options) {
    return items_of(rs::recommend(s, user(0), rs::nothing_seen, options));
}
float const infinity = std::numeric_limits<float>::infinity();

}

// --- the rules ------------------------------------------------------------------------------------

TEST_CASE("c24 denied items do not come back and do not shorten the list") {
    auto const s = same_for_all({.9f, .8f, .7f, .6f, .5f});
    CHECK(listed(s, {.k = 2, .deny = {item(0), item(4)}}) == some_items({1, 2}));
    CHECK(listed(s, {.k = 2, .deny = std::vector{item(4), item(0), item(4)}}) == some_items({1, 2})); // unsorted, twice
    CHECK(listed(s, {.k = 2, .allow = rs::item_set{item(4), item(3), item(0)}}) == some_items({0, 3}));
    CHECK(listed(s, {.k = 2, .allow = rs::item_set{item(4), item(3), item(0)}, .deny = {item(0)}}) == some_items({3, 4}));
    CHECK(listed(s, {.k = 9, .keep_if = [](rs::user_index, rs::item_index i) { return rs::to_size(i) % 2 == 1; }}) == some_items({1, 3}));
    CHECK(listed(s, {.k = 9, .allow = rs::item_set{}}).empty()); // given and empty means none
    CHECK(listed(s, {.k = 9, .deny = rs::item_set{}}).size() == 5);
}

TEST_CASE("c25 lists are as long as there is something to list, without padding") {
    auto const s = same_for_all({.1f, .2f, .3f});
    seen_table const seen{{{item(1)}}};
    auto const list = rs::recommend(s, user(0), seen, {.k = 5});
    CHECK(list == std::vector<rs::scored>{{item(2), .3f}, {item(0), .1f}});
    CHECK(rs::recommend(s, user(0), seen, {.k = 0}).empty());
    CHECK(rs::recommend(s, user(0), rs::nothing_seen, {.k = 1000000000000}).size() == 3);
    auto const all = rs::recommend(s, std::vector{user(0), user(0)}, seen, {.k = 5});
    CHECK(all[0].list.size() == 2);
    CHECK(all.n_slots() == 4);
    table_scorer const none{0, {}};
    CHECK(rs::recommend(rs::any_recommender(same_for_all({})), std::vector<rs::user_index>(), rs::nothing_seen).empty());
    CHECK(none.n_items() == 0);
}

TEST_CASE("c26 lists are in order of the scores, equal scores in order of the items") {
    CHECK(listed(same_for_all({1, 3, 2, 3}), {.k = 3}) == some_items({1, 3, 2}));
    CHECK(listed(same_for_all({1, 3, 2, 3}), {.k = 4}) == some_items({1, 3, 2, 0}));
    CHECK(listed(same_for_all({1, 3, 2, 3}), {.k = 7}) == some_items({1, 3, 2, 0}));
    CHECK(listed(same_for_all({5, 5, 5, 5}), {.k = 3}) == some_items({0, 1, 2}));
    CHECK(listed(same_for_all({-3, -1, -2}), {.k = 2}) == some_items({1, 2}));
    CHECK(listed(same_for_all({0.f, -0.f, 0.f}), {.k = 3}) == some_items({0, 1, 2}));
}

TEST_CASE("c27 what the user himself has seen is left out, stored zeros too, whoever else has it") {
    struct row {
        int user, item;
        float value;
    };
    std::vector<row> const log{{1, 1, 1}, {2, 1, 1}, {2, 2, 1}, {2, 3, 0}};
    auto const data = rs::ingest(log, rs::columns().user(&row::user).item(&row::item).weight(&row::value));
    auto const seen = rs::user_items(data);
    auto const u1 = data.users().at(1), u2 = data.users().at(2);
    auto const s = same_for_all({3, 2, 1}, 2);
    CHECK(items_of(rs::recommend(s, u1, seen, {.k = 3})) == std::vector{data.items().at(2), data.items().at(3)});
    CHECK(rs::recommend(s, u2, seen, {.k = 3}).empty());
    CHECK(rs::recommend(s, u2, seen, {.k = 3, .include_seen = true}).size() == 3);
    CHECK(rs::recommend(s, u2, rs::nothing_seen, {.k = 3}).size() == 3);
}

TEST_CASE("c35 items of equal popularity are all listed") {
    struct row {
        int user;
        char const* item;
    };
    std::vector<row> log;
    for (int u = 0; u < 5; ++u) log.push_back({u, "a"}), log.push_back({u, "b"});
    for (int u = 0; u < 3; ++u) log.push_back({u, "c"});
    auto const data = rs::ingest(log, rs::columns().user(&row::user).item(&row::item));
    auto const hot = rs::popularity().fit(data);
    auto const list = rs::recommend(hot, user(0), rs::nothing_seen, {.k = 3});
    CHECK(list == std::vector<rs::scored>{{data.items().at("a"), 5}, {data.items().at("b"), 5}, {data.items().at("c"), 3}});
    log.resize(10);
    auto const equal = rs::popularity().fit(rs::ingest(log, rs::columns().user(&row::user).item(&row::item)));
    CHECK(items_of(rs::recommend(equal, user(0), rs::nothing_seen)) == some_items({0, 1}));
}

TEST_CASE("a score of minus infinity is never listed, infinity is; NaN is an error that names user and item") {
    CHECK(listed(same_for_all({1, -infinity, infinity}), {.k = 3}) == some_items({2, 0}));
    auto const broken = same_for_all({1, 2, std::nanf(""), 4}, 3);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(broken, user(2), rs::nothing_seen, {.k = 1})),
                         doctest::Contains("recommend: the score of user 2, item 2 is not a number"), rs::data_error);
    // An item that cannot be listed may have any score.
    CHECK(listed(broken, {.k = 9, .deny = {item(2)}}) == some_items({3, 1, 0}));
    CHECK(listed(broken, {.k = 9, .allow = rs::item_set{item(0), item(3)}}) == some_items({3, 0}));
    CHECK_THROWS_AS(static_cast<void>(rs::recommend(broken, users_to(3), rs::nothing_seen, {.k = 1, .run = {.threads = 3}})),
                    rs::data_error);
}

TEST_CASE("an item that the scorer does not know is not listed, and a user whom it does not know gets an empty list and is counted") {
    struct knowing : table_scorer {
        bool knows(rs::item_index i) const { return rs::to_size(i) != 1; }
        bool knows(rs::user_index u) const { return rs::to_size(u) != 2; }
    };
    knowing s;
    static_cast<table_scorer&>(s) = same_for_all({1, 9, 2}, 4);
    CHECK(items_of(rs::recommend(s, user(0), rs::nothing_seen)) == some_items({2, 0}));
    CHECK(rs::recommend(s, user(2), rs::nothing_seen).empty());
    auto const report = rs::recommend(s, users_to(4), rs::nothing_seen, {}, [](rs::lists const& block) {
        CHECK(block.size() == 4);
        CHECK(block[2].list.empty());
        CHECK(block[3].list.size() == 2);
    });
    CHECK(report.users == 4);
    CHECK(report.cold_users == 1);
    CHECK(report.empty == 1);
    CHECK(report.slots == 6);
    CHECK_FALSE(report.stopped);
}

// --- what does not fit together -------------------------------------------------------------------

TEST_CASE("c22 users are rows: a user past the end is an error that names him, his place and the number of users") {
    auto const seen = matrix(3, {{2}, {0, 1}});
    auto const model = rs::als({.factors = 2, .iterations = 2}).fit(seen);
    REQUIRE(model.user_factors().size() == 2 * 2);
    REQUIRE(model.item_factors().size() == 3 * 2);
    for (auto const& one : rs::recommend(model, user(1), rs::nothing_seen)) CHECK(rs::to_size(one.item) < 3);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(model, user(2), seen)),
                         "recommend: user 2 at position 0, expected below 2, the number of users of the recommender", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(model, std::vector{user(0), user(1), user(7)}, seen)),
                         doctest::Contains("user 7 at position 2"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(same_for_all({1, 2, 3}, 9), user(2), seen)),
                         doctest::Contains("expected below 2, the number of users of what was seen"), rs::data_error);
    CHECK(rs::similar_items(model, item(2)).size() == 2);
}

TEST_CASE("c23 items past the end in deny and allow are errors that name them, before anything is read") {
    auto const s = same_for_all({1, 2, 3});
    CHECK_THROWS_WITH_AS(static_cast<void>(listed(s, {.deny = {item(5)}})),
                         "recommend: item 5 of deny, expected below 3, the number of items", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(listed(s, {.allow = rs::item_set{item(0), item(4294967295u)}})),
                         "recommend: item 4294967295 of allow, expected below 3, the number of items", rs::data_error);
    // What was seen is only looked up: items past the end are of no account.
    seen_table const seen{{{item(0), item(3)}}};
    CHECK(items_of(rs::recommend(s, user(0), seen)) == some_items({2, 1}));
}

TEST_CASE("other encoders are errors, for what was seen, deny and allow") {
    struct dated : table_scorer {
        rs::provenance from;
        rs::provenance provenance() const { return from; }
    };
    dated s;
    static_cast<table_scorer&>(s) = same_for_all({1, 2, 3});
    s.from = {11, 22, {}};
    auto const fits = matrix(3, {{0}}, {11, 22, {}}), unknown = matrix(3, {{0}});
    auto const other_users = matrix(3, {{0}}, {12, 22, {}}), other_items = matrix(3, {{0}}, {11, 23, {}});
    CHECK(rs::recommend(s, user(0), fits).size() == 2);
    CHECK(rs::recommend(s, user(0), unknown).size() == 2);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(s, user(0), other_users)),
                         "recommend: what was seen was made with other user ids (another user encoder)", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(s, user(0), other_items)), doctest::Contains("other item ids"), rs::data_error);
    rs::item_set const strangers({item(1)}, {0, 23, {}}), ours({item(1)}, {0, 22, {}});
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(s, user(0), fits, {.deny = strangers})),
                         doctest::Contains("recommend: deny was made"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(s, user(0), fits, {.allow = strangers})),
                         doctest::Contains("recommend: allow was made"), rs::data_error);
    CHECK(items_of(rs::recommend(s, user(0), fits, {.deny = ours})) == some_items({2}));
    CHECK(rs::recommend(s, std::vector{user(0)}, fits).provenance().items == 22);
}

TEST_CASE("a row of the user's own that does not rise, and a block of none, are errors") {
    auto const s = same_for_all({1, 2, 3}, 2);
    seen_table const falling{{{item(0)}, {item(2), item(1)}}};
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(s, users_to(2), falling)),
                         "recommend: what user 1 has seen must be in rising order of the items", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(s, users_to(2), rs::nothing_seen, {.block = 0})),
                         "recommend: block must be at least 1, got 0", rs::option_error);
    CHECK_THROWS_AS(static_cast<void>(rs::recommend_options{.k = -1}), rs::option_error);
}

TEST_CASE("rows of what was seen may be returned by value") {
    struct by_value {
        std::vector<rs::item_index> seen(rs::user_index u) const { return {item(rs::to_size(u)), item(2)}; }
    };
    auto const lists = flat(rs::recommend(same_for_all({1, 2, 3, 4}, 2), users_to(2), by_value()));
    CHECK(items_of(lists[0].second) == some_items({3, 1}));
    CHECK(items_of(lists[1].second) == some_items({3, 0}));
}

// --- twins ----------------------------------------------------------------------------------------

TEST_CASE("lists agree with a full sort for random scores with ties, sets, predicates and lengths") {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        std::size_t const users = 30, items = 10 + 37 * static_cast<std::size_t>(seed);
        auto const s = coarse_table(users, items, seed, seed % 2 ? 7 : 5000);
        candidate_table const c{s};
        auto const seen = random_seen(users, items, 2 + static_cast<std::size_t>(seed % 5), seed + 100);
        for (std::size_t const k : {std::size_t{1}, std::size_t{10}, items / 2, items, items + 3}) {
            std::vector<rs::recommend_options> all(6);
            for (auto& options : all) options.k = k, options.run.threads = 2;
            all[1].include_seen = true;
            all[2].allow = random_set(items, 3, seed);
            all[3].deny = random_set(items, 2, seed);
            all[4].keep_if = [](rs::user_index u, rs::item_index i) { return (rs::to_size(u) + rs::to_size(i)) % 3 != 0; };
            all[5].allow = random_set(items, 2, seed + 1), all[5].deny = random_set(items, 3, seed + 2), all[5].keep_if = all[4].keep_if;
            for (auto const& options : all) {
                std::vector<user_list> wanted;
                for (auto const u : users_to(users)) wanted.emplace_back(u, list_of(s, u, seen, options));
                CHECK(flat(rs::recommend(s, users_to(users), seen, options)) == wanted);
                CHECK(flat(rs::recommend(c, users_to(users), seen, options)) == wanted);
                CHECK(flat(rs::recommend(rs::any_recommender(s), users_to(users), seen, options)) == wanted);
                CHECK(rs::recommend(s, user(7), seen, options) == wanted[7].second);
            }
        }
    }
}

TEST_CASE("c34 lists are the same bytes for any number of threads and any block") {
    auto const data = recsys_test::interactions_data(150, 80, 3000, 5);
    auto const seen = rs::user_items(data);
    auto const model = rs::als({.factors = 20, .iterations = 3}).fit(seen);
    auto const s = coarse_table(150, 80, 9);
    auto const users = data.users().all();
    auto const by_model = flat(rs::recommend(model, users, seen, {.k = 9, .run = {.threads = 1}}));
    auto const by_table = flat(rs::recommend(s, users, seen, {.k = 9, .run = {.threads = 1}}));
    for (std::size_t const threads : {1u, 2u, 7u})
        for (std::size_t const block : {1u, 17u, 4096u}) {
            rs::recommend_options const options{.k = 9, .block = block, .run = {.threads = threads}};
            CHECK(flat(rs::recommend(model, users, seen, options)) == by_model);
            CHECK(flat(rs::recommend(s, users, seen, options)) == by_table);
        }
}

TEST_CASE("users may come twice, in any order, from any range; no users give no lists") {
    auto const s = coarse_table(5, 20, 1);
    std::vector<rs::user_index> const twice{user(3), user(0), user(3)};
    auto const lists = rs::recommend(s, twice, rs::nothing_seen, {.k = 4});
    REQUIRE(lists.size() == 3);
    CHECK(lists[0].user == user(3));
    CHECK(flat(lists)[0] == flat(lists)[2]);
    CHECK(flat(lists)[1].second == rs::recommend(s, user(0), rs::nothing_seen, {.k = 4}));
    CHECK(flat(rs::recommend(s, std::set<rs::user_index>{user(4), user(1)}, rs::nothing_seen))[0].first == user(1));
    CHECK(rs::recommend(s, rs::index_range<rs::user_index>(5), rs::nothing_seen).size() == 5);
    rs::user_index const plain[2] = {user(1), user(2)};
    CHECK(rs::recommend(s, plain, rs::nothing_seen).size() == 2);
    CHECK(rs::recommend(s, std::vector<rs::user_index>(), rs::nothing_seen).empty());
}

// --- streaming ------------------------------------------------------------------------------------

TEST_CASE("a sink is given blocks in the order of the users, from the calling thread") {
    auto const s = coarse_table(53, 30, 2);
    auto const wanted = flat(rs::recommend(s, users_to(53), rs::nothing_seen));
    std::vector<user_list> got;
    std::vector<std::size_t> sizes;
    auto const here = std::this_thread::get_id();
    auto const report = rs::recommend(s, users_to(53), rs::nothing_seen, {.block = 10, .run = {.threads = 7}}, [&](rs::lists const& block) {
        CHECK(std::this_thread::get_id() == here);
        sizes.push_back(block.size());
        for (auto const& one : flat(block)) got.push_back(one);
    });
    CHECK(got == wanted);
    CHECK(sizes == std::vector<std::size_t>{10, 10, 10, 10, 10, 3});
    CHECK(report.users == 53);
    CHECK(report.slots == 530);
    CHECK(rs::recommend(s, user(4), rs::nothing_seen, {}, [&](rs::lists const& block) { CHECK(flat(block)[0] == wanted[4]); }).users == 1);
}

TEST_CASE("a sink or a progress callback that says false stops after its block") {
    auto const s = coarse_table(50, 30, 2);
    std::size_t calls = 0;
    auto const stopped = rs::recommend(s, users_to(50), rs::nothing_seen, {.block = 8}, [&](rs::lists const&) { return ++calls < 3; });
    CHECK(calls == 3);
    CHECK(stopped.stopped);
    CHECK(stopped.users == 24);
    std::vector<std::uint64_t> told;
    rs::recommend_options const until{.block = 20, .run = {.progress = [&](rs::progress const& now) {
                                                       CHECK(now.stage == "recommend");
                                                       CHECK(now.total == 50);
                                                       told.push_back(now.done);
                                                       return now.done < 40;
                                                   }}};
    auto const halted = rs::recommend(s, users_to(50), rs::nothing_seen, until, [](rs::lists const&) {});
    CHECK(halted.stopped);
    CHECK(halted.users == 40);
    CHECK(told == std::vector<std::uint64_t>{20, 40});
    // Lists of a part of the users would be taken for those of all.
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(s, users_to(50), rs::nothing_seen, until)),
                         "recommend: stopped by the progress callback after 40 of 50 users", rs::cancelled);
    rs::recommend_options const at_the_end{.block = 20, .run = {.progress = [](rs::progress const& now) { return now.done < now.total; }}};
    CHECK(rs::recommend(s, users_to(50), rs::nothing_seen, at_the_end).size() == 50);
}

TEST_CASE("exceptions of scorers and sinks pass through") {
    struct throwing {
        std::size_t n_items() const { return 3; }
        void score(rs::user_index u, std::span<float> out) const {
            if (rs::to_size(u) >= 40) throw std::runtime_error("user " + std::to_string(rs::to_size(u)));
            for (auto& x : out) x = 0;
        }
    };
    for (std::size_t const threads : {1u, 2u, 7u})
        CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(throwing(), users_to(200), rs::nothing_seen, {.run = {.threads = threads}})),
                             "user 40", std::runtime_error);
    auto const sink = [](rs::lists const&) { throw std::logic_error("disk full"); };
    CHECK_THROWS_AS(rs::recommend(throwing(), users_to(3), rs::nothing_seen, {}, sink), std::logic_error);
}

TEST_CASE("slots taken by seen items are counted where they are let in") {
    auto const s = same_for_all({4, 3, 2, 1}, 3);
    seen_table const seen{{{item(0), item(1)}, {}, {item(3)}}};
    auto const count = [&](bool include) {
        return rs::recommend(s, users_to(3), seen, {.k = 2, .include_seen = include}, [](rs::lists const&) {}).seen_slots;
    };
    CHECK(count(true) == 2);
    CHECK(count(false) == 0);
}

TEST_CASE("tee gives every sink every block, by copy, and stops where one says so") {
    auto const s = coarse_table(20, 5, 1);
    std::size_t first = 0, second = 0;
    auto const counting = [&](rs::lists const&) { ++first; };
    auto const stopping = [&](rs::lists const&) { return ++second < 2; };
    auto const report = rs::recommend(s, users_to(20), rs::nothing_seen, {.block = 5}, rs::tee(counting, stopping, counting));
    CHECK(report.stopped);
    CHECK(second == 2);
    CHECK(first == 4); // those beside the one that stops are given its last block too
    auto both = rs::tee(counting, rs::tee(counting));
    CHECK_FALSE(rs::recommend(s, users_to(20), rs::nothing_seen, {}, both).stopped);
    CHECK(first == 6);
}

TEST_CASE("c36 lists of all users never need all scores at once") {
    struct formula {
        std::atomic<std::size_t>* most = nullptr;
        std::size_t n_items() const { return 5000; }
        void score(rs::user_index u, std::span<float> out) const {
            auto const start = rs::to_size(u) * 2654435761u;
            for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>((start + i * 40503u) & 1023u);
            if (rs::to_size(u) % 256 == 0) most->store(std::max(most->load(), resident()));
        }
        /// Bytes in memory now; 0 where the system does not say.
        static std::size_t resident() {
            std::ifstream file("/proc/self/statm");
            std::size_t pages = 0;
            return file >> pages >> pages ? pages * 4096 : 0;
        }
    };
    std::atomic<std::size_t> most = 0;
    std::size_t const before = formula::resident(), users = 20000;
    if (before == 0) MESSAGE("skipped: this system has no /proc/self/statm");
    auto const all =
        rs::recommend(formula{&most}, rs::index_range<rs::user_index>(users), rs::nothing_seen, {.k = 10, .run = {.threads = 2}});
    CHECK(all.n_slots() == 10 * users);
    CHECK(most.load() - std::min(before, most.load()) < 100'000'000); // all scores are 400 MB
}
