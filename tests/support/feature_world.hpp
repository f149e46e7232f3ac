// SPDX-License-Identifier: MIT
// A small world for tests of features: a random log with repeats, a catalogue, scorers, and the features of a pair computed slowly and plainly.
#ifndef RECSYS_TESTS_FEATURE_WORLD_HPP
#define RECSYS_TESTS_FEATURE_WORLD_HPP

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <recsys_under_test.hpp>

namespace feature_world {

namespace rs = recsys;
using moment = rs::time_point;

inline constexpr float missing = std::numeric_limits<float>::quiet_NaN();

struct play {
    std::string user;
    int track = 0;
    moment at{};
};
struct track {
    std::vector<int> genres;
    std::vector<std::string> artists;
    std::string genre_names; // "" for none
};

/// Gives each pair a score by a formula; items from `n` on it does not have.
struct formula_scorer {
    std::size_t n = 0;
    unsigned salt = 1;
    rs::provenance from = {};
    std::size_t n_items() const { return n; }
    float at(rs::user_index user, std::size_t item) const {
        return static_cast<float>((rs::to_size(user) * 7919 + item * 104729 + salt * 31) % 1009) / 8.f;
    }
    void score(rs::user_index user, std::span<float> out) const {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = at(user, i);
    }
    rs::provenance provenance() const { return from; }
};

struct world {
    std::vector<play> log;
    std::map<int, track> catalog;
    moment t0{}, t2{};
};

inline moment day(int n) { return moment(std::chrono::sys_days(std::chrono::year(2022) / 3 / 1)) + std::chrono::days(n); }

/// 120 days; half of the times are midnights, so that they fall on the edges of windows; a third of the plays repeat an earlier pair.
inline world make_world(std::uint64_t seed, std::size_t n_users = 40, std::size_t n_tracks = 60, std::size_t n_plays = 900) {
    rs::random_stream random(seed);
    world out;
    out.t0 = day(90), out.t2 = day(104);
    for (std::size_t i = 0; i < n_tracks; ++i) {
        track t;
        for (std::uint64_t g = random.below(4); g > 0; --g) t.genres.push_back(static_cast<int>(random.below(6)));
        for (std::uint64_t a = random.below(3); a > 0; --a) t.artists.push_back("artist " + std::to_string(random.below(15)));
        for (auto const g : t.genres) t.genre_names += (t.genre_names.empty() ? "" : ", ") + std::string("genre ") + std::to_string(g);
        out.catalog[static_cast<int>(100 + 3 * i)] = t;
    }
    for (std::size_t n = 0; n < n_plays; ++n) {
        play p;
        double const u = random.uniform(), i = random.uniform();
        p.user = "user " + std::to_string(10 + static_cast<int>(u * u * static_cast<double>(n_users)));
        p.track = 100 + 3 * static_cast<int>(i * i * static_cast<double>(n_tracks));
        p.at = day(static_cast<int>(random.below(120)));
        if (random.below(2) == 0) p.at += std::chrono::microseconds(random.below(86400000000));
        out.log.push_back(p);
        if (random.below(3) == 0) p.at = day(static_cast<int>(random.below(120))), out.log.push_back(p);
    }
    return out;
}

inline auto ingested(world const& w, std::vector<play> const& log) {
    std::vector<int> ids;
    for (auto const& [id, t] : w.catalog) ids.push_back(id);
    return rs::ingest(log, rs::columns().user(&play::user).item(&play::track).time(&play::at), {.items = rs::item_encoder<int>::fit(ids)});
}
inline auto ingested(world const& w) { return ingested(w, w.log); }

inline rs::csr seen_of(rs::events const& known) { return rs::user_items(known); }

/// The features of PIPELINE step 6 of one pair, from the raw log.
class twin {
public:
    twin(world const& w, std::vector<play> log, moment at) : m_world(w), m_moment(at) {
        for (auto const& p : log)
            if (p.at < at) m_known.push_back(p);
        std::stable_sort(m_known.begin(), m_known.end(), [](play const& a, play const& b) { return a.at < b.at; });
        for (auto const& p : m_known) m_of_user[p.user].push_back(p), m_users[p.track].insert(p.user);
    }

