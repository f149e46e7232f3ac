// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/brute_force.hpp"
#include "support/interactions.hpp"
#include "support/model_contract.hpp"

namespace rs = recsys;
using namespace brute_force;
using std::chrono::days;

namespace {

struct play {
    std::string user;
    std::string track;
    float stars;
    std::int64_t day;
};

/// a: three users of whom one twice; b: one user, often, long ago; c: one user, at the end. d is in the encoder only.
auto plays() {
    std::vector<play> const log{{"u1", "b", 1, 0},  {"u1", "b", 1, 1},  {"u1", "b", 2, 2},  {"u1", "b", 4, 3}, {"u1", "a", 5, 10},
                                {"u2", "a", 4, 20}, {"u2", "a", 2, 21}, {"u3", "a", 1, 30}, {"u2", "c", 5, 40}};
    std::vector<std::string> const tracks{"a", "b", "c", "d"};
    return rs::ingest(log, rs::columns().user(&play::user).item(&play::track).weight(&play::stars).time([](play const& p) {
        return rs::time_point(days(p.day));
    }),
                      {.items = rs::item_encoder<std::string>::fit(tracks)});
}
std::vector<float> scores(rs::popularity_options const& options) {
    auto const data = plays();
    auto const model = rs::popularity(options).fit(data);
    return {model.scores().begin(), model.scores().end()};
}
using numbers = std::vector<float>;
using rs::popularity_by;

}

TEST_CASE("popularity counts distinct users, plays, weights or their mean, worked by hand") {
    CHECK(scores({}) == numbers{3, 1, 1, 0});
    CHECK(scores({.by = popularity_by::plays}) == numbers{4, 4, 1, 0});
    CHECK(scores({.by = popularity_by::total_weight}) == numbers{12, 8, 5, 0});
    CHECK(scores({.by = popularity_by::mean_rating}) == numbers{3, 2, 5, 0});
}

TEST_CASE("a window holds the events of the last days before as_of, its first moment included") {
    // as_of is a microsecond after day 40.
    CHECK(scores({.window = days(20)}) == numbers{2, 0, 1, 0}); // u2 on day 21, u3
    CHECK(scores({.window = days(21)}) == numbers{2, 0, 1, 0}); // day 20 is in, the same user
    CHECK(scores({.by = popularity_by::plays, .window = days(19)}) == numbers{1, 0, 1, 0});
    CHECK(scores({.by = popularity_by::plays, .window = days(20)}) == numbers{2, 0, 1, 0});
    CHECK(scores({.by = popularity_by::plays, .window = days(1000000)}) == numbers{4, 4, 1, 0});
    auto const data = plays();
    auto const cut = data.before(rs::time_point(days(40))); // as_of is the cut, not the last event
    auto const model = rs::popularity({.by = popularity_by::plays, .window = days(20)}).fit(cut);
    CHECK(model.scores()[0] == 3);
    CHECK(model.as_of() == rs::time_point(days(40)));
    CHECK(model.knows(item(0)));
    CHECK_FALSE(model.knows(item(1)));
    CHECK_FALSE(model.knows(item(2)));
    CHECK_FALSE(model.knows(item(4)));
    CHECK(rs::recommend(model, user(0), rs::nothing_seen) == std::vector<rs::scored>{{item(0), 3}});
}

TEST_CASE("a half life halves what is that old: a user counts by his last event, a mean decays from the item's last one") {
    auto const data = plays().before(rs::time_point(days(40)));
    auto const of = [&](popularity_by by, days half_life) {
        auto const model = rs::popularity({.by = by, .half_life = half_life}).fit(data);
        return numbers(model.scores().begin(), model.scores().end());
    };
    auto const two = [](double exponent) { return std::exp2(exponent); };
    auto const users = of(popularity_by::distinct_users, days(10));
    CHECK(users[0] == doctest::Approx(two(-3) + two(-1.9) + two(-1)));
    CHECK(users[1] == doctest::Approx(two(-3.7)));
    CHECK(users[2] == 0);
    auto const counts = of(popularity_by::plays, days(10));
    CHECK(counts[0] == doctest::Approx(two(-3) + two(-2) + two(-1.9) + two(-1)));
    CHECK(of(popularity_by::total_weight, days(10))[1] == doctest::Approx(two(-4) + two(-3.9) + 2 * two(-3.8) + 4 * two(-3.7)));
    CHECK(of(popularity_by::mean_rating, days(1))[1] == doctest::Approx((1. / 8 + 1. / 4 + 2. / 2 + 4) / (1. / 8 + 1. / 4 + 1. / 2 + 1)));
    // Long ago in half lives: the counts are nothing, the mean is what it was.
    std::vector<play> const log{{"u", "old", 2, 0}, {"u", "old", 4, 1}, {"u", "new", 1, 9000}};
    auto const far_apart = rs::ingest(log, rs::columns().user(&play::user).item(&play::track).weight(&play::stars).time([](play const& p) {
        return rs::time_point(days(p.day));
    }));
    auto const mean = rs::popularity({.by = popularity_by::mean_rating, .half_life = days(1)}).fit(far_apart);
    auto const old = far_apart.items().at("old");
    CHECK(mean.scores()[rs::to_size(old)] == doctest::Approx((1. + 4) / 1.5));
    auto const faded = rs::popularity({.half_life = days(1)}).fit(far_apart);
    CHECK(faded.scores()[rs::to_size(old)] == 0);
    CHECK(faded.knows(old));
}

