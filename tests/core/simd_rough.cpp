// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/factor_tables.hpp"

namespace rs = recsys;
using factor_tables::forced_rough;

// The kernels of rough scores at every level that has some, with VNNI and without, against plain loops.

namespace {

std::vector<rs::detail::rough_table> tables() {
    std::vector<rs::detail::rough_table> out;
    for (auto const level : factor_tables::levels())
        for (bool const vnni : {true, false}) {
            forced_rough const now(0, vnni);
            if (auto const table = rs::detail::rough_kernels(level); table.scan) out.push_back(table);
        }
    return out;
}
int random_number(rs::random_stream& random, int most) {
    return static_cast<int>(random.below(2 * static_cast<std::uint64_t>(most) + 1)) - most;
}

}

TEST_CASE("a scan of rough scores is exact in whole numbers, also where parts fill their 16 bits") {
    rs::random_stream random(1);
    for (auto const& table : tables())
        for (std::size_t const n_steps : {1u, 2u, 5u, 16u, 75u})
            for (std::size_t const n_users : {1u, 2u, 6u, 7u, 12u, 13u, 29u}) {
                CAPTURE(table.in_halves);
                CAPTURE(n_steps);
                CAPTURE(n_users);
                std::size_t const n = 4 * n_steps, n_blocks = 8, n_items = 16 * n_blocks, stride = n_items + 16;
                // As large as sums of either part allow: 2 n_steps products each.
                int const most =
                    table.in_halves ? std::max(1, std::min(table.most_of_user, static_cast<int>(32767 / (127 * 2 * n_steps)))) : 127;
                std::vector<std::int32_t> items(n_items * n), users(n_users * n);
                for (auto& x : items) x = random.below(3) == 0 ? 127 : random_number(random, 127);
                for (auto& x : users) x = random.below(3) == 0 ? -most : random_number(random, most);
                for (std::size_t k = 0; k < n; ++k) items[5 * n + k] = -127, items[6 * n + k] = 127, users[k] = most;
                std::vector<std::uint8_t> packed(n_items * 4 * (n_steps + 1)), numbers(n_users * n);
                for (std::size_t i = 0; i < n_items; ++i) {
                    std::uint8_t* const lane = packed.data() + i / 16 * 64 * (n_steps + 1) + i % 16 * 4;
                    std::int32_t parts[2] = {0, 0};
                    for (std::size_t k = 0; k < n; ++k) {
                        lane[(k / 4 + 1) * 64 + k % 4] = static_cast<std::uint8_t>(items[i * n + k]);
                        parts[k / 2 % 2] -= table.offset * items[i * n + k];
                    }
                    std::int32_t const whole = parts[0] + parts[1];
                    std::uint16_t const halves[2] = {static_cast<std::uint16_t>(parts[0]), static_cast<std::uint16_t>(parts[1])};
                    if (table.in_halves) std::copy_n(reinterpret_cast<std::uint8_t const*>(halves), 4, lane);
                    else std::copy_n(reinterpret_cast<std::uint8_t const*>(&whole), 4, lane);
                }
                for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::uint8_t>(users[i] + table.offset);
                std::vector<std::uint8_t const*> rows;
                std::vector<std::int32_t> bars(n_users), item_bars(n_items), raws(n_users * stride);
                std::vector<std::uint32_t> places(n_users * stride);
                std::vector<std::uint16_t> skip(n_blocks);
                for (auto& bits : skip) bits = static_cast<std::uint16_t>(random.below(65536));
                std::vector<rs::detail::score_hits<std::int32_t>> hits;
                for (std::size_t u = 0; u < n_users; ++u) {
                    rows.push_back(numbers.data() + u * n);
                    bars[u] = u % 5 == 4   ? -rs::detail::no_rough_bar
                              : u % 5 == 3 ? rs::detail::no_rough_bar
                                           : static_cast<std::int32_t>(random.below(40000)) - 10000;
                    hits.push_back({raws.data() + u * stride, places.data() + u * stride, u % 2 ? skip.data() : nullptr, 0});
                }
                for (auto& bar : item_bars)
                    bar = random.below(2) ? rs::detail::no_rough_bar : static_cast<std::int32_t>(random.below(60000)) - 10000;
                table.scan({packed.data(), rows.data(), bars.data(), item_bars.data(), n_users, n_blocks, n_steps, 300, hits.data()});
                std::size_t wrong = 0, found = 0;
                for (std::size_t u = 0; u < n_users; ++u) {
                    std::vector<std::int32_t> values(n_items, -1);
                    for (std::size_t h = 0; h < hits[u].n; ++h) {
                        wrong += values[hits[u].places[h] - 300] >= 0;
                        values[hits[u].places[h] - 300] = hits[u].raws[h];
                    }
                    for (std::size_t i = 0; i < n_items; ++i) {
                        std::int32_t sum = -std::min(bars[u], item_bars[i]);
                        for (std::size_t k = 0; k < n; ++k) sum += items[i * n + k] * users[u * n + k];
                        bool const is_skipped = u % 2 && (skip[i / 16] >> i % 16 & 1) != 0;
                        wrong += (sum >= 0 && !is_skipped ? sum : -1) != values[i];
                        found += values[i] >= 0;
                    }
                }
                CHECK(wrong == 0);
                CHECK(found > 0);
            }
}

