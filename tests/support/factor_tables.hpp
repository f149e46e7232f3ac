// SPDX-License-Identifier: MIT
// Tables of factors of many kinds, and every level of instructions that this machine has.
#ifndef RECSYS_TESTS_FACTOR_TABLES_HPP
#define RECSYS_TESTS_FACTOR_TABLES_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <recsys_under_test.hpp>

#include "brute_force.hpp"

namespace factor_tables {

namespace rs = recsys;

struct table {
    std::size_t rows = 0, factors = 0;
    std::vector<float> values;

    float* row(std::size_t i) { return values.data() + i * factors; }
    float at(std::size_t i, std::size_t k) const { return values[i * factors + k]; }
    std::span<float const> span() const { return values; }
};
inline table normal_table(std::size_t rows, std::size_t factors, std::uint64_t seed) {
    rs::random_stream random(seed);
    table out{rows, factors, std::vector<float>(rows * factors)};
    for (auto& x : out.values) x = static_cast<float>(random.normal());
    return out;
}
/// Lengths about `size` that differ by factors of e^spread, up to some times `most`.
inline table scaled_table(std::size_t rows, std::size_t factors, std::uint64_t seed, double spread, double size = 1, double most = 1e17) {
    auto out = normal_table(rows, factors, seed);
    rs::random_stream random(seed + 1000);
    for (std::size_t i = 0; i < rows; ++i) {
        double const scale = size * std::exp(spread * random.normal());
        for (std::size_t k = 0; k < factors; ++k) {
            double const x = static_cast<double>(out.at(i, k)) * std::min(scale, most);
            out.row(i)[k] = static_cast<float>(x);
        }
    }
    return out;
}
/// Small whole numbers: products are exact, and many are equal.
inline table coarse_table_of(std::size_t rows, std::size_t factors, std::uint64_t seed) {
    rs::random_stream random(seed);
    table out{rows, factors, std::vector<float>(rows * factors)};
    for (auto& x : out.values) x = static_cast<float>(random.below(3)) - 1;
    return out;
}

inline std::vector<rs::detail::simd_level> levels() {
    std::vector<rs::detail::simd_level> out;
    for (auto const level : {rs::detail::simd_level::portable, rs::detail::simd_level::avx2, rs::detail::simd_level::avx512})
        if (rs::detail::has_simd_level(level)) out.push_back(level);
    return out;
}
/// A level for as long as it lives.
struct forced {
    explicit forced(rs::detail::simd_level level) { rs::detail::force_simd_level(level); }
    ~forced() { rs::detail::force_simd_level({}); }
    forced(forced const&) = delete;
    forced& operator=(forced const&) = delete;
};

/// Rough scores never, or from a group on and whatever the size, with or without VNNI, for as long as it lives.
struct forced_rough {
    static constexpr int never = -2;
    explicit forced_rough(int start, bool with_vnni = true) {
        rs::detail::forced_rough_start().store(start);
        rs::detail::vnni_allowed().store(with_vnni);
    }
    ~forced_rough() {
        rs::detail::forced_rough_start().store(-1);
        rs::detail::vnni_allowed().store(true);
    }
    forced_rough(forced_rough const&) = delete;
    forced_rough& operator=(forced_rough const&) = delete;
};

/// A full sort of a scorer's own scores, of what it knows.
template <class Scorer, class Seen>
std::vector<rs::scored> known_list(Scorer const& scorer, rs::user_index u, Seen const& seen, std::size_t k) {
    rs::recommend_options const options{.k = k, .keep_if = [&](rs::user_index, rs::item_index i) { return scorer.knows(i); }};
    return brute_force::list_of(scorer, u, seen, options);
}

}

#endif
