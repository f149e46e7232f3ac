// SPDX-License-Identifier: MIT
// Which columns matter to a booster: by what they change in predictions, by gain, by number of splits.
#ifndef RECSYS_RANKER_IMPORTANCE_HPP
#define RECSYS_RANKER_IMPORTANCE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <recsys/ranker/feature_space.hpp>
#include <recsys/ranker/tree_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// prediction_change: how much predictions change on average if the feature changes, as CatBoost's default; gain: what the splits added to
/// the score that chose them; splits: how many there are.
enum class importance_kind : std::uint8_t { prediction_change, gain, splits };

namespace detail {

/// Sum over the pairs of leaves that differ in this split alone of (v1 - mean)^2 w1 + (v2 - mean)^2 w2, v and w the leaves' values and weights.
/// Source: CatBoost documentation, "PredictionValuesChange".
inline double prediction_change(tree_set const& trees, std::size_t tree, std::size_t level) {
    auto const leaves = trees.leaves(tree);
    auto const weights = trees.leaf_weights(tree);
    std::size_t const bit = std::size_t{1} << level;
    double sum = 0;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        if (i & bit) continue;
        double const w1 = static_cast<double>(weights[i]), w2 = static_cast<double>(weights[i | bit]);
        if (!(w1 > 0 && w2 > 0)) continue;
        double const d = std::ldexp(static_cast<double>(leaves[i]) - static_cast<double>(leaves[i | bit]), -trees.exponent);
        sum += d * d * w1 * w2 / (w1 + w2);
    }
    return sum;
}

/// The columns of a feature: one, or the two of a joined key.
inline std::vector<std::size_t> source_columns(feature_space const& space, ranker_feature const& f) {
    if (f.kind == feature_kind::number || f.kind == feature_kind::has) return {f.source};
    auto const& key = space.keys[f.source];
    if (key.with == statistic_key::join::none) return {key.column};
    return {key.column, key.other};
}

inline std::vector<std::pair<std::string, double>> importances(feature_space const& space, tree_set const& trees, importance_kind kind) {
    std::vector<std::pair<std::string, double>> out;
    for (auto const& c : space.columns) out.emplace_back(c.name, 0.0);
    double total = 0;
    for (std::size_t t = 0; t < trees.size(); ++t)
        for (std::size_t level = 0; level < trees.depth(t); ++level) {
            double const value = kind == importance_kind::splits ? 1.0
                                 : kind == importance_kind::gain ? static_cast<double>(trees.gains(t)[level])
                                                                 : prediction_change(trees, t, level);
            auto const columns = source_columns(space, space.features[trees.splits(t)[level].feature]);
            for (auto const c : columns) out[c].second += value / static_cast<double>(columns.size());
            total += value;
        }
    if (kind != importance_kind::splits && total > 0)
        for (auto& [name, value] : out) value *= 100 / total;
    std::stable_sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.second > b.second; });
    return out;
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