TEST_CASE("popularity agrees with sets and maps on random rows") {
    auto const data = recsys_test::interactions_data(40, 30, 900, 5);
    std::vector<std::set<std::size_t>> users(30);
    std::vector<std::map<std::size_t, double>> last(30);
    std::vector<double> n(30);
    auto const window = days(3);
    auto const from = *data.as_of() - window;
    for (std::size_t row = 0; row < data.size(); ++row) {
        auto const u = rs::to_size(data.event_users()[row]), i = rs::to_size(data.event_items()[row]);
        if (data.event_times()[row] < from) continue;
        users[i].insert(u), n[i] += 1;
        std::chrono::duration<double, std::ratio<86400>> const age = *data.as_of() - data.event_times()[row];
        last[i][u] = std::exp2(-age.count() / 2);
    }
    auto const distinct = rs::popularity({.window = window}).fit(data);
    auto const count = rs::popularity({.by = popularity_by::plays, .window = window}).fit(data);
    auto const decayed = rs::popularity({.window = window, .half_life = days(2)}).fit(data);
    for (std::size_t i = 0; i < 30; ++i) {
        CHECK(distinct.scores()[i] == static_cast<float>(users[i].size()));
        CHECK(count.scores()[i] == static_cast<float>(n[i]));
        CHECK(distinct.knows(item(i)) == !users[i].empty());
        double sum = 0;
        for (auto const& [u, weight] : last[i]) sum += weight;
        CHECK(decayed.scores()[i] == doctest::Approx(sum));
    }
}

TEST_CASE("c35 items of equal popularity are all listed, in the order of their indices") {
    std::vector<play> log;
    for (int n = 0; n < 5; ++n)
        for (auto const* track : {"c", "b", "a"})
            if (n < 3 || *track != 'c') log.push_back({"u" + std::to_string(n), track, 1, n});
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track));
    auto const top = rs::recommend(rs::popularity().fit(data), user(0), rs::nothing_seen, {.k = 3});
    CHECK(top == std::vector<rs::scored>{{data.items().at("a"), 5}, {data.items().at("b"), 5}, {data.items().at("c"), 3}});
    auto const equal = recsys_test::interactions_data(3, 6, 0, 1);
    CHECK(rs::recommend(rs::popularity().fit(equal), user(0), rs::nothing_seen).empty()); // nobody took anything
    std::vector<play> all;
    for (int i = 0; i < 6; ++i) all.push_back({"u", std::string(1, static_cast<char>('f' - i)), 1, i});
    auto const same =
        rs::recommend(rs::popularity().fit(rs::ingest(all, rs::columns().user(&play::user).item(&play::track))), user(0), rs::nothing_seen);
    REQUIRE(same.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) CHECK(same[i] == rs::scored{item(i), 1});
}

TEST_CASE("the mean of negative ratings is negative and listed; what nobody rated is not") {
    std::vector<play> const log{{"u", "a", -2, 0}, {"v", "a", -1, 0}, {"u", "b", 0, 0}};
    std::vector<std::string> const tracks{"a", "b", "c"};
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track).weight(&play::stars),
                                 {.items = rs::item_encoder<std::string>::fit(tracks)});
    auto const model = rs::popularity({.by = popularity_by::mean_rating}).fit(data);
    CHECK(rs::recommend(model, user(0), rs::nothing_seen) == std::vector<rs::scored>{{item(1), 0}, {item(0), -1.5f}});
}

