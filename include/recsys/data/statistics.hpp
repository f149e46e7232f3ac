// SPDX-License-Identifier: MIT
// Exploring numbers and events: histograms, quantiles, box plots, the most frequent, the never seen.
#ifndef RECSYS_DATA_STATISTICS_HPP
#define RECSYS_DATA_STATISTICS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/events.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Counts of equal bins over [low, high]; each bin holds its lower end, the last one both. As numpy.histogram.
struct histogram {
    double low = 0, high = 0;
    std::vector<std::uint64_t> counts;
    std::uint64_t missing = 0; ///< NaN
    std::uint64_t outside = 0; ///< below low or above high, where these were given

    /// The lower end of a bin; of counts.size() the upper end of the last.
    double edge(std::size_t bin) const noexcept {
        return low + (high - low) * static_cast<double>(bin) / static_cast<double>(counts.size());
    }
};

/// What a box plot shows: whiskers are the outermost values within 1.5 interquartile ranges of the box. Source: Tukey (1977); as matplotlib.
struct box_figures {
    double q1 = 0, median = 0, q3 = 0;
    double low_whisker = 0, high_whisker = 0;
    double least = 0, largest = 0;
    std::uint64_t low_outliers = 0, high_outliers = 0;
};

struct summary {
    std::uint64_t count = 0;   ///< numbers
    std::uint64_t missing = 0; ///< NaN
    double mean = 0;
    double deviation = 0; ///< of the sample, n - 1; NaN for a single number
    double least = 0, q1 = 0, median = 0, q3 = 0, largest = 0;
};

namespace detail {

/// The finite numbers of a range, sorted; NaN is counted. @throws data_error naming the row of an infinite one.
struct sorted_numbers {
    std::vector<double> values;
    std::uint64_t missing = 0;

    template <class Range> static sorted_numbers of(std::string_view where, Range&& range) {
        sorted_numbers out;
        std::size_t row = 0;
        for (auto const& value : range) {
            auto const x = static_cast<double>(value);
            if (std::isinf(x)) throw_data(where, ": the value of row ", row, " is infinite");
            if (std::isnan(x)) ++out.missing;
            else out.values.push_back(x);
            ++row;
        }
        std::sort(out.values.begin(), out.values.end());
        return out;
    }
    /// Linear between neighbours: type 7 of Hyndman and Fan (1996), numpy's default.
    double quantile(double q) const {
        double const place = q * static_cast<double>(values.size() - 1);
        auto const below = static_cast<std::size_t>(place);
        if (below + 1 >= values.size()) return values.back();
        return values[below] + (place - static_cast<double>(below)) * (values[below + 1] - values[below]);
    }
    void check(std::string_view where) const {
        if (values.empty()) throw_data(where, ": there is no number among ", missing, " values");
    }
};

}

/// The histogram of a range of numbers over [least, largest]; a single value v is spread over [v - 0.5, v + 0.5].
/// @throws option_error for no bins. @throws data_error for infinity, or without any number.
template <std::ranges::input_range Range> [[nodiscard]] histogram histogram_of(Range&& range, natural bins) {
    if (bins < 1) detail::throw_option("histogram: bins must be at least 1, got 0");
    auto const numbers = detail::sorted_numbers::of("histogram", range);
    numbers.check("histogram");
    histogram out{numbers.values.front(), numbers.values.back(), std::vector<std::uint64_t>(bins), numbers.missing, 0};
    if (out.low == out.high) out.low -= 0.5, out.high += 0.5;
    for (double const x : numbers.values) {
        auto const place = (x - out.low) / (out.high - out.low) * static_cast<double>(out.counts.size());
        auto bin = std::min(static_cast<std::size_t>(place), out.counts.size() - 1);
        // Division rounds: the edges decide.
        if (bin > 0 && x < out.edge(bin)) --bin;
        if (bin + 1 < out.counts.size() && x >= out.edge(bin + 1)) ++bin;
        ++out.counts[bin];
    }
    return out;
}

