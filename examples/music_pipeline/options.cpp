// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <cstdlib>
#include <map>

#include <CLI/CLI.hpp>

namespace music {

namespace {

void add_input(CLI::App& app, options& o) {
    app.add_option("--data", o.data, "Folder with tracks, catalog_names and interactions, each .csv or .rsc; without it a data set is made")
        ->check(CLI::ExistingDirectory);
    app.add_option("--out", o.out, "Folder of the results")->capture_default_str();
    app.add_option("--threads", o.threads, "Threads, 0 = all")->capture_default_str();
    app.add_flag("--skip-bad-rows", o.skip_bad_rows, "Count malformed CSV rows and go on, instead of stopping at the first");
    app.add_flag("--resume", o.resume, "Go on after the last step that an earlier run with this --out finished");
    app.add_option("--tables", o.tables, "Form of the large result tables: csv, columns (binary), or auto: columns from 1 GB on")
        ->check(CLI::IsMember({"csv", "columns", "auto"}))
        ->capture_default_str();
    app.add_flag("--no-candidate-tables", o.no_candidate_tables, "Leave out candidates_for_train and candidates_to_rank");
    app.add_option("--stop-after", o.stop_after)->group("");
    app.add_option("--kill-after", o.kill_after)->group("");
    app.add_option("--pretend-free", o.pretend_free)->group("");
    auto* made = app.add_option_group("made data", "Shaped like a music service's log, where --data is absent");
    made->add_option("--users", o.users, "Users")->capture_default_str();
    made->add_option("--tracks", o.tracks, "Tracks")->capture_default_str();
    made->add_option("--events", o.events, "Interactions")->capture_default_str();
    made->add_option("--data-seed", o.data_seed, "Seed of the data")->capture_default_str();
    made->add_option("--repeats", o.repeats, "Share of the interactions that repeat a pair")
        ->check(CLI::Range(0.0, 0.9))
        ->capture_default_str();
    made->add_option("--id-time-order", o.id_time_order, "Whether a user's dates rise with the track ids, as in the real file")
        ->transform(CLI::CheckedTransformer(std::map<std::string, bool>{{"on", true}, {"off", false}}))
        ->default_str("off");
    made->add_flag("--full-size", o.full_size, "1,373,221 users, 1,000,000 tracks, 222,629,898 interactions: as many as the real log has")
        ->excludes("--users", "--tracks", "--events");
    made->add_option("--format", o.as_columns, "Files of the made data: csv, or columns (.rsc), a fifth of the size")
        ->transform(CLI::CheckedTransformer(std::map<std::string, bool>{{"columns", true}, {"csv", false}}))
        ->default_str("csv");
    made->add_flag("--generate-only", o.generate_only, "Write the files to --out and stop");
}

void add_moments(CLI::App& app, options& o) {
    app.add_option("--split", o.split, "T1: train before it, test from it on (ISO 8601)")->capture_default_str();
    app.add_option("--future-days", o.future_days, "T2 is so many days before the latest event")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str();
    app.add_option("--label-days", o.label_days, "T0 is so many days before T2")->check(CLI::Range(1, 10000))->capture_default_str();
    app.add_option("--popular-days", o.popular_days, "Window of the recently popular")->check(CLI::Range(1, 10000))->capture_default_str();
    app.add_flag("--drop-empty-lists", o.drop_empty_lists, "Also drop tracks without artists, albums or genres");
}

void add_models(CLI::App& app, options& o) {
    app.add_option("--factors", o.factors, "ALS factors")->capture_default_str();
    app.add_option("--iterations", o.iterations, "ALS iterations")->capture_default_str();
    app.add_option("--refit-iterations", o.refit_iterations, "Most ALS iterations of the refit before T2")->capture_default_str();
    app.add_option("--regularization", o.regularization, "ALS regularization")->capture_default_str();
    app.add_option("--alpha", o.alpha, "ALS confidence is 1 + alpha * plays")->capture_default_str();
    app.add_option("--seed", o.seed, "Seed of ALS and of the ranker")->capture_default_str();
    app.add_flag("--tune-als", o.tune_als,
                 "Search alpha and regularization on the label window and add the rows als_tuned and ranked_tuned");
    app.add_option("--candidates", o.candidates, "Candidates of each user")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--negatives", o.negatives, "Negatives of each user in the training rows")->capture_default_str();
    app.add_option("--trees", o.trees, "Most trees of the ranker")->capture_default_str();
    app.add_option("--depth", o.depth, "Depth of its trees")->capture_default_str();
    app.add_option("--learning-rate", o.learning_rate, "Its learning rate")->capture_default_str();
    app.add_option("--patience", o.patience, "It stops after so many trees without a better validation loss")->capture_default_str();
}

void add_judging(CLI::App& app, options& o) {
    app.add_option("--k", o.k, "Length of the lists that are judged")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--resamples", o.resamples, "Bootstrap resamples of the intervals")->capture_default_str();
    app.add_flag("--include-seen", o.include_seen, "Let tracks that the user has played into the lists");
    app.add_flag("--source-definitions", o.source_definitions, "Also run the source's own recipe and metrics, beside ours");
    app.add_option("--show-user", o.show_user, "User id whose recommendations the report shows; default the first test user");
}

}

options parse(int argc, char** argv) {
    options o;
    CLI::App app("The two-stage recommender from raw CSV to ranked recommendations, a metrics table and report.html", "music_pipeline");
    add_input(app, o);
    add_moments(app, o);
    add_models(app, o);
    add_judging(app, o);
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& error) { std::exit(app.exit(error)); }
    if (o.full_size) o.users = 1'373'221, o.tracks = 1'000'000, o.events = 222'629'898;
    return o;
}

} // namespace music
