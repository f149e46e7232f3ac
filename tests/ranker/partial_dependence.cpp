// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "support/coloured_rows.hpp"

namespace rs = recsys;
using doctest::Approx;

namespace {

using row = support::coloured_row;
auto schema() { return support::coloured_schema().weight(&row::weight); }

std::vector<row> rows_of(std::size_t n, std::uint64_t seed = 1) {
    rs::random_stream random(seed, 0);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        row r;
        r.x = random.uniform() < 0.1 ? NAN : static_cast<float>(random.normal());
        r.y = static_cast<float>(random.below(7));
        auto const colour = random.below(40) * random.below(40) / 40; // some are rare
        if (random.uniform() < 0.9) r.colour = "c" + std::to_string(colour);
        for (char const* tag : {"new", "sale"})
            if (random.uniform() < 0.4) r.tags.push_back(tag);
        r.weight = static_cast<float>(1 + random.below(3));
        double const t = (r.x > 0 ? 1 : -1) * (r.y > 3 ? 1 : 0.2) + (colour < 5 ? 1 : -0.5) + (r.tags.size() == 2 ? 1 : 0);
        r.target = random.uniform() < 1 / (1 + std::exp(-t)) ? 1.f : 0.f;
        out.push_back(std::move(r));
    }
    return out;
}

/// The mean prediction after `change` of every row, from the user's own rows.
template <class Change> double slow_mean(rs::booster_model const& model, std::vector<row> rows, bool raw, Change const& change) {
    for (auto& r : rows) change(r);
    auto const frame = rs::ingest(rows, schema());
    auto const raws = model.predict_raw(frame);
    auto const predictions = model.predict(frame);
    double sum = 0, weight = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
        sum += static_cast<double>(rows[i].weight) * (raw ? raws[i] : static_cast<double>(predictions[i])),
            weight += static_cast<double>(rows[i].weight);
    return sum / weight;
}

struct fixture {
    std::vector<row> rows = rows_of(1200);
    rs::frame frame = rs::ingest(rows, schema());
    rs::booster_model model = rs::booster({.trees = 40, .learning_rate = 0.2, .depth = 4}).fit(rs::ingest(rows_of(4000, 2), schema()));
};

}

TEST_CASE_FIXTURE(fixture, "partial dependence is the mean prediction of rows that were all given a value") {
    for (bool const raw : {false, true}) {
        auto const by_x = rs::partial_dependence(model, frame, "x", {.points = 8, .raw = raw});
        REQUIRE(by_x.axes.size() == 1);
        REQUIRE(by_x.axes[0].size() == 9);
        CHECK(std::is_sorted(by_x.axes[0].numbers.begin(), by_x.axes[0].numbers.end() - 1));
        CHECK(by_x.axes[0].text(8) == "missing");
        for (std::size_t i = 0; i < 9; ++i)
            CHECK(by_x.at(i) == Approx(slow_mean(model, rows, raw, [&](row& r) { r.x = by_x.axes[0].numbers[i]; })).epsilon(1e-12));
        auto const by_colour = rs::partial_dependence(model, frame, "colour", {.points = 5, .raw = raw});
        REQUIRE(by_colour.axes[0].categories.size() == 5);
        for (std::size_t i = 0; i < 5; ++i)
            CHECK(by_colour.at(i) ==
                  Approx(slow_mean(model, rows, raw, [&](row& r) { r.colour = by_colour.axes[0].categories[i]; })).epsilon(1e-12));
        auto const by_tags = rs::partial_dependence(model, frame, "tags", {.raw = raw});
        REQUIRE(by_tags.axes[0].categories.size() == 3);
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(by_tags.at(i) == Approx(slow_mean(model, rows, raw, [&](row& r) {
                                       auto const& tag = by_tags.axes[0].categories[i];
                                       r.tags = tag ? std::vector<std::string>{*tag} : std::vector<std::string>{};
                                   })).epsilon(1e-12));
    }
}

