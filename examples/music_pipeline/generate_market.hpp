// SPDX-License-Identifier: MIT
// The market: users come one after the other and choose, by their taste, among the plays that are on offer at the time.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_MARKET_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_MARKET_HPP

#include <cstddef>
#include <cstdint>
#include <span>

#include "generate.hpp"
#include "generate_catalog.hpp"
#include "generate_watch.hpp"

namespace music {

/// The track of each buyer, in their order and in place of the offers: all offers are used, and no user gets a track twice.
/// @param buyers  the user of each play, earliest first. @param offers  the track of each play, earliest first; as many as buyers.
/// @param plays   of each user, at most.
void match_plays(generator_options const& options, music_catalog const& catalog, std::span<std::uint32_t const> plays,
                 std::span<std::uint32_t const> buyers, std::span<std::uint32_t> offers, watch& on);

}

#endif
