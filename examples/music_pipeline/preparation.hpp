// SPDX-License-Identifier: MIT
// Steps 1 to 3: cleaning against the catalogue, exploration, encoders and the split by time.
#pragma once

#include "journal.hpp"
#include "world.hpp"

namespace music {

/// Drops tracks with references that the catalogue lacks, and the interactions of tracks that are not kept; reports what is missing.
void clean(journal& log, tables& all, name_book const& book);

/// Encodes the ids: users of all kept events, kept tracks. Saves the encoders.
world encode(journal& log, tables&& all, name_book book);

/// Histogram, box plot, most played, never played; writes items.csv.
void explore(journal& log, world const& all);

/// T1, T2 and T0 from the options and the latest event. @throws std::runtime_error where they do not fit the data.
moments find_moments(journal& log, world const& all);

/// Reports the split at T1; writes events.csv from the rows that were kept.
void split(journal& log, world const& all, std::vector<play> const& plays, moments const& when);

} // namespace music
