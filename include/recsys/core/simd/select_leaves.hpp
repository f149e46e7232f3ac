// SPDX-License-Identifier: MIT
// The kernels of trees, compiled for each level between target pragmas, and the choice among them.
#ifndef RECSYS_CORE_SIMD_SELECT_LEAVES_HPP
#define RECSYS_CORE_SIMD_SELECT_LEAVES_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_trees.hpp>

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

/// The six tests of a tree: bit k of a row's place among 64 leaves is set where bar k is above the bin at place k, both as signed bytes.
struct shuffle_test {
    std::uint32_t place[6]; ///< of the feature's bins, from those of the block's first feature
    std::uint32_t bar[6];   ///< the byte, four times
};
static_assert(sizeof(shuffle_test) == 48);

/// Some trees, at most 256: each adds its leaf x 2^shift, where leaves are numbers of one or two bytes.
struct shuffle_batch {
    shuffle_test const* tests;
    std::uint8_t const* leaves; ///< for each tree 64 lower bytes, then, with two planes, 64 upper ones
    std::size_t n_trees;
    std::int32_t planes, shift;
};

/// Up to sixteen tests of rows that are bytes, a bit of the leaf's number each: is place k of what is chosen from a row, by `mask`, at least
/// `bar`? A test without a byte has mask 0 and bar 1. A window is the sixteen bytes of each row from which some tests choose theirs.
struct byte_tests {
    static constexpr std::uint8_t elsewhere = 0x80; ///< the place of a test that chooses from another window
    struct window {
        std::uint8_t const* first; ///< of the first row; 128 bytes can be read from any row on
        std::size_t stride;        ///< to the next row, at most 37 bytes
        std::uint8_t place[16];    ///< of each test
    };
    window windows[16];
    std::size_t n_windows = 0;
    std::uint8_t mask[16] = {}, bar[16];
};

/// The kernels of one level; bin_kernels.inl, tree_kernels.inl and leaf_shuffles.inl say what each does.
struct bin_table {
    void (*bin_numbers)(float const* numbers, std::size_t n, float missing, float const* borders, std::size_t n_borders, std::uint8_t* out);
    leaf_byte_finder leaf_bytes;
    // Null where a level has no shuffles.
    /// The leaves of rows row .. row + n - 1, n a multiple of four.
    void (*byte_leaves)(byte_tests const& tests, std::size_t row, std::size_t n, std::uint16_t* out) = nullptr;
    void (*flip_bins)(std::uint8_t* bins, std::size_t n) = nullptr;
    void (*add_trees)(shuffle_batch const& batch, std::uint8_t const* bins, std::size_t n, std::int64_t* sums) = nullptr;
};

inline constexpr float greatest_number = 3.402823466e+38f;

// --- portable: 16 rows at a time without branches, which compilers turn into vector code --------------

namespace portable {

struct numbers {
    /// As comparable_number in ranker/binning.hpp.
    static RECSYS_DETAIL_INLINE void comparable(float const* from, float missing, float* to) {
        for (std::size_t k = 0; k < 16; ++k) {
            float const v = from[k], high = v < greatest_number ? v : greatest_number;
            to[k] = v != v ? missing : high > -greatest_number ? high : -greatest_number;
        }
    }
    /// How many of sixteen borders are below x: a search whose steps do not depend on what it finds.
    static RECSYS_DETAIL_INLINE std::size_t count_below(float const* borders, float x) {
        std::size_t at = 0;
        at += borders[7] < x ? 8 : 0;
        at += borders[at + 3] < x ? 4 : 0;
        at += borders[at + 1] < x ? 2 : 0;
        at += borders[at] < x ? 1 : 0;
        return at + (borders[at] < x ? 1 : 0);
    }
    /// The same of the first n for all sixteen numbers.
    static RECSYS_DETAIL_INLINE void count_few(float const* x, float const* borders, std::size_t, std::uint8_t* out) {
        for (std::size_t k = 0; k < 16; ++k) out[k] = static_cast<std::uint8_t>(count_below(borders, x[k]));
    }
};

#include <recsys/core/simd/bin_kernels.inl>

}

#if defined(__GNUC__) && defined(__x86_64__)

// --- AVX2 -----------------------------------------------------------------------------------------

RECSYS_DETAIL_TARGET("avx2,fma,popcnt")

