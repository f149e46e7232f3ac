// SPDX-License-Identifier: MIT
#include "generate_check.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generate_shapes.hpp"

namespace music {

namespace {

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
        out.push_back({"plays per track, quantile " + recsys::detail::number_text(q) + (q > 0.75 ? " (capped)" : ""), real * tracks,
                       quantile(by_track, q)});
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
    std::vector<std::string_view> sorted(names.tracks.begin(), names.tracks.end());
    std::sort(sorted.begin(), sorted.end());
    double repeated = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i)
        repeated += (i > 0 && sorted[i] == sorted[i - 1]) || (i + 1 < sorted.size() && sorted[i] == sorted[i + 1]);
    auto track_ids = catalog.track_ids;
    std::sort(track_ids.begin(), track_ids.end());
    double shared = 0;
    for (auto const* const list : {&catalog.album_ids, &catalog.artist_ids})
        for (auto const id : *list) shared += std::binary_search(track_ids.begin(), track_ids.end(), id);
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

void check_repeats(generator_options const& o, music_log const& log, std::size_t n_tracks, watch& on, std::vector<check_line>& out) {
    std::size_t const n_users = log.first_play.size() - 1;
    using counts = std::pair<std::size_t, std::size_t>;
    std::vector<counts> blocks(n_users / 4096 + 1);
    recsys::detail::team(o.threads).blocks(n_users, 4096, [&](std::size_t first, std::size_t last, std::size_t) {
        on.check();
        auto& [repeats, unknown] = blocks[first / 4096];
        std::vector<std::uint32_t> own;
        for (std::size_t u = first; u < last; ++u) {
            own.clear();
            for (auto i = log.first_play[u]; i < log.first_play[u + 1]; ++i)
                if (log.tracks[i] < n_tracks) own.push_back(log.tracks[i]);
                else ++unknown;
            std::sort(own.begin(), own.end());
            repeats += static_cast<std::size_t>(own.end() - std::unique(own.begin(), own.end()));
        }
    });
    std::size_t repeats = 0, unknown = 0;
    for (auto const& [r, u] : blocks) repeats += r, unknown += u;
    auto const n = static_cast<double>(o.events);
    out.push_back({"share of events that repeat a pair", o.repeats, static_cast<double>(repeats) / n});
    out.push_back({"share of events of unknown tracks", o.unknown_tracks, static_cast<double>(unknown) / n});
}

}

std::vector<check_line> check_log(generator_options const& options, music_catalog const& catalog, music_names const& names,
                                  music_log const& log, watch& on) {
    std::vector<check_line> out;
    check_sizes(options, log, catalog, out);
    on.check();
    check_time(log, out);
    check_repeats(options, log, catalog.tracks.size(), on, out);
    on.check();
    check_catalog(catalog, log, names, out);
    return out;
}

}
