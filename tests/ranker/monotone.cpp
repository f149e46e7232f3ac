// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace rs = recsys;
using doctest::Approx;
using numbers = std::vector<double>;

namespace {

/// Whether leaf a must not be above leaf b.
bool ordered(std::size_t a, std::size_t b, std::vector<rs::monotone> const& directions) {
    for (std::size_t bit = 0; bit < directions.size(); ++bit) {
        int const d = static_cast<int>(b >> bit & 1) - static_cast<int>(a >> bit & 1);
        if (d * static_cast<int>(directions[bit]) < 0 || (d != 0 && directions[bit] == rs::monotone::free)) return false;
    }
    return true;
}

/// The nearest monotone values by the max-min formula over all upper sets (Robertson, Wright, Dykstra 1988, theorem 1.4.4).
numbers nearest(numbers const& values, numbers const& weights, std::vector<rs::monotone> const& directions) {
    std::size_t const n = values.size();
    std::vector<std::size_t> upper;
    for (std::size_t set = 0; set < std::size_t{1} << n; ++set) {
        bool closed = true;
        for (std::size_t a = 0; a < n && closed; ++a)
            for (std::size_t b = 0; b < n && closed; ++b) closed = !(set >> a & 1) || !ordered(a, b, directions) || (set >> b & 1);
        if (closed) upper.push_back(set);
    }
    numbers out(n, -std::numeric_limits<double>::infinity());
    for (std::size_t leaf = 0; leaf < n; ++leaf)
        for (auto const above : upper) {
            if (!(above >> leaf & 1)) continue;
            double least = std::numeric_limits<double>::infinity();
            for (auto const not_below : upper) {
                if (not_below >> leaf & 1) continue; // its complement is a lower set that has the leaf
                double sum = 0, weight = 0;
                for (std::size_t i = 0; i < n; ++i)
                    if ((above >> i & 1) && !(not_below >> i & 1)) sum += weights[i] * values[i], weight += weights[i];
                least = std::min(least, sum / weight);
            }
            out[leaf] = std::max(out[leaf], least);
        }
    return out;
}

struct row {
    float x = 0, y = 0, z = 0, target = 0;
    std::string colour;
};
auto schema() {
    return rs::rows<row>()
        .number("x", &row::x)
        .number("y", &row::y)
        .number("z", &row::z)
        .category("colour", &row::colour)
        .target(&row::target);
}
/// Rises in x, falls in y, waves in z; each colour has its own slope in x.
std::vector<row> waves(std::size_t n, std::uint64_t seed) {
    rs::random_stream random(seed);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        row r;
        r.x = static_cast<float>(random.uniform()), r.y = static_cast<float>(random.uniform()), r.z = static_cast<float>(random.uniform());
        auto const colour = random.below(20);
        r.colour = "c" + std::to_string(colour);
        double const x = static_cast<double>(r.x);
        r.target = static_cast<float>(x * (1 + static_cast<double>(colour % 4)) - static_cast<double>(r.y) +
                                      0.5 * std::sin(9 * static_cast<double>(r.z)) + random.normal());
        out.push_back(r);
    }
    return out;
}
double error(rs::booster_model const& model, std::vector<row> const& rows) {
    std::vector<float> targets;
    for (auto const& r : rows) targets.push_back(r.target);
    return rs::root_mean_squared_error(model.predict(rs::ingest(rows, schema())), targets);
}

}

