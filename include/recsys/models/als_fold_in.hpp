// SPDX-License-Identifier: MIT
// One row that was not in training, against a table that stays as it is: what fold-in solves, and the memory it takes for that.
#ifndef RECSYS_MODELS_ALS_FOLD_IN_HPP
#define RECSYS_MODELS_ALS_FOLD_IN_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include <recsys/core/buffer.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select.hpp>
#include <recsys/core/types.hpp>
#include <recsys/models/als_basis.hpp>
#include <recsys/models/als_biases.hpp>
#include <recsys/models/als_objective.hpp>
#include <recsys/models/als_rows.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// The rows of one side as fold-in takes them.
template <class S> struct als_fold_table {
    std::span<S const> rows; ///< n_rows x n_factors
    std::size_t n_rows = 0;
    als_columns columns;
    S const* row(std::size_t i) const noexcept { return rows.data() + row_place(i, columns.n_factors); }
    S bias(std::size_t i) const noexcept { return columns.biases ? row(i)[columns.bias()] : S{0}; }
    /// As systems take it: with biases (y, 1).
    template <class To> void copy_row(std::size_t i, To* to) const noexcept {
        std::copy_n(row(i), columns.n_latent(), to);
        if (columns.biases) to[columns.n_latent()] = To{1};
    }
};

/// Of absolute values, of a square matrix: no eigenvalue is larger.
inline double largest_row_sum(buffer<double> const& a) {
    auto const n = static_cast<std::size_t>(std::sqrt(static_cast<double>(a.size())));
    double most = 0;
    for (std::size_t i = 0; i < n; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < n; ++j) sum += std::abs(a[i * n + j]);
        most = std::max(most, sum);
    }
    return most;
}

/// What the systems of all rows that are solved against a table have in common.
template <class S> struct als_fold_side {
    std::optional<als_basis> basis; ///< absent where singular
    buffer<S> ridge;                ///< only where rows differ in their lambda
    buffer<double> exact;           ///< w0 G with padded rows, both triangles; only for float: see als_plain_solver
    buffer<S> start;                ///< the same rounded
    double start_norm = 0;          ///< no eigenvalue of it is larger
    double inverse_norm = 0;        ///< nor one of the inverse of w0 G + lambda I
    als_common common;
    buffer<S> common_z; ///< its right-hand side in the basis

    static als_fold_side make(als_objective const& by, std::span<double const> of_columns, als_columns const& columns, std::size_t n_rows,
                              simd_level level) {
        auto const kernel = kernels<double>(level);
        std::size_t const n_factors = columns.n_solved(), ld = kernels<S>(level).padded(n_factors);
        auto const in_order = reordered(of_columns, columns);
        auto const gramian = corner(in_order.span(), columns.n_factors, n_factors);
        als_fold_side out;
        out.basis = als_basis::make(gramian.span(), n_factors, by.unobserved_weight, base_regularization(by, n_rows), kernel);
        if (out.basis && by.biases) {
            out.common = als_common(in_order.span(), n_factors, by.unobserved_weight);
            out.common_z = buffer<S>(ld);
            out.basis->whiten(out.common.right.data(), n_factors, 1, out.common_z.data(), ld, kernel);
        }
        if (out.basis && by.frequency_power != 0) out.ridge = out.basis->template ridge<S>(ld, kernel);
        if (!std::is_same_v<S, float> || !out.basis) return out;
        out.exact = buffer<double>(ld * ld, 0.0), out.start = buffer<S>(ld * ld, S{0});
        for (std::size_t i = 0; i < n_factors; ++i)
            for (std::size_t j = 0; j < n_factors; ++j) {
                double const x = by.unobserved_weight * gramian[i * n_factors + j];
                out.exact[i * ld + j] = x, out.start[i * ld + j] = static_cast<S>(x);
            }
        out.start_norm = largest_row_sum(out.exact), out.inverse_norm = largest_row_sum(out.basis->template ridge<double>(ld, kernel));
        return out;
    }
};

/// Solves a row of float factors without taking its entries into the basis, which would cost more than all the rest: (w0 G + lambda I +
/// sum of (c - w0) y y') x = sum of c p y by Cholesky in float. The largest error is some 1e-5 of the largest factor:
/// - where bounds of the eigenvalues make sure that the condition number is at most 128, the solution is taken as it is;
/// - else it is refined once with the residual in double. The step says itself how good the solution was: after one of a share e of the solution,
///   some e^2 of it is wrong. Where e is above 2^-10 nothing is solved, and the caller takes the basis.
/// Source: Higham, "Accuracy and stability of numerical algorithms" (2002), ch. 10 and 12.
class als_plain_solver {
public:
    /// Rows of other lengths are for the basis: shorter ones are cheaper there, longer ones are summed in double.
    static bool suits(std::size_t n, std::size_t n_factors) noexcept { return 4 * n > n_factors && n <= most_entries; }

