// SPDX-License-Identifier: MIT
// Steps 6 to 8: what the ranker learns from, whom it ranks for, and the ranker.
#pragma once

#include <string>

#include <recsys.hpp>

#include "journal.hpp"
#include "world.hpp"

namespace music {

/// What ALS is fitted with.
struct als_setting {
    double alpha = 1, regularization = 0.05;
};

using windows = recsys::three_windows<recsys::dataset<id, id>>;
using feature_set = recsys::feature_set<id, id>;

/// ALS of what is known at a moment.
recsys::als_model fit_als(journal& log, recsys::csr const& heard, als_setting setting, std::size_t iterations, double tolerance = 0);

/// The features of step 6 as of the end of `known`, whose matrix is `heard`: one recipe for training and serving.
feature_set recipe(world const& all, recsys::dataset<id, id> const& known, recsys::csr const& heard, recsys::als_model const& als,
                   options const& set);

/// Step 6: rows from before T0 labelled by [T0, T2). `suffix` is "" or "_tuned", for files and keys.
recsys::frame training_rows(journal& log, world const& all, windows const& w, als_setting setting, std::string const& suffix);

/// Step 8: the ranker of them, how far it got and what it went by.
recsys::booster_model train_ranker(journal& log, recsys::frame const& rows, std::string const& suffix);

/// Step 7: ALS again, of what is known before T2, and its matrix.
recsys::als_model refit(journal& log, recsys::dataset<id, id> const& known, recsys::csr const& heard, als_setting setting,
                        std::string const& suffix);

/// Ranks the candidates of everybody with an event from T2 on, a block of users at a time. With an empty suffix it also writes
/// candidates_to_rank.csv and recommendations.csv. Each block of ranked lists goes to `sink`.
void rank_everybody(journal& log, world const& all, recsys::truth const& future, feature_set const& serve,
                    recsys::booster_model const& ranker, std::string const& suffix, std::function<void(recsys::lists const&)> const& sink);

} // namespace music
