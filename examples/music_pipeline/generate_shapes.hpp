// SPDX-License-Identifier: MIT
// The real distributions: plays per user, plays per track, events per day, and numbers drawn from them.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_SHAPES_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_SHAPES_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include <recsys/core.hpp>

#include "generate_watch.hpp"

namespace music {

/// Of the real log.
inline constexpr double real_plays_per_user = 222'629'898.0 / 1'373'221, real_plays_per_track = 222'629'898.0 / 1'000'000;

/// What each stream of random numbers is for; the second number is a row: a user, a track.
enum class stream : std::uint64_t { sizes, catalog, albums, names, ids, user_times, track_times, tastes, market, repairs };
inline recsys::random_stream random_for(std::uint64_t seed, stream what, std::uint64_t row = 0) {
    return recsys::random_stream(seed, (static_cast<std::uint64_t>(what) << 48) + row);
}

/// The libraries' own logarithm and exponential differ in the last bit, the files must not.
inline double log_of(double x) { return recsys::detail::portable_log(x); }
inline double exp_of(double x) { return recsys::detail::portable_exp(x); }
inline double power_of(double x, double exponent) { return x > 0 ? exp_of(exponent * log_of(x)) : 0; }

/// To the nearest whole count; nothing below 0.
inline std::uint64_t rounded(double x) { return x <= 0 ? 0 : static_cast<std::uint64_t>(x + 0.5); }

/// How many plays each user has, rising; they add up to `events`.
std::vector<std::uint32_t> plays_per_user(std::uint64_t users, std::uint64_t tracks, std::uint64_t events, watch& on);

/// The cap on the users of one track: the real log's largest share of the users, or twice its 99th percentile where few users would leave
/// its shape no room, or a quarter of the users where that is less.
double most_users_of_track(std::uint64_t users);

/// How many users play each track, rising; they add up to `pairs`.
///
/// Real quantiles up to the 75th. Above it the real shape, each track capped by most_users_of_track, smoothly, so that the largest do
/// not all have the same number: what is cut off is passed down by stretching the shape (in logarithms, from the 75th quantile on). Where
/// tracks are fewer or the log is thinner than the real one, the quantiles shrink in proportion, down to tracks that nobody plays; where
/// it is so dense that too many tracks would lie at the cap, they grow.
std::vector<std::uint32_t> users_per_track(std::uint64_t users, std::uint64_t tracks, std::uint64_t pairs, watch& on);

inline constexpr std::size_t n_days = 365;
inline constexpr std::size_t split_day = 349; ///< 16 December

/// How many events lie before each day of the year; entry n_days is all of them. Grows until the end of November, thins out in December.
std::vector<std::uint64_t> events_before_day(std::uint64_t events);

}

#endif
