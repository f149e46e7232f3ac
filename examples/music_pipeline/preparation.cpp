// SPDX-License-Identifier: MIT
#include "preparation.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "charts.hpp"
#include "common/csv.hpp"
#include "tables.hpp"
#include "input.hpp"

namespace music {

namespace rs = recsys;
using namespace std::chrono;

namespace {

std::string count_text(std::uint64_t n) { return pretty(static_cast<double>(n)); }

/// Every missing id with its count would be a long table: the largest are shown, all are in result.json.
void show_missing(journal& log, char const* what, rs::missing_references<id> const& missing, rows_of_text& shown) {
    auto largest = missing.ids;
    std::stable_sort(largest.begin(), largest.end(), [](auto const& a, auto const& b) { return a.second > b.second; });
    std::string some;
    for (std::size_t i = 0; i < std::min<std::size_t>(largest.size(), 5); ++i)
        some += (some.empty() ? "" : ", ") + std::to_string(largest[i].first) + " (" + count_text(largest[i].second) + ")";
    shown.push_back({what, count_text(missing.references), count_text(missing.missing), count_text(missing.ids.size()),
                     count_text(missing.rows), count_text(missing.empty), some});
    auto& result = log.result["missing"][what];
    result = {{"references", missing.references}, {"missing", missing.missing}, {"rows", missing.rows}, {"empty_lists", missing.empty}};
    result["ids"] = nlohmann::ordered_json::object();
    for (auto const& [key, n] : largest) {
        if (result["ids"].size() == 1000) break;
        result["ids"][std::to_string(key)] = n;
    }
}

bool is_complete(track const& t, name_book const& book, bool drop_empty_lists) {
    auto const& things = book.things();
    bool const known = things.contains_all(entity::artist, t.artists) && things.contains_all(entity::album, t.albums) &&
                       things.contains_all(entity::genre, t.genres);
    return known && !(drop_empty_lists && (t.artists.empty() || t.albums.empty() || t.genres.empty()));
}

}

namespace {

constexpr int no_type = 0; // a catalogue of tracks alone
using track_catalog = rs::catalog<int, id>;

track_catalog catalog_of(std::vector<track> const& tracks) {
    return rs::catalog_of(
        tracks, [](track const&) { return no_type; }, &track::track_id);
}

/// The first row of each id whose references are all there, by id.
std::vector<track> kept_tracks(std::vector<track> tracks, name_book const& book, bool drop_empty_lists) {
    std::stable_sort(tracks.begin(), tracks.end(), [](track const& a, track const& b) { return a.track_id < b.track_id; });
    tracks.erase(std::unique(tracks.begin(), tracks.end(), [](track const& a, track const& b) { return a.track_id == b.track_id; }),
                 tracks.end());
    tracks.erase(std::remove_if(tracks.begin(), tracks.end(), [&](track const& t) { return !is_complete(t, book, drop_empty_lists); }),
                 tracks.end());
    return tracks;
}

/// Writes the kept plays to events.csv as they come by.
class event_file {
public:
    event_file(journal& log, rs::time_point t1)
        : m_t1(t1),
          m_days(1024),
          m_file(log, "events", {"user_id", "track_id", "track_seq", "started_at", "day_of_week", "month", "part"},
                 events_bytes(log.size)) {}

    void add(play const& p) {
        auto const& day = text_of(p.at);
        m_file.row(p.user, p.track, p.seq, day.text, day.day_of_week, day.month, p.at < m_t1 ? "train" : "test");
    }
    void close() { m_file.close(); }

private:
    struct moment_text {
        rs::time_point at = rs::time_point::min();
        std::string text;
        int day_of_week = 0, month = 0;
    };
    /// Most plays are of few distinct moments: the last one of each day is kept.
    moment_text const& text_of(rs::time_point at) {
        auto const day = floor<days>(at);
        auto& known = m_days[static_cast<std::size_t>(day.time_since_epoch().count()) % m_days.size()];
        if (known.at != at) {
            auto const started = rs::detail::time_text(at);
            known = {at, at == day ? started.substr(0, 10) : started, static_cast<int>(rs::day_of_week(at)),
                     static_cast<int>(rs::month_of(at))};
        }
        return known;
    }

