// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <string>

namespace rd = recsys::detail;

TEST_CASE("c54: categories have CatBoost's hashes") {
    CHECK(rd::catboost_category("777") == -571044564);
    CHECK(static_cast<std::uint32_t>(rd::catboost_category("777")) == 3723922732u);
    CHECK(static_cast<std::uint32_t>(rd::catboost_category("1")) == 1121341681u);
    CHECK(rd::catboost_category("a") == -805065478);
}

TEST_CASE("the hash knows texts of every length, as CatBoost's cat_features_hash has them") {
    // From catboost 1.2.10: the first n letters of the alphabet repeated.
    std::string text;
    for (int i = 0; i < 200; ++i) text += static_cast<char>('a' + i % 26);
    struct known {
        std::size_t length;
        std::uint32_t hash;
    };
    for (auto const& k :
         {known{2, 4090249022u},   known{3, 978243121u},    known{4, 345588365u},   known{7, 163411706u},    known{8, 4270775063u},
          known{9, 3019552977u},   known{12, 2045114484u},  known{16, 2150978241u}, known{17, 322581478u},   known{25, 2851538810u},
          known{32, 3415322058u},  known{33, 2090669265u},  known{48, 2482416860u}, known{64, 2864932259u},  known{65, 960544654u},
          known{127, 3974846277u}, known{128, 4152557638u}, known{129, 428109503u}, known{192, 2791253231u}, known{200, 95613283u}})
        CHECK_MESSAGE(static_cast<std::uint32_t>(rd::catboost_category(text.substr(0, k.length))) == k.hash, k.length);
}
