// SPDX-License-Identifier: MIT
// Events: who took what, how much and when, as shared immutable columns. What models and matrices are fitted on.
#ifndef RECSYS_DATA_EVENTS_HPP
#define RECSYS_DATA_EVENTS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// Columns in time order (equal times keep input order); in input order where the data has no times. At most 20 bytes a row.
struct event_columns {
    shared_array<user_index> users;
    shared_array<item_index> items;
    shared_array<float> weights;    ///< empty = every weight is 1
    shared_array<time_point> times; ///< empty = undated
};

/// The distinct users of a column, in rising order. O(n + n_users).
inline std::vector<user_index> distinct_users(std::span<user_index const> column, std::size_t n_users) {
    std::vector<bool> is_there(n_users);
    for (auto const u : column) is_there[to_size(u)] = true;
    std::vector<user_index> out;
    for (std::size_t u = 0; u < n_users; ++u)
        if (is_there[u]) out.push_back(static_cast<user_index>(u));
    return out;
}

}

/// A past: rows on which models can be fitted. A handle: a copy shares the columns. Not a template on the ids.
class events {
public:
    events() = default;
    /// @param from  what the rows' indices mean; `from.as_of` is the cut of a window, or absent: then it is the last event + 1 us.
    events(detail::event_columns columns, std::size_t n_users, std::size_t n_items, provenance from)
        : m_columns(std::move(columns)), m_n_users(n_users), m_n_items(n_items), m_provenance(std::move(from)) {
        RECSYS_DETAIL_ASSERT(m_columns.users.size() == m_columns.items.size());
        if (!m_provenance.as_of && !m_columns.times.empty())
            m_provenance.as_of = m_columns.times[size() - 1] + std::chrono::microseconds{1};
        m_active = std::make_shared<std::vector<user_index> const>(detail::distinct_users(m_columns.users.span(), n_users));
    }

    /// Number of rows.
    std::size_t size() const noexcept { return m_columns.users.size(); }
    bool empty() const noexcept { return size() == 0; }
    /// Sizes of the encoders: indices are below them whether or not they occur here.
    std::size_t n_users() const noexcept { return m_n_users; }
    std::size_t n_items() const noexcept { return m_n_items; }
    /// Whether the rows have times.
    bool dated() const noexcept { return !m_columns.times.empty() || m_provenance.as_of.has_value(); }
    /// Every row is before this moment; absent for undated data.
    std::optional<time_point> as_of() const noexcept { return m_provenance.as_of; }
    recsys::provenance const& provenance() const& noexcept { return m_provenance; }
    recsys::provenance provenance() const&& { return m_provenance; }

    /// The columns, size() long, in time order.
    std::span<user_index const> event_users() const& noexcept { return m_columns.users.span(); }
    std::span<user_index const> event_users() const&& = delete;
    std::span<item_index const> event_items() const& noexcept { return m_columns.items.span(); }
    std::span<item_index const> event_items() const&& = delete;
    /// Empty where every weight is 1.
    std::span<float const> event_weights() const& noexcept { return m_columns.weights.span(); }
    std::span<float const> event_weights() const&& = delete;
    /// Empty where the data is undated.
    std::span<time_point const> event_times() const& noexcept { return m_columns.times.span(); }
    std::span<time_point const> event_times() const&& = delete;
    float weight(std::size_t row) const noexcept { return m_columns.weights.empty() ? 1.f : m_columns.weights[row]; }

    /// The users with at least one row, in rising order.
    std::span<user_index const> active_users() const& noexcept {
        return m_active ? std::span<user_index const>(*m_active) : std::span<user_index const>();
    }
    std::span<user_index const> active_users() const&& = delete;

protected:
    detail::event_columns const& columns() const noexcept { return m_columns; }
    /// Rows [first, last), without copying.
    events slice(std::size_t first, std::size_t last, std::optional<time_point> as_of) const {
        auto const n = last - first;
        detail::event_columns part;
        part.users = m_columns.users.part(first, n), part.items = m_columns.items.part(first, n);
        if (!m_columns.weights.empty()) part.weights = m_columns.weights.part(first, n);
        if (!m_columns.times.empty()) part.times = m_columns.times.part(first, n);
        auto from = m_provenance;
        from.as_of = as_of;
        return events(std::move(part), m_n_users, m_n_items, from);
    }

private:
    detail::event_columns m_columns;
    std::size_t m_n_users = 0, m_n_items = 0;
    recsys::provenance m_provenance;
    std::shared_ptr<std::vector<user_index> const> m_active;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
