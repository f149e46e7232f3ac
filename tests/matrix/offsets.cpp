// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

namespace rs = recsys;

TEST_CASE("c20 offsets do not overflow above 2^31 entries") {
    std::vector<std::uint32_t> const counts{2147483648u, 1};
    auto const offsets = rs::detail::offsets_of_counts(std::span<std::uint32_t const>(counts));
    CHECK(std::vector<std::int64_t>(offsets.begin(), offsets.end()) == std::vector<std::int64_t>{0, 2147483648, 2147483649});
    static_assert(std::is_same_v<decltype(offsets[0]), std::int64_t const&>);
    static_assert(std::is_same_v<decltype(std::declval<rs::csr const&>().offsets()), std::span<std::int64_t const>>);
    static_assert(std::is_same_v<decltype(std::declval<rs::csc const&>().offsets()), std::span<std::int64_t const>>);
}

TEST_CASE("c20 what 63 bits cannot hold is an error") {
    std::vector<std::uint64_t> const counts{std::numeric_limits<std::uint64_t>::max() / 2, 1};
    CHECK_THROWS_WITH_AS(rs::detail::offsets_of_counts(std::span<std::uint64_t const>(counts)), doctest::Contains("row 1"), rs::data_error);
}

TEST_CASE("c20 300 entries are no trouble for 8-bit counts") {
    std::vector<std::uint8_t> const counts{200, 100};
    CHECK(rs::detail::offsets_of_counts(std::span<std::uint8_t const>(counts))[2] == 300);
}

TEST_CASE("a column is counted into offsets, and an index past the end is named") {
    std::vector<rs::item_index> const column{rs::item_index{2}, rs::item_index{0}, rs::item_index{2}};
    auto const offsets = rs::detail::count_offsets(std::span<rs::item_index const>(column), 4, "test", "item");
    CHECK(std::vector<std::int64_t>(offsets.begin(), offsets.end()) == std::vector<std::int64_t>{0, 1, 1, 3, 3});
    CHECK_THROWS_WITH_AS(rs::detail::count_offsets(std::span<rs::item_index const>(column), 2, "test", "item"),
                         doctest::Contains("row 0 has item 2"), rs::data_error);
    auto const places = rs::detail::next_places(offsets);
    CHECK(std::vector<std::int64_t>(places.begin(), places.end()) == std::vector<std::int64_t>{0, 1, 1, 3});
}
