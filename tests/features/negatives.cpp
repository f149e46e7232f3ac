// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include "support/feature_world.hpp"

namespace rs = recsys;
using namespace feature_world;

namespace {

/// Five more users, whose events are all in the label window.
world with_late_users(world w) {
    for (int n = 0; n < 5; ++n)
        for (int track = 100; track < 280; track += 30)
            w.log.push_back({"late " + std::to_string(n), track, w.t0 + std::chrono::hours(track)});
    return w;
}

struct prepared {
    world w = with_late_users(make_world(11, 60, 60, 1200));
    decltype(ingested(w)) data = ingested(w);
    rs::feature_set<std::string, int> set = features_at(w.t0);
    rs::truth labels = rs::split_by_time(data, w.t0, w.t2).labels;

    rs::feature_set<std::string, int> features_at(moment t) const {
        auto const known = data.before(t);
        return pipeline_features(w, known, seen_of(known), rs::candidates().from("als", formula_scorer{known.n_items(), 1}, 25));
    }
    bool in_labels(std::string const& user, int track) const {
        for (auto const& p : w.log)
            if (p.user == user && p.track == track && p.at >= w.t0 && p.at < w.t2) return true;
        return false;
    }
    bool had(std::string const& user, int track) const {
        for (auto const& p : w.log)
            if (p.user == user && p.track == track && p.at < w.t0) return true;
        return false;
    }
};

flat_frame flat(rs::frame const& f) {
    flat_frame out;
    out.add(f);
    return out;
}

using rows_of_users = std::map<rs::user_index, std::vector<std::pair<rs::item_index, float>>>;
void add_rows(rows_of_users& to, rs::frame const& f) {
    for (std::size_t r = 0; r < f.n_rows(); ++r) to[f.user(r)].emplace_back(f.item(r), f.targets()[r]);
}

}

TEST_CASE("training rows are candidates with targets by lookup: all positives, at most five negatives, users with a positive") {
    prepared const p;
    rows_of_users all, kept;
    auto const [f, report] = rs::training_set(p.set, p.labels,
                                              {.candidates =
                                                   [&](rs::frame const& rows) {
                                                       CHECK(rows.n_columns() == 2);
                                                       CHECK(rows.value(0, "als_rank") == 0);
                                                       add_rows(all, rows);
                                                   },
                                               .block = 7});
    add_rows(kept, f);
    std::size_t users = 0, rows = 0, positives = 0, users_kept = 0, negatives_kept = 0;
    for (auto const& [user, candidates] : all) {
        ++users, rows += candidates.size();
        std::vector<rs::item_index> wanted_positives;
        for (auto const& [item, target] : candidates) {
            auto const& name = p.data.users().id(user);
            CHECK(target == (p.in_labels(name, p.data.items().id(item)) ? 1.f : 0.f));
            CHECK_FALSE(p.had(name, p.data.items().id(item)));
            if (target > 0) wanted_positives.push_back(item);
        }
        positives += wanted_positives.size();
        if (wanted_positives.empty()) {
            CHECK(kept.count(user) == 0);
            continue;
        }
        ++users_kept;
        std::vector<rs::item_index> found_positives;
        std::size_t negatives = 0;
        std::set<rs::item_index> distinct;
        std::size_t place = 0;
        for (auto const& row : kept.at(user)) {
            distinct.insert(row.first);
            while (place < candidates.size() && candidates[place] != row) ++place; // rows are candidates, in their order
            CHECK(place < candidates.size());
            if (row.second > 0) found_positives.push_back(row.first);
            else ++negatives;
        }
        CHECK(found_positives == wanted_positives);
        CHECK(negatives == std::min<std::size_t>(5, candidates.size() - wanted_positives.size()));
        CHECK(distinct.size() == kept.at(user).size());
        negatives_kept += negatives;
    }
    CHECK(kept.size() == users_kept);
    CHECK(f.n_groups() == users_kept);
    CHECK(report.candidates.users == users);
    CHECK(report.candidates.rows == rows);
    CHECK(report.candidates.positives == positives);
    CHECK(report.candidates.negatives == rows - positives);
    CHECK(report.kept.users == users_kept);
    CHECK(report.kept.rows == f.n_rows());
    CHECK(report.kept.positives == positives);
    CHECK(report.kept.negatives == negatives_kept);
    CHECK(report.safe_in_time);
    CHECK(report.warnings().empty());
    CHECK(positives > 20);
    CHECK(users > users_kept);
    CHECK(f.as_of() == p.set.as_of());
}

