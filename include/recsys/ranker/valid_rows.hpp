// SPDX-License-Identifier: MIT
// Validation rows as training sees them: the bins of every feature, from which the leaves of new trees are found.
#ifndef RECSYS_RANKER_VALID_ROWS_HPP
#define RECSYS_RANKER_VALID_ROWS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_leaves.hpp>
#include <recsys/core/team.hpp>
#include <recsys/ranker/booster_model.hpp>
#include <recsys/ranker/feature_space.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/training_rows.hpp>
#include <recsys/ranker/tree_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Validation rows: bins of every feature, a column each.
struct valid_rows {
    fit_rows rows;
    buffer<std::uint8_t> columns;
    std::size_t stride = 0;
    bin_table kernels = bin_kernels(active_simd_level());

    valid_rows(fit_rows prepared, feature_space const& space, team& workers)
        : rows(std::move(prepared)), stride((rows.size() + block_rows - 1) / block_rows * block_rows) {
        columns = buffer<std::uint8_t>(space.features.size() * stride);
        frame_reader const reader(space.columns, rows.rows);
        std::vector<predict_scratch> scratch(workers.size());
        workers.blocks(rows.size(), block_rows * 32, [&](std::size_t from, std::size_t to, std::size_t worker) {
            auto& mine = scratch[worker];
            auto* const bins = mine.bins_for(space.features.size());
            for (std::size_t row = from; row < to; row += block_rows) {
                space.bins(kernels, reader.read(row, std::min(block_rows, to - row), mine.rows), bins, mine.cells);
                for (std::size_t f = 0; f < space.features.size(); ++f)
                    std::copy_n(bins + f * block_rows, block_rows, columns.data() + f * stride + row);
            }
        });
    }
    void find_leaves(std::span<model_split const> splits, std::span<std::uint16_t> leaf_of, team& workers) const {
        workers.blocks(rows.size(), block_rows * 64, [&](std::size_t first, std::size_t last, std::size_t) {
            std::uint16_t numbers[block_rows];
            for (std::size_t from = first; from < last; from += block_rows) {
                std::size_t const n = std::min(block_rows, last - from);
                leaf_numbers(kernels, splits, columns.data() + from, stride, n, numbers);
                std::copy_n(numbers, n, leaf_of.data() + from);
            }
        });
    }
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
