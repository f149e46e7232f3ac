// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
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

TEST_CASE("events come back from a file beside their encoders as the same dataset") {
    struct play {
        int user;
        std::string item;
        double weight;
        std::int64_t at;
    };
    std::vector<play> const plays{{7, "b", 2, 20}, {3, "a", 1, 10}, {7, "a", 1, 30}};
    auto const data =
        recsys::ingest(plays, recsys::columns().user(&play::user).item(&play::item).weight(&play::weight).unix_seconds(&play::at));
    std::string const path = "events_test.rsm";
    recsys::save(path, data.users(), data.items(), recsys::events(data));
    auto const [users, items, rows] = recsys::load<recsys::user_encoder<int>, recsys::item_encoder<std::string>, recsys::events>(path);
    recsys::dataset<int, std::string> const back(rows, users, items);
    auto const same = [](auto a, auto b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); };
    CHECK(same(back.event_users(), data.event_users()));
    CHECK(same(back.event_items(), data.event_items()));
    CHECK(same(back.event_weights(), data.event_weights()));
    CHECK(same(back.event_times(), data.event_times()));
    CHECK(same(back.active_users(), data.active_users()));
    CHECK(back.as_of() == data.as_of());
    CHECK(back.provenance().users == data.provenance().users);
    auto const window = data.before(moment(seconds{25}));
    recsys::save(path, recsys::events(window));
    CHECK(recsys::load<recsys::events>(path).size() == 2);
    CHECK(recsys::load<recsys::events>(path).as_of() == window.as_of());
    std::remove(path.c_str());
}

TEST_CASE("events of a file are not believed") {
    using recsys::detail::archived;
    auto const with = [](std::vector<user_index> users, std::vector<moment> times) {
        std::vector<recsys::detail::archive_section> sections;
        recsys::detail::object_writer out(sections, 0);
        out.array("sizes", std::vector<std::uint64_t>{3, 1});
        out.array("users", users), out.array("items", std::vector<item_index>(2));
        out.array("weights", std::vector<float>{}), out.array("times", times);
        recsys::detail::save_provenance({0, 0, moment(seconds{9})}, out);
        return archived<recsys::events>::load({"made up", sections}).size();
    };
    moment const early(seconds{1}), late(seconds{8}), too_late(seconds{9});
    CHECK(with({user_index{2}, user_index{0}}, {early, late}) == 2);
    CHECK_THROWS_AS(with({user_index{3}, user_index{0}}, {early, late}), recsys::format_error);
    CHECK_THROWS_AS(with({user_index{2}}, {early, late}), recsys::format_error);
    CHECK_THROWS_AS(with({user_index{2}, user_index{0}}, {early}), recsys::format_error);
    CHECK_THROWS_AS(with({user_index{2}, user_index{0}}, {late, early}), recsys::format_error);
    CHECK_THROWS_AS(with({user_index{2}, user_index{0}}, {early, too_late}), recsys::format_error);
}
