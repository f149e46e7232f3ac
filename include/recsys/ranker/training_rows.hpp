// SPDX-License-Identifier: MIT
// What a fit reads of a frame's rows besides features: targets, weights, groups; checked, and without rows of weight zero.
#ifndef RECSYS_RANKER_TRAINING_ROWS_HPP
#define RECSYS_RANKER_TRAINING_ROWS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/take_rows.hpp>
#include <recsys/ranker/booster_options.hpp>
#include <recsys/ranker/multi_class.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Rows that count, with their weights (empty = 1 each).
struct fit_rows {
    frame rows;
    std::vector<float> weights;

    std::size_t size() const noexcept { return rows.n_rows(); }
    std::span<float const> targets() const noexcept { return rows.targets(); }
    double total_weight() const noexcept {
        double sum = 0;
        for (auto const w : weights) sum += static_cast<double>(w);
        return weights.empty() ? static_cast<double>(size()) : sum;
    }
};

/// The weight of a row times that of its class.
inline std::vector<float> weights_of(frame const& rows, std::span<double const> class_weights, std::string_view what) {
    std::vector<float> out(rows.weights().begin(), rows.weights().end());
    for (std::size_t row = 0; row < out.size(); ++row)
        if (!(out[row] >= 0 && std::isfinite(out[row])))
            throw_data("booster: the weight of ", what, " row ", row, " (from 0) is ", out[row],
                       ", expected a finite number of at least 0");
    if (class_weights.empty()) return out;
    if (out.empty()) out.assign(rows.n_rows(), 1.f);
    for (std::size_t row = 0; row < out.size(); ++row) {
        float const target = rows.targets()[row];
        auto const n = static_cast<float>(class_weights.size());
        if (!(target >= 0 && target < n && target == std::floor(target)))
            throw_data("booster: class_weights has ", class_weights.size(), " classes, the target of ", what, " row ", row, " (from 0) is ",
                       target);
        out[row] *= static_cast<float>(class_weights[static_cast<std::size_t>(target)]);
    }
    return out;
}

/// Checks targets and weights and leaves out the rows that weigh nothing: they change nothing at all.
/// @param labels  of the classes, whose places become the targets; empty where there are none. @param what  "training" or "validation".
inline fit_rows prepare_rows(frame from, booster_options const& options, std::span<std::int32_t const> labels, std::string_view what) {
    if (from.n_rows() == 0) throw_data("booster: there are no ", what, " rows");
    if (from.rows().targets.empty()) throw_data("booster: the ", what, " rows have no target; name one: rows<T>().target(&T::clicked)");
    for (std::size_t row = 0; row < from.n_rows(); ++row)
        if (!std::isfinite(from.targets()[row]))
            throw_data("booster: the target of ", what, " row ", row, " (from 0) is ", from.targets()[row], ", expected a finite number");
    options.loss.check(from.targets());
    if (!labels.empty()) from = with_class_places(from, labels, what);
    std::size_t const n_outputs = std::max<std::size_t>(1, labels.size());
    if (from.n_baselines() != 0 && from.n_baselines() != n_outputs)
        throw_data("booster: the ", what, " rows have ", from.n_baselines(), " baselines each, the loss needs ", n_outputs);
    if (options.loss.grouped() && from.n_groups() == 0)
        throw_data("booster: this loss compares rows of a group, the ", what, " rows have no groups");
    for (std::size_t row = 0; row < from.baselines().size(); ++row)
        if (!std::isfinite(from.baselines()[row]))
            throw_data("booster: the baseline of ", what, " row ", row / n_outputs, " (from 0) is ", from.baselines()[row],
                       ", expected a finite number");
    fit_rows out{from, weights_of(from, options.class_weights, what)};
    if (std::find(out.weights.begin(), out.weights.end(), 0.f) != out.weights.end()) {
        std::vector<std::size_t> kept;
        for (std::size_t row = 0; row < out.size(); ++row)
            if (out.weights[row] > 0) kept.push_back(row);
        if (kept.empty()) throw_data("booster: all ", what, " rows weigh 0");
        out.rows = take_rows(from, kept);
        for (std::size_t i = 0; i < kept.size(); ++i) out.weights[i] = out.weights[kept[i]];
        out.weights.resize(kept.size());
    }
    if (std::all_of(out.weights.begin(), out.weights.end(), [](float w) { return w == 1.f; })) out.weights.clear();
    return out;
}

/// Where chunks of rows begin, and the end: multiples of a size, or for grouped losses the group ends next after them.
inline std::vector<std::size_t> chunk_bounds(frame const& rows, bool grouped, std::size_t size) {
    std::vector<std::size_t> bounds{0};
    if (!grouped)
        for (std::size_t row = size; row < rows.n_rows(); row += size) bounds.push_back(row);
    else
        for (auto const end : rows.group_ends())
            if (end - bounds.back() >= size && end < rows.n_rows()) bounds.push_back(static_cast<std::size_t>(end));
    bounds.push_back(rows.n_rows());
    return bounds;
}

/// The groups of a chunk of rows, counted from its first row.
inline std::vector<std::uint64_t> chunk_groups(frame const& rows, std::size_t first, std::size_t last) {
    std::vector<std::uint64_t> out;
    auto const ends = rows.group_ends();
    for (auto at = std::upper_bound(ends.begin(), ends.end(), first); at != ends.end() && *at <= last; ++at) out.push_back(*at - first);
    return out;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
