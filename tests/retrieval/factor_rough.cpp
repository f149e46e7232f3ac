// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support/brute_force.hpp"
#include "support/factor_tables.hpp"
#include "support/sized.hpp"

namespace rs = recsys;
using namespace brute_force;
using namespace factor_tables;
using recsys_test::sized;

// Rough scores: that they are as near as they say, and that lists with them are those without, bit by bit, and those of plain loops in double.

namespace {

/// Rows around a few centres: scores are so near to each other that intervals overlap by hundreds.
table clustered_table(std::size_t rows, std::size_t factors, std::uint64_t seed, double noise) {
    auto const centres = normal_table(5, factors, seed);
    auto out = normal_table(rows, factors, seed + 1);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t k = 0; k < factors; ++k) out.row(i)[k] = centres.at(i % 5, k) + static_cast<float>(noise) * out.at(i, k);
    return out;
}
/// One number that is much larger than the others, and all numbers alike: what 8 bits hold worst and best.
table spiked_table(std::size_t rows, std::size_t factors, std::uint64_t seed) {
    auto out = normal_table(rows, factors, seed);
    for (std::size_t i = 0; i < rows; ++i) {
        if (i % 3 == 0) out.row(i)[i % factors] = 100;
        if (i % 3 == 1)
            for (std::size_t k = 0; k < factors; ++k) out.row(i)[k] = (i + k) % 2 ? -1.f : 1.f;
    }
    return out;
}
table equal_table(std::size_t rows, std::size_t factors, float value) { return {rows, factors, std::vector<float>(rows * factors, value)}; }
/// Between rows of usual lengths some that are very long, very short or zero.
table mixed_table(std::size_t rows, std::size_t factors, std::uint64_t seed) {
    auto out = normal_table(rows, factors, seed);
    float const scales[] = {1, 1e17f, 1e-18f, 0, 1e-38f, 1, 30, 1e19f, 0.01f};
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t k = 0; k < factors; ++k) out.row(i)[k] *= scales[i % 9];
    return out;
}
std::vector<std::pair<table, table>> worlds(std::size_t n_users, std::size_t n_items, std::size_t factors) {
    std::vector<std::pair<table, table>> out;
    out.emplace_back(normal_table(n_users, factors, 1), normal_table(n_items, factors, 2));
    out.emplace_back(normal_table(n_users, factors, 1), scaled_table(n_items, factors, 2, 1));
    out.emplace_back(clustered_table(n_users, factors, 3, 0.3), clustered_table(n_items, factors, 3, 1e-3));
    out.emplace_back(clustered_table(n_users, factors, 3, 1e-6), clustered_table(n_items, factors, 3, 1e-6));
    out.emplace_back(spiked_table(n_users, factors, 4), spiked_table(n_items, factors, 5));
    out.emplace_back(mixed_table(n_users, factors, 6), mixed_table(n_items, factors, 7));
    out.emplace_back(coarse_table_of(n_users, factors, 8), coarse_table_of(n_items, factors, 9)); // ties, twins, zeros
    out.emplace_back(normal_table(n_users, factors, 1), equal_table(n_items, factors, 0.7f));
    out.emplace_back(equal_table(n_users, factors, 0), normal_table(n_items, factors, 2));
    auto negative = normal_table(n_items, factors, 10); // no score above 0
    for (auto& x : negative.values) x = -std::abs(x);
    out.emplace_back(equal_table(n_users, factors, 1), std::move(negative));
    return out;
}

struct variant {
    rs::detail::simd_level level;
    bool vnni;
};
/// Every kernel of rough scores that this machine has.
std::vector<variant> variants() {
    std::vector<variant> out;
    for (auto const level : levels())
        for (bool const vnni : {true, false}) {
            forced_rough const now(0, vnni);
            if (rs::detail::rough_kernels(level).scan && (vnni == rs::detail::uses_vnni() || level != rs::detail::simd_level::avx512))
                if (level == rs::detail::simd_level::avx512 || !vnni) out.push_back({level, vnni});
        }
    return out;
}

/// No item that is missing is better than the last of a list by more than rounding, in double.
bool is_complete(table const& users, table const& items, rs::similarity by, rs::user_index u, std::span<rs::scored const> list) {
    std::vector<std::uint8_t> is_in(items.rows);
    double worst = std::numeric_limits<double>::infinity(), x_length = 0;
    for (std::size_t k = 0; k < users.factors; ++k) x_length += std::pow(static_cast<double>(users.at(rs::to_size(u), k)), 2);
    auto const score = [&](std::size_t i, double& slack) {
        double dot = 0, length = 0;
        for (std::size_t k = 0; k < users.factors; ++k) {
            double const y = static_cast<double>(items.at(i, k));
            dot += static_cast<double>(users.at(rs::to_size(u), k)) * y, length += y * y;
        }
        double const lengths = std::sqrt(x_length) * std::sqrt(length), unit = 1.2e-7 * static_cast<double>(users.factors + 4);
        slack = by == rs::similarity::cosine ? unit : unit * lengths + 1e-37;
        return by == rs::similarity::cosine ? dot / lengths : dot;
    };
    double slack = 0;
    for (auto const& one : list) is_in[rs::to_size(one.item)] = 1, worst = std::min(worst, score(rs::to_size(one.item), slack) + slack);
    for (std::size_t i = 0; i < items.rows; ++i)
        if (!is_in[i] && score(i, slack) - slack > worst) return false;
    return true;
}

}

