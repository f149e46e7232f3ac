// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace {

double auc(std::vector<double> const& scores, std::vector<int> const& labels, std::vector<float> const& weights = {}) {
    return recsys::detail::area_under_curve(std::span<double const>(scores), std::span<int const>(labels), std::span<float const>(weights));
}

double brute_auc(std::vector<double> const& s, std::vector<int> const& y) {
    double good = 0, pairs = 0;
    for (std::size_t i = 0; i < s.size(); ++i)
        for (std::size_t j = 0; j < s.size(); ++j)
            if (y[i] == 1 && y[j] == 0) pairs += 1, good += s[i] > s[j] ? 1.0 : s[i] == s[j] ? 0.5 : 0.0;
    return good / pairs;
}

}

TEST_CASE("AUC is the share of ordered pairs") {
    recsys::random_stream random(1);
    for (int round = 0; round < 20; ++round) {
        std::vector<double> s(60);
        std::vector<int> y(60);
        for (std::size_t i = 0; i < s.size(); ++i) s[i] = static_cast<double>(random.below(8)), y[i] = static_cast<int>(random.below(2));
        y[0] = 0, y[1] = 1;
        CHECK(auc(s, y) == doctest::Approx(brute_auc(s, y)).epsilon(1e-12));
    }
    CHECK(std::isnan(auc({1, 2}, {1, 1})));
    CHECK_THROWS_AS(auc({1, std::nan("")}, {0, 1}), recsys::data_error);
    CHECK_THROWS_AS(auc({1}, {0, 1}), recsys::data_error);
}

TEST_CASE("c63 scores that differ by a tiny amount are not ties") {
    for (double const x : {1e-10, 1e10, 1e-300}) CHECK(auc({x, 0, 0}, {1, 0, 0}) == 1.0);
}

TEST_CASE("c64 AUC of a large sample does not overflow") {
    std::vector<double> equal(100000, 1.0), perfect(100000);
    std::vector<int> labels(100000);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = i < 50000, perfect[i] = i < 50000 ? 1.0 : 0.0;
    CHECK(auc(equal, labels) == 0.5);
    CHECK(auc(perfect, labels) == 1.0);
}

TEST_CASE("a weight of two counts as two rows in AUC") {
    CHECK(auc({3, 2, 1, 2.5}, {1, 1, 0, 0}, {1, 2, 1, 1}) == doctest::Approx(auc({3, 2, 2, 1, 2.5}, {1, 1, 1, 0, 0})).epsilon(1e-12));
}

TEST_CASE("c45 log loss of a huge score is that score") {
    CHECK(recsys::detail::log_loss_of(-1000, 1) == 1000);
    CHECK(recsys::detail::log_loss_of(1000, 0) == 1000);
    CHECK(recsys::detail::log_loss_of(1000, 1) == 0);
    CHECK(recsys::detail::log_loss_of(0, 1) == doctest::Approx(std::log(2.0)));
    CHECK(recsys::detail::rank_discount(0) == 1);
    CHECK(recsys::detail::rank_discount(2) == 0.5);
}
