// SPDX-License-Identifier: MIT
// The types that a column file keeps: integers, enums, bool, float, double, times, texts, and lists of these.
#ifndef RECSYS_IO_COLUMN_VALUES_HPP
#define RECSYS_IO_COLUMN_VALUES_HPP

#include <recsys/core/push_macros.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <ratio>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/number.hpp>
#include <recsys/data/columns.hpp>
#include <recsys/data/ids.hpp>
#include <recsys/io/column_chunk.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Takes values one by one and writes them as one chunk; reads a chunk and hands them out again.
///   static std::string type();                       as the file names it: "int32", "time 1/1000000", "list of text"
///   static bool reads(std::string_view type);        whether it can hand out what was stored as that
///   void put(T const&); void write(chunk_writer&);
///   void read(std::string_view type, std::size_t n, chunk_reader&); bool take(T&);   false: the value does not fit
template <class T> struct column_codec;

template <class T>
concept stored_integer = std::integral<T> || std::is_enum_v<T>;
template <class T>
concept stored_list = std::ranges::input_range<T const> && !text_like<T> && requires {
    typename T::value_type;
};

template <class T> struct number_under { using type = T; };
template <class T>
    requires std::is_enum_v<T>
struct number_under<T> : std::underlying_type<T> {
};
template <> struct number_under<bool> { using type = std::uint8_t; };
template <class T> using number_under_t = typename number_under<T>::type;

/// Integers in the order of their 64-bit codes.
template <std::integral Integer> std::uint64_t to_code(Integer value) noexcept {
    if constexpr (std::is_signed_v<Integer>) return static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) ^ top_bit;
    else return value;
}
/// Whether it fits.
template <std::integral Integer> bool from_code(std::uint64_t code, bool is_signed, Integer& to) noexcept {
    if (!is_signed) return to = static_cast<Integer>(code), same_value<Integer>(code).has_value();
    auto const value = static_cast<std::int64_t>(code ^ top_bit);
    return to = static_cast<Integer>(value), same_value<Integer>(value).has_value();
}

