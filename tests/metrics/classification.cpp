// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <limits>
#include <list>
#include <vector>

#include "support/fixtures/metrics.hpp"

namespace rs = recsys;
using doctest::Approx;

TEST_CASE("AUC, log loss and the root mean squared error are those of scikit-learn") {
    std::vector<double> scores;
    for (int const s : metrics_fixture::hundredths) scores.push_back(s / 100.);
    CHECK(rs::auc(scores, metrics_fixture::labels) == Approx(metrics_fixture::sklearn[0].value).epsilon(1e-12));
    CHECK(rs::mean_log_loss(scores, metrics_fixture::labels) == Approx(metrics_fixture::sklearn[1].value).epsilon(1e-12));
    CHECK(rs::root_mean_squared_error(scores, metrics_fixture::labels) == Approx(metrics_fixture::sklearn[2].value).epsilon(1e-12));
}

TEST_CASE("AUC is the share of pairs in the right order, ties one half") {
    CHECK(rs::auc(std::vector{1, 2, 2, 3}, std::vector{0, 0, 1, 1}) == 0.875);
    CHECK(rs::auc(std::list<float>{3, 1}, std::vector<bool>{false, true}) == 0);
    CHECK(std::isnan(rs::auc(std::vector{1, 2}, std::vector{1, 1})));
    CHECK_THROWS_AS(rs::auc(std::vector{1.}, std::vector{1, 0}), rs::data_error);
    CHECK_THROWS_AS(rs::auc(std::vector{std::nan(""), 1.}, std::vector{1, 0}), rs::data_error);
}

TEST_CASE("AUC is that of counting all pairs") {
    rs::random_stream random(21, 0);
    for (int round = 0; round < 200; ++round) {
        std::vector<int> scores, labels;
        for (auto n = 1 + random.below(40); n > 0; --n)
            scores.push_back(static_cast<int>(random.below(8))), labels.push_back(static_cast<int>(random.below(2)));
        double right = 0, pairs = 0;
        for (std::size_t i = 0; i < scores.size(); ++i)
            for (std::size_t j = 0; j < scores.size(); ++j)
                if (labels[i] > labels[j]) pairs += 1, right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
        if (pairs > 0) CHECK(rs::auc(scores, labels) == Approx(right / pairs));
        else CHECK(std::isnan(rs::auc(scores, labels)));
    }
}

TEST_CASE("metrics of rows take iterators, also of two kinds") {
    std::list<float> const scores{0.25f, 0.5f};
    std::vector<bool> const labels{false, true};
    CHECK(rs::auc(scores.begin(), scores.end(), labels.begin(), labels.end()) == 1);
    CHECK(rs::mean_log_loss(scores.begin(), scores.end(), labels.begin(), labels.end()) == Approx((std::log(2.) - std::log(0.75)) / 2));
    CHECK(rs::root_mean_squared_error(scores.begin(), scores.end(), labels.begin(), labels.end()) ==
          Approx(std::sqrt((0.0625 + 0.25) / 2)));
    CHECK_THROWS_AS(rs::root_mean_squared_error(scores.begin(), scores.end(), labels.begin(), labels.begin()), rs::data_error);
    CHECK_THROWS_AS(rs::root_mean_squared_error(scores.begin(), scores.begin(), labels.begin(), labels.end()), rs::data_error);
}

TEST_CASE("c62 AUC of equal scores is one half, whatever the order of the labels") {
    CHECK(rs::auc(std::vector{0, 0, 0}, std::vector{0, 0, 1}) == 0.5);
    CHECK(rs::auc(std::vector{0, 0, 0}, std::vector{1, 0, 0}) == 0.5);
}

TEST_CASE("c63 the smallest difference of scores is one") {
    std::vector const labels{1, 0, 0};
    CHECK(rs::auc(std::vector{1e-10, 0., 0.}, labels) == 1);
    CHECK(rs::auc(std::vector{1e10, 0., 0.}, labels) == 1);
    CHECK(rs::auc(std::vector{1e-300, 0., 0.}, labels) == 1);
}

TEST_CASE("c64 AUC of many rows does not overflow") {
    std::vector<int> labels(100000), equal(100000), perfect(100000);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = i < 50000, perfect[i] = i < 50000 ? 2 : 1;
    CHECK(rs::auc(equal, labels) == 0.5);
    CHECK(rs::auc(perfect, labels) == 1);
}

TEST_CASE("log loss by hand, and what it refuses") {
    CHECK(rs::mean_log_loss(std::vector{0.5, 0.25}, std::vector{1, 0}) == Approx((std::log(2.) - std::log(0.75)) / 2));
    CHECK(rs::mean_log_loss(std::vector{1., 0.}, std::vector{1, 0}) == 0);
    CHECK(std::isinf(rs::mean_log_loss(std::vector{0.}, std::vector{1})));
    CHECK_THROWS_AS(rs::mean_log_loss(std::vector{1.5}, std::vector{1}), rs::data_error);
    CHECK_THROWS_AS(rs::mean_log_loss(std::vector<double>{}, std::vector<int>{}), rs::data_error);
}

TEST_CASE("the root mean squared error by hand, and what it refuses") {
    CHECK(rs::root_mean_squared_error(std::vector{1, 2}, std::vector{1., 4.}) == Approx(std::sqrt(2.)));
    CHECK_THROWS_AS(rs::root_mean_squared_error(std::vector{1, 2}, std::vector{1}), rs::data_error);
    CHECK_THROWS_AS(rs::root_mean_squared_error(std::vector{std::numeric_limits<double>::infinity()}, std::vector{1}), rs::data_error);
}