    /// The entries of a row, and its solution at `out`. False where it is none for this solver.
    template <class Index> bool solve(als_fold_side<float> const& side, als_fold_table<float> const& table, std::span<Index const> ids,
                                      std::span<float const> weights, std::span<float const> preferences, als_objective const& by,
                                      simd_level level, float* out) {
        auto const kernel = kernels<float>(level);
        std::size_t const n_factors = table.columns.n_solved();
        m_ld = kernel.padded(n_factors);
        m_in_place = n_factors == m_ld && !table.columns.biases;
        take_memory(ids.size());
        if (!read(table, ids, weights, preferences, by) || m_n == 0) return false;
        float const* const rows = rows_of(table);
        fill(side, rows, row_regularization(by, m_n, table.n_rows), kernel);
        bool const is_easy = largest_eigenvalue(side) * side.inverse_norm <= 128;
        if (!kernel.cholesky_blocks(m_a, m_ld)) return false;
        kernel.cholesky_solve(m_a, m_ld, m_b);
        if (!is_easy && !refine(side, rows, row_regularization(by, m_n, table.n_rows), kernel, kernels<double>(level))) return false;
        std::copy_n(m_b, n_factors, out);
        return std::all_of(out, out + n_factors, [](float x) { return std::isfinite(x); });
    }

private:
    static constexpr std::size_t most_entries = 512, panel_rows = 64;

    void take_memory(std::size_t n) {
        std::size_t const ld = m_ld, copies = m_in_place ? 0 : n * ld;
        float* floats = room_in(m_floats, ld * ld + std::min(n, panel_rows) * ld + ld + 2 * n + copies);
        m_a = floats, m_panel = m_a + ld * ld, m_b = m_panel + std::min(n, panel_rows) * ld, m_copies = m_b + ld;
        m_root = m_copies + copies, m_right = m_root + n;
        double* const doubles = room_in(m_doubles, 3 * ld + 2 * n);
        m_x = doubles, m_rest = m_x + ld, m_product = m_rest + ld, m_exact_right = m_product + ld, m_excess = m_exact_right + n;
        m_id = room_in(m_ids, n);
    }

