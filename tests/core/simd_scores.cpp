// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/factor_tables.hpp"

namespace rs = recsys;
using rs::detail::buffer;

// The kernels of scores at every level that this machine has, against plain loops in double.

namespace {

template <class S> buffer<S> normals(std::size_t n, std::uint64_t seed) {
    rs::random_stream random(seed);
    buffer<S> out(n);
    for (auto& x : out) x = static_cast<S>(random.normal());
    return out;
}
template <class S> double plain(S const* x, S const* y, std::size_t n, bool is_distance) {
    double sum = 0;
    for (std::size_t k = 0; k < n; ++k) {
        double const a = static_cast<double>(x[k]), b = static_cast<double>(y[k]);
        sum += is_distance ? -(a - b) * (a - b) : a * b;
    }
    return sum;
}

}

TEST_CASE_TEMPLATE("rows give sums of products and of squares, each row the same alone and among others", S, float, double) {
    double const tolerance = std::is_same_v<S, float> ? 1e-5 : 1e-14;
    for (auto const level : factor_tables::levels())
        for (std::size_t const n : {1u, 3u, 16u, 65u})
            for (bool const is_distance : {false, true}) {
                auto const kernels = rs::detail::score_kernels<S>(level);
                auto const x = normals<S>(n, 1), table = normals<S>(21 * n, 2);
                std::vector<S const*> rows;
                for (std::size_t r = 0; r < 21; ++r) rows.push_back(table.data() + r * n);
                std::vector<S> all(21);
                kernels.rows(x.data(), rows.data(), 21, n, is_distance, all.data());
                for (std::size_t r = 0; r < 21; ++r) {
                    S alone{};
                    kernels.rows(x.data(), &rows[r], 1, n, is_distance, &alone);
                    CHECK(alone == all[r]);
                    CHECK(std::abs(static_cast<double>(alone) - plain(x.data(), rows[r], n, is_distance)) <
                          tolerance * static_cast<double>(n + 4));
                }
            }
}

TEST_CASE_TEMPLATE("a scan finds exactly the scores that reach a bar, with the bits of rows, but for lanes that are skipped", S, float,
                   double) {
    std::size_t const n = 19, n_blocks = 16, n_items = n_blocks * 16, first_place = 1000;
    auto const table = normals<S>(n_items * n, 3), people = normals<S>(30 * n, 4), scales = normals<S>(n_items, 5);
    buffer<S> packed(n_items * n);
    for (std::size_t i = 0; i < n_items; ++i)
        for (std::size_t k = 0; k < n; ++k) packed[i / 16 * 16 * n + k * 16 + i % 16] = table[i * n + k];
    std::vector<S const*> users;
    for (std::size_t u = 0; u < 30; ++u) users.push_back(people.data() + u * n);
    rs::random_stream random(6);
    std::vector<S> lengths(30), item_bars(n_items);
    for (auto& x : lengths) x = static_cast<S>(0.5 + random.uniform());
    for (auto& x : item_bars) x = static_cast<S>(4 + 3 * random.normal());
    std::vector<std::uint16_t> skip(30 * n_blocks);
    for (auto& bits : skip) bits = static_cast<std::uint16_t>(random.below(65536));
    // How scores meet their bars: as they are, as distances, scaled, scaled and with the items' bars as well.
    for (auto const level : factor_tables::levels())
        for (int const kind : {0, 1, 2, 3})
            for (std::size_t const n_users : {1u, 2u, 5u, 6u, 7u, 12u, 13u, 30u}) {
                CAPTURE(rs::detail::level_name(level));
                CAPTURE(kind);
                CAPTURE(n_users);
                auto const kernels = rs::detail::score_kernels<S>(level);
                S const infinity = std::numeric_limits<S>::infinity();
                std::vector<S> bars(n_users), raws(n_users * (n_items + 16));
                std::vector<std::uint32_t> places(raws.size());
                std::vector<rs::detail::score_hits<S>> hits(n_users);
                for (std::size_t u = 0; u < n_users; ++u) {
                    bars[u] = u % 4 == 0 ? -infinity : u % 4 == 1 ? infinity : static_cast<S>(kind == 1 ? -25 - random.normal() : 3);
                    hits[u] = {raws.data() + u * (n_items + 16), places.data() + u * (n_items + 16),
                               u % 3 == 0 ? nullptr : skip.data() + u * n_blocks, 0};
                }
                rs::detail::score_scan<S> scan{
                    packed.data(), kind >= 2 ? scales.data() : nullptr,     users.data(), bars.data(), infinity, n_users, n_blocks, n,
                    kind == 1,     static_cast<std::uint32_t>(first_place), hits.data()};
                if (kind == 3) scan.item_bars = item_bars.data(), scan.user_lengths = lengths.data();
                kernels.scan(scan);
                std::size_t wrong = 0, wanted = 0;
                for (std::size_t u = 0; u < n_users; ++u) {
                    std::vector<std::uint8_t> is_hit(n_items);
                    for (std::size_t h = 0; h < hits[u].n; ++h) {
                        std::size_t const i = hits[u].places[h] - first_place;
                        S alone{};
                        S const* const row = table.data() + i * n;
                        kernels.rows(users[u], &row, 1, n, kind == 1, &alone);
                        wrong += alone != hits[u].raws[h] || is_hit[i]++;
                    }
                    for (std::size_t i = 0; i < n_items; ++i) {
                        S alone{};
                        S const* const row = table.data() + i * n;
                        kernels.rows(users[u], &row, 1, n, kind == 1, &alone);
                        S const value = kind >= 2 ? alone * scales[i] : alone;
                        bool reaches = value >= bars[u] || (kind == 3 && value >= item_bars[i] * lengths[u]);
                        if (hits[u].skip) reaches = reaches && (hits[u].skip[i / 16] >> i % 16 & 1) == 0;
                        wanted += reaches;
                        wrong += reaches != (is_hit[i] != 0);
                    }
                }
                CHECK(wrong == 0);
                CHECK(wanted > 0);
            }
}

