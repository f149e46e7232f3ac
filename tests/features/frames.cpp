// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include "support/feature_world.hpp"

namespace rs = recsys;
using namespace feature_world;

namespace {

struct prepared {
    world w = make_world(7, 150, 60, 1500);
    decltype(ingested(w)) data = ingested(w);
    decltype(ingested(w)) known = data.before(w.t0);
    rs::csr seen = seen_of(known);
    rs::feature_set<std::string, int> set =
        pipeline_features(
            w, known, seen,
            rs::candidates().from("als", formula_scorer{known.n_items(), 1}, 12).from("hot", formula_scorer{known.n_items(), 2}, 5))
            .pair_number("pair", [](std::string const& u, int t) { return static_cast<int>(u.size()) + t; });
};

flat_frame flat(prepared const& p, rs::recommend_options const& options) {
    flat_frame out;
    rs::feature_frames(p.set, p.data.users().all(), p.seen, options, [&](rs::frame const& f) { out.add(f); });
    return out;
}

}

TEST_CASE("frames are the same rows, bit for bit, for any block size and any number of threads") {
    prepared const p;
    flat_frame wanted;
    wanted.add(rs::feature_frames(p.set, p.data.users().all(), p.seen, {.run = {.threads = 1}}));
    REQUIRE(wanted.users.size() > 1000);
    for (std::size_t const block : {1u, 3u, 4096u})
        for (std::size_t const threads : {1u, 2u, 7u}) {
            CAPTURE(block);
            CAPTURE(threads);
            CHECK(flat(p, {.block = block, .run = {.threads = threads}}) == wanted);
        }
}

TEST_CASE("rows are grouped by user in the order that was asked, without seen items unless they are let in") {
    prepared const p;
    std::vector<rs::user_index> const users{rs::user_index{9}, rs::user_index{2}, rs::user_index{30}};
    auto const f = rs::feature_frames(p.set, users, p.seen);
    REQUIRE(f.n_groups() == 3);
    std::size_t first = 0;
    for (std::size_t g = 0; g < 3; ++g)
        for (; first < f.group_ends()[g]; ++first) {
            CHECK(f.user(first) == users[g]);
            auto const had = p.seen.seen(users[g]);
            CHECK_FALSE(std::binary_search(had.begin(), had.end(), f.item(first)));
        }
    std::size_t slots = 0;
    auto const report = rs::feature_frames(p.set, users, p.seen, {.include_seen = true}, [&](rs::frame const& all) {
        for (std::size_t r = 0; r < all.n_rows(); ++r) {
            auto const had = p.seen.seen(all.user(r));
            slots += std::binary_search(had.begin(), had.end(), all.item(r));
        }
    });
    CHECK(slots > 0);
    CHECK(report.seen_slots == slots);
    CHECK(report.users == 3);
}

TEST_CASE("allow, deny and keep_if hold, and users without candidates are counted and have no group") {
    prepared const p;
    rs::item_set const allowed{rs::item_index{1}, rs::item_index{2}, rs::item_index{3}};
    std::size_t rows = 0, groups = 0, blocks = 0;
    rs::recommend_options const options{.include_seen = true,
                                        .allow = allowed,
                                        .deny = {rs::item_index{2}},
                                        .keep_if = [](rs::user_index u, rs::item_index) { return rs::to_size(u) >= 10; },
                                        .block = 5};
    auto const report = rs::feature_frames(p.set, p.data.users().all(), p.seen, options, [&](rs::frame const& f) {
        ++blocks, rows += f.n_rows(), groups += f.n_groups();
        for (std::size_t r = 0; r < f.n_rows(); ++r) CHECK((f.item(r) == rs::item_index{1} || f.item(r) == rs::item_index{3}));
    });
    CHECK(report.users == p.data.n_users());
    CHECK(report.empty == 10);
    CHECK(report.slots == rows);
    CHECK(groups == p.data.n_users() - 10);
    CHECK(blocks == (p.data.n_users() + 4) / 5 - 2); // two blocks of users without any are not given
    CHECK(rows == 2 * groups);
}

TEST_CASE("a sink or a progress callback that returns false stops after its block") {
    prepared const p;
    std::size_t calls = 0;
    auto const stopped =
        rs::feature_frames(p.set, p.data.users().all(), p.seen, {.block = 10}, [&](rs::frame const&) { return ++calls < 2; });
    CHECK(calls == 2);
    CHECK(stopped.stopped);
    CHECK(stopped.users == 20);
    auto const halted = rs::feature_frames(p.set, p.data.users().all(), p.seen,
                                           {.block = 10, .run = {.progress = [](rs::progress const& now) { return now.done < 30; }}},
                                           [](rs::frame const&) {});
    CHECK(halted.stopped);
    CHECK(halted.users == 30);
    CHECK_FALSE(rs::feature_frames(p.set, rs::user_index{0}, p.seen, {}, [](rs::frame const&) {}).stopped);
}

TEST_CASE("no users give no frames, and a block of none is an option error") {
    prepared const p;
    std::size_t calls = 0;
    auto const report = rs::feature_frames(p.set, std::vector<rs::user_index>(), p.seen, {}, [&](rs::frame const&) { ++calls; });
    CHECK(calls == 0);
    CHECK(report.users == 0);
    CHECK(rs::feature_frames(p.set, std::vector<rs::user_index>(), p.seen).n_rows() == 0);
    CHECK_THROWS_AS(static_cast<void>(rs::feature_frames(p.set, rs::user_index{0}, p.seen, {.block = 0}, [](rs::frame const&) {})),
                    rs::option_error);
}

TEST_CASE("a function of pairs that throws passes its error through the threads") {
    prepared const p;
    auto const set =
        p.set.pair_number("bad", [](std::string const&, int t) -> int { return t > 130 ? throw rs::data_error("no such pair") : t; });
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::feature_frames(set, p.data.users().all(), p.seen, {.run = {.threads = 3}})), "no such pair",
                         rs::data_error);
}
