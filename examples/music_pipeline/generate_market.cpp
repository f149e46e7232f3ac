// SPDX-License-Identifier: MIT
#include "generate_market.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "generate_sets.hpp"
#include "generate_shapes.hpp"

namespace music {

namespace {

constexpr std::uint32_t nobody = ~std::uint32_t{0};

/// What a user likes: some scenes, one of them most, and the artists he came back to last.
struct alignas(64) taste {
    std::array<std::uint16_t, 3> scenes{};
    std::uint8_t next = 0;
    std::array<float, 3> liking{};
    float mainstream = 0;                                                                                 // how little the taste matters
    std::array<std::uint32_t, 8> artists{nobody, nobody, nobody, nobody, nobody, nobody, nobody, nobody}; // a ring
};
static_assert(sizeof(taste) == 64);

/// How much of what a user likes of a scene he likes of all music of its genre. Scenes are no more than genres, so in a larger market they have more
/// tracks, and he cannot know them all: taste becomes one of genres. Without that factors find no taste among a million tracks.
double genre_share_of_taste(music_catalog const& catalog) {
    double const tracks_per_scene = static_cast<double>(catalog.tracks.size()) / static_cast<double>(catalog.genre_of_scene.size());
    return tracks_per_scene <= 100 ? 0.4 : std::min(1.0, 0.4 + log_of(tracks_per_scene / 100) / log_of(1000));
}

/// Scenes are as popular with users as their tracks have plays.
large_array<taste> make_tastes(generator_options const& options, music_catalog const& catalog, std::size_t n_users) {
    std::vector<double> upto(catalog.genre_of_scene.size());
    for (std::uint32_t t = 0; t < catalog.tracks.size(); ++t) upto[catalog.scene_of(t)] += catalog.tracks[t].users;
    double sum = 0;
    for (double& u : upto) u = sum += u;
    large_array<taste> out(n_users, taste{});
    recsys::detail::team(options.threads).blocks(n_users, 4096, [&](std::size_t first, std::size_t last, std::size_t) {
        for (std::size_t u = first; u < last; ++u) {
            auto random = random_for(options.seed, stream::tastes, u);
            for (std::size_t i = 0; i < 3; ++i) {
                out[u].scenes[i] =
                    static_cast<std::uint16_t>(std::lower_bound(upto.begin(), upto.end(), random.uniform() * sum) - upto.begin());
                out[u].liking[i] = static_cast<float>((i == 0 ? 2.5 : i == 1 ? 1.8 : 1.2) * (0.6 + 0.8 * random.uniform()));
            }
            out[u].mainstream = static_cast<float>(random.uniform());
        }
    });
    return out;
}

/// What a buyer sees of a track.
struct offer {
    std::uint32_t track = 0, artist = 0;
    std::uint16_t scene = 0, genre = 0;
};

class market {
public:
    market(generator_options const& options, music_catalog const& catalog, std::span<std::uint32_t const> plays,
           std::span<std::uint32_t const> buyers, std::span<std::uint32_t> offers)
        : m_buyers(buyers),
          m_offers(offers),
          m_tastes(make_tastes(options, catalog, plays.size())),
          m_had(plays),
          m_random(options.seed, static_cast<std::uint64_t>(stream::market) << 48, recsys::detail::team(options.threads).size() > 1),
          m_genre_share(genre_share_of_taste(catalog)),
          m_is_wrong(buyers.size()) {
        // Gumbel noise by its quantiles.
        for (std::size_t i = 0; i < n_noise; ++i) m_noise.push_back(-log_of(-log_of((static_cast<double>(i) + 0.5) / n_noise)));
        for (auto const genre : catalog.genre_of_scene) m_genre_of_scene.push_back(static_cast<std::uint16_t>(genre));
        m_seen = large_array<offer>(catalog.tracks.size());
        for (std::uint32_t t = 0; t < m_seen.size(); ++t) {
            auto const scene = static_cast<std::uint16_t>(catalog.scene_of(t));
            m_seen[t] = {t, catalog.tracks[t].artist, scene, m_genre_of_scene[scene]};
        }
    }

