// SPDX-License-Identifier: MIT
// The kernels of rough scores, products of rows of 8 bits, and the choice among them.
#ifndef RECSYS_CORE_SIMD_SELECT_ROUGH_HPP
#define RECSYS_CORE_SIMD_SELECT_ROUGH_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select.hpp>
#include <recsys/core/simd/select_scores.hpp>

#pragma push_macro("RECSYS_DETAIL_UNROLL")
#undef RECSYS_DETAIL_UNROLL
#if defined(__GNUC__)
#define RECSYS_DETAIL_UNROLL _Pragma("GCC unroll 16")
#else
#define RECSYS_DETAIL_UNROLL
#endif

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// A bar that no sum reaches: with fewer than 2^16 factors they stay below.
inline constexpr std::int32_t no_rough_bar = 1 << 30;

/// What a scan of rough scores reads, and where it writes: a raw hit is the sum less the lower one of the bars of its user and its item.
struct rough_scan {
    std::uint8_t const* items;        ///< packed blocks
    std::uint8_t const* const* users; ///< rows of 4 n_steps numbers, each with the table's offset added
    std::int32_t const* bars;         ///< for each user; at most no_rough_bar either way
    std::int32_t const* item_bars;    ///< for each item
    std::size_t n_users;
    std::size_t n_blocks; ///< a multiple of 8
    std::size_t n_steps;  ///< of four factors
    std::uint32_t first_place;
    score_hits<std::int32_t>* hits;
};

// A row of floats has 4 n_steps numbers here, of which each is multiplied with `times`. Squares and sums are of two parts: the first and the last two
// of every four numbers.

/// What a row is like.
struct rough_measures {
    double largest = 0, squares[2] = {0, 0};
};
/// A row as whole numbers q, four a step: the row, multiplied, is scale q + rest.
struct rounded_row {
    double squares = 0, rests = 0; ///< of all q, and of the rest
    std::int32_t sums[2] = {0, 0};
};

/// The kernel of one level, and what the numbers of rows may be for it.
struct rough_table {
    void (*scan)(rough_scan const&) = nullptr; ///< null: there is none
    /// A row of n numbers turned, so that one that is large is spread over many: products are those of the rows as they are.
    /// Source: Hadamard's matrices of powers of 2, after signs that make rows of any pattern alike.
    void (*turn)(float const* row, float const* signs, std::size_t n, float* out) = nullptr;
    rough_measures (*measure)(float const* row, double times, std::size_t n_steps) = nullptr;
    /// Writes q + offset, four of them every `stride` bytes.
    rounded_row (*round)(float const* row, double times, double scale, std::size_t n_steps, int offset, std::uint8_t* out,
                         std::size_t stride) = nullptr;
    int most_of_user = 0; ///< no number of a user's row is larger, either way
    int offset = 0;       ///< is added to them, so that they have no sign; an item's sums start with as much less
    /// Whether sums are kept as two of 16 bits, of the first and of the last two of every four factors: the length of either part of a user's row
    /// times that of an item's must fit.
    bool in_halves = false;
};

/// How many of n steps are turned together: the largest power of 2.
RECSYS_DETAIL_INLINE std::size_t turned_together(std::size_t n) noexcept {
    std::size_t size = 1;
    while (2 * size <= n) size *= 2;
    return size;
}

#if defined(__GNUC__) && defined(__x86_64__)

// Steps in assembler: g++ 12 copies or spills all sums around the intrinsics, which takes half of the speed.

RECSYS_DETAIL_TARGET("avx2,fma")

