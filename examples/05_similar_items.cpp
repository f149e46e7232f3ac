// SPDX-License-Identifier: MIT
// What is like what: by the factors of a model, and by vectors of your own.
#include <recsys.hpp>

#include <cstdio>
#include <vector>

namespace rs = recsys;

struct play {
    int user, track;
};

int main() {
    std::vector<play> log;
    rs::random_stream random(3, 0);
    for (int i = 0; i < 20000; ++i) { // three circles of listeners, each with its own 50 tracks
        auto const circle = static_cast<int>(random.below(3)), user = 3 * static_cast<int>(random.below(200)) + circle;
        log.push_back(
            {user, 50 * (random.uniform() < 0.95 ? circle : static_cast<int>(random.below(3))) + static_cast<int>(random.below(50))});
    }
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track));
    auto const model = rs::als({.factors = 8, .regularization = 1, .seed = 1}).fit(rs::user_items(data));

    std::puts("tracks like 60 (of 50 .. 99):");
    for (auto const& [track, cosine] : rs::similar_items(model, data.items().at(60), {.k = 5}))
        std::printf("  %d  %.3f\n", data.items().id(track), static_cast<double>(cosine));
    std::puts("users like 4 (4, 7, 10 ... are of one circle):");
    for (auto const& [user, cosine] : rs::similar_users(model, data.users().at(4), {.k = 3}))
        std::printf("  %d  %.3f\n", data.users().id(user), static_cast<double>(cosine));

    // Vectors from elsewhere, read in place: rows are users and items.
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> users(1, 2), items(3, 2);
    users << 1, 0;
    items << 1, 0.1f, 0.9f, 0.1f, 0, 1;
    rs::embeddings const vectors(users, items, rs::similarity::cosine);
    for (auto const& [item, cosine] : rs::similar_items(vectors, rs::item_index{0}, {.k = 1}))
        std::printf("nearest to vector 0 is vector %zu, %.3f\n", rs::to_size(item), static_cast<double>(cosine));
}
