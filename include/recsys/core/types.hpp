// SPDX-License-Identifier: MIT
// The small types that every room speaks: indices, scored items, time points, counts in options, progress.
#ifndef RECSYS_CORE_TYPES_HPP
#define RECSYS_CORE_TYPES_HPP

#include <recsys/core/push_macros.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <recsys/core/error.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Moments as the library stores them: microseconds of UTC, before and after 1970.
using time_point = std::chrono::sys_time<std::chrono::microseconds>;

/// A user's row, 0 .. n_users - 1. A type of its own: it does not convert to an item's.
enum class user_index : std::uint32_t {};
/// An item's column, 0 .. n_items - 1.
enum class item_index : std::uint32_t {};

constexpr std::size_t to_size(user_index i) noexcept { return static_cast<std::size_t>(i); }
constexpr std::size_t to_size(item_index i) noexcept { return static_cast<std::size_t>(i); }

/// How many users or items there can be: indices are kept as 32-bit signed integers in matrices.
inline constexpr std::size_t max_index_count = 2147483647;

/// An item of a list with its score; higher is better.
struct scored {
    item_index item{};
    float score = 0;
    friend bool operator==(scored const&, scored const&) = default;
};

/// A count in options: any integer type converts without a narrowing error; a negative one is an option_error.
class natural {
public:
    template <std::integral Integer>
        requires(!std::same_as<Integer, bool>)
    constexpr natural(Integer n) : m_n(static_cast<std::size_t>(n)) {
        if constexpr (std::is_signed_v<Integer>) {
            if (n < Integer{0}) detail::throw_option("a count must not be negative, got ", n);
        }
    }
    constexpr operator std::size_t() const noexcept { return m_n; }

private:
    std::size_t m_n;
};

/// Where a long piece of work stands. `loss` and `valid_loss` are NaN where there is none.
struct progress {
    std::string_view stage; ///< for example "als"; valid during the call
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    double loss = std::numeric_limits<double>::quiet_NaN();
    double valid_loss = std::numeric_limits<double>::quiet_NaN();
    double seconds_left = std::numeric_limits<double>::quiet_NaN();
};

namespace detail {

/// Calls what the user gave; whether it says to go on: by returning nothing, or true.
template <class Function, class... Arguments> bool goes_on(Function& f, Arguments const&... arguments) {
    if constexpr (std::is_void_v<std::invoke_result_t<Function&, Arguments const&...>>) return f(arguments...), true;
    else return static_cast<bool>(f(arguments...));
}

}

/// Any callable taking `progress const&`; returning nothing it never stops, returning false it stops the work.
class progress_callback {
public:
    progress_callback() = default;
    template <std::invocable<progress const&> Function>
        requires(!std::same_as<std::remove_cvref_t<Function>, progress_callback>)
    progress_callback(Function f) {
        using answer = std::invoke_result_t<Function&, progress const&>;
        static_assert(std::is_void_v<answer> || std::convertible_to<answer, bool>,
                      "progress: the callback returns nothing, or bool (false stops)");
        m_call = [f = std::move(f)](progress const& now) mutable { return detail::goes_on(f, now); };
    }
    /// Whether to go on.
    bool operator()(progress const& now) const { return !m_call || m_call(now); }
    explicit operator bool() const noexcept { return static_cast<bool>(m_call); }

private:
    std::function<bool(progress const&)> m_call;
};

/// How every long door runs: always the last member of its options.
struct run_options {
    natural threads = 0;             ///< 0 = as many as the machine has
    progress_callback progress = {}; ///< called from the calling thread
};

/// A range of consecutive indices, 0 .. n - 1.
template <class Index> class index_range {
public:
    class iterator {
    public:
        using value_type = Index;
        using difference_type = std::ptrdiff_t;
        using reference = Index;
        using pointer = void;
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::forward_iterator_tag;
        iterator() = default;
        explicit iterator(std::size_t i) noexcept : m_i(i) {}
        Index operator*() const noexcept { return static_cast<Index>(m_i); }
        iterator& operator++() noexcept { return ++m_i, *this; }
        iterator operator++(int) noexcept { return iterator(m_i++); }
        friend bool operator==(iterator, iterator) = default;

    private:
        std::size_t m_i = 0;
    };
    explicit index_range(std::size_t n = 0) noexcept : m_n(n) {}
    iterator begin() const noexcept { return iterator(0); }
    iterator end() const noexcept { return iterator(m_n); }
    std::size_t size() const noexcept { return m_n; }

private:
    std::size_t m_n;
};

/// 0 .. n - 1 as rows, for parallel arrays: `.user([&](std::size_t row) { return users[row]; })`.
inline index_range<std::size_t> row_numbers(std::size_t n) noexcept { return index_range<std::size_t>(n); }

/// What a value was made from: the encoders by their fingerprints (0 = unknown) and the moment up to which it knows events.
/// Compared wherever two values meet, so that rows of one data set are never read with the indices of another.
struct provenance {
    std::uint64_t users = 0;
    std::uint64_t items = 0;
    std::optional<time_point> as_of = {}; ///< every event it knows is before this; absent for undated data
};

namespace detail {

/// A moment for messages and files: 2022-12-16T00:00:00Z, with microseconds where there are any.
inline std::string time_text(time_point t) {
    using namespace std::chrono;
    auto const day = floor<days>(t);
    year_month_day const date{day};
    auto const in_day = (t - day).count();
    auto const two = [](long long n) { return concat(n < 10 ? "0" : "", n); };
    std::string out =
        concat(static_cast<int>(date.year()), '-', two(static_cast<unsigned>(date.month())), '-', two(static_cast<unsigned>(date.day())),
               'T', two(in_day / 3600000000), ':', two(in_day / 60000000 % 60), ':', two(in_day / 1000000 % 60));
    if (auto const micro = in_day % 1000000; micro != 0) {
        auto const digits = number_text(micro);
        out += '.' + std::string(6 - digits.size(), '0') + digits;
    }
    return out + 'Z';
}

/// @throws data_error  if both know their encoders and they are not the same.
inline void check_same_encoders(std::string_view where, std::string_view what, provenance const& a, provenance const& b) {
    auto const differ = [](std::uint64_t x, std::uint64_t y) { return x != 0 && y != 0 && x != y; };
    if (differ(a.users, b.users)) throw_data(where, ": ", what, " was made with other user ids (another user encoder)");
    if (differ(a.items, b.items)) throw_data(where, ": ", what, " was made with other item ids (another item encoder)");
}

/// Whether something that knows events up to `as_of` knows some from `moment` on.
/// The later of two moments, of which either may be absent.
inline std::optional<time_point> later(std::optional<time_point> a, std::optional<time_point> b) { return !a || (b && *b > *a) ? b : a; }
inline bool knows_after(std::optional<time_point> as_of, std::optional<time_point> moment) { return as_of && moment && *as_of > *moment; }

/// Index types are as wide as the matrices: a count that does not fit is an error, never a wrap.
inline void check_index_count(std::size_t n, std::string_view where, std::string_view what) {
    if (n > max_index_count) throw_data(where, ": ", n, ' ', what, " do not fit 32-bit indices (at most ", max_index_count, ')');
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
