// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstdio>
#include <string>
#include <vector>

#include "support/brute_force.hpp"

namespace rs = recsys;
using namespace brute_force;

TEST_CASE("lists hold a list for each user, empty ones too, and a copy shares") {
    rs::lists const all({user(3), user(0), user(1)}, {2, 2, 3}, {{item(5), 2}, {item(1), 1}, {item(0), 4}});
    CHECK(all.size() == 3);
    CHECK(all.n_slots() == 3);
    CHECK(all[0].user == user(3));
    CHECK(all[0].list.size() == 2);
    CHECK(all[1].list.empty());
    CHECK(all[2].list[0] == rs::scored{item(0), 4});
    rs::lists const copy = all;
    CHECK(copy[0].list.data() == all[0].list.data());
    CHECK(rs::lists().empty());
    CHECK(rs::lists().begin() == rs::lists().end());
    std::size_t n = 0;
    for (auto const& [u, list] : all) n += list.size();
    CHECK(n == 3);
}

TEST_CASE("ends that fall or pass the end are errors") {
    CHECK_THROWS_AS(rs::lists({user(0)}, {2}, {{item(0), 1}}), rs::data_error);
    CHECK_THROWS_AS(rs::lists({user(0), user(1)}, {1, 0}, {{item(0), 1}}), rs::data_error);
    CHECK_THROWS_AS(rs::lists({user(0), user(1)}, {1}, {{item(0), 1}}), rs::data_error);
}

TEST_CASE("lists are saved and loaded as they were") {
    rs::lists const all({user(3), user(0)}, {2, 2}, {{item(5), 2}, {item(1), 1}}, {7, 8, rs::time_point(std::chrono::seconds(5))});
    std::string const path = "retrieval_lists_test.rsm";
    rs::save(path, all, rs::lists());
    auto const [again, none] = rs::load<rs::lists, rs::lists>(path);
    CHECK(flat(again) == flat(all));
    CHECK(again.provenance().items == 8);
    CHECK(again.provenance().as_of == all.provenance().as_of);
    CHECK(none.empty());
    std::remove(path.c_str());
}
