// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include "support/brute_force.hpp"
#include "support/factor_tables.hpp"
#include "support/sized.hpp"

namespace rs = recsys;
using namespace brute_force;
using namespace factor_tables;

// Lists from rows of factors, by every path and level, against plain loops in double and a full sort.

namespace {

constexpr rs::similarity kinds[] = {rs::similarity::dot, rs::similarity::cosine, rs::similarity::euclidean};

/// The score of a pair in double, or nothing where the pair is never listed.
std::optional<double> plain_score(table const& users, std::size_t u, table const& items, std::size_t i, rs::similarity by) {
    double dot = 0, xx = 0, yy = 0, apart = 0;
    for (std::size_t k = 0; k < users.factors; ++k) {
        auto const x = static_cast<double>(users.at(u, k)), y = static_cast<double>(items.at(i, k));
        dot += x * y, xx += x * x, yy += y * y, apart += (x - y) * (x - y);
    }
    if (by == rs::similarity::dot) return dot;
    if (by == rs::similarity::euclidean) return -std::sqrt(apart);
    if (xx == 0 || yy == 0) return {};
    return dot / std::sqrt(xx) / std::sqrt(yy);
}
/// What rounding may do to a score: a sum of n terms that are at most the product of the lengths together.
double tolerance(table const& users, std::size_t u, table const& items, std::size_t i, rs::similarity by) {
    double xx = 0, yy = 0;
    for (std::size_t k = 0; k < users.factors; ++k) {
        auto const x = static_cast<double>(users.at(u, k)), y = static_cast<double>(items.at(i, k));
        xx += x * x, yy += y * y;
    }
    double const n = static_cast<double>(users.factors) + 4, unit = 1.2e-7 * n;
    if (by == rs::similarity::cosine) return unit;
    return by == rs::similarity::dot ? unit * std::sqrt(xx) * std::sqrt(yy) + 1e-37 : unit * (std::sqrt(xx) + std::sqrt(yy)) + 1e-37;
}

/// The list is in order, its scores are right, and nothing that is better by more than rounding is missing.
void check_list(table const& users, std::size_t u, table const& items, rs::similarity by, std::size_t k,
                std::span<rs::item_index const> had, std::span<rs::scored const> list) {
    std::vector<std::uint8_t> is_in(items.rows);
    bool in_order = true, right = true, complete = true;
    for (std::size_t j = 0; j < list.size(); ++j) {
        auto const& [i, score] = list[j];
        if (j > 0) in_order = in_order && (list[j - 1].score > score || (list[j - 1].score == score && list[j - 1].item < i));
        auto const wanted = plain_score(users, u, items, rs::to_size(i), by);
        right = right && wanted && std::abs(*wanted - static_cast<double>(score)) <= tolerance(users, u, items, rs::to_size(i), by);
        right = right && !is_in[rs::to_size(i)] && !std::binary_search(had.begin(), had.end(), i);
        is_in[rs::to_size(i)] = 1;
    }
    std::size_t n_listable = 0;
    for (std::size_t i = 0; i < items.rows; ++i) {
        auto const score = plain_score(users, u, items, i, by);
        if (!score || std::binary_search(had.begin(), had.end(), item(i))) continue;
        ++n_listable;
        if (is_in[i] || list.size() < k || k == 0) continue;
        auto const last = rs::to_size(list.back().item);
        double const slack = tolerance(users, u, items, i, by) + tolerance(users, u, items, last, by);
        complete = complete && *score <= *plain_score(users, u, items, last, by) + slack;
    }
    CHECK(in_order);
    CHECK(right);
    CHECK(complete);
    CHECK(list.size() == (plain_score(users, u, users, u, by) ? std::min(k, n_listable) : 0));
}

/// Everybody at once, which makes an index; one by one, which does not; and with an index made before.
void check_all(table const& users, table const& items, std::size_t k) {
    auto const seen = random_seen(users.rows, items.rows, 4, 77);
    for (auto const level : levels()) {
        forced const now(level);
        for (auto const by : kinds) {
            CAPTURE(rs::detail::level_name(level));
            CAPTURE(static_cast<int>(by));
            CAPTURE(k);
            rs::embeddings const e(users.span(), items.span(), users.factors, by);
            auto const ready = rs::prepare(e);
            auto const all = rs::recommend(e, users_to(users.rows), seen, {.k = k, .run = {.threads = 1}});
            REQUIRE(all.size() >= rs::detail::least_lists_for_an_index);
            for (auto const& [u, list] : all) {
                check_list(users, rs::to_size(u), items, by, k, seen.seen(u), list);
                std::vector<rs::scored> const wanted(list.begin(), list.end());
                // A full sort of the scores that the scorer itself gives: the same bits.
                CHECK(wanted == (e.knows(u) ? known_list(e, u, seen, k) : std::vector<rs::scored>()));
                if (rs::to_size(u) % 5 == 0) CHECK(rs::recommend(e, u, seen, {.k = k}) == wanted);
                if (rs::to_size(u) % 5 == 1) CHECK(rs::recommend(ready, u, seen, {.k = k}) == wanted);
            }
            CHECK(flat(rs::recommend(e, users_to(users.rows), seen, {.k = k, .block = 7, .run = {.threads = 3}})) == flat(all));
            CHECK(flat(rs::recommend(ready, users_to(users.rows), seen, {.k = k, .run = {.threads = 2}})) == flat(all));
        }
    }
}

}

