// SPDX-License-Identifier: MIT
// Door of the room ranker: gradient boosting of rows with numbers and categories. Depends on core and data; no Eigen.
#if defined(RECSYS_VERSION) && RECSYS_VERSION != 100
#error "recsys: two versions of the library meet in one file; include one of them"
#endif
#ifndef RECSYS_RANKER_DOOR_HPP
#define RECSYS_RANKER_DOOR_HPP

#include <recsys/core.hpp>
#include <recsys/data.hpp>

#include <recsys/ranker/binning.hpp>
#include <recsys/ranker/booster.hpp>
#include <recsys/ranker/booster_archive.hpp>
#include <recsys/ranker/booster_fit.hpp>
#include <recsys/ranker/booster_model.hpp>
#include <recsys/ranker/booster_options.hpp>
#include <recsys/ranker/booster_snapshot.hpp>
#include <recsys/ranker/boosting.hpp>
#include <recsys/ranker/cross_validation.hpp>
#include <recsys/ranker/early_stopping.hpp>
#include <recsys/ranker/explain.hpp>
#include <recsys/ranker/feature_plan.hpp>
#include <recsys/ranker/feature_space.hpp>
#include <recsys/ranker/histogram.hpp>
#include <recsys/ranker/importance.hpp>
#include <recsys/ranker/imported_features.hpp>
#include <recsys/ranker/imported_model.hpp>
#include <recsys/ranker/imported_trees.hpp>
#include <recsys/ranker/join_search.hpp>
#include <recsys/ranker/loss.hpp>
#include <recsys/ranker/loss_change.hpp>
#include <recsys/ranker/model_parts.hpp>
#include <recsys/ranker/monotone.hpp>
#include <recsys/ranker/multi_class.hpp>
#include <recsys/ranker/oblivious_tree.hpp>
#include <recsys/ranker/packed_rows.hpp>
#include <recsys/ranker/partial_dependence.hpp>
#include <recsys/ranker/permutation_importance.hpp>
#include <recsys/ranker/predictor.hpp>
#include <recsys/ranker/ranking_loss.hpp>
#include <recsys/ranker/regression_loss.hpp>
#include <recsys/ranker/row_answers.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/row_model.hpp>
#include <recsys/ranker/sampling.hpp>
#include <recsys/ranker/shap_tables.hpp>
#include <recsys/ranker/split_search.hpp>
#include <recsys/ranker/target_statistics.hpp>
#include <recsys/ranker/training_bins.hpp>
#include <recsys/ranker/training_features.hpp>
#include <recsys/ranker/training_rows.hpp>
#include <recsys/ranker/tree_set.hpp>
#include <recsys/ranker/tree_tables.hpp>
#include <recsys/ranker/valid_metric.hpp>
#include <recsys/ranker/valid_rows.hpp>

#endif
