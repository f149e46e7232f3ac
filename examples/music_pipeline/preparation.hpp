// SPDX-License-Identifier: MIT
// Steps 1 to 3: cleaning against the catalogue, exploration, encoders and the split by time.
#pragma once

#include <string>

#include "journal.hpp"
#include "world.hpp"

namespace music {

/// Reads the tables of a folder and drops tracks with references that the catalogue lacks, and the interactions of tracks that are not
/// kept; reports what is missing. Encodes the ids (users of all kept events, kept tracks) and saves the encoders. The plays go by once, a
/// block at a time, and are written to events.csv: what stays of each is its row in the data set, 16 bytes.
world prepare(journal& log, std::string const& folder);

/// Histogram, box plot, most played, never played; writes items.csv.
void explore(journal& log, world const& all);

/// T1, T2 and T0 from the options and the latest event. @throws std::runtime_error where they do not fit the data.
moments find_moments(journal& log, world const& all);

/// Reports the split at T1.
void split(journal& log, world const& all, moments const& when);

} // namespace music
