// SPDX-License-Identifier: MIT
// Kernels of dense linear algebra: one text for all instruction sets, repeated in a namespace of its own for each.
//
// Where it stands, pack<S> is a vector register of that level: `reg`, `width` lanes, and load, store, set, add, mul, fma (a * b + c),
// fnma (c - a * b), sum. Matrices are row-major with rows of `ld` elements, a multiple of the width and of 4; symmetric ones live in their
// upper triangle, and what lies below it is not defined.

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

/// The last step of four rows of the factor: they know everything above them. False where a pivot is not positive.
template <class S> inline bool eliminate_rows(S* a, std::size_t ld, std::size_t i) {
    using p = pack<S>;
    constexpr std::size_t width = p::width;
    std::size_t const start = i / width * width;
    for (std::size_t r = i; r < i + 4; ++r) {
        S* const row = a + r * ld;
        S const pivot = row[r];
        if (!(pivot > S{0})) return false;
        S const inverse = S{1} / square_root(pivot);
        auto const scale = p::set(inverse);
        for (std::size_t j = start; j < ld; j += width) p::store(row + j, p::mul(scale, p::load(row + j)));
        for (std::size_t q = r + 1; q < i + 4; ++q) {
            auto const x = p::set(row[q]);
            for (std::size_t j = start; j < ld; j += width) p::store(a + q * ld + j, p::fnma(x, p::load(row + j), p::load(a + q * ld + j)));
        }
        row[r] = inverse;
        for (std::size_t j = start; j < r; ++j) row[j] = S{0};
    }
    return true;
}

/// a = U'U in place, left-looking; the diagonal becomes that of 1 / U, and what is left of it in its pack becomes 0. False where a is not
/// positive definite.
template <class S> bool cholesky(S* a, std::size_t ld) {
    for (std::size_t i = 0; i < ld; i += 4) {
        product_rows<S, true>(a, ld, a, i, i);
        if (!eliminate_rows(a, ld, i)) return false;
    }
    return true;
}

/// Solves U'U x = b in place, with U from cholesky. Four unknowns a step, so that packs are rarely read back from scalar stores.
template <class S> void cholesky_solve(S const* u, std::size_t ld, S* b) {
    using p = pack<S>;
    constexpr std::size_t width = p::width;
    for (std::size_t i = 0; i < ld; i += 4) {
        S const* const row[4] = {u + i * ld, u + (i + 1) * ld, u + (i + 2) * ld, u + (i + 3) * ld};
        S y[4];
        for (std::size_t r = 0; r < 4; ++r) {
            S rest = b[i + r];
            for (std::size_t q = 0; q < r; ++q) rest -= row[q][i + r] * y[q];
            y[r] = rest * row[r][i + r];
        }
        auto const y0 = p::set(y[0]), y1 = p::set(y[1]), y2 = p::set(y[2]), y3 = p::set(y[3]);
        for (std::size_t j = (i + 4) / width * width; j < ld; j += width) {
            auto x = p::fnma(y0, p::load(row[0] + j), p::load(b + j));
            x = p::fnma(y1, p::load(row[1] + j), x), x = p::fnma(y2, p::load(row[2] + j), x), x = p::fnma(y3, p::load(row[3] + j), x);
            p::store(b + j, x);
        }
        // A pack that begins before row i + 4 holds solved unknowns: those of this group are put back, U is 0 under the older ones.
        for (std::size_t r = 0; r < 4; ++r) b[i + r] = y[r];
    }
    for (std::size_t i = ld; i > 0;) {
        i -= 4;
        S const* const row[4] = {u + i * ld, u + (i + 1) * ld, u + (i + 2) * ld, u + (i + 3) * ld};
        S y[4];
        for (std::size_t r = 0; r < 4; ++r) y[r] = b[i + r], b[i + r] = S{0};
        auto s0 = p::set(S{0}), s1 = s0, s2 = s0, s3 = s0;
        for (std::size_t j = (i + 4) / width * width; j < ld; j += width) {
            auto const x = p::load(b + j);
            s0 = p::fma(x, p::load(row[0] + j), s0), s1 = p::fma(x, p::load(row[1] + j), s1);
            s2 = p::fma(x, p::load(row[2] + j), s2), s3 = p::fma(x, p::load(row[3] + j), s3);
        }
        y[0] -= p::sum(s0), y[1] -= p::sum(s1), y[2] -= p::sum(s2), y[3] -= p::sum(s3);
        for (std::size_t r = 4; r > 0;) {
            --r;
            S rest = y[r];
            for (std::size_t q = r + 1; q < 4; ++q) rest -= row[r][i + q] * b[i + q];
            b[i + r] = rest * row[r][i + r];
        }
    }
}

