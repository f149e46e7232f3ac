// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/fixtures/als.hpp"

namespace rs = recsys;

namespace {

/// By value, so that it may be asked of a temporary.
template <class Value> std::vector<Value> values_of(rs::basic_csr<Value> const& m) { return {m.values().begin(), m.values().end()}; }

template <class Value> rs::basic_csr<Value> row_of(std::vector<Value> values) {
    std::vector<rs::matrix_entry<Value>> rows;
    for (std::size_t i = 0; i < values.size(); ++i) rows.push_back({rs::user_index{0}, static_cast<rs::item_index>(i), values[i]});
    return rs::csr_from(rows);
}
rs::csr fixture() {
    return rs::csr_view(als_fixture::n_users, als_fixture::n_items, std::span<std::int64_t const>(als_fixture::offsets),
                        std::span<std::int32_t const>(als_fixture::columns), std::span<float const>(als_fixture::values));
}

}

TEST_CASE("confidence is 1 + alpha r or its log form, with the sign of r; a stored zero stays one") {
    auto const m = row_of<float>({2, -3, 0});
    auto const linear = rs::confidence(m, {.alpha = 10});
    CHECK(linear.values()[0] == 21);
    CHECK(linear.values()[1] == -31);
    CHECK(linear.values()[2] == 0);
    auto const bent = rs::confidence(m, {.form = rs::confidence_form::log, .alpha = 10, .epsilon = 0.5});
    CHECK(bent.values()[0] == doctest::Approx(1 + 10 * std::log(5.)));
    CHECK(bent.values()[1] == doctest::Approx(-(1 + 10 * std::log(7.))));
    CHECK_THROWS_AS(static_cast<void>(rs::confidence(m, {.alpha = -1})), rs::option_error);
    CHECK_THROWS_AS(static_cast<void>(rs::confidence(m, {.epsilon = 0})), rs::option_error);
}

TEST_CASE("log scaling keeps signs and zeros") {
    auto const m = rs::log_scaled(row_of<double>({std::exp(1.) - 1, -1, 0}));
    CHECK(m.values()[0] == doctest::Approx(1));
    CHECK(m.values()[1] == doctest::Approx(-std::log(2.)));
    CHECK(m.values()[2] == 0);
    CHECK_THROWS_AS(static_cast<void>(rs::log_scaled(m, 0)), rs::option_error);
}

TEST_CASE("bm25 and tf-idf are those of implicit") {
    auto const m = fixture();
    auto const bm25 = rs::bm25(m);
    auto const tf_idf = rs::tf_idf(m);
    REQUIRE(bm25.n_entries() == std::size(als_fixture::bm25));
    for (std::size_t i = 0; i < bm25.n_entries(); ++i) {
        CHECK(static_cast<double>(bm25.values()[i]) == doctest::Approx(als_fixture::bm25[i]).epsilon(1e-6));
        CHECK(static_cast<double>(tf_idf.values()[i]) == doctest::Approx(als_fixture::tf_idf[i]).epsilon(1e-6));
    }
    CHECK(bm25.columns().data() == m.columns().data()); // shared, not copied
}

TEST_CASE("bm25 and tf-idf of integers are in double, of an item that all have 0, of negative values errors") {
    auto const m = row_of<std::int32_t>({4, 9});
    static_assert(std::is_same_v<decltype(rs::tf_idf(m)), rs::basic_csr<double>>);
    CHECK(values_of(rs::tf_idf(m))[1] == 0);
    CHECK(values_of(rs::bm25(m))[0] == 0);
    CHECK_THROWS_AS(static_cast<void>(rs::tf_idf(row_of<float>({-1}))), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::bm25(row_of<float>({-1}))), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::bm25(m, {.b = 1.5})), rs::option_error);
    CHECK(rs::bm25(rs::csr()).n_entries() == 0);
    CHECK(values_of(rs::bm25(row_of<float>({0})))[0] == 0);
}

TEST_CASE("map_values sees user, item and value, and gives its own type") {
    auto const m = fixture();
    auto const sums = rs::map_values(m, [](rs::user_index u, rs::item_index i, float value) {
        return static_cast<std::int32_t>(1000 * rs::to_size(u) + 10 * rs::to_size(i)) + static_cast<std::int32_t>(value);
    });
    static_assert(std::is_same_v<decltype(sums), rs::basic_csr<std::int32_t> const>);
    auto const u = rs::user_index{3};
    REQUIRE_FALSE(m.seen(u).empty());
    CHECK(sums.weights(u)[0] ==
          3000 + static_cast<std::int32_t>(10 * rs::to_size(m.seen(u)[0])) + static_cast<std::int32_t>(m.weights(u)[0]));
    CHECK_THROWS_AS(static_cast<void>(rs::map_values(m, [](auto, auto, float) { return std::numeric_limits<double>::quiet_NaN(); })),
                    rs::data_error);
    CHECK(values_of(rs::values_as<double>(m))[0] == static_cast<double>(m.values()[0]));
}