    /// False where an entry weighs less than an absent pair.
    template <class Index> bool read(als_fold_table<float> const& table, std::span<Index const> ids, std::span<float const> weights,
                                     std::span<float const> preferences, als_objective const& by) {
        m_n = 0;
        double const beyond = 1 - by.unobserved_weight;
        bool heavier = true;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            auto const r = static_cast<double>(weights[i]);
            if (r == 0) continue;
            float const* const row = table.row(to_size(ids[i])); // rows lie far apart: ask for all before waiting for one
            for (std::size_t j = 0; j < table.columns.n_factors; j += 64 / sizeof(float)) prefetch(row + j);
            double const added = added_confidence(by, std::abs(r)),
                         p = preferences.empty() ? (r > 0 ? 1.0 : 0.0) : static_cast<double>(preferences[i]);
            m_id[m_n] = static_cast<std::uint32_t>(ids[i]);
            m_excess[m_n] = beyond + added, m_exact_right[m_n] = (1 + added) * p;
            heavier = heavier && m_excess[m_n] >= 0;
            ++m_n;
        }
        for (std::size_t i = 0; i < m_n && heavier; ++i) {
            m_exact_right[i] -= m_excess[i] * static_cast<double>(table.bias(m_id[i]));
            m_root[i] = static_cast<float>(std::sqrt(m_excess[i])), m_right[i] = static_cast<float>(m_exact_right[i]);
        }
        return heavier;
    }

    /// The rows by m_id: in place, or padded copies.
    float const* rows_of(als_fold_table<float> const& table) {
        if (m_in_place) return table.rows.data();
        for (std::size_t i = 0; i < m_n; ++i) {
            float* const to = m_copies + i * m_ld;
            table.copy_row(m_id[i], to);
            std::fill(to + table.columns.n_solved(), to + m_ld, 0.0f);
            m_id[i] = static_cast<std::uint32_t>(i);
        }
        return m_copies;
    }

    void fill(als_fold_side<float> const& side, float const* rows, double lambda, kernel_table<float> const& kernel) {
        std::copy_n(side.start.data(), m_ld * m_ld, m_a);
        std::fill_n(m_b, m_ld, 0.0f);
        for (std::size_t j = 0; j < side.common.right.size(); ++j) m_b[j] = static_cast<float>(side.common.right[j]);
        auto const diagonal = static_cast<float>(lambda);
        for (std::size_t i = 0; i < m_ld; ++i) m_a[i * m_ld + i] += diagonal;
        for (std::size_t i = side.basis->n_factors(); i < m_ld; ++i) m_a[i * m_ld + i] = 1;
        for (std::size_t first = 0; first < m_n; first += panel_rows) {
            std::size_t const n = std::min(panel_rows, m_n - first);
            kernel.gather(m_panel, m_ld, rows, m_id + first, m_root + first, m_right + first, n, m_b);
            kernel.symmetric_update(m_a, m_ld, m_panel, n);
        }
    }

    /// At most, by the norm of what all rows share and the trace of the rest.
    double largest_eigenvalue(als_fold_side<float> const& side) const {
        double trace = 0;
        for (std::size_t i = 0; i < m_ld; ++i)
            trace += static_cast<double>(m_a[i * m_ld + i]) - static_cast<double>(side.start[i * m_ld + i]);
        return side.start_norm + trace;
    }

    /// The solution in m_b. False where the step is too long for one to be enough.
    bool refine(als_fold_side<float> const& side, float const* rows, double lambda, kernel_table<float> const& kernel,
                kernel_table<double> const& in_double) {
        for (std::size_t j = 0; j < m_ld; ++j) {
            m_x[j] = static_cast<double>(m_b[j]);
            m_rest[j] = -lambda * m_x[j], m_product[j] = -m_x[j];
        }
        for (std::size_t j = 0; j < side.common.right.size(); ++j) m_rest[j] += side.common.right[j];
        in_double.weighted_sum(side.exact.data(), m_ld, m_ld, m_product, m_rest); // it is symmetric
        kernel.add_rests(rows, m_ld, m_id, m_n, m_exact_right, m_excess, m_x, m_rest);
        for (std::size_t j = 0; j < m_ld; ++j) m_b[j] = static_cast<float>(m_rest[j]);
        kernel.cholesky_solve(m_a, m_ld, m_b);
        double most = 0, most_change = 0;
        for (std::size_t j = 0; j < m_ld; ++j) {
            auto const change = static_cast<double>(m_b[j]);
            most = std::max(most, std::abs(m_x[j])), most_change = std::max(most_change, std::abs(change));
            m_b[j] = static_cast<float>(m_x[j] + change);
        }
        return most_change <= most / 1024;
    }

    buffer<float> m_floats;
    buffer<double> m_doubles;
    buffer<std::uint32_t> m_ids;
    std::size_t m_ld = 0, m_n = 0;
    bool m_in_place = false;
    float *m_a = nullptr, *m_panel = nullptr, *m_b = nullptr, *m_copies = nullptr, *m_root = nullptr, *m_right = nullptr;
    double *m_x = nullptr, *m_rest = nullptr, *m_product = nullptr, *m_exact_right = nullptr, *m_excess = nullptr;
    std::uint32_t* m_id = nullptr;
};

