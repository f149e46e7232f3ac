// SPDX-License-Identifier: MIT
// The error family and the cold functions that throw it. A message says where, what was wrong, what was expected.
#ifndef RECSYS_CORE_ERROR_HPP
#define RECSYS_CORE_ERROR_HPP

#include <recsys/core/push_macros.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <recsys/core/config.hpp>
#include <recsys/core/number.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Base of everything that the library throws.
struct error : std::runtime_error {
    using std::runtime_error::runtime_error;
};
/// Rows, ids, values or tables that do not fit together.
struct data_error : error {
    using error::error;
};
/// An option outside its range.
struct option_error : error {
    using error::error;
};
/// A file or text that is not what it should be.
struct format_error : error {
    using error::error;
};
/// A progress callback asked to stop before there was a result.
struct cancelled : error {
    using error::error;
};

namespace detail {

/// Without exceptions an error ends the program, with its message.
[[noreturn]] inline void stop_program(char const* message) {
    std::fputs(message, stderr);
    std::fputc('\n', stderr);
    std::abort();
}

inline void append(std::string& out, std::string_view part) { out += part; }
inline void append(std::string& out, char part) { out += part; }
template <class Number>
    requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, char>)
void append(std::string& out, Number part) {
    if constexpr (std::is_same_v<Number, bool>) out += part ? "true" : "false";
    else out += number_text(part);
}

/// Joins text and numbers into one message.
template <class... Part> std::string concat(Part const&... parts) {
    std::string out;
    (detail::append(out, parts), ...);
    return out;
}

template <class... Part> [[noreturn]] void throw_data(Part const&... parts) { RECSYS_DETAIL_THROW(data_error(detail::concat(parts...))); }
template <class... Part> [[noreturn]] void throw_option(Part const&... parts) {
    RECSYS_DETAIL_THROW(option_error(detail::concat(parts...)));
}
template <class... Part> [[noreturn]] void throw_format(Part const&... parts) {
    RECSYS_DETAIL_THROW(format_error(detail::concat(parts...)));
}
template <class... Part> [[noreturn]] void throw_cancelled(Part const&... parts) {
    RECSYS_DETAIL_THROW(cancelled(detail::concat(parts...)));
}

/// A value of the user's for a message: in quotes, cut at 60 bytes.
inline std::string in_quotes(std::string_view text) {
    return text.size() <= 60 ? detail::concat('\'', text, '\'') : detail::concat('\'', text.substr(0, 57), "...'");
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
