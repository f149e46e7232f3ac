// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace rs = recsys;

namespace {

rs::frame_column numbers(std::string name, std::initializer_list<float> values) {
    rs::frame_column out;
    out.name = std::move(name), out.numbers = values;
    return out;
}
rs::frame_column categories(std::string name, std::initializer_list<std::int32_t> codes, std::initializer_list<std::string> keys) {
    rs::category_dictionary d;
    for (auto const& key : keys) d.add(key);
    rs::frame_column out;
    out.name = std::move(name), out.kind = rs::column_kind::category, out.codes = codes;
    out.dictionary = std::make_shared<rs::category_dictionary const>(std::move(d));
    return out;
}

}

TEST_CASE("a dictionary of integers finds them by value and by digits, and only those that are written plainly") {
    rs::category_dictionary d(rs::key_kind::integer);
    char const* const keys[] = {"7", "-3", "007",    "9223372036854775807", "-9223372036854775808", "18446744073709551615",
                                "x", "",   "1000000"};
    for (auto const* key : keys) d.add(key);
    CHECK(d.find_integer(7) == 0);
    CHECK(d.find_integer(-3) == 1);
    CHECK(d.find_integer(9223372036854775807) == 3);
    CHECK(d.find_integer(-9223372036854775807 - 1) == 4);
    CHECK(d.find_integer(-1) == std::nullopt); // the bits of 18446744073709551615
    CHECK(d.find_integer(0) == std::nullopt);
    CHECK(d.find_integer(1000000) == 8);
    for (std::int32_t i = 0; i < 9; ++i) CHECK(d.find(keys[i]) == i);
}

TEST_CASE("a dictionary gives each key one code, in the order in which they come") {
    rs::category_dictionary d;
    CHECK(d.add("b") == 0);
    CHECK(d.add("") == 1);
    CHECK(d.add("b") == 0);
    CHECK(d.size() == 2);
    CHECK(d.text(1).empty());
    CHECK(d.find("b") == std::optional<std::int32_t>(0));
    CHECK_FALSE(d.find("c").has_value());
    for (int i = 0; i < 1000; ++i) d.add(std::to_string(i));
    CHECK(d.find("999") == std::optional<std::int32_t>(1001));
}

TEST_CASE("columns are found by name, and what is not there is named with what is") {
    rs::frame const f(2, {numbers("x", {1, NAN}), categories("c", {0, rs::missing_category}, {"a"})}, {});
    CHECK(f.n_rows() == 2);
    CHECK(f.n_columns() == 2);
    CHECK(f.value(0, "x") == 1);
    CHECK(std::isnan(f.value(1, "x")));
    CHECK(f.find("y") == nullptr);
    CHECK(f.column("c").row_codes(1).front() == rs::missing_category);
    CHECK_THROWS_WITH_AS(static_cast<void>(f.column("y")), "frame: there is no column 'y'; there are: x, c", rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(f.value(0, "c")), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(f.value(2, "x")), rs::data_error);
}

TEST_CASE("several categories a row lie between its ends") {
    auto c = categories("tags", {0, 1, 1}, {"a", "b"});
    c.kind = rs::column_kind::categories, c.ends = {2, 2, 3};
    rs::frame const f(3, {c}, {});
    CHECK(f.column("tags").row_codes(0).size() == 2);
    CHECK(f.column("tags").row_codes(1).empty());
    CHECK(f.column("tags").row_codes(2).front() == 1);
}

TEST_CASE("columns that do not fit the rows, names that come twice, codes without a key and groups that tear are errors") {
    CHECK_THROWS_AS(rs::frame(3, {numbers("x", {1, 2})}, {}), rs::data_error);
    CHECK_THROWS_AS(rs::frame(1, {numbers("x", {1}), numbers("x", {2})}, {}), rs::data_error);
    CHECK_THROWS_AS(rs::frame(1, {numbers("", {1})}, {}), rs::data_error);
    CHECK_THROWS_AS(rs::frame(1, {categories("c", {1}, {"a"})}, {}), rs::data_error);
    CHECK_THROWS_AS(rs::frame(1, {categories("c", {-2}, {"a"})}, {}), rs::data_error);
    rs::frame_rows groups;
    groups.group_ends = {1};
    CHECK_THROWS_AS(rs::frame(2, {numbers("x", {1, 2})}, groups), rs::data_error);
    rs::frame_rows targets;
    targets.targets = {1};
    CHECK_THROWS_AS(rs::frame(2, {numbers("x", {1, 2})}, targets), rs::data_error);
}
