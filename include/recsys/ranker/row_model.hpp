// SPDX-License-Identifier: MIT
// What predictors need of a model: its columns, and the answers for a block of rows.
#ifndef RECSYS_RANKER_ROW_MODEL_HPP
#define RECSYS_RANKER_ROW_MODEL_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/ranker/row_block.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// A worker's memory for predictions.
struct predict_scratch {
    block_scratch rows;
    buffer<std::uint8_t> bins; ///< n_features x block_rows
    std::vector<std::uint32_t> cells;
    std::int64_t sums[block_rows] = {};
    std::vector<double> answers, outputs; ///< block_rows x n_outputs, n_outputs x block_rows

    /// Never null: a model may have no feature at all.
    std::uint8_t* bins_for(std::size_t n_features) {
        std::size_t const size = std::max<std::size_t>(n_features, 1) * block_rows;
        if (bins.size() < size) bins = buffer<std::uint8_t>(size, std::uint8_t{0});
        return bins.data();
    }
};

/// A fitted model behind a predictor: one call a block of rows.
class row_model {
public:
    virtual std::span<ranker_column const> columns() const noexcept = 0;
    virtual std::size_t n_outputs() const noexcept = 0;
    /// What predict() gives for at most block_rows rows: answers[row * n_outputs + output]. Baselines, which raw scores have added, may be null.
    virtual void answer(row_block const& rows, float const* baselines, predict_scratch& scratch, double* answers) const = 0;

protected:
    ~row_model() = default;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
