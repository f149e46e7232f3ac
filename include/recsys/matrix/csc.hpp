// SPDX-License-Identifier: MIT
// Compressed sparse columns: the same matrix by item, and the way from one order to the other.
#ifndef RECSYS_MATRIX_CSC_HPP
#define RECSYS_MATRIX_CSC_HPP

#include <recsys/core/push_macros.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/counting_sort.hpp>
#include <recsys/matrix/csr.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Sparse matrix of users x items in the order of the items: for each one its users, strictly rising. A handle: a copy shares.
template <class Value> class basic_csc {
    static_assert(std::is_arithmetic_v<Value>, "csc: the values must be numbers");

public:
    using value_type = Value;
    basic_csc() = default;
    /// From finished arrays.
    /// @param offsets  n_items + 1, rising, from 0 to the number of entries.
    /// @param rows     below n_users, strictly rising within an item.
    /// @throws data_error  naming the item where that does not hold, or where a value is not finite.
    basic_csc(std::size_t n_users, std::size_t n_items, detail::shared_array<std::int64_t> offsets, detail::shared_array<user_index> rows,
              detail::shared_array<Value> values, recsys::provenance from = {})
        : m_n_users(n_users),
          m_n_items(n_items),
          m_offsets(std::move(offsets)),
          m_rows(std::move(rows)),
          m_values(std::move(values)),
          m_provenance(std::move(from)) {
        check();
    }

    std::size_t n_users() const noexcept { return m_n_users; }
    std::size_t n_items() const noexcept { return m_n_items; }
    std::size_t n_entries() const noexcept { return m_rows.size(); }
    /// n_items + 1 positions into rows() and values().
    std::span<std::int64_t const> offsets() const& noexcept { return m_offsets.span(); }
    std::span<std::int64_t const> offsets() const&& = delete;
    std::span<user_index const> rows() const& noexcept { return m_rows.span(); }
    std::span<user_index const> rows() const&& = delete;
    std::span<Value const> values() const& noexcept { return m_values.span(); }
    std::span<Value const> values() const&& = delete;

    /// The users of an item, rising. Empty for an item past the end.
    std::span<user_index const> users(item_index item) const& noexcept {
        auto const [first, n] = range(item);
        return m_rows.span().subspan(first, n);
    }
    std::span<user_index const> users(item_index) const&& = delete;
    /// The values beside users(item).
    std::span<Value const> weights(item_index item) const& noexcept {
        auto const [first, n] = range(item);
        return m_values.span().subspan(first, n);
    }
    std::span<Value const> weights(item_index) const&& = delete;

    std::optional<time_point> as_of() const noexcept { return m_provenance.as_of; }
    recsys::provenance const& provenance() const& noexcept { return m_provenance; }
    recsys::provenance provenance() const&& { return m_provenance; }

private:
    std::pair<std::size_t, std::size_t> range(item_index item) const noexcept {
        auto const i = to_size(item);
        if (i >= m_n_items) return {0, 0};
        auto const first = static_cast<std::size_t>(m_offsets[i]);
        return {first, static_cast<std::size_t>(m_offsets[i + 1]) - first};
    }

    void check() const {
        detail::check_index_count(m_n_users, "csc", "users");
        detail::check_index_count(m_n_items, "csc", "items");
        auto const n = static_cast<std::int64_t>(m_rows.size());
        if (m_offsets.size() != m_n_items + 1 || m_offsets[0] != 0 || m_offsets[m_n_items] != n || m_values.size() != m_rows.size())
            detail::throw_data("csc: ", m_n_items, " items need ", m_n_items + 1,
                               " offsets from 0 to the number of entries and as many values as rows, got ", m_offsets.size(), " offsets, ",
                               m_rows.size(), " rows and ", m_values.size(), " values");
        for (std::size_t i = 0; i < m_n_items; ++i)
            if (m_offsets[i + 1] < m_offsets[i] || m_offsets[i + 1] > n)
                detail::throw_data("csc: the offset after item ", i, " must not fall and not pass the end");
        for (std::size_t i = 0; i < m_n_items; ++i) check_item(i);
    }

    void check_item(std::size_t i) const {
        auto const [first, n] = range(static_cast<item_index>(i));
        for (std::size_t at = first; at < first + n; ++at) {
            if (to_size(m_rows[at]) >= m_n_users)
                detail::throw_data("csc: item ", i, " has user ", to_size(m_rows[at]), ", there are ", m_n_users, " users");
            if (at > first && !(m_rows[at - 1] < m_rows[at])) detail::throw_data("csc: the users of item ", i, " must rise strictly");
            if constexpr (std::is_floating_point_v<Value>)
                if (!std::isfinite(m_values[at]))
                    detail::throw_data("csc: the value of item ", i, ", user ", to_size(m_rows[at]), " is not finite");
        }
    }

    std::size_t m_n_users = 0, m_n_items = 0;
    detail::shared_array<std::int64_t> m_offsets = detail::shared_array<std::int64_t>({0});
    detail::shared_array<user_index> m_rows;
    detail::shared_array<Value> m_values;
    recsys::provenance m_provenance;
};

/// The usual matrix by item: float values.
using csc = basic_csc<float>;

/// The same matrix by item, the same bits for any number of threads. O(entries + users + items).
template <class Value> [[nodiscard]] basic_csc<Value> transpose(basic_csr<Value> const& m, run_options const& run = {}) {
    detail::team workers(run.threads);
    auto out = detail::reorder<user_index>(workers, m.offsets(), m.columns(), m.values(), m.n_items());
    return basic_csc<Value>(m.n_users(), m.n_items(), std::move(out.offsets), std::move(out.minor), std::move(out.values), m.provenance());
}
/// The same matrix by user, the same bits for any number of threads. O(entries + users + items).
template <class Value> [[nodiscard]] basic_csr<Value> transpose(basic_csc<Value> const& m, run_options const& run = {}) {
    detail::team workers(run.threads);
    auto out = detail::reorder<item_index>(workers, m.offsets(), m.rows(), m.values(), m.n_users());
    return basic_csr<Value>(m.n_users(), m.n_items(), std::move(out.offsets), std::move(out.minor), std::move(out.values), m.provenance());
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
