// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "support/coloured_rows.hpp"

namespace rs = recsys;
using doctest::Approx;

namespace {

using row = support::coloured_row;
auto schema() { return support::coloured_schema({{"of_query", &row::of_query}}).weight(&row::weight).group(&row::query); }

/// The target follows x, of_query times x, the colour and a tag; y is noise. Groups of 1 to 9 rows.
std::vector<row> clicks(std::size_t n, std::uint64_t seed = 1) {
    rs::random_stream random(seed, 0);
    std::vector<row> out;
    std::uint64_t query = 0, left = 0;
    float of_query = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (left-- == 0) ++query, left = random.below(9), of_query = static_cast<float>(random.normal());
        row r;
        r.query = query, r.of_query = of_query;
        r.x = static_cast<float>(random.normal()), r.y = static_cast<float>(random.normal());
        auto const colour = random.below(30);
        r.colour = "c" + std::to_string(colour);
        if (random.uniform() < 0.5) r.tags.push_back("sale");
        r.weight = static_cast<float>(1 + random.below(2));
        double const t =
            0.5 * static_cast<double>(r.x) + static_cast<double>(r.x * of_query) + (colour < 10 ? 1.5 : -0.5) + (r.tags.empty() ? -1 : 0);
        r.target = random.uniform() < 1 / (1 + std::exp(-t)) ? 1.f : 0.f;
        out.push_back(std::move(r));
    }
    return out;
}
struct error_rate {
    static constexpr bool higher_is_better = false;
    double operator()(rs::rated_rows const& r) const {
        double wrong = 0;
        for (std::size_t i = 0; i < r.raw.size(); ++i) wrong += (r.raw[i] > 0) != (r.target[i] > 0);
        return wrong / static_cast<double>(r.raw.size());
    }
};
rs::permutation_importance_of const& of(std::vector<rs::permutation_importance_of> const& list, std::string const& name) {
    return *std::find_if(list.begin(), list.end(), [&](auto const& i) { return i.column == name; });
}
double weighted_log_loss(rs::booster_model const& model, std::vector<row> const& rows) {
    auto const raw = model.predict_raw(rs::ingest(rows, schema()));
    double sum = 0, weight = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        double const t = rows[i].target > 0 ? -raw[i] : raw[i];
        sum += static_cast<double>(rows[i].weight) * (std::max(t, 0.0) + std::log1p(std::exp(-std::abs(t))));
        weight += static_cast<double>(rows[i].weight);
    }
    return sum / weight;
}

}

TEST_CASE("shuffling a column by hand, in the user's own rows, gives its permutation importance") {
    auto const train = clicks(4000), given = clicks(1500, 2);
    auto const model = rs::booster({.trees = 60, .learning_rate = 0.2, .depth = 4}).fit(rs::ingest(train, schema()));
    auto const found = rs::permutation_importance(model, rs::ingest(given, schema()), {.repeats = 3, .seed = 9});
    REQUIRE(found.size() == 5);
    double const before = weighted_log_loss(model, given);
    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i < given.size(); ++i)
        if (i == 0 || given[i].query != given[i - 1].query) starts.push_back(i);
    std::vector<std::string> const names{"x", "y", "of_query", "colour", "tags"};
    for (std::size_t c = 0; c < names.size(); ++c) {
        std::vector<double> changes;
        for (std::uint64_t repeat = 0; repeat < 3; ++repeat) {
            // All rows are shuffled, of_query is the same in each group and goes from group to group.
            std::vector<std::size_t> from(names[c] == "of_query" ? starts.size() : given.size());
            std::iota(from.begin(), from.end(), std::size_t{0});
            rs::random_stream(9, repeat).shuffle(from);
            auto shuffled = given;
            std::size_t group = 0;
            for (std::size_t i = 0; i < given.size(); ++i) {
                while (group + 1 < starts.size() && starts[group + 1] <= i) ++group;
                auto const& source = given[names[c] == "of_query" ? starts[from[group]] : from[i]];
                if (c == 0) shuffled[i].x = source.x;
                else if (c == 1) shuffled[i].y = source.y;
                else if (c == 2) shuffled[i].of_query = source.of_query;
                else if (c == 3) shuffled[i].colour = source.colour;
                else shuffled[i].tags = source.tags;
            }
            changes.push_back(weighted_log_loss(model, shuffled) - before);
        }
        double const mean = (changes[0] + changes[1] + changes[2]) / 3;
        double squares = 0;
        for (double const change : changes) squares += (change - mean) * (change - mean);
        CAPTURE(names[c]);
        CHECK(of(found, names[c]).mean == Approx(mean).epsilon(1e-4).scale(0.01));
        CHECK(of(found, names[c]).standard_error == Approx(std::sqrt(squares / 6)).epsilon(1e-3).scale(0.01));
    }
    CHECK(found[0].column == "colour");
    CHECK(found[4].column == "y");
}

