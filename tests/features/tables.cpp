// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <array>

namespace rs = recsys;

namespace {
enum class colour { red = 1, blue = 4 };
auto ids() { return rs::item_encoder<int>::fit(std::vector{3, 5, 8}); }
}

TEST_CASE("a number function runs once for each id; an empty optional is missing") {
    int calls = 0;
    auto f = [&](int id) -> std::optional<int> { return ++calls, id == 5 ? std::nullopt : std::optional(id * 2); };
    auto const table = rs::detail::table_of_numbers("n", ids(), f);
    CHECK(calls == 3);
    CHECK(table.numbers[0] == 6);
    CHECK(std::isnan(table.numbers[1]));
    CHECK(table.numbers[2] == 16);
}

TEST_CASE("categories are text, or the decimal number of an integer, a bool or an enum") {
    auto const text = [](auto f) {
        auto const table = rs::detail::table_of_category("c", ids(), f);
        std::string out = table.keys() == rs::key_kind::text ? "text:" : "integer:";
        for (auto const code : table.codes) out += code == rs::missing_category ? " ?" : ' ' + table.dictionary->text(code);
        return out;
    };
    CHECK(text([](int id) { return "t" + std::to_string(id / 5); }) == "text: t0 t1 t1");
    CHECK(text([](int id) { return std::string_view(id == 3 ? "" : "x"); }) == "text:  x x"); // the empty text is a category
    CHECK(text([](int id) { return id - 5; }) == "integer: -2 0 3");
    CHECK(text([](int id) { return std::uint64_t(0) - std::uint64_t(id); }) ==
          "integer: 18446744073709551613 18446744073709551611 18446744073709551608");
    CHECK(text([](int id) { return id == 3 ? colour::red : colour::blue; }) == "integer: 1 4 4");
    CHECK(text([](int id) { return id == 3; }) == "integer: 1 0 0");
    CHECK(text([](int id) -> std::optional<std::string> { return id == 5 ? std::nullopt : std::optional<std::string>("s"); }) ==
          "text: s ? s");
}

TEST_CASE("several categories keep their order, repeated ones count once, missing ones are left out") {
    std::vector<std::vector<std::optional<int>>> const of{{7, 7, 2}, {}, {2, std::nullopt, 7, 2}};
    auto f = [&](int id) -> auto const& { return of[id == 3 ? 0 : id == 5 ? 1 : 2]; };
    auto const table = rs::detail::table_of_categories("c", ids(), f);
    auto const row = [&](std::size_t r) {
        std::string out;
        for (auto const code : table.row_codes(r)) out += table.dictionary->text(code) + ' ';
        return out;
    };
    CHECK(row(0) == "7 2 ");
    CHECK(row(1) == "");
    CHECK(row(2) == "2 7 ");
}

TEST_CASE("ranges by value and arrays of text are categories too") {
    auto f = [](int id) { return std::array<std::string, 2>{"a" + std::to_string(id), "b"}; };
    auto const table = rs::detail::table_of_categories("c", ids(), f);
    CHECK(table.dictionary->size() == 4);
    CHECK(table.keys() == rs::key_kind::text);
}
