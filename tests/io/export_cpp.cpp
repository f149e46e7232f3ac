// SPDX-License-Identifier: MIT
// What exported models say is tested by tests/structure/check_programs.py, which compiles them.
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>
#include <support/exported_booster.hpp>

#include <string>

namespace rs = recsys;

TEST_CASE("an exported model has names that C++ allows, and its own namespace") {
    auto options = exported_booster::all_options()[0];
    options.trees = 2;
    auto const text = rs::export_cpp(exported_booster::fit(options), "my_model");
    auto const has = [&](char const* words) { CHECK_MESSAGE(text.find(words) != std::string::npos, words); };
    has("#ifndef my_model_HPP_FROM_RECSYS");
    has("namespace my_model {");
    has("    float class_ = ");
    has("    std::optional<std::string_view> brand_name = {};");
    has("    std::optional<std::int64_t> c_2nd_shop = {};");
    has("    std::vector<std::string_view> tags = {};");
    has("std::string_view(\"b \\042quoted\\134\\077\\042\", 12)");
    has("{-9223372036854775807 - 1, ");
    CHECK(text.find("recsys::") == std::string::npos);
    CHECK(text.find("#include <recsys") == std::string::npos);
}

TEST_CASE("names that are no names of namespaces are refused") {
    rs::booster_model const empty;
    for (char const* wrong : {"", "a b", "1a", "namespace", "a::b", "a__b", "row", "_a"})
        CHECK_THROWS_AS(static_cast<void>(rs::export_cpp(empty, wrong)), rs::option_error);
    CHECK(rs::export_cpp(empty).find("namespace model {") != std::string::npos);
}
