// SPDX-License-Identifier: MIT
// Losses of numbers besides squared error: mean absolute error and quantiles, whose leaves are quantiles themselves, and counts (Poisson).
#ifndef RECSYS_RANKER_REGRESSION_LOSS_HPP
#define RECSYS_RANKER_REGRESSION_LOSS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/ranker/loss.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// The number below which a share alpha of the weight lies: it makes the pinball loss least. Where all numbers between two neighbours do, their
/// middle. O(n log n).
/// @param values  value and weight, at least one; they are sorted.
inline double weighted_quantile(std::vector<std::pair<float, float>>& values, double alpha) {
    std::sort(values.begin(), values.end());
    double total = 0, below = 0;
    for (auto const& v : values) total += static_cast<double>(v.second);
    double const wanted = alpha * total, tolerance = 1e-9 * total;
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
        below += static_cast<double>(values[i].second);
        if (below < wanted - tolerance) continue;
        double const here = static_cast<double>(values[i].first), next = static_cast<double>(values[i + 1].first);
        return below > wanted + tolerance ? here : (here + next) / 2;
    }
    return static_cast<double>(values.back().first);
}

}

/// Quantile regression: predictions have a share `alpha` of the targets below them. The value is the pinball loss: alpha d for a target
/// d above the prediction, (1 - alpha) d for one d below it. A leaf is the weighted quantile of what is left over in it; l2 has no say in it.
/// Source: Koenker, Bassett, "Regression quantiles" (1978); Friedman (2001), algorithm 3, for the leaves.
struct quantile {
    double alpha = 0.5; ///< above 0, below 1

    double value(std::span<float const> raw, std::span<float const> target) const {
        return sum(raw, target, {}) / static_cast<double>(raw.size());
    }
    double sum(std::span<float const> raw, std::span<float const> target, std::span<float const> weight) const {
        auto const up = static_cast<float>(alpha), down = static_cast<float>(1 - alpha);
        return detail::weighted_sum(raw.size(), weight, [&](std::size_t first, std::size_t n, float* out) {
            for (std::size_t i = 0; i < n; ++i) {
                float const d = target[first + i] - raw[first + i];
                out[i] = d > 0.f ? up * d : -down * d;
            }
        });
    }
    void derivatives(std::span<float const> raw, std::span<float const> target, std::span<float> gradient, std::span<float> hessian) const {
        auto const up = static_cast<float>(alpha), down = static_cast<float>(1 - alpha);
        for (std::size_t i = 0; i < raw.size(); ++i)
            gradient[i] = raw[i] < target[i] ? -up : raw[i] > target[i] ? down : 0.f, hessian[i] = 1.f;
    }
    double renew(std::span<float const> raw, std::span<float const> target, std::span<float const> weight, double /*l2*/) const {
        std::vector<std::pair<float, float>> left(raw.size());
        for (std::size_t i = 0; i < raw.size(); ++i) left[i] = {target[i] - raw[i], weight.empty() ? 1.f : weight[i]};
        return detail::weighted_quantile(left, alpha);
    }
    double start(std::span<float const> target, std::span<float const> weight) const {
        std::vector<float> const zero(target.size(), 0.f);
        return renew(zero, target, weight, 0);
    }
    /// Leaves are as large as what is left over, not as a quotient of derivatives.
    double usual_step(std::span<float const> raw, std::span<float const> target) const {
        double sum = 0;
        for (std::size_t i = 0; i < raw.size(); ++i) sum += std::abs(static_cast<double>(target[i]) - static_cast<double>(raw[i]));
        return sum / static_cast<double>(raw.size());
    }
    void check_options() const {
        if (!(alpha > 0 && alpha < 1)) detail::throw_option("quantile: alpha must be in (0, 1), got ", alpha);
    }
};

/// Mean absolute error: quantile 0.5, its value doubled.
struct mae : quantile {
    double value(std::span<float const> raw, std::span<float const> target) const { return 2 * quantile::value(raw, target); }
    double sum(std::span<float const> raw, std::span<float const> target, std::span<float const> weight) const {
        return 2 * quantile::sum(raw, target, weight);
    }
    void derivatives(std::span<float const> raw, std::span<float const> target, std::span<float> gradient, std::span<float> hessian) const {
        quantile::derivatives(raw, target, gradient, hessian);
        for (auto& g : gradient) g *= 2.f;
    }
};

/// Counts by their rate: e^raw - target raw, which is the negative log likelihood but for what depends on the targets alone. Predictions are
/// rates, e^raw. Targets are at least 0. A leaf is the logarithm of targets by rates, l2 rows of no change counted in: it never overshoots.
struct poisson {
    static constexpr output_kind output = output_kind::rate;

    double value(std::span<float const> raw, std::span<float const> target) const {
        return sum(raw, target, {}) / static_cast<double>(raw.size());
    }
    double sum(std::span<float const> raw, std::span<float const> target, std::span<float const> weight) const {
        double sum = 0;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            double const r = static_cast<double>(raw[i]), loss = std::exp(r) - static_cast<double>(target[i]) * r;
            sum += weight.empty() ? loss : static_cast<double>(weight[i]) * loss;
        }
        return sum;
    }
    void derivatives(std::span<float const> raw, std::span<float const> target, std::span<float> gradient, std::span<float> hessian) const {
        for (std::size_t i = 0; i < raw.size(); ++i) hessian[i] = rate(raw[i]), gradient[i] = hessian[i] - target[i];
    }
    double renew(std::span<float const> raw, std::span<float const> target, std::span<float const> weight, double l2) const {
        double targets = 0, rates = 0, rows = 0;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            double const w = weight.empty() ? 1.0 : static_cast<double>(weight[i]);
            targets += w * static_cast<double>(target[i]), rates += w * static_cast<double>(rate(raw[i])), rows += w;
        }
        double const unchanged = l2 * rates / rows;
        return std::clamp(std::log((targets + unchanged) / (rates + unchanged)), -5.0, 5.0); // without l2 it may be infinite
    }
    /// The logarithm of the mean target. @throws data_error  where all targets are 0.
    double start(std::span<float const> target, std::span<float const> weight) const {
        detail::target_sums const sums(target, weight);
        if (!(sums.target > 0)) detail::throw_data("poisson: every target is 0; a rate needs at least one above it");
        return std::log(sums.target / sums.weight);
    }
    void check(std::span<float const> target) const {
        for (std::size_t i = 0; i < target.size(); ++i)
            if (!(target[i] >= 0))
                detail::throw_data("poisson: the target of row ", i, " (from 0) is ", target[i], ", expected a number of at least 0");
    }

private:
    /// e^t within what float holds.
    static float rate(float t) noexcept { return std::exp(std::clamp(t, -80.f, 80.f)); }
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
