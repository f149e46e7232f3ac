// SPDX-License-Identifier: MIT
// What recommender pipelines get wrong most often, and what answers it here. Each test case is one mistake; those that do not compile have
// their file in tests/structure/must_not_compile, which the test case names.
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/interactions.hpp"

namespace rs = recsys;
using std::chrono::days;
using std::chrono::sys_days;

namespace {

bool says(std::vector<std::string> const& warnings, std::string_view words) {
    return std::any_of(warnings.begin(), warnings.end(), [&](std::string const& w) { return w.find(words) != std::string::npos; });
}

/// Six weeks of a log in which an eighth of the rows repeat an earlier pair; labels are the fifth week, the future the sixth.
struct log_of_six_weeks {
    rs::dataset<int, int> data = recsys_test::interactions_data(150, 100, 6000, 5);
    rs::time_point t0 = sys_days(std::chrono::year(2022) / 1 / 29), t2 = t0 + days(7);
    rs::three_windows<rs::dataset<int, int>> w = rs::split_by_time(data, t0, t2);
};

auto features_of(rs::dataset<int, int> const& known, std::size_t candidates = 40) {
    auto const seen = rs::user_items(known);
    return rs::features(known, seen, rs::candidates().from("hot", rs::popularity().fit(known), candidates)).recency().counts();
}

rs::booster small_booster() { return rs::booster({.trees = 20, .depth = 3}); }
std::vector<rs::metric> at_five() { return {rs::precision(5), rs::recall(5), rs::ndcg(5)}; }

}

TEST_CASE("mistake: recommending what the user has already had") {
    // Saying nothing about it does not compile: recommend_without_seen.cpp, features_without_seen.cpp.
    log_of_six_weeks const l;
    auto const seen = rs::user_items(l.w.past);
    auto const model = rs::popularity().fit(l.w.past);
    for (auto const& [user, list] : rs::recommend(model, l.w.labels.active_users(), seen, {.k = 20}))
        for (auto const& one : list) CHECK_FALSE(std::binary_search(seen.seen(user).begin(), seen.seen(user).end(), one.item));
    // Let in, they are counted, and the table says whether that can be right: here pairs do repeat.
    auto const let_in = rs::evaluate({{"hot", model}}, l.w.labels, seen, at_five(), {.resamples = 10, .include_seen = true});
    CHECK(let_in.lists_of("hot").seen_slots > 0);
    CHECK(let_in.judged().repeated_pairs > 0);
    CHECK(says(let_in.warnings(), "pairs of the truth repeat an earlier one"));

    // In a log that has each pair once, they cannot.
    auto rows = recsys_test::interactions(150, 100, 6000, 5);
    std::set<std::pair<int, int>> pairs;
    rows.erase(std::remove_if(rows.begin(), rows.end(), [&](auto const& e) { return !pairs.emplace(e.user, e.item).second; }), rows.end());
    auto const once = rs::ingest(
        rows,
        rs::columns().user(&recsys_test::interaction::user).item(&recsys_test::interaction::item).time(&recsys_test::interaction::time));
    auto const w = rs::split_by_time(once, l.t0);
    auto const wasted = rs::evaluate({{"hot", rs::popularity().fit(w.train)}}, w.test, rs::user_items(w.train), at_five(),
                                     {.resamples = 10, .include_seen = true});
    CHECK(wasted.judged().repeated_pairs == 0);
    CHECK(says(wasted.warnings(), "nobody takes a seen item again: they can never be a hit"));
}

TEST_CASE("mistake: counting popularity or ratings over train and test") {
    // Fitting on the truth does not compile: fit_on_truth.cpp, features_of_truth.cpp, matrix_of_truth.cpp. Fitting on everything does, and is
    // found out where it is judged.
    log_of_six_weeks const l;
    auto const seen = rs::user_items(l.w.past);
    auto const all = rs::popularity().fit(l.data);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::evaluate({{"all", all}}, l.w.labels, seen, at_five())),
                         doctest::Contains("row 'all' knows events up to"), rs::data_error);
    auto const marked = rs::evaluate({{"all", all}}, l.w.labels, seen, at_five(), {.allow_leak = true});
    CHECK(marked.lists_of("all").leaks);
    CHECK(says(marked.warnings(), "its figures say nothing about the future"));
    CHECK_THROWS_AS(static_cast<void>(rs::features(l.w.past, seen, rs::candidates().from("all", all, 10))), rs::data_error);
    CHECK_THROWS_AS(
        static_cast<void>(rs::features(l.w.past, rs::user_items(l.data), rs::candidates().from("hot", rs::popularity().fit(l.w.past), 10))),
        rs::data_error);
}

