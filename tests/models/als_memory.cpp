// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "support/counted_memory.hpp"

namespace rs = recsys;

namespace {

/// Each user has so many items, a step of his own apart.
rs::csr regular_matrix(std::size_t users, std::size_t items, std::size_t items_a_user) {
    rs::detail::buffer<std::int64_t> offsets(users + 1);
    rs::detail::buffer<rs::item_index> columns(users * items_a_user);
    rs::detail::buffer<float> values(users * items_a_user, 2.f);
    for (std::size_t u = 0; u <= users; ++u) offsets[u] = static_cast<std::int64_t>(u * items_a_user);
    for (std::size_t u = 0; u < users; ++u) {
        auto* const row = columns.data() + u * items_a_user;
        for (std::size_t k = 0; k < items_a_user; ++k) row[k] = static_cast<rs::item_index>((u * 31 + k * (items / items_a_user)) % items);
        std::sort(row, row + items_a_user);
    }
    return rs::csr(users, items, std::move(offsets), std::move(columns), std::move(values), {});
}

}

// A worker has some 3 MB besides.
TEST_CASE("ALS holds its matrix by users and by items, its factors, one copy of the larger side, and a tenth of that") {
    constexpr std::size_t users = 40'000, items = 15'000, entries_a_user = 50, factors = 64, entries = users * entries_a_user;
    auto const matrix = regular_matrix(users, items, entries_a_user);
    for (auto const solver : {rs::als_solver::cg, rs::als_solver::exact}) {
        CAPTURE(solver == rs::als_solver::cg);
        rs::als const trainer({.factors = factors, .iterations = 1, .solver = solver, .run = {.threads = 1}});
        std::size_t const by_items = entries * (sizeof(float) + sizeof(rs::user_index)) + (items + 1) * sizeof(std::int64_t);
        std::size_t const by_users = entries * (sizeof(float) + sizeof(rs::item_index)) + (users + 1) * sizeof(std::int64_t);
        std::size_t const factor_bytes = (users + items) * factors * sizeof(float), larger_side = users * factors * sizeof(float);
        std::size_t const peak = by_users + support::peak_of([&] { (void)trainer.fit(matrix); });
        CAPTURE(peak);
        CHECK(peak > by_users + by_items + factor_bytes);
        CHECK(peak <= (by_users + by_items + factor_bytes) * 11 / 10 + larger_side);
    }
}