    rs::time_point m_t1;
    std::vector<moment_text> m_days;
    table_file<id, id, std::int32_t, std::string, int, int, std::string> m_file;
};

/// The plays of kept tracks, ids encoded: users of all kept plays, all kept tracks. `unknown` counts the plays of tracks that no table knows.
rs::dataset<id, id> take_plays(journal& log, input& from, std::vector<track> const& kept, track_catalog const& all_tracks,
                               rs::missing_references<id>& unknown) {
    std::vector<id> tracks;
    for (auto const& t : kept) tracks.push_back(t.track_id);
    auto const items = rs::item_encoder<id>::fit(tracks);
    event_file events(log, rs::parse_time(log.set.split));
    std::map<id, std::uint64_t> missing;
    auto in = rs::ingester_of<play const>(rs::columns().user(&play::user).item(&play::track).time(&play::at),
                                          {.items = items, .reserve = static_cast<std::size_t>(log.size.events), .run = log.run()});
    unknown.references = from.read_plays([&](std::span<play const> block) {
        for (auto const& p : block) {
            if (items.contains(p.track)) events.add(p), in.add(p);
            else if (!all_tracks.contains(no_type, p.track)) ++missing[p.track];
        }
    });
    events.close();
    unknown.ids.assign(missing.begin(), missing.end());
    for (auto const& [of, n] : missing) unknown.missing += n;
    unknown.rows = unknown.missing;
    return std::move(in).finish();
}

}

world prepare(journal& log, std::string const& folder) {
    log.say.step("0 Input");
    log.page.section("0 Input");
    input from(log, folder);
    auto raw = from.read_tables();
    world out;
    out.book = name_book(std::move(raw.names));
    out.tracks = kept_tracks(raw.tracks, out.book, log.set.drop_empty_lists);
    auto const all_tracks = catalog_of(raw.tracks);
    rs::missing_references<id> unknown;
    out.data = take_plays(log, from, out.tracks, all_tracks, unknown);
    from.show(raw.tracks);

    log.say.step("1 Cleaning");
    log.page.section("1 Cleaning");
    auto const& things = out.book.things();
    rows_of_text shown;
    show_missing(log, "artists", things.missing(entity::artist, raw.tracks, &track::artists), shown);
    show_missing(log, "albums", things.missing(entity::album, raw.tracks, &track::albums), shown);
    show_missing(log, "genres", things.missing(entity::genre, raw.tracks, &track::genres), shown);
    show_missing(log, "tracks of interactions", unknown, shown);
    log.page.table({"what", "references", "missing", "distinct ids", "rows", "empty lists", "largest"}, shown,
                   "References that the catalogue lacks; look-ups are by (type, id)");
    if (all_tracks.repeated() > 0) log.warn(text("tracks.csv names %zu tracks again; the first row of each counts", all_tracks.repeated()));
    if (out.tracks.empty() || out.data.empty()) throw std::runtime_error("after cleaning no track or no interaction is left");
    log.result["counts"] = {{"tracks", raw.tracks.size()},
                            {"tracks_kept", out.tracks.size()},
                            {"interactions", unknown.references},
                            {"interactions_kept", out.data.size()},
                            {"interactions_of_unknown_tracks", unknown.missing},
                            {"catalogue", things.size()},
                            {"catalogue_rows_repeated", things.repeated()},
                            {"ids_of_several_types", things.shared_ids()}};
    log.find(
        text("Kept %zu of %zu tracks (those whose artists, albums and genres are all in the catalogue%s) and %zu of %llu interactions; "
             "%llu interactions are of tracks that no table knows. %zu ids stand for things of several types.",
             out.tracks.size(), raw.tracks.size(), log.set.drop_empty_lists ? ", none of these lists empty" : "; an empty list passes",
             out.data.size(), static_cast<unsigned long long>(unknown.references), static_cast<unsigned long long>(unknown.missing),
             things.shared_ids()));
    rs::save(log.file("encoders.rsm"), out.data.users(), out.data.items());
    return out;
}

namespace {

void write_items(journal& log, world const& all) {
    csv::writer file(log.file("items.csv"), header{"track_id", "track", "albums", "artists", "genres"});
    for (auto const& t : all.tracks)
        file.row(t.track_id, all.book.name(entity::track, t.track_id), all.book.names(entity::album, t.albums),
                 all.book.names(entity::artist, t.artists), all.book.names(entity::genre, t.genres));
    file.close();
}

void show_plays_per_user(journal& log, world const& all) {
    std::vector<std::uint64_t> plays;
    for (auto const n : rs::events_per_user(all.data))
        if (n > 0) plays.push_back(n);
    auto const shape = rs::histogram_of(plays, 50);
    log.page.figure(log_histogram(std::vector<double>(shape.counts.begin(), shape.counts.end()), shape.low, shape.high, "plays of a user",
                                  "Users by their number of plays, 50 bins, counts on a logarithmic axis"));
    auto const figures = rs::box_of(plays);
    auto const about = rs::describe(plays);
    log.page.figure(box_plot({figures.low_whisker, figures.q1, figures.median, figures.q3, figures.high_whisker, figures.largest,
                              static_cast<std::size_t>(figures.high_outliers)},
                             "plays of a user (logarithmic)",
                             "Plays of a user: quartiles, whiskers at 1.5 interquartile ranges, the largest"));
    log.find(text(
        "A user has %.1f plays in the mean; the quartiles are %.0f, %.0f and %.0f, the largest number is %.0f; %llu users lie above the upper whisker at %.0f.",
        about.mean, about.q1, about.median, about.q3, about.largest, static_cast<unsigned long long>(figures.high_outliers),
        figures.high_whisker));
    log.result["plays_per_user"] = {{"mean", about.mean},
                                    {"q1", about.q1},
                                    {"median", about.median},
                                    {"q3", about.q3},
                                    {"largest", about.largest},
                                    {"low_whisker", figures.low_whisker},
                                    {"high_whisker", figures.high_whisker},
                                    {"outliers", figures.high_outliers}};
}

void show_most_played(journal& log, world const& all) {
    auto const plays = rs::events_per_item(all.data);
    std::vector<bar> tracks;
    for (auto const& [place, n] : rs::top_n(plays, 10)) {
        auto const& t = all.tracks[place];
        tracks.push_back(
            {all.book.name(entity::track, t.track_id) + " - " + all.book.names(entity::artist, t.artists), static_cast<double>(n)});
    }
    log.page.figure(bar_chart(tracks, "The ten most played tracks"));
    std::map<id, std::uint64_t> by_genre;
    for (std::size_t i = 0; i < plays.size(); ++i)
        for (auto const genre : all.tracks[i].genres) by_genre[genre] += plays[i];
    std::vector<id> genres;
    std::vector<std::uint64_t> counts;
    for (auto const& [genre, n] : by_genre) genres.push_back(genre), counts.push_back(n);
    std::vector<bar> bars;
    for (auto const& [place, n] : rs::top_n(counts, 10))
        bars.push_back({all.book.name(entity::genre, genres[place]), static_cast<double>(n)});
    log.page.figure(bar_chart(bars, "The ten most played genres; a play counts for each genre of its track"));
}

}

void explore(journal& log, world const& all) {
    log.say.step("2 Exploration");
    log.page.section("2 Exploration");
    write_items(log, all);
    show_plays_per_user(log, all);
    show_most_played(log, all);
    auto const silent = rs::never_seen(all.data).size();
    log.result["counts"]["never_played"] = silent;
    log.result["counts"]["users"] = all.data.users().size();
    log.find(text("%zu of %zu kept tracks were never played.", silent, all.tracks.size()));
}

moments find_moments(journal& log, world const& all) {
    moments when;
    when.t1 = rs::parse_time(log.set.split);
    auto const times = all.data.event_times();
    auto const first = times.front(), last = times.back();
    when.t2 = last - days{log.set.future_days};
    when.t0 = when.t2 - days{log.set.label_days};
    auto const shown = [](rs::time_point t) { return rs::detail::time_text(t); };
    if (!(first < when.t1 && when.t1 <= last))
        throw std::runtime_error("--split " + shown(when.t1) + " is not inside the data, which runs from " + shown(first) + " to " +
                                 shown(last));
    if (!(first < when.t0))
        throw std::runtime_error("T0 " + shown(when.t0) + " is not after the first event at " + shown(first) +
                                 ": choose smaller --future-days and --label-days");
    log.result["split"] = {
        {"t1", shown(when.t1)}, {"t2", shown(when.t2)}, {"t0", shown(when.t0)}, {"first", shown(first)}, {"last", shown(last)}};
    return when;
}

void split(journal& log, world const& all, moments const& when) {
    log.say.step("3 Encoders and the split by time");
    log.page.section("3 Encoders and the split by time");
    auto const w = rs::split_by_time(all.data, when.t1);
    auto const report = w.report();
    auto const& test = report.windows[1];
    rows_of_text shown;
    for (auto const& window : report.windows)
        shown.push_back({window.name, count_text(window.rows), count_text(window.users), count_text(window.common_users),
                         count_text(window.cold_users), count_text(window.rows_of_cold_users), count_text(window.items),
                         count_text(window.cold_items)});
    log.page.table({"part", "events", "users", "common users", "cold users", "events of cold users", "tracks", "cold tracks"}, shown,
                   "Split at T1 = " + rs::detail::time_text(when.t1) + "; common and cold are said of the training part");
    for (auto const& warning : report.warnings()) log.warn(warning);
    auto& result = log.result["split"];
    result["train_events"] = report.windows[0].rows, result["test_events"] = test.rows;
    result["train_users"] = report.windows[0].users, result["test_users"] = test.users;
    result["common_users"] = test.common_users, result["cold_users"] = test.cold_users,
    result["events_of_cold_users"] = test.rows_of_cold_users;
    log.find(text(
        "Training has %zu events of %zu users, test %zu events of %zu users; %zu test users are cold (%.1f%%), with %.1f%% of the test events.",
        report.windows[0].rows, report.windows[0].users, test.rows, test.users, test.cold_users,
        100 * static_cast<double>(test.cold_users) / static_cast<double>(std::max<std::size_t>(test.users, 1)),
        100 * static_cast<double>(test.rows_of_cold_users) / static_cast<double>(std::max<std::size_t>(test.rows, 1))));
}

} // namespace music
