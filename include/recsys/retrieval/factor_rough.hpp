// SPDX-License-Identifier: MIT
// Rows of factors as whole numbers of 8 bits, and how far products of those can be from products of the rows.
#ifndef RECSYS_RETRIEVAL_FACTOR_ROUGH_HPP
#define RECSYS_RETRIEVAL_FACTOR_ROUGH_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/simd/select_rough.hpp>
#include <recsys/core/team.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// When rough scores are used is decided by the size of the data; tests decide for themselves. Lists are the same either way.
///
/// From which group of an index on: -1 leaves it to the rule, -2 is never.
inline std::atomic<int>& forced_rough_start() noexcept {
    static std::atomic<int> start{-1};
    return start;
}

/// A row of whole numbers q: the row of floats, turned and multiplied with what its owner says, is scale q + rest.
struct rough_row {
    double scale = 1;
    double length = 0; ///< of scale q
    double rest = 0;   ///< length of the rest
};

/// What whole numbers may be: none larger than `most`, and neither part of the row longer than `longest`.
struct rough_limits {
    double most = 127, longest = 1e300;

    /// The least scale that keeps a row within them. Rounding makes a part longer by half a unit a number at most.
    double scale_of(rough_measures const& row, std::size_t n) const noexcept {
        double const rounding = std::sqrt(static_cast<double>(n)) / 2 + 1;
        return std::max(row.largest / most, std::sqrt(std::max(row.squares[0], row.squares[1])) / (longest - rounding)) * (1 + 1e-9);
    }
};

/// The items of an index once more, as whole numbers: n_factors bytes an item, rounded up to a multiple of 4, and 4.
///
/// Rows are turned first, so that no number is much larger than others. Each group of 512 items has one scale, so that their scores are whole numbers beside each other.
class rough_items {
public:
    static constexpr std::size_t lanes = 16, group_blocks = 32, group_size = lanes * group_blocks;

    /// Whether a pass of rough scores is worth its memory and its work.
    static bool pays(rough_table const& kernel, std::size_t n_items, std::size_t n_factors) noexcept {
        constexpr std::size_t least_items = 4096, least_factors = 16, most_factors = 16384;
        int const forced = forced_rough_start().load();
        if (!kernel.scan || n_factors == 0 || n_factors > most_factors || n_items == 0 || forced == -2) return false;
        return forced >= 0 || (n_items >= least_items && n_factors >= least_factors);
    }

    rough_items() = default;
    /// @param row_at    (place), the row of an item
    /// @param times_at  (place), what it is multiplied with
    template <class RowAt, class TimesAt> rough_items(rough_table const& kernel, std::size_t n_items, std::size_t n_factors, team& workers,
                                                      RowAt const& row_at, TimesAt const& times_at)
        : m_kernel(kernel), m_n_factors(n_factors), m_n_steps((n_factors + 3) / 4) {
        std::size_t const n_groups = (n_items + group_size - 1) / group_size, group_bytes = group_size * 4 * (m_n_steps + 1);
        m_packed = buffer<std::uint8_t>(checked_product(n_groups, group_bytes, "top-k"), std::uint8_t{0});
        m_groups.resize(n_groups);
        make_signs();
        workers.run(n_groups, [&](std::size_t g, std::size_t) {
            pack(g, std::min(group_size, n_items - g * group_size), m_packed.data() + g * group_bytes, row_at, times_at);
        });
    }

    bool empty() const noexcept { return m_groups.empty(); }
    rough_table const& kernel() const noexcept { return m_kernel; }
    std::size_t n_steps() const noexcept { return m_n_steps; }
    std::uint8_t const* group(std::size_t g) const noexcept { return m_packed.data() + g * group_size * 4 * (m_n_steps + 1); }
    /// The scale of a group and the longest rest in it.
    double scale(std::size_t g) const noexcept { return m_groups[g].scale; }
    double rest(std::size_t g) const noexcept { return m_groups[g].rest; }
    /// The bar of a sum that stands for a score at least as high as a bar, where a sum of 1 stands for `unit`.
    static std::int32_t bar_of(double score, double unit) noexcept {
        constexpr double most = static_cast<double>(no_rough_bar);
        return static_cast<std::int32_t>(std::floor(std::max(-most, std::min(most, score / unit))));
    }

