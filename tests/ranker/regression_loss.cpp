// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

namespace rs = recsys;
using doctest::Approx;

namespace {

struct row {
    float x = 0, y = 0, target = 0, weight = 1;
};
auto schema() { return rs::rows<row>().number("x", &row::x).number("y", &row::y).target(&row::target).weight(&row::weight); }

/// A curve in x with noise that is wide on one side; y says nothing.
std::vector<row> curve(std::size_t n, std::uint64_t seed, float scale = 1) {
    rs::random_stream random(seed);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        row r;
        r.x = static_cast<float>(random.uniform()), r.y = static_cast<float>(random.normal());
        r.target = scale * (std::sin(5 * r.x) + 0.5f * static_cast<float>(random.exponential()));
        out.push_back(r);
    }
    return out;
}
std::vector<row> counts(std::size_t n, std::uint64_t seed) {
    rs::random_stream random(seed);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        row r;
        r.x = static_cast<float>(random.uniform()), r.y = static_cast<float>(random.normal());
        double const rate = std::exp(1 + 2 * static_cast<double>(r.x));
        for (double at = random.exponential(); at < rate; at += random.exponential()) ++r.target; // a Poisson process up to `rate`
        out.push_back(r);
    }
    return out;
}

double pinball(std::vector<std::pair<float, float>> const& values, double q, double alpha) {
    double sum = 0;
    for (auto const& [value, weight] : values) {
        double const d = static_cast<double>(value) - q;
        sum += static_cast<double>(weight) * (d > 0 ? alpha * d : (alpha - 1) * d);
    }
    return sum;
}

rs::booster_options plain(rs::loss loss, std::size_t trees, double rate, std::size_t depth) {
    return {.loss = std::move(loss),
            .trees = trees,
            .learning_rate = rate,
            .depth = depth,
            .sampling = rs::row_sampling::bernoulli,
            .row_share = 1};
}

/// Mean loss by a loss' own value.
template <class Loss> double value(Loss const& loss, std::vector<double> const& raw, std::vector<row> const& rows) {
    std::vector<float> scores, targets;
    for (std::size_t i = 0; i < rows.size(); ++i) scores.push_back(static_cast<float>(raw[i])), targets.push_back(rows[i].target);
    return loss.value(scores, targets);
}

template <class Loss> void check_derivatives(Loss const& loss, bool second) {
    for (float const target : {0.f, 0.7f, 3.f})
        for (float const raw : {-2.f, -0.4f, 0.3f, 1.9f}) {
            float gradient = 0, hessian = 0, step = 1e-2f;
            loss.derivatives({&raw, 1}, {&target, 1}, {&gradient, 1}, {&hessian, 1});
            auto const at = [&](float score) { return loss.value({&score, 1}, {&target, 1}); };
            CHECK(static_cast<double>(gradient) == Approx((at(raw + step) - at(raw - step)) / 0.02).epsilon(2e-3));
            if (second) CHECK(static_cast<double>(hessian) == Approx((at(raw + step) - 2 * at(raw) + at(raw - step)) / 1e-4).epsilon(2e-2));
        }
}

}

TEST_CASE("weighted quantiles make the pinball loss least; of several the middle is taken") {
    rs::random_stream random(1);
    for (int trial = 0; trial < 300; ++trial) {
        std::vector<std::pair<float, float>> values(1 + random.below(9));
        for (auto& [value, weight] : values)
            value = static_cast<float>(random.below(6)), weight = trial % 2 ? 1.f : static_cast<float>(1 + random.below(3));
        double const alpha = trial % 3 == 0 ? 0.5 : 0.05 + 0.9 * random.uniform();
        auto sorted = values;
        double const q = rs::detail::weighted_quantile(sorted, alpha), loss = pinball(values, q, alpha);
        for (auto const& v : values) CHECK(loss <= pinball(values, static_cast<double>(v.first), alpha) + 1e-9);
    }
    std::vector<std::pair<float, float>> even{{4, 1}, {1, 1}, {3, 1}, {2, 1}};
    CHECK(rs::detail::weighted_quantile(even, 0.5) == 2.5);
    CHECK(rs::detail::weighted_quantile(even, 0.25) == 1.5);
    CHECK(rs::detail::weighted_quantile(even, 0.3) == 2);
    // Cormen et al., Introduction to Algorithms, problem 9-2: weights that are the elements themselves.
    std::vector<std::pair<float, float>> known{{.1f, .1f}, {.35f, .35f}, {.05f, .05f}, {.1f, .1f}, {.15f, .15f}, {.05f, .05f}, {.2f, .2f}};
    CHECK(rs::detail::weighted_quantile(known, 0.5) == Approx(0.2));
}

