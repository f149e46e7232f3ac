// SPDX-License-Identifier: MIT
// The kernels, compiled for each level between target pragmas, and the choice among them. Only pointers and integers cross the border.
#ifndef RECSYS_CORE_SIMD_SELECT_HPP
#define RECSYS_CORE_SIMD_SELECT_HPP

#include <recsys/core/push_macros.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <recsys/core/simd/level.hpp>

#pragma push_macro("RECSYS_DETAIL_UNROLL")
#undef RECSYS_DETAIL_UNROLL
#if defined(__GNUC__)
#define RECSYS_DETAIL_UNROLL _Pragma("GCC unroll 16")
#else
#define RECSYS_DETAIL_UNROLL
#endif

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>
#endif

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// The kernels of one level; the .inl parts say what each does.
template <class S> struct kernel_table {
    std::size_t width; ///< rows are padded to a multiple of it, and of 4
    void (*symmetric_update)(S* a, std::size_t ld, S const* panel, std::size_t depth);
    bool (*cholesky)(S* a, std::size_t ld);
    bool (*cholesky_blocks)(S* a, std::size_t ld);
    void (*cholesky_solve)(S const* u, std::size_t ld, S* b);
    void (*gather)(S* panel, std::size_t ld, S const* z, std::uint32_t const* id, S const* scale, S const* weight, std::size_t n, S* b);
    void (*weighted_sum)(S const* panel, std::size_t ld, std::size_t n, S const* weight, S* out);
    void (*conjugate_gradients)(S const* z, std::size_t ld, std::uint32_t const* id, S const* excess, S const* right, std::size_t n,
                                S* panel, S const* ridge, S share, S* b, S* x, std::size_t steps, S* rest, S* work);
    void (*transform)(double const* m, std::size_t ld, std::size_t n, bool upper, S const* in, std::size_t in_ld, std::size_t rows,
                      double* out);
    void (*add_rests)(S const* z, std::size_t ld, std::uint32_t const* id, std::size_t n, double const* right, double const* excess,
                      double const* x, double* out);

    std::size_t padded(std::size_t n) const noexcept {
        std::size_t const step = width < 4 ? 4 : width;
        return (n + step - 1) / step * step;
    }
};

// What the kernels use besides packs.
RECSYS_DETAIL_INLINE float square_root(float x) noexcept { return std::sqrt(x); }
RECSYS_DETAIL_INLINE double square_root(double x) noexcept { return std::sqrt(x); }
RECSYS_DETAIL_INLINE constexpr float tiny_share(float) noexcept { return 1e-13f; }
RECSYS_DETAIL_INLINE constexpr double tiny_share(double) noexcept { return 1e-30; }
RECSYS_DETAIL_INLINE void prefetch(void const* p) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(p);
#else
    (void)p;
#endif
}

// --- portable: 16 bytes a pack, which every machine has or splits ---------------------------------

