// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

namespace rs = recsys;
using doctest::Approx;

namespace {

struct group {
    std::vector<float> raw, target, weight = {};
    std::uint64_t seed = 5;
    rs::group_rows rows() const { return {raw, target, weight, seed}; }
};

/// Scores, grades 0 to 4 and, if asked, weights.
group random_group(std::size_t n, std::uint64_t seed, bool weighted) {
    rs::random_stream random(seed);
    group out;
    for (std::size_t i = 0; i < n; ++i) {
        out.raw.push_back(static_cast<float>(1.5 * random.normal())), out.target.push_back(static_cast<float>(random.below(5)));
        if (weighted) out.weight.push_back(static_cast<float>(0.2 + random.uniform()));
    }
    return out;
}

struct both {
    std::vector<float> gradient, hessian;
};
template <class Loss> both derivatives(Loss const& loss, group const& g) {
    both out{std::vector<float>(g.raw.size(), -7.f), std::vector<float>(g.raw.size(), -7.f)};
    loss.derivatives(g.rows(), out.gradient, out.hessian);
    return out;
}
double weight(group const& g, std::size_t i) { return g.weight.empty() ? 1.0 : static_cast<double>(g.weight[i]); }
double pair_weight(group const& g, std::size_t i, std::size_t j) { return std::sqrt(weight(g, i) * weight(g, j)); }

using numbers = std::vector<double>;
numbers in_double(std::vector<float> const& from) { return {from.begin(), from.end()}; }

// --- the formulas once more, straight and in double: what is to be divided by the second number ------------------

struct straight {
    double sum = 0, weight = 0;
};
straight pairwise(group const& g, numbers const& raw) {
    straight out;
    for (std::size_t i = 0; i < raw.size(); ++i)
        for (std::size_t j = 0; j < raw.size(); ++j)
            if (g.target[i] > g.target[j])
                out.sum += pair_weight(g, i, j) * std::log1p(std::exp(raw[j] - raw[i])), out.weight += pair_weight(g, i, j);
    return out;
}
straight soft_max(group const& g, numbers const& raw) {
    double all = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) all += weight(g, i) * std::exp(raw[i]);
    straight out;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        double const wt = weight(g, i) * static_cast<double>(g.target[i]);
        out.sum -= wt * std::log(weight(g, i) * std::exp(raw[i]) / all), out.weight += wt;
    }
    return out;
}
straight squares(group const& g, numbers const& raw) {
    straight out;
    double shift = 0;
    for (std::size_t i = 0; i < raw.size(); ++i)
        shift += weight(g, i) * (raw[i] - static_cast<double>(g.target[i])), out.weight += weight(g, i);
    shift /= out.weight;
    for (std::size_t i = 0; i < raw.size(); ++i) out.sum += weight(g, i) * std::pow(raw[i] - static_cast<double>(g.target[i]) - shift, 2);
    return out;
}

/// First and second derivative by the score of row i, by central differences.
std::pair<double, double> differences(std::function<straight(group const&, numbers const&)> const& loss, group const& g, std::size_t i) {
    double const step = 1e-4;
    auto raw = in_double(g.raw);
    double const middle = loss(g, raw).sum;
    raw[i] += step;
    double const above = loss(g, raw).sum;
    raw[i] -= 2 * step;
    double const below = loss(g, raw).sum;
    return {(above - below) / (2 * step), (above - 2 * middle + below) / (step * step)};
}

std::vector<std::size_t> by_score(numbers const& raw) {
    std::vector<std::size_t> order(raw.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return raw[a] > raw[b]; });
    return order;
}
double gain(float target) { return std::pow(2.0, static_cast<double>(target)) - 1; }
double discount(std::size_t place) { return 1 / std::log2(static_cast<double>(place) + 2); }
double ideal(group const& g, std::size_t k) {
    numbers gains;
    for (float const t : g.target) gains.push_back(gain(t));
    std::sort(gains.rbegin(), gains.rend());
    double sum = 0;
    for (std::size_t i = 0; i < std::min(k, gains.size()); ++i) sum += gains[i] * discount(i);
    return sum;
}

