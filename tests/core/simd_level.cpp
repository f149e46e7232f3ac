// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

namespace rs = recsys;
using rs::detail::simd_level;

TEST_CASE("the best level is one that the machine runs, and is in use unless another is forced") {
    auto const best = rs::detail::best_simd_level();
    CHECK(rs::detail::has_simd_level(simd_level::portable));
    CHECK(rs::detail::has_simd_level(best));
    CHECK(rs::detail::active_simd_level() == best);
    rs::detail::force_simd_level(simd_level::portable);
    CHECK(rs::detail::active_simd_level() == simd_level::portable);
    rs::detail::force_simd_level({});
    CHECK(rs::detail::active_simd_level() == best);
}

TEST_CASE("a level that the machine does not run cannot be forced, and the message names it") {
    for (auto const level : {simd_level::avx2, simd_level::avx512}) {
        if (rs::detail::has_simd_level(level)) continue;
        CHECK_THROWS_WITH_AS(rs::detail::force_simd_level(level), doctest::Contains(std::string(rs::detail::level_name(level)).c_str()),
                             rs::option_error);
        CHECK(rs::detail::active_simd_level() == rs::detail::best_simd_level());
    }
    CHECK(rs::detail::level_name(simd_level::portable) == "portable");
    CHECK(rs::detail::level_name(simd_level::avx2) == "avx2");
    CHECK(rs::detail::level_name(simd_level::avx512) == "avx512");
}
