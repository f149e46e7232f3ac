// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rs = recsys;
using doctest::Approx;

namespace {

struct row {
    float x = 0, y = 0;
    int colour = 0;
    float label = 0, weight = 1;
    std::array<float, 3> baseline = {};
};
constexpr std::array<int, 3> labels{2, 7, 30};

auto schema() { return rs::rows<row>().number("x", &row::x).number("y", &row::y).category("colour", &row::colour).target(&row::label); }
auto with_baseline() { return schema().baseline(&row::baseline); }

/// Three classes of uneven size; the colour says as much as the numbers; some numbers are missing.
std::vector<row> rows(std::size_t n, std::uint64_t seed, int n_colours = 40) {
    rs::random_stream random(seed);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        row r;
        r.x = static_cast<float>(random.normal()), r.y = static_cast<float>(random.normal());
        r.colour = static_cast<int>(random.below(static_cast<std::uint64_t>(n_colours)));
        double const z[3] = {1 + 1.2 * static_cast<double>(r.x), r.colour % 4 == 0 ? 2.0 : 0.0, r.x > 0 ? static_cast<double>(r.y) : -0.5};
        double all = 0, drawn = random.uniform();
        for (double const s : z) all += std::exp(s);
        std::size_t c = 0;
        for (drawn *= all; c < 2 && drawn > std::exp(z[c]); ++c) drawn -= std::exp(z[c]);
        r.label = static_cast<float>(labels[c]);
        if (random.below(15) == 0) r.y = std::numeric_limits<float>::quiet_NaN();
        out.push_back(r);
    }
    return out;
}
rs::frame frame(std::size_t n, std::uint64_t seed) { return rs::ingest(rows(n, seed), schema()); }

std::size_t place(float label) {
    return static_cast<std::size_t>(std::find(labels.begin(), labels.end(), static_cast<int>(label)) - labels.begin());
}
double log_loss(std::vector<float> const& shares, std::vector<row> const& of) {
    double sum = 0;
    for (std::size_t i = 0; i < of.size(); ++i) sum -= std::log(static_cast<double>(shares[3 * i + place(of[i].label)]));
    return sum / static_cast<double>(of.size());
}
rs::booster_options options(std::size_t trees, double rate = 0.2) {
    return {.loss = rs::multi_class{}, .trees = trees, .learning_rate = rate, .depth = 4};
}
template <class Function> void check_refused(char const* words, Function const& f) {
    CHECK_THROWS_WITH_AS(f(), doctest::Contains(words), rs::error);
}

/// -log of the softmax of one row, in double.
double loss_of(std::vector<double> const& raw, std::size_t label) {
    double sum = 0;
    for (double const r : raw) sum += std::exp(r);
    return std::log(sum) - raw[label];
}

}

TEST_CASE("values and derivatives are those of softmax cross-entropy, by finite differences") {
    for (auto const level : {rs::detail::simd_level::portable, rs::detail::simd_level::avx2}) {
        if (!rs::detail::has_simd_level(level)) continue;
        rs::detail::force_simd_level(level);
        rs::random_stream random(3);
        for (std::size_t const k : {2u, 3u, 11u})
            for (std::size_t const n : {1u, 7u, 16u, 37u}) {
                std::vector<float> raw(k * n), target(n), values(n), g(k * n), h(k * n);
                for (auto& r : raw) r = static_cast<float>(3 * random.normal());
                for (auto& t : target) t = static_cast<float>(random.below(k));
                rs::class_rows const given{raw, target, k};
                rs::multi_class const loss;
                loss.values(given, values), loss.derivatives(given, g, h);
                for (std::size_t i = 0; i < n; ++i) {
                    std::vector<double> of(k);
                    for (std::size_t c = 0; c < k; ++c) of[c] = static_cast<double>(raw[c * n + i]);
                    auto const label = static_cast<std::size_t>(target[i]);
                    double const here = loss_of(of, label), step = 1e-4;
                    CHECK(static_cast<double>(values[i]) == Approx(here).epsilon(2e-6));
                    for (std::size_t c = 0; c < k; ++c) {
                        auto moved = of;
                        moved[c] += step;
                        double const up = loss_of(moved, label);
                        moved[c] -= 2 * step;
                        double const down = loss_of(moved, label), factor = static_cast<double>(k) / static_cast<double>(k - 1);
                        CHECK(static_cast<double>(g[c * n + i]) == Approx((up - down) / (2 * step)).epsilon(1e-5).scale(1));
                        CHECK(static_cast<double>(h[c * n + i]) ==
                              Approx(factor * (up - 2 * here + down) / (step * step)).epsilon(1e-5).scale(1));
                    }
                }
            }
    }
    rs::detail::force_simd_level(std::nullopt);
    // Scores that no float's exponential can hold.
    std::vector<float> const raw{500, -500, 0}, target{1};
    std::vector<float> value(1), g(3), h(3);
    rs::multi_class().values({raw, target, 3}, value), rs::multi_class().derivatives({raw, target, 3}, g, h);
    CHECK(value[0] == 1000);
    CHECK(g == std::vector<float>{1, -1, 0});
    CHECK(h == std::vector<float>{0, 0, 0});
}

