// SPDX-License-Identifier: MIT
// What predictors need of a model: its columns, and the answers for a block of rows.
#ifndef RECSYS_RANKER_ROW_MODEL_HPP
#define RECSYS_RANKER_ROW_MODEL_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/row_block.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// A worker's memory for predictions.
struct predict_scratch {
    block_scratch rows;
    buffer<std::uint8_t> bins; ///< n_features x block_rows
    std::vector<std::uint32_t> cells;
    std::vector<std::int64_t> sums;       ///< n_outputs x block_rows
    std::vector<double> answers, outputs; ///< block_rows x n_outputs, n_outputs x block_rows

    /// Never null: a model may have no feature at all.
    std::uint8_t* bins_for(std::size_t n_features) {
        std::size_t const size = std::max<std::size_t>(n_features, 1) * block_rows;
        if (bins.size() < size) bins = buffer<std::uint8_t>(size, std::uint8_t{0});
        return bins.data();
    }
};

/// Raw scores to which those of a model are added: none, one a row, or one an output, row after row.
struct row_baselines {
    float const* values = nullptr;
    std::size_t n = 0; ///< a row

    double at(std::size_t row, std::size_t output) const noexcept {
        return values ? static_cast<double>(values[row * n + (n == 1 ? 0 : output)]) : 0.0;
    }
    /// From a row on.
    row_baselines from(std::size_t row) const noexcept { return {values ? values + row * n : nullptr, n}; }
};
/// Those of a frame. @throws data_error  unless there are none, or as many as a model takes: one an output, or one for all where `may_be_one`.
inline row_baselines baselines_of(frame const& rows, std::size_t n_outputs, bool may_be_one) {
    auto const n = rows.n_baselines();
    if (n != 0 && n != n_outputs && !(n == 1 && may_be_one))
        throw_data("predict: the rows have ", n, " baselines each, the model has ", n_outputs, " raw scores a row");
    return {n == 0 ? nullptr : rows.baselines().data(), n};
}

/// e^x over the sum of all of them, in place.
inline void softmax(std::span<double> x) noexcept {
    double const most = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (auto& v : x) v = std::exp(v - most), sum += v;
    for (auto& v : x) v /= sum;
}

/// A fitted model behind a predictor: one call a block of rows.
class row_model {
public:
    virtual std::span<ranker_column const> columns() const noexcept = 0;
    virtual std::size_t n_outputs() const noexcept = 0;
    /// What predict() gives for at most block_rows rows: answers[row * n_outputs + output].
    virtual void answer(row_block const& rows, row_baselines baselines, predict_scratch& scratch, double* answers) const = 0;
    /// The raw scores in the same order.
    virtual void raw(row_block const& rows, row_baselines baselines, predict_scratch& scratch, double* raws) const = 0;
    /// What predict_classes gives. @throws data_error  where the model has no classes that are numbers.
    virtual std::span<std::int32_t const> labels() const = 0;
    /// Whether one baseline a row may stand for all outputs.
    virtual bool takes_one_baseline() const noexcept { return n_outputs() == 1; }

protected:
    ~row_model() = default;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
