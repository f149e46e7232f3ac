// SPDX-License-Identifier: MIT
// Everything together, from rows to judged lists: the same for any number of threads, from files, streamed or at once, and whatever the
// future holds.
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/feature_world.hpp"

namespace rs = recsys;
using namespace feature_world;

namespace {

using dataset = rs::dataset<std::string, int>;

/// The two-stage recommender of the music pipeline, small, from events before two moments.
struct fitted {
    rs::als_model als;
    rs::popularity_model hot;
    rs::feature_set<std::string, int> serve;
    rs::booster_model ranker;

    rs::two_stage ranked() const { return rs::two_stage(serve, ranker); }
};

rs::feature_set<std::string, int> features_of(world const& w, dataset const& known, std::size_t threads) {
    auto const heard = rs::user_items(known);
    auto const als = rs::als({.factors = 8, .regularization = 0.5, .alpha = 5, .iterations = 4, .run = {.threads = threads}}).fit(heard);
    auto const pool = rs::candidates().from("als", als, 20).from("hot", rs::popularity({.window = std::chrono::days(30)}).fit(known), 10);
    return rs::features(known, heard, pool)
        .recency()
        .counts()
        .item_category("genre_names", [&w](int id) { return w.catalog.at(id).genre_names; })
        .category_share("genre_and_votes", "genre_names")
        .item_categories("genres", [&w](int id) { return w.catalog.at(id).genres; })
        .affinity("genres")
        .user_mean("rating_avg", rs::item_statistic::rating())
        .last_similarity("last_sim", als, {.last = 5});
}

fitted fit(world const& w, dataset const& data, std::size_t threads = 1) {
    auto const windows = rs::split_by_time(data, w.t0, w.t2);
    auto const learn = features_of(w, windows.past, threads);
    auto const rows = rs::training_frame(learn, windows.labels, {.run = {.threads = threads}});
    auto const ranker = rs::booster({.trees = 60, .depth = 4, .run = {.threads = threads}}).fit(rows); // no early stop: the log is random
    auto const known = data.before(w.t2);
    auto const serve = features_of(w, known, threads);
    auto const als =
        rs::als({.factors = 8, .regularization = 0.5, .alpha = 5, .iterations = 4, .run = {.threads = threads}}).fit(rs::user_items(known));
    return {als, rs::popularity().fit(known), serve, ranker};
}

rs::evaluation table_of(world const& w, dataset const& data, fitted const& f, std::size_t threads = 1) {
    return rs::evaluate({{"hot", f.hot}, {"als", f.als}, {"ranked", f.ranked()}}, rs::split_by_time(data, w.t0, w.t2).future,
                        f.serve.seen(), {rs::precision(5), rs::recall(5), rs::ndcg(5), rs::coverage(5), rs::novelty_bits(5)},
                        {.baseline = "als", .seed = 3, .run = {.threads = threads}});
}

bool same(rs::lists const& a, rs::lists const& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto const [user_a, list_a] = a[i];
        auto const [user_b, list_b] = b[i];
        if (user_a != user_b || list_a.size() != list_b.size()) return false;
        for (std::size_t j = 0; j < list_a.size(); ++j)
            if (list_a[j].item != list_b[j].item || list_a[j].score != list_b[j].score) return false;
    }
    return true;
}

std::string bytes_of(std::string const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<rs::user_index> everybody(dataset const& data) {
    auto const all = data.users().all();
    return {all.begin(), all.end()};
}

world large_world(std::uint64_t seed) { return make_world(seed, 120, 90, 6000); }

}

TEST_CASE("models, lists, the ranker and the table are the same bytes for any number of threads") {
    auto const w = large_world(4);
    auto const data = ingested(w);
    auto const one = fit(w, data, 1);
    rs::save("end_to_end_1.rsm", one.als, one.ranker, data.users(), data.items());
    auto const text = table_of(w, data, one, 1).text();
    REQUIRE(one.ranker.n_trees() == 60);
    for (std::size_t const threads : {2u, 7u}) {
        auto const many = fit(w, data, threads);
        rs::save("end_to_end_n.rsm", many.als, many.ranker, data.users(), data.items());
        CHECK(bytes_of("end_to_end_1.rsm") == bytes_of("end_to_end_n.rsm"));
        CHECK(table_of(w, data, many, threads).text() == text);
        CHECK(same(rs::recommend(one.ranked(), everybody(data), one.serve.seen(), {.k = 12, .block = 7}),
                   rs::recommend(many.ranked(), everybody(data), many.serve.seen(), {.k = 12, .run = {.threads = threads}})));
    }
}

TEST_CASE("the order of the input rows changes nothing, where no two events have one moment") {
    auto w = large_world(5);
    for (std::size_t i = 0; i < w.log.size(); ++i) w.log[i].at += std::chrono::microseconds(i);
    auto const data = ingested(w);
    auto shuffled = w.log;
    rs::random_stream random(1);
    random.shuffle(shuffled);
    auto const other = ingested(w, shuffled);
    auto const a = fit(w, data), b = fit(w, other);
    CHECK(table_of(w, data, a).text() == table_of(w, other, b).text());
    CHECK(same(rs::recommend(a.ranked(), everybody(data), a.serve.seen(), {.k = 12}),
               rs::recommend(b.ranked(), everybody(other), b.serve.seen(), {.k = 12})));
}

