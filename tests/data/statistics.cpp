// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "support/fixtures/statistics.hpp"

namespace rs = recsys;
namespace fixture = statistics_fixture;
using doctest::Approx;

TEST_CASE("a histogram is that of numpy") {
    auto const h = rs::histogram_of(fixture::values, 50);
    REQUIRE(h.counts.size() == std::size(fixture::histogram));
    for (std::size_t i = 0; i < h.counts.size(); ++i) {
        CHECK(h.counts[i] == static_cast<std::uint64_t>(fixture::histogram[i]));
        CHECK(h.edge(i) == Approx(fixture::edges[i]).epsilon(1e-12));
    }
    CHECK(h.edge(50) == fixture::edges[50]);
}

TEST_CASE("a value on an edge belongs to the bin that begins there, the last edge to the last bin") {
    auto const h = rs::histogram_of(std::vector{0, 1, 1, 2, 3, 4}, 4);
    CHECK(h.counts == std::vector<std::uint64_t>{1, 2, 1, 2});
    auto const tenths = rs::histogram_of(std::vector{0., 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.}, 10);
    CHECK(std::accumulate(tenths.counts.begin(), tenths.counts.end(), std::uint64_t{0}) == 11);
    CHECK(tenths.counts.back() == 2);
}

TEST_CASE("one value is spread over a bin's width, NaN is counted, infinity and nothing at all are errors") {
    auto const h = rs::histogram_of(std::vector{5., 5., std::nan("")}, 2);
    CHECK(h.low == 4.5);
    CHECK(h.high == 5.5);
    CHECK(h.counts == std::vector<std::uint64_t>{0, 2});
    CHECK(h.missing == 1);
    CHECK_THROWS_AS(static_cast<void>(rs::histogram_of(std::vector<int>{}, 3)), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::histogram_of(std::vector{1}, 0)), rs::option_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::histogram_of(std::vector{0., -std::numeric_limits<double>::infinity()}, 3)),
                         "histogram: the value of row 1 is infinite", rs::data_error);
}

TEST_CASE("quantiles, box and description are those of numpy, matplotlib and pandas") {
    std::vector<double> const q(std::begin(fixture::q), std::end(fixture::q));
    auto const ours = rs::quantiles(fixture::values, q);
    for (std::size_t i = 0; i < q.size(); ++i) CHECK(ours[i] == Approx(fixture::quantiles[i]).epsilon(1e-12));
    auto const box = rs::box_of(fixture::values);
    double const figures[] = {box.q1, box.median, box.q3, box.low_whisker, box.high_whisker};
    for (std::size_t i = 0; i < 5; ++i) CHECK(figures[i] == Approx(fixture::box[i]).epsilon(1e-12));
    CHECK(box.low_outliers == fixture::low_outliers);
    CHECK(box.high_outliers == fixture::high_outliers);
    auto const about = rs::describe(fixture::values);
    double const described[] = {
        static_cast<double>(about.count), about.mean, about.deviation, about.least, about.q1, about.median, about.q3, about.largest};
    for (std::size_t i = 0; i < 8; ++i) CHECK(described[i] == Approx(fixture::describe[i]).epsilon(1e-12));
}

TEST_CASE("quantiles outside [0, 1] are errors; what there is not is NaN") {
    CHECK_THROWS_AS(static_cast<void>(rs::quantiles(std::vector{1}, {1.5})), rs::option_error);
    CHECK_THROWS_AS(static_cast<void>(rs::quantiles(std::vector<int>{}, {0.5})), rs::data_error);
    CHECK(std::isnan(rs::describe(std::vector<int>{}).mean));
    CHECK(std::isnan(rs::describe(std::vector{3}).deviation));
    CHECK(rs::describe(std::vector{3.f, std::nanf("")}).missing == 1);
}

TEST_CASE("the largest counts come first, equal ones by the smaller place, zeros not at all") {
    std::vector<int> const counts{3, 0, 5, 3, 5, 1};
    using pairs = std::vector<std::pair<std::size_t, int>>;
    CHECK(rs::top_n(counts, 3) == pairs{{2, 5}, {4, 5}, {0, 3}});
    CHECK(rs::top_n(counts, 100).size() == 5);
    CHECK(rs::top_n(counts, 0).empty());
}

TEST_CASE("events are counted by user and by item, and items without any are named") {
    struct row {
        int user, item;
    };
    std::vector<row> const rows{{1, 10}, {1, 10}, {2, 30}};
    std::vector<int> const catalogue{10, 20, 30, 40};
    auto const data = rs::ingest(rows, rs::columns().user(&row::user).item(&row::item),
                                 rs::ingest_options<int, int>{.items = rs::item_encoder<int>::fit(catalogue)});
    CHECK(rs::events_per_user(data) == std::vector<std::uint64_t>{2, 1});
    CHECK(rs::events_per_item(data) == std::vector<std::uint64_t>{2, 0, 1, 0});
    CHECK(rs::never_seen(data) == std::vector{static_cast<rs::item_index>(1), static_cast<rs::item_index>(3)});
}
