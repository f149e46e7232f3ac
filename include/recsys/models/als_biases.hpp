// SPDX-License-Identifier: MIT
// Biases in ALS: where the rows of tables hold them, and what those of one side give every row of the other.
//
// With z = (y, 1) a user's row (x, b_u) is fitted to p - b_i, over all pairs: (w0 sum of z z' + lambda I + sum of (c - w0) z z') (x, b_u) =
// - w0 sum of b_i z + sum of (c p - (c - w0) b_i) z, where sums without a weight c are over all items. For items the same with b_u.
#ifndef RECSYS_MODELS_ALS_BIASES_HPP
#define RECSYS_MODELS_ALS_BIASES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Where the rows of a model's table have what.
struct als_columns {
    std::size_t n_factors = 0; ///< of a row
    bool biases = false, of_items = false;
    std::size_t n_latent() const noexcept { return biases ? n_factors - 2 : n_factors; }
    std::size_t n_solved() const noexcept { return biases ? n_factors - 1 : n_factors; } ///< what a row against them has: factors and bias
    std::size_t one() const noexcept { return n_factors - (of_items ? 2 : 1); }
    std::size_t bias() const noexcept { return n_factors - (of_items ? 1 : 2); }
    /// The column of (factors, 1, bias), the order in which systems are made.
    std::size_t place(std::size_t j) const noexcept { return !biases || j < n_latent() ? j : j == n_latent() ? one() : bias(); }
};
/// A model's table from rows that end with their bias.
template <class S> buffer<S> with_ones(buffer<S> const& rows, std::size_t row_length, bool of_items) {
    std::size_t const n = rows.size() / row_length;
    buffer<S> out(checked_product(n, row_length + 1, "als"));
    for (std::size_t i = 0; i < n; ++i) {
        S const* const from = rows.data() + i * row_length;
        S* const to = out.data() + i * (row_length + 1);
        std::copy_n(from, row_length, to);
        to[row_length] = S{1};
        if (of_items) std::swap(to[row_length - 1], to[row_length]);
    }
    return out;
}
/// The reverse, into the first rows of `to`.
template <class S> void without_ones(std::span<S const> table, als_columns const& columns, buffer<S>& to) {
    std::size_t const n = table.size() / columns.n_factors, row_length = columns.n_solved();
    for (std::size_t i = 0; i < n; ++i) {
        std::copy_n(table.data() + i * columns.n_factors, columns.n_latent(), to.data() + i * row_length);
        if (columns.biases) to[(i + 1) * row_length - 1] = table[i * columns.n_factors + columns.bias()];
    }
}
/// A Gramian in the order of the table's columns from one in the order of systems, or back.
inline buffer<double> reordered(std::span<double const> gramian, als_columns const& columns) {
    std::size_t const n = columns.n_factors;
    buffer<double> out(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) out[i * n + j] = gramian[columns.place(i) * n + columns.place(j)];
    return out;
}
/// Its first rows and columns: what a basis is made from.
inline buffer<double> corner(std::span<double const> gramian, std::size_t n, std::size_t n_first) {
    buffer<double> out(n_first * n_first);
    for (std::size_t i = 0; i < n_first; ++i) std::copy_n(gramian.data() + i * n, n_first, out.data() + i * n_first);
    return out;
}

/// What the biases of the fixed side give every row: - w0 sum of b (y, 1), and w0 sum of b^2, from the Gramian of its rows (y, 1, b).
struct als_common {
    std::vector<double> right; ///< empty without biases
    double constant = 0;
    als_common() = default;
    als_common(std::span<double const> gramian, std::size_t n_solved, double weight) : right(n_solved) {
        std::size_t const n = n_solved + 1;
        for (std::size_t j = 0; j < n_solved; ++j) right[j] = -weight * gramian[j * n + n_solved];
        constant = weight * gramian[n_solved * n + n_solved];
    }
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
