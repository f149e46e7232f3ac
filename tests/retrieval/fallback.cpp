// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <functional>
#include <limits>
#include <vector>

#include "support/brute_force.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

float const nothing = -std::numeric_limits<float>::infinity();

/// Knows users below a number.
struct personal : table_scorer {
    std::size_t known = 0;
    rs::provenance from = {};
    bool knows(rs::user_index u) const { return rs::to_size(u) < known; }
    rs::provenance provenance() const { return from; }
};
personal knowing(table_scorer const& s, std::size_t known, rs::provenance const& from = {}) {
    personal out;
    static_cast<table_scorer&>(out) = s;
    out.known = known, out.from = from;
    return out;
}

}

TEST_CASE("a short list is filled up from the next, no item twice; a user whom the first does not know gets the next one's") {
    auto const first = knowing(same_for_all({nothing, .5f, .9f, nothing, nothing}, 2), 1);
    auto const next = same_for_all({3, 50, 40, 2, 1}, 2);
    auto const both = rs::fallback(first, next);
    auto const list = rs::recommend(both, user(0), rs::nothing_seen, {.k = 4});
    CHECK(items_of(list) == some_items({2, 1, 0, 3}));
    CHECK(list[0].score == .9f);
    CHECK(list[1].score == .5f);
    CHECK(list[2].score ==
          .5f - std::numeric_limits<float>::epsilon() / 4); // moved to .5, and item 0 must not stand behind item 1 as its equal
    CHECK(list[3].score == doctest::Approx(-.5f));
    CHECK(rs::recommend(both, user(1), rs::nothing_seen, {.k = 2}) == std::vector<rs::scored>{{item(1), 50}, {item(2), 40}});
    CHECK(rs::recommend(both, user(0), rs::nothing_seen, {.k = 1}) == std::vector<rs::scored>{{item(2), .9f}});
    CHECK(rs::recommend(both, user(0), rs::nothing_seen, {.k = 9}).size() == 5);
    CHECK(rs::recommend(both, user(0), rs::nothing_seen, {.k = 0}).empty());
    CHECK(both.knows(user(0)));
    CHECK_FALSE(both.knows(user(1)));
    CHECK(rs::recommend(both, users_to(2), rs::nothing_seen, {}, [](rs::lists const&) {}).cold_users == 1);
}

TEST_CASE("scores that do not rise above the list stay as they are") {
    auto const first = same_for_all({nothing, 9, nothing, nothing}), next = same_for_all({3, 50, 2, 9});
    CHECK(rs::recommend(rs::fallback(first, next), user(0), rs::nothing_seen) ==
          std::vector<rs::scored>{{item(1), 9}, {item(3), 9}, {item(0), 3}, {item(2), 2}});
}

TEST_CASE("three in turn keep to the rules and to the order of lists, as a plain chain does") {
    std::size_t const users = 60, items = 30;
    auto const sparse = [&](std::uint64_t seed, std::size_t one_in) {
        auto s = coarse_table(users, items, seed, 50);
        rs::random_stream random(seed + 1000);
        for (auto& x : s.scores)
            if (random.below(one_in) != 0) x = nothing;
        return s;
    };
    auto const a = sparse(1, 8), b = sparse(2, 4), c = coarse_table(users, items, 3);
    auto const seen = random_seen(users, items, 5, 6);
    rs::recommend_options options{.k = 8, .deny = random_set(items, 6, 7)};
    std::vector<std::vector<rs::item_index>> wanted;
    for (auto const u : users_to(users)) {
        std::vector<rs::item_index> list;
        for (auto const* s : {&a, &b, &c})
            for (auto const& one : list_of(*s, u, seen, {.k = items, .deny = options.deny}))
                if (list.size() < 8 && std::find(list.begin(), list.end(), one.item) == list.end()) list.push_back(one.item);
        wanted.push_back(list);
    }
    auto const chain = rs::fallback(a, std::cref(b), rs::any_recommender(c));
    auto const one_thread = flat(rs::recommend(chain, users_to(users), seen, options));
    for (std::size_t const threads : {1u, 2u, 7u})
        for (std::size_t const block : {1u, 9u, 4096u}) {
            options.block = block, options.run.threads = threads;
            CHECK(flat(rs::recommend(chain, users_to(users), seen, options)) == one_thread);
        }
    for (std::size_t u = 0; u < users; ++u) {
        auto const& list = one_thread[u].second;
        CHECK(items_of(list) == wanted[u]);
        for (std::size_t j = 1; j < list.size(); ++j)
            CHECK((list[j - 1].score > list[j].score || (list[j - 1].score == list[j].score && list[j - 1].item < list[j].item)));
    }
}

TEST_CASE("extreme scores keep the order of the list") {
    float const huge = std::numeric_limits<float>::max(), infinity = std::numeric_limits<float>::infinity();
    auto const first = same_for_all({nothing, -huge, nothing, nothing}), next = same_for_all({infinity, 0, huge, -huge});
    auto const list = rs::recommend(rs::fallback(first, next), user(0), rs::nothing_seen);
    CHECK(items_of(list) == some_items({1, 0, 2, 3}));
    for (std::size_t j = 1; j < list.size(); ++j) CHECK(list[j - 1].score >= list[j].score);
}

TEST_CASE("ready lists can be first, and everything must have the same encoders") {
    rs::lists const ready({user(0)}, {1}, {{item(2), 7}});
    auto const filled = rs::recommend(rs::fallback(ready, same_for_all({1, 2, 3}, 2)), users_to(2), rs::nothing_seen, {.k = 2});
    CHECK(items_of(flat(filled)[0].second) == some_items({2, 1}));
    CHECK(items_of(flat(filled)[1].second) == some_items({2, 1}));
    auto const s = same_for_all({1, 2});
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::fallback(knowing(s, 1, {1, 2, {}}), knowing(s, 1, {1, 3, {}}))),
                         doctest::Contains("fallback: "), rs::data_error);
    CHECK(rs::fallback(s, knowing(s, 1, {1, 2, {}})).provenance().items == 2);
}
