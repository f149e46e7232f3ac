// SPDX-License-Identifier: MIT
// The generator of music logs: what it promises holds at every size, and the same options give the same bytes with every compiler.
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/sized.hpp"

#include "common/csv.hpp"
#include "music_pipeline/generate.hpp"
#include "music_pipeline/generate_order.hpp"
#include "music_pipeline/generate_sets.hpp"
#include "music_pipeline/table_columns.hpp"

struct dated_play {
    std::int64_t user = 0, track = 0, seq = 0;
    std::string date;
};

/// A made data set in a folder of its own, which goes with it.
struct made {
    made(std::string const& name, music::generator_options const& options) : folder("generated_" + name) {
        std::filesystem::create_directories(folder);
        check = music::generate(options, folder.string());
    }
    ~made() { std::filesystem::remove_all(folder); }
    made(made const&) = delete;
    made& operator=(made const&) = delete;

    std::string bytes(char const* file) const {
        std::ifstream in(folder / file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::uint64_t fingerprint() const {
        std::uint64_t hash = 0;
        for (auto const* const file : {"tracks.csv", "catalog_names.csv", "interactions.csv"})
            hash = recsys::detail::hash_bytes(bytes(file), hash);
        return hash;
    }
    std::vector<dated_play> plays() const {
        csv::table<dated_play> rows((folder / "interactions.csv").string(), {"user_id", "track_id", "track_seq", "started_at"},
                                    [](csv::record const& r) {
                                        return dated_play{r.integer<std::int64_t>(0), r.integer<std::int64_t>(1),
                                                          r.integer<std::int64_t>(2), std::string(r.text(3))};
                                    });
        std::vector<dated_play> out;
        for (auto const& row : rows) out.push_back(row);
        return out;
    }
    std::set<std::int64_t> track_ids() const {
        csv::table<std::int64_t> rows((folder / "tracks.csv").string(), {"track_id"},
                                      [](csv::record const& r) { return r.integer<std::int64_t>(0); });
        std::set<std::int64_t> out;
        for (auto const row : rows) CHECK_MESSAGE(out.insert(row).second, "track id twice: ", row);
        return out;
    }
    music::check_line const& line(std::string_view begins) const {
        auto const at = std::find_if(check.begin(), check.end(),
                                     [&](music::check_line const& l) { return l.what.compare(0, begins.size(), begins) == 0; });
        REQUIRE_MESSAGE(at != check.end(), "no line of the check begins with ", std::string(begins));
        return *at;
    }

    std::filesystem::path folder;
    std::vector<music::check_line> check;
};

music::generator_options small(std::uint64_t seed = 7) { return {.users = 400, .tracks = 900, .events = 24'000, .seed = seed}; }

TEST_CASE("the same options give the same bytes on every compiler and machine, another seed gives others") {
    std::uint64_t const known = 6241713009148957681; // a change here is a change of everybody's data set
    made const a("same_a", small()), b("same_b", small()), c("other", small(8));
    CHECK(a.fingerprint() == known);
    CHECK(b.fingerprint() == known);
    for (auto const* const file : {"tracks.csv", "catalog_names.csv", "interactions.csv"}) CHECK(a.bytes(file) != c.bytes(file));
}

TEST_CASE("the files do not depend on the number of threads, and column files hold the same tables as CSV files") {
    auto options = small();
    options.threads = 1;
    made const one("one_thread", options);
    options.threads = 5;
    made const five("five_threads", options);
    CHECK(one.fingerprint() == five.fingerprint());

    options.columns = true;
    made const columns("columns", options);
    CHECK(!std::filesystem::exists(columns.folder / "interactions.csv"));
    recsys::column_table<music::play> rows((columns.folder / "interactions.rsc").string(), music::play_columns());
    auto const plays = one.plays();
    CHECK(rows.file().size() == plays.size());
    std::size_t i = 0, wrong = 0;
    for (auto const& row : rows) {
        auto const& p = plays.at(i++);
        wrong += row.user != p.user || row.track != p.track || row.seq != p.seq || row.at != recsys::parse_time(p.date);
    }
    CHECK(wrong == 0);
    std::set<std::int64_t> ids;
    recsys::column_table<music::track> tracks((columns.folder / "tracks.rsc").string(), music::track_columns());
    for (auto const& t : tracks) ids.insert(t.track_id);
    CHECK(ids == one.track_ids());
    recsys::column_table<music::name_row> names((columns.folder / "catalog_names.rsc").string(), music::name_columns());
    csv::table<music::name_row> wanted((one.folder / "catalog_names.csv").string(), {"id", "name"}, [](csv::record const& r) {
        return music::name_row{r.integer<music::id>(0), {}, std::string(r.text(1))};
    });
    std::size_t n = 0, other = 0;
    auto at = wanted.begin();
    for (auto const& name : names) n += 1, other += at->of != name.of || at->name != name.name, ++at;
    CHECK(at == wanted.end());
    CHECK(n > 1000);
    CHECK(other == 0);
}

TEST_CASE("whoever watches hears of every stage, and can stop it anywhere, by an answer or an exception") {
    struct enough {};
    auto const folder = std::filesystem::path("generated_stopped");
    std::filesystem::create_directories(folder);
    auto const caller = std::this_thread::get_id();
    for (unsigned const threads : {1u, 3u}) {
        CAPTURE(threads);
        std::vector<std::string> stages;
        std::string stop_in;
        std::uint64_t stop_from = 0, after_stop = 0;
        bool by_answer = false, stopped = false;
        music::generator_options options{.users = recsys_test::sized(1500u, 700u),
                                         .tracks = 2500,
                                         .events = recsys_test::sized(150'000u, 70'000u),
                                         .threads = threads,
                                         .columns = threads == 1};
        options.progress = [&](recsys::progress const& now) {
            CHECK(std::this_thread::get_id() == caller);
            CHECK(now.done <= now.total);
            if (now.total > 0 && (stages.empty() || stages.back() != now.stage)) stages.emplace_back(now.stage);
            after_stop += stopped;
            if (stop_in.empty() || now.stage != stop_in || now.done < stop_from) return true;
            stopped = true;
            if (!by_answer) throw enough();
            return false;
        };
        static_cast<void>(music::generate(options, folder.string()));
        CHECK(stages == std::vector<std::string>{"users", "tracks", "market", "log", "interactions"});
        for (auto const* const stage : {"users", "tracks", "market", "log", "interactions"})
            for (std::uint64_t const from : {std::uint64_t{0}, std::uint64_t{65536}}) {
                // Where several threads share a stage, the caller may have no part in its later half.
                if (from > 0 && std::string_view(stage) != "market" && std::string_view(stage) != "interactions") continue;
                stop_in = stage, stop_from = from, stopped = false;
                CAPTURE(stage);
                if (by_answer = !by_answer; by_answer)
                    CHECK_THROWS_AS(static_cast<void>(music::generate(options, folder.string())), recsys::cancelled);
                else CHECK_THROWS_AS(static_cast<void>(music::generate(options, folder.string())), enough);
                for (auto const& entry : std::filesystem::directory_iterator(folder)) CHECK(entry.path().extension() != ".part");
            }
        CHECK(after_stop == 0);
    }
    std::filesystem::remove_all(folder);
}

TEST_CASE("an error of a thread beside ends the others: the first one is what comes out") {
    recsys::progress_callback const nobody;
    music::watch on(nobody, true);
    auto failed = on.beside([]() -> int { throw std::runtime_error("the disk is full"); });
    auto const work = [&] {
        for (;;) on.add(1000);
    };
    try {
        work();
    } catch (...) { CHECK_THROWS_WITH_AS(on.rethrow(), "the disk is full", std::runtime_error); }
}

TEST_CASE("sorting by buckets gives the order of a plain sort") {
    recsys::random_stream random(9);
    for (std::size_t const n_owners : {1u, 7u, recsys_test::sized(5000u, 500u)}) {
        std::vector<std::uint32_t> counts(n_owners);
        for (auto& n : counts) n = static_cast<std::uint32_t>(random.below(300));
        recsys::detail::team workers(3);
        recsys::progress_callback const nobody;
        music::watch on(nobody, true);
        music::key_order order(workers, on, counts);
        std::vector<std::pair<float, std::uint32_t>> wanted;
        std::vector<std::vector<float>> keys(n_owners);
        for (std::size_t o = 0; o < n_owners; ++o)
            for (std::uint32_t i = 0; i < counts[o]; ++i) {
                // Ends, tiny ones and many equal ones among them.
                auto const kind = random.below(5);
                float const key = kind == 0   ? 0.f
                                  : kind == 1 ? 1.f
                                  : kind == 2 ? -0.f
                                  : kind == 3 ? 0.625f
                                              : static_cast<float>(random.uniform() * random.uniform() * random.uniform());
                keys[o].push_back(key), wanted.emplace_back(key, static_cast<std::uint32_t>(o));
            }
        order.fill([](std::uint32_t) { return true; },
                   [&](std::uint32_t o, std::span<float> to) { std::copy(keys[o].begin(), keys[o].end(), to.begin()); });
        std::sort(wanted.begin(), wanted.end());
        CHECK(order.filled() == wanted.size());
        for (std::size_t rank = 0; rank < wanted.size(); rank += 1 + wanted.size() / 7) CHECK(order.key_at(rank) == wanted[rank].first);
        auto const owners = order.owners();
        CHECK(std::equal(owners.span().begin(), owners.span().end(), wanted.begin(), wanted.end(),
                         [](std::uint32_t owner, auto const& w) { return owner == w.second; }));
    }
}

TEST_CASE("a user's set of tracks is a set") {
    std::vector<std::uint32_t> const most{0, 1, 40};
    music::track_sets sets(most);
    std::set<std::uint32_t> wanted;
    recsys::random_stream random(10);
    std::size_t wrong = 0;
    for (int i = 0; i < 20000; ++i) {
        auto const track = static_cast<std::uint32_t>(random.below(70));
        wrong += sets.contains(2, track) != (wanted.count(track) > 0);
        if (wanted.count(track) > 0) sets.erase(2, track), wanted.erase(track);
        else if (wanted.size() < 40) sets.insert(2, track), wanted.insert(track);
    }
    for (std::uint32_t t = 0; t < 70; ++t) wrong += sets.contains(2, t) != (wanted.count(t) > 0) || sets.contains(1, t);
    CHECK(wrong == 0);
}

TEST_CASE("bits made ahead are those of the stream") {
    for (bool const by_thread : {false, true}) {
        music::bits_ahead ahead(5, 123, by_thread);
        recsys::random_stream plain(5, 123);
        std::size_t wrong = 0;
        for (std::uint64_t i = 0; i < recsys_test::sized(400'000u, 100'000u); ++i) {
            if (i % 7 == 0) {
                auto const* const next = ahead.peek(40);
                for (std::size_t k = 0; k < 20; ++k) wrong += next[k] != plain.bits();
                ahead.skip(20);
            } else if (i % 7 == 1) wrong += ahead.below(i) != plain.below(i);
            else wrong += ahead.bits() != plain.bits();
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("at every size there are as many events, users and tracks as asked for, and each pair once") {
    music::generator_options const sizes[] = {
        {.users = 20, .tracks = 40, .events = 100},
        {.users = 20, .tracks = 40, .events = 160, .unknown_tracks = 0}, // the densest that is allowed
        {.users = 3000, .tracks = 60, .events = 30'000},                 // few tracks
        {.users = 50, .tracks = 5000, .events = 4'000},                  // few users, most tracks hardly ever played
        {.users = 400, .tracks = 2000, .events = 2'000},                 // the thinnest: most tracks are never played
        {.users = 500, .tracks = 2000, .events = 30'000, .unknown_tracks = 0.05, .id_time_order = true},
    };
    for (auto const& options : sizes) {
        CAPTURE(options.users);
        CAPTURE(options.tracks);
        made const data("sizes", options);
        auto const plays = data.plays();
        auto const tracks = data.track_ids();
        CHECK(plays.size() == options.events);
        CHECK(tracks.size() == options.tracks);
        std::map<std::int64_t, std::vector<dated_play>> by_user;
        for (auto const& p : plays) by_user[p.user].push_back(p);
        CHECK(by_user.size() == options.users);
        std::size_t repeated = 0, out_of_order = 0, wrong_seq = 0, wrong_date = 0, unknown = 0, ids_fall = 0;
        for (auto const& [user, own] : by_user) {
            std::set<std::int64_t> distinct;
            for (std::size_t i = 0; i < own.size(); ++i) {
                repeated += !distinct.insert(own[i].track).second;
                wrong_seq += own[i].seq != static_cast<std::int64_t>(i + 1);
                wrong_date += own[i].date < "2022-01-01" || own[i].date > "2022-12-31" || own[i].date.size() != 10;
                unknown += tracks.count(own[i].track) == 0;
                if (i > 0) out_of_order += own[i].date < own[i - 1].date;
                if (i > 0) ids_fall += own[i].date > own[i - 1].date && own[i].track < own[i - 1].track;
            }
        }
        CHECK(repeated == 0);
        CHECK(wrong_seq == 0);
        CHECK(wrong_date == 0);
        CHECK(out_of_order == 0);
        CHECK(unknown == static_cast<std::size_t>(options.unknown_tracks * static_cast<double>(options.events) + 0.5));
        // An artefact for those who want to see what it does to a model that is fed ids; without it ids tell nothing.
        CHECK((ids_fall == 0) == options.id_time_order);
    }
}

TEST_CASE("a log with repeats has the share that was asked for") {
    auto options = small();
    options.repeats = 0.3;
    made const data("repeats", options);
    std::set<std::pair<std::int64_t, std::int64_t>> pairs;
    auto const plays = data.plays();
    for (auto const& p : plays) pairs.emplace(p.user, p.track);
    CHECK(plays.size() == options.events);
    CHECK(static_cast<double>(plays.size() - pairs.size()) == doctest::Approx(0.3 * 24'000).epsilon(0.01));
    CHECK(data.line("share of events that repeat a pair").got == doctest::Approx(0.3).epsilon(0.01));
}

TEST_CASE("a log of the default size has the shape of the real one" * doctest::test_suite("slow")) {
    music::generator_options const options;
    made const data("shape", options);
    auto const near = [&](char const* what, double tolerance) {
        auto const& line = data.line(what);
        CAPTURE(line.what);
        CHECK(line.got == doctest::Approx(line.wanted).epsilon(tolerance));
    };
    near("plays per user, mean", 0.01);
    for (auto const* const q : {"0.25", "0.5", "0.75", "0.9"}) near((std::string("plays per user, quantile ") + q).c_str(), 0.05);
    near("plays per track, mean", 0.01);
    for (auto const* const q : {"0.25", "0.5", "0.75"}) near((std::string("plays per track, quantile ") + q).c_str(), 0.06);
    near("share of the events from 16 December on", 0.05);
    near("share of these who are new", 0.15);
    near("share of tracks without artists", 0.05);
    near("share of tracks with a genre that the catalogue lacks", 0.1);
    near("share of tracks with one genre", 0.1);
    near("share of tracks with two genres", 0.1);
    near("share of tracks that share their name", 0.02);
    near("ids with several types, per track", 0.1);
    // Nobody hears everything: the largest is smoothly below a quarter of the users.
    std::map<std::int64_t, std::size_t> users_of_track;
    auto const known = data.track_ids();
    for (auto const& p : data.plays())
        if (known.count(p.track) > 0) ++users_of_track[p.track];
    std::size_t most = 0;
    for (auto const& [track, n] : users_of_track) most = std::max(most, n);
    CHECK(most <= options.users / 4);
    CHECK(most > options.users / 8);
}

TEST_CASE("options that do not go together are errors with the option and its value") {
    auto const wrong = [](music::generator_options const& o, char const* message) {
        CHECK_THROWS_WITH_AS(music::generate(o, "."), message, recsys::option_error);
    };
    wrong({.users = 19}, "generate: users must be in [20, 50000000], got 19");
    wrong({.tracks = 39}, "generate: tracks must be in [40, 20000000], got 39");
    wrong({.users = 100, .tracks = 100, .events = 499}, "generate: events must be in [5 x users, 4000000000], got 499");
    wrong({.repeats = 1}, "generate: repeats must be in [0, 0.9], got 1");
    wrong({.unknown_tracks = -0.1}, "generate: unknown_tracks must be in [0, 0.1], got -0.1");
    wrong({.users = 20, .tracks = 40, .events = 161},
          "generate: 161 events are too many for 20 users and 40 tracks: at most a fifth of all pairs may occur");
}
