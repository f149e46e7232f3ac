// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using recsys::detail::buffer;
using recsys::detail::shared_array;

TEST_CASE("a buffer is aligned to 64 bytes, holds what it was filled with, and moves") {
    for (std::size_t const n : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
        buffer<float> b(n, 2.5f);
        CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % 64 == 0);
        CHECK(std::vector<float>(b.begin(), b.end()) == std::vector<float>(n, 2.5f));
        auto const* const before = b.data();
        buffer<float> moved(std::move(b));
        CHECK(moved.data() == before);
        CHECK(moved.size() == n);
        CHECK(b.empty());
        b = std::move(moved);
        CHECK(b.data() == before);
        CHECK(b.size() == n);
        CHECK(moved.empty());
    }
    CHECK(buffer<int>(0).data() == nullptr);
}

TEST_CASE("a size that does not fit the address space is an error, not a wrap") {
    CHECK_THROWS_AS(buffer<double>(std::numeric_limits<std::size_t>::max() / 4), recsys::data_error);
    CHECK_THROWS_AS(recsys::detail::checked_product(std::size_t{1} << 40, std::size_t{1} << 40, "here"), recsys::data_error);
}

TEST_CASE("a shared array takes a buffer over without copying, and copies and parts keep it alive") {
    buffer<int> b(4);
    for (int i = 0; i < 4; ++i) b[static_cast<std::size_t>(i)] = i;
    auto const* const data = b.data();
    shared_array<int> part;
    {
        shared_array<int> const whole(std::move(b));
        CHECK(whole.data() == data);
        part = whole.part(1, 2);
    }
    CHECK(std::vector<int>(part.begin(), part.end()) == std::vector<int>{1, 2});
    CHECK(part.data() == data + 1);
    CHECK(shared_array<int>{}.empty());
    CHECK(shared_array<int>({5, 6})[1] == 6);
}
