// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace ids_test {

enum class color : std::uint8_t { red, green };
struct uuid {
    std::uint64_t hi, lo;
    friend bool operator==(uuid const&, uuid const&) = default;
    friend auto recsys_tie(uuid const& u) { return std::tie(u.hi, u.lo); }
};
struct only_less {
    int value;
    friend bool operator==(only_less, only_less) = default;
    friend bool operator<(only_less a, only_less b) { return a.value < b.value; }
};
struct only_hash {
    int value;
    friend bool operator==(only_hash, only_hash) = default;
};
struct bare {
    int value;
    friend bool operator==(bare, bare) = default;
};
struct with_bare {
    bare part;
    friend bool operator==(with_bare, with_bare) = default;
    friend auto recsys_tie(with_bare const& w) { return std::tie(w.part); }
};
struct text_of_mine {
    std::string text;
    operator std::string_view() const { return text; }
};

}

template <> struct std::hash<ids_test::only_hash> {
    std::size_t operator()(ids_test::only_hash h) const noexcept { return static_cast<std::size_t>(h.value); }
};

using namespace ids_test;
namespace detail = recsys::detail;

TEST_CASE("id types are what has ==, and recsys_tie, < or std::hash; floating point, bool and pointers are none") {
    static_assert(recsys::id_type<int> && recsys::id_type<std::uint64_t> && recsys::id_type<char> && recsys::id_type<color>);
    static_assert(recsys::id_type<std::string> && recsys::id_type<uuid> && recsys::id_type<only_less> && recsys::id_type<only_hash>);
    static_assert(recsys::id_type<std::pair<int, std::string>> && recsys::id_type<std::tuple<color, uuid>>);
    static_assert(!recsys::id_type<float> && !recsys::id_type<double> && !recsys::id_type<bool> && !recsys::id_type<bare>);
    static_assert(!recsys::id_type<with_bare> && !recsys::id_type<int*> && !recsys::id_type<char const*>);
    static_assert(recsys::tied_id<uuid> && !recsys::tied_id<int> && !recsys::tied_id<only_less>);
    CHECK(true);
}

TEST_CASE("text of any kind is kept as std::string, an optional as what is in it") {
    static_assert(std::is_same_v<recsys::stored_id_t<std::string_view>, std::string>);
    static_assert(std::is_same_v<recsys::stored_id_t<char const*>, std::string>);
    static_assert(std::is_same_v<recsys::stored_id_t<char[9]>, std::string>);
    static_assert(std::is_same_v<recsys::stored_id_t<text_of_mine const&>, std::string>);
    static_assert(std::is_same_v<recsys::stored_id_t<std::optional<std::string_view>>, std::string>);
    static_assert(std::is_same_v<recsys::stored_id_t<std::optional<long> const&>, long>);
    static_assert(std::is_same_v<recsys::stored_id_t<uuid>, uuid>);
    CHECK(true);
}

TEST_CASE("c08 keys of another kind are no keys: text is not a number, a double is neither") {
    static_assert(recsys::id_key<std::string_view, std::string> && recsys::id_key<char const*, std::string> &&
                  recsys::id_key<char[4], std::string>);
    static_assert(recsys::id_key<std::int64_t, std::uint32_t> && recsys::id_key<unsigned char, std::int64_t>);
    static_assert(recsys::id_key<std::optional<int>, int> && recsys::id_key<uuid, uuid> && recsys::id_key<color, color>);
    static_assert(!recsys::id_key<int, std::string> && !recsys::id_key<std::string, int> && !recsys::id_key<double, int>);
    static_assert(!recsys::id_key<int, color> && !recsys::id_key<int, uuid> && !recsys::id_key<bool, int>);
    CHECK(true);
}

TEST_CASE("c08 integers of other widths and signs are the same number or none") {
    CHECK(detail::same_value<std::uint32_t>(-1) == std::nullopt);
    CHECK(detail::same_value<std::int32_t>(4294967295u) == std::nullopt);
    CHECK(detail::same_value<std::uint64_t>(std::int64_t{-1}) == std::nullopt);
    CHECK(detail::same_value<std::int64_t>(std::numeric_limits<std::uint64_t>::max()) == std::nullopt);
    CHECK(detail::same_value<std::int8_t>(128) == std::nullopt);
    CHECK(detail::same_value<std::int8_t>(-128).value() == -128);
    CHECK(detail::same_value<std::uint8_t>(std::int64_t{255}).value() == 255);
    CHECK(detail::same_value<std::uint8_t>(std::int64_t{256}) == std::nullopt);
    CHECK(detail::same_value<std::int64_t>(std::numeric_limits<std::uint32_t>::max()).value() == 4294967295);
}

