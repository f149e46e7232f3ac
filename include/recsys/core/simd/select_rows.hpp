// SPDX-License-Identifier: MIT
// The kernels over rows in training, compiled for each level between target pragmas, and the choice among them.
#ifndef RECSYS_CORE_SIMD_SELECT_ROWS_HPP
#define RECSYS_CORE_SIMD_SELECT_ROWS_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>

#include <recsys/core/buffer.hpp>
#include <recsys/core/simd/level.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// How rows are drawn by minimal variance sampling: with probability min(1, sqrt(gradient^2 + smooth) / threshold).
struct mvs_rule {
    float threshold, smooth;
    std::uint64_t key; ///< of the tree: a row's draw follows from it and the row's number
};
struct mvs_split {
    double below = 0;
    std::int64_t above = 0;
};
/// Sums of |gradient| and weight, with factors, the largest of each, and how many rows were drawn.
struct drawn_sums {
    std::size_t rows = 0;
    double gradients = 0, weights = 0;
    float gradient = 0, weight = 0;
};

/// The kernels of one level; row_kernels.inl says what each does.
struct row_table {
    void (*log_loss_derivatives)(float const* raw, float const* y, std::size_t n, float* g, float* h);
    void (*log_loss_values)(float const* raw, float const* y, std::size_t n, float* out);
    void (*softmax_derivatives)(float const* raw, float const* y, std::size_t n_classes, std::size_t stride, std::size_t n, float* g,
                                float* h);
    void (*softmax_sums)(float const* raw, std::size_t n_classes, std::size_t stride, std::size_t n, float* most, float* sum);
    void (*raw_scores)(std::int32_t const* sums, std::size_t n, float start, float step, float* out);
    void (*mvs_factors)(float const* gradient, std::size_t n, mvs_rule const& rule, std::uint32_t first, float* out);
    mvs_split (*mvs_sums)(float const* sizes, std::size_t n, float threshold);
    void (*sum_drawn)(float const* gradient, float const* weight, float const* factor, std::size_t n, drawn_sums& out);
    void (*quantize)(float const* gradient, float const* weight, float const* factor, std::size_t n, float per_gradient, float per_weight,
                     std::uint32_t* out);
    std::int64_t (*running_sums)(std::int64_t const* bins, std::size_t n, float gradient_scale, float weight_scale, float* g, float* w);
    void (*add_leaf_scores)(float const* left_g, float const* left_w, float total_g, float total_w, std::size_t n, float l2, float* gain,
                            float* norm);
};

// --- what kernels are made of ------------------------------------------------------------------------

/// e^-|t| to about 1e-7 of itself; exactly 0 beyond 87. Source: range reduction by log 2, a polynomial of degree 7.
RECSYS_DETAIL_INLINE float exp_minus_abs(float t) noexcept {
    constexpr std::int32_t top = 0x42AE0000; // the bits of 87
    std::int32_t const magnitude = bit_cast<std::int32_t>(t) & 0x7FFFFFFF;
    std::int32_t const beyond = -static_cast<std::int32_t>(magnitude > top);
    float const x = -bit_cast<float>((magnitude & ~beyond) | (top & beyond));
    float const scaled = x * 1.44269504f + 12582912.f; // + 1.5 * 2^23: the low bits are the nearest integer
    float const n = scaled - 12582912.f;
    float const r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.f;
    auto const exponent = (bit_cast<std::uint32_t>(scaled) << 23) + 0x3F800000u;
    return bit_cast<float>(bit_cast<std::int32_t>(p * bit_cast<float>(exponent)) & ~beyond);
}

/// First and second derivative of the log loss, p - y and p (1 - p), for 16 rows.
RECSYS_DETAIL_INLINE void log_loss_derivatives(float const* __restrict raw, float const* __restrict y, float* __restrict g,
                                               float* __restrict h) noexcept {
    for (std::size_t i = 0; i < 16; ++i) {
        float const e = exp_minus_abs(raw[i]), s = 1.f / (1.f + e);
        std::int32_t const negative = bit_cast<std::int32_t>(raw[i]) >> 31;
        float const above = bit_cast<float>((bit_cast<std::int32_t>(e) & negative) | (0x3F800000 & ~negative)); // 1, or e below zero
        g[i] = above * s - y[i];
        h[i] = e * s * s;
    }
}

/// max(t, 0) - t y + log(1 + e^-|t|), for 16 rows. Source: log(1 + e) = 2 artanh(e / (2 + e)).
RECSYS_DETAIL_INLINE void log_loss_values(float const* __restrict raw, float const* __restrict y, float* __restrict out) noexcept {
    for (std::size_t i = 0; i < 16; ++i) {
        float const e = exp_minus_abs(raw[i]), z = e / (2.f + e), z2 = z * z;
        float s = 1.f / 15;
        s = s * z2 + 1.f / 13;
        s = s * z2 + 1.f / 11;
        s = s * z2 + 1.f / 9;
        s = s * z2 + 1.f / 7;
        s = s * z2 + 1.f / 5;
        s = s * z2 + 1.f / 3;
        s = s * z2 + 1.f;
        std::int32_t const bits = bit_cast<std::int32_t>(raw[i]);
        out[i] = bit_cast<float>(bits & ~(bits >> 31)) - raw[i] * y[i] + 2.f * z * s;
    }
}

/// In [0, 1), by a number. Source: the finalizer of MurmurHash3_x86_32 (Appleby).
RECSYS_DETAIL_INLINE float unit_draw(std::uint32_t x) noexcept {
    x ^= x >> 16;
    x *= 0x85EBCA6Bu;
    x ^= x >> 13;
    x *= 0xC2B2AE35u;
    x ^= x >> 16;
    return static_cast<float>(static_cast<std::int32_t>(x >> 8)) * 0x1p-24f;
}
/// 1 / sqrt(x) to 5e-6, in plain arithmetic: std::sqrt may set errno, which keeps compilers from making vector code.
RECSYS_DETAIL_INLINE float inverse_root(float x) noexcept {
    float y = bit_cast<float>(0x5F3759DF - (bit_cast<std::int32_t>(x) >> 1));
    y = y * (1.5f - 0.5f * x * y * y);
    return y * (1.5f - 0.5f * x * y * y);
}
/// The value where the test holds, else 0: without a branch.
RECSYS_DETAIL_INLINE float kept(bool test, float value) noexcept {
    return bit_cast<float>(bit_cast<std::int32_t>(value) & -static_cast<std::int32_t>(test));
}

namespace portable {

#include <recsys/core/simd/row_kernels.inl>

}

// AVX2 without FMA: with it, compilers would fuse what the other levels do not.
#if defined(__GNUC__) && defined(__x86_64__)
RECSYS_DETAIL_TARGET("avx2")

namespace avx2 {

#include <recsys/core/simd/row_kernels.inl>

}

RECSYS_DETAIL_END_TARGET
#endif

/// The kernels of a level that this machine has; those of AVX2 for AVX-512 too.
inline row_table row_kernels(simd_level level) noexcept {
#if defined(__GNUC__) && defined(__x86_64__)
    if (level != simd_level::portable) return avx2::rows();
#endif
    (void)level;
    return portable::rows();
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