TEST_CASE("leaves are moved to the nearest monotone ones, found by the max-min formula") {
    rs::random_stream random(1);
    using enum rs::monotone;
    std::vector<std::vector<rs::monotone>> const all{
        {rising}, {falling, free}, {rising, rising}, {rising, falling, free}, {falling, rising, rising}, {rising, rising, rising}};
    for (auto const& directions : all)
        for (int trial = 0; trial < 20; ++trial) {
            numbers values(std::size_t{1} << directions.size()), weights(values.size());
            for (auto& v : values) v = random.normal();
            for (auto& w : weights) w = 0.1 + random.uniform();
            auto const expected = nearest(values, weights, directions);
            rs::detail::make_monotone(values, weights, directions);
            for (std::size_t i = 0; i < values.size(); ++i) {
                CHECK(values[i] == Approx(expected[i]).epsilon(1e-4).scale(1));
                for (std::size_t k = 0; k < values.size(); ++k)
                    if (ordered(i, k, directions)) CHECK(values[i] <= values[k]);
            }
        }
    numbers empty{3, 1, 2, 2}, none(4, 0.0);
    rs::detail::make_monotone(empty, none, std::vector<rs::monotone>{rising, free});
    CHECK(empty == numbers{2, 2, 2, 2});
}

TEST_CASE("predictions rise and fall as they must, at no cost where the truth does so") {
    auto const train = waves(4000, 2), test = waves(4000, 3);
    rs::booster_options options{.loss = rs::rmse{}, .trees = 150, .learning_rate = 0.1, .depth = 5};
    auto const loose = rs::booster(options).fit(rs::ingest(train, schema()));
    options.monotone = {{"x", rs::monotone::rising}, {"y", rs::monotone::falling}};
    for (auto const score : {rs::split_score::cosine, rs::split_score::l2}) {
        options.score = score;
        auto const bound = rs::booster(options).fit(rs::ingest(train, schema()));
        CHECK(error(bound, test) < 1.005 * error(loose, test));
        auto const predict = bound.predictor(schema());
        rs::random_stream random(4);
        bool broken_by_loose = false;
        auto const loosely = loose.predictor(schema());
        for (int trial = 0; trial < 60; ++trial) {
            row at = test[random.below(test.size())], was = at;
            at.x = was.x = -1;
            for (int step = 0; step <= 60; ++step, was = at) {
                at.x = static_cast<float>(step) / 50 - 0.1f;
                CHECK(predict(at) >= predict(was));
                broken_by_loose = broken_by_loose || loosely(at) < loosely(was);
            }
            at.y = was.y = -1;
            for (int step = 0; step <= 60; ++step, was = at) {
                at.y = static_cast<float>(step) / 50 - 0.1f;
                CHECK(predict(at) <= predict(was));
            }
        }
        CHECK(broken_by_loose);
    }
}

TEST_CASE("a column bound against the truth says nothing, the others still do") {
    auto const train = waves(3000, 5);
    rs::booster_options options{
        .loss = rs::rmse{}, .trees = 60, .learning_rate = 0.2, .depth = 4, .monotone = {{"x", rs::monotone::falling}}};
    auto const model = rs::booster(options).fit(rs::ingest(train, schema()));
    auto const predict = model.predictor(schema());
    row low = train[0], high = train[0];
    low.x = 0, high.x = 1;
    CHECK(predict(high) <= predict(low));
    CHECK(predict(low) - predict(high) < 0.2);
    CHECK(model.importances()[0].first != "x");
    CHECK(model.n_trees() == 60);
    options.run.threads = 2;
    CHECK(rs::booster(options).fit(rs::ingest(train, schema())).predict_raw(rs::ingest(train, schema())) ==
          model.predict_raw(rs::ingest(train, schema())));
}

TEST_CASE("columns that cannot be bound are errors that name them") {
    auto const rows = rs::ingest(waves(50, 6), schema());
    auto const fit = [&](std::string name) {
        return rs::booster({.loss = rs::rmse{}, .trees = 2, .monotone = {{std::move(name), rs::monotone::rising}}}).fit(rows);
    };
    CHECK_THROWS_WITH_AS(static_cast<void>(fit("w")), doctest::Contains("the monotone column 'w' is not among the columns"),
                         rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(fit("colour")), doctest::Contains("the monotone column 'colour' holds categories"),
                         rs::data_error);
}