    std::vector<play> of_user(std::string const& user) const { return m_of_user.count(user) ? m_of_user.at(user) : std::vector<play>(); }
    double plays(int track) const { return plays(track, 100000); }
    double plays(int track, int days) const {
        double n = 0;
        for (auto const& p : m_known) n += p.track == track && p.at >= m_moment - std::chrono::days(days);
        return n;
    }
    double trend(int track) const { return (30 * plays(track, 7) + 1) / (7 * plays(track, 30) + 1); }
    double age(int track) const {
        for (auto const& p : m_known)
            if (p.track == track) return days_between(p.at, m_moment);
        return missing;
    }
    double genre_and_votes(int track) const {
        auto const& names = m_world.catalog.at(track).genre_names;
        double n = 0;
        for (auto const& p : m_known) n += m_world.catalog.at(p.track).genre_names == names;
        return n / static_cast<double>(m_known.size());
    }
    double rating(int track) const {
        double least = 1e9, most = 0;
        for (auto const& [t, u] : m_users)
            least = std::min(least, static_cast<double>(u.size())), most = std::max(most, static_cast<double>(u.size()));
        return most == least ? 0 : (static_cast<double>(m_users.at(track).size()) - least) / (most - least);
    }
    double tracks_listened(std::string const& user) const { return static_cast<double>(of_user(user).size()); }
    double tracks_month(std::string const& user) const {
        auto const h = of_user(user);
        return h.empty() ? missing : days_between(h.front().at, h.back().at) / 30;
    }
    double tracks_per_month(std::string const& user) const {
        double const months = tracks_month(user);
        return months > 0 ? tracks_listened(user) / months : missing;
    }
    double rating_avg(std::string const& user) const {
        double sum = 0;
        auto const h = of_user(user);
        for (auto const& p : h) sum += rating(p.track);
        return h.empty() ? missing : sum / static_cast<double>(h.size());
    }
    double rating_std(std::string const& user) const {
        auto const h = of_user(user);
        if (h.size() < 2) return missing;
        double const mean = rating_avg(user);
        double sum = 0;
        for (auto const& p : h) sum += std::pow(rating(p.track) - mean, 2);
        return std::sqrt(sum / static_cast<double>(h.size() - 1));
    }
    double user_genre(std::string const& user, int track) const {
        return share(user, track, [](struct track const& t) { return t.genres.empty() ? std::string() : std::to_string(t.genres[0]); });
    }
    double user_artist(std::string const& user, int track) const {
        return share(user, track, [](struct track const& t) { return t.artists.empty() ? std::string() : t.artists[0]; });
    }
    double user_pop(std::string const& user) const {
        std::set<int> items;
        for (auto const& p : of_user(user)) items.insert(p.track);
        double sum = 0;
        for (auto const t : items) sum += std::log1p(plays(t, 30));
        return items.empty() ? missing : sum / static_cast<double>(items.size());
    }
    double pop_gap(std::string const& user, int track) const { return std::log1p(plays(track, 30)) - user_pop(user); }
    template <class Factors> double last_sim(std::string const& user, int track, Factors const& factors) const {
        auto h = of_user(user);
        std::reverse(h.begin(), h.end());
        std::vector<int> last;
        for (auto const& p : h)
            if (last.size() < 5 && std::find(last.begin(), last.end(), p.track) == last.end()) last.push_back(p.track);
        double best = missing;
        for (auto const t : last) {
            auto const a = factors(t), b = factors(track);
            double ab = 0, aa = 0, bb = 0;
            for (std::size_t f = 0; f < a.size(); ++f)
                ab += double(a[f]) * double(b[f]), aa += double(a[f]) * double(a[f]), bb += double(b[f]) * double(b[f]);
            if (aa == 0 || bb == 0) continue;
            double const cosine = ab / std::sqrt(aa) / std::sqrt(bb);
            if (!(best > cosine)) best = cosine;
        }
        return best;
    }
    double pair_events(std::string const& user, int track) const {
        double n = 0;
        for (auto const& p : of_user(user)) n += p.track == track;
        return n;
    }
    double pair_days(std::string const& user, int track) const {
        double days = missing;
        for (auto const& p : of_user(user))
            if (p.track == track) days = days_between(p.at, m_moment);
        return days;
    }
    std::vector<play> const& known() const { return m_known; }

private:
    static double days_between(moment a, moment b) { return std::floor(std::chrono::duration<double, std::ratio<86400>>(b - a).count()); }
    template <class First> double share(std::string const& user, int track, First const& first) const {
        auto const wanted = first(m_world.catalog.at(track));
        auto const h = of_user(user);
        if (wanted.empty() || h.empty()) return missing;
        double n = 0;
        for (auto const& p : h) n += first(m_world.catalog.at(p.track)) == wanted;
        return n / static_cast<double>(h.size());
    }

