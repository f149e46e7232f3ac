// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/coloured_rows.hpp"
#include "support/factor_tables.hpp"

namespace rs = recsys;
using doctest::Approx;

namespace {

using row = support::coloured_row;
auto schema() { return support::coloured_schema().weight(&row::weight); }

/// A click depends on a threshold of x, on some of 60 colours and on a tag; y is noise with gaps.
std::vector<row> clicks(std::size_t n, std::uint64_t seed = 1) {
    rs::random_stream random(seed, 0);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        row r;
        r.x = static_cast<float>(random.uniform());
        r.y = random.uniform() < 0.2 ? NAN : static_cast<float>(random.normal());
        auto const colour = random.below(60);
        r.colour = "c" + std::to_string(colour);
        if (random.uniform() < 0.3) r.tags.push_back("sale");
        if (random.uniform() < 0.5) r.tags.push_back("new");
        double const z = (r.x > 0.6f ? 1.5 : -1) + (colour % 5 == 0 ? 1.5 : 0) + (r.tags.size() == 2 ? 1 : 0);
        r.target = random.uniform() < 1 / (1 + std::exp(-z)) ? 1.f : 0.f;
        out.push_back(std::move(r));
    }
    return out;
}

rs::frame frame_of(std::vector<row> const& rows) { return rs::ingest(rows, schema()); }

double loss_on(rs::booster_model const& model, rs::frame const& rows) { return rs::mean_log_loss(model.predict(rows), rows.targets()); }

rs::booster_options quick() { return {.trees = 40, .learning_rate = 0.2, .depth = 4, .seed = 7}; }

/// One number column, to work trees by hand.
rs::frame line(std::vector<float> const& x, std::vector<float> const& y) {
    struct point {
        float x, y;
    };
    std::vector<point> rows;
    for (std::size_t i = 0; i < x.size(); ++i) rows.push_back({x[i], y[i]});
    return rs::ingest(rows, rs::rows<point>().number("x", &point::x).target(&point::y));
}

/// Every row, no sampling.
rs::booster_options plain(rs::loss loss, std::size_t trees, double rate, double l2) {
    return {.loss = std::move(loss),
            .trees = trees,
            .learning_rate = rate,
            .depth = 1,
            .l2 = l2,
            .sampling = rs::row_sampling::bernoulli,
            .row_share = 1};
}

}

TEST_CASE("one tree of one split has Newton leaves with L2, by hand") {
    // Squared error from the mean 3: gradients are 3 - y, so the leaves are (sum of y - 3) / (n + l2).
    auto const rows = line({0, 0, 0, 1, 1, 1}, {1, 2, 3, 3, 4, 5});
    auto const model = rs::booster(plain(rs::rmse{}, 1, 0.5, 3)).fit(rows);
    CHECK(model.start() == Approx(3));
    auto const p = model.predict_raw(rows);
    CHECK(p[0] == Approx(3 + 0.5 * -3 / (3 + 3)).epsilon(1e-6));
    CHECK(p[5] == Approx(3 + 0.5 * 3 / (3 + 3)).epsilon(1e-6));
}

TEST_CASE("the start of log loss is the log odds, its leaves are sums of y - p over sums of p (1 - p)") {
    auto const rows = line({0, 0, 0, 1, 1}, {0, 0, 1, 1, 1});
    auto const model = rs::booster(plain(rs::log_loss{}, 1, 1, 1)).fit(rows);
    CHECK(model.start() == Approx(std::log(3. / 2)));
    auto const p = model.predict_raw(rows);
    // Derivatives are rounded to whole numbers before they are added: exact sums, leaves right to a thousandth.
    CHECK(p[0] - model.start() == Approx((1 - 3 * 0.6) / (3 * 0.24 + 1)).epsilon(1e-3));
    CHECK(p[4] - model.start() == Approx((2 - 2 * 0.6) / (2 * 0.24 + 1)).epsilon(1e-3));
    CHECK(model.predict(rows)[0] == Approx(1 / (1 + std::exp(-p[0]))));
}

