// SPDX-License-Identifier: MIT
// The shared part of every system of a half-step: the Gramian of the other side, and the basis in which it is the identity.
//
// With w0 the confidence of absent pairs, w0 G + lambda I = U'U and z = inv(U)' y, the system of a row,
// (w0 G + lambda I + sum of (c - w0) y y') x = sum of c p y, becomes (I + sum of (c - w0) z z') w = sum of c p z with w = U x: nothing of size
// f x f is copied for a row, and it is far better conditioned. A row whose lambda is larger adds the rest times inv(U)' inv(U).
#ifndef RECSYS_MODELS_ALS_BASIS_HPP
#define RECSYS_MODELS_ALS_BASIS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select.hpp>
#include <recsys/core/team.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Where a row of a factor table begins: never a 32-bit product.
constexpr std::size_t row_place(std::size_t row, std::size_t row_length) noexcept { return row * row_length; }

/// Rows of matrices in double are padded for the widest level.
constexpr std::size_t basis_row(std::size_t n_factors) noexcept { return (n_factors + 7) / 8 * 8; }

/// Upper triangle of rows' rows, in double, of rows [first, last) of a table. With a bias at the end of each row, of (factors, 1, bias).
template <class S> buffer<double> partial_gramian(std::span<S const> table, std::size_t n_factors, std::size_t first, std::size_t last,
                                                  kernel_table<double> const& kernel, bool biases) {
    constexpr std::size_t depth = 64;
    std::size_t const ld = basis_row(n_factors + (biases ? 1 : 0));
    buffer<double> out(ld * ld, 0.0), panel(depth * ld, 0.0);
    for (; first < last; first += depth) {
        std::size_t const n = std::min(depth, last - first);
        for (std::size_t r = 0; r < n; ++r) {
            S const* const row = table.data() + row_place(first + r, n_factors);
            for (std::size_t j = 0; j < n_factors; ++j) panel[r * ld + j] = static_cast<double>(row[j]);
            if (biases) panel[r * ld + n_factors] = std::exchange(panel[r * ld + n_factors - 1], 1.0);
        }
        kernel.symmetric_update(out.data(), ld, panel.data(), n);
    }
    return out;
}

/// Y'Y as n_factors x n_factors, both triangles, for a table of rows; summed in double over at most 32 fixed blocks of rows. With biases one row and
/// column more, see partial_gramian.
template <class S> buffer<double> gramian(std::span<S const> table, std::size_t row_length, team& workers,
                                          kernel_table<double> const& kernel, bool biases = false) {
    std::size_t const n = table.size() / row_length, n_factors = row_length + (biases ? 1 : 0), ld = basis_row(n_factors);
    std::size_t const block = std::max<std::size_t>(1024, (n + 31) / 32);
    std::vector<buffer<double>> parts((n + block - 1) / block);
    workers.blocks(n, block, [&](std::size_t first, std::size_t last, std::size_t) {
        parts[first / block] = partial_gramian(table, row_length, first, last, kernel, biases);
    });
    buffer<double> out(n_factors * n_factors, 0.0);
    for (auto const& part : parts)
        for (std::size_t i = 0; i < n_factors; ++i)
            for (std::size_t j = i; j < n_factors; ++j) out[i * n_factors + j] += part[i * ld + j];
    for (std::size_t i = 0; i < n_factors; ++i)
        for (std::size_t j = 0; j < i; ++j) out[i * n_factors + j] = out[j * n_factors + i];
    return out;
}

/// A buffer that is made anew only where it is too short; what it held is lost.
template <class Value> Value* room_in(buffer<Value>& memory, std::size_t n) {
    if (memory.size() < n) memory = buffer<Value>(n);
    return memory.data();
}

/// The basis of a Gramian; nothing where weight G + lambda I is singular.
class als_basis {
public:
    static std::optional<als_basis> make(std::span<double const> gramian, std::size_t n_factors, double weight, double regularization,
                                         kernel_table<double> const& kernel) {
        als_basis out(n_factors);
        std::size_t const ld = out.m_ld;
        buffer<double> u(ld * ld, 0.0);
        for (std::size_t i = 0; i < ld; ++i) {
            for (std::size_t j = 0; i < n_factors && j < n_factors; ++j) u[i * ld + j] = weight * gramian[i * n_factors + j];
            u[i * ld + i] = i < n_factors ? u[i * ld + i] + regularization : 1;
        }
        std::vector<double> diagonal(n_factors);
        for (std::size_t i = 0; i < n_factors; ++i) diagonal[i] = u[i * ld + i];
        if (!kernel.cholesky(u.data(), ld)) return std::nullopt;
        double const least = 4e-15 * static_cast<double>(n_factors);
        for (std::size_t i = 0; i < n_factors; ++i)
            if (!(1 / (u[i * ld + i] * u[i * ld + i]) > least * diagonal[i])) return std::nullopt;
        out.fill(u, kernel);
        return out;
    }

