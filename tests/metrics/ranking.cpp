// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/fixtures/metrics.hpp"

namespace rs = recsys;
using ids = std::vector<int>;
using doctest::Approx;

namespace {

/// The definitions, place by place.
struct brute {
    double hits = 0, gain = 0, ideal = 0, precisions = 0, first = 0;
    brute(ids const& shown, std::set<int> const& relevant, std::size_t k) {
        std::set<int> had;
        for (std::size_t place = 0; place < std::min(k, shown.size()); ++place) {
            if (!relevant.count(shown[place]) || !had.insert(shown[place]).second) continue;
            hits += 1, gain += 1 / std::log2(static_cast<double>(place) + 2), precisions += hits / static_cast<double>(place + 1);
            if (first == 0) first = 1 / static_cast<double>(place + 1);
        }
        for (std::size_t place = 0; place < std::min(k, relevant.size()); ++place) ideal += 1 / std::log2(static_cast<double>(place) + 2);
    }
};

ids part(int const* values, int const* ends, int user) {
    int const first = user == 0 ? 0 : ends[user - 1];
    return ids(values + first, values + ends[user]);
}

template <class Metric> double mean_of_fixture(Metric const& metric) {
    using namespace metrics_fixture;
    double sum = 0;
    for (int u = 0; u < n_users; ++u) sum += metric(part(shown, shown_ends, u), part(relevant, relevant_ends, u));
    return sum / n_users;
}

template <std::size_t N> void compare(metrics_fixture::figure const (&peer)[N], std::size_t k) {
    auto const ours = [&](std::string const& name) {
        if (name.rfind("precision", 0) == 0) return mean_of_fixture(rs::precision(k));
        if (name.rfind("recall", 0) == 0) return mean_of_fixture(rs::recall(k));
        if (name.rfind("ndcg", 0) == 0) return mean_of_fixture(rs::ndcg(k));
        if (name.rfind("map", 0) == 0) return mean_of_fixture(rs::average_precision(k));
        if (name.rfind("mrr", 0) == 0) return mean_of_fixture(rs::reciprocal_rank(k));
        return mean_of_fixture(rs::hit_rate(k));
    };
    for (std::size_t i = 0; i < 6; ++i) {
        INFO(peer[i].metric);
        CHECK(ours(peer[i].metric) == Approx(peer[i].value).epsilon(1e-12));
    }
}

}

TEST_CASE("the metrics are those of ranx and of RecTools") {
    compare(metrics_fixture::ranx_5, 5);
    compare(metrics_fixture::rectools_5, 5);
    compare(metrics_fixture::ranx_10, 10);
    compare(metrics_fixture::rectools_10, 10);
}

TEST_CASE("the metrics are those of the definitions, also with repeated and short lists, and stay in [0, 1]") {
    rs::random_stream random(11, 0);
    for (int round = 0; round < 500; ++round) {
        auto const k = 1 + static_cast<std::size_t>(random.below(8));
        ids shown, relevant;
        for (auto n = random.below(12); n > 0; --n) shown.push_back(static_cast<int>(random.below(15)));
        for (auto n = 1 + random.below(12); n > 0; --n) relevant.push_back(static_cast<int>(random.below(15)));
        std::set<int> const truth(relevant.begin(), relevant.end());
        brute const b(shown, truth, k);
        auto const n = static_cast<double>(truth.size()), limit = static_cast<double>(k);
        CHECK(rs::precision(k)(shown, relevant) == Approx(b.hits / limit));
        CHECK(rs::recall(k)(shown, relevant) == Approx(b.hits / n));
        CHECK(rs::ndcg(k)(shown, relevant) == Approx(b.gain / b.ideal));
        CHECK(rs::average_precision(k)(shown, relevant) == Approx(b.precisions / n));
        CHECK(rs::average_precision_min(k)(shown, relevant) == Approx(b.precisions / std::min(n, limit)));
        CHECK(rs::reciprocal_rank(k)(shown, relevant) == Approx(b.first));
        CHECK(rs::hit_rate(k)(shown, relevant) == (b.hits > 0 ? 1 : 0));
        CHECK(rs::ndcg(k)(shown, relevant) <= 1 + 1e-12);
        CHECK(rs::ndcg(k)(truth, relevant) == Approx(1));
    }
}