TEST_CASE("it learns numbers with gaps, many categories and lists of categories") {
    auto const train = frame_of(clicks(6000)), test = frame_of(clicks(3000, 2));
    auto const model = rs::booster({.trees = 200, .learning_rate = 0.1, .depth = 4}).fit(train);
    rs::frame const& t = test;
    double mean = 0;
    for (float const y : t.targets()) mean += y / static_cast<double>(t.n_rows());
    double const constant = -(mean * std::log(mean) + (1 - mean) * std::log(1 - mean));
    CHECK(loss_on(model, test) < 0.87 * constant);
    CHECK(rs::auc(model.predict(test), test.targets()) > 0.72);
    auto const importances = model.importances();
    REQUIRE(importances.size() == 4);
    CHECK(importances[0].first == "x");
    CHECK(importances[3].first == "y"); // noise comes last
    double sum = 0;
    for (auto const& [name, share] : importances) sum += share;
    CHECK(sum == Approx(100));
}

TEST_CASE("the same bytes for 1, 2 and 7 threads, others for another seed") {
    auto const rows = frame_of(clicks(3000));
    auto options = quick();
    auto const fit = [&](std::size_t threads) {
        options.run.threads = threads;
        return rs::booster(options).fit(rows).predict_raw(rows);
    };
    auto const one = fit(1);
    CHECK(fit(2) == one);
    CHECK(fit(7) == one);
    options.seed = 8;
    CHECK(fit(2) != one);
}

TEST_CASE("a predictor of the user's rows gives what predict gives for the frame, bit for bit") {
    auto const rows = clicks(500);
    auto const model = rs::booster(quick()).fit(frame_of(rows));
    auto const one = model.predictor(schema());
    auto const all = model.predict(frame_of(rows));
    std::vector<float> spans(rows.size());
    one(std::span<row const>(rows), std::span<float>(spans));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        REQUIRE(static_cast<float>(one(rows[i])) == all[i]);
        REQUIRE(spans[i] == all[i]);
    }
}

TEST_CASE("a predictor goes on after rows that throw") {
    auto const rows = clicks(500);
    auto const model = rs::booster(quick()).fit(frame_of(rows));
    auto const one = model.predictor(schema());
    double const before = one(rows[0]);
    bool fails = true;
    auto const failing = model.predictor(schema().baseline([&](row const&) {
        if (fails) throw std::runtime_error("no baseline");
        return 0.f;
    }));
    CHECK_THROWS_AS(static_cast<void>(failing(rows[0])), std::runtime_error);
    CHECK(one(rows[0]) == before);
    fails = false;
    CHECK(failing(rows[0]) == before);
}

TEST_CASE("a model gives the same bits at every level of instructions") {
    auto const rows = clicks(700);
    for (std::size_t const depth : {4u, 6u, 7u, 9u}) {
        auto options = quick();
        options.depth = depth;
        auto const model = rs::booster(options).fit(frame_of(rows));
        auto const score = model.predictor(schema());
        std::vector<std::vector<double>> raw;
        std::vector<std::vector<float>> alone;
        for (auto const level : factor_tables::levels()) {
            factor_tables::forced const now(level);
            raw.push_back(model.predict_raw(frame_of(rows)));
            score(std::span<row const>(rows), std::span<float>(alone.emplace_back(rows.size())));
            model.staged(frame_of(rows), 7, [&](std::size_t n, std::span<float const> p) {
                if (n == model.n_trees()) CHECK(std::equal(p.begin(), p.end(), alone.back().begin()));
            });
        }
        for (std::size_t i = 1; i < raw.size(); ++i) CHECK((raw[i] == raw[0] && alone[i] == alone[0]));
    }
}

TEST_CASE("c43 the best prefix of the trees is kept, also after saving") {
    auto const train = frame_of(clicks(800)), valid = frame_of(clicks(800, 5));
    auto const model = rs::booster({.trees = 600, .learning_rate = 0.3, .depth = 6, .early_stopping_rounds = 10}).fit(train, valid);
    auto const& losses = model.report().valid_loss;
    REQUIRE(model.report().best_iteration.has_value());
    auto const best = *model.report().best_iteration;
    CHECK(losses.size() == best + 11); // ten trees without a lower loss
    CHECK(static_cast<std::size_t>(std::min_element(losses.begin(), losses.end()) - losses.begin()) == best);
    CHECK(model.n_trees() == best + 1);
    CHECK(loss_on(model, valid) == Approx(losses[best]).epsilon(1e-5));
    rs::save("booster_test.rsm", model);
    auto const again = rs::load<rs::booster_model>("booster_test.rsm");
    std::remove("booster_test.rsm");
    CHECK(again.n_trees() == best + 1);
    CHECK(again.predict_raw(valid) == model.predict_raw(valid));
}

