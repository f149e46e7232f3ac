// SPDX-License-Identifier: MIT
// Cholesky factors and their solves: products.inl says what pack is and how matrices lie.

/// The last step of four rows of the factor: they know everything above them. False where a pivot is not positive. First the four by four
/// corner in scalars, without square roots, so that no step waits for a row that was just stored.
template <class S> inline bool eliminate_rows(S* a, std::size_t ld, std::size_t i) {
    using p = pack<S>;
    S* const row[4] = {a + i * ld, a + (i + 1) * ld, a + (i + 2) * ld, a + (i + 3) * ld};
    S const a00 = row[0][i], a01 = row[0][i + 1], a02 = row[0][i + 2], a03 = row[0][i + 3];
    S const inverse0 = S{1} / a00, x01 = a01 * inverse0, x02 = a02 * inverse0, x03 = a03 * inverse0;
    S const a11 = row[1][i + 1] - x01 * a01, a12 = row[1][i + 2] - x01 * a02, a13 = row[1][i + 3] - x01 * a03;
    S const inverse1 = S{1} / a11, x12 = a12 * inverse1, x13 = a13 * inverse1;
    S const a22 = (row[2][i + 2] - x02 * a02) - x12 * a12, a23 = (row[2][i + 3] - x02 * a03) - x12 * a13;
    S const inverse2 = S{1} / a22, x23 = a23 * inverse2;
    S const a33 = ((row[3][i + 3] - x03 * a03) - x13 * a13) - x23 * a23;
    if (!(a00 > S{0} && a11 > S{0} && a22 > S{0} && a33 > S{0})) return false;
    auto const s0 = p::set(square_root(inverse0)), s1 = p::set(square_root(inverse1)), s2 = p::set(square_root(inverse2)),
               s3 = p::set(square_root(S{1} / a33));
    auto const y01 = p::set(x01), y02 = p::set(x02), y03 = p::set(x03), y12 = p::set(x12), y13 = p::set(x13), y23 = p::set(x23);
    for (std::size_t j = i / p::width * p::width; j < ld; j += p::width) {
        auto const r0 = p::load(row[0] + j), r1 = p::fnma(y01, r0, p::load(row[1] + j));
        auto const r2 = p::fnma(y12, r1, p::fnma(y02, r0, p::load(row[2] + j)));
        auto const r3 = p::fnma(y23, r2, p::fnma(y13, r1, p::fnma(y03, r0, p::load(row[3] + j))));
        p::store(row[0] + j, p::mul(s0, r0)), p::store(row[1] + j, p::mul(s1, r1));
        p::store(row[2] + j, p::mul(s2, r2)), p::store(row[3] + j, p::mul(s3, r3));
    }
    return true;
}

/// The unknowns that a solve finds at once.
template <class S> inline constexpr std::size_t solve_block = pack<S>::width < 4 ? 4 : pack<S>::width;

/// The block of U from its diagonal at i on becomes its inverse, zeros included.
template <class S> inline void invert_block(S* a, std::size_t ld, std::size_t i) {
    using p = pack<S>;
    constexpr std::size_t block = solve_block<S>, packs = block / p::width;
    S one_hot[2 * block - 1] = {};
    one_hot[block - 1] = S{1};
    for (std::size_t r = block; r > 0;) {
        --r;
        S* const row = a + (i + r) * ld + i;
        typename p::reg sum[packs];
        for (std::size_t c = 0; c < packs; ++c) sum[c] = p::load(one_hot + (block - 1 - r) + c * p::width);
        for (std::size_t k = block - 1; k > r; --k) {
            auto const x = p::set(row[k]);
            for (std::size_t c = 0; c < packs; ++c) sum[c] = p::fnma(x, p::load(a + (i + k) * ld + i + c * p::width), sum[c]);
        }
        auto const inverse = p::set(S{1} / row[r]);
        for (std::size_t c = 0; c < packs; ++c) p::store(row + c * p::width, p::mul(inverse, sum[c]));
    }
}

/// a = U'U in place, left-looking; what lies left of the diagonal is not defined. With Blocks each block on the diagonal is inverted as soon as
/// no row needs it any more, while the next rows are on their way.
template <class S, bool Blocks> inline bool eliminate(S* a, std::size_t ld) {
    for (std::size_t i = 0; i < ld; i += 4) {
        product_rows<S, true>(a, ld, a, i, i);
        if (!eliminate_rows(a, ld, i)) return false;
        if (Blocks && (i + 4) % solve_block<S> == 0) invert_block(a, ld, i + 4 - solve_block<S>);
    }
    return true;
}

