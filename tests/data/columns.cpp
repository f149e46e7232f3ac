// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <ratio>
#include <type_traits>

namespace {

using namespace std::chrono;
namespace detail = recsys::detail;

std::optional<std::int64_t> micros(auto point) {
    auto const t = detail::floor_time(point);
    return t ? std::optional<std::int64_t>(t->time_since_epoch().count()) : std::nullopt;
}
template <class Rep, class Period> auto point(Rep n) { return detail::sys_point<Rep, Period>(duration<Rep, Period>(n)); }

struct row {
    int user;
    int item;
    std::int64_t at;
    std::optional<std::uint32_t> maybe;
};

}

TEST_CASE("c12 times are floored to microseconds, before 1970 too") {
    CHECK(micros(point<std::int64_t, std::nano>(1)) == 0);
    CHECK(micros(point<std::int64_t, std::nano>(-1)) == -1);
    CHECK(micros(point<std::int64_t, std::nano>(-1000)) == -1);
    CHECK(micros(point<std::int64_t, std::nano>(-1001)) == -2);
    CHECK(micros(point<std::int64_t, std::nano>(1700000000123456789)) == 1700000000123456);
    CHECK(micros(sys_seconds(seconds(-1))) == -1000000);
    CHECK(micros(sys_days(days(-1))) == -86400000000);
    CHECK(micros(point<int, std::ratio<1, 3>>(-1)) == -333334);
    CHECK(micros(point<int, std::ratio<1, 3>>(2)) == 666666);
    CHECK(micros(point<double, std::ratio<1>>(-0.5000001)) == -500001);
    CHECK(micros(point<float, std::ratio<60>>(0.5f)) == 30000000);
}

TEST_CASE("floored times agree with std::chrono::floor") {
    recsys::random_stream random(1);
    bool same = true;
    for (int i = 0; i < 20000; ++i) {
        auto const n = static_cast<std::int64_t>(random.bits() >> random.below(64)) * (random.below(2) == 0 ? 1 : -1);
        auto const nanos = point<std::int64_t, std::nano>(n);
        same = same && detail::floor_time(nanos) == floor<microseconds>(nanos);
        auto const frames = point<std::int64_t, std::ratio<1, 60>>(n % 1000000000000);
        same = same && detail::floor_time(frames) == floor<microseconds>(frames);
    }
    CHECK(same);
}

TEST_CASE("times outside of the calendar and NaN are none") {
    constexpr auto big = std::numeric_limits<std::int64_t>::max(), low = std::numeric_limits<std::int64_t>::min();
    CHECK_FALSE(micros(point<std::int64_t, std::ratio<1>>(big)));
    CHECK_FALSE(micros(point<std::int64_t, std::ratio<1>>(low)));
    CHECK_FALSE(micros(point<std::int64_t, std::micro>(big)));
    CHECK_FALSE(micros(point<std::int64_t, std::ratio<86400>>(big / 2)));
    CHECK_FALSE(micros(point<std::uint64_t, std::nano>(std::numeric_limits<std::uint64_t>::max())));
    CHECK(micros(point<std::int64_t, std::nano>(low)) == -9223372036854776);
    CHECK(micros(point<std::int64_t, std::nano>(big)) == 9223372036854775);
    CHECK_FALSE(micros(point<double, std::ratio<1>>(std::nan(""))));
    CHECK_FALSE(micros(point<double, std::ratio<1>>(std::numeric_limits<double>::infinity())));
    CHECK_FALSE(micros(point<std::int64_t, std::ratio<1>>(1700000000000))); // milliseconds taken for seconds
    recsys::time_point const first_moment = sys_days{year::min() / January / 1},
                             last_moment = sys_days{year::max() / December / 31} + days{1} - microseconds{1};
    CHECK(detail::floor_time(first_moment) == first_moment);
    CHECK(detail::floor_time(last_moment) == last_moment);
    CHECK_FALSE(detail::floor_time(first_moment - microseconds{1}));
    CHECK_FALSE(detail::floor_time(last_moment + microseconds{1}));
}

TEST_CASE("each step of columns() gives a new value and leaves the old one") {
    auto const users = recsys::columns().user(&row::user);
    auto const both = users.item(&row::item);
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(users.item_column())>, detail::no_column>);
    CHECK(both.user_column() == &row::user);
    CHECK(both.item_column() == &row::item);
    auto const other = both.user(&row::item);
    CHECK(other.user_column() == &row::item);
    CHECK(both.user_column() == &row::user);
}

TEST_CASE("unix columns are time points of the column's own width") {
    row const r{0, 0, -1, 4294967295u};
    auto const seconds_of = recsys::columns().unix_seconds(&row::at).time_column();
    CHECK(detail::floor_time(seconds_of(r)) == recsys::time_point(microseconds(-1000000)));
    auto const millis_of = recsys::columns().unix_millis([](row const& x) { return x.at; }).time_column();
    CHECK(detail::floor_time(millis_of(r)) == recsys::time_point(microseconds(-1000)));
    auto const maybe_of = recsys::columns().unix_seconds(&row::maybe).time_column();
    CHECK(detail::floor_time(maybe_of(r).value()) == recsys::time_point(seconds(4294967295)));
    CHECK_FALSE(maybe_of(row{0, 0, 0, {}}).has_value());
}
