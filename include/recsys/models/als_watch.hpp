// SPDX-License-Identifier: MIT
// Watching an ALS fit: after each iteration the model so far, a loss on held-out data, and whether to go on.
#ifndef RECSYS_MODELS_ALS_WATCH_HPP
#define RECSYS_MODELS_ALS_WATCH_HPP

#include <recsys/core/push_macros.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/models/als_model.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What a watcher sees after an iteration. The reference holds during the call; a copy of the model may be kept.
template <class Scalar> struct als_moment {
    std::size_t iteration = 0; ///< from 0
    double loss = 0;           ///< the whole objective, as in report().loss
    basic_als_model<Scalar> const& model;
};

/// What a watcher answers.
struct als_verdict {
    bool go_on = true;
    std::optional<double> valid_loss = {}; ///< lower is better; absent where this iteration was not judged
};

/// Any callable taking `als_moment<Scalar> const&`. Returning nothing it only looks; a bool says whether to go on; a number is a loss on held-out data,
/// lower is better (a metric that should rise gets a minus); an als_verdict says both.
template <class Scalar> class als_watch {
public:
    als_watch() = default;
    template <std::invocable<als_moment<Scalar> const&> Function>
        requires(!std::same_as<std::remove_cvref_t<Function>, als_watch>)
    als_watch(Function f) {
        using answer = std::remove_cvref_t<std::invoke_result_t<Function&, als_moment<Scalar> const&>>;
        static_assert(std::is_void_v<answer> || std::is_arithmetic_v<answer> || std::same_as<answer, als_verdict>,
                      "als: a watcher returns nothing, bool (false stops), a number (a validation loss) or als_verdict");
        m_call = [f = std::move(f)](als_moment<Scalar> const& now) mutable -> als_verdict {
            if constexpr (std::is_void_v<answer>) return f(now), als_verdict{};
            else if constexpr (std::same_as<answer, bool>) return {f(now), {}};
            else if constexpr (std::same_as<answer, als_verdict>) return f(now);
            else return {true, static_cast<double>(f(now))};
        };
    }
    als_verdict operator()(als_moment<Scalar> const& now) const { return m_call(now); }
    explicit operator bool() const noexcept { return static_cast<bool>(m_call); }

private:
    std::function<als_verdict(als_moment<Scalar> const&)> m_call;
};

/// What a fit can be given beside the matrix.
template <class Scalar> struct als_extras {
    std::optional<csr> preferences = {}; ///< p of each entry of the matrix, any number; absent: 1 for a weight above 0, else 0
    als_watch<Scalar> watch = {};        ///< called after each iteration, from the calling thread; costs two copies of the factors
    natural patience = 3;                ///< stop after so many losses of the watcher without a lowest one; at least 1
};

namespace detail {

/// Asks a watcher and keeps the best model that it has seen.
template <class Scalar> class als_judge {
public:
    als_judge(als_watch<Scalar> const& watch, std::size_t patience) : m_watch(watch), m_patience(patience) {}
    bool watches() const noexcept { return static_cast<bool>(m_watch); }

    /// Whether to go on. Notes the loss in the report, and a wish to stop.
    bool ask(basic_als_model<Scalar> const& model, fit_report& report) {
        std::size_t const iteration = report.loss.size() - 1;
        auto const verdict = m_watch({iteration, report.loss.back(), model});
        report.valid_loss.push_back(verdict.valid_loss.value_or(std::numeric_limits<double>::quiet_NaN()));
        if (!verdict.go_on) report.stopped = true;
        if (!verdict.valid_loss) return verdict.go_on;
        if (std::isnan(*verdict.valid_loss)) throw_data("als: the watcher's loss after iteration ", iteration, " is not a number");
        if (!report.best_iteration || *verdict.valid_loss < report.valid_loss[*report.best_iteration]) {
            report.best_iteration = iteration, m_best = model, m_since = 0;
            return verdict.go_on;
        }
        return ++m_since < m_patience && verdict.go_on;
    }
    /// The one of report.best_iteration.
    basic_als_model<Scalar> const& best() const noexcept { return m_best; }

private:
    als_watch<Scalar> const& m_watch;
    std::size_t m_patience, m_since = 0;
    basic_als_model<Scalar> m_best;
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
