// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace rs = recsys;
namespace rd = recsys::detail;

namespace {

constexpr std::size_t n_features = 5;

std::vector<rd::simd_level> levels() {
    std::vector<rd::simd_level> out;
    for (auto const level : {rd::simd_level::portable, rd::simd_level::avx2, rd::simd_level::avx512})
        if (rd::has_simd_level(level)) out.push_back(level);
    return out;
}
std::vector<std::uint8_t> random_bins(std::uint64_t seed) {
    rs::random_stream random(seed, 0);
    std::vector<std::uint8_t> bins(n_features * 128);
    for (auto& b : bins) b = static_cast<std::uint8_t>(random.below(4) == 0 ? random.below(2) * 255 : random.below(256));
    return bins;
}
/// Tests of leaves low .. high - 1 in the order parent, left, right.
void make_tests(rs::random_stream& random, std::size_t low, std::size_t high, std::vector<rd::tree_test>& tests) {
    if (high - low < 2) return;
    auto const middle = low + 1 + static_cast<std::size_t>(random.below(high - low - 1));
    tests.push_back({static_cast<std::uint32_t>(random.below(n_features)), static_cast<std::uint8_t>(random.below(256)),
                     static_cast<std::uint8_t>(low), static_cast<std::uint8_t>(middle), std::uint8_t{0}});
    make_tests(random, low, middle, tests), make_tests(random, middle, high, tests);
}
/// The leaf by going down: the right side of a test stands behind its left one.
std::size_t leaf_of(std::vector<rd::tree_test> const& tests, std::vector<std::uint8_t> const& bins, std::size_t row, std::size_t n_leaves) {
    std::size_t at = 0, low = 0, high = n_leaves;
    while (high - low > 1) {
        auto const& t = tests[at];
        if (bins[t.feature * 128 + row] > t.threshold) low = t.middle, at += std::size_t{t.middle} - t.low;
        else high = t.middle, ++at;
    }
    return low;
}

}

TEST_CASE("leaves are found at every level of instructions as by going down") {
    for (std::size_t const n_leaves : {1u, 2u, 3u, 16u, 31u, 64u, 255u, 256u})
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
            rs::random_stream random(seed, n_leaves);
            std::vector<rd::tree_test> tests;
            make_tests(random, 0, n_leaves, tests);
            auto const bins = random_bins(seed);
            for (auto const level : levels())
                for (std::size_t const n : {1u, 16u, 33u, 64u, 100u, 128u}) {
                    std::uint8_t leaves[128] = {};
                    rd::tree_kernels(level).find_leaves(tests.data(), tests.size(), bins.data(), n, leaves);
                    std::size_t wrong = 0;
                    for (std::size_t row = 0; row < n; ++row) wrong += leaves[row] != leaf_of(tests, bins, row, n_leaves);
                    CHECK_MESSAGE(wrong == 0, rd::level_name(level));
                }
        }
}

TEST_CASE("leaves of oblivious trees are the bits of their answers") {
    for (std::size_t depth = 0; depth <= 8; ++depth) {
        rs::random_stream random(depth, 0);
        std::vector<rd::tree_test> tests;
        for (std::size_t i = 0; i < depth; ++i)
            tests.push_back({static_cast<std::uint32_t>(random.below(n_features)), static_cast<std::uint8_t>(random.below(256)), 0, 0, 0});
        auto const bins = random_bins(depth);
        for (auto const level : levels()) {
            std::uint8_t leaves[128] = {};
            rd::tree_kernels(level).leaf_bytes(tests.data(), tests.size(), bins.data(), 128, 128, leaves);
            std::size_t wrong = 0;
            for (std::size_t row = 0; row < 128; ++row) {
                std::size_t leaf = 0;
                for (std::size_t i = 0; i < depth; ++i) leaf |= std::size_t{bins[tests[i].feature * 128 + row] > tests[i].threshold} << i;
                wrong += leaves[row] != leaf;
            }
            CHECK_MESSAGE(wrong == 0, rd::level_name(level));
        }
    }
}
