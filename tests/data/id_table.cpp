// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace detail = recsys::detail;

struct only_less {
    int value;
    friend bool operator==(only_less, only_less) = default;
    friend bool operator<(only_less a, only_less b) { return a.value < b.value; }
};

/// Every code is that of a std::map filled alongside; then the ids are sorted, and every id is found where it is.
template <class Id, class Make> void compare_with_map(std::size_t n, Make const& make) {
    detail::id_collector<Id> collector;
    std::map<Id, std::uint32_t> twin;
    bool same = true;
    for (std::size_t i = 0; i < n; ++i) {
        Id const id = make(i);
        same = same && collector.code(id) == twin.emplace(id, static_cast<std::uint32_t>(twin.size())).first->second;
    }
    CHECK(same);
    REQUIRE(collector.ids().size() == twin.size());
    auto const before = collector.ids();
    auto const rank = detail::sort_ids(collector.ids(), collector.table());
    REQUIRE(std::is_sorted(collector.ids().begin(), collector.ids().end()));
    for (std::size_t code = 0; code < before.size(); ++code) {
        auto const now = rank.empty() ? code : rank[code];
        same = same && collector.ids()[now] == before[code] && collector.table().find(collector.ids(), before[code]) == now;
    }
    CHECK(same);
    CHECK(collector.table().find(collector.ids(), make(n + 1000000)) == detail::no_code);
}

}

TEST_CASE("codes are 0, 1, 2, ... in the order in which ids are first seen") {
    detail::id_collector<std::string> collector;
    CHECK(collector.code(std::string_view("b")) == 0);
    CHECK(collector.code(std::string_view("a")) == 1);
    CHECK(collector.code(std::string_view("b")) == 0);
    CHECK(collector.code(std::string_view("")) == 2);
    CHECK(detail::sort_ids(collector.ids(), collector.table()) == std::vector<std::uint32_t>{2, 1, 0});
    CHECK(collector.ids() == std::vector<std::string>{"", "a", "b"});
    CHECK(collector.table().find(collector.ids(), std::string_view("b")) == 2);
    CHECK(collector.table().find(collector.ids(), std::string_view("c")) == detail::no_code);
}

TEST_CASE("an empty table finds nothing") {
    detail::id_collector<std::string> texts;
    detail::id_collector<int> numbers;
    CHECK(texts.table().find(texts.ids(), std::string_view("a")) == detail::no_code);
    CHECK(numbers.table().find(numbers.ids(), 0) == detail::no_code);
    CHECK(detail::sort_ids(numbers.ids(), numbers.table()).empty());
}

TEST_CASE("the tables agree with std::map") {
    recsys::random_stream random(3);
    SUBCASE("dense numbers in random order") {
        compare_with_map<std::int32_t>(20000, [&](std::size_t i) { return i > 20000 ? 999999 : static_cast<int>(random.below(5000)); });
    }
    SUBCASE("dense numbers, falling") {
        compare_with_map<std::uint32_t>(9000, [&](std::size_t i) { return i > 9000 ? 99999u : 9000u - static_cast<std::uint32_t>(i); });
    }
    SUBCASE("numbers of both signs, sparse") {
        compare_with_map<std::int32_t>(20000, [&](std::size_t i) {
            return i > 20000 ? -7 : static_cast<std::int32_t>(random.below(4000) * 1000003 % 4294967291u) | 1024;
        });
    }
    SUBCASE("64-bit numbers") {
        compare_with_map<std::int64_t>(20000, [&](std::size_t i) {
            return i > 20000 ? std::numeric_limits<std::int64_t>::min() + 1
                             : static_cast<std::int64_t>(random.below(6000) * 0x9E3779B97F4A7C15u);
        });
    }
    SUBCASE("dense and huge ones mixed") {
        compare_with_map<std::uint64_t>(
            20000, [&](std::size_t i) { return i > 20000 ? ~std::uint64_t{0} : random.below(3000) << (random.below(2) * 40); });
    }
    SUBCASE("text with long common beginnings") {
        compare_with_map<std::string>(
            20000, [&](std::size_t i) { return i > 20000 ? "none" : "a-common-beginning-" + std::to_string(random.below(5000)); });
    }
    SUBCASE("text of a few bytes, zeros among them") {
        compare_with_map<std::string>(20000, [&](std::size_t i) {
            std::string text;
            for (auto n = random.below(4); n > 0; --n) text += static_cast<char>(random.below(3) * 127);
            return i > 20000 ? "none" : text;
        });
    }
    SUBCASE("ids that have only an order") {
        compare_with_map<only_less>(5000, [&](std::size_t i) { return only_less{i > 5000 ? -1 : static_cast<int>(random.below(900))}; });
    }
}

TEST_CASE("sparse numbers do not fill memory with an array") {
    detail::id_collector<std::uint64_t> collector;
    for (std::uint64_t i = 0; i < 1000; ++i) CHECK(collector.code(i << 50) == i);
    for (std::uint64_t i = 0; i < 1000; ++i) CHECK(collector.code(i << 50) == i);
}

TEST_CASE("300000 sparse 32-bit numbers have as many codes") {
    // With 32 bits of a hash that is no bijection about ten pairs would meet.
    detail::id_collector<std::uint32_t> collector;
    bool same = true;
    for (std::uint32_t i = 0; i < 300000; ++i) same = same && collector.code(i * 2654435769u) == i;
    CHECK(same);
}

TEST_CASE("many ids of one hash are told apart") {
    detail::code_slots slots;
    std::vector<int> const ids{7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
    for (std::uint32_t code = 0; code < ids.size(); ++code) slots.insert(~std::uint64_t{0}, code);
    for (std::uint32_t code = 0; code < ids.size(); ++code)
        CHECK(slots.find(~std::uint64_t{0}, [&](std::uint32_t found) { return ids[found] == ids[code]; }) == code);
    CHECK(slots.find(~std::uint64_t{0}, [](std::uint32_t) { return false; }) == detail::no_code);
}

TEST_CASE("the prefix of a text orders as its first eight bytes do") {
    CHECK(detail::text_prefix("b") > detail::text_prefix("a\xFF"));
    CHECK(detail::text_prefix("\xC3") > detail::text_prefix("z"));
    CHECK(detail::text_prefix("") == 0);
    CHECK(detail::text_prefix("abcdefgh") == detail::text_prefix("abcdefghi"));
}

TEST_CASE("the hash of 32-bit numbers is a bijection") {
    // 2^16 numbers in every 2^16th place and around the ends: no two meet.
    std::vector<std::uint32_t> hashes;
    for (std::uint32_t i = 0; i < 65535; ++i)
        hashes.push_back(detail::mix_bits_32(i)), hashes.push_back(detail::mix_bits_32((i + 1) << 16));
    std::sort(hashes.begin(), hashes.end());
    CHECK(std::unique(hashes.begin(), hashes.end()) == hashes.end());
}