TEST_CASE("mistake: training and judging the ranker on the same events") {
    log_of_six_weeks const l;
    // Three windows from one call; no row is in two of them.
    CHECK(l.w.past.size() + l.w.labels.size() + l.w.future.size() == l.data.size());
    CHECK(l.w.past.event_times().back() < l.t0);
    CHECK(l.w.labels.event_times().front() >= l.t0);
    CHECK(l.w.labels.event_times().back() < l.t2);
    CHECK(l.w.future.event_times().front() >= l.t2);

    auto const serve = features_of(l.data.before(l.t2));
    auto const honest = small_booster().fit(rs::training_frame(features_of(l.w.past), l.w.labels));
    CHECK(honest.as_of() == l.w.labels.event_times().back() + rs::time_point::duration(1));
    CHECK_NOTHROW(static_cast<void>(
        rs::evaluate({{"ranked", rs::two_stage(serve, honest)}}, l.w.future, serve.seen(), at_five(), {.resamples = 10})));
    // The ranker remembers until when its targets know events.
    auto const cheat = small_booster().fit(rs::training_frame(serve, l.w.future));
    auto const judged = [&](rs::evaluate_options const& options) {
        return rs::evaluate({{"ranked", rs::two_stage(serve, cheat)}}, l.w.future, serve.seen(), at_five(), options);
    };
    CHECK_THROWS_WITH_AS(static_cast<void>(judged({})), doctest::Contains("row 'ranked' knows events up to"), rs::data_error);
    CHECK(judged({.allow_leak = true}).lists_of("ranked").leaks);
    // Also where only the held-out rows are those that it is judged by, and where lists are made by hand.
    CHECK(small_booster().fit(rs::training_frame(features_of(l.w.past), l.w.labels), rs::training_frame(serve, l.w.future)).as_of() ==
          cheat.as_of());
    auto const rows = rs::feature_frames(serve, l.w.future.active_users(), serve.seen());
    auto const lists = rs::rank_rows(rows, cheat.predict(rows), {.k = 5, .as_of = cheat.as_of()});
    CHECK_THROWS_AS(static_cast<void>(rs::evaluate({{"by hand", lists}}, l.w.future, serve.seen(), at_five())), rs::data_error);
}

TEST_CASE("mistake: judging the baseline on other users or with another k") {
    log_of_six_weeks const l;
    auto const seen = rs::user_items(l.w.past);
    auto const model = rs::popularity().fit(l.w.past);
    std::vector<rs::user_index> few(l.w.labels.active_users().begin(), l.w.labels.active_users().begin() + 10);
    // One row has lists for ten users only, the other lists of two items: both are means over all judged users, and the table says so.
    auto const table = rs::evaluate({{"all", model},
                                     {"ten users", rs::recommend(model, few, seen, {.k = 5})},
                                     {"two items", rs::recommend(model, l.w.labels.active_users(), seen, {.k = 2})}},
                                    l.w.labels, seen, {rs::precision(5)}, {.resamples = 10});
    for (auto const* const row : {"all", "ten users", "two items"}) CHECK(table.values(row, "precision@5").size() == table.judged().users);
    CHECK(table.lists_of("ten users").missing == table.judged().users - 10);
    CHECK(says(table.warnings(), "row 'ten users': " + std::to_string(table.judged().users - 10)));
    CHECK(says(table.warnings(), "row 'two items': " + std::to_string(table.judged().users) + " of " +
                                     std::to_string(table.judged().users) + " judged users got fewer than the 5 items"));
    CHECK(table.at("two items", "precision@5").mean <= 0.4);
}

TEST_CASE("mistake: casting fractions to small integers") {
    struct share {
        int user, item;
        float value;
        std::int8_t cast() const { return static_cast<std::int8_t>(value); }
    };
    std::vector<share> rows;
    for (int u = 0; u < 30; ++u)
        for (int i = 0; i < 5; ++i) rows.push_back({u, (u + i) % 20, u == 0 ? 1.f : 0.25f + 0.1f * static_cast<float>(i)});
    auto const columns = rs::columns().user(&share::user).item(&share::item);
    auto const kept = rs::csr_from(rows, columns.weight(&share::value));
    CHECK(kept.weights(rs::user_index{3})[0] == 0.25f);
    // A matrix of anything narrower than the weights does not compile; a matrix of mostly zeros is reported by the model that ignores them.
    auto const cast = rs::csr_from(rows, columns.weight(&share::cast));
    CHECK(cast.report().mostly_zero());
    CHECK(cast.report().stored_zeros == 145);
    auto const model = rs::als({.factors = 4, .iterations = 2}).fit(rs::user_items(rs::ingest(rows, columns.weight(&share::cast))));
    CHECK(says(model.report().warnings,
               "145 of 150 entries of the matrix are 0 and do not count: were the values truncated on their way here?"));
}