TEST_CASE("staged predictions are those of growing prefixes and end with predict") {
    auto const rows = frame_of(clicks(500));
    auto const model = rs::booster(quick()).fit(rows);
    std::vector<std::size_t> stages;
    std::vector<float> last;
    model.staged(rows, 15, [&](std::size_t trees, std::span<float const> p) {
        stages.push_back(trees);
        last.assign(p.begin(), p.end());
    });
    CHECK(stages == std::vector<std::size_t>{15, 30, 40});
    CHECK(last == model.predict(rows));
}

TEST_CASE("resuming goes on where the model ended") {
    auto const rows = frame_of(clicks(1500)), valid = frame_of(clicks(1500, 9));
    auto const first = rs::booster(quick()).fit(rows);
    auto const more = rs::booster(quick()).resume(first, rows, valid);
    CHECK(more.n_trees() > first.n_trees());
    CHECK(loss_on(more, rows) < loss_on(first, rows));
}

TEST_CASE("class weights count rows as often as they say") {
    auto rows = clicks(1500);
    auto weighted = rows;
    for (auto& r : weighted) r.weight = r.target > 0 ? 3.f : 1.f;
    auto options = quick();
    options.sampling = rs::row_sampling::bernoulli, options.row_share = 1;
    auto const by_weight = rs::booster(options).fit(frame_of(weighted));
    options.class_weights = {1, 3};
    auto const by_class = rs::booster(options).fit(frame_of(rows));
    auto const test = frame_of(clicks(200, 3));
    auto const a = by_weight.predict(test), b = by_class.predict(test);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).epsilon(1e-4));
}

namespace {

/// Squared error under another name.
struct my_loss {
    double value(std::span<float const> p, std::span<float const> y) const {
        double sum = 0;
        for (std::size_t i = 0; i < p.size(); ++i) sum += 0.5 * (static_cast<double>(p[i]) - y[i]) * (static_cast<double>(p[i]) - y[i]);
        return sum / static_cast<double>(p.size());
    }
    void derivatives(std::span<float const> p, std::span<float const> y, std::span<float> g, std::span<float> h) const {
        for (std::size_t i = 0; i < p.size(); ++i) g[i] = p[i] - y[i], h[i] = 1;
    }
};

}

TEST_CASE("a loss of the user's own is followed") {
    rs::random_stream random(4, 0);
    std::vector<float> x, y;
    for (int i = 0; i < 400; ++i) x.push_back(static_cast<float>(random.uniform())), y.push_back(std::sin(6 * x.back()));
    auto const rows = line(x, y);
    auto const ours = rs::booster({.loss = my_loss{}, .trees = 100, .learning_rate = 0.2, .depth = 3}).fit(rows);
    CHECK(rs::root_mean_squared_error(ours.predict(rows), y) < 0.1);
}

TEST_CASE("progress sees every tree, and stopping keeps the trees so far") {
    auto const rows = frame_of(clicks(500));
    auto options = quick();
    std::size_t calls = 0;
    options.run.progress = [&](rs::progress const& now) { return ++calls, now.done < 5; };
    auto const model = rs::booster(options).fit(rows);
    CHECK(model.n_trees() == 5);
    CHECK(model.report().stopped);
    CHECK(calls >= 5);
    options.run.progress = [](rs::progress const&) { return false; };
    CHECK_THROWS_AS(static_cast<void>(rs::booster(options).fit(rows)), rs::cancelled);
}

TEST_CASE("a target of one class is an error that says which") {
    auto rows = clicks(100);
    for (auto& r : rows) r.target = 1;
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::booster(quick()).fit(frame_of(rows))),
                         doctest::Contains("every target is 1; both classes are needed"), rs::data_error);
}

