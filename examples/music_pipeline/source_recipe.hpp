// SPDX-License-Identifier: MIT
// The recipe of the notebook that the pipeline stands for, as it is, to print beside ours.
#pragma once

#include "journal.hpp"
#include "world.hpp"

namespace music {

/// Writes metrics.source.* of result.json and a table of the report; nothing else changes.
void source_recipe(journal& log, world const& all, moments const& when);

} // namespace music