TEST_CASE("turned rows have the products of rows as they are, and no number much larger than others") {
    for (auto const& table : tables())
        for (std::size_t const n : {1u, 3u, 4u, 16u, 37u, 64u, 300u}) {
            CAPTURE(n);
            std::size_t const n_steps = (n + 3) / 4;
            auto const rows = factor_tables::normal_table(2, n, 5);
            std::vector<float> signs(4 * n_steps), turned(8 * n_steps);
            rs::random_stream random(6);
            for (std::size_t first = 0, size = 0; first < n_steps; first += size) {
                size = rs::detail::turned_together(n_steps - first);
                for (std::size_t k = 4 * first; k < 4 * (first + size); ++k)
                    signs[k] = static_cast<float>((random.below(2) ? 1 : -1) / std::sqrt(4. * static_cast<double>(size)));
            }
            double product = 0, turned_product = 0, square = 0;
            for (std::size_t r = 0; r < 2; ++r) table.turn(rows.values.data() + r * n, signs.data(), n, turned.data() + r * 4 * n_steps);
            for (std::size_t k = 0; k < n; ++k) product += static_cast<double>(rows.at(0, k)) * static_cast<double>(rows.at(1, k));
            for (std::size_t k = 0; k < n; ++k) square += static_cast<double>(rows.at(0, k)) * static_cast<double>(rows.at(0, k));
            for (std::size_t k = 0; k < 4 * n_steps; ++k)
                turned_product += static_cast<double>(turned[k]) * static_cast<double>(turned[4 * n_steps + k]),
                    square -= static_cast<double>(turned[k]) * static_cast<double>(turned[k]);
            CHECK(turned_product == doctest::Approx(product).epsilon(1e-5));
            CHECK(std::abs(square) < 1e-4);
            std::vector<float> one(n), spread(4 * n_steps);
            one[n / 2] = 8;
            table.turn(one.data(), signs.data(), n, spread.data());
            float largest = 0;
            for (float const x : spread) largest = std::max(largest, std::abs(x));
            if (n == 64) CHECK(largest == doctest::Approx(1));
        }
}

TEST_CASE("rows are rounded to the nearest whole numbers, and what is left is measured") {
    for (auto const& table : tables())
        for (std::size_t const n_steps : {1u, 3u, 16u}) {
            auto const row = factor_tables::normal_table(1, 4 * n_steps, 7);
            double const times = 0.5, scale = 0.01;
            auto const measured = table.measure(row.values.data(), times, n_steps);
            std::vector<std::uint8_t> out(8 * n_steps);
            auto const rounded = table.round(row.values.data(), times, scale, n_steps, 100, out.data(), 8);
            double largest = 0, parts[2] = {0, 0}, squares = 0, rests = 0;
            std::int32_t sums[2] = {0, 0};
            bool right = true;
            for (std::size_t k = 0; k < 4 * n_steps; ++k) {
                double const x = static_cast<double>(row.values[k]) * times, q = std::nearbyint(x / scale);
                largest = std::max(largest, std::abs(x)), parts[k / 2 % 2] += x * x;
                squares += q * q, rests += (x - scale * q) * (x - scale * q), sums[k / 2 % 2] += static_cast<std::int32_t>(q);
                right = right && out[k / 4 * 8 + k % 4] == static_cast<std::uint8_t>(static_cast<int>(q) + 100);
            }
            CHECK(right);
            CHECK(measured.largest == doctest::Approx(largest).epsilon(1e-12));
            CHECK(rounded.squares == doctest::Approx(squares).epsilon(1e-12));
            CHECK(rounded.rests == doctest::Approx(rests).epsilon(1e-9));
            for (int part = 0; part < 2; ++part) {
                CHECK(measured.squares[part] == doctest::Approx(parts[part]).epsilon(1e-12));
                CHECK(rounded.sums[part] == sums[part]);
            }
        }
}

TEST_CASE("portable code has no rough scores, and a test can forbid VNNI") {
    CHECK((rs::detail::rough_kernels(rs::detail::simd_level::portable).scan == nullptr));
    forced_rough const now(0, false);
    CHECK_FALSE(rs::detail::uses_vnni());
}