namespace portable {

template <class S> struct pack {
    static constexpr std::size_t width = 16 / sizeof(S);
#if defined(__GNUC__)
    typedef S reg __attribute__((vector_size(16)));
    typedef S unaligned __attribute__((vector_size(16), aligned(alignof(S)), may_alias));
    static RECSYS_DETAIL_INLINE reg load(S const* p) { return *reinterpret_cast<unaligned const*>(p); }
    static RECSYS_DETAIL_INLINE void store(S* p, reg x) { *reinterpret_cast<unaligned*>(p) = x; }
    static RECSYS_DETAIL_INLINE reg set(S x) { return x - reg{}; }
    static RECSYS_DETAIL_INLINE reg add(reg a, reg b) { return a + b; }
    static RECSYS_DETAIL_INLINE reg sub(reg a, reg b) { return a - b; }
    static RECSYS_DETAIL_INLINE reg mul(reg a, reg b) { return a * b; }
    static RECSYS_DETAIL_INLINE reg fma(reg a, reg b, reg c) { return a * b + c; }
    static RECSYS_DETAIL_INLINE reg fnma(reg a, reg b, reg c) { return c - a * b; }
    static RECSYS_DETAIL_INLINE S lane(reg x, std::size_t i) { return x[i]; }
#else
    struct reg {
        S at[width];
    };
    template <class Function> static RECSYS_DETAIL_INLINE reg each(Function const& f) {
        reg out;
        for (std::size_t i = 0; i < width; ++i) out.at[i] = f(i);
        return out;
    }
    static RECSYS_DETAIL_INLINE reg load(S const* p) {
        return each([&](std::size_t i) { return p[i]; });
    }
    static RECSYS_DETAIL_INLINE void store(S* p, reg x) {
        for (std::size_t i = 0; i < width; ++i) p[i] = x.at[i];
    }
    static RECSYS_DETAIL_INLINE reg set(S x) {
        return each([&](std::size_t) { return x; });
    }
    static RECSYS_DETAIL_INLINE reg add(reg a, reg b) {
        return each([&](std::size_t i) { return a.at[i] + b.at[i]; });
    }
    static RECSYS_DETAIL_INLINE reg sub(reg a, reg b) {
        return each([&](std::size_t i) { return a.at[i] - b.at[i]; });
    }
    static RECSYS_DETAIL_INLINE reg mul(reg a, reg b) {
        return each([&](std::size_t i) { return a.at[i] * b.at[i]; });
    }
    static RECSYS_DETAIL_INLINE reg fma(reg a, reg b, reg c) {
        return each([&](std::size_t i) { return a.at[i] * b.at[i] + c.at[i]; });
    }
    static RECSYS_DETAIL_INLINE reg fnma(reg a, reg b, reg c) {
        return each([&](std::size_t i) { return c.at[i] - a.at[i] * b.at[i]; });
    }
    static RECSYS_DETAIL_INLINE S lane(reg x, std::size_t i) { return x.at[i]; }
#endif
    /// Of double only, from either type.
    template <class From> static RECSYS_DETAIL_INLINE reg widen(From const* p) {
        S const wide[width] = {static_cast<S>(p[0]), static_cast<S>(p[1])};
        return load(wide);
    }
    static RECSYS_DETAIL_INLINE S sum(reg x) {
        if constexpr (width == 4) return (lane(x, 0) + lane(x, 2)) + (lane(x, 1) + lane(x, 3));
        else return lane(x, 0) + lane(x, 1);
    }
    static RECSYS_DETAIL_INLINE reg sums(reg const* x) {
        S all[width];
        for (std::size_t r = 0; r < width; ++r) all[r] = sum(x[r]);
        return load(all);
    }
};

#include <recsys/core/simd/products.inl>
#include <recsys/core/simd/cholesky.inl>
#include <recsys/core/simd/kernels.inl>

}

#if defined(__GNUC__) && defined(__x86_64__)

// --- AVX2 with FMA --------------------------------------------------------------------------------

RECSYS_DETAIL_TARGET("avx2,fma")

