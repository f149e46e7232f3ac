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

// The kernels of trees at every level that this machine has, against plain loops: all results are equal integers.

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

/// Rising borders, filled up as kernels want them.
struct borders {
    std::vector<float> plain;
    buffer<float> table{272, inf};

    borders(std::size_t n, std::uint64_t seed) {
        rs::random_stream random(seed);
        while (plain.size() < n) {
            plain.push_back(static_cast<float>(random.normal()));
            std::sort(plain.begin(), plain.end());
            plain.erase(std::unique(plain.begin(), plain.end()), plain.end());
        }
        std::copy(plain.begin(), plain.end(), table.begin());
        for (std::size_t group = 0; group < 16; ++group) table[256 + group] = table[16 * group + 15];
    }
    std::size_t below(float x) const {
        return static_cast<std::size_t>(std::count_if(plain.begin(), plain.end(), [&](float b) { return b < x; }));
    }
};

buffer<std::uint8_t> random_bytes(std::size_t n, std::uint64_t seed) {
    rs::random_stream random(seed);
    buffer<std::uint8_t> out(n);
    for (auto& b : out) b = static_cast<std::uint8_t>(random.below(256));
    return out;
}

}

TEST_CASE("a bin is the count of borders below a number, for each number of borders and of rows") {
    for (auto const level : factor_tables::levels()) {
        auto const kernels = rs::detail::bin_kernels(level);
        for (std::size_t const n_borders : {0u, 1u, 2u, 7u, 14u, 15u, 16u, 17u, 31u, 32u, 63u, 100u, 240u, 241u, 254u, 255u}) {
            borders const of(n_borders, n_borders);
            std::vector<float> x = of.plain; // equal to a border: not above it
            for (auto const b : of.plain) x.push_back(std::nextafter(b, inf)), x.push_back(std::nextafter(b, -inf));
            x.insert(x.end(), {0.f, -0.f, 1e30f, -1e30f, inf, -inf, 3.402823466e+38f, -3.402823466e+38f, 1e-40f});
            for (std::size_t const n : {x.size(), std::size_t{1}, std::size_t{5}, std::size_t{8}}) {
                std::vector<std::uint8_t> bins(n + 1, 77);
                kernels.bin_numbers(x.data(), n, -inf, of.table.data(), n_borders, bins.data());
                std::size_t wrong = 0;
                for (std::size_t i = 0; i < n; ++i) wrong += bins[i] != of.below(x[i]);
                CHECK(wrong == 0);
                CHECK(bins[n] == 77); // nothing beyond the last
            }
        }
    }
}

TEST_CASE("infinities are the largest finite numbers, a missing number is what it is said to be") {
    for (auto const level : factor_tables::levels()) {
        auto const kernels = rs::detail::bin_kernels(level);
        for (std::size_t const more : {0u, 20u}) {
            borders of(more, 3);
            of.plain.insert(of.plain.begin(), -inf);
            of.plain.push_back(3.402823466e+38f);
            std::copy(of.plain.begin(), of.plain.end(), of.table.begin());
            for (std::size_t group = 0; group < 16; ++group) of.table[256 + group] = of.table[16 * group + 15];
            float const x[] = {NAN, inf, -inf, 3.402823466e+38f, -NAN};
            std::uint8_t bins[5];
            auto const all = static_cast<int>(of.plain.size());
            kernels.bin_numbers(x, 5, -inf, of.table.data(), of.plain.size(), bins);
            CHECK(std::vector<int>(bins, bins + 5) == std::vector<int>{0, all - 1, 1, all - 1, 0});
            kernels.bin_numbers(x, 5, inf, of.table.data(), of.plain.size(), bins);
            CHECK(std::vector<int>(bins, bins + 5) == std::vector<int>{all, all - 1, 1, all - 1, all});
        }
    }
}

TEST_CASE("leaf bytes have a bit for each bin above its threshold") {
    constexpr std::size_t stride = 256;
    for (auto const level : factor_tables::levels()) {
        auto const kernels = rs::detail::bin_kernels(level);
        for (std::size_t n_splits = 0; n_splits <= 8; ++n_splits) {
            auto const bins = random_bytes(8 * stride, n_splits);
            rs::detail::tree_test tests[8] = {};
            for (std::uint32_t k = 0; k < 8; ++k) tests[k].feature = 7 - k, tests[k].threshold = bins[3 * k];
            tests[1].threshold = 0, tests[2].threshold = 255;
            for (std::size_t const n : {1u, 63u, 64u, 130u}) {
                std::uint8_t out[stride] = {};
                kernels.leaf_bytes(tests, n_splits, bins.data(), stride, n, out);
                std::size_t wrong = 0;
                for (std::size_t row = 0; row < n; ++row) {
                    unsigned leaf = 0;
                    for (std::size_t k = 0; k < n_splits; ++k)
                        leaf |= (bins[tests[k].feature * stride + row] > tests[k].threshold ? 1u : 0u) << k;
                    wrong += out[row] != leaf;
                }
                CHECK(wrong == 0);
            }
        }
    }
}

