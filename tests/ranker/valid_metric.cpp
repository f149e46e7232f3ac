// SPDX-License-Identifier: MIT
// What training is stopped by, started from and paced by: metrics on validation rows, baselines, the automatic learning rate.
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <set>
#include <span>
#include <vector>

namespace rs = recsys;
using doctest::Approx;

namespace {

struct row {
    float x = 0, y = 0, target = 0, baseline = 0;
    int query = 0;
};
auto plain() { return rs::rows<row>().number("x", &row::x).number("y", &row::y).target(&row::target).group(&row::query); }
auto with_baseline() { return plain().baseline(&row::baseline); }

std::vector<row> clicks(std::size_t n, std::uint64_t seed) {
    rs::random_stream random(seed);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        row r;
        r.x = static_cast<float>(random.normal()), r.y = static_cast<float>(random.normal()), r.query = static_cast<int>(i / 12);
        r.target = random.uniform() < 1 / (1 + std::exp(-1.5 * static_cast<double>(r.x))) ? 1.f : 0.f;
        out.push_back(r);
    }
    return out;
}

/// NDCG by the metrics room, which gives groups without anything to gain a 0, here left out.
double ndcg_of(rs::booster_model const& model, std::vector<row> const& rows, std::size_t k) {
    std::vector<int> ids;
    std::vector<double> gains;
    for (auto const& r : rows) ids.push_back(r.query), gains.push_back(static_cast<double>(r.target));
    std::set<int> const all(ids.begin(), ids.end());
    std::set<int> counted;
    for (auto const& r : rows)
        if (r.target > 0) counted.insert(r.query);
    return rs::grouped_ndcg(ids, model.predict_raw(rs::ingest(rows, plain())), gains, k) * static_cast<double>(all.size()) /
           static_cast<double>(counted.size());
}

}

TEST_CASE("early stopping by a metric keeps its best prefix, not that of the loss") {
    auto const train = rs::ingest(clicks(1200, 1), plain());
    auto const valid_rows = clicks(1200, 2);
    auto const valid = rs::ingest(valid_rows, plain());
    rs::booster_options options{.trees = 200, .learning_rate = 0.3, .depth = 5, .early_stopping_rounds = 15};
    auto const check = [&](auto const& measure) {
        auto const model = rs::booster(options).fit(train, valid);
        auto const& seen = model.report().valid_metric;
        REQUIRE(model.report().best_iteration.has_value());
        auto const best = *model.report().best_iteration;
        CHECK(static_cast<std::size_t>(std::max_element(seen.begin(), seen.end()) - seen.begin()) == best);
        CHECK(seen.size() == best + 16);
        CHECK(model.report().valid_loss.size() == seen.size());
        CHECK(model.n_trees() == best + 1);
        CHECK(measure(model) == Approx(seen[best]).epsilon(1e-6));
        return best;
    };
    options.metric = rs::valid_auc{};
    check([&](auto const& model) { return rs::auc(model.predict_raw(valid), valid.targets()); });
    options.metric = rs::valid_ndcg{.k = 3};
    check([&](auto const& model) { return ndcg_of(model, valid_rows, 3); });
    options.loss = rs::lambda_mart{};
    auto const model = rs::booster(options).fit(train, valid);
    rs::save("metric_test.rsm", model);
    CHECK(rs::load<rs::booster_model>("metric_test.rsm").report().valid_metric == model.report().valid_metric);
    std::remove("metric_test.rsm");
}

namespace {

/// How many rows lie on the wrong side.
struct misses {
    static constexpr bool higher_is_better = false;
    double operator()(rs::rated_rows const& rows) const {
        double n = 0;
        for (std::size_t i = 0; i < rows.raw.size(); ++i) n += (rows.raw[i] > 0) != (rows.target[i] > 0) ? 1 : 0;
        return n;
    }
};

}

TEST_CASE("a metric of the user's own may be lower the better; NaN is never the best") {
    auto const train = rs::ingest(clicks(800, 3), plain()), valid = rs::ingest(clicks(800, 4), plain());
    rs::booster_options options{.trees = 60, .learning_rate = 0.3, .depth = 4, .early_stopping_rounds = 10, .metric = misses{}};
    auto const model = rs::booster(options).fit(train, valid);
    auto const& seen = model.report().valid_metric;
    CHECK(static_cast<std::size_t>(std::min_element(seen.begin(), seen.end()) - seen.begin()) == model.report().best_iteration);
    options.metric = [](rs::rated_rows const&) { return NAN; };
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::booster(options).fit(train, valid)), doctest::Contains("never a number"), rs::data_error);
    auto flat = clicks(50, 5);
    for (auto& r : flat) r.target = 1;
    options.metric = rs::valid_auc{}; // no pair to compare
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::booster(options).fit(train, rs::ingest(flat, plain()))), doctest::Contains("never a number"),
                         rs::data_error);
    auto const ungrouped = rs::rows<row>().number("x", &row::x).number("y", &row::y).target(&row::target);
    options.metric = rs::valid_ndcg{};
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::booster(options).fit(train, rs::ingest(flat, ungrouped))), doctest::Contains("no groups"),
                         rs::data_error);
}

