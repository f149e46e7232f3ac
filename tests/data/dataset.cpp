// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono;
using data_type = recsys::dataset<std::string, int>;

struct play {
    std::string user;
    int item;
    sys_seconds at;
};
std::vector<play> const plays{{"b", 2, sys_seconds(seconds{30})}, {"a", 1, sys_seconds(seconds{10})}, {"c", 1, sys_seconds(seconds{20})}};
data_type sample() { return recsys::ingest(plays, recsys::columns().user(&play::user).item(&play::item).time(&play::at)); }

}

TEST_CASE("before() gives the rows before a moment, as of it, and shares the columns") {
    auto const data = sample();
    auto const past = data.before(sys_seconds(seconds{30}));
    static_assert(std::is_same_v<decltype(past), data_type const>);
    CHECK(past.size() == 2);
    CHECK(past.as_of() == recsys::time_point(seconds{30}));
    CHECK(past.event_users().data() == data.event_users().data());
    CHECK(past.users().ids().data() == data.users().ids().data());
    CHECK(past.n_users() == 3);
    CHECK(past.active_users().size() == 2);
    CHECK(data.before(sys_seconds(seconds{31})).size() == 3);
    CHECK(data.before(sys_days{}).size() == 0);
    CHECK(data.before(sys_days{days{1}}).as_of() == recsys::time_point(days{1}));
    CHECK(past.before(sys_seconds(seconds{20})).size() == 1);
    CHECK(past.report().rows == 3);
}

TEST_CASE("moments of finer units are floored") {
    auto const data = sample();
    using nanos = sys_time<nanoseconds>;
    CHECK(data.before(nanos(seconds{30}) + nanoseconds{1}).size() == 2);
    CHECK(data.before(nanos(seconds{30}) + microseconds{1}).size() == 3);
    CHECK_THROWS_AS((void)data.before(sys_days{days{1000000000}}), recsys::data_error);
}

TEST_CASE("rows without times have no before") {
    auto const data = recsys::ingest(plays, recsys::columns().user(&play::user).item(&play::item));
    CHECK_FALSE(data.dated());
    CHECK(data.as_of() == std::nullopt);
    CHECK_THROWS_WITH_AS((void)data.before(sys_days{}),
                         "before: the rows have no times; name the column with time(), unix_seconds() or unix_millis()",
                         recsys::data_error);
}

TEST_CASE("encoders of a temporary come by value, of a dataset by reference") {
    static_assert(std::is_same_v<decltype(std::declval<data_type const&>().users()), recsys::user_encoder<std::string> const&>);
    static_assert(std::is_same_v<decltype(std::declval<data_type>().users()), recsys::user_encoder<std::string>>);
    static_assert(std::is_same_v<decltype(std::declval<data_type>().report()), recsys::row_report>);
    static_assert(std::is_convertible_v<data_type const&, recsys::events const&>);
    static_assert(!std::is_convertible_v<recsys::truth, data_type> && !std::is_convertible_v<recsys::truth, recsys::events>);
    auto const users = sample().users();
    CHECK(users.size() == 3);
}

TEST_CASE("a dataset can be made of events and encoders that fit together") {
    auto const data = sample();
    data_type const same(data, data.users(), data.items());
    CHECK(same.size() == 3);
    CHECK(same.as_of() == data.as_of());
    CHECK(same.provenance().users == data.users().fingerprint());
    recsys::events const plain({.users = {recsys::user_index{0}}, .items = {recsys::item_index{1}}, .weights = {}, .times = {}}, 3, 2, {});
    data_type const adopted(plain, data.users(), data.items());
    CHECK(adopted.provenance().users == data.users().fingerprint());
    CHECK(adopted.items().id(adopted.event_items()[0]) == 2);
    auto const other_users = recsys::user_encoder<std::string>::fit(std::vector<std::string>{"x", "y", "z"});
    CHECK_THROWS_AS(data_type(data, other_users, data.items()), recsys::data_error);
    auto const fewer = recsys::item_encoder<int>::fit(std::vector<int>{1});
    CHECK_THROWS_AS(data_type(data, data.users(), fewer), recsys::data_error);
}

TEST_CASE("a dataset that was never filled is empty") {
    data_type const none;
    CHECK(none.size() == 0);
    CHECK(none.users().size() == 0);
    CHECK(none.before(sys_days{}).size() == 0);
}
