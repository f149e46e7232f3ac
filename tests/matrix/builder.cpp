// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/interactions.hpp"

namespace rs = recsys;

namespace {

/// By value, so that it may be asked of a temporary.
template <class Value> std::vector<Value> weights_of(rs::basic_csr<Value> const& m, rs::user_index u) {
    return {m.weights(u).begin(), m.weights(u).end()};
}

using entry = rs::matrix_entry<float>;
rs::user_index user(std::uint32_t u) { return rs::user_index{u}; }
rs::item_index item(std::uint32_t i) { return rs::item_index{i}; }

template <class Value> std::map<std::pair<std::size_t, std::size_t>, Value> entries_of(rs::basic_csr<Value> const& m) {
    std::map<std::pair<std::size_t, std::size_t>, Value> out;
    for (auto const u : rs::index_range<rs::user_index>(m.n_users()))
        for (std::size_t i = 0; i < m.seen(u).size(); ++i) out[{rs::to_size(u), rs::to_size(m.seen(u)[i])}] = m.weights(u)[i];
    return out;
}

struct play {
    std::string user, item;
    float minutes = 1;
    std::chrono::sys_days day{};
};
auto ingested(std::vector<play> const& plays) {
    return rs::ingest(plays, rs::columns().user(&play::user).item(&play::item).weight(&play::minutes).time(&play::day));
}
std::chrono::sys_days day(int n) { return std::chrono::sys_days(std::chrono::year(2022) / 3 / 1) + std::chrono::days(n); }

}

TEST_CASE("c18 duplicate pairs become one entry by the policy that was named, for unsorted rows") {
    std::vector<entry> const rows{{user(2), item(0), 1}, {user(2), item(0), 1}, {user(0), item(1), 3}};
    auto const value = [&](rs::duplicates policy) {
        auto const m = rs::csr_from(rows, {.duplicates = policy});
        CHECK(m.n_users() == 3);
        CHECK(m.n_items() == 2);
        CHECK(m.n_entries() == 2);
        CHECK(m.report().merged == 1);
        CHECK(m.weights(user(0))[0] == 3);
        return m.weights(user(2))[0];
    };
    CHECK(weights_of(rs::csr_from(rows), user(2))[0] == 2);
    CHECK(value(rs::duplicates::sum) == 2);
    CHECK(value(rs::duplicates::max) == 1);
    CHECK(value(rs::duplicates::last) == 1);
    CHECK(value(rs::duplicates::first) == 1);
    CHECK_THROWS_WITH_AS(value(rs::duplicates::error), doctest::Contains("user 2 and item 0 come 2 times"), rs::data_error);
}

TEST_CASE("c18 first, last and max follow the order of the rows") {
    std::vector<entry> const rows{
        {user(0), item(4), 5}, {user(1), item(0), 1}, {user(0), item(4), 9}, {user(0), item(1), 2}, {user(0), item(4), 7}};
    auto const value = [&](rs::duplicates policy) { return weights_of(rs::csr_from(rows, {.duplicates = policy}), user(0))[1]; };
    CHECK(value(rs::duplicates::sum) == 21);
    CHECK(value(rs::duplicates::max) == 9);
    CHECK(value(rs::duplicates::last) == 7);
    CHECK(value(rs::duplicates::first) == 5);
}

TEST_CASE("c18 columns rise strictly for every policy: a twin of maps agrees on random rows") {
    for (auto const policy : {rs::duplicates::sum, rs::duplicates::max, rs::duplicates::last, rs::duplicates::first}) {
        auto const log = recsys_test::interactions(30, 20, 700, 5);
        auto const m = rs::csr_from(log,
                                    rs::columns()
                                        .user(&recsys_test::interaction::user)
                                        .item(&recsys_test::interaction::item)
                                        .weight(&recsys_test::interaction::count),
                                    {.duplicates = policy, .n_users = 30, .n_items = 20});
        std::map<std::pair<std::size_t, std::size_t>, float> twin;
        for (auto const& e : log) {
            auto const [at, added] = twin.try_emplace({static_cast<std::size_t>(e.user), static_cast<std::size_t>(e.item)}, e.count);
            if (added) continue;
            if (policy == rs::duplicates::sum) at->second += e.count;
            if (policy == rs::duplicates::max) at->second = std::max(at->second, e.count);
            if (policy == rs::duplicates::last) at->second = e.count;
        }
        CHECK(entries_of(m) == twin);
        CHECK(m.report().merged == log.size() - twin.size());
        CHECK(m.n_users() == 30);
        for (auto const u : rs::index_range<rs::user_index>(30))
            for (std::size_t i = 1; i < m.seen(u).size(); ++i) CHECK(m.seen(u)[i - 1] < m.seen(u)[i]);
    }
}

