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
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>
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
    friend struct detail::archived<events>;
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

namespace detail {

/// A dataset in a file is its encoders and its rows: `save(path, data.users(), data.items(), events(data))`, and
/// `auto [users, items, rows] = load<user_encoder<Id>, item_encoder<Id>, events>(path)` for `dataset(rows, users, items)`.
template <> struct archived<events> {
    static std::string name() { return "events"; }
    static void save(events const& rows, object_writer& out) {
        out.array("sizes", std::vector<std::uint64_t>{rows.n_users(), rows.n_items()});
        out.array("users", rows.m_columns.users);
        out.array("items", rows.m_columns.items);
        out.array("weights", rows.m_columns.weights);
        out.array("times", rows.m_columns.times);
        save_provenance(rows.provenance(), out);
    }
    static events load(object_reader const& in) {
        auto const sizes = in.array<std::uint64_t>("sizes", 2);
        for (auto const n : sizes)
            if (n > max_index_count) in.fail("sizes", "are not those of events");
        event_columns columns;
        columns.users = in.array<user_index>("users");
        auto const n = columns.users.size();
        columns.items = in.array<item_index>("items", n);
        columns.weights = in.array<float>("weights"), columns.times = in.array<time_point>("times");
        if (!columns.weights.empty() && columns.weights.size() != n) in.fail("weights", "are not one for each row");
        if (!columns.times.empty() && columns.times.size() != n) in.fail("times", "are not one for each row");
        for (std::size_t row = 0; row < n; ++row)
            if (to_size(columns.users[row]) >= sizes[0] || to_size(columns.items[row]) >= sizes[1])
                in.fail("users", concat("or items has an index outside of the encoders in row ", row));
        auto const from = load_provenance(in);
        if (!std::is_sorted(columns.times.begin(), columns.times.end())) in.fail("times", "are not in order");
        if (from.as_of && !columns.times.empty() && columns.times[n - 1] >= *from.as_of) in.fail("times", "are not all before as_of");
        return events(std::move(columns), static_cast<std::size_t>(sizes[0]), static_cast<std::size_t>(sizes[1]), from);
    }
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