TEST_CASE("scores are as near to rough ones as their rests say, and sums of 16 bits hold them") {
    for (auto const& now_with : variants())
        for (std::size_t const factors : {1u, 3u, 16u, 64u, 300u})
            for (auto const& [users, items] : worlds(sized(13u, 5u), sized(1100u, 300u), factors)) {
                CAPTURE(rs::detail::level_name(now_with.level));
                CAPTURE(now_with.vnni);
                CAPTURE(factors);
                forced_rough const now(0, now_with.vnni);
                rs::detail::team workers(2);
                auto const& table = items;
                rs::detail::rough_items const rough(
                    rs::detail::rough_kernels(now_with.level), items.rows, factors, workers,
                    [&](std::size_t i) { return table.values.data() + i * factors; }, [](std::size_t) { return 1.0; });
                std::size_t const width = 4 * rough.n_steps(), group = rough.group_size;
                std::vector<std::int32_t> const no_bars(group, rs::detail::no_rough_bar);
                std::size_t wrong = 0, found = 0;
                for (std::size_t u = 0; u < users.rows; ++u) {
                    std::vector<float> turned(width);
                    std::vector<std::uint8_t> numbers(width);
                    rough.turn(users.values.data() + u * factors, turned.data());
                    auto const x = rough.round_user(turned.data(), 1, rough.user_scale(turned.data(), 1), numbers.data());
                    double const x_length = rs::detail::length_of(users.values.data() + u * factors, factors);
                    for (std::size_t g = 0; g * group < items.rows; ++g) {
                        std::uint8_t const* const row = numbers.data();
                        std::int32_t const bar = -rs::detail::no_rough_bar;
                        std::vector<std::int32_t> raws(group + 16);
                        std::vector<std::uint32_t> places(group + 16);
                        rs::detail::score_hits<std::int32_t> hits{raws.data(), places.data(), nullptr, 0};
                        rough.kernel().scan({rough.group(g), &row, &bar, no_bars.data(), 1, 32, rough.n_steps(), 0, &hits});
                        for (std::size_t h = 0; h < hits.n; ++h) {
                            std::size_t const i = g * group + places[h];
                            if (i >= items.rows) continue;
                            double const product =
                                rs::detail::double_dot(users.values.data() + u * factors, items.values.data() + i * factors, factors);
                            double const y_length = rs::detail::length_of(items.values.data() + i * factors, factors);
                            double const near_to = x.length * rough.rest(g) + x.rest * y_length;
                            double const turning = 1e-6 * x_length * y_length + 1e-36 * (1 + x_length + y_length);
                            wrong += !(std::abs(product - x.scale * rough.scale(g) * (raws[h] + static_cast<double>(bar))) <=
                                       near_to * (1 + 1e-6) + turning);
                            ++found;
                        }
                    }
                }
                CHECK(wrong == 0);
                CHECK(found == users.rows * items.rows);
            }
}

TEST_CASE("lists with rough scores are those without and those of a full sort, for every kind of table" * doctest::test_suite("slow")) {
    std::size_t const n_users = 33;
    for (std::size_t const factors : {1u, 3u, 20u, 64u})
        for (auto const& [users, items] : worlds(n_users, factors == 20 ? 2600 : 1300, factors))
            for (auto const by : {rs::similarity::dot, rs::similarity::cosine})
                for (auto const& now_with : variants())
                    for (std::size_t const k : {1u, 40u}) {
                        CAPTURE(rs::detail::level_name(now_with.level));
                        CAPTURE(now_with.vnni);
                        CAPTURE(factors);
                        CAPTURE(k);
                        forced const at(now_with.level);
                        auto const seen = random_seen(n_users, items.rows, 4, 77);
                        rs::embeddings const e(users.span(), items.span(), factors, by);
                        std::vector<user_list> wanted;
                        {
                            forced_rough const now(forced_rough::never);
                            wanted = flat(rs::recommend(e, users_to(n_users), seen, {.k = k}));
                        }
                        for (auto const& [u, list] : wanted)
                            if (rs::to_size(u) % 8 == 0)
                                CHECK(list == (e.knows(u) ? known_list(e, u, seen, k) : std::vector<rs::scored>()));
                        for (int const start : {0, 1}) {
                            forced_rough const now(start, now_with.vnni);
                            CHECK(flat(rs::recommend(e, users_to(n_users), seen, {.k = k, .block = 17, .run = {.threads = 2}})) == wanted);
                            auto const ready = rs::prepare(e);
                            bool same = true;
                            for (auto const u : users_to(5))
                                same = same && rs::recommend(ready, u, seen, {.k = k}) == wanted[rs::to_size(u)].second;
                            CHECK(same);
                        }
                    }
}