TEST_CASE("stumps are those of a brute-force twin in double") {
    // One number of few values, all rows in every tree: for each class, or for a mixture of all, the threshold of the best cosine score, then
    // Newton steps.
    bool own_splits = false;
    SUBCASE("splits for all classes") {}
    SUBCASE("splits of each class") { own_splits = true; }
    struct twin_row {
        float x;
        int label;
        float weight;
    };
    rs::random_stream random(5);
    std::vector<twin_row> given;
    for (std::size_t i = 0; i < 300; ++i) {
        auto const x = static_cast<float>(random.below(9));
        auto const label = random.uniform() < 0.7 ? (x < 3 ? 0 : x < 6 ? 1 : 2) : static_cast<int>(random.below(4));
        given.push_back({x, label, static_cast<float>(1 + random.below(3))});
    }
    constexpr std::size_t k = 4, rounds = 6;
    std::uint64_t const seed = 8;
    double const rate = 0.3, l2 = 3, factor = k / (k - 1.0);
    std::vector<std::array<double, k>> raw(given.size());
    std::array<double, k> start{};
    double all = 0;
    for (auto const& r : given)
        start[static_cast<std::size_t>(r.label)] += static_cast<double>(r.weight), all += static_cast<double>(r.weight);
    for (auto& s : start) s = std::log(s / all);
    for (auto& r : raw) r = start;
    for (std::size_t round = 0; round < rounds; ++round) {
        std::array<std::vector<double>, k> gradients, hessians;
        std::vector<double> mixed(given.size(), 0.);
        rs::random_stream mixture(rs::detail::tree_key(seed, round * k), 1);
        for (std::size_t c = 0; c < k; ++c) {
            double const part = mixture.normal();
            for (std::size_t i = 0; i < given.size(); ++i) {
                double const w = static_cast<double>(given[i].weight);
                double sum = 0;
                for (double const r : raw[i]) sum += std::exp(r);
                double const p = std::exp(raw[i][c]) / sum;
                gradients[c].push_back(w * (p - (static_cast<std::size_t>(given[i].label) == c ? 1 : 0)));
                hessians[c].push_back(w * factor * p * (1 - p));
                mixed[i] += part * gradients[c][i];
            }
        }
        for (std::size_t c = 0; c < k; ++c) {
            auto const &g = gradients[c], &h = hessians[c], &chooses = own_splits ? g : mixed;
            double best = 0, best_cut = 0;
            auto const sums = [&](double cut, std::vector<double> const& of, bool right) {
                double sum = 0;
                for (std::size_t i = 0; i < given.size(); ++i)
                    if ((static_cast<double>(given[i].x) > cut) == right) sum += of[i];
                return sum;
            };
            std::vector<double> w;
            for (auto const& r : given) w.push_back(static_cast<double>(r.weight));
            for (double cut = 0.5; cut < 8; cut += 1) {
                double gain = 0, norm = 0;
                for (bool const right : {false, true}) {
                    double const G = sums(cut, chooses, right), W = sums(cut, w, right), a = G / (W + l2);
                    gain += a * G, norm += a * a * W;
                }
                if (gain / std::sqrt(norm) > best) best = gain / std::sqrt(norm), best_cut = cut;
            }
            for (std::size_t i = 0; i < given.size(); ++i) {
                bool const right = static_cast<double>(given[i].x) > best_cut;
                raw[i][c] -= rate * sums(best_cut, g, right) / (sums(best_cut, h, right) + l2);
            }
        }
    }
    auto const rows_of =
        rs::ingest(given, rs::rows<twin_row>().number("x", &twin_row::x).target(&twin_row::label).weight(&twin_row::weight));
    auto const model = rs::booster({.loss = rs::multi_class{.own_splits = own_splits},
                                    .trees = rounds,
                                    .learning_rate = rate,
                                    .depth = 1,
                                    .l2 = l2,
                                    .row_share = 1.0,
                                    .seed = seed})
                           .fit(rows_of);
    REQUIRE(model.n_outputs() == k);
    CHECK(model.n_trees() == rounds);
    auto const& trees = model.state().trees;
    std::size_t n_alike = 0;
    for (std::size_t t = 0; t < trees.size(); ++t) n_alike += trees.splits(t)[0].threshold == trees.splits(t / k * k)[0].threshold;
    CHECK((n_alike == trees.size()) == !own_splits);
    auto const got = model.predict_raw(rows_of);
    auto const shares = model.predict(rows_of);
    for (std::size_t i = 0; i < given.size(); ++i) {
        double sum = 0;
        for (double const r : raw[i]) sum += std::exp(r);
        for (std::size_t c = 0; c < k; ++c) {
            CHECK(got[i * k + c] == Approx(raw[i][c]).epsilon(2e-3).scale(1)); // six leaves in fixed point
            CHECK(static_cast<double>(shares[i * k + c]) == Approx(std::exp(raw[i][c]) / sum).epsilon(2e-3).scale(1));
        }
    }
}