TEST_CASE("any ranges and iterators of ids that compare will do") {
    std::list<std::string> const shown{"x", "a", "y"};
    std::vector<char const*> const liked{"a", "b"};
    CHECK(rs::recall(3)(shown, liked) == 0.5);
    std::set<long> const longs{1, 9};
    CHECK(rs::precision(3)(ids{3, 1, 2}, longs) == Approx(1. / 3));
    ids const list{3, 1, 2};
    CHECK(rs::precision(3)(list.begin(), list.end(), longs.begin(), longs.end()) == Approx(1. / 3));
    CHECK(rs::ndcg(3)(list.begin(), list.end(), longs.end(), longs.end()) == 0);
    CHECK(rs::precision(5).name() == "precision@5");
    CHECK(rs::average_precision(10).name() == "map@10");
    CHECK(rs::reciprocal_rank(1).name() == "mrr@1");
    CHECK(rs::recall(5).name() == "recall@5");
    CHECK(rs::ndcg(5).name() == "ndcg@5");
    CHECK(rs::average_precision_min(5).name() == "map_min@5");
    CHECK(rs::hit_rate(5).name() == "hit_rate@5");
}

TEST_CASE("ids of a type without an order, and text by its characters wherever it lies") {
    struct uuid {
        int high, low;
        bool operator==(uuid const&) const = default;
    };
    std::vector<uuid> const shown{{1, 2}, {3, 4}, {1, 2}}, liked{{1, 2}, {1, 2}, {5, 6}};
    CHECK(rs::precision(3)(shown, liked) == Approx(1. / 3));
    CHECK(rs::recall(3)(shown, liked) == 0.5);
    // The same text at other addresses: literals may be merged, arrays are not.
    char const one[] = "one", again[] = "one";
    char writable[] = "one";
    CHECK(rs::recall(1)(std::vector<char const*>{one}, std::vector<char const*>{again}) == 1);
    CHECK(rs::recall(1)(std::vector<char const*>{one, again}, std::vector<char*>{writable}) == 1);
    CHECK(rs::recall(1)(std::vector<std::string_view>{"one"}, std::vector<char const*>{again}) == 1);
    CHECK(rs::recall(1)(std::vector<char const*>{one}, std::set<std::string>{"one"}) == 1);
}

TEST_CASE("an empty list and an empty truth give 0 in every metric") {
    auto const none = [](auto const& metric) {
        CHECK(metric(ids{}, ids{1}) == 0);
        CHECK(metric(ids{1}, ids{}) == 0);
        CHECK(metric(ids{}, ids{}) == 0);
    };
    none(rs::precision(5)), none(rs::recall(5)), none(rs::ndcg(5)), none(rs::average_precision(5));
    none(rs::average_precision_min(5)), none(rs::reciprocal_rank(5)), none(rs::hit_rate(5));
}

TEST_CASE("ids of two integer types compare by value, in the order of their values") {
    std::vector<unsigned> const shown{4294967295u, 2147483648u, 7u};
    CHECK(rs::recall(3)(shown, ids{-1, -2147483647 - 1, 7, 0}) == 0.25);
    CHECK(rs::recall(3)(ids{-1, 7, -5}, std::vector<unsigned long long>{7u, 18446744073709551615u}) == 0.5);
    CHECK(rs::recall(3)(std::vector<short>{-1, 300}, std::vector<unsigned char>{255, 44}) == 0);
}

TEST_CASE("graded NDCG is that of scikit-learn where no scores are equal") {
    using namespace metrics_fixture;
    std::size_t const ks[] = {3, 5, 12};
    for (std::size_t i = 0; i < 3; ++i) {
        double sum = 0;
        for (int row = 0; row < n_graded; ++row) {
            int const first = row * graded_length;
            sum += rs::graded_ndcg(ks[i])(ids(graded_scores + first, graded_scores + first + graded_length),
                                          ids(graded_gains + first, graded_gains + first + graded_length));
        }
        CHECK(sum / n_graded == Approx(graded[i].value).epsilon(1e-12));
    }
}

TEST_CASE("k of 0 is an error that names the metric") {
    CHECK_THROWS_WITH_AS(rs::precision(0), "precision: k must be at least 1, got 0", rs::option_error);
    CHECK_THROWS_AS(rs::ndcg(0), rs::option_error);
    CHECK_THROWS_AS(rs::recall(-1), rs::option_error);
    CHECK_THROWS_AS(rs::coverage(0), rs::option_error);
    CHECK_THROWS_AS(rs::novelty(0), rs::option_error);
    CHECK_THROWS_AS(rs::novelty_bits(0), rs::option_error);
    CHECK_THROWS_AS(rs::graded_ndcg(0), rs::option_error);
}

