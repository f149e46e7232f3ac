// SPDX-License-Identifier: MIT
// The ranker alone, on your own structs: which offers will be clicked. Numbers, categories and lists of categories; early stopping on
// queries that were held out; importances; a prediction function without allocation; why one offer got its score, and how scores follow price.
#include <recsys.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace rs = recsys;

struct offer {
    std::uint64_t query;
    float price;
    std::string brand;
    std::vector<std::string> tags;
    bool clicked;
};

int main() {
    std::vector<offer> offers;
    rs::random_stream random(5, 0);
    std::vector<std::string> const brands{"acme", "bolt", "crux", "dyna"}, words{"new", "sale", "red", "used"};
    for (int i = 0; i < 20000; ++i) {
        offer o{static_cast<std::uint64_t>(i / 7), static_cast<float>(10 + 90 * random.uniform()), brands[random.below(4)], {}, false};
        for (auto const& word : words)
            if (random.uniform() < 0.3) o.tags.push_back(word);
        double wish = 1 - o.price / 40 + (o.brand == "bolt" ? 1 : 0);
        for (auto const& tag : o.tags) wish += tag == "sale" ? 1.5 : 0;
        o.clicked = random.uniform() < 1 / (1 + std::exp(-wish));
        offers.push_back(std::move(o));
    }

    auto const schema = rs::rows<offer>()
                            .number("price", &offer::price)
                            .category("brand", &offer::brand)
                            .categories("tags", &offer::tags)
                            .target(&offer::clicked)
                            .group(&offer::query);
    auto const [train, valid] = rs::split_groups(rs::ingest(offers, schema), 0.2, 42);
    auto const ranker = rs::booster({.trees = 500, .learning_rate = 0.1, .depth = 4, .early_stopping_rounds = 30}).fit(train, valid);
    std::printf("%zu trees, validation log loss %.4f\n", ranker.n_trees(), ranker.report().valid_loss[*ranker.report().best_iteration]);
    for (auto const& [name, share] : ranker.importances()) std::printf("  %-6s %5.1f%%\n", name.c_str(), share);

    auto const probability = ranker.predictor(schema); // names and types are checked here, once
    offer const cheap{1, 15, "bolt", {"sale"}, false}, dear{1, 95, "acme", {"used"}, false};
    std::printf("cheap %.3f, dear %.3f\n", probability(cheap), probability(dear));

    // Log odds: what is expected of any offer, and what each column of this one adds to it.
    auto const why = rs::explain(ranker, rs::ingest(std::vector<offer>{cheap}, schema));
    std::printf("cheap: %.2f", why.expected[0]);
    for (std::size_t c = 0; c < why.columns.size(); ++c) std::printf(" %+.2f %s", why.row(0)[c], why.columns[c].c_str());
    std::printf("\n");
    auto const by_price = rs::partial_dependence(ranker, valid, "price", {.points = 4});
    for (std::size_t i = 0; i < by_price.mean.size(); ++i) std::printf("  price %.0f: %.3f\n", by_price.axes[0].numbers[i], by_price.at(i));
}
