// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <forward_list>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/fixtures/data.hpp"

namespace ingest_test {

using namespace std::chrono;

struct listen {
    std::string user;
    std::uint32_t track = 0;
    std::int64_t when = 0;
    float seconds = 0;
};
std::vector<listen> const plays{{"cy", 7, 30, 60.f}, {"ada", 42, 10, 30.f}, {"bob", 7, 20, 90.f}, {"ada", 7, 10, 60.f}};
auto const all_columns = recsys::columns().user(&listen::user).item(&listen::track).unix_seconds(&listen::when).weight([](listen const& l) {
    return l.seconds / 60.f;
});

struct uuid {
    std::uint64_t hi = 0, lo = 0;
    friend bool operator==(uuid const&, uuid const&) = default;
    friend auto recsys_tie(uuid const& u) { return std::tie(u.hi, u.lo); }
};

template <class Data> std::vector<std::string> rows_of(Data const& data) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < data.size(); ++i) {
        auto const& user = data.users().id(data.event_users()[i]);
        auto const& item = data.items().id(data.event_items()[i]);
        auto const time =
            data.event_times().empty() ? std::string("-") : std::to_string(data.event_times()[i].time_since_epoch() / seconds{1});
        out.push_back(
            recsys::detail::concat(recsys::detail::id_text(user), ' ', recsys::detail::id_text(item), ' ', time, ' ', data.weight(i)));
    }
    return out;
}
recsys::time_point first_time(recsys::events const& rows) { return rows.event_times()[0]; }
template <class Function> std::string message_of(Function const& f) {
    try {
        f();
    } catch (recsys::error const& e) { return e.what(); }
    return {};
}
std::vector<std::string> const sorted_rows{"'ada' 42 10 0.5", "'ada' 7 10 1", "'bob' 7 20 1.5", "'cy' 7 30 1"};

/// What a database gives: one row at a time, whose text dies with the next step.
struct cursor {
    std::size_t row = 0;
    std::string text;
    bool step() {
        if (row == plays.size()) return false;
        text = plays[row++].user;
        return true;
    }
    std::string_view user() const { return text; }
    listen const& now() const { return plays[row - 1]; }
};
struct cursor_iterator {
    using value_type = cursor;
    using difference_type = std::ptrdiff_t;
    cursor* c = nullptr;
    cursor& operator*() const { return *c; }
    cursor_iterator& operator++() {
        if (!c->step()) c = nullptr;
        return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !c; }
};

std::istream& operator>>(std::istream& in, listen& l) { return in >> l.user >> l.track >> l.when >> l.seconds; }

}

using namespace ingest_test;
using recsys::columns;
using recsys::ingest;
using recsys::item_index;
using recsys::user_index;

TEST_CASE("ingest sorts by time once, equal times keep their order, ids get sorted indices") {
    auto const data = ingest(plays, all_columns);
    static_assert(std::is_same_v<decltype(data), recsys::dataset<std::string, std::uint32_t> const>);
    CHECK(rows_of(data) == sorted_rows);
    CHECK(data.users().at("ada") == user_index{0});
    CHECK(data.items().at(42) == item_index{1});
    CHECK(data.n_users() == 3);
    CHECK(data.n_items() == 2);
    CHECK(data.as_of() == recsys::time_point(seconds{30}) + microseconds{1});
    CHECK(data.report().rows == 4);
    CHECK(data.report().kept == 4);
    CHECK(data.report().warnings().empty());
    CHECK(data.provenance().users == data.users().fingerprint());
    CHECK(data.provenance().items == data.items().fingerprint());
}

TEST_CASE("the order of rows of equal time is that of pandas' stable sort") {
    using namespace data_fixture;
    auto const n = std::size(event_users);
    auto const data = ingest(recsys::row_numbers(n), columns()
                                                         .user([](std::size_t i) { return event_users[i]; })
                                                         .item([](std::size_t i) { return event_items[i]; })
                                                         .unix_seconds([](std::size_t i) { return event_times[i]; }));
    REQUIRE(data.size() == n);
    bool same = true;
    for (std::size_t i = 0; i < n; ++i) {
        auto const row = static_cast<std::size_t>(time_order[i]);
        same = same && data.users().id(data.event_users()[i]) == event_users[row] &&
               data.items().id(data.event_items()[i]) == event_items[row];
        same = same && data.event_times()[i] == recsys::time_point(seconds{event_times[row]});
    }
    CHECK(same);
}