/// The q-quantiles of a range of numbers, linear between neighbours. NaN is skipped.
/// @throws option_error for a q outside [0, 1]. @throws data_error for infinity, or without any number.
template <std::ranges::input_range Range> [[nodiscard]] std::vector<double> quantiles(Range&& range, std::vector<double> const& q) {
    for (double const one : q)
        if (!(one >= 0 && one <= 1)) detail::throw_option("quantiles: a quantile must be in [0, 1], got ", one);
    auto const numbers = detail::sorted_numbers::of("quantiles", range);
    numbers.check("quantiles");
    std::vector<double> out;
    for (double const one : q) out.push_back(numbers.quantile(one));
    return out;
}

/// The figures of a box plot. @throws data_error for infinity, or without any number.
template <std::ranges::input_range Range> [[nodiscard]] box_figures box_of(Range&& range) {
    auto const numbers = detail::sorted_numbers::of("box", range);
    numbers.check("box");
    auto const& v = numbers.values;
    box_figures out;
    out.q1 = numbers.quantile(0.25), out.median = numbers.quantile(0.5), out.q3 = numbers.quantile(0.75);
    out.least = v.front(), out.largest = v.back();
    double const reach = 1.5 * (out.q3 - out.q1);
    auto const low = std::lower_bound(v.begin(), v.end(), out.q1 - reach), high = std::upper_bound(v.begin(), v.end(), out.q3 + reach);
    out.low_outliers = static_cast<std::uint64_t>(low - v.begin()), out.high_outliers = static_cast<std::uint64_t>(v.end() - high);
    // A whisker never ends inside the box.
    out.low_whisker = std::min(*low, out.q1), out.high_whisker = std::max(*(high - 1), out.q3);
    return out;
}

/// Number, mean, sample deviation, quartiles and extremes, as pandas' describe. All NaN where there is no number.
template <std::ranges::input_range Range> [[nodiscard]] summary describe(Range&& range) {
    auto const numbers = detail::sorted_numbers::of("describe", range);
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    summary out{numbers.values.size(), numbers.missing, nan, nan, nan, nan, nan, nan, nan};
    if (numbers.values.empty()) return out;
    auto const n = static_cast<double>(numbers.values.size());
    double sum = 0, squares = 0;
    for (double const x : numbers.values) sum += x;
    out.mean = sum / n;
    for (double const x : numbers.values) squares += (x - out.mean) * (x - out.mean);
    if (n > 1) out.deviation = std::sqrt(squares / (n - 1));
    out.least = numbers.values.front(), out.largest = numbers.values.back();
    out.q1 = numbers.quantile(0.25), out.median = numbers.quantile(0.5), out.q3 = numbers.quantile(0.75);
    return out;
}

/// The n largest of some counts as (place, count), largest first, equal ones by the smaller place; zeros are not listed. O(size log n).
template <class Count> [[nodiscard]] std::vector<std::pair<std::size_t, Count>> top_n(std::vector<Count> const& counts, natural n) {
    std::vector<std::pair<std::size_t, Count>> out;
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (counts[i] > Count{}) out.emplace_back(i, counts[i]);
    auto const better = [](auto const& a, auto const& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; };
    auto const kept = out.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(n, out.size()));
    std::partial_sort(out.begin(), kept, out.end(), better);
    out.erase(kept, out.end());
    return out;
}

/// Events of each user, n_users() numbers.
[[nodiscard]] inline std::vector<std::uint64_t> events_per_user(events const& rows) {
    std::vector<std::uint64_t> out(rows.n_users());
    for (auto const user : rows.event_users()) ++out[to_size(user)];
    return out;
}
/// Events of each item, n_items() numbers.
[[nodiscard]] inline std::vector<std::uint64_t> events_per_item(events const& rows) {
    std::vector<std::uint64_t> out(rows.n_items());
    for (auto const item : rows.event_items()) ++out[to_size(item)];
    return out;
}
/// The items without any event, rising.
[[nodiscard]] inline std::vector<item_index> never_seen(events const& rows) {
    auto const counts = events_per_item(rows);
    std::vector<item_index> out;
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (counts[i] == 0) out.push_back(static_cast<item_index>(i));
    return out;
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
