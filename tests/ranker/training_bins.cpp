// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/factor_tables.hpp"

using namespace recsys::detail;

namespace {

/// Random bins of features of 2 to 256 bins, some of them other ones in each of three orders; 1 to 70 features of two targets.
struct random_bins {
    training_bins bins;
    std::vector<std::vector<std::vector<std::uint8_t>>> of; ///< of each feature and order, a bin a row
    std::size_t n_rows;

    random_bins(std::size_t n_features, std::size_t rows, std::uint64_t seed) : n_rows(rows) {
        recsys::random_stream random(seed);
        std::vector<std::size_t> n_bins;
        std::vector<char> permuted;
        for (std::size_t f = 0; f < n_features; ++f) {
            std::size_t const sizes[] = {2, 3, 4, 7, 16, 64, 255, 256};
            n_bins.push_back(sizes[random.below(8)]), permuted.push_back(random.below(3) == 0);
            bins.slot_of.push_back(static_cast<std::uint32_t>(f));
            bins.target_of.push_back(permuted.back() ? static_cast<std::uint32_t>(random.below(2)) : 0);
        }
        bins.permutations = 2;
        bins.packed = packed_rows(packed_layout(n_bins, permuted), n_rows, bins.copy_of(2, 0));
        for (std::size_t f = 0; f < n_features; ++f) {
            auto& orders = of.emplace_back(3);
            for (std::size_t order = 0; order < 3; ++order) {
                if (order > 0 && !permuted[f]) {
                    orders[order] = orders[0];
                    continue;
                }
                auto const& field = bins.field_of(f);
                auto const to = bins.packed.column(field, bins.copy_of(bins.target_of[f], order));
                for (std::size_t row = 0; row < n_rows; ++row) {
                    orders[order].push_back(static_cast<std::uint8_t>(random.below(n_bins[f])));
                    *to.of(row) = static_cast<std::uint8_t>(*to.of(row) | orders[order].back() << field.shift);
                }
            }
        }
    }
};

}

TEST_CASE("rows find the leaves that their bins lead to, in every order and at every level") {
    recsys::random_stream random(2);
    for (std::size_t const n_features : {1u, 3u, 14u, 35u, 70u}) {
        random_bins const made(n_features, 517, n_features);
        for (std::size_t const depth : {0u, 1u, 6u, 10u}) {
            std::vector<model_split> splits(depth);
            for (auto& s : splits) {
                s.feature = static_cast<std::uint16_t>(random.below(n_features));
                s.threshold = made.of[s.feature][0][static_cast<std::size_t>(random.below(517))];
            }
            if (depth > 1) splits[1].threshold = 255; // above which there is nothing
            for (std::size_t order = 0; order < 3; ++order)
                for (auto const level : factor_tables::levels()) {
                    auto const kernels = bin_kernels(level);
                    row_leaves const leaves(made.bins, splits, order, kernels);
                    std::size_t wrong = 0;
                    for (auto const& [first, last] : {std::pair<std::size_t, std::size_t>{0, 517}, {5, 6}, {130, 259}, {384, 517}}) {
                        std::vector<std::uint16_t> out(last - first + 1, 0xABCD);
                        leaves.find(first, last, out.data());
                        for (std::size_t row = first; row < last; ++row) {
                            unsigned leaf = 0;
                            for (std::size_t k = 0; k < depth; ++k)
                                leaf |= (made.of[splits[k].feature][order][row] > splits[k].threshold ? 1u : 0u) << k;
                            wrong += out[row - first] != leaf;
                        }
                        wrong += out.back() != 0xABCD;
                    }
                    CHECK(wrong == 0);
                }
        }
    }
}