TEST_CASE("labels with gaps come back, numbers are learned, categories too, and noise is not taken for knowledge") {
    auto const train = rows(6000, 1), test = rows(4000, 2);
    auto const train_rows = rs::ingest(train, schema()), test_rows = rs::ingest(test, schema());
    auto const model = rs::booster(options(120, 0.1)).fit(train_rows);
    CHECK(model.labels() == std::vector<std::int32_t>(labels.begin(), labels.end()));
    CHECK(model.output() == rs::output_kind::class_probabilities);
    auto const shares = model.predict(test_rows);
    auto const classes = model.predict_classes(test_rows);
    REQUIRE(shares.size() == 3 * test.size());
    REQUIRE(classes.size() == test.size());
    std::size_t right = 0;
    for (std::size_t i = 0; i < test.size(); ++i) {
        auto const of = std::span<float const>(shares).subspan(3 * i, 3);
        CHECK(of[0] + of[1] + of[2] == Approx(1).epsilon(1e-6));
        CHECK(classes[i] == labels[static_cast<std::size_t>(std::max_element(of.begin(), of.end()) - of.begin())]);
        right += static_cast<float>(classes[i]) == test[i].label;
    }
    auto const without = rs::booster(options(120, 0.1))
                             .fit(rs::ingest(train, rs::rows<row>().number("x", &row::x).number("y", &row::y).target(&row::label)))
                             .predict(test_rows);
    double const constant = log_loss(rs::booster(options(0)).fit(train_rows).predict(test_rows), test), loss = log_loss(shares, test);
    MESSAGE("log loss ", loss, ", without the category ", log_loss(without, test), ", of a constant ", constant);
    CHECK(loss < 0.87 * constant);
    CHECK(loss < 0.95 * log_loss(without, test));
    CHECK(right > test.size() * 6 / 10);
    double named = 0;
    for (auto const& of : model.importances()) {
        named += of.second;
        CHECK_MESSAGE(of.second > 5, of.first);
    }
    CHECK(named == Approx(100));

    // What columns did to each class adds up.
    auto const shap = rs::explain(model, rs::ingest(std::vector<row>(test.begin(), test.begin() + 300), schema()));
    auto const raw = model.predict_raw(test_rows);
    REQUIRE(shap.n_outputs == 3);
    for (std::size_t i = 0; i < 300; ++i)
        for (std::size_t c = 0; c < 3; ++c) {
            double sum = shap.expected[c];
            for (double const v : shap.row(i, c)) sum += v;
            CHECK(sum == Approx(raw[3 * i + c]).epsilon(1e-9));
        }

    // A category of many values that says nothing: statistics of rows themselves would make it the best column there is.
    auto noisy = rows(6000, 3, 2500), noisy_test = rows(4000, 4, 2500);
    for (auto* const part : {&noisy, &noisy_test})
        for (auto& r : *part) r.label = static_cast<float>(labels[static_cast<std::size_t>(std::abs(r.x) * 1000.f) % 3]);
    auto const of_noise = rs::booster(options(60, 0.1)).fit(rs::ingest(noisy, schema())).predict(rs::ingest(noisy_test, schema()));
    CHECK(log_loss(of_noise, noisy_test) < 1.03 * std::log(3));
}

