// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/fixtures/metrics.hpp"

namespace rs = recsys;
using namespace std::chrono;
using doctest::Approx;

namespace {

constexpr rs::item_index item(std::size_t i) { return static_cast<rs::item_index>(i); }
constexpr rs::user_index user(std::size_t u) { return static_cast<rs::user_index>(u); }

struct play {
    int user, track;
    sys_days day;
};
sys_days const cut = 2024y / 6 / 1;

auto ingest(std::vector<play> const& log) { return rs::ingest(log, rs::columns().user(&play::user).item(&play::track).time(&play::day)); }

/// Users 0 to 3, items 0 to 5. Past: 0 {0, 1}, 1 {1}, 2 {2}. Future: 0 {1, 2, 5}, 1 {2}, 2 {5}, 3 {0}. Item 5 is new.
auto few() {
    auto const b = cut - days{1};
    return ingest({{0, 0, b},
                   {0, 1, b},
                   {1, 1, b},
                   {2, 2, b},
                   {0, 1, cut},
                   {0, 2, cut},
                   {0, 5, cut},
                   {1, 2, cut},
                   {2, 5, cut},
                   {3, 0, cut},
                   {1, 3, b},
                   {1, 4, b}});
}

/// Lists as they are given: one a user, scores falling.
rs::lists lists_of(std::vector<std::pair<rs::user_index, std::vector<std::size_t>>> const& rows, rs::provenance from = {}) {
    std::vector<rs::user_index> users;
    std::vector<std::size_t> ends;
    std::vector<rs::scored> items;
    for (auto const& [u, list] : rows) {
        users.push_back(u);
        for (std::size_t i = 0; i < list.size(); ++i) items.push_back({item(list[i]), 10.f - static_cast<float>(i)});
        ends.push_back(items.size());
    }
    return rs::lists(users, ends, items, from);
}

rs::evaluation judge(rs::lists const& given, std::vector<rs::metric> const& metrics, rs::evaluate_options const& options = {}) {
    auto const data = few();
    auto const w = rs::split_by_time(data, cut);
    rs::evaluator judge(w.test, rs::user_items(w.train), metrics, options);
    judge.row("given")(given);
    return judge.table();
}

bool says(std::vector<std::string> const& warnings, std::string const& part) {
    for (auto const& warning : warnings)
        if (warning.find(part) != std::string::npos) return true;
    return false;
}

}

TEST_CASE("judged are users with history whose truth holds something that could be listed") {
    auto const table = judge(lists_of({{user(0), {2, 3}}, {user(1), {2}}}), {rs::precision(2), rs::recall(2)});
    // User 2 took only what nobody had; user 3 has no history; of user 0's truth {1, 2, 5} he has had 1, and 5 is unknown.
    CHECK(table.users() == std::vector{user(0), user(1)});
    auto const& report = table.judged();
    CHECK(report.users == 2);
    CHECK(report.truth_users == 4);
    CHECK(report.without_history == 1);
    CHECK(report.without_relevant == 1);
    CHECK(report.pairs == 5);
    CHECK(report.repeated_pairs == 1);
    CHECK(report.seen_pairs == 1);
    CHECK(report.unknown_pairs == 2);
    CHECK(table.at("given", "precision@2").mean == 0.5);
    CHECK(table.at("given", "recall@2").mean == 1);
    CHECK(std::vector<double>(table.values("given", "precision@2").begin(), table.values("given", "precision@2").end()) ==
          std::vector<double>{0.5, 0.5});
}

TEST_CASE("with include_seen what was seen counts again") {
    auto const table =
        judge(lists_of({{user(0), {1, 2}}, {user(1), {2, 0}}}), {rs::recall(2), rs::precision(2), rs::novelty(2)}, {.include_seen = true});
    CHECK(table.judged().seen_pairs == 0);
    CHECK(table.judged().repeated_pairs == 1);
    CHECK(table.at("given", "recall@2").mean == 1);
    CHECK(table.at("given", "precision@2").mean == 0.75);
    CHECK(table.at("given", "novelty@2").mean == 0.75);
    CHECK(table.lists_of("given").seen_slots == 1);
    CHECK(says(table.warnings(), "take 1 of 4 slots; 1 of the 5 pairs of the truth repeat an earlier one"));
}

