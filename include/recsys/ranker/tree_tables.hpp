// SPDX-License-Identifier: MIT
// Trees in the form in which they are applied: leaves as bytes, for look-ups by shuffles. Made when a model is fitted or loaded.
#ifndef RECSYS_RANKER_TREE_TABLES_HPP
#define RECSYS_RANKER_TREE_TABLES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <tuple>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_leaves.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/tree_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// All trees of a set, to be added to blocks of rows with the same integers as one leaf after the other gives.
///
/// A tree's leaves are its lowest leaf plus numbers of one or two bytes, times a power of two where that saves a byte; trees of larger
/// differences are added in two parts. Trees of more than six splits are applied as they are. Takes 48 + 64 or 128 bytes a tree.
class tree_tables {
    static constexpr std::size_t batch_trees = 128; ///< tests and leaves of a batch stay in the nearest cache from row to row

public:
    tree_tables() = default;
    /// @param n_outputs  tree t is of output t % n_outputs.
    explicit tree_tables(tree_set const& trees, std::size_t n_outputs = 1) : m_lowest(n_outputs, 0) {
        std::vector<part> parts;
        for (std::size_t t = 0; t < trees.size(); ++t) {
            if (trees.depth(t) > 6) m_deep.push_back(static_cast<std::uint32_t>(t));
            else add_parts(trees, t, parts);
        }
        std::stable_sort(parts.begin(), parts.end(), [](part const& a, part const& b) { return a.kind() < b.kind(); });
        write(trees, parts);
    }

    /// Adds the leaves of all trees to sums[output * block_rows + row] for n rows of a block, at most block_rows; the bins are used up.
    void add(tree_set const& trees, bin_table const& kernels, std::uint8_t* bins, std::size_t n_features, std::size_t n,
             std::int64_t* sums) const noexcept {
        std::size_t const n_outputs = m_lowest.size();
        if (!kernels.add_trees) return add_trees(trees, kernels, 0, trees.size(), bins, block_rows, n, sums, n_outputs);
        for (auto const t : m_deep) add_trees(trees, kernels, t, t + std::size_t{1}, bins, block_rows, n, sums, n_outputs);
        for (std::size_t o = 0; o < n_outputs; ++o)
            for (std::size_t i = 0; i < n; ++i) sums[o * block_rows + i] += m_lowest[o];
        if (m_batches.empty()) return;
        kernels.flip_bins(bins, n_features * block_rows);
        for (auto const& b : m_batches)
            kernels.add_trees({m_tests.data() + b.first, m_leaves.data() + b.first_leaf, b.n, b.planes, b.shift}, bins, n,
                              sums + b.output * block_rows);
    }

private:
    /// What of a tree is in one batch: (leaf - lowest) >> shift, as many bytes of it as there are planes.
    struct part {
        std::uint32_t tree;
        std::int32_t planes, from, shift; ///< the batch multiplies with 2^shift what was cut out from bit `from` on
        std::int64_t lowest;
        std::size_t output;
        std::tuple<std::size_t, std::int32_t, std::int32_t> kind() const noexcept { return {output, planes, shift}; }
    };
    struct batch {
        std::size_t first, n, first_leaf, output;
        std::int32_t planes, shift;
    };

    void add_parts(tree_set const& trees, std::size_t t, std::vector<part>& parts) {
        auto const leaves = trees.leaves(t);
        auto const [least, most] = std::minmax_element(leaves.begin(), leaves.end());
        std::int64_t const lowest = *least;
        std::uint64_t all = 0; // the bits in which leaves differ from the lowest one
        for (auto const leaf : leaves) all |= static_cast<std::uint64_t>(leaf - lowest);
        std::size_t const output = t % m_lowest.size();
        m_lowest[output] += lowest;
        auto const bits = static_cast<std::int32_t>(std::bit_width(static_cast<std::uint64_t>(*most - lowest)));
        std::int32_t const zeros = all == 0 ? 0 : std::countr_zero(all);
        bool const is_fewer = (bits - zeros + 7) / 8 < (bits + 7) / 8;
        for (std::int32_t from = is_fewer ? zeros : 0; from < bits; from += 16)
            parts.push_back({static_cast<std::uint32_t>(t), bits - from > 8 ? 2 : 1, from, from, lowest, output});
    }
    void write(tree_set const& trees, std::span<part const> parts) {
        std::size_t n_bytes = 0;
        for (auto const& p : parts) n_bytes += static_cast<std::size_t>(p.planes) * 64;
        m_tests = buffer<shuffle_test>(parts.size()), m_leaves = buffer<std::uint8_t>(n_bytes);
        std::size_t at = 0;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            auto const& p = parts[i];
            if (m_batches.empty() || parts[i - 1].kind() != p.kind() || m_batches.back().n == batch_trees)
                m_batches.push_back({i, 0, at, p.output, p.planes, p.shift});
            ++m_batches.back().n;
            write_part(trees, p, m_tests[i], m_leaves.data() + at);
            at += static_cast<std::size_t>(p.planes) * 64;
        }
    }
    static void write_part(tree_set const& trees, part const& p, shuffle_test& test, std::uint8_t* to) {
        auto const splits = trees.splits(p.tree);
        auto const leaves = trees.leaves(p.tree);
        std::array<bool, 6> is_left{}; // whatever the bit says
        for (std::size_t k = 0; k < 6; ++k) {
            // Left where threshold + 1 is above the bin; a bar of -128 is above none.
            bool const can_ask = k < splits.size() && splits[k].threshold < 255;
            is_left[k] = !can_ask;
            auto const bar = static_cast<std::uint32_t>((can_ask ? splits[k].threshold + 1 : 0) ^ 128) & 255u;
            test.place[k] = can_ask ? static_cast<std::uint32_t>(splits[k].feature * block_rows) : 0;
            test.bar[k] = bar * 0x01010101u;
        }
        for (std::size_t i = 0; i < 64; ++i) {
            std::size_t leaf = 0;
            for (std::size_t k = 0; k < splits.size(); ++k) leaf |= (is_left[k] || (i >> k & 1) ? std::size_t{0} : std::size_t{1}) << k;
            auto const value = static_cast<std::uint64_t>(leaves[leaf] - p.lowest) >> p.from;
            for (std::int32_t plane = 0; plane < p.planes; ++plane)
                to[plane * 64 + static_cast<std::int32_t>(i)] = static_cast<std::uint8_t>(value >> 8 * plane);
        }
    }

    buffer<shuffle_test> m_tests;
    buffer<std::uint8_t> m_leaves;
    std::vector<batch> m_batches;
    std::vector<std::uint32_t> m_deep;
    std::vector<std::int64_t> m_lowest = {0}; ///< of each output
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