TEST_CASE("popularity without times is an error only where times are needed") {
    auto const data = rs::ingest(std::vector<play>{{"u", "a", 1, 0}}, rs::columns().user(&play::user).item(&play::track));
    auto const model = rs::popularity().fit(data);
    CHECK(model.scores()[0] == 1);
    CHECK_FALSE(model.as_of().has_value());
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::popularity({.window = days(1)}).fit(data)),
                         "popularity: window needs events with times, these have none", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::popularity({.half_life = days(1)}).fit(data)), doctest::Contains("needs events with times"),
                         rs::data_error);
}

TEST_CASE("options outside their range are errors that name the range and the value") {
    auto const data = plays();
    for (int const wrong : {0, -3, 1000001, std::numeric_limits<int>::max()})
        CHECK_THROWS_WITH_AS(static_cast<void>(rs::popularity({.window = days(wrong)}).fit(data)),
                             ("popularity: window must be in [1, 1000000] days, got " + std::to_string(wrong)).c_str(), rs::option_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::popularity({.half_life = days(0)}).fit(data)),
                         "popularity: half_life must be at least one day, got 0", rs::option_error);
}

TEST_CASE("a score that is not finite is an error, and progress can stop") {
    std::vector<play> const log{{"u", "a", 3e38f, 0}, {"v", "a", 3e38f, 0}};
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track).weight(&play::stars));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::popularity({.by = popularity_by::total_weight}).fit(data)),
                         doctest::Contains("popularity: the score of item 0 is"), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::popularity({.run = {.progress = [](rs::progress const&) { return false; }}}).fit(data)),
                    rs::cancelled);
}

TEST_CASE("popularity keeps the contract of models") {
    model_contract::check_model_contract(
        [](auto const& past, std::size_t threads) { return rs::popularity({.run = {.threads = threads}}).fit(past); });
    model_contract::check_model_contract([](auto const& past, std::size_t threads) {
        return rs::popularity({.by = popularity_by::mean_rating, .half_life = days(4), .run = {.threads = threads}}).fit(past);
    });
}

TEST_CASE("a model without items, and one that nothing was fitted into") {
    rs::popularity_model const none;
    CHECK(none.n_items() == 0);
    CHECK_FALSE(none.knows(item(0)));
    CHECK(rs::popularity().fit(rs::events()).n_items() == 0);
    CHECK_THROWS_AS(rs::popularity_model({1.f, 2.f}, {std::uint8_t{1}}, 1, {}), rs::data_error);
    CHECK(model_contract::saved_and_loaded(none).n_items() == 0);
}

TEST_CASE("lists that are read off the ranking are those of the scores, whatever is left out") {
    /// The same model without its ranking.
    struct scores_alone {
        rs::popularity_model model;
        std::size_t n_items() const { return model.n_items(); }
        bool knows(rs::item_index item) const { return model.knows(item); }
        void score(rs::user_index user, std::span<float> out) const { model.score(user, out); }
    };
    std::vector<std::pair<int, int>> log;
    rs::random_stream random(5);
    for (int i = 0; i < 4000; ++i) log.emplace_back(int(random.below(60)), int(random.below(20) * random.below(20)));
    auto const data = rs::ingest(log, rs::columns().user(&std::pair<int, int>::first).item(&std::pair<int, int>::second));
    auto const seen = rs::user_items(data);
    auto const model = rs::popularity().fit(data);
    REQUIRE(std::is_sorted(model.ranking().begin(), model.ranking().end(), [](rs::scored const& a, rs::scored const& b) {
        return a.score > b.score || (a.score == b.score && a.item < b.item);
    }));
    auto const all = data.items().all();
    std::vector<rs::item_index> const items(all.begin(), all.end());
    rs::item_set const half(std::vector<rs::item_index>(items.begin() + 20, items.end())), few({items[3], items[40], items[90]});
    for (rs::recommend_options options :
         {rs::recommend_options{.k = 7}, rs::recommend_options{.k = 1000}, rs::recommend_options{.k = 5, .allow = half},
          rs::recommend_options{.k = 2, .allow = few}, rs::recommend_options{.k = 9, .deny = half}}) {
        for (bool const included : {false, true}) {
            options.include_seen = included;
            auto const got = rs::recommend(model, data.users().all(), seen, options);
            auto const wanted = rs::recommend(scores_alone{model}, data.users().all(), seen, options);
            REQUIRE(got.size() == wanted.size());
            for (std::size_t u = 0; u < got.size(); ++u)
                CHECK(std::equal(got[u].list.begin(), got[u].list.end(), wanted[u].list.begin(), wanted[u].list.end()));
        }
    }
}
