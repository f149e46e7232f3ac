// SPDX-License-Identifier: MIT
// Asking a model: one user, a batch, everybody into a file, what is denied, visitors who were not in training, and why an item was recommended.
#include <recsys.hpp>

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace rs = recsys;

struct purchase {
    std::string user;
    int item;
};

int main() {
    std::vector<purchase> log;
    rs::random_stream random(1, 0);
    for (int i = 0; i < 6000; ++i) { // users of two tastes: even and odd items
        auto const user = random.below(100);
        log.push_back({"user" + std::to_string(user),
                       static_cast<int>(2 * random.below(40) + (random.uniform() < 0.9 ? user % 2 : random.below(2)))});
    }
    auto const data = rs::ingest(log, rs::columns().user(&purchase::user).item(&purchase::item));
    auto const bought = rs::user_items(data);
    auto const model = rs::als({.factors = 16, .regularization = 1, .alpha = 5}).fit(bought);

    // One user. What was bought is left out; say nothing_seen to let it in.
    auto const ada = data.users().at("user1");
    std::vector<int> const sold_out{1, 3, 5, 7};
    auto const deny = data.items().known(sold_out); // prepared once, used in every call
    for (auto const& [item, score] : rs::recommend(model, ada, bought, {.k = 3, .deny = deny}))
        std::printf("item %d, %.3f\n", data.items().id(item), static_cast<double>(score));

    // Why: the contribution of each past purchase to the score, after Hu, Koren and Volinsky, section 5.
    auto const first = rs::recommend(model, ada, bought, {.k = 1, .deny = deny}).front().item;
    auto const why = rs::explain(model, ada, first, bought);
    std::printf("item %d comes first of all from item %d\n", data.items().id(first), data.items().id(why.contributions.front().item));

    // Everybody, a block of users at a time: nothing grows with users x items.
    std::ofstream file("lists.csv");
    auto const report = rs::recommend(model, data.users().all(), bought, {.k = 10}, [&](rs::lists const& block) {
        for (auto const& [user, list] : block)
            for (auto const& [item, score] : list) file << data.users().id(user) << ',' << data.items().id(item) << ',' << score << '\n';
        return file.good(); // false stops
    });
    std::printf("%zu users, %zu recommendations written\n", report.users, report.slots);

    // Somebody who was not there in training: factors from her own list, which also counts as seen.
    std::vector<std::pair<int, int>> const cart{{2, 1}, {4, 2}, {999, 1}};
    using line = std::pair<int, int>;
    auto const visitor = rs::history_of(cart, rs::columns().item(&line::first).weight(&line::second), data.items());
    std::printf("%zu of her items are unknown\n", visitor.unknown());
    for (auto const& [item, score] : rs::recommend(model, model.fold_in(visitor), {.k = 3}))
        std::printf("item %d, %.3f\n", data.items().id(item), static_cast<double>(score));
}
