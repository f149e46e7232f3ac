// SPDX-License-Identifier: MIT
// The kernels of trees, compiled for each level between target pragmas, and the choice among them.
#ifndef RECSYS_CORE_SIMD_SELECT_TREES_HPP
#define RECSYS_CORE_SIMD_SELECT_TREES_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>
#endif

#include <recsys/core/simd/level.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// A question of a tree to the bin of a feature: to the right if it is above the threshold. `low` is the lowest leaf under the test, `middle`
/// the lowest of its right side.
struct tree_test {
    std::uint32_t feature;
    std::uint8_t threshold, low, middle, zero;
};
static_assert(sizeof(tree_test) == 8);

/// The leaves of a tree, and which of them each of 128 rows is in. 64 doubles must be readable.
struct tree_leaves {
    double const* values;
    std::size_t n_leaves;
    std::uint8_t const* numbers;
};

/// tree_kernels.inl says what the finders do.
using leaf_byte_finder = void (*)(tree_test const* tests, std::size_t n_tests, std::uint8_t const* bins, std::size_t stride, std::size_t n,
                                  std::uint8_t* leaves);
/// The kernels of one level.
struct tree_table {
    void (*find_leaves)(tree_test const* tests, std::size_t n_tests, std::uint8_t const* bins, std::size_t n, std::uint8_t* leaves);
    leaf_byte_finder leaf_bytes;
    /// Adds the leaves of four trees to n sums, one after the other; what stands behind them up to 128 is not defined.
    void (*add)(tree_leaves const* trees, std::size_t n, double* sums);
};

namespace portable {

/// Loops of known length, which compilers turn into what vectors the program's flags allow.
struct byte_lanes {
    static constexpr std::size_t width = 16;
    struct reg {
        std::uint8_t lane[width];
    };
    template <class Function> static RECSYS_DETAIL_INLINE reg make(Function const& f) {
        reg out;
        for (std::size_t i = 0; i < width; ++i) out.lane[i] = static_cast<std::uint8_t>(f(i));
        return out;
    }
    static RECSYS_DETAIL_INLINE reg load(std::uint8_t const* p) {
        reg out;
        std::memcpy(&out, p, width);
        return out;
    }
    static RECSYS_DETAIL_INLINE void store(std::uint8_t* p, reg const& x) { std::memcpy(p, &x, width); }
    static RECSYS_DETAIL_INLINE reg set(std::uint8_t x) {
        return make([&](std::size_t) { return x; });
    }
    static RECSYS_DETAIL_INLINE reg above_at(reg const& x, reg const& bar, reg const& a, reg const& b) {
        return make([&](std::size_t i) { return (x.lane[i] > bar.lane[i] ? 255 : 0) & (a.lane[i] == b.lane[i] ? 255 : 0); });
    }
    static RECSYS_DETAIL_INLINE reg choose(reg const& m, reg const& a, reg const& b) {
        return make([&](std::size_t i) { return b.lane[i] ^ (m.lane[i] & (a.lane[i] ^ b.lane[i])); });
    }
    static RECSYS_DETAIL_INLINE reg mark_above(reg const& x, reg const& of, reg const& bar, reg const& bit) {
        auto const above = make([&](std::size_t i) { return of.lane[i] > bar.lane[i] ? 255 : 0; });
        return make([&](std::size_t i) { return x.lane[i] | (above.lane[i] & bit.lane[i]); });
    }
};

inline void add_leaves(tree_leaves const* t, std::size_t n, double* sums) {
    for (std::size_t r = 0; r < n; ++r)
        sums[r] = (((sums[r] + t[0].values[t[0].numbers[r]]) + t[1].values[t[1].numbers[r]]) + t[2].values[t[2].numbers[r]]) +
                  t[3].values[t[3].numbers[r]];
}

#include <recsys/core/simd/tree_kernels.inl>

}

#if defined(__GNUC__) && defined(__x86_64__)

RECSYS_DETAIL_TARGET("avx2,fma")

