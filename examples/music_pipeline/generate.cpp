// SPDX-License-Identifier: MIT
#include "generate.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/csv.hpp"
#include "generate_catalog.hpp"
#include "generate_log.hpp"
#include "generate_names.hpp"
#include "generate_shapes.hpp"

namespace music {

namespace {

void check(generator_options const& o) {
    using recsys::detail::throw_option;
    if (o.users < 20 || o.users > 50'000'000) throw_option("generate: users must be in [20, 50000000], got ", o.users);
    if (o.tracks < 40 || o.tracks > 20'000'000) throw_option("generate: tracks must be in [40, 20000000], got ", o.tracks);
    if (o.events < 5 * o.users || o.events > 4'000'000'000)
        throw_option("generate: events must be in [5 x users, 4000000000], got ", o.events);
    if (!(o.repeats >= 0 && o.repeats <= 0.9)) throw_option("generate: repeats must be in [0, 0.9], got ", o.repeats);
    if (!(o.unknown_tracks >= 0 && o.unknown_tracks <= 0.1))
        throw_option("generate: unknown_tracks must be in [0, 0.1], got ", o.unknown_tracks);
    double const pairs = static_cast<double>(o.events) * (1 - o.repeats);
    if (pairs > 0.2 * static_cast<double>(o.users) * static_cast<double>(o.tracks))
        throw_option("generate: ", o.events, " events are too many for ", o.users, " users and ", o.tracks,
                     " tracks: at most a fifth of all pairs may occur");
}

std::string path_in(std::string const& folder, char const* name) { return (std::filesystem::path(folder) / name).string(); }

std::vector<std::uint32_t> ids_of(std::vector<std::uint32_t> const& rows, std::vector<std::uint32_t> const& ids) {
    std::vector<std::uint32_t> out;
    for (auto const row : rows) out.push_back(ids[row]);
    return out;
}

void write_catalog(music_catalog const& catalog, music_names const& names, std::string const& folder) {
    csv::writer tracks(path_in(folder, "tracks.csv"), {"track_id", "albums", "artists", "genres"});
    for (std::size_t t = 0; t < catalog.tracks.size(); ++t)
        tracks.row(catalog.track_ids[t], ids_of(catalog.tracks[t].albums, catalog.album_ids),
                   ids_of(catalog.tracks[t].artists, catalog.artist_ids), ids_of(catalog.tracks[t].genres, catalog.genre_ids));
    tracks.close();
    csv::writer things(path_in(folder, "catalog_names.csv"), {"id", "type", "name"});
    auto const write = [&](char const* type, std::vector<std::uint32_t> const& ids, std::vector<std::string> const& of) {
        for (std::size_t i = 0; i < of.size(); ++i) things.row(ids[i], type, of[i]);
    };
    write("track", catalog.track_ids, names.tracks);
    write("album", catalog.album_ids, names.albums);
    write("artist", catalog.artist_ids, names.artists);
    write("genre", catalog.genre_ids, names.genres);
    things.close();
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

std::string date_of(std::uint16_t day) {
    auto const t = recsys::time_point(std::chrono::sys_days{std::chrono::year{2022} / 1 / 1} + std::chrono::days{day});
    return recsys::detail::time_text(t).substr(0, 10);
}

void write_log(generator_options const& o, music_catalog const& catalog, music_log const& log, std::string const& folder) {
    auto const ids = user_ids(o);
    std::vector<std::string> dates;
    for (std::uint16_t day = 0; day < n_days; ++day) dates.push_back(date_of(day));
    csv::writer out(path_in(folder, "interactions.csv"), {"user_id", "track_id", "track_seq", "started_at"});
    auto const n = static_cast<std::uint32_t>(catalog.tracks.size());
    for (std::size_t u = 0; u < ids.size(); ++u)
        for (auto i = log.first_play[u]; i < log.first_play[u + 1]; ++i) {
            auto const track = log.tracks[i];
            out.row(ids[u], track < n ? catalog.track_ids[track] : catalog.unknown_track_ids[track - n], i - log.first_play[u] + 1,
                    dates[log.days[i]]);
        }
    out.close();
}

// --- wanted and got -----------------------------------------------------------------------------

template <class Count> double quantile(std::vector<Count> sorted, double q) {
    std::sort(sorted.begin(), sorted.end());
    return static_cast<double>(sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)]);
}

void check_sizes(generator_options const& o, music_log const& log, music_catalog const& catalog, std::vector<check_line>& out) {
    std::vector<std::uint32_t> by_user, by_track(catalog.tracks.size());
    for (std::size_t u = 0; u + 1 < log.first_play.size(); ++u)
        by_user.push_back(static_cast<std::uint32_t>(log.first_play[u + 1] - log.first_play[u]));
    for (auto const t : log.tracks.span())
        if (t < by_track.size()) ++by_track[t];
    double const users = static_cast<double>(o.events) / static_cast<double>(o.users) / real_plays_per_user;
    double const tracks = static_cast<double>(o.events) / static_cast<double>(o.tracks) / real_plays_per_track;
    out.push_back({"plays per user, mean", 162.1 * users, static_cast<double>(log.tracks.size()) / static_cast<double>(by_user.size())});
    for (auto const& [q, real] : {std::pair(0.25, 23.), {0.5, 55.}, {0.75, 154.}, {0.9, 389.}, {0.99, 1576.}})
        out.push_back({"plays per user, quantile " + recsys::detail::number_text(q), real * users, quantile(by_user, q)});
    out.push_back({"plays per track, mean", 222.6 * tracks, static_cast<double>(log.tracks.size()) / static_cast<double>(by_track.size())});
    for (auto const& [q, real] : {std::pair(0.25, 9.), {0.5, 19.}, {0.75, 67.}, {0.9, 311.}, {0.99, 3961.}})
        out.push_back(
            {"plays per track, quantile " + recsys::detail::number_text(q) + (q > 0.75 ? " (capped at a quarter of the users)" : ""),
             real * tracks, quantile(by_track, q)});
}

void check_time(music_log const& log, std::vector<check_line>& out) {
    std::size_t test = 0, test_users = 0, cold = 0, cold_plays = 0;
    for (std::size_t u = 0; u + 1 < log.first_play.size(); ++u) {
        std::size_t late = 0;
        auto const first = log.first_play[u], last = log.first_play[u + 1];
        for (auto i = first; i < last; ++i) late += log.days[i] >= split_day;
        test += late, test_users += late > 0;
        if (late == last - first && late > 0) ++cold, cold_plays += late;
    }
    auto const share = [](std::size_t a, std::size_t b) { return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b); };
    out.push_back({"share of the events from 16 December on", 13'898'646.0 / 222'629'898, share(test, log.tracks.size())});
    out.push_back({"share of the users active then", 783'525.0 / 1'373'221, share(test_users, log.first_play.size() - 1)});
    out.push_back({"share of these who are new", 30'655.0 / 783'525, share(cold, test_users)});
    out.push_back({"their share of the events then", cold_events, share(cold_plays, test)});
}

void check_catalog(music_catalog const& catalog, music_log const& log, music_names const& names, std::vector<check_line>& out) {
    auto const n = static_cast<double>(catalog.tracks.size());
    double artists = 0, genres = 0, albums = 0, dangling = 0, one = 0, two = 0, links = 0, guests = 0, plays = 0;
    std::vector<double> by_genre(catalog.genre_ids.size());
    std::vector<std::uint64_t> by_track(catalog.tracks.size());
    for (auto const t : log.tracks.span())
        if (t < by_track.size()) ++by_track[t];
    for (std::size_t t = 0; t < by_track.size(); ++t) {
        auto const& track = catalog.tracks[t];
        artists += track.artists.empty(), genres += track.genres.empty(), albums += track.albums.empty();
        one += track.genres.size() == 1, two += track.genres.size() == 2;
        dangling += std::any_of(track.genres.begin(), track.genres.end(), [&](std::uint32_t g) { return g >= catalog.n_known_genres; });
        auto const p = static_cast<double>(by_track[t]);
        plays += p, links += p * static_cast<double>(track.genres.size()), guests += p * static_cast<double>(track.artists.size());
        for (auto const g : track.genres) by_genre[g] += p;
    }
    std::map<std::string, std::size_t> uses;
    for (auto const& name : names.tracks) ++uses[name];
    double repeated = 0;
    for (auto const& [name, k] : uses) repeated += k > 1 ? static_cast<double>(k) : 0;
    std::set<std::uint32_t> const track_ids(catalog.track_ids.begin(), catalog.track_ids.end());
    double shared = 0;
    for (auto const* const list : {&catalog.album_ids, &catalog.artist_ids})
        for (auto const id : *list) shared += track_ids.count(id) > 0;
    out.push_back({"share of tracks without artists", no_artists, artists / n});
    out.push_back({"share of tracks without genres", no_genres, genres / n});
    out.push_back({"tracks without albums (at least 1)", std::max(1.0, no_albums * n), albums});
    out.push_back({"share of tracks with a genre that the catalogue lacks", dangling_tracks, dangling / n});
    out.push_back({"share of tracks with one genre", 0.40, one / n});
    out.push_back({"share of tracks with two genres", 0.57, two / n});
    out.push_back({"genre links per play", 1.69, links / plays});
    out.push_back({"artists per play", 1.28, guests / plays});
    out.push_back({"share of tracks that share their name", shared_names, repeated / n});
    out.push_back({"ids with several types, per track", ids_of_several_types, shared / n});
    std::sort(by_genre.rbegin(), by_genre.rend());
    for (std::size_t g = 0; g < 3; ++g)
        out.push_back({"share of plays of genre " + std::to_string(g + 1), genre_plays[g], by_genre[g] / plays});
}

void check_repeats(generator_options const& o, music_log const& log, std::size_t n_tracks, std::vector<check_line>& out) {
    std::size_t repeats = 0, unknown = 0;
    for (std::size_t u = 0; u + 1 < log.first_play.size(); ++u) {
        std::vector<std::uint32_t> own;
        for (auto i = log.first_play[u]; i < log.first_play[u + 1]; ++i)
            if (log.tracks[i] < n_tracks) own.push_back(log.tracks[i]);
            else ++unknown;
        std::sort(own.begin(), own.end());
        repeats += static_cast<std::size_t>(own.end() - std::unique(own.begin(), own.end()));
    }
    auto const n = static_cast<double>(o.events);
    out.push_back({"share of events that repeat a pair", o.repeats, static_cast<double>(repeats) / n});
    out.push_back({"share of events of unknown tracks", o.unknown_tracks, static_cast<double>(unknown) / n});
}

}

std::vector<check_line> generate(generator_options const& options, std::string const& folder) {
    check(options);
    auto plays = plays_per_user(options.users, options.tracks, options.events);
    auto random = random_for(options.seed, stream::sizes);
    random.shuffle(plays);
    auto const catalog = make_catalog(options, options.events - count_repeats(options) - count_unknown(options));
    auto const names = make_names(catalog, options.seed);
    auto const log = make_log(options, plays, catalog);
    write_catalog(catalog, names, folder);
    write_log(options, catalog, log, folder);
    std::vector<check_line> out;
    check_sizes(options, log, catalog, out);
    check_time(log, out);
    check_repeats(options, log, catalog.tracks.size(), out);
    check_catalog(catalog, log, names, out);
    return out;
}

std::string to_text(std::vector<check_line> const& lines) {
    std::string out;
    char text[160];
    for (auto const& line : lines) {
        std::snprintf(text, sizeof text, "    %-72s %10.4g %10.4g\n", line.what.c_str(), line.wanted, line.got);
        out += text;
    }
    std::snprintf(text, sizeof text, "    %-72s %10s %10s\n", "", "wanted", "got");
    return text + out;
}

}