TEST_CASE("user_items adds the weights of a dataset's rows and carries where they came from") {
    auto const data =
        ingested({{"ada", "song", 2, day(0)}, {"eve", "tune", 3, day(1)}, {"ada", "song", 4, day(2)}, {"ada", "aria", 1, day(3)}});
    auto const m = rs::user_items(data);
    CHECK(m.n_users() == 2);
    CHECK(m.n_items() == 3);
    auto const ada = data.users().at("ada");
    CHECK(m.seen(ada).size() == 2);
    CHECK(m.seen(ada)[0] == data.items().at("aria"));
    CHECK(m.weights(ada)[1] == 6);
    CHECK(m.provenance().users == data.provenance().users);
    CHECK(m.provenance().items == data.provenance().items);
    CHECK(m.as_of() == data.as_of());
    CHECK(m.report().merged == 1);
    CHECK(m.seen(user(99)).empty());
    static_assert(std::is_same_v<decltype(rs::user_items<double>(data)), rs::basic_csr<double>>);
    CHECK(weights_of(rs::user_items<double>(data), ada)[1] == 6);
}

TEST_CASE("without a weight column a value is the number of plays; users and items without rows keep theirs empty") {
    std::vector<play> const plays{{"a", "x", 1, day(0)}, {"a", "x", 1, day(1)}, {"b", "x", 1, day(2)}};
    std::vector<std::string> const users{"a", "b", "cold"}, items{"never", "x"};
    auto const data = rs::ingest(plays, rs::columns().user(&play::user).item(&play::item),
                                 {.users = rs::user_encoder<std::string>::fit(users), .items = rs::item_encoder<std::string>::fit(items)});
    auto const m = rs::user_items(data);
    CHECK(m.n_users() == 3);
    CHECK(m.n_items() == 2);
    CHECK(m.weights(user(0))[0] == 2);
    CHECK(m.seen(user(2)).empty());
    CHECK(m.report().empty_rows == 1);
    CHECK(rs::user_items(rs::events()).n_users() == 0);
}

TEST_CASE("a sum is made in double and rounded once") {
    std::vector<entry> rows{{user(0), item(0), 16777216}};
    for (int i = 0; i < 8; ++i) rows.push_back({user(0), item(0), 1});
    CHECK(weights_of(rs::csr_from(rows), user(0))[0] == 16777224); // one by one in float it stays 16777216
}

TEST_CASE("c19 stored zeros are kept, count as seen and are reported; a mostly-zero matrix says so") {
    std::vector<entry> const rows{{user(0), item(0), 0}, {user(0), item(1), 2}, {user(1), item(0), 0}};
    auto const m = rs::csr_from(rows);
    CHECK(m.seen(user(1)).size() == 1);
    CHECK(m.report().stored_zeros == 2);
    CHECK(m.report().mostly_zero());
    CHECK_FALSE(rs::csr_from(std::vector<entry>{{user(0), item(0), 0}, {user(0), item(1), 2}}).report().mostly_zero());
    CHECK(rs::csr_from(std::vector<entry>{{user(0), item(0), -3}}).report().negatives == 1);
}

TEST_CASE("values that are not finite are errors that name the row") {
    for (float const bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        std::vector<entry> const rows{{user(0), item(0), 1}, {user(1), item(0), bad}};
        CHECK_THROWS_WITH_AS(static_cast<void>(rs::csr_from(rows)), doctest::Contains("value of row 1"), rs::data_error);
    }
    float const most = std::numeric_limits<float>::max();
    std::vector<entry> const rows{{user(0), item(3), most}, {user(0), item(3), most}};
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::csr_from(rows)), doctest::Contains("row 0, item 3 is not finite"), rs::data_error);
    rs::detail::event_columns columns;
    columns.users = {user(0), user(0)}, columns.items = {item(0), item(1)},
    columns.weights = {1.f, std::numeric_limits<float>::quiet_NaN()};
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::user_items(rs::events(columns, 1, 2, {}))), doctest::Contains("weight of event 1"),
                         rs::data_error);
}