TEST_CASE("c61 a judged user without a list counts as 0, a list of somebody else is counted and does not matter") {
    auto const table = judge(lists_of({{user(0), {2}}, {user(3), {0}}}), {rs::hit_rate(1)});
    CHECK(table.at("given", "hit_rate@1").mean == 0.5);
    CHECK(table.lists_of("given").missing == 1);
    CHECK(table.lists_of("given").unjudged == 1);
    CHECK(says(table.warnings(), "1 of 2 judged users got no recommendations"));
}

TEST_CASE("c59 c61 a user whose first hit is behind k, and one with a list but nothing in the truth") {
    // User 0's only hit, 2, is third; user 1's is first. User 4 has a history, but no truth at all.
    auto const b = cut - days{1};
    auto const data = ingest({{0, 0, b}, {1, 1, b}, {4, 2, b}, {4, 3, b}, {4, 4, b}, {0, 2, cut}, {1, 2, cut}});
    auto const w = rs::split_by_time(data, cut);
    rs::evaluator judge(w.test, rs::user_items(w.train), {rs::reciprocal_rank(2), rs::average_precision(2), rs::ndcg(2)});
    judge.row("given")(lists_of({{user(0), {3, 4, 2}}, {user(1), {2, 3, 4}}, {data.users().at(4), {0, 1}}}));
    auto const table = judge.table();
    CHECK(table.judged().users == 2);
    for (auto const& metric : table.metrics()) CHECK(table.at("given", metric).mean == 0.5);
    CHECK(table.lists_of("given").unjudged == 1);
}

TEST_CASE("c60 a pair that occurs several times in the truth counts once") {
    auto const b = cut - days{1};
    auto const data = ingest({{0, 0, b}, {1, 1, b}, {1, 2, b}, {1, 3, b}, {0, 1, cut}, {0, 1, cut + days{1}}, {0, 1, cut + days{2}}});
    auto const w = rs::split_by_time(data, cut);
    rs::evaluator judge(w.test, rs::user_items(w.train), {rs::precision(3), rs::recall(3), rs::ndcg(3), rs::average_precision(3)});
    judge.row("given")(lists_of({{user(0), {1, 2, 3}}}));
    CHECK(judge.table().at("given", "precision@3").mean == Approx(1. / 3));
    CHECK(judge.table().at("given", "recall@3").mean == 1);
    CHECK(judge.table().at("given", "ndcg@3").mean == 1);
    CHECK(judge.table().at("given", "map@3").mean == 1);
}

TEST_CASE("an item that is listed again hits only once but takes its place") {
    auto const table = judge(lists_of({{user(0), {2, 2, 3}}, {user(1), {3, 3, 2}}}),
                             {rs::precision(3), rs::recall(3), rs::reciprocal_rank(3), rs::coverage(3)});
    auto const of = [&](char const* metric, std::size_t i) { return table.values("given", metric)[i]; };
    CHECK(of("precision@3", 0) == Approx(1. / 3));
    CHECK(of("recall@3", 0) == 1);
    CHECK(of("mrr@3", 1) == Approx(1. / 3));
    CHECK(table.at("given", "coverage").mean == Approx(2. / 6));
}

TEST_CASE("c23 c65 an item past the end, -1 too, is an error before anything is read, and leaves the row as it was") {
    auto const data = few();
    auto const w = rs::split_by_time(data, cut);
    rs::evaluator judge(w.test, rs::user_items(w.train), {rs::precision(2), rs::coverage(2), rs::novelty_bits(2), rs::gini(2)});
    auto const row = judge.row("given");
    CHECK_THROWS_WITH_AS(row(lists_of({{user(1), {2}}, {user(0), {2, 6}}})),
                         "evaluate: row 'given' lists item 6 for user 0, expected below 6, the number of items", rs::data_error);
    CHECK_THROWS_AS(row(lists_of({{user(0), {static_cast<std::uint32_t>(-1)}}})), rs::data_error);
    CHECK_THROWS_WITH_AS(row(lists_of({{user(0), {2}}, {user(1), {2}}, {user(0), {3}}})), "evaluate: row 'given' has two lists of user 0",
                         rs::data_error);
    CHECK_NOTHROW(row(lists_of({{user(0), {2}}, {user(1), {2}}, {user(77), {99}}}))); // a user who is not judged does not matter
    CHECK(judge.table().lists_of("given").lists == 2);
    CHECK(judge.table().at("given", "precision@2").mean == 0.5);
}

