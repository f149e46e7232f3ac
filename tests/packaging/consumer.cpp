// SPDX-License-Identifier: MIT
// A program of somebody else's that found the library by its package.
#include <recsys.hpp>
#include <recsys/ranker.hpp>

#include <cstdio>
#include <vector>

struct row {
    int user;
    int item;
};

int main() {
    std::vector<row> const log{{1, 10}, {1, 11}, {2, 10}, {2, 11}, {2, 12}};
    auto const data = recsys::ingest(log, recsys::columns().user(&row::user).item(&row::item));
    auto const seen = recsys::user_items(data);
    auto const model = recsys::popularity().fit(data);
    auto const list = recsys::recommend(model, data.users().at(1), seen, {.k = 3});
    for (auto const& [item, score] : list) std::printf("%d %g\n", data.items().id(item), static_cast<double>(score));
    return list.size() == 1 && data.items().id(list.front().item) == 12 ? 0 : 1;
}