TEST_CASE("splits for all classes serve classes of the same columns, splits of each class columns of its own") {
    constexpr std::size_t k = 6, n_numbers = 12;
    struct wide_row {
        std::array<float, n_numbers> x = {};
        float label = 0;
    };
    auto with = rs::rows<wide_row>().target(&wide_row::label);
    for (std::size_t j = 0; j < n_numbers; ++j) with = with.number("x" + std::to_string(j), [j](wide_row const& r) { return r.x[j]; });
    bool own_columns = false;
    SUBCASE("the same columns") {}
    SUBCASE("columns of its own") { own_columns = true; }
    rs::random_stream random(31);
    std::array<std::array<double, n_numbers>, n_numbers> mix{}, of_class{};
    for (auto* const weights : {&mix, &of_class})
        for (auto& of : *weights)
            for (auto& w : of) w = random.normal();
    auto const world = [&](std::size_t n) {
        std::vector<wide_row> out(n);
        for (auto& r : out) {
            std::array<double, n_numbers> inner{};
            for (auto& x : r.x) x = static_cast<float>(random.normal());
            for (std::size_t i = 0; i < n_numbers; ++i) {
                for (std::size_t j = 0; j < n_numbers; ++j) inner[i] += mix[i][j] * static_cast<double>(r.x[j]) / 2;
                inner[i] = std::tanh(inner[i]);
            }
            double most = -1e9;
            for (std::size_t c = 0; c < k; ++c) {
                double z = 1.5 * static_cast<double>(r.x[2 * c]) * (r.x[2 * c + 1] > 0 ? 1 : 0) + 0.7 * static_cast<double>(r.x[2 * c + 1]);
                if (!own_columns) {
                    z = 0;
                    for (std::size_t i = 0; i < n_numbers; ++i) z += of_class[c][i] * inner[i];
                }
                z -= std::log(-std::log(random.uniform() + 1e-12)); // the class of the highest sum is drawn by softmax
                if (z > most) most = z, r.label = static_cast<float>(c);
            }
        }
        return rs::ingest(out, with);
    };
    auto const train = world(2500), valid = world(2500), test = world(5000);
    auto const loss_by = [&](bool own_splits) {
        auto const model = rs::booster({.loss = rs::multi_class{.own_splits = own_splits}, .trees = 500, .learning_rate = 0.1, .depth = 4})
                               .fit(train, valid);
        auto const shares = model.predict(test);
        double sum = 0;
        for (std::size_t i = 0; i < test.n_rows(); ++i)
            sum -= std::log(static_cast<double>(shares[k * i + static_cast<std::size_t>(test.targets()[i])]));
        return sum / static_cast<double>(test.n_rows());
    };
    double const together = loss_by(false), own = loss_by(true);
    MESSAGE("log loss ", together, ", by splits of each class ", own);
    CHECK((own_columns ? own < together : together < 0.985 * own));
}

TEST_CASE("where the categories of one class tell nothing the splits of a round ask those of another") {
    // Class 2 has no training row: its statistics are constants, and there is no other column.
    auto given = rows(3000, 32);
    for (auto& r : given)
        if (place(r.label) == 2) r.label = static_cast<float>(labels[static_cast<std::size_t>(r.colour) % 2]);
    auto const only_colour = rs::ingest(given, rs::rows<row>().category("colour", &row::colour).target(&row::label));
    auto how = options(30);
    how.loss = rs::multi_class{.labels = {labels.begin(), labels.end()}};
    auto const model = rs::booster(how).fit(only_colour);
    CHECK(model.n_trees() == 30);
    for (std::size_t t = 0; t < model.state().trees.size(); ++t) CHECK(model.state().trees.depth(t) > 0);
    CHECK(model.report().loss.back() < 0.98 * model.report().loss.front());
}

TEST_CASE("many classes of few rows each share statistics and are still learned") {
    rs::random_stream random(9);
    std::vector<row> given;
    for (std::size_t i = 0; i < 12000; ++i) {
        row r;
        r.colour = static_cast<int>(random.below(60)), r.x = static_cast<float>(random.normal());
        r.label = static_cast<float>(random.uniform() < 0.8 ? r.colour * 3 % 50 : static_cast<int>(random.below(50)));
        given.push_back(r);
    }
    auto const train = rs::ingest(given, schema());
    auto const model = rs::booster({.loss = rs::multi_class{}, .trees = 25, .learning_rate = 0.3, .depth = 5}).fit(train);
    CHECK(model.n_outputs() == 50);
    auto const classes = model.predict_classes(train);
    std::size_t right = 0;
    for (std::size_t i = 0; i < given.size(); ++i) right += static_cast<float>(classes[i]) == given[i].label;
    MESSAGE(right, " of 12000 right");
    CHECK(right > 9000);
}