TEST_CASE("permutation importance: the same bits for any number of threads, others for another seed, 0 for a column that is not asked") {
    auto given = clicks(1500);
    for (auto& r : given) r.y = 3;
    auto const rows = rs::ingest(given, schema());
    auto const model = rs::booster({.trees = 30, .depth = 3}).fit(rows);
    auto const one = rs::permutation_importance(model, rows, {.repeats = 2, .run = {.threads = 1}});
    auto const three = rs::permutation_importance(model, rows, {.repeats = 2, .run = {.threads = 3}});
    auto const other = rs::permutation_importance(model, rows, {.repeats = 2, .seed = 1});
    for (auto const& i : one) {
        CHECK((i.mean == of(three, i.column).mean && i.standard_error == of(three, i.column).standard_error));
        if (i.column == "y") CHECK((i.mean == 0 && i.standard_error == 0));
        else CHECK(i.mean != of(other, i.column).mean);
    }
    auto const chosen = rs::permutation_importance(model, rows, {.only = {"colour"}, .repeats = 1});
    REQUIRE(chosen.size() == 1);
    CHECK((chosen[0].column == "colour" && chosen[0].standard_error == 0));
}

TEST_CASE("permutation importance by metrics counts what gets worse, whichever way they go") {
    auto const rows = rs::ingest(clicks(3000), schema());
    auto const model = rs::booster({.trees = 60, .learning_rate = 0.2, .depth = 4}).fit(rows);
    for (auto const& metric :
         {rs::valid_metric(rs::valid_auc{}), rs::valid_metric(rs::valid_ndcg{.k = 3}), rs::valid_metric(error_rate{})}) {
        auto const found = rs::permutation_importance(model, rows, {.metric = metric, .repeats = 2});
        CHECK(of(found, "colour").mean > 0.02);
        CHECK(of(found, "colour").mean > of(found, "y").mean);
    }
    auto const by_group = rs::permutation_importance(model, rows, {.loss = rs::lambda_mart{}, .repeats = 2});
    CHECK(of(by_group, "colour").mean > 0.02);
}

TEST_CASE("permutation importance tells progress and stops when asked") {
    auto const rows = rs::ingest(clicks(300), schema());
    auto const model = rs::booster({.trees = 5, .depth = 2}).fit(rows);
    std::vector<std::uint64_t> seen;
    auto const all = [&](rs::progress const& now) {
        seen.push_back(now.done);
        CHECK(now.total == 10);
    };
    static_cast<void>(rs::permutation_importance(model, rows, {.repeats = 2, .run = {.progress = all}}));
    CHECK(seen == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    auto const stop = [](rs::progress const& now) { return now.done < 3; };
    CHECK_THROWS_AS(static_cast<void>(rs::permutation_importance(model, rows, {.run = {.progress = stop}})), rs::cancelled);
}

TEST_CASE("permutation importance refuses what it cannot do") {
    auto const rows = rs::ingest(clicks(300), schema());
    auto const model = rs::booster({.trees = 5, .depth = 2}).fit(rows);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::permutation_importance(model, rows, {.repeats = 0})),
                         "permutation_importance: repeats must be in [1, 1000], got 0", rs::option_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::permutation_importance(model, rows, {.only = {"x", "price"}})),
                         "permutation_importance: the model has no column 'price'", rs::option_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::permutation_importance(model, rs::ingest(std::vector<row>{}, schema()))),
                         "permutation_importance: the frame has no rows", rs::data_error);
    auto const narrow = rs::rows<row>().number("x", &row::x).target(&row::target);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::permutation_importance(model, rs::ingest(clicks(5), narrow))),
                         "frame: there is no column 'y'; there are: x", rs::data_error);
    auto const untold = rs::rows<row>().number("x", &row::x);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::permutation_importance(model, rs::ingest(clicks(5), untold))),
                         doctest::Contains("no target"), rs::data_error);
    auto other = clicks(5);
    other[2].target = 2;
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::permutation_importance(model, rs::ingest(other, schema()))),
                         "log_loss: the target of row 2 (from 0) is 2, expected 0 to 1", rs::data_error);
}
