// SPDX-License-Identifier: MIT
// Cutting a log by time: what is known, what is learnt from, what is judged by are three values of one call, and the future cannot be fitted on.
#include <recsys.hpp>

#include <chrono>
#include <cstdio>
#include <vector>

namespace rs = recsys;
using namespace std::chrono;

struct play {
    int user, track;
    sys_days day;
};

int main() {
    std::vector<play> log;
    rs::random_stream random(1, 0);
    for (int i = 0; i < 20000; ++i)
        log.push_back({static_cast<int>(random.below(300)), static_cast<int>(random.below(500)),
                       sys_days{2024y / 1 / 1} + days{static_cast<int>(random.below(120))}});

    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track).time(&play::day));
    auto const t2 = sys_days{2024y / 4 / 15}, t0 = t2 - days{14};

    // One cut: train before it, test from it on.
    auto const one = rs::split_by_time(data, t2);
    auto const report = one.report();
    std::printf("train %zu rows, test %zu rows, %zu users in both, %zu new users\n", one.train.size(), one.test.size(),
                report.windows[1].common_users, report.windows[1].cold_users);

    // Three windows: features from the past, labels after it, the future for judging.
    auto const w = rs::split_by_time(data, t0, t2);
    std::printf("past %zu, labels %zu, future %zu rows\n", w.past.size(), w.labels.size(), w.future.size());
    for (auto const& warning : w.report().warnings()) std::printf("  %s\n", warning.c_str());

    // The same ids throughout: a model of the past, then one of all that was known at t2, shared and not copied.
    auto const then = rs::popularity({.window = days{30}}).fit(w.past);
    auto const now = rs::popularity({.window = days{30}}).fit(data.before(t2));
    auto const best = [&](rs::popularity_model const& model) {
        return data.items().id(rs::recommend(model, w.future.active_users()[0], rs::nothing_seen, {.k = 1})[0].item);
    };
    std::printf("most popular track of the 30 days before t0: %d, before t2: %d\n", best(then), best(now));

    // Splits without a moment: the last row of each user, a random share, folds, whole users.
    std::printf("leave one out: %zu test rows; random: %zu; cold users: %zu; fold 0 of 5: %zu\n", rs::leave_one_out(data).test.size(),
                rs::random_split(data, 0.1, 42).test.size(), rs::cold_users(data, 0.1, 42).test.size(),
                rs::k_fold(data, 0, 5, 42).test.size());
}
