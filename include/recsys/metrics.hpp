// SPDX-License-Identifier: MIT
// Door of the room metrics: how good lists are, how sure that is, one evaluator for every row of a table. Depends on core, data, matrix, retrieval.
#if defined(RECSYS_VERSION) && RECSYS_VERSION != 100
#error "recsys: two versions of the library meet in one file; include one of them"
#endif
#ifndef RECSYS_METRICS_DOOR_HPP
#define RECSYS_METRICS_DOOR_HPP

#include <recsys/metrics/beyond_accuracy.hpp>
#include <recsys/metrics/classification.hpp>
#include <recsys/metrics/cold_users.hpp>
#include <recsys/metrics/evaluate.hpp>
#include <recsys/metrics/hits.hpp>
#include <recsys/metrics/intervals.hpp>
#include <recsys/metrics/judge.hpp>
#include <recsys/metrics/metric.hpp>
#include <recsys/metrics/ranking.hpp>
#include <recsys/metrics/source_definitions.hpp>
#include <recsys/metrics/table.hpp>

#endif
