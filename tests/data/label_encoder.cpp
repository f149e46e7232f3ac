// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <clocale>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <limits>
#include <list>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/fixtures/data.hpp"

namespace label_encoder_test {

struct uuid {
    std::uint64_t hi = 0, lo = 0;
    friend bool operator==(uuid const&, uuid const&) = default;
    friend auto recsys_tie(uuid const& u) { return std::tie(u.hi, u.lo); }
};
struct catalog_key { // ids are unique within a type only
    std::string type;
    std::int32_t id = 0;
    friend bool operator==(catalog_key const&, catalog_key const&) = default;
    friend auto recsys_tie(catalog_key const& k) { return std::tie(k.type, k.id); }
};
struct half_tied {
    int a = 0, b = 0;
    friend bool operator==(half_tied, half_tied) = default;
    friend auto recsys_tie(half_tied const& h) { return std::tie(h.a); }
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
enum class color : std::int8_t { blue = -3, red = 1, green = 2 };

}

template <> struct std::hash<label_encoder_test::only_hash> {
    std::size_t operator()(label_encoder_test::only_hash h) const noexcept { return static_cast<std::size_t>(h.value % 2); }
};

namespace label_encoder_test {
/// Files as an encoder would write them, but with any ids.
struct forged {
    std::vector<std::int32_t> ids;
};
struct forged_uuids {
    std::vector<std::uint64_t> hi, lo;
};
}
namespace recsys { namespace detail {
template <> struct archived<label_encoder_test::forged> {
    static std::string name() { return "item_encoder<int32>"; }
    static void save(label_encoder_test::forged const& value, object_writer& out) {
        out.value("missing", std::uint64_t{0}), out.array("ids", value.ids);
    }
    static label_encoder_test::forged load(object_reader const&) { return {}; }
};
template <> struct archived<label_encoder_test::forged_uuids> {
    static std::string name() { return "item_encoder<tie(uint64, uint64)>"; }
    static void save(label_encoder_test::forged_uuids const& value, object_writer& out) {
        out.value("missing", std::uint64_t{0}), out.array("ids.0", value.hi), out.array("ids.1", value.lo);
    }
    static label_encoder_test::forged_uuids load(object_reader const&) { return {}; }
};
}}

using namespace label_encoder_test;
using recsys::item_encoder;
using recsys::item_index;
using recsys::user_encoder;
using recsys::user_index;

namespace {

std::string const path = "label_encoder_test.rsm";

template <class Id> item_encoder<Id> saved_and_loaded(item_encoder<Id> const& encoder) {
    recsys::save(path, encoder);
    auto out = recsys::load<item_encoder<Id>>(path);
    std::remove(path.c_str());
    return out;
}
template <class Id> void check_equal(item_encoder<Id> const& a, item_encoder<Id> const& b) {
    CHECK(std::vector<Id>(a.ids().begin(), a.ids().end()) == std::vector<Id>(b.ids().begin(), b.ids().end()));
    CHECK(a.fingerprint() == b.fingerprint());
    CHECK(a.missing() == b.missing());
    for (auto const& id : a.ids()) CHECK(b.at(id) == a.at(id));
}
template <class Function> std::string message_of(Function const& f) {
    try {
        f();
    } catch (recsys::error const& e) { return e.what(); }
    return {};
}

}

TEST_CASE("indices are those of scikit-learn's LabelEncoder: text") {
    using namespace data_fixture;
    auto const encoder = item_encoder<std::string>::fit(words);
    REQUIRE(encoder.size() == std::size(word_classes));
    for (std::size_t i = 0; i < std::size(word_classes); ++i) CHECK(encoder.id(static_cast<item_index>(i)) == word_classes[i]);
    for (std::size_t i = 0; i < std::size(words); ++i)
        CHECK(recsys::to_size(encoder.at(words[i])) == static_cast<std::size_t>(word_codes[i]));
}

TEST_CASE("indices are those of scikit-learn's LabelEncoder: numbers") {
    using namespace data_fixture;
    auto const encoder = user_encoder<std::int64_t>::fit(numbers);
    REQUIRE(encoder.size() == std::size(number_classes));
    for (std::size_t i = 0; i < std::size(number_classes); ++i) CHECK(encoder.ids()[i] == number_classes[i]);
    auto const codes = encoder.transform(numbers);
    for (std::size_t i = 0; i < std::size(numbers); ++i) CHECK(recsys::to_size(codes[i]) == static_cast<std::size_t>(number_codes[i]));
}

TEST_CASE("an encoder goes to indices and back, for any range") {
    std::list<std::string> const ids{"b", "a", "b", "c"};
    auto const encoder = item_encoder<std::string>::fit(ids);
    CHECK(encoder.size() == 3);
    CHECK(encoder.at("a") == item_index{0});
    CHECK(encoder.at(std::string("b")) == item_index{1});
    CHECK(encoder.find(std::string_view("c")) == item_index{2});
    CHECK(encoder.find("d") == std::nullopt);
    CHECK(encoder.contains("c"));
    for (auto const index : encoder.all()) CHECK(encoder.at(encoder.id(index)) == index);
    std::istringstream words("x y x");
    CHECK(item_encoder<std::string>::fit(std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()).size() == 2);
}

TEST_CASE("c01 ids that no double holds stay two, a missing one is counted") {
    std::vector<std::optional<std::int64_t>> const users{9007199254740993, std::nullopt, 9007199254740992};
    auto const encoder = user_encoder<std::int64_t>::fit(users);
    CHECK(encoder.size() == 2);
    CHECK(encoder.missing() == 1);
    CHECK(encoder.id(user_index{0}) == 9007199254740992);
    CHECK(encoder.id(user_index{1}) == 9007199254740993);
    CHECK(encoder.at(9007199254740993u) == user_index{1});
}

TEST_CASE("c07 a missing value is no class, at fit and at look-up alike") {
    std::vector<std::optional<std::string>> const values{"a", "b", std::nullopt};
    auto const encoder = item_encoder<std::string>::fit(values);
    CHECK(encoder.size() == 2);
    CHECK(encoder.missing() == 1);
    CHECK(encoder.find(std::optional<std::string>()) == std::nullopt);
    CHECK(encoder.find(std::optional<std::string>("a")) == item_index{0});
    CHECK(encoder.find("c") == std::nullopt);
    CHECK(encoder.find("") == std::nullopt);
    CHECK(message_of([&] { (void)encoder.at(std::optional<std::string>()); }) ==
          "encoder: a missing item id has no index; find() gives an optional");
    CHECK(message_of([&] { (void)encoder.at("c"); }) == "encoder: item id 'c' is not among the 2 known ones; find() gives an optional");
    CHECK_THROWS_AS((void)encoder.transform(values), recsys::data_error);
    CHECK(encoder.transform(values, recsys::unknown_ids::skip) == std::vector{item_index{0}, item_index{1}});
    // The other half of the case, NaN among doubles, does not compile: tests/structure/must_not_compile/float_ids.cpp
}

TEST_CASE("c08 keys of one kind have one index: const char*, arrays, string_view and string") {
    auto const encoder = item_encoder<std::string>::fit(std::vector<std::string>{"1", "2", "a"});
    char const* pointer = "a";
    char const array[4] = {'a', 0, 'b', 0};
    CHECK(encoder.at(pointer) == item_index{2});
    CHECK(encoder.at(array) == item_index{2});
    CHECK(encoder.at(std::string_view("a")) == item_index{2});
    CHECK(encoder.at(std::string("a")) == item_index{2});
    CHECK(encoder.find(static_cast<char const*>(nullptr)) == std::nullopt);
    static_assert(std::is_same_v<decltype(encoder.id(item_index{})), std::string const&>);
}

TEST_CASE("c08 numbers are found by value: -1 is not 2^32-1") {
    auto const narrow = user_encoder<std::uint32_t>::fit(std::vector<std::uint32_t>{4294967295u, 7, 0});
    CHECK(narrow.find(-1) == std::nullopt);
    CHECK(narrow.find(std::int64_t{-1}) == std::nullopt);
    CHECK(narrow.find(4294967295LL) == user_index{2});
    CHECK(narrow.find(std::uint64_t{4294967296}) == std::nullopt);
    auto const wide = user_encoder<std::int64_t>::fit(std::vector<std::int64_t>{-1, 4294967295});
    CHECK(wide.at(-1) == user_index{0});
    CHECK(wide.at(4294967295u) == user_index{1});
    CHECK(wide.find(std::numeric_limits<std::uint64_t>::max()) == std::nullopt);
    CHECK(message_of([&] { (void)narrow.at(-1); }) == "encoder: user id -1 is not among the 3 known ones; find() gives an optional");
}

TEST_CASE("integers of another width are fitted by value or refused") {
    CHECK(item_encoder<std::uint8_t>::fit(std::vector<int>{3, 255, 3}).size() == 2);
    CHECK(message_of([] {
              (void)item_encoder<std::uint32_t>::fit(std::vector<int>{3, -1});
          }) == "encoder: item id -1 does not fit the id type");
}

TEST_CASE("c09 the order of text does not depend on the locale") {
    std::vector<std::string> const words{"\xC3\xA9"
                                         "clair",
                                         "apple", "Banana"};
    std::string const before = std::setlocale(LC_ALL, nullptr);
    for (auto const* name : {"C", "en_US.UTF-8", "C.UTF-8", "de_DE.UTF-8"}) {
        std::setlocale(LC_ALL, name); // where the system has it
        auto const encoder = item_encoder<std::string>::fit(words);
        CHECK(encoder.at("Banana") == item_index{0});
        CHECK(encoder.at("apple") == item_index{1});
        CHECK(encoder.at(words[0]) == item_index{2});
    }
    std::setlocale(LC_ALL, before.c_str());
}

TEST_CASE("tied ids are ordered by their members, others by <, by value, or as first seen") {
    auto const tied = item_encoder<uuid>::fit(std::vector<uuid>{{2, 0}, {1, 9}, {1, 3}, {2, 0}});
    CHECK(tied.size() == 3);
    CHECK(tied.at(uuid{1, 3}) == item_index{0});
    CHECK(tied.at(uuid{2, 0}) == item_index{2});
    auto const keys = item_encoder<catalog_key>::fit(std::vector<catalog_key>{{"track", 5}, {"album", 7}, {"track", 4}, {"album", 5}});
    CHECK(keys.size() == 4);
    CHECK(keys.at(catalog_key{"album", 7}) == item_index{1});
    auto const less = item_encoder<only_less>::fit(std::vector<only_less>{{5}, {-5}, {5}});
    CHECK(less.at(only_less{-5}) == item_index{0});
    auto const colors = item_encoder<color>::fit(std::vector<color>{color::green, color::blue, color::red});
    CHECK(colors.at(color::blue) == item_index{0});
    CHECK(colors.at(color::green) == item_index{2});
    auto const seen = item_encoder<only_hash>::fit(std::vector<only_hash>{{9}, {3}, {9}, {5}});
    CHECK(seen.at(only_hash{9}) == item_index{0});
    CHECK(seen.at(only_hash{3}) == item_index{1});
    CHECK(seen.at(only_hash{5}) == item_index{2});
    using pair = std::pair<int, std::string>;
    CHECK(item_encoder<pair>::fit(std::vector<pair>{{2, "x"}, {1, "y"}}).at(pair(1, "y")) == item_index{0});
}

TEST_CASE("known ids make an item set that remembers its encoder; unknown ones are left out") {
    auto const encoder = item_encoder<std::uint32_t>::fit(std::vector<std::uint32_t>{10, 20, 30});
    auto const set = encoder.known(std::vector<int>{30, -1, 10, 99, 30});
    CHECK(std::vector<item_index>(set.items().begin(), set.items().end()) == std::vector{item_index{0}, item_index{2}});
    CHECK(set.provenance().items == encoder.fingerprint());
}

TEST_CASE("an index past the end is an error, and an encoder never fitted knows nothing") {
    user_encoder<int> const none;
    CHECK(none.size() == 0);
    CHECK(none.ids().empty());
    CHECK(none.find(1) == std::nullopt);
    CHECK(none.fingerprint() == 0);
    CHECK(message_of([&] { (void)none.id(user_index{0}); }) == "encoder: user index 0 of 0");
    auto const empty = user_encoder<int>::fit(std::vector<int>{});
    CHECK(empty.size() == 0);
    CHECK(empty.fingerprint() != 0);
}

TEST_CASE("copies share, and fingerprints tell encoders apart") {
    auto const a = item_encoder<std::string>::fit(std::vector<std::string>{"b", "a"}), copy = a;
    CHECK(copy.ids().data() == a.ids().data());
    CHECK(a.fingerprint() == item_encoder<std::string>::fit(std::vector<std::string>{"a", "b", "a"}).fingerprint());
    CHECK(a.fingerprint() != item_encoder<std::string>::fit(std::vector<std::string>{"a", "c"}).fingerprint());
}

TEST_CASE("encoders come back from files as they were saved") {
    auto const numbers = item_encoder<std::uint32_t>::fit(std::vector<std::uint32_t>{5, 1, 4294967295u});
    check_equal(numbers, saved_and_loaded(numbers));
    auto const longs = item_encoder<std::int64_t>::fit(std::vector<std::optional<std::int64_t>>{5, -1, std::nullopt});
    check_equal(longs, saved_and_loaded(longs));
    auto const texts = item_encoder<std::string>::fit(data_fixture::words);
    check_equal(texts, saved_and_loaded(texts));
    auto const tied = item_encoder<uuid>::fit(std::vector<uuid>{{2, 0}, {1, 9}, {1, 3}});
    check_equal(tied, saved_and_loaded(tied));
    auto const keys = item_encoder<catalog_key>::fit(std::vector<catalog_key>{{"track", 5}, {"album", 7}, {"", 4}});
    check_equal(keys, saved_and_loaded(keys));
    auto const colors = item_encoder<color>::fit(std::vector<color>{color::green, color::blue});
    check_equal(colors, saved_and_loaded(colors));
    using pair = std::pair<int, std::string>;
    auto const pairs = item_encoder<pair>::fit(std::vector<pair>{{2, "x"}, {1, "y"}});
    check_equal(pairs, saved_and_loaded(pairs));
    auto const empty = item_encoder<std::string>::fit(std::vector<std::string>{});
    check_equal(empty, saved_and_loaded(empty));
}

TEST_CASE("names in files say which side and which ids") {
    using recsys::detail::archived;
    CHECK(archived<user_encoder<std::string>>::name() == "user_encoder<string>");
    CHECK(archived<item_encoder<std::uint32_t>>::name() == "item_encoder<uint32>");
    CHECK(archived<item_encoder<long>>::name() == recsys::detail::concat("item_encoder<int", sizeof(long) * 8, '>'));
    CHECK(archived<item_encoder<uuid>>::name() == "item_encoder<tie(uint64, uint64)>");
    CHECK(archived<item_encoder<catalog_key>>::name() == "item_encoder<tie(string, int32)>");
    CHECK(archived<item_encoder<color>>::name() == "item_encoder<int8>");
    static_assert(!recsys::detail::archivable<item_encoder<only_hash>> && !recsys::detail::archivable<item_encoder<only_less>>);
}

TEST_CASE("files of another side or another id type are refused") {
    recsys::save(path, item_encoder<int>::fit(std::vector<int>{1}));
    CHECK_THROWS_AS((void)recsys::load<user_encoder<int>>(path), recsys::format_error);
    CHECK_THROWS_AS((void)recsys::load<item_encoder<std::uint32_t>>(path), recsys::format_error);
    CHECK_THROWS_AS((void)recsys::load<item_encoder<std::string>>(path), recsys::format_error);
    std::remove(path.c_str());
}

TEST_CASE("ids in files must be sorted and distinct") {
    for (auto const& [ids, is_right] :
         std::vector<std::pair<std::vector<std::int32_t>, bool>>{{{1, 2, 3}, true}, {{1, 3, 2}, false}, {{1, 2, 2}, false}}) {
        recsys::save(path, forged{ids});
        if (is_right) CHECK(recsys::load<item_encoder<std::int32_t>>(path).size() == 3);
        else CHECK_THROWS_AS((void)recsys::load<item_encoder<std::int32_t>>(path), recsys::format_error);
    }
    std::remove(path.c_str());
}

TEST_CASE("members of tied ids in files must be as many as each other") {
    recsys::save(path, forged_uuids{{1, 2}, {5}});
    CHECK_THROWS_AS((void)recsys::load<item_encoder<uuid>>(path), recsys::format_error);
    recsys::save(path, forged_uuids{{1, 1}, {5, 6}});
    CHECK(recsys::load<item_encoder<uuid>>(path).size() == 2);
    recsys::save(path, forged_uuids{{1, 1}, {6, 6}});
    CHECK_THROWS_AS((void)recsys::load<item_encoder<uuid>>(path), recsys::format_error);
    std::remove(path.c_str());
}

TEST_CASE("recsys_tie that leaves out a member which == compares is found out when saving") {
    auto const encoder = item_encoder<half_tied>::fit(std::vector<half_tied>{{1, 2}});
    CHECK_THROWS_AS(recsys::save(path, encoder), recsys::data_error);
}
