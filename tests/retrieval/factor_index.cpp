// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <limits>
#include <vector>

namespace rs = recsys;

namespace {

rs::detail::factor_index<float> index_of(std::vector<float> const& values, std::size_t factors, rs::similarity by,
                                         std::vector<std::uint32_t> items) {
    rs::detail::factor_rows<float> const rows{values.data(), values.size() / factors, factors, factors};
    auto const lengths = rs::detail::lengths_of(rows);
    rs::detail::team workers(2);
    return {rs::detail::factor_pairs<float>(rows, by, lengths.data()), std::move(items), workers};
}

}

TEST_CASE("an index has the longest rows first, equal ones by number, and what cannot be summed last and apart") {
    std::vector<float> const values{1, 0, 3, 4, -1, 0, std::numeric_limits<float>::quiet_NaN(), 0, 0, 5, 1e25f, 0, 0, 0};
    auto const index = index_of(values, 2, rs::similarity::dot, {0, 1, 2, 3, 4, 5, 6});
    CHECK(std::vector<std::uint32_t>(index.items().begin(), index.items().end()) == std::vector<std::uint32_t>{1, 4, 0, 2, 6, 3, 5});
    CHECK(index.n_plain() == 5);
    CHECK(index.n_groups() == 1);
    CHECK(index.longest(0) == 5);
    CHECK(index.shortest(0) == 0);
    CHECK(index.scales(0) == nullptr);
    CHECK(index.block(0)[0] == 3); // first factors side by side, then second ones
    CHECK(index.block(0)[1] == 0);
    CHECK(index.block(0)[16] == 4);
    CHECK(index.block(0)[17] == 5);
}
TEST_CASE("for cosines rows stay in their order, with what makes them 1 long; rows without a length are apart") {
    std::vector<float> const values{1, 0, 0, 0, 3, 4, 0, 2};
    auto const index = index_of(values, 2, rs::similarity::cosine, {0, 1, 2, 3});
    CHECK(std::vector<std::uint32_t>(index.items().begin(), index.items().end()) == std::vector<std::uint32_t>{0, 2, 3, 1});
    CHECK(index.n_plain() == 3);
    REQUIRE(index.scales(0) != nullptr);
    CHECK(index.scales(0)[0] == 1);
    CHECK(index.scales(0)[1] == 0.2f);
    CHECK(index.scales(0)[2] == 0.5f);
}
TEST_CASE("an index of some items, and of none") {
    std::vector<float> values(40 * 3);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    auto const some = index_of(values, 3, rs::similarity::euclidean, {1, 20, 39});
    CHECK(std::vector<std::uint32_t>(some.items().begin(), some.items().end()) == std::vector<std::uint32_t>{39, 20, 1});
    CHECK(some.place_of(39) == 0);
    CHECK(some.place_of(1) == 2);
    CHECK(some.place_of(0) == some.no_place);
    auto const none = index_of(values, 3, rs::similarity::dot, {});
    CHECK(none.n_groups() == 0);
    CHECK(none.n_plain() == 0);
}
