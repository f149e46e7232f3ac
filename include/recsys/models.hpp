// SPDX-License-Identifier: MIT
// Door of the room models: popularity and implicit ALS, fitted on events or matrices, asked for scores. Depends on core, data, matrix, retrieval.
#if defined(RECSYS_VERSION) && RECSYS_VERSION != 100
#error "recsys: two versions of the library meet in one file; include one of them"
#endif
#ifndef RECSYS_MODELS_DOOR_HPP
#define RECSYS_MODELS_DOOR_HPP

#include <recsys/models/als.hpp>
#include <recsys/models/als_archive.hpp>
#include <recsys/models/als_basis.hpp>
#include <recsys/models/als_biases.hpp>
#include <recsys/models/als_explain.hpp>
#include <recsys/models/als_fit.hpp>
#include <recsys/models/als_fold_in.hpp>
#include <recsys/models/als_half_step.hpp>
#include <recsys/models/als_model.hpp>
#include <recsys/models/als_objective.hpp>
#include <recsys/models/als_options.hpp>
#include <recsys/models/als_parts.hpp>
#include <recsys/models/als_rows.hpp>
#include <recsys/models/als_watch.hpp>
#include <recsys/models/popularity.hpp>

#endif