TEST_CASE("mistake: counts that overflow") {
    struct play {
        int user, item;
        std::int8_t n;
    };
    std::vector<play> const rows(1000, {1, 2, 100});
    auto const data = rs::ingest(rows, rs::columns().user(&play::user).item(&play::item).weight(&play::n));
    auto const counted = rs::user_items(data);
    CHECK(counted.values()[0] == 100000.f);
    // In the user's own narrow type a sum that does not fit is an error, never another number.
    auto const indices = rs::columns().user(&play::user).item(&play::item).weight(&play::n);
    CHECK_THROWS_AS(static_cast<void>(rs::csr_from(rows, indices)), rs::data_error);
}

TEST_CASE("mistake: a confidence below that of an unobserved cell") {
    // Confidence is 1 + alpha |r|, whatever the weights: weaker evidence never counts as less than none.
    std::vector<rs::matrix_entry<float>> const rows{{rs::user_index{0}, rs::item_index{0}, 0.01f},
                                                    {rs::user_index{0}, rs::item_index{1}, 0.f},
                                                    {rs::user_index{1}, rs::item_index{1}, 2.f},
                                                    {rs::user_index{1}, rs::item_index{2}, 1.f}};
    auto const model = rs::als({.factors = 2, .regularization = 0.1, .alpha = 0.5, .iterations = 30}).fit(rs::csr_from(rows));
    // The faintly liked item is preferred to the one that was stored as zero, which counts like one that was never met.
    std::vector<rs::item_index> const both{rs::item_index{0}, rs::item_index{1}};
    std::vector<float> scores(2);
    model.score(rs::user_index{0}, both, scores);
    CHECK(scores[0] > scores[1]);
}

TEST_CASE("mistake: joining positives of the label window into the candidates") {
    log_of_six_weeks const l;
    auto const set = features_of(l.w.past, 3);
    auto const pool = rs::candidates().from("hot", rs::popularity().fit(l.w.past), 3);
    auto const rows = rs::training_set(set, l.w.labels, {.negatives_per_user = 100, .users_without_positives = true});
    auto const& seen = set.seen();
    std::set<std::pair<rs::user_index, rs::item_index>> candidates;
    for (auto const& [user, list] : rs::recommend(pool, l.w.labels.active_users(), seen, {.k = 3}))
        for (auto const& one : list) candidates.emplace(user, one.item);
    for (std::size_t r = 0; r < rows.frame.n_rows(); ++r) {
        CHECK(candidates.count({rows.frame.user(r), rows.frame.item(r)}) == 1);
        auto const items = l.w.labels.items(rows.frame.user(r));
        CHECK(rows.frame.targets()[r] == (std::binary_search(items.begin(), items.end(), rows.frame.item(r)) ? 1.f : 0.f));
    }
    // Most of what was played is not among three candidates, and the report says which share is.
    CHECK(rows.report.kept.positives < rows.report.label_pairs / 2);
    CHECK(rows.report.found() ==
          doctest::Approx(static_cast<double>(rows.report.kept.positives) / static_cast<double>(rows.report.label_pairs)));
}

TEST_CASE("mistake: exploding rows by their lists before a join, or reading lists as text") {
    // Text for a list does not compile: features_list_as_text.cpp.
    log_of_six_weeks const l;
    auto const plain = features_of(l.w.past);
    auto const listed =
        plain.item_categories("tags", [](int item) { return std::vector<int>(static_cast<std::size_t>(item % 4), item % 7); });
    auto const users = l.w.labels.active_users();
    auto const without = rs::feature_frames(plain, users, plain.seen()), with = rs::feature_frames(listed, users, plain.seen());
    REQUIRE(with.n_rows() == without.n_rows()); // also where the list is empty
    for (std::size_t r = 0; r < with.n_rows(); ++r) CHECK(with.value(r, "plays") == without.value(r, "plays"));
    CHECK(with.column("tags").kind == rs::column_kind::categories);
}

TEST_CASE("mistake: re-ranking exactly as many candidates as are shown") {
    log_of_six_weeks const l;
    auto const learn = features_of(l.w.past, 5), serve = features_of(l.data.before(l.t2), 5);
    auto const ranker = small_booster().fit(rs::training_frame(learn, l.w.labels));
    auto const table = rs::evaluate({{"ranked", rs::two_stage(serve, ranker)}}, l.w.future, serve.seen(), at_five(), {.resamples = 10});
    CHECK(
        says(table.warnings(), "lists of 5 from at most 5 candidates a user: ranking can only reorder them; take more candidates than k"));
    auto const report =
        rs::recommend(rs::two_stage(serve, ranker), l.w.future.active_users(), serve.seen(), {.k = 5}, [](rs::lists const&) {});
    CHECK(says(report.warnings, "ranking can only reorder them"));
}

