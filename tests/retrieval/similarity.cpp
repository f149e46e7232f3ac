// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <set>
#include <vector>

#include <Eigen/Core>

#include "support/brute_force.hpp"
#include "support/interactions.hpp"

namespace rs = recsys;
using namespace brute_force;
using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace {

/// Small whole numbers, so that products are exact and many are equal.
row_major coarse_rows(Eigen::Index rows, Eigen::Index cols, std::uint64_t seed) {
    rs::random_stream random(seed);
    row_major out(rows, cols);
    for (Eigen::Index i = 0; i < rows; ++i)
        for (Eigen::Index j = 0; j < cols; ++j) out(i, j) = static_cast<float>(random.below(3)) - 1;
    return out;
}
using entry = std::pair<rs::item_index, std::vector<rs::scored>>;
std::vector<entry> flat_items(rs::similar_item_lists const& all) {
    std::vector<entry> out;
    for (auto const& [of, list] : all) out.emplace_back(of, std::vector<rs::scored>(list.begin(), list.end()));
    return out;
}
std::vector<rs::item_index> items_to(std::size_t n) {
    std::vector<rs::item_index> out;
    for (std::size_t i = 0; i < n; ++i) out.push_back(item(i));
    return out;
}

}

TEST_CASE("c28 cosines are at most 1 and the item is not its own neighbour; its double is") {
    row_major items(4, 2), users(1, 2);
    items << 3, 4, 6, 8, 4, -3, 3, 4;
    users << 1, 1;
    rs::embeddings const e(users, items);
    CHECK(rs::similar_items(e, item(0)) == std::vector<rs::scored>{{item(1), 1}, {item(3), 1}, {item(2), 0}});
    CHECK(rs::similar_items(e, item(3), {.k = 2}) == std::vector<rs::scored>{{item(0), 1}, {item(1), 1}});
    CHECK(rs::similar_items(e, item(0), {.similarity = rs::similarity::dot}) ==
          std::vector<rs::scored>{{item(1), 50}, {item(3), 25}, {item(2), 0}});
    auto const data = recsys_test::interactions_data(50, 40, 900, 2);
    auto const model = rs::als({.factors = 10, .iterations = 4}).fit(rs::user_items(data));
    std::size_t n_known = 0;
    for (auto const i : data.items().all()) n_known += model.knows(i);
    for (auto const& [of, list] : rs::similar_items(model, data.items().all(), {.k = 100})) {
        CHECK(list.size() == (model.knows(of) ? n_known - 1 : 0));
        for (auto const& one : list) {
            CHECK(one.item != of);
            CHECK(std::abs(one.score) <= 1);
        }
    }
}

TEST_CASE("c25 similar items are as many as there are: k of 0, k above the number of items") {
    row_major items(3, 1), users(1, 1);
    items << 1, 2, -1;
    users << 1;
    rs::embeddings const e(users, items);
    CHECK(rs::similar_items(e, item(0), {.k = 0}).empty());
    CHECK(rs::similar_items(e, item(0), {.k = 1000}).size() == 2);
    CHECK(flat_items(rs::similar_items(e, items_to(3), {.k = 0})).size() == 3);
}

TEST_CASE("zero vectors are like nothing by cosine, and have products of 0") {
    row_major items(3, 2), users(2, 2);
    items << 1, 0, 0, 0, 1, 1;
    users << 1, 0, 0, 0;
    rs::embeddings const e(users, items);
    CHECK(items_of(rs::similar_items(e, item(0))) == some_items({2}));
    CHECK(rs::similar_items(e, item(1)).empty());
    CHECK(items_of(rs::similar_items(e, item(0), {.similarity = rs::similarity::dot})) == some_items({2, 1}));
    CHECK(rs::similar_users(e, user(0)).empty());
    auto const report = rs::similar_items(e, items_to(3), {}, [](rs::similar_item_lists const&) {});
    CHECK(report.users == 3);
    CHECK(report.empty == 1);
    CHECK(report.slots == 2);
}