/// Lambdas as in Burges (2010), section 7: |change of NDCG| / (1 + e^(sigma (s_i - s_j))) for i better than j.
std::pair<numbers, numbers> burges(group const& g, std::size_t k, double sigma) {
    auto const raw = in_double(g.raw);
    auto const order = by_score(raw);
    numbers first(raw.size()), second(raw.size());
    for (std::size_t a = 0; a < order.size(); ++a)
        for (std::size_t b = 0; b < order.size(); ++b) {
            auto const i = order[a], j = order[b];
            if (!(g.target[i] > g.target[j]) || std::min(a, b) >= k) continue;
            double const change = std::abs((gain(g.target[i]) - gain(g.target[j])) * (discount(a) - discount(b))) / ideal(g, k);
            double const rho = 1 / (1 + std::exp(sigma * (raw[i] - raw[j]))), w = pair_weight(g, i, j) * change;
            first[i] -= sigma * w * rho, first[j] += sigma * w * rho;
            second[i] += sigma * sigma * w * rho * (1 - rho), second[j] += sigma * sigma * w * rho * (1 - rho);
        }
    return {first, second};
}

/// YetiRank with a table of the weights of all pairs, as Gulin et al. (2011), equations 3 to 5, but 0.15 decay^place for 1 / place.
std::pair<numbers, numbers> yeti(group const& g, std::size_t permutations, double decay) {
    auto const raw = in_double(g.raw);
    std::size_t const n = raw.size();
    numbers first(n), second(n), weights(n * n);
    rs::random_stream random(g.seed);
    for (std::size_t p = 0; p < permutations; ++p) {
        numbers noisy = raw;
        for (auto& score : noisy) {
            double const u = (static_cast<double>(random.bits() >> 41) + 0.5) / 8388608;
            score += std::log(u / (1 - u));
        }
        auto const order = by_score(noisy);
        for (std::size_t place = 0; place + 1 < n; ++place) {
            auto const i = order[place], j = order[place + 1];
            double const w =
                0.15 * std::pow(decay, static_cast<double>(place)) * std::abs(g.target[i] - g.target[j]) * pair_weight(g, i, j);
            (g.target[i] > g.target[j] ? weights[i * n + j] : weights[j * n + i]) += w / static_cast<double>(permutations);
        }
    }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            double const rho = 1 / (1 + std::exp(raw[i] - raw[j])), w = weights[i * n + j];
            first[i] -= w * rho, first[j] += w * rho;
            second[i] += w * rho * (1 - rho), second[j] += w * rho * (1 - rho);
        }
    return {first, second};
}

/// @param factor  derivatives are those of so many times the value; @param second  whether the second one is meant to be exact.
template <class Loss> void check_by_differences(Loss const& loss, std::function<straight(group const&, numbers const&)> const& formula,
                                                double factor, bool second) {
    for (std::size_t n : {2u, 3u, 17u, 40u})
        for (bool const weighted : {false, true}) {
            auto const g = random_group(n, 10 + n, weighted);
            auto const d = derivatives(loss, g);
            auto const expected = formula(g, in_double(g.raw));
            rs::loss_total const total = loss.total(g.rows());
            CHECK(total.sum == Approx(expected.sum).epsilon(1e-5));
            CHECK(total.weight == Approx(expected.weight).epsilon(1e-5));
            for (std::size_t i = 0; i < n; ++i) {
                auto const [first_derivative, second_derivative] = differences(formula, g, i);
                CHECK(static_cast<double>(d.gradient[i]) == Approx(factor * first_derivative).epsilon(1e-4).scale(1));
                if (second) CHECK(static_cast<double>(d.hessian[i]) == Approx(factor * second_derivative).epsilon(1e-4).scale(1));
            }
        }
}

void check_equal(both const& ours, std::pair<numbers, numbers> const& expected, double tolerance) {
    for (std::size_t i = 0; i < ours.gradient.size(); ++i) {
        CHECK(static_cast<double>(ours.gradient[i]) == Approx(expected.first[i]).epsilon(tolerance).scale(1));
        CHECK(static_cast<double>(ours.hessian[i]) == Approx(expected.second[i]).epsilon(tolerance).scale(1));
    }
}

/// f(name, loss) for every loss of groups.
template <class Function> void for_losses(Function const& f) {
    f("pairwise_logit", rs::pairwise_logit{}), f("lambda_mart", rs::lambda_mart{}), f("yeti_rank", rs::yeti_rank{});
    f("query_soft_max", rs::query_soft_max{}), f("query_rmse", rs::query_rmse{});
}