TEST_CASE("lists are those of a full sort, for every number of factors and of items") {
    for (std::size_t const factors : {1u, 2u, 7u, 16u, 33u})
        for (std::size_t const items : {1u, 15u, 16u, 17u, 128u, 129u, recsys_test::sized(700u, 300u)})
            check_all(normal_table(40, factors, 1), normal_table(items, factors, 2), factors % 2 ? 10 : 60);
}
TEST_CASE("lists are those of a full sort where lengths differ so much that most blocks are passed over" * doctest::test_suite("slow")) {
    for (double const spread : {0.5, 2.0, 12.0}) check_all(scaled_table(50, 12, 3, spread), scaled_table(1500, 12, 4, spread), 20);
}
TEST_CASE("lists are those of a full sort where rows leave what the kernels can sum") {
    check_all(scaled_table(60, 5, 5, 40, 1, 1e10), scaled_table(400, 5, 6, 40, 1, 1e25), 15);
    check_all(scaled_table(60, 5, 5, 40, 1, 1e25), scaled_table(400, 5, 6, 40, 1, 1e10), 15);
    check_all(scaled_table(60, 3, 7, 5, 1e-19), scaled_table(300, 3, 8, 5, 1e-19), 15);
    check_all(scaled_table(60, 3, 7, 5, 1e15), scaled_table(300, 3, 8, 5, 1e15), 15);
}
TEST_CASE("thousands of equal scores are in the order of the items") {
    table ones = normal_table(recsys_test::sized(3000u, 1100u), 4, 1), users = normal_table(33, 4, 2);
    std::fill(ones.values.begin(), ones.values.end(), 1.f);
    check_all(users, ones, 50);
    table zeros = ones;
    std::fill(zeros.values.begin(), zeros.values.end(), 0.f);
    check_all(users, zeros, 50);
    std::fill(users.values.begin(), users.values.end(), 0.f);
    check_all(users, normal_table(500, 4, 3), 50);
    check_all(users, zeros, 50);
}
TEST_CASE("ties of few values, duplicate rows and rows of zeros between others are in the order of the items" *
          doctest::test_suite("slow")) {
    auto users = coarse_table_of(40, 3, 1), items = coarse_table_of(900, 3, 2);
    for (std::size_t const k : {1u, 30u, 900u, 5000u}) check_all(users, items, k);
    for (std::size_t i = 0; i < 400; ++i) std::copy_n(items.row(i % 7), 3, items.row(i + 450));
    check_all(users, items, 40);
}
TEST_CASE("lists as long as the catalogue, and more factors than items") {
    check_all(normal_table(35, 6, 1), normal_table(333, 6, 2), 333);
    check_all(normal_table(35, 6, 1), normal_table(333, 6, 2), 100000);
    check_all(normal_table(35, 90, 1), normal_table(20, 90, 2), 12);
}

