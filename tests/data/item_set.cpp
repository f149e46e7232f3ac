// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstdint>
#include <list>
#include <vector>

namespace {
using recsys::item_index;
item_index at(std::uint32_t i) { return item_index{i}; }
}

TEST_CASE("an item set is sorted and distinct whatever it is made of") {
    recsys::item_set const set = std::list<item_index>{at(5), at(1), at(5), at(3)};
    CHECK(set.size() == 3);
    CHECK(std::vector<item_index>(set.items().begin(), set.items().end()) == std::vector{at(1), at(3), at(5)});
    for (std::uint32_t i = 0; i < 8; ++i) CHECK(set.contains(at(i)) == (i == 1 || i == 3 || i == 5));
    CHECK(set.provenance().items == 0);
}

TEST_CASE("an empty item set holds nothing") {
    recsys::item_set const none, empty = std::vector<item_index>{};
    CHECK(none.empty());
    CHECK(empty.size() == 0);
    CHECK(empty.items().empty());
    CHECK_FALSE(none.contains(at(0)));
}

TEST_CASE("copies of an item set share its items") {
    recsys::item_set const set{at(2), at(0)};
    auto const copy = set;
    CHECK(copy.items().data() == set.items().data());
    CHECK(copy.contains(at(2)));
}
