// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace rs = recsys;

namespace {

struct size_of_shoe {
    int number = 0;
    std::string width;
    friend auto recsys_tie(size_of_shoe const& s) { return std::tie(s.number, s.width); }
};
struct offer {
    size_of_shoe size;
    std::optional<std::pair<int, int>> box = {};
    std::vector<size_of_shoe> others = {};
    bool sold = false;
};
auto schema() {
    return rs::rows<offer>()
        .category("size", &offer::size)
        .category("box", &offer::box)
        .categories("others", &offer::others)
        .target(&offer::sold);
}

}

TEST_CASE("a type of the user's is a category by its members, each value one of its own") {
    std::vector<offer> const offers{
        {{7, "a"}, {{1, 2}}, {{1, "x"}, {7, "a"}}}, {{7, "a"}, {{12, 3}}, {}}, {{7, "a'"}, {}, {{1, "x"}}}, {{7, "', 'a"}, {{1, 23}}, {}}};
    auto const rows = rs::ingest(offers, schema());
    auto const& size = rows.column("size");
    CHECK(size.codes[0] == size.codes[1]);
    CHECK(size.dictionary->size() == 3);
    CHECK(size.dictionary->text(size.codes[0]) == "(7, 'a')");
    CHECK(size.dictionary->text(size.codes[2]) == "(7, 'a''')");
    CHECK(size.dictionary->text(size.codes[3]) == "(7, ''', ''a')");
    auto const& box = rows.column("box");
    CHECK(box.dictionary->size() == 3);
    CHECK(box.dictionary->text(box.codes[1]) == "(12, 3)");
    CHECK(box.codes[2] == rs::missing_category);
    CHECK(rows.column("others").row_codes(0).size() == 2);
    CHECK(rows.column("others").row_codes(0)[0] == rows.column("others").row_codes(2)[0]);
}

TEST_CASE("a ranker learns categories of the user's type and predicts from structs as from frames") {
    std::vector<offer> offers;
    rs::random_stream random(3);
    for (std::size_t i = 0; i < 3000; ++i) {
        offer o{{static_cast<int>(random.below(5)), random.below(2) == 0 ? "slim" : "wide"}};
        bool const likes = (o.size.number % 2 == 0) == (o.size.width == "wide");
        o.sold = random.uniform() < (likes ? 0.9 : 0.1);
        offers.push_back(std::move(o));
    }
    auto const rows = rs::ingest(offers, schema());
    auto const model = rs::booster({.trees = 40, .learning_rate = 0.2, .depth = 3}).fit(rows);
    auto const probability = model.predictor(schema());
    auto const together = model.predict(rows);
    for (std::size_t i = 0; i < 50; ++i) CHECK(static_cast<float>(probability(offers[i])) == together[i]);
    CHECK(probability({{2, "wide"}}) > 0.8);
    CHECK(probability({{2, "slim"}}) < 0.2);
    CHECK(probability({{99, "odd"}}) > probability({{2, "slim"}})); // unknown: like the mean
}
