// SPDX-License-Identifier: MIT
// Cross-validation of a booster by whole groups: how many trees serve rows best that training has not seen.
#ifndef RECSYS_RANKER_CROSS_VALIDATION_HPP
#define RECSYS_RANKER_CROSS_VALIDATION_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/split_groups.hpp>
#include <recsys/ranker/booster.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

struct cross_validation_options {
    natural folds = 5;
    std::uint64_t seed = 0; ///< of who is in which fold
};

/// What cross-validation saw: the validation loss, or the metric of the options, after each number of trees.
struct cross_validation {
    std::vector<fit_report> folds;
    std::vector<double> mean;             ///< over the folds
    std::vector<double> standard_error;   ///< of the mean: deviation over the folds by the root of their number
    std::optional<std::size_t> best = {}; ///< the first iteration of the best mean, from 0: fit(all rows) with best + 1 trees

    std::size_t best_trees() const noexcept { return best ? *best + 1 : 0; }
};

/// Fits on all folds but one and validates on that one, for each: groups (without them users, without these rows) are in one fold, whole.
/// Folds grow all their trees, without early stopping and snapshots, so that they can be averaged; they are as many as the shortest grew.
/// Cost: `folds` fits. The same seeds give the same numbers for any number of threads.
/// @throws option_error  unless 2 <= folds <= groups; and what booster::fit throws.
[[nodiscard]] inline cross_validation cross_validate(booster const& trainer, frame const& rows, cross_validation_options const& how = {}) {
    auto options = trainer.options();
    options.early_stopping_rounds = 0, options.snapshot.clear();
    booster const each(options);
    cross_validation out;
    std::size_t shortest = options.trees;
    for (std::size_t fold = 0; fold < std::max<std::size_t>(how.folds, 1); ++fold) { // no fold at all is group_fold's to refuse
        auto const [train, valid] = group_fold(rows, fold, how.folds, how.seed);
        auto const& report = out.folds.emplace_back(each.fit(train, valid).report());
        shortest = std::min(shortest, report.valid_loss.size());
    }
    auto const n = static_cast<double>(out.folds.size());
    bool const higher = options.metric && options.metric.higher_is_better();
    for (std::size_t t = 0; t < shortest; ++t) {
        auto const seen = [&](fit_report const& r) { return options.metric ? r.valid_metric[t] : r.valid_loss[t]; };
        double sum = 0, squares = 0;
        for (auto const& r : out.folds) sum += seen(r);
        for (auto const& r : out.folds) squares += (seen(r) - sum / n) * (seen(r) - sum / n);
        out.mean.push_back(sum / n), out.standard_error.push_back(std::sqrt(squares / (n - 1) / n));
        bool const better = !out.best ? !std::isnan(sum) : higher ? sum / n > out.mean[*out.best] : sum / n < out.mean[*out.best];
        if (better) out.best = t;
    }
    return out;
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
