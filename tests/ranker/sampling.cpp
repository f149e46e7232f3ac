// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace rs = recsys;
using doctest::Approx;

namespace {

/// The factors of n rows.
std::vector<float> factors(rs::row_sampling how, double share, double temperature, std::size_t n, std::uint64_t key) {
    rs::random_stream random(1);
    std::vector<float> gradients;
    for (std::size_t i = 0; i < n; ++i) gradients.push_back(static_cast<float>(random.normal()));
    rs::detail::row_sampler const sampler(how, share, temperature, key, gradients);
    std::vector<float> out(n);
    sampler.factors(0, n, gradients.data(), out.data());
    return out;
}

}

TEST_CASE("a Bayesian bootstrap has exponential weights, a Bernoulli one a share of the rows") {
    std::size_t const n = 1 << 16;
    for (double const temperature : {0.0, 0.5, 1.0, 2.0}) {
        double mean = 0, squares = 0;
        for (float const f : factors(rs::row_sampling::bayesian, 0.8, temperature, n, 7)) {
            REQUIRE(f > 0);
            mean += static_cast<double>(f) / n, squares += static_cast<double>(f) * static_cast<double>(f) / n;
        }
        // Moments of E^t for exponential E are gamma functions.
        CHECK(mean == Approx(std::tgamma(1 + temperature)).epsilon(0.03));
        CHECK(squares == Approx(std::tgamma(1 + 2 * temperature)).epsilon(0.15));
    }
    double kept = 0;
    for (float const f : factors(rs::row_sampling::bernoulli, 0.3, 1, n, 7)) {
        REQUIRE((f == 0 || f == 1));
        kept += static_cast<double>(f) / n;
    }
    CHECK(kept == Approx(0.3).epsilon(0.03));
    kept = 0;
    for (float const f : factors(rs::row_sampling::mvs, 0.3, 1, n, 7)) kept += f > 0 ? 1.0 / n : 0;
    CHECK(kept == Approx(0.3).epsilon(0.03));
}

TEST_CASE("another tree draws other weights, the same tree the same") {
    CHECK(factors(rs::row_sampling::bayesian, 1, 1, 160, 7) == factors(rs::row_sampling::bayesian, 1, 1, 160, 7));
    CHECK(factors(rs::row_sampling::bayesian, 1, 1, 160, 7) != factors(rs::row_sampling::bayesian, 1, 1, 160, 8));
}

TEST_CASE("boosting with each kind of sampling learns, the same for 1, 2 and 7 threads") {
    struct row {
        float x, target;
    };
    rs::random_stream random(3);
    std::vector<row> rows;
    for (int i = 0; i < 20000; ++i) {
        auto const x = static_cast<float>(random.uniform());
        rows.push_back({x, random.uniform() < static_cast<double>(x) ? 1.f : 0.f});
    }
    auto const frame = rs::ingest(rows, rs::rows<row>().number("x", &row::x).target(&row::target));
    for (auto const sampling : {rs::row_sampling::mvs, rs::row_sampling::bernoulli, rs::row_sampling::bayesian}) {
        rs::booster_options options{
            .trees = 30, .learning_rate = 0.2, .depth = 3, .sampling = sampling, .row_share = 0.5, .bagging_temperature = 0.7};
        auto const fit = [&](std::size_t threads) {
            options.run.threads = threads;
            return rs::booster(options).fit(frame).predict(frame);
        };
        auto const one = fit(1);
        CHECK(fit(2) == one);
        CHECK(fit(7) == one);
        double error = 0;
        for (std::size_t i = 0; i < rows.size(); ++i) error += std::abs(one[i] - rows[i].x) / 20000.0;
        CHECK(error < 0.03);
    }
    CHECK_THROWS_AS(rs::booster({.bagging_temperature = -1}), rs::option_error);
    CHECK_THROWS_AS(rs::booster({.random_strength = NAN}), rs::option_error);
    CHECK_THROWS_AS(rs::booster({.min_leaf_weight = -1}), rs::option_error);
}
