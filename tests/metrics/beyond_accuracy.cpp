// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <list>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace rs = recsys;
using doctest::Approx;
using texts = std::vector<std::string>;

TEST_CASE("coverage is the share of the catalogue in the first k of all lists") {
    std::vector<std::vector<int>> const lists{{1, 2, 3}, {2, 4}, {}};
    std::vector<int> const catalogue{1, 2, 3, 4, 5};
    CHECK(rs::coverage(1)(lists, catalogue) == Approx(2. / 5));
    CHECK(rs::coverage(3)(lists, catalogue) == Approx(4. / 5));
    CHECK(rs::coverage(3).name() == "coverage");
    CHECK(rs::coverage(3)(lists.begin(), lists.end(), catalogue.begin(), catalogue.end()) == Approx(4. / 5));
    // Ids of other types: by value, never wrapped; text by its characters.
    CHECK(rs::coverage(2)(std::vector<std::vector<int>>{{-1, 7}}, std::set<unsigned>{4294967295u, 7u}) == 0.5);
    char const one[] = "one", again[] = "one";
    CHECK(rs::coverage(2)(std::vector<std::vector<char const*>>{{one}}, std::vector<char const*>{again}) == 1);
    CHECK(rs::coverage(2)(std::vector<std::list<char const*>>{{one}}, texts{"one", "two"}) == 0.5);
}

TEST_CASE("c66 what is not in the catalogue does not cover it; an empty catalogue is an error") {
    CHECK(rs::coverage(4)(std::vector<texts>{{"w", "x", "y", "z"}}, texts{"w", "x", "y"}) == 1);
    CHECK_THROWS_AS(rs::coverage(4)(std::vector<texts>{{"w"}}, texts{}), rs::data_error);
    // Novelty of an item that nobody has had is finite: as if one user had.
    auto const nobody = [](int) { return 0; };
    CHECK(rs::novelty_bits(5)(std::vector{1}, nobody, 8) == 3);
}

TEST_CASE("novelty is the share that the user had not, of what is listed") {
    CHECK(rs::novelty(5)(std::vector{1, 2, 3, 4}, std::vector{4, 9}) == 0.75);
    CHECK(rs::novelty(2)(std::vector{1, 2, 3, 4}, std::vector{4, 9}) == 1);
    CHECK(rs::novelty(5)(std::vector<int>{}, std::vector{4}) == 0);
    std::vector<int> const list{1, 2, 3, 4};
    std::set<long> const past{4, 9};
    CHECK(rs::novelty(5)(list.begin(), list.end(), past.begin(), past.end()) == 0.75);
    CHECK(rs::novelty(5).name() == "novelty@5");
    CHECK(rs::novelty_bits(5).name() == "novelty_bits@5");
}

TEST_CASE("novelty in bits is the mean self-information") {
    std::map<int, int> const users{{1, 8}, {2, 4}, {3, 1}};
    auto const of = [&](int id) { return users.at(id); };
    CHECK(rs::novelty_bits(3)(std::vector{1, 2, 3}, of, 8) == Approx((0 + 1 + 3) / 3.));
    CHECK(rs::novelty_bits(2)(std::vector{1, 2, 3}, of, 8) == Approx(0.5));
    std::list<int> const list{3, 2};
    CHECK(rs::novelty_bits(9)(list.begin(), list.end(), of, 8) == Approx(2));
    CHECK_THROWS_AS(rs::novelty_bits(2)(std::vector{1}, of, 0), rs::data_error);
}

TEST_CASE("the Gini index is 0 where all items are shown equally often, 1 - 1/n where one is") {
    CHECK(rs::gini::of_counts({3, 3, 3}) == Approx(0));
    CHECK(rs::gini::of_counts({0, 0, 0, 5}) == Approx(0.75));
    CHECK(rs::gini::of_counts({1, 2, 3, 4}) == Approx(0.25)); // sum |a - b| / (2 n^2 mean) = 20 / 80
    CHECK(rs::gini::of_counts({0, 0}) == 0);
}
