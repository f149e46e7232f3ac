// SPDX-License-Identifier: MIT
// Numbers of more borders than a byte can count: the same models as over one feature of all borders, by force and by brute force.
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "support/sized.hpp"

namespace rs = recsys;
using recsys_test::sized;

namespace {

struct row {
    float x = 0, y = 0;
    int colour = 0;
    float target = 0;
};
auto schema() { return rs::rows<row>().number("x", &row::x).number("y", &row::y).category("colour", &row::colour).target(&row::target); }
/// Numbers of many values, some missing.
std::vector<row> rows(std::size_t n, std::uint64_t seed, double missing = 0.1) {
    rs::random_stream random(seed, 0);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        auto& r = out.emplace_back();
        r.x = static_cast<float>(random.normal()), r.y = static_cast<float>(random.uniform());
        r.colour = static_cast<int>(random.below(40));
        double const z = std::sin(9 * static_cast<double>(r.x)) + 2 * static_cast<double>(r.y) - 1 + (r.colour % 3 == 0 ? 0.5 : 0);
        r.target = random.uniform() < 1 / (1 + std::exp(-2 * z)) ? 1.f : 0.f;
        if (random.uniform() < missing) r.y = std::numeric_limits<float>::quiet_NaN();
    }
    return out;
}
/// Among them infinities and what is missing in no training row.
rs::frame strange_rows() {
    auto out = rows(1000, 99, 0.2);
    for (std::size_t i = 0; i < out.size(); i += 7) out[i].x = i % 2 ? std::numeric_limits<float>::quiet_NaN() : INFINITY;
    for (std::size_t i = 3; i < out.size(); i += 11) out[i].x = -INFINITY;
    return rs::ingest(out, schema());
}

/// Splits numbers into features of at most so many borders while it lives.
struct forced {
    explicit forced(std::size_t most) { rs::detail::most_feature_borders().store(most); }
    ~forced() { rs::detail::most_feature_borders().store(rs::detail::max_borders); }
};

std::size_t n_features_of(rs::booster_model const& model, std::string const& column) {
    auto const& space = model.state().space;
    return static_cast<std::size_t>(std::count_if(space.features.begin(), space.features.end(), [&](auto const& f) {
        return f.kind == rs::detail::feature_kind::number && space.columns[f.source].name == column;
    }));
}
/// What a split asks, whatever features there are: kind, source and border.
auto question_of(rs::booster_model const& model, rs::detail::model_split const& split) {
    auto const& f = model.state().space.features[split.feature];
    return std::tuple(f.kind, f.source, f.prior, f.borders.empty() ? 0.f : f.borders[split.threshold]);
}
void check_same(rs::booster_model const& a, rs::booster_model const& b, rs::frame const& test) {
    auto const &s = a.state().trees, &t = b.state().trees;
    REQUIRE(s.size() == t.size());
    CHECK(std::equal(s.all_leaves().begin(), s.all_leaves().end(), t.all_leaves().begin(), t.all_leaves().end()));
    CHECK(std::equal(s.all_gains().begin(), s.all_gains().end(), t.all_gains().begin(), t.all_gains().end()));
    CHECK(std::equal(s.all_splits().begin(), s.all_splits().end(), t.all_splits().begin(), t.all_splits().end(),
                     [&](auto const& p, auto const& q) { return question_of(a, p) == question_of(b, q); }));
    CHECK(a.report().loss == b.report().loss);
    CHECK(a.report().valid_loss == b.report().valid_loss);
    CHECK(a.predict_raw(test) == b.predict_raw(test));
    CHECK(a.importances() == b.importances());
}

}

