// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "support/brute_force.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

struct pinned : table_scorer {
    explicit pinned(table_scorer const& s) : table_scorer(s) {}
    pinned(pinned const&) = delete;
};
/// Gives what it is told to.
struct scripted {
    rs::lists answer;
    rs::lists recommend_block(std::span<rs::user_index const>, rs::recommend_options const&) const { return answer; }
};
std::vector<user_list> block_of(rs::any_recommender const& r, std::vector<rs::user_index> const& users,
                                rs::recommend_options const& o = {}) {
    return flat(r.recommend_block(users, o));
}

}

TEST_CASE("a scorer, a reference, a lister, another handle and ready lists answer alike") {
    auto const s = coarse_table(20, 30, 4);
    pinned const here(s);
    auto const users = users_to(20);
    auto const wanted = flat(rs::recommend(s, users, rs::nothing_seen, {.k = 6}));
    rs::any_recommender const by_copy = s, by_reference = std::cref(here), handle = by_copy;
    rs::any_recommender const ready = rs::recommend(s, users, rs::nothing_seen, {.k = 6});
    rs::any_recommender const pool = rs::fallback(std::cref(here));
    for (auto const& r : {by_copy, by_reference, handle, ready, pool}) {
        CHECK(block_of(r, users, {.k = 6}) == wanted);
        CHECK(flat(rs::recommend(r, users, rs::nothing_seen, {.k = 6, .block = 7})) == wanted);
        CHECK(rs::recommend(r, user(3), rs::nothing_seen, {.k = 6}) == wanted[3].second);
    }
    CHECK(flat(rs::recommend(std::cref(here), users, rs::nothing_seen, {.k = 6})) == wanted);
}

TEST_CASE("a reference reads the object as it is now, a copy does not") {
    auto s = same_for_all({1, 2});
    rs::any_recommender const by_copy = s, by_reference = std::cref(s);
    s.scores = {2, 1};
    CHECK(items_of(block_of(by_copy, {user(0)})[0].second) == some_items({1, 0}));
    CHECK(items_of(block_of(by_reference, {user(0)})[0].second) == some_items({0, 1}));
}

TEST_CASE("rules reach what is behind the handle") {
    auto const s = coarse_table(12, 25, 8);
    auto const seen = random_seen(12, 25, 3, 5);
    rs::recommend_options const options{
        .k = 5, .allow = random_set(25, 2, 1), .deny = random_set(25, 5, 2), .keep_if = [](rs::user_index u, rs::item_index i) {
            return (rs::to_size(u) ^ rs::to_size(i)) % 4 != 0;
        }};
    std::vector<user_list> wanted;
    for (auto const u : users_to(12)) wanted.emplace_back(u, list_of(s, u, seen, options));
    rs::any_recommender const direct = s, nested = rs::fallback(rs::any_recommender(rs::fallback(s)));
    CHECK(flat(rs::recommend(direct, users_to(12), seen, options)) == wanted);
    CHECK(flat(rs::recommend(nested, users_to(12), seen, options)) == wanted);
    rs::any_recommender const ready = rs::recommend(s, users_to(12), rs::nothing_seen, {.k = 25});
    CHECK(flat(rs::recommend(ready, users_to(12), seen, options)) == wanted);
}

TEST_CASE("ready lists are given in their order, each item once, cut at k; a user without one gets an empty list") {
    rs::lists const given({user(4), user(1), user(4)}, {4, 5, 6},
                          {{item(7), 1}, {item(2), 9}, {item(7), 0}, {item(3), 5}, {item(0), 1}, {item(1), 1}}, {3, 4, {}});
    rs::any_recommender const r = given;
    auto const got = block_of(r, {user(1), user(2), user(4)}, {.k = 9});
    CHECK(got[0].second == std::vector<rs::scored>{{item(0), 1}});
    CHECK(got[1].second.empty());
    CHECK(got[2].second == std::vector<rs::scored>{{item(7), 1}, {item(2), 9}, {item(3), 5}}); // the first of his two lists
    CHECK(block_of(r, {user(4)}, {.k = 2})[0].second.size() == 2);
    CHECK(block_of(r, {user(4)}, {.k = 2, .deny = {item(7)}})[0].second == std::vector<rs::scored>{{item(2), 9}, {item(3), 5}});
    CHECK(r.knows(user(1)));
    CHECK_FALSE(r.knows(user(2)));
    CHECK(r.provenance().items == 4);
    rs::lists const broken({user(0)}, {1}, {{item(3), std::nanf("")}});
    CHECK_THROWS_WITH_AS(rs::any_recommender{broken}, "lists: the score of user 0, item 3 is not a number", rs::data_error);
    CHECK(block_of(rs::any_recommender(rs::lists()), {user(0)})[0].second.empty());
}

