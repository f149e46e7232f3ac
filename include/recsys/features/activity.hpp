// SPDX-License-Identifier: MIT
// What a user's own events say of the user: how many, over how long, and the mean and deviation of a number of their items.
#ifndef RECSYS_FEATURES_ACTIVITY_HPP
#define RECSYS_FEATURES_ACTIVITY_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/types.hpp>
#include <recsys/features/event_index.hpp>
#include <recsys/features/step.hpp>
#include <recsys/features/window.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What a mean over a user's history is taken over: an item of three events counts three times, or once.
enum class averaged { over_events, over_items };

namespace detail {

/// A step whose number depends on the user alone: f(user) once a user.
template <class Function> feature_step_ptr user_step(std::string name, Function f) {
    return computed_step(std::move(name), [f = std::move(f)](std::span<user_candidates const> users, std::span<float> column) {
        for (auto const& [user, first, items] : users)
            std::fill_n(column.begin() + static_cast<std::ptrdiff_t>(first), items.size(), f(user));
    });
}

/// Whole days between a user's first and last event, / 30; nothing for a user without events.
inline std::optional<double> active_months(known_events const& known, user_index user) {
    if (known.by_user.items(user).empty()) return std::nullopt;
    return static_cast<double>(whole_days(known.by_user.first_time(user), known.by_user.last_time(user))) / 30;
}

/// Mean and number of the values that are not missing.
struct mean_of {
    double mean = 0;
    std::size_t n = 0;
};
inline mean_of mean_over(std::span<item_index const> items, std::span<float const> values) {
    mean_of out;
    double sum = 0;
    for (auto const item : items)
        if (float const x = values[to_size(item)]; !std::isnan(x)) sum += static_cast<double>(x), ++out.n;
    if (out.n > 0) out.mean = sum / static_cast<double>(out.n);
    return out;
}
/// Sample standard deviation (n - 1), in two passes; missing for fewer than two values.
inline float deviation_over(std::span<item_index const> items, std::span<float const> values) {
    auto const [mean, n] = mean_over(items, values);
    if (n < 2) return missing_number;
    double sum = 0;
    for (auto const item : items)
        if (float const x = values[to_size(item)]; !std::isnan(x)) sum += (static_cast<double>(x) - mean) * (static_cast<double>(x) - mean);
    return static_cast<float>(std::sqrt(sum / static_cast<double>(n - 1)));
}

/// A user's items once each, rising.
inline std::vector<item_index> distinct_items(std::span<item_index const> items) {
    std::vector<item_index> out(items.begin(), items.end());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

/// The mean of a number of the items in a user's history.
class user_mean_of {
public:
    user_mean_of(std::shared_ptr<known_events const> known, shared_array<float> values, averaged over)
        : m_known(std::move(known)), m_values(std::move(values)), m_over(over) {}
    /// Missing where no item of the history has the number.
    std::optional<double> operator()(user_index user) const {
        auto const items = m_known->by_user.items(user);
        auto const [mean, n] =
            m_over == averaged::over_events ? mean_over(items, m_values.span()) : mean_over(distinct_items(items), m_values.span());
        return n == 0 ? std::nullopt : std::optional<double>(mean);
    }
    std::span<float const> values() const noexcept { return m_values.span(); }

private:
    std::shared_ptr<known_events const> m_known;
    shared_array<float> m_values;
    averaged m_over;
};

inline float number_or_missing(std::optional<double> value) { return value ? static_cast<float>(*value) : missing_number; }

inline feature_step_ptr user_events_step(std::string name, std::shared_ptr<known_events const> known) {
    return user_step(std::move(name),
                     [known = std::move(known)](user_index user) { return static_cast<float>(known->by_user.items(user).size()); });
}
inline feature_step_ptr user_months_step(std::string name, std::shared_ptr<known_events const> known) {
    static_cast<void>(known->moment("user_months"));
    return user_step(std::move(name),
                     [known = std::move(known)](user_index user) { return number_or_missing(active_months(*known, user)); });
}
inline feature_step_ptr user_events_per_month_step(std::string name, std::shared_ptr<known_events const> known) {
    static_cast<void>(known->moment("user_events_per_month"));
    return user_step(std::move(name), [known = std::move(known)](user_index user) {
        auto const months = active_months(*known, user);
        if (!months || *months == 0) return missing_number;
        return static_cast<float>(static_cast<double>(known->by_user.items(user).size()) / *months);
    });
}
inline feature_step_ptr user_mean_step(std::string name, user_mean_of mean) {
    return user_step(std::move(name), [mean = std::move(mean)](user_index user) { return number_or_missing(mean(user)); });
}
inline feature_step_ptr user_deviation_step(std::string name, std::shared_ptr<known_events const> known, shared_array<float> values) {
    return user_step(std::move(name), [known = std::move(known), values = std::move(values)](user_index user) {
        return deviation_over(known->by_user.items(user), values.span());
    });
}
/// The item's number minus the user's mean of it.
inline feature_step_ptr gap_step(std::string name, user_mean_of mean) {
    return computed_step(std::move(name), [mean = std::move(mean)](std::span<user_candidates const> users, std::span<float> column) {
        for (auto const& [user, first, items] : users) {
            auto const of_user = mean(user);
            for (std::size_t j = 0; j < items.size(); ++j)
                column[first + j] =
                    of_user ? static_cast<float>(static_cast<double>(mean.values()[to_size(items[j])]) - *of_user) : missing_number;
        }
    });
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
