// SPDX-License-Identifier: MIT
// How the user's rows are read: which part of a row is the user, the item, the weight and the time.
#ifndef RECSYS_DATA_COLUMNS_HPP
#define RECSYS_DATA_COLUMNS_HPP

#include <recsys/core/push_macros.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <ratio>
#include <type_traits>
#include <utility>

#include <recsys/core/types.hpp>
#include <recsys/data/ids.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// A column that was not named.
struct no_column {};

template <class T> struct optional_value { using type = T; };
template <class T> struct optional_value<std::optional<T>> : optional_value<T> {};
/// The value of a column without the optional around it.
template <class T> using optional_value_t = typename optional_value<std::remove_cvref_t<T>>::type;

template <class Rep, class Period> using sys_point = std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<Rep, Period>>;

template <class T> inline constexpr bool is_sys_point = false;
template <class Rep, class Period> inline constexpr bool is_sys_point<sys_point<Rep, Period>> = true;

/// What unix_seconds and unix_millis give for a column that is no integer: `ingest` refuses it with a sentence.
struct not_an_integer {};

/// Integers since 1970 as time points of the same width.
template <class Column, class Period> struct unix_column {
    Column m_column;
    template <class Row>
        requires std::invocable<Column const&, Row>
    auto operator()(Row&& row) const {
        using value = std::remove_cvref_t<std::invoke_result_t<Column const&, Row>>;
        using number = optional_value_t<value>;
        if constexpr (!std::integral<number> || std::same_as<number, bool>) {
            return not_an_integer{};
        } else {
            using point = sys_point<number, Period>;
            auto const make = [](number n) { return point(typename point::duration(n)); };
            value const count = std::invoke(m_column, std::forward<Row>(row));
            if constexpr (is_optional<value>) return count ? std::optional<point>(make(*count)) : std::nullopt;
            else return make(count);
        }
    }
};

/// The same moment, floored to microseconds; nothing outside of the years that a calendar date can name, and for NaN.
template <class Rep, class Period> std::optional<time_point> floor_time(sys_point<Rep, Period> t) noexcept {
    using scale = std::ratio_divide<Period, std::micro>;
    constexpr std::int64_t lowest = -1096193779200000000, highest = 971890963199999999; // -32767-01-01 .. 32767-12-31
    auto const point = [](std::int64_t n) { return time_point(std::chrono::microseconds(n)); };
    if constexpr (std::is_floating_point_v<Rep>) {
        auto const n = static_cast<long double>(t.time_since_epoch().count()) * scale::num / scale::den;
        if (!(n >= static_cast<long double>(lowest) && n <= static_cast<long double>(highest))) return std::nullopt;
        auto const whole = static_cast<std::int64_t>(n);
        return point(static_cast<long double>(whole) > n ? whole - 1 : whole);
    } else {
        auto const count = same_value<std::int64_t>(t.time_since_epoch().count());
        if (!count) return std::nullopt;
        std::int64_t whole = *count / scale::den, rest = *count % scale::den;
        if (rest < 0) --whole, rest += scale::den;
        if (whole < lowest / scale::num - 1 || whole > highest / scale::num + 1) return std::nullopt;
        std::int64_t const n = whole * scale::num + rest * scale::num / scale::den;
        if (n < lowest || n > highest) return std::nullopt;
        return point(n);
    }
}

}

/// Which part of a row is which: each step returns a new value. A column is a member pointer or a callable of a row.
///
/// user, item  ids of any type that can be one (id_type); std::optional, and a null `char const*`, are missing: counted, left out.
/// weight      any number; NaN and infinity are errors. Absent: every row weighs 1.
/// time        a std::chrono::sys_time of any precision, sys_days too; unix_seconds and unix_millis take integers since 1970.
template <class User = detail::no_column, class Item = detail::no_column, class Weight = detail::no_column, class Time = detail::no_column>
class columns_of {
public:
    columns_of() = default;
    columns_of(User of_user, Item of_item, Weight of_weight, Time of_time)
        : m_user(std::move(of_user)), m_item(std::move(of_item)), m_weight(std::move(of_weight)), m_time(std::move(of_time)) {}

    template <class Column> columns_of<Column, Item, Weight, Time> user(Column column) const {
        return {std::move(column), m_item, m_weight, m_time};
    }
    template <class Column> columns_of<User, Column, Weight, Time> item(Column column) const {
        return {m_user, std::move(column), m_weight, m_time};
    }
    template <class Column> columns_of<User, Item, Column, Time> weight(Column column) const {
        return {m_user, m_item, std::move(column), m_time};
    }
    template <class Column> columns_of<User, Item, Weight, Column> time(Column column) const {
        return {m_user, m_item, m_weight, std::move(column)};
    }
    template <class Column> auto unix_seconds(Column column) const {
        return time(detail::unix_column<Column, std::ratio<1>>{std::move(column)});
    }
    template <class Column> auto unix_millis(Column column) const {
        return time(detail::unix_column<Column, std::milli>{std::move(column)});
    }

    User const& user_column() const noexcept { return m_user; }
    Item const& item_column() const noexcept { return m_item; }
    Weight const& weight_column() const noexcept { return m_weight; }
    Time const& time_column() const noexcept { return m_time; }

private:
    User m_user{};
    Item m_item{};
    Weight m_weight{};
    Time m_time{};
};

/// Starts a description of rows: `columns().user(&row::user).item(&row::item)`.
inline columns_of<> columns() { return {}; }

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