TEST_CASE("weight 2 acts as the row twice, weight 0 as no row, class weights as weights") {
    auto const single = rows(700, 5);
    auto weighted = single;
    std::vector<row> twice;
    for (std::size_t i = 0; i < single.size(); ++i) {
        weighted[i].weight = i % 5 == 0 ? 0.f : i % 3 == 0 ? 2.f : 1.f;
        for (int n = 0; n < static_cast<int>(weighted[i].weight); ++n) twice.push_back(single[i]);
    }
    auto how = options(15);
    how.row_share = 1, how.one_hot_size = 255; // statistics know an order of rows
    auto const test = frame(300, 6);
    auto const a = rs::booster(how).fit(rs::ingest(weighted, schema().weight(&row::weight))).predict(test);
    auto const b = rs::booster(how).fit(rs::ingest(twice, schema())).predict(test);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).epsilon(0.02).scale(1));

    auto by_class = single;
    for (auto& r : by_class) r.weight = place(r.label) == 1 ? 3.f : 0.5f;
    auto classes = options(15);
    auto const c = rs::booster(classes).fit(rs::ingest(by_class, schema().weight(&row::weight))).predict(test);
    classes.class_weights = {0.5, 3, 0.5};
    CHECK(rs::booster(classes).fit(rs::ingest(single, schema())).predict(test) == c);
    classes.class_weights = {1, 0, 1};
    auto const none = rs::booster(classes).fit(rs::ingest(single, schema())).predict(test);
    for (std::size_t i = 0; i < test.n_rows(); ++i) CHECK(none[3 * i + 1] < 0.01f);
}

TEST_CASE("any number of threads gives the same model and the same predictions") {
    bool own_splits = false;
    SUBCASE("splits for all classes") {}
    SUBCASE("splits of each class") { own_splits = true; }
    auto const train = frame(30000, 7), valid = frame(9000, 8);
    std::vector<double> first;
    for (std::size_t const threads : {1u, 2u, 5u}) {
        auto how = options(12);
        how.run.threads = threads, how.loss = rs::multi_class{.own_splits = own_splits};
        auto const model = rs::booster(how).fit(train, valid);
        auto const raw = model.predict_raw(valid, {.threads = threads});
        if (first.empty()) first = raw;
        CHECK(raw == first);
    }
}

TEST_CASE("single rows, spans and stages say what frames say") {
    auto const given = rows(500, 9);
    auto const rows_of = rs::ingest(given, schema());
    auto const model = rs::booster(options(20)).fit(rows_of);
    auto const shares = model.predict(rows_of);
    auto const classes = model.predict_classes(rows_of);
    auto const predictor = model.predictor(schema());
    std::vector<float> out(shares.size());
    predictor(std::span<row const>(given), std::span<float>(out));
    CHECK(out == shares);
    for (std::size_t i = 0; i < 20; ++i) {
        std::array<float, 3> one{};
        predictor(std::span<row const>(&given[i], 1), one);
        CHECK(std::equal(one.begin(), one.end(), shares.begin() + static_cast<std::ptrdiff_t>(3 * i)));
        CHECK(predictor.predict_class(given[i]) == classes[i]);
    }
    check_refused("3 numbers a row", [&] { static_cast<void>(predictor(given[0])); });
    std::vector<std::size_t> stages;
    model.staged(rows_of, 8, [&](std::size_t n, std::span<float const> p) {
        stages.push_back(n);
        auto const fewer = rs::booster(options(n)).fit(rows_of).predict(rows_of);
        CHECK(std::equal(p.begin(), p.end(), fewer.begin(), fewer.end()));
    });
    CHECK(stages == std::vector<std::size_t>{8, 16, 20});
}

