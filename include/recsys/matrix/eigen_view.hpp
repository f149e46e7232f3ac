// SPDX-License-Identifier: MIT
// Matrices that belong to somebody else: read in place from raw arrays or an Eigen sparse matrix, and written to one.
// Nothing of Eigen is included: whatever has its outer, inner and value pointers will do.
#ifndef RECSYS_MATRIX_EIGEN_VIEW_HPP
#define RECSYS_MATRIX_EIGEN_VIEW_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/builder.hpp>
#include <recsys/matrix/csc.hpp>
#include <recsys/matrix/csr.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Has compressed arrays as an Eigen::SparseMatrix has them: where each row (or column) begins, the index and the value of each entry.
template <class Matrix>
concept compressed_matrix = requires(Matrix const& m) {
    { m.rows() } -> std::convertible_to<std::int64_t>;
    { m.cols() } -> std::convertible_to<std::int64_t>;
    { m.nonZeros() } -> std::convertible_to<std::int64_t>;
    { m.isCompressed() } -> std::convertible_to<bool>;
    { *m.outerIndexPtr() } -> std::convertible_to<std::int64_t>;
    { *m.innerIndexPtr() } -> std::convertible_to<std::int64_t>;
    *m.valuePtr();
    Matrix::IsRowMajor;
};

namespace detail {

template <class Given, class Index>
concept same_bits_as_index = std::same_as<Given, Index> ||(std::integral<Given> && sizeof(Given) == sizeof(Index));

/// 32-bit indices of another type, in place. The optimiser must forget that they were stored as integers.
template <class Index, class Given> Index const* as_indices(Given const* p) noexcept {
    if constexpr (std::same_as<Given, Index>) return p;
    else {
        void const* bytes = p;
#if defined(__GNUC__)
        __asm__ volatile("" : "+r"(bytes) : : "memory");
#endif
        return static_cast<Index const*>(bytes);
    }
}

template <class Value> shared_array<Value> borrowed(Value const* p, std::size_t n) {
    return shared_array<Value>(nullptr, std::span<Value const>(p, n));
}

/// Offsets in place if they are 64 bits wide, else widened into memory of our own.
template <class Offset> shared_array<std::int64_t> wide_offsets(std::span<Offset const> offsets) {
    if constexpr (std::same_as<Offset, std::int64_t>) return borrowed(offsets.data(), offsets.size());
    else {
        buffer<std::int64_t> out(offsets.size());
        for (std::size_t i = 0; i < offsets.size(); ++i) {
            if (offsets[i] < Offset{0} ||
                static_cast<std::uint64_t>(offsets[i]) > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
                throw_data("csr_view: offset ", i, " is ", offsets[i], ", expected numbers from 0 to the number of entries");
            out[i] = static_cast<std::int64_t>(offsets[i]);
        }
        return out;
    }
}

template <compressed_matrix Matrix> void check_compressed(Matrix const& m, char const* where) {
    if (!m.isCompressed()) throw_data(where, ": the matrix is not compressed; call makeCompressed() first");
}

template <class Pointer> using pointee = std::remove_cvref_t<decltype(*std::declval<Pointer>())>;

template <compressed_matrix Matrix> auto outer_span(Matrix const& m, std::int64_t n_outer) {
    using offset = pointee<decltype(m.outerIndexPtr())>;
    return std::span<offset const>(m.outerIndexPtr(), static_cast<std::size_t>(n_outer) + 1);
}

}

/// A matrix over the user's arrays, in place: nothing is copied but offsets that are not 64 bits wide. The arrays must outlive it, unchanged.
///
/// @param offsets  n_users + 1 of any integer type, from 0 to the number of entries.
/// @param columns  32-bit integers or item_index, strictly rising within a row.
/// @param values   numbers of any type: it becomes the value type.
/// @throws data_error  naming the row that breaks this, or a value that is not finite. Checked once: O(entries).
template <std::integral Offset, class Column, class Value>
[[nodiscard]] basic_csr<Value> csr_view(std::size_t n_users, std::size_t n_items, std::span<Offset const> offsets,
                                        std::span<Column const> columns, std::span<Value const> values) {
    constexpr bool is_index = detail::same_bits_as_index<Column, item_index>;
    static_assert(is_index, "csr_view: the columns must be 32-bit integers to be read in place; copy others by csr_from");
    if constexpr (is_index)
        return basic_csr<Value>(n_users, n_items, detail::wide_offsets(offsets),
                                detail::borrowed(detail::as_indices<item_index>(columns.data()), columns.size()),
                                detail::borrowed(values.data(), values.size()));
    else return {};
}
/// A matrix over a row-major compressed Eigen::SparseMatrix (or Map of one), users x items, in place. It must outlive the view, unchanged.
/// @throws data_error  if it is not compressed, or breaks what the arrays must keep.
template <class Matrix> [[nodiscard]] auto csr_view(Matrix const& m) {
    static_assert(compressed_matrix<Matrix>,
                  "csr_view: give a compressed sparse matrix with outerIndexPtr(), innerIndexPtr() and valuePtr(), or arrays");
    static_assert(
        Matrix::IsRowMajor,
        "csr_view: the matrix is column-major, so its outer index is the item: take csc_view, and transpose(csc_view(m)) for a csr");
    detail::check_compressed(m, "csr_view");
    using column = detail::pointee<decltype(m.innerIndexPtr())>;
    using value = detail::pointee<decltype(m.valuePtr())>;
    auto const n = static_cast<std::size_t>(m.nonZeros());
    return recsys::csr_view(static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols()), detail::outer_span(m, m.rows()),
                            std::span<column const>(m.innerIndexPtr(), n), std::span<value const>(m.valuePtr(), n));
}
template <class Matrix> auto csr_view(Matrix const&&) = delete;