TEST_CASE("c33 a user without history is judged only with cold_users, and a personal model's empty list counts as 0") {
    auto const data = few();
    auto const w = rs::split_by_time(data, cut);
    auto const seen = rs::user_items(w.train);
    auto const als = rs::als({.factors = 2, .iterations = 1}).fit(seen);
    auto const popular = rs::popularity().fit(w.train);
    std::vector<rs::contender> const rows{{"als", als}, {"filled", rs::fallback(als, popular)}};
    auto const warm = rs::evaluate(rows, w.test, seen, {rs::hit_rate(5)});
    CHECK(warm.users() == std::vector{user(0), user(1)});
    CHECK(warm.judged().cold_users == 0);
    auto const all = rs::evaluate(rows, w.test, seen, {rs::hit_rate(5)}, {.cold_users = true});
    CHECK(all.users() == std::vector{user(0), user(1), user(3)});
    CHECK(all.judged().cold_users == 1);
    CHECK(all.judged().without_history == 0);
    CHECK(all.lists_of("als").missing == 1);
    CHECK(all.values("als", "hit_rate@5")[2] == 0);
    CHECK(all.values("filled", "hit_rate@5")[2] == 1);
}

TEST_CASE("with all_truth everything that was taken counts, also what no list could hold") {
    auto const table = judge(lists_of({{user(0), {2, 3}}, {user(1), {2}}}), {rs::recall(2)}, {.all_truth = true});
    CHECK(table.users() == std::vector{user(0), user(1), user(2)});
    CHECK(table.judged().seen_pairs == 0);
    CHECK(table.judged().unknown_pairs == 0);
    CHECK(table.at("given", "recall@2").mean == Approx((1. / 3 + 1 + 0) / 3));
}

namespace {

/// What was seen, as a type of the user's: rows made at each call, or lent.
struct makes_rows {
    std::vector<std::vector<rs::item_index>> rows;
    std::vector<rs::item_index> seen(rs::user_index u) const { return rows.at(rs::to_size(u)); }
    std::size_t n_users() const { return rows.size(); }
};
struct lends_rows {
    std::vector<std::vector<rs::item_index>> rows;
    std::vector<rs::item_index> const& seen(rs::user_index u) const { return rows.at(rs::to_size(u)); }
    std::size_t n_users() const { return rows.size(); }
};

}

TEST_CASE("what was seen may be told by a type of the user's, by value or by reference, with fewer users than the truth") {
    auto const data = few();
    auto const w = rs::split_by_time(data, cut);
    std::vector<std::vector<rs::item_index>> const rows{
        {item(0), item(1)}, {item(1), item(3), item(4)}, {item(2)}}; // user 3 is past the end
    auto const given = lists_of({{user(0), {1, 2}}, {user(1), {2, 5}}});
    auto const run = [&](auto const& seen) {
        rs::evaluator judge(w.test, seen, {rs::recall(2), rs::novelty(2), rs::novelty_bits(2)}, {.include_seen = true});
        judge.row("given")(given);
        return judge.table();
    };
    auto const wanted = run(rs::user_items(w.train));
    CHECK(run(makes_rows{rows}).csv() == wanted.csv());
    CHECK(run(lends_rows{rows}).csv() == wanted.csv());
    CHECK(wanted.judged().truth_users == 4);
    auto wrong = rows;
    std::swap(wrong[0][0], wrong[0][1]);
    CHECK_THROWS_WITH_AS(run(makes_rows{wrong}), doctest::Contains("what user 0 has seen must be in rising order"), rs::data_error);
    CHECK_THROWS_AS(run(lends_rows{wrong}), rs::data_error);
    // A row that repeats an item is one user of it: no item has more users than there are.
    auto repeated = rows;
    repeated[0] = {item(0), item(0), item(1)};
    CHECK(run(lends_rows{repeated}).at("given", "novelty_bits@2").mean == wanted.at("given", "novelty_bits@2").mean);
    repeated[0] = {item(0), item(6)};
    CHECK_THROWS_WITH_AS(run(lends_rows{repeated}), doctest::Contains("has seen item 6, the truth has 6 items"), rs::data_error);
}

