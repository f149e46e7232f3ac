// SPDX-License-Identifier: MIT
// The gradient-boosted ranker: oblivious trees over quantised features, with ordered target statistics for categories.
#ifndef RECSYS_RANKER_BOOSTER_HPP
#define RECSYS_RANKER_BOOSTER_HPP

#include <recsys/core/push_macros.hpp>

#include <utility>

#include <recsys/core/error.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/booster_fit.hpp>
#include <recsys/ranker/booster_model.hpp>
#include <recsys/ranker/booster_options.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Trains gradient-boosted oblivious trees: `booster({.trees = 1000}).fit(train, valid)`.
///
/// Numbers are quantised by greedy log-sum borders; a category column of at most `one_hot_size` values becomes yes/no features, others (and
/// columns of several categories) ordered target statistics over several permutations of the rows. A tree's structure comes from a sample of
/// the rows, its leaves are Newton steps over all of them, rounded to a fixed point in which the scores are exact.
/// Rows of weight zero change nothing; weight 2 acts like the row twice. The same data, options and seed give the same model for any number of threads.
/// Cost: O(trees x depth x rows x columns) at most, about a quarter of that by subtraction; memory about 20 bytes a row, 40 for each
/// 12 numbers and up to 6 for each statistic of a category. Source: Prokhorenkova et al. (2018) for statistics and trees, Friedman (2001) for
/// boosting.
class booster {
public:
    /// @throws option_error  for an option outside its range.
    explicit booster(booster_options options = {}) : m_options(std::move(options)) { detail::check(m_options); }

    /// A model of all trees.
    /// @throws data_error  without rows or targets, for targets or weights that are not finite, where the loss refuses the targets (log loss: not
    ///                     0 to 1, or one class alone), for a missing number where that is forbidden.
    /// @throws cancelled   where the progress callback stops before the first tree; later it gives the model of the trees so far.
    [[nodiscard]] booster_model fit(frame const& train) const { return run(train, nullptr, nullptr); }
    /// The best prefix of trees by the validation loss or metric (the first of the best); stops after `early_stopping_rounds` trees without a
    /// better one.
    [[nodiscard]] booster_model fit(frame const& train, frame const& valid) const { return run(train, &valid, nullptr); }
    /// Continues a model on these rows, which may be others than it was trained on: its trees stay, new ones follow. With validation rows the
    /// old trees alone are kept where no new one lowers the loss. The model keeps its start value and fixed point.
    /// @throws data_error  where columns are not those of the model.
    [[nodiscard]] booster_model resume(booster_model const& previous, frame const& train) const { return run(train, nullptr, &previous); }
    [[nodiscard]] booster_model resume(booster_model const& previous, frame const& train, frame const& valid) const {
        return run(train, &valid, &previous);
    }
    booster_options const& options() const& noexcept { return m_options; }
    booster_options const& options() const&& = delete;

private:
    booster_model run(frame const& train, frame const* valid, booster_model const* previous) const {
        return booster_model(detail::booster_fit(m_options, train, valid, previous ? &previous->state() : nullptr).run());
    }
    booster_options m_options;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
