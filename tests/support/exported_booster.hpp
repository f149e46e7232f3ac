// SPDX-License-Identifier: MIT
// Small boosters that have every kind of feature, and rows for them with everything missing or unknown somewhere.
#ifndef RECSYS_TESTS_EXPORTED_BOOSTER_HPP
#define RECSYS_TESTS_EXPORTED_BOOSTER_HPP

#include <recsys_under_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace exported_booster {

struct row {
    float price, size;
    std::optional<std::string> brand;
    std::optional<std::int64_t> shop;
    std::vector<std::string> tags;
    float target;
};

inline auto schema() {
    return recsys::rows<row>()
        .number("price", &row::price)
        .number("class", &row::size) // a word of C++
        .category("brand-name", &row::brand)
        .category("2nd shop", &row::shop)
        .categories("tags", &row::tags)
        .target(&row::target);
}

/// Training rows, or rows with categories that no training row has and numbers of every kind.
inline std::vector<row> rows(std::size_t n, std::uint64_t seed, bool strange) {
    recsys::random_stream random(seed, 0);
    static char const* const brands[] = {"a", "b \"quoted\\?\"", "c\n", "d\xC3\xA9", "e", "f", "g", "h", "new", ""};
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        auto& r = out.emplace_back();
        r.price = static_cast<float>(random.uniform() * 10), r.size = static_cast<float>(random.below(7)) - 3;
        auto const brand = random.below(strange ? 10 : 8);
        if (random.below(10) > 0) r.brand = brands[brand];
        auto const shop = static_cast<std::int64_t>(random.below(strange ? 40 : 30));
        if (random.below(10) > 0) r.shop = shop == 0 ? std::numeric_limits<std::int64_t>::min() : shop - 10;
        for (std::size_t k = random.below(4); k > 0; --k) r.tags.push_back("t" + std::to_string(random.below(strange ? 9 : 6)));
        // What pairs of columns say together, so that they get statistics of their own.
        bool const low = r.price < 5, by_price = random.below(2) == 0;
        bool const odd = (static_cast<std::int64_t>(brand) + shop) % 2 != 0;
        float const wish = ((by_price ? low == (shop % 3 == 0) : odd) ? 0.5f : 0.f) + (r.tags.size() > 2 ? 0.1f : 0.f) + r.size / 40;
        r.target = wish + static_cast<float>(random.uniform()) * 0.1f > 0.4f ? 1.f : 0.f;
        if (random.below(8) == 0) r.price = std::numeric_limits<float>::quiet_NaN();
        if (strange && random.below(9) == 0) r.size = random.below(2) == 0 ? std::numeric_limits<float>::quiet_NaN() : INFINITY;
        if (strange && random.below(20) == 0) r.size = -INFINITY;
    }
    return out;
}
inline recsys::frame frame() { return recsys::ingest(rows(500, 2, true), schema()); }

inline std::vector<recsys::booster_options> all_options() {
    return {{.trees = 40, .learning_rate = 0.2, .depth = 4, .borders = 20, .one_hot_size = 6, .joins = 8},
            {.loss = recsys::rmse{}, .trees = 25, .depth = 9, .missing = recsys::missing_numbers::highest, .one_hot_size = 0, .joins = 0},
            {.trees = 20, .depth = 3, .one_hot_size = 30, .joins = 3},
            {.trees = 20, .learning_rate = 0.2, .depth = 6, .borders = 1000},
            {.loss = recsys::multi_class{}, .trees = 30, .depth = 4, .borders = 20, .joins = 8}};
}
/// Classes have the labels 3, 5 and 9.
inline recsys::booster_model fit(recsys::booster_options const& options) {
    auto described = schema();
    if (options.loss.by_class()) described = described.target([](row const& r) { return r.target > 0 ? 9 : r.tags.size() > 1 ? 5 : 3; });
    return recsys::booster(options).fit(recsys::ingest(rows(4000, 1, false), described));
}

}

#endif
