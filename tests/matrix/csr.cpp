// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstdint>
#include <limits>
#include <vector>

namespace rs = recsys;

namespace {

rs::item_index item(std::uint32_t i) { return rs::item_index{i}; }
rs::csr made(std::size_t users, std::size_t items, std::vector<std::int64_t> offsets, std::vector<rs::item_index> columns,
             std::vector<float> values) {
    return rs::csr(users, items, rs::detail::shared_array<std::int64_t>(std::move(offsets)),
                   rs::detail::shared_array<rs::item_index>(std::move(columns)), rs::detail::shared_array<float>(std::move(values)));
}

}

TEST_CASE("a matrix gives the rows of its arrays") {
    auto const m = made(3, 5, {0, 2, 2, 3}, {item(1), item(4), item(0)}, {2, 0, -1});
    CHECK(m.n_entries() == 3);
    CHECK(m.seen(rs::user_index{0})[1] == item(4));
    CHECK(m.seen(rs::user_index{1}).empty());
    CHECK(m.weights(rs::user_index{2})[0] == -1);
    CHECK(m.seen(rs::user_index{3}).empty());
    CHECK(m.report().stored_zeros == 1);
    CHECK(m.report().negatives == 1);
    CHECK(m.report().empty_rows == 1);
    CHECK(rs::csr().n_entries() == 0);
    rs::csr const empty;
    CHECK(empty.seen(rs::user_index{0}).empty());
    CHECK(rs::nothing_seen.seen(rs::user_index{0}).empty());
    static_assert(rs::seen_items<rs::csr> && rs::seen_items<rs::nothing_seen_t>);
}

TEST_CASE("arrays that are no matrix are errors that name the row") {
    CHECK_THROWS_AS(made(2, 5, {0, 1}, {item(0)}, {1}), rs::data_error);    // offsets missing
    CHECK_THROWS_AS(made(1, 5, {1, 1}, {item(0)}, {1}), rs::data_error);    // does not begin at 0
    CHECK_THROWS_AS(made(1, 5, {0, 1}, {item(0)}, {1, 2}), rs::data_error); // values too many
    CHECK_THROWS_WITH_AS(made(2, 5, {0, 2, 1}, {item(0)}, {1}), doctest::Contains("row 0"), rs::data_error);
    CHECK_THROWS_WITH_AS(made(2, 5, {0, 0, 1}, {item(5)}, {1}), doctest::Contains("row 1 has item 5"), rs::data_error);
    CHECK_THROWS_WITH_AS(made(1, 5, {0, 2}, {item(1), item(1)}, {1, 1}), doctest::Contains("rise strictly"), rs::data_error);
    CHECK_THROWS_WITH_AS(made(1, 5, {0, 2}, {item(2), item(1)}, {1, 1}), doctest::Contains("rise strictly"), rs::data_error);
    CHECK_THROWS_WITH_AS(made(1, 5, {0, 1}, {item(1)}, {std::numeric_limits<float>::infinity()}), doctest::Contains("item 1 is not finite"),
                         rs::data_error);
    CHECK_THROWS_AS(made(2147483648u, 5, {0}, {}, {}), rs::data_error);
}

TEST_CASE("a copy shares and outlives the original") {
    rs::csr copy;
    rs::item_index const* place = nullptr;
    {
        auto const m = made(1, 2, {0, 1}, {item(1)}, {3});
        copy = m;
        place = m.columns().data();
    }
    CHECK(copy.columns().data() == place);
    CHECK(copy.weights(rs::user_index{0})[0] == 3);
}
