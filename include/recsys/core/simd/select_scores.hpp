// SPDX-License-Identifier: MIT
// The kernels of scores, compiled for each level between target pragmas, and the choice among them.
#ifndef RECSYS_CORE_SIMD_SELECT_SCORES_HPP
#define RECSYS_CORE_SIMD_SELECT_SCORES_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select.hpp>

#pragma push_macro("RECSYS_DETAIL_UNROLL")
#undef RECSYS_DETAIL_UNROLL
#if defined(__GNUC__)
#define RECSYS_DETAIL_UNROLL _Pragma("GCC unroll 16")
#else
#define RECSYS_DETAIL_UNROLL
#endif

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// A raw score that reached its user's bar.
template <class S> struct score_hit {
    S raw;
    std::uint32_t place; ///< of the item, from the first block of the scan
    std::uint32_t user;  ///< of the scan
};

/// What a scan reads, and where it writes: `hits` has room for n_users x n_blocks x 16.
template <class S> struct score_scan {
    S const* items;        ///< packed blocks
    S const* scales;       ///< for each item what its score is multiplied with before it meets the bar; null: 1
    S const* const* users; ///< rows
    S const* bars;         ///< for each user
    S no_score;            ///< infinity
    std::size_t n_users, n_blocks, n_factors;
    bool is_distance;
    score_hit<S>* hits;
    // Where items want users as users want items; only with scales. An item's bar is multiplied with the user's length.
    S const* item_bars = nullptr;
    S const* user_lengths = nullptr;
};

/// The kernels of one level; score_kernels.inl says what each does.
template <class S> struct score_table {
    std::size_t (*scan)(score_scan<S> const&); ///< how many hits
    void (*rows)(S const* x, S const* const* rows, std::size_t n_rows, std::size_t n_factors, bool is_distance, S* out);
};

/// The place of the lowest bit that is set; there is one.
RECSYS_DETAIL_INLINE std::uint32_t lowest_bit(unsigned bits) noexcept {
#if defined(__GNUC__)
    return static_cast<std::uint32_t>(__builtin_ctz(bits));
#else
    std::uint32_t out = 0;
    for (; (bits & 1u) == 0; bits >>= 1) ++out;
    return out;
#endif
}

namespace portable {

template <class S> RECSYS_DETAIL_INLINE S multiply_add(S a, S b, S c) noexcept { return a * b + c; }

/// Lane by lane: g++ 12 cannot compile masks of two doubles that are combined ("internal compiler error: in gimple_expand_vec_cond_expr").
template <class S> struct comparison {
    using reg = typename pack<S>::reg;
    using mask = unsigned;
    static RECSYS_DETAIL_INLINE mask none() { return 0; }
    static RECSYS_DETAIL_INLINE mask reaches(reg x, reg bar) {
        unsigned out = 0;
        for (std::size_t i = 0; i < pack<S>::width; ++i) out |= (pack<S>::lane(x, i) >= pack<S>::lane(bar, i) ? 1u : 0u) << i;
        return out;
    }
    static RECSYS_DETAIL_INLINE mask either(mask a, mask b) { return a | b; }
    static RECSYS_DETAIL_INLINE bool any(mask x) { return x != 0; }
    static RECSYS_DETAIL_INLINE unsigned bits(mask x) { return x; }
};

#include <recsys/core/simd/score_kernels.inl>

}

#if defined(__GNUC__) && defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

namespace avx2 {

RECSYS_DETAIL_INLINE float multiply_add(float a, float b, float c) noexcept { return __builtin_fmaf(a, b, c); }
RECSYS_DETAIL_INLINE double multiply_add(double a, double b, double c) noexcept { return __builtin_fma(a, b, c); }

template <class S> struct comparison;
template <> struct comparison<float> {
    using mask = __m256;
    static RECSYS_DETAIL_INLINE mask none() { return _mm256_setzero_ps(); }
    static RECSYS_DETAIL_INLINE mask reaches(__m256 x, __m256 bar) { return _mm256_cmp_ps(x, bar, _CMP_GE_OQ); }
    static RECSYS_DETAIL_INLINE mask either(mask a, mask b) { return _mm256_or_ps(a, b); }
    static RECSYS_DETAIL_INLINE bool any(mask x) { return _mm256_movemask_ps(x) != 0; }
    static RECSYS_DETAIL_INLINE unsigned bits(mask x) { return static_cast<unsigned>(_mm256_movemask_ps(x)); }
};
template <> struct comparison<double> {
    using mask = __m256d;
    static RECSYS_DETAIL_INLINE mask none() { return _mm256_setzero_pd(); }
    static RECSYS_DETAIL_INLINE mask reaches(__m256d x, __m256d bar) { return _mm256_cmp_pd(x, bar, _CMP_GE_OQ); }
    static RECSYS_DETAIL_INLINE mask either(mask a, mask b) { return _mm256_or_pd(a, b); }
    static RECSYS_DETAIL_INLINE bool any(mask x) { return _mm256_movemask_pd(x) != 0; }
    static RECSYS_DETAIL_INLINE unsigned bits(mask x) { return static_cast<unsigned>(_mm256_movemask_pd(x)); }
};

#include <recsys/core/simd/score_kernels.inl>

}

#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")
#endif

namespace avx512 {

RECSYS_DETAIL_INLINE float multiply_add(float a, float b, float c) noexcept { return __builtin_fmaf(a, b, c); }
RECSYS_DETAIL_INLINE double multiply_add(double a, double b, double c) noexcept { return __builtin_fma(a, b, c); }

template <class S> struct comparison {
    using mask = unsigned;
    static RECSYS_DETAIL_INLINE mask none() { return 0; }
    static RECSYS_DETAIL_INLINE mask reaches(__m512 x, __m512 bar) { return _mm512_cmp_ps_mask(x, bar, _CMP_GE_OQ); }
    static RECSYS_DETAIL_INLINE mask reaches(__m512d x, __m512d bar) { return _mm512_cmp_pd_mask(x, bar, _CMP_GE_OQ); }
    static RECSYS_DETAIL_INLINE mask either(mask a, mask b) { return a | b; }
    static RECSYS_DETAIL_INLINE bool any(mask x) { return x != 0; }
    static RECSYS_DETAIL_INLINE unsigned bits(mask x) { return x; }
};

#include <recsys/core/simd/score_kernels.inl>

}

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

/// The kernels of scores of a level that this machine has.
template <class S> score_table<S> score_kernels(simd_level level) noexcept {
    static_assert(std::is_same_v<S, float> || std::is_same_v<S, double>);
#if defined(__GNUC__) && defined(__x86_64__)
    if (level == simd_level::avx512) return avx512::scores<S>();
    if (level == simd_level::avx2) return avx2::scores<S>();
#endif
    RECSYS_DETAIL_ASSERT(level == simd_level::portable);
    (void)level;
    return portable::scores<S>();
}

}}} // namespace recsys::detail

#pragma pop_macro("RECSYS_DETAIL_UNROLL")

#include <recsys/core/pop_macros.hpp>
#endif
