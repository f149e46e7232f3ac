// SPDX-License-Identifier: MIT
// Trees of models from elsewhere, with leaves in double: put into the form that the kernels read, and summed over blocks of rows.
#ifndef RECSYS_RANKER_IMPORTED_TREES_HPP
#define RECSYS_RANKER_IMPORTED_TREES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_trees.hpp>
#include <recsys/ranker/imported_features.hpp>
#include <recsys/ranker/row_block.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

static_assert(block_rows == 128, "the kernels of trees read bins of 128 rows");

/// A tree as files have it. Nodes: a child below 0 is leaf -1 - child; to the right if the answer is yes; parents come before children, node 0
/// is the root. Oblivious: one question a level, the first is the lowest bit of a leaf's number.
struct imported_tree {
    struct node {
        imported_question question;
        std::int32_t left = -1, right = -1;
    };
    std::vector<node> nodes;
    std::vector<imported_question> levels; ///< of oblivious trees
    std::vector<double> leaves;            ///< n_leaves x n_outputs
    std::vector<double> weights = {};      ///< of the training rows in each leaf, where the file has them
    std::uint32_t first_output = 0, n_outputs = 1;

    std::size_t n_leaves() const noexcept { return leaves.size() / n_outputs; }
    /// Nothing, or what is wrong with its form: each node but the root and each leaf must have one parent, which comes before it.
    char const* fault() const {
        if (leaves.empty() || leaves.size() % n_outputs != 0) return "has no leaves, or not as many as outputs need";
        if (nodes.empty())
            return levels.size() > 16 || n_leaves() != std::size_t{1} << levels.size() ? "has another number of leaves than its splits make"
                                                                                       : nullptr;
        if (n_leaves() != nodes.size() + 1) return "has another number of leaves than its splits make";
        std::vector<char> node_seen(nodes.size(), 0), leaf_seen(n_leaves(), 0);
        for (std::size_t i = 0; i < nodes.size(); ++i)
            for (std::int64_t const child : {nodes[i].left, nodes[i].right}) {
                auto const at = static_cast<std::size_t>(child < 0 ? -1 - child : child);
                auto& seen = child < 0 ? leaf_seen : node_seen;
                if (at >= seen.size() || seen[at] || (child >= 0 && at <= i)) return "has splits that do not form a tree";
                seen[at] = 1;
            }
        return nullptr;
    }
};

/// All trees of a model.
class imported_trees {
public:
    /// @throws data_error  where a tree is deeper than 255. The tree's form must have been checked, the features be prepared.
    void add(imported_tree const& tree, imported_features const& features) {
        if (tree.nodes.empty()) add_levels(tree, features);
        else add_pieces(tree, features);
        m_ends.push_back(m_pieces.size());
    }
    std::size_t size() const noexcept { return m_ends.size(); }

    /// A tree with one question a level, or nothing where it is another.
    struct oblivious_tree {
        std::span<tree_test const> tests;
        std::span<double const> leaves;  ///< n_outputs x n_leaves
        std::span<double const> weights; ///< empty where the file had none
    };
    std::size_t n_pieces() const noexcept { return m_pieces.size(); }
    std::optional<oblivious_tree> levels(std::size_t i) const noexcept {
        auto const& p = m_pieces[i];
        if (!p.oblivious) return std::nullopt;
        return oblivious_tree{{tests(p), p.n_tests + p.n_high}, {leaves(p, 0), std::size_t{p.n_leaves} * p.n_outputs}, m_weights[i]};
    }

    /// Adds the leaves of trees first .. last - 1 of n rows, n at most block_rows, to sums[output * block_rows + row]. A tree after the other for
    /// each row.
    void add_to(double* sums, std::size_t first, std::size_t last, std::uint8_t const* bins, std::size_t n) const {
        std::size_t const from = first == 0 ? 0 : m_ends[first - 1];
        auto const pieces = std::span<piece const>(m_pieces).subspan(from, last == 0 ? 0 : m_ends[last - 1] - from);
        if (n < few_rows) return add_few(sums, pieces, bins, n);
        auto const kernels = tree_kernels(active_simd_level());
        std::uint8_t numbers[together][block_rows], high[block_rows];
        for (std::size_t t = 0; t < pieces.size(); t += together) {
            auto const run = pieces.subspan(t, std::min(together, pieces.size() - t));
            bool alike = run.size() == together;
            for (std::size_t k = 0; k < run.size(); ++k) {
                auto const& p = run[k];
                if (p.oblivious) kernels.leaf_bytes(tests(p), p.n_tests, bins, block_rows, n, numbers[k]);
                else kernels.find_leaves(tests(p), p.n_tests, bins, n, numbers[k]);
                alike = alike && p.n_high == 0 && p.n_outputs == 1 && p.first_output == run[0].first_output;
            }
            if (alike) {
                tree_leaves four[together];
                for (std::size_t k = 0; k < together; ++k) four[k] = {leaves(run[k], 0), run[k].n_leaves, numbers[k]};
                kernels.add(four, n, sums + run[0].first_output * block_rows);
                continue;
            }
            for (std::size_t k = 0; k < run.size(); ++k) {
                if (run[k].n_high != 0) kernels.leaf_bytes(tests(run[k]) + run[k].n_tests, run[k].n_high, bins, block_rows, n, high);
                add_one(sums, run[k], numbers[k], run[k].n_high != 0 ? high : nullptr, n);
            }
        }
    }

private:
    static constexpr std::size_t together = 4, few_rows = 6, most_leaves = 256;

