// SPDX-License-Identifier: MIT
// Why a ranker gave a row its score: what each column, or each pair of columns, added to what is expected of any row.
#ifndef RECSYS_RANKER_EXPLAIN_HPP
#define RECSYS_RANKER_EXPLAIN_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_leaves.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/booster_model.hpp>
#include <recsys/ranker/importance.hpp>
#include <recsys/ranker/imported_model.hpp>
#include <recsys/ranker/shap_tables.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What the columns did to raw scores: a row's values and `expected` add up to its raw score, less the row's baseline if it has one.
struct shap_values {
    std::vector<std::string> columns;
    std::size_t n_rows = 0, n_outputs = 1;
    std::vector<double> expected; ///< the mean raw score of the training rows in the leaves, one an output
    std::vector<double> values;   ///< n_rows x n_outputs x n_columns, of pairs x n_columns^2

    /// One row's values in the order of the columns; of pairs row(r)[a * n_columns + b]. @throws data_error  beyond the rows or outputs.
    std::span<double const> row(std::size_t row, std::size_t output = 0) const& {
        if (row >= n_rows || output >= n_outputs)
            detail::throw_data("shap_values: row ", row, " and output ", output, " of ", n_rows, " and ", n_outputs);
        std::size_t const width = values.size() / (n_rows * n_outputs);
        return {values.data() + (row * n_outputs + output) * width, width};
    }
    std::span<double const> row(std::size_t, std::size_t = 0) const&& = delete;
};

/// Two columns, and how much of all interaction is theirs.
struct column_pair {
    std::string first, second;
    double share = 0; ///< in percent
};

namespace detail {

inline explained_model explained(booster_state const& state) {
    explained_model out;
    std::size_t const n_outputs = state.n_outputs();
    out.columns = state.space.columns;
    for (std::size_t o = 0; o < n_outputs; ++o) out.start.push_back(state.raw(0, o, 0));
    std::vector<std::uint32_t> players;
    for (auto const& f : state.space.features) {
        std::vector<std::uint32_t> columns;
        for (auto const c : source_columns(state.space, f)) columns.push_back(static_cast<std::uint32_t>(c));
        players.push_back(out.player(std::move(columns)));
    }
    for (std::size_t t = 0; t < state.trees.size(); ++t) {
        auto& tree = out.trees.emplace_back();
        for (auto const& s : state.trees.splits(t))
            tree.tests.push_back({s.feature, s.threshold, 0, 0, 0}), tree.players.push_back(players[s.feature]);
        auto const leaves = state.trees.leaves(t);
        tree.leaves.assign(n_outputs * leaves.size(), 0); // of several classes a tree is of one
        auto* const to = tree.leaves.data() + t % n_outputs * leaves.size();
        for (std::size_t i = 0; i < leaves.size(); ++i) to[i] = std::ldexp(static_cast<double>(leaves[i]), -state.trees.exponent);
        auto const weights = state.trees.leaf_weights(t);
        tree.weights.assign(weights.begin(), weights.end());
    }
    out.bins = [&state](row_block const& rows, predict_scratch& scratch) {
        auto* const bins = scratch.bins_for(state.space.features.size());
        state.space.bins(bin_kernels(active_simd_level()), rows, bins, scratch.cells);
        return bins;
    };
    return out;
}
inline explained_model explained(imported_state const& state) {
    explained_model out;
    out.columns = state.columns(), out.start = state.bias;
    for (std::size_t t = 0; t < state.trees.n_pieces(); ++t) { // a tree that can be explained is one piece
        auto const from = state.trees.levels(t);
        if (!from) throw_data("explain: the imported model has trees that do not ask one question a level; only those can be explained");
        if (from->weights.empty()) throw_data("explain: the file of the imported model has no leaf_weights for tree ", t);
        auto& tree = out.trees.emplace_back();
        tree.tests.assign(from->tests.begin(), from->tests.end());
        for (auto const& test : tree.tests) tree.players.push_back(out.player(state.features.columns_of(test.feature)));
        for (auto const leaf : from->leaves) tree.leaves.push_back(state.scale * leaf);
        tree.weights.assign(from->weights.begin(), from->weights.end());
    }
    out.bins = [&state](row_block const& rows, predict_scratch& scratch) {
        auto* const bins = scratch.bins_for(state.features.size());
        state.features.bins(rows, bins, scratch.cells);
        return bins;
    };
    return out;
}

template <class Model> constexpr bool has_trees() {
    constexpr bool has = std::same_as<Model, booster_model> || std::same_as<Model, imported_model>;
    static_assert(has, "explain: a booster_model or an imported_model is needed");
    return has;
}

template <class Model> shap_values explain(Model const& model, frame const& rows, bool pairs, run_options const& run) {
    if constexpr (has_trees<Model>()) {
        if (rows.n_rows() == 0) throw_data("explain: the frame has no rows");
        auto const trees = explained(model.state());
        shap_values out{model.columns(), rows.n_rows(), trees.start.size(), trees.start, {}};
        team workers(run.threads);
        out.values = shapley(trees, rows, pairs, workers, out.expected);
        return out;
    } else return {};
}

/// How strongly two levels of a tree interact: the absolute sum of its leaves, those positive in which exactly one of both answers is yes.
inline double interaction(explained_tree const& tree, std::size_t a, std::size_t b) noexcept {
    double total = 0;
    for (std::size_t first = 0; first < tree.leaves.size(); first += tree.n_leaves()) { // outputs
        double sum = 0;
        for (std::size_t i = 0; i < tree.n_leaves(); ++i)
            sum += ((i >> a ^ i >> b) & 1) != 0 ? tree.leaves[first + i] : -tree.leaves[first + i];
        total += std::abs(sum);
    }
    return total;
}

inline std::vector<column_pair> interactions(explained_model const& model) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, double> sums;
    double total = 0;
    for (auto const& tree : model.trees)
        for (std::size_t a = 0; a < tree.players.size(); ++a)
            for (std::size_t b = 0; b < a; ++b) {
                if (tree.players[a] == tree.players[b]) continue;
                std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
                for (auto const c : model.players[tree.players[a]])
                    for (auto const d : model.players[tree.players[b]])
                        if (c != d) pairs.emplace_back(std::min(c, d), std::max(c, d));
                double const strength = interaction(tree, a, b);
                for (auto const& pair : pairs) sums[pair] += strength / static_cast<double>(pairs.size());
                total += strength;
            }
    std::vector<column_pair> out;
    for (auto const& [pair, sum] : sums)
        if (sum > 0) out.push_back({model.columns[pair.first].name, model.columns[pair.second].name, 100 * sum / total});
    std::stable_sort(out.begin(), out.end(), [](auto const& x, auto const& y) { return x.share > y.share; });
    return out;
}

}

