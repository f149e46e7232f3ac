// SPDX-License-Identifier: MIT
// MovieLens as it is downloaded: ratings.csv and movies.csv through structs of our own, to a table of popularity, ALS and a ranker.
#include <CLI/CLI.hpp>
#include <recsys.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/csv.hpp"

namespace rs = recsys;

struct rating {
    std::int32_t user = 0, movie = 0;
    double stars = 0;
    std::int64_t unix_time = 0;
};
struct movie {
    std::string title;
    std::vector<std::string> genres;
};

std::vector<std::string> cut(std::string_view text, char between) {
    std::vector<std::string> out;
    for (std::size_t end = 0; end != std::string_view::npos;) {
        end = text.find(between);
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return out;
}

std::map<std::int32_t, movie> read_movies(std::string const& path) {
    using row = std::pair<std::int32_t, movie>;
    csv::table<row> rows(path, {"movieId", "title", "genres"}, [](csv::record const& r) {
        auto genres = cut(r.text(2), '|');
        if (genres.front() == "(no genres listed)") genres.clear();
        return row(r.integer<std::int32_t>(0), {std::string(r.text(1)), std::move(genres)});
    });
    std::map<std::int32_t, movie> out;
    for (auto const& [id, about] : rows) out.emplace(id, about);
    return out;
}

int run(std::string const& folder, std::string const& out, std::size_t last, unsigned threads) {
    auto const path = [&](char const* name) { return (std::filesystem::path(folder) / name).string(); };
    auto const movies = read_movies(path("movies.csv"));
    csv::table<rating> ratings(path("ratings.csv"), {"userId", "movieId", "rating", "timestamp"}, [](csv::record const& r) {
        return rating{r.integer<std::int32_t>(0), r.integer<std::int32_t>(1), r.real(2), r.integer<std::int64_t>(3)};
    });
    // A single pass over the file, and the file is the range. Watched is watched: stars are not what is predicted here.
    auto const data = rs::ingest(ratings, rs::columns().user(&rating::user).item(&rating::movie).unix_seconds(&rating::unix_time));
    std::printf("%zu ratings, %zu users, %zu movies\n", data.size(), data.users().size(), data.items().size());

    // People rate their films in a sitting or two, so that one moment for all leaves hardly anybody on both sides: each one's last ratings
    // are held out instead, and those before them are learnt from.
    auto const by_time = rs::split_by_time(data, rs::moment_of_share(data, 0.1)).report();
    std::printf("a cut by time would leave %zu of %zu users on both sides\n", by_time.windows[1].common_users, data.users().size());
    auto const judged = rs::last_n(data, {.n = last});
    auto const taught = rs::last_n(judged.train, {.n = last});

    auto const prepare = [&](auto const& known) {
        auto const watched = rs::user_items(known);
        auto const als = rs::als({.factors = 32, .regularization = 10, .alpha = 5, .seed = 1, .run = {.threads = threads}}).fit(watched);
        auto const popular = rs::popularity().fit(known);
        return rs::features(known, watched, rs::candidates().from("als", als, 100).from("popular", popular, 50))
            .recency()
            .counts()
            .item_number("users", rs::item_statistic::users())
            .item_categories("genres", [&](std::int32_t id) { return movies.at(id).genres; })
            .affinity("genres")
            .last_similarity("last_sim", als);
    };
    auto const learn = prepare(taught.train);
    auto const serve = prepare(judged.train);
    auto const rows = rs::training_set(learn, taught.test, {.negatives_per_user = 20});
    for (auto const& warning : rows.report.warnings()) std::printf("note: %s\n", warning.c_str());
    auto const [train, valid] = rs::split_groups(rows.frame, 0.15, 1);
    auto const ranker = rs::booster({.trees = 500, .learning_rate = 0.05, .depth = 4, .run = {.threads = threads}}).fit(train, valid);
    std::printf("ranker: %zu rows, %zu trees\n", train.n_rows(), ranker.n_trees());

    auto const table =
        rs::evaluate({{"popular", serve.source("popular")}, {"als", serve.source("als")}, {"ranked", rs::two_stage(serve, ranker)}},
                     judged.test, serve.seen(), {rs::precision(10), rs::recall(10), rs::ndcg(10), rs::hit_rate(10), rs::coverage(10)},
                     {.baseline = "als", .seed = 1, .run = {.threads = threads}});
    std::puts(table.text().c_str());
    for (auto const& warning : table.warnings()) std::printf("note: %s\n", warning.c_str());

    auto const user = data.users().all().begin();
    std::printf("for user %d:\n", data.users().id(*user));
    for (auto const& [item, score] : rs::recommend(rs::two_stage(serve, ranker), *user, serve.seen(), {.k = 5}))
        std::printf("  %.3f  %s\n", static_cast<double>(score), movies.at(data.items().id(item)).title.c_str());
    if (!out.empty()) {
        nlohmann::ordered_json result;
        for (auto const* const name : {"popular", "als", "ranked"})
            for (auto const* const metric : {"precision@10", "recall@10", "ndcg@10", "hit_rate@10", "coverage"})
                result[name][metric] = table.at(name, metric).mean;
        std::ofstream(out) << result.dump(2) << '\n';
    }
    return 0;
}

int main(int argc, char** argv) {
    CLI::App app("Recommendations from the files of MovieLens (ratings.csv, movies.csv)");
    std::string folder, out;
    std::size_t last = 10;
    unsigned threads = 0;
    app.add_option("--data", folder, "Folder with ratings.csv and movies.csv")->required()->check(CLI::ExistingDirectory);
    app.add_option("--last", last, "How many of each user's latest ratings are held out")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--out", out, "A JSON file for the metrics");
    app.add_option("--threads", threads, "Threads, 0 = all")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        return run(folder, out, last, threads);
    } catch (std::exception const& error) {
        std::fprintf(stderr, "movielens: %s\n", error.what());
        return 1;
    }
}
