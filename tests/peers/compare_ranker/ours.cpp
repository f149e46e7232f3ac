// SPDX-License-Identifier: MIT
// One named job of the booster on raw arrays, one line of JSON: what compare_ranker.py starts and sets beside the peers.
//
//   ours fit data=FOLDER numbers=7 categories=1 trees=1000 rate=0.1 depth=6 seed=1 threads=1 [loss=lambda_mart] [early=1] [borders=254]
//            [save=MODEL] [predictions=FILE]
//            classes=7: of so many classes, multi_class
//   ours predict data=FOLDER numbers=7 categories=1 from=MODEL threads=1          rows a second of the test rows
//   ours request data=FOLDER numbers=7 categories=1 from=MODEL queries=2000       100 rows a call, one thread
// predict and request also take a model of format=catboost (JSON) or format=lightgbm (text), and predict writes raw scores to predictions=.
// early: the rows of the last 15% of the groups (the last 15% of the rows where there are no groups) stop the training. MODEL is a file of the library.
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "peers/common/level.hpp"
#include "peers/common/measured.hpp"

namespace {

using namespace compare;
namespace rs = recsys;

constexpr std::size_t rows_of_request = 100;

/// The arrays of one part, row by row.
struct table {
    table(arguments const& a, std::string const& part)
        : n_numbers(a.count("numbers", 7)),
          n_categories(a.count("categories", 1)),
          x(read_array<float>(a.text("data") + "/" + part + ".x.f32")),
          target(read_array<float>(a.text("data") + "/" + part + ".target.f32")),
          category(read_array<std::int32_t>(a.text("data") + "/" + part + ".category.i32")),
          group(read_array<std::int32_t>(a.text("data") + "/" + part + ".group.i32")) {
        if (x.size() != size() * n_numbers || category.size() != size() * n_categories || (!group.empty() && group.size() != size()))
            throw std::runtime_error(a.text("data") + ": the arrays of " + part + " do not go together");
    }
    std::size_t size() const { return target.size(); }
    /// How the row of a number is read.
    rs::row_schema<std::size_t> schema() const {
        auto out = rs::rows<std::size_t>();
        for (std::size_t j = 0; j < n_numbers; ++j)
            out = out.number("x" + std::to_string(j), [this, j](std::size_t row) { return x[row * n_numbers + j]; });
        for (std::size_t j = 0; j < n_categories; ++j)
            out = out.category("c" + std::to_string(j), [this, j](std::size_t row) { return category[row * n_categories + j]; });
        out = out.target([this](std::size_t row) { return target[row]; });
        return group.empty() ? out : out.group([this](std::size_t row) { return group[row]; });
    }
    /// Where the rows begin that stop the training: at a new group.
    std::size_t first_held_out() const {
        if (group.empty()) return size() - size() * 15 / 100;
        auto const n_groups = static_cast<std::size_t>(group.back()) + 1;
        auto const wanted = static_cast<std::int32_t>(n_groups - n_groups * 15 / 100);
        return static_cast<std::size_t>(std::lower_bound(group.begin(), group.end(), wanted) - group.begin());
    }
    rs::frame rows(std::size_t first, std::size_t last) const {
        using number = rs::index_range<std::size_t>::iterator;
        return rs::ingest(number(first), number(last), schema());
    }
    rs::frame rows() const { return rows(0, size()); }

