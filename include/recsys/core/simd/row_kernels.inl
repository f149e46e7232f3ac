// SPDX-License-Identifier: MIT
// Kernels over rows and bins in training: one text for all instruction sets, repeated in a namespace of its own for each.
//
// Plain loops over sixteen values, which compilers turn into vector code. Each value is made by the same operations at every level and none are
// fused: the same bits everywhere. n is a multiple of 16.

inline void derivatives_of_rows(float const* raw, float const* y, std::size_t n, float* g, float* h) {
    for (std::size_t i = 0; i < n; i += 16) log_loss_derivatives(raw + i, y + i, g + i, h + i);
}
inline void losses_of_rows(float const* raw, float const* y, std::size_t n, float* out) {
    for (std::size_t i = 0; i < n; i += 16) log_loss_values(raw + i, y + i, out + i);
}

/// e to the raw score less the largest of its row, for n_classes scores a row, which are `stride` apart; that largest score and their sum.
RECSYS_DETAIL_INLINE void softmax_parts(float const* __restrict raw, std::size_t n_classes, std::size_t stride, float* __restrict most,
                                        float* __restrict sum, float* __restrict e) {
    for (std::size_t k = 0; k < 16; ++k) most[k] = raw[k], sum[k] = 0.f;
    for (std::size_t c = 1; c < n_classes; ++c)
        for (std::size_t k = 0; k < 16; ++k) most[k] = most[k] < raw[c * stride + k] ? raw[c * stride + k] : most[k];
    for (std::size_t c = 0; c < n_classes; ++c)
        for (std::size_t k = 0; k < 16; ++k) {
            float const one = exp_minus_abs(most[k] - raw[c * stride + k]);
            sum[k] += one;
            if (e) e[c * stride + k] = one;
        }
}
/// For each class p - [y is the class] and K / (K - 1) p (1 - p), p its share of the exponentials.
inline void softmax_derivatives(float const* raw, float const* y, std::size_t n_classes, std::size_t stride, std::size_t n, float* g,
                                float* h) {
    float const factor = static_cast<float>(n_classes) / static_cast<float>(n_classes - 1);
    for (std::size_t i = 0; i < n; i += 16) {
        float most[16], sum[16];
        softmax_parts(raw + i, n_classes, stride, most, sum, g + i);
        for (std::size_t k = 0; k < 16; ++k) sum[k] = 1.f / sum[k];
        for (std::size_t c = 0; c < n_classes; ++c) {
            float* const gc = g + c * stride + i;
            float* const hc = h + c * stride + i;
            for (std::size_t k = 0; k < 16; ++k) {
                float const p = gc[k] * sum[k], left = p < 1.f ? 1.f - p : 0.f;
                hc[k] = factor * p * left;
                gc[k] = p - kept(y[i + k] == static_cast<float>(c), 1.f);
            }
        }
    }
}
/// The largest score of each row and the sum of e to the scores less it.
inline void softmax_sums(float const* raw, std::size_t n_classes, std::size_t stride, std::size_t n, float* most, float* sum) {
    for (std::size_t i = 0; i < n; i += 16) softmax_parts(raw + i, n_classes, stride, most + i, sum + i, nullptr);
}

/// start + sum x step, of fixed-point sums.
inline void raw_scores(std::int32_t const* sums, std::size_t n, float start, float step, float* out) {
    for (std::size_t i = 0; i < n; i += 16) {
        float raw[16];
        for (std::size_t k = 0; k < 16; ++k) raw[k] = start + static_cast<float>(sums[i + k]) * step;
        for (std::size_t k = 0; k < 16; ++k) out[i + k] = raw[k];
    }
}

/// One over the probability with which minimal variance sampling keeps each row, 0 for those left out. `first` is the number of the first row.
inline void mvs_factors(float const* gradient, std::size_t n, mvs_rule const& rule, std::uint32_t first, float* out) {
    float const threshold = rule.threshold, smooth = rule.smooth;
    auto const low = static_cast<std::uint32_t>(rule.key), high = static_cast<std::uint32_t>(rule.key >> 32);
    for (std::size_t i = 0; i < n; i += 16) {
        float draw[16], factor[16];
        auto const base = low + first + static_cast<std::uint32_t>(i);
        for (std::uint32_t k = 0; k < 16; ++k) draw[k] = unit_draw((base + k) ^ high);
        for (std::size_t k = 0; k < 16; ++k) {
            float const g = gradient[i + k], ratio = threshold * inverse_root(g * g + smooth);
            factor[k] = kept(draw[k] * ratio<1.f, ratio> 1.f ? ratio : 1.f);
        }
        for (std::size_t k = 0; k < 16; ++k) out[i + k] = factor[k];
    }
}
/// What sizes under a threshold sum up to, and how many there are at or above it; in float over 512 sizes, in double over those.
inline mvs_split mvs_sums(float const* sizes, std::size_t n, float threshold) {
    mvs_split out;
    for (std::size_t block = 0; block < n; block += 512) {
        float below[16] = {};
        std::int32_t n_below[16] = {};
        std::size_t const end = n - block < 512 ? n : block + 512;
        for (std::size_t i = block; i < end; i += 16)
            for (std::size_t k = 0; k < 16; ++k) {
                float const size = sizes[i + k];
                below[k] += kept(size < threshold, size);
                n_below[k] += size < threshold ? 1 : 0;
            }
        for (std::size_t k = 0; k < 16; ++k) out.below += static_cast<double>(below[k]), out.above -= n_below[k];
        out.above += static_cast<std::int64_t>(end - block);
    }
    return out;
}

