// SPDX-License-Identifier: MIT
// Step 0: the three files.
#pragma once

#include <string>

#include "journal.hpp"
#include "world.hpp"

namespace music {

/// Reads tracks, catalog_names and interactions of a folder, each .csv or .rsc (columns); malformed rows are errors, or counted with --skip-bad-rows.
tables read_tables(journal& log, std::string const& folder);

} // namespace music
