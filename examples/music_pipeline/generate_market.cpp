// SPDX-License-Identifier: MIT
#include "generate_market.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "generate_shapes.hpp"

namespace music {

namespace {

using random_stream = recsys::random_stream;

/// A set of (user, track) pairs. Open addressing.
class pair_set {
public:
    explicit pair_set(std::size_t n) {
        std::size_t size = 16;
        while (size < 2 * n) size *= 2;
        m_slots.resize(size);
    }
    bool contains(std::uint32_t user, std::uint32_t track) const { return m_slots[place(key(user, track))] != 0; }
    void insert(std::uint32_t user, std::uint32_t track) {
        auto const k = key(user, track);
        m_slots[place(k)] = k;
    }
    /// Moves what stood behind it forward, so that look-ups find it.
    void erase(std::uint32_t user, std::uint32_t track) {
        std::size_t const mask = m_slots.size() - 1;
        std::size_t hole = place(key(user, track));
        for (std::size_t next = (hole + 1) & mask; m_slots[next] != 0; next = (next + 1) & mask) {
            std::size_t const home = home_of(m_slots[next]);
            if (((next - home) & mask) < ((next - hole) & mask)) continue;
            m_slots[hole] = m_slots[next];
            hole = next;
        }
        m_slots[hole] = 0;
    }

private:
    static std::uint64_t key(std::uint32_t user, std::uint32_t track) { return ((std::uint64_t{user} << 32) | track) + 1; }
    std::size_t home_of(std::uint64_t k) const { return static_cast<std::size_t>(recsys::detail::mix_bits(k)) & (m_slots.size() - 1); }
    std::size_t place(std::uint64_t k) const {
        std::size_t at = home_of(k);
        while (m_slots[at] != 0 && m_slots[at] != k) at = (at + 1) & (m_slots.size() - 1);
        return at;
    }
    std::vector<std::uint64_t> m_slots;
};

/// What a user likes: some scenes, one of them most, and the artists he came back to last.
struct taste {
    std::array<std::uint32_t, 3> scenes{};
    std::array<float, 3> liking{};
    std::array<std::uint32_t, 8> artists{}; // a ring
    std::uint8_t next = 0, known = 0;
    float mainstream = 0; // how little the taste matters
};

/// Scenes are as popular with users as their tracks have plays.
std::vector<taste> make_tastes(generator_options const& options, music_catalog const& catalog, std::size_t n_users) {
    std::vector<double> upto(catalog.genre_of_scene.size());
    for (std::uint32_t t = 0; t < catalog.tracks.size(); ++t) upto[catalog.scene_of(t)] += catalog.tracks[t].users;
    double sum = 0;
    for (double& u : upto) u = sum += u;
    std::vector<taste> out(n_users);
    for (std::uint32_t u = 0; u < n_users; ++u) {
        auto random = random_for(options.seed, stream::tastes, u);
        for (std::size_t i = 0; i < 3; ++i) {
            out[u].scenes[i] =
                static_cast<std::uint32_t>(std::lower_bound(upto.begin(), upto.end(), random.uniform() * sum) - upto.begin());
            out[u].liking[i] = static_cast<float>((i == 0 ? 2.5 : i == 1 ? 1.8 : 1.2) * (0.6 + 0.8 * random.uniform()));
        }
        out[u].mainstream = static_cast<float>(random.uniform());
    }
    return out;
}

class market {
public:
    market(generator_options const& options, music_catalog const& catalog, std::vector<std::uint32_t> const& buyers,
           std::vector<std::uint32_t> const& offers, std::size_t n_users)
        : m_catalog(catalog),
          m_buyers(buyers),
          m_offers(offers),
          m_tastes(make_tastes(options, catalog, n_users)),
          m_had(buyers.size()),
          m_random(random_for(options.seed, stream::market)) {
        // Gumbel noise by its quantiles.
        for (std::size_t i = 0; i < 4096; ++i) m_noise.push_back(-log_of(-log_of((static_cast<double>(i) + 0.5) / 4096)));
    }

    std::vector<std::uint32_t> run() {
        std::size_t const shelf = std::clamp<std::size_t>(m_offers.size() / 400, 64, 8192);
        m_shelf.assign(m_offers.begin(), m_offers.begin() + static_cast<std::ptrdiff_t>(std::min(shelf, m_offers.size())));
        std::size_t next = m_shelf.size();
        for (std::size_t i = 0; i < m_buyers.size(); ++i) {
            auto const at = choose(m_buyers[i]);
            auto const track = m_shelf[at];
            m_chosen.push_back(track);
            if (next < m_offers.size()) m_shelf[at] = m_offers[next++];
            else m_shelf[at] = m_shelf.back(), m_shelf.pop_back();
            m_is_wrong.push_back(m_had.contains(m_buyers[i], track));
            if (m_is_wrong.back()) m_wrong.push_back(i);
            else m_had.insert(m_buyers[i], track), remember(m_tastes[m_buyers[i]], m_catalog.tracks[track].artist);
        }
        for (auto const i : m_wrong) repair(i);
        return std::move(m_chosen);
    }

private:
    static constexpr std::size_t n_looked_at = 20;

