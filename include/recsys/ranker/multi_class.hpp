// SPDX-License-Identifier: MIT
// Several classes: softmax cross-entropy over a raw score a class, and how the labels of targets become places of classes.
#ifndef RECSYS_RANKER_MULTI_CLASS_HPP
#define RECSYS_RANKER_MULTI_CLASS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_rows.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/loss.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

inline constexpr std::size_t most_classes = 1000;
inline constexpr std::int32_t largest_label = 16'777'216; ///< from there on float does not tell neighbours apart

/// kernel(raw, target, n, first row) for whole lanes; the last rows come in lanes that overlap, or through copies. n_classes x n raw scores.
template <class Kernel> void for_class_lanes(class_rows const& rows, Kernel const& kernel) {
    std::size_t const n = rows.target.size(), whole = n / row_lanes * row_lanes;
    if (whole > 0) kernel(rows.raw.data(), rows.target.data(), whole, std::size_t{0});
    if (whole > 0 && whole < n) {
        std::size_t const last = n - row_lanes;
        kernel(rows.raw.data() + last, rows.target.data() + last, row_lanes, last);
    }
}
/// The class of a row's raw scores: the highest, the first of equal ones; of one score whether it is above 0.
template <class Number> std::size_t class_place(Number const* raw, std::size_t n_outputs) noexcept {
    if (n_outputs == 1) return std::size_t{*raw > 0};
    return static_cast<std::size_t>(std::max_element(raw, raw + n_outputs) - raw);
}
/// Fewer rows than lanes, filled up.
struct few_class_rows {
    explicit few_class_rows(class_rows const& rows) : raw(rows.n_classes * row_lanes, 0.f), target(row_lanes, 0.f) {
        std::size_t const n = rows.target.size();
        for (std::size_t c = 0; c < rows.n_classes; ++c) std::copy_n(rows.raw.data() + c * n, n, raw.data() + c * row_lanes);
        std::copy_n(rows.target.data(), n, target.data());
    }
    std::vector<float> raw, target;
};

}

/// Log loss over several classes, in nats: log of the sum of e^raw less the raw score of the row's class. Predictions are probabilities, n_rows x
/// n_classes. Source: Friedman, "Greedy function approximation" (2001), section 4.6.
///
/// Each round of training grows a tree for each class. Those of a round have the same splits, chosen for a random mixture of the gradients of all
/// classes (Iosipoi & Vakhrushev 2022); each class has leaves of its own. A round takes less than half the time of one of own_splits, and on five
/// kinds of data, stopped early, log loss was 0.2 to 4.6% lower; only where 20 classes followed two columns of their own each was it 2.4% higher.
/// Many rounds are wanted: at 300 of rate 0.1 on 60,000 rows own_splits is ahead by 1.2%, at 1000 behind by 1%.
///
/// Targets are labels: whole numbers of 0 to 16,777,216, not all of them in use; columns of predictions are in the order of rising labels. Second
/// derivatives are K / (K - 1) p (1 - p): all classes take their steps at once, which would together be too long by that.
///
/// Categories: each class has ordered statistics of its own, of "the row is of this class". Rounds take turns to ask those of one class; with
/// own_splits each class asks its own. Of more than 32 classes the 16 most frequent ones have their own, the others share 16 targets; the number of
/// permutations falls so that these times targets stay at most 32.
struct multi_class {
    static constexpr output_kind output = output_kind::class_probabilities;
    /// The classes, rising; empty: those that training rows have. Name them where validation rows or rows to come have more.
    std::vector<std::int32_t> labels = {};
    bool own_splits = false; ///< each class has splits of its own: for classes of which each follows other columns

