// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <vector>

#include "support/brute_force.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

/// A block with its numbers as text, so that missing ones compare equal.
std::vector<std::string> rows_of(rs::candidate_block const& b) {
    std::vector<std::string> out;
    std::size_t row = 0;
    for (std::size_t u = 0; u < b.users.size(); ++u) {
        out.push_back("user " + std::to_string(rs::to_size(b.users[u])));
        for (; row < b.ends[u]; ++row) {
            std::string text = std::to_string(rs::to_size(b.items[row]));
            for (std::size_t s = 0; s < b.scores.size(); ++s)
                text += std::isnan(b.scores[s][row]) && std::isnan(b.ranks[s][row])
                            ? " -"
                            : " " + rs::detail::number_text(b.scores[s][row]) + "@" + rs::detail::number_text(b.ranks[s][row]);
            out.push_back(text);
        }
    }
    return out;
}

}

TEST_CASE("a pool joins the lists of its sources: each item once, with score and place in each, by the best place") {
    auto const a = same_for_all({.9f, .8f, .1f, .7f, .2f}), b = same_for_all({1, 30, 20, 40, 10});
    auto const pool = rs::candidates().from("a", a, 3).from("b", b, 2);
    CHECK(pool.names() == std::vector<std::string>{"a", "b"});
    CHECK(pool.max_candidates() == 5);
    // a: 0 1 3; b: 3 1. Best places: 0 and 3 first, then 1.
    std::vector<std::string> const wanted{"user 0", "0 0.9@0 -", "3 0.7@2 40@0", "1 0.8@1 30@1"};
    CHECK(rows_of(pool.block(std::vector{user(0)}, {})) == wanted);
    CHECK(rows_of(pool.block(std::vector{user(0)}, {.k = 1})) == wanted); // k is not used
    auto const alone = rs::recommend(pool, user(0), rs::nothing_seen, {.k = 2});
    CHECK(alone == std::vector<rs::scored>{{item(0), 1}, {item(3), 1}});
    CHECK(rs::recommend(pool, user(0), rs::nothing_seen, {.k = 10}).back() == rs::scored{item(1), .5f});
}

TEST_CASE("a pool agrees with a plain join of lists, for any number of threads, and keeps to the rules") {
    std::size_t const users = 150, items = 60;
    auto const a = coarse_table(users, items, 1, 5000), b = coarse_table(users, items, 2), c = coarse_table(users, items, 3, 3);
    auto const seen = random_seen(users, items, 4, 9);
    rs::recommend_options options{.allow = random_set(items, 2, 3), .keep_if = [&](rs::user_index u, rs::item_index i) {
                                      auto const& row = seen.rows[rs::to_size(u)];
                                      return !std::binary_search(row.begin(), row.end(), i);
                                  }};
    auto const pool = rs::candidates().from("a", a, 10).from("b", std::cref(b), 5).from("c", rs::any_recommender(c), 20);
    std::vector<std::string> wanted;
    for (auto const u : users_to(users)) {
        std::map<rs::item_index, std::map<std::size_t, std::pair<float, std::size_t>>> found;
        std::size_t source = 0;
        for (auto const& [scores, n] : {std::pair(&a, 10u), std::pair(&b, 5u), std::pair(&c, 20u)}) {
            auto asked = options;
            asked.k = n;
            auto const list = list_of(*scores, u, rs::nothing_seen, asked);
            for (std::size_t r = 0; r < list.size(); ++r) found[list[r].item][source] = {list[r].score, r};
            ++source;
        }
        std::vector<std::pair<std::size_t, rs::item_index>> order;
        for (auto const& [i, said] : found) {
            std::size_t best = items;
            for (auto const& [s, one] : said) best = std::min(best, one.second);
            order.emplace_back(best, i);
        }
        std::sort(order.begin(), order.end());
        wanted.push_back("user " + std::to_string(rs::to_size(u)));
        for (auto const& [best, i] : order) {
            std::string text = std::to_string(rs::to_size(i));
            for (std::size_t s = 0; s < 3; ++s)
                text +=
                    found[i].count(s) ? " " + rs::detail::number_text(found[i][s].first) + "@" + std::to_string(found[i][s].second) : " -";
            wanted.push_back(text);
        }
    }
    for (std::size_t const threads : {1u, 2u, 7u}) {
        options.run.threads = threads;
        CHECK(rows_of(pool.block(users_to(users), options)) == wanted);
    }
    auto const lists = rs::recommend(pool, users_to(users), seen, {.k = 7, .allow = options.allow, .block = 13});
    auto const block = pool.block(users_to(users), options);
    for (std::size_t u = 0, first = 0; u < users; first = block.ends[u++]) {
        std::vector<rs::item_index> rows(block.items.begin() + static_cast<std::ptrdiff_t>(first),
                                         block.items.begin() + static_cast<std::ptrdiff_t>(block.ends[u]));
        rows.resize(std::min<std::size_t>(rows.size(), 7));
        CHECK(items_of(flat(lists)[u].second) == rows);
        for (std::size_t j = 1; j < lists[u].list.size(); ++j) CHECK(lists[u].list[j - 1].score >= lists[u].list[j].score);
    }
}

