// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include "support/feature_world.hpp"

namespace rs = recsys;
using namespace feature_world;
using rs::item_statistic;

namespace {

/// A pool of one source named "als" with n candidates of a user.
rs::candidate_pool als_pool(std::size_t n_items, std::size_t n, rs::provenance from = {}) {
    return rs::candidates().from("als", formula_scorer{n_items, 1, from}, n);
}

struct prepared {
    world w = make_world(1);
    decltype(ingested(w)) data = ingested(w);
};

std::vector<rs::user_index> everybody(prepared const& p) {
    std::vector<rs::user_index> out;
    for (auto const u : p.data.users().all()) out.push_back(u);
    return out;
}

rs::time_point as_point(moment t) { return t; }

}

TEST_CASE("every feature of the music pipeline agrees with its definition computed plainly from the log") {
    for (std::uint64_t const seed : {1u, 2u, 3u}) {
        prepared const p{make_world(seed, 40, 60, 500), ingested(make_world(seed, 40, 60, 500))};
        for (auto const at : {p.w.t0, p.w.t2, day(20), day(33) + std::chrono::hours(5)}) {
            auto const known = p.data.before(at);
            auto const seen = seen_of(known);
            auto const set = pipeline_features(p.w, known, seen, als_pool(known.n_items(), 8));
            auto const f = rs::feature_frames(set, everybody(p), seen, {.include_seen = true});
            twin const t(p.w, p.w.log, at);
            REQUIRE(f.n_rows() == 8 * p.data.n_users());
            CHECK(f.as_of() == as_point(at));
            for (std::size_t r = 0; r < f.n_rows(); ++r) {
                auto const& user = p.data.users().id(f.user(r));
                int const track = p.data.items().id(f.item(r));
                auto const check = [&](char const* name, double wanted) {
                    auto const found = static_cast<double>(f.value(r, name));
                    if (!same_number(found, wanted))
                        FAIL_CHECK(name << " of " << user << ", " << track << ": " << found << " instead of " << wanted);
                };
                auto const& names = f.column("genre_names");
                CHECK(names.dictionary->text(names.codes[r]) == p.w.catalog.at(track).genre_names);
                check("genre_and_votes", t.genre_and_votes(track));
                check("tracks_month", t.tracks_month(user));
                check("tracks_listened", t.tracks_listened(user));
                check("rating_avg", t.rating_avg(user));
                check("rating_std", t.rating_std(user));
                check("tracks_per_month", t.tracks_per_month(user));
                check("plays", t.plays(track));
                check("plays_30", t.plays(track, 30));
                check("plays_7", t.plays(track, 7));
                check("trend", t.trend(track));
                check("age", t.age(track));
                check("user_genre", t.user_genre(user, track));
                check("user_artist", t.user_artist(user, track));
                check("user_pop", t.user_pop(user));
                check("pop_gap", t.pop_gap(user, track));
                check("last_sim", t.last_sim(user, track, factors_of));
                check("pair_events", t.pair_events(user, track));
                check("pair_days", t.pair_days(user, track));
            }
        }
    }
}

TEST_CASE("the columns have the names of the specification, in the order of the steps, after those of the pool") {
    prepared const p;
    auto const known = p.data.before(p.w.t0);
    auto const pool = als_pool(known.n_items(), 5).from("hot", formula_scorer{known.n_items(), 2}, 5);
    auto const set = pipeline_features(p.w, known, seen_of(known), pool);
    CHECK(set.names() ==
          std::vector<std::string>{"als_score",    "als_rank",        "hot_score",  "hot_rank",    "genre_names",      "genre_and_votes",
                                   "tracks_month", "tracks_listened", "rating_avg", "rating_std",  "tracks_per_month", "plays",
                                   "plays_30",     "plays_7",         "trend",      "age",         "user_genre",       "user_artist",
                                   "user_pop",     "pop_gap",         "last_sim",   "pair_events", "pair_days"});
    auto const f = rs::feature_frames(set, rs::user_index{0}, set.seen());
    std::vector<std::string> there;
    for (auto const& c : f.columns()) there.push_back(c.name);
    CHECK(there == set.names());
}