    /// A buyer chooses while some before him have not bought, so that the memory that his choice rests on is there in time. Where one of
    /// them touches what he looked at, he chooses again.
    void run(watch& on) {
        std::size_t const n = m_buyers.size(), shelf = std::min(std::clamp<std::size_t>(n / 400, 64, 8192), n);
        for (std::size_t i = 0; i < shelf; ++i) m_shelf.push_back(m_seen[m_offers[i]]);
        std::array<choice, n_choosing> choices;
        for (std::size_t i = 0; i < n; ++i) {
            fetch_ahead(i, shelf + i);
            std::size_t const j = i + n_choosing - 1;
            if (auto& early = choices[j % n_choosing]; j + shelf <= n) choose(m_buyers[j], n_looked_at * (n_choosing - 1), early);
            auto& mine = choices[i % n_choosing];
            if (!mine.holds) choose(m_buyers[i], 0, mine);
            mine.holds = false;
            m_random.skip(n_looked_at);
            bool alone = true;
            auto const at = confirm(m_buyers[i], mine, alone);
            for (std::size_t k = i + 1; k <= j; ++k) {
                auto& later = choices[k % n_choosing];
                bool touched = !alone || (k < n && m_buyers[k] == m_buyers[i]);
                for (auto const looked : later.at) touched |= looked == at;
                later.holds &= !touched;
            }
            buy(i, at, shelf + i);
            if (i % 65536 == 65535) on.add(65536);
        }
        for (auto const i : m_wrong) on.check(), repair(i);
    }

private:
    static constexpr std::size_t n_looked_at = 20, n_noise = 4096, n_choosing = 4, ahead = 16 + n_choosing;

    /// Places on the shelf that a buyer looks at, what he thinks of each, and the best of them.
    struct choice {
        std::array<std::uint32_t, n_looked_at> at{};
        std::array<double, n_looked_at> value{};
        std::uint32_t best = 0;
        bool holds = false;
    };

    MUSIC_INLINE void fetch_ahead(std::size_t buyer, std::size_t offer) const {
        if (buyer + ahead < m_buyers.size()) {
            prefetch(&m_tastes[m_buyers[buyer + ahead]]);
            m_had.prefetch_user(m_buyers[buyer + ahead]);
        }
        if (offer + ahead < m_offers.size()) prefetch(&m_seen[m_offers[offer + ahead]]);
    }

    static void remember(taste& t, std::uint32_t artist) {
        for (auto const known : t.artists)
            if (known == artist) return;
        t.artists[t.next] = artist;
        t.next = static_cast<std::uint8_t>((t.next + 1) % t.artists.size());
    }

    /// What the user thinks of some offers that he looks at, by a logit of his liking. The bits after the next `later` ones decide. Loops
    /// without jumps: what a buyer likes is as good as random to the processor.
    void choose(std::uint32_t user, std::size_t later, choice& out) {
        auto const& t = m_tastes[user];
        auto const* const bits = m_random.peek(n_choosing * n_looked_at) + later;
        std::uint64_t const size = m_shelf.size();
        std::array<std::uint32_t, n_looked_at> artist;
        std::array<std::uint16_t, n_looked_at> scene, genre, by_scene{}, by_genre{};
        for (std::size_t c = 0; c < n_looked_at; ++c) {
            out.at[c] = static_cast<std::uint32_t>(((bits[c] >> 32) * size) >> 32);
            auto const& seen = m_shelf[out.at[c]];
            artist[c] = seen.artist, scene[c] = seen.scene, genre[c] = seen.genre;
        }
        // Of the eight subsets of his scenes, and of their genres: the most that he likes any of them.
        std::array<double, 8> own{}, near_by{};
        for (std::size_t i = 0; i < 3; ++i) {
            auto const s = t.scenes[i], g = m_genre_of_scene[s], bit = static_cast<std::uint16_t>(1u << i);
            for (std::size_t c = 0; c < n_looked_at; ++c)
                by_scene[c] = static_cast<std::uint16_t>(by_scene[c] | (-static_cast<int>(scene[c] == s) & bit));
            for (std::size_t c = 0; c < n_looked_at; ++c)
                by_genre[c] = static_cast<std::uint16_t>(by_genre[c] | (-static_cast<int>(genre[c] == g) & bit));
            double const liking = static_cast<double>(t.liking[i]);
            for (std::size_t set = 0; set < bit; ++set) {
                own[bit + set] = std::max(own[set], liking);
                near_by[bit + set] = std::max(near_by[set], m_genre_share * liking);
            }
        }
        std::array<std::uint32_t, n_looked_at> known{};
        for (auto const friendly : t.artists)
            for (std::size_t c = 0; c < n_looked_at; ++c) known[c] |= artist[c] == friendly ? 1u : 0u;
        static constexpr double bonus[2] = {0, 1.2};
        double const open = 1 - 0.6 * static_cast<double>(t.mainstream);
        for (std::size_t c = 0; c < n_looked_at; ++c)
            out.value[c] = (std::max(own[by_scene[c]], near_by[by_genre[c]]) + bonus[known[c]]) * open + m_noise[bits[c] % n_noise];
        find_best(out);
        out.holds = true;
        m_had.prefetch_track(user, m_shelf[out.best].track);
    }

