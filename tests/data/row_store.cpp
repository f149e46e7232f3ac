// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace {

using recsys::item_index;
using recsys::time_point;
using recsys::user_index;
namespace detail = recsys::detail;

time_point at(std::int64_t n) { return time_point(std::chrono::microseconds(n)); }

struct plain_row {
    std::uint32_t user, item;
    float weight;
    std::int64_t time;
    friend bool operator==(plain_row const&, plain_row const&) = default;
};

/// Rows numbered by their users and items, so that each can be told from any other.
std::vector<plain_row> rows_with(std::size_t n, std::function<std::int64_t(std::size_t)> const& time) {
    std::vector<plain_row> rows;
    for (std::size_t i = 0; i < n; ++i)
        rows.push_back({static_cast<std::uint32_t>(i / 1000), static_cast<std::uint32_t>(i % 1000), static_cast<float>(i % 7), time(i)});
    return rows;
}
std::vector<plain_row> stored(std::vector<plain_row> const& rows, std::size_t threads) {
    detail::row_store store(true);
    for (auto const& r : rows) store.push(r.user, r.item, r.weight, at(r.time));
    detail::team workers(threads);
    auto const columns = std::move(store).finish({}, {}, workers);
    std::vector<plain_row> out;
    for (std::size_t i = 0; i < columns.users.size(); ++i)
        out.push_back({static_cast<std::uint32_t>(columns.users[i]), static_cast<std::uint32_t>(columns.items[i]), columns.weights[i],
                       columns.times[i].time_since_epoch().count()});
    return out;
}
void check_sorted_stably(std::vector<plain_row> rows) {
    auto const one = stored(rows, 1), three = stored(rows, 3);
    std::stable_sort(rows.begin(), rows.end(), [](plain_row const& a, plain_row const& b) { return a.time < b.time; });
    CHECK(one == rows);
    CHECK(three == rows);
}

}

TEST_CASE("rows are sorted by time as std::stable_sort sorts them, whatever the times are like") {
    recsys::random_stream random(5);
    constexpr std::int64_t day = 86400000000;
    SUBCASE("few rows") {
        for (std::size_t n = 1; n < 40; ++n)
            check_sorted_stably(rows_with(n, [&](std::size_t) { return static_cast<std::int64_t>(random.below(6)); }));
    }
    SUBCASE("few days") {
        check_sorted_stably(rows_with(150000, [&](std::size_t) { return static_cast<std::int64_t>(random.below(30)) * day; }));
    }
    SUBCASE("spread") {
        check_sorted_stably(rows_with(150000, [&](std::size_t) { return static_cast<std::int64_t>(random.below(30 * day)) - 15 * day; }));
    }
    SUBCASE("sorted") {
        check_sorted_stably(rows_with(70000, [&](std::size_t i) { return static_cast<std::int64_t>(i / 10); }));
    }
    SUBCASE("falling") {
        check_sorted_stably(rows_with(70000, [&](std::size_t i) { return -static_cast<std::int64_t>(i / 10); }));
    }
    SUBCASE("all equal") {
        check_sorted_stably(rows_with(70000, [&](std::size_t) { return 5; }));
    }
    SUBCASE("one far away") {
        check_sorted_stably(rows_with(70000, [&](std::size_t i) {
            return i == 500 ? 900000000000000000 : i == 600 ? -900000000000000000 : static_cast<std::int64_t>(random.below(1000));
        }));
    }
    SUBCASE("ends of the integers") {
        check_sorted_stably(rows_with(300, [&](std::size_t i) {
            return i % 3 == 0 ? std::numeric_limits<std::int64_t>::max() : i % 3 == 1 ? std::numeric_limits<std::int64_t>::min() : 0;
        }));
    }
    SUBCASE("out of order only where two parts meet") {
        check_sorted_stably(rows_with(262144, [&](std::size_t i) { return static_cast<std::int64_t>(i < 131072 ? i + 1000000 : i); }));
    }
}

TEST_CASE("rows without times keep their order, and indices are renumbered") {
    detail::row_store store(false);
    store.push(0, 1, 2.f, {});
    store.push(1, 0, 3.f, {});
    detail::team workers(1);
    auto const columns = std::move(store).finish(std::vector<std::uint32_t>{5, 4}, {}, workers);
    CHECK(columns.times.empty());
    CHECK(columns.users[0] == user_index{5});
    CHECK(columns.users[1] == user_index{4});
    CHECK(columns.items[0] == item_index{1});
    CHECK(columns.weights[1] == 3.f);
}

TEST_CASE("weights that are all 1 take no memory; the first other one brings the column") {
    detail::team workers(1);
    for (std::size_t other = 0; other < 4; ++other) {
        detail::row_store store(false);
        for (std::uint32_t i = 0; i < 3; ++i) store.push(i, i, i == other ? 0.5f : 1.f, {});
        auto const columns = std::move(store).finish({}, {}, workers);
        REQUIRE(columns.weights.size() == (other < 3 ? 3 : 0));
        for (std::size_t i = 0; i < columns.weights.size(); ++i) CHECK(columns.weights[i] == (i == other ? 0.5f : 1.f));
    }
}

TEST_CASE("no rows give empty columns") {
    detail::team workers(2);
    CHECK(std::move(detail::row_store(true)).finish({}, {}, workers).users.empty());
}

TEST_CASE("chunked columns keep values across chunks") {
    detail::chunked_column<int> column;
    auto const n = 2 * detail::chunked_column<int>::chunk_size + 3;
    for (std::size_t i = 0; i < n; ++i) column.push(static_cast<int>(i));
    bool same = column.size() == n;
    for (std::size_t i = 0; i < n; ++i) same = same && column[i] == static_cast<int>(i);
    CHECK(same);
}