TEST_CASE("derivatives are those of the value, by differences") {
    check_derivatives(rs::quantile{.alpha = 0.8}, false);
    check_derivatives(rs::mae{}, false);
    check_derivatives(rs::poisson{}, true);
}

TEST_CASE("starts and leaves of quantiles and of rates are the best constants, found by trying") {
    auto rows = curve(400, 2);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].weight = static_cast<float>(1 + i % 3);
    auto const frame = rs::ingest(rows, schema());
    rs::quantile const loss{.alpha = 0.7};
    auto const start = rs::booster(plain(loss, 0, 1, 2)).fit(frame).start();
    auto const raw = rs::booster(plain(loss, 1, 1, 2)).fit(frame).predict_raw(frame);
    std::map<double, std::vector<std::pair<float, float>>> leaves;
    std::vector<std::pair<float, float>> all;
    for (std::size_t i = 0; i < rows.size(); ++i)
        leaves[raw[i]].emplace_back(rows[i].target, rows[i].weight), all.emplace_back(rows[i].target, rows[i].weight);
    for (auto const& v : all) CHECK(pinball(all, start, 0.7) <= pinball(all, static_cast<double>(v.first), 0.7) + 1e-9);
    CHECK(leaves.size() >= 3);
    for (auto const& [prediction, of_leaf] : leaves) {
        double best = 1e300;
        for (auto const& v : of_leaf) best = std::min(best, pinball(of_leaf, static_cast<double>(v.first), 0.7));
        CHECK(pinball(of_leaf, prediction, 0.7) <= best * (1 + 1e-4)); // the fixed point
    }

    auto counted = counts(400, 3);
    auto const count_frame = rs::ingest(counted, schema());
    auto options = plain(rs::poisson{}, 1, 1, 2);
    options.l2 = 0;
    auto const model = rs::booster(options).fit(count_frame);
    auto const rates = model.predict(count_frame);
    std::map<float, std::pair<double, double>> means;
    for (std::size_t i = 0; i < counted.size(); ++i)
        means[rates[i]].first += static_cast<double>(counted[i].target), means[rates[i]].second += 1;
    CHECK(means.size() >= 3);
    for (auto const& [rate, sums] : means) CHECK(static_cast<double>(rate) == Approx(sums.first / sums.second).epsilon(1e-3));
}

TEST_CASE("l2 keeps a rate near where it was") {
    std::vector<row> const rows{{0, 0, 8, 1}, {0, 0, 8, 1}, {1, 0, 0, 1}, {1, 0, 0, 1}};
    auto options = plain(rs::poisson{}, 1, 1, 1);
    options.l2 = 3;
    auto const p = rs::booster(options).fit(rs::ingest(rows, schema())).predict(rs::ingest(rows, schema()));
    // The mean is 4: leaves are (16 + 3 * 4) / (8 + 3 * 4) and (0 + 3 * 4) / (8 + 3 * 4) times that.
    CHECK(p[0] == Approx(4 * 28. / 20).epsilon(1e-3));
    CHECK(p[2] == Approx(4 * 12. / 20).epsilon(1e-3));
    options.l2 = 0; // a leaf without any count has a rate of 0, which has no logarithm
    auto const q = rs::booster(options).fit(rs::ingest(rows, schema())).predict(rs::ingest(rows, schema()));
    CHECK(q[0] == Approx(8).epsilon(1e-3));
    CHECK(q[2] > 0);
    CHECK(q[2] < 0.03f);
}

TEST_CASE("the absolute error of a fit is near that of the true median, at any scale of the targets") {
    for (float const scale : {1e-6f, 1.f, 1e6f}) {
        auto const train = curve(4000, 4, scale), test = curve(4000, 5, scale);
        auto const model =
            rs::booster({.loss = rs::mae{}, .trees = 150, .learning_rate = 0.1, .depth = 4}).fit(rs::ingest(train, schema()));
        double ours = 0, best = 0;
        auto const raw = model.predict_raw(rs::ingest(test, schema()));
        for (std::size_t i = 0; i < test.size(); ++i) {
            double const target = static_cast<double>(test[i].target), s = static_cast<double>(scale);
            ours += std::abs(target - raw[i]),
                best += std::abs(target - s * (std::sin(5 * static_cast<double>(test[i].x)) + 0.5 * std::log(2.0)));
        }
        CHECK(ours < 1.03 * best);
        CHECK(model.report().loss.back() == Approx(value(rs::mae{}, model.predict_raw(rs::ingest(train, schema())), train)).epsilon(1e-3));
    }
}

