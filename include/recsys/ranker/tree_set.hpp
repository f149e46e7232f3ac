// SPDX-License-Identifier: MIT
// Oblivious trees with fixed-point leaves, and their application to binned rows: predictions are sums of integers, exact in any order.
#ifndef RECSYS_RANKER_TREE_SET_HPP
#define RECSYS_RANKER_TREE_SET_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <recsys/core/simd/select_leaves.hpp>
#include <recsys/ranker/row_block.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// The most splits of a tree that files may hold.
inline constexpr std::size_t max_depth = 16;

/// A split of a finished tree: right if the bin of the feature is above the threshold. The first split is the lowest bit of a leaf's number.
struct model_split {
    std::uint16_t feature = 0;
    std::uint8_t threshold = 0;
    std::uint8_t zero = 0;
};
static_assert(sizeof(model_split) == 4);

/// Trees one after the other. A leaf counts leaf x 2^-exponent; a row's raw score is `start` and the sum of its leaves.
class tree_set {
public:
    double start = 0;
    std::int32_t exponent = 16;

    std::size_t size() const noexcept { return m_depths.size(); }
    std::size_t depth(std::size_t tree) const noexcept { return m_depths[tree]; }
    std::span<model_split const> splits(std::size_t tree) const noexcept { return {m_splits.data() + m_first_split[tree], m_depths[tree]}; }
    std::span<std::int32_t const> leaves(std::size_t tree) const noexcept {
        return {m_leaves.data() + m_first_leaf[tree], std::size_t{1} << m_depths[tree]};
    }
    /// The weight of the training rows in each leaf.
    std::span<float const> leaf_weights(std::size_t tree) const noexcept {
        return {m_leaf_weights.data() + m_first_leaf[tree], std::size_t{1} << m_depths[tree]};
    }
    /// What each split added to the score that chose it.
    std::span<float const> gains(std::size_t tree) const noexcept { return {m_gains.data() + m_first_split[tree], m_depths[tree]}; }

    void add(std::span<model_split const> splits, std::span<float const> gains, std::span<std::int32_t const> leaves,
             std::span<float const> weights) {
        m_first_split.push_back(m_splits.size()), m_first_leaf.push_back(m_leaves.size());
        m_depths.push_back(static_cast<std::uint8_t>(splits.size()));
        m_splits.insert(m_splits.end(), splits.begin(), splits.end()), m_gains.insert(m_gains.end(), gains.begin(), gains.end());
        m_leaves.insert(m_leaves.end(), leaves.begin(), leaves.end()),
            m_leaf_weights.insert(m_leaf_weights.end(), weights.begin(), weights.end());
    }
    /// Keeps the first n trees.
    void keep(std::size_t n) {
        if (n >= size()) return;
        m_splits.resize(m_first_split[n]), m_gains.resize(m_first_split[n]);
        m_leaves.resize(m_first_leaf[n]), m_leaf_weights.resize(m_first_leaf[n]);
        m_first_split.resize(n), m_first_leaf.resize(n), m_depths.resize(n);
    }
    /// Every split's feature becomes rank[feature].
    void rename_features(std::span<std::uint32_t const> rank) {
        for (auto& s : m_splits) s.feature = static_cast<std::uint16_t>(rank[s.feature]);
    }
    double raw(std::int64_t sum) const noexcept { return start + std::ldexp(static_cast<double>(sum), -exponent); }

    std::span<std::uint8_t const> all_depths() const noexcept { return m_depths; }
    std::span<model_split const> all_splits() const noexcept { return m_splits; }
    std::span<std::int32_t const> all_leaves() const noexcept { return m_leaves; }
    std::span<float const> all_leaf_weights() const noexcept { return m_leaf_weights; }
    std::span<float const> all_gains() const noexcept { return m_gains; }

private:
    std::vector<std::uint8_t> m_depths;
    std::vector<std::size_t> m_first_split, m_first_leaf;
    std::vector<model_split> m_splits;
    std::vector<float> m_gains, m_leaf_weights;
    std::vector<std::int32_t> m_leaves;
};

/// A bit for each of at most eight splits, for n rows of a block.
inline void leaf_bytes(bin_table const& kernels, std::span<model_split const> splits, std::uint8_t const* bins, std::size_t stride,
                       std::size_t n, std::uint8_t* out) noexcept {
    tree_test tests[8] = {};
    for (std::size_t k = 0; k < splits.size(); ++k) tests[k].feature = splits[k].feature, tests[k].threshold = splits[k].threshold;
    kernels.leaf_bytes(tests, splits.size(), bins, stride, n, out);
}

/// The numbers of the leaves of n rows, n at most block_rows, for which there is room at `out`. Bins of feature f are bins[f * stride] ..., readable up to a multiple of block_rows.
inline void leaf_numbers(bin_table const& kernels, std::span<model_split const> splits, std::uint8_t const* bins, std::size_t stride,
                         std::size_t n, std::uint16_t* out) noexcept {
    std::uint8_t low[block_rows], high[block_rows];
    std::size_t const n_low = std::min<std::size_t>(8, splits.size());
    leaf_bytes(kernels, splits.first(n_low), bins, stride, n, low);
    if (n_low == splits.size()) std::fill_n(high, block_rows, std::uint8_t{0});
    else leaf_bytes(kernels, splits.subspan(n_low), bins, stride, n, high);
    for (std::size_t row = 0; row < block_rows; row += 16)
        for (std::size_t k = row; k < row + 16; ++k) out[k] = static_cast<std::uint16_t>(low[k] | high[k] << 8);
}

/// Adds the leaves of trees first .. last - 1 to the sums of n rows, n at most block_rows; tree t to sums[t % n_outputs * block_rows] ...
inline void add_trees(tree_set const& trees, bin_table const& kernels, std::size_t first, std::size_t last, std::uint8_t const* bins,
                      std::size_t stride, std::size_t n, std::int64_t* all_sums, std::size_t n_outputs = 1) noexcept {
    std::uint8_t low[block_rows];
    std::uint16_t numbers[block_rows];
    for (std::size_t t = first; t < last; ++t) {
        auto const* const leaves = trees.leaves(t).data();
        auto* const sums = all_sums + t % n_outputs * block_rows;
        if (trees.depth(t) <= 8) {
            leaf_bytes(kernels, trees.splits(t), bins, stride, n, low);
            for (std::size_t row = 0; row < n; ++row) sums[row] += leaves[low[row]];
        } else {
            leaf_numbers(kernels, trees.splits(t), bins, stride, n, numbers);
            for (std::size_t row = 0; row < n; ++row) sums[row] += leaves[numbers[row]];
        }
    }
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
