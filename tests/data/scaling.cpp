// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "support/fixtures/statistics.hpp"

namespace rs = recsys;
using doctest::Approx;

TEST_CASE("min-max scaling is that of scikit-learn") {
    auto const scaler = rs::min_max_scaler::fit(statistics_fixture::values, -1, 2);
    for (std::size_t i = 0; i < std::size(statistics_fixture::scaled); ++i) {
        CHECK(scaler(statistics_fixture::values[i]) == Approx(statistics_fixture::scaled[i]).epsilon(1e-12));
        CHECK(scaler.inverse(scaler(statistics_fixture::values[i])) == Approx(statistics_fixture::values[i]).epsilon(1e-12));
    }
}

TEST_CASE("equal numbers become the low end, NaN stays NaN and is skipped, others may leave the range") {
    auto const flat = rs::min_max_scaler::fit(std::vector{7, 7, 7});
    CHECK(flat(7) == 0);
    CHECK(flat.transform(std::vector{7, 8}) == std::vector<double>{0, 1});
    auto const nan = std::nan("");
    auto const scaler = rs::min_max_scaler::fit(std::vector{1., nan, 3.});
    CHECK(scaler(2) == 0.5);
    CHECK(scaler(5) == 2);
    CHECK(std::isnan(scaler(nan)));
}

TEST_CASE("no numbers, infinity and an empty target range are errors that say so") {
    CHECK_THROWS_AS(static_cast<void>(rs::min_max_scaler::fit(std::vector<double>{})), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::min_max_scaler::fit(std::vector{std::nan("")})), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::min_max_scaler::fit(std::vector{1., std::numeric_limits<double>::infinity()})),
                         "min_max_scaler: the value of row 1 is infinite", rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::min_max_scaler::fit(std::vector{1.}, 2, 2)), rs::option_error);
}

TEST_CASE("a scaler comes back from a file as it was") {
    auto const scaler = rs::min_max_scaler::fit(statistics_fixture::values, -1, 2);
    rs::save("scaling_test.rsm", scaler);
    auto const again = rs::load<rs::min_max_scaler>("scaling_test.rsm");
    std::remove("scaling_test.rsm");
    for (double const x : statistics_fixture::values) CHECK(again(x) == scaler(x));
}
