// SPDX-License-Identifier: MIT
// Door of the room io: values to files and back. Depends on every other room; only the door of the whole library includes it.
#if defined(RECSYS_VERSION) && RECSYS_VERSION != 100
#error "recsys: two versions of the library meet in one file; include one of them"
#endif
#ifndef RECSYS_IO_DOOR_HPP
#define RECSYS_IO_DOOR_HPP

#include <recsys/io/booster_json.hpp>
#include <recsys/io/catboost_json.hpp>
#include <recsys/io/city_hash.hpp>
#include <recsys/io/column_chunk.hpp>
#include <recsys/io/column_file.hpp>
#include <recsys/io/column_values.hpp>
#include <recsys/io/export_cpp.hpp>
#include <recsys/io/json.hpp>
#include <recsys/io/lightgbm_text.hpp>
#include <recsys/io/model_file.hpp>

#endif