struct row {
    float x = 0, noise = 0, target = 0, weight = 1;
    int query = 0;
};
auto schema() {
    return rs::rows<row>().number("x", &row::x).number("noise", &row::noise).target(&row::target).weight(&row::weight).group(&row::query);
}
/// Queries of 1 to 40 rows with levels of their own; x says something of the grade.
std::vector<row> queries(std::size_t n, std::uint64_t seed) {
    rs::random_stream random(seed);
    std::vector<row> out;
    for (int query = 0; out.size() < n; ++query) {
        auto const level = static_cast<float>(random.normal());
        for (std::size_t left = 1 + random.below(40); left > 0; --left) {
            row r;
            r.query = query, r.x = static_cast<float>(random.normal()), r.noise = level;
            double const grade = 1 + 1.2 * static_cast<double>(r.x) + 0.7 * random.normal();
            r.target = static_cast<float>(std::clamp(std::floor(grade), 0.0, 4.0));
            out.push_back(r);
        }
    }
    return out;
}
double mean_ndcg(numbers const& raw, std::vector<row> const& rows) {
    std::vector<int> ids;
    numbers gains;
    for (auto const& r : rows) ids.push_back(r.query), gains.push_back(gain(r.target));
    return rs::grouped_ndcg(ids, raw, gains, 10);
}

}

TEST_CASE("pairwise logit, QuerySoftMax and QueryRMSE have the derivatives of their own value, by differences in double") {
    check_by_differences(rs::pairwise_logit{}, pairwise, 1, true);
    check_by_differences(rs::query_soft_max{.lambda = 0}, soft_max, 1, true);
    check_by_differences(rs::query_rmse{}, squares, 0.5, false);
}

TEST_CASE("QueryRMSE has the second derivative of squared error with the shift held") {
    auto const g = random_group(5, 3, true);
    CHECK(derivatives(rs::query_rmse{}, g).hessian == g.weight);
}

TEST_CASE("LambdaMART without LightGBM's normalisation is the published formula") {
    for (std::size_t n : {2u, 3u, 17u, 50u})
        for (std::size_t k : {1u, 5u, 100u})
            for (bool const weighted : {false, true}) {
                auto const g = random_group(n, n + k, weighted);
                if (!(ideal(g, k) > 0)) continue;
                check_equal(derivatives(rs::lambda_mart{.k = k, .sigma = 1.5, .normalize = false}, g), burges(g, k, 1.5), 1e-5);
            }
}

TEST_CASE("LambdaMART gives what LightGBM 4.7.0 gives") {
    // One tree at learning rate 1 on x = 0, 1, ..., 9 with these scores as init_score, min_data_in_leaf 1, no lower bound of Hessians:
    // leaf_value = - sum of gradients / sum of Hessians, leaf_weight = sum of Hessians. A leaf has one row or two that follow each other.
    struct leaf {
        std::size_t rows;
        double value, weight;
    };
    struct run {
        std::size_t k;
        bool normalize;
        std::vector<leaf> leaves;
    };
    std::vector<run> const runs{{30,
                                 true,
                                 {{1, -2.964493, 0.078476},
                                  {1, 2.697096, 0.062292},
                                  {1, -2.470899, 0.080876},
                                  {1, -2.226858, 0.042122},
                                  {1, 4.525656, 0.087211},
                                  {1, -0.805237, 0.045223},
                                  {1, 0.595829, 0.129772},
                                  {1, -3.111959, 0.140719},
                                  {1, 3.007973, 0.17164},
                                  {1, -2.092394, 0.074411}}},
                                {30,
                                 false,
                                 {{1, -3.496755, 0.063676},
                                  {1, 3.060615, 0.051534},
                                  {2, -3.526023, 0.128537},
                                  {1, 4.831372, 0.121332},
                                  {1, -2.453963, 0.027727},
                                  {1, 0.142193, 0.059269},
                                  {1, -3.26448, 0.121087},
                                  {2, 2.425193, 0.159516}}},
                                {2,
                                 true,
                                 {{1, -2.964493, 0.092305},
                                  {1, 3.484417, 0.045594},
                                  {2, -2.325904, 0.110863},
                                  {1, 5.206136, 0.064683},
                                  {2, 0.768235, 0.152284},
                                  {1, -3.111959, 0.147616},
                                  {2, 2.128914, 0.177679}}},
                                {2,
                                 false,
                                 {{1, -3.496755, 0.07034},
                                  {1, 3.594178, 0.044093},
                                  {2, -3.617315, 0.123907},
                                  {1, 5.319743, 0.099177},
                                  {2, 0.262633, 0.062913},
                                  {1, -3.26448, 0.121087},
                                  {2, 2.941606, 0.131512}}}};
    group const a{{.5f, -.2f, .9f, .1f, -.7f, .3f}, {0, 2, 1, 0, 3, 1}}, b{{.4f, .8f, -.1f, .2f}, {1, 0, 2, 0}};
    for (auto const& one : runs) {
        rs::lambda_mart const loss{.k = one.k, .normalize = one.normalize};
        auto d = derivatives(loss, a);
        auto const more = derivatives(loss, b);
        d.gradient.insert(d.gradient.end(), more.gradient.begin(), more.gradient.end());
        d.hessian.insert(d.hessian.end(), more.hessian.begin(), more.hessian.end());
        std::size_t at = 0;
        for (auto const& l : one.leaves) {
            double g = 0, h = 0;
            for (std::size_t i = 0; i < l.rows; ++i, ++at)
                g += static_cast<double>(d.gradient[at]), h += static_cast<double>(d.hessian[at]);
            CHECK(h == Approx(l.weight).epsilon(3e-5));
            CHECK(-g / h == Approx(l.value).epsilon(1e-4));
        }
        REQUIRE(at == 10);
    }
}

