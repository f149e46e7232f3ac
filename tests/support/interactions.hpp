// SPDX-License-Identifier: MIT
// A small log in which taste has low rank: the same numbers for the same arguments, on every platform.
#ifndef RECSYS_TESTS_INTERACTIONS_HPP
#define RECSYS_TESTS_INTERACTIONS_HPP

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <recsys_under_test.hpp>

namespace recsys_test {

struct interaction {
    int user = 0;
    int item = 0;
    float count = 1;
    recsys::time_point time{};
};

/// `events` rows in time order, one every ten minutes from 2022-01-01 on. User u likes group u % 4 most, item i belongs to group i % 4; low
/// indices are more active and more popular; one row in eight repeats an earlier pair; counts are 1 to 5.
inline std::vector<interaction> interactions(std::size_t users, std::size_t items, std::size_t events, std::uint64_t seed) {
    recsys::random_stream random(seed);
    auto const skewed = [&](std::size_t n) {
        double const x = random.uniform();
        return static_cast<std::size_t>(x * x * static_cast<double>(n));
    };
    std::vector<interaction> out;
    recsys::time_point const start = std::chrono::sys_days(std::chrono::year(2022) / 1 / 1);
    for (std::size_t row = 0; row < events; ++row) {
        interaction e;
        auto const user = skewed(users);
        auto item = skewed(items);
        if (random.uniform() < 0.75 && items >= 4) item = std::min(items - 1, item / 4 * 4 + user % 4);
        e.user = static_cast<int>(user), e.item = static_cast<int>(item);
        if (row > 8 && random.below(8) == 0) {
            auto const& earlier = out[static_cast<std::size_t>(random.below(row))];
            e.user = earlier.user, e.item = earlier.item;
        }
        e.count = static_cast<float>(1 + random.below(5));
        e.time = start + std::chrono::minutes(10 * row);
        out.push_back(e);
    }
    return out;
}

/// The same as a dataset whose indices are the numbers above: every user and item of the ranges has one.
inline recsys::dataset<int, int> interactions_data(std::size_t users, std::size_t items, std::size_t events, std::uint64_t seed) {
    std::vector<int> user_ids(users), item_ids(items);
    for (std::size_t i = 0; i < users; ++i) user_ids[i] = static_cast<int>(i);
    for (std::size_t i = 0; i < items; ++i) item_ids[i] = static_cast<int>(i);
    return recsys::ingest(
        interactions(users, items, events, seed),
        recsys::columns().user(&interaction::user).item(&interaction::item).weight(&interaction::count).time(&interaction::time),
        {.users = recsys::user_encoder<int>::fit(user_ids), .items = recsys::item_encoder<int>::fit(item_ids)});
}

}

#endif
