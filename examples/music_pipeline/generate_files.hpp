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

/// Two files of three, of one format.
void write_catalog(generator_options const& options, music_catalog const& catalog, music_names const& names, std::string const& folder,
                   watch& on);
/// The third one; files of the other format with these names go, so that the folder has one set. `on` is told each event.
void write_log(generator_options const& options, music_catalog const& catalog, music_log const& log, std::string const& folder, watch& on);

}

#endif
