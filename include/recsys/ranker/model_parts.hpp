// SPDX-License-Identifier: MIT
// What a finished fit does to its features and trees: unused ones go, those of an earlier model come first.
#ifndef RECSYS_RANKER_MODEL_PARTS_HPP
#define RECSYS_RANKER_MODEL_PARTS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/booster_model.hpp>
#include <recsys/ranker/feature_space.hpp>
#include <recsys/ranker/target_statistics.hpp>
#include <recsys/ranker/tree_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Features and keys that no tree asks go.
inline void drop_unused_features(booster_state& state) {
    auto& space = state.space;
    std::vector<char> used(space.features.size(), 0), key_used(space.keys.size(), 0);
    for (auto const& s : state.trees.all_splits()) used[s.feature] = 1;
    std::vector<std::uint32_t> rank(space.features.size()), key_rank(space.keys.size());
    std::vector<ranker_feature> features;
    for (std::size_t f = 0; f < used.size(); ++f) {
        rank[f] = static_cast<std::uint32_t>(features.size());
        if (!used[f]) continue;
        auto const& of = space.features[f];
        if (of.kind == feature_kind::statistic || of.kind == feature_kind::count) key_used[of.source] = 1;
        features.push_back(of);
    }
    std::vector<statistic_key> keys;
    for (std::size_t k = 0; k < key_used.size(); ++k) {
        key_rank[k] = static_cast<std::uint32_t>(keys.size());
        if (key_used[k]) keys.push_back(std::move(space.keys[k]));
    }
    for (auto& f : features)
        if (f.kind == feature_kind::statistic || f.kind == feature_kind::count) f.source = key_rank[f.source];
    state.trees.rename_features(rank);
    space.features = std::move(features), space.keys = std::move(keys);
}

/// The earlier model's features and trees, then the new ones.
inline void join_previous(booster_state& state, booster_state const& previous) {
    auto& space = state.space;
    auto const& old = previous.space;
    auto const n_features = static_cast<std::uint32_t>(old.features.size()), n_keys = static_cast<std::uint32_t>(old.keys.size());
    std::vector<ranker_feature> features = old.features;
    std::vector<statistic_key> keys = old.keys;
    std::vector<std::uint32_t> column_at;
    for (auto const& c : old.columns)
        column_at.push_back(static_cast<std::uint32_t>(
            std::find_if(space.columns.begin(), space.columns.end(), [&](auto const& n) { return n.name == c.name; }) -
            space.columns.begin()));
    for (auto& f : features)
        if (f.kind == feature_kind::number || f.kind == feature_kind::has) f.source = column_at[f.source];
    for (auto& k : keys) k.column = column_at[k.column], k.other = k.with == statistic_key::join::none ? 0 : column_at[k.other];
    for (auto f : space.features) {
        if (f.kind == feature_kind::statistic || f.kind == feature_kind::count) f.source += n_keys;
        features.push_back(std::move(f));
    }
    for (auto& k : space.keys) keys.push_back(std::move(k));
    if (features.size() > 65535) throw_data("booster: the resumed model has ", features.size(), " features, more than 65535");
    tree_set trees = previous.trees;
    auto const& added = state.trees;
    for (std::size_t t = 0; t < added.size(); ++t) {
        std::vector<model_split> splits(added.splits(t).begin(), added.splits(t).end());
        for (auto& s : splits) s.feature = static_cast<std::uint16_t>(s.feature + n_features);
        trees.add(splits, added.gains(t), added.leaves(t), added.leaf_weights(t));
    }
    space.features = std::move(features), space.keys = std::move(keys);
    state.trees = std::move(trees);
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
