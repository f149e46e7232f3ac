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
using rs::detail::row_kernels;

// The kernels over rows: beside plain loops in double, and the same bits at every level that this machine has.

namespace {

std::vector<float> normals(std::size_t n, std::uint64_t seed, double size = 1) {
    rs::random_stream random(seed);
    std::vector<float> out(n);
    for (auto& x : out) x = static_cast<float>(size * random.normal());
    return out;
}

/// make(kernels) at every level: all the same, and the first is given back.
template <class Make> auto at_every_level(Make const& make) {
    auto const first = make(row_kernels(rs::detail::simd_level::portable));
    for (auto const level : factor_tables::levels()) CHECK(make(row_kernels(level)) == first);
    return first;
}

constexpr std::size_t n = 1024 + 16;

}

TEST_CASE("derivatives and values of the log loss are those of its formulas") {
    auto raw = normals(n, 1, 5);
    std::vector<float> y(n);
    for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<float>(i % 3) / 2;
    raw[0] = 0, raw[1] = 200, raw[2] = -200, raw[3] = 86, raw[4] = -86;
    auto const g = at_every_level([&](auto const& k) {
        std::vector<float> both(2 * n);
        k.log_loss_derivatives(raw.data(), y.data(), n, both.data(), both.data() + n);
        return both;
    });
    auto const values = at_every_level([&](auto const& k) {
        std::vector<float> out(n);
        k.log_loss_values(raw.data(), y.data(), n, out.data());
        return out;
    });
    for (std::size_t i = 0; i < n; ++i) {
        double const t = static_cast<double>(raw[i]), p = 1 / (1 + std::exp(-t)), target = static_cast<double>(y[i]);
        CHECK(std::abs(static_cast<double>(g[i]) - (p - target)) < 3e-7);
        CHECK(std::abs(static_cast<double>(g[n + i]) - p * (1 - p)) < 3e-7);
        double const loss = std::max(t, 0.0) - t * target + std::log1p(std::exp(-std::abs(t)));
        CHECK(std::abs(static_cast<double>(values[i]) - loss) < 1e-6 * (1 + std::abs(t)));
    }
}

TEST_CASE("raw scores are the start and the sums in their unit") {
    std::vector<std::int32_t> sums(n);
    for (std::size_t i = 0; i < n; ++i) sums[i] = static_cast<std::int32_t>(i * i) - 500000;
    auto const out = at_every_level([&](auto const& k) {
        std::vector<float> raw(n);
        k.raw_scores(sums.data(), n, 0.25f, 0x1p-10f, raw.data());
        return raw;
    });
    for (std::size_t i = 0; i < n; ++i) CHECK(out[i] == doctest::Approx(0.25 + sums[i] / 1024.0).epsilon(1e-6));
}

TEST_CASE("minimal variance sampling keeps rows with the probability of their size, and counts them by one over it") {
    std::size_t const many = 64000;
    auto const gradient = normals(many, 2);
    rs::detail::mvs_rule const rule{1.2f, 0.1f, 0x123456789ABCDEF0u};
    auto const factor = at_every_level([&](auto const& k) {
        std::vector<float> out(many);
        k.mvs_factors(gradient.data(), many, rule, 32, out.data());
        return out;
    });
    double kept = 0, expected = 0, sum = 0;
    for (std::size_t i = 0; i < many; ++i) {
        double const size =
            std::sqrt(static_cast<double>(gradient[i]) * static_cast<double>(gradient[i]) + static_cast<double>(rule.smooth));
        double const p = std::min(1.0, size / static_cast<double>(rule.threshold));
        CHECK((factor[i] == 0 || factor[i] == doctest::Approx(1 / p).epsilon(1e-4)));
        kept += factor[i] > 0, expected += p, sum += static_cast<double>(factor[i]);
    }
    CHECK(std::abs(kept - expected) < 4 * std::sqrt(static_cast<double>(many)) / 2);
    CHECK(sum == doctest::Approx(static_cast<double>(many)).epsilon(0.02));
    // A row's draw follows from its number, wherever the block begins.
    std::vector<float> part(16);
    row_kernels(rs::detail::simd_level::portable).mvs_factors(gradient.data() + 160, 16, rule, 192, part.data());
    CHECK(std::equal(part.begin(), part.end(), factor.begin() + 160));
}

