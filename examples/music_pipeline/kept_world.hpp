// SPDX-License-Identifier: MIT
// The world and the rows of the table in files, for a run that goes on where another one ended.
#pragma once

#include <functional>
#include <string>

#include "journal.hpp"
#include "judging.hpp"
#include "world.hpp"

namespace music {

/// Writes steps/events.rsm, steps/tracks.rsc and steps/names.rsc.
void save_world(journal& log, world const& all);
/// @throws recsys::format_error where a file is not what was written.
world load_world(journal& log);

using list_sink = std::function<void(recsys::lists const&)>;

/// A row of the table as a step: its lists, cut to those that are judged, are kept in steps/row_NAME.rsm.
void row_step(journal& log, judging& judge, std::string const& name, step_plan const& plan,
              std::function<void(list_sink const&)> const& make);

} // namespace music
