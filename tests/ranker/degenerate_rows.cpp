// SPDX-License-Identifier: MIT
// Rows that other boosters stumbled over: nothing to split on, one class, categories as numbers, gaps and categories that come late, weights of zero.
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace rs = recsys;
using doctest::Approx;

namespace {

struct row {
    float x = 0, target = 0, weight = 1;
    std::string word;
    int number = 0;
};

auto numbers() { return rs::rows<row>().number("x", &row::x).target(&row::target).weight(&row::weight); }

rs::booster_options exact(std::size_t trees = 30) {
    return {.trees = trees, .learning_rate = 0.3, .depth = 2, .sampling = rs::row_sampling::bernoulli, .row_share = 1};
}

std::vector<row> four() { return {{1, 0, 1, "a", 1}, {2, 0, 1, "a", 1}, {3, 1, 1, "b", 2}, {4, 1, 1, "b", 2}}; }

}

TEST_CASE("c37 without anything to split on every prediction is the mean of the target") {
    for (float const constant : {1.f, NAN}) {
        std::vector<row> const rows{{constant, 1, 30, "", 0}, {constant, 0, 10, "", 0}};
        auto const model = rs::booster(exact()).fit(rs::ingest(rows, numbers()));
        for (double const raw : model.predict_raw(rs::ingest(rows, numbers()))) CHECK(raw == Approx(std::log(3.)).epsilon(1e-6));
    }
    std::vector<row> const rows{{0, 1, 30, "", 0}, {0, 0, 10, "", 0}};
    auto const no_columns = rs::rows<row>().target(&row::target).weight(&row::weight);
    try {
        auto const model = rs::booster(exact()).fit(rs::ingest(rows, no_columns));
        for (float const p : model.predict(rs::ingest(rows, no_columns))) CHECK(p == Approx(0.75));
    } catch (rs::data_error const& error) { CHECK(std::string(error.what()).find("column") != std::string::npos); }
}

TEST_CASE("c38 labels of one class are an error that names the label") {
    for (float const label : {1.f, 0.f}) {
        auto rows = four();
        for (auto& r : rows) r.target = label;
        CHECK_THROWS_WITH_AS(static_cast<void>(rs::booster(exact()).fit(rs::ingest(rows, numbers()))),
                             doctest::Contains(label > 0 ? "every target is 1" : "every target is 0"), rs::data_error);
    }
}

TEST_CASE("c39 a category of integers is not one of text or of numbers: another kind at predict is refused") {
    auto const integers = rs::rows<row>().category("c", &row::number).target(&row::target);
    auto const model = rs::booster(exact()).fit(rs::ingest(four(), integers));
    CHECK(model.predict(rs::ingest(four(), integers))[0] < 0.5f);
    auto const texts = rs::rows<row>().category("c", [](row const& r) { return std::to_string(r.number); });
    CHECK_THROWS_WITH_AS(static_cast<void>(model.predict(rs::ingest(four(), texts))), doctest::Contains("'c'"), rs::data_error);
    auto const reals = rs::rows<row>().number("c", [](row const& r) { return static_cast<double>(r.number); });
    CHECK_THROWS_WITH_AS(static_cast<void>(model.predict(rs::ingest(four(), reals))), doctest::Contains("'c'"), rs::data_error);
    auto const wide = rs::rows<row>().category("c", [](row const& r) { return static_cast<long long>(r.number); }); // the same integers
    CHECK(model.predict(rs::ingest(four(), wide)) == model.predict(rs::ingest(four(), integers)));
}

TEST_CASE("c40 a gap at predict where training had none goes where the option says, alone, in batches and after saving") {
    std::vector<row> const gap{{NAN, 0, 1, "", 0}}, low{{-1e9f, 0, 1, "", 0}}, high{{1e9f, 0, 1, "", 0}};
    for (auto const missing : {rs::missing_numbers::lowest, rs::missing_numbers::highest}) {
        auto options = exact();
        options.missing = missing;
        auto const model = rs::booster(options).fit(rs::ingest(four(), numbers()));
        auto const& same = missing == rs::missing_numbers::lowest ? low : high;
        CHECK(model.predict(rs::ingest(gap, numbers())) == model.predict(rs::ingest(same, numbers())));
        CHECK(model.predict(rs::ingest(low, numbers())) != model.predict(rs::ingest(high, numbers())));
        CHECK(model.predictor(numbers())(gap[0]) == model.predictor(numbers())(same[0]));
        rs::save("gaps_test.rsm", model);
        CHECK(rs::load<rs::booster_model>("gaps_test.rsm").predict(rs::ingest(gap, numbers())) ==
              model.predict(rs::ingest(gap, numbers())));
        std::remove("gaps_test.rsm");
    }
    auto options = exact();
    options.missing = rs::missing_numbers::forbidden;
    auto const strict = rs::booster(options).fit(rs::ingest(four(), numbers()));
    CHECK_THROWS_AS(static_cast<void>(strict.predict(rs::ingest(gap, numbers()))), rs::data_error);
    CHECK_THROWS_AS(
        static_cast<void>(rs::booster(options).fit(rs::ingest(std::vector<row>{{NAN, 1, 1, "", 0}, {1, 0, 1, "", 0}}, numbers()))),
        rs::data_error);
}

TEST_CASE("c41 a category that training never saw has the statistic of no rows at all") {
    using rs::detail::target_statistic;
    CHECK(target_statistic(2, 2, 0.5f) == Approx(2.5 / 3));
    CHECK(target_statistic(0, 2, 0.5f) == Approx(0.5 / 3));
    CHECK(target_statistic(0, 0, 0.5f) == 0.5f);
    auto options = exact(60);
    options.one_hot_size = 0;
    auto const words = rs::rows<row>().category("word", &row::word).target(&row::target);
    std::vector<row> many;
    for (int i = 0; i < 50; ++i)
        for (auto const& r : four()) many.push_back(r);
    auto const model = rs::booster(options).fit(rs::ingest(many, words));
    std::vector<row> const asked{{0, 0, 1, "a", 0}, {0, 0, 1, "z", 0}, {0, 0, 1, "b", 0}, {0, 0, 1, "never", 0}};
    auto const p = model.predict(rs::ingest(asked, words));
    CHECK(p[0] < p[1]);
    CHECK(p[1] < p[2]);
    CHECK(p[1] == p[3]); // all that were never seen are alike
}

TEST_CASE("c46 rows of weight zero do not matter, all weights zero or a negative one are errors") {
    auto rows = four();
    auto const plain = rs::booster(exact()).fit(rs::ingest(rows, numbers()));
    auto more = rows;
    more.push_back({50000, 1, 0, "", 0}), more.push_back({50000, 1, 0, "", 0});
    auto const with = rs::booster(exact()).fit(rs::ingest(more, numbers()));
    std::vector<row> asked;
    for (float x = 0; x < 5; x += 0.25f) asked.push_back({x, 0, 1, "", 0});
    CHECK(with.predict_raw(rs::ingest(asked, numbers())) == plain.predict_raw(rs::ingest(asked, numbers())));
    for (auto& r : rows) r.weight = 0;
    CHECK_THROWS_AS(static_cast<void>(rs::booster(exact()).fit(rs::ingest(rows, numbers()))), rs::data_error);
    auto const negative = [] {
        auto bad = four();
        bad[2].weight = -1;
        return rs::booster(exact()).fit(rs::ingest(bad, numbers()));
    };
    CHECK_THROWS_AS(static_cast<void>(negative()), rs::data_error);
}
