// SPDX-License-Identifier: MIT
// Door of the room features: what is known of a user and a candidate as of a moment, training rows, two stages.
// Depends on core, data, matrix, retrieval.
#if defined(RECSYS_VERSION) && RECSYS_VERSION != 100
#error "recsys: two versions of the library meet in one file; include one of them"
#endif
#ifndef RECSYS_FEATURES_DOOR_HPP
#define RECSYS_FEATURES_DOOR_HPP

#include <recsys/features/activity.hpp>
#include <recsys/features/builder.hpp>
#include <recsys/features/crosses.hpp>
#include <recsys/features/event_index.hpp>
#include <recsys/features/frames.hpp>
#include <recsys/features/negatives.hpp>
#include <recsys/features/sources.hpp>
#include <recsys/features/step.hpp>
#include <recsys/features/tables.hpp>
#include <recsys/features/two_stage.hpp>
#include <recsys/features/window.hpp>

#endif