    /// A row turned, of 4 n_steps numbers: what the others take.
    void turn(float const* row, float* out) const noexcept { m_kernel.turn(row, m_signs.data(), m_n_factors, out); }
    /// The least scale for a user's row.
    double user_scale(float const* turned, double times) const noexcept {
        rough_limits const limits{static_cast<double>(m_kernel.most_of_user), m_kernel.in_halves ? longest_user : 1e300};
        return limits.scale_of(m_kernel.measure(turned, times, m_n_steps), 4 * m_n_steps);
    }
    /// Rounds a user's row into 4 n_steps numbers.
    rough_row round_user(float const* turned, double times, double scale, std::uint8_t* out) const noexcept {
        if (!(scale > 0)) scale = 1;
        auto const rounded = m_kernel.round(turned, times, scale, m_n_steps, m_kernel.offset, out, 4);
        return {scale, scale * std::sqrt(rounded.squares), std::sqrt(rounded.rests)};
    }

private:
    // Their product is below 2^15: no sum of one part leaves 16 bits.
    static constexpr double longest_user = 156, longest_item = 210;

    template <class RowAt, class TimesAt>
    void pack(std::size_t g, std::size_t n, std::uint8_t* out, RowAt const& row_at, TimesAt const& times_at) {
        rough_limits const limits{127, m_kernel.in_halves ? longest_item : 1e300};
        std::size_t const width = 4 * m_n_steps;
        std::vector<float> turned(n * width);
        double scale = 0, rests = 0;
        for (std::size_t i = 0; i < n; ++i) {
            float const* const later = row_at(g * group_size + std::min(i + 8, n - 1)); // they are in no order in memory
            for (std::size_t k = 0; k < m_n_factors; k += 16) prefetch(later + k);
            turn(row_at(g * group_size + i), turned.data() + i * width);
            scale = std::max(scale,
                             limits.scale_of(m_kernel.measure(turned.data() + i * width, times_at(g * group_size + i), m_n_steps), width));
        }
        if (!(scale > 0)) scale = 1;
        for (std::size_t i = 0; i < n; ++i) {
            std::uint8_t* const lane = out + i / lanes * lanes * 4 * (m_n_steps + 1) + i % lanes * 4;
            auto const rounded =
                m_kernel.round(turned.data() + i * width, times_at(g * group_size + i), scale, m_n_steps, 0, lane + 64, 64);
            rests = std::max(rests, rounded.rests);
            start(lane, rounded.sums);
        }
        m_groups[g] = {scale, std::sqrt(rests)};
    }
    void start(std::uint8_t* out, std::int32_t const* sums) const noexcept {
        if (m_kernel.in_halves)
            for (int part = 0; part < 2; ++part) {
                auto const less = static_cast<std::uint16_t>(-m_kernel.offset * sums[part]); // modulo 2^16, as the sum itself
                std::memcpy(out + 2 * part, &less, sizeof less);
            }
        else {
            std::int32_t const less = -m_kernel.offset * (sums[0] + sums[1]);
            std::memcpy(out, &less, sizeof less);
        }
    }

    /// Turning makes rows of a block of m steps longer by the root of 4 m: signs make up for it.
    void make_signs() {
        m_signs.resize(4 * m_n_steps);
        for (std::size_t first = 0, size = 0; first < m_n_steps; first += size) {
            size = turned_together(m_n_steps - first);
            double const length = 1 / std::sqrt(4 * static_cast<double>(size));
            for (std::size_t k = 4 * first; k < 4 * (first + size); ++k) {
                std::uint64_t mixed = (k + 1) * 0x9e3779b97f4a7c15u;
                mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93u;
                m_signs[k] = static_cast<float>(mixed >> 63 ? length : -length);
            }
        }
    }

    struct group_bounds {
        double scale, rest;
    };
    rough_table m_kernel;
    std::size_t m_n_factors = 0, m_n_steps = 0;
    buffer<std::uint8_t> m_packed;
    std::vector<float> m_signs;
    std::vector<group_bounds> m_groups;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