template <bool Weighted>
inline void sum_drawn_of(float const* gradient, float const* weight, float const* factor, std::size_t n, drawn_sums& out) {
    float gradients[16] = {}, weights[16] = {}, most_gradient[16] = {}, most_weight[16] = {};
    std::int32_t rows[16] = {};
    for (std::size_t i = 0; i < n; i += 16)
        for (std::size_t k = 0; k < 16; ++k) {
            float const f = factor[i + k], of = gradient[i + k] * f, g = of < 0.f ? -of : of;
            float w = f;
            if constexpr (Weighted) w *= weight[i + k];
            gradients[k] += g, weights[k] += w;
            most_gradient[k] = most_gradient[k] < g ? g : most_gradient[k];
            most_weight[k] = most_weight[k] < w ? w : most_weight[k];
            rows[k] += f > 0.f ? 1 : 0;
        }
    (void)weight;
    for (std::size_t k = 0; k < 16; ++k) {
        out.gradients += static_cast<double>(gradients[k]), out.weights += static_cast<double>(weights[k]);
        out.gradient = out.gradient < most_gradient[k] ? most_gradient[k] : out.gradient;
        out.weight = out.weight < most_weight[k] ? most_weight[k] : out.weight;
        out.rows += static_cast<std::size_t>(rows[k]);
    }
}
/// Adds up what records of drawn rows will hold. @param weight  may be null: 1 each.
inline void sum_drawn(float const* gradient, float const* weight, float const* factor, std::size_t n, drawn_sums& out) {
    if (weight) sum_drawn_of<true>(gradient, weight, factor, n, out);
    else sum_drawn_of<false>(gradient, weight, factor, n, out);
}

template <bool Weighted> inline void quantize_of(float const* gradient, float const* weight, float const* factor, std::size_t n,
                                                 float per_gradient, float per_weight, std::uint32_t* out) {
    for (std::size_t i = 0; i < n; i += 16) {
        std::uint32_t part[16];
        for (std::size_t k = 0; k < 16; ++k) {
            float w = factor[i + k];
            if constexpr (Weighted) w *= weight[i + k];
            auto const whole = static_cast<std::uint32_t>(static_cast<std::int32_t>(w * per_weight + 0.5f));
            // + 1.5 * 2^23: the low bits of the sum are the nearest integer
            part[k] = whole | bit_cast<std::uint32_t>(gradient[i + k] * factor[i + k] * per_gradient + 12582912.f) << 16;
        }
        for (std::size_t k = 0; k < 16; ++k) out[i + k] = part[k];
    }
    (void)weight;
}
/// Weight and gradient of each row in fixed point, the gradient in the upper half. @param weight  may be null: 1 each.
inline void quantize(float const* gradient, float const* weight, float const* factor, std::size_t n, float per_gradient, float per_weight,
                     std::uint32_t* out) {
    if (weight) quantize_of<true>(gradient, weight, factor, n, per_gradient, per_weight, out);
    else quantize_of<false>(gradient, weight, factor, n, per_gradient, per_weight, out);
}

/// Running sums of gradients and weights, times their scales; the sums of all in the end.
inline std::int64_t running_sums(std::int64_t const* bins, std::size_t n, float gradient_scale, float weight_scale, float* g, float* w) {
    std::int64_t run = 0;
    for (std::size_t i = 0; i < n; i += 16) {
        std::int32_t high[16], low[16];
        for (std::size_t k = 0; k < 16; ++k) {
            run += bins[i + k];
            high[k] = static_cast<std::int32_t>(run >> 32), low[k] = static_cast<std::int32_t>(run & 0x7FFFFFFF);
        }
        float of_g[16], of_w[16];
        for (std::size_t k = 0; k < 16; ++k) of_g[k] = static_cast<float>(high[k]) * gradient_scale;
        for (std::size_t k = 0; k < 16; ++k) of_w[k] = static_cast<float>(low[k]) * weight_scale;
        for (std::size_t k = 0; k < 16; ++k) g[i + k] = of_g[k], w[i + k] = of_w[k];
    }
    return run;
}
/// a G and a^2 W of both sides of every threshold, added for one leaf.
inline void add_leaf_scores(float const* left_g, float const* left_w, float total_g, float total_w, std::size_t n, float l2, float* gain,
                            float* norm) {
    for (std::size_t i = 0; i < n; i += 16) {
        float more_gain[16], more_norm[16];
        for (std::size_t k = 0; k < 16; ++k) {
            float const gl = left_g[i + k], wl = left_w[i + k], gr = total_g - gl, wr = total_w - wl;
            float const al = gl / (wl + l2), ar = gr / (wr + l2);
            more_gain[k] = al * gl + ar * gr, more_norm[k] = al * al * wl + ar * ar * wr;
        }
        for (std::size_t k = 0; k < 16; ++k) more_gain[k] += gain[i + k], more_norm[k] += norm[i + k];
        for (std::size_t k = 0; k < 16; ++k) gain[i + k] = more_gain[k], norm[i + k] = more_norm[k];
    }
}

/// The table of this level.
inline row_table rows() {
    return {&derivatives_of_rows, &losses_of_rows, &softmax_derivatives, &softmax_sums, &raw_scores,     &mvs_factors,
            &mvs_sums,            &sum_drawn,      &quantize,            &running_sums, &add_leaf_scores};
}
