// SPDX-License-Identifier: MIT
#include "generate_catalog.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include "generate_shapes.hpp"

namespace music {

namespace {

using random_stream = recsys::random_stream;

constexpr std::size_t n_known_genres = 166, n_dangling_genres = 30;

std::uint32_t index32(std::size_t i) { return static_cast<std::uint32_t>(i); }

/// 0 .. n - 1, the smaller the likelier: density ~ x^(1 / skew - 1).
std::size_t skewed(random_stream& random, std::size_t n, double skew) {
    return std::min(n - 1, static_cast<std::size_t>(static_cast<double>(n) * power_of(random.uniform(), skew)));
}

std::vector<std::uint32_t> shuffled(random_stream& random, std::size_t n) {
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0u);
    random.shuffle(order);
    return order;
}

std::size_t share_of(std::size_t n, double share) { return static_cast<std::size_t>(rounded(static_cast<double>(n) * share)); }
std::size_t at_least_one(std::size_t n, double share) { return std::max<std::size_t>(1, share_of(n, share)); }

/// An index with probability in proportion to its weight; negative weights count as zero.
std::size_t draw(random_stream& random, std::vector<double> const& weights) {
    double sum = 0;
    for (double const w : weights) sum += std::max(0.0, w);
    double left = random.uniform() * sum;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        left -= std::max(0.0, weights[i]);
        if (left < 0) return i;
    }
    return weights.size() - 1;
}

std::vector<track_info> make_tracks(generator_options const& options, std::uint64_t pairs, random_stream& random, watch& on) {
    std::size_t const n = options.tracks, never = share_of(n, never_played);
    auto users = users_per_track(options.users, n - never, pairs, on);
    users.resize(n, 0);
    random.shuffle(users);
    double const cap = std::max(1.0, most_users_of_track(options.users));
    std::vector<track_info> tracks(n);
    for (std::size_t t = 0; t < n; ++t) {
        tracks[t].users = users[t];
        // Whoever is to reach many listeners comes out early enough.
        if (random.uniform() < 0.2) tracks[t].release = random.uniform() * (1 - 0.6 * static_cast<double>(users[t]) / cap);
    }
    return tracks;
}

/// Every artist has a track; famous ones have more, and more of the hits.
void give_artists(std::vector<track_info>& tracks, std::size_t n_artists, random_stream& random) {
    std::vector<std::uint32_t> users(tracks.size());
    for (std::size_t t = 0; t < tracks.size(); ++t) users[t] = tracks[t].users;
    auto const tenth = users.begin() + static_cast<std::ptrdiff_t>(users.size() * 9 / 10);
    std::nth_element(users.begin(), tenth, users.end());
    for (std::size_t t = 0; t < tracks.size(); ++t)
        tracks[t].artist = index32(t < n_artists ? t : skewed(random, n_artists, tracks[t].users >= *tenth ? 2.2 : 1.6));
}

/// The table's artists: whose track it is, and guests of the same scene, 1.28 on average.
void give_guests(music_catalog& catalog, random_stream& random) {
    std::vector<std::vector<std::uint32_t>> of_scene(catalog.genre_of_scene.size());
    for (std::size_t a = 0; a < catalog.scene_of_artist.size(); ++a) of_scene[catalog.scene_of_artist[a]].push_back(index32(a));
    for (auto& track : catalog.tracks) {
        track.artists = {track.artist};
        auto const& scene = of_scene[catalog.scene_of_artist[track.artist]];
        double const u = random.uniform();
        for (std::size_t guests = u < 0.025 ? 2 : u < 0.255 ? 1 : 0; guests > 0; --guests) {
            std::uint32_t const guest = scene[skewed(random, scene.size(), 1.5)];
            if (std::find(track.artists.begin(), track.artists.end(), guest) == track.artists.end()) track.artists.push_back(guest);
        }
    }
}

// --- genres ------

/// Shares of all plays by genre: ten known ones, the rest falling with the square of the rank.
std::vector<double> genre_budgets() {
    std::vector<double> budgets(std::begin(genre_plays), std::end(genre_plays));
    for (std::size_t rank = budgets.size() + 1; rank <= n_known_genres; ++rank)
        budgets.push_back(0.0557 * 100 / (static_cast<double>(rank) * static_cast<double>(rank)));
    return budgets;
}

/// Plays of each group of the tracks, as shares of all.
template <class GroupOf> std::vector<double> plays_of(std::vector<track_info> const& tracks, std::size_t n, GroupOf const& group_of) {
    std::vector<double> plays(n);
    double all = 0;
    for (auto const& track : tracks) plays[group_of(track)] += track.users, all += track.users;
    for (double& p : plays) p /= all;
    return plays;
}

std::vector<std::uint32_t> falling(std::vector<double> const& values) {
    std::vector<std::uint32_t> order(values.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return values[a] > values[b]; });
    return order;
}