TEST_CASE("a missing value is an empty optional or a null pointer, never a word") {
    CHECK(detail::is_missing(std::optional<int>()));
    CHECK(detail::is_missing(std::optional<std::optional<int>>(std::optional<int>())));
    CHECK(detail::is_missing(static_cast<char const*>(nullptr)));
    CHECK_FALSE(detail::is_missing(std::string()));
    CHECK_FALSE(detail::is_missing(std::string_view("NA")));
    CHECK_FALSE(detail::is_missing(std::optional<int>(0)));
}

TEST_CASE("an array of char ends at its zero or at its end") {
    struct {
        char full[3] = {'a', 'b', 'c'};
        char padded[5] = {'a', 'b', 0, 'x', 0};
    } const row;
    CHECK(detail::id_view(row.full) == std::string_view("abc"));
    CHECK(detail::id_view(row.padded) == std::string_view("ab"));
    CHECK(detail::id_view(std::optional<std::string>("s")) == std::string_view("s"));
}

TEST_CASE("c09 text is ordered by its bytes as unsigned numbers") {
    CHECK(detail::id_less(std::string("Banana"), std::string("apple")));
    CHECK(detail::id_less(std::string("apple"), std::string("\xC3\xA9"
                                                            "clair")));
    CHECK_FALSE(detail::id_less(std::string("\xC3"), std::string("a")));
    CHECK(detail::id_less(std::string("a"), std::string("a\0", 2)));
}

TEST_CASE("ids of several members are ordered and hashed member by member") {
    using key = std::pair<std::string, int>;
    CHECK(detail::id_less(key("a", 2), key("b", 1)));
    CHECK(detail::id_less(key("a", 1), key("a", 2)));
    CHECK_FALSE(detail::id_less(key("a", 1), key("a", 1)));
    CHECK(detail::id_less(uuid{1, 9}, uuid{2, 0}));
    CHECK(detail::hash_id(uuid{1, 2}) != detail::hash_id(uuid{2, 1}));
    CHECK(detail::hash_id(uuid{1, 2}) == detail::hash_id(std::pair<std::uint64_t, int>(1, 2)));
}

TEST_CASE("hashes of text do not depend on its kind, and those of 10000 neighbours differ") {
    CHECK(detail::hash_id(std::string("user-1")) == detail::hash_id(std::string_view("user-1")));
    std::set<std::uint64_t> numbers, texts;
    for (int i = 0; i < 10000; ++i) numbers.insert(detail::hash_id(i) >> 32), texts.insert(detail::hash_id("user-" + std::to_string(i)));
    CHECK(numbers.size() > 9990);
    CHECK(texts.size() == 10000);
}

TEST_CASE("fingerprints depend on ids, order and number, and are never 0") {
    auto const of = [](std::vector<std::int64_t> const& ids) { return detail::fingerprint_of(ids); };
    CHECK(of({1, 2, 3}) == of({1, 2, 3}));
    CHECK(of({1, 2, 3}) != of({1, 3, 2}));
    CHECK(of({1, 2}) != of({1, 2, 0}));
    CHECK(of({}) != of({0}));
    CHECK(of({}) != 0);
    CHECK(of({1, -2}) == detail::fingerprint_of(std::vector<std::int8_t>{1, -2}));
    CHECK(detail::fingerprint_of(std::vector<only_less>{{1}, {2}}) == detail::fingerprint_of(std::vector<only_less>{{1}, {3}}));
    CHECK(detail::fingerprint_of(std::vector<only_hash>{{1}, {2}}) != detail::fingerprint_of(std::vector<only_hash>{{1}, {3}}));
}

// The values are those of a second implementation, in Python.
TEST_CASE("fingerprints are the same on every machine") {
    CHECK(detail::fingerprint_of(std::vector<int>{1, 2, 3}) == 0x7E4B5B1939100F30u);
    CHECK(detail::fingerprint_of(std::vector<std::string>{"ada", "\xC3\xA9", "a longer id than eight bytes"}) == 0x8EB76E5157C24C70u);
}

TEST_CASE("ids have a text for messages") {
    CHECK(detail::id_text(-5) == "-5");
    CHECK(detail::id_text(std::string("ada")) == "'ada'");
    CHECK(detail::id_text(uuid{1, 2}) == "(1, 2)");
    CHECK(detail::id_text(color::green) == "1");
    CHECK(detail::id_text(std::pair<char, std::string>('a', "b")) == "(97, 'b')");
    CHECK(detail::id_text(only_hash{1}) == "of its type");
}