TEST_CASE("numbers split into features of few borders give the model, bit for bit, that one feature gives") {
    auto const train = rs::ingest(rows(sized(6000u, 2000u), 1), schema()), valid = rs::ingest(rows(sized(2000u, 700u), 2), schema()),
               test = strange_rows();
    rs::booster_options options{
        .trees = sized(30u, 8u), .learning_rate = 0.2, .depth = 5, .row_share = 0.7, .seed = 5, .run = {.threads = 2}};
    SUBCASE("as it comes") {}
    SUBCASE("missing highest") { options.missing = rs::missing_numbers::highest; }
    SUBCASE("noise and some columns") { options.random_strength = 1, options.column_share = 0.5; }
    SUBCASE("noise that rounds differences of scores away") { options.random_strength = 1e5; }
    SUBCASE("monotone, light leaves, by l2") {
        options.monotone = {{"y", rs::monotone::rising}}, options.min_leaf_weight = 20, options.score = rs::split_score::l2;
    }
    SUBCASE("deep, few borders") { options.depth = 9, options.borders = 13, options.trees = sized(8u, 4u); }
    auto const model = rs::booster(options).fit(train, valid);
    CHECK(n_features_of(model, "x") == 1);
    for (std::size_t const most : {200u, 40u, 3u, 1u}) {
        CAPTURE(most);
        forced const few(most);
        auto const other = rs::booster(options).fit(train, valid);
        if (most < 13) CHECK(n_features_of(other, "x") > 1);
        check_same(model, other, test);
    }
}

TEST_CASE("every level's split of a tree is the best of 1000 borders of each number, summed in double") {
    std::size_t const n = sized(5000u, 1500u);
    auto const data = rows(n, 3, 0);
    struct point {
        float x, y, target;
    };
    std::vector<point> points;
    for (auto const& r : data) points.push_back({r.x, r.y, std::sin(9 * r.x) + r.y * r.y});
    auto const train = rs::ingest(points, rs::rows<point>().number("x", &point::x).number("y", &point::y).target(&point::target));
    std::vector<float> numbers[2];
    for (auto const& p : points) numbers[0].push_back(p.x), numbers[1].push_back(p.y);
    std::vector<float> borders[2];
    for (int c = 0; c < 2; ++c) borders[c] = rs::detail::number_borders(numbers[c], {}, 1000, rs::missing_numbers::lowest);
    REQUIRE(borders[0].size() == 1000);
    REQUIRE(borders[1].size() == 1000);
    for (auto const how : {rs::split_score::cosine, rs::split_score::l2}) {
        auto const model = rs::booster({.loss = rs::rmse{},
                                        .trees = 1,
                                        .learning_rate = 1,
                                        .depth = 4,
                                        .l2 = 1,
                                        .score = how,
                                        .borders = 1000,
                                        .sampling = rs::row_sampling::bernoulli,
                                        .row_share = 1,
                                        .start = 0})
                               .fit(train);
        CHECK(n_features_of(model, "x") + n_features_of(model, "y") >= 2);
        std::vector<std::size_t> leaf(n, 0);
        REQUIRE(model.state().trees.depth(0) == 4);
        for (std::size_t level = 0; level < 4; ++level) {
            auto const score_of = [&](int column, float border) {
                std::vector<double> g(std::size_t{2} << level, 0.0), w(g.size(), 0.0);
                for (std::size_t i = 0; i < n; ++i) {
                    std::size_t const at = leaf[i] * 2 + (numbers[column][i] > border);
                    g[at] += static_cast<double>(points[i].target), w[at] += 1;
                }
                double gain = 0, norm = 0;
                for (std::size_t l = 0; l < g.size(); ++l) {
                    double const a = g[l] / (w[l] + 1);
                    gain += a * g[l], norm += a * a * w[l];
                }
                return how == rs::split_score::l2 ? gain : gain / std::sqrt(norm);
            };
            double best = 0;
            for (int c = 0; c < 2; ++c)
                for (auto const border : borders[c]) best = std::max(best, score_of(c, border));
            auto const split = model.state().trees.splits(0)[level];
            auto const& f = model.state().space.features[split.feature];
            CHECK(score_of(static_cast<int>(f.source), f.borders[split.threshold]) == doctest::Approx(best).epsilon(1e-5));
            for (std::size_t i = 0; i < n; ++i) leaf[i] = leaf[i] * 2 + (numbers[f.source][i] > f.borders[split.threshold]);
        }
        // Leaves by the definition.
        auto const predicted = model.predict_raw(train);
        std::vector<double> sum(16, 0.0), count(16, 0.0);
        for (std::size_t i = 0; i < n; ++i) sum[leaf[i]] += static_cast<double>(points[i].target), count[leaf[i]] += 1;
        double worst = 0;
        for (std::size_t i = 0; i < n; ++i) worst = std::max(worst, std::abs(predicted[i] - sum[leaf[i]] / (count[leaf[i]] + 1)));
        CHECK(worst < 1e-3);
    }
}