/// Large scenes choose first, likelier what is still far from its budget; each takes its plays from it.
void give_main_genres(music_catalog& catalog, std::vector<double>& left, random_stream& random) {
    auto const plays =
        plays_of(catalog.tracks, catalog.genre_of_scene.size(), [&](track_info const& t) { return catalog.scene_of_artist[t.artist]; });
    for (std::uint32_t const scene : falling(plays)) {
        std::vector<double> weights;
        for (double const l : left) weights.push_back(l > 0 ? l * l : 0);
        std::size_t const genre = draw(random, weights);
        catalog.genre_of_scene[scene] = index32(genre);
        left[genre] -= plays[scene];
    }
}

/// An artist's genres in order: the scene's, mostly its usual partner, then others.
std::vector<std::vector<std::uint32_t>> genres_of_artists(music_catalog const& catalog, std::vector<double>& left, random_stream& random) {
    auto const budgets = genre_budgets();
    std::vector<std::uint32_t> partner(n_known_genres);
    for (auto& p : partner) p = index32(draw(random, budgets));
    auto const plays = plays_of(catalog.tracks, catalog.scene_of_artist.size(), [](track_info const& t) { return t.artist; });
    std::vector<std::vector<std::uint32_t>> genres(catalog.scene_of_artist.size());
    for (std::uint32_t const artist : falling(plays)) {
        auto& own = genres[artist];
        own.push_back(catalog.genre_of_scene[catalog.scene_of_artist[artist]]);
        std::uint32_t const usual = partner[own[0]];
        bool const take_usual = usual != own[0] && left[usual] > 0 && random.uniform() < 0.75;
        std::size_t second = take_usual ? usual : draw(random, left);
        while (second == own[0]) second = draw(random, budgets);
        own.push_back(index32(second));
        left[second] -= 0.6 * plays[artist];
        while (own.size() < 10) {
            auto const other = index32(draw(random, budgets));
            if (std::find(own.begin(), own.end(), other) == own.end()) own.push_back(other);
        }
    }
    return genres;
}

/// 40% of the tracks have one genre, 57% two, 2% three, the others up to ten.
void give_genres(music_catalog& catalog, random_stream& random) {
    auto left = genre_budgets();
    give_main_genres(catalog, left, random);
    auto const of_artist = genres_of_artists(catalog, left, random);
    std::size_t const n = catalog.tracks.size();
    auto const order = shuffled(random, n);
    for (std::size_t i = 0; i < n; ++i) {
        double const at = (static_cast<double>(i) + 0.5) / static_cast<double>(n);
        std::size_t const size = at < 0.4 ? 1 : at < 0.97 ? 2 : at < 0.99 ? 3 : 4 + skewed(random, 7, 2);
        auto& track = catalog.tracks[order[i]];
        auto const& genres = of_artist[track.artist];
        track.genres.assign(genres.begin(), genres.begin() + static_cast<std::ptrdiff_t>(size));
    }
}

/// Some genres are used and missing from the catalogue. Their tracks have fewer plays than others, as in the real log.
void let_genres_dangle(std::vector<track_info>& tracks, random_stream& random) {
    std::vector<std::uint32_t> rising(tracks.size());
    std::iota(rising.begin(), rising.end(), 0u);
    std::stable_sort(rising.begin(), rising.end(), [&](std::uint32_t a, std::uint32_t b) { return tracks[a].users < tracks[b].users; });
    double all = 0;
    for (auto const& track : tracks) all += track.users;
    double const wanted = all / static_cast<double>(tracks.size()) * dangling_plays / dangling_tracks;
    std::size_t n = 0;
    for (double sum = 0; n < rising.size(); ++n) {
        sum += tracks[rising[n]].users;
        if (sum > wanted * static_cast<double>(n + 1) && n > rising.size() / 2) break;
    }
    rising.resize(n);
    random.shuffle(rising);
    std::size_t const dangling = std::min(at_least_one(tracks.size(), dangling_tracks), n);
    for (std::size_t i = 0; i < dangling; ++i)
        tracks[rising[i]].genres.back() = index32(n_known_genres + (i < n_dangling_genres ? i : skewed(random, n_dangling_genres, 2)));
}

// --- albums, gaps, ids ------

