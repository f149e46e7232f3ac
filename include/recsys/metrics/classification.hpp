// SPDX-License-Identifier: MIT
// Metrics of predictions for single rows: AUC, log loss, root mean squared error.
#ifndef RECSYS_METRICS_CLASSIFICATION_HPP
#define RECSYS_METRICS_CLASSIFICATION_HPP

#include <recsys/core/push_macros.hpp>

#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/measures.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

template <class Range> std::vector<double> numbers_of(Range const& range) {
    std::vector<double> out;
    for (auto const& value : range) out.push_back(static_cast<double>(value));
    return out;
}

/// f(prediction, target) over rows, its mean. @throws data_error for lengths that differ, no rows, or a number that is not finite.
template <class Predictions, class Targets, class Function>
double mean_over_rows(std::string_view where, Predictions const& predictions, Targets const& targets, Function const& f) {
    auto target = std::ranges::begin(targets);
    double sum = 0;
    std::size_t n = 0;
    for (auto const& prediction : predictions) {
        if (target == std::ranges::end(targets)) throw_data(where, ": more predictions than targets, which are ", n);
        auto const p = static_cast<double>(prediction), t = static_cast<double>(*target);
        if (!std::isfinite(p) || !std::isfinite(t))
            throw_data(where, ": row ", n, " has prediction ", p, " and target ", t, ", expected finite numbers");
        sum += f(p, t, n);
        ++target, ++n;
    }
    if (target != std::ranges::end(targets)) throw_data(where, ": more targets than predictions, which are ", n);
    if (n == 0) throw_data(where, ": there are no rows");
    return sum / static_cast<double>(n);
}

}

/// Area under the ROC curve: the share of (positive, negative) pairs in which the positive has the higher score; ties count one half, and scores are
/// ties only where they are equal. Labels above 0 are positive. NaN where one class is missing. O(n log n).
/// @throws data_error  for lengths that differ or a score that is not a number.
template <std::ranges::input_range Scores, std::ranges::input_range Labels> double auc(Scores const& scores, Labels const& labels) {
    auto const s = detail::numbers_of(scores), l = detail::numbers_of(labels);
    return detail::area_under_curve(std::span<double const>(s), std::span<double const>(l));
}

/// Mean log loss of probabilities against labels in [0, 1]: -(y log p + (1 - y) log(1 - p)). Infinite where a certain prediction is wrong.
/// @throws data_error  for a probability or label outside [0, 1], lengths that differ, or no rows.
template <std::ranges::input_range Probabilities, std::ranges::input_range Labels>
double mean_log_loss(Probabilities const& probabilities, Labels const& labels) {
    return detail::mean_over_rows("mean_log_loss", probabilities, labels, [](double p, double y, std::size_t row) {
        if (!(p >= 0 && p <= 1 && y >= 0 && y <= 1))
            detail::throw_data("mean_log_loss: row ", row, " has probability ", p, " and label ", y, ", expected both in [0, 1]");
        return -((y > 0 ? y * std::log(p) : 0) + (y < 1 ? (1 - y) * std::log1p(-p) : 0));
    });
}

/// Root of the mean squared difference. @throws data_error for lengths that differ, no rows, or a number that is not finite.
template <std::ranges::input_range Predictions, std::ranges::input_range Targets>
double root_mean_squared_error(Predictions const& predictions, Targets const& targets) {
    return std::sqrt(detail::mean_over_rows("root_mean_squared_error", predictions, targets,
                                            [](double p, double t, std::size_t) { return (p - t) * (p - t); }));
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
