// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>
#include <support/exported_booster.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace rs = recsys;

namespace {

std::string const path = "booster_json_test.json";

std::string bytes_of(std::string const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
/// The bytes of a model's binary file, which hold all of it.
std::string saved(rs::booster_model const& model) {
    rs::save("booster_json_test.rsm", model);
    auto out = bytes_of("booster_json_test.rsm");
    std::remove("booster_json_test.rsm");
    return out;
}

}

TEST_CASE("a ranker goes through JSON bit for bit") {
    for (auto const& options : exported_booster::all_options()) {
        auto const model = exported_booster::fit(options);
        rs::save_json(path, model);
        auto const again = rs::load_json(path);
        CHECK(saved(again) == saved(model));
        auto const rows = exported_booster::frame();
        CHECK(again.predict_raw(rows) == model.predict_raw(rows));
        auto const text = bytes_of(path);
        rs::save_json(path, again);
        CHECK(bytes_of(path) == text);
        std::remove(path.c_str());
    }
}

TEST_CASE("JSON of a ranker that is cut or altered is refused, or is a ranker") {
    auto options = exported_booster::all_options()[0];
    options.trees = 3, options.borders = 6, options.depth = 2;
    auto const text = rs::detail::booster_json(exported_booster::fit(options));
    auto const rows = exported_booster::frame();
    for (std::size_t n = 0; n < text.size(); n += n + 300 < text.size() ? 7 : 1)
        CHECK_THROWS_AS(static_cast<void>(rs::detail::parse_booster_json(std::string_view(text).substr(0, n), "m")), rs::format_error);
    for (std::size_t i = 0; i < text.size(); i += 11)
        for (char const c : {'9', '-', '"'}) {
            auto changed = text;
            changed[i] = c;
            try {
                auto const model = rs::detail::parse_booster_json(changed, "m");
                static_cast<void>(model.predict_raw(rows));
            } catch (rs::format_error const&) {
            } catch (rs::data_error const&) {}
        }
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::detail::parse_booster_json(R"({"type":"als_model<float>"})", "m")),
                         "m: line 1, column 9: 'type': must be booster_model", rs::format_error);
    auto other = text;
    other.replace(other.find("\"format\":1"), 10, "\"format\":7");
    CHECK_THROWS_AS(static_cast<void>(rs::detail::parse_booster_json(other, "m")), rs::format_error);
}
