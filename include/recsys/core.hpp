// SPDX-License-Identifier: MIT
// Door of the room core: what every other room stands on. Depends on the standard library alone.
#if defined(RECSYS_VERSION) && RECSYS_VERSION != 100
#error "recsys: two versions of the library meet in one file; include one of them"
#endif
#ifndef RECSYS_CORE_DOOR_HPP
#define RECSYS_CORE_DOOR_HPP

#include <recsys/core/archive.hpp>
#include <recsys/core/archive_stream.hpp>
#include <recsys/core/buffer.hpp>
#include <recsys/core/config.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/file.hpp>
#include <recsys/core/hash.hpp>
#include <recsys/core/math.hpp>
#include <recsys/core/measures.hpp>
#include <recsys/core/number.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/core/version.hpp>

#endif