/// a = U'U in place; the diagonal becomes that of 1 / U, and what is left of it in its pack becomes 0. False where a is not positive definite.
template <class S> bool cholesky(S* a, std::size_t ld) {
    if (!eliminate<S, false>(a, ld)) return false;
    for (std::size_t r = 0; r < ld; ++r) {
        S* const row = a + r * ld;
        for (std::size_t j = r / pack<S>::width * pack<S>::width; j < r; ++j) row[j] = S{0};
        row[r] = S{1} / row[r];
    }
    return true;
}

/// a = U'U in place with the blocks on the diagonal inverted, as cholesky_solve takes it. False where a is not positive definite.
template <class S> bool cholesky_blocks(S* a, std::size_t ld) { return eliminate<S, true>(a, ld); }

/// out[c] -= sum over a block's rows of b[q] rows[q][c], in four sums so that none waits long for another.
template <class S> inline void subtract_rows(S const* rows, std::size_t ld, S const* b, S* out) {
    using p = pack<S>;
    auto s0 = p::load(out), s1 = p::set(S{0}), s2 = s1, s3 = s1;
    RECSYS_DETAIL_UNROLL
    for (std::size_t q = 0; q < solve_block<S>; q += 4) {
        S const* const row = rows + q * ld;
        s0 = p::fnma(p::set(b[q]), p::load(row), s0), s1 = p::fnma(p::set(b[q + 1]), p::load(row + ld), s1);
        s2 = p::fnma(p::set(b[q + 2]), p::load(row + 2 * ld), s2), s3 = p::fnma(p::set(b[q + 3]), p::load(row + 3 * ld), s3);
    }
    p::store(out, p::add(p::add(s0, s1), p::add(s2, s3)));
}

/// Unknowns i .. of U'y = b, from those above.
template <class S> inline void solve_down(S const* u, std::size_t ld, std::size_t i, S* b) {
    using p = pack<S>;
    constexpr std::size_t block = solve_block<S>;
    S const* const rows = u + i * ld;
    S zeros[block] = {};
    for (std::size_t c = 0; c < block; c += p::width) subtract_rows(rows + i + c, ld, b + i, zeros + c);
    for (std::size_t c = 0; c < block; c += p::width) p::store(b + i + c, p::sub(p::set(S{0}), p::load(zeros + c)));
    for (std::size_t j = i + block; j < ld; j += p::width) subtract_rows(rows + j, ld, b + i, b + j);
}
/// Unknowns i .. of U x = y, from those below.
template <class S> inline void solve_up(S const* u, std::size_t ld, std::size_t i, S* b) {
    using p = pack<S>;
    constexpr std::size_t block = solve_block<S>, packs = block / p::width;
    S const* const rows = u + i * ld;
    typename p::reg sum[block], rest[packs];
    RECSYS_DETAIL_UNROLL
    for (std::size_t r = 0; r < block; ++r) sum[r] = p::set(S{0});
    for (std::size_t j = i + block; j < ld; j += p::width) {
        auto const x = p::load(b + j);
        RECSYS_DETAIL_UNROLL
        for (std::size_t r = 0; r < block; ++r) sum[r] = p::fma(x, p::load(rows + r * ld + j), sum[r]);
    }
    RECSYS_DETAIL_UNROLL
    for (std::size_t c = 0; c < packs; ++c) rest[c] = p::sub(p::load(b + i + c * p::width), p::sums(sum + c * p::width));
    RECSYS_DETAIL_UNROLL
    for (std::size_t r = 0; r < block; ++r) {
        sum[r] = p::mul(rest[0], p::load(rows + r * ld + i));
        for (std::size_t c = 1; c < packs; ++c) sum[r] = p::fma(rest[c], p::load(rows + r * ld + i + c * p::width), sum[r]);
    }
    RECSYS_DETAIL_UNROLL
    for (std::size_t c = 0; c < packs; ++c) p::store(b + i + c * p::width, p::sums(sum + c * p::width));
}
/// Solves U'U x = b in place, with U from cholesky_blocks. A block of unknowns a step: steps wait for each other.
template <class S> void cholesky_solve(S const* u, std::size_t ld, S* b) {
    for (std::size_t i = 0; i < ld; i += solve_block<S>) solve_down(u, ld, i, b);
    for (std::size_t i = ld; i > 0;) i -= solve_block<S>, solve_up(u, ld, i, b);
}