TEST_CASE("log loss gives classes too, other losses none") {
    auto const train = rows(400, 10);
    auto const binary = rs::ingest(train, schema().target([](row const& r) { return r.label > 2; }));
    auto const model = rs::booster({.trees = 10}).fit(binary);
    auto const p = model.predict(binary);
    auto const classes = model.predict_classes(binary);
    auto const predictor = model.predictor(schema());
    for (std::size_t i = 0; i < p.size(); ++i) {
        CHECK(classes[i] == (p[i] > 0.5f ? 1 : 0));
        CHECK(predictor.predict_class(train[i]) == classes[i]);
    }
    CHECK(model.labels() == std::vector<std::int32_t>{0, 1});
    auto const regression = rs::booster({.loss = rs::rmse{}, .trees = 3}).fit(binary);
    check_refused("trained for numbers", [&] { static_cast<void>(regression.predict_classes(binary)); });
    check_refused("trained for numbers", [&] { static_cast<void>(regression.predictor(schema()).predict_class(train[0])); });
}

TEST_CASE("a baseline for each class is built upon and added") {
    auto given = rows(2000, 11);
    auto const plain = rs::ingest(given, schema());
    auto const below = rs::booster(options(15)).fit(plain);
    auto const raw = below.predict_raw(plain);
    for (std::size_t i = 0; i < given.size(); ++i)
        for (std::size_t c = 0; c < 3; ++c) given[i].baseline[c] = static_cast<float>(raw[3 * i + c]);
    auto const based = rs::ingest(given, with_baseline());
    CHECK(based.n_baselines() == 3);
    auto const above = rs::booster(options(15)).fit(based);
    CHECK(above.start() == 0);
    CHECK(above.report().loss[0] < below.report().loss[14]);
    auto const with = above.predict_raw(based), without = above.predict_raw(plain);
    for (std::size_t i = 0; i < with.size(); ++i) CHECK(with[i] == Approx(without[i] + raw[i]).epsilon(1e-6));
    std::vector<float> out(with.size());
    above.predictor(with_baseline())(std::span<row const>(given), std::span<float>(out));
    CHECK(out == above.predict(based));
    auto const [train, valid] = rs::split_groups(based, 0.3, 1);
    CHECK(train.baselines().size() == 3 * train.n_rows());
    CHECK(rs::booster(options(5)).fit(train, valid).n_trees() > 0);

    auto const one = rs::ingest(given, schema().baseline(&row::x));
    check_refused("1 baselines each, the loss needs 3", [&] { static_cast<void>(rs::booster(options(5)).fit(one)); });
    check_refused("1 baselines each, the model has 3", [&] { static_cast<void>(above.predict(one)); });
    check_refused("1 baselines each, the model has 3",
                  [&] { above.predictor(schema().baseline(&row::x))(std::span<row const>(given), std::span<float>(out)); });
    auto const binary = with_baseline().target([](row const& r) { return r.label > 2; });
    check_refused("3 baselines each, the loss needs 1", [&] { static_cast<void>(rs::booster().fit(rs::ingest(given, binary))); });
    auto uneven = schema().baseline([](row const& r) { return std::vector<float>(r.x > 0 ? 3 : 2, 0.f); });
    check_refused("numbers", [&] { static_cast<void>(rs::ingest(given, uneven)); });
    given[5].baseline[1] = std::numeric_limits<float>::infinity();
    check_refused("baseline of row 5", [&] { static_cast<void>(rs::ingest(given, with_baseline())); });
}

TEST_CASE("validation keeps the best round, by log loss or by accuracy") {
    auto const train = rows(1500, 12), valid = rows(1500, 13);
    auto const train_rows = rs::ingest(train, schema()), valid_rows = rs::ingest(valid, schema());
    auto how = options(400, 0.3);
    how.early_stopping_rounds = 20;
    auto const model = rs::booster(how).fit(train_rows, valid_rows);
    auto const& losses = model.report().valid_loss;
    auto const best = static_cast<std::size_t>(std::min_element(losses.begin(), losses.end()) - losses.begin());
    CHECK(model.n_trees() == best + 1);
    CHECK(losses.size() == best + 21);
    CHECK(log_loss(model.predict(valid_rows), valid) == Approx(losses[best]).epsilon(1e-5));
    how.metric = rs::valid_accuracy{};
    auto const by_accuracy = rs::booster(how).fit(train_rows, valid_rows);
    auto const classes = by_accuracy.predict_classes(valid_rows);
    double right = 0;
    for (std::size_t i = 0; i < valid.size(); ++i) right += static_cast<float>(classes[i]) == valid[i].label;
    auto const& seen = by_accuracy.report().valid_metric;
    CHECK(*std::max_element(seen.begin(), seen.end()) == Approx(right / 1500));
    how.metric = rs::valid_auc{};
    check_refused("valid_auc: needs one raw score a row", [&] { static_cast<void>(rs::booster(how).fit(train_rows, valid_rows)); });
    // By hand: weights 1, 2, 4; the first and the third are right, ties are the first class.
    std::vector<float> const raw{1, 1, 0, 0, 1, 2, 0, 0, 3}, target{0, 1, 2}, weight{1, 2, 4}, two{1, -1, 0}, clicked{1, 1, 0};
    CHECK(rs::valid_accuracy()({raw, target, weight, {}, 3}) == Approx(5. / 7));
    CHECK(rs::valid_accuracy()({two, clicked, {}, {}}) == Approx(2. / 3));
}

