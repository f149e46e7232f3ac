// SPDX-License-Identifier: MIT
// What ALS minimises: how much each pair counts, and how much long factors cost.
#ifndef RECSYS_MODELS_ALS_OBJECTIVE_HPP
#define RECSYS_MODELS_ALS_OBJECTIVE_HPP

#include <recsys/core/push_macros.hpp>

#include <cmath>
#include <cstddef>
#include <functional>
#include <string>

#include <recsys/core/error.hpp>
#include <recsys/core/math.hpp>
#include <recsys/matrix/transform.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// The sum that ALS minimises over all pairs: c (p - x'y)^2 + lambda_u |x_u|^2 + lambda_i |y_i|^2; with biases x'y + b_u + b_i stands for x'y, and
/// |x_u|^2 + b_u^2 for |x_u|^2.
///
/// A stored weight r that is not 0 has c = 1 + alpha s(|r|) and p = [r > 0], unless preferences are given beside the weights; an absent pair and a stored
/// zero have c = unobserved_weight and p = 0. A row with n entries that count, of N that there could be, has
/// lambda (n + unobserved_weight N)^frequency_power.
/// Source: Hu, Koren, Volinsky (2008), eq. 3 and 6; Rendle, Krichene, Zhang, Koren, "Revisiting the performance of iALS on item recommendation benchmarks"
/// (2021), eq. 5 to 8, where alpha_0 is our unobserved weight and nu our frequency power.
struct als_objective {
    double alpha = 1;                                     ///< at least 0
    double regularization = 0.01;                         ///< lambda, at least 0
    double frequency_power = 0;                           ///< nu, in [0, 1]; 0: every row has lambda
    confidence_form confidence = confidence_form::linear; ///< s(x) = x, or log: log(1 + x / epsilon)
    double epsilon = 1;                                   ///< above 0; only for log
    std::function<double(double)> confidence_shape = {};  ///< any other s, of x > 0; called from several threads at once
    double unobserved_weight = 1;                         ///< in [0, 1]
    bool biases = false;                                  ///< a number for each user and item is added to the product
};

namespace detail {

/// What is wrong with it, or nothing.
inline std::string fault_of(als_objective const& o) {
    auto const from_zero = [](double x) { return x >= 0 && std::isfinite(x); };
    if (!from_zero(o.alpha)) return concat("als: alpha must be a finite number from 0, got ", o.alpha);
    if (!from_zero(o.regularization)) return concat("als: regularization must be a finite number from 0, got ", o.regularization);
    if (!(o.frequency_power >= 0 && o.frequency_power <= 1))
        return concat("als: frequency_power must be in [0, 1], got ", o.frequency_power);
    if (!(o.epsilon > 0 && std::isfinite(o.epsilon))) return concat("als: epsilon must be a finite number above 0, got ", o.epsilon);
    if (!(o.unobserved_weight >= 0 && o.unobserved_weight <= 1))
        return concat("als: unobserved_weight must be in [0, 1], got ", o.unobserved_weight);
    if (o.confidence != confidence_form::linear && o.confidence != confidence_form::log)
        return concat("als: confidence must be linear or log, got ", static_cast<int>(o.confidence));
    if (o.confidence_shape && o.confidence != confidence_form::linear)
        return "als: confidence must be left as it is where confidence_shape says what it is, got log";
    return {};
}

/// log(1 + x) for x >= 0, the same bits everywhere.
inline double portable_log1p(double x) noexcept {
    double const y = 1 + x;
    return y == 1 ? x : portable_log(y) * (x / (y - 1)); // the quotient mends what 1 + x lost
}

/// alpha s(size): the confidence above 1.
inline double added_confidence(als_objective const& o, double size) {
    if (o.confidence_shape) return o.alpha * o.confidence_shape(size);
    if (o.confidence == confidence_form::log) return o.alpha * portable_log1p(size / o.epsilon);
    return o.alpha * size;
}

/// lambda of a row with n entries that count, of n_other that there could be.
inline double row_regularization(als_objective const& o, std::size_t n, std::size_t n_other) noexcept {
    if (o.frequency_power == 0) return o.regularization;
    double const size = static_cast<double>(n) + o.unobserved_weight * static_cast<double>(n_other);
    if (o.frequency_power == 1 || size == 0) return o.regularization * size;
    return o.regularization * portable_exp(o.frequency_power * portable_log(size));
}
/// What every row that has entries has of it at least: this is in the basis, the rest is added to each row.
inline double base_regularization(als_objective const& o, std::size_t n_other) noexcept { return row_regularization(o, 1, n_other); }
/// The rest, for a row of n; below 0 where it has no entries.
inline double extra_of(als_objective const& o, std::size_t n, std::size_t n_other) noexcept {
    return o.frequency_power == 0 || n == 1 ? 0.0 : row_regularization(o, n, n_other) - base_regularization(o, n_other);
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