namespace avx2 {

struct numbers {
    static RECSYS_DETAIL_INLINE void comparable(float const* from, float missing, float* to) {
        __m256 const most = _mm256_set1_ps(greatest_number), least = _mm256_set1_ps(-greatest_number), other = _mm256_set1_ps(missing);
        for (int half = 0; half < 2; ++half) {
            __m256 const x = _mm256_loadu_ps(from + 8 * half);
            __m256 const bounded = _mm256_max_ps(_mm256_min_ps(x, most), least);
            _mm256_store_ps(to + 8 * half, _mm256_blendv_ps(bounded, other, _mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
        }
    }
    static RECSYS_DETAIL_INLINE std::size_t count_below(float const* borders, float x) {
        __m256 const of = _mm256_set1_ps(x);
        __m256i const low = _mm256_castps_si256(_mm256_cmp_ps(_mm256_load_ps(borders), of, _CMP_LT_OQ));
        __m256i const high = _mm256_castps_si256(_mm256_cmp_ps(_mm256_load_ps(borders + 8), of, _CMP_LT_OQ));
        auto const bits = static_cast<unsigned>(_mm256_movemask_epi8(_mm256_packs_epi32(low, high)));
        return static_cast<unsigned>(__builtin_popcount(bits)) / 2u;
    }
    static RECSYS_DETAIL_INLINE void count_few(float const* x, float const* borders, std::size_t n, std::uint8_t* out) {
        __m256 const low = _mm256_load_ps(x), high = _mm256_load_ps(x + 8);
        __m256i below_low = _mm256_setzero_si256(), below_high = below_low; // minus the count
        for (std::size_t b = 0; b < n; ++b) {
            __m256 const border = _mm256_set1_ps(borders[b]);
            below_low = _mm256_add_epi32(below_low, _mm256_castps_si256(_mm256_cmp_ps(border, low, _CMP_LT_OQ)));
            below_high = _mm256_add_epi32(below_high, _mm256_castps_si256(_mm256_cmp_ps(border, high, _CMP_LT_OQ)));
        }
        __m256i const words = _mm256_permute4x64_epi64(_mm256_packs_epi32(below_low, below_high), 0xD8);
        __m128i const counts = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i_u*>(out), _mm_sub_epi8(_mm_setzero_si128(), counts));
    }
};

struct shuffles {
    using reg = __m256i;
    static constexpr std::size_t rows = 32;
    static constexpr int groups = 1;
    /// Four bits choose a byte in each of four tables of sixteen, two masks a table.
    struct index {
        reg low, bit4, bit5;
    };
    static RECSYS_DETAIL_INLINE reg zero() { return _mm256_setzero_si256(); }
    static RECSYS_DETAIL_INLINE void flip(std::uint8_t* bins) {
        auto* const at = reinterpret_cast<__m256i_u*>(bins);
        _mm256_storeu_si256(at, _mm256_xor_si256(_mm256_loadu_si256(at), _mm256_set1_epi8(-128)));
    }
    static RECSYS_DETAIL_INLINE reg below(shuffle_test const& test, int k, std::uint8_t const* bins) {
        return _mm256_cmpgt_epi8(_mm256_set1_epi32(static_cast<int>(test.bar[k])),
                                 _mm256_loadu_si256(reinterpret_cast<__m256i_u const*>(bins + test.place[k])));
    }
    static RECSYS_DETAIL_INLINE index index_of(shuffle_test const& test, std::uint8_t const* bins) {
        // A mask is -1: taking it away adds bit 0.
        reg const low = _mm256_sub_epi8(_mm256_and_si256(below(test, 1, bins), _mm256_set1_epi8(2)), below(test, 0, bins));
        reg const high = _mm256_or_si256(_mm256_and_si256(below(test, 2, bins), _mm256_set1_epi8(4)),
                                         _mm256_and_si256(below(test, 3, bins), _mm256_set1_epi8(8)));
        return {_mm256_or_si256(low, high), below(test, 4, bins), below(test, 5, bins)};
    }
    static RECSYS_DETAIL_INLINE reg sixteen(reg at, std::uint8_t const* table) {
        return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<__m128i const*>(table))), at);
    }
    static RECSYS_DETAIL_INLINE reg look_up(index const& at, std::uint8_t const* table) {
        reg const first = _mm256_blendv_epi8(sixteen(at.low, table), sixteen(at.low, table + 16), at.bit4);
        reg const second = _mm256_blendv_epi8(sixteen(at.low, table + 32), sixteen(at.low, table + 48), at.bit4);
        return _mm256_blendv_epi8(first, second, at.bit5);
    }
    static RECSYS_DETAIL_INLINE reg add_words(reg a, reg b) { return _mm256_add_epi16(a, b); }
    static RECSYS_DETAIL_INLINE reg upper_bytes(reg x) { return _mm256_srli_epi16(x, 8); }
    static RECSYS_DETAIL_INLINE reg lower_bytes(reg all, reg upper) { return _mm256_sub_epi16(all, _mm256_slli_epi16(upper, 8)); }
    static RECSYS_DETAIL_INLINE void store_rows(std::uint16_t* to, reg even, reg odd) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(to), _mm256_unpacklo_epi16(even, odd));
        _mm256_store_si256(reinterpret_cast<__m256i*>(to + 16), _mm256_unpackhi_epi16(even, odd));
    }
    static RECSYS_DETAIL_INLINE void add_wide(std::int64_t* sums, std::uint16_t const* words, int shift) {
        __m128i const by = _mm_cvtsi32_si128(shift), eight = _mm_load_si128(reinterpret_cast<__m128i const*>(words));
        for (int half = 0; half < 2; ++half) {
            __m256i const four = _mm256_cvtepu16_epi64(half == 0 ? eight : _mm_unpackhi_epi64(eight, eight));
            auto* const at = reinterpret_cast<__m256i_u*>(sums + 4 * half);
            _mm256_storeu_si256(at, _mm256_add_epi64(_mm256_loadu_si256(at), _mm256_sll_epi64(four, by)));
        }
    }
};

