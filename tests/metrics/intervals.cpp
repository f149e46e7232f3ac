// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <vector>

namespace rs = recsys;
using doctest::Approx;

namespace {

std::vector<double> normals(std::uint64_t seed, std::size_t n, double mean) {
    rs::random_stream random(seed, 0);
    std::vector<double> out;
    for (std::size_t i = 0; i < n; ++i) out.push_back(mean + random.normal());
    return out;
}

}

TEST_CASE("quantiles of sorted values are linear between neighbours") {
    std::vector<double> const v{1, 2, 4};
    CHECK(rs::detail::sorted_quantile(v, 0) == 1);
    CHECK(rs::detail::sorted_quantile(v, 0.25) == 1.5);
    CHECK(rs::detail::sorted_quantile(v, 0.75) == 3);
    CHECK(rs::detail::sorted_quantile(v, 1) == 4);
}

TEST_CASE("the interval of a mean has the width of the normal theory") {
    auto const values = normals(1, 400, 3);
    double mean = 0, squares = 0;
    for (double const v : values) mean += v / 400;
    for (double const v : values) squares += (v - mean) * (v - mean) / 400;
    auto const e = rs::bootstrap_mean(values, {.resamples = 4000});
    CHECK(e.mean == Approx(mean));
    CHECK(e.low == Approx(mean - 1.96 * std::sqrt(squares / 400)).epsilon(0.01));
    CHECK(e.high == Approx(mean + 1.96 * std::sqrt(squares / 400)).epsilon(0.01));
    CHECK(e.excludes_zero());
}

TEST_CASE("a 95% interval holds the true mean in about 95% of samples") {
    int holds = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        auto const e = rs::bootstrap_mean(normals(100 + seed, 60, 0), {.resamples = 300, .seed = seed});
        holds += e.low <= 0 && 0 <= e.high;
    }
    CHECK(holds > 270);
    CHECK(holds < 298);
}

TEST_CASE("a difference is paired: what both share does not widen it") {
    auto const shared = normals(5, 200, 0);
    std::vector<double> better;
    for (double const v : shared) better.push_back(v + 0.01);
    auto const d = rs::bootstrap_difference(better, shared);
    CHECK(d.mean == Approx(0.01));
    CHECK(d.high - d.low < 1e-9);
    auto const same = rs::bootstrap_difference(shared, shared);
    CHECK(same.low == 0);
    CHECK(same.high == 0);
    CHECK_FALSE(same.excludes_zero());
}

TEST_CASE("intervals are the same for any number of threads, and differ with the seed") {
    auto const values = normals(2, 100, 1);
    auto const one = rs::bootstrap_mean(values, {.run = {.threads = 1}});
    for (std::size_t const threads : {2u, 7u}) {
        auto const many = rs::bootstrap_mean(values, {.run = {.threads = threads}});
        CHECK(many.low == one.low);
        CHECK(many.high == one.high);
    }
    CHECK(rs::bootstrap_mean(values, {.seed = 1}).low != one.low);
}

TEST_CASE("no resamples is no interval; wrong options and values are errors") {
    auto const none = rs::bootstrap_mean(std::vector{1., 2.}, {.resamples = 0});
    CHECK(none.mean == 1.5);
    CHECK(std::isnan(none.low));
    CHECK_THROWS_AS(rs::bootstrap_mean(std::vector{1.}, {.confidence = 1}), rs::option_error);
    CHECK_THROWS_WITH_AS(rs::bootstrap_mean(std::vector{1.}, {.resamples = 1000001}),
                         "bootstrap_mean: resamples must be at most 1000000, got 1000001", rs::option_error);
    CHECK_THROWS_AS(rs::bootstrap_mean(std::vector<double>{}), rs::data_error);
    CHECK_THROWS_WITH_AS(rs::bootstrap_mean(std::vector{1., std::nan("")}), doctest::Contains("value 1 is"), rs::data_error);
    CHECK_THROWS_AS(rs::bootstrap_difference(std::vector{1.}, std::vector{1., 2.}), rs::data_error);
}