TEST_CASE("novelty in bits of a table is the mean over users of -log2(users of the item / users with a history)") {
    // Item 1 has two of three users, 2 has one, 5 none and counts as one.
    auto const table = judge(lists_of({{user(0), {2, 1}}, {user(1), {5}}}), {rs::novelty_bits(2)});
    CHECK(table.at("given", "novelty_bits@2").mean == Approx(((std::log2(3.) + std::log2(1.5)) / 2 + std::log2(3.)) / 2));
}

TEST_CASE("c17 users and items that occur only in the test go from split to fit to evaluation") {
    std::vector<play> const log{{0, 0, cut - days{1}}, {1, 0, cut - days{1}}, {2, 0, cut}, {0, 5, cut}, {1, 0, cut}};
    auto const data = ingest(log);
    auto const w = rs::split_by_time(data, cut);
    auto const seen = rs::user_items(w.train);
    auto const als = rs::als({.factors = 2, .iterations = 1}).fit(seen);
    auto const table =
        rs::evaluate({{"als", als}, {"popular", rs::popularity().fit(w.train)}}, w.test, seen, {rs::recall(3)}, {.cold_users = true});
    CHECK(table.judged().unknown_pairs == 1);
    CHECK(table.users() == std::vector{user(2)}); // the others took what they had had, or what nobody had
    CHECK(table.at("als", "recall@3").mean == 0); // an empty history
    CHECK(table.at("popular", "recall@3").mean == 1);
}

TEST_CASE("the table is that of ranx and RecTools on the same lists") {
    using namespace metrics_fixture;
    std::vector<play> log;
    auto const add = [&](int const* values, int const* ends, sys_days day) {
        for (int u = 0, i = 0; u < n_users; ++u)
            for (; i < ends[u]; ++i) log.push_back({u, values[i], day});
    };
    add(relevant, relevant_ends, cut);
    for (int i = 0; i < n_items; ++i) log.push_back({1000, i, cut - days{1}}); // everything is known
    for (int u = 0; u < n_users; ++u) log.push_back({u, 1000, cut - days{1}}); // everybody has a history
    auto const data = ingest(log);
    auto const w = rs::split_by_time(data, cut);
    std::vector<std::pair<rs::user_index, std::vector<std::size_t>>> rows;
    for (int u = 0, i = 0; u < n_users; ++u) {
        rows.push_back({data.users().at(u), {}});
        for (; i < shown_ends[u]; ++i) rows.back().second.push_back(rs::to_size(data.items().at(shown[i])));
    }
    rs::evaluator judge(
        w.test, rs::user_items(w.train),
        {rs::precision(5), rs::recall(5), rs::ndcg(5), rs::average_precision(5), rs::reciprocal_rank(5), rs::hit_rate(5), rs::coverage(5)});
    judge.row("given")(lists_of(rows));
    auto const table = judge.table();
    REQUIRE(table.judged().users == n_users);
    for (std::size_t i = 0; i < 6; ++i) CHECK(table.at("given", rectools_5[i].metric).mean == Approx(rectools_5[i].value).epsilon(1e-12));
    // The catalogue has one item more here.
    CHECK(table.at("given", "coverage").mean == Approx(rectools_5[6].value * n_items / (n_items + 1)).epsilon(1e-12));
}

TEST_CASE("novelty in bits is that of RecTools where everything shown is known") {
    using namespace metrics_fixture;
    std::vector<play> log;
    std::vector<std::size_t> users_of(n_items);
    for (int u = 0, i = 0; u < n_users; ++u)
        for (; i < past_ends[u]; ++i) log.push_back({u, past[i], cut - days{1}}), ++users_of[static_cast<std::size_t>(past[i])];
    double sum = 0;
    int n_lists = 0;
    for (int u = 0, i = 0; u < n_users; ++u) {
        std::vector<int> const list(shown + i, shown + shown_ends[u]);
        i = shown_ends[u];
        if (list.empty()) continue;
        sum += rs::novelty_bits(5)(
            list, [&](int id) { return users_of[static_cast<std::size_t>(id)]; }, n_users),
            ++n_lists;
    }
    CHECK(sum / n_lists == Approx(rectools_5[7].value).epsilon(1e-12));
}