TEST_CASE("cross-validation knows classes that a fold has not, if they are named") {
    auto given = rows(900, 14);
    auto how = options(10);
    auto const report = rs::cross_validate(rs::booster(how), rs::ingest(given, schema()), {.folds = 3});
    CHECK(report.mean.size() == 10);
    CHECK(report.mean.back() < report.mean.front());
    given[100].label = 4; // one row of its own class
    auto const rare = rs::ingest(given, schema());
    check_refused("none of the 3 classes", [&] { static_cast<void>(rs::cross_validate(rs::booster(how), rare, {.folds = 3})); });
    how.loss = rs::multi_class{.labels = {2, 4, 7, 30}};
    CHECK(rs::cross_validate(rs::booster(how), rare, {.folds = 3}).mean.size() == 10);
}

TEST_CASE("files give the same model, which can be trained on") {
    auto const train = frame(1500, 15), more = frame(1500, 16), valid = frame(800, 17);
    auto const model = rs::booster(options(12)).fit(train);
    std::string const path = "multi_class_test.rsm";
    rs::save(path, model);
    auto const again = rs::load<rs::booster_model>(path);
    std::remove(path.c_str());
    CHECK(again.labels() == model.labels());
    CHECK(again.predict_raw(valid) == model.predict_raw(valid));
    auto how = options(10);
    auto const longer = rs::booster(how).resume(again, more);
    CHECK(longer.n_trees() == 22);
    CHECK(rs::booster(how).resume(model, more).predict_raw(valid) == longer.predict_raw(valid));
    longer.staged(valid, 12, [&](std::size_t, std::span<float const> p) {
        auto const before = model.predict(valid);
        CHECK(std::equal(p.begin(), p.end(), before.begin(), before.end()));
        return false;
    });
    CHECK(longer.report().loss.back() < longer.report().loss.front());
    CHECK(rs::booster(how).resume(model, more, valid).n_trees() >= 12);

    auto const binary = rs::ingest(rows(300, 1), schema().target([](row const& r) { return r.label > 2; }));
    check_refused("one for each class", [&] { static_cast<void>(rs::booster(how).resume(rs::booster({.trees = 2}).fit(binary), train)); });
    check_refused("3 raw scores a row", [&] { static_cast<void>(rs::booster({.trees = 2}).resume(model, binary)); });
    how.loss = rs::multi_class{.labels = {2, 7, 31}};
    check_refused("labels are not those", [&] { static_cast<void>(rs::booster(how).resume(model, train)); });
    auto other = rows(300, 1);
    other[7].label = 3;
    check_refused("training row 7 (from 0) is 3, which is none of the 3 classes",
                  [&] { static_cast<void>(rs::booster(options(2)).resume(model, rs::ingest(other, schema()))); });
}

TEST_CASE("after a kill the fit goes on to the same model") {
    struct killed : std::runtime_error {
        killed() : std::runtime_error("killed") {}
    };
    auto const train = frame(900, 18), valid = frame(600, 19);
    auto how = options(15, 0.3);
    SUBCASE("splits for all classes") {}
    SUBCASE("splits of each class") { how.loss = rs::multi_class{.own_splits = true}; }
    auto const whole = rs::booster(how).fit(train, valid);
    how.snapshot = "multi_class_test.rss", how.snapshot_interval = std::chrono::seconds{0};
    auto dying = how;
    dying.run.progress = [](rs::progress const& now) {
        if (now.done > 5) throw killed();
    };
    CHECK_THROWS_AS(static_cast<void>(rs::booster(dying).fit(train, valid)), killed);
    auto other = how;
    other.loss = rs::multi_class{.own_splits = !how.loss.own_splits()};
    check_refused("another loss or other options", [&] { static_cast<void>(rs::booster(other).fit(train, valid)); });
    std::size_t first = 0;
    how.run.progress = [&](rs::progress const& now) {
        if (now.done > 0 && first == 0) first = now.done;
    };
    auto const again = rs::booster(how).fit(train, valid);
    CHECK(first == 6);
    CHECK(again.predict_raw(valid) == whole.predict_raw(valid));
    CHECK(again.report().valid_loss == whole.report().valid_loss);
}