TEST_CASE("YetiRank is the published formula over the same noise") {
    for (std::size_t n : {2u, 3u, 20u, 60u})
        for (bool const weighted : {false, true}) {
            auto const g = random_group(n, n, weighted);
            check_equal(derivatives(rs::yeti_rank{.permutations = 7, .decay = 0.9}, g), yeti(g, 7, 0.9), 1e-5);
        }
    // Two rows are always neighbours on the first places.
    group const two{{1, 0}, {0, 1}};
    auto const d = derivatives(rs::yeti_rank{}, two);
    double const rho = 1 / (1 + std::exp(-1.0));
    CHECK(static_cast<double>(d.gradient[1]) == Approx(-0.15 * rho));
    CHECK(static_cast<double>(d.gradient[0]) == Approx(0.15 * rho));
    CHECK(static_cast<double>(d.hessian[0]) == Approx(0.15 * rho * (1 - rho)));
}

TEST_CASE("values by hand: NDCG of LambdaMART and YetiRank, cross entropy, error after the best shift") {
    group const g{{3, 2, 1}, {1, 0, 2}};
    double const best = 3 + 1 / std::log2(3.0), there = 1 + 3 * 0.5;
    CHECK(rs::lambda_mart{}.total(g.rows()).sum == Approx(1 - there / best));
    CHECK(rs::lambda_mart{.k = 1}.total(g.rows()).sum == Approx(1 - 1.0 / 3));
    CHECK(rs::yeti_rank{}.total(g.rows()).sum == Approx(1 - (1 + 2 * 0.5) / (2 + 1 / std::log2(3.0))));
    group const even{{4, 4, 4, 4}, {0, 1, 0, 0}};
    CHECK(rs::query_soft_max{}.total(even.rows()).sum == Approx(std::log(4.0)));
    group const shifted{{11, 12, 14}, {1, 2, 3}};
    CHECK(rs::query_rmse{}.total(shifted.rows()).sum == Approx((1 + 1 + 4) / 9.0));
    // Nothing to gain does not count.
    CHECK(rs::lambda_mart{}.total(group{{1, 2}, {0, 0}}.rows()).weight == 0);
}

TEST_CASE("groups of one row and of equal targets have no gradient, a weight of the whole group is a factor") {
    for_losses([](std::string const& name, auto const& loss) {
        CAPTURE(name);
        for (float const g : derivatives(loss, group{{3}, {2}}).gradient) CHECK(g == 0);
        auto const same = derivatives(loss, group{{1, 1, 1}, {2, 2, 2}});
        for (float const g : same.gradient) CHECK(g == Approx(0).scale(1));
        if (name != "query_soft_max" && name != "query_rmse")
            for (float const g : derivatives(loss, group{{3, 1, 2}, {2, 2, 2}}).gradient) CHECK(g == 0);
        auto g = random_group(9, 4, false);
        auto const plain = derivatives(loss, g);
        auto const total = loss.total(g.rows());
        g.weight.assign(9, 2.5f);
        auto const heavy = derivatives(loss, g);
        CHECK(loss.total(g.rows()).sum / loss.total(g.rows()).weight == Approx(total.sum / total.weight));
        for (std::size_t i = 0; i < 9; ++i) {
            CHECK(heavy.gradient[i] == Approx(2.5f * plain.gradient[i]).epsilon(1e-4));
            CHECK(heavy.hessian[i] == Approx(2.5f * plain.hessian[i]).epsilon(1e-4));
        }
    });
}