TEST_CASE("coverage and Gini count items over the judged users' lists, up to their k") {
    auto const given = lists_of({{user(0), {2, 3, 4}}, {user(1), {2, 0, 5}}, {user(3), {1}}});
    auto const table = judge(given, {rs::coverage(2), rs::gini(2), rs::precision(3)});
    CHECK(table.at("given", "coverage").mean == Approx(3. / 6)); // 2, 3, 0 of six
    CHECK(std::isnan(table.at("given", "coverage").low));
    CHECK(table.at("given", "gini@2").mean == Approx(rs::gini::of_counts({1, 0, 2, 1, 0, 0})));
    CHECK(table.values("given", "coverage").empty());
}

TEST_CASE("a metric of the user's own is called once a user, with k items") {
    struct mean_place {
        std::size_t k = 2;
        std::string name() const { return "mean_item"; }
        double operator()(std::span<rs::item_index const> shown, std::span<rs::item_index const> relevant) const {
            CHECK(shown.size() <= k);
            CHECK_FALSE(relevant.empty());
            double sum = 0;
            for (auto const i : shown) sum += static_cast<double>(rs::to_size(i));
            return sum;
        }
    };
    struct had {
        std::size_t k = 1;
        std::string name() const { return "had"; }
        double operator()(rs::judged_list const& list) const { return static_cast<double>(list.seen.size()); }
    };
    auto const table = judge(lists_of({{user(0), {2, 3, 4}}, {user(1), {2}}}), {mean_place{}, had{}});
    CHECK(table.at("given", "mean_item").mean == 3.5);
    CHECK(table.at("given", "had").mean == 2.5);
}

TEST_CASE("rows that know the future, were made with other ids, or come twice are errors that name the row") {
    auto const data = few();
    auto const w = rs::split_by_time(data, cut);
    auto const seen = rs::user_items(w.train);
    std::vector<rs::metric> const metrics{rs::precision(2)};
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::evaluate({{"late", rs::popularity().fit(data)}}, w.test, seen, metrics)),
                         doctest::Contains("'late'"), rs::data_error);
    auto const let_in = rs::evaluate({{"early", rs::popularity().fit(w.train)}, {"late", rs::popularity().fit(data)}}, w.test, seen,
                                     metrics, {.allow_leak = true});
    CHECK(let_in.lists_of("late").leaks);
    CHECK_FALSE(let_in.lists_of("early").leaks);
    CHECK(says(let_in.warnings(), "row 'late' knows events up to 2024-06-01T00:00:00.000001Z, the truth begins at 2024-06-01T00:00:00Z"));
    CHECK(let_in.text().find("late (leak)") != std::string::npos);
    CHECK(let_in.text().find("early (leak)") == std::string::npos);
    CHECK(let_in.csv().find("\nlate,precision@2,") != std::string::npos); // for programs names stay names
    CHECK_THROWS_WITH_AS(
        static_cast<void>(rs::evaluate({}, w.test, rs::user_items(data), metrics)),
        doctest::Contains("what was seen knows events up to 2024-06-01T00:00:00.000001Z, the truth begins at 2024-06-01T00:00:00Z"),
        rs::data_error);
    CHECK(says(rs::evaluate({}, w.test, rs::user_items(data), metrics, {.include_seen = true, .allow_leak = true}).warnings(),
               "what was seen knows events up to"));
    auto const other = ingest({{7, 8, cut - days{1}}});
    CHECK_THROWS_AS(static_cast<void>(rs::evaluate({{"other", rs::popularity().fit(other)}}, w.test, seen, metrics)), rs::data_error);
    rs::evaluator judge(w.test, seen, metrics);
    auto const row = judge.row("a");
    CHECK_THROWS_AS(static_cast<void>(judge.row("a")), rs::data_error);
    row(lists_of({{user(0), {2}}}));
    CHECK_THROWS_AS(row(lists_of({{user(0), {3}}})), rs::data_error);
}

