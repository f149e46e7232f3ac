// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace rs = recsys;

namespace {

std::string const path = "booster_archive_test.rsm";

struct row {
    float x;
    int category;
    float target;
};
auto schema() { return rs::rows<row>().number("x", &row::x).category("category", &row::category).target(&row::target); }

std::vector<row> rows() {
    rs::random_stream random(1, 0);
    std::vector<row> out;
    for (int i = 0; i < 300; ++i) {
        auto const category = static_cast<int>(random.below(20));
        auto const x = static_cast<float>(random.uniform());
        out.push_back({x, category, x + 0.02f * static_cast<float>(category) > 0.7f ? 1.f : 0.f});
    }
    return out;
}

std::string bytes_of(std::string const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}

TEST_CASE("a ranker comes back as it was: predictions, importances and report, bit for bit") {
    auto const data = rs::ingest(rows(), schema());
    auto const model = rs::booster({.trees = 30, .learning_rate = 0.2, .depth = 3}).fit(data);
    rs::save(path, model);
    auto const once = bytes_of(path);
    auto const again = rs::load<rs::booster_model>(path);
    CHECK(again.predict_raw(data) == model.predict_raw(data));
    CHECK(again.importances() == model.importances());
    CHECK(again.columns() == model.columns());
    CHECK(again.report().loss == model.report().loss);
    auto const one = again.predictor(schema()), other = model.predictor(schema());
    for (auto const& r : rows()) CHECK(one(r) == other(r));
    rs::save(path, again);
    CHECK(bytes_of(path) == once);
    std::remove(path.c_str());
}

TEST_CASE("c55 a ranker's file that is cut off or altered anywhere is a format_error and never a crash") {
    auto const data = rs::ingest(rows(), schema());
    rs::save(path, rs::booster({.trees = 3, .depth = 2, .joins = 1, .permutations = 1}).fit(data));
    auto const whole = bytes_of(path);
    std::size_t errors = 0, tries = 0;
    auto const must_fail = [&](std::string const& bytes) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
        ++tries;
        try {
            static_cast<void>(rs::load<rs::booster_model>(path));
        } catch (rs::format_error const&) { ++errors; }
    };
    for (std::size_t length = 0; length < whole.size(); length += 7) must_fail(whole.substr(0, length));
    for (std::size_t at = 0; at < whole.size(); at += 5) {
        auto altered = whole;
        altered[at] = static_cast<char>(altered[at] ^ 4);
        must_fail(altered);
    }
    std::remove(path.c_str());
    CHECK(tries > 100);
    CHECK(errors == tries);
}