TEST_CASE_FIXTURE(fixture, "partial dependence on two columns is that of each pair of values") {
    auto const both = rs::partial_dependence(model, frame, "colour", "y", {.points = 4});
    REQUIRE((both.axes[0].size() == 4 && both.axes[1].size() == 4 && both.mean.size() == 16));
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j)
            CHECK(both.at(i, j) == Approx(slow_mean(model, rows, false, [&](row& r) {
                                       r.colour = both.axes[0].categories[i], r.y = both.axes[1].numbers[j];
                                   })).epsilon(1e-12));
    auto const again = rs::partial_dependence(model, frame, "colour", "y", {.points = 4, .run = {.threads = 3}});
    CHECK(again.mean == both.mean);
}

TEST_CASE_FIXTURE(fixture, "a grid has the middles of equal parts of a number, or all its values, and the most frequent categories") {
    auto const by_y = rs::partial_dependence(model, frame, "y");
    CHECK(by_y.axes[0].numbers == std::vector<float>{0, 1, 2, 3, 4, 5, 6});
    CHECK(by_y.axes[0].text(3) == "3");
    std::vector<float> present;
    for (auto const& r : rows)
        if (!std::isnan(r.x)) present.push_back(r.x);
    std::sort(present.begin(), present.end());
    auto const one = rs::partial_dependence(model, frame, "x", {.points = 1});
    REQUIRE(one.axes[0].numbers.size() == 2);
    CHECK(one.axes[0].numbers[0] == present[present.size() / 2]);
    auto const colours = rs::partial_dependence(model, frame, "colour", {.points = 1000}).axes[0].categories;
    auto const n_rows = [&](std::optional<std::string> const& colour) {
        return std::count_if(rows.begin(), rows.end(), [&](row const& r) { return r.colour == colour; });
    };
    CHECK(std::is_sorted(colours.begin(), colours.end(), [&](auto const& a, auto const& b) { return n_rows(a) > n_rows(b); }));
    CHECK(std::count(colours.begin(), colours.end(), std::nullopt) == 1);
    CHECK(n_rows(colours.back()) > 0);
}

namespace {

struct own_scorer {
    std::vector<float> predict(rs::frame const& rows) const {
        std::vector<float> out;
        for (std::size_t r = 0; r < rows.n_rows(); ++r) out.push_back(2 * rows.value(r, "y") + 1);
        return out;
    }
};
struct odd_scorer {
    std::vector<float> predict(rs::frame const&) const { return {1, 2}; }
};

}

TEST_CASE_FIXTURE(fixture, "partial dependence of the user's own row scorer") {
    auto const by_y = rs::partial_dependence(own_scorer{}, frame, "y");
    for (std::size_t i = 0; i < by_y.mean.size(); ++i) CHECK(by_y.at(i) == Approx(2 * static_cast<double>(by_y.axes[0].numbers[i]) + 1));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::partial_dependence(own_scorer{}, frame, "y", {.raw = true})),
                         "partial_dependence: raw = true, but the model has no predict_raw", rs::option_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::partial_dependence(odd_scorer{}, frame, "y")),
                         "partial_dependence: the model gives 2 numbers for 1200 rows", rs::data_error);
}

TEST_CASE_FIXTURE(fixture, "partial dependence tells progress, stops when asked, and refuses what it cannot do") {
    auto const stop = [](rs::progress const& now) { return now.done < 3; };
    CHECK_THROWS_AS(static_cast<void>(rs::partial_dependence(model, frame, "x", {.run = {.progress = stop}})), rs::cancelled);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::partial_dependence(model, frame, "x", {.points = 0})),
                         "partial_dependence: points must be in [1, 10000], got 0", rs::option_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::partial_dependence(model, frame, "price")),
                         "partial_dependence: the model has no column 'price'", rs::option_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::partial_dependence(model, frame, "x", "x")),
                         "partial_dependence: two columns are needed, got 'x' twice", rs::option_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::partial_dependence(model, rs::ingest(std::vector<row>{}, schema()), "x")),
                         "partial_dependence: the frame has no rows", rs::data_error);
    auto const narrow = rs::ingest(rows, rs::rows<row>().number("y", &row::y));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::partial_dependence(model, narrow, "x")), "frame: there is no column 'x'; there are: y",
                         rs::data_error);
}