TEST_CASE("options outside their range, no metrics, two of one name and a baseline that is no row are errors") {
    auto const given = lists_of({{user(0), {2}}});
    CHECK_THROWS_AS(judge(given, {}), rs::option_error);
    CHECK_THROWS_AS(judge(given, {rs::precision(2), rs::precision(2)}), rs::option_error);
    CHECK_THROWS_AS(judge(given, {rs::precision(2)}, {.confidence = 0}), rs::option_error);
    CHECK_THROWS_AS(judge(given, {rs::precision(2)}, {.baseline = "nobody"}), rs::option_error);
    CHECK_THROWS_AS(judge(given, {rs::precision(2)}, {.resamples = 2000000}), rs::option_error);
    // A name that is wrong is found before anything is computed.
    struct never_asked {
        std::size_t n_items() const { return 6; }
        void score(rs::user_index, std::span<float>) const { FAIL("asked for scores"); }
    };
    auto const data = few();
    auto const w = rs::split_by_time(data, cut);
    auto const seen = rs::user_items(w.train);
    CHECK_THROWS_AS(static_cast<void>(rs::evaluate({{"a", never_asked{}}}, w.test, seen, {rs::precision(2)}, {.baseline = "b"})),
                    rs::option_error);
    CHECK_THROWS_AS(static_cast<void>(rs::evaluate({{"a", never_asked{}}, {"a", never_asked{}}}, w.test, seen, {rs::precision(2)})),
                    rs::data_error);
    auto const table = judge(given, {rs::precision(2)});
    CHECK_THROWS_WITH_AS(static_cast<void>(table.at("given", "ndcg@5")),
                         doctest::Contains("there is no metric 'ndcg@5'; there are: precision@2"), rs::data_error);
}

TEST_CASE("with nothing_seen everybody in the truth is judged by all items") {
    auto const data = few();
    auto const w = rs::split_by_time(data, cut);
    auto const table = rs::evaluate({{"popular", rs::popularity().fit(w.train)}}, w.test, rs::nothing_seen, {rs::recall(6)});
    CHECK(table.judged().users == 4);
    CHECK(table.judged().pairs == 6);
    CHECK(table.judged().unknown_pairs == 0);
    CHECK(table.judged().cold_users == 0);
    // There is no past that an item could be new against.
    for (rs::metric const& m : {rs::metric(rs::novelty(2)), rs::metric(rs::novelty_bits(2))})
        CHECK_THROWS_WITH_AS(static_cast<void>(rs::evaluate({}, w.test, rs::nothing_seen, {m})),
                             doctest::Contains("needs what users had before"), rs::option_error);
}

TEST_CASE("a split without a moment is judged, and the table says that it is not safe in time") {
    auto const data = few();
    auto const w = rs::last_n(data, {.n = 1});
    auto const table = rs::evaluate({{"popular", rs::popularity().fit(w.train)}}, w.test, rs::user_items(w.train), {rs::recall(6)});
    CHECK(says(table.warnings(), "not safe in time"));
}

namespace {

/// A log with tastes, large enough for intervals.
auto many() {
    std::vector<play> log;
    rs::random_stream random(3, 0);
    for (int i = 0; i < 12000; ++i) {
        int const u = static_cast<int>(random.below(200)), kind = u % 3;
        log.push_back({u,
                       3 * static_cast<int>(random.below(40) * random.below(40) / 20) +
                           (random.uniform() < 0.8 ? kind : static_cast<int>(random.below(3))),
                       cut - days{60} + days{static_cast<int>(random.below(70))}});
    }
    return ingest(log);
}

}

TEST_CASE("a table is the same for any number of threads and blocks, evaluated or streamed") {
    auto const data = many();
    auto const w = rs::split_by_time(data, cut);
    auto const seen = rs::user_items(w.train);
    auto const als = rs::als({.factors = 8, .regularization = 1, .iterations = 5}).fit(seen);
    auto const popular = rs::popularity().fit(w.train);
    std::vector<rs::metric> const metrics{rs::precision(5), rs::ndcg(10), rs::coverage(5), rs::novelty_bits(5)};
    auto const run = [&](std::size_t threads) {
        return rs::evaluate({{"popular", popular}, {"als", als}}, w.test, seen, metrics,
                            {.baseline = "popular", .resamples = 200, .run = {.threads = threads}});
    };
    auto const one = run(1);
    CHECK(run(2).csv() == one.csv());
    CHECK(run(7).csv() == one.csv());
    rs::evaluator judge(w.test, seen, metrics, {.baseline = "popular", .resamples = 200});
    rs::recommend(popular, w.test.active_users(), seen, {.k = 20, .block = 7}, judge.row("popular"));
    rs::recommend(als, w.test.active_users(), seen, {.k = 20, .block = 50}, rs::tee([](rs::lists const&) {}, judge.row("als")));
    CHECK(judge.table().csv() == one.csv());
    CHECK(one.difference("ndcg@10", "als", "popular").excludes_zero());
    CHECK(one.difference("ndcg@10", "als", "als").high == 0);
    auto const d = one.difference("precision@5", "als", "popular");
    CHECK(d.mean == Approx(one.at("als", "precision@5").mean - one.at("popular", "precision@5").mean));
    CHECK(d.low < d.mean);
    CHECK(d.mean < d.high);
}