TEST_CASE("predictions of a model of many borders are those of its questions to the numbers, at every level and after a file") {
    auto const train = rs::ingest(rows(sized(9000u, 3000u), 4), schema()), test = strange_rows();
    std::size_t const trees = sized(60u, 12u);
    for (std::size_t const borders : {300u, 1000u, 65535u}) {
        auto const model = rs::booster({.trees = trees, .learning_rate = 0.3, .depth = 6, .borders = borders}).fit(train);
        auto const& state = model.state();
        CHECK(n_features_of(model, "x") > 1);
        std::size_t beyond = 0; // bins that a byte of one feature of all borders would not hold
        for (auto const& f : state.space.features) beyond += f.borders.size() > rs::detail::max_borders;
        CHECK(beyond == 0);
        auto const number = [&](std::string const& name, std::size_t r) {
            return rs::detail::comparable_number(test.column(name).numbers[r], rs::missing_numbers::lowest);
        };
        // Numbers are asked here; features of the category are taken at their word.
        rs::detail::predict_scratch scratch;
        rs::detail::frame_reader const reader(state.space.columns, test);
        std::vector<double> expected;
        for (std::size_t r = 0; r < test.n_rows(); ++r) {
            auto* const bins = scratch.bins_for(state.space.features.size());
            state.space.bins(rs::detail::bin_kernels(rs::detail::simd_level::portable), reader.read(r, 1, scratch.rows), bins,
                             scratch.cells);
            std::int64_t sum = 0;
            for (std::size_t t = 0; t < state.trees.size(); ++t) {
                std::size_t leaf = 0;
                for (std::size_t k = 0; k < state.trees.depth(t); ++k) {
                    auto const split = state.trees.splits(t)[k];
                    auto const& f = state.space.features[split.feature];
                    bool const right = f.kind == rs::detail::feature_kind::number
                                           ? number(state.space.columns[f.source].name, r) > f.borders[split.threshold]
                                           : bins[split.feature * rs::detail::block_rows] > split.threshold;
                    leaf |= std::size_t{right} << k;
                }
                sum += state.trees.leaves(t)[leaf];
            }
            expected.push_back(state.trees.raw(sum));
        }
        for (auto const level : {rs::detail::simd_level::portable, rs::detail::simd_level::avx2, rs::detail::simd_level::avx512}) {
            if (!rs::detail::has_simd_level(level)) continue;
            rs::detail::force_simd_level(level);
            CHECK(model.predict_raw(test) == expected);
            check_same(model, rs::booster({.trees = trees, .learning_rate = 0.3, .depth = 6, .borders = borders}).fit(train), test);
        }
        rs::detail::force_simd_level({});
        auto const row_of = model.predictor(schema());
        auto const some = rows(50, 5);
        auto const whole = model.predict(rs::ingest(some, schema()));
        for (std::size_t i = 0; i < some.size(); ++i) CHECK(static_cast<float>(row_of(some[i])) == whole[i]);
        std::string const path = "wide_numbers_test.rsm";
        rs::save(path, model);
        auto const again = rs::load<rs::booster_model>(path);
        CHECK(again.predict_raw(test) == expected);
        auto const more = rs::booster({.trees = 10, .borders = 20}).resume(again, train);
        CHECK(more.n_trees() == trees + 10);
        std::remove(path.c_str());
    }
}

TEST_CASE("a fit of many borders that was killed goes on from its snapshot to the same model") {
    std::string const path = "wide_numbers_test.rss";
    auto const train = rs::ingest(rows(3000, 6), schema());
    rs::booster_options options{.trees = 20, .learning_rate = 0.3, .depth = 4, .borders = 2000};
    auto const whole = rs::booster(options).fit(train);
    options.snapshot = path, options.snapshot_interval = std::chrono::seconds{0};
    options.run.progress = [](rs::progress const& now) { return now.done < 7; };
    CHECK(rs::booster(options).fit(train).n_trees() == 7);
    options.run.progress = {};
    check_same(whole, rs::booster(options).fit(train), strange_rows());
}

TEST_CASE("borders are at most 65535") {
    CHECK_THROWS_WITH_AS(rs::booster({.borders = 65536}), "booster: borders must be in [1, 65535], got 65536", rs::option_error);
    CHECK_THROWS_AS(rs::booster({.borders = 0}), rs::option_error);
}
