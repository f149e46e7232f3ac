// SPDX-License-Identifier: MIT
// Shapley values of oblivious trees: for each leaf what the columns did that led to it, once a tree, so that rows only look up and add.
#ifndef RECSYS_RANKER_SHAP_TABLES_HPP
#define RECSYS_RANKER_SHAP_TABLES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_trees.hpp>
#include <recsys/core/team.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/row_model.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// A tree that asks one question a level. Its root is the last level, as in CatBoost, whose values these are.
struct explained_tree {
    std::vector<tree_test> tests;
    std::vector<std::uint32_t> players; ///< who answers each test
    std::vector<double> leaves;         ///< n_outputs x n_leaves
    std::vector<double> weights;        ///< of the training rows in each leaf

    std::size_t n_leaves() const noexcept { return weights.size(); }
};

/// A model as explanations read it. A player is all that the model makes of one column, or of several together: a joined key.
struct explained_model {
    std::span<ranker_column const> columns;
    std::vector<std::vector<std::uint32_t>> players; ///< the columns of each, rising
    std::vector<explained_tree> trees;
    std::vector<double> start; ///< one an output
    /// The bins of a block, n_features x block_rows.
    std::function<std::uint8_t const*(row_block const&, predict_scratch&)> bins;

    std::uint32_t player(std::vector<std::uint32_t> of) {
        std::sort(of.begin(), of.end());
        of.erase(std::unique(of.begin(), of.end()), of.end());
        auto const at = std::find(players.begin(), players.end(), of);
        if (at != players.end()) return static_cast<std::uint32_t>(at - players.begin());
        players.push_back(std::move(of));
        return static_cast<std::uint32_t>(players.size() - 1);
    }
};

/// The game that a tree plays for a leaf: what is expected of a row if only some of the leaf's players are known. A node whose player is known
/// is passed as the leaf's rows pass it, others are averaged by the weights of their sides, or alike where no training row came.
/// Source: Lundberg et al., "From local explanations to global understanding with explainable AI for trees" (2020), algorithm 1.
class shap_game {
public:
    std::vector<std::uint32_t> players; ///< of this tree: bit i of a set is players[i]

    explicit shap_game(explained_tree const& tree) : m_n_leaves(tree.n_leaves()) {
        for (auto const p : tree.players) {
            auto const at = std::find(players.begin(), players.end(), p);
            m_own.push_back(std::size_t{1} << (at - players.begin()));
            if (at == players.end()) players.push_back(p);
        }
        std::vector<double> weights = tree.weights;
        for (std::size_t n = weights.size() / 2; n > 0; n /= 2)
            for (std::size_t node = 0; node < n; ++node) {
                double const left = weights[2 * node], right = weights[2 * node + 1];
                m_shares.push_back(left + right > 0 ? right / (left + right) : 0.5);
                weights[node] = left + right;
            }
        auto const k = players.size();
        m_sizes.assign(std::size_t{1} << k, 0);
        for (std::size_t set = 1; set < m_sizes.size(); ++set) m_sizes[set] = static_cast<std::uint8_t>(m_sizes[set / 2] + set % 2);
        m_single.resize(k), m_pair.resize(k > 1 ? k - 1 : 0);
        double ways = 1; // k - 1 over size
        for (std::size_t size = 0; size < k; ++size) {
            m_single[size] = 1 / (static_cast<double>(k) * ways); // size! (k - size - 1)! / k!
            ways = ways * static_cast<double>(k - 1 - size) / static_cast<double>(size + 1);
        }
        ways = 1;
        for (std::size_t size = 0; size + 1 < k; ++size) {
            m_pair[size] = 1 / (2 * static_cast<double>(k - 1) * ways); // size! (k - size - 2)! / (2 (k - 1)!)
            ways = ways * static_cast<double>(k - 2 - size) / static_cast<double>(size + 1);
        }
    }

