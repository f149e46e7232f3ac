// SPDX-License-Identifier: MIT
#include "generate_files.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <recsys.hpp>

#include "common/csv.hpp"
#include "generate_shapes.hpp"
#include "table_columns.hpp"

namespace music {

namespace {

using recsys::detail::team;

std::string path_in(std::string const& folder, std::string const& name) { return (std::filesystem::path(folder) / name).string(); }

std::vector<id> ids_of(std::vector<std::uint32_t> const& rows, std::vector<std::uint32_t> const& ids) {
    std::vector<id> out;
    for (auto const row : rows) out.push_back(ids[row]);
    return out;
}

template <class Take> void each_track(music_catalog const& catalog, watch& on, Take const& take) {
    for (std::size_t t = 0; t < catalog.tracks.size(); ++t) {
        if (t % 4096 == 0) on.check();
        auto const& of = catalog.tracks[t];
        take(track{catalog.track_ids[t], ids_of(of.albums, catalog.album_ids), ids_of(of.artists, catalog.artist_ids),
                   ids_of(of.genres, catalog.genre_ids)});
    }
}
template <class Take> void each_name(music_catalog const& catalog, music_names const& names, watch& on, Take const& take) {
    auto const give = [&](entity type, std::vector<std::uint32_t> const& ids, std::vector<std::string> const& of) {
        for (std::size_t i = 0; i < of.size(); ++i) {
            if (i % 4096 == 0) on.check();
            take(name_row{ids[i], type, of[i]});
        }
    };
    give(entity::track, catalog.track_ids, names.tracks);
    give(entity::album, catalog.album_ids, names.albums);
    give(entity::artist, catalog.artist_ids, names.artists);
    give(entity::genre, catalog.genre_ids, names.genres);
}

/// Distinct, in no order that would tell anything.
std::vector<std::uint32_t> user_ids(generator_options const& o) {
    auto random = random_for(o.seed, stream::ids, 1);
    std::vector<std::uint32_t> ids(o.users);
    std::uint32_t last = 0;
    for (auto& id : ids) id = last += static_cast<std::uint32_t>(1 + random.below(3));
    random.shuffle(ids);
    return ids;
}

recsys::time_point moment_of(std::uint16_t day) { return std::chrono::sys_days{std::chrono::year{2022} / 1 / 1} + std::chrono::days{day}; }

/// The log as rows with ids.
class rows_of_log {
public:
    rows_of_log(generator_options const& o, music_catalog const& catalog, music_log const& log)
        : m_catalog(catalog), m_log(log), m_users(user_ids(o)) {}

    std::size_t n_users() const { return m_users.size(); }
    template <class Take> void of_user(std::size_t u, Take const& take) const {
        auto const n = static_cast<std::uint32_t>(m_catalog.tracks.size());
        auto const first = m_log.first_play[u], last = m_log.first_play[u + 1];
        for (auto i = first; i < last; ++i) {
            auto const t = m_log.tracks[i];
            // Their ids lie all over the place.
            if (i + 16 < last && m_log.tracks[i + 16] < n) prefetch(&m_catalog.track_ids[m_log.tracks[i + 16]]);
            take(m_users[u], t < n ? m_catalog.track_ids[t] : m_catalog.unknown_track_ids[t - n], i - first + 1, m_log.days[i]);
        }
    }
    /// The first user behind some `n` plays.
    std::size_t behind(std::size_t user, std::uint64_t n) const {
        auto const at = std::lower_bound(m_log.first_play.begin() + static_cast<std::ptrdiff_t>(user) + 1, m_log.first_play.end() - 1,
                                         m_log.first_play[user] + n);
        return static_cast<std::size_t>(at - m_log.first_play.begin());
    }

private:
    music_catalog const& m_catalog;
    music_log const& m_log;
    std::vector<std::uint32_t> m_users;
};

void write_csv(generator_options const& o, music_catalog const& catalog, music_log const& log, std::string const& folder, watch& on) {
    std::vector<std::string> dates;
    for (std::uint16_t day = 0; day < n_days; ++day) dates.push_back(recsys::detail::time_text(moment_of(day)).substr(0, 10));
    csv::writer out(path_in(folder, "interactions.csv"), {"user_id", "track_id", "track_seq", "started_at"});
    rows_of_log const rows(o, catalog, log);
    team workers(o.threads);
    std::vector<csv::lines> parts(4 * workers.size(), csv::lines(4));
    std::vector<std::size_t> ends(parts.size() + 1);
    while (ends.back() < rows.n_users()) {
        ends.front() = ends.back();
        for (std::size_t p = 0; p < parts.size(); ++p)
            ends[p + 1] = ends[p] < rows.n_users() ? rows.behind(ends[p], std::size_t{1} << 15) : ends[p];
        workers.run(parts.size(), [&](std::size_t p, std::size_t) {
            parts[p].clear();
            for (auto u = ends[p]; u < ends[p + 1]; ++u)
                rows.of_user(u, [&](auto user, auto track, auto seq, auto day) { parts[p].row(user, track, seq, dates[day]); });
        });
        for (auto const& part : parts) out.write(part);
        on.add(log.first_play[ends.back()] - log.first_play[ends.front()]);
    }
    out.close();
}

void write_columns(generator_options const& o, music_catalog const& catalog, music_log const& log, std::string const& folder, watch& on) {
    recsys::column_writer<play> out(path_in(folder, "interactions.rsc"), play_columns(), {.threads = o.threads});
    rows_of_log const rows(o, catalog, log);
    std::vector<recsys::time_point> moments;
    for (std::uint16_t day = 0; day < n_days; ++day) moments.push_back(moment_of(day));
    for (std::size_t u = 0; u < rows.n_users(); ++u) {
        rows.of_user(u, [&](auto user, auto track, auto seq, auto day) {
            out.write(play{user, track, static_cast<std::int32_t>(seq), moments[day]});
        });
        on.add(log.first_play[u + 1] - log.first_play[u]);
    }
    out.close();
}

}

void write_catalog(generator_options const& o, music_catalog const& catalog, music_names const& names, std::string const& folder,
                   watch& on) {
    // One thread: it is at work beside others.
    if (o.columns) {
        recsys::column_writer<track> tracks(path_in(folder, "tracks.rsc"), track_columns(), {.threads = 1});
        each_track(catalog, on, [&](track const& t) { tracks.write(t); });
        tracks.close();
        recsys::column_writer<name_row> things(path_in(folder, "catalog_names.rsc"), name_columns(), {.threads = 1});
        each_name(catalog, names, on, [&](name_row const& n) { things.write(n); });
        return things.close();
    }
    csv::writer tracks(path_in(folder, "tracks.csv"), {"track_id", "albums", "artists", "genres"});
    each_track(catalog, on, [&](track const& t) { tracks.row(t.track_id, t.albums, t.artists, t.genres); });
    tracks.close();
    csv::writer things(path_in(folder, "catalog_names.csv"), {"id", "type", "name"});
    each_name(catalog, names, on, [&](name_row const& n) { things.row(n.of, entity_names[static_cast<std::size_t>(n.type)], n.name); });
    things.close();
}

void write_log(generator_options const& o, music_catalog const& catalog, music_log const& log, std::string const& folder, watch& on) {
    if (o.columns) write_columns(o, catalog, log, folder, on);
    else write_csv(o, catalog, log, folder, on);
    for (char const* const name : {"tracks", "catalog_names", "interactions"})
        std::filesystem::remove(path_in(folder, std::string(name) + (o.columns ? ".csv" : ".rsc")));
}

}
