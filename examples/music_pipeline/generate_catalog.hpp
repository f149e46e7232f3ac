// SPDX-License-Identifier: MIT
// Tracks, their artists, albums and genres, and the scenes behind them that tastes are made of.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_CATALOG_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_CATALOG_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include "generate.hpp"
#include "generate_watch.hpp"

namespace music {

struct track_info {
    std::uint32_t users = 0;  ///< how many are to play it
    std::uint32_t artist = 0; ///< whose it is, also where the table does not say so
    double release = -1;      ///< when in the year it came out, as a share of the year's events; negative = before
    /// What the table says: rows of the other tables.
    std::vector<std::uint32_t> albums = {}, artists = {}, genres = {};
};

struct music_catalog {
    std::vector<track_info> tracks;
    /// A scene is a circle of artists who are liked together; it has one main genre. Tables do not know it.
    std::vector<std::uint32_t> scene_of_artist, genre_of_scene;
    std::vector<std::uint32_t> track_ids, album_ids, artist_ids, genre_ids;
    std::vector<std::uint32_t> unknown_track_ids; ///< what some interactions name and no table has
    std::size_t n_known_genres = 0;               ///< the genres after these are missing from the catalogue

    std::uint32_t scene_of(std::uint32_t track) const { return scene_of_artist[tracks[track].artist]; }
};

/// Shares of the real tables, of all tracks.
inline constexpr double albums_per_track = 0.658724, artists_per_track = 0.153581, no_artists = 0.015369, no_genres = 0.003687,
                        no_albums = 0.000018, dangling_tracks = 0.048345, dangling_plays = 0.0334, ids_of_several_types = 0.034644,
                        never_played = 0.001;
/// Plays per genre as shares of all plays: the ten largest of the real ones.
inline constexpr double genre_plays[] = {0.2497, 0.1698, 0.1397, 0.1195, 0.1136, 0.0903, 0.0732, 0.0593, 0.0575, 0.0557};

/// @param pairs  how many (user, track) pairs the log will have.
music_catalog make_catalog(generator_options const& options, std::uint64_t pairs, watch& on);

}

#endif