template <stored_integer T> struct column_codec<T> {
    using number = number_under_t<T>;
    static std::string type() { return concat(std::is_signed_v<number> ? "int" : "uint", 8 * sizeof(number)); }
    static bool reads(std::string_view stored) {
        for (char const* name : {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"})
            if (stored == name) return true;
        return false;
    }
    void put(T const& value) { m_codes.push_back(to_code(static_cast<number>(value))); }
    void write(chunk_writer& out) const { out.integers(m_codes); }
    void read(std::string_view stored, std::size_t n, chunk_reader& in) {
        m_signed = stored.front() == 'i';
        m_codes.resize(n), m_next = 0;
        in.integers(m_codes);
    }
    bool take(T& to) {
        number value{};
        bool fits = from_code(m_codes[m_next++], m_signed, value);
        if constexpr (std::same_as<T, bool>) fits = fits && value <= 1;
        to = static_cast<T>(value);
        return fits;
    }

private:
    std::vector<std::uint64_t> m_codes;
    std::size_t m_next = 0;
    bool m_signed = false;
};

/// Times of any integer precision; read into the same or a finer one.
template <std::integral Rep, class Period> struct column_codec<sys_point<Rep, Period>> {
    using point = sys_point<Rep, Period>;
    static std::string type() { return concat("time ", Period::num, '/', Period::den); }
    static bool reads(std::string_view stored) { return factor(stored) > 0; }
    void put(point const& value) { m_ticks.put(static_cast<std::int64_t>(value.time_since_epoch().count())); }
    void write(chunk_writer& out) const { m_ticks.write(out); }
    void read(std::string_view stored, std::size_t n, chunk_reader& in) {
        m_factor = factor(stored);
        m_ticks.read("int64", n, in);
    }
    bool take(point& to) {
        std::int64_t ticks = 0;
        bool fits = m_ticks.take(ticks);
        fits = fits && ticks <= std::numeric_limits<std::int64_t>::max() / m_factor &&
               ticks >= std::numeric_limits<std::int64_t>::min() / m_factor;
        ticks = fits ? ticks * m_factor : 0;
        to = point(typename point::duration(static_cast<Rep>(ticks)));
        return fits && same_value<Rep>(ticks).has_value();
    }

private:
    /// How many of our ticks one of the file's is; 0 if that is no whole number.
    static std::int64_t factor(std::string_view stored) {
        if (stored.substr(0, 5) != "time ") return 0;
        stored.remove_prefix(5);
        auto const slash = stored.find('/');
        auto const num = parse_number<std::int64_t>(stored.substr(0, slash));
        auto const den = slash == stored.npos ? num : parse_number<std::int64_t>(stored.substr(slash + 1));
        if (!num || !den || *num < 1 || *den < 1 || *num > std::numeric_limits<std::int64_t>::max() / Period::den ||
            *den > std::numeric_limits<std::int64_t>::max() / Period::num)
            return 0;
        std::int64_t const above = *num * Period::den, below = *den * Period::num;
        return above % below == 0 ? above / below : 0;
    }
    column_codec<std::int64_t> m_ticks;
    std::int64_t m_factor = 1;
};

template <std::floating_point T>
    requires(sizeof(T) <= 8)
struct column_codec<T> {
    static std::string type() { return sizeof(T) == 4 ? "float32" : "float64"; }
    static bool reads(std::string_view stored) { return stored == type() || (sizeof(T) == 8 && stored == "float32"); }
    void put(T const& value) { m_values.push_back(value); }
    void write(chunk_writer& out) const { out.bytes(m_values.data(), m_values.size() * sizeof(T)); }
    void read(std::string_view stored, std::size_t n, chunk_reader& in) {
        m_values.resize(n), m_next = 0;
        if (stored == type()) fill<T>(in);
        else fill<float>(in);
    }
    bool take(T& to) { return to = m_values[m_next++], true; }

private:
    template <class Stored> void fill(chunk_reader& in) {
        auto const bytes = in.bytes(std::uint64_t{m_values.size()} * sizeof(Stored));
        for (std::size_t i = 0; i < m_values.size(); ++i) {
            Stored value;
            std::memcpy(&value, bytes.data() + i * sizeof(Stored), sizeof(Stored));
            m_values[i] = static_cast<T>(value);
        }
    }
    std::vector<T> m_values;
    std::size_t m_next = 0;
};

template <text_like T> struct column_codec<T> {
    static std::string type() { return "text"; }
    static bool reads(std::string_view stored) { return stored == "text"; }
    void put(T const& value) {
        std::string_view const text(value);
        m_lengths.push_back(text.size());
        m_text += text;
    }
    void write(chunk_writer& out) const {
        if (m_text.size() > most_in_chunk)
            throw_data("column_writer: ", m_text.size(), " bytes of text in one block; make the blocks smaller");
        out.integers(m_lengths);
        out.bytes(m_text.data(), m_text.size());
    }
    void read(std::string_view, std::size_t n, chunk_reader& in) {
        m_lengths.resize(n), m_next = 0, m_at = 0;
        auto const bytes = in.bytes(in.lengths(m_lengths));
        m_left = std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    }
    bool take(T& to) {
        static_assert(std::same_as<T, std::string>, "column files: read texts into std::string, a view would outlive them");
        to.assign(m_left.data() + m_at, static_cast<std::size_t>(m_lengths[m_next]));
        m_at += static_cast<std::size_t>(m_lengths[m_next++]);
        return true;
    }

private:
    std::vector<std::uint64_t> m_lengths;
    std::string m_text;
    std::string_view m_left;
    std::size_t m_next = 0, m_at = 0;
};

template <stored_list T> struct column_codec<T> {
    using element = typename T::value_type;
    static std::string type() { return "list of " + column_codec<element>::type(); }
    static bool reads(std::string_view stored) {
        return stored.substr(0, 8) == "list of " && column_codec<element>::reads(stored.substr(8));
    }
    void put(T const& values) {
        std::uint64_t n = 0;
        for (auto const& value : values) m_elements.put(value), ++n;
        m_lengths.push_back(n), m_sum += n;
    }
    void write(chunk_writer& out) const {
        if (m_sum > most_in_chunk) throw_data("column_writer: ", m_sum, " values in one block of lists; make the blocks smaller");
        out.integers(m_lengths);
        m_elements.write(out);
    }
    void read(std::string_view stored, std::size_t n, chunk_reader& in) {
        m_lengths.resize(n), m_next = 0;
        auto const sum = in.lengths(m_lengths);
        m_elements.read(stored.substr(8), static_cast<std::size_t>(sum), in);
    }
    bool take(T& to) {
        to.clear();
        bool fits = true;
        for (std::uint64_t left = m_lengths[m_next++]; left > 0; --left) {
            element value{};
            fits = m_elements.take(value) && fits;
            to.push_back(std::move(value));
        }
        return fits;
    }

private:
    std::vector<std::uint64_t> m_lengths;
    std::uint64_t m_sum = 0;
    std::size_t m_next = 0;
    column_codec<element> m_elements;
};

/// What a column can be.
template <class T>
concept storable = requires(column_codec<T>& codec, T const& value) {
    codec.put(value);
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
