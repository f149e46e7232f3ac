// SPDX-License-Identifier: MIT
// What was made, as files.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_FILES_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_FILES_HPP

#include <string>

#include "generate.hpp"
#include "generate_catalog.hpp"
#include "generate_log.hpp"
#include "generate_names.hpp"

namespace music {

/// Three files of one format; files of the other one with these names go, so that the folder has one set.
void write_files(generator_options const& options, music_catalog const& catalog, music_names const& names, music_log const& log,
                 std::string const& folder);

}

#endif