TEST_CASE("users for whom no source has anything are in the block without rows; a pool without sources has nothing") {
    auto const s = same_for_all({1, 2}, 3);
    auto const pool = rs::candidates().from("s", s, 5);
    rs::recommend_options const options{.keep_if = [](rs::user_index u, rs::item_index) { return u != user(1); }};
    CHECK(rows_of(pool.block(users_to(3), options)) ==
          std::vector<std::string>{"user 0", "1 2@0", "0 1@1", "user 1", "user 2", "1 2@0", "0 1@1"});
    CHECK(pool.block({}, {}).users.empty());
    CHECK(rows_of(rs::candidates().block(users_to(2), {})) == std::vector<std::string>{"user 0", "user 1"});
    CHECK(rs::recommend(rs::candidates(), user(0), rs::nothing_seen).empty());
    CHECK(rs::candidates().max_candidates() == 0);
}

TEST_CASE("a source that names an item twice has its first place") {
    struct repeating {
        rs::lists recommend_block(std::span<rs::user_index const> users, rs::recommend_options const&) const {
            std::vector<std::size_t> ends;
            std::vector<rs::scored> items;
            for (std::size_t u = 0; u < users.size(); ++u) {
                for (std::size_t const i : {4u, 2u, 4u}) items.push_back({item(i), 1.f / static_cast<float>(1 + items.size())});
                ends.push_back(items.size());
            }
            return rs::lists({users.begin(), users.end()}, ends, items);
        }
    };
    auto const pool = rs::candidates().from("r", repeating(), 3);
    CHECK(rows_of(pool.block(users_to(1), {})) == std::vector<std::string>{"user 0", "4 1@0", "2 0.5@1"});
}

TEST_CASE("names are distinct and not empty, each source gives something, sources are found by name") {
    auto const s = same_for_all({1, 2});
    auto const pool = rs::candidates().from("als", s, 5).from("hot", same_for_all({2, 1}), 1);
    CHECK_THROWS_WITH_AS(static_cast<void>(pool.from("als", s, 5)), "candidates: there is already a source 'als'", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(pool.from("", s, 5)), "candidates: a source needs a name", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(pool.from("x", s, 0)), "candidates: source 'x' must give at least 1 item a user, got 0",
                         rs::option_error);
    CHECK_THROWS_AS(static_cast<void>(pool.from("x", s, -1)), rs::option_error);
    CHECK(items_of(rs::recommend(pool.source("hot"), user(0), rs::nothing_seen)) == some_items({0, 1})); // all of it, not its n
    CHECK_THROWS_WITH_AS(static_cast<void>(pool.source("tower")), "candidates: there is no source 'tower', the sources are: als, hot",
                         rs::data_error);
    auto const longer = pool.from("more", s, 1); // a step makes a new value
    CHECK(pool.names().size() == 2);
    CHECK(longer.names().size() == 3);
}

TEST_CASE("a pool has the encoders of its sources, which must be the same, and the latest of their moments") {
    struct dated : table_scorer {
        rs::provenance from;
        rs::provenance provenance() const { return from; }
        bool knows(rs::user_index u) const { return rs::to_size(u) == from.users; }
    };
    auto const make = [](rs::provenance const& from) {
        dated d;
        static_cast<table_scorer&>(d) = same_for_all({1, 2}, 4);
        d.from = from;
        return d;
    };
    auto const at = [](int s) { return rs::time_point(std::chrono::seconds(s)); };
    auto const pool =
        rs::candidates().from("none", same_for_all({1}, 3), 1).from("b", make({1, 2, at(5)}), 1).from("c", make({1, 2, at(3)}), 1);
    CHECK(pool.provenance().users == 1);
    CHECK(pool.provenance().items == 2);
    CHECK(pool.as_of() == at(5));
    CHECK(pool.n_users() == std::size_t{3});
    CHECK(pool.n_items() == std::size_t{2});
    CHECK(pool.from("d", make({1, 0, at(9)}), 1).as_of() == at(9));
    CHECK_THROWS_WITH_AS(static_cast<void>(pool.from("d", make({1, 3, {}}), 1)),
                         "candidates: source 'd' was made with other item ids (another item encoder)", rs::data_error);
    CHECK_FALSE(rs::candidates().as_of().has_value());
    auto const personal = rs::candidates().from("b", make({1, 2, {}}), 1).from("c", make({1, 2, {}}), 1);
    CHECK(personal.knows(user(1)));
    CHECK_FALSE(personal.knows(user(0)));
    CHECK(rs::recommend(personal, users_to(4), rs::nothing_seen, {}, [](rs::lists const&) {}).cold_users == 3);
    CHECK(rs::recommend(pool, std::vector{user(0)}, rs::nothing_seen).provenance().items == 2);
}
