// SPDX-License-Identifier: MIT
// Datasets: events and the encoders that say which ids their indices stand for.
#ifndef RECSYS_DATA_DATASET_HPP
#define RECSYS_DATA_DATASET_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/types.hpp>
#include <recsys/data/columns.hpp>
#include <recsys/data/events.hpp>
#include <recsys/data/label_encoder.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What became of the rows that were read. Each row is counted once: rows = kept + missing + undated + weightless + unknown.
struct row_report {
    std::size_t rows = 0;            ///< read
    std::size_t kept = 0;            ///< in the dataset
    std::size_t missing = 0;         ///< left out: no user id or no item id
    std::size_t missing_users = 0;   ///< of these, without a user id
    std::size_t missing_items = 0;   ///< of these, without an item id
    std::size_t undated = 0;         ///< left out: the time is missing
    std::size_t weightless = 0;      ///< left out: the weight is missing
    std::size_t unknown = 0;         ///< left out: the encoders given do not know the user or the item
    std::size_t unknown_users = 0;   ///< of these, with an unknown user
    std::size_t unknown_items = 0;   ///< of these, with an unknown item
    std::size_t changed_weights = 0; ///< kept, but float holds the weight only approximately

    /// What is odd, a sentence each; empty where nothing is.
    std::vector<std::string> warnings() const {
        std::vector<std::string> out;
        auto const say = [&](std::size_t n, std::string_view what) {
            if (n > 0) out.push_back(detail::concat(n, " of ", rows, " rows ", what));
        };
        say(missing, "left out: the user or the item is missing");
        say(undated, "left out: the time is missing");
        say(weightless, "left out: the weight is missing");
        say(unknown, "left out: the encoders do not know the user or the item");
        say(changed_weights, "have a weight that float does not hold exactly");
        if (kept == 0) out.push_back(detail::concat("no row of ", rows, " was kept"));
        return out;
    }
};

namespace detail {
struct window_access;

/// A moment given by the user, floored to microseconds.
template <class Moment> time_point moment_of(std::string_view where, Moment const& moment) {
    static_assert(is_sys_point<Moment>,
                  "a moment is a std::chrono::sys_time: sys_days{2022y / 12 / 16}, sys_seconds, time_point, parse_time(text)");
    if constexpr (std::same_as<Moment, time_point>) return moment;
    else if constexpr (is_sys_point<Moment>) {
        if (auto const t = floor_time(moment)) return *t;
        throw_data(where, ": a moment lies outside of the years -32767 .. 32767");
    } else return time_point{};
}
}

/// A past with its ids: the rows of `events`, and the encoders of users and items. A handle: a copy shares columns and encoders.
template <id_type User, id_type Item> class dataset : public events {
public:
    dataset() = default;
    /// From events that are there already. @throws data_error where the encoders are of other sizes, or not those that made the events.
    dataset(events rows, user_encoder<User> users, item_encoder<Item> items, row_report report = {})
        : events(std::move(rows)), m_users(std::move(users)), m_items(std::move(items)), m_report(report) {
        if (n_users() != m_users.size() || n_items() != m_items.size())
            detail::throw_data("dataset: the rows have ", n_users(), " users and ", n_items(), " items, the encoders ", m_users.size(),
                               " and ", m_items.size());
        recsys::provenance const from{m_users.fingerprint(), m_items.fingerprint(), as_of()};
        detail::check_same_encoders("dataset", "the rows", provenance(), from);
        static_cast<events&>(*this) = events(columns(), n_users(), n_items(), from);
    }

    user_encoder<User> const& users() const& noexcept { return m_users; }
    user_encoder<User> users() const&& { return m_users; }
    item_encoder<Item> const& items() const& noexcept { return m_items; }
    item_encoder<Item> items() const&& { return m_items; }
    /// What became of the rows that were read; a window has that of the whole.
    row_report const& report() const& noexcept { return m_report; }
    row_report report() const&& { return m_report; }

    /// The rows before a moment, as of it, without copying. @throws data_error for rows without times.
    template <class Moment> [[nodiscard]] dataset before(Moment const& moment) const {
        auto const t = detail::moment_of("before", moment);
        return window(0, first_at_or_after("before", t), t);
    }

private:
    friend struct detail::window_access;
    std::size_t first_at_or_after(std::string_view where, time_point t) const {
        auto const times = event_times();
        if (times.empty() && size() > 0)
            detail::throw_data(where, ": the rows have no times; name the column with time(), unix_seconds() or unix_millis()");
        return static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), t) - times.begin());
    }
    dataset window(std::size_t first, std::size_t last, std::optional<time_point> cut) const {
        dataset out(*this);
        static_cast<events&>(out) = slice(first, last, cut);
        return out;
    }

    user_encoder<User> m_users;
    item_encoder<Item> m_items;
    row_report m_report;
};

namespace detail {

/// How splits make windows of a dataset.
struct window_access {
    template <class Data> static std::size_t first_at_or_after(Data const& data, std::string_view where, time_point t) {
        return data.first_at_or_after(where, t);
    }
    template <class Data> static Data window(Data const& data, std::size_t first, std::size_t last, std::optional<time_point> cut) {
        return data.window(first, last, cut);
    }
    template <class Data> static events rows(Data const& data, std::size_t first, std::size_t last) { return data.slice(first, last, {}); }
    /// The same ids with other rows.
    template <class Data> static Data with_rows(Data const& data, events rows) {
        Data out(data);
        static_cast<events&>(out) = std::move(rows);
        return out;
    }
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