TEST_CASE("a share alpha of new targets lies below a quantile") {
    auto const train = curve(4000, 6), test = curve(4000, 7);
    for (double const alpha : {0.1, 0.9}) {
        auto const model = rs::booster({.loss = rs::quantile{.alpha = alpha}, .trees = 100, .learning_rate = 0.1, .depth = 4})
                               .fit(rs::ingest(train, schema()));
        auto const raw = model.predict_raw(rs::ingest(test, schema()));
        double below = 0;
        for (std::size_t i = 0; i < test.size(); ++i) below += static_cast<double>(test[i].target) < raw[i] ? 1 : 0;
        CHECK(below / 4000 == Approx(alpha).epsilon(0.03).scale(1));
    }
}

TEST_CASE("rates of counts are found; they are saved as rates, and one row gives what a frame gives") {
    auto const train = counts(4000, 8), test = counts(4000, 9);
    auto const model =
        rs::booster({.loss = rs::poisson{}, .trees = 100, .learning_rate = 0.1, .depth = 3}).fit(rs::ingest(train, schema()));
    auto const p = model.predict(rs::ingest(test, schema()));
    double error = 0;
    for (std::size_t i = 0; i < test.size(); ++i)
        error += std::abs(static_cast<double>(p[i]) / std::exp(1 + 2 * static_cast<double>(test[i].x)) - 1) / 4000;
    CHECK(error < 0.05);
    CHECK(model.output() == rs::output_kind::rate);
    CHECK(static_cast<float>(model.predictor(schema())(test[0])) == p[0]);
    rs::save("rates_test.rsm", model);
    CHECK(rs::load<rs::booster_model>("rates_test.rsm").predict(rs::ingest(test, schema())) == p);
    std::remove("rates_test.rsm");
}

TEST_CASE("leaves that are renewed are the same for 1, 2 and 7 threads") {
    for (rs::loss const& loss : {rs::loss(rs::mae{}), rs::loss(rs::poisson{})}) {
        auto const rows = rs::ingest(counts(60000, 10), schema());
        rs::booster_options options{.loss = loss, .trees = 5, .learning_rate = 0.3, .depth = 4};
        auto const fit = [&](std::size_t threads) {
            options.run.threads = threads;
            return rs::booster(options).fit(rows).predict_raw(rows);
        };
        auto const one = fit(1);
        CHECK(fit(2) == one);
        CHECK(fit(7) == one);
    }
}

TEST_CASE("weight 2 is the row twice, weight 0 no row") {
    auto rows = curve(300, 11);
    std::vector<row> twice;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].weight = static_cast<float>(i % 3);
        row one = rows[i];
        one.weight = 1;
        for (std::size_t k = 0; k < i % 3; ++k) twice.push_back(one);
    }
    auto const asked = rs::ingest(curve(100, 12), schema());
    auto const options = plain(rs::quantile{.alpha = 0.3}, 10, 0.3, 3);
    auto const a = rs::booster(options).fit(rs::ingest(rows, schema())).predict_raw(asked),
               b = rs::booster(options).fit(rs::ingest(twice, schema())).predict_raw(asked);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).epsilon(1e-4));
}

TEST_CASE("targets and options out of range are errors that name them") {
    auto rows = counts(20, 13);
    auto const fit = [&](rs::loss loss) { return rs::booster({.loss = std::move(loss), .trees = 2}).fit(rs::ingest(rows, schema())); };
    rows[4].target = -1;
    CHECK_THROWS_WITH_AS(static_cast<void>(fit(rs::poisson{})), doctest::Contains("poisson: the target of row 4 (from 0) is -1"),
                         rs::data_error);
    rows[4].target = NAN;
    CHECK_THROWS_WITH_AS(static_cast<void>(fit(rs::mae{})), doctest::Contains("row 4"), rs::data_error);
    rows[4].target = 1, rows[4].weight = INFINITY;
    CHECK_THROWS_WITH_AS(static_cast<void>(fit(rs::mae{})), doctest::Contains("the weight of row 4"), rs::data_error);
    rows[4].weight = 1;
    for (auto& r : rows) r.target = 0;
    CHECK_THROWS_WITH_AS(static_cast<void>(fit(rs::poisson{})), doctest::Contains("every target is 0"), rs::data_error);
    CHECK(fit(rs::mae{}).predict(rs::ingest(rows, schema()))[0] == 0);
    CHECK_THROWS_WITH_AS(static_cast<void>(fit(rs::quantile{.alpha = 1})), doctest::Contains("alpha must be in (0, 1), got 1"),
                         rs::option_error);
    CHECK(rs::booster({.loss = rs::mae{}, .trees = 3}).fit(rs::ingest(counts(1, 14), schema())).n_trees() == 0); // one row
}
