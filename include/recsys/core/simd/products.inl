// SPDX-License-Identifier: MIT
// Kernels of dense linear algebra: one text for all instruction sets, repeated in a namespace of its own for each. Here: symmetric products.
//
// Where it stands, pack<S> is a vector register of that level: `reg`, `width` lanes, and load, store, set, add, sub, mul, fma (a * b + c),
// fnma (c - a * b), sum, sums (lane r is the sum of the r-th of `width` registers); that of double also widen, which loads from either type.
// Matrices are row-major with rows of `ld` elements, a multiple of the width and of 4; symmetric ones live in their upper triangle, and what
// lies below it is not defined.

/// a[r][c] +-= sum over k in [first, last) of left[k * left_step + r * left_row] * right[k * right_ld + c]: a block that stays in registers.
template <class S, int Rows, int Packs, bool Subtract, class Left>
RECSYS_DETAIL_INLINE void tile(S* a, std::size_t ld, Left const* left, std::size_t left_row, std::size_t left_step, S const* right,
                               std::size_t right_ld, std::size_t first, std::size_t last) {
    using p = pack<S>;
    typename p::reg sum[Rows][Packs];
    RECSYS_DETAIL_UNROLL
    for (int r = 0; r < Rows; ++r) {
        RECSYS_DETAIL_UNROLL
        for (int c = 0; c < Packs; ++c) sum[r][c] = p::load(a + static_cast<std::size_t>(r) * ld + static_cast<std::size_t>(c) * p::width);
    }
    for (std::size_t k = first; k < last; ++k) {
        typename p::reg row[Packs];
        RECSYS_DETAIL_UNROLL
        for (int c = 0; c < Packs; ++c) row[c] = p::load(right + k * right_ld + static_cast<std::size_t>(c) * p::width);
        RECSYS_DETAIL_UNROLL
        for (int r = 0; r < Rows; ++r) {
            auto const x = p::set(static_cast<S>(left[k * left_step + static_cast<std::size_t>(r) * left_row]));
            RECSYS_DETAIL_UNROLL
            for (int c = 0; c < Packs; ++c) sum[r][c] = Subtract ? p::fnma(x, row[c], sum[r][c]) : p::fma(x, row[c], sum[r][c]);
        }
    }
    RECSYS_DETAIL_UNROLL
    for (int r = 0; r < Rows; ++r) {
        RECSYS_DETAIL_UNROLL
        for (int c = 0; c < Packs; ++c) p::store(a + static_cast<std::size_t>(r) * ld + static_cast<std::size_t>(c) * p::width, sum[r][c]);
    }
}

/// Rows i .. i + 3 of the symmetric product of a panel, from the diagonal on: three packs at a time, the last four as two and two.
template <class S, bool Subtract> inline void product_rows(S* a, std::size_t ld, S const* panel, std::size_t i, std::size_t depth) {
    constexpr std::size_t width = pack<S>::width;
    std::size_t j = i / width * width;
    std::size_t packs = (ld - j) / width;
    S* const rows = a + i * ld;
    S const* const left = panel + i;
    for (; packs > 4 || packs == 3; packs -= 3, j += 3 * width) tile<S, 4, 3, Subtract>(rows + j, ld, left, 1, ld, panel + j, ld, 0, depth);
    for (; packs >= 2; packs -= 2, j += 2 * width) tile<S, 4, 2, Subtract>(rows + j, ld, left, 1, ld, panel + j, ld, 0, depth);
    if (packs == 1) tile<S, 4, 1, Subtract>(rows + j, ld, left, 1, ld, panel + j, ld, 0, depth);
}

/// a += panel' panel, for `depth` rows of the panel.
template <class S> void symmetric_update(S* a, std::size_t ld, S const* panel, std::size_t depth) {
    if (depth == 0) return; // then there may be no panel
    for (std::size_t i = 0; i < ld; i += 4) product_rows<S, false>(a, ld, panel, i, depth);
}
