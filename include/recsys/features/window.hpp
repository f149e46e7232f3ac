// SPDX-License-Identifier: MIT
// Statistics of items as of a moment: plays in windows before it, trend, age, rating. Windows are half-open: [moment - w days, moment).
#ifndef RECSYS_FEATURES_WINDOW_HPP
#define RECSYS_FEATURES_WINDOW_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/math.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/events.hpp>
#include <recsys/features/event_index.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

inline constexpr float missing_number = std::numeric_limits<float>::quiet_NaN();

inline void check_window(std::string_view what, std::chrono::days window) {
    if (window.count() < 1 || window.count() > 1000000)
        throw_option("features: ", what, " must be from 1 to 1000000 days, got ", window.count());
}

/// How many rows of [first row, end) each item has.
inline std::vector<std::uint64_t> count_items(events const& rows, std::size_t first_row) {
    std::vector<std::uint64_t> counts(rows.n_items());
    for (auto const item : rows.event_items().subspan(first_row)) ++counts[to_size(item)];
    return counts;
}
/// Plays in the last `window` before the moment. O(log n + rows in the window): events are in time order.
inline std::vector<std::uint64_t> plays_within(known_events const& known, std::chrono::days window) {
    auto const from = known.moment("plays in a window") - window;
    auto const times = known.rows.event_times();
    return count_items(known.rows, static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), from) - times.begin()));
}
/// How many users each item has.
inline std::vector<std::uint64_t> count_users(known_events const& known) {
    std::vector<std::uint64_t> counts(known.rows.n_items());
    std::vector<std::size_t> last_user(known.rows.n_items(), known.rows.n_users());
    for (auto const user : known.rows.active_users())
        for (auto const item : known.by_user.items(user))
            if (std::exchange(last_user[to_size(item)], to_size(user)) != to_size(user)) ++counts[to_size(item)];
    return counts;
}

template <class Function> std::vector<float> to_numbers(std::vector<std::uint64_t> const& counts, Function const& f) {
    std::vector<float> out(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) out[i] = static_cast<float>(f(counts[i]));
    return out;
}

inline std::vector<float> trend_numbers(known_events const& known, std::chrono::days recent, std::chrono::days usual) {
    auto const p_recent = plays_within(known, recent), p_usual = plays_within(known, usual);
    std::vector<float> out(p_recent.size());
    auto const w_recent = static_cast<double>(recent.count()), w_usual = static_cast<double>(usual.count());
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<float>((w_usual * static_cast<double>(p_recent[i]) + 1) / (w_recent * static_cast<double>(p_usual[i]) + 1));
    return out;
}

inline std::vector<float> age_numbers(known_events const& known) {
    auto const moment = known.moment("age");
    std::vector<float> out(known.rows.n_items(), missing_number);
    std::vector<bool> is_there(known.rows.n_items());
    for (std::size_t row = 0; row < known.rows.size(); ++row) {
        auto const item = to_size(known.rows.event_items()[row]);
        if (!is_there[item]) out[item] = static_cast<float>(whole_days(known.rows.event_times()[row], moment));
        is_there[item] = true;
    }
    return out;
}

inline std::vector<float> rating_numbers(known_events const& known) {
    auto const users = count_users(known);
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max(), most = 0;
    for (auto const n : users)
        if (n > 0) least = std::min(least, n), most = std::max(most, n);
    auto const range = static_cast<double>(most - least);
    return to_numbers(users, [&](std::uint64_t n) {
        if (n == 0) return static_cast<double>(missing_number);
        return most == least ? 0.0 : static_cast<double>(n - least) / range;
    });
}

}

/// A number for each item, computed from the events before the moment and nothing else.
///
/// Any callable `f(events const&)` that returns one number an item (`std::vector<float>`, NaN = missing) is one too.
class item_statistic {
public:
    template <class Function>
        requires(!std::same_as<std::remove_cvref_t<Function>, item_statistic> && std::invocable<Function const&, events const&>)
    item_statistic(Function f) {
        static_assert(std::convertible_to<std::invoke_result_t<Function const&, events const&>, std::vector<float>>,
                      "item_statistic: the function takes the events and returns a std::vector<float>, a number for each item");
        m_compute = [f = std::move(f)](detail::known_events const& known) { return std::vector<float>(f(known.rows)); };
    }

    /// Number of events of the item.
    static item_statistic plays() {
        return made([](detail::known_events const& known) {
            return detail::to_numbers(detail::count_items(known.rows, 0), [](std::uint64_t n) { return static_cast<double>(n); });
        });
    }
    /// p_w: number of its events in the last w days before the moment.
    static item_statistic plays(std::chrono::days window) {
        detail::check_window("the window of plays", window);
        return made([window](detail::known_events const& known) {
            return detail::to_numbers(detail::plays_within(known, window), [](std::uint64_t n) { return static_cast<double>(n); });
        });
    }
    /// log(1 + p_w).
    static item_statistic log_plays(std::chrono::days window) {
        detail::check_window("the window of log_plays", window);
        return made([window](detail::known_events const& known) {
            return detail::to_numbers(detail::plays_within(known, window),
                                      [](std::uint64_t n) { return detail::portable_log(1.0 + static_cast<double>(n)); });
        });
    }
    /// (usual * p_recent + 1) / (recent * p_usual + 1): above 1 where the item is played more than it used to be.
    static item_statistic trend(std::chrono::days recent = std::chrono::days{7}, std::chrono::days usual = std::chrono::days{30}) {
        detail::check_window("the recent window of trend", recent);
        detail::check_window("the usual window of trend", usual);
        return made([recent, usual](detail::known_events const& known) { return detail::trend_numbers(known, recent, usual); });
    }
    /// Whole days since the item's first event; missing for an item without events.
    static item_statistic age() { return made(detail::age_numbers); }
    /// Number of distinct users of the item.
    static item_statistic users() {
        return made([](detail::known_events const& known) {
            return detail::to_numbers(detail::count_users(known), [](std::uint64_t n) { return static_cast<double>(n); });
        });
    }
    /// Number of distinct users, min-max scaled to [0, 1] over the items with events: all counts equal gives 0, no events missing.
    static item_statistic rating() { return made(detail::rating_numbers); }
    /// The numbers of an `item_number` column that was added before.
    static item_statistic column(std::string name) {
        item_statistic out;
        out.m_column = std::move(name);
        return out;
    }

    /// The name of the column that it stands for, empty for a computed one.
    std::string const& column_name() const& noexcept { return m_column; }
    /// One number for each item. @throws data_error  for undated events, where times are needed, or a wrong number of numbers.
    std::vector<float> operator()(detail::known_events const& known) const {
        auto out = m_compute(known);
        if (out.size() != known.rows.n_items())
            detail::throw_data("features: an item_statistic returned ", out.size(), " numbers for ", known.rows.n_items(), " items");
        return out;
    }

private:
    item_statistic() = default;
    static item_statistic made(std::function<std::vector<float>(detail::known_events const&)> compute) {
        item_statistic out;
        out.m_compute = std::move(compute);
        return out;
    }
    std::function<std::vector<float>(detail::known_events const&)> m_compute;
    std::string m_column;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