    /// What is expected if each set of players is known, 2^k numbers, the empty set first. O(depth 2^depth). Valid until the next call.
    std::span<double const> expect(double const* leaves, std::size_t leaf) {
        m_now.assign(leaves, leaves + m_n_leaves);
        std::size_t sets = 1;
        auto const* share = m_shares.data();
        for (std::size_t bit = 0; bit < m_own.size(); ++bit) {
            std::size_t const own = m_own[bit], n = m_n_leaves >> (bit + 1), out = own == sets ? 2 * sets : sets;
            m_next.resize(n * out);
            for (std::size_t node = 0; node < n; ++node) {
                auto const *const left = m_now.data() + 2 * node * sets, *const right = left + sets,
                                  *const taken = leaf >> bit & 1 ? right : left;
                auto* const to = m_next.data() + node * out;
                double const r = share[node];
                for (std::size_t s = 0; s < sets; ++s) to[s] = left[s] + r * (right[s] - left[s]);
                if (own == sets) std::copy_n(taken, sets, to + sets);
                else
                    for (std::size_t s = own; s < sets; s = (s + 1) | own) to[s] = taken[s];
            }
            share += n, sets = out;
            m_now.swap(m_next);
        }
        return m_now;
    }
    /// The Shapley value of a player.
    double value(std::span<double const> v, std::size_t i) const noexcept {
        double sum = 0;
        std::size_t const bit = std::size_t{1} << i;
        for (std::size_t from = 0; from < v.size(); from += 2 * bit)
            for (std::size_t s = from; s < from + bit; ++s) sum += m_single[m_sizes[s]] * (v[s | bit] - v[s]);
        return sum;
    }
    /// Half of what two players do together and neither does alone: their Shapley interaction index.
    double value(std::span<double const> v, std::size_t i, std::size_t j) const noexcept {
        double sum = 0;
        std::size_t const a = std::size_t{1} << i, b = std::size_t{1} << j;
        for (std::size_t s = 0; s < v.size(); ++s)
            if (!(s & (a | b))) sum += m_pair[m_sizes[s]] * ((v[s | a | b] - v[s | a]) - (v[s | b] - v[s]));
        return sum;
    }

private:
    std::size_t m_n_leaves;
    std::vector<std::size_t> m_own;    ///< of each level, its player's bit
    std::vector<double> m_shares;      ///< of the right side of each node, the nodes of the first level first
    std::vector<std::uint8_t> m_sizes; ///< of sets
    std::vector<double> m_single, m_pair;
    std::vector<double> m_now, m_next;
};

/// The values of some trees for all their leaves, and to which cells of a row's answer they belong: a column, or a pair of columns.
class shap_batch {
public:
    struct entry {
        std::uint32_t tree;
        std::size_t table;
    };

    /// Trees first .. as many as fit.
    shap_batch(explained_model const& model, std::size_t first, bool pairs) : m_model(model), m_first(first), m_pairs(pairs) {
        std::size_t at = 0;
        for (std::size_t t = first; t < model.trees.size() && (t == first || at < most_doubles); ++t) {
            auto const& tree = model.trees[t];
            auto const& game = m_games.emplace_back(tree);
            m_tables.push_back(at);
            each_value(game, [&](std::size_t i, std::size_t j) {
                add_cells(game.players[i], game.players[j], {static_cast<std::uint32_t>(t - first), at});
                at += tree.n_leaves() * model.start.size();
            });
        }
        m_values = buffer<double>(at + 64, 0.0); // kernels read tables of 64
    }
    std::size_t end() const noexcept { return m_first + m_games.size(); }

    /// Computes the values of the leaves that rows are in. Adds what is expected of any row to `expected`.
    void compute(team& workers, std::span<double> expected, std::vector<std::vector<char>> const& wanted) {
        std::vector<double> means(m_games.size() * expected.size());
        workers.run(m_games.size(), [&](std::size_t t, std::size_t) {
            for (std::size_t o = 0; o < expected.size(); ++o)
                for (std::size_t leaf = 0; leaf < tree(t).n_leaves(); ++leaf)
                    if (wanted.empty() || wanted[t][leaf]) means[t * expected.size() + o] = compute_leaf(t, o, leaf);
        });
        for (std::size_t i = 0; i < means.size(); ++i) expected[i % expected.size()] += means[i];
    }

