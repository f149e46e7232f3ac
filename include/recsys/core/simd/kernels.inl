// SPDX-License-Identifier: MIT
// Panels of rows, conjugate gradients, and the table of all kernels: products.inl says what pack is and how matrices lie.

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
        for (std::size_t next = k == 0 ? 0 : k + ahead; next < k + ahead + 4 && next < n; ++next)
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

/// Rows of a table by number, or without numbers in their order.
template <class S> inline S const* row_at(S const* z, std::size_t ld, std::uint32_t const* id, std::size_t k) { return z + (id ? id[k] : k) * ld; }

/// out += sum of excess[k] (z[id[k]]'x) z[id[k]]: each row is read once.
template <class S> inline void normal_product(S const* z, std::size_t ld, std::uint32_t const* id, S const* excess, std::size_t n,
                                              S const* x, S* out) {
    using p = pack<S>;
    std::size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        S const *const z0 = row_at(z, ld, id, k), *const z1 = row_at(z, ld, id, k + 1), *const z2 = row_at(z, ld, id, k + 2),
                *const z3 = row_at(z, ld, id, k + 3);
        auto s0 = p::set(S{0}), s1 = s0, s2 = s0, s3 = s0;
        for (std::size_t j = 0; j < ld; j += p::width) {
            auto const xj = p::load(x + j);
            s0 = p::fma(xj, p::load(z0 + j), s0), s1 = p::fma(xj, p::load(z1 + j), s1);
            s2 = p::fma(xj, p::load(z2 + j), s2), s3 = p::fma(xj, p::load(z3 + j), s3);
        }
        auto const w0 = p::set(excess[k] * p::sum(s0)), w1 = p::set(excess[k + 1] * p::sum(s1)), w2 = p::set(excess[k + 2] * p::sum(s2)),
                   w3 = p::set(excess[k + 3] * p::sum(s3));
        for (std::size_t j = 0; j < ld; j += p::width) {
            auto y = p::fma(w0, p::load(z0 + j), p::load(out + j));
            y = p::fma(w1, p::load(z1 + j), y), y = p::fma(w2, p::load(z2 + j), y), y = p::fma(w3, p::load(z3 + j), y);
            p::store(out + j, y);
        }
    }
    for (; k < n; ++k) {
        S const* const row = row_at(z, ld, id, k);
        add_scaled(out, excess[k] * dot(row, x, ld), row, ld);
    }
}

/// One row of first_product.
template <class S> inline void first_product_of_one(S const* z, std::size_t ld, S excess, S right, S const* x, S* b, S* out, S* panel) {
    S const product = excess * dot(z, x, ld);
    add_scaled(b, right, z, ld), add_scaled(out, product, z, ld);
    for (std::size_t j = 0; panel && j < ld; ++j) panel[j] = z[j];
}
/// The same for rows that come from far: b += sum of right[k] z[id[k]] as well, and the rows are copied to the panel if there is one.
template <class S> inline void first_product(S const* z, std::size_t ld, std::uint32_t const* id, S const* excess, S const* right,
                                             std::size_t n, S const* x, S* b, S* out, S* panel) {
    using p = pack<S>;
    constexpr std::size_t ahead = 8, line = 64 / sizeof(S);
    std::size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        for (std::size_t next = k == 0 ? 0 : k + ahead; next < k + ahead + 4 && next < n; ++next)
            for (std::size_t j = 0; j < ld; j += line) prefetch(z + id[next] * ld + j);
        S const *const z0 = z + id[k] * ld, *const z1 = z + id[k + 1] * ld, *const z2 = z + id[k + 2] * ld, *const z3 = z + id[k + 3] * ld;
        auto s0 = p::set(S{0}), s1 = s0, s2 = s0, s3 = s0;
        for (std::size_t j = 0; j < ld; j += p::width) {
            auto const xj = p::load(x + j);
            s0 = p::fma(xj, p::load(z0 + j), s0), s1 = p::fma(xj, p::load(z1 + j), s1);
            s2 = p::fma(xj, p::load(z2 + j), s2), s3 = p::fma(xj, p::load(z3 + j), s3);
        }
        auto const w0 = p::set(excess[k] * p::sum(s0)), w1 = p::set(excess[k + 1] * p::sum(s1)), w2 = p::set(excess[k + 2] * p::sum(s2)),
                   w3 = p::set(excess[k + 3] * p::sum(s3));
        auto const r0 = p::set(right[k]), r1 = p::set(right[k + 1]), r2 = p::set(right[k + 2]), r3 = p::set(right[k + 3]);
        for (std::size_t j = 0; j < ld; j += p::width) {
            auto const x0 = p::load(z0 + j), x1 = p::load(z1 + j), x2 = p::load(z2 + j), x3 = p::load(z3 + j);
            p::store(out + j, p::fma(w3, x3, p::fma(w2, x2, p::fma(w1, x1, p::fma(w0, x0, p::load(out + j))))));
            p::store(b + j, p::fma(r3, x3, p::fma(r2, x2, p::fma(r1, x1, p::fma(r0, x0, p::load(b + j))))));
            if (panel) {
                S* const to = panel + k * ld + j;
                p::store(to, x0), p::store(to + ld, x1), p::store(to + 2 * ld, x2), p::store(to + 3 * ld, x3);
            }
        }
    }
    for (; k < n; ++k) first_product_of_one(z + id[k] * ld, ld, excess[k], right[k], x, b, out, panel ? panel + k * ld : panel);
}

