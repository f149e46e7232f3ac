// SPDX-License-Identifier: MIT
// From a log of plays to recommendations, in one file: what was played, a model of it, a list for one user, and what is like an album.
// g++ -std=c++20 -O2 -Iinclude -isystem /usr/include/eigen3 examples/01_quickstart.cpp -o quickstart && ./quickstart
#include <recsys.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace rs = recsys;

struct play {
    std::string user, album;
    int times;
};

int main() {
    std::vector<play> const log{
        {"ada", "Kind of Blue", 9}, {"ada", "Blue Train", 7}, {"ada", "Mingus Ah Um", 4}, {"bob", "Kind of Blue", 5},
        {"bob", "Blue Train", 6},   {"bob", "Time Out", 8},   {"cem", "Blue Train", 2},   {"cem", "Time Out", 3},
        {"dee", "Nevermind", 9},    {"dee", "In Utero", 8},   {"eve", "Nevermind", 6},    {"eve", "In Utero", 4},
        {"eve", "Ten", 7},          {"fox", "Ten", 5},        {"fox", "Nevermind", 3},    {"gus", "Time Out", 2}};

    // Any rows, any ids: each column says where it is. Users x albums as a sparse matrix, then a model of it.
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::album).weight(&play::times));
    auto const heard = rs::user_items(data);
    auto const model = rs::als({.factors = 3, .regularization = 0.1, .alpha = 10, .seed = 7}).fit(heard);

    std::puts("for cem, who has heard Blue Train and Time Out:");
    for (auto const& [album, score] : rs::recommend(model, data.users().at("cem"), heard, {.k = 3}))
        std::printf("  %-14s %.3f\n", data.items().id(album).c_str(), static_cast<double>(score));

    std::puts("like Nevermind:");
    for (auto const& [album, score] : rs::similar_items(model, data.items().at("Nevermind"), {.k = 2}))
        std::printf("  %-14s %.3f\n", data.items().id(album).c_str(), static_cast<double>(score));
}