/// Consecutive tracks of an artist share an album; old hits are on many collections besides.
void give_albums(music_catalog& catalog, std::size_t n_albums, random_stream& random) {
    auto& tracks = catalog.tracks;
    std::vector<std::vector<std::uint32_t>> of_artist(catalog.scene_of_artist.size());
    for (std::size_t t = 0; t < tracks.size(); ++t) of_artist[tracks[t].artist].push_back(index32(t));
    std::size_t const n_collections = n_albums / 20, n_own = n_albums - n_collections;
    // Which tracks open an album: the first one of every artist, and as many others as there are albums left.
    std::vector<bool> opens(tracks.size());
    std::size_t open = 0;
    for (auto const& own : of_artist)
        if (!own.empty()) opens[own[0]] = true, ++open;
    for (std::uint32_t const t : shuffled(random, tracks.size()))
        if (open < n_own && !opens[t]) opens[t] = true, ++open;
    std::uint32_t album = index32(n_collections);
    for (auto const& own : of_artist)
        for (std::uint32_t const t : own) {
            if (opens[t]) ++album;
            tracks[t].albums = {album - 1};
        }
    double most = 1;
    for (auto const& track : tracks) most = std::max(most, static_cast<double>(track.users));
    for (auto& track : tracks) {
        if (track.release >= 0 || n_collections == 0) continue;
        for (auto more = rounded(30 * random.uniform() * power_of(track.users / most, 0.7)); more > 0; --more) {
            auto const collection = index32(random.below(n_collections));
            if (std::find(track.albums.begin(), track.albums.end(), collection) == track.albums.end()) track.albums.push_back(collection);
        }
    }
}

void leave_gaps(std::vector<track_info>& tracks, random_stream& random) {
    std::size_t const n = tracks.size();
    auto const clear_some = [&](double share, std::vector<std::uint32_t> track_info::*list) {
        auto const order = shuffled(random, n);
        std::size_t const gaps = at_least_one(n, share);
        for (std::size_t i = 0, done = 0; i < n && done < gaps; ++i) {
            auto& track = tracks[order[i]];
            bool const dangles = std::any_of(track.genres.begin(), track.genres.end(), [](std::uint32_t g) { return g >= n_known_genres; });
            if (!dangles) (track.*list).clear(), ++done;
        }
    };
    clear_some(no_artists, &track_info::artists);
    clear_some(no_genres, &track_info::genres);
    clear_some(no_albums, &track_info::albums);
}

/// Distinct within a type, in no order that would tell anything; some are shared with another type.
void give_ids(generator_options const& options, music_catalog& catalog, std::size_t n_albums, random_stream& random) {
    std::size_t const n_tracks = catalog.tracks.size(), n_artists = catalog.scene_of_artist.size(),
                      n_unknown = std::max({std::size_t{3}, n_tracks / 400, share_of(n_tracks, options.unknown_tracks)});
    std::vector<std::uint32_t> ids(n_tracks + n_albums + n_artists + n_known_genres + n_dangling_genres + n_unknown);
    std::uint32_t last = 0;
    for (auto& id : ids) id = last += index32(1 + random.below(99));
    random.shuffle(ids);
    auto const take = [&](std::size_t n) {
        std::vector<std::uint32_t> out(ids.end() - static_cast<std::ptrdiff_t>(n), ids.end());
        ids.resize(ids.size() - n);
        return out;
    };
    catalog.track_ids = take(n_tracks);
    catalog.album_ids = take(n_albums);
    catalog.artist_ids = take(n_artists);
    catalog.genre_ids = take(n_known_genres + n_dangling_genres);
    catalog.unknown_track_ids = take(n_unknown);
    auto const from = shuffled(random, n_tracks), albums = shuffled(random, n_albums), artists = shuffled(random, n_artists);
    std::size_t const shared = at_least_one(n_tracks, ids_of_several_types);
    for (std::size_t i = 0; i < shared; ++i) {
        if (i % 4 == 3 && i / 4 < n_artists) catalog.artist_ids[artists[i / 4]] = catalog.track_ids[from[i]];
        else catalog.album_ids[albums[i % n_albums]] = catalog.track_ids[from[i]];
    }
}

}

music_catalog make_catalog(generator_options const& options, std::uint64_t pairs, watch& on) {
    auto random = random_for(options.seed, stream::catalog);
    music_catalog catalog;
    catalog.n_known_genres = n_known_genres;
    std::size_t const n = options.tracks, n_artists = at_least_one(n, artists_per_track),
                      n_albums = std::max(n_artists + 1, at_least_one(n, albums_per_track));
    catalog.tracks = make_tracks(options, pairs, random, on);
    give_artists(catalog.tracks, n_artists, random);
    // A larger market has larger scenes, not more of them than genres.
    catalog.genre_of_scene.resize(std::clamp<std::size_t>(n / 100, 6, n_known_genres));
    catalog.scene_of_artist.resize(n_artists);
    for (auto& scene : catalog.scene_of_artist) scene = index32(skewed(random, catalog.genre_of_scene.size(), 1.3));
    give_guests(catalog, random);
    on.check();
    give_genres(catalog, random);
    on.check();
    let_genres_dangle(catalog.tracks, random);
    auto albums = random_for(options.seed, stream::albums), ids = random_for(options.seed, stream::ids);
    give_albums(catalog, n_albums, albums);
    on.check();
    leave_gaps(catalog.tracks, random);
    give_ids(options, catalog, n_albums, ids);
    return catalog;
}

}
