// SPDX-License-Identifier: MIT
// Door of the room data: the user's rows become datasets with encoders, windows of time, catalogues and frames. Depends on core.
#if defined(RECSYS_VERSION) && RECSYS_VERSION != 100
#error "recsys: two versions of the library meet in one file; include one of them"
#endif
#ifndef RECSYS_DATA_DOOR_HPP
#define RECSYS_DATA_DOOR_HPP

#include <recsys/data/calendar.hpp>
#include <recsys/data/catalog.hpp>
#include <recsys/data/columns.hpp>
#include <recsys/data/dataset.hpp>
#include <recsys/data/events.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/frame_archive.hpp>
#include <recsys/data/history.hpp>
#include <recsys/data/id_table.hpp>
#include <recsys/data/ids.hpp>
#include <recsys/data/ingest.hpp>
#include <recsys/data/ingest_rows.hpp>
#include <recsys/data/item_set.hpp>
#include <recsys/data/label_encoder.hpp>
#include <recsys/data/row_schema.hpp>
#include <recsys/data/row_scorer.hpp>
#include <recsys/data/row_store.hpp>
#include <recsys/data/scaling.hpp>
#include <recsys/data/split.hpp>
#include <recsys/data/split_groups.hpp>
#include <recsys/data/split_report.hpp>
#include <recsys/data/statistics.hpp>
#include <recsys/data/take_rows.hpp>
#include <recsys/data/truth.hpp>

#endif