namespace avx2 {

struct rough {
    using reg = __m256i;
    static constexpr std::size_t width = 8;
    static constexpr bool in_halves = true;
    static RECSYS_DETAIL_INLINE reg load(void const* p) { return _mm256_loadu_si256(static_cast<__m256i const*>(p)); }
    static RECSYS_DETAIL_INLINE void store(void* p, reg x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
    static RECSYS_DETAIL_INLINE reg set(std::int32_t x) { return _mm256_set1_epi32(x); }
    static RECSYS_DETAIL_INLINE reg set_bytes(std::uint8_t const* p) {
        std::int32_t x;
        std::memcpy(&x, p, sizeof x);
        return _mm256_set1_epi32(x);
    }
    static RECSYS_DETAIL_INLINE reg min(reg a, reg b) { return _mm256_min_epi32(a, b); }
    static RECSYS_DETAIL_INLINE reg start(reg start, reg, reg) { return start; }
    static RECSYS_DETAIL_INLINE void step(reg& sum, reg x, reg y) {
        reg product;
        asm("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(x), "x"(y));
    }
    static RECSYS_DETAIL_INLINE reg finish(reg sum, reg bar) { return _mm256_sub_epi32(_mm256_madd_epi16(sum, _mm256_set1_epi16(1)), bar); }
    static RECSYS_DETAIL_INLINE reg both(reg a, reg b) { return _mm256_and_si256(a, b); }
    static RECSYS_DETAIL_INLINE unsigned bits(reg x) { return ~static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(x))) & 255u; }
    static RECSYS_DETAIL_INLINE std::uint32_t append(reg x, unsigned bits, std::uint32_t first_place, std::int32_t* raws,
                                                     std::uint32_t* places) {
        auto const order = lane_order(bits);
        store(raws, _mm256_permutevar8x32_epi32(x, order));
        store(places, _mm256_add_epi32(order, set(static_cast<std::int32_t>(first_place))));
        return bit_count(bits);
    }
};

#include <recsys/core/simd/rough_kernels.inl>

inline void turn_row(float const* row, float const* signs, std::size_t n, float* out) {
    std::size_t const n_steps = (n + 3) / 4;
    for (std::size_t s = 0; s < n_steps; ++s) {
        float four[4] = {0, 0, 0, 0};
        if (4 * s + 4 <= n) _mm_storeu_ps(four, _mm_loadu_ps(row + 4 * s));
        else
            for (std::size_t k = 4 * s; k < n; ++k) four[k % 4] = row[k];
        __m128 x = _mm_mul_ps(_mm_loadu_ps(four), _mm_loadu_ps(signs + 4 * s));
        x = _mm_add_ps(_mm_permute_ps(x, 0xb1), _mm_xor_ps(x, _mm_setr_ps(0.f, -0.f, 0.f, -0.f)));
        x = _mm_add_ps(_mm_permute_ps(x, 0x4e), _mm_xor_ps(x, _mm_setr_ps(0.f, 0.f, -0.f, -0.f)));
        _mm_storeu_ps(out + 4 * s, x);
    }
    for (std::size_t first = 0, size = 0; first < n_steps; first += size) {
        size = turned_together(n_steps - first);
        for (std::size_t apart = 1; apart < size; apart *= 2)
            for (std::size_t s = first; s < first + size; s += 2 * apart)
                for (std::size_t j = s; j < s + apart; ++j) {
                    __m128 const a = _mm_loadu_ps(out + 4 * j), b = _mm_loadu_ps(out + 4 * (j + apart));
                    _mm_storeu_ps(out + 4 * j, _mm_add_ps(a, b));
                    _mm_storeu_ps(out + 4 * (j + apart), _mm_sub_ps(a, b));
                }
    }
}
RECSYS_DETAIL_INLINE __m256d four_numbers(float const* row, double times) {
    return _mm256_mul_pd(_mm256_cvtps_pd(_mm_loadu_ps(row)), _mm256_set1_pd(times));
}
inline rough_measures measure_row(float const* row, double times, std::size_t n_steps) {
    __m256d largest = _mm256_setzero_pd(), squares = _mm256_setzero_pd();
    for (std::size_t s = 0; s < n_steps; ++s) {
        __m256d const x = four_numbers(row + 4 * s, times);
        largest = _mm256_max_pd(largest, _mm256_andnot_pd(_mm256_set1_pd(-0.0), x));
        squares = _mm256_fmadd_pd(x, x, squares);
    }
    double most[4], parts[4];
    _mm256_storeu_pd(most, largest), _mm256_storeu_pd(parts, squares);
    rough_measures out{most[0], {parts[0] + parts[1], parts[2] + parts[3]}};
    for (double const x : most) out.largest = x > out.largest ? x : out.largest;
    return out;
}
inline rounded_row round_row(float const* row, double times, double scale, std::size_t n_steps, int offset, std::uint8_t* out,
                             std::size_t stride) {
    __m256d const inverse = _mm256_set1_pd(1 / scale), unit = _mm256_set1_pd(scale);
    __m256d squares = _mm256_setzero_pd(), rests = _mm256_setzero_pd();
    __m128i sums = _mm_setzero_si128();
    for (std::size_t s = 0; s < n_steps; ++s, out += stride) {
        __m256d const x = four_numbers(row + 4 * s, times);
        __m256d const q = _mm256_round_pd(_mm256_mul_pd(x, inverse), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        __m256d const rest = _mm256_fnmadd_pd(unit, q, x);
        squares = _mm256_fmadd_pd(q, q, squares), rests = _mm256_fmadd_pd(rest, rest, rests);
        __m128i const whole = _mm256_cvtpd_epi32(q);
        sums = _mm_add_epi32(sums, whole);
        __m128i const bytes = _mm_shuffle_epi8(_mm_add_epi32(whole, _mm_set1_epi32(offset)), _mm_set1_epi32(0x0c080400));
        std::int32_t const four = _mm_cvtsi128_si32(bytes);
        std::memcpy(out, &four, sizeof four);
    }
    double parts[8];
    std::int32_t of_four[4];
    _mm256_storeu_pd(parts, squares), _mm256_storeu_pd(parts + 4, rests);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(of_four), sums);
    return {parts[0] + parts[1] + parts[2] + parts[3],
            parts[4] + parts[5] + parts[6] + parts[7],
            {of_four[0] + of_four[1], of_four[2] + of_four[3]}};
}

inline rough_table rough_scores() { return {&rough_scan_of<rough, 6, 1, 4>, &turn_row, &measure_row, &round_row, 63, 64, true}; }

}