TEST_CASE_TEMPLATE("pairs have the bits of rows", S, float, double) {
    for (auto const level : factor_tables::levels())
        for (std::size_t const n_pairs : {1u, 7u, 8u, 21u}) {
            std::size_t const n = 13;
            auto const kernels = rs::detail::score_kernels<S>(level);
            auto const xs = normals<S>(n_pairs * n, 1), ys = normals<S>(n_pairs * n, 2);
            std::vector<S const*> x, y;
            for (std::size_t i = 0; i < n_pairs; ++i) x.push_back(xs.data() + i * n), y.push_back(ys.data() + i * n);
            std::vector<S> out(n_pairs);
            kernels.pairs(x.data(), y.data(), n_pairs, n, out.data());
            for (std::size_t i = 0; i < n_pairs; ++i) {
                S alone{};
                kernels.rows(x[i], &y[i], 1, n, false, &alone);
                CHECK(alone == out[i]);
            }
        }
}

TEST_CASE_TEMPLATE("a bar leaves at least k, scores that reach it keep their order, and ranks count them", S, float, double) {
    S const infinity = std::numeric_limits<S>::infinity();
    rs::random_stream random(8);
    for (auto const level : factor_tables::levels())
        for (std::size_t const n : {1u, 15u, 16u, 17u, 100u, 250u})
            for (int const kind : {0, 1, 2}) { // many values, few values, one value
                auto const kernels = rs::detail::score_kernels<S>(level);
                std::vector<S> scores((n + 31) / 16 * 16, -infinity);
                std::vector<std::uint32_t> indices(scores.size());
                for (std::size_t i = 0; i < n; ++i) {
                    scores[i] = kind == 0 ? static_cast<S>(random.normal()) : kind == 1 ? static_cast<S>(random.below(4)) : S{2};
                    indices[i] = static_cast<std::uint32_t>(7 * i);
                }
                auto const reached = [&](S bar) {
                    return static_cast<std::size_t>(std::count_if(scores.begin(), scores.end(), [&](S x) { return x >= bar; }));
                };
                std::vector<std::uint16_t> ranks(n);
                kernels.ranks(scores.data(), n, ranks.data());
                bool right = true;
                for (std::size_t i = 0; i < n; ++i) right = right && ranks[i] == reached(scores[i]);
                CHECK(right);
                std::size_t const first = n / 3, k = n / 2 + 1;
                std::vector<S> one(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(first)),
                    two(scores.begin() + static_cast<std::ptrdiff_t>(first), scores.end());
                one.resize(one.size() + 16, -infinity), two.resize(two.size() + 16, -infinity);
                S const bar = kernels.find_bar({{one.data(), two.data()}, {first, n - first}, k, k + k / 8, -infinity});
                CHECK(reached(bar) >= k);
                if (kind == 0 && n >= 100) CHECK(reached(bar) <= k + k / 8);
                S const middle = scores[n / 2];
                std::vector<S> wanted;
                std::vector<std::uint32_t> wanted_indices;
                for (std::size_t i = 0; i < n; ++i)
                    if (scores[i] >= middle) wanted.push_back(scores[i]), wanted_indices.push_back(indices[i]);
                std::size_t const kept = kernels.keep(scores.data(), indices.data(), n, middle);
                scores.resize(kept), indices.resize(kept);
                CHECK(scores == wanted);
                CHECK(indices == wanted_indices);
            }
}