TEST_CASE("batches of trees add the leaves that their tests choose") {
    constexpr std::size_t n_features = 9, stride = 128;
    for (auto const level : factor_tables::levels()) {
        auto const kernels = rs::detail::bin_kernels(level);
        if (!kernels.add_trees) continue;
        for (int const planes : {1, 2})
            for (std::size_t const n_trees : {1u, 7u, 256u}) {
                auto const leaves = n_trees == 256 ? buffer<std::uint8_t>(64 * n_trees * 2, 255) : random_bytes(64 * n_trees * 2, n_trees);
                auto bins = random_bytes(n_features * stride, 5);
                auto const plain = random_bytes(n_features * stride, 5);
                rs::random_stream random(6);
                std::vector<rs::detail::shuffle_test> tests(n_trees);
                for (auto& t : tests)
                    for (std::size_t k = 0; k < 6; ++k) {
                        t.place[k] = static_cast<std::uint32_t>(random.below(n_features) * stride);
                        t.bar[k] = static_cast<std::uint32_t>(random.below(256)) * 0x01010101u;
                    }
                kernels.flip_bins(bins.data(), bins.size());
                int const shift = planes == 1 ? 3 : 17;
                for (std::size_t const n : {1u, 33u, 64u, 65u, 100u, 128u}) {
                    std::vector<std::int64_t> sums(stride, -1000);
                    kernels.add_trees({tests.data(), leaves.data(), n_trees, planes, shift}, bins.data(), n, sums.data());
                    std::size_t wrong = 0;
                    for (std::size_t row = 0; row < n; ++row) {
                        std::int64_t sum = -1000;
                        for (std::size_t t = 0; t < n_trees; ++t) {
                            std::size_t at = 0;
                            for (std::size_t k = 0; k < 6; ++k) {
                                int const bar = static_cast<std::int8_t>(tests[t].bar[k] & 255u);
                                at |= (bar > int{plain[tests[t].place[k] + row]} - 128 ? std::size_t{1} : std::size_t{0}) << k;
                            }
                            auto const* const of = leaves.data() + t * 64 * static_cast<std::size_t>(planes);
                            sum += std::int64_t{of[at] + (planes == 2 ? 256 * of[64 + at] : 0)} << shift;
                        }
                        wrong += sums[row] != sum;
                    }
                    CHECK(wrong == 0);
                }
            }
    }
}

TEST_CASE("tests of rows that are bytes give a bit each, from any window, and read no row's bytes that are not theirs") {
    for (auto const level : factor_tables::levels()) {
        auto const kernels = rs::detail::bin_kernels(level);
        if (!kernels.byte_leaves) continue;
        rs::random_stream random(8);
        for (std::size_t const stride : {1u, 6u, 11u, 16u, 17u, 28u, 37u})
            for (std::size_t const n_windows : {0u, 1u, 2u, 7u}) {
                constexpr std::size_t n = 40;
                std::vector<buffer<std::uint8_t>> bytes;
                rs::detail::byte_tests tests;
                std::fill_n(tests.bar, 16, std::uint8_t{1});
                for (std::size_t w = 0; w < n_windows; ++w) {
                    bytes.push_back(random_bytes(n * stride + 128, stride + w));
                    tests.windows[w].first = bytes[w].data(), tests.windows[w].stride = stride;
                    std::fill_n(tests.windows[w].place, 16, rs::detail::byte_tests::elsewhere);
                }
                tests.n_windows = n_windows;
                std::vector<std::size_t> window(16), place(16);
                std::size_t const n_tests = n_windows == 0 ? 0 : 1 + random.below(16);
                for (std::size_t k = 0; k < n_tests; ++k) {
                    window[k] = random.below(n_windows), place[k] = random.below(std::min<std::size_t>(stride, 16));
                    std::uint8_t const masks[] = {0xFF, 0x0F, 0xF0, 0x30, 0x80};
                    tests.windows[window[k]].place[k] = static_cast<std::uint8_t>(place[k]);
                    tests.mask[k] = masks[random.below(5)], tests.bar[k] = static_cast<std::uint8_t>(1 + random.below(255));
                }
                for (std::size_t const first : {0u, 3u}) {
                    std::vector<std::uint16_t> out(n + 1, 0xABCD);
                    kernels.byte_leaves(tests, first, 36, out.data());
                    std::size_t wrong = 0;
                    for (std::size_t row = 0; row < 36; ++row) {
                        unsigned leaf = 0;
                        for (std::size_t k = 0; k < n_tests; ++k)
                            leaf |= ((bytes[window[k]][(first + row) * stride + place[k]] & tests.mask[k]) >= tests.bar[k] ? 1u : 0u) << k;
                        wrong += out[row] != leaf;
                    }
                    CHECK(wrong == 0);
                    CHECK(out[36] == 0xABCD);
                }
            }
    }
}
