// SPDX-License-Identifier: MIT
// Times as text and as features: ISO 8601 and unix seconds to moments, moments to days, weekdays, months.
#ifndef RECSYS_DATA_CALENDAR_HPP
#define RECSYS_DATA_CALENDAR_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// Reads a text from its front.
class text_reader {
public:
    explicit text_reader(std::string_view text) noexcept : m_left(text) {}
    bool at_end() const noexcept { return m_left.empty(); }
    bool skip(char c) noexcept {
        if (m_left.empty() || m_left.front() != c) return false;
        m_left.remove_prefix(1);
        return true;
    }
    /// Exactly n digits as a number.
    std::optional<int> digits(std::size_t n) noexcept {
        if (m_left.size() < n) return std::nullopt;
        int value = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (!is_digit(m_left[i])) return std::nullopt;
            value = value * 10 + (m_left[i] - '0');
        }
        m_left.remove_prefix(n);
        return value;
    }
    /// As many digits as there are, at least one, at most 18.
    std::optional<std::int64_t> number() noexcept {
        std::int64_t value = 0;
        std::size_t n = 0;
        for (; n < m_left.size() && is_digit(m_left[n]); ++n) {
            if (n == 18) return std::nullopt;
            value = value * 10 + (m_left[n] - '0');
        }
        if (n == 0) return std::nullopt;
        m_left.remove_prefix(n);
        return value;
    }
    /// The digits after a decimal point as microseconds; those after the sixth are cut off. At least one digit.
    std::optional<std::int64_t> microseconds(bool& cut) noexcept {
        std::int64_t value = 0;
        std::size_t n = 0;
        for (; n < m_left.size() && is_digit(m_left[n]); ++n) {
            if (n < 6) value = value * 10 + (m_left[n] - '0');
            else cut = cut || m_left[n] != '0';
        }
        if (n == 0) return std::nullopt;
        for (std::size_t i = n; i < 6; ++i) value *= 10;
        m_left.remove_prefix(n);
        return value;
    }

private:
    static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
    std::string_view m_left;
};

inline std::optional<std::chrono::sys_days> read_date(text_reader& text) {
    auto const year = text.digits(4);
    if (!year || !text.skip('-')) return std::nullopt;
    auto const month = text.digits(2);
    if (!month || !text.skip('-')) return std::nullopt;
    auto const day = text.digits(2);
    if (!day) return std::nullopt;
    std::chrono::year_month_day const date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date};
}

/// yyyy-mm-dd, ten characters: files have hundreds of millions of these.
inline std::optional<time_point> read_plain_date(char const* text) {
    using namespace std::chrono;
    auto const digit = [text](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])) - '0'; };
    unsigned most = 0;
    for (std::size_t const i : {0u, 1u, 2u, 3u, 5u, 6u, 8u, 9u}) most = std::max(most, digit(i));
    if (most > 9 || text[4] != '-' || text[7] != '-') return std::nullopt;
    auto const number = static_cast<int>(digit(0) * 1000 + digit(1) * 100 + digit(2) * 10 + digit(3));
    year_month_day const date{year{number}, month{digit(5) * 10 + digit(6)}, day{digit(8) * 10 + digit(9)}};
    if (!date.ok()) return std::nullopt;
    return time_point(sys_days{date});
}

/// hh:mm[:ss[.f]]
inline std::optional<std::chrono::microseconds> read_time_of_day(text_reader& text) {
    using namespace std::chrono;
    auto const hour = text.digits(2);
    if (!hour || *hour > 23 || !text.skip(':')) return std::nullopt;
    auto const minute = text.digits(2);
    if (!minute || *minute > 59) return std::nullopt;
    microseconds out = hours{*hour} + minutes{*minute};
    if (!text.skip(':')) return out;
    auto const second = text.digits(2);
    if (!second || *second > 59) return std::nullopt;
    out += seconds{*second};
    if (!text.skip('.')) return out;
    bool cut = false;
    auto const fraction = text.microseconds(cut);
    if (!fraction) return std::nullopt;
    return out + microseconds{*fraction};
}

/// Z, +hh, +hhmm, +hh:mm; nothing is UTC.
inline std::optional<std::chrono::minutes> read_offset(text_reader& text) {
    using std::chrono::minutes;
    if (text.at_end() || text.skip('Z')) return minutes{0};
    bool const east = text.skip('+');
    if (!east && !text.skip('-')) return std::nullopt;
    auto const hour = text.digits(2);
    if (!hour || *hour > 23) return std::nullopt;
    int minute = 0;
    bool const colon = text.skip(':');
    if (colon || !text.at_end()) {
        auto const read = text.digits(2);
        if (!read || *read > 59) return std::nullopt;
        minute = *read;
    }
    minutes const offset{*hour * 60 + minute};
    return east ? offset : -offset;
}

}