TEST_CASE("similar items agree with a full sort, one at a time and all, for any number of threads and any block") {
    auto const items = coarse_rows(120, 3, 4), users = coarse_rows(2, 3, 5);
    rs::embeddings const e(users, items);
    auto const allow = random_set(120, 2, 1), deny = random_set(120, 4, 2);
    std::vector<entry> wanted;
    for (auto const of : items_to(120)) {
        std::vector<float> scores(120);
        auto const a = static_cast<Eigen::Index>(rs::to_size(of));
        for (Eigen::Index b = 0; b < 120; ++b) scores[static_cast<std::size_t>(b)] = items.row(a).dot(items.row(b));
        wanted.emplace_back(of, best_of(scores, 12, [&](rs::item_index i) { return i != of && allow.contains(i) && !deny.contains(i); }));
    }
    for (std::size_t const threads : {1u, 2u, 7u})
        for (std::size_t const block : {1u, 7u, 4096u}) {
            rs::similar_options const options{
                .k = 12, .similarity = rs::similarity::dot, .allow = allow, .deny = deny, .block = block, .run = {.threads = threads}};
            CHECK(flat_items(rs::similar_items(e, items_to(120), options)) == wanted);
            std::vector<entry> streamed;
            rs::similar_items(e, items_to(120), options, [&](rs::similar_item_lists const& some) {
                CHECK(some.size() <= block);
                for (auto const& one : flat_items(some)) streamed.push_back(one);
            });
            CHECK(streamed == wanted);
        }
    auto const all = flat_items(rs::similar_items(std::cref(e), items_to(120)));
    for (auto const of : items_to(120)) CHECK(rs::similar_items(e, of) == all[rs::to_size(of)].second);
}

TEST_CASE("similar users are those with like factors, by the same rules") {
    row_major items(1, 2), users(4, 2);
    items << 1, 1;
    users << 3, 4, 4, -3, 6, 8, 0, 0;
    rs::embeddings const e(users, items);
    CHECK(rs::similar_users(e, user(0)) == std::vector<rs::scored_user>{{user(2), 1}, {user(1), 0}});
    auto const all = rs::similar_users(e, users_to(4), {.k = 1});
    REQUIRE(all.size() == 4);
    CHECK(all[2].of == user(2));
    CHECK(all[2].list[0] == rs::scored_user{user(0), 1});
    CHECK(all[3].list.empty());
    std::size_t slots = 0;
    auto const report =
        rs::similar_users(e, users_to(4), {.block = 2}, [&](rs::similar_user_lists const& some) { slots += some.n_slots(); });
    CHECK(report.slots == slots);
    CHECK(rs::similar_users(e, user(0), {.similarity = rs::similarity::dot})[0] == rs::scored_user{user(2), 50});
}

TEST_CASE("c22 c23 indices past the end are errors that name them and their place") {
    auto const items = coarse_rows(3, 2, 1), users = coarse_rows(2, 2, 2);
    rs::embeddings const e(users, items);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::similar_items(e, item(3))),
                         "similar_items: item 3 at position 0, expected below 3, the number of items", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::similar_users(e, std::vector{user(0), user(2)})),
                         "similar_users: user 2 at position 1, expected below 2, the number of users", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::similar_items(e, item(0), {.deny = {item(9)}})), doctest::Contains("item 9 of deny"),
                         rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::similar_items(e, item(0), {.allow = rs::item_set{item(3)}})),
                         doctest::Contains("item 3 of allow"), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::similar_items(e, item(0), {.block = 0})), rs::option_error);
}

TEST_CASE("a sink or a progress callback that says false stops similar items; lists of a part are not given") {
    auto const items = coarse_rows(30, 2, 1), users = coarse_rows(1, 2, 2);
    rs::embeddings const e(users, items);
    std::size_t calls = 0;
    auto const stopped = rs::similar_items(e, items_to(30), {.block = 10}, [&](rs::similar_item_lists const&) { return ++calls < 2; });
    CHECK(calls == 2);
    CHECK(stopped.stopped);
    CHECK(stopped.users == 20);
    rs::similar_options const options{.block = 10, .run = {.progress = [](rs::progress const& now) { return now.done < 10; }}};
    CHECK_THROWS_AS(static_cast<void>(rs::similar_items(e, items_to(30), options)), rs::cancelled);
    CHECK(rs::similar_items(e, std::vector<rs::item_index>()).empty());
}

TEST_CASE("factors that are not numbers are an error that names the pair") {
    auto items = coarse_rows(4, 2, 1), users = coarse_rows(1, 2, 2);
    items.setOnes();
    items(2, 0) = std::nanf("");
    rs::embeddings const e(users, items);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::similar_items(e, item(1))), "similar_items: the similarity of items 1 and 2 is not a number",
                         rs::data_error);
}