    /// Which leaves n rows are in: eight levels in the first block_rows bytes of a tree's 2 x block_rows, the others in the second.
    void find_leaves(std::uint8_t const* bins, std::size_t n, std::vector<std::uint8_t>& out) const {
        auto const find = tree_kernels(active_simd_level()).leaf_bytes;
        out.resize(m_games.size() * 2 * block_rows);
        for (std::size_t t = 0; t < m_games.size(); ++t) {
            auto const& tests = tree(t).tests;
            std::size_t const low = std::min<std::size_t>(8, tests.size());
            find(tests.data(), low, bins, block_rows, n, out.data() + 2 * t * block_rows);
            if (tests.size() > 8) find(tests.data() + low, tests.size() - low, bins, block_rows, n, out.data() + (2 * t + 1) * block_rows);
        }
    }
    std::size_t leaf(std::vector<std::uint8_t> const& leaves, std::size_t t, std::size_t row) const noexcept {
        auto const* const low = leaves.data() + 2 * t * block_rows + row;
        return low[0] | (tree(t).tests.size() > 8 ? std::size_t{low[block_rows]} << 8 : 0);
    }
    /// Adds the values of n rows to values[row * width + output * n_cells + cell], a tree after the other.
    void add(std::vector<std::uint8_t> const& leaves, std::size_t n, std::size_t n_cells, double* values) const {
        auto const add_four = tree_kernels(active_simd_level()).add;
        double sums[block_rows];
        std::size_t const n_outputs = m_model.start.size();
        for (auto const& [cell, entries] : m_cells)
            for (std::size_t o = 0; o < n_outputs; ++o) {
                auto* const to = values + o * n_cells + cell;
                for (std::size_t r = 0; r < n; ++r) sums[r] = to[r * n_cells * n_outputs];
                for (std::size_t i = 0; i < entries.size();) {
                    tree_leaves four[4];
                    std::size_t k = 0;
                    for (; k < 4 && i + k < entries.size() && tree(entries[i + k].tree).tests.size() <= 8; ++k) {
                        auto const& e = entries[i + k];
                        auto const size = tree(e.tree).n_leaves();
                        four[k] = {m_values.data() + e.table + o * size, size, leaves.data() + 2 * e.tree * block_rows};
                    }
                    if (k == 4) add_four(four, n, sums), i += 4;
                    else add_one(entries[i++], o, leaves, n, sums);
                }
                for (std::size_t r = 0; r < n; ++r) to[r * n_cells * n_outputs] = sums[r];
            }
    }
    std::size_t most_leaves() const noexcept {
        std::size_t most = 0;
        for (std::size_t t = 0; t < m_games.size(); ++t) most = std::max(most, tree(t).n_leaves());
        return most;
    }
    std::size_t size() const noexcept { return m_games.size(); }
    explained_tree const& tree(std::size_t t) const noexcept { return m_model.trees[m_first + t]; }

private:
    static constexpr std::size_t most_doubles = std::size_t{1} << 18;