TEST_CASE("no feature changes when the future does: events at or after the moment moved, added or removed") {
    prepared const p;
    auto changed = p.w.log;
    std::size_t moved = 0;
    for (auto& e : changed)
        if (e.at >= p.w.t0) e.at = p.w.t0 + std::chrono::microseconds(moved++ % 3), e.track = p.w.log[moved].track;
    REQUIRE(moved > 50);
    auto const bytes = [&](std::vector<play> const& log) {
        auto const known = ingested(p.w, log).before(p.w.t0);
        auto const seen = seen_of(known);
        flat_frame out;
        out.add(rs::feature_frames(pipeline_features(p.w, known, seen, als_pool(known.n_items(), 12)), everybody(p), seen,
                                   {.include_seen = true}));
        return out;
    };
    auto const wanted = bytes(p.w.log);
    CHECK(bytes(changed) == wanted);
    // and an event that moves across the moment does change some: the comparison can fail
    auto at = std::find_if(changed.begin(), changed.end(), [&](play const& e) { return e.at >= p.w.t0; });
    at->at = p.w.t0 - std::chrono::microseconds(1);
    CHECK_FALSE(bytes(changed) == wanted);
}

TEST_CASE("steps return new values: the set they start from stays as it is") {
    prepared const p;
    auto const known = p.data.before(p.w.t0);
    auto const base = rs::features(known, seen_of(known), als_pool(known.n_items(), 5));
    auto const more = base.counts().recency();
    CHECK(base.names() == std::vector<std::string>{"als_score", "als_rank"});
    CHECK(more.names() == std::vector<std::string>{"als_score", "als_rank", "plays", "user_events", "plays_30", "plays_7", "trend", "age"});
    CHECK(more.without("plays").names().size() == 7);
    CHECK(more.only({"age", "als_score"}).names() == std::vector<std::string>{"age", "als_score"});
}