    void values(class_rows const& rows, std::span<float> out) const {
        std::size_t const n = rows.target.size();
        if (n < detail::row_lanes) {
            detail::few_class_rows const padded(rows);
            std::vector<float> all(detail::row_lanes);
            values({padded.raw, padded.target, rows.n_classes}, all);
            std::copy_n(all.begin(), n, out.begin());
            return;
        }
        auto const kernels = detail::row_kernels(detail::active_simd_level());
        std::vector<float> most(n), sum(n);
        detail::for_class_lanes(rows, [&](float const* raw, float const*, std::size_t count, std::size_t first) {
            kernels.softmax_sums(raw, rows.n_classes, n, count, most.data() + first, sum.data() + first);
        });
        for (std::size_t i = 0; i < n; ++i)
            out[i] = std::log(sum[i]) + (most[i] - rows.raw[static_cast<std::size_t>(rows.target[i]) * n + i]);
    }
    void derivatives(class_rows const& rows, std::span<float> gradient, std::span<float> hessian) const {
        std::size_t const n = rows.target.size();
        if (n < detail::row_lanes) {
            detail::few_class_rows const padded(rows);
            std::vector<float> g(padded.raw.size()), h(padded.raw.size());
            derivatives({padded.raw, padded.target, rows.n_classes}, g, h);
            for (std::size_t c = 0; c < rows.n_classes; ++c)
                std::copy_n(&g[c * detail::row_lanes], n, &gradient[c * n]), std::copy_n(&h[c * detail::row_lanes], n, &hessian[c * n]);
            return;
        }
        auto const kernels = detail::row_kernels(detail::active_simd_level());
        detail::for_class_lanes(rows, [&](float const* raw, float const* target, std::size_t count, std::size_t first) {
            kernels.softmax_derivatives(raw, target, rows.n_classes, n, count, gradient.data() + first, hessian.data() + first);
        });
    }
    double start(double share) const { return std::log(share); }
    void check_options() const {
        if (labels.size() == 1 || labels.size() > detail::most_classes)
            detail::throw_option("multi_class: labels must be 2 to ", detail::most_classes, " numbers, got ", labels.size());
        for (std::size_t i = 0; i < labels.size(); ++i)
            if (labels[i] < 0 || labels[i] > detail::largest_label || (i > 0 && labels[i] <= labels[i - 1]))
                detail::throw_option("multi_class: labels must rise within [0, ", detail::largest_label, "], number ", i, " (from 0) is ",
                                     labels[i]);
    }
};

namespace detail {

/// The labels of the targets, rising. None where there are no targets. @throws data_error  for a target that is no label, or too few or many.
inline std::vector<std::int32_t> class_labels(std::span<float const> targets, std::string_view what) {
    std::vector<std::int32_t> out;
    for (std::size_t row = 0; row < targets.size(); ++row) {
        float const t = targets[row];
        if (!(t >= 0 && t <= static_cast<float>(largest_label) && t == std::floor(t)))
            throw_data("booster: the target of ", what, " row ", row, " (from 0) is ", t, ", expected a class: a whole number of 0 to ",
                       largest_label);
        auto const label = static_cast<std::int32_t>(t);
        auto const at = std::lower_bound(out.begin(), out.end(), label);
        if (at == out.end() || *at != label) out.insert(at, label);
        if (out.size() > most_classes)
            throw_data("booster: the targets of the ", what, " rows have more than ", most_classes, " classes (row ", row,
                       " brings one more); are they classes?");
    }
    return out;
}
/// The rows with places among the labels as targets.
inline frame with_class_places(frame const& rows, std::span<std::int32_t const> labels, std::string_view what) {
    buffer<float> places(rows.n_rows());
    for (std::size_t row = 0; row < places.size(); ++row) {
        float const t = rows.targets()[row];
        auto const at =
            std::lower_bound(labels.begin(), labels.end(), t, [](std::int32_t l, float x) { return static_cast<float>(l) < x; });
        if (at == labels.end() || static_cast<float>(*at) != t)
            throw_data("booster: the target of ", what, " row ", row, " (from 0) is ", t, ", which is none of the ", labels.size(),
                       " classes that are known; name all of them: multi_class{.labels = {...}}");
        places[row] = static_cast<float>(at - labels.begin());
    }
    auto about = rows.rows();
    about.targets = shared_array<float>(std::move(places));
    return frame(rows.n_rows(), {rows.columns().begin(), rows.columns().end()}, std::move(about));
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