/// product = (I + share ridge) x; `work` holds ld.
template <class S> inline void ridge_product(std::size_t ld, S const* ridge, S share, S const* x, S* product, S* work) {
    for (std::size_t j = 0; j < ld; ++j) product[j] = x[j];
    if (!ridge) return;
    for (std::size_t j = 0; j < ld; ++j) work[j] = share * x[j];
    weighted_sum(ridge, ld, ld, work, product); // it is symmetric
}

/// At most `steps` steps of conjugate gradients from the x given on (I + share ridge + sum of excess[k] z[id[k]] z[id[k]]') x = b, to which the sum of
/// right[k] z[id[k]] is added first; afterwards `rest` is the residual. `ridge` is a symmetric matrix with both triangles, or null. Stops before
/// a division by zero: where the residual is nothing beside b. `work` holds 3 ld. With a panel for n rows these are read from far only once.
template <class S> void conjugate_gradients(S const* z, std::size_t ld, std::uint32_t const* id, S const* excess, S const* right, std::size_t n,
                                            S* panel, S const* ridge, S share, S* b, S* x, std::size_t steps, S* rest, S* work) {
    S* const direction = work;
    S* const product = work + ld;
    S* const scaled = work + 2 * ld;
    ridge_product(ld, ridge, share, x, product, scaled);
    first_product(z, ld, id, excess, right, n, x, b, product, panel);
    S const* const rows = panel ? panel : z;
    std::uint32_t const* const places = panel ? nullptr : id;
    for (std::size_t j = 0; j < ld; ++j) direction[j] = rest[j] = b[j] - product[j];
    S const enough = dot(b, b, ld) * tiny_share(S{});
    S square = dot(rest, rest, ld);
    for (std::size_t step = 0; step < steps && square > enough; ++step) {
        ridge_product(ld, ridge, share, direction, product, scaled);
        normal_product(rows, ld, places, excess, n, direction, product);
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

/// out += sum of (right[k] - excess[k] z[id[k]]'x) z[id[k]], in double: what an x leaves of a row's right-hand side.
template <class S> void add_rests(S const* z, std::size_t ld, std::uint32_t const* id, std::size_t n, double const* right,
                                  double const* excess, double const* x, double* out) {
    using p = pack<double>;
    std::size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        S const* const z0 = z + id[k] * ld;
        S const* const z1 = z + id[k + 1] * ld;
        S const* const z2 = z + id[k + 2] * ld;
        S const* const z3 = z + id[k + 3] * ld;
        auto s0 = p::set(0.0), s1 = s0, s2 = s0, s3 = s0;
        for (std::size_t j = 0; j < ld; j += p::width) {
            auto const xj = p::load(x + j);
            s0 = p::fma(xj, p::widen(z0 + j), s0), s1 = p::fma(xj, p::widen(z1 + j), s1);
            s2 = p::fma(xj, p::widen(z2 + j), s2), s3 = p::fma(xj, p::widen(z3 + j), s3);
        }
        auto const w0 = p::set(right[k] - excess[k] * p::sum(s0)), w1 = p::set(right[k + 1] - excess[k + 1] * p::sum(s1)),
                   w2 = p::set(right[k + 2] - excess[k + 2] * p::sum(s2)), w3 = p::set(right[k + 3] - excess[k + 3] * p::sum(s3));
        for (std::size_t j = 0; j < ld; j += p::width) {
            auto y = p::fma(w0, p::widen(z0 + j), p::load(out + j));
            y = p::fma(w1, p::widen(z1 + j), y), y = p::fma(w2, p::widen(z2 + j), y), y = p::fma(w3, p::widen(z3 + j), y);
            p::store(out + j, y);
        }
    }
    for (; k < n; ++k) {
        S const* const row = z + id[k] * ld;
        auto s = p::set(0.0);
        for (std::size_t j = 0; j < ld; j += p::width) s = p::fma(p::load(x + j), p::widen(row + j), s);
        auto const w = p::set(right[k] - excess[k] * p::sum(s));
        for (std::size_t j = 0; j < ld; j += p::width) p::store(out + j, p::fma(w, p::widen(row + j), p::load(out + j)));
    }
}

/// The table of this level.
template <class S> kernel_table<S> table() {
    return {pack<S>::width,   &symmetric_update<S>,    &cholesky<S>, &cholesky_blocks<S>, &cholesky_solve<S>, &gather<S>,
            &weighted_sum<S>, &conjugate_gradients<S>, &transform<S>, &add_rests<S>};
}