TEST_CASE("moment, encoders, sizes, knowledge and warnings of what it holds are kept") {
    rs::time_point const moment(std::chrono::seconds(77));
    struct full : table_scorer {
        rs::provenance from;
        rs::provenance const& provenance() const { return from; }
        bool knows(rs::user_index u) const { return rs::to_size(u) == 1; }
    };
    full s;
    static_cast<table_scorer&>(s) = same_for_all({1, 2}, 3);
    s.from = {5, 6, moment};
    rs::any_recommender const r = s;
    CHECK(r.provenance().users == 5);
    CHECK(r.as_of() == moment);
    CHECK(r.knows(user(1)));
    CHECK_FALSE(r.knows(user(0)));
    CHECK(r.n_users() == std::size_t{3});
    CHECK(r.n_items() == std::size_t{2});
    CHECK(r.warnings(5).empty());
    CHECK(r.recommend_block(users_to(2), {}).provenance().items == 6);

    struct dated : table_scorer {
        std::chrono::sys_seconds as_of() const { return std::chrono::sys_seconds(std::chrono::seconds(9)); }
    };
    CHECK(rs::any_recommender(dated()).as_of() == rs::time_point(std::chrono::seconds(9)));
    CHECK_FALSE(rs::any_recommender(same_for_all({1})).as_of().has_value());

    struct warning : scripted {
        std::vector<std::string> warnings(rs::natural k) const { return {"k is " + std::to_string(k)}; }
    };
    CHECK(rs::any_recommender(warning()).warnings(4) == std::vector<std::string>{"k is 4"});
    CHECK(rs::recommend(warning(), std::vector<rs::user_index>(), rs::nothing_seen, {.k = 4}, [](rs::lists const&) {}).warnings.size() ==
          1);
    CHECK_FALSE(rs::any_recommender(scripted()).n_users().has_value());
}

TEST_CASE("what a lister of the user's returns is checked") {
    auto const ask = [](rs::lists const& answer) {
        return rs::recommend(scripted{answer}, std::vector{user(0), user(1)}, rs::nothing_seen, {.k = 1});
    };
    CHECK(ask(rs::lists({user(0), user(1)}, {1, 1}, {{item(0), 1}})).size() == 2);
    CHECK_THROWS_WITH_AS(static_cast<void>(ask(rs::lists({user(0)}, {0}, {}))),
                         "recommend: recommend_block must return a list for each of the 2 users, in their order", rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(ask(rs::lists({user(1), user(0)}, {0, 0}, {}))), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(ask(rs::lists({user(0), user(1)}, {0, 2}, {{item(0), 1}, {item(1), 1}}))),
                         "recommend: recommend_block returned 2 items for user 1, at most 1 were asked for", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(ask(rs::lists({user(0), user(1)}, {0, 1}, {{item(4), std::nanf("")}}))),
                         "recommend: the score of user 1, item 4 is not a number", rs::data_error);
}

TEST_CASE("a user past the end is an error of the handle too") {
    rs::any_recommender const r = same_for_all({1, 2}, 3);
    CHECK_THROWS_WITH_AS(static_cast<void>(r.recommend_block(std::vector{user(0), user(3)}, {})), doctest::Contains("user 3 at position 1"),
                         rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(r, user(3), rs::nothing_seen)), doctest::Contains("user 3 at position 0"),
                         rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(r, user(0), rs::nothing_seen, {.deny = {item(2)}})),
                         doctest::Contains("item 2 of deny"), rs::data_error);
}