    std::size_t n_numbers, n_categories;
    std::vector<float> x, target;
    std::vector<std::int32_t> category, group;
};

rs::loss loss_of(std::string const& name) {
    if (name == "lambda_mart") return rs::lambda_mart{};
    if (name == "yeti_rank") return rs::yeti_rank{};
    if (name == "pairwise_logit") return rs::pairwise_logit{};
    if (name == "query_soft_max") return rs::query_soft_max{};
    if (name == "query_rmse") return rs::query_rmse{};
    if (name != "log_loss") throw std::runtime_error("loss= names no loss: " + name);
    return rs::log_loss{};
}

/// Calls f with the model of a file: ours, or one of a peer.
template <class Function> void with_model(arguments const& a, Function const& f) {
    auto const path = a.text("from"), format = a.text("format", "ours");
    if (format == "catboost") f(rs::load_catboost_json(path));
    else if (format == "lightgbm") f(rs::load_lightgbm_text(path));
    else f(rs::load<rs::booster_model>(path));
}

void fit(arguments const& a) {
    table const train(a, "train");
    rs::booster const trainer({.loss = a.has("classes") ? rs::loss(rs::multi_class()) : loss_of(a.text("loss", "log_loss")),
                               .trees = a.count("trees", 1000),
                               .learning_rate = a.number("rate", 0.1),
                               .depth = a.count("depth", 6),
                               .borders = a.count("borders", 254),
                               .early_stopping_rounds = 50,
                               .seed = static_cast<std::uint64_t>(a.count("seed", 1)),
                               .run = {.threads = a.count("threads", 1)}});
    double const before = peak_megabytes();
    stopwatch const clock;
    double loaded = 0;
    auto const model = [&] {
        if (!a.has("early")) {
            auto const rows = train.rows();
            loaded = clock.seconds();
            return trainer.fit(rows);
        }
        auto const rows = train.rows(0, train.first_held_out()), valid = train.rows(train.first_held_out(), train.size());
        loaded = clock.seconds();
        return trainer.fit(rows, valid);
    }();
    double const seconds = clock.seconds(), memory = peak_megabytes();
    if (a.has("save")) rs::save(a.text("save"), model);
    auto const predicted = model.predict(table(a, "test").rows());
    if (a.has("predictions")) write_array(a.text("predictions"), std::span<float const>(predicted));
    fingerprint bits;
    for (auto const p : predicted) bits.add(p);
    json_line line;
    line.add("load_s", loaded).add("seconds", seconds).add("tree_ms", (seconds - loaded) * 1e3 / static_cast<double>(model.n_trees()));
    line.add("trees", static_cast<double>(model.n_trees())).add("data_mb", before).add("growth_mb", memory - before);
    line.add("bits", bits.text()).print();
}

template <class Model> void predict(arguments const& a, Model const& model) {
    table const test(a, "test");
    auto const scores = model.predictor(test.schema());
    rs::index_range<std::size_t> const numbers(test.size());
    std::vector<std::size_t> const rows(numbers.begin(), numbers.end());
    std::vector<float> out(rows.size());
    auto const best_of_five = [](auto const& call) {
        double best = 1e300;
        for (int round = 0; round < 5; ++round) {
            stopwatch const clock;
            call();
            best = std::min(best, clock.seconds());
        }
        return best;
    };
    auto const n = static_cast<double>(rows.size());
    auto const frame = test.rows();
    if (a.has("predictions")) {
        auto const raw = model.predict_raw(frame);
        std::vector<float> const scores_of_file(raw.begin(), raw.end());
        write_array(a.text("predictions"), std::span<float const>(scores_of_file));
    }
    double const ready = best_of_five([&] { (void)model.predict(frame, {.threads = a.count("threads", 1)}); });
    double const raw = best_of_five([&] { scores(std::span<std::size_t const>(rows), std::span<float>(out)); });
    json_line line;
    line.add("million_row_s", ready * 1e6 / n)
        .add("million_raw_row_s", raw * 1e6 / n)
        .add("trees", static_cast<double>(model.n_trees()))
        .print();
}

template <class Model> void request(arguments const& a, Model const& model) {
    table const test(a, "test");
    auto const scores = model.predictor(test.schema());
    std::vector<std::size_t> rows(rows_of_request);
    std::vector<float> out(rows.size());
    std::vector<double> micros;
    for (std::size_t i = 0; i < a.count("queries", 2000) + 20; ++i) {
        for (std::size_t r = 0; r < rows.size(); ++r) rows[r] = (i * rows_of_request + r) % test.size();
        stopwatch const clock;
        scores(std::span<std::size_t const>(rows), std::span<float>(out));
        if (i >= 20) micros.push_back(clock.seconds() * 1e6); // the first ones warm up
    }
    json_line line;
    line.add("p50_us", quantile(micros, 0.5)).add("p99_us", quantile(micros, 0.99)).print();
}

}

int main(int argc, char** argv) {
    std::string const job = argc > 1 ? argv[1] : "";
    try {
        arguments const a(argc, argv);
        hold_level(a);
        if (job == "fit") fit(a);
        else if (job == "predict") with_model(a, [&](auto const& model) { predict(a, model); });
        else if (job == "request") with_model(a, [&](auto const& model) { request(a, model); });
        else throw std::runtime_error("expected a job: fit, predict or request");
    } catch (std::exception const& e) { return std::fprintf(stderr, "ours %s: %s\n", job.c_str(), e.what()), 1; }
}