    /// The largest value; of equal ones the largest place.
    static void find_best(choice& of) {
        double most = of.value[0];
        for (auto const value : of.value) most = value > most ? value : most;
        of.best = 0;
        for (std::size_t c = 0; c < n_looked_at; ++c) of.best = std::max(of.best, of.value[c] == most ? of.at[c] : 0);
    }

    /// The best place whose track is new to the user; `alone` becomes false where that took more random bits.
    std::uint32_t confirm(std::uint32_t user, choice& by, bool& alone) {
        for (std::size_t tries = 0; tries < n_looked_at; ++tries) {
            if (!m_had.contains(user, m_shelf[by.best].track)) return by.best;
            for (std::size_t c = 0; c < n_looked_at; ++c) by.value[c] = by.at[c] == by.best ? -1e300 : by.value[c];
            find_best(by);
        }
        for (std::uint32_t at = 0; at < m_shelf.size(); ++at)
            if (!m_had.contains(user, m_shelf[at].track)) return at;
        alone = false;
        return static_cast<std::uint32_t>(m_random.below(m_shelf.size()));
    }

    void buy(std::size_t i, std::uint32_t at, std::size_t next) {
        auto const user = m_buyers[i];
        auto const [track, artist, scene, genre] = m_shelf[at];
        m_offers[i] = track;
        if (next < m_offers.size()) m_shelf[at] = m_seen[m_offers[next]];
        else m_shelf[at] = m_shelf.back(), m_shelf.pop_back();
        m_is_wrong[i] = m_had.contains(user, track);
        if (m_is_wrong[i]) m_wrong.push_back(i);
        else m_had.insert(user, track), remember(m_tastes[user], artist);
    }

    /// Exchanges the track of a play whose user has had it with that of another play, both then being new to their users.
    void repair(std::size_t i) {
        for (std::size_t tries = 0; tries < 100000; ++tries) {
            // Near in time first, then anywhere.
            std::size_t const reach = std::min(m_buyers.size(), 2000 + tries * 4), low = i > reach ? i - reach : 0;
            auto const j = low + static_cast<std::size_t>(m_random.below(std::min(m_buyers.size(), i + reach) - low));
            auto const a = m_buyers[i], b = m_buyers[j], x = m_offers[i], y = m_offers[j];
            if (m_is_wrong[j] || a == b || x == y || m_had.contains(a, y) || m_had.contains(b, x)) continue;
            m_had.erase(b, y), m_had.insert(b, x), m_had.insert(a, y);
            std::swap(m_offers[i], m_offers[j]);
            m_is_wrong[i] = false;
            return;
        }
        recsys::detail::throw_option(
            "generate: users and tracks are too few for so many events without repeats; ask for fewer events or more tracks");
    }

    std::span<std::uint32_t const> m_buyers;
    std::span<std::uint32_t> m_offers; // those that are gone give their places to what was chosen
    large_array<taste> m_tastes;
    track_sets m_had;
    bits_ahead m_random;
    std::vector<double> m_noise;
    std::vector<std::uint16_t> m_genre_of_scene;
    large_array<offer> m_seen;
    std::vector<offer> m_shelf;
    double m_genre_share;
    std::vector<std::size_t> m_wrong; // plays whose user has had their track
    std::vector<bool> m_is_wrong;
};

}

void match_plays(generator_options const& options, music_catalog const& catalog, std::span<std::uint32_t const> plays,
                 std::span<std::uint32_t const> buyers, std::span<std::uint32_t> offers, watch& on) {
    if (buyers.size() != offers.size()) recsys::detail::throw_data("generate: ", buyers.size(), " plays and ", offers.size(), " offers");
    market(options, catalog, plays, buyers, offers).run(on);
}

}