/// The same by item, over a column-major compressed sparse matrix of users x items, Eigen's default order.
template <class Matrix> [[nodiscard]] auto csc_view(Matrix const& m) {
    static_assert(compressed_matrix<Matrix>,
                  "csc_view: give a compressed sparse matrix with outerIndexPtr(), innerIndexPtr() and valuePtr()");
    static_assert(!Matrix::IsRowMajor, "csc_view: the matrix is row-major, so its outer index is the user: take csr_view");
    detail::check_compressed(m, "csc_view");
    using row = detail::pointee<decltype(m.innerIndexPtr())>;
    using value = detail::pointee<decltype(m.valuePtr())>;
    static_assert(detail::same_bits_as_index<row, user_index>, "csc_view: the inner indices must be 32-bit integers to be read in place");
    auto const n = static_cast<std::size_t>(m.nonZeros());
    return basic_csc<value>(static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols()),
                            detail::wide_offsets(detail::outer_span(m, m.cols())),
                            detail::borrowed(detail::as_indices<user_index>(m.innerIndexPtr()), n), detail::borrowed(m.valuePtr(), n));
}
template <class Matrix> auto csc_view(Matrix const&&) = delete;

namespace detail {

template <class To> To checked_count(std::int64_t n, char const* what) {
    if (n > static_cast<std::int64_t>(std::numeric_limits<To>::max()))
        throw_data("to_eigen: ", n, ' ', what, " do not fit the storage index of the target (at most ", std::numeric_limits<To>::max(),
                   ')');
    return static_cast<To>(n);
}

template <class Target, class Major> Target to_compressed(std::size_t n_users, std::size_t n_items, Major const& m, auto minor) {
    using storage = std::remove_cvref_t<decltype(*std::declval<Target&>().outerIndexPtr())>;
    using scalar = std::remove_cvref_t<decltype(*std::declval<Target&>().valuePtr())>;
    using value = typename Major::value_type;
    static_assert(keeps_values<value, scalar>(), "to_eigen: this scalar type cannot hold every value of the matrix; take a wider one");
    auto const n = static_cast<std::int64_t>(m.n_entries());
    (void)checked_count<storage>(n, "entries");
    auto const rows = checked_count<storage>(static_cast<std::int64_t>(n_users), "users");
    auto const cols = checked_count<storage>(static_cast<std::int64_t>(n_items), "items");
    Target out(rows, cols);
    out.resizeNonZeros(static_cast<decltype(out.rows())>(n));
    std::transform(m.offsets().begin(), m.offsets().end(), out.outerIndexPtr(), [](std::int64_t at) { return static_cast<storage>(at); });
    std::transform(minor.begin(), minor.end(), out.innerIndexPtr(), [](auto i) { return static_cast<storage>(to_size(i)); });
    std::transform(m.values().begin(), m.values().end(), out.valuePtr(), [](value v) { return static_cast<scalar>(v); });
    return out;
}

}

/// A copy as the sparse matrix type that the caller names: `to_eigen<Eigen::SparseMatrix<double, Eigen::RowMajor>>(m)`, of either order.
///
/// A scalar type that cannot hold the values does not compile. @throws data_error where the target's storage index is too narrow.
template <class Target, class Value> [[nodiscard]] Target to_eigen(basic_csr<Value> const& m) {
    if constexpr (Target::IsRowMajor) return detail::to_compressed<Target>(m.n_users(), m.n_items(), m, m.columns());
    else {
        auto const by_item = transpose(m);
        return detail::to_compressed<Target>(m.n_users(), m.n_items(), by_item, by_item.rows());
    }
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