RECSYS_DETAIL_END_TARGET
RECSYS_DETAIL_TARGET("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")

namespace avx512 {

struct rough {
    using reg = __m512i;
    static constexpr std::size_t width = 16;
    static constexpr bool in_halves = true;
    static RECSYS_DETAIL_INLINE reg load(void const* p) { return _mm512_loadu_si512(p); }
    static RECSYS_DETAIL_INLINE void store(void* p, reg x) { _mm512_storeu_si512(p, x); }
    static RECSYS_DETAIL_INLINE reg set(std::int32_t x) { return _mm512_set1_epi32(x); }
    static RECSYS_DETAIL_INLINE reg set_bytes(std::uint8_t const* p) {
        std::int32_t x;
        std::memcpy(&x, p, sizeof x);
        return _mm512_set1_epi32(x);
    }
    static RECSYS_DETAIL_INLINE reg min(reg a, reg b) { return _mm512_maskz_min_epi32(0xffff, a, b); } // as in select.hpp
    static RECSYS_DETAIL_INLINE reg start(reg start, reg, reg) { return start; }
    static RECSYS_DETAIL_INLINE void step(reg& sum, reg x, reg y) {
        reg product;
        asm("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+v"(sum), "=&v"(product) : "v"(x), "v"(y));
    }
    static RECSYS_DETAIL_INLINE reg finish(reg sum, reg bar) { return _mm512_sub_epi32(_mm512_madd_epi16(sum, _mm512_set1_epi16(1)), bar); }
    static RECSYS_DETAIL_INLINE reg both(reg a, reg b) { return _mm512_and_si512(a, b); }
    static RECSYS_DETAIL_INLINE unsigned bits(reg x) { return static_cast<std::uint16_t>(~_mm512_movepi32_mask(x)); }
    static RECSYS_DETAIL_INLINE std::uint32_t append(reg x, unsigned bits, std::uint32_t first_place, std::int32_t* raws,
                                                     std::uint32_t* places) {
        auto const lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        auto const mask = static_cast<__mmask16>(bits);
        store(raws, _mm512_maskz_compress_epi32(mask, x));
        store(places, _mm512_add_epi32(_mm512_maskz_compress_epi32(mask, lanes), set(static_cast<std::int32_t>(first_place))));
        return bit_count(bits);
    }
};

#include <recsys/core/simd/rough_kernels.inl>

inline rough_table rough_scores() {
    return {&rough_scan_of<rough, 12, 2, 8>, &avx2::turn_row, &avx2::measure_row, &avx2::round_row, 63, 64, true};
}

/// With VNNI: sums of 32 bits.
struct vnni_rough : rough {
    static constexpr bool in_halves = false;
    static RECSYS_DETAIL_INLINE reg start(reg start, reg bar, reg other) { return _mm512_sub_epi32(start, min(bar, other)); }
    static RECSYS_DETAIL_INLINE void step(reg& sum, reg x, reg y) { asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(y)); }
};
inline rough_table vnni_rough_scores() {
    return {&rough_scan_of<vnni_rough, 12, 2, 8>, &avx2::turn_row, &avx2::measure_row, &avx2::round_row, 127, 128, false};
}

}

RECSYS_DETAIL_END_TARGET

#endif

/// The kernel of rough scores of a level that this machine has. Portable code has none: without such instructions a product of 8 bits takes as long
/// as one of floats.
inline rough_table rough_kernels(simd_level level) noexcept {
#if defined(__GNUC__) && defined(__x86_64__)
    if (level == simd_level::avx512) return uses_vnni() ? avx512::vnni_rough_scores() : avx512::rough_scores();
    if (level == simd_level::avx2) return avx2::rough_scores();
#endif
    (void)level;
    return {};
}

}}} // namespace recsys::detail

#pragma pop_macro("RECSYS_DETAIL_UNROLL")

#include <recsys/core/pop_macros.hpp>
#endif