TEST_CASE("what is loaded recommends what was saved") {
    auto const w = large_world(6);
    auto const data = ingested(w);
    auto const made = fit(w, data);
    rs::save("end_to_end.rsm", made.als, made.hot, made.ranker, data.users(), data.items());
    auto const [als, hot, ranker, users, items] =
        rs::load<rs::als_model, rs::popularity_model, rs::booster_model, rs::user_encoder<std::string>, rs::item_encoder<int>>(
            "end_to_end.rsm");
    auto const& seen = made.serve.seen();
    CHECK(same(rs::recommend(als, everybody(data), seen, {.k = 9}), rs::recommend(made.als, everybody(data), seen, {.k = 9})));
    CHECK(same(rs::recommend(hot, everybody(data), seen, {.k = 9}), rs::recommend(made.hot, everybody(data), seen, {.k = 9})));
    CHECK(same(rs::recommend(rs::two_stage(made.serve, ranker), everybody(data), seen, {.k = 9}),
               rs::recommend(made.ranked(), everybody(data), seen, {.k = 9})));
    CHECK(ranker.as_of() == made.ranker.as_of());
    CHECK(ranker.as_of().has_value());
    CHECK(users.at(data.users().id(rs::user_index{3})) == rs::user_index{3});
    CHECK(items.id(rs::item_index{5}) == data.items().id(rs::item_index{5}));
}

TEST_CASE("two stages at once, their rows by hand, and streamed into the judge are one and the same") {
    auto const w = large_world(7);
    auto const data = ingested(w);
    auto const f = fit(w, data);
    auto const future = rs::split_by_time(data, w.t0, w.t2).future;
    auto const at_once = rs::recommend(f.ranked(), future.active_users(), f.serve.seen(), {.k = 8});
    rs::evaluator judge(future, f.serve.seen(), {rs::ndcg(5), rs::precision(8)}, {.seed = 3});
    auto const row = judge.row("ranked");
    std::size_t compared = 0;
    rs::feature_frames(f.serve, future.active_users(), f.serve.seen(), {.block = 16}, [&](rs::frame const& rows) {
        auto const lists = rs::rank_rows(rows, f.ranker.predict(rows), {.k = 8, .as_of = f.ranker.as_of()});
        for (auto const& [user, list] : lists)
            for (auto const& [other, wanted] : at_once)
                if (other == user) {
                    REQUIRE(list.size() == wanted.size());
                    for (std::size_t i = 0; i < list.size(); ++i)
                        CHECK((list[i].item == wanted[i].item && list[i].score == wanted[i].score));
                    ++compared;
                }
        row(lists);
    });
    CHECK(compared > 50);
    auto const table = rs::evaluate({{"ranked", f.ranked()}}, future, f.serve.seen(), {rs::ndcg(5), rs::precision(8)}, {.seed = 3});
    for (auto const* const metric : {"ndcg@5", "precision@8"})
        CHECK(judge.table().at("ranked", metric).mean == table.at("ranked", metric).mean);
}

TEST_CASE("nothing that is fitted changes when events after its moment are moved, added or removed") {
    auto const w = large_world(8);
    std::vector<std::string> ids;
    for (auto const& p : w.log) ids.push_back(p.user);
    std::vector<int> tracks;
    for (auto const& [id, t] : w.catalog) tracks.push_back(id);
    auto const ingest = [&](std::vector<play> const& log) {
        return rs::ingest(log, rs::columns().user(&play::user).item(&play::track).time(&play::at),
                          {.users = rs::user_encoder<std::string>::fit(ids), .items = rs::item_encoder<int>::fit(tracks)});
    };
    auto changed = w.log;
    rs::random_stream random(2);
    for (auto& p : changed)
        if (p.at >= w.t2)
            p.track = tracks[static_cast<std::size_t>(random.below(tracks.size()))], p.at += std::chrono::days(random.below(9));
    changed.erase(std::remove_if(changed.begin(), changed.end(), [&](play const& p) { return p.at > w.t2 + std::chrono::days(6); }),
                  changed.end());
    auto const a = ingest(w.log), b = ingest(changed);
    REQUIRE(a.size() != b.size());
    auto const one = fit(w, a), other = fit(w, b);
    rs::save("end_to_end_a.rsm", one.als, one.hot, one.ranker);
    rs::save("end_to_end_b.rsm", other.als, other.hot, other.ranker);
    CHECK(bytes_of("end_to_end_a.rsm") == bytes_of("end_to_end_b.rsm"));
    CHECK(same(rs::recommend(one.ranked(), everybody(a), one.serve.seen(), {.k = 9}),
               rs::recommend(other.ranked(), everybody(b), other.serve.seen(), {.k = 9})));
}