/// One row of a gathered panel: panel = scale * z, b += weight * z.
template <class S> inline void gather_one(S* panel, std::size_t ld, S const* z, S scale, S weight, S* b) {
    using p = pack<S>;
    auto const s = p::set(scale), w = p::set(weight);
    for (std::size_t j = 0; j < ld; j += p::width) {
        auto const x = p::load(z + j);
        p::store(panel + j, p::mul(s, x));
        p::store(b + j, p::fma(w, x, p::load(b + j)));
    }
}

/// Rows of z by number, scaled, into a panel: panel[k] = scale[k] z[id[k]]; and b += sum of weight[k] z[id[k]].
template <class S>
void gather(S* panel, std::size_t ld, S const* z, std::uint32_t const* id, S const* scale, S const* weight, std::size_t n, S* b) {
    using p = pack<S>;
    constexpr std::size_t ahead = 8, line = 64 / sizeof(S);
    std::size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        for (std::size_t next = k + ahead; next < k + ahead + 4 && next < n; ++next)
            for (std::size_t j = 0; j < ld; j += line) prefetch(z + id[next] * ld + j);
        S const* const z0 = z + id[k] * ld;
        S const* const z1 = z + id[k + 1] * ld;
        S const* const z2 = z + id[k + 2] * ld;
        S const* const z3 = z + id[k + 3] * ld;
        S* const to = panel + k * ld;
        auto const s0 = p::set(scale[k]), s1 = p::set(scale[k + 1]), s2 = p::set(scale[k + 2]), s3 = p::set(scale[k + 3]);
        auto const w0 = p::set(weight[k]), w1 = p::set(weight[k + 1]), w2 = p::set(weight[k + 2]), w3 = p::set(weight[k + 3]);
        for (std::size_t j = 0; j < ld; j += p::width) {
            auto const x0 = p::load(z0 + j), x1 = p::load(z1 + j), x2 = p::load(z2 + j), x3 = p::load(z3 + j);
            p::store(to + j, p::mul(s0, x0)), p::store(to + ld + j, p::mul(s1, x1));
            p::store(to + 2 * ld + j, p::mul(s2, x2)), p::store(to + 3 * ld + j, p::mul(s3, x3));
            auto y = p::fma(w0, x0, p::load(b + j));
            y = p::fma(w1, x1, y), y = p::fma(w2, x2, y), y = p::fma(w3, x3, y);
            p::store(b + j, y);
        }
    }
    for (; k < n; ++k) gather_one(panel + k * ld, ld, z + id[k] * ld, scale[k], weight[k], b);
}

template <class S> inline S dot(S const* a, S const* b, std::size_t n) {
    using p = pack<S>;
    auto sum = p::set(S{0});
    for (std::size_t j = 0; j < n; j += p::width) sum = p::fma(p::load(a + j), p::load(b + j), sum);
    return p::sum(sum);
}

/// y += s x.
template <class S> inline void add_scaled(S* y, S s, S const* x, std::size_t n) {
    using p = pack<S>;
    auto const scale = p::set(s);
    for (std::size_t j = 0; j < n; j += p::width) p::store(y + j, p::fma(scale, p::load(x + j), p::load(y + j)));
}

/// out += sum of weight[k] panel[k].
template <class S> void weighted_sum(S const* panel, std::size_t ld, std::size_t n, S const* weight, S* out) {
    using p = pack<S>;
    std::size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        S const* const row = panel + k * ld;
        auto const w0 = p::set(weight[k]), w1 = p::set(weight[k + 1]), w2 = p::set(weight[k + 2]), w3 = p::set(weight[k + 3]);
        for (std::size_t j = 0; j < ld; j += p::width) {
            auto y = p::fma(w0, p::load(row + j), p::load(out + j));
            y = p::fma(w1, p::load(row + ld + j), y), y = p::fma(w2, p::load(row + 2 * ld + j), y),
            y = p::fma(w3, p::load(row + 3 * ld + j), y);
            p::store(out + j, y);
        }
    }
    for (; k < n; ++k) add_scaled(out, weight[k], panel + k * ld, ld);
}

