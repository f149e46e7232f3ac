// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono;
using recsys::item_index;
using recsys::user_index;
using moment = recsys::time_point;

recsys::detail::event_columns three_rows() {
    return {.users = {user_index{2}, user_index{0}, user_index{2}},
            .items = {item_index{1}, item_index{1}, item_index{0}},
            .weights = {1.f, 0.f, -2.f},
            .times = {moment(seconds{1}), moment(seconds{5}), moment(seconds{9})}};
}

}

TEST_CASE("events know their users, and are as of the microsecond after the last row") {
    recsys::events const rows(three_rows(), 4, 2, {7, 8, {}});
    CHECK(rows.size() == 3);
    CHECK(rows.n_users() == 4);
    CHECK(rows.n_items() == 2);
    CHECK(rows.dated());
    CHECK(rows.as_of() == moment(seconds{9}) + microseconds{1});
    CHECK(rows.provenance().users == 7);
    CHECK(rows.provenance().items == 8);
    CHECK(std::vector(rows.active_users().begin(), rows.active_users().end()) == std::vector{user_index{0}, user_index{2}});
    CHECK(rows.weight(2) == -2.f);
}

TEST_CASE("a cut that is given stays the moment of events, with rows or without") {
    CHECK(recsys::events(three_rows(), 3, 2, {0, 0, moment(days{1})}).as_of() == moment(days{1}));
    recsys::events const none({}, 3, 2, {0, 0, moment(days{1})});
    CHECK(none.empty());
    CHECK(none.dated());
    CHECK(none.as_of() == moment(days{1}));
}

TEST_CASE("events without weights weigh 1, without times have no moment") {
    recsys::events const rows({.users = {user_index{0}}, .items = {item_index{0}}, .weights = {}, .times = {}}, 1, 1, {});
    CHECK(rows.weight(0) == 1.f);
    CHECK(rows.event_weights().empty());
    CHECK_FALSE(rows.dated());
    CHECK(rows.as_of() == std::nullopt);
}

TEST_CASE("copies of events share their columns, and views of a temporary do not exist") {
    recsys::events const rows(three_rows(), 3, 2, {});
    auto const copy = rows;
    CHECK(copy.event_items().data() == rows.event_items().data());
    static_assert(!std::is_invocable_v<decltype([](auto&& e) -> decltype(std::forward<decltype(e)>(e).event_users()) {
                                           return std::forward<decltype(e)>(e).event_users();
                                       }),
                                       recsys::events>);
}
