// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

using namespace std::chrono;

TEST_CASE("c22 user and item indices are types of their own") {
    CHECK_FALSE(std::is_convertible_v<recsys::user_index, recsys::item_index>);
    CHECK_FALSE(std::is_convertible_v<recsys::user_index, std::size_t>);
    CHECK_FALSE(std::is_convertible_v<int, recsys::item_index>);
    CHECK(recsys::to_size(recsys::item_index{4000000000u}) == 4000000000u);
}

TEST_CASE("a count takes any integer and refuses a negative one") {
    std::uint8_t const byte = 200;
    CHECK(recsys::natural(byte) == 200u);
    CHECK(recsys::natural(std::int64_t{5}) == 5u);
    CHECK_THROWS_WITH_AS(recsys::natural(-1), "a count must not be negative, got -1", recsys::option_error);
    CHECK_FALSE(std::is_constructible_v<recsys::natural, double>);
    CHECK_FALSE(std::is_constructible_v<recsys::natural, bool>);
}

TEST_CASE("a progress callback may return nothing, or whether to go on") {
    int calls = 0;
    recsys::progress_callback const none, counting([&](recsys::progress const&) { ++calls; }),
        stopping([](recsys::progress const&p) { return p.done < 2; });
    CHECK(none({"x", 1, 2}));
    CHECK_FALSE(static_cast<bool>(none));
    CHECK(counting({"x", 1, 2}));
    CHECK(calls == 1);
    CHECK(stopping({"x", 1, 2}));
    CHECK_FALSE(stopping({"x", 2, 2}));
}

TEST_CASE("the reporter tells stage, place and time left, and remembers a stop") {
    std::vector<recsys::progress> seen;
    recsys::progress_callback const callback([&](recsys::progress const& p) { return seen.push_back(p), p.done != 2; });
    recsys::detail::progress_reporter reporter(callback, "fit", 4);
    CHECK(reporter.report(1, 0.5));
    CHECK_FALSE(reporter.report(2));
    CHECK_FALSE(reporter.go_on());
    CHECK(seen.size() == 2);
    CHECK(seen[0].stage == "fit");
    CHECK(seen[0].total == 4);
    CHECK(seen[0].loss == 0.5);
    CHECK(std::isnan(seen[1].loss));
    CHECK(seen[0].seconds_left >= 0);
    CHECK_THROWS_WITH_AS(reporter.report_or_throw(2), "fit: stopped by the progress callback after 2 of 4", recsys::cancelled);
}

TEST_CASE("moments are written as ISO 8601, before 1970 too") {
    auto const text = [](std::int64_t us) { return recsys::detail::time_text(recsys::time_point(microseconds(us))); };
    CHECK(text(0) == "1970-01-01T00:00:00Z");
    CHECK(text(-1) == "1969-12-31T23:59:59.999999Z");
    CHECK(text(1671148800000000) == "2022-12-16T00:00:00Z");
    CHECK(text(1671148800000500) == "2022-12-16T00:00:00.000500Z");
}

TEST_CASE("unlike encoders are told apart where both are known") {
    recsys::provenance const a{1, 2, {}}, b{1, 3, {}}, unknown{};
    recsys::detail::check_same_encoders("recommend", "seen", a, a);
    recsys::detail::check_same_encoders("recommend", "seen", a, unknown);
    CHECK_THROWS_WITH_AS(recsys::detail::check_same_encoders("recommend", "seen", a, b),
                         "recommend: seen was made with other item ids (another item encoder)", recsys::data_error);
}

TEST_CASE("row numbers count from zero") {
    std::vector<std::size_t> rows;
    for (auto const r : recsys::row_numbers(3)) rows.push_back(r);
    CHECK(rows == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("messages join text and numbers and cut what is too long") {
    CHECK(recsys::detail::concat("als: factors must be in [", 1, ", ", 4096u, "], got ", 0.5, true) ==
          "als: factors must be in [1, 4096], got 0.5true");
    CHECK(recsys::detail::in_quotes(std::string(100, 'x')) == "'" + std::string(57, 'x') + "...'");
}

TEST_CASE("an index count past 32 bits is refused") {
    recsys::detail::check_index_count(recsys::max_index_count, "csr", "users");
    CHECK_THROWS_AS(recsys::detail::check_index_count(std::size_t{1} << 31, "csr", "users"), recsys::data_error);
    CHECK_THROWS_AS(recsys::detail::checked_product(std::numeric_limits<std::size_t>::max() / 2, 3, "buffer"), recsys::data_error);
}
