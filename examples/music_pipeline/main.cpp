// SPDX-License-Identifier: MIT
// The whole two-stage recommender, from raw CSV files to ranked recommendations, a table of metrics and report.html.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "charts.hpp"
#include "generate.hpp"
#include "judging.hpp"
#include "preparation.hpp"
#include "ranking.hpp"
#include "retrieval.hpp"
#include "source_recipe.hpp"

namespace music {

namespace rs = recsys;

namespace {

/// Makes the data that was asked for. Returns its folder.
std::string make_data(journal& log) {
    log.say.step("Making data");
    auto const folder = log.set.generate_only ? log.set.out : log.file("data");
    std::filesystem::create_directories(folder);
    auto const& o = log.set;
    auto const lines = generate({.users = o.users,
                                 .tracks = o.tracks,
                                 .events = o.events,
                                 .repeats = o.repeats,
                                 .id_time_order = o.id_time_order,
                                 .seed = o.data_seed,
                                 .threads = o.threads,
                                 .columns = o.as_columns},
                                folder);
    std::printf("%s", to_text(lines).c_str());
    log.page.section("The data that was made");
    std::vector<std::vector<std::string>> shown;
    for (auto const& line : lines) shown.push_back({line.what, pretty(line.wanted), pretty(line.got)});
    log.page.table({"what", "wanted", "got"}, shown, "Shaped like the log of a music service, at this size");
    return folder;
}

/// Steps 6 to 8 for one setting of ALS.
void two_stages(journal& log, world const& all, windows const& w, als_setting setting, std::string const& suffix, judging& judge) {
    log.page.section("6 to 8 Training rows, candidates, ranker" + suffix);
    auto const ranker = train_ranker(log, all, w, setting, suffix);
    show_ranker(log, ranker, suffix);
    auto const serve = serving_features(log, all, judge.known(), judge.heard(), setting, suffix);
    judge.add("als" + suffix, serve.source("als"));
    rank_everybody(log, all, judge.future(), serve, ranker, suffix, judge.row("ranked" + suffix));
}

void write_results(journal& log) {
    std::vector<std::vector<std::string>> shown;
    for (auto const& step : log.say.times()) {
        log.result["seconds"][step.name] = step.seconds;
        shown.push_back({step.name, text("%.1f", step.seconds), text("%.0f", step.peak_mb)});
    }
    log.result["seconds"]["all"] = log.say.seconds();
    log.result["peak_rss_mb"] = peak_rss_mb();
    log.page.section("Time and memory");
    log.page.table({"step", "seconds", "peak MB so far"}, shown,
                   text("%.1f seconds in all, peak %.0f MB", log.say.seconds(), peak_rss_mb()));
    std::ofstream(log.file("result.json")) << log.result.dump(2) << '\n';
    std::ofstream report(log.file("report.html"));
    report << log.page.html();
    if (!report.flush()) throw std::runtime_error(log.file("report.html") + ": cannot be written");
}

void run(options const& given) {
    journal log(given);
    std::filesystem::create_directories(log.set.out);
    auto const folder = log.set.data.empty() || log.set.generate_only ? make_data(log) : log.set.data;
    if (log.set.generate_only) return;
    log.result["include_seen"] = log.set.include_seen;

    auto const all = prepare(log, folder);
    explore(log, all);
    auto const when = find_moments(log, all);
    split(log, all, when);

    auto const top_popular = popularity_step(log, all, when);
    als_step(log, all, when);
    auto const w = rs::split_by_time(all.data, when.t0, when.t2);
    for (auto const& warning : w.report().warnings()) log.warn(warning);
    judging judge(log, all, when);
    judge.add("popular", rs::popularity().fit(judge.known()));
    judge.add("popular_recent", rs::popularity({.window = std::chrono::days{log.set.popular_days}}).fit(judge.known()));
    two_stages(log, all, w, {log.set.alpha, log.set.regularization}, "", judge);
    if (log.set.tune_als) two_stages(log, all, w, tune_als(log, w), "_tuned", judge);
    judge.show(top_popular);
    if (log.set.source_definitions) source_recipe(log, all, when);
    log.say.done();
    write_results(log);
}

}

} // namespace music

int main(int argc, char** argv) {
    try {
        music::run(music::parse(argc, argv));
        return 0;
    } catch (std::exception const& error) {
        std::fprintf(stderr, "music_pipeline: %s\n", error.what());
        return 1;
    }
}