TEST_CASE("users are those with history and an event in the labels; the report counts the others") {
    prepared const p;
    std::set<std::string> with_history, with_label, pairs;
    for (auto const& e : p.w.log) {
        if (e.at < p.w.t0) with_history.insert(e.user);
        else if (e.at < p.w.t2) with_label.insert(e.user);
    }
    std::size_t without = 0;
    for (auto const& user : with_label) without += with_history.count(user) == 0;
    for (auto const& e : p.w.log)
        if (e.at >= p.w.t0 && e.at < p.w.t2 && with_history.count(e.user)) pairs.insert(e.user + '/' + std::to_string(e.track));
    auto const report = rs::training_set(p.set, p.labels).report;
    CHECK(report.label_users == with_label.size());
    CHECK(report.without_history == without);
    CHECK(without >= 5);
    CHECK(report.label_pairs == pairs.size());
    CHECK(report.without_candidates == 0);
    CHECK(report.candidates.users == with_label.size() - without);
    CHECK(report.found() == doctest::Approx(static_cast<double>(report.candidates.positives) / static_cast<double>(pairs.size())));
}

TEST_CASE("the training frame is the same for any block size and any number of threads") {
    prepared const p;
    auto const wanted = flat(rs::training_frame(p.set, p.labels, {.seed = 3, .run = {.threads = 1}}));
    for (std::size_t const block : {1u, 3u, 4096u})
        for (std::size_t const threads : {1u, 2u, 7u})
            CHECK(flat(rs::training_frame(p.set, p.labels, {.block = block, .seed = 3, .run = {.threads = threads}})) == wanted);
    CHECK_FALSE(flat(rs::training_frame(p.set, p.labels, {.seed = 4})) == wanted);
}

TEST_CASE("features of the sampled rows are those of the same rows among all candidates") {
    prepared const p;
    auto const all = rs::feature_frames(p.set, p.data.users().all(), p.set.seen());
    auto const some = rs::training_frame(p.set, p.labels);
    std::map<std::pair<rs::user_index, rs::item_index>, std::size_t> row_of;
    for (std::size_t r = 0; r < all.n_rows(); ++r) row_of[{all.user(r), all.item(r)}] = r;
    flat_frame const a = flat(all), b = flat(some);
    for (std::size_t r = 0; r < some.n_rows(); ++r) {
        auto const at = row_of.at({some.user(r), some.item(r)});
        for (auto const& [name, bits] : b.numbers) CHECK(bits[r] == a.numbers.at(name)[at]);
        for (auto const& [name, texts] : b.categories) CHECK(texts[r] == a.categories.at(name)[at]);
    }
}

TEST_CASE("a user's sample does not depend on which other users there are") {
    prepared const p;
    rows_of_users all, some;
    add_rows(all, rs::training_frame(p.set, p.labels));
    auto half = p.w.log;
    half.erase(std::remove_if(half.begin(), half.end(), [&](play const& e) { return e.at >= p.w.t0 && e.user < "user 30"; }), half.end());
    std::vector<std::string> ids(p.data.users().ids().begin(), p.data.users().ids().end());
    std::vector<int> items(p.data.items().ids().begin(), p.data.items().ids().end());
    auto const fewer = rs::ingest(half, rs::columns().user(&play::user).item(&play::track).time(&play::at),
                                  {.users = rs::user_encoder<std::string>::fit(ids), .items = rs::item_encoder<int>::fit(items)});
    add_rows(some, rs::training_frame(p.set, rs::split_by_time(fewer, p.w.t0, p.w.t2).labels));
    CHECK(some.size() > 5);
    CHECK(some.size() < all.size());
    for (auto const& [user, rows] : some) CHECK(rows == all.at(user));
}

