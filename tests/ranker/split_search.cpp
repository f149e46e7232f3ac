// SPDX-License-Identifier: MIT
// How splits are scored and drawn: against sums in double, with light sides, monotone features and noise.
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

namespace rs = recsys;
using doctest::Approx;

namespace {

struct cell {
    double gradient, weight;
};
using leaf_cells = std::vector<cell>;

/// The score of a threshold, and of none where it is the last bin, straight from the definition.
double score(std::vector<leaf_cells> const& leaves, std::size_t threshold, rs::detail::fixed_scale const& scale, int sign) {
    double gain = 0, norm = 0, l2 = static_cast<double>(scale.l2);
    for (auto const& cells : leaves) {
        cell left{0, 0}, right{0, 0};
        for (std::size_t b = 0; b < cells.size(); ++b) {
            auto& side = b <= threshold && threshold + 1 < cells.size() ? left : right;
            side.gradient += cells[b].gradient, side.weight += cells[b].weight;
        }
        double a = left.gradient / (left.weight + l2), b = right.gradient / (right.weight + l2);
        if (sign * (a - b) < 0) a = b = (left.gradient + right.gradient) / (left.weight + right.weight + l2);
        if (left.weight < static_cast<double>(scale.least_weight)) a = 0;
        if (right.weight < static_cast<double>(scale.least_weight)) b = 0;
        gain += a * left.gradient + b * right.gradient, norm += a * a * left.weight + b * b * right.weight;
    }
    return scale.score == rs::split_score::l2 ? gain : norm > 0 ? gain / std::sqrt(norm) : 0;
}

struct row {
    float x = 0, y = 0, target = 0;
};
auto schema() { return rs::rows<row>().number("x", &row::x).number("y", &row::y).target(&row::target); }
std::vector<row> rows(std::size_t n, std::uint64_t seed) {
    rs::random_stream random(seed);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        row r;
        r.x = static_cast<float>(random.uniform()), r.y = static_cast<float>(random.uniform());
        r.target = random.uniform() < 0.2 + 0.6 * static_cast<double>(r.x > 0.5f) ? 1.f : 0.f;
        out.push_back(r);
    }
    return out;
}

}

TEST_CASE("the best threshold is that of the definition, with light sides and bound directions") {
    rs::random_stream random(1);
    for (int trial = 0; trial < 400; ++trial) {
        std::size_t const n_bins = 2 + random.below(30), n_leaves = 1 + random.below(4);
        rs::detail::packed_field field;
        field.mask = 0xFF, field.n_bins = static_cast<std::uint16_t>(n_bins);
        rs::detail::fixed_scale scale{0.01f, 0.1f, 2.f};
        scale.score = trial % 2 ? rs::split_score::l2 : rs::split_score::cosine;
        scale.least_weight = trial % 4 < 2 ? 0.f : 8.f;
        int const sign = static_cast<int>(random.below(3)) - 1;
        std::vector<std::vector<rs::detail::packed_sum>> histograms;
        std::vector<rs::detail::packed_sum const*> leaves;
        std::vector<leaf_cells> cells;
        for (std::size_t l = 0; l < n_leaves; ++l) {
            histograms.emplace_back((rs::detail::most_record_bins * rs::detail::bin_slots), 0);
            cells.emplace_back();
            for (std::size_t b = 0; b < n_bins; ++b) {
                auto const weight = static_cast<std::int64_t>(random.below(80));
                auto const gradient = weight == 0 ? 0 : static_cast<std::int64_t>(random.below(2001)) - 1000;
                histograms[l][b] = rs::detail::pack_sum(gradient, weight);
                cells[l].push_back({0.01 * static_cast<double>(gradient), 0.1 * static_cast<double>(weight)});
            }
        }
        for (auto const& h : histograms) leaves.push_back(h.data());
        auto const found = rs::detail::find_threshold(field, leaves, scale, sign);
        CHECK(static_cast<double>(found.none) == Approx(score(cells, n_bins, scale, sign)).epsilon(1e-3).scale(1));
        double best = 0;
        for (std::size_t b = 0; b + 1 < n_bins; ++b) best = std::max(best, score(cells, b, scale, sign));
        CHECK(static_cast<double>(found.score) == Approx(best).epsilon(1e-3).scale(1));
        if (best > 0) CHECK(score(cells, found.threshold, scale, sign) == Approx(best).epsilon(1e-3).scale(1));
    }
}

TEST_CASE("leaves lighter than min_leaf_weight change nothing") {
    auto const train = rs::ingest(rows(300, 2), schema());
    auto const light = [&](rs::booster_model const& model, double least) {
        auto const& trees = model.state().trees;
        std::size_t changing = 0;
        for (std::size_t t = 0; t < trees.size(); ++t)
            for (std::size_t l = 0; l < trees.leaves(t).size(); ++l)
                changing += trees.leaves(t)[l] != 0 && static_cast<double>(trees.leaf_weights(t)[l]) < least;
        return changing;
    };
    for (auto const sampling : {rs::row_sampling::mvs, rs::row_sampling::bernoulli, rs::row_sampling::bayesian}) {
        rs::booster_options options{.trees = 20, .learning_rate = 0.2, .depth = 6, .sampling = sampling};
        CHECK(light(rs::booster(options).fit(train), 20) > 0);
        options.min_leaf_weight = 20;
        auto const model = rs::booster(options).fit(train);
        CHECK(model.n_trees() > 0);
        CHECK(light(model, 20) == 0);
    }
    CHECK(rs::booster({.trees = 5, .min_leaf_weight = 1000}).fit(train).n_trees() == 0); // more than all rows weigh
}

TEST_CASE("random strength draws other splits from the seed, the same for any number of threads") {
    auto const train = rs::ingest(rows(20000, 3), schema());
    rs::booster_options options{.trees = 10, .learning_rate = 0.2, .depth = 4, .row_share = 1};
    auto const fit = [&](std::size_t threads, std::uint64_t seed) {
        options.run.threads = threads, options.seed = seed;
        return rs::booster(options).fit(train);
    };
    auto const plain = fit(1, 1).predict_raw(train);
    CHECK(fit(1, 2).predict_raw(train) == plain); // nothing is drawn
    options.random_strength = 1;
    auto const noisy = fit(1, 1).predict_raw(train);
    CHECK(fit(2, 1).predict_raw(train) == noisy);
    CHECK(fit(7, 1).predict_raw(train) == noisy);
    options.random_strength = 1e4; // only chance is left: y, which says nothing, comes first as often as x
    auto const model = fit(1, 1);
    std::size_t first_is_y = 0;
    auto const& state = model.state();
    for (std::size_t t = 0; t < state.trees.size(); ++t)
        first_is_y += state.space.columns[state.space.features[state.trees.splits(t)[0].feature].source].name == "y";
    CHECK(first_is_y > 0);
    CHECK(first_is_y < state.trees.size());
}
