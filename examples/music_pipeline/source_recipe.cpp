// SPDX-License-Identifier: MIT
#include "source_recipe.hpp"

#include <cstdint>

#include "ranking.hpp"

namespace music {

namespace rs = recsys;

namespace {

/// Ratings over all events, those of the test included.
std::vector<double> ratings_of(rs::events const& rows) {
    auto const users = rs::popularity().fit(rows);
    return rs::min_max_scaler::fit(users.scores()).transform(users.scores());
}

/// The events with the rating of their track cut down to a whole number: 0 for all but the most popular track.
rs::dataset<id, id> truncated(world const& all, std::vector<double> const& ratings) {
    auto const& rows = all.data;
    return rs::ingest(rs::row_numbers(rows.size()),
                      rs::columns()
                          .user([&](std::size_t row) { return rows.users().id(rows.event_users()[row]); })
                          .item([&](std::size_t row) { return rows.items().id(rows.event_items()[row]); })
                          .weight([&](std::size_t row) { return static_cast<std::int8_t>(ratings[rs::to_size(rows.event_items()[row])]); })
                          .time([&](std::size_t row) { return rows.event_times()[row]; }),
                      rs::ingest_options<id, id>{.users = rows.users(), .items = rows.items()});
}

/// The source's eight features, its ratings over all events.
feature_set eight_features(world const& all, rs::dataset<id, id> const& known, rs::als_model const& als, std::vector<double> const& ratings,
                           std::size_t candidates) {
    auto const rating = rs::item_statistic::column("rating");
    return rs::features(known, rs::user_items(known), rs::candidates().from("als", als, candidates))
        .item_category("genre_names", [&](id t) { return all.genre_names(t); })
        .category_share("genre_and_votes", "genre_names")
        .user_months("tracks_month")
        .user_events("tracks_listened")
        .item_number("rating", [&](id t) { return ratings[rs::to_size(all.data.items().at(t))]; })
        .user_mean("rating_avg", rating)
        .user_deviation("rating_std", rating)
        .user_events_per_month("tracks_per_month")
        .only({"als_score", "genre_names", "genre_and_votes", "tracks_month", "tracks_listened", "rating_avg", "rating_std",
               "tracks_per_month"});
}

void put(journal& log, std::vector<std::vector<std::string>>& shown, char const* row, rs::source_metrics const& m) {
    auto const at_k = "@" + std::to_string(log.set.k);
    log.result["metrics"]["source"][row] = {{"precision" + at_k, m.precision},
                                            {"recall" + at_k, m.recall},
                                            {"coverage", m.coverage},
                                            {"novelty" + at_k, m.novelty},
                                            {"users", m.users}};
    shown.push_back({row, text("%.4f", m.precision), text("%.4f", m.recall), text("%.4f", m.coverage), text("%.4f", m.novelty),
                     std::to_string(m.users)});
}

}

void source_recipe(journal& log, world const& all, moments const& when) {
    log.say.step("The source's recipe");
    log.page.section("The source's own recipe");
    if (!(when.t1 < when.t2)) return log.warn("the source's recipe needs T1 before T2: it takes the events between them as labels");
    std::size_t const k = log.set.k;
    auto const ratings = ratings_of(all.data);
    auto const data = truncated(all, ratings);
    auto const w = rs::split_by_time(data, when.t1, when.t2);
    auto const heard = rs::user_items(w.past);
    log.find(text("Cast to int8, %zu of the %zu entries of its matrix are 0.", heard.report().stored_zeros, heard.n_entries()));
    auto const test = rs::split_by_time(data, when.t1).test;
    rs::recommend_options const five{.k = k, .include_seen = true, .run = log.run()};
    std::vector<std::vector<std::string>> shown;
    put(log, shown, "popular",
        rs::judge_by_source(rs::recommend(rs::popularity().fit(w.past), test.active_users(), heard, five), test, heard, {k, k}));

    als_setting const setting{1, 0.05};
    auto const als = fit_als(log, heard, setting, 10);
    put(log, shown, "als", rs::judge_by_source(rs::recommend(als, test.active_users(), heard, five), test, heard, {k, k}));

    auto const learn = eight_features(all, w.past, als, ratings, 5);
    auto const rows = rs::training_set(learn, w.labels, {.negatives_per_user = 5, .include_seen = true, .run = log.run()});
    if (rows.report.kept.positives == 0) {
        log.warn("the source's recipe finds no positive among its five candidates a user: it has no ranker");
    } else {
        auto const ranker = rs::booster({.trees = 1000, .learning_rate = 0.1, .depth = 6, .seed = 42, .run = log.run()}).fit(rows.frame);
        auto const known = data.before(when.t2);
        auto const heard_t2 = rs::user_items(known);
        auto const serve = eight_features(all, known, fit_als(log, heard_t2, setting, 50), ratings, 100);
        rs::recommend_options const hundred{.k = 100, .include_seen = true, .run = log.run()};
        auto const ranked = rs::recommend(rs::two_stage(serve, ranker), w.future.active_users(), heard_t2, hundred);
        put(log, shown, "ranked", rs::judge_by_source(ranked, w.future, heard_t2, {k, 100}));
    }
    log.page.table(
        {"source", "precision", "recall", "coverage", "novelty", "users"}, shown,
        "Its rows are not comparable: ALS is judged on all test events, the ranker on those from T2 on, coverage divides by users, and tracks "
        "that the user has heard are let in");
}

} // namespace music
