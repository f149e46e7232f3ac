// SPDX-License-Identifier: MIT
// Truth: what happened later. Lists are judged by it and labels attach from it; no model can be fitted on it.
#ifndef RECSYS_DATA_TRUTH_HPP
#define RECSYS_DATA_TRUTH_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/types.hpp>
#include <recsys/data/events.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Labels or future: rows that lists are compared with. A handle: a copy shares.
class truth {
public:
    truth() = default;
    /// @param from   the moment at which it begins (it holds rows at or after it); absent where the split is not by one moment.
    /// @param until  the moment at which it ends, if it does.
    truth(events rows, std::optional<time_point> from, std::optional<time_point> until = {})
        : m_rows(std::move(rows)), m_from(from), m_until(until), m_groups(std::make_shared<groups const>(group(m_rows))) {}

    /// Number of rows; a pair that occurs twice counts twice.
    std::size_t size() const noexcept { return m_rows.size(); }
    bool empty() const noexcept { return size() == 0; }
    std::size_t n_users() const noexcept { return m_rows.n_users(); }
    std::size_t n_items() const noexcept { return m_rows.n_items(); }
    /// The moment at which it begins; absent for splits that are not by one moment, which are not safe in time.
    std::optional<time_point> from() const noexcept { return m_from; }
    std::optional<time_point> until() const noexcept { return m_until; }
    recsys::provenance provenance() const { return {m_rows.provenance().users, m_rows.provenance().items, {}}; }

    /// The users with at least one row, in rising order.
    std::span<user_index const> active_users() const& noexcept { return m_rows.active_users(); }
    std::span<user_index const> active_users() const&& = delete;
    /// The distinct items of a user, in rising order; empty for a user without rows.
    std::span<item_index const> items(user_index user) const& noexcept {
        if (!m_groups || to_size(user) >= n_users()) return {};
        auto const first = m_groups->offsets[to_size(user)], last = m_groups->offsets[to_size(user) + 1];
        return std::span<item_index const>(m_groups->items).subspan(first, last - first);
    }
    std::span<item_index const> items(user_index) const&& = delete;

    /// The columns, size() long, in time order.
    std::span<user_index const> event_users() const& noexcept { return m_rows.event_users(); }
    std::span<user_index const> event_users() const&& = delete;
    std::span<item_index const> event_items() const& noexcept { return m_rows.event_items(); }
    std::span<item_index const> event_items() const&& = delete;
    std::span<float const> event_weights() const& noexcept { return m_rows.event_weights(); }
    std::span<float const> event_weights() const&& = delete;
    std::span<time_point const> event_times() const& noexcept { return m_rows.event_times(); }
    std::span<time_point const> event_times() const&& = delete;

private:
    struct groups {
        std::vector<std::size_t> offsets; // n_users + 1
        std::vector<item_index> items;
    };
    static groups group(events const& rows) {
        groups g;
        g.offsets.assign(rows.n_users() + 1, 0);
        for (auto const u : rows.event_users()) ++g.offsets[to_size(u) + 1];
        for (std::size_t u = 0; u < rows.n_users(); ++u) g.offsets[u + 1] += g.offsets[u];
        g.items.resize(rows.size());
        auto at = g.offsets;
        for (std::size_t i = 0; i < rows.size(); ++i) g.items[at[to_size(rows.event_users()[i])]++] = rows.event_items()[i];
        std::size_t kept = 0, first = 0;
        for (std::size_t u = 0; u < rows.n_users(); ++u) {
            auto const last = g.offsets[u + 1];
            auto const begin = g.items.begin() + static_cast<std::ptrdiff_t>(first),
                       end = g.items.begin() + static_cast<std::ptrdiff_t>(last);
            std::sort(begin, end);
            std::size_t const row = kept;
            for (auto it = begin; it != end; ++it)
                if (kept == row || *it != g.items[kept - 1]) g.items[kept++] = *it;
            first = last;
            g.offsets[u + 1] = kept;
        }
        g.items.resize(kept);
        return g;
    }

    events m_rows;
    std::optional<time_point> m_from, m_until;
    std::shared_ptr<groups const> m_groups;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
