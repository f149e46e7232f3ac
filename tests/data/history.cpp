// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <limits>
#include <list>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using recsys::columns;
using recsys::history_of;
using recsys::item_index;

auto const items = recsys::item_encoder<std::string>::fit(std::vector<std::string>{"a", "b", "c", "d"});
struct play {
    std::optional<std::string> song;
    std::optional<double> n;
};
auto const how = columns().item(&play::song).weight(&play::n);

std::vector<item_index> indices(recsys::history const& h) { return {h.items().begin(), h.items().end()}; }
std::vector<float> weights(recsys::history const& h) { return {h.weights().begin(), h.weights().end()}; }

}

TEST_CASE("a history has distinct items in order and adds the weights of repeats") {
    std::vector<play> const plays{{"d", 2.0}, {"a", 1.0}, {"x", 9.0}, {"d", 0.5}, {std::nullopt, 1.0}, {"b", std::nullopt}};
    auto const eve = history_of(plays, how, items);
    CHECK(eve.size() == 2);
    CHECK(indices(eve) == std::vector{item_index{0}, item_index{3}});
    CHECK(weights(eve) == std::vector{1.f, 2.5f});
    CHECK(eve.unknown() == 1);
    CHECK(eve.missing() == 2);
    CHECK(eve.provenance().items == items.fingerprint());
}

TEST_CASE("without a weight column every row weighs 1") {
    std::list<std::string> const songs{"c", "a", "c", "c"};
    auto const itself = columns().item([](std::string const& s) -> std::string const& { return s; });
    CHECK(weights(history_of(songs, itself, items)) == std::vector{1.f, 3.f});
    CHECK(weights(history_of(songs.begin(), songs.end(), itself, items)) == std::vector{1.f, 3.f});
}

TEST_CASE("text views and integers of other widths find their items") {
    std::vector<std::pair<char const*, int>> const pairs{{"b", 3}, {nullptr, 1}};
    using pair = std::pair<char const*, int>;
    CHECK(weights(history_of(pairs, columns().item(&pair::first).weight(&pair::second), items)) == std::vector{3.f});
    auto const numbers = recsys::item_encoder<unsigned>::fit(std::vector<unsigned>{7, 4294967295u});
    auto const itself = columns().item([](int i) { return i; });
    auto const h = history_of(std::vector<int>{-1, 7}, itself, numbers);
    CHECK(h.size() == 1);
    CHECK(h.unknown() == 1);
}

TEST_CASE("weights that are not finite are errors") {
    std::vector<play> plays{{"a", 1.0}, {"b", std::numeric_limits<double>::quiet_NaN()}};
    CHECK_THROWS_WITH_AS((void)history_of(plays, how, items),
                         "history_of: the weight of row 1 (from 0) is nan, expected a finite number that float can hold",
                         recsys::data_error);
    plays = {{"a", 3e38}, {"a", 3e38}};
    CHECK_THROWS_AS((void)history_of(plays, how, items), recsys::data_error);
}

TEST_CASE("an empty history is empty, and copies share") {
    recsys::history const none;
    CHECK(none.empty());
    CHECK(none.items().empty());
    auto const h = history_of(std::vector<play>{{"a", 1.0}}, how, items);
    auto const copy = h;
    CHECK(copy.items().data() == h.items().data());
}
