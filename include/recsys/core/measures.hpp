// SPDX-License-Identifier: MIT
// Gains and losses over plain spans: what the ranker trains by and the metrics report.
#ifndef RECSYS_CORE_MEASURES_HPP
#define RECSYS_CORE_MEASURES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include <recsys/core/error.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// What a hit at this place is worth: 1 / log2(place + 2), place from 0. Source: Järvelin & Kekäläinen (2002).
inline double rank_discount(std::size_t place) noexcept { return 1 / std::log2(static_cast<double>(place) + 2); }

/// Loss of a raw score (log odds) against a label in [0, 1], finite for every finite score.
inline double log_loss_of(double raw, double label) noexcept {
    return std::max(raw, 0.0) - raw * label + std::log1p(std::exp(-std::abs(raw)));
}

/// Share of (positive, negative) pairs in which the positive has the higher score; ties count one half.
/// NaN where one class is missing. O(n log n). Scores are compared exactly and must not be NaN.
/// @param weights  empty, or one per row.
template <class Score, class Label>
double area_under_curve(std::span<Score const> scores, std::span<Label const> labels, std::span<float const> weights = {}) {
    if (scores.size() != labels.size() || (!weights.empty() && weights.size() != scores.size()))
        throw_data("auc: ", scores.size(), " scores, ", labels.size(), " labels and ", weights.size(), " weights do not go together");
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (scores[i] != scores[i]) throw_data("auc: the score of row ", i, " is NaN");
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    double below = 0, pairs = 0, positives = 0, negatives = 0;
    for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
        double here_positive = 0, here_negative = 0;
        for (; last < order.size() && scores[order[last]] == scores[order[first]]; ++last) {
            double const w = weights.empty() ? 1.0 : static_cast<double>(weights[order[last]]);
            (labels[order[last]] > Label{} ? here_positive : here_negative) += w;
        }
        pairs += here_positive * (below + here_negative / 2);
        below += here_negative, positives += here_positive, negatives += here_negative;
    }
    if (!(positives > 0 && negatives > 0)) return std::numeric_limits<double>::quiet_NaN();
    return pairs / (positives * negatives);
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
