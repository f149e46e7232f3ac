// SPDX-License-Identifier: MIT
#include "generate_log.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "generate_market.hpp"
#include "generate_shapes.hpp"

namespace music {

namespace {

using random_stream = recsys::random_stream;

/// The owners of keys, smallest key first. Keys are numbers in [0, 1].
std::vector<std::uint32_t> owners_in_order(std::vector<std::pair<float, std::uint32_t>>& keys) {
    std::sort(keys.begin(), keys.end());
    std::vector<std::uint32_t> out;
    out.reserve(keys.size());
    for (auto const& [key, owner] : keys) out.push_back(owner);
    return out;
}

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
void add_sessions(random_stream& random, std::uint32_t user, std::uint32_t plays, double first, double last,
                  std::vector<std::pair<float, std::uint32_t>>& keys) {
    std::vector<double> sessions(1 + plays / 3);
    for (double& at : sessions) at = first + (last - first) * random.uniform();
    for (std::uint32_t i = 0; i < plays; ++i)
        keys.emplace_back(static_cast<float>(sessions[static_cast<std::size_t>(random.below(sessions.size()))]), user);
}

/// The user of each event of the year, first event first.
std::vector<std::uint32_t> order_of_users(generator_options const& options, std::vector<std::uint32_t> const& plays) {
    auto const before = events_before_day(options.events);
    std::uint64_t const n_train = before[split_day];
    auto const cold = choose_cold(options, plays, options.events - n_train);
    std::vector<std::pair<float, std::uint32_t>> keys, late;
    keys.reserve(options.events);
    for (std::uint32_t u = 0; u < plays.size(); ++u) {
        if (cold[u]) continue;
        auto random = random_for(options.seed, stream::user_times, 1 + u);
        // A third of the users were there before the year; most are still there at its end.
        double const first = random.uniform() < 0.33 ? 0 : 0.97 * power_of(random.uniform(), 0.6);
        double const last = random.uniform() < 0.92 ? 1 : first + (1 - first) * (0.1 + 0.9 * random.uniform());
        add_sessions(random, u, plays[u], first, last, keys);
    }
    std::sort(keys.begin(), keys.end());
    float const split = n_train < keys.size() ? keys[n_train].first : 1.f;
    for (std::uint32_t u = 0; u < plays.size(); ++u) {
        if (!cold[u]) continue;
        auto random = random_for(options.seed, stream::user_times, 1 + u);
        add_sessions(random, u, plays[u], static_cast<double>(split), 1, late);
    }
    for (auto& [key, user] : late) keys.emplace_back(std::max(key, split), user);
    auto out = owners_in_order(keys);
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

/// The track of each first play that is on offer, earliest first. Old tracks rise or fade all year, new ones come up and fade.
std::vector<std::uint32_t> order_of_tracks(generator_options const& options, music_catalog const& catalog) {
    std::vector<std::pair<float, std::uint32_t>> keys;
    for (std::uint32_t t = 0; t < catalog.tracks.size(); ++t) {
        auto random = random_for(options.seed, stream::track_times, t);
        auto const& track = catalog.tracks[t];
        double const tilt = 0.9 * random.normal(), fade = 0.1 + 0.6 * random.uniform();
        double const from = std::max(track.release, 0.0), whole = 1 - exp_of(-(1 - from) / fade);
        for (std::uint32_t i = 0; i < track.users; ++i) {
            double const u = random.uniform();
            double at = u;
            if (track.release >= 0) at = from - fade * log_of(1 - u * whole);
            else if (tilt > 0.01 || tilt < -0.01) at = log_of(1 + u * (exp_of(tilt) - 1)) / tilt;
            keys.emplace_back(static_cast<float>(std::clamp(at, 0.0, 1.0)), t);
        }
    }
    return owners_in_order(keys);
}

enum class event_kind : std::uint8_t { first_play, repeat, unknown };

/// What each event is. A repeat needs an earlier play of the user: from his third event on. Nobody has more unknown ones than there are
/// unknown ids.
std::vector<event_kind> kinds_of(generator_options const& options, std::vector<std::uint32_t> const& users, std::size_t n_users,
                                 std::size_t n_unknown_ids) {
    std::vector<event_kind> kinds(users.size(), event_kind::first_play);
    std::vector<std::uint32_t> had(n_users);
    std::vector<std::uint32_t> able;
    for (std::size_t i = 0; i < users.size(); ++i)
        if (++had[users[i]] > 2) able.push_back(static_cast<std::uint32_t>(i));
    auto random = random_for(options.seed, stream::repairs, 0);
    random.shuffle(able);
    std::size_t const n_unknown = count_unknown(options), n_repeats = count_repeats(options);
    if (able.size() < n_unknown + n_repeats)
        recsys::detail::throw_option("generate: only ", able.size(), " events can repeat or be unknown, ", n_unknown + n_repeats,
                                     " are asked for");
    std::vector<std::uint32_t> unknown_of(n_users);
    std::size_t unknown = 0, repeats = 0;
    for (auto const i : able) {
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

/// Repeats and unknown ones get a track; the first plays have one.
void fill_others(generator_options const& options, music_catalog const& catalog, std::vector<event_kind> const& kinds, music_log& log) {
    auto random = random_for(options.seed, stream::repairs, 1);
    for (std::size_t u = 0; u + 1 < log.first_play.size(); ++u) {
        std::vector<std::uint32_t> played, unknown;
        for (auto i = log.first_play[u]; i < log.first_play[u + 1]; ++i) {
            if (kinds[i] == event_kind::unknown) {
                auto const n = catalog.unknown_track_ids.size();
                auto id = static_cast<std::uint32_t>(random.below(n));
                while (std::find(unknown.begin(), unknown.end(), id) != unknown.end()) id = static_cast<std::uint32_t>((id + 1) % n);
                unknown.push_back(id);
                log.tracks[i] = static_cast<std::uint32_t>(catalog.tracks.size() + id);
            } else if (kinds[i] == event_kind::repeat && !played.empty())
                log.tracks[i] = played[played.size() - 1 -
                                       static_cast<std::size_t>(static_cast<double>(played.size()) * power_of(random.uniform(), 2))];
            else played.push_back(log.tracks[i]);
        }
    }
}

/// The artefact of the real file: within a user later plays have larger track ids.
void order_by_id(music_catalog const& catalog, music_log& log) {
    auto const id_of = [&](std::uint32_t track) {
        auto const n = static_cast<std::uint32_t>(catalog.tracks.size());
        return track < n ? catalog.track_ids[track] : catalog.unknown_track_ids[track - n];
    };
    for (std::size_t u = 0; u + 1 < log.first_play.size(); ++u)
        std::sort(log.tracks.begin() + static_cast<std::ptrdiff_t>(log.first_play[u]),
                  log.tracks.begin() + static_cast<std::ptrdiff_t>(log.first_play[u + 1]),
                  [&](std::uint32_t a, std::uint32_t b) { return id_of(a) < id_of(b); });
}

}

std::uint64_t count_repeats(generator_options const& options) { return rounded(options.repeats * static_cast<double>(options.events)); }
std::uint64_t count_unknown(generator_options const& options) {
    return rounded(options.unknown_tracks * static_cast<double>(options.events));
}

music_log make_log(generator_options const& options, std::vector<std::uint32_t> const& plays, music_catalog const& catalog) {
    auto const users = order_of_users(options, plays);
    auto const kinds = kinds_of(options, users, plays.size(), catalog.unknown_track_ids.size());
    std::vector<std::uint32_t> buyers;
    for (std::size_t i = 0; i < users.size(); ++i)
        if (kinds[i] == event_kind::first_play) buyers.push_back(users[i]);
    auto const chosen = match_plays(options, catalog, buyers, order_of_tracks(options, catalog), plays.size());

    // From the order of the year to the order of users.
    music_log log;
    log.first_play.assign(plays.size() + 1, 0);
    for (auto const user : users) ++log.first_play[user + 1];
    std::partial_sum(log.first_play.begin(), log.first_play.end(), log.first_play.begin());
    log.tracks.resize(users.size()), log.days.resize(users.size());
    std::vector<event_kind> kinds_by_user(users.size());
    auto next = log.first_play;
    auto const before = events_before_day(options.events);
    std::uint16_t day = 0;
    std::size_t bought = 0;
    for (std::size_t i = 0; i < users.size(); ++i) {
        while (i >= before[day + 1u]) ++day;
        auto const at = next[users[i]]++;
        log.days[at] = day, kinds_by_user[at] = kinds[i];
        if (kinds[i] == event_kind::first_play) log.tracks[at] = chosen[bought++];
    }
    fill_others(options, catalog, kinds_by_user, log);
    if (options.id_time_order) order_by_id(catalog, log);
    return log;
}

}
