// SPDX-License-Identifier: MIT
// Is it better, and how sure is that: models, a scorer of your own and two stages in one table, judged on the same users, truth and moment.
#include <recsys.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

namespace rs = recsys;
using namespace std::chrono;

struct play {
    int user, track;
    sys_days day;
};
/// A scorer of your own needs no more than this.
struct newest_first {
    std::size_t items;
    std::size_t n_items() const { return items; }
    void score(rs::user_index, std::span<float> out) const {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(i);
    }
};

std::vector<play> plays() {
    std::vector<play> log;
    rs::random_stream random(1, 0);
    for (int i = 0; i < 60000; ++i) { // tastes of four kinds; tracks that come up, fade, and last longer with some kinds than with others
        auto const day = static_cast<int>(random.below(120)), user = static_cast<int>(random.below(800));
        int const kind = random.uniform() < 0.7 ? user % 4 : static_cast<int>(random.below(4));
        auto const age = static_cast<int>(-6 * (1 + kind) * std::log(1 - random.uniform()));
        if (age <= day + 30) log.push_back({user, 4 * (day - age + 30) + kind, sys_days{2024y / 1 / 1} + days{day}});
    }
    return log;
}

int main() {
    auto const data = rs::ingest(plays(), rs::columns().user(&play::user).item(&play::track).time(&play::day));
    auto const t2 = sys_days{2024y / 4 / 16}, t0 = t2 - days{14};
    auto const w = rs::split_by_time(data, t0, t2);

    // One recipe for training and serving: everything in it is as of the moment at which `known` ends.
    auto const prepare = [](auto const& known) {
        auto const heard = rs::user_items(known);
        auto const als = rs::als({.factors = 16, .regularization = 5, .alpha = 10}).fit(heard);
        auto const pool = rs::candidates().from("als", als, 50).from("recent", rs::popularity({.window = days{14}}).fit(known), 50);
        return rs::features(known, heard, pool)
            .recency()
            .counts()
            .item_category("kind", [](int track) { return track % 4; })
            .affinity("kind");
    };
    auto const learn = prepare(w.past);          // as of t0
    auto const serve = prepare(data.before(t2)); // as of t2
    auto const [train, valid] = rs::split_groups(rs::training_frame(learn, w.labels), 0.2, 1);
    auto const ranker = rs::booster({.trees = 300, .learning_rate = 0.05}).fit(train, valid);

    auto const table = rs::evaluate({{"newest", newest_first{data.items().size()}},
                                     {"popular", rs::popularity().fit(data.before(t2))},
                                     {"recent", serve.source("recent")},
                                     {"als", serve.source("als")},
                                     {"ranked", rs::two_stage(serve, ranker)}},
                                    w.future, serve.seen(), {rs::precision(5), rs::recall(5), rs::ndcg(5), rs::coverage(5)},
                                    {.baseline = "als", .seed = 1});
    std::puts(table.text().c_str());
    auto const [mean, low, high] = table.difference("ndcg@5", "ranked", "als");
    std::printf("ranked - als in NDCG@5: %.4f, 95%% interval [%.4f, %.4f]\n", mean, low, high);
    for (auto const& warning : table.warnings()) std::printf("note: %s\n", warning.c_str());

    // A metric alone, on any ranges.
    std::printf("precision@3 %.3f\n", rs::precision(3)(std::vector{3, 1, 2}, std::vector{1, 9}));
}