TEST_CASE("any input range or iterator pair will do, read once") {
    SUBCASE("lists") { CHECK(rows_of(ingest(std::forward_list<listen>(plays.begin(), plays.end()), all_columns)) == sorted_rows); }
    SUBCASE("iterator pairs") { CHECK(rows_of(ingest(plays.begin(), plays.end(), all_columns)) == sorted_rows); }
    SUBCASE("streams") {
        std::istringstream in("cy 7 30 60 ada 42 10 30 bob 7 20 90 ada 7 10 60");
        CHECK(rows_of(ingest(std::istream_iterator<listen>(in), std::istream_iterator<listen>(), all_columns)) == sorted_rows);
    }
    SUBCASE("a cursor whose text dies with the next step, with a sentinel") {
        cursor c;
        c.step();
        auto const data = ingest(cursor_iterator{&c}, std::default_sentinel,
                                 columns()
                                     .user([](cursor const& r) { return r.user(); })
                                     .item([](cursor const& r) { return r.now().track; })
                                     .unix_seconds([](cursor const& r) { return r.now().when; })
                                     .weight([](cursor const& r) { return r.now().seconds / 60; }),
                                 {.reserve = 10'000'000});
        CHECK(rows_of(data) == sorted_rows);
    }
    SUBCASE("rows by value: vector<bool> and parallel arrays") {
        std::vector<bool> const flags{true, false, true};
        auto const data = ingest(flags, columns().user([](bool b) { return int{b}; }).item([](bool) { return 3; }));
        CHECK(rows_of(data) == std::vector<std::string>{"1 3 - 1", "0 3 - 1", "1 3 - 1"});
    }
    SUBCASE("tuples and pairs") {
        std::deque<std::pair<int, char>> const pairs{{5, 'b'}, {4, 'a'}};
        auto const data = ingest(pairs, columns().user(&std::pair<int, char>::first).item(&std::pair<int, char>::second));
        CHECK(rows_of(data) == std::vector<std::string>{"5 98 - 1", "4 97 - 1"});
    }
    SUBCASE("rows that cannot be copied") {
        std::vector<std::unique_ptr<listen>> rows;
        for (auto const& l : plays) rows.push_back(std::make_unique<listen>(l));
        auto const data =
            ingest(rows, columns().user([](auto const& p) -> auto const& { return p->user; }).item([](auto const& p) { return p->track; }));
        CHECK(data.size() == 4);
    }
}

TEST_CASE("ids of own types, text views and arrays of char are ids") {
    struct visit {
        uuid user;
        std::string_view page;
        sys_time<milliseconds> at;
        char code[4];
    };
    std::vector<visit> const visits{{{2, 1}, "b", sys_time<milliseconds>(milliseconds{-1}), {'a', 'b', 'c', 'd'}},
                                    {{1, 2}, "a", {}, {'a', 0, 'x', 'y'}}};
    auto const data = ingest(visits, columns().user(&visit::user).item(&visit::page).time(&visit::at));
    CHECK(data.users().at(uuid{1, 2}) == user_index{0});
    CHECK(data.items().at("a") == item_index{0});
    CHECK(data.event_times()[0] == recsys::time_point(microseconds{-1000}));
    auto const coded = ingest(visits, columns().user(&visit::code).item(&visit::page));
    CHECK(coded.users().at("abcd") == user_index{1});
    CHECK(coded.users().at("a") == user_index{0});
}

