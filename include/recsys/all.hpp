// SPDX-License-Identifier: MIT
// Every room, in the order in which data flows through them: the table of contents, and the root that the single header grows from.
#if defined(RECSYS_VERSION) && RECSYS_VERSION != 100
#error "recsys: two versions of the library meet in one file; include one of them"
#endif
#ifndef RECSYS_ALL_HPP
#define RECSYS_ALL_HPP

#include <recsys/core.hpp>      // errors, numbers, randomness, teams of threads, files
#include <recsys/data.hpp>      // the user's rows become datasets, windows and frames
#include <recsys/matrix.hpp>    // users x items
#include <recsys/retrieval.hpp> // scorers, lists, what was seen, recommend
#include <recsys/models.hpp>    // popularity, ALS
#include <recsys/features.hpp>  // what is known of a user and a candidate as of a moment, two stages
#include <recsys/ranker.hpp>    // gradient boosting
#include <recsys/metrics.hpp>   // evaluate
#include <recsys/io.hpp>        // files of several things

#endif
