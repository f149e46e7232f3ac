// SPDX-License-Identifier: MIT
#include "judging.hpp"

#include "charts.hpp"
#include "others.hpp"

namespace music {

namespace rs = recsys;
using namespace std::chrono;

namespace {

std::vector<rs::metric> metrics_of(std::size_t k) {
    return {rs::precision(k),       rs::recall(k),   rs::ndcg(k),     rs::average_precision(k), rs::average_precision_min(k),
            rs::reciprocal_rank(k), rs::hit_rate(k), rs::coverage(k), rs::novelty(k),           rs::novelty_bits(k)};
}

rs::evaluate_options how(journal& log, bool cold_users) {
    return {.baseline = "als",
            .resamples = cold_users ? 0 : log.set.resamples,
            .include_seen = log.set.include_seen,
            .cold_users = cold_users,
            .seed = 0,
            .run = log.run()};
}

}

struct judging::state {
    state(journal& to, world const& data, moments const& t)
        : log(to),
          all(data),
          when(t),
          known(all.data.before(t.t2)),
          future(rs::split_by_time(all.data, t.t2).test),
          heard(rs::user_items(known, {.run = to.run()})),
          popular(rs::popularity({.run = to.run()}).fit(known)),
          judge(future, heard, metrics_of(to.set.k), how(to, false)),
          judge_all(future, heard, metrics_of(to.set.k), how(to, true)) {}

    rs::recommend_options recommending() const {
        return {.k = log.set.k, .include_seen = log.set.include_seen, .run = {.threads = log.set.threads}};
    }
    /// The popular ones in place of the lists of users without history.
    void judge_with_fallback(rs::evaluator::row_sink const& sink, rs::lists const& block) const {
        std::vector<rs::user_index> cold;
        for (auto const& [user, list] : block)
            if (heard.seen(user).empty()) cold.push_back(user);
        sink(rs::recommend(popular, cold, heard, recommending()));
        std::vector<rs::user_index> users;
        std::vector<std::size_t> ends;
        std::vector<rs::scored> items;
        for (auto const& [user, list] : block) {
            if (heard.seen(user).empty()) continue;
            users.push_back(user);
            items.insert(items.end(), list.begin(), list.end());
            ends.push_back(items.size());
        }
        sink(rs::lists(std::move(users), std::move(ends), std::move(items), block.provenance()));
    }

