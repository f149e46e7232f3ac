// SPDX-License-Identifier: MIT
// What ALS can be told.
#ifndef RECSYS_MODELS_ALS_OPTIONS_HPP
#define RECSYS_MODELS_ALS_OPTIONS_HPP

#include <recsys/core/push_macros.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/transform.hpp>
#include <recsys/models/als_objective.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// How the system of each user and item is solved; the objective is the same.
enum class als_solver {
    exact, ///< Cholesky
    cg     ///< a few steps of conjugate gradients from the last iteration's factors: approximate, faster
};

/// als_objective says what regularization to unobserved_weight do to the sum.
struct als_options {
    natural factors = 64;         ///< in [1, 4096]
    double regularization = 0.01; ///< lambda, at least 0
    double frequency_power = 0;   ///< in [0, 1]: a row of n entries of N has lambda (n + unobserved_weight N)^frequency_power; 0 = lambda
    double alpha = 1;             ///< an observed weight r has confidence 1 + alpha |r|, at least 0
    confidence_form confidence = confidence_form::linear; ///< or log: 1 + alpha log(1 + |r| / epsilon)
    double epsilon = 1;                                   ///< above 0; only for log
    /// Instead: 1 + alpha s(|r|) by any function s, which may be negative as long as the confidence is not. Called from several threads at once.
    std::function<double(double)> confidence_shape = {};
    double unobserved_weight = 1; ///< the confidence of pairs that are not in the matrix, in [0, 1]
    /// Scores are x'y + b_u + b_i: rows of the model's factors are two numbers longer, see basic_als_model. Biases are fitted to all pairs like factors,
    /// with the same lambda. Source: Koren, Bell, Volinsky, "Matrix factorization techniques for recommender systems" (2009), eq. 4, with the
    /// confidences of eq. 8 and without a mean of all. On a generated log of 8 M entries NDCG@10 rose by 0.1% and 0.5% at two settings (alpha 1,
    /// regularization 10 and 100) and fell by 2% at a third (20 and 0.1): try it.
    bool biases = false;
    natural iterations = 15; ///< at least 1; each solves all items, then all users
    als_solver solver = als_solver::exact;
    natural cg_steps = 3; ///< of each row and iteration, at least 1
    /// From the second iteration on, rows go so many times the way to their solution, in [1, 2); the users of a model go to it. 1 is plain ALS, which
    /// a resume continues as if there had been no break. It costs nothing, and its loss falls sooner: on a generated log of 8 M entries that of ten
    /// plain iterations is reached after five with 64 factors and after six with 256.
    /// Source: successive over-relaxation of two blocks, Young, "Iterative solution of large linear systems" (1971), ch. 6.
    double relaxation = 1.5;
    double tolerance = 0; ///< stop when the loss falls by less than this share in an iteration; 0 = never
    std::uint64_t seed = 0;
    run_options run = {};
};

namespace detail {

inline als_objective objective_of(als_options const& o) {
    return {o.alpha, o.regularization, o.frequency_power, o.confidence, o.epsilon, o.confidence_shape, o.unobserved_weight, o.biases};
}

inline void check_als_options(als_options const& o) {
    if (o.factors < 1 || o.factors > 4096) throw_option("als: factors must be in [1, 4096], got ", std::size_t{o.factors});
    if (auto const fault = fault_of(objective_of(o)); !fault.empty()) throw_option(fault);
    if (o.iterations < 1) throw_option("als: iterations must be at least 1, got 0");
    if (o.solver == als_solver::cg && o.cg_steps < 1) throw_option("als: cg_steps must be at least 1, got 0");
    if (!(o.relaxation >= 1 && o.relaxation < 2)) throw_option("als: relaxation must be in [1, 2), got ", o.relaxation);
    if (!(o.tolerance >= 0 && o.tolerance < 1)) throw_option("als: tolerance must be in [0, 1), got ", o.tolerance);
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
