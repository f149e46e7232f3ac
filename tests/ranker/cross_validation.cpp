// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace rs = recsys;
using doctest::Approx;

namespace {

struct row {
    float x = 0, target = 0;
    int query = 0;
};
auto schema() { return rs::rows<row>().number("x", &row::x).number("query", &row::query).target(&row::target).group(&row::query); }

std::vector<row> queries(std::size_t n_groups, std::uint64_t seed) {
    rs::random_stream random(seed);
    std::vector<row> out;
    for (std::size_t q = 0; q < n_groups; ++q)
        for (std::size_t i = 0, n = 1 + random.below(12); i < n; ++i) {
            auto const x = static_cast<float>(random.uniform());
            out.push_back({x, random.uniform() < 0.1 + 0.8 * static_cast<double>(x) ? 1.f : 0.f, static_cast<int>(q)});
        }
    return out;
}

}

TEST_CASE("each group is held out once, whole, in folds of nearly equal numbers") {
    auto const rows = queries(23, 1);
    auto const frame = rs::ingest(rows, schema());
    std::map<float, std::size_t> held_out;
    for (std::size_t fold = 0; fold < 5; ++fold) {
        auto const [train, valid] = rs::group_fold(frame, fold, 5, 7);
        CHECK(train.n_rows() + valid.n_rows() == rows.size());
        CHECK((valid.n_groups() == 4 || valid.n_groups() == 5));
        std::set<float> left, right;
        for (std::size_t r = 0; r < train.n_rows(); ++r) left.insert(train.value(r, "query"));
        for (std::size_t r = 0; r < valid.n_rows(); ++r) right.insert(valid.value(r, "query"));
        for (float const q : right) {
            CHECK(left.count(q) == 0);
            ++held_out[q];
        }
        CHECK(rs::group_fold(frame, fold, 5, 7).valid.n_rows() == valid.n_rows());
    }
    CHECK(held_out.size() == 23);
    for (auto const& [query, times] : held_out) CHECK(times == 1);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::group_fold(frame, 0, 1)), doctest::Contains("folds must be in [2, 23]"), rs::option_error);
    CHECK_THROWS_AS(static_cast<void>(rs::group_fold(frame, 0, 24)), rs::option_error);
    CHECK_THROWS_AS(static_cast<void>(rs::group_fold(frame, 5, 5)), rs::option_error);
}

TEST_CASE("cross-validation is the mean of fits on the folds") {
    auto const frame = rs::ingest(queries(120, 2), schema());
    rs::booster_options options{.trees = 60, .learning_rate = 0.3, .depth = 4, .early_stopping_rounds = 5};
    auto const seen = rs::cross_validate(rs::booster(options), frame, {.folds = 4, .seed = 3});
    REQUIRE(seen.folds.size() == 4);
    REQUIRE(seen.mean.size() == 60);
    double sum = 0, squares = 0;
    for (std::size_t fold = 0; fold < 4; ++fold) {
        auto alone = options;
        alone.early_stopping_rounds = 0;
        auto const [train, valid] = rs::group_fold(frame, fold, 4, 3);
        auto const model = rs::booster(alone).fit(train, valid);
        CHECK(model.report().valid_loss == seen.folds[fold].valid_loss);
        sum += model.report().valid_loss[9] / 4;
    }
    for (auto const& r : seen.folds) squares += std::pow(r.valid_loss[9] - sum, 2);
    CHECK(seen.mean[9] == Approx(sum));
    CHECK(seen.standard_error[9] == Approx(std::sqrt(squares / 3 / 4)));
    CHECK(static_cast<std::size_t>(std::min_element(seen.mean.begin(), seen.mean.end()) - seen.mean.begin()) == seen.best);
    CHECK(seen.best_trees() < 60);

    options.loss = rs::query_rmse{}, options.metric = rs::valid_ndcg{.k = 5};
    auto const ranked = rs::cross_validate(rs::booster(options), frame, {.folds = 3});
    CHECK(static_cast<std::size_t>(std::max_element(ranked.mean.begin(), ranked.mean.end()) - ranked.mean.begin()) == ranked.best);
    CHECK(ranked.mean[*ranked.best] > 0.7);
}

TEST_CASE("more folds than groups, and metrics that are never a number") {
    auto const frame = rs::ingest(queries(3, 4), schema());
    CHECK_THROWS_AS(static_cast<void>(rs::cross_validate(rs::booster(), frame)), rs::option_error);
    CHECK_THROWS_AS(static_cast<void>(rs::cross_validate(rs::booster(), frame, {.folds = 0})), rs::option_error);
}