/// Solves a row as a half-step does, with only the rows of the table that are needed taken into the basis.
template <class S> class als_basis_solver {
public:
    template <class Index> void solve(als_fold_side<S> const& side, als_fold_table<S> const& table, std::span<Index const> ids,
                                      std::span<float const> weights, std::span<float const> preferences, als_objective const& by,
                                      simd_level level, S* out) {
        auto const kernel = kernels<S>(level);
        prepare(kernel, table.columns.n_solved(), ids.size());
        auto& solver = *m_solver;
        solver.set_ridge(side.ridge.data());
        solver.set_common(table.columns.biases ? side.common_z.data() : nullptr, side.common.constant);
        std::size_t const most = solver.most_entries;
        std::uint32_t* const places = room_in(m_places, std::min(ids.size(), most));
        for (std::size_t i = 0; i < std::min(ids.size(), most); ++i) places[i] = static_cast<std::uint32_t>(i);
        S* const w = room_in(m_w, solver.row_length());
        m_sum.clear();
        for (std::size_t first = 0; first < ids.size() || first == 0; first += most) {
            std::size_t const n = std::min(most, ids.size() - first);
            S const* const z = whiten(*side.basis, table, ids.subspan(first, n), solver.row_length(), kernels<double>(level));
            S* const biases = table.columns.biases ? room_in(m_biases, n) : nullptr;
            for (std::size_t i = 0; biases && i < n; ++i) biases[i] = table.bias(static_cast<std::size_t>(ids[first + i]));
            solver.entries().read(std::span<std::uint32_t const>(places, n), weights.subspan(first, n),
                                  preferences.empty() ? preferences : preferences.subspan(first, n), by, biases);
            if (ids.size() <= most) solver.solve(z, extra_of(by, solver.entries().size(), table.n_rows), w);
            else solver.accumulate(z, m_sum);
        }
        if (ids.size() > most) solver.solve(m_sum, extra_of(by, m_sum.n_entries, table.n_rows), w);
        side.basis->unwhiten(w, solver.row_length(), 1, out, table.columns.n_solved(), kernel, m_work);
    }

private:
    void prepare(kernel_table<S> const& kernel, std::size_t n_factors, std::size_t n) {
        n = std::min(n, als_row_solver<S>::most_entries + 1);
        std::size_t const ld = kernel.padded(n_factors);
        if (m_solver && m_n_factors == n_factors && m_update == kernel.symmetric_update && n <= m_longest) return;
        m_longest = n, m_n_factors = n_factors, m_update = kernel.symmetric_update;
        m_solver.emplace(kernel, n_factors, false, n);
        m_sum = als_system(n > als_row_solver<S>::most_entries ? ld : 0);
    }
    template <class Index> S const* whiten(als_basis const& basis, als_fold_table<S> const& table, std::span<Index const> ids,
                                           std::size_t ld, kernel_table<double> const& kernel) {
        constexpr std::size_t some = 32; // together: the kernel takes four rows at a time
        std::size_t const f = table.columns.n_solved();
        S* const z = room_in(m_z, ids.size() * ld);
        double* const exact = room_in(m_exact, std::min(some, ids.size()) * f);
        for (auto const id : ids) // rows lie far apart: ask for all before waiting for one
            for (std::size_t j = 0; j < table.columns.n_factors; j += 64 / sizeof(S)) prefetch(table.row(to_size(id)) + j);
        for (std::size_t i = 0; i < ids.size(); i += some) {
            std::size_t const n = std::min(some, ids.size() - i);
            for (std::size_t r = 0; r < n; ++r) table.copy_row(to_size(ids[i + r]), exact + r * f);
            basis.whiten(exact, f, n, z + i * ld, ld, kernel, m_work);
        }
        return z;
    }

    std::optional<als_row_solver<S>> m_solver;
    std::size_t m_n_factors = 0, m_longest = 0;
    decltype(kernel_table<S>::symmetric_update) m_update = nullptr; // of the level that m_solver is for
    als_system m_sum{0};
    buffer<S> m_z, m_w, m_biases;
    buffer<double> m_exact, m_work;
    buffer<std::uint32_t> m_places;
};

}

/// The memory of `fold_in`, for a caller who folds in one user after the other: it grows with the longest history and is then used again. For one
/// thread at a time, for any model of the scalar type.
template <std::floating_point Scalar> class als_fold_workspace {
public:
    als_fold_workspace() = default;

private:
    template <std::floating_point> friend class basic_als_model;

    template <class Index> std::span<Scalar const> solve(detail::als_fold_side<Scalar> const& side,
                                                         detail::als_fold_table<Scalar> const& table, std::span<Index const> ids,
                                                         std::span<float const> weights, std::span<float const> preferences,
                                                         als_objective const& by, detail::simd_level level) {
        auto const& columns = table.columns;
        std::span<Scalar> const out(detail::room_in(m_out, columns.n_factors), columns.n_factors);
        if (!solve_plain(side, table, ids, weights, preferences, by, level, out.data()))
            m_whitened.solve(side, table, ids, weights, preferences, by, level, out.data());
        if (!columns.biases) return out;
        out[columns.n_latent() + 1] = Scalar{1}; // a row against items is that of a user: (x, b, 1)
        if (!columns.of_items) std::swap(out[columns.n_latent()], out[columns.n_latent() + 1]);
        return out;
    }
    template <class Index> bool solve_plain(detail::als_fold_side<Scalar> const& side, detail::als_fold_table<Scalar> const& table,
                                            std::span<Index const> ids, std::span<float const> weights, std::span<float const> preferences,
                                            als_objective const& by, detail::simd_level level, Scalar* out) {
        if constexpr (std::same_as<Scalar, float>)
            return m_plain.suits(ids.size(), table.columns.n_solved()) &&
                   m_plain.solve(side, table, ids, weights, preferences, by, level, out);
        else return false;
    }

    detail::als_plain_solver m_plain;
    detail::als_basis_solver<Scalar> m_whitened;
    detail::buffer<Scalar> m_out;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
