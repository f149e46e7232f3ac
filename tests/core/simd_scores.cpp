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

TEST_CASE_TEMPLATE("a scan finds exactly the scores that reach a bar, with the bits of rows", S, float, double) {
    std::size_t const n = 19, n_blocks = 11;
    auto const table = normals<S>(n_blocks * 16 * n, 3), people = normals<S>(30 * n, 4), scales = normals<S>(n_blocks * 16, 5);
    buffer<S> packed(n_blocks * 16 * n);
    for (std::size_t i = 0; i < n_blocks * 16; ++i)
        for (std::size_t k = 0; k < n; ++k) packed[i / 16 * 16 * n + k * 16 + i % 16] = table[i * n + k];
    std::vector<S const*> users;
    for (std::size_t u = 0; u < 30; ++u) users.push_back(people.data() + u * n);
    rs::random_stream random(6);
    std::vector<S> lengths(30), item_bars(n_blocks * 16);
    for (auto& x : lengths) x = static_cast<S>(0.5 + random.uniform());
    for (auto& x : item_bars) x = static_cast<S>(4 + 3 * random.normal());
    // How scores meet their bars: as they are, as distances, scaled, scaled and with the items' bars as well.
    for (auto const level : factor_tables::levels())
        for (int const kind : {0, 1, 2, 3})
            for (std::size_t const n_users : {1u, 2u, 5u, 6u, 7u, 12u, 13u, 30u}) {
                CAPTURE(rs::detail::level_name(level));
                CAPTURE(kind);
                CAPTURE(n_users);
                auto const kernels = rs::detail::score_kernels<S>(level);
                S const infinity = std::numeric_limits<S>::infinity();
                std::vector<S> bars(n_users);
                for (std::size_t u = 0; u < n_users; ++u)
                    bars[u] = u % 4 == 0 ? -infinity : u % 4 == 1 ? infinity : static_cast<S>(kind == 1 ? -25 - random.normal() : 3);
                std::vector<rs::detail::score_hit<S>> hits(n_users * n_blocks * 16);
                rs::detail::score_scan<S> scan{packed.data(), kind >= 2 ? scales.data() : nullptr,
                                               users.data(),  bars.data(),
                                               infinity,      n_users,
                                               n_blocks,      n,
                                               kind == 1,     hits.data()};
                if (kind == 3) scan.item_bars = item_bars.data(), scan.user_lengths = lengths.data();
                std::size_t const found = kernels.scan(scan);
                std::vector<std::uint8_t> is_hit(n_users * n_blocks * 16);
                std::size_t wrong = 0, wanted = 0;
                for (std::size_t h = 0; h < found; ++h) {
                    auto const& [raw, place, user] = hits[h];
                    S alone{};
                    S const* const row = table.data() + place * n;
                    kernels.rows(users[user], &row, 1, n, kind == 1, &alone);
                    wrong += alone != raw || is_hit[user * n_blocks * 16 + place]++;
                }
                for (std::size_t u = 0; u < n_users; ++u)
                    for (std::size_t i = 0; i < n_blocks * 16; ++i) {
                        S alone{};
                        S const* const row = table.data() + i * n;
                        kernels.rows(users[u], &row, 1, n, kind == 1, &alone);
                        S const value = kind >= 2 ? alone * scales[i] : alone;
                        bool const reaches = value >= bars[u] || (kind == 3 && value >= item_bars[i] * lengths[u]);
                        wanted += reaches;
                        wrong += reaches != (is_hit[u * n_blocks * 16 + i] != 0);
                    }
                CHECK(wrong == 0);
                CHECK(found == wanted);
                CHECK(wanted > 0);
            }
}
