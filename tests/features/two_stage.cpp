// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include "support/feature_world.hpp"

namespace rs = recsys;
using namespace feature_world;

namespace {

/// Prefers few plays; coarse, so that there are ties.
struct rare_first {
    std::vector<float> predict(rs::frame const& f) const {
        std::vector<float> out(f.n_rows());
        for (std::size_t r = 0; r < f.n_rows(); ++r) out[r] = -std::floor(f.value(r, "plays") / 4);
        return out;
    }
};
struct checking : rare_first {
    std::string needs;
    void check(rs::frame const& f) const { static_cast<void>(f.column(needs)); }
};
struct pinned : rare_first {
    pinned() = default;
    pinned(pinned const&) = delete;
};
struct too_few {
    std::vector<float> predict(rs::frame const& f) const { return std::vector<float>(f.n_rows() - 1); }
};
struct nan_ranker {
    std::vector<float> predict(rs::frame const& f) const { return std::vector<float>(f.n_rows(), missing); }
};

struct prepared {
    world w = make_world(13, 80, 60, 1000);
    decltype(ingested(w)) data = ingested(w);
    decltype(ingested(w)) known = data.before(w.t0);
    rs::csr seen = seen_of(known);
    rs::feature_set<std::string, int> set =
        rs::features(known, seen, rs::candidates().from("als", formula_scorer{known.n_items(), 1}, 20)).counts();

    std::vector<rs::user_index> users() const { return {known.active_users().begin(), known.active_users().end()}; }
    /// The ranking computed plainly: the best 20 unseen by the first stage (the formula knows every item), by (score, item).
    std::vector<rs::item_index> ranked(rs::user_index user, std::size_t k) const {
        formula_scorer const first{known.n_items(), 1};
        std::vector<std::pair<float, std::size_t>> pool;
        auto const had = seen.seen(user);
        for (std::size_t i = 0; i < known.n_items(); ++i)
            if (!std::binary_search(had.begin(), had.end(), static_cast<rs::item_index>(i))) pool.emplace_back(-first.at(user, i), i);
        std::sort(pool.begin(), pool.end());
        pool.resize(std::min<std::size_t>(pool.size(), 20));
        twin const t(w, w.log, w.t0);
        for (auto& [score, i] : pool) score = std::floor(static_cast<float>(t.plays(data.items().id(static_cast<rs::item_index>(i)))) / 4);
        std::sort(pool.begin(), pool.end());
        std::vector<rs::item_index> out;
        for (auto const& [score, i] : pool)
            if (out.size() < k) out.push_back(static_cast<rs::item_index>(i));
        return out;
    }
};

}

TEST_CASE("two stages list the pool's candidates by the ranker's score, equal scores by the smaller item, cut at k") {
    prepared const p;
    rs::two_stage const ranked(p.set, rare_first());
    auto const lists = rs::recommend(ranked, p.users(), p.seen, {.k = 7});
    REQUIRE(lists.size() == p.users().size());
    for (auto const& [user, list] : lists) {
        std::vector<rs::item_index> found;
        for (std::size_t i = 0; i < list.size(); ++i) {
            found.push_back(list[i].item);
            if (i > 0)
                CHECK((list[i - 1].score > list[i].score || (list[i - 1].score == list[i].score && list[i - 1].item < list[i].item)));
        }
        CHECK(found == p.ranked(user, 7));
    }
    CHECK(rs::recommend(ranked, p.users()[0], p.seen, {.k = 100}).size() == p.ranked(p.users()[0], 100).size());
}

