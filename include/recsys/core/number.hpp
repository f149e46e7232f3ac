// SPDX-License-Identifier: MIT
// Numbers to text and back, the same under every locale and standard library.
#ifndef RECSYS_CORE_NUMBER_HPP
#define RECSYS_CORE_NUMBER_HPP

#include <recsys/core/push_macros.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <recsys/core/config.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// The shortest text that reads back as the same number; `nan`, `inf`, `-inf` for the rest.
template <class Number> std::string number_text(Number value) {
    if constexpr (std::is_floating_point_v<Number>) {
        if (std::isnan(value)) return "nan";
        if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    }
    char buffer[64];
    auto const end = std::to_chars(buffer, buffer + sizeof buffer, value);
    return std::string(buffer, end.ptr);
}

/// A number with `digits` places after the point.
inline std::string fixed_text(double value, int digits) {
    if (!std::isfinite(value)) return number_text(value);
    char buffer[400];
    auto const end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits);
    return std::string(buffer, end.ptr);
}

/// The whole text as an integer, or nothing (also where it does not fit).
template <class Integer>
    requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
std::optional<Integer> parse_number(std::string_view text) {
    Integer value{};
    auto const end = text.data() + text.size();
    auto const [at, code] = std::from_chars(text.data(), end, value);
    if (code != std::errc{} || at != end) return std::nullopt;
    return value;
}

/// Whether the text is [sign] digits [. digits] [e [sign] digits], with at least one digit before the exponent.
inline bool is_decimal(std::string_view text) {
    std::size_t i = 0, digits = 0;
    auto const skip = [&] {
        while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i, ++digits;
    };
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    skip();
    if (i < text.size() && text[i] == '.') ++i, skip();
    if (digits == 0) return false;
    if (i == text.size()) return true;
    if (text[i] != 'e' && text[i] != 'E') return false;
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    digits = 0;
    skip();
    return digits > 0 && i == text.size();
}

/// strtod reads the decimal point of the program's locale: put that one in place of ours.
inline double parse_by_strtod(std::string_view text) {
    char half[8];
    int const written = std::snprintf(half, sizeof half, "%.1f", 0.5);
    std::string_view const local_point(half + 1, written > 2 ? static_cast<std::size_t>(written) - 2 : 1);
    std::string copy(text);
    if (auto const point = copy.find('.'); point != std::string::npos) copy.replace(point, 1, local_point);
    return std::strtod(copy.c_str(), nullptr);
}

/// The whole text as a floating-point number, correctly rounded, or nothing; `nan` and `inf` are not numbers here.
/// Too large a number becomes infinity, too small a one zero or subnormal.
template <class Real>
    requires std::is_floating_point_v<Real> std::optional<Real> parse_number(std::string_view text) {
        if (!is_decimal(text)) return std::nullopt;
        if (text.front() == '+') text.remove_prefix(1);
#if defined(__cpp_lib_to_chars)
        Real value{};
        auto const [at, code] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (code == std::errc{} && at == text.data() + text.size()) return value;
#endif
        return static_cast<Real>(parse_by_strtod(text));
    }

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