TEST_CASE("a user's own loss of classes takes part: a quarter of the squares around one-hot targets") {
    struct squares {
        void values(rs::class_rows const& given, std::span<float> out) const {
            std::size_t const n = given.target.size();
            for (std::size_t i = 0; i < n; ++i) {
                out[i] = 0;
                for (std::size_t c = 0; c < given.n_classes; ++c) {
                    float const d = given.raw[c * n + i] - (given.target[i] == static_cast<float>(c) ? 1.f : 0.f);
                    out[i] += d * d / 2;
                }
            }
        }
        void derivatives(rs::class_rows const& given, std::span<float> g, std::span<float> h) const {
            std::size_t const n = given.target.size();
            for (std::size_t i = 0; i < g.size(); ++i)
                g[i] = given.raw[i] - (given.target[i % n] == static_cast<float>(i / n) ? 1.f : 0.f), h[i] = 1;
        }
    };
    auto how = options(40);
    how.loss = squares{};
    auto const train = frame(2000, 20);
    auto const model = rs::booster(how).fit(train);
    CHECK(model.start() == 0);
    CHECK(model.report().loss.back() < 0.7 * model.report().loss.front());
    CHECK(model.output() == rs::output_kind::raw);
    CHECK(model.n_outputs() == 3);
    CHECK(model.predict(train).size() == 6000);
}

TEST_CASE("bad targets and settings are refused with row and value") {
    auto given = rows(60, 21);
    auto const fit = [&](rs::booster_options const& how) { static_cast<void>(rs::booster(how).fit(rs::ingest(given, schema()))); };
    for (auto const& [value, words] : {std::pair(NAN, "row 4 (from 0) is nan"), std::pair(-1.f, "row 4 (from 0) is -1, expected a class"),
                                       std::pair(1.5f, "row 4 (from 0) is 1.5, expected a class"), std::pair(2e7f, "row 4 (from 0) is 2"),
                                       std::pair(INFINITY, "row 4 (from 0) is inf")}) {
        given = rows(60, 21);
        given[4].label = value;
        check_refused(words, [&] { fit(options(2)); });
    }
    given = rows(60, 21);
    for (auto& r : given) r.label = 7;
    check_refused("every training row is of class 7", [&] { fit(options(2)); });
    given = std::vector<row>(1001);
    for (std::size_t i = 0; i < given.size(); ++i) given[i].label = static_cast<float>(i);
    check_refused("more than 1000 classes (row 1000", [&] { fit(options(2)); });
    given = rows(60, 21);
    auto how = options(2);
    how.class_weights = {1, 2};
    check_refused("class_weights has 2 numbers, there are 3 classes", [&] { fit(how); });
    how.class_weights = {0, 0, 1};
    check_refused("all training rows that count are of one class", [&] { fit(how); });
    how = options(2), how.monotone = {{"x", rs::monotone::rising}};
    check_refused("monotone columns need a loss of one raw score", [&] { fit(how); });
    check_refused("labels must be 2 to 1000", [] { rs::booster const b({.loss = rs::multi_class{.labels = {1}}}); });
    check_refused("labels must rise", [] { rs::booster const b({.loss = rs::multi_class{.labels = {1, 1}}}); });
    check_refused("labels must rise", [] { rs::booster const b({.loss = rs::multi_class{.labels = {-1, 1}}}); });
    auto valid = rows(30, 22);
    valid[3].label = 8;
    check_refused("validation row 3 (from 0) is 8, which is none of the 3 classes",
                  [&] { static_cast<void>(rs::booster(options(2)).fit(rs::ingest(given, schema()), rs::ingest(valid, schema()))); });
    // No column tells classes apart: the shares of the classes.
    auto const constant = rs::rows<row>().number("same", [](row const&) { return 1; }).target(&row::label);
    auto const rows_of = rs::ingest(given, constant);
    auto const shares = rs::booster(options(5)).fit(rows_of).predict(rows_of);
    double const first = static_cast<double>(std::count_if(given.begin(), given.end(), [](row const& r) { return r.label == 2; }));
    CHECK(shares[0] == Approx(first / 60));
}
