// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "support/brute_force.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

/// An index of every second item, backwards.
struct half_index {
    std::vector<std::uint32_t> all, places;
    explicit half_index(std::size_t n_items) : places(n_items, 0xffffffffu) {
        for (std::size_t i = n_items / 2; i-- > 0;) {
            places[2 * i] = static_cast<std::uint32_t>(all.size());
            all.push_back(static_cast<std::uint32_t>(2 * i));
        }
    }
    std::span<std::uint32_t const> items() const { return all; }
    std::uint32_t place_of(std::size_t i) const { return places[i]; }
};

}

TEST_CASE("what users have seen is marked in the order of the index, near as bits and far as places") {
    for (std::size_t const n_items : {40u, 3000u, 150000u}) {
        CAPTURE(n_items);
        half_index const index(n_items);
        std::vector<std::vector<rs::item_index>> rows(5);
        rs::random_stream random(3);
        for (std::size_t u = 1; u < rows.size(); ++u)
            for (std::size_t i = 0; i < n_items; ++i)
                if (random.below(u * 7) == 0) rows[u].push_back(item(i));
        struct {
            std::vector<std::vector<rs::item_index>> const& rows;
            std::span<rs::item_index const> seen(rs::user_index u) const { return rows[rs::to_size(u)]; }
        } const seen{rows};
        std::vector<rs::user_index> const users{user(3), user(0), user(4), user(1)};
        rs::detail::seen_marks marks;
        marks.start(index, users, seen);
        std::size_t wrong = 0;
        for (std::size_t u = 0; u < users.size(); ++u) {
            auto const& row = rows[rs::to_size(users[u])];
            for (std::size_t place = 0; place < index.all.size(); ++place) {
                bool const was_seen = std::binary_search(row.begin(), row.end(), item(index.all[place]));
                wrong += marks.contains(u, place) != was_seen;
                auto const* const words = marks.blocks(u, place / 16);
                wrong += (words == nullptr) != (place >= 65536);
                if (words) wrong += ((*words >> place % 16 & 1) != 0) != was_seen;
            }
        }
        CHECK(wrong == 0);
    }
}