TEST_CASE("c23 indices past the sizes, and negative ones, are errors that name the row") {
    struct raw {
        int u;
        long long i;
    };
    auto const columns = rs::columns().user(&raw::u).item(&raw::i);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::csr_from(std::vector<raw>{{0, 0}, {-1, 0}}, columns)),
                         doctest::Contains("user of row 1 (from 0) is -1"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::csr_from(std::vector<raw>{{0, 5000000000}}, columns)),
                         doctest::Contains("item of row 0 (from 0) is 5000000000"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::csr_from(std::vector<raw>{{0, 2}, {1, 3}}, columns, {.n_items = 3})),
                         doctest::Contains("item of row 1 (from 0) is 3, there are 3 items"), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::csr_from(std::vector<raw>{{0, 0}}, columns, {.n_users = -1})), rs::option_error);
    auto const m = rs::csr_from(std::vector<raw>{{0, 2}, {1, 0}}, columns, {.n_users = 4, .n_items = 3});
    static_assert(std::is_same_v<decltype(m), rs::csr const>);
    CHECK(m.n_users() == 4);
    CHECK(m.weights(user(0))[0] == 1);
}

TEST_CASE("a single pass is enough, and the value type is that of the rows") {
    std::istringstream text("0 1 5  2 0 6  0 0 7");
    struct triple {
        unsigned user = 0, item = 0;
        std::int64_t value = 0;
    };
    struct reader {
        using value_type = triple;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;
        std::istream* in;
        triple now;
        triple const& operator*() const { return now; }
        reader& operator++() {
            if (!(*in >> now.user >> now.item >> now.value)) in = nullptr;
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const { return in == nullptr; }
    };
    reader first{&text, {}};
    ++first;
    auto const m = rs::csr_from(first, std::default_sentinel, rs::columns().user(&triple::user).item(&triple::item).weight(&triple::value));
    static_assert(std::is_same_v<decltype(m), rs::basic_csr<std::int64_t> const>);
    CHECK(entries_of(m) == std::map<std::pair<std::size_t, std::size_t>, std::int64_t>{{{0, 0}, 7}, {{0, 1}, 5}, {{2, 0}, 6}});
    std::vector<rs::matrix_entry<std::int8_t>> const bytes{{user(0), item(0), 100}, {user(0), item(0), 100}};
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::csr_from(bytes)), doctest::Contains("do not fit their integer type"), rs::data_error);
    CHECK(rs::csr_from(std::list<entry>{}).n_entries() == 0);
}

TEST_CASE("a half life halves what is that old, counted from the end of the events") {
    auto const data = ingested({{"a", "x", 8, day(0)}, {"a", "x", 4, day(10)}, {"a", "y", 1, day(20)}, {"b", "z", 1, day(40)}});
    auto const past = data.before(day(30)); // as of day 30
    auto const m = rs::user_items<double>(past, {.half_life = std::chrono::days{10}});
    auto const a = past.users().at("a");
    CHECK(m.weights(a)[0] == doctest::Approx(8. / 8 + 4. / 4).epsilon(1e-12));
    CHECK(m.weights(a)[1] == doctest::Approx(.5).epsilon(1e-12));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::user_items(past, {.half_life = std::chrono::days{0}})),
                         doctest::Contains("half_life must be at least one day"), rs::option_error);
    auto const undated = rs::ingest(std::vector<play>{{"a", "x", 1, {}}}, rs::columns().user(&play::user).item(&play::item));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::user_items(undated, {.half_life = std::chrono::days{1}})),
                         doctest::Contains("needs events with times"), rs::data_error);
}

TEST_CASE("a half life long gone leaves a zero, not a subnormal accident") {
    auto const data = ingested({{"a", "x", 1, day(0)}, {"a", "y", 1, day(20000)}});
    auto const m = rs::user_items(data, {.half_life = std::chrono::days{1}});
    CHECK(m.weights(user(0))[0] == 0);
    CHECK(m.seen(user(0)).size() == 2);
}

TEST_CASE("a progress callback can stop the building") {
    auto const data = ingested({{"a", "x", 1, day(0)}});
    CHECK_THROWS_AS(static_cast<void>(rs::user_items(data, {.run = {.progress = [](rs::progress const&) { return false; }}})),
                    rs::cancelled);
    bool called = false;
    (void)rs::user_items(data, {.run = {.progress = [&](rs::progress const& now) { called = now.stage == "user_items"; }}});
    CHECK(called);
}

TEST_CASE("only types that hold every float are matrices of events") {
    CHECK(rs::detail::keeps_values<float, double>());
    CHECK_FALSE(rs::detail::keeps_values<double, float>());
    CHECK_FALSE(rs::detail::keeps_values<float, std::int64_t>());
    CHECK_FALSE(rs::detail::keeps_values<std::int32_t, float>());
    CHECK(rs::detail::keeps_values<std::int16_t, float>());
    CHECK(rs::detail::keeps_values<std::int32_t, double>());
    CHECK_FALSE(rs::detail::keeps_values<std::int64_t, double>());
    CHECK(rs::detail::keeps_values<std::uint8_t, std::int16_t>());
    CHECK_FALSE(rs::detail::keeps_values<std::int8_t, std::uint16_t>());
}
