// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <limits>

namespace rs = recsys;

TEST_CASE("als options have the documented defaults") {
    rs::als_options const o;
    CHECK(o.factors == 64);
    CHECK(o.regularization == 0.01);
    CHECK(o.frequency_power == 0);
    CHECK(o.alpha == 1);
    CHECK(o.confidence == rs::confidence_form::linear);
    CHECK(o.epsilon == 1);
    CHECK_FALSE(o.confidence_shape);
    CHECK(o.unobserved_weight == 1);
    CHECK(o.iterations == 15);
    CHECK(o.solver == rs::als_solver::exact);
    CHECK(o.cg_steps == 3);
    CHECK(o.relaxation == 1.5);
    CHECK(o.tolerance == 0);
    CHECK(o.seed == 0);
}

TEST_CASE("an option outside its range is an error that names it, the range and the value") {
    double const nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    auto const wrong = [](rs::als_options const& o, char const* message) {
        CHECK_THROWS_WITH_AS(rs::als{o}, message, rs::option_error);
        CHECK_THROWS_WITH_AS(rs::basic_als<double>{o}, message, rs::option_error);
    };
    wrong({.factors = 0}, "als: factors must be in [1, 4096], got 0");
    wrong({.factors = 4097}, "als: factors must be in [1, 4096], got 4097");
    wrong({.regularization = -0.5}, "als: regularization must be a finite number from 0, got -0.5");
    wrong({.regularization = nan}, "als: regularization must be a finite number from 0, got nan");
    wrong({.alpha = -1}, "als: alpha must be a finite number from 0, got -1");
    wrong({.alpha = infinity}, "als: alpha must be a finite number from 0, got inf");
    wrong({.frequency_power = 1.5}, "als: frequency_power must be in [0, 1], got 1.5");
    wrong({.frequency_power = nan}, "als: frequency_power must be in [0, 1], got nan");
    wrong({.epsilon = 0}, "als: epsilon must be a finite number above 0, got 0");
    wrong({.unobserved_weight = 1.25}, "als: unobserved_weight must be in [0, 1], got 1.25");
    wrong({.unobserved_weight = -0.5}, "als: unobserved_weight must be in [0, 1], got -0.5");
    wrong({.confidence = static_cast<rs::confidence_form>(7)}, "als: confidence must be linear or log, got 7");
    wrong({.confidence = rs::confidence_form::log, .confidence_shape = [](double x) { return x; }},
          "als: confidence must be left as it is where confidence_shape says what it is, got log");
    wrong({.iterations = 0}, "als: iterations must be at least 1, got 0");
    wrong({.solver = rs::als_solver::cg, .cg_steps = 0}, "als: cg_steps must be at least 1, got 0");
    wrong({.relaxation = 0.5}, "als: relaxation must be in [1, 2), got 0.5");
    wrong({.relaxation = 2}, "als: relaxation must be in [1, 2), got 2");
    wrong({.relaxation = nan}, "als: relaxation must be in [1, 2), got nan");
    wrong({.tolerance = 1}, "als: tolerance must be in [0, 1), got 1");
    wrong({.tolerance = -0.1}, "als: tolerance must be in [0, 1), got -0.1");
    CHECK_THROWS_WITH_AS(wrong({.factors = -3}, ""), "a count must not be negative, got -3", rs::option_error);
    CHECK_NOTHROW(rs::als({.factors = 4096, .regularization = 0, .alpha = 0, .tolerance = 0.5}));
}