TEST_CASE("resuming with a metric keeps the old trees alone where no new one makes it better") {
    auto const train = rs::ingest(clicks(600, 6), plain()), valid = rs::ingest(clicks(600, 7), plain());
    auto const first = rs::booster({.trees = 20, .learning_rate = 0.2, .depth = 3}).fit(train);
    auto calls = std::make_shared<int>(0);
    auto const falling = [calls](rs::rated_rows const&) { return -static_cast<double>((*calls)++); };
    auto const more = rs::booster({.trees = 20, .early_stopping_rounds = 5, .metric = falling}).resume(first, train, valid);
    CHECK(more.n_trees() == 20);
    CHECK(*calls == 6);
}

TEST_CASE("a baseline is built upon: a fit on top of another model's scores is that model resumed") {
    auto rows = clicks(1500, 8);
    auto const first = rs::booster({.trees = 15, .learning_rate = 0.2, .depth = 3, .seed = 3}).fit(rs::ingest(rows, plain()));
    auto const scores = first.predict_raw(rs::ingest(rows, plain()));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].baseline = static_cast<float>(scores[i]);
    rs::booster_options options{.trees = 15, .learning_rate = 0.2, .depth = 3, .sampling = rs::row_sampling::bernoulli, .row_share = 1};
    auto const resumed = rs::booster(options).resume(first, rs::ingest(rows, plain()));
    auto const on_top = rs::booster(options).fit(rs::ingest(rows, with_baseline()));
    CHECK(on_top.start() == 0);
    auto const a = resumed.predict_raw(rs::ingest(rows, plain())), b = on_top.predict_raw(rs::ingest(rows, with_baseline()));
    double difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference = std::max(difference, std::abs(a[i] - b[i]));
    CHECK(difference < 2e-3); // fixed points differ, and scores are rounded to float
    // Every way to predict adds it.
    auto const p = on_top.predict(rs::ingest(rows, with_baseline()));
    auto const one = on_top.predictor(with_baseline());
    std::vector<float> last;
    on_top.staged(rs::ingest(rows, with_baseline()), 15, [&](std::size_t, std::span<float const> s) { last.assign(s.begin(), s.end()); });
    CHECK(last == p);
    for (std::size_t i = 0; i < 50; ++i) CHECK(static_cast<float>(one(rows[i])) == p[i]);
    CHECK(p[0] == Approx(1 / (1 + std::exp(-b[0]))));
    auto const without = on_top.predict_raw(rs::ingest(rows, plain()));
    CHECK(without[7] == Approx(b[7] - static_cast<double>(rows[7].baseline)));
}

TEST_CASE("baselines go with their rows, and are checked") {
    auto rows = clicks(120, 9);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].baseline = static_cast<float>(i);
    auto const frame = rs::ingest(rows, with_baseline());
    auto const [train, valid] = rs::split_groups(frame, 0.5, 1);
    CHECK(train.baselines().size() == train.n_rows());
    float sum = 0;
    for (float const b : train.baselines()) sum += b;
    for (float const b : valid.baselines()) sum += b;
    CHECK(sum == 119 * 120 / 2);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::booster().fit(frame, rs::ingest(rows, plain()))),
                         doctest::Contains("validation rows have no baseline"), rs::data_error);
    rows[5].baseline = NAN;
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::ingest(rows, with_baseline())), doctest::Contains("the baseline of row 5 (from 0) is nan"),
                         rs::data_error);
}

TEST_CASE("the automatic learning rate is CatBoost's") {
    // learning_rate_ of models that CatBoost 1.2.10 fitted on the CPU with boost_from_average, and use_best_model or not.
    struct known {
        std::size_t rows, trees;
        rs::output_kind output;
        bool best;
        double rate;
    };
    auto const odds = rs::output_kind::probability, raw = rs::output_kind::raw, classes = rs::output_kind::class_probabilities;
    known const all[] = {
        {1000, 1000, odds, true, 0.032462},     {1000, 1000, odds, false, 0.011326},   {1000, 1000, raw, true, 0.050921},
        {1000, 1000, raw, false, 0.040943},     {20000, 1000, odds, true, 0.067831},   {20000, 200, odds, true, 0.140172},
        {20000, 200, odds, false, 0.171218},    {20000, 200, raw, true, 0.217535},     {20000, 200, raw, false, 0.243223},
        {500, 50, odds, true, 0.105702},        {500, 50, raw, false, 0.419135},       {1000, 1000, classes, true, 0.107976},
        {1000, 1000, classes, false, 0.079127}, {20000, 200, classes, true, 0.212009}, {20000, 200, classes, false, 0.359174}};
    using rs::detail::automatic_rate;
    for (auto const& k : all) CHECK(automatic_rate(k.rows, k.trees, k.output, k.best) == Approx(k.rate).epsilon(1e-4));
    CHECK(automatic_rate(1000000, 1, rs::output_kind::probability, false) == 0.5);
    auto const rows = rs::ingest(clicks(300, 10), plain());
    auto options = rs::booster_options{.trees = 20, .learning_rate = rs::auto_rate, .depth = 3};
    auto const automatic = rs::booster(options).fit(rows).predict_raw(rows);
    options.learning_rate = automatic_rate(300, 20, rs::output_kind::probability, false);
    CHECK(rs::booster(options).fit(rows).predict_raw(rows) == automatic);
}