/// The SHAP values of the rows of a frame: how far each column moved the raw score of each row from the expected one. Of booster models, and of
/// CatBoost's models with symmetric trees.
///
/// They are the Shapley values of a game in which what is unknown of a row is averaged over the training rows, node by node on the way down
/// the tree, from its last split to its first, by the weights of the leaves: CatBoost's ShapValues. All features of a column are one player; the
/// columns of a joined key are a player of their own, apart from each column alone, and have equal parts of its value; of CatBoost's combinations
/// the categories have it, not the numbers that they ask, as CatBoost does it.
/// Cost: 4^depth x depth a tree once, less for few rows, then players x trees a row; 8 bytes a value. The same bits for any number of threads.
/// @throws data_error  without rows, where a column is missing or of another type, for imported models with other trees or without leaf_weights.
/// Source: Lundberg, Lee (2017), "A unified approach to interpreting model predictions"; Lundberg et al. (2020), "From local explanations to
/// global understanding with explainable AI for trees"; CatBoost documentation, "ShapValues".
template <class Model> [[nodiscard]] shap_values explain(Model const& model, frame const& rows, run_options const& run = {}) {
    return detail::explain(model, rows, false, run);
}
/// The same for pairs of columns, n_columns^2 values a row: at (a, b) and at (b, a) half of what a and b do together beyond what each does alone, at
/// (a, a) what is left of a. The values of a's line add up to a's SHAP value. A player of several columns shares among all its pairs alike.
/// Source: Lundberg et al. (2020), "SHAP interaction values"; CatBoost documentation, "ShapInteractionValues".
template <class Model> [[nodiscard]] shap_values explain_pairs(Model const& model, frame const& rows, run_options const& run = {}) {
    return detail::explain(model, rows, true, run);
}
/// Which pairs of columns act together, the strongest first, equal ones in the order of the columns; pairs that never do are left out. Known
/// from the trees alone: how far the effect of one question depends on the answer to another, over all leaves alike, seen in training or not;
/// the sum over the outputs.
/// What a joined key has with other features is shared by all pairs of different columns. Of the models that explain() takes.
/// Source: CatBoost documentation, "Interaction".
template <class Model> [[nodiscard]] std::vector<column_pair> interactions(Model const& model) {
    if constexpr (detail::has_trees<Model>()) return detail::interactions(detail::explained(model.state()));
    else return {};
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
