// SPDX-License-Identifier: MIT
#include "generate_log.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "generate_market.hpp"
#include "generate_order.hpp"
#include "generate_shapes.hpp"

namespace music {

namespace {

using random_stream = recsys::random_stream;
using recsys::detail::team;

/// Users who first appear after the split: drawn among those with few plays, so that they have their share of the events.
std::vector<bool> choose_cold(generator_options const& options, std::vector<std::uint32_t> const& plays, std::uint64_t n_test) {
    std::vector<std::uint32_t> rising(plays.size());
    std::iota(rising.begin(), rising.end(), 0u);
    std::stable_sort(rising.begin(), rising.end(), [&](std::uint32_t a, std::uint32_t b) { return plays[a] < plays[b]; });
    auto const n_cold = std::max<std::size_t>(1, static_cast<std::size_t>(rounded(cold_users * static_cast<double>(plays.size()))));
    double const wanted = cold_events * static_cast<double>(n_test) / static_cast<double>(n_cold);
    std::size_t n = 0;
    for (double sum = 0; n < rising.size(); ++n) {
        sum += plays[rising[n]];
        if (n > n_cold && sum > wanted * static_cast<double>(n + 1)) break;
    }
    rising.resize(n);
    auto random = random_for(options.seed, stream::user_times, 0);
    random.shuffle(rising);
    std::vector<bool> cold(plays.size());
    for (std::size_t i = 0; i < std::min(n_cold, n); ++i) cold[rising[i]] = true;
    return cold;
}

/// When a user plays: in sessions of some plays, between his first and his last day as a user.
void add_sessions(random_stream& random, double first, double last, std::span<float> keys) {
    thread_local std::vector<double> sessions;
    sessions.resize(1 + keys.size() / 3);
    for (double& at : sessions) at = first + (last - first) * random.uniform();
    for (float& key : keys) key = static_cast<float>(sessions[static_cast<std::size_t>(random.below(sessions.size()))]);
}

}

numbers order_of_users(generator_options const& options, std::vector<std::uint32_t> const& plays, watch& on) {
    team workers(options.threads);
    on.begin("users", 3 * options.events);
    auto const before = events_before_day(options.events);
    std::uint64_t const n_train = before[split_day];
    auto const cold = choose_cold(options, plays, options.events - n_train);
    key_order order(workers, on, plays);
    order.fill([&](std::uint32_t u) { return !cold[u]; },
               [&](std::uint32_t u, std::span<float> keys) {
                   auto random = random_for(options.seed, stream::user_times, 1 + u);
                   // A third of the users were there before the year; most are still there at its end.
                   double const first = random.uniform() < 0.33 ? 0 : 0.97 * power_of(random.uniform(), 0.6);
                   double const last = random.uniform() < 0.92 ? 1 : first + (1 - first) * (0.1 + 0.9 * random.uniform());
                   add_sessions(random, first, last, keys);
               });
    float const split = n_train < order.filled() ? order.key_at(n_train) : 1.f;
    order.fill([&](std::uint32_t u) { return cold[u]; },
               [&](std::uint32_t u, std::span<float> keys) {
                   auto random = random_for(options.seed, stream::user_times, 1 + u);
                   add_sessions(random, static_cast<double>(split), 1, keys);
                   for (float& key : keys) key = std::max(key, split);
               });
    auto out = order.owners();
    // Equal keys at the split may have let a cold user in before it.
    std::size_t next = n_train;
    for (std::size_t i = 0; i < std::min<std::size_t>(n_train, out.size()); ++i) {
        if (!cold[out[i]]) continue;
        while (next < out.size() && cold[out[next]]) ++next;
        if (next == out.size()) break;
        std::swap(out[i], out[next]);
    }
    return out;
}

namespace {

/// The track of each first play that is on offer, earliest first. Old tracks rise or fade all year, new ones come up and fade.
numbers order_of_tracks(generator_options const& options, music_catalog const& catalog, team& workers, watch& on) {
    std::vector<std::uint32_t> users;
    for (auto const& track : catalog.tracks) users.push_back(track.users);
    key_order order(workers, on, users);
    on.begin("tracks", 3 * order.size());
    order.fill([](std::uint32_t) { return true; },
               [&](std::uint32_t t, std::span<float> keys) {
                   auto random = random_for(options.seed, stream::track_times, t);
                   double const release = catalog.tracks[t].release;
                   double const tilt = 0.9 * random.normal(), fade = 0.1 + 0.6 * random.uniform();
                   double const from = std::max(release, 0.0), whole = 1 - exp_of(-(1 - from) / fade), lean = exp_of(tilt) - 1;
                   for (float& key : keys) {
                       double const u = random.uniform();
                       double at = u;
                       if (release >= 0) at = from - fade * log_of(1 - u * whole);
                       else if (tilt > 0.01 || tilt < -0.01) at = log_of(1 + u * lean) / tilt;
                       key = static_cast<float>(std::clamp(at, 0.0, 1.0));
                   }
               });
    return order.owners();
}

enum class event_kind : std::uint8_t { first_play, repeat, unknown };

/// As random.shuffle(values), which waits for memory with every step: this one asks for it ahead.
void shuffle(random_stream& random, std::span<std::uint32_t> values, watch& on) {
    std::array<std::size_t, 32> others;
    for (std::size_t i = values.size(); i > 1;) {
        std::size_t const n = std::min(others.size(), i - 1);
        for (std::size_t k = 0; k < n; ++k) {
            others[k] = static_cast<std::size_t>(random.below(i - k));
            prefetch(&values[others[k]]);
        }
        for (std::size_t k = 0; k < n; ++k, --i) std::swap(values[i - 1], values[others[k]]);
        if (i % 65536 < others.size()) on.check();
    }
}

/// What each event is. A repeat needs an earlier play of the user: from his third event on. Nobody has more unknown ones than there are
/// unknown ids.
std::vector<event_kind> kinds_of(generator_options const& options, std::span<std::uint32_t const> users, std::size_t n_users,
                                 std::size_t n_unknown_ids, watch& on) {
    std::vector<event_kind> kinds(users.size(), event_kind::first_play);
    std::size_t const n_unknown = count_unknown(options), n_repeats = count_repeats(options);
    if (n_unknown + n_repeats == 0) return kinds;
    std::vector<std::uint32_t> had(n_users);
    numbers room(users.size());
    std::size_t n_able = 0;
    for (std::size_t i = 0; i < users.size(); ++i)
        if (++had[users[i]] > 2) room[n_able++] = static_cast<std::uint32_t>(i);
    auto const able = room.span().first(n_able);
    auto random = random_for(options.seed, stream::repairs, 0);
    shuffle(random, able, on);
    if (able.size() < n_unknown + n_repeats)
        recsys::detail::throw_option("generate: only ", able.size(), " events can repeat or be unknown, ", n_unknown + n_repeats,
                                     " are asked for");
    std::vector<std::uint32_t> unknown_of(n_users);
    std::size_t unknown = 0, repeats = 0;
    for (auto const i : able) {
        if (unknown == n_unknown && repeats == n_repeats) break;
        if (unknown < n_unknown && unknown_of[users[i]] < n_unknown_ids) {
            ++unknown, ++unknown_of[users[i]];
            kinds[i] = event_kind::unknown;
        } else if (repeats < n_repeats) {
            ++repeats;
            kinds[i] = event_kind::repeat;
        }
    }
    if (unknown < n_unknown || repeats < n_repeats)
        recsys::detail::throw_option("generate: ", options.users, " users are too few for ", n_unknown, " events of ", n_unknown_ids,
                                     " unknown tracks");
    return kinds;
}

/// In place of a track, until it is known.
constexpr std::uint32_t to_repeat = ~std::uint32_t{0}, to_be_unknown = to_repeat - 1;

/// Repeats and unknown ones get a track; the first plays have one.
void fill_others(generator_options const& options, music_catalog const& catalog, music_log& log) {
    auto random = random_for(options.seed, stream::repairs, 1);
    std::vector<std::uint32_t> played, unknown;
    for (std::size_t u = 0; u + 1 < log.first_play.size(); ++u) {
        auto const own = log.tracks.span().subspan(log.first_play[u], log.first_play[u + 1] - log.first_play[u]);
        if (std::none_of(own.begin(), own.end(), [](std::uint32_t t) { return t >= to_be_unknown; })) continue;
        played.clear(), unknown.clear();
        for (auto& track : own) {
            if (track == to_be_unknown) {
                auto const n = catalog.unknown_track_ids.size();
                auto id = static_cast<std::uint32_t>(random.below(n));
                while (std::find(unknown.begin(), unknown.end(), id) != unknown.end()) id = static_cast<std::uint32_t>((id + 1) % n);
                unknown.push_back(id);
                track = static_cast<std::uint32_t>(catalog.tracks.size() + id);
            } else if (track == to_repeat && !played.empty())
                track = played[played.size() - 1 -
                               static_cast<std::size_t>(static_cast<double>(played.size()) * power_of(random.uniform(), 2))];
            else played.push_back(track);
        }
    }
}

/// The artefact of the real file: within a user later plays have larger track ids.
void order_by_id(music_catalog const& catalog, music_log& log, team& workers) {
    auto const id_of = [&](std::uint32_t track) {
        auto const n = static_cast<std::uint32_t>(catalog.tracks.size());
        return track < n ? catalog.track_ids[track] : catalog.unknown_track_ids[track - n];
    };
    workers.blocks(log.first_play.size() - 1, 4096, [&](std::size_t first, std::size_t last, std::size_t) {
        for (std::size_t u = first; u < last; ++u)
            std::sort(log.tracks.data() + log.first_play[u], log.tracks.data() + log.first_play[u + 1],
                      [&](std::uint32_t a, std::uint32_t b) { return id_of(a) < id_of(b); });
    });
}

/// From the order of the year to the order of users. Each worker has a part of the year, and for it a place to begin in each user's plays.
void hand_out(generator_options const& options, std::span<std::uint32_t const> users, std::vector<event_kind> const& kinds,
              std::span<std::uint32_t const> chosen, music_log& log, team& workers, watch& on) {
    std::size_t const parts = std::min<std::size_t>(workers.size(), 16), n_users = log.first_play.size() - 1, n = users.size();
    struct part {
        std::size_t first, last, bought;
        std::vector<std::uint32_t> next;
    };
    std::vector<part> all(parts);
    workers.run(parts, [&](std::size_t p, std::size_t) {
        all[p] = {n * p / parts, n * (p + 1) / parts, 0, std::vector<std::uint32_t>(n_users)};
        for (std::size_t i = all[p].first; i < all[p].last; ++i) {
            ++all[p].next[users[i]], all[p].bought += kinds[i] == event_kind::first_play;
            if (i % 65536 == 65535) on.add(65536);
        }
    });
    std::size_t at = 0, bought = 0;
    for (std::size_t u = 0; u < n_users; ++u) {
        log.first_play[u] = at;
        for (auto& p : all) at += std::exchange(p.next[u], static_cast<std::uint32_t>(at));
    }
    log.first_play[n_users] = at;
    for (auto& p : all) bought += std::exchange(p.bought, bought);
    auto const before = events_before_day(options.events);
    workers.run(parts, [&](std::size_t p, std::size_t) {
        auto& [first, last, next_bought, next] = all[p];
        std::uint16_t day = 0;
        for (std::size_t i = first; i < last; ++i) {
            if (i + 16 < last) prefetch(&next[users[i + 16]]);
            if (i % 65536 == 65535) on.add(65536);
            while (i >= before[day + 1u]) ++day;
            auto const to = next[users[i]]++;
            log.days[to] = day;
            log.tracks[to] = kinds[i] == event_kind::first_play ? chosen[next_bought++]
                             : kinds[i] == event_kind::repeat   ? to_repeat
                                                                : to_be_unknown;
        }
    });
}

}

std::uint64_t count_repeats(generator_options const& options) { return rounded(options.repeats * static_cast<double>(options.events)); }
std::uint64_t count_unknown(generator_options const& options) {
    return rounded(options.unknown_tracks * static_cast<double>(options.events));
}

music_log make_log(generator_options const& options, std::vector<std::uint32_t> const& plays, numbers users, music_catalog const& catalog,
                   watch& on) {
    team workers(options.threads);
    auto kinds_known = on.beside([&] { return kinds_of(options, users.span(), plays.size(), catalog.unknown_track_ids.size(), on); });
    auto tracks = order_of_tracks(options, catalog, workers, on);
    auto const kinds = on.wait_for(kinds_known);
    {
        numbers buyers(tracks.size());
        std::size_t n = 0;
        for (std::size_t i = 0; i < users.size(); ++i)
            if (kinds[i] == event_kind::first_play && n++ < buyers.size()) buyers[n - 1] = users[i];
        if (n != tracks.size()) recsys::detail::throw_data("generate: ", n, " plays and ", tracks.size(), " offers");
        on.begin("market", n);
        match_plays(options, catalog, plays, buyers.span(), tracks.span(), on);
    }
    music_log log;
    log.first_play.resize(plays.size() + 1);
    log.tracks = numbers(users.size()), log.days = large_array<std::uint16_t>(users.size());
    on.begin("log", 2 * users.size());
    hand_out(options, users.span(), kinds, tracks.span(), log, workers, on);
    fill_others(options, catalog, log);
    if (options.id_time_order) order_by_id(catalog, log, workers);
    return log;
}

}
