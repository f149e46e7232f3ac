// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <clocale>
#include <cmath>
#include <limits>
#include <locale>
#include <string>

using recsys::detail::fixed_text;
using recsys::detail::number_text;
using recsys::detail::parse_number;

TEST_CASE("integers parse whole, in range, or not at all") {
    CHECK(parse_number<std::int64_t>("9007199254740993") == 9007199254740993);
    CHECK(parse_number<std::uint64_t>("18446744073709551615") == 18446744073709551615u);
    CHECK_FALSE(parse_number<std::uint64_t>("18446744073709551616"));
    CHECK_FALSE(parse_number<std::int8_t>("128"));
    CHECK_FALSE(parse_number<int>(""));
    CHECK_FALSE(parse_number<int>(" 1"));
    CHECK_FALSE(parse_number<int>("1 "));
    CHECK_FALSE(parse_number<int>("1.0"));
    CHECK_FALSE(parse_number<unsigned>("-1"));
}

TEST_CASE("reals parse whole and correctly rounded") {
    CHECK(parse_number<double>("0.1") == 0.1);
    CHECK(parse_number<double>("+1.5e3") == 1500.0);
    CHECK(parse_number<double>("-.5") == -0.5);
    CHECK(parse_number<double>("5.") == 5.0);
    CHECK(parse_number<double>("1e400") == std::numeric_limits<double>::infinity());
    CHECK(parse_number<double>("1e-400") == 0.0);
    CHECK(parse_number<double>("2.2250738585072011e-308") == 2.2250738585072011e-308);
    // Halfway between two floats as a double, above it as a decimal: rounding twice gives the lower one.
    CHECK(parse_number<float>("1.00000017881393432617187499") == 1.00000011920928955078125f);
    for (auto const* bad : {"", "-", "+", ".", "e5", "1e", "1e+", "nan", "inf", "0x10", "1,5", "1.5 ", " 1.5", "--1", "1.5.2"})
        CHECK_FALSE(parse_number<double>(bad));
}

TEST_CASE("numbers survive the way to text and back") {
    recsys::random_stream random(3);
    for (int i = 0; i < 2000; ++i) {
        auto const value = recsys::detail::bit_cast<double>(random.bits());
        if (!std::isfinite(value)) continue;
        CHECK(parse_number<double>(number_text(value)) == value);
    }
    CHECK(number_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
    CHECK(number_text(-std::numeric_limits<double>::infinity()) == "-inf");
    CHECK(fixed_text(0.125, 2) == "0.12");
    CHECK(fixed_text(1e20, 0) == "100000000000000000000");
}

namespace {

struct comma_numbers : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};

}

TEST_CASE("c50 a decimal comma in the locale changes no number") {
    auto const old = std::locale::global(std::locale(std::locale::classic(), new comma_numbers));
    std::string const before = std::setlocale(LC_ALL, nullptr);
    bool const german = std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
    CHECK(parse_number<double>("0.5") == 0.5);
    CHECK(recsys::detail::parse_by_strtod("0.5") == 0.5);
    CHECK(number_text(0.5) == "0.5");
    CHECK(number_text(1234567) == "1234567");
    CHECK(fixed_text(1234.5, 1) == "1234.5");
    if (!german) MESSAGE("the German locale is not installed: only the facet was tried");
    std::setlocale(LC_ALL, before.c_str());
    std::locale::global(old);
}
