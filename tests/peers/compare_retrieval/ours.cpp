// SPDX-License-Identifier: MIT
// One named job of the library on raw arrays, one line of JSON: what compare_retrieval.py starts and sets beside the peers.
//
//   ours als data=FOLDER factors=64 iterations=10 regularization=10 alpha=1 solver=exact|cg threads=1 [save=PREFIX] [until_loss=X]
//            [judged=10000]                                                        the first so many users' NDCG@10
//            [biases=1]
//   ours loss data=FOLDER factors=64 from=PREFIX regularization=10 alpha=1            of factors that anybody has made
//   ours top data=FOLDER factors=64 from=PREFIX k=100 threads=1 [users=N] [normalised=1]
//   ours similar data=FOLDER factors=64 from=PREFIX k=6 threads=1
//   ours one_user data=FOLDER factors=64 from=PREFIX k=100 queries=2000
//   ours fold_in data=FOLDER factors=64 from=PREFIX regularization=10 alpha=1 plays=50 queries=500
//   ours build data=FOLDER threads=1                                                  matrix and transpose from rows in scattered order
// PREFIX.users.f32 and PREFIX.items.f32 hold factors, row by row.
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "peers/common/level.hpp"
#include "support.hpp"

namespace {

using namespace compare;

constexpr std::size_t most_judged = 10000;

std::size_t item_count(std::string const& folder) {
    auto const meta = read_array<char>(folder + "/meta.json");
    std::string const text(meta.begin(), meta.end()), name = "\"items\": ";
    auto const at = text.find(name);
    if (at == std::string::npos) throw std::runtime_error("no number of items in meta.json");
    return static_cast<std::size_t>(std::stoull(text.substr(at + name.size())));
}

struct data_set {
    explicit data_set(arguments const& a)
        : folder(a.text("data")),
          train(read_matrix(folder, "train", item_count(folder))),
          test(read_matrix(folder, "test", train.n_items())) {}
    std::string folder;
    rs::csr train, test;
};

struct factor_files {
    explicit factor_files(arguments const& a)
        : n_factors(a.count("factors", 64)),
          users(read_array<float>(a.text("from") + ".users.f32")),
          items(read_array<float>(a.text("from") + ".items.f32")) {
        if (a.has("normalised")) normalise(users), normalise(items);
    }
    rs::als_model model(arguments const& a) const {
        rs::als_parts<float> p;
        p.n_factors = n_factors, p.n_users = users.size() / n_factors, p.n_items = items.size() / n_factors;
        p.alpha = a.number("alpha", 1), p.regularization = a.number("regularization", 10);
        p.user_factors = decltype(p.user_factors)(users), p.item_factors = decltype(p.item_factors)(items);
        return rs::als_model(std::move(p));
    }
    void normalise(std::vector<float>& table) const {
        for (auto row = table.begin(); row != table.end(); row += static_cast<std::ptrdiff_t>(n_factors)) {
            auto const end = row + static_cast<std::ptrdiff_t>(n_factors);
            double const length = std::sqrt(std::inner_product(row, end, row, 0.0));
            if (length > 0) std::transform(row, end, row, [&](float x) { return static_cast<float>(x / length); });
        }
    }
    std::size_t n_factors;
    std::vector<float> users, items;
};

double judge(rs::als_model const& model, data_set const& data, std::size_t judged, std::size_t threads) {
    rs::index_range<rs::user_index> const users(std::min(judged, data.train.n_users()));
    ndcg_at_10 quality;
    for (auto const& [user, list] : rs::recommend(model, users, data.train, {.k = 10, .run = {.threads = threads}}))
        quality.add(list, data.test.seen(user));
    return quality.value();
}

rs::als_solver solver_of(std::string const& name) {
    if (name == "exact") return rs::als_solver::exact;
    if (name == "cg") return rs::als_solver::cg;
    throw std::runtime_error("solver= expects exact or cg, got " + name);
}

void als(arguments const& a) {
    data_set const data(a);
    double const data_memory = peak_megabytes();
    auto const threads = a.count("threads", 1);
    double const until = a.number("until_loss", -1);
    double reached = std::nan("");
    std::vector<double> ticks;
    stopwatch const clock;
    rs::als const trainer({.factors = a.count("factors", 64),
                           .regularization = a.number("regularization", 10),
                           .alpha = a.number("alpha", 1),
                           .biases = a.has("biases"),
                           .iterations = a.count("iterations", 10),
                           .solver = solver_of(a.text("solver", "exact")),
                           .seed = 7,
                           .run = {.threads = threads, .progress = [&](rs::progress const& now) {
                                       ticks.push_back(clock.seconds());
                                       if (std::isnan(reached) && now.loss <= until) reached = ticks.back();
                                       return !(now.loss <= until);
                                   }}});
    auto const model = trainer.fit(data.train);
    double const fit = clock.seconds(), memory = peak_megabytes();
    std::vector<double> iterations;
    for (std::size_t i = 1; i < ticks.size(); ++i) iterations.push_back(ticks[i] - ticks[i - 1]);
    if (a.has("save")) {
        write_array(a.text("save") + ".users.f32", model.user_factors());
        write_array(a.text("save") + ".items.f32", model.item_factors());
    }
    fingerprint bits;
    for (auto const x : model.user_factors()) bits.add(x);
    for (auto const x : model.item_factors()) bits.add(x);
    json_line line;
    line.add("iteration_s", quantile(iterations, 0.5)).add("fit_s", fit).add("iterations", static_cast<double>(iterations.size()));
    if (until >= 0) line.add("reached_s", reached);
    line.add("loss", model.report().loss.back()).add("ndcg@10", judge(model, data, a.count("judged", most_judged), threads));
    line.add("data_mb", data_memory)
        .add("peak_mb", memory)
        .add("entries", static_cast<double>(data.train.n_entries()))
        .add("bits", bits.text())
        .print();
}

void loss(arguments const& a) {
    data_set const data(a);
    factor_files const factors(a);
    als_objective const objective(factors.users, factors.items, factors.n_factors);
    json_line line;
    line.add("loss", objective(data.train, a.number("alpha", 1), a.number("regularization", 10)));
    line.add("ndcg@10", judge(factors.model(a), data, most_judged, 1)).print();
}

void top(arguments const& a) {
    data_set const data(a);
    auto const model = factor_files(a).model(a);
    rs::index_range<rs::user_index> const users(std::min(a.count("users", model.n_users()), model.n_users()));
    double const before = peak_megabytes();
    stopwatch const clock;
    auto const lists = rs::recommend(model, users, data.train, {.k = a.count("k", 100), .run = {.threads = a.count("threads", 1)}});
    double const seconds = clock.seconds(), memory = peak_megabytes();
    ndcg_at_10 quality;
    fingerprint bits;
    for (auto const& [user, list] : lists) {
        if (rs::to_size(user) < most_judged) quality.add(list, data.test.seen(user));
        for (auto const& [item, score] : list) bits.add(item).add(score);
    }
    json_line line;
    line.add("seconds", seconds).add("users", static_cast<double>(users.size())).add("ndcg@10", quality.value()).add("data_mb", before);
    line.add("peak_mb", memory).add("bits", bits.text()).print();
}

void similar(arguments const& a) {
    auto const model = factor_files(a).model(a);
    stopwatch const clock;
    auto const lists = rs::similar_items(model, rs::index_range<rs::item_index>(model.n_items()),
                                         {.k = a.count("k", 6), .run = {.threads = a.count("threads", 1)}});
    double const seconds = clock.seconds();
    double sum = 0;
    for (auto const& [item, list] : lists)
        for (auto const& one : list) sum += static_cast<double>(one.score);
    json_line line;
    line.add("seconds", seconds).add("mean_score", sum / static_cast<double>(lists.n_slots())).print();
}

/// Times calls one by one; the first ones warm up.
template <class Call> void time_calls(std::size_t n, Call const& call) {
    std::size_t const warm_up = std::min<std::size_t>(20, n);
    std::vector<double> micros;
    for (std::size_t i = 0; i < n + warm_up; ++i) {
        stopwatch const clock;
        call(i < warm_up ? i : i - warm_up);
        if (i >= warm_up) micros.push_back(clock.seconds() * 1e6);
    }
    json_line line;
    line.add("p50_us", quantile(micros, 0.5))
        .add("p99_us", quantile(micros, 0.99))
        .add("queries", static_cast<double>(micros.size()))
        .print();
}

/// The model with what it offers to answer one user at a time, which is made once.
template <class Model> auto made_ready(Model const& model) {
    if constexpr (requires { prepare(model); }) return prepare(model);
    else return model;
}

void one_user(arguments const& a) {
    data_set const data(a);
    auto const model = made_ready(factor_files(a).model(a));
    auto const n = std::min(a.count("queries", 2000), model.n_users());
    rs::recommend_options const options{.k = a.count("k", 100), .run = {.threads = 1}};
    time_calls(n, [&](std::size_t i) {
        if (rs::recommend(model, static_cast<rs::user_index>(i), data.train, options).empty())
            throw std::runtime_error("a user has no list");
    });
}

void fold_in(arguments const& a) {
    data_set const data(a);
    auto const model = factor_files(a).model(a);
    auto const plays = a.count("plays", 50), wanted = a.count("queries", 500);
    std::vector<rs::history> users;
    for (std::size_t u = 0; u < data.train.n_users() && users.size() < wanted; ++u) {
        auto const user = static_cast<rs::user_index>(u);
        if (data.train.seen(user).size() < plays) continue;
        std::vector<rs::history::entry> entries;
        for (std::size_t i = 0; i < plays; ++i) entries.push_back({data.train.seen(user)[i], data.train.weights(user)[i]});
        users.push_back(rs::history(std::move(entries)));
    }
    time_calls(users.size(), [&](std::size_t i) {
        if (model.fold_in(users[i]).factors.empty()) throw std::runtime_error("a user has no factors");
    });
}

void build(arguments const& a) {
    std::vector<rs::user_index> users;
    std::vector<rs::item_index> items;
    std::vector<float> values;
    std::size_t n_users = 0, n_items = 0;
    {
        data_set const data(a);
        n_users = data.train.n_users(), n_items = data.train.n_items();
        for (std::size_t u = 0; u < n_users; ++u)
            users.resize(static_cast<std::size_t>(data.train.offsets()[u + 1]), static_cast<rs::user_index>(u));
        items.assign(data.train.columns().begin(), data.train.columns().end());
        values.assign(data.train.values().begin(), data.train.values().end());
    }
    // Rows of a log come in the order of time, not of users: every stride-th row, round and round.
    std::size_t const n = users.size();
    auto stride = static_cast<std::size_t>(0.618 * static_cast<double>(n)) | 1;
    while (std::gcd(stride, n) != 1) stride += 2;
    auto const place = [&](std::size_t row) { return row * stride % n; };
    double const before = peak_megabytes();
    stopwatch const clock;
    auto const matrix = rs::csr_from(rs::row_numbers(n),
                                     rs::columns()
                                         .user([&](std::size_t row) { return users[place(row)]; })
                                         .item([&](std::size_t row) { return items[place(row)]; })
                                         .weight([&](std::size_t row) { return values[place(row)]; }),
                                     {.n_users = n_users, .n_items = n_items, .run = {.threads = a.count("threads", 1)}});
    double const built = clock.seconds(), build_memory = peak_megabytes();
    auto const by_item = rs::transpose(matrix, {.threads = a.count("threads", 1)});
    double const all = clock.seconds();
    json_line line;
    line.add("csr_s", built).add("transpose_s", all - built).add("seconds", all).add("data_mb", before).add("csr_peak_mb", build_memory);
    line.add("peak_mb", peak_megabytes()).add("entries", static_cast<double>(by_item.n_entries())).print();
}

}

int main(int argc, char** argv) {
    std::string const job = argc > 1 ? argv[1] : "";
    try {
        arguments const a(argc, argv);
        hold_level(a);
        if (job == "als") als(a);
        else if (job == "loss") loss(a);
        else if (job == "top") top(a);
        else if (job == "similar") similar(a);
        else if (job == "one_user") one_user(a);
        else if (job == "fold_in") fold_in(a);
        else if (job == "build") build(a);
        else throw std::runtime_error("expected a job: als, loss, top, similar, one_user, fold_in or build");
    } catch (std::exception const& e) { return std::fprintf(stderr, "ours %s: %s\n", job.c_str(), e.what()), 1; }
}