    static void remember(taste& t, std::uint32_t artist) {
        for (std::size_t i = 0; i < t.known; ++i)
            if (t.artists[i] == artist) return;
        t.artists[t.next] = artist;
        t.next = static_cast<std::uint8_t>((t.next + 1) % t.artists.size());
        t.known = static_cast<std::uint8_t>(std::min<std::size_t>(t.known + 1u, t.artists.size()));
    }

    double liking(taste const& t, std::uint32_t track) const {
        auto const scene = m_catalog.scene_of(track);
        double out = 0;
        for (std::size_t i = 0; i < t.scenes.size(); ++i) {
            if (t.scenes[i] == scene) out = std::max(out, static_cast<double>(t.liking[i]));
            else if (m_catalog.genre_of_scene[t.scenes[i]] == m_catalog.genre_of_scene[scene])
                out = std::max(out, 0.4 * static_cast<double>(t.liking[i]));
        }
        for (std::size_t i = 0; i < t.known; ++i)
            if (t.artists[i] == m_catalog.tracks[track].artist) out += 1.2;
        return out * (1 - 0.6 * static_cast<double>(t.mainstream));
    }

    /// The place on the shelf of what the user likes best among some that he looks at, by a logit of his liking.
    std::size_t choose(std::uint32_t user) {
        auto const& t = m_tastes[user];
        std::array<std::pair<double, std::uint32_t>, n_looked_at> looked;
        for (auto& [value, at] : looked) {
            auto const bits = m_random.bits();
            at = static_cast<std::uint32_t>(((bits >> 32) * m_shelf.size()) >> 32);
            value = liking(t, m_shelf[at]) + m_noise[bits % m_noise.size()];
        }
        std::sort(looked.begin(), looked.end(), [](auto const& a, auto const& b) { return a > b; });
        for (auto const& [value, at] : looked)
            if (!m_had.contains(user, m_shelf[at])) return at;
        for (std::size_t at = 0; at < m_shelf.size(); ++at)
            if (!m_had.contains(user, m_shelf[at])) return at;
        return static_cast<std::size_t>(m_random.below(m_shelf.size()));
    }

    /// Exchanges the track of a play whose user has had it with that of another play, both then being new to their users.
    void repair(std::size_t i) {
        for (std::size_t tries = 0; tries < 100000; ++tries) {
            // Near in time first, then anywhere.
            std::size_t const reach = std::min(m_buyers.size(), 2000 + tries * 4), low = i > reach ? i - reach : 0;
            auto const j = low + static_cast<std::size_t>(m_random.below(std::min(m_buyers.size(), i + reach) - low));
            auto const a = m_buyers[i], b = m_buyers[j], x = m_chosen[i], y = m_chosen[j];
            if (m_is_wrong[j] || a == b || x == y || m_had.contains(a, y) || m_had.contains(b, x)) continue;
            m_had.erase(b, y), m_had.insert(b, x), m_had.insert(a, y);
            std::swap(m_chosen[i], m_chosen[j]);
            m_is_wrong[i] = false;
            return;
        }
        recsys::detail::throw_option(
            "generate: users and tracks are too few for so many events without repeats; ask for fewer events or more tracks");
    }

    music_catalog const& m_catalog;
    std::vector<std::uint32_t> const& m_buyers;
    std::vector<std::uint32_t> const& m_offers;
    std::vector<taste> m_tastes;
    pair_set m_had;
    random_stream m_random;
    std::vector<double> m_noise;
    std::vector<std::uint32_t> m_shelf, m_chosen;
    std::vector<std::size_t> m_wrong; // plays whose user has had their track
    std::vector<bool> m_is_wrong;
};

}

std::vector<std::uint32_t> match_plays(generator_options const& options, music_catalog const& catalog,
                                       std::vector<std::uint32_t> const& buyers, std::vector<std::uint32_t> const& offers,
                                       std::size_t n_users) {
    if (buyers.size() != offers.size()) recsys::detail::throw_data("generate: ", buyers.size(), " plays and ", offers.size(), " offers");
    return market(options, catalog, buyers, offers, n_users).run();
}

}
