// SPDX-License-Identifier: MIT
// How near the log that was made comes to the real one.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_CHECK_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_CHECK_HPP

#include <vector>

#include "generate.hpp"
#include "generate_catalog.hpp"
#include "generate_log.hpp"
#include "generate_names.hpp"

namespace music {

std::vector<check_line> check_log(generator_options const& options, music_catalog const& catalog, music_names const& names,
                                  music_log const& log, watch& on);

}

#endif
