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
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/measures.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

template <class Iterator, class End> std::vector<double> numbers_of(Iterator first, End last) {
    std::vector<double> out;
    for (; first != last; ++first) out.push_back(static_cast<double>(*first));
    return out;
}

/// f(prediction, target) over rows, its mean. @throws data_error for lengths that differ, no rows, or a number that is not finite.
template <class A, class AEnd, class B, class BEnd, class Function>
double mean_over_rows(std::string_view where, A first, AEnd last, B target, BEnd target_last, Function const& f) {
    double sum = 0;
    std::size_t n = 0;
    for (; first != last; ++first, ++target, ++n) {
        if (target == target_last) throw_data(where, ": more predictions than targets, which are ", n);
        auto const p = static_cast<double>(*first), t = static_cast<double>(*target);
        if (!std::isfinite(p) || !std::isfinite(t))
            throw_data(where, ": row ", n, " has prediction ", p, " and target ", t, ", expected finite numbers");
        sum += f(p, t, n);
    }
    if (target != target_last) throw_data(where, ": more targets than predictions, which are ", n);
    if (n == 0) throw_data(where, ": there are no rows");
    return sum / static_cast<double>(n);
}

}

/// Area under the ROC curve: the share of (positive, negative) pairs in which the positive has the higher score; ties count one half, and scores are
/// ties only where they are equal. Labels above 0 are positive. NaN where one class is missing. O(n log n).
/// @throws data_error  for lengths that differ or a score that is not a number.
template <std::input_iterator A, std::sentinel_for<A> AEnd, std::input_iterator B, std::sentinel_for<B> BEnd>
double auc(A first, AEnd last, B labels_first, BEnd labels_last) {
    auto const s = detail::numbers_of(std::move(first), std::move(last)),
               l = detail::numbers_of(std::move(labels_first), std::move(labels_last));
    return detail::area_under_curve(std::span<double const>(s), std::span<double const>(l));
}
template <std::ranges::input_range Scores, std::ranges::input_range Labels> double auc(Scores const& scores, Labels const& labels) {
    return recsys::auc(std::ranges::begin(scores), std::ranges::end(scores), std::ranges::begin(labels), std::ranges::end(labels));
}

/// Mean log loss of probabilities against labels in [0, 1]: -(y log p + (1 - y) log(1 - p)). Infinite where a certain prediction is wrong.
/// @throws data_error  for a probability or label outside [0, 1], lengths that differ, or no rows.
template <std::input_iterator A, std::sentinel_for<A> AEnd, std::input_iterator B, std::sentinel_for<B> BEnd>
double mean_log_loss(A first, AEnd last, B labels_first, BEnd labels_last) {
    auto const loss = [](double p, double y, std::size_t row) {
        if (!(p >= 0 && p <= 1 && y >= 0 && y <= 1))
            detail::throw_data("mean_log_loss: row ", row, " has probability ", p, " and label ", y, ", expected both in [0, 1]");
        return -((y > 0 ? y * std::log(p) : 0) + (y < 1 ? (1 - y) * std::log1p(-p) : 0));
    };
    return detail::mean_over_rows("mean_log_loss", std::move(first), std::move(last), std::move(labels_first), std::move(labels_last),
                                  loss);
}
template <std::ranges::input_range Probabilities, std::ranges::input_range Labels>
double mean_log_loss(Probabilities const& probabilities, Labels const& labels) {
    return recsys::mean_log_loss(std::ranges::begin(probabilities), std::ranges::end(probabilities), std::ranges::begin(labels),
                                 std::ranges::end(labels));
}

/// Root of the mean squared difference. @throws data_error for lengths that differ, no rows, or a number that is not finite.
template <std::input_iterator A, std::sentinel_for<A> AEnd, std::input_iterator B, std::sentinel_for<B> BEnd>
double root_mean_squared_error(A first, AEnd last, B targets_first, BEnd targets_last) {
    auto const square = [](double p, double t, std::size_t) { return (p - t) * (p - t); };
    return std::sqrt(detail::mean_over_rows("root_mean_squared_error", std::move(first), std::move(last), std::move(targets_first),
                                            std::move(targets_last), square));
}
template <std::ranges::input_range Predictions, std::ranges::input_range Targets>
double root_mean_squared_error(Predictions const& predictions, Targets const& targets) {
    return recsys::root_mean_squared_error(std::ranges::begin(predictions), std::ranges::end(predictions), std::ranges::begin(targets),
                                           std::ranges::end(targets));
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