TEST_CASE("c56 precision is hits / k, whatever the size of the truth and of the list") {
    CHECK(rs::precision(5)(std::string("awxyz"), std::string("a")) == 0.2);
    CHECK(rs::recall(5)(std::string("awxyz"), std::string("a")) == 1);
    CHECK(rs::precision(5)(std::string("awx"), std::string("a")) == 0.2);
}

TEST_CASE("c57 NDCG cuts the list and the ideal at k") {
    // z 3, x 2, y 1, the list in the order of its scores.
    CHECK(rs::graded_ndcg(2)(ids{3, 2, 1}, std::vector<double>{3, 2, 1}) == Approx(1));
    CHECK(rs::graded_ndcg(2)(ids{2, 3, 1}, std::vector<double>{3, 2, 1}) == Approx(0.913402).epsilon(1e-6));
    CHECK(rs::ndcg(2)(ids{1, 2, 3}, ids{1, 2, 3}) == 1);
    CHECK_THROWS_AS(rs::graded_ndcg(2)(ids{1, 2}, ids{1}), rs::data_error);
    CHECK_THROWS_AS(rs::graded_ndcg(2)(ids{1}, ids{-1}), rs::data_error);
}

TEST_CASE("c58 average precision divides by all that is relevant, its min form by what can be reached") {
    ids const truth{1, 2, 3, 4, 5, 6, 7, 8};
    CHECK(rs::average_precision(3)(ids{1, 2, 3}, truth) == 0.375);
    CHECK(rs::average_precision_min(3)(ids{1, 2, 3}, truth) == 1);
    CHECK(rs::average_precision(3)(std::string("axy"), std::string("ab")) == 0.5);
    CHECK(rs::average_precision_min(3)(std::string("axy"), std::string("ab")) == 0.5);
}

TEST_CASE("c59 the reciprocal rank is that of the first hit, 0 without one within k") {
    CHECK(rs::reciprocal_rank(3)(ids{1, 2, 9}, ids{1, 2}) == 1);
    CHECK(rs::reciprocal_rank(2)(ids{8, 9, 1}, ids{1}) == 0); // its user stays in the mean: tests/metrics/evaluate.cpp
}

TEST_CASE("c60 a truth with repeated rows is a set") {
    CHECK(rs::precision(3)(std::string("abc"), std::string("aaa")) == Approx(1. / 3));
    CHECK(rs::recall(3)(std::string("abc"), std::string("aaa")) == 1);
    CHECK(rs::average_precision(3)(std::string("abc"), std::string("aaa")) == 1);
}

TEST_CASE("c62 equal scores are ranked by row, whatever the labels") {
    ids const scores{0, 0, 0}, gains{0, 0, 1};
    CHECK(rs::graded_ndcg(3)(scores, gains) == Approx(0.5));
    CHECK(metrics_fixture::ties_averaged[0].value == Approx(0.71031).epsilon(1e-5)); // another rule, scikit-learn's
    auto const order = rs::scored_order(scores);
    CHECK(order == std::vector<std::size_t>{0, 1, 2});
    CHECK(rs::reciprocal_rank(3)(order, std::vector<std::size_t>{2}) == Approx(1. / 3));
    CHECK(rs::average_precision(3)(order, std::vector<std::size_t>{2}) == Approx(1. / 3));
    CHECK_THROWS_AS(rs::scored_order(std::vector<double>{0, std::nan("")}), rs::data_error);
}

TEST_CASE("c42 rows of a group need not be neighbours") {
    std::vector<std::string> const groups{"q1", "q2", "q1"};
    CHECK(rs::grouped_ndcg(groups, {3, 2, 1}, {0, 1, 1}, 10) == Approx(0.81546).epsilon(1e-5));
    // Ids, not counts: two groups, 2 and 1.
    CHECK(rs::grouped_ndcg(std::vector<int>{2, 2, 1}, {3, 2, 1}, {0, 1, 1}, 10) == Approx((0.63093 + 1) / 2).epsilon(1e-5));
    CHECK_THROWS_AS(rs::grouped_ndcg(groups, {3, 2}, {0, 1, 1}, 10), rs::data_error);
}

TEST_CASE("c65 short lists hit nothing where nothing is listed, and -1 is not 2^32 - 1") {
    ids const two{3, 5}, truth{0};
    CHECK(rs::precision(4)(two, truth) == 0);
    CHECK(rs::hit_rate(4)(two, truth) == 0);
    CHECK(rs::ndcg(4)(two, truth) == 0);
    CHECK(rs::hit_rate(1)(ids{-1}, std::vector<unsigned>{4294967295u}) == 0);
    CHECK(rs::hit_rate(1)(std::vector<unsigned>{4294967295u}, ids{-1}) == 0);
}
