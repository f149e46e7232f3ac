// SPDX-License-Identifier: MIT
// Names in every script: repeated ones, ones of one character, and ones that a CSV file must quote.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_NAMES_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_NAMES_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "generate_catalog.hpp"

namespace music {

/// Of the real tracks: the share that has its name with another track in common.
inline constexpr double shared_names = 0.469276;

struct music_names {
    std::vector<std::string> tracks, albums, artists, genres;
};

/// The number-th name; different numbers have different names.
std::string name_of(std::uint64_t number);

music_names make_names(music_catalog const& catalog, std::uint64_t seed, watch& on);

}

#endif