RECSYS_DETAIL_INLINE __m128i sixteen_bytes(std::uint8_t const* p) { return _mm_loadu_si128(reinterpret_cast<__m128i_u const*>(p)); }
RECSYS_DETAIL_INLINE __m256i twice(std::uint8_t const* p) { return _mm256_broadcastsi128_si256(sixteen_bytes(p)); }
inline void byte_leaves(byte_tests const& tests, std::size_t row, std::size_t n, std::uint16_t* out) {
    __m256i const mask = twice(tests.mask), bar = twice(tests.bar);
    for (std::size_t i = 0; i < n; i += 2) {
        __m256i bytes = _mm256_setzero_si256();
        for (auto const* w = tests.windows; w != tests.windows + tests.n_windows; ++w) {
            auto const* const from = w->first + (row + i) * w->stride;
            __m256i const both = _mm256_inserti128_si256(_mm256_castsi128_si256(sixteen_bytes(from)), sixteen_bytes(from + w->stride), 1);
            bytes = _mm256_or_si256(bytes, _mm256_shuffle_epi8(both, twice(w->place)));
        }
        bytes = _mm256_and_si256(bytes, mask);
        int const leaves = _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(bytes, bar), bytes));
        std::memcpy(out + i, &leaves, sizeof leaves);
    }
}

#include <recsys/core/simd/bin_kernels.inl>
#include <recsys/core/simd/leaf_shuffles.inl>

}

// --- AVX-512 with VBMI, which shuffles 64 bytes at once ---------------------------------------------

RECSYS_DETAIL_END_TARGET
RECSYS_DETAIL_TARGET("avx2,fma,popcnt,avx512f,avx512dq,avx512bw,avx512vl,avx512vbmi")

namespace avx512 {

struct numbers {
    static RECSYS_DETAIL_INLINE void comparable(float const* from, float missing, float* to) {
        __m512 const x = _mm512_loadu_ps(from);
        __m512 const high = _mm512_maskz_min_ps(65535, x, _mm512_set1_ps(greatest_number));
        __m512 const bounded = _mm512_maskz_max_ps(65535, high, _mm512_set1_ps(-greatest_number));
        _mm512_store_ps(to, _mm512_mask_mov_ps(bounded, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), _mm512_set1_ps(missing)));
    }
    static RECSYS_DETAIL_INLINE std::size_t count_below(float const* borders, float x) {
        auto const bits = static_cast<unsigned>(_mm512_cmp_ps_mask(_mm512_load_ps(borders), _mm512_set1_ps(x), _CMP_LT_OQ));
        return static_cast<unsigned>(__builtin_popcount(bits));
    }
    static RECSYS_DETAIL_INLINE void count_few(float const* x, float const* borders, std::size_t n, std::uint8_t* out) {
        __m512 const of = _mm512_load_ps(x);
        __m512i count = _mm512_setzero_si512();
        for (std::size_t b = 0; b < n; ++b)
            count =
                _mm512_mask_add_epi32(count, _mm512_cmp_ps_mask(_mm512_set1_ps(borders[b]), of, _CMP_LT_OQ), count, _mm512_set1_epi32(1));
        _mm_storeu_si128(reinterpret_cast<__m128i_u*>(out), _mm512_maskz_cvtepi32_epi8(65535, count));
    }
};