namespace avx2 {

struct byte_lanes {
    static constexpr std::size_t width = 32;
    using reg = __m256i;
    static RECSYS_DETAIL_INLINE reg load(std::uint8_t const* p) { return _mm256_loadu_si256(reinterpret_cast<__m256i const*>(p)); }
    static RECSYS_DETAIL_INLINE void store(std::uint8_t* p, reg x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
    static RECSYS_DETAIL_INLINE reg set(std::uint8_t x) { return _mm256_set1_epi8(static_cast<char>(x)); }
    /// All bits where x is not above the bar: there is no unsigned comparison, but a minimum.
    static RECSYS_DETAIL_INLINE reg at_most(reg x, reg bar) { return _mm256_cmpeq_epi8(_mm256_min_epu8(x, bar), x); }
    static RECSYS_DETAIL_INLINE reg above_at(reg x, reg bar, reg a, reg b) {
        return _mm256_andnot_si256(at_most(x, bar), _mm256_cmpeq_epi8(a, b));
    }
    static RECSYS_DETAIL_INLINE reg choose(reg m, reg a, reg b) { return _mm256_blendv_epi8(b, a, m); }
    static RECSYS_DETAIL_INLINE reg mark_above(reg x, reg of, reg bar, reg bit) {
        return _mm256_or_si256(x, _mm256_andnot_si256(at_most(of, bar), bit));
    }
};

using portable::add_leaves;

#include <recsys/core/simd/tree_kernels.inl>

}

RECSYS_DETAIL_END_TARGET
RECSYS_DETAIL_TARGET("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")

namespace avx512 {

struct byte_lanes {
    static constexpr std::size_t width = 64;
    using reg = __m512i;
    static RECSYS_DETAIL_INLINE reg load(std::uint8_t const* p) { return _mm512_loadu_si512(p); }
    static RECSYS_DETAIL_INLINE void store(std::uint8_t* p, reg x) { _mm512_storeu_si512(p, x); }
    static RECSYS_DETAIL_INLINE reg set(std::uint8_t x) { return _mm512_set1_epi8(static_cast<char>(x)); }
    static RECSYS_DETAIL_INLINE __mmask64 above_at(reg x, reg bar, reg a, reg b) {
        return _mm512_mask_cmpeq_epu8_mask(_mm512_cmpgt_epu8_mask(x, bar), a, b);
    }
    static RECSYS_DETAIL_INLINE reg choose(__mmask64 m, reg a, reg b) { return _mm512_mask_mov_epi8(b, m, a); }
    static RECSYS_DETAIL_INLINE reg mark_above(reg x, reg of, reg bar, reg bit) {
        return _mm512_mask_add_epi8(x, _mm512_cmpgt_epu8_mask(of, bar), x, bit);
    }
};

/// Tables of 16 leaves in two registers: a permutation looks up eight rows at a time. (The form with a mask, since g++ 12 warns of the other.)
inline void add_leaves(tree_leaves const* trees, std::size_t n, double* sums) {
    for (auto const* t = trees; t < trees + 4; ++t) {
        if (t->n_leaves > 64) {
            for (std::size_t r = 0; r < n; ++r) sums[r] += t->values[t->numbers[r]];
            continue;
        }
        __m512d table[8];
        for (int i = 0; i < 8; ++i) table[i] = _mm512_loadu_pd(t->values + 8 * i);
        auto const bit4 = _mm512_set1_epi64(16), bit5 = _mm512_set1_epi64(32);
        for (std::size_t r = 0; r < n; r += 8) {
            auto const at = _mm512_maskz_cvtepu8_epi64(0xFF, _mm_loadl_epi64(reinterpret_cast<__m128i const*>(t->numbers + r)));
            auto const upper = _mm512_test_epi64_mask(at, bit4);
            auto leaf =
                _mm512_mask_blend_pd(upper, _mm512_permutex2var_pd(table[0], at, table[1]), _mm512_permutex2var_pd(table[2], at, table[3]));
            if (t->n_leaves > 32)
                leaf = _mm512_mask_blend_pd(_mm512_test_epi64_mask(at, bit5), leaf,
                                            _mm512_mask_blend_pd(upper, _mm512_permutex2var_pd(table[4], at, table[5]),
                                                                 _mm512_permutex2var_pd(table[6], at, table[7])));
            _mm512_storeu_pd(sums + r, _mm512_add_pd(_mm512_loadu_pd(sums + r), leaf));
        }
    }
}

#include <recsys/core/simd/tree_kernels.inl>

}

RECSYS_DETAIL_END_TARGET

#endif

/// The kernels of trees of a level that this machine has.
inline tree_table tree_kernels(simd_level level) noexcept {
#if defined(__GNUC__) && defined(__x86_64__)
    if (level == simd_level::avx512) return avx512::trees();
    if (level == simd_level::avx2) return avx2::trees();
#endif
    RECSYS_DETAIL_ASSERT(level == simd_level::portable);
    (void)level;
    return portable::trees();
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