/// The moment of an ISO 8601 text, nothing where it is none: `2022-12-16`, `2022-12-16T09:30`, `2022-12-16 09:30:05.25`, each time with `Z`, `+02`,
/// `+0200` or `+02:00` behind it or without (UTC). Digits after microseconds are cut off. Dates that do not exist are none.
inline std::optional<time_point> try_parse_time(std::string_view text) {
    if (text.size() == 10) return detail::read_plain_date(text.data());
    detail::text_reader in(text);
    auto const day = detail::read_date(in);
    if (!day) return std::nullopt;
    time_point out{*day};
    if (in.at_end()) return out;
    if (!in.skip('T') && !in.skip(' ')) return std::nullopt;
    auto const in_day = detail::read_time_of_day(in);
    if (!in_day) return std::nullopt;
    auto const offset = detail::read_offset(in);
    if (!offset || !in.at_end()) return std::nullopt;
    return out + *in_day - *offset;
}

/// The same. @throws data_error naming a text that is no time.
inline time_point parse_time(std::string_view text) {
    if (auto const t = try_parse_time(text)) return *t;
    detail::throw_data("parse_time: ", detail::in_quotes(text),
                       " is no date or time, expected for example 2022-12-16 or 2022-12-16T09:30:00Z");
}

/// The moment of decimal seconds since 1970, `1700000000.123456`, digit by digit and not through a double; digits after microseconds are dropped
/// downwards (-0.0000001 is -1 us). Nothing where the text is no such number or the year is beyond 9999.
inline std::optional<time_point> try_parse_unix_seconds(std::string_view text) {
    detail::text_reader in(text);
    bool const negative = in.skip('-');
    auto const whole = in.number();
    if (!whole || *whole > 253402300799) return std::nullopt;
    std::int64_t micros = *whole * 1000000;
    bool cut = false;
    if (in.skip('.')) {
        auto const fraction = in.microseconds(cut);
        if (!fraction) return std::nullopt;
        micros += *fraction;
    }
    if (!in.at_end()) return std::nullopt;
    return time_point(std::chrono::microseconds{negative ? -micros - (cut ? 1 : 0) : micros});
}

/// What the clock and the calendar say at a moment.
struct calendar_fields {
    int year = 1970;
    int month = 1;       ///< 1 .. 12
    int day = 1;         ///< 1 .. 31
    int hour = 0;        ///< 0 .. 23
    int minute = 0;      ///< 0 .. 59
    int second = 0;      ///< 0 .. 59
    int day_of_week = 3; ///< Monday = 0 .. Sunday = 6
    int day_of_year = 1; ///< 1 .. 366
    int quarter = 1;     ///< 1 .. 4
    bool is_weekend = false;
    friend bool operator==(calendar_fields const&, calendar_fields const&) = default;
};

/// Whole days since 1970-01-01, rounded down: a second before it is day -1.
inline std::int64_t day_number(time_point t) { return std::chrono::floor<std::chrono::days>(t).time_since_epoch().count(); }
/// Monday = 0 .. Sunday = 6.
inline int day_of_week(time_point t) {
    return static_cast<int>(std::chrono::weekday{std::chrono::floor<std::chrono::days>(t)}.iso_encoding()) - 1;
}
/// 1 .. 12.
inline int month_of(time_point t) {
    return static_cast<int>(static_cast<unsigned>(std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(t)}.month()));
}
/// Everything at once, on the proleptic Gregorian calendar. @param offset  of the local clock from UTC.
inline calendar_fields calendar_of(time_point t, std::chrono::minutes offset = std::chrono::minutes{0}) {
    using namespace std::chrono;
    auto const local = t + offset;
    auto const date_day = floor<days>(local);
    year_month_day const date{date_day};
    auto const in_day = floor<seconds>(local - date_day).count();
    calendar_fields out;
    out.year = static_cast<int>(date.year());
    out.month = static_cast<int>(static_cast<unsigned>(date.month())), out.day = static_cast<int>(static_cast<unsigned>(date.day()));
    out.hour = static_cast<int>(in_day / 3600), out.minute = static_cast<int>(in_day / 60 % 60), out.second = static_cast<int>(in_day % 60);
    out.day_of_week = recsys::day_of_week(local), out.is_weekend = out.day_of_week >= 5;
    out.day_of_year = static_cast<int>((date_day - sys_days{date.year() / January / 1}).count()) + 1;
    out.quarter = (out.month - 1) / 3 + 1;
    return out;
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
