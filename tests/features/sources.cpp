// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include "support/feature_world.hpp"

namespace rs = recsys;
using namespace feature_world;

namespace {

/// Also scores candidates alone, by the same formula plus 1, so that it shows which of the two was asked.
struct candidate_scorer : formula_scorer {
    using formula_scorer::score;
    void score(rs::user_index user, std::span<rs::item_index const> items, std::span<float> out) const {
        for (std::size_t j = 0; j < items.size(); ++j) out[j] = at(user, rs::to_size(items[j])) + 1;
    }
};
struct pinned_scorer : formula_scorer {
    explicit pinned_scorer(std::size_t items) : formula_scorer{items, 5} {}
    pinned_scorer(pinned_scorer const&) = delete;
};

struct prepared {
    world w = make_world(4);
    decltype(ingested(w)) data = ingested(w);
    decltype(ingested(w)) known = data.before(w.t0);
    rs::csr seen = seen_of(known);
    std::size_t n = known.n_items();
};

}

TEST_CASE("each source of the pool gives its score and its place from 0, missing where it did not name the item") {
    prepared const p;
    formula_scorer const als{p.n, 1}, hot{p.n, 2};
    auto const set = rs::features(p.known, p.seen, rs::candidates().from("als", als, 6).from("hot", hot, 4));
    auto const f = rs::feature_frames(set, p.data.users().all(), rs::nothing_seen);
    std::size_t only_als = 0, only_hot = 0, both = 0;
    auto const place = [&](formula_scorer const& s, std::size_t r) {
        std::size_t n = 0;
        auto const item = rs::to_size(f.item(r));
        for (std::size_t i = 0; i < p.n; ++i)
            n += s.at(f.user(r), i) > s.at(f.user(r), item) || (s.at(f.user(r), i) == s.at(f.user(r), item) && i < item);
        return n;
    };
    for (std::size_t r = 0; r < f.n_rows(); ++r) {
        bool const in_als = place(als, r) < 6, in_hot = place(hot, r) < 4;
        only_als += in_als && !in_hot, only_hot += in_hot && !in_als, both += in_als && in_hot;
        CHECK(std::isnan(f.value(r, "als_score")) != in_als);
        CHECK(std::isnan(f.value(r, "hot_rank")) != in_hot);
        if (in_als) {
            CHECK(f.value(r, "als_rank") == static_cast<float>(place(als, r)));
            CHECK(f.value(r, "als_score") == als.at(f.user(r), rs::to_size(f.item(r))));
        }
        if (in_hot) CHECK(f.value(r, "hot_rank") == static_cast<float>(place(hot, r)));
    }
    CHECK(only_als + both == 6 * p.data.n_users());
    CHECK(only_hot + both == 4 * p.data.n_users());
    CHECK(both > 0);
}

TEST_CASE("a scorer is asked for the candidates alone if it can, else for everything; items that it lacks are missing") {
    prepared const p;
    pinned_scorer const pinned(p.n);
    candidate_scorer direct, short_one;
    direct.n = p.n, direct.salt = 3;
    short_one.n = p.n / 2, short_one.salt = 3;
    auto const set = rs::features(p.known, p.seen, rs::candidates().from("als", formula_scorer{p.n, 1}, 10))
                         .score("plain", formula_scorer{p.n, 3})
                         .score("direct", direct)
                         .score("short", short_one)
                         .score("pinned", std::cref(pinned));
    auto const f = rs::feature_frames(set, p.data.users().all(), p.seen);
    std::size_t missing_ones = 0;
    for (std::size_t r = 0; r < f.n_rows(); ++r) {
        auto const item = rs::to_size(f.item(r));
        float const wanted = direct.at(f.user(r), item);
        CHECK(f.value(r, "plain") == wanted);
        CHECK(f.value(r, "direct") == wanted + 1);
        CHECK(f.value(r, "pinned") == pinned.at(f.user(r), item));
        missing_ones += item >= p.n / 2;
        if (item >= p.n / 2) CHECK(std::isnan(f.value(r, "short")));
        else CHECK((f.value(r, "short") == wanted || f.value(r, "short") == wanted + 1));
    }
    CHECK(missing_ones > 0);
}

TEST_CASE("factors of unequal length are an error") {
    prepared const p;
    auto const set = rs::features(p.known, p.seen, rs::candidates().from("als", formula_scorer{p.n, 1}, 10));
    CHECK_THROWS_WITH_AS(
        static_cast<void>(set.last_similarity("s", [](rs::item_index i) { return std::vector<float>(rs::to_size(i) == 3 ? 2 : 4); })),
        doctest::Contains("item 3 has 2 factors, the items before it have 4"), rs::data_error);
    CHECK_NOTHROW(static_cast<void>(set.last_similarity("s", [](rs::item_index) { return std::vector<double>{1.0, 2.0}; })));
}

namespace {

/// A model of someone else's with factors of any scalar.
template <class Scalar> struct factor_model {
    std::vector<Scalar> values;
    std::size_t items = 0;
    rs::provenance from = {};
    std::size_t n_items() const { return items; }
    std::size_t n_factors() const { return values.size() / items; }
    std::span<Scalar const> item_factors() const& { return values; }
    rs::provenance provenance() const { return from; }
};

}

TEST_CASE("factors come from a function, from a model by copy or in place, and in double: the same similarities") {
    prepared const p;
    factor_model<float> floats{{}, p.n, {}};
    factor_model<double> doubles{{}, p.n, {}};
    for (auto const id : p.data.items().ids())
        for (float const x : factors_of(id)) floats.values.push_back(x), doubles.values.push_back(static_cast<double>(x));
    auto const items = p.data.items();
    auto const set = rs::features(p.known, p.seen, rs::candidates().from("als", formula_scorer{p.n, 1}, 10))
                         .last_similarity("function", [items](rs::item_index i) { return factors_of(items.id(i)); })
                         .last_similarity("copy", factor_model<float>(floats))
                         .last_similarity("place", std::cref(floats))
                         .last_similarity("double", doubles);
    flat_frame f;
    f.add(rs::feature_frames(set, p.data.users().all(), p.seen));
    CHECK(f.numbers.at("copy") == f.numbers.at("function"));
    CHECK(f.numbers.at("place") == f.numbers.at("function"));
    CHECK(f.numbers.at("double") == f.numbers.at("function"));
    auto later = floats, fewer = floats;
    later.from = p.data.before(p.w.t2).provenance(), fewer.items = 3;
    auto const base = rs::features(p.known, p.seen, rs::candidates().from("als", formula_scorer{p.n, 1}, 10));
    CHECK_THROWS_WITH_AS(static_cast<void>(base.last_similarity("s", later)),
                         doctest::Contains("the model of last_similarity knows events"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(base.last_similarity("s", fewer)), doctest::Contains("the model has 3 items"), rs::data_error);
}
