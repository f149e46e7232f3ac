// SPDX-License-Identifier: MIT
#include "retrieval.hpp"

#include <algorithm>
#include <optional>

#include "charts.hpp"
#include "common/csv.hpp"
#include "tables.hpp"

namespace music {

namespace rs = recsys;
using namespace std::chrono;

namespace {

constexpr std::size_t n_popular = 100;

std::string title(world const& all, rs::item_index item) { return all.book.name(entity::track, all.data.items().id(item)); }
std::string artists(world const& all, rs::item_index item) { return all.book.names(entity::artist, all.at(item).artists); }

/// The number of users of each track that has any, scaled to [0, 1].
std::vector<double> ratings_of(rs::popularity_model const& users) {
    std::vector<float> counts;
    for (std::size_t i = 0; i < users.n_items(); ++i)
        if (users.knows(static_cast<rs::item_index>(i))) counts.push_back(users.scores()[i]);
    return counts.empty() ? std::vector<double>(users.n_items()) : rs::min_max_scaler::fit(counts).transform(users.scores());
}

/// The best items of a model that says the same to everybody.
std::vector<rs::scored> best_of(rs::popularity_model const& model, std::size_t n) {
    return rs::recommend(model, rs::user_index{0}, rs::nothing_seen, {.k = n});
}

}

std::vector<rs::item_index> popularity_step(journal& log, world const& all, moments const& when) {
    log.say.step("4 Popularity baseline");
    log.page.section("4 Popularity baseline");
    auto const known = all.data.before(when.t1);
    auto const popular = rs::popularity({.run = log.run()}).fit(known);
    auto const recent = rs::popularity({.window = days{log.set.popular_days}, .run = log.run()}).fit(known);
    auto const ratings = ratings_of(popular);
    csv::writer file(log.file("top_popular.csv"),
                     header{"rank", "track_id", "users", "users_recent", "mean_rating", "track", "albums", "artists", "genres"});
    std::vector<rs::item_index> out;
    rows_of_text shown;
    for (auto const& [item, users] : best_of(popular, n_popular)) {
        out.push_back(item);
        auto const& t = all.at(item);
        file.row(out.size(), t.track_id, users, recent.scores()[rs::to_size(item)], ratings[rs::to_size(item)], title(all, item),
                 all.book.names(entity::album, t.albums), artists(all, item), all.book.names(entity::genre, t.genres));
        if (out.size() <= 10)
            shown.push_back({std::to_string(out.size()), title(all, item), artists(all, item), pretty(static_cast<double>(users)),
                             pretty(static_cast<double>(recent.scores()[rs::to_size(item)]))});
    }
    file.close();
    log.page.table({"rank", "track", "artists", "users before T1", text("users in the last %d days", log.set.popular_days)}, shown);
    std::size_t common = 0;
    for (auto const& one : best_of(recent, n_popular)) common += std::find(out.begin(), out.end(), one.item) != out.end();
    log.find(text("Of the %zu most popular tracks of all time, %zu are also among the %zu of the last %d days.", out.size(), common,
                  n_popular, log.set.popular_days));
    return out;
}

namespace {

void show_user(journal& log, world const& all, moments const& when, rs::als_model const& als, rs::csr const& heard) {
    auto const test = rs::split_by_time(all.data, when.t1).test;
    auto user = test.active_users().empty() ? rs::user_index{0} : test.active_users()[0];
    if (!log.set.show_user.empty()) user = all.data.users().at(std::stoll(log.set.show_user));
    auto const known = all.data.before(when.t1);
    rows_of_text events;
    for (std::size_t row = known.size(); row > 0 && events.size() < 10; --row)
        if (known.event_users()[row - 1] == user)
            events.push_back({rs::detail::time_text(known.event_times()[row - 1]).substr(0, 10), title(all, known.event_items()[row - 1]),
                              artists(all, known.event_items()[row - 1])});
    auto const name = std::to_string(all.data.users().id(user));
    log.page.table({"day", "track", "artists"}, events, "The last events of user " + name + " before T1");
    rows_of_text listed;
    for (auto const& [item, score] : rs::recommend(als, user, heard, {.k = 5, .include_seen = log.set.include_seen}))
        listed.push_back({title(all, item), artists(all, item), all.book.names(entity::genre, all.at(item).genres),
                          text("%.4f", static_cast<double>(score))});
    log.page.table({"track", "artists", "genres", "score"}, listed, "Recommended to user " + name);
}

void write_similar(journal& log, world const& all, rs::als_model const& als) {
    csv::writer file(log.file("similar_items.csv"), header{"track_id", "similar_track_id", "cosine"});
    std::vector<rs::item_index> trained;
    for (auto const item : all.data.items().all())
        if (als.knows(item)) trained.push_back(item);
    std::size_t n = 0;
    rs::similar_items(als, trained, {.k = 5, .run = log.run()}, [&](rs::similar_item_lists const& block) {
        for (auto const& [item, list] : block)
            for (auto const& [other, cosine] : list) file.row(all.data.items().id(item), all.data.items().id(other), cosine), ++n;
    });
    file.close();
    log.find(text("%zu tracks were played before T1; similar_items.csv has %zu neighbours of them.", trained.size(), n));
}

void show_similar(journal& log, world const& all, rs::als_model const& als, rs::popularity_model const& popular) {
    auto const best = best_of(popular, 1);
    if (best.empty()) return;
    rows_of_text listed;
    for (auto const& [other, cosine] : rs::similar_items(als, best[0].item, {.k = 5}))
        listed.push_back({title(all, other), artists(all, other), all.book.names(entity::genre, all.at(other).genres),
                          text("%.4f", static_cast<double>(cosine))});
    log.page.table({"track", "artists", "genres", "cosine"}, listed,
                   "Most similar to " + title(all, best[0].item) + " (" + artists(all, best[0].item) + "; " +
                       all.book.names(entity::genre, all.at(best[0].item).genres) + ")");
}

}

namespace {

rs::als_model fit_step(journal& log, rs::csr const& heard) {
    log.say.step("5 ALS");
    log.page.section("5 ALS, as of T1");
    log.result["counts"]["matrix"] = {
        {"users", heard.n_users()}, {"items", heard.n_items()}, {"entries", heard.n_entries()}, {"merged", heard.report().merged}};
    auto als = fit_als(log, heard, {log.set.alpha, log.set.regularization}, log.set.iterations);
    for (auto const& warning : als.report().warnings) log.warn(warning);
    log.result["als"]["loss"] = als.report().loss;
    rs::save(log.file("als.rsm"), als);
    log.find(text(
        "A matrix of %zu users x %zu tracks with %zu entries (%zu repeated plays were added to theirs); the loss fell from %.6g to %.6g in %zu iterations.",
        heard.n_users(), heard.n_items(), heard.n_entries(), heard.report().merged, als.report().loss.front(), als.report().loss.back(),
        als.report().loss.size()));
    return als;
}

void write_personal(journal& log, world const& all, rs::als_model const& als, rs::csr const& heard, std::size_t n_known) {
    log.say.step("5 ALS for everybody");
    table_file<id, id, float, std::size_t, std::string, std::string> file(
        log, "personal_als", {"user_id", "track_id", "als_score", "rank", "track", "artists"}, personal_bytes(log.size));
    auto const report = rs::recommend(als, all.data.users().all(), heard, {.k = 5, .include_seen = log.set.include_seen, .run = log.run()},
                                      [&](rs::lists const& block) {
                                          for (auto const& [user, list] : block)
                                              for (std::size_t i = 0; i < list.size(); ++i)
                                                  file.row(all.data.users().id(user), all.data.items().id(list[i].item), list[i].score,
                                                           i + 1, title(all, list[i].item), artists(all, list[i].item));
                                      });
    file.close();
    log.find(text("personal_als.csv: %zu recommendations; %zu of %zu users had no event before T1 and got none.", report.slots,
                  report.cold_users, report.users));
    if (log.set.include_seen)
        log.warn(text("seen tracks are let in: they take %zu of %zu slots, and %zu of the %zu events before T1 repeat a (user, track) pair",
                      report.seen_slots, report.slots, heard.report().merged, n_known));
}

}

void als_step(journal& log, world const& all, moments const& when) {
    auto const known = all.data.before(when.t1);
    // Where every part was done before, nobody needs the matrix.
    std::optional<rs::csr> matrix;
    auto const heard = [&]() -> rs::csr const& { return matrix ? *matrix : matrix.emplace(rs::user_items(known, {.run = log.run()})); };
    rs::als_model als;
    log.once(
        {"05-als", options_of(log.set, {"factors", "iterations", "regularization", "alpha", "seed"}), {"02-explored"}, {}},
        [&] { als = fit_step(log, heard()); }, [&] { als = rs::load<rs::als_model>(log.file("als.rsm")); });
    log.once({"05-personal", options_of(log.set, {"include-seen", "show-user", "tables"}), {"05-als"}, {}}, [&] {
        write_personal(log, all, als, heard(), known.size());
        show_user(log, all, when, als, heard());
    });
    log.once({"05-similar", {}, {"05-als"}, {}}, [&] {
        log.say.step("5 Similar tracks");
        write_similar(log, all, als);
        show_similar(log, all, als, rs::popularity().fit(known));
    });
}

als_setting tune_als(journal& log, windows const& w) {
    log.say.step("5 Tuning ALS");
    log.page.section("5 ALS, tuned");
    auto const heard = rs::user_items(w.past);
    auto const metric = "ndcg@" + std::to_string(log.set.k);
    als_setting best{};
    double best_value = -1;
    rows_of_text shown;
    for (double const alpha : {1., 10., 40.})
        for (double const regularization : {.05, 1., 10., 30.}) {
            als_setting const setting{alpha, regularization};
            auto const als = fit_als(log, heard, setting, 5);
            auto const table = rs::evaluate({{"als", als}}, w.labels, heard, {rs::ndcg(log.set.k)},
                                            {.resamples = 0, .include_seen = log.set.include_seen, .run = log.run()});
            double const value = table.at("als", metric).mean;
            shown.push_back({pretty(alpha), pretty(regularization), text("%.4f", value)});
            log.result["tuning"].push_back({{"alpha", alpha}, {"regularization", regularization}, {metric, value}});
            if (value > best_value) best = setting, best_value = value;
        }
    log.page.table({"alpha", "regularization", metric}, shown, "On the label window, of ALS with 5 iterations on the events before T0");
    log.find(text("The best of the grid is alpha %g with regularization %g: %s %.4f on the label window.", best.alpha, best.regularization,
                  metric.c_str(), best_value));
    log.result["als_tuned"] = {{"alpha", best.alpha}, {"regularization", best.regularization}};
    return best;
}

} // namespace music
