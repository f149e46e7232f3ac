// SPDX-License-Identifier: MIT
#include "ranking.hpp"

#include <algorithm>
#include <cmath>

#include "charts.hpp"
#include "tables.hpp"

namespace music {

namespace rs = recsys;
using namespace std::chrono;

rs::als_model fit_als(journal& log, rs::csr const& heard, als_setting setting, std::size_t iterations, double tolerance) {
    return rs::als({.factors = log.set.factors,
                    .regularization = setting.regularization,
                    .alpha = setting.alpha,
                    .iterations = iterations,
                    .tolerance = tolerance,
                    .seed = log.set.seed,
                    .run = log.run()})
        .fit(heard);
}

feature_set recipe(world const& all, rs::dataset<id, id> const& known, rs::csr const& heard, rs::als_model const& als, options const& set) {
    using statistic = rs::item_statistic;
    auto const pool = rs::candidates().from("als", als, set.candidates);
    auto out = rs::features(known, heard, pool) // als_score and als_rank come with the pool
                   .item_category("genre_names", [&](id t) { return all.genre_names(t); })
                   .category_share("genre_and_votes", "genre_names")
                   .user_months("tracks_month")
                   .user_events("tracks_listened")
                   .user_mean("rating_avg", statistic::rating())
                   .user_deviation("rating_std", statistic::rating())
                   .user_events_per_month("tracks_per_month")
                   .item_number("plays", statistic::plays())
                   .recency() // plays_30, plays_7, trend, age
                   .item_categories("genres", [&](id t) { return all.at(t).genres; })
                   .first_value_share("user_genre", "genres")
                   .item_categories("artists", [&](id t) { return all.at(t).artists; })
                   .first_value_share("user_artist", "artists")
                   .without("genres")
                   .without("artists")
                   .user_mean("user_pop", statistic::log_plays(days{30}), rs::averaged::over_items)
                   .gap("pop_gap", statistic::log_plays(days{30}), rs::averaged::over_items)
                   .last_similarity("last_sim", als, {.last = 5});
    return set.include_seen ? out.repeats() : out;
}

namespace {

using training_candidates = table_file<id, id, float, int>;
using candidates_table = table_file<id, id, float>;
using recommendations_table = table_file<id, id, float, float, std::size_t>;

void write_training_candidates(training_candidates& file, world const& all, rs::frame const& rows) {
    auto const& score = rows.column("als_score").numbers;
    for (std::size_t i = 0; i < rows.n_rows(); ++i)
        file.row(all.data.users().id(rows.user(i)), all.data.items().id(rows.item(i)), score[i], static_cast<int>(rows.targets()[i]));
}

void report_training(journal& log, rs::training_report const& found, std::string const& suffix) {
    auto const line = [](char const* name, rs::training_counts const& n) {
        return std::vector<std::string>{name, pretty(static_cast<double>(n.users)), pretty(static_cast<double>(n.rows)),
                                        pretty(static_cast<double>(n.positives)), pretty(static_cast<double>(n.negatives))};
    };
    log.page.table({"rows of the ranker" + suffix, "users", "rows", "positives", "negatives"},
                   {line("candidates", found.candidates), line("kept", found.kept)});
    log.find(text("Of the %zu (user, track) pairs that users with a history played in the label window, %.1f%% are among their candidates: "
                  "no ranker can find the others. Training keeps %zu users, %zu positives and %zu negatives.",
                  found.label_pairs, 100 * found.found(), found.kept.users, found.kept.positives, found.kept.negatives));
    for (auto const& warning : found.warnings()) log.warn(warning);
    auto const counts = [](rs::training_counts const& n) {
        return nlohmann::ordered_json{{"users", n.users}, {"rows", n.rows}, {"positives", n.positives}, {"negatives", n.negatives}};
    };
    log.result["ranker" + suffix]["candidates"] = counts(found.candidates);
    log.result["ranker" + suffix]["kept"] = counts(found.kept);
    log.result["ranker" + suffix]["label_pairs"] = found.label_pairs;
}

void show_ranker(journal& log, rs::booster_model const& ranker, std::string const& suffix) {
    auto const& report = ranker.report();
    auto const best = report.best_iteration.value_or(0);
    if (!report.valid_loss.empty())
        log.find(text("The ranker%s keeps %zu trees; the log loss on the held-out users is %.5f, with the first tree alone it was %.5f.",
                      suffix.c_str(), ranker.n_trees(), report.valid_loss[best], report.valid_loss.front()));
    if (report.valid_loss.size() >= log.set.trees)
        log.warn(text("the ranker%s never stopped early: %zu trees were not enough to see its validation loss rise", suffix.c_str(),
                      report.valid_loss.size()));
    for (auto const& warning : report.warnings) log.warn(warning);
    std::vector<bar> bars;
    for (auto const& [name, share] : ranker.importances()) {
        bars.push_back({name, share});
        log.result["importances" + suffix][name] = share;
    }
    log.page.figure(bar_chart(bars, "Importance of each feature" + suffix + ", percent of the change of predictions"));
    log.result["ranker" + suffix]["trees"] = ranker.n_trees();
    log.result["ranker" + suffix]["valid_log_loss"] = report.valid_loss.empty() ? 0 : report.valid_loss[best];
}

rs::frame make_rows(journal& log, world const& all, windows const& w, rs::csr const& heard, rs::als_model const& als,
                    std::string const& suffix) {
    auto const learn = recipe(all, w.past, heard, als, log.set);
    std::optional<training_candidates> file;
    if (suffix.empty() && !log.set.no_candidate_tables)
        file.emplace(log, "candidates_for_train", header{"user_id", "track_id", "als_score", "target"},
                     candidates_for_train_bytes(log.set, log.size));
    auto const write = [&](rs::frame const& rows) {
        if (file) write_training_candidates(*file, all, rows);
    };
    auto const made = rs::training_set(
        learn, w.labels,
        {.negatives_per_user = log.set.negatives, .include_seen = log.set.include_seen, .candidates = write, .seed = 0, .run = log.run()});
    if (file) file->close();
    report_training(log, made.report, suffix);
    return made.frame;
}

json options_with(options const& set, std::vector<std::string> const& names, als_setting setting) {
    auto out = options_of(set, names);
    out["alpha"] = setting.alpha, out["regularization"] = setting.regularization;
    return out;
}

}

rs::frame training_rows(journal& log, world const& all, windows const& w, als_setting setting, std::string const& suffix) {
    // Where every part was done before, nobody needs the matrix.
    std::optional<rs::csr> matrix;
    auto const heard = [&]() -> rs::csr const& { return matrix ? *matrix : matrix.emplace(rs::user_items(w.past, {.run = log.run()})); };
    rs::als_model als;
    auto const als_file = "steps/als_t0" + suffix + ".rsm", rows_file = "steps/rows" + suffix + ".rsm";
    log.once(
        {"06-als" + suffix, options_with(log.set, {"factors", "iterations", "seed"}, setting), {"02-explored"}, {}},
        [&] {
            log.say.step("6 ALS before T0" + suffix);
            als = fit_als(log, heard(), setting, log.set.iterations);
            rs::save(log.file(als_file), als);
        },
        [&] { als = rs::load<rs::als_model>(log.file(als_file)); });
    rs::frame rows;
    log.once(
        {"06-rows" + suffix,
         options_of(log.set, {"candidates", "negatives", "include-seen", "no-candidate-tables", "tables"}),
         {"06-als" + suffix},
         {}},
        [&] {
            log.say.step("6 Training rows" + suffix);
            rows = make_rows(log, all, w, heard(), als, suffix);
            rs::save(log.file(rows_file), rows);
        },
        [&] { rows = rs::load<rs::frame>(log.file(rows_file)); });
    return rows;
}

rs::booster_model train_ranker(journal& log, rs::frame const& rows, std::string const& suffix) {
    rs::booster_model ranker;
    auto const file = "ranker" + suffix + ".rsm";
    log.once(
        {"08-ranker" + suffix, options_of(log.set, {"trees", "learning-rate", "depth", "patience", "seed"}), {"06-rows" + suffix}, {}},
        [&] {
            log.say.step("8 Ranker" + suffix);
            auto const [train, valid] = rs::split_groups(rows, [](rs::user_index user) { return rs::to_size(user) % 7 == 0; });
            ranker = rs::booster({.loss = rs::log_loss{},
                                  .trees = log.set.trees,
                                  .learning_rate = log.set.learning_rate,
                                  .depth = log.set.depth,
                                  .early_stopping_rounds = log.set.patience,
                                  .seed = log.set.seed,
                                  .run = log.run()})
                         .fit(train, valid);
            rs::save(log.file(file), ranker);
            show_ranker(log, ranker, suffix);
        },
        [&] { ranker = rs::load<rs::booster_model>(log.file(file)); });
    return ranker;
}

rs::als_model refit(journal& log, rs::dataset<id, id> const& known, rs::csr const& heard, als_setting setting, std::string const& suffix) {
    rs::als_model als;
    auto const file = "als_t2" + suffix + ".rsm";
    log.once(
        {"07-als" + suffix, options_with(log.set, {"factors", "refit-iterations", "seed"}, setting), {"02-explored"}, {}},
        [&] {
            log.say.step("7 ALS refitted" + suffix);
            als = fit_als(log, heard, setting, log.set.refit_iterations, 1e-3);
            auto const& loss = als.report().loss;
            log.find(text("ALS%s refitted on all %zu events before T2: %zu of at most %zu iterations, loss %.6g%s.", suffix.c_str(),
                          known.size(), loss.size(), log.set.refit_iterations, loss.back(),
                          loss.size() < log.set.refit_iterations ? " (it stopped when the loss fell by less than 0.1% an iteration)" : ""));
            rs::save(log.file(file), als);
        },
        [&] { als = rs::load<rs::als_model>(log.file(file)); });
    return als;
}

namespace {

void write_candidates(candidates_table& file, world const& all, rs::frame const& rows) {
    auto const& score = rows.column("als_score").numbers;
    for (std::size_t i = 0; i < rows.n_rows(); ++i)
        file.row(all.data.users().id(rows.user(i)), all.data.items().id(rows.item(i)), score[i]);
}

/// The rows of a block in the ranker's order, beside the score of ALS.
void write_ranked(recommendations_table& file, world const& all, rs::frame const& rows, rs::lists const& ranked) {
    auto const& score = rows.column("als_score").numbers;
    std::size_t first = 0;
    std::vector<std::pair<rs::item_index, float>> als;
    for (std::size_t g = 0; g < ranked.size(); ++g) {
        auto const end = static_cast<std::size_t>(rows.group_ends()[g]);
        als.clear();
        for (; first < end; ++first) als.emplace_back(rows.item(first), score[first]);
        std::sort(als.begin(), als.end());
        std::size_t rank = 0;
        for (auto const& [item, probability] : ranked[g].list) {
            auto const at = std::lower_bound(als.begin(), als.end(), std::pair(item, -INFINITY));
            file.row(all.data.users().id(ranked[g].user), all.data.items().id(item), at->second, probability, ++rank);
        }
    }
}

}

void rank_everybody(journal& log, world const& all, rs::truth const& future, feature_set const& serve, rs::booster_model const& ranker,
                    std::string const& suffix, std::function<void(rs::lists const&)> const& sink) {
    std::optional<candidates_table> candidates;
    std::optional<recommendations_table> recommendations;
    if (suffix.empty()) {
        if (!log.set.no_candidate_tables)
            candidates.emplace(log, "candidates_to_rank", header{"user_id", "track_id", "als_score"},
                               candidates_to_rank_bytes(log.set, log.size));
        recommendations.emplace(log, "recommendations", header{"user_id", "track_id", "als_score", "cb_score", "rank"},
                                recommendations_bytes(log.set, log.size));
    }
    auto const rank = [&](rs::frame const& rows) {
        auto const ranked =
            rs::rank_rows(rows, ranker.predict(rows, {.threads = log.set.threads}), {.k = log.set.candidates, .as_of = ranker.as_of()});
        if (candidates) write_candidates(*candidates, all, rows);
        if (recommendations) write_ranked(*recommendations, all, rows, ranked);
        sink(ranked);
    };
    auto const report =
        rs::feature_frames(serve, future.active_users(), serve.seen(), {.include_seen = log.set.include_seen, .run = log.run()}, rank);
    if (candidates) candidates->close();
    if (recommendations) recommendations->close();
    log.find(text(
        "%zu users have an event from T2 on; %zu of them have no history and get nothing from the model; the others got %zu candidates.",
        report.users, report.empty, report.slots));
    log.result["ranker" + suffix]["ranked_users"] = report.users - report.empty;
    log.result["ranker" + suffix]["ranked_rows"] = report.slots;
    if (log.set.include_seen) log.result["ranker" + suffix]["seen_rows"] = report.seen_slots;
}

} // namespace music
