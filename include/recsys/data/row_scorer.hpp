// SPDX-License-Identifier: MIT
// The contract of a second stage: a score for each row of a frame.
#ifndef RECSYS_DATA_ROW_SCORER_HPP
#define RECSYS_DATA_ROW_SCORER_HPP

#include <recsys/core/push_macros.hpp>

#include <concepts>
#include <vector>

#include <recsys/data/frame.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Anything that scores rows: `predict(frame const&) const` gives one float a row, in the order of the rows, higher is better.
/// Called from several threads at once. `check(frame const&) const`, if it has one, throws where the columns are not those it needs.
template <class Ranker>
concept row_scorer = requires(Ranker const& ranker, frame const& rows) {
    { ranker.predict(rows) } -> std::convertible_to<std::vector<float>>;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
