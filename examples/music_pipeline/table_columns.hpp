// SPDX-License-Identifier: MIT
// The three tables as column files: the same columns as in the CSV files, `type` as a number (0 track, 1 album, 2 artist, 3 genre).
#pragma once

#include "world.hpp"

namespace music {

inline auto track_columns() {
    return recsys::file_columns<track>()
        .column("track_id", &track::track_id)
        .column("albums", &track::albums)
        .column("artists", &track::artists)
        .column("genres", &track::genres);
}
inline auto name_columns() {
    return recsys::file_columns<name_row>().column("id", &name_row::of).column("type", &name_row::type).column("name", &name_row::name);
}
inline auto play_columns() {
    return recsys::file_columns<play>()
        .column("user_id", &play::user)
        .column("track_id", &play::track)
        .column("track_seq", &play::seq)
        .column("started_at", &play::at);
}

} // namespace music