TEST_CASE("a thousand users' lists are complete by plain loops in double" * doctest::test_suite("slow")) {
    std::size_t const n_users = 1000;
    std::vector<std::pair<table, table>> tables;
    tables.emplace_back(normal_table(n_users, 64, 1), scaled_table(5000, 64, 2, 0.5));
    tables.emplace_back(normal_table(n_users, 32, 3), normal_table(5000, 32, 4));
    tables.emplace_back(clustered_table(n_users, 24, 5, 0.5), clustered_table(5000, 24, 5, 0.01));
    for (auto const& [users, items] : tables)
        for (auto const by : {rs::similarity::dot, rs::similarity::cosine})
            for (auto const& now_with : variants()) {
                forced const at(now_with.level);
                rs::embeddings const e(users.span(), items.span(), users.factors, by);
                forced_rough const now(-1, now_with.vnni); // as it is for users of the library
                bool complete = true;
                for (auto const& [u, list] : rs::recommend(e, users_to(n_users), rs::nothing_seen, {.k = 20}))
                    complete = complete && list.size() == 20 && is_complete(users, items, by, u, list);
                CHECK(complete);
            }
}

TEST_CASE("lists are the same with rough scores and without, for random sizes, k, filters and numbers of threads") {
    rs::random_stream random(11);
    for (int trial = 0; trial < sized(60, 20); ++trial) {
        std::size_t const n_users = 32 + random.below(100), n_items = 1 + random.below(3000), factors = 1 + random.below(70);
        auto const all = worlds(n_users, n_items, factors);
        auto const& [users, items] = all[static_cast<std::size_t>(random.below(all.size()))];
        auto const by = random.below(2) ? rs::similarity::dot : rs::similarity::cosine;
        auto const some = variants();
        if (some.empty()) return;
        auto const now_with = some[static_cast<std::size_t>(random.below(some.size()))];
        rs::recommend_options options{.k = 1 + random.below(random.below(2) ? 30 : 1500), .run = {.threads = 1 + random.below(3)}};
        if (random.below(3) == 0) options.deny = random_set(n_items, 3, static_cast<std::uint64_t>(trial));
        if (random.below(3) == 0) options.allow = random_set(n_items, 2, static_cast<std::uint64_t>(trial) + 100);
        if (random.below(3) == 0)
            options.keep_if = [](rs::user_index u, rs::item_index i) { return (rs::to_size(u) + rs::to_size(i)) % 5 != 0; };
        options.include_seen = random.below(4) == 0;
        auto const seen = random_seen(n_users, n_items, 3, static_cast<std::uint64_t>(trial));
        CAPTURE(trial);
        forced const at(now_with.level);
        rs::embeddings const e(users.span(), items.span(), factors, by);
        std::vector<user_list> wanted;
        {
            forced_rough const now(forced_rough::never);
            wanted = flat(rs::recommend(e, users_to(n_users), seen, options));
        }
        forced_rough const now(static_cast<int>(random.below(3)), now_with.vnni);
        CHECK(flat(rs::recommend(e, users_to(n_users), seen, options)) == wanted);
        CHECK(flat(rs::recommend(rs::prepare(e), users_to(n_users), seen, options)) == wanted);
    }
}

TEST_CASE("similar items of all items are the same with rough scores and without" * doctest::test_suite("slow")) {
    for (std::size_t const factors : {3u, 20u})
        for (auto const& [unused, items] : worlds(1, 2600, factors))
            for (auto const& now_with : variants()) {
                CAPTURE(rs::detail::level_name(now_with.level));
                CAPTURE(now_with.vnni);
                CAPTURE(factors);
                forced const at(now_with.level);
                rs::embeddings const e(unused.span(), items.span(), factors);
                std::vector<rs::item_index> of;
                for (std::size_t i = 0; i < items.rows; ++i) of.push_back(item(i));
                auto const lists = [&] {
                    std::vector<rs::scored> out;
                    for (auto const& [i, list] : rs::similar_items(e, of, {.k = 7, .run = {.threads = 2}})) {
                        out.push_back({i, static_cast<float>(list.size())});
                        out.insert(out.end(), list.begin(), list.end());
                    }
                    return out;
                };
                std::vector<rs::scored> wanted;
                {
                    forced_rough const now(forced_rough::never);
                    wanted = lists();
                }
                forced_rough const now(0, now_with.vnni);
                CHECK(lists() == wanted);
            }
}

TEST_CASE("rough scores are for many items and factors, where there is a kernel") {
    auto const best = rs::detail::rough_kernels(rs::detail::best_simd_level());
    using rs::detail::rough_items;
    CHECK(rough_items::pays(best, 4096, 16) == (best.scan ? true : false));
    CHECK_FALSE(rough_items::pays(best, 4095, 16));
    CHECK_FALSE(rough_items::pays(best, 4096, 15));
    CHECK_FALSE(rough_items::pays({}, 100000, 64));
    CHECK_FALSE(rough_items::pays(best, 100000, 20000));
}
