// SPDX-License-Identifier: MIT
// The best (feature, threshold) of a level of an oblivious tree, from the histograms of its leaves.
#ifndef RECSYS_RANKER_SPLIT_SEARCH_HPP
#define RECSYS_RANKER_SPLIT_SEARCH_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_rows.hpp>
#include <recsys/ranker/histogram.hpp>
#include <recsys/ranker/packed_rows.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// How a split is judged by the sums G of gradients and W of weights of the leaves it gives, with a = G / (W + l2):
/// `l2` by the sum of a G, `cosine` by that over the root of the sum of a^2 W.
enum class split_score : std::uint8_t { cosine, l2 };

namespace detail {

/// Fixed-point gradients and weights are these times the integers.
struct fixed_scale {
    float gradient = 1, weight = 1, l2 = 0;
    float least_weight = 0; ///< sides that weigh less give nothing
    split_score score = split_score::cosine;
};

/// Sums over the leaves for every threshold of one feature; both grow by one leaf after the other.
struct threshold_sums {
    alignas(64) float gain[bin_slots];
    alignas(64) float norm[bin_slots];
};

/// The scores of a leaf as kernels add them, but sides may be too light, and a monotone feature (sign 1: predictions rise, -1: fall) may split a
/// leaf only its way: one that would split the other way counts as if it did not.
inline void add_leaf_scores(float const* __restrict left_g, float const* __restrict left_w, float total_g, float total_w, std::size_t n,
                            float l2, float least, float sign, float* __restrict gain, float* __restrict norm) noexcept {
    float const whole = total_g / (total_w + l2);
    for (std::size_t k = 0; k < n; ++k) {
        float const gl = left_g[k], wl = left_w[k], gr = total_g - gl, wr = total_w - wl;
        float al = gl / (wl + l2), ar = gr / (wr + l2); // steps go against them
        if (sign * (al - ar) < 0.f) al = ar = whole;
        if (wl < least) al = 0.f;
        if (wr < least) ar = 0.f;
        gain[k] += al * gl + ar * gr, norm[k] += al * al * wl + ar * ar * wr;
    }
}

/// One number to compare: larger is better.
inline float score_of(float gain, float norm, split_score how) noexcept {
    if (how == split_score::l2) return gain;
    return norm > 0.f ? gain / std::sqrt(norm) : 0.f;
}

/// The best threshold of a feature; `none` is the score without any split.
struct best_threshold {
    float score = 0, none = 0;
    std::uint32_t threshold = 0;
};

/// @param leaves  the histogram block of every leaf that has rows, in leaf order. @param sign  1 or -1 for a monotone feature, else 0.
inline best_threshold find_threshold(packed_field const& f, std::span<packed_sum const* const> leaves, fixed_scale const& scale,
                                     int sign = 0, row_table const& kernels = row_kernels(active_simd_level())) noexcept {
    threshold_sums sums;
    alignas(64) float g[bin_slots], w[bin_slots];
    packed_sum scratch[bin_slots];
    std::size_t const n = f.n_bins - std::size_t{1}, padded = (n + 1 + 15) / 16 * 16; // place n stands for "no split"
    std::fill_n(sums.gain, padded, 0.f), std::fill_n(sums.norm, padded, 0.f);
    for (auto const* const leaf : leaves) {
        auto const* const bins = field_sums(leaf + f.byte * bin_slots, f, scratch);
        packed_sum const all = kernels.running_sums(bins, padded, scale.gradient, scale.weight, g, w);
        float const total_g = static_cast<float>(gradient_of(all)) * scale.gradient;
        float const total_w = static_cast<float>(weight_of(all)) * scale.weight;
        for (std::size_t b = n; b < padded; ++b) g[b] = 0.f, w[b] = 0.f;
        if (sign == 0 && !(scale.least_weight > 0.f))
            kernels.add_leaf_scores(g, w, total_g, total_w, padded, scale.l2, sums.gain, sums.norm);
        else add_leaf_scores(g, w, total_g, total_w, n + 1, scale.l2, scale.least_weight, static_cast<float>(sign), sums.gain, sums.norm);
    }
    best_threshold best;
    best.none = score_of(sums.gain[n], sums.norm[n], scale.score);
    for (std::size_t b = 0; b < n; ++b)
        if (float const s = score_of(sums.gain[b], sums.norm[b], scale.score); s > best.score)
            best.score = s, best.threshold = static_cast<std::uint32_t>(b);
    return best;
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
