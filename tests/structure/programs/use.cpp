// SPDX-License-Identifier: MIT
// Uses every room of the library once, as the function USE_NAME, so that several files of one program can hold it.
#include <recsys_under_test.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <tuple>
#include <vector>

namespace {

struct listen {
    std::string user;
    std::uint32_t track;
    std::int64_t when;
};

std::vector<listen> make_log() {
    std::vector<listen> log;
    for (std::uint32_t user = 0; user < 40; ++user)
        for (std::uint32_t n = 0; n < 8; ++n)
            log.push_back({"user " + std::to_string(user), (user % 4) * 5 + (n * n + user) % 9, 86400 * n});
    return log;
}

} // namespace

double USE_NAME() {
    namespace rs = recsys;
    auto const log = make_log();
    auto const data = rs::ingest(log, rs::columns().user(&listen::user).item(&listen::track).unix_seconds(&listen::when));
    auto const day = [](int n) { return std::chrono::sys_days{std::chrono::days{n}}; };
    auto const windows = rs::split_by_time(data, day(4), day(6));
    auto const prepare = [&](auto const& known) {
        auto const seen = rs::user_items(known);
        auto const model = rs::als({.factors = 4, .iterations = 2, .run = {.threads = 2}}).fit(seen);
        auto const pool = rs::candidates().from("als", model, 6).from("hot", rs::popularity().fit(known), 6);
        return rs::features(known, seen, pool).recency().counts();
    };
    auto const learn = prepare(windows.past);
    auto const frame = rs::training_frame(learn, windows.labels, {.negatives_per_user = 2, .run = {.threads = 2}});
    auto const ranker = rs::booster({.trees = 5, .depth = 2, .run = {.threads = 2}}).fit(frame);
    auto const serve = prepare(data.before(day(6)));
    auto const ranked = rs::two_stage(serve, ranker);
    auto const table = rs::evaluate({{"als", serve.source("als")}, {"ranked", ranked}}, windows.future, serve.seen(), {rs::precision(3)});
    std::puts(table.text().c_str());
    rs::save("use.rsm", ranker, data.users());
    auto const loaded = rs::load<rs::booster_model, rs::user_encoder<std::string>>("use.rsm");
    double sum = 0;
    for (auto const& [item, score] : rs::recommend(ranked, data.users().at("user 1"), serve.seen(), {.k = 3}))
        sum += static_cast<double>(score);
    return sum + static_cast<double>(std::get<1>(loaded).size());
}

#if defined(USE_MAIN)
int main() { return USE_NAME() > 0 ? 0 : 1; }
#endif