TEST_CASE("targets that are not there, not finite or no class, and frames without rows are errors") {
    auto const bad = [](float target) {
        auto rows = clicks(20);
        rows[3].target = target;
        return rs::ingest(rows, schema());
    };
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::booster().fit(bad(NAN))), doctest::Contains("3"), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::booster().fit(bad(std::numeric_limits<float>::infinity()))), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::booster().fit(bad(2))), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::booster().fit(frame_of({}))), rs::data_error);
    auto const untargeted = rs::ingest(clicks(20), rs::rows<row>().number("x", &row::x));
    CHECK_THROWS_AS(static_cast<void>(rs::booster().fit(untargeted)), rs::data_error);
}

TEST_CASE("c44 columns are found by name: their order does not matter, a missing or other one is an error that names it") {
    auto const rows = clicks(300);
    auto const model = rs::booster(quick()).fit(frame_of(rows));
    auto const turned = rs::ingest(rows, rs::rows<row>()
                                             .categories("tags", &row::tags)
                                             .number("y", &row::y)
                                             .number("more", &row::x)
                                             .category("colour", &row::colour)
                                             .number("x", &row::x));
    CHECK(model.predict(turned) == model.predict(frame_of(rows)));
    auto const lacking = rs::ingest(rows, rs::rows<row>().number("x", &row::x).number("y", &row::y).categories("tags", &row::tags));
    CHECK_THROWS_WITH_AS(static_cast<void>(model.predict(lacking)), doctest::Contains("colour"), rs::data_error);
    auto const other = rs::ingest(
        rows, rs::rows<row>().number("x", &row::x).number("y", &row::y).number("colour", &row::x).categories("tags", &row::tags));
    CHECK_THROWS_WITH_AS(static_cast<void>(model.predict(other)), doctest::Contains("colour"), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(model.predictor(rs::rows<row>().number("x", &row::x))), rs::data_error);
}

TEST_CASE("categories and numbers never seen in training are predicted, not refused") {
    auto const model = rs::booster(quick()).fit(frame_of(clicks(500)));
    std::vector<row> strange(3);
    strange[0].colour = "never", strange[0].x = std::numeric_limits<float>::max();
    strange[1].x = NAN, strange[1].y = NAN;
    strange[2].x = -std::numeric_limits<float>::infinity(), strange[2].tags = {"unheard of", "sale"};
    for (float const p : model.predict(frame_of(strange))) {
        CHECK(p > 0);
        CHECK(p < 1);
    }
}

TEST_CASE("options outside their range are errors that name them") {
    CHECK_THROWS_WITH_AS(rs::booster({.depth = 0}), doctest::Contains("depth must be in [1, 10], got 0"), rs::option_error);
    CHECK_THROWS_AS(rs::booster({.learning_rate = -1}), rs::option_error);
    CHECK_THROWS_AS(rs::booster({.l2 = NAN}), rs::option_error);
    CHECK_THROWS_AS(rs::booster({.row_share = 0}), rs::option_error);
    CHECK_THROWS_AS(rs::booster({.class_weights = {-1}}), rs::option_error);
}

TEST_CASE("by default half of the rows are drawn where each column has 5000 of them, else four fifths") {
    auto const fit = [](std::size_t n, std::optional<double> share) {
        std::vector<float> x(n), y(n);
        rs::random_stream random(4);
        for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(random.normal()), y[i] = x[i] + random.normal() > 0 ? 1.f : 0.f;
        auto const rows = line(x, y);
        return rs::booster({.trees = 5, .row_share = share, .run = {.threads = 1}}).fit(rows).predict_raw(rows);
    };
    CHECK(fit(5000, {}) == fit(5000, 0.5));
    CHECK(fit(5000, {}) != fit(5000, 0.8));
    CHECK(fit(4999, {}) == fit(4999, 0.8));
    CHECK(fit(4999, {}) != fit(4999, 0.5));
}

TEST_CASE("no trees is the best constant") {
    auto const rows = line({0, 1, 2, 3}, {0, 1, 1, 1});
    auto const model = rs::booster({.trees = 0}).fit(rows);
    CHECK(model.n_trees() == 0);
    for (float const p : model.predict(rows)) CHECK(p == Approx(0.75));
}