/// out += V'(V x), where V is the panel: each row is read once.
template <class S> inline void normal_product(S const* panel, std::size_t ld, std::size_t n, S const* x, S* out) {
    using p = pack<S>;
    std::size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        S const* const row = panel + k * ld;
        auto s0 = p::set(S{0}), s1 = s0, s2 = s0, s3 = s0;
        for (std::size_t j = 0; j < ld; j += p::width) {
            auto const xj = p::load(x + j);
            s0 = p::fma(xj, p::load(row + j), s0), s1 = p::fma(xj, p::load(row + ld + j), s1);
            s2 = p::fma(xj, p::load(row + 2 * ld + j), s2), s3 = p::fma(xj, p::load(row + 3 * ld + j), s3);
        }
        S const weight[4] = {p::sum(s0), p::sum(s1), p::sum(s2), p::sum(s3)};
        weighted_sum(row, ld, 4, weight, out);
    }
    for (; k < n; ++k) add_scaled(out, dot(panel + k * ld, x, ld), panel + k * ld, ld);
}

/// product = (I + share ridge + V'V) x, where V is the panel; `work` holds ld.
template <class S>
inline void system_product(S const* panel, std::size_t ld, std::size_t n, S const* ridge, S share, S const* x, S* product, S* work) {
    for (std::size_t j = 0; j < ld; ++j) product[j] = x[j];
    if (ridge) {
        for (std::size_t j = 0; j < ld; ++j) work[j] = share * x[j];
        weighted_sum(ridge, ld, ld, work, product); // it is symmetric
    }
    normal_product(panel, ld, n, x, product);
}

/// At most `steps` steps of conjugate gradients on (I + share ridge + V'V) x = b from the x given; afterwards `rest` is the residual. `ridge` is a
/// symmetric matrix with both triangles, or null. Stops before a division by zero: where the residual is nothing beside b. `work` holds 3 ld.
template <class S> void conjugate_gradients(S const* panel, std::size_t ld, std::size_t n, S const* ridge, S share, S const* b, S* x,
                                            std::size_t steps, S* rest, S* work) {
    S* const direction = work;
    S* const product = work + ld;
    S* const scaled = work + 2 * ld;
    system_product(panel, ld, n, ridge, share, x, product, scaled);
    for (std::size_t j = 0; j < ld; ++j) direction[j] = rest[j] = b[j] - product[j];
    S const enough = dot(b, b, ld) * tiny_share(S{});
    S square = dot(rest, rest, ld);
    for (std::size_t step = 0; step < steps && square > enough; ++step) {
        system_product(panel, ld, n, ridge, share, direction, product, scaled);
        S const length = square / dot(direction, product, ld);
        add_scaled(x, length, direction, ld);
        add_scaled(rest, -length, product, ld);
        S const next = dot(rest, rest, ld), turn = next / square;
        square = next;
        for (std::size_t j = 0; j < ld; ++j) direction[j] = rest[j] + turn * direction[j];
    }
}

/// out[r] = m' in[r], in double, for up to four rows of any scalar type. m is n x ld; `upper`: m is upper triangular, else lower.
template <class Left, int Rows>
inline void transform_some(double const* m, std::size_t ld, std::size_t n, bool upper, Left const* in, std::size_t in_ld, double* out) {
    constexpr std::size_t width = pack<double>::width;
    for (std::size_t j = 0; j < static_cast<std::size_t>(Rows) * ld; ++j) out[j] = 0;
    std::size_t j = 0;
    for (; j + 2 * width <= ld; j += 2 * width) {
        std::size_t const first = upper ? 0 : j, last = upper ? (j + 2 * width < n ? j + 2 * width : n) : n;
        if (first < last) tile<double, Rows, 2, false>(out + j, ld, in, in_ld, 1, m + j, ld, first, last);
    }
    for (; j < ld; j += width) {
        std::size_t const first = upper ? 0 : j, last = upper ? (j + width < n ? j + width : n) : n;
        if (first < last) tile<double, Rows, 1, false>(out + j, ld, in, in_ld, 1, m + j, ld, first, last);
    }
}
/// The same for any number of rows. A row's result does not depend on the rows beside it.
template <class Left> void transform(double const* m, std::size_t ld, std::size_t n, bool upper, Left const* in, std::size_t in_ld,
                                     std::size_t rows, double* out) {
    std::size_t r = 0;
    for (; r + 4 <= rows; r += 4) transform_some<Left, 4>(m, ld, n, upper, in + r * in_ld, in_ld, out + r * ld);
    for (; r < rows; ++r) transform_some<Left, 1>(m, ld, n, upper, in + r * in_ld, in_ld, out + r * ld);
}

/// The table of this level.
template <class S> kernel_table<S> table() {
    return {pack<S>::width,   &symmetric_update<S>,    &cholesky<S>, &cholesky_solve<S>, &gather<S>,
            &weighted_sum<S>, &conjugate_gradients<S>, &transform<S>};
}