TEST_CASE("sampling is uniform and without replacement") {
    std::vector<float> targets(12, 0.f);
    targets[4] = 1;
    std::vector<int> drawn(12);
    for (std::size_t user = 0; user < 20000; ++user) {
        auto const rows = rs::detail::sample_rows(targets, 1, 11, 3, rs::random_stream(1, user));
        REQUIRE(rows.size() == 4);
        REQUIRE(std::is_sorted(rows.begin(), rows.end()));
        REQUIRE(std::adjacent_find(rows.begin(), rows.end()) == rows.end());
        for (auto const r : rows) ++drawn[r];
    }
    CHECK(drawn[0] == 0);
    CHECK(drawn[11] == 0);
    CHECK(drawn[4] == 20000);
    for (std::size_t r = 1; r < 11; ++r)
        if (r != 4) CHECK(std::abs(drawn[r] - 20000.0 * 3 / 9) < 5 * std::sqrt(20000.0 * 3 / 9 * 6 / 9)); // five standard deviations
    CHECK(rs::detail::sample_rows(targets, 0, 12, 100, rs::random_stream(1, 0)).size() == 12);
    CHECK(rs::detail::sample_rows(targets, 0, 12, 0, rs::random_stream(1, 0)) == std::vector<std::size_t>{4});
}

TEST_CASE("users without positives are kept on request, and seen items can be let in") {
    prepared const p;
    auto const few = rs::training_set(p.set, p.labels),
               many = rs::training_set(p.set, p.labels, {.negatives_per_user = 2, .users_without_positives = true});
    CHECK(many.report.kept.users == few.report.candidates.users);
    CHECK(many.report.kept.negatives == 2 * many.report.kept.users);
    auto const all = rs::training_set(p.set, p.labels, {.include_seen = true});
    std::size_t seen = 0;
    for (std::size_t r = 0; r < all.frame.n_rows(); ++r)
        seen += p.had(p.data.users().id(all.frame.user(r)), p.data.items().id(all.frame.item(r)));
    CHECK(seen > 0);
}

TEST_CASE("features that know events of the labels are an error naming both times, unless a leak is allowed") {
    prepared const p;
    auto const later = p.features_at(p.w.t0 + std::chrono::hours(30));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::training_frame(later, p.labels)),
                         doctest::Contains("know events up to 2022-05-31T06:00:00Z, the labels begin at 2022-05-30T00:00:00Z"),
                         rs::data_error);
    auto const leaked = rs::training_set(later, p.labels, {.allow_leak = true});
    CHECK(leaked.frame.n_rows() > 0);
    CHECK_FALSE(leaked.report.safe_in_time);
    CHECK(leaked.report.warnings().size() == 1);
    CHECK_NOTHROW(
        static_cast<void>(rs::training_frame(p.features_at(p.w.t0 - std::chrono::hours(1)), p.labels))); // knowing less is no leak
}

TEST_CASE("labels of a split that is not by one moment are not safe in time, and other ids are an error") {
    prepared const p;
    rs::truth const some(p.data, {});
    CHECK_FALSE(rs::training_set(p.set, some).report.safe_in_time);
    std::vector<play> const other{{"x", 1, p.w.t0}};
    auto const data = rs::ingest(other, rs::columns().user(&play::user).item(&play::track).time(&play::at));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::training_frame(p.set, rs::truth(data, p.w.t0))), doctest::Contains("other user ids"),
                         rs::data_error);
}

TEST_CASE("empty labels, labels without candidates and no positives give an empty frame and a warning") {
    prepared const p;
    auto const none = rs::training_set(p.set, rs::split_by_time(p.data, p.w.t0, p.w.t0 + std::chrono::microseconds(0)).labels);
    CHECK(none.frame.n_rows() == 0);
    CHECK(none.frame.has_targets());
    REQUIRE(none.report.warnings().size() == 1);
    CHECK(none.report.warnings()[0].find("the labels have no events") == 0);
    auto const known = p.data.before(p.w.t0);
    auto const bare = rs::features(known, seen_of(known), rs::candidates().from("als", formula_scorer{0, 1}, 5));
    auto const empty = rs::training_set(bare, p.labels);
    CHECK(empty.frame.n_rows() == 0);
    CHECK(empty.report.without_candidates + empty.report.without_history == empty.report.label_users);
    CHECK(empty.report.warnings()[0].find("no positives") != std::string::npos);
}

TEST_CASE("progress or the sink of candidates stop by throwing cancelled") {
    prepared const p;
    CHECK_THROWS_AS(static_cast<void>(rs::training_frame(p.set, p.labels, {.candidates = [](rs::frame const&) { return false; }})),
                    rs::cancelled);
    CHECK_THROWS_AS(static_cast<void>(rs::training_frame(
                        p.set, p.labels, {.block = 1, .run = {.progress = [](rs::progress const& now) { return now.done < 3; }}})),
                    rs::cancelled);
}
