// SPDX-License-Identifier: MIT
// Events grouped by user, each user's in time order: what per-user features are computed from. Four bytes an event.
#ifndef RECSYS_FEATURES_EVENT_INDEX_HPP
#define RECSYS_FEATURES_EVENT_INDEX_HPP

#include <recsys/core/push_macros.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/events.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Whole days from one moment to a later one: 23 hours are none.
inline std::int64_t whole_days(time_point from, time_point to) noexcept { return std::chrono::floor<std::chrono::days>(to - from).count(); }

/// The items of each user, in time order (equal times, and undated events, keep input order).
class event_index {
public:
    event_index() = default;
    /// O(n + n_users).
    explicit event_index(events const& rows) : m_offsets(count(rows)) {
        buffer<item_index> items(rows.size());
        auto const dated = !rows.event_times().empty();
        buffer<time_point> first(dated ? rows.n_users() : 0), last(dated ? rows.n_users() : 0);
        visit(rows, [&](std::size_t row, std::size_t at, std::size_t user) {
            items[at] = rows.event_items()[row];
            if (!dated) return;
            if (at == m_offsets[user]) first[user] = rows.event_times()[row];
            last[user] = rows.event_times()[row];
        });
        m_items = std::move(items), m_first = std::move(first), m_last = std::move(last);
    }

    std::size_t n_users() const noexcept { return m_offsets.empty() ? 0 : m_offsets.size() - 1; }
    /// Where the events of a user begin in what is grouped like this index.
    std::size_t offset(user_index user) const noexcept { return m_offsets[to_size(user)]; }
    /// The user's items, oldest first; one that comes twice is there twice. Empty for a user past the end.
    std::span<item_index const> items(user_index user) const noexcept {
        auto const u = to_size(user);
        if (u >= n_users()) return {};
        return m_items.span().subspan(m_offsets[u], m_offsets[u + 1] - m_offsets[u]);
    }
    /// Of a user with events, in dated data.
    time_point first_time(user_index user) const noexcept { return m_first[to_size(user)]; }
    time_point last_time(user_index user) const noexcept { return m_last[to_size(user)]; }

    /// f(row, place in the grouping, user) for each event, in time order.
    template <class Function> void visit(events const& rows, Function const& f) const {
        if (rows.empty()) return;
        buffer<std::size_t> next(n_users());
        for (std::size_t u = 0; u < n_users(); ++u) next[u] = m_offsets[u];
        for (std::size_t row = 0; row < rows.size(); ++row) {
            auto const user = to_size(rows.event_users()[row]);
            f(row, next[user]++, user);
        }
    }

private:
    static shared_array<std::size_t> count(events const& rows) {
        buffer<std::size_t> offsets(rows.n_users() + 1, 0);
        for (auto const user : rows.event_users()) ++offsets[to_size(user) + 1];
        for (std::size_t u = 0; u < rows.n_users(); ++u) offsets[u + 1] += offsets[u];
        return offsets;
    }

    shared_array<std::size_t> m_offsets; // n_users + 1
    shared_array<item_index> m_items;
    shared_array<time_point> m_first, m_last; // n_users; of users with events
};

/// What is known at a moment: the events before it. Everything that features say comes from here, from the pool or from the user's functions.
struct known_events {
    events rows;
    event_index by_user;

    explicit known_events(events past) : rows(std::move(past)), by_user(rows) {
        auto const times = rows.event_times();
        if (!times.empty() && rows.as_of() && times.back() >= *rows.as_of())
            throw_data("features: the events reach ", time_text(times.back()), ", they must be before ", time_text(*rows.as_of()));
    }

    /// The moment. @throws data_error  for undated events.
    time_point moment(std::string_view step) const {
        if (rows.as_of() && (rows.empty() || !rows.event_times().empty())) return *rows.as_of();
        throw_data("features: ", step,
                   " needs times and the events have none: name their column with time(), unix_seconds() or unix_millis()");
    }
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
