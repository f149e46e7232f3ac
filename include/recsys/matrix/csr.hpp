// SPDX-License-Identifier: MIT
// Compressed sparse rows, users x items: columns rise strictly within a row, so there is one entry a pair.
#ifndef RECSYS_MATRIX_CSR_HPP
#define RECSYS_MATRIX_CSR_HPP

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
#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What odd entries a matrix has.
struct matrix_report {
    std::size_t entries = 0;
    std::size_t merged = 0;       ///< rows that fell on a pair that was there already
    std::size_t stored_zeros = 0; ///< count as seen, are skipped by models
    std::size_t negatives = 0;
    std::size_t empty_rows = 0;
    /// More than half of the entries are zero: the values were probably truncated on their way here.
    bool mostly_zero() const noexcept { return entries > 0 && stored_zeros * 2 > entries; }
};

/// Sparse matrix of users x items. A handle: a copy shares. Any arithmetic value type; 64-bit offsets.
template <class Value> class basic_csr {
    static_assert(std::is_arithmetic_v<Value>, "csr: the values must be numbers");

public:
    using value_type = Value;
    basic_csr() = default;
    /// From finished arrays.
    /// @param offsets  n_users + 1, rising, from 0 to the number of entries.
    /// @param columns  below n_items, strictly rising within a row.
    /// @throws data_error  naming the row where that does not hold, or where a value is not finite.
    basic_csr(std::size_t n_users, std::size_t n_items, detail::shared_array<std::int64_t> offsets,
              detail::shared_array<item_index> columns, detail::shared_array<Value> values, recsys::provenance from = {},
              matrix_report report = {})
        : m_n_users(n_users),
          m_n_items(n_items),
          m_offsets(std::move(offsets)),
          m_columns(std::move(columns)),
          m_values(std::move(values)),
          m_provenance(std::move(from)),
          m_report(report) {
        check();
    }

    std::size_t n_users() const noexcept { return m_n_users; }
    std::size_t n_items() const noexcept { return m_n_items; }
    std::size_t n_entries() const noexcept { return m_columns.size(); }
    /// n_users + 1 positions into columns() and values().
    std::span<std::int64_t const> offsets() const& noexcept { return m_offsets.span(); }
    std::span<std::int64_t const> offsets() const&& = delete;
    std::span<item_index const> columns() const& noexcept { return m_columns.span(); }
    std::span<item_index const> columns() const&& = delete;
    std::span<Value const> values() const& noexcept { return m_values.span(); }
    std::span<Value const> values() const&& = delete;

    /// The items of a user's row, rising: every stored entry counts as seen. Empty for a user past the end.
    std::span<item_index const> seen(user_index user) const& noexcept {
        auto const [first, n] = range(user);
        return m_columns.span().subspan(first, n);
    }
    std::span<item_index const> seen(user_index) const&& = delete;
    /// The values beside seen(user).
    std::span<Value const> weights(user_index user) const& noexcept {
        auto const [first, n] = range(user);
        return m_values.span().subspan(first, n);
    }
    std::span<Value const> weights(user_index) const&& = delete;

    std::optional<time_point> as_of() const noexcept { return m_provenance.as_of; }
    recsys::provenance const& provenance() const& noexcept { return m_provenance; }
    recsys::provenance provenance() const&& { return m_provenance; }
    matrix_report const& report() const& noexcept { return m_report; }
    matrix_report report() const&& { return m_report; }

private:
    std::pair<std::size_t, std::size_t> range(user_index user) const noexcept {
        auto const u = to_size(user);
        if (u >= m_n_users) return {0, 0};
        auto const first = static_cast<std::size_t>(m_offsets[u]);
        return {first, static_cast<std::size_t>(m_offsets[u + 1]) - first};
    }

    void check() {
        detail::check_index_count(m_n_users, "csr", "users");
        detail::check_index_count(m_n_items, "csr", "items");
        if (m_offsets.size() != m_n_users + 1 || m_offsets[0] != 0 || m_offsets[m_n_users] != static_cast<std::int64_t>(m_columns.size()) ||
            m_values.size() != m_columns.size())
            detail::throw_data("csr: ", m_n_users, " rows need ", m_n_users + 1,
                               " offsets from 0 to the number of entries and as many values as columns, got ", m_offsets.size(),
                               " offsets, ", m_columns.size(), " columns and ", m_values.size(), " values");
        for (std::size_t u = 0; u < m_n_users; ++u)
            if (m_offsets[u + 1] < m_offsets[u] || m_offsets[u + 1] > static_cast<std::int64_t>(m_columns.size()))
                detail::throw_data("csr: the offset after row ", u, " must not fall and not pass the end");
        auto counted = matrix_report{};
        counted.entries = m_columns.size();
        counted.merged = m_report.merged;
        for (std::size_t u = 0; u < m_n_users; ++u) check_row(u, counted);
        m_report = counted;
    }

    void check_row(std::size_t u, matrix_report& counted) const {
        auto const [first, n] = range(static_cast<user_index>(u));
        counted.empty_rows += n == 0;
        for (std::size_t i = first; i < first + n; ++i) {
            if (to_size(m_columns[i]) >= m_n_items)
                detail::throw_data("csr: row ", u, " has item ", to_size(m_columns[i]), ", there are ", m_n_items, " items");
            if (i > first && !(m_columns[i - 1] < m_columns[i])) detail::throw_data("csr: the items of row ", u, " must rise strictly");
            if constexpr (std::is_floating_point_v<Value>) {
                if (!std::isfinite(m_values[i]))
                    detail::throw_data("csr: the value of row ", u, ", item ", to_size(m_columns[i]), " is not finite");
            }
            counted.stored_zeros += m_values[i] == Value{0};
            if constexpr (std::is_signed_v<Value> || std::is_floating_point_v<Value>) counted.negatives += m_values[i] < Value{0};
        }
    }

    std::size_t m_n_users = 0, m_n_items = 0;
    detail::shared_array<std::int64_t> m_offsets = detail::shared_array<std::int64_t>({0});
    detail::shared_array<item_index> m_columns;
    detail::shared_array<Value> m_values;
    recsys::provenance m_provenance;
    matrix_report m_report;
};

/// The usual matrix: float values.
using csr = basic_csr<float>;

/// What answers "which items has this user seen": rows rise strictly. `csr` does; users may bring their own.
template <class Seen>
concept seen_items = requires(Seen const& s, user_index u) {
    { s.seen(u) } -> std::convertible_to<std::span<item_index const>>;
};

/// The word for "nobody has seen anything".
struct nothing_seen_t {
    std::span<item_index const> seen(user_index) const noexcept { return {}; }
};
inline constexpr nothing_seen_t nothing_seen{};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