TEST_CASE("means of a table are those of the metrics alone, user by user") {
    auto const data = many();
    auto const w = rs::split_by_time(data, cut);
    auto const seen = rs::user_items(w.train);
    auto const popular = rs::popularity().fit(w.train);
    auto const table = rs::evaluate({{"popular", popular}}, w.test, seen, {rs::recall(5), rs::ndcg(5)}, {.resamples = 0});
    std::set<rs::item_index> known;
    for (auto const i : w.train.event_items()) known.insert(i);
    double recall = 0, ndcg = 0;
    std::size_t n = 0;
    for (auto const u : w.test.active_users()) {
        auto const had = seen.seen(u);
        std::vector<rs::item_index> truth, shown;
        for (auto const i : w.test.items(u))
            if (known.count(i) && !std::binary_search(had.begin(), had.end(), i)) truth.push_back(i);
        if (had.empty() || truth.empty()) continue;
        for (auto const& one : rs::recommend(popular, u, seen, {.k = 5})) shown.push_back(one.item);
        recall += rs::recall(5)(shown, truth), ndcg += rs::ndcg(5)(shown, truth), ++n;
    }
    REQUIRE(n == table.judged().users);
    CHECK(table.at("popular", "recall@5").mean == Approx(recall / static_cast<double>(n)));
    CHECK(table.at("popular", "ndcg@5").mean == Approx(ndcg / static_cast<double>(n)));
}

TEST_CASE("progress can stop an evaluation, which then throws") {
    auto const data = many();
    auto const w = rs::split_by_time(data, cut);
    auto const stop = [](rs::progress const&) { return false; };
    CHECK_THROWS_AS(static_cast<void>(rs::evaluate({{"popular", rs::popularity().fit(w.train)}}, w.test, rs::user_items(w.train),
                                                   {rs::recall(5)}, {.run = {.progress = stop}})),
                    rs::cancelled);
}

TEST_CASE("the intervals of an evaluation tell how far they are and can be stopped, by an answer or an exception") {
    auto const data = many();
    auto const w = rs::split_by_time(data, cut);
    auto const seen = rs::user_items(w.train);
    auto const lists = rs::recommend(rs::popularity().fit(w.train), w.test.active_users(), seen, {.k = 5});
    std::vector<std::uint64_t> told;
    struct enough {};
    auto const table_of = [&](rs::progress_callback const& progress) {
        rs::evaluator judge(w.test, seen, {rs::recall(5)}, {.resamples = 100, .run = {.threads = 2, .progress = progress}});
        judge.row("popular")(lists);
        return judge.table();
    };
    auto const whole = table_of([&](rs::progress const& now) {
        CHECK(now.stage == "bootstrap");
        CHECK(now.total == 100);
        told.push_back(now.done);
    });
    CHECK(told == std::vector<std::uint64_t>{32, 64, 96, 100});
    CHECK(whole.at("popular", "recall@5").low == table_of({}).at("popular", "recall@5").low);
    CHECK_THROWS_WITH_AS(static_cast<void>(table_of([](rs::progress const& now) { return now.done < 64; })),
                         "bootstrap: stopped by the progress callback after 64 of 100", rs::cancelled);
    CHECK_THROWS_AS(static_cast<void>(table_of([](rs::progress const&) { throw enough(); })), enough);
}