TEST_CASE("sums of sizes under a threshold and of drawn rows are those of plain loops") {
    auto sizes = normals(n, 3);
    for (auto& s : sizes) s = std::abs(s);
    for (float const threshold : {0.f, 0.5f, 100.f}) {
        auto const got = at_every_level([&](auto const& k) {
            auto const s = k.mvs_sums(sizes.data(), n, threshold);
            return std::pair(s.below, s.above);
        });
        double below = 0;
        std::int64_t above = 0;
        for (auto const s : sizes) {
            if (s < threshold) below += static_cast<double>(s);
            else ++above;
        }
        CHECK(got.first == doctest::Approx(below).epsilon(1e-5));
        CHECK(got.second == above);
    }
    auto const gradient = normals(n, 4), weight = normals(n, 5);
    auto factor = normals(n, 6);
    for (auto& f : factor) f = std::max(f, 0.f);
    for (float const* w : {static_cast<float const*>(nullptr), weight.data()}) {
        auto const got = at_every_level([&](auto const& k) {
            rs::detail::drawn_sums s;
            k.sum_drawn(gradient.data(), w, factor.data(), n, s);
            return std::vector<double>{static_cast<double>(s.rows), s.gradients, s.weights, static_cast<double>(s.gradient),
                                       static_cast<double>(s.weight)};
        });
        std::vector<double> plain(5, 0.0);
        for (std::size_t i = 0; i < n; ++i) {
            double const g = std::abs(static_cast<double>(gradient[i] * factor[i]));
            double const of = static_cast<double>(w ? w[i] * factor[i] : factor[i]);
            plain[0] += factor[i] > 0, plain[1] += g, plain[2] += of, plain[3] = std::max(plain[3], g), plain[4] = std::max(plain[4], of);
        }
        for (std::size_t k = 0; k < 5; ++k) CHECK(got[k] == doctest::Approx(plain[k]).epsilon(1e-5));
    }
}

TEST_CASE("records' weights and gradients are rounded to the nearest unit") {
    auto const gradient = normals(n, 7);
    std::vector<float> weight(n), factor(n);
    for (std::size_t i = 0; i < n; ++i)
        weight[i] = static_cast<float>(i % 7), factor[i] = i % 5 == 0 ? 0.f : 1.f + static_cast<float>(i % 3);
    for (float const* w : {static_cast<float const*>(nullptr), static_cast<float const*>(weight.data())}) {
        auto const parts = at_every_level([&](auto const& k) {
            std::vector<std::uint32_t> out(n);
            k.quantize(gradient.data(), w, factor.data(), n, 1000.f, 300.f, out.data());
            return out;
        });
        for (std::size_t i = 0; i < n; ++i) {
            double const g = static_cast<double>(gradient[i] * factor[i]) * 1000,
                         of = static_cast<double>(w ? w[i] * factor[i] : factor[i]) * 300;
            CHECK(std::abs(static_cast<std::int16_t>(parts[i] >> 16) - g) < 0.502);
            CHECK(std::abs(static_cast<std::uint16_t>(parts[i] & 0xFFFF) - of) < 0.502);
        }
    }
}

TEST_CASE("running sums and the scores of thresholds are those of the formulas") {
    rs::random_stream random(8);
    std::vector<std::int64_t> bins(256);
    for (auto& b : bins)
        b = rs::detail::pack_sum(static_cast<std::int64_t>(random.below(100000)) - 50000, static_cast<std::int64_t>(random.below(60000)));
    auto const left = at_every_level([&](auto const& k) {
        std::vector<float> out(513);
        auto const all = k.running_sums(bins.data(), 256, 0.5f, 0.25f, out.data(), out.data() + 256);
        out[512] = static_cast<float>(rs::detail::gradient_of(all));
        return out;
    });
    double g = 0, w = 0;
    for (std::size_t b = 0; b < 256; ++b) {
        g += rs::detail::gradient_of(bins[b]), w += rs::detail::weight_of(bins[b]);
        CHECK(left[b] == doctest::Approx(g * 0.5));
        CHECK(left[256 + b] == doctest::Approx(w * 0.25));
    }
    CHECK(left[512] == doctest::Approx(g));
    auto const scores = at_every_level([&](auto const& k) {
        std::vector<float> out(512, 1.f);
        k.add_leaf_scores(left.data(), left.data() + 256, left[255], left[511], 256, 3.f, out.data(), out.data() + 256);
        return out;
    });
    for (std::size_t b = 0; b < 256; ++b) {
        double const gl = static_cast<double>(left[b]), wl = static_cast<double>(left[256 + b]), gr = static_cast<double>(left[255]) - gl,
                     wr = static_cast<double>(left[511]) - wl;
        CHECK(scores[b] == doctest::Approx(1 + gl * gl / (wl + 3) + gr * gr / (wr + 3)).epsilon(1e-4));
        CHECK(scores[256 + b] ==
              doctest::Approx(1 + gl * gl / (wl + 3) / (wl + 3) * wl + gr * gr / (wr + 3) / (wr + 3) * wr).epsilon(1e-4));
    }
}
