// SPDX-License-Identifier: MIT
#include "others.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace music {

namespace {

constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

struct figures {
    double precision = not_measured, recall = not_measured, ndcg = not_measured;
};
/// A run: its lists of popular tracks, of ALS and of a ranker over ALS.
struct measured {
    std::string who;
    std::size_t k = 0;
    figures popular, als, ranked;
    std::string how;
    bool recent = false; ///< popular is not of all time
};

/// Printed in public notebooks about the real log, which do not let the future leak into the past; each row is another author's. All took
/// the whole log but for the last one.
std::vector<measured> const& others() {
    static std::vector<measured> const all{
        {"others 1", 10, {.0038, .0030}, {.0116, .0186}, {.0208, .0313}, "64 factors, alpha 40, no heard tracks; LambdaRank, last 14 days"},
        {"others 2", 10, {.0010, .0021}, {.0038, .0126}, {.0060, .0182}, "three disjoint windows"},
        {"others 3", 5, {.0064, .0029, .0062}, {.0129, .0119, .0157}, {.0158, .0127, .0190}, "the only one with NDCG"},
        {"others 4", 5, {.0108, .0043}, {.0072, .0059}, {.0163, .0103}, "popular of the last 100 days; heard tracks left in", true},
        {"others 5", 5, {}, {.0005, .0002}, {.0006, .0005}, "200,000 users, ratings cut to 0; popular: new users only, recall .059"},
    };
    return all;
}

figures of_row(recsys::evaluation const& table, std::string const& row, std::size_t k) {
    auto const at = [&](char const* metric) { return table.at(row, metric + ("@" + std::to_string(k))).mean; };
    return {at("precision"), at("recall"), at("ndcg")};
}

/// The runs of this program that have the same rows: with all-time popularity, with recent popularity, with the ALS that was tuned.
std::vector<measured> ours(journal const& log, recsys::evaluation const& table) {
    auto const row = [&](std::string const& name) { return of_row(table, name, log.set.k); };
    std::vector<measured> out{
        {"this run", log.set.k, row("popular"), row("als"), row("ranked"), "defaults of this program, unless options say otherwise"},
        {"this run, recent", log.set.k, row("popular_recent"), row("als"), row("ranked"),
         text("popular of the last %d days", log.set.popular_days)}};
    if (log.set.tune_als)
        out.push_back(
            {"this run, tuned", log.set.k, row("popular"), row("als_tuned"), row("ranked_tuned"), "ALS tuned on the label window"});
    return out;
}

double ratio(double a, double b) { return b > 0 ? a / b : not_measured; }
figures ratios(figures const& a, figures const& b) {
    return {ratio(a.precision, b.precision), ratio(a.recall, b.recall), ratio(a.ndcg, b.ndcg)};
}

std::string cell(double x) { return std::isnan(x) ? "-" : text("%.2f", x); }

std::vector<std::string> line_of(measured const& m) {
    auto const first = ratios(m.als, m.popular), second = ratios(m.ranked, m.als);
    return {m.who,
            std::to_string(m.k),
            cell(first.precision),
            cell(first.recall),
            cell(first.ndcg),
            cell(second.precision),
            cell(second.recall),
            cell(second.ndcg),
            m.how};
}

/// "2.02 to 3.80", of what others have.
template <class Ratio> std::string span_of(Ratio const& ratio_of) {
    double low = std::numeric_limits<double>::infinity(), high = 0;
    for (auto const& m : others())
        if (double const r = ratio_of(m); !std::isnan(r)) low = std::min(low, r), high = std::max(high, r);
    return text("%.2f to %.2f", low, high);
}

json to_json(figures const& f) {
    auto out = json::object();
    for (auto const& [name, value] : {std::pair("precision", f.precision), {"recall", f.recall}, {"ndcg", f.ndcg}})
        if (!std::isnan(value)) out[name] = value;
    return out;
}

}

void compare_with_others(journal& log, recsys::evaluation const& table) {
    auto const here = ours(log, table);
    rows_of_text rows;
    for (auto const& m : here) rows.push_back(line_of(m));
    for (auto const& m : others()) rows.push_back(line_of(m));
    log.page.section("9 Beside what others measured");
    auto const als = span_of([](measured const& m) { return m.recent ? not_measured : ratios(m.als, m.popular).precision; });
    auto const ranked = span_of([](measured const& m) { return ratios(m.ranked, m.als).precision; });
    log.find(text(
        "As shape, not as a claim: als has %s times the precision@%zu of popular here, %s times in the runs of others on the real log; "
        "ranked has %s times that of als here, %s times there.",
        rows[0][2].c_str(), log.set.k, als.c_str(), rows[0][5].c_str(), ranked.c_str()));
    log.page.text(
        text("These are other data: theirs are 222.6 million plays of 1.37 million users of a music service; %s. So no figure of one "
             "stands for the other, and only how far the rows of one run lie apart can be looked at. Theirs come from public notebooks "
             "on the real file, whole but in others 5; those that let the future leak into the past are left out.",
             log.set.data.empty() ? "these here were generated, shaped like them" : "these here are what --data gave"));
    rows_of_text upper, lower;
    for (auto const& r : rows) {
        upper.push_back({r[0], r[1], r[2], r[3], r[4], r[8]});
        if (r[0] != "this run, recent") lower.push_back({r[0], r[1], r[5], r[6], r[7]});
    }
    log.page.table({"run", "k", "precision", "recall", "NDCG", "how"}, upper, "als / popular, at k; - = one of the two was not measured");
    log.page.table({"run", "k", "precision", "recall", "NDCG"}, lower, "ranked / als, at k");
    std::string print;
    for (auto const& r : rows)
        print += text("    %-16s k = %-2s  als/popular P %5s R %5s N %5s  ranked/als P %5s R %5s N %5s  ", r[0].c_str(), r[1].c_str(),
                      r[2].c_str(), r[3].c_str(), r[4].c_str(), r[5].c_str(), r[6].c_str(), r[7].c_str()) +
                 r[8] + '\n';
    log.say.print(print);
    log.page.text(text(
        "The definitions differ too. Here every row is judged on the same users (those with an event before T2 who then played something "
        "new to them that was known), tracks that a user had heard are %s, a user who got no list counts as 0, and NDCG is divided by what "
        "can be reached in k places. Others have windows, users and settings of their own; what is known of them is in the last column, "
        "and popular is of all time but where it says otherwise. The notebook that they follow divides precision by the number of tracks "
        "recommended, counts users without a track to be found as 0 in recall, and judges ALS and the ranker on different windows.",
        log.set.include_seen ? "let in" : "left out of lists and truth"));
    auto& result = log.result["shape"];
    result["als/popular"] = to_json(ratios(here[0].als, here[0].popular));
    result["als/popular_recent"] = to_json(ratios(here[1].als, here[1].popular));
    result["ranked/als"] = to_json(ratios(here[0].ranked, here[0].als));
}

} // namespace music