struct shuffles {
    using reg = __m512i;
    using index = reg;
    static constexpr std::size_t rows = 64;
    static constexpr int groups = 2;
    static RECSYS_DETAIL_INLINE reg zero() { return _mm512_setzero_si512(); }
    static RECSYS_DETAIL_INLINE void flip(std::uint8_t* bins) {
        _mm512_storeu_si512(bins, _mm512_xor_si512(_mm512_loadu_si512(bins), _mm512_set1_epi8(-128)));
    }
    static RECSYS_DETAIL_INLINE reg mark_below(reg x, shuffle_test const& test, int k, std::uint8_t const* bins) {
        auto const below =
            _mm512_cmpgt_epi8_mask(_mm512_set1_epi32(static_cast<int>(test.bar[k])), _mm512_loadu_si512(bins + test.place[k]));
        return _mm512_mask_add_epi8(x, below, x, _mm512_set1_epi8(static_cast<char>(1 << k)));
    }
    static RECSYS_DETAIL_INLINE index index_of(shuffle_test const& test, std::uint8_t const* bins) {
        reg x = zero();
        RECSYS_DETAIL_UNROLL
        for (int k = 0; k < 6; ++k) x = mark_below(x, test, k, bins);
        return x;
    }
    static RECSYS_DETAIL_INLINE reg look_up(index at, std::uint8_t const* table) {
        return _mm512_maskz_permutexvar_epi8(~__mmask64{0}, at, _mm512_load_si512(table));
    }
    static RECSYS_DETAIL_INLINE reg add_words(reg a, reg b) { return _mm512_add_epi16(a, b); }
    static RECSYS_DETAIL_INLINE reg upper_bytes(reg x) { return _mm512_srli_epi16(x, 8); }
    static RECSYS_DETAIL_INLINE reg lower_bytes(reg all, reg upper) { return _mm512_sub_epi16(all, _mm512_slli_epi16(upper, 8)); }
    static RECSYS_DETAIL_INLINE void store_rows(std::uint16_t* to, reg even, reg odd) {
        _mm512_store_si512(to, _mm512_unpacklo_epi16(even, odd));
        _mm512_store_si512(to + 32, _mm512_unpackhi_epi16(even, odd));
    }
    static RECSYS_DETAIL_INLINE void add_wide(std::int64_t* sums, std::uint16_t const* words, int shift) {
        __m512i const eight = _mm512_maskz_cvtepu16_epi64(255, _mm_load_si128(reinterpret_cast<__m128i const*>(words)));
        _mm512_storeu_si512(sums, _mm512_add_epi64(_mm512_loadu_si512(sums), _mm512_maskz_sll_epi64(255, eight, _mm_cvtsi32_si128(shift))));
    }
};

RECSYS_DETAIL_INLINE __m512i four_times(std::uint8_t const* p) {
    return _mm512_maskz_broadcast_i32x4(65535, _mm_loadu_si128(reinterpret_cast<__m128i_u const*>(p)));
}
inline void byte_leaves(byte_tests const& tests, std::size_t row, std::size_t n, std::uint16_t* out) {
    alignas(64) std::uint8_t place[16][64] = {}; // of four rows' bytes in the 128 from the first one's on
    __mmask64 here[16] = {};
    for (std::size_t w = 0; w < tests.n_windows; ++w)
        for (std::size_t i = 0; i < 64; ++i) {
            auto const& of = tests.windows[w];
            if (of.place[i % 16] == byte_tests::elsewhere) continue;
            place[w][i] = static_cast<std::uint8_t>(i / 16 * of.stride + of.place[i % 16]), here[w] |= std::uint64_t{1} << i;
        }
    __m512i const mask = four_times(tests.mask), bar = four_times(tests.bar);
    for (std::size_t i = 0; i < n; i += 4) {
        __m512i bytes = _mm512_setzero_si512();
        for (std::size_t w = 0; w < tests.n_windows; ++w) {
            auto const* const from = tests.windows[w].first + (row + i) * tests.windows[w].stride;
            bytes = _mm512_or_si512(bytes, _mm512_maskz_permutex2var_epi8(here[w], _mm512_loadu_si512(from), _mm512_load_si512(place[w]),
                                                                          _mm512_loadu_si512(from + 64)));
        }
        std::uint64_t const leaves = _mm512_cmpge_epu8_mask(_mm512_and_si512(bytes, mask), bar);
        std::memcpy(out + i, &leaves, sizeof leaves);
    }
}

#include <recsys/core/simd/bin_kernels.inl>
#include <recsys/core/simd/leaf_shuffles.inl>

}

RECSYS_DETAIL_END_TARGET

#endif

/// The kernels of a level that this machine has; those of AVX2 where AVX-512 has no VBMI.
inline bin_table bin_kernels(simd_level level) noexcept {
#if defined(__GNUC__) && defined(__x86_64__)
    if (level == simd_level::avx512 && __builtin_cpu_supports("avx512vbmi"))
        return {&avx512::bin_numbers, &avx512::leaf_bytes, &avx512::byte_leaves, &avx512::flip_bins, &avx512::add_trees};
    if (level != simd_level::portable)
        return {&avx2::bin_numbers, &avx2::leaf_bytes, &avx2::byte_leaves, &avx2::flip_bins, &avx2::add_trees};
#endif
    RECSYS_DETAIL_ASSERT(level == simd_level::portable);
    (void)level;
    return {&portable::bin_numbers, &portable::leaf_bytes};
}

}}} // namespace recsys::detail

#pragma pop_macro("RECSYS_DETAIL_UNROLL")

#include <recsys/core/pop_macros.hpp>
#endif
