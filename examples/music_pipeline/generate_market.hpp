// SPDX-License-Identifier: MIT
// The market: users come one after the other and choose, by their taste, among the plays that are on offer at the time.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_MARKET_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_MARKET_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include "generate.hpp"
#include "generate_catalog.hpp"

namespace music {

/// The track of each buyer, in their order: all offers are used, and no user gets a track twice.
/// @param buyers  the user of each play, earliest first. @param offers  the track of each play, earliest first; as many as buyers.
std::vector<std::uint32_t> match_plays(generator_options const& options, music_catalog const& catalog,
                                       std::vector<std::uint32_t> const& buyers, std::vector<std::uint32_t> const& offers,
                                       std::size_t n_users);

}

#endif