namespace avx2 {

template <class S> struct pack;
template <> struct pack<float> {
    using reg = __m256;
    static constexpr std::size_t width = 8;
    static RECSYS_DETAIL_INLINE reg load(float const* p) { return _mm256_loadu_ps(p); }
    static RECSYS_DETAIL_INLINE void store(float* p, reg x) { _mm256_storeu_ps(p, x); }
    static RECSYS_DETAIL_INLINE reg set(float x) { return _mm256_set1_ps(x); }
    static RECSYS_DETAIL_INLINE reg add(reg a, reg b) { return _mm256_add_ps(a, b); }
    static RECSYS_DETAIL_INLINE reg sub(reg a, reg b) { return _mm256_sub_ps(a, b); }
    static RECSYS_DETAIL_INLINE reg mul(reg a, reg b) { return _mm256_mul_ps(a, b); }
    static RECSYS_DETAIL_INLINE reg fma(reg a, reg b, reg c) { return _mm256_fmadd_ps(a, b, c); }
    static RECSYS_DETAIL_INLINE reg fnma(reg a, reg b, reg c) { return _mm256_fnmadd_ps(a, b, c); }
    static RECSYS_DETAIL_INLINE float sum(reg x) {
        __m128 const four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
        __m128 const two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }
    static RECSYS_DETAIL_INLINE reg sums(reg const* x) {
        reg const low = four(x), high = four(x + 4);
        return add(_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31));
    }

private:
    static RECSYS_DETAIL_INLINE reg two(reg a, reg b) { return add(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b)); }
    static RECSYS_DETAIL_INLINE reg four(reg const* x) { // in each half the sums of its own half
        reg const a = two(x[0], x[1]), b = two(x[2], x[3]);
        return add(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xee));
    }
};
template <> struct pack<double> {
    using reg = __m256d;
    static constexpr std::size_t width = 4;
    static RECSYS_DETAIL_INLINE reg load(double const* p) { return _mm256_loadu_pd(p); }
    static RECSYS_DETAIL_INLINE reg widen(double const* p) { return load(p); }
    static RECSYS_DETAIL_INLINE reg widen(float const* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
    static RECSYS_DETAIL_INLINE void store(double* p, reg x) { _mm256_storeu_pd(p, x); }
    static RECSYS_DETAIL_INLINE reg set(double x) { return _mm256_set1_pd(x); }
    static RECSYS_DETAIL_INLINE reg add(reg a, reg b) { return _mm256_add_pd(a, b); }
    static RECSYS_DETAIL_INLINE reg sub(reg a, reg b) { return _mm256_sub_pd(a, b); }
    static RECSYS_DETAIL_INLINE reg mul(reg a, reg b) { return _mm256_mul_pd(a, b); }
    static RECSYS_DETAIL_INLINE reg fma(reg a, reg b, reg c) { return _mm256_fmadd_pd(a, b, c); }
    static RECSYS_DETAIL_INLINE reg fnma(reg a, reg b, reg c) { return _mm256_fnmadd_pd(a, b, c); }
    static RECSYS_DETAIL_INLINE double sum(reg x) {
        __m128d const two = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
        return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
    }
    static RECSYS_DETAIL_INLINE reg sums(reg const* x) {
        reg const a = add(_mm256_unpacklo_pd(x[0], x[1]), _mm256_unpackhi_pd(x[0], x[1]));
        reg const b = add(_mm256_unpacklo_pd(x[2], x[3]), _mm256_unpackhi_pd(x[2], x[3]));
        return add(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31));
    }
};

#include <recsys/core/simd/products.inl>
#include <recsys/core/simd/cholesky.inl>
#include <recsys/core/simd/kernels.inl>

}

RECSYS_DETAIL_END_TARGET

// --- AVX-512 --------------------------------------------------------------------------------------

RECSYS_DETAIL_TARGET("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")

