// SPDX-License-Identifier: MIT
// Columns in which predictions may only rise or only fall: the leaves of each tree are moved to the nearest ones that do.
#ifndef RECSYS_RANKER_MONOTONE_HPP
#define RECSYS_RANKER_MONOTONE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <recsys/core/config.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What predictions do where a number grows and all other columns stay.
enum class monotone : std::int8_t { falling = -1, free = 0, rising = 1 };

struct monotone_column {
    std::string name;
    monotone direction = monotone::rising;
};

namespace detail {

/// f(leaf that must not be above, leaf that must not be below) for the pairs of leaves that differ in a bit alone.
template <class Function> void for_ordered_pairs(std::size_t n_leaves, std::size_t bit, monotone direction, Function const& f) {
    std::size_t const step = std::size_t{1} << bit;
    for (std::size_t leaf = 0; leaf < n_leaves; ++leaf) {
        if (leaf & step) continue;
        if (direction == monotone::rising) f(leaf, leaf + step);
        else f(leaf + step, leaf);
    }
}

/// Moves the values of a tree's leaves to the nearest ones, by weighted squares, that keep the directions of its splits; exactly kept.
/// @param directions  of the split of each bit of a leaf's number.
/// Source: Dykstra, "An algorithm for restricted least squares regression" (1983), a bit after the other; what rounding leaves over is raised.
inline void make_monotone(std::span<double> values, std::span<double const> weights, std::span<monotone const> directions) {
    std::size_t const n = values.size(), n_bits = directions.size();
    auto const bound =
        static_cast<std::size_t>(std::count_if(directions.begin(), directions.end(), [](monotone d) { return d != monotone::free; }));
    std::vector<double> moved(n_bits * n, 0.0); // by each bit in its last turn
    for (int round = 0; round < (bound > 1 ? 100 : 1); ++round) {
        double change = 0, size = 0;
        for (std::size_t bit = 0; bit < n_bits; ++bit) {
            if (directions[bit] == monotone::free) continue;
            auto* const of_bit = moved.data() + bit * n;
            for_ordered_pairs(n, bit, directions[bit], [&](std::size_t low, std::size_t high) {
                double const a = values[low] - of_bit[low], b = values[high] - of_bit[high], w = weights[low] + weights[high];
                double const mean = w > 0 ? (weights[low] * a + weights[high] * b) / w : (a + b) / 2;
                double const to_low = a > b ? mean : a, to_high = a > b ? mean : b;
                change = std::max({change, to_low - values[low], values[low] - to_low, to_high - values[high], values[high] - to_high});
                size = std::max({size, to_low, -to_low, to_high, -to_high});
                of_bit[low] = to_low - a, of_bit[high] = to_high - b;
                values[low] = to_low, values[high] = to_high;
            });
        }
        if (change <= 1e-9 * size) break;
    }
    for (std::size_t bit = 0; bit < n_bits; ++bit)
        if (directions[bit] != monotone::free)
            for_ordered_pairs(n, bit, directions[bit],
                              [&](std::size_t low, std::size_t high) { values[high] = std::max(values[high], values[low]); });
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
