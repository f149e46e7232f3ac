// SPDX-License-Identifier: MIT
// The whole two-stage recommender, from raw CSV files to ranked recommendations, a table of metrics and report.html.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "charts.hpp"
#include "common/csv.hpp"
#include "generate.hpp"
#include "judging.hpp"
#include "kept_world.hpp"
#include "preparation.hpp"
#include "ranking.hpp"
#include "retrieval.hpp"
#include "source_recipe.hpp"
#include "stopping.hpp"

namespace music {

namespace rs = recsys;

namespace {

/// The tables of the input that are there, whatever their form.
std::vector<std::string> tables_of(std::string const& folder) {
    std::vector<std::string> out;
    for (auto const& entry : std::filesystem::directory_iterator(folder))
        for (auto const* const name : {"tracks", "catalog_names", "interactions"})
            if (entry.is_regular_file() && entry.path().stem() == name) out.push_back(entry.path().string());
    std::sort(out.begin(), out.end());
    return out;
}

void make_data(journal& log, std::string const& folder) {
    log.say.step("Making data");
    std::filesystem::create_directories(folder);
    auto const& o = log.set;
    auto const lines = generate({.users = o.users,
                                 .tracks = o.tracks,
                                 .events = o.events,
                                 .repeats = o.repeats,
                                 .id_time_order = o.id_time_order,
                                 .seed = o.data_seed,
                                 .threads = o.threads,
                                 .columns = o.as_columns,
                                 .progress = log.say.bar()},
                                folder);
    log.say.print(to_text(lines));
    log.page.section("The data that was made");
    std::vector<std::vector<std::string>> shown;
    for (auto const& line : lines) shown.push_back({line.what, pretty(line.wanted), pretty(line.got)});
    log.page.table({"what", "wanted", "got"}, shown, "Shaped like the log of a music service, at this size");
}

/// The folder of the input: the user's, or one with data that was asked for.
std::string input_folder(journal& log) {
    if (!log.set.data.empty()) return log.set.data;
    auto const folder = (std::filesystem::path(log.set.out) / "data").string();
    log.once({"00-data", options_of(log.set, {"users", "tracks", "events", "data-seed", "repeats", "id-time-order", "format"}), {}, {}},
             [&] {
                 make_data(log, folder);
                 for (auto const& path : tables_of(folder)) log.file("data/" + std::filesystem::path(path).filename().string());
             });
    return folder;
}

/// Steps 0 and 1; later runs read what was kept.
world prepared(journal& log, std::string const& folder) {
    world all;
    log.once(
        {"01-prepared", options_of(log.set, {"skip-bad-rows", "drop-empty-lists", "split", "tables"}), {}, tables_of(folder)},
        [&] {
            all = prepare(log, folder);
            save_world(log, all);
        },
        [&] { all = load_world(log); });
    return all;
}

/// Steps 2 and 3.
moments explored(journal& log, world const& all) {
    moments when;
    auto const to_json_time = [](rs::time_point t) { return t.time_since_epoch().count(); };
    auto const kept = log.once({"02-explored", options_of(log.set, {"split", "future-days", "label-days"}), {"01-prepared"}, {}}, [&] {
        explore(log, all);
        when = find_moments(log, all);
        split(log, all, when);
        return json{to_json_time(when.t1), to_json_time(when.t2), to_json_time(when.t0)};
    });
    auto const from_json_time = [&](std::size_t i) { return rs::time_point(std::chrono::microseconds(kept.at(i).get<std::int64_t>())); };
    return {from_json_time(0), from_json_time(1), from_json_time(2)};
}

/// Now that it is known how many users and tracks there are.
void check_models_fit(journal& log, world const& all, windows const& w) {
    log.size.users = static_cast<double>(all.data.users().size());
    log.size.tracks = static_cast<double>(all.tracks.size());
    log.size.label_users = static_cast<double>(w.labels.active_users().size());
    log.size.future_users = static_cast<double>(w.future.active_users().size());
    static_cast<void>(check_disk(log.set, log.size));
}

/// Step 4. Returns the most popular tracks.
std::vector<rs::item_index> popular_tracks(journal& log, world const& all, moments const& when) {
    auto const kept = log.once({"04-popular", options_of(log.set, {"popular-days"}), {"02-explored"}, {}}, [&] {
        auto items = json::array();
        for (auto const item : popularity_step(log, all, when)) items.push_back(rs::to_size(item));
        return items;
    });
    std::vector<rs::item_index> out;
    for (auto const& item : kept) out.push_back(static_cast<rs::item_index>(item.get<std::uint32_t>()));
    return out;
}

als_setting tuned(journal& log, windows const& w) {
    auto const kept = log.once({"05-tuned", options_of(log.set, {"factors", "seed", "k", "include-seen"}), {"02-explored"}, {}}, [&] {
        auto const best = tune_als(log, w);
        return json{best.alpha, best.regularization};
    });
    return {kept.at(0).get<double>(), kept.at(1).get<double>()};
}

/// The rows that say the same to everybody.
void popular_rows(journal& log, judging& judge) {
    auto const row = [&](std::string const& name, rs::popularity const& how, json const& options) {
        row_step(log, judge, name, {"09-" + name, options, {"02-explored"}, {}}, [&](list_sink const& sink) {
            log.say.step("9 Lists of " + name);
            judge.recommend(how.fit(judge.known()), sink);
        });
    };
    row("popular", rs::popularity(), options_of(log.set, {"k", "include-seen"}));
    row("popular_recent", rs::popularity({.window = std::chrono::days{log.set.popular_days}}),
        options_of(log.set, {"k", "include-seen", "popular-days"}));
}

/// Steps 6 to 8 for one setting of ALS.
void two_stages(journal& log, world const& all, windows const& w, als_setting setting, std::string const& suffix, judging& judge) {
    log.page.section("6 to 8 Training rows, candidates, ranker" + suffix);
    auto const ranker = train_ranker(log, training_rows(log, all, w, setting, suffix), suffix);
    auto const als = refit(log, judge.known(), judge.heard(), setting, suffix);
    // Where every list was made before, nobody needs the features.
    std::optional<feature_set> made;
    auto const serve = [&]() -> feature_set const& {
        return made ? *made : made.emplace(recipe(all, judge.known(), judge.heard(), als, log.set));
    };
    row_step(log, judge, "als" + suffix, {"09-als" + suffix, options_of(log.set, {"k", "include-seen"}), {"07-als" + suffix}, {}},
             [&](list_sink const& sink) {
                 log.say.step("9 Lists of als" + suffix);
                 judge.recommend(serve().source("als"), sink);
             });
    row_step(log, judge, "ranked" + suffix,
             {"07-ranked" + suffix,
              options_of(log.set, {"k", "candidates", "include-seen", "no-candidate-tables", "tables"}),
              {"07-als" + suffix, "08-ranker" + suffix},
              {}},
             [&](list_sink const& sink) {
                 log.say.step("7 Candidates to rank" + suffix);
                 rank_everybody(log, all, judge.future(), serve(), ranker, suffix, sink);
             });
}

/// What each step took, for the report and as times.csv, so that tables of several runs can be made.
void write_times(journal& log) {
    console::step_time const all{"all", log.say.seconds(), log.say.peak_mb(), log.say.cpu_seconds()};
    console::step_time between{"between the steps", all.seconds, 0, all.cpu_seconds};
    auto lines = log.say.times();
    for (auto const& step : lines) between.seconds -= step.seconds, between.cpu_seconds -= step.cpu_seconds;
    lines.insert(lines.end(), {between, all});
    csv::writer file(log.file("times.csv"), header{"step", "seconds", "cpu_seconds", "peak_mb"});
    rows_of_text shown;
    for (auto const& step : lines) {
        log.result["seconds"][step.name] = step.seconds;
        auto const peak = step.peak_mb > 0 ? text("%.0f", step.peak_mb) : std::string();
        file.row(step.name, text("%.3f", step.seconds), text("%.3f", step.cpu_seconds), peak);
        shown.push_back({step.name, text("%.1f", step.seconds), text("%.1f", step.cpu_seconds), peak});
    }
    file.close();
    log.result["peak_rss_mb"] = all.peak_mb;
    log.page.section("Time and memory");
    log.page.table({"step", "seconds", "CPU seconds", "peak MB"}, shown,
                   "Steps that an earlier run did: what they took then. Between the steps: checksums, and reading what was kept");
}

void write_results(journal& log) {
    write_times(log);
    write_whole(log.file("result.json"), log.result.dump(2, ' ', false, json::error_handler_t::replace) + '\n');
    write_whole(log.file("report.html"), log.page.html());
}

void run(journal& log) {
    if (log.set.generate_only) return make_data(log, log.set.out);
    log.size = log.set.data.empty() ? size_of_made(log.set) : size_of_input(log.set.data);
    log.say.say(check_disk(log.set, log.size));
    auto const folder = input_folder(log);
    log.result["include_seen"] = log.set.include_seen;

    auto const all = prepared(log, folder);
    auto const when = explored(log, all);
    auto const top_popular = popular_tracks(log, all, when);
    als_step(log, all, when);
    auto const w = rs::split_by_time(all.data, when.t0, when.t2);
    for (auto const& warning : w.report().warnings()) log.warn(warning);
    check_models_fit(log, all, w);
    judging judge(log, all, when);
    popular_rows(log, judge);
    two_stages(log, all, w, {log.set.alpha, log.set.regularization}, "", judge);
    std::vector<std::string> judged{"04-popular", "09-popular", "09-popular_recent", "09-als", "07-ranked"};
    if (log.set.tune_als) {
        two_stages(log, all, w, tuned(log, w), "_tuned", judge);
        judged.insert(judged.end(), {"09-als_tuned", "07-ranked_tuned"});
    }
    log.once({"09-judged", options_of(log.set, {"k", "resamples", "include-seen", "tune-als"}), judged, {}},
             [&] { judge.show(top_popular); });
    if (log.set.source_definitions)
        log.once({"10-source", options_of(log.set, {"k", "factors", "seed"}), {"02-explored"}, {}}, [&] { source_recipe(log, all, when); });
    log.say.done();
    write_results(log);
}

/// What is lost and what is not where a run ends early, and how to go on.
void say_how_to_go_on(journal const& log, std::string const& command) {
    if (log.steps.finished().empty()) return;
    std::string done;
    for (auto const& step : log.steps.finished()) done += (done.empty() ? "" : ", ") + step;
    std::fprintf(stderr, "These steps are finished and kept: %s.\nGo on with: %s\n", done.c_str(), command.c_str());
}

/// The command line that goes on, to be copied.
std::string resuming(int argc, char** argv) {
    std::string out;
    for (int i = 0; i < argc; ++i) {
        std::string const word = argv[i];
        if (word == "--resume") continue;
        bool const plain =
            word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+") == std::string::npos;
        out += plain && !word.empty() ? word + ' ' : '\'' + word + "' ";
    }
    return out + "--resume";
}

int run_to_the_end(options const& given, std::string const& command) {
    std::optional<journal> log;
    try {
        log.emplace(given);
        run(*log);
        return 0;
    } catch (interrupted const&) {
        auto const at = log ? log->say.at() : "";
        std::fprintf(stderr, "\nmusic_pipeline: stopped%s.\n", at.empty() ? " between two steps" : (" in step '" + at + "'").c_str());
        if (log) say_how_to_go_on(*log, command);
        return 130;
    } catch (std::exception const& error) {
        std::fprintf(stderr, "music_pipeline: %s\n", error.what());
        if (log) say_how_to_go_on(*log, command);
        return 1;
    }
}

}

} // namespace music

int main(int argc, char** argv) {
    auto const given = music::parse(argc, argv);
    music::catch_signals();
    music::end_after_calls(given.stop_after, given.kill_after);
    return music::run_to_the_end(given, music::resuming(argc, argv));
}
