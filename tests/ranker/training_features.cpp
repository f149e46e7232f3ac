// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rs = recsys;
using namespace recsys::detail;

namespace {

constexpr std::size_t n_columns = 4;

/// Rows of four columns of 12 categories each, clicked or not by chance alone.
struct chance_rows {
    explicit chance_rows(std::size_t n) : codes(n) {
        rs::random_stream random(5, 0);
        for (auto& row : codes)
            for (auto& code : row) code = static_cast<int>(random.below(12));
        for (std::size_t i = 0; i < n; ++i) target.push_back(random.uniform() < 0.3 ? 1.f : 0.f);
        auto schema = rs::rows<std::size_t>();
        for (std::size_t c = 0; c < n_columns; ++c)
            schema = schema.category("c" + std::to_string(c), [this, c](std::size_t row) { return codes[row][c]; });
        rs::index_range<std::size_t> const numbers(n);
        rows = rs::ingest(numbers.begin(), numbers.end(), schema);
    }
    std::pair<feature_space, training_bins> features(rs::booster_options const& options) const {
        team workers(2);
        return feature_maker(rows, ranker_columns(rows, {}), {target, {}}, options, workers).make();
    }
    std::vector<std::array<int, n_columns>> codes;
    std::vector<float> target;
    rs::frame rows;
};

}

TEST_CASE("a statistic has the bins of the rows before each row, in each permutation and in an order of its own") {
    chance_rows const data(3000);
    auto const made = data.features({.permutations = 2, .seed = 3});
    auto const& space = made.first;
    auto const& bins = made.second;
    auto const in_order = [&](std::size_t feature, std::size_t order) {
        auto const column = bins.column(feature, order);
        std::vector<std::uint8_t> out;
        for (std::size_t row = 0; row < 3000; ++row) out.push_back(bins.field_of(feature).bin(*column.of(row)));
        return out;
    };
    std::size_t n_statistics = 0, n_single = 0;
    for (std::size_t f = 0; f < space.features.size(); ++f) {
        auto const& of = space.features[f];
        bool const statistic = of.kind == feature_kind::statistic;
        n_statistics += statistic;
        CHECK((in_order(f, 0) != in_order(f, 1)) == statistic);
        CHECK((in_order(f, 0) != in_order(f, 2)) == statistic);
        auto const& key = space.keys[of.source];
        if (!statistic || key.with != statistic_key::join::none) continue;
        ++n_single;
        for (std::size_t order = 0; order < 3; ++order) {
            auto const got = in_order(f, order);
            std::vector<double> sum(12, 0), count(12, 0);
            std::size_t wrong = 0;
            row_order(3000, 1, 3, 1 + order).for_all([&](std::size_t row) {
                auto const code = static_cast<std::size_t>(data.codes[row][key.column]);
                double const value = (sum[code] + static_cast<double>(of.prior)) / (count[code] + 1);
                auto const below =
                    std::count_if(of.borders.begin(), of.borders.end(), [&](float b) { return b < static_cast<float>(value); });
                wrong += got[row] != static_cast<std::size_t>(below);
                sum[code] += static_cast<double>(data.target[row]), ++count[code];
            });
            CHECK(wrong == 0);
        }
    }
    CHECK(n_single == 3 * n_columns);
    CHECK(n_statistics > n_single);
}

TEST_CASE("few rows join all pairs of columns, many only pairs that are clearly worth it") {
    auto const joined = [](std::size_t rows, rs::booster_options const& options) {
        auto const space = chance_rows(rows).features(options).first;
        return std::count_if(space.keys.begin(), space.keys.end(), [](auto const& k) { return k.with != statistic_key::join::none; });
    };
    CHECK(joined(3000, {}) == 6);
    CHECK(joined(3000, {.joins = 2}) == 2);
    CHECK(joined(3000, {.joins = 0}) == 0);
    CHECK(joined(few_rows + 1, {}) == 0);
    CHECK(joined(few_rows + 1, {.joins = 6}) == 0);
}