TEST_CASE("filters are applied inside: allow, deny, predicate and what was seen, with and without an index") {
    auto const users = normal_table(80, 9, 1), items = scaled_table(600, 9, 2, 1);
    auto const seen = random_seen(80, 600, 3, 5);
    for (auto const by : kinds) {
        rs::embeddings const e(users.span(), items.span(), 9, by);
        auto const ready = rs::prepare(e);
        std::vector<rs::recommend_options> all(7);
        for (auto& options : all) options.k = 17, options.run.threads = 2;
        all[0].include_seen = true;
        all[1].allow = random_set(600, 2, 1);
        all[2].allow = random_set(600, 60, 1); // few: read without the prepared index
        all[3].deny = random_set(600, 2, 1);
        all[4].keep_if = [](rs::user_index u, rs::item_index i) { return (rs::to_size(u) + rs::to_size(i)) % 3 == 0; };
        all[5].allow = rs::item_set{};
        all[6].allow = random_set(600, 2, 6), all[6].deny = random_set(600, 3, 7), all[6].keep_if = all[4].keep_if;
        for (auto const& options : all) {
            std::vector<user_list> wanted;
            for (auto const u : users_to(80)) wanted.emplace_back(u, list_of(e, u, seen, options));
            CHECK(flat(rs::recommend(e, users_to(80), seen, options)) == wanted);
            CHECK(flat(rs::recommend(ready, users_to(80), seen, options)) == wanted);
            for (auto const u : users_to(5)) {
                CHECK(rs::recommend(e, u, seen, options) == wanted[rs::to_size(u)].second);
                CHECK(rs::recommend(ready, u, seen, options) == wanted[rs::to_size(u)].second);
            }
        }
    }
}

TEST_CASE("keep_if is asked only about items that could be listed") {
    auto const users = normal_table(40, 4, 1), items = normal_table(300, 4, 2);
    auto const seen = random_seen(40, 300, 3, 5);
    auto const deny = random_set(300, 5, 6);
    rs::embeddings const e(users.span(), items.span(), 4);
    std::size_t asked = 0, wrong = 0;
    rs::recommend_options const options{.k = 5,
                                        .deny = deny,
                                        .keep_if =
                                            [&](rs::user_index u, rs::item_index i) {
                                                auto const had = seen.seen(u);
                                                ++asked;
                                                wrong += deny.contains(i) || std::binary_search(had.begin(), had.end(), i);
                                                return true;
                                            },
                                        .run = {.threads = 1}};
    static_cast<void>(rs::recommend(e, users_to(40), seen, options));
    CHECK(asked >= 40 * 5);
    CHECK(wrong == 0);
}

TEST_CASE("NaN among thousands of items is found, wherever the row is, unless it cannot be listed") {
    auto const users = normal_table(40, 4, 1);
    for (auto const by : kinds)
        for (std::size_t const at : {0u, 77u, 999u}) {
            auto items = normal_table(1000, 4, 2);
            *items.row(at) = std::numeric_limits<float>::quiet_NaN();
            rs::embeddings const e(users.span(), items.span(), 4, by);
            auto const all = users_to(40);
            if (by == rs::similarity::cosine) { // its length is no length: it is not known
                CHECK(rs::recommend(e, all, rs::nothing_seen, {.k = 3}).n_slots() == 120);
                continue;
            }
            auto const text = "the score of user 0, item " + std::to_string(at) + " is not a number";
            CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(e, all, rs::nothing_seen, {.k = 3, .run = {.threads = 2}})),
                                 doctest::Contains(text.c_str()), rs::data_error);
            CHECK(rs::recommend(e, all, rs::nothing_seen, {.k = 3, .deny = {item(at)}}).n_slots() == 120);
        }
}