    journal& log;
    world const& all;
    moments when;
    rs::dataset<id, id> known;
    rs::truth future;
    rs::csr heard;
    rs::popularity_model popular;
    rs::evaluator judge, judge_all;
    std::vector<std::string> rows;
};

judging::judging(journal& log, world const& all, moments const& when) : m_state(std::make_unique<state>(log, all, when)) {}
judging::~judging() = default;

rs::truth const& judging::future() const { return m_state->future; }
rs::dataset<id, id> const& judging::known() const { return m_state->known; }
rs::csr const& judging::heard() const { return m_state->heard; }

std::function<void(rs::lists const&)> judging::row(std::string const& name) {
    auto& s = *m_state;
    s.rows.push_back(name);
    return [&s, plain = s.judge.row(name), filled = s.judge_all.row(name)](rs::lists const& block) {
        plain(block);
        s.judge_with_fallback(filled, block);
    };
}

void judging::recommend(rs::any_recommender const& lists_of, std::function<void(rs::lists const&)> const& sink) const {
    auto how = m_state->recommending();
    how.run = m_state->log.run();
    rs::recommend(lists_of, m_state->future.active_users(), m_state->heard, how, sink);
}

namespace {

void put_numbers(journal& log, rs::evaluation const& table, char const* key, bool intervals) {
    for (auto const& row : table.rows())
        for (auto const& metric : table.metrics()) {
            auto const value = table.at(row, metric);
            log.result[key][row][metric] = value.mean;
            if (intervals && std::isfinite(value.low)) log.result["intervals"][row][metric] = {value.low, value.high};
        }
}

void put_differences(journal& log, rs::evaluation const& table, std::string const& a, std::string const& b) {
    for (auto const& metric : table.metrics()) {
        auto const d = table.difference(metric, a, b);
        auto& to = log.result["differences"][a + " - " + b][metric];
        to["mean"] = d.mean;
        if (std::isfinite(d.low)) to["low"] = d.low, to["high"] = d.high;
    }
}

/// What the intervals say, in a sentence.
void compare(journal& log, rs::evaluation const& table, std::string const& a, std::string const& b) {
    put_differences(log, table, a, b);
    auto const at_k = "@" + std::to_string(log.set.k);
    std::string better, open, worse;
    for (auto const* const metric : {"precision", "recall", "ndcg"}) {
        auto const d = table.difference(metric + at_k, a, b);
        auto const part = text("%s%s %+.4f [%+.4f, %+.4f]", metric, at_k.c_str(), d.mean, d.low, d.high);
        auto& to = d.low > 0 ? better : d.high < 0 ? worse : open;
        to += (to.empty() ? "" : ", ") + part;
    }
    auto const say = [&](std::string const& found, char const* verdict) {
        if (!found.empty()) log.find(a + " " + verdict + " " + b + ": " + found + ".");
    };
    say(better, "is better than");
    say(worse, "is WORSE than");
    say(open, "is not told apart from");
}

void show_intervals(journal& log, rs::evaluation const& table) {
    auto const at_k = "@" + std::to_string(log.set.k);
    for (auto const* const metric : {"ndcg", "precision", "recall"}) {
        std::vector<interval> rows;
        for (auto const& row : table.rows()) {
            if (row == "als") continue;
            auto const d = table.difference(metric + at_k, row, "als");
            rows.push_back({row + " - als", d.mean, d.low, d.high});
        }
        log.page.figure(
            intervals_chart(rows, metric + at_k,
                            text("Difference from als in %s%s with 95%% intervals of paired bootstrap resamples", metric, at_k.c_str())));
    }
}

rs::dataset<id, id> before(world const& all, rs::time_point t) { return all.data.before(t); }

}

void judging::show(std::vector<rs::item_index> const& top_popular) {
    auto& s = *m_state;
    auto& log = s.log;
    log.say.step("9 Evaluation");
    log.page.section("9 Evaluation, as of T2");
    auto const table = s.judge.table();
    auto const& judged = table.judged();
    log.find(text(
        "Judged are the %zu users with an event before T2 (of %zu from T2 on) who then played something that others had played before%s: "
        "%zu of their %zu pairs were left out because they had heard the track before, %zu because nobody had.",
        judged.users, judged.truth_users, log.set.include_seen ? "" : " and they had not", judged.seen_pairs, judged.pairs,
        judged.unknown_pairs));
    log.page.preformatted(table.text());
    log.say.print("\n" + table.text() + "\n");
    log.result["markdown"] = table.markdown();
    put_numbers(log, table, "metrics", true);
    log.result["judged"] = {{"users", judged.users},
                            {"truth_users", judged.truth_users},
                            {"without_history", judged.without_history},
                            {"without_relevant", judged.without_relevant},
                            {"pairs", judged.pairs},
                            {"seen_pairs", judged.seen_pairs},
                            {"unknown_pairs", judged.unknown_pairs}};
    show_intervals(log, table);
    compare(log, table, "als", "popular");
    compare(log, table, "ranked", "als");
    compare(log, table, "als", "popular_recent");
    if (log.set.tune_als) {
        compare(log, table, "als_tuned", "als");
        compare(log, table, "ranked_tuned", "als_tuned");
    }
    for (auto const& warning : table.warnings()) log.page.text("Note: " + warning + ".");

    auto const everybody = s.judge_all.table();
    put_numbers(log, everybody, "all_users", false);
    log.page.preformatted(everybody.text());
    log.find(text("With the popular tracks for users without history (%zu users in all), NDCG@%zu is %.4f for als and %.4f for ranked.",
                  everybody.judged().users, log.set.k, everybody.at("als", "ndcg@" + std::to_string(log.set.k)).mean,
                  everybody.at("ranked", "ndcg@" + std::to_string(log.set.k)).mean));

    auto const heard = rs::user_items(before(s.all, s.when.t1), {.run = log.run()});
    auto const cold = rs::judge_cold_users(rs::split_by_time(s.all.data, s.when.t1).test, heard, top_popular);
    log.result["cold_users"] = {{"users", cold.users},
                                {"events", cold.events},
                                {"without_hit", cold.without_hit},
                                {"share_of_others", cold.share_of_others},
                                {"recall", cold.recall}};
    log.find(text(
        "%zu users came after T1. %.1f%% of them played none of the %zu popular tracks of step 4; of the others' plays they are %.1f%%; of everybody's "
        "%.1f%% (the recall of popular).",
        cold.users, 100 * cold.without_hit, top_popular.size(), 100 * cold.share_of_others, 100 * cold.recall));
    compare_with_others(log, table);
}

} // namespace music
