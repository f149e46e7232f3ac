// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

using recsys::random_stream;
using recsys::detail::philox;

TEST_CASE("Philox gives the known answers of Random123") {
    using words = std::array<std::uint32_t, 4>;
    CHECK(philox({0, 0, 0, 0}, {0, 0}) == words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
          words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream depends on seed and stream number alone") {
    random_stream a(7, 1), b(7, 1), other_stream(7, 2), other_seed(8, 1);
    bool same_stream = true, same_seed = true;
    for (int i = 0; i < 100; ++i) {
        auto const x = a.bits();
        CHECK(x == b.bits());
        same_stream = same_stream && x == other_stream.bits();
        same_seed = same_seed && x == other_seed.bits();
    }
    CHECK_FALSE(same_stream);
    CHECK_FALSE(same_seed);
}

TEST_CASE("draws have the moments of their distributions") {
    random_stream random(1);
    int const n = 200000;
    double u = 0, u2 = 0, z = 0, z2 = 0, z4 = 0, e = 0, g_small = 0, g_large = 0;
    for (int i = 0; i < n; ++i) {
        auto const uniform = random.uniform();
        CHECK_MESSAGE((uniform >= 0 && uniform < 1), uniform);
        u += uniform, u2 += uniform * uniform;
        auto const normal = random.normal();
        z += normal, z2 += normal * normal, z4 += normal * normal * normal * normal;
        e += random.exponential();
        g_small += random.gamma(0.1), g_large += random.gamma(7.5);
    }
    // Five standard errors of each mean.
    auto const within = [](double sum, double mean, double variance) { return std::abs(sum / n - mean) < 5 * std::sqrt(variance / n); };
    CHECK(within(u, 0.5, 1.0 / 12));
    CHECK(within(u2, 1.0 / 3, 4.0 / 45));
    CHECK(within(z, 0, 1));
    CHECK(within(z2, 1, 2));
    CHECK(within(z4, 3, 96));
    CHECK(within(e, 1, 1));
    CHECK(within(g_small, 0.1, 0.1));
    CHECK(within(g_large, 7.5, 7.5));
}

TEST_CASE("below is in range and even") {
    random_stream random(5);
    std::array<int, 7> hits{};
    for (int i = 0; i < 70000; ++i) ++hits[static_cast<std::size_t>(random.below(7))];
    double chi2 = 0;
    for (auto const h : hits) chi2 += (h - 10000.0) * (h - 10000.0) / 10000.0;
    CHECK(chi2 < 22.5); // 0.1% point of 6 degrees of freedom
    CHECK(random.below(1) == 0);
    auto const huge = (std::uint64_t{1} << 63) + 1;
    for (int i = 0; i < 100; ++i) CHECK(random.below(huge) < huge);
}

TEST_CASE("shuffle permutes") {
    std::vector<int> values(1000);
    std::iota(values.begin(), values.end(), 0);
    auto shuffled = values;
    random_stream(9).shuffle(shuffled);
    CHECK(shuffled != values);
    std::sort(shuffled.begin(), shuffled.end());
    CHECK(shuffled == values);
    std::vector<int> none;
    random_stream(9).shuffle(none);
    CHECK(none.empty());
}

TEST_CASE("the portable logarithm and exponential agree with the library's") {
    random_stream random(2);
    for (int i = 0; i < 20000; ++i) {
        double const x = std::exp(1400 * random.uniform() - 700);
        auto const log = recsys::detail::portable_log(x);
        CHECK(std::abs(log - std::log(x)) <= 4e-16 * std::max(1.0, std::abs(std::log(x))));
        double const y = 1400 * random.uniform() - 700;
        CHECK(std::abs(recsys::detail::portable_exp(y) / std::exp(y) - 1) < 3e-15);
    }
    CHECK(recsys::detail::portable_log(1) == 0);
    CHECK(recsys::detail::portable_exp(0) == 1);
    CHECK(recsys::detail::sigmoid(-1000) == 0);
    CHECK(recsys::detail::sigmoid(1000) == 1);
    CHECK(recsys::detail::sigmoid(0) == 0.5);
}