    void add_one(entry const& e, std::size_t output, std::vector<std::uint8_t> const& leaves, std::size_t n, double* sums) const noexcept {
        auto const* const of = m_values.data() + e.table + output * tree(e.tree).n_leaves();
        for (std::size_t r = 0; r < n; ++r) sums[r] += of[leaf(leaves, e.tree, r)];
    }
    /// f(i, i) for each player of a tree; with pairs f(i, j) for all i <= j.
    template <class Function> void each_value(shap_game const& game, Function const& f) const {
        for (std::size_t i = 0; i < game.players.size(); ++i)
            for (std::size_t j = i; j < (m_pairs ? game.players.size() : i + 1); ++j) f(i, j);
    }
    /// The columns of a player have equal parts of what is its.
    void add_cells(std::uint32_t i, std::uint32_t j, entry const& e) {
        auto const n = m_model.columns.size();
        for (auto const a : m_model.players[i]) {
            if (!m_pairs) m_cells[a].push_back(e);
            else if (i == j) m_cells[a * n + a].push_back(e);
            else
                for (auto const b : m_model.players[j]) m_cells[a * n + b].push_back(e), m_cells[b * n + a].push_back(e);
        }
    }
    /// The parts of one leaf; what is expected of any row.
    double compute_leaf(std::size_t t, std::size_t output, std::size_t leaf) {
        auto& game = m_games[t];
        auto const size = tree(t).n_leaves();
        auto const v = game.expect(tree(t).leaves.data() + output * size, leaf);
        auto* to = m_values.data() + m_tables[t] + output * size + leaf;
        auto const n_columns = [&](std::size_t i) { return static_cast<double>(m_model.players[game.players[i]].size()); };
        each_value(game, [&](std::size_t i, std::size_t j) {
            double value = i == j ? game.value(v, i) : game.value(v, i, j) / n_columns(j);
            if (m_pairs && i == j) // what the player does alone
                for (std::size_t other = 0; other < game.players.size(); ++other)
                    if (other != i) value -= game.value(v, i, other);
            *to = value / n_columns(i);
            to += size * m_model.start.size();
        });
        return v[0];
    }

    explained_model const& m_model;
    std::size_t m_first;
    bool m_pairs;
    std::vector<shap_game> m_games;
    std::vector<std::size_t> m_tables; ///< where those of a tree begin
    std::map<std::size_t, std::vector<entry>> m_cells;
    buffer<double> m_values; ///< a table for each value of a tree, n_outputs x n_leaves
};

/// Shapley values of the rows of a frame, n_rows x n_outputs x n_columns, or x n_columns^2 with pairs. Adds what is expected to `expected`.
inline std::vector<double> shapley(explained_model const& model, frame const& rows, bool pairs, team& workers, std::span<double> expected) {
    frame_reader const reader(model.columns, rows);
    std::size_t const n_columns = model.columns.size(), n_cells = pairs ? n_columns * n_columns : n_columns;
    std::size_t const width = checked_product(n_cells, expected.size(), "explain: values");
    std::vector<double> out(checked_product(rows.n_rows(), width, "explain: values"));
    struct worker_scratch {
        predict_scratch predict;
        std::vector<std::uint8_t> leaves;
    };
    std::vector<worker_scratch> scratch(workers.size());
    for (std::size_t first = 0; first < model.trees.size();) {
        shap_batch batch(model, first, pairs);
        auto const find = [&](std::size_t row, std::size_t n, worker_scratch& mine) {
            batch.find_leaves(model.bins(reader.read(row, n, mine.predict.rows), mine.predict), n, mine.leaves);
        };
        std::vector<std::vector<char>> wanted; // leaves; empty: all of them
        if (rows.n_rows() < batch.most_leaves()) {
            for (std::size_t t = 0; t < batch.size(); ++t) wanted.emplace_back(batch.tree(t).n_leaves(), char{0});
            for (std::size_t row = 0; row < rows.n_rows(); row += block_rows) {
                std::size_t const n = std::min(block_rows, rows.n_rows() - row);
                find(row, n, scratch[0]);
                for (std::size_t t = 0; t < batch.size(); ++t)
                    for (std::size_t r = 0; r < n; ++r) wanted[t][batch.leaf(scratch[0].leaves, t, r)] = 1;
            }
        }
        batch.compute(workers, expected, wanted);
        workers.blocks(rows.n_rows(), block_rows * 8, [&](std::size_t from, std::size_t to, std::size_t worker) {
            for (std::size_t row = from; row < to; row += block_rows) {
                std::size_t const n = std::min(block_rows, to - row);
                find(row, n, scratch[worker]);
                batch.add(scratch[worker].leaves, n, n_cells, out.data() + row * width);
            }
        });
        first = batch.end();
    }
    return out;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