TEST_CASE("scores far apart and large groups give finite derivatives") {
    for_losses([](std::string const& name, auto const& loss) {
        CAPTURE(name);
        auto g = random_group(700, 8, false);
        for (std::size_t i = 0; i < g.raw.size(); i += 3) g.raw[i] *= 1e4f;
        auto const d = derivatives(loss, g);
        for (std::size_t i = 0; i < g.raw.size(); ++i) {
            CHECK(std::isfinite(d.gradient[i]));
            CHECK(d.hessian[i] >= 0);
        }
        CHECK(std::isfinite(loss.total(g.rows()).sum));
    });
}

TEST_CASE("every ranking loss orders new queries by what it learnt") {
    auto const train = queries(3000, 1), test = queries(1500, 2);
    auto const rows = rs::ingest(train, schema());
    numbers by_x, flat(test.size(), 0);
    for (auto const& r : test) by_x.push_back(static_cast<double>(r.x));
    double const most = mean_ndcg(by_x, test); // grades follow x and noise: no model can order better than x
    REQUIRE(mean_ndcg(flat, test) < 0.8 * most);
    for_losses([&](std::string const& name, auto const& loss) {
        CAPTURE(name);
        auto const model = rs::booster({.loss = loss, .trees = 40, .learning_rate = 0.2, .depth = 3}).fit(rows);
        CHECK(model.start() == 0);
        CHECK(model.report().loss.back() < model.report().loss.front());
        CHECK(mean_ndcg(model.predict_raw(rs::ingest(test, schema())), test) > 0.98 * most);
    });
}

TEST_CASE("the same bytes for 1, 2 and 7 threads: groups stay whole and draw for themselves") {
    auto const rows = rs::ingest(queries(60000, 3), schema());
    for_losses([&](std::string const& name, auto const& loss) {
        CAPTURE(name);
        rs::booster_options options{.loss = loss, .trees = 4, .learning_rate = 0.3, .depth = 4};
        auto const fit = [&](std::size_t threads) {
            options.run.threads = threads;
            return rs::booster(options).fit(rows).predict_raw(rows);
        };
        auto const one = fit(1);
        CHECK(fit(2) == one);
        CHECK(fit(7) == one);
    });
}

TEST_CASE("c42 rows of a group must be neighbours, and a ranking loss needs groups") {
    std::vector<row> rows(3);
    rows[0].query = 1, rows[1].query = 2, rows[2].query = 1, rows[1].target = 1;
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::ingest(rows, schema())), doctest::Contains("row 2"), rs::data_error);
    auto const without = rs::rows<row>().number("x", &row::x).target(&row::target);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::booster({.loss = rs::lambda_mart{}}).fit(rs::ingest(rows, without))),
                         doctest::Contains("the training rows have no groups"), rs::data_error);
    auto const good = rs::ingest(queries(200, 1), schema());
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::booster({.loss = rs::yeti_rank{}}).fit(good, rs::ingest(rows, without))),
                         doctest::Contains("the validation rows have no groups"), rs::data_error);
}