TEST_CASE("ready lists are a row; those that are shorter than k and what they hold of seen items are reported") {
    auto const data = many();
    auto const w = rs::split_by_time(data, cut);
    auto const seen = rs::user_items(w.train);
    auto const popular = rs::popularity().fit(w.train);
    auto const ready = rs::recommend(popular, w.test.active_users(), seen, {.k = 5});
    auto const table = rs::evaluate({{"popular", popular}, {"ready", ready}}, w.test, seen, {rs::ndcg(5)}, {.resamples = 10});
    CHECK(table.at("ready", "ndcg@5").mean == table.at("popular", "ndcg@5").mean);
    CHECK(table.lists_of("ready").shorter == 0);
    CHECK_FALSE(says(table.warnings(), "row 'ready'"));

    auto const deeper = rs::evaluate({{"popular", popular}, {"ready", ready}}, w.test, seen, {rs::precision(10)}, {.resamples = 10});
    CHECK(deeper.lists_of("popular").shorter == 0);
    CHECK(deeper.lists_of("ready").shorter == deeper.judged().users);
    CHECK(says(deeper.warnings(), "row 'ready': " + std::to_string(deeper.judged().users) + " of " + std::to_string(deeper.judged().users) +
                                      " judged users got fewer than the 10 items"));

    auto const seen_in = rs::recommend(popular, w.test.active_users(), seen, {.k = 5, .include_seen = true});
    std::size_t n_seen = 0;
    for (auto const u : table.users())
        for (auto const& [who, list] : seen_in)
            for (auto const& one : list) n_seen += who == u && std::binary_search(seen.seen(u).begin(), seen.seen(u).end(), one.item);
    REQUIRE(n_seen > 0);
    auto const said = std::to_string(n_seen) + " items that the user had seen were left out of the first 5 of the lists given";
    CHECK(says(rs::evaluate({{"ready", seen_in}}, w.test, seen, {rs::ndcg(5)}, {.resamples = 10}).warnings(), said));
    CHECK_FALSE(says(rs::evaluate({{"ready", seen_in}}, w.test, seen, {rs::ndcg(5)}, {.resamples = 10, .include_seen = true}).warnings(),
                     "left out of the first"));
    // Streamed as they are, they waste their places.
    rs::evaluator judge(w.test, seen, {rs::ndcg(5)}, {.resamples = 10});
    judge.row("streamed")(seen_in);
    CHECK(judge.table().lists_of("streamed").seen_slots == n_seen);
    CHECK(says(judge.table().warnings(), "where they can never be a hit"));
}

TEST_CASE("a list made of the truth is perfect, whatever the metric, and no list is more than that") {
    auto const data = many();
    auto const w = rs::split_by_time(data, cut);
    auto const seen = rs::user_items(w.train);
    std::vector<rs::metric> const metrics{rs::ndcg(10), rs::average_precision_min(10), rs::reciprocal_rank(10), rs::hit_rate(10)};
    rs::evaluator judge(w.test, seen, metrics, {.resamples = 0, .include_seen = true});
    std::vector<std::pair<rs::user_index, std::vector<std::size_t>>> rows;
    std::set<rs::item_index> const known(w.train.event_items().begin(), w.train.event_items().end());
    for (auto const u : w.test.active_users()) {
        rows.push_back({u, {}});
        for (auto const i : w.test.items(u))
            if (known.count(i)) rows.back().second.push_back(rs::to_size(i));
    }
    judge.row("oracle")(lists_of(rows));
    auto const table = judge.table();
    for (auto const& metric : table.metrics())
        for (double const value : table.values("oracle", metric)) CHECK(value == Approx(1));
}

TEST_CASE("re-ranking no more candidates than k is said to change nothing") {
    auto const data = many();
    auto const w = rs::split_by_time(data, cut);
    auto const seen = rs::user_items(w.train);
    auto const pool = rs::candidates().from("hot", rs::popularity().fit(w.train), 5);
    struct constant {
        std::vector<float> predict(rs::frame const& rows) const { return std::vector<float>(rows.n_rows()); }
    };
    rs::two_stage const ranked(rs::features(w.train, seen, pool), constant{});
    CHECK(says(rs::evaluate({{"ranked", ranked}}, w.test, seen, {rs::ndcg(5)}, {.resamples = 0}).warnings(), "row 'ranked': "));
    CHECK_FALSE(says(rs::evaluate({{"ranked", ranked}}, w.test, seen, {rs::ndcg(3)}, {.resamples = 0}).warnings(), "row 'ranked': "));
}
