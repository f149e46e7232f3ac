// SPDX-License-Identifier: MIT
// Who plays what when: users' and tracks' lives in time, and a market in which their plays meet.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_LOG_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_LOG_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include "generate.hpp"
#include "generate_catalog.hpp"
#include "generate_memory.hpp"
#include "generate_watch.hpp"

namespace music {

/// The plays of all users, user by user, each one's in the order of time.
struct music_log {
    std::vector<std::uint64_t> first_play; ///< of each user; one more entry than users
    numbers tracks;                        ///< row of the catalogue; from its size on, row of the unknown ids
    large_array<std::uint16_t> days;       ///< of 2022, from 0
};

/// Of the real users: those who first appear after the split, and their share of the events after it.
inline constexpr double cold_users = 30'655.0 / 1'373'221, cold_events = 0.082;

/// How many events repeat an earlier (user, track) pair, and how many are of unknown tracks; the others are first plays of known ones.
std::uint64_t count_repeats(generator_options const& options);
std::uint64_t count_unknown(generator_options const& options);

/// The user of each event of the year, first event first; the users have so many plays each.
numbers order_of_users(generator_options const& options, std::vector<std::uint32_t> const& plays, watch& on);

/// The log of users in this order. @param catalog  made for the number of first plays.
music_log make_log(generator_options const& options, std::vector<std::uint32_t> const& plays, numbers users, music_catalog const& catalog,
                   watch& on);

}

#endif
