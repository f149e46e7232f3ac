// SPDX-License-Identifier: MIT
// Steps 4 and 5: what is popular, and what ALS recommends to each user and finds alike, as of T1.
#pragma once

#include "journal.hpp"
#include "ranking.hpp"
#include "world.hpp"

namespace music {

/// Writes top_popular.csv; returns its tracks, most popular first.
std::vector<recsys::item_index> popularity_step(journal& log, world const& all, moments const& when);

/// Fits ALS as of T1; writes personal_als.csv and similar_items.csv, saves the model, shows one user and one track.
void als_step(journal& log, world const& all, moments const& when);

/// The best setting of a grid by NDCG@k on the label window, of ALS fitted before T0.
als_setting tune_als(journal& log, windows const& w);

} // namespace music
