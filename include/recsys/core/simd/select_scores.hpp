// SPDX-License-Identifier: MIT
// The kernels of scores, compiled for each level between target pragmas, and the choice among them.
#ifndef RECSYS_CORE_SIMD_SELECT_SCORES_HPP
#define RECSYS_CORE_SIMD_SELECT_SCORES_HPP

#include <recsys/core/push_macros.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
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

/// Where the scores of a user go that reach his bar: arrays with room for n_blocks x 16 and 16 more.
template <class Raw> struct score_hits {
    Raw* raws;
    std::uint32_t* places;     ///< of the items
    std::uint16_t const* skip; ///< for each block of the scan the lanes that are never hits, a bit each; null: none
    std::uint32_t n;           ///< how many there are
};

/// What a scan reads, and where it writes.
template <class S> struct score_scan {
    S const* items;        ///< packed blocks
    S const* scales;       ///< for each item what its score is multiplied with before it meets the bar; null: 1
    S const* const* users; ///< rows
    S const* bars;         ///< for each user
    S no_score;            ///< infinity
    std::size_t n_users;
    std::size_t n_blocks; ///< a multiple of 8
    std::size_t n_factors;
    bool is_distance;
    std::uint32_t first_place; ///< that of the first item
    score_hits<S>* hits;       ///< for each user
    // Where items want users as users want items; only with scales. An item's bar is multiplied with the user's length.
    S const* item_bars = nullptr;
    S const* user_lengths = nullptr;
};

/// Two arrays of scores and what is asked of both together.
template <class S> struct bar_search {
    S const* scores[2];
    std::size_t n[2];
    std::size_t k, most;
    S low; ///< a bar that at least k reach
};

/// The kernels of one level; score_kernels.inl says what each does.
template <class S> struct score_table {
    void (*scan)(score_scan<S> const&);
    void (*rows)(S const* x, S const* const* rows, std::size_t n_rows, std::size_t n_factors, bool is_distance, S* out);
    void (*pairs)(S const* const* xs, S const* const* ys, std::size_t n_pairs, std::size_t n_factors, S* out);
    S (*find_bar)(bar_search<S> const&);
    std::size_t (*keep)(S* scores, std::uint32_t* indices, std::size_t n, S bar);
    void (*ranks)(S const* scores, std::size_t n, std::uint16_t* ranks);
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

RECSYS_DETAIL_INLINE std::uint32_t bit_count(unsigned bits) noexcept {
#if defined(__GNUC__)
    return static_cast<std::uint32_t>(__builtin_popcount(bits));
#else
    std::uint32_t out = 0;
    for (; bits != 0; bits &= bits - 1) ++out;
    return out;
#endif
}
template <class Raw>
inline std::uint32_t append_each(Raw const* lanes, unsigned bits, std::uint32_t first_place, Raw* raws, std::uint32_t* places) noexcept {
    std::uint32_t n = 0;
    for (; bits != 0; bits &= bits - 1, ++n) {
        std::uint32_t const lane = lowest_bit(bits);
        raws[n] = lanes[lane], places[n] = first_place + lane;
    }
    return n;
}

namespace portable {

inline constexpr int tile_size = 12; // registers that hold sums
inline constexpr bool masks_are_slow = true;

template <class Raw>
std::uint32_t append_words(Raw const* lanes, unsigned bits, std::uint32_t first_place, Raw* raws, std::uint32_t* places) {
    return append_each(lanes, bits, first_place, raws, places);
}
template <class Raw> std::uint32_t move_words(Raw const* from, std::uint32_t const* ids, unsigned bits, Raw* to, std::uint32_t* ids_to) {
    std::uint32_t n = 0;
    for (; bits != 0; bits &= bits - 1, ++n) to[n] = from[lowest_bit(bits)], ids_to[n] = ids[lowest_bit(bits)];
    return n;
}

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

/// For each set of eight lanes their numbers, one a byte, in order: what a permutation takes to put them side by side.
inline constexpr auto lane_orders = [] {
    std::array<std::uint64_t, 256> out{};
    for (unsigned bits = 0; bits < 256; ++bits)
        for (unsigned lane = 0, n = 0; lane < 8; ++lane)
            if (bits >> lane & 1u) out[bits] |= std::uint64_t{lane} << 8 * n++;
    return out;
}();

RECSYS_DETAIL_TARGET("avx2,fma")

namespace avx2 {

inline constexpr int tile_size = 12;
inline constexpr bool masks_are_slow = false;

RECSYS_DETAIL_INLINE __m256i lane_order(unsigned bits) {
    return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(lane_orders[bits])));
}
template <class Raw>
inline std::uint32_t append_words(Raw const* lanes, unsigned bits, std::uint32_t first_place, Raw* raws, std::uint32_t* places) {
    if ((bits & (bits - 1)) == 0) return append_each(lanes, bits, first_place, raws, places); // most often
    std::uint32_t n = 0;
    for (std::uint32_t first = 0; bits != 0; bits >>= 8, first += 8) {
        auto const order = lane_order(bits & 255u);
        auto const x = _mm256_loadu_si256(reinterpret_cast<__m256i const*>(lanes + first));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(raws + n), _mm256_permutevar8x32_epi32(x, order));
        auto const at = _mm256_add_epi32(order, _mm256_set1_epi32(static_cast<int>(first_place + first)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(places + n), at);
        n += bit_count(bits & 255u);
    }
    return n;
}
template <class Raw>
inline std::uint32_t move_words(Raw const* from, std::uint32_t const* ids, unsigned bits, Raw* to, std::uint32_t* ids_to) {
    auto const order = lane_order(bits);
    auto const x = _mm256_loadu_si256(reinterpret_cast<__m256i const*>(from));
    auto const y = _mm256_loadu_si256(reinterpret_cast<__m256i const*>(ids));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permutevar8x32_epi32(x, order));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(ids_to), _mm256_permutevar8x32_epi32(y, order));
    return bit_count(bits);
}

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

RECSYS_DETAIL_END_TARGET
RECSYS_DETAIL_TARGET("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")

namespace avx512 {

inline constexpr int tile_size = 24;
inline constexpr bool masks_are_slow = false;

template <class Raw>
inline std::uint32_t append_words(Raw const* lanes, unsigned bits, std::uint32_t first_place, Raw* raws, std::uint32_t* places) {
    auto const mask = static_cast<__mmask16>(bits);
    auto const at = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first_place)),
                                     _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    _mm512_storeu_si512(raws, _mm512_maskz_compress_epi32(mask, _mm512_loadu_si512(lanes)));
    _mm512_storeu_si512(places, _mm512_maskz_compress_epi32(mask, at));
    return bit_count(bits);
}
template <class Raw>
inline std::uint32_t move_words(Raw const* from, std::uint32_t const* ids, unsigned bits, Raw* to, std::uint32_t* ids_to) {
    auto const mask = static_cast<__mmask16>(bits);
    auto const x = _mm512_maskz_compress_epi32(mask, _mm512_loadu_si512(from));
    auto const y = _mm512_maskz_compress_epi32(mask, _mm512_loadu_si512(ids));
    _mm512_storeu_si512(to, x);
    _mm512_storeu_si512(ids_to, y);
    return bit_count(bits);
}

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

RECSYS_DETAIL_END_TARGET

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