    world const& m_world;
    moment m_moment;
    std::vector<play> m_known;
    std::map<std::string, std::vector<play>> m_of_user;
    std::map<int, std::set<std::string>> m_users;
};

/// Factors of an item by its id; every tenth has none.
inline std::vector<float> factors_of(int track) {
    rs::random_stream random(99, static_cast<std::uint64_t>(track));
    std::vector<float> out(21);
    for (auto& x : out) x = track % 10 == 0 ? 0.f : static_cast<float>(random.normal());
    return out;
}

/// Every feature of PIPELINE step 6, in its order, on a pool with the source "als"; with include_seen also the two about the pair.
template <class Data> auto pipeline_features(world const& w, Data const& known, rs::csr const& seen, rs::candidate_pool const& pool) {
    using std::chrono::days;
    using rs::item_statistic;
    auto const items = known.items();
    return rs::features(known, seen, pool)
        .item_category("genre_names", [&](int t) { return w.catalog.at(t).genre_names; })
        .category_share("genre_and_votes", "genre_names")
        .user_months("tracks_month")
        .user_events("tracks_listened")
        .user_mean("rating_avg", item_statistic::rating())
        .user_deviation("rating_std", item_statistic::rating())
        .user_events_per_month("tracks_per_month")
        .item_number("plays", item_statistic::plays())
        .recency()
        .item_categories(
            "genres", [&](int t) -> auto const& { return w.catalog.at(t).genres; })
        .item_categories(
            "artists", [&](int t) -> auto const& { return w.catalog.at(t).artists; })
        .first_value_share("user_genre", "genres")
        .first_value_share("user_artist", "artists")
        .without("genres")
        .without("artists")
        .user_mean("user_pop", item_statistic::log_plays(days{30}), rs::averaged::over_items)
        .gap("pop_gap", item_statistic::log_plays(days{30}), rs::averaged::over_items)
        .last_similarity("last_sim", [items](rs::item_index i) { return factors_of(items.id(i)); })
        .repeats();
}

/// Whether two numbers are the same missing value or equal to float's precision.
inline bool same_number(double a, double b) {
    return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 2e-6 * std::max(1.0, std::abs(b));
}

/// All that a frame holds, row by row, so that frames cut in other blocks can be compared byte for byte.
struct flat_frame {
    std::vector<rs::user_index> users;
    std::vector<rs::item_index> items;
    std::vector<float> targets;
    std::vector<std::size_t> group_sizes;
    std::map<std::string, std::vector<std::uint32_t>> numbers; // bits
    std::map<std::string, std::vector<std::string>> categories;

    void add(rs::frame const& f) {
        for (std::size_t r = 0; r < f.n_rows(); ++r) users.push_back(f.user(r)), items.push_back(f.item(r));
        targets.insert(targets.end(), f.targets().begin(), f.targets().end());
        std::size_t first = 0;
        for (auto const end : f.group_ends())
            group_sizes.push_back(static_cast<std::size_t>(end) - first), first = static_cast<std::size_t>(end);
        for (auto const& c : f.columns()) {
            for (std::size_t r = 0; r < f.n_rows(); ++r) {
                if (c.kind == rs::column_kind::number) numbers[c.name].push_back(rs::detail::bit_cast<std::uint32_t>(c.numbers[r]));
                else {
                    std::string text;
                    for (auto const code : c.row_codes(r)) text += code == rs::missing_category ? "?" : c.dictionary->text(code) + '|';
                    categories[c.name].push_back(text);
                }
            }
        }
    }
    friend bool operator==(flat_frame const&, flat_frame const&) = default;
};

}

#endif