TEST_CASE("similar items and users are those of a full sort, all at once and one by one, by every kind of score") {
    auto const items = scaled_table(300, 6, 3, 1), users = coarse_table_of(60, 6, 4);
    for (auto const level : levels()) {
        forced const now(level);
        for (auto const by : kinds) {
            rs::embeddings const e(users.span(), items.span(), 6);
            std::vector<rs::item_index> of;
            for (std::size_t i = 0; i < items.rows; ++i) of.push_back(item(i));
            auto const all = rs::similar_items(e, of, {.k = 8, .similarity = by, .run = {.threads = 2}});
            for (auto const& [i, list] : all) {
                check_list(items, rs::to_size(i), items, by, 8, std::span(&i, 1), list);
                if (rs::to_size(i) % 9 != 0) continue;
                std::vector<rs::scored> const wanted(list.begin(), list.end());
                CHECK(rs::similar_items(e, i, {.k = 8, .similarity = by}) == wanted);
                CHECK(rs::similar_items(rs::prepare(e), i, {.k = 8, .similarity = by}) == wanted);
            }
            for (auto const& [u, list] : rs::similar_users(e, users_to(60), {.k = 8, .similarity = by})) {
                std::vector<rs::scored> as_items;
                for (auto const& one : list) as_items.push_back({item(rs::to_size(one.user)), one.score});
                auto const self = item(rs::to_size(u));
                check_list(users, rs::to_size(u), users, by, 8, std::span(&self, 1), as_items);
            }
        }
    }
}

TEST_CASE("a model of doubles ranks in double, with an index too") {
    rs::random_stream random(9);
    rs::als_parts<double> parts;
    parts.n_users = 50, parts.n_items = 400, parts.n_factors = 7;
    std::vector<double> x(50 * 7), y(400 * 7);
    for (auto& v : x) v = random.normal();
    for (auto& v : y) v = random.normal();
    for (std::size_t i = 200; i < 400; ++i) // twins that differ in what float does not show
        for (std::size_t k = 0; k < 7; ++k) y[i * 7 + k] = y[(i - 200) * 7 + k] * (1 + 1e-12 * static_cast<double>(i % 3));
    parts.user_factors = rs::detail::shared_array<double>(x), parts.item_factors = rs::detail::shared_array<double>(y);
    for (auto const level : levels()) {
        forced const now(level);
        rs::basic_als_model<double> const model(parts);
        auto const ready = rs::prepare(model);
        auto const all = rs::recommend(model, users_to(50), rs::nothing_seen, {.k = 30});
        for (auto const& [u, list] : all) {
            std::vector<std::pair<double, std::size_t>> wanted;
            for (std::size_t i = 0; i < 400; ++i) {
                long double sum = 0;
                for (std::size_t k = 0; k < 7; ++k)
                    sum += static_cast<long double>(x[rs::to_size(u) * 7 + k]) * static_cast<long double>(y[i * 7 + k]);
                wanted.emplace_back(-static_cast<double>(sum), i);
            }
            std::sort(wanted.begin(), wanted.end());
            for (std::size_t j = 0; j + 1 < list.size(); ++j) {
                auto const place = rs::to_size(list[j].item);
                CHECK(std::abs(wanted[j].first + static_cast<double>(rs::detail::factor_dot(x.data() + rs::to_size(u) * 7,
                                                                                            y.data() + place * 7, 7))) < 1e-14);
            }
            std::vector<rs::scored> const list_again(list.begin(), list.end());
            CHECK(rs::recommend(ready, u, rs::nothing_seen, {.k = 30}) == list_again);
            CHECK(rs::recommend(model, u, rs::nothing_seen, {.k = 30}) == list_again);
        }
    }
}