namespace avx512 {

// The masked forms of extract: g++ takes the others' undefined halves for uninitialised variables.

template <class S> struct pack;
template <> struct pack<float> {
    using reg = __m512;
    static constexpr std::size_t width = 16;
    static RECSYS_DETAIL_INLINE reg load(float const* p) { return _mm512_loadu_ps(p); }
    static RECSYS_DETAIL_INLINE void store(float* p, reg x) { _mm512_storeu_ps(p, x); }
    static RECSYS_DETAIL_INLINE reg set(float x) { return _mm512_set1_ps(x); }
    static RECSYS_DETAIL_INLINE reg add(reg a, reg b) { return _mm512_add_ps(a, b); }
    static RECSYS_DETAIL_INLINE reg sub(reg a, reg b) { return _mm512_sub_ps(a, b); }
    static RECSYS_DETAIL_INLINE reg mul(reg a, reg b) { return _mm512_mul_ps(a, b); }
    static RECSYS_DETAIL_INLINE reg fma(reg a, reg b, reg c) { return _mm512_fmadd_ps(a, b, c); }
    static RECSYS_DETAIL_INLINE reg fnma(reg a, reg b, reg c) { return _mm512_fnmadd_ps(a, b, c); }
    static RECSYS_DETAIL_INLINE float sum(reg x) {
        __m256 const eight = _mm256_add_ps(_mm512_maskz_extractf32x8_ps(255, x, 0), _mm512_maskz_extractf32x8_ps(255, x, 1));
        __m128 const four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
        __m128 const two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }
    static RECSYS_DETAIL_INLINE reg sums(reg const* x) {
        return quarters(quarters(four(x), four(x + 4)), quarters(four(x + 8), four(x + 12)));
    }

private:
    static RECSYS_DETAIL_INLINE reg two(reg a, reg b) {
        return add(_mm512_maskz_unpacklo_ps(0xffff, a, b), _mm512_maskz_unpackhi_ps(0xffff, a, b));
    }
    static RECSYS_DETAIL_INLINE reg four(reg const* x) { // in each quarter the sums of its own quarter
        reg const a = two(x[0], x[1]), b = two(x[2], x[3]);
        return add(_mm512_maskz_shuffle_ps(0xffff, a, b, 0x44), _mm512_maskz_shuffle_ps(0xffff, a, b, 0xee));
    }
    static RECSYS_DETAIL_INLINE reg quarters(reg a, reg b) { // sums of neighbouring quarters
        return add(_mm512_maskz_shuffle_f32x4(0xffff, a, b, 0x88), _mm512_maskz_shuffle_f32x4(0xffff, a, b, 0xdd));
    }
};
template <> struct pack<double> {
    using reg = __m512d;
    static constexpr std::size_t width = 8;
    static RECSYS_DETAIL_INLINE reg load(double const* p) { return _mm512_loadu_pd(p); }
    static RECSYS_DETAIL_INLINE reg widen(double const* p) { return load(p); }
    static RECSYS_DETAIL_INLINE reg widen(float const* p) { return _mm512_maskz_cvtps_pd(255, _mm256_loadu_ps(p)); }
    static RECSYS_DETAIL_INLINE void store(double* p, reg x) { _mm512_storeu_pd(p, x); }
    static RECSYS_DETAIL_INLINE reg set(double x) { return _mm512_set1_pd(x); }
    static RECSYS_DETAIL_INLINE reg add(reg a, reg b) { return _mm512_add_pd(a, b); }
    static RECSYS_DETAIL_INLINE reg sub(reg a, reg b) { return _mm512_sub_pd(a, b); }
    static RECSYS_DETAIL_INLINE reg mul(reg a, reg b) { return _mm512_mul_pd(a, b); }
    static RECSYS_DETAIL_INLINE reg fma(reg a, reg b, reg c) { return _mm512_fmadd_pd(a, b, c); }
    static RECSYS_DETAIL_INLINE reg fnma(reg a, reg b, reg c) { return _mm512_fnmadd_pd(a, b, c); }
    static RECSYS_DETAIL_INLINE double sum(reg x) {
        __m256d const four = _mm256_add_pd(_mm512_maskz_extractf64x4_pd(15, x, 0), _mm512_maskz_extractf64x4_pd(15, x, 1));
        __m128d const two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
        return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
    }
    static RECSYS_DETAIL_INLINE reg sums(reg const* x) {
        return quarters(quarters(two(x[0], x[1]), two(x[2], x[3])), quarters(two(x[4], x[5]), two(x[6], x[7])));
    }

private:
    static RECSYS_DETAIL_INLINE reg two(reg a, reg b) {
        return add(_mm512_maskz_unpacklo_pd(0xff, a, b), _mm512_maskz_unpackhi_pd(0xff, a, b));
    }
    static RECSYS_DETAIL_INLINE reg quarters(reg a, reg b) { // sums of neighbouring quarters
        return add(_mm512_maskz_shuffle_f64x2(0xff, a, b, 0x88), _mm512_maskz_shuffle_f64x2(0xff, a, b, 0xdd));
    }
};

#include <recsys/core/simd/products.inl>
#include <recsys/core/simd/cholesky.inl>
#include <recsys/core/simd/kernels.inl>

}

RECSYS_DETAIL_END_TARGET

#endif

/// The kernels of a level that this machine has.
template <class S> kernel_table<S> kernels(simd_level level) {
    static_assert(std::is_same_v<S, float> || std::is_same_v<S, double>);
#if defined(__GNUC__) && defined(__x86_64__)
    if (level == simd_level::avx512) return avx512::table<S>();
    if (level == simd_level::avx2) return avx2::table<S>();
#endif
    RECSYS_DETAIL_ASSERT(level == simd_level::portable);
    (void)level;
    return portable::table<S>();
}

}}} // namespace recsys::detail

#pragma pop_macro("RECSYS_DETAIL_UNROLL")

#include <recsys/core/pop_macros.hpp>
#endif
