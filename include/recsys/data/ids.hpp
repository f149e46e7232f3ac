// SPDX-License-Identifier: MIT
// Ids of the user's own types: which types can be ids, how they are read, compared, hashed and named in messages.
#ifndef RECSYS_DATA_IDS_HPP
#define RECSYS_DATA_IDS_HPP

#include <recsys/core/push_macros.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <recsys/core/error.hpp>
#include <recsys/core/hash.hpp>
#include <recsys/core/number.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// A type of the user's with a function `recsys_tie(id)` in its namespace that gives the members that make up the id:
/// `friend auto recsys_tie(uuid const& u) { return std::tie(u.hi, u.lo); }`. It is hashed, ordered by them and saved.
template <class T>
concept tied_id = requires(T const& t) {
    recsys_tie(t);
};

namespace detail {

template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;
template <class T> inline constexpr bool is_std_tuple = false;
template <class A, class B> inline constexpr bool is_std_tuple<std::pair<A, B>> = true;
template <class... T> inline constexpr bool is_std_tuple<std::tuple<T...>> = true;

/// Text of any kind: std::string, string_view, char const*, char arrays, own types that convert to string_view.
template <class T>
concept text_like = std::convertible_to<T const&, std::string_view>;

/// An id of several members: recsys_tie, std::pair, std::tuple.
template <class T>
concept tuple_id = tied_id<T> || is_std_tuple<T>;

template <class T>
concept number_id = (std::is_integral_v<T> && !std::is_same_v<T, bool>) || std::is_enum_v<T>;

/// The members of an id, as a tuple of references (or what the user's recsys_tie gives).
template <tuple_id T> auto members_of(T const& id) {
    if constexpr (tied_id<T>) return recsys_tie(id);
    else return std::apply([](auto const&... member) { return std::tie(member...); }, id);
}

/// f<I>() for every member; joined by `and`.
template <class Members, class Test> constexpr bool every_member(Test const& test) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return (test.template operator()<std::remove_cvref_t<std::tuple_element_t<I, Members>>>() && ...);
    }
    (std::make_index_sequence<std::tuple_size_v<Members>>{});
}

template <class T> constexpr bool is_ordered() {
    if constexpr (tuple_id<T>)
        return every_member<decltype(members_of(std::declval<T const&>()))>([]<class M>() { return is_ordered<M>(); });
    else return requires(T const& a, T const& b) {
            { a < b } -> std::convertible_to<bool>;
        };
}

/// Whether the hash is the same in every program: numbers, text and what is made of them.
template <class T> constexpr bool is_portable() {
    if constexpr (tuple_id<T>)
        return every_member<decltype(members_of(std::declval<T const&>()))>([]<class M>() { return is_portable<M>(); });
    else return number_id<T> || std::is_same_v<T, bool> || text_like<T>;
}

template <class T> constexpr bool is_hashable() {
    if constexpr (tuple_id<T>)
        return every_member<decltype(members_of(std::declval<T const&>()))>([]<class M>() { return is_hashable<M>(); });
    else return is_portable<T>() || requires(T const& t) {
            { std::hash<T>{}(t) } -> std::convertible_to<std::size_t>;
        };
}

}

/// What can be an id: copyable, `==`, and one of recsys_tie, `<`, std::hash. Not floating point, whose equality is no identity; not bool;
/// not a pointer, whose order changes from run to run (text is stored as std::string, so `char const*` columns are fine).
template <class T>
concept id_type = std::copyable<T> && std::equality_comparable<T> && !std::floating_point<T> && !std::same_as<T, bool> &&
                  !std::is_pointer_v<T> && (detail::is_hashable<T>() || detail::is_ordered<T>());

/// The type that an encoder keeps for a column of T: text of any kind is std::string, std::optional<T> is T (nullopt = missing, counted).
template <class T> struct stored_id { using type = T; };
template <class T> struct stored_id<std::optional<T>> : stored_id<T> {};
template <detail::text_like T> struct stored_id<T> { using type = std::string; };
template <class T> using stored_id_t = typename stored_id<std::remove_cvref_t<T>>::type;

/// What an encoder of Id can be asked for: the id itself, an integer of any width and sign, text of any kind, an optional of these.
template <class Key, class Id>
concept id_key = std::same_as<stored_id_t<Key>, Id> ||
    (detail::number_id<stored_id_t<Key>>&& std::integral<stored_id_t<Key>>&& std::integral<Id>);

/// What to do with ids that an encoder does not know: an error that names the id, or leave the row out and count it.
enum class unknown_ids { error, skip };

