// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rs = recsys;

namespace {

std::string const path = "frame_archive_test.rsm";

/// A column of each kind, with missing values, and everything that rows can have.
rs::frame table() {
    rs::category_dictionary words, numbers(rs::key_kind::integer);
    for (auto const* word : {"rock", "", "jazz, \xff"}) words.add(word);
    for (auto const* number : {"7", "-3"}) numbers.add(number);
    std::vector<rs::frame_column> columns(3);
    columns[0].name = "score", columns[0].numbers = {1.5f, NAN, -0.f};
    columns[1].name = "genre", columns[1].kind = rs::column_kind::category, columns[1].codes = {2, -1, 0};
    columns[1].dictionary = std::make_shared<rs::category_dictionary const>(words);
    columns[2].name = "artists", columns[2].kind = rs::column_kind::categories, columns[2].codes = {1, 0, 1}, columns[2].ends = {2, 2, 3};
    columns[2].dictionary = std::make_shared<rs::category_dictionary const>(numbers);
    rs::frame_rows rows;
    rows.users = {rs::user_index{4}, rs::user_index{4}, rs::user_index{9}};
    rows.items = {rs::item_index{0}, rs::item_index{1}, rs::item_index{0}};
    rows.targets = {1, 0, 0}, rows.weights = {1, 2, 3}, rows.baselines = {.5, 0, 0};
    rows.group_ends = {2, 3};
    rows.as_of = rs::parse_time("2022-12-01");
    return rs::frame(3, std::move(columns), std::move(rows));
}

template <class Value> bool same_bytes(std::span<Value const> a, std::span<Value const> b) {
    auto const x = std::as_bytes(a), y = std::as_bytes(b);
    return std::equal(x.begin(), x.end(), y.begin(), y.end());
}

}

TEST_CASE("a frame comes back from its file with every kind of column") {
    auto const was = table();
    rs::save(path, was);
    auto const is = rs::load<rs::frame>(path);
    REQUIRE(is.n_columns() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        auto const &a = was.columns()[i], &b = is.columns()[i];
        CHECK(a.name == b.name);
        CHECK(a.kind == b.kind);
        CHECK(a.keys() == b.keys());
        CHECK(same_bytes(a.numbers.span(), b.numbers.span()));
        CHECK(same_bytes(a.codes.span(), b.codes.span()));
        CHECK(same_bytes(a.ends.span(), b.ends.span()));
    }
    CHECK(is.column("genre").dictionary->text(2) == "jazz, \xff");
    CHECK(is.column("genre").dictionary->find("") == 1);
    CHECK(is.column("artists").dictionary->find_integer(-3) == 1);
    CHECK(same_bytes(was.rows().users.span(), is.rows().users.span()));
    CHECK(same_bytes(was.rows().items.span(), is.rows().items.span()));
    CHECK(same_bytes(was.targets(), is.targets()));
    CHECK(same_bytes(was.weights(), is.weights()));
    CHECK(same_bytes(was.baselines(), is.baselines()));
    CHECK(same_bytes(was.group_ends(), is.group_ends()));
    CHECK(is.as_of() == was.as_of());
    CHECK_FALSE(is.rows().targets_as_of.has_value());
    std::remove(path.c_str());
}

TEST_CASE("an empty frame comes back from its file") {
    rs::save(path, rs::frame());
    auto const is = rs::load<rs::frame>(path);
    CHECK(is.n_rows() == 0);
    CHECK(is.n_columns() == 0);
    std::remove(path.c_str());
}

TEST_CASE("a frame's file that was altered is refused") {
    rs::save(path, table());
    std::ifstream in(path, std::ios::binary);
    std::string const bytes{std::istreambuf_iterator<char>(in), {}};
    in.close();
    for (std::size_t at = 0; at < bytes.size(); at += 13) {
        auto bad = bytes;
        bad[at] = static_cast<char>(bad[at] ^ 0x20);
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bad;
        CHECK_THROWS_AS(static_cast<void>(rs::load<rs::frame>(path)), rs::format_error);
    }
    std::remove(path.c_str());
}