    /// At most 256 leaves found by `n_tests`, or an oblivious tree with `n_high` further levels.
    struct piece {
        std::size_t first_test = 0, first_leaf = 0;
        std::uint32_t n_tests = 0, n_high = 0, n_leaves = 1, first_output = 0, n_outputs = 1;
        bool oblivious = false;
    };
    tree_test const* tests(piece const& p) const noexcept { return m_tests.data() + p.first_test; }
    double const* leaves(piece const& p, std::size_t output) const noexcept { return m_leaves.data() + p.first_leaf + output * p.n_leaves; }

    // --- sums ------------------------------------------------------------------------------------
    void add_one(double* sums, piece const& p, std::uint8_t const* low, std::uint8_t const* high, std::size_t n) const noexcept {
        for (std::uint32_t o = 0; o < p.n_outputs; ++o) {
            auto* const to = sums + (p.first_output + o) * block_rows;
            auto const* const of = leaves(p, o);
            for (std::size_t r = 0; r < n; ++r) to[r] += of[high ? low[r] | high[r] << 8 : low[r]];
        }
    }
    /// Few rows: each walks from the root.
    void add_few(double* sums, std::span<piece const> pieces, std::uint8_t const* bins, std::size_t n) const noexcept {
        for (auto const& p : pieces)
            for (std::size_t r = 0; r < n; ++r) {
                auto const leaf = p.oblivious ? oblivious_leaf(p, bins + r) : walk(p, bins + r);
                for (std::uint32_t o = 0; o < p.n_outputs; ++o) sums[(p.first_output + o) * block_rows + r] += leaves(p, o)[leaf];
            }
    }
    std::size_t oblivious_leaf(piece const& p, std::uint8_t const* bins) const noexcept {
        std::size_t leaf = 0;
        for (std::size_t i = 0; i < p.n_tests + p.n_high; ++i) {
            auto const& test = tests(p)[i];
            leaf |= std::size_t{bins[test.feature * block_rows] > test.threshold} << i;
        }
        return leaf;
    }
    /// A left side of k leaves has k - 1 tests, which stand between a test and its right side.
    std::size_t walk(piece const& p, std::uint8_t const* bins) const noexcept {
        auto const* test = tests(p);
        std::size_t low = 0, high = p.n_leaves;
        while (high - low > 1) {
            bool const right = bins[test->feature * block_rows] > test->threshold;
            (right ? low : high) = test->middle;
            test += right ? test->middle - test->low : 1;
        }
        return low;
    }

    // --- building --------------------------------------------------------------------------------
    piece& begin(imported_tree const& tree) {
        auto& p = m_pieces.emplace_back();
        m_weights.push_back(tree.weights);
        p.first_test = m_tests.size(), p.first_leaf = m_n_leaves;
        p.first_output = tree.first_output, p.n_outputs = tree.n_outputs;
        return p;
    }
    void test(imported_question const& q, imported_features const& features, std::size_t low, std::size_t middle) {
        auto const asked = features.question(q);
        m_tests.push_back(
            {asked.feature, asked.threshold, static_cast<std::uint8_t>(low), static_cast<std::uint8_t>(middle), std::uint8_t{0}});
    }
    /// The leaves of a piece in its own order, an output after the other; -1 is a leaf of value 0.
    void put_leaves(imported_tree const& tree, piece& p, std::vector<std::int64_t> const& order) {
        p.n_leaves = static_cast<std::uint32_t>(order.size());
        m_leaves.resize(p.first_leaf);
        for (std::uint32_t o = 0; o < tree.n_outputs; ++o)
            for (auto const leaf : order)
                m_leaves.push_back(leaf < 0 ? 0 : tree.leaves[static_cast<std::size_t>(leaf) * tree.n_outputs + o]);
        m_n_leaves = m_leaves.size();
        m_leaves.resize(m_n_leaves + 64, 0); // kernels read tables of 64
    }
    void add_levels(imported_tree const& tree, imported_features const& features) {
        auto& p = begin(tree);
        p.oblivious = true;
        p.n_tests = static_cast<std::uint32_t>(std::min<std::size_t>(8, tree.levels.size()));
        p.n_high = static_cast<std::uint32_t>(tree.levels.size()) - p.n_tests;
        for (auto const& q : tree.levels) test(q, features, 0, 0);
        std::vector<std::int64_t> order(tree.n_leaves());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
        put_leaves(tree, p, order);
    }