TEST_CASE("c01 a missing user is counted and large ids stay what they are") {
    struct row {
        std::optional<std::int64_t> user;
        int item;
    };
    std::vector<row> const rows{{9007199254740993, 1}, {std::nullopt, 2}, {9007199254740992, 3}};
    auto const data = ingest(rows, columns().user(&row::user).item(&row::item));
    CHECK(data.size() == 2);
    CHECK(data.users().size() == 2);
    CHECK(data.users().id(data.event_users()[0]) == 9007199254740993);
    CHECK(data.users().id(data.event_users()[1]) == 9007199254740992);
    CHECK(data.report().missing == 1);
    CHECK(data.report().missing_users == 1);
    CHECK(data.report().missing_items == 0);
    CHECK(data.items().find(2) == std::nullopt);
    CHECK(data.report().warnings() == std::vector<std::string>{"1 of 3 rows left out: the user or the item is missing"});
}

TEST_CASE("every row is counted once, and rows that are left out bring no ids") {
    struct row {
        std::optional<int> user;
        char const* item;
        std::optional<sys_days> day;
        std::optional<double> weight;
    };
    sys_days const d{days{1}};
    std::vector<row> const rows{{1, "a", d, 1.0},     {std::nullopt, "b", d, 1.0},
                                {2, nullptr, d, 1.0}, {std::nullopt, nullptr, {}, {}},
                                {3, "c", {}, 1.0},    {4, "d", d, {}},
                                {5, "e", {}, {}},     {1, "", d, 0.1}};
    auto const data = ingest(rows, columns().user(&row::user).item(&row::item).time(&row::day).weight(&row::weight));
    auto const& r = data.report();
    CHECK(r.rows == 8);
    CHECK(r.kept == 2);
    CHECK(r.missing == 3);
    CHECK(r.missing_users == 2);
    CHECK(r.missing_items == 2);
    CHECK(r.undated == 2);
    CHECK(r.weightless == 1);
    CHECK(r.unknown == 0);
    CHECK(r.changed_weights == 1);
    CHECK(r.rows == r.kept + r.missing + r.undated + r.weightless + r.unknown);
    CHECK(data.users().size() == 1);
    CHECK(data.items().size() == 2); // empty text is an id
    CHECK(r.warnings().size() == 4);
}

TEST_CASE("c13 rows with a missing time are reported as undated: train + test + reported = input") {
    struct row {
        int user;
        std::optional<sys_seconds> at;
    };
    std::vector<row> const rows{{1, sys_seconds(seconds{10})}, {2, std::nullopt}, {3, sys_seconds(seconds{30})}};
    auto const data = ingest(rows, columns().user(&row::user).item(&row::user).time(&row::at));
    auto const w = recsys::split_by_time(data, sys_seconds(seconds{20}));
    CHECK(w.train.size() == 1);
    CHECK(w.test.size() == 1);
    CHECK(data.report().undated == 1);
    CHECK(w.train.size() + w.test.size() + data.report().undated == rows.size());
}

TEST_CASE("c12 times before 1970 are floored to their day's microseconds") {
    std::vector<std::int64_t> const times{-1, -86400, -86401};
    auto const data = ingest(
        times, columns().user([](std::int64_t) { return 1; }).item([](std::int64_t t) { return t; }).unix_seconds([](std::int64_t t) {
            return t;
        }));
    std::vector<int> found;
    for (auto const t : data.event_times()) found.push_back(static_cast<int>(floor<days>(t).time_since_epoch().count()));
    CHECK(found == std::vector<int>{-2, -1, -1});
}

TEST_CASE("times of all units come in, and absurd ones are errors that name the row") {
    struct row {
        int user;
        std::int64_t t;
    };
    std::vector<row> rows{{1, 1700000000}, {2, 1700000000000}};
    auto const ids = columns().user(&row::user).item(&row::user);
    CHECK(first_time(ingest(rows.begin() + 1, rows.end(), ids.unix_millis(&row::t))) == recsys::time_point(seconds{1700000000}));
    CHECK(message_of([&] { (void)ingest(rows, ids.unix_seconds(&row::t)); }) ==
          "ingest: the time of row 1 (from 0) lies outside of the years -32767 .. 32767; are its units right?");
    auto const fractions = ids.time([](row const&) { return sys_time<duration<double>>(duration<double>(0.25)); });
    CHECK(first_time(ingest(rows, fractions)) == recsys::time_point(milliseconds{250}));
    auto const nan = ids.time([](row const&) { return sys_time<duration<double>>(duration<double>(std::nan(""))); });
    CHECK_THROWS_AS((void)ingest(rows, nan), recsys::data_error);
}

