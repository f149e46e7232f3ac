// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstdint>
#include <set>
#include <string>

using recsys::detail::hash_bytes;
using recsys::detail::mix_bits;

TEST_CASE("mixing is the finaliser of SplitMix64") {
    // Steele, Lea, Flood 2014: the first outputs of seed 0 are mix(golden), mix(2 golden).
    CHECK(mix_bits(0x9E3779B97F4A7C15u) == 0xE220A8397B1DCDAFu);
    CHECK(mix_bits(2 * 0x9E3779B97F4A7C15u) == 0x6E789E6AA1B965F4u);
}

TEST_CASE("texts of one byte's difference, of zeros and of every length have hashes of their own") {
    std::set<std::uint64_t> seen;
    std::size_t n = 0;
    for (std::size_t length = 0; length <= 40; ++length) {
        seen.insert(hash_bytes(std::string(length, '\0'))), ++n;
        for (std::size_t at = 0; at < length; ++at) {
            std::string text(length, '\0');
            text[at] = '\1';
            seen.insert(hash_bytes(text)), ++n;
        }
    }
    CHECK(seen.size() == n);
    CHECK(hash_bytes("a", 1) != hash_bytes("a", 2));
}

TEST_CASE("hashes are the same in every program, so that files may hold them") {
    constexpr auto at_compile_time = hash_bytes("recsys, a header");
    std::string const text = "recsys, a header";
    CHECK(hash_bytes(text) == at_compile_time);
}