TEST_CASE("names that are there already, empty or unknown are errors that say which there are") {
    prepared const p;
    auto const known = p.data.before(p.w.t0);
    auto const set = rs::features(known, seen_of(known), als_pool(known.n_items(), 5)).item_number("year", [](int t) { return t; });
    CHECK_THROWS_WITH_AS(static_cast<void>(set.counts().counts()), "features: there is already a column 'plays'", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(set.user_events("als_score")), doctest::Contains("already a column 'als_score'"),
                         rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(set.user_events("")), doctest::Contains("needs a name"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(set.affinity("genres")),
                         doctest::Contains("no column 'genres'; there are: als_score, als_rank, year"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(set.affinity("year")), doctest::Contains("not made by item_category() or item_categories()"),
                         rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(set.user_mean("m", item_statistic::column("als_score"))),
                         doctest::Contains("not made by item_number()"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(set.without("gone")), doctest::Contains("no column 'gone'"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(set.only({"year", "year"})), doctest::Contains("named twice"), rs::data_error);
    auto const several = set.item_categories("digits", [](int t) { return std::vector{t % 10}; });
    CHECK_THROWS_WITH_AS(static_cast<void>(several.category_share("s", "digits")), doctest::Contains("several values an item"),
                         rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(set.last_similarity("s", [](rs::item_index) { return std::vector{1.f}; }, {.last = 0})),
                    rs::option_error);
}

TEST_CASE("functions of users, of pairs and of the events are columns") {
    prepared const p;
    auto const known = p.data.before(p.w.t0);
    auto const seen = seen_of(known);
    std::size_t calls = 0;
    auto const set = rs::features(known, seen, als_pool(known.n_items(), 4))
                         .user_number("length", [&](std::string const& u) { return ++calls, u.size(); })
                         .user_category("last", [](std::string const& u) { return u.back(); })
                         .user_categories("both",
                                          [](std::string const& u) {
                                              return std::vector{u.front(), u.back()};
                                          })
                         .pair_number("pair", [](std::string const& u, int t) { return std::stoi(u.substr(5)) * 1000 + t; })
                         .item_number("id", [](int t) { return t; })
                         .user_mean("mean_id", item_statistic::column("id"))
                         .item_number("always", item_statistic([](rs::events const& e) { return std::vector<float>(e.n_items(), 3.f); }));
    CHECK(calls == p.data.n_users());
    auto const f = rs::feature_frames(set, everybody(p), seen);
    twin const t(p.w, p.w.log, p.w.t0);
    for (std::size_t r = 0; r < f.n_rows(); ++r) {
        auto const& user = p.data.users().id(f.user(r));
        int const track = p.data.items().id(f.item(r));
        CHECK(f.value(r, "length") == static_cast<float>(user.size()));
        auto const& last = f.column("last");
        CHECK(last.dictionary->text(last.codes[r]) == std::to_string(static_cast<int>(user.back())));
        CHECK(f.column("both").row_codes(r).size() == 2);
        CHECK(f.value(r, "pair") == static_cast<float>(std::stoi(user.substr(5)) * 1000 + track));
        double sum = 0;
        for (auto const& e : t.of_user(user)) sum += e.track;
        CHECK(same_number(static_cast<double>(f.value(r, "mean_id")),
                          t.of_user(user).empty() ? missing : sum / static_cast<double>(t.of_user(user).size())));
        CHECK(f.value(r, "always") == 3);
    }
    CHECK(calls == p.data.n_users());
}

TEST_CASE("the set gives its moment, its matrix and the sources of its pool") {
    prepared const p;
    auto const known = p.data.before(p.w.t0);
    auto const seen = seen_of(known);
    auto const set = rs::features(known, seen, als_pool(known.n_items(), 4));
    CHECK(set.as_of() == as_point(p.w.t0));
    CHECK(set.seen().n_entries() == seen.n_entries());
    rs::user_index const users[] = {rs::user_index{3}};
    auto const lists = set.source("als").recommend_block(users, {.k = 3});
    REQUIRE(lists.size() == 1);
    CHECK(lists[0].list.size() == 3);
    CHECK_THROWS_WITH_AS(static_cast<void>(set.source("none")), doctest::Contains("none"), rs::data_error);
    CHECK(set.provenance().users == p.data.users().fingerprint());
}

TEST_CASE("a pool or matrix that knows more than the events, or other ids, is an error that names both") {
    prepared const p;
    auto const known = p.data.before(p.w.t0);
    auto const seen = seen_of(known);
    auto const later = als_pool(known.n_items(), 4, p.data.before(p.w.t2).provenance());
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::features(known, seen, later)),
                         doctest::Contains("the candidate pool knows events up to 2022-06-13T00:00:00Z, the events given end before "
                                           "2022-05-30T00:00:00Z"),
                         rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::features(known, seen_of(p.data.before(p.w.t2)), als_pool(known.n_items(), 4))),
                         doctest::Contains("the matrix of seen items knows events"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::features(known, seen, als_pool(known.n_items(), 4, {0, 12345, {}}))),
                         doctest::Contains("other item ids"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::features(known, rs::csr(), als_pool(known.n_items(), 4))), doctest::Contains("is 0 x 0"),
                         rs::data_error);
    CHECK_NOTHROW(static_cast<void>(
        rs::features(known, seen, als_pool(known.n_items(), 4, p.data.before(day(10)).provenance())))); // an older model is no leak
    auto const set = rs::features(known, seen, als_pool(known.n_items(), 4));
    CHECK_THROWS_WITH_AS(static_cast<void>(set.score("x", formula_scorer{known.n_items(), 2, p.data.before(p.w.t2).provenance()})),
                         doctest::Contains("a scorer knows events"), rs::data_error);
}

TEST_CASE("c17 users and items that occur only later have no history and missing numbers, and stay inside the tables") {
    std::vector<play> const log{{"u0", 0, day(0)}, {"u1", 0, day(1)}, {"u2", 0, day(5)}, {"u0", 5, day(6)}};
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track).time(&play::at));
    auto const known = data.before(day(4));
    auto const seen = seen_of(known);
    auto const set = rs::features(known, seen, als_pool(known.n_items(), 2))
                         .counts()
                         .recency()
                         .repeats()
                         .user_months("months")
                         .user_mean("pop", item_statistic::plays());
    auto const f = rs::feature_frames(set, data.users().all(), seen, {.include_seen = true});
    REQUIRE(f.n_rows() == 6);
    auto const u2 = data.users().at("u2");
    auto const i5 = data.items().at(5);
    std::size_t found = 0;
    for (std::size_t r = 0; r < 6; ++r) {
        if (f.item(r) == i5) {
            ++found;
            CHECK(f.value(r, "plays") == 0);
            CHECK(std::isnan(f.value(r, "age")));
            CHECK(f.value(r, "trend") == 1);
        }
        if (f.user(r) == u2) {
            ++found;
            CHECK(f.value(r, "user_events") == 0);
            CHECK(std::isnan(f.value(r, "months")));
            CHECK(std::isnan(f.value(r, "pop")));
        }
    }
    CHECK(found == 5);
}

TEST_CASE("features of undated events work where no time is needed, and say so where it is") {
    std::vector<play> const log{{"a", 1, {}}, {"a", 2, {}}, {"b", 1, {}}};
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track));
    auto const seen = seen_of(data);
    auto const set = rs::features(data, seen, als_pool(2, 2)).counts().pair_events("n");
    CHECK(rs::feature_frames(set, data.users().all(), seen, {.include_seen = true}).n_rows() == 4);
    CHECK_FALSE(set.as_of());
    CHECK_THROWS_AS(static_cast<void>(set.recency()), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(set.user_months("m")), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(set.repeats()), rs::data_error);
}