TEST_CASE("a weight that is not a finite float is an error that names the row") {
    std::vector<double> weights{1, std::nan(""), 2};
    auto const as_rows = columns().user([](double) { return 1; }).item([](double) { return 1; }).weight([](double w) { return w; });
    CHECK(message_of([&] { (void)ingest(weights, as_rows); }) ==
          "ingest: the weight of row 1 (from 0) is nan, expected a finite number that float can hold");
    weights[1] = std::numeric_limits<double>::infinity();
    CHECK_THROWS_AS((void)ingest(weights, as_rows), recsys::data_error);
    weights[1] = 1e300;
    CHECK_THROWS_AS((void)ingest(weights, as_rows), recsys::data_error);
    weights[1] = -3;
    CHECK(ingest(weights, as_rows).weight(1) == -3.f);
}

TEST_CASE("weights that float changes are counted") {
    auto const changed = [](auto... w) {
        std::vector<std::common_type_t<decltype(w)...>> const weights{w...};
        return ingest(weights, columns().user([](auto) { return 1; }).item([](auto) { return 1; }).weight([](auto x) { return x; }))
            .report()
            .changed_weights;
    };
    CHECK(changed(16777217, 16777216, -16777217, 16777218) == 2);
    CHECK(changed(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()) == 1);
    CHECK(changed(std::numeric_limits<std::uint64_t>::max(), std::uint64_t{1} << 63) == 1);
    CHECK(changed(0.1, 0.5, 16777217.0) == 2);
    CHECK(changed(0.1f) == 0);
    CHECK(changed(-1, 0, -16777216) == 0);
    CHECK(changed(true, false) == 0);
    CHECK(changed(std::uint8_t{255}) == 0);
}

TEST_CASE("weights that are all 1 make no column") {
    auto const ids = columns().user(&listen::user).item(&listen::track);
    auto const none = ingest(plays, ids), ones = ingest(plays, ids.weight([](listen const&) { return 1; })),
               some = ingest(plays, ids.weight(&listen::seconds));
    CHECK(none.event_weights().empty());
    CHECK(none.weight(2) == 1.f);
    CHECK(ones.event_weights().empty());
    CHECK(some.event_weights().size() == 4);
}

TEST_CASE("encoders made before keep their indices and what they do not know is an error or skipped") {
    auto const items = recsys::item_encoder<std::uint32_t>::fit(std::vector<std::uint32_t>{1, 7, 99});
    CHECK(
        message_of([&] { (void)ingest(plays, all_columns, {.items = items}); }) ==
        "ingest: row 1 (from 0): item id 42 is not known to the encoder given; .unknown = unknown_ids::skip leaves such rows out and counts them");
    auto const data = ingest(plays, all_columns, {.items = items, .unknown = recsys::unknown_ids::skip});
    CHECK(data.size() == 3);
    CHECK(data.n_items() == 3);
    CHECK(data.items().ids().data() == items.ids().data());
    CHECK(data.event_items()[0] == item_index{1});
    CHECK(data.report().unknown == 1);
    CHECK(data.report().unknown_items == 1);
    CHECK(data.report().unknown_users == 0);
    auto const users = recsys::user_encoder<std::string>::fit(std::vector<std::string>{"ada"});
    auto const both = ingest(plays, all_columns, {.users = users, .items = items, .unknown = recsys::unknown_ids::skip});
    CHECK(rows_of(both) == std::vector<std::string>{"'ada' 7 10 1"});
    CHECK(both.report().unknown == 3);
    CHECK(both.report().unknown_users == 2);
    CHECK(both.report().unknown_items == 1);
    auto const known_users = ingest(plays, all_columns, {.users = users, .unknown = recsys::unknown_ids::skip});
    CHECK(known_users.n_items() == 2);
    CHECK(known_users.size() == 2);
}

