// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/factor_tables.hpp"

namespace rs = recsys;
using rs::detail::block_rows;
using rs::detail::model_split;
using rs::detail::tree_set;
using rs::detail::tree_tables;

namespace {

constexpr std::size_t n_features = 20;

/// Trees of random splits; leaves are base + below(range) x step.
void add_trees(tree_set& to, std::size_t n, std::size_t depth, std::int64_t base, std::uint64_t range, std::int64_t step,
               rs::random_stream& random) {
    for (std::size_t t = 0; t < n; ++t) {
        std::vector<model_split> splits;
        for (std::size_t k = 0; k < depth; ++k)
            splits.push_back({static_cast<std::uint16_t>(random.below(n_features)), static_cast<std::uint8_t>(random.below(256))});
        if (depth > 2) splits[0].threshold = 255, splits[2].threshold = 0;
        std::vector<std::int32_t> leaves;
        for (std::size_t i = 0; i < std::size_t{1} << depth; ++i)
            leaves.push_back(static_cast<std::int32_t>(base + static_cast<std::int64_t>(random.below(range)) * step));
        to.add(splits, std::vector<float>(depth), leaves, std::vector<float>(leaves.size()));
    }
}

std::int64_t plain_sum(tree_set const& trees, std::uint8_t const* bins, std::size_t row) {
    std::int64_t sum = 0;
    for (std::size_t t = 0; t < trees.size(); ++t) {
        std::size_t leaf = 0;
        for (std::size_t k = 0; k < trees.depth(t); ++k) {
            auto const& s = trees.splits(t)[k];
            leaf |= (bins[s.feature * block_rows + row] > s.threshold ? std::size_t{1} : std::size_t{0}) << k;
        }
        sum += trees.leaves(t)[leaf];
    }
    return sum;
}

/// Tables and the trees themselves, at every level, beside a walk of each tree.
void check(tree_set const& trees) {
    rs::random_stream random(9);
    rs::detail::buffer<std::uint8_t> bins(n_features * block_rows);
    for (auto& b : bins) b = static_cast<std::uint8_t>(random.below(256));
    tree_tables const tables(trees);
    for (auto const level : factor_tables::levels())
        for (std::size_t const n : {std::size_t{1}, std::size_t{33}, std::size_t{65}, block_rows}) {
            auto const kernels = rs::detail::bin_kernels(level);
            std::vector<std::int64_t> plain(block_rows, 5), fast(block_rows, 5);
            rs::detail::buffer<std::uint8_t> used(bins.size());
            std::copy(bins.begin(), bins.end(), used.begin());
            rs::detail::add_trees(trees, kernels, 0, trees.size(), bins.data(), block_rows, n, plain.data());
            tables.add(trees, kernels, used.data(), n_features, n, fast.data());
            std::size_t wrong = 0;
            for (std::size_t row = 0; row < n; ++row) {
                auto const sum = 5 + plain_sum(trees, bins.data(), row);
                wrong += plain[row] != sum || fast[row] != sum;
            }
            CHECK(wrong == 0);
        }
}

}

TEST_CASE("tables add the leaves of all trees, whatever their depth") {
    rs::random_stream random(1);
    tree_set trees;
    for (std::size_t depth = 0; depth <= 10; ++depth) add_trees(trees, 30, depth, -1000, 3000, 1, random);
    check(trees);
}

TEST_CASE("tables add leaves of one byte and of more, many trees of each") {
    rs::random_stream random(2);
    tree_set trees;
    add_trees(trees, 300, 6, -100, 200, 1, random);
    add_trees(trees, 300, 6, 70000, 256, 1, random);
    add_trees(trees, 300, 6, -70000, 65536, 1, random);
    add_trees(trees, 20, 5, 12, 200, 512, random); // a byte, shifted
    add_trees(trees, 20, 6, 12, 60000, 16, random);
    add_trees(trees, 20, 6, -5, 70000, 1, random); // more than two bytes
    check(trees);
}

TEST_CASE("tables add the largest leaves that there can be") {
    rs::random_stream random(3);
    tree_set trees;
    add_trees(trees, 200, 6, std::numeric_limits<std::int32_t>::min(), std::uint64_t{1} << 32, 1, random);
    add_trees(trees, 3, 6, std::numeric_limits<std::int32_t>::max(), 1, 1, random);
    check(trees);
    check(tree_set());
}