TEST_CASE("mistake: other features in serving than in training") {
    log_of_six_weeks const l;
    auto const known = l.data.before(l.t2);
    auto const ranker = small_booster().fit(rs::training_frame(features_of(l.w.past), l.w.labels));
    auto const pool = rs::candidates().from("hot", rs::popularity().fit(known), 40);
    auto const lacking = rs::features(known, rs::user_items(known), pool).recency();
    CHECK_THROWS_AS(rs::two_stage(lacking, ranker), rs::data_error);
    auto const retyped = rs::features(known, rs::user_items(known), pool).recency().item_category("plays", [](int item) { return item; });
    CHECK_THROWS_WITH_AS(rs::two_stage(retyped, ranker), doctest::Contains("'plays'"), rs::data_error);
    // By name: another order and more columns change nothing.
    auto const more = rs::features(known, rs::user_items(known), pool).counts().item_number("more", [](int) { return 1; }).recency();
    auto const serve = features_of(known);
    auto const list = [&](auto const& set) {
        return rs::recommend(rs::two_stage(set, ranker), l.w.future.active_users()[0], set.seen(), {.k = 9});
    };
    auto const a = list(serve), b = list(more);
    REQUIRE(a.size() == 9);
    for (std::size_t i = 0; i < 9; ++i) CHECK((a[i].item == b[i].item && a[i].score == b[i].score));
}

TEST_CASE("mistake: looking ids up without their type, or merging things by their name") {
    struct thing {
        std::string type;
        int id;
        std::string name;
    };
    std::vector<thing> const rows{{"artist", 7, "Same"}, {"genre", 7, "rock"}, {"artist", 8, "Same"}};
    auto const things = rs::catalog_of(rows, &thing::type, &thing::id);
    CHECK(rows[things.at("genre", 7)].name == "rock");
    CHECK(rows[things.at("artist", 7)].name == "Same");
    CHECK(things.at("artist", 7) != things.at("artist", 8));
    CHECK_FALSE(things.contains("genre", 8));
    CHECK(things.shared_ids() == 1);
}

TEST_CASE("mistake: a row number for an id, or losing the last user") {
    // User and item indices do not convert to each other, to numbers or from them: swapped_index.cpp, data_bare_id.cpp.
    struct play {
        std::int64_t user, item;
    };
    std::vector<play> const rows{{900, 5}, {100, 7}, {500, 5}};
    auto const data = rs::ingest(rows, rs::columns().user(&play::user).item(&play::item));
    CHECK(data.n_users() == 3);
    CHECK(data.users().id(data.users().at(900)) == 900);
    CHECK(rs::to_size(data.users().at(900)) == 2);                          // sorted, as the field's label encoders have it
    CHECK_THROWS_AS(static_cast<void>(data.users().at(2)), rs::data_error); // a row number is no id
    auto const seen = rs::user_items(data);
    CHECK(seen.n_users() == 3);
    CHECK(seen.seen(data.users().at(900)).size() == 1);
    auto const hot = rs::popularity().fit(data);
    CHECK(rs::recommend(hot, data.users().all(), seen, {.k = 1}).size() == 3);
}

TEST_CASE("mistake: a label window of one day by an error of one") {
    log_of_six_weeks const l;
    auto const one_day = rs::split_by_time(l.data, l.t2 - days(1), l.t2);
    CHECK(says(one_day.report().warnings(), "window labels holds one day only"));
    CHECK_FALSE(says(l.w.report().warnings(), "one day only"));
    auto const none = rs::split_by_time(l.data, l.t2 + days(365), l.t2 + days(366));
    CHECK(says(none.report().warnings(), "window labels is empty"));
    CHECK(says(rs::training_set(features_of(none.past), none.labels).report.warnings(), "the labels have no events"));
    CHECK(says(rs::split_by_time(l.data, l.t2, l.t2).report().warnings(), "window labels is empty"));
}

TEST_CASE("mistake: ties and seeds left to chance") {
    log_of_six_weeks const l;
    auto const seen = rs::user_items(l.w.past);
    // Every user of one item: equal scores everywhere, smaller items first.
    struct equal {
        std::size_t n_items() const { return 100; }
        void score(rs::user_index, std::span<float> out) const { std::fill(out.begin(), out.end(), 0.5f); }
    };
    auto const list = rs::recommend(equal{}, rs::user_index{0}, rs::nothing_seen, {.k = 50});
    for (std::size_t i = 0; i < list.size(); ++i) CHECK(rs::to_size(list[i].item) == i);
    for (std::uint64_t const seed : {0u, 3u}) {
        auto const fit = [&](std::size_t threads) {
            return rs::als({.factors = 8, .iterations = 3, .seed = seed, .run = {.threads = threads}}).fit(seen);
        };
        auto const one = fit(1), two = fit(2);
        CHECK(std::equal(one.item_factors().begin(), one.item_factors().end(), two.item_factors().begin()));
    }
}