TEST_CASE("no rows make an empty dataset") {
    auto const data = ingest(std::vector<listen>(), all_columns);
    CHECK(data.size() == 0);
    CHECK(data.n_users() == 0);
    CHECK(data.as_of() == std::nullopt);
    CHECK(data.active_users().empty());
    CHECK(data.report().warnings() == std::vector<std::string>{"no row of 0 was kept"});
    CHECK(data.before(sys_days{}).size() == 0);
}

TEST_CASE("exceptions of iterators and columns pass through") {
    auto const thrower =
        columns().user(&listen::user).item([](listen const& l) { return l.user == "bob" ? throw std::logic_error("mine") : l.track; });
    CHECK_THROWS_AS((void)ingest(plays, thrower), std::logic_error);
    struct broken {
        using value_type = int;
        using difference_type = std::ptrdiff_t;
        int n = 0;
        int operator*() const { return n; }
        broken& operator++() { return ++n == 3 ? throw std::runtime_error("gone") : *this; }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const { return false; }
    };
    auto const same = [](int n) { return n; };
    CHECK_THROWS_WITH((void)ingest(broken{}, std::default_sentinel, columns().user(same).item(same)), "gone");
}

TEST_CASE("the progress callback sees rows and can cancel") {
    auto const n = std::size_t{200000};
    auto const same = [](std::size_t row) { return row % 100; };
    std::vector<std::uint64_t> seen;
    std::uint64_t total = 0;
    auto const watch = [&](recsys::progress const& p) { seen.push_back(p.done), total = p.total; };
    (void)ingest(recsys::row_numbers(n), columns().user(same).item(same), {.reserve = n, .run = {.progress = watch}});
    CHECK(seen == std::vector<std::uint64_t>{65536, 131072, 196608, 200000});
    CHECK(total == n);
    auto const stop = [](recsys::progress const& p) { return p.done < 100000; };
    CHECK_THROWS_AS((void)ingest(recsys::row_numbers(n), columns().user(same).item(same), {.run = {.progress = stop}}), recsys::cancelled);
}

TEST_CASE("the dataset is the same for any number of threads") {
    auto const rows = recsys::row_numbers(300000);
    auto const how = columns()
                         .user([](std::size_t i) { return i * 7919 % 1013; })
                         .item([](std::size_t i) { return "i" + std::to_string(i % 517); })
                         .unix_seconds([](std::size_t i) { return static_cast<std::int64_t>(i * 104729 % 100003); })
                         .weight([](std::size_t i) { return i % 5; });
    auto const one = ingest(rows, how, {.run = {.threads = 1}}), four = ingest(rows, how, {.run = {.threads = 4}});
    auto const same = [](auto const& a, auto const& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); };
    CHECK(same(one.event_users(), four.event_users()));
    CHECK(same(one.event_items(), four.event_items()));
    CHECK(same(one.event_weights(), four.event_weights()));
    CHECK(same(one.event_times(), four.event_times()));
    CHECK(std::is_sorted(one.event_times().begin(), one.event_times().end()));
}

TEST_CASE("rows that arrive one by one make the dataset that their range makes") {
    auto const whole = ingest(plays, all_columns);
    std::size_t told = 0;
    auto input = recsys::ingester_of<listen const>(
        all_columns, {.run = {.progress = [&](recsys::progress const& now) { return told = static_cast<std::size_t>(now.done), true; }}});
    for (auto const& row : plays) input.add(row);
    CHECK(input.rows() == 4);
    auto const data = std::move(input).finish();
    CHECK(told == 4);
    CHECK(rows_of(data) == sorted_rows);
    CHECK(data.users().fingerprint() == whole.users().fingerprint());
    CHECK(data.items().fingerprint() == whole.items().fingerprint());
    CHECK(data.report().kept == 4);
}

TEST_CASE("an ingester keeps the rows before one that is wrong, and names it") {
    auto input = recsys::ingester_of<listen const>(all_columns);
    input.add(plays[0]);
    listen const bad{"ada", 2, 40, std::numeric_limits<float>::infinity()};
    CHECK(message_of([&] { input.add(bad); }).find("the weight of row 1 (from 0)") != std::string::npos);
    CHECK(rows_of(std::move(input).finish()) == std::vector<std::string>{"'cy' 7 30 1"});
}