    std::size_t n_factors() const noexcept { return m_n_factors; }

    /// z = inv(U)' y, w = U x and x = inv(U) w: rows from one table to another; padding becomes 0. Rows in double are read without a conversion
    /// and give the same bits.
    template <class In, class S>
    void whiten(In const* in, std::size_t in_ld, std::size_t rows, S* out, std::size_t out_ld, kernel_table<In> const& kernel) const {
        buffer<double> work;
        whiten(in, in_ld, rows, out, out_ld, kernel, work);
    }
    template <class In, class S> void whiten(In const* in, std::size_t in_ld, std::size_t rows, S* out, std::size_t out_ld,
                                             kernel_table<In> const& kernel, buffer<double>& work) const {
        apply(m_whiten, true, in, in_ld, rows, out, out_ld, out_ld, kernel, work);
    }
    template <class S>
    void rewhiten(S const* in, std::size_t in_ld, std::size_t rows, S* out, std::size_t out_ld, kernel_table<S> const& kernel) const {
        buffer<double> work;
        apply(m_rewhiten, false, in, in_ld, rows, out, out_ld, out_ld, kernel, work);
    }
    template <class S>
    void unwhiten(S const* in, std::size_t in_ld, std::size_t rows, S* out, std::size_t out_ld, kernel_table<S> const& kernel) const {
        buffer<double> work;
        unwhiten(in, in_ld, rows, out, out_ld, kernel, work);
    }
    template <class S> void unwhiten(S const* in, std::size_t in_ld, std::size_t rows, S* out, std::size_t out_ld,
                                     kernel_table<S> const& kernel, buffer<double>& work) const {
        apply(m_unwhiten, false, in, in_ld, rows, out, out_ld, m_n_factors, kernel, work);
    }

    /// inv(U)' inv(U), both triangles: |x|^2 of an x in the basis. ld x ld.
    template <class S> buffer<S> ridge(std::size_t ld, kernel_table<double> const& kernel) const {
        buffer<double> exact(m_ld * m_ld, 0.0);
        kernel.symmetric_update(exact.data(), m_ld, m_whiten.data(), m_n_factors);
        buffer<S> out(ld * ld, S{0});
        for (std::size_t i = 0; i < m_n_factors; ++i)
            for (std::size_t j = i; j < m_n_factors; ++j) out[i * ld + j] = out[j * ld + i] = static_cast<S>(exact[i * m_ld + j]);
        return out;
    }

private:
    explicit als_basis(std::size_t n_factors)
        : m_n_factors(n_factors),
          m_ld(basis_row(n_factors)),
          m_whiten(n_factors * m_ld, 0.0),
          m_rewhiten(n_factors * m_ld, 0.0),
          m_unwhiten(n_factors * m_ld, 0.0) {}

    /// From U with the diagonal of 1 / U: inv(U) row by row from below, and the transposes.
    void fill(buffer<double>& u, kernel_table<double> const& kernel) {
        for (std::size_t i = m_n_factors; i > 0;) {
            --i;
            double* const row = m_whiten.data() + i * m_ld;
            kernel.weighted_sum(m_whiten.data() + (i + 1) * m_ld, m_ld, m_n_factors - i - 1, u.data() + i * m_ld + i + 1, row);
            double const inverse = u[i * m_ld + i];
            for (std::size_t j = i + 1; j < m_n_factors; ++j) row[j] *= -inverse;
            row[i] = inverse;
        }
        for (std::size_t i = 0; i < m_n_factors; ++i)
            for (std::size_t j = i; j < m_n_factors; ++j) {
                m_unwhiten[j * m_ld + i] = m_whiten[i * m_ld + j];
                m_rewhiten[j * m_ld + i] = i == j ? 1 / u[i * m_ld + i] : u[i * m_ld + j];
            }
    }

    template <class In, class S> void apply(buffer<double> const& m, bool upper, In const* in, std::size_t in_ld, std::size_t rows, S* out,
                                            std::size_t out_ld, std::size_t out_width, kernel_table<In> const& kernel,
                                            buffer<double>& work) const {
        constexpr std::size_t block = 32;
        double* const exact = room_in(work, std::min(block, rows) * m_ld);
        for (std::size_t first = 0; first < rows; first += block) {
            std::size_t const n = std::min(block, rows - first);
            kernel.transform(m.data(), m_ld, m_n_factors, upper, in + row_place(first, in_ld), in_ld, n, exact);
            for (std::size_t r = 0; r < n; ++r) {
                S* const to = out + row_place(first + r, out_ld);
                for (std::size_t j = 0; j < m_n_factors; ++j) to[j] = static_cast<S>(exact[r * m_ld + j]);
                for (std::size_t j = m_n_factors; j < out_width; ++j) to[j] = S{0};
            }
        }
    }

    std::size_t m_n_factors, m_ld;
    buffer<double> m_whiten, m_rewhiten, m_unwhiten; // n_factors x m_ld, transposed for the kernel
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
