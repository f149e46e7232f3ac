// SPDX-License-Identifier: MIT
// The three tables of the input, and what the later steps need of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <recsys.hpp>

namespace music {

using id = std::int64_t;

enum class entity : std::uint8_t { track, album, artist, genre };
inline constexpr char const* entity_names[] = {"track", "album", "artist", "genre"};

struct track {
    id track_id = 0;
    std::vector<id> albums, artists, genres;
};
struct name_row {
    id of = 0;
    entity type = entity::track;
    std::string name;
};
struct play {
    id user = 0, track = 0;
    std::int32_t seq = 0;
    recsys::time_point at{};
};

/// The tables that fit into memory as rows; the plays come block by block (play_source.hpp).
struct tables {
    std::vector<track> tracks;
    std::vector<name_row> names;
};

/// Names by (type, id): ids of different types overlap.
class name_book {
public:
    using catalog = recsys::catalog<entity, id>;
    name_book() = default;
    explicit name_book(std::vector<name_row> rows);
    catalog const& things() const { return m_things; }
    std::vector<name_row> const& rows() const { return m_rows; }
    /// The name, or `Unknown`.
    std::string const& name(entity type, id of) const;
    /// The names of a list joined by ", ".
    std::string names(entity type, std::vector<id> const& list) const;

private:
    std::vector<name_row> m_rows;
    catalog m_things;
};

/// What is left after cleaning, with the ids encoded.
struct world {
    std::vector<track> tracks; ///< sorted by id, so that a track's place is its index
    name_book book;
    recsys::dataset<id, id> data;

    track const& at(id track_id) const;
    track const& at(recsys::item_index item) const { return tracks[recsys::to_size(item)]; }
    /// The track's genre names as one value.
    std::string genre_names(id track_id) const { return book.names(entity::genre, at(track_id).genres); }
};

/// The moments of the specification.
struct moments {
    recsys::time_point t1, t2, t0;
};

} // namespace music