TEST_CASE("two stages are the same for any block size and any number of threads, and cover eligibility") {
    prepared const p;
    rs::two_stage const ranked(p.set, rare_first());
    auto const flat = [&](rs::recommend_options const& options) {
        std::vector<std::pair<rs::user_index, std::vector<rs::scored>>> out;
        rs::recommend(ranked, p.users(), p.seen, options, [&](rs::lists const& block) {
            for (auto const& [user, list] : block) out.emplace_back(user, std::vector<rs::scored>(list.begin(), list.end()));
        });
        return out;
    };
    auto const wanted = flat({.k = 5, .run = {.threads = 1}});
    REQUIRE(wanted.size() == p.users().size());
    for (std::size_t const block : {1u, 3u, 4096u})
        for (std::size_t const threads : {1u, 2u, 7u}) CHECK(flat({.k = 5, .block = block, .run = {.threads = threads}}) == wanted);
    for (auto const& [user, list] :
         flat({.k = 50, .allow = rs::item_set{rs::item_index{4}, rs::item_index{5}}, .deny = {rs::item_index{5}}}))
        for (auto const& one : list) CHECK(one.item == rs::item_index{4});
    for (auto const& [user, list] : flat({.k = 50, .keep_if = [](rs::user_index, rs::item_index i) { return rs::to_size(i) % 2 == 0; }}))
        for (auto const& one : list) CHECK(rs::to_size(one.item) % 2 == 0);
    std::size_t seen_ones = 0;
    for (auto const& [user, list] : flat({.k = 50, .include_seen = true}))
        for (auto const& one : list) {
            auto const had = p.seen.seen(user);
            seen_ones += std::binary_search(had.begin(), had.end(), one.item);
        }
    CHECK(seen_ones > 0);
}

TEST_CASE("a user for whom there is no candidate gets an empty list, in place") {
    prepared const p;
    rs::two_stage const ranked(p.set, rare_first());
    std::vector<rs::user_index> const users{rs::user_index{2}, rs::user_index{3}, rs::user_index{2}};
    auto const lists =
        rs::recommend(ranked, users, p.seen, {.k = 5, .keep_if = [](rs::user_index u, rs::item_index) { return u != rs::user_index{3}; }});
    REQUIRE(lists.size() == 3);
    CHECK(lists[0].list.size() == 5);
    CHECK(lists[1].list.empty());
    CHECK(lists[2].list.size() == 5);
}

TEST_CASE("a ranker that needs other columns is refused at once") {
    prepared const p;
    checking ranker;
    ranker.needs = "plays";
    CHECK_NOTHROW(rs::two_stage(p.set, ranker));
    ranker.needs = "trend";
    CHECK_THROWS_WITH_AS(rs::two_stage(p.set, ranker), doctest::Contains("no column 'trend'"), rs::data_error);
}

TEST_CASE("a ranker by reference is read in place; answers that are no scores are errors") {
    prepared const p;
    pinned const here;
    CHECK(rs::recommend(rs::two_stage(p.set, std::cref(here)), rs::user_index{0}, p.seen, {.k = 5}).size() == 5);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(rs::two_stage(p.set, too_few()), rs::user_index{0}, p.seen)),
                         "two_stage: the ranker returned 15 scores for 16 rows", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(rs::two_stage(p.set, nan_ranker()), rs::user_index{0}, p.seen)),
                         doctest::Contains("not a number"), rs::data_error);
}

TEST_CASE("it carries the moment and the encoders of its features, and warns of lists as long as the candidates") {
    prepared const p;
    rs::two_stage const ranked(p.set, rare_first());
    CHECK(ranked.as_of() == p.set.as_of());
    CHECK(ranked.provenance().items == p.data.items().fingerprint());
    CHECK(rs::recommend(ranked, p.users(), p.seen, {.k = 3}).provenance().as_of == p.set.as_of());
    CHECK(ranked.candidates_per_user() == 20);
    CHECK(ranked.warnings(19).empty());
    REQUIRE(ranked.warnings(20).size() == 1);
    CHECK(ranked.warnings(20)[0].find("can only reorder") != std::string::npos);
}

TEST_CASE("rank_rows makes the same lists from a frame and the ranker's scores") {
    prepared const p;
    rs::two_stage const ranked(p.set, rare_first());
    auto const f = rs::feature_frames(p.set, p.users(), p.seen);
    auto const lists = rs::rank_rows(f, rare_first().predict(f), {.k = 6}), wanted = rs::recommend(ranked, p.users(), p.seen, {.k = 6});
    REQUIRE(lists.size() == wanted.size());
    for (std::size_t u = 0; u < lists.size(); ++u) {
        CHECK(lists[u].user == wanted[u].user);
        CHECK(std::vector<rs::scored>(lists[u].list.begin(), lists[u].list.end()) ==
              std::vector<rs::scored>(wanted[u].list.begin(), wanted[u].list.end()));
    }
    CHECK_THROWS_AS(static_cast<void>(rs::rank_rows(f, std::vector<float>(3))), rs::data_error);
    rs::frame const bare(1, {}, {});
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::rank_rows(bare, std::vector<float>(1))), doctest::Contains("needs users, items and groups"),
                         rs::data_error);
}