namespace detail {

// --- reading ------------------------------------------------------------------------------------

/// A column's value is missing: an empty optional, a null `char const*`. Words as "NA" and empty text are values.
template <class T> bool is_missing(T const& value) {
    if constexpr (is_optional<T>) return !value.has_value() || is_missing(*value);
    else if constexpr (std::is_pointer_v<T>) return value == nullptr;
    else return false;
}

/// A value that is there, as it is looked up: text as string_view (an array of char ends at its zero or its end), others as they are.
template <class T> decltype(auto) id_view(T const& value) {
    if constexpr (is_optional<T>) return id_view(*value);
    else if constexpr (std::is_array_v<T> && text_like<T>) {
        auto const* const end = static_cast<char const*>(std::memchr(value, 0, sizeof value));
        return std::string_view(value, end ? static_cast<std::size_t>(end - value) : sizeof value);
    } else if constexpr (text_like<T>) return std::string_view(value);
    else return static_cast<T const&>(value);
}

/// The same number as another integer type, or nothing where that type has no such number: -1 is not 2^32 - 1.
template <class To, class From> constexpr std::optional<To> same_value(From from) noexcept {
    auto const to = static_cast<To>(from);
    if (static_cast<From>(to) != from) return std::nullopt;
    bool from_negative = false, to_negative = false;
    if constexpr (std::is_signed_v<From>) from_negative = from < From{};
    if constexpr (std::is_signed_v<To>) to_negative = to < To{};
    if (from_negative != to_negative) return std::nullopt;
    return to;
}

// --- order, hash, text --------------------------------------------------------------------------

/// Order of ids: members one after the other, text as unsigned bytes whatever the locale, else `<`.
template <class T> bool id_less(T const& a, T const& b) {
    if constexpr (tuple_id<T>) {
        auto const left = members_of(a), right = members_of(b);
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            int order = 0;
            static_cast<void>(((order = id_less(std::get<I>(left), std::get<I>(right))   ? -1
                                        : id_less(std::get<I>(right), std::get<I>(left)) ? 1
                                                                                         : 0) ||
                               ...));
            return order < 0;
        }
        (std::make_index_sequence<std::tuple_size_v<decltype(left)>>{});
    } else if constexpr (text_like<T>) return std::string_view(a) < std::string_view(b);
    else return a < b;
}

/// The same for an id and for the keys that find it.
template <class T> std::uint64_t hash_id(T const& id) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) return mix_bits(static_cast<std::uint64_t>(id));
    else if constexpr (text_like<T>) return hash_bytes(std::string_view(id));
    else if constexpr (tuple_id<T>) {
        return std::apply(
            [](auto const&... member) {
                std::uint64_t hash = 0;
                ((hash = hash_join(hash, hash_id(member))), ...);
                return hash;
            },
            members_of(id));
    } else return mix_bits(static_cast<std::uint64_t>(std::hash<T>{}(id)));
}

/// An id for a message: numbers as they are, text in quotes, members in parentheses; nothing for types that have no text.
template <class T> std::string id_text(T const& id) {
    if constexpr (std::is_enum_v<T>) return number_text(static_cast<std::underlying_type_t<T>>(id));
    else if constexpr (std::is_same_v<T, bool>) return id ? "true" : "false";
    else if constexpr (std::is_integral_v<T> && requires { number_text(id); }) return number_text(id);
    else if constexpr (std::is_integral_v<T>) return number_text(static_cast<std::int64_t>(id));
    else if constexpr (text_like<T>) return in_quotes(std::string_view(id));
    else if constexpr (tuple_id<T>) {
        std::string out;
        std::apply([&](auto const&... member) { ((out += (out.empty() ? "(" : ", ") + id_text(member)), ...); }, members_of(id));
        return out + ')';
    } else return "of its type";
}

/// Order-dependent hash of a list of ids, never 0. The same in every program for numbers, text and what recsys_tie makes of them; for
/// types that have only std::hash it holds within one program; for types that have only `<` it is made of the number of ids alone.
template <class Range> std::uint64_t fingerprint_of(Range const& ids) {
    using id = std::remove_cvref_t<decltype(*std::begin(ids))>;
    std::uint64_t hash = mix_bits(static_cast<std::uint64_t>(std::size(ids)) + 0x5245435359530001u);
    if constexpr (is_hashable<id>())
        for (auto const& one : ids) hash = hash_join(hash, hash_id(one));
    return hash == 0 ? 1 : hash;
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