TEST_CASE("targets and options that a ranking loss does not know are errors that name row and value") {
    auto rows = queries(50, 1);
    auto const fit = [&](rs::loss loss, float target) {
        rows[7].target = target;
        return rs::booster({.loss = std::move(loss), .trees = 2}).fit(rs::ingest(rows, schema()));
    };
    for (float const target : {-1.f, 0.5f, 31.f, NAN})
        CHECK_THROWS_WITH_AS(static_cast<void>(fit(rs::lambda_mart{}, target)), doctest::Contains("row 7"), rs::data_error);
    for (float const target : {-1.f, NAN, INFINITY}) {
        CHECK_THROWS_WITH_AS(static_cast<void>(fit(rs::yeti_rank{}, target)), doctest::Contains("row 7"), rs::data_error);
        CHECK_THROWS_WITH_AS(static_cast<void>(fit(rs::query_soft_max{}, target)), doctest::Contains("row 7"), rs::data_error);
    }
    CHECK_THROWS_WITH_AS(rs::booster({.loss = rs::lambda_mart{.k = 0}}), doctest::Contains("lambda_mart: k must be"), rs::option_error);
    CHECK_THROWS_WITH_AS(rs::booster({.loss = rs::lambda_mart{.sigma = 0}}), doctest::Contains("lambda_mart: sigma must be"),
                         rs::option_error);
    CHECK_THROWS_WITH_AS(rs::booster({.loss = rs::yeti_rank{.permutations = 0}}), doctest::Contains("yeti_rank: permutations must be"),
                         rs::option_error);
    CHECK_THROWS_WITH_AS(rs::booster({.loss = rs::yeti_rank{.decay = 1.5}}), doctest::Contains("yeti_rank: decay must be"),
                         rs::option_error);
    CHECK_THROWS_WITH_AS(rs::booster({.loss = rs::query_soft_max{.beta = NAN}}), doctest::Contains("query_soft_max: beta must be"),
                         rs::option_error);
    CHECK_THROWS_WITH_AS(rs::booster({.loss = rs::query_soft_max{.lambda = -1}}), doctest::Contains("query_soft_max: lambda must be"),
                         rs::option_error);
}

TEST_CASE("one group, and groups without a difference, are learnt from or left alone") {
    auto rows = queries(30, 6);
    for (auto& r : rows) r.query = 0;
    CHECK(rs::booster({.loss = rs::lambda_mart{}, .trees = 5, .depth = 2}).fit(rs::ingest(rows, schema())).n_trees() == 5);
    for (auto& r : rows) r.target = 2;
    for_losses([&](std::string const& name, auto const& loss) {
        CAPTURE(name);
        auto const model = rs::booster({.loss = loss, .trees = 5, .depth = 2}).fit(rs::ingest(rows, schema()));
        for (double const raw : model.predict_raw(rs::ingest(rows, schema()))) CHECK(raw == Approx(0).scale(1));
    });
}

TEST_CASE("rows of weight zero are no part of their group") {
    auto rows = queries(400, 9);
    std::vector<row> fewer;
    for (std::size_t i = 0; i < rows.size(); ++i) i % 4 == 0 ? static_cast<void>(rows[i].weight = 0) : fewer.push_back(rows[i]);
    auto const asked = rs::ingest(queries(100, 10), schema());
    for_losses([&](std::string const& name, auto const& loss) {
        CAPTURE(name);
        rs::booster const trainer({.loss = loss, .trees = 5, .learning_rate = 0.3, .depth = 3});
        CHECK(trainer.fit(rs::ingest(rows, schema())).predict_raw(asked) == trainer.fit(rs::ingest(fewer, schema())).predict_raw(asked));
    });
}

namespace {

/// The best row of a group against all others: a user's own loss of groups.
struct winner_takes_all {
    rs::loss_total total(rs::group_rows const& rows) const {
        auto const best = std::max_element(rows.target.begin(), rows.target.end()) - rows.target.begin();
        double sum = 0;
        for (float const s : rows.raw) sum += std::log1p(std::exp(static_cast<double>(s - rows.raw[static_cast<std::size_t>(best)])));
        return {sum, 1};
    }
    void derivatives(rs::group_rows const& rows, std::span<float> gradient, std::span<float> hessian) const {
        auto const best = static_cast<std::size_t>(std::max_element(rows.target.begin(), rows.target.end()) - rows.target.begin());
        std::fill(gradient.begin(), gradient.end(), 0.f), std::fill(hessian.begin(), hessian.end(), 0.f);
        for (std::size_t i = 0; i < rows.raw.size(); ++i) {
            if (i == best) continue;
            float const p = 1 / (1 + std::exp(rows.raw[best] - rows.raw[i]));
            gradient[i] += p, gradient[best] -= p, hessian[i] += p * (1 - p), hessian[best] += p * (1 - p);
        }
    }
};

}

TEST_CASE("a loss of groups of the user's own is followed") {
    auto const test = queries(1500, 2);
    auto const model = rs::booster({.loss = winner_takes_all{}, .trees = 40, .learning_rate = 0.2, .depth = 3})
                           .fit(rs::ingest(queries(3000, 1), schema()));
    CHECK(mean_ndcg(model.predict_raw(rs::ingest(test, schema())), test) > 0.85);
}
