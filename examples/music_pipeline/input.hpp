// SPDX-License-Identifier: MIT
// Step 0: the three CSV files.
#pragma once

#include <string>

#include "journal.hpp"
#include "world.hpp"

namespace music {

/// Reads tracks.csv, catalog_names.csv and interactions.csv of a folder; malformed rows are errors, or counted with --skip-bad-rows.
tables read_tables(journal& log, std::string const& folder);

} // namespace music
