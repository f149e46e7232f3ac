// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace rs = recsys;
namespace rd = recsys::detail;

namespace {

std::string message(std::string const& text) {
    try {
        rd::json_document const document("model.json", text);
        static_cast<void>(document);
    } catch (rs::format_error const& e) { return e.what(); }
    return "no error";
}
double number_of(std::string const& text) {
    rd::json_document const document("model.json", text);
    return rd::json_value(document).number<double>();
}
std::string text_of(std::string const& text) {
    rd::json_document const document("model.json", text);
    return std::string(rd::json_value(document).text());
}

}

TEST_CASE("json values are found by name and order") {
    std::string const text = R"( {"a": [1, -2.5e3, {"b": null}], "c": {"d": true, "e": false}, "f": "x", "g": []} )";
    rd::json_document const document("model.json", text);
    rd::json_value const all(document);
    CHECK(all.size() == 4);
    std::vector<rd::json_kind> kinds;
    all["a"].each([&](rd::json_value v) { kinds.push_back(v.kind()); });
    CHECK(kinds == std::vector{rd::json_kind::number, rd::json_kind::number, rd::json_kind::object});
    CHECK(all["c"]["d"].truth());
    CHECK_FALSE(all["c"]["e"].truth());
    CHECK(all["f"].text() == "x");
    CHECK(all["g"].numbers<int>().empty());
    CHECK_FALSE(all.find("d").has_value());
    CHECK_THROWS_WITH_AS(static_cast<void>(all["c"]["x"]), "model.json: line 1, column 39: 'c': there is no 'x'", rs::format_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(all["f"].number<int>()), "model.json: line 1, column 69: 'f': must be a number",
                         rs::format_error);
}

TEST_CASE("json numbers are read as the nearest number, or refused") {
    CHECK(number_of("0.1") == 0.1);
    CHECK(number_of("-0") == 0);
    CHECK(number_of("1E2") == 100);
    CHECK(number_of("9007199254740993") == 9007199254740992.0);
    std::string const big = "18446744073709551615";
    rd::json_document const document("model.json", big);
    CHECK(rd::json_value(document).number<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
    CHECK_THROWS_AS(static_cast<void>(rd::json_value(document).number<std::int64_t>()), rs::format_error);
    CHECK_THROWS_AS(static_cast<void>(number_of("1e999")), rs::format_error);
}

TEST_CASE("json strings have their escapes resolved") {
    CHECK(text_of(R"("a\"\\\/\b\f\n\r\t")") == "a\"\\/\b\f\n\r\t");
    CHECK(text_of(R"("\u0041\u00e9\u20AC\ud83d\ude00.")") == "A\u00e9\u20ac\U0001F600.");
    CHECK(text_of("\"\u00e9\"") == "\u00e9");
    CHECK(text_of(R"("\u0000")") == std::string(1, '\0'));
}

TEST_CASE("what is not json is refused, with its place") {
    for (char const* wrong : {"",
                              " ",
                              "[1,]",
                              "{\"a\":1,}",
                              "[1 2]",
                              "{\"a\" 1}",
                              "{a:1}",
                              "01",
                              "1.",
                              ".5",
                              "+1",
                              "-",
                              "1e",
                              "NaN",
                              "Infinity",
                              "nul",
                              "tru",
                              "[",
                              "{",
                              "\"",
                              "\"\\",
                              "\"\\u12",
                              "\"\\u12g4\"",
                              "\"\\x\"",
                              "\"\\ud800\"",
                              "\"\\ud800\\u0041\"",
                              "\"\\udc00\"",
                              "\"a\nb\"",
                              "1 2",
                              "[1]]",
                              "{\"a\":1,\"a\":2}",
                              "'a'"})
        CHECK_MESSAGE(message(wrong).find("model.json: line ") == 0, wrong);
    CHECK(message("[1,\n  x]") == "model.json: line 2, column 3: is not JSON: expected a value");
    CHECK(message("[1") == "model.json: line 1, column 3: ends where there must be ',' or ']'");
    CHECK(message(std::string(100'000, '[')) == "model.json: line 1, column 258: has more than 256 values inside of each other");
}

TEST_CASE("json that was written reads back the same") {
    rd::json_writer out;
    std::vector<double> const numbers{0.1, 1e-310, -5e300, 1.0 / 3};
    out.open('{')
        .key("a\"\\\n\x01")
        .text("b\t\u00e9")
        .numbers("n", numbers)
        .key("list")
        .open('[')
        .number(1)
        .open('[')
        .close(']')
        .close(']');
    out.key("yes").number(true).key("big").number(std::numeric_limits<std::uint64_t>::max()).close('}');
    rd::json_document const document("model.json", out.text());
    rd::json_value const all(document);
    CHECK(all["a\"\\\n\x01"].text() == "b\t\u00e9");
    CHECK(all["n"].numbers<double>() == numbers);
    CHECK(all["list"].size() == 2);
    CHECK(all["yes"].truth());
    CHECK(all["big"].number<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
    CHECK_THROWS_AS(out.number(std::numeric_limits<float>::infinity()), rs::data_error);
}