    /// A tree of more than 256 leaves is cut into the largest subtrees that fit with the way to them, whose other sides are leaves of value 0.
    void add_pieces(imported_tree const& tree, imported_features const& features) {
        auto const n = tree.nodes.size();
        std::vector<std::size_t> n_leaves(n, 0), depth(n, 0), parent(n, 0);
        for (std::size_t i = 0; i < n; ++i)
            for (auto const child : {tree.nodes[i].left, tree.nodes[i].right})
                if (child >= 0) parent[static_cast<std::size_t>(child)] = i, depth[static_cast<std::size_t>(child)] = depth[i] + 1;
        for (std::size_t i = n; i-- > 0;) {
            for (auto const child : {tree.nodes[i].left, tree.nodes[i].right}) n_leaves[i] += child < 0;
            if (i > 0) n_leaves[parent[i]] += n_leaves[i];
        }
        std::vector<std::size_t> waiting{0};
        while (!waiting.empty()) {
            auto const i = waiting.back();
            waiting.pop_back();
            auto const& node = tree.nodes[i];
            if (n_leaves[i] + depth[i] <= most_leaves) {
                add_piece(tree, features, path_to(tree, parent, i), static_cast<std::int32_t>(i), n_leaves);
                continue;
            }
            if (depth[i] + 2 > most_leaves) throw_data("import: a tree is deeper than ", most_leaves - 1);
            for (auto const child : {node.right, node.left})
                if (child >= 0) waiting.push_back(static_cast<std::size_t>(child));
                else {
                    auto path = path_to(tree, parent, i);
                    path.emplace_back(i, child == node.right);
                    add_piece(tree, features, path, child, n_leaves);
                }
        }
    }
    /// Nodes from the root to the parent of i, and whether the way goes to the right.
    using tree_path = std::vector<std::pair<std::size_t, bool>>;
    static tree_path path_to(imported_tree const& tree, std::vector<std::size_t> const& parent, std::size_t i) {
        tree_path path;
        for (; i != 0; i = parent[i]) path.emplace_back(parent[i], tree.nodes[parent[i]].right == static_cast<std::int32_t>(i));
        std::reverse(path.begin(), path.end());
        return path;
    }
    void add_piece(imported_tree const& tree, imported_features const& features, tree_path const& path, std::int32_t top,
                   std::vector<std::size_t> const& n_leaves) {
        auto& p = begin(tree);
        auto const leaves_of = [&](std::int32_t child) { return child < 0 ? 1 : n_leaves[static_cast<std::size_t>(child)]; };
        std::size_t at = 0, left = path.size() + leaves_of(top); // leaves to come
        std::vector<std::int64_t> order(left, -1);
        for (auto const& [i, right] : path) {
            --left;
            test(tree.nodes[i].question, features, at, right ? at + 1 : at + left);
            at += right;
        }
        std::vector<std::int32_t> waiting{top};
        while (!waiting.empty()) {
            auto const child = waiting.back();
            waiting.pop_back();
            if (child < 0) {
                order[at++] = -1 - child;
                continue;
            }
            auto const& node = tree.nodes[static_cast<std::size_t>(child)];
            test(node.question, features, at, at + leaves_of(node.left));
            waiting.push_back(node.right), waiting.push_back(node.left);
        }
        p.n_tests = static_cast<std::uint32_t>(m_tests.size() - p.first_test);
        put_leaves(tree, p, order);
    }

    std::vector<piece> m_pieces;
    std::vector<std::vector<double>> m_weights; ///< of pieces
    std::vector<std::size_t> m_ends;            ///< of the pieces of each tree
    std::vector<tree_test> m_tests;
    std::vector<double> m_leaves;
    std::size_t m_n_leaves = 0; ///< without those behind the last
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
