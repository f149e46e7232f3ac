// SPDX-License-Identifier: MIT
// Writes training and test rows for rankers as raw little-endian arrays, which any language reads with one call each: train.x.f32 (rows x numbers),
// train.category.i32 (rows x categories), train.target.f32, train.group.i32, the same for test, and meta.json.
//
//   make_rows FOLDER ranking TRAIN TEST [SEED]       tests/support/ranking_rows.hpp: 7 numbers, a category with a power law, groups
//   make_rows FOLDER wide TRAIN TEST [SEED]          500 numbers, of which 60 matter; no groups
// The folder must exist.
#include <recsys_under_test.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "peers/common/measured.hpp"
#include "support/ranking_rows.hpp"

namespace {

/// The arrays of one part.
struct part {
    std::size_t n_numbers = 0;
    std::vector<float> x, target;
    std::vector<std::int32_t> category, group;

    void write(std::string const& prefix) const {
        compare::write_array(prefix + ".x.f32", std::span<float const>(x));
        compare::write_array(prefix + ".category.i32", std::span<std::int32_t const>(category));
        compare::write_array(prefix + ".target.f32", std::span<float const>(target));
        compare::write_array(prefix + ".group.i32", std::span<std::int32_t const>(group));
    }
};

part ranking(support::ranking_world& world, std::size_t n, std::uint64_t stream) {
    part out;
    out.n_numbers = 7;
    for (auto const& r : world.rows(n, stream)) {
        std::array<float, 7> const numbers{r.als_score,  r.genre_and_votes, r.tracks_month,    r.tracks_listened,
                                           r.rating_avg, r.rating_std,      r.tracks_per_month};
        out.x.insert(out.x.end(), numbers.begin(), numbers.end());
        out.category.push_back(r.genre), out.group.push_back(r.user), out.target.push_back(r.clicked ? 1.f : 0.f);
    }
    return out;
}

/// Some numbers matter alone, some in pairs, some beyond a threshold; a tenth of every fifth column is missing.
part wide(std::size_t n, std::uint64_t seed, std::uint64_t stream) {
    part out;
    out.n_numbers = 500;
    std::vector<double> effect(60);
    recsys::random_stream world(seed, 0), random(seed, stream);
    for (auto& e : effect) e = 0.35 * world.normal();
    std::vector<double> row(out.n_numbers);
    for (std::size_t i = 0; i < n; ++i) {
        for (auto& x : row) x = random.normal();
        double z = -0.5;
        for (std::size_t j = 0; j < 20; ++j) z += effect[j] * row[j];
        for (std::size_t j = 20; j < 40; j += 2) z += 2 * effect[j] * row[j] * row[j + 1];
        for (std::size_t j = 40; j < 60; ++j) z += row[j] > 0.5 ? 2 * effect[j] : 0;
        for (std::size_t j = 0; j < row.size(); ++j) {
            bool const is_missing = j % 5 == 0 && random.uniform() < 0.1;
            out.x.push_back(is_missing ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(row[j]));
        }
        out.target.push_back(random.uniform() < 1 / (1 + std::exp(-z)) ? 1.f : 0.f);
    }
    return out;
}

void make(std::string const& folder, std::string const& kind, std::size_t n_train, std::size_t n_test, std::uint64_t seed) {
    support::ranking_world world(seed);
    auto const rows = [&](std::size_t n, std::uint64_t stream) {
        if (kind == "ranking") return ranking(world, n, stream);
        if (kind == "wide") return wide(n, seed, stream);
        throw std::runtime_error("make_rows: expected ranking or wide, got " + kind);
    };
    auto const train = rows(n_train, 1), test = rows(n_test, 2);
    train.write(folder + "/train"), test.write(folder + "/test");
    std::string const meta = "{\"numbers\": " + std::to_string(train.n_numbers) +
                             ", \"categories\": " + (train.category.empty() ? "0" : "1") + ", \"seed\": " + std::to_string(seed) + "}\n";
    compare::write_array(folder + "/meta.json", std::span<char const>(meta)); // last: where it stands, the arrays are whole
    std::fputs(meta.c_str(), stdout);
}

std::size_t number(char const* text) {
    char* end = nullptr;
    auto const n = std::strtoull(text, &end, 10);
    if (*end != '\0' || n == 0) throw std::runtime_error(std::string("make_rows: expected a number from 1, got ") + text);
    return static_cast<std::size_t>(n);
}

}

int main(int argc, char** argv) {
    if (argc != 5 && argc != 6) return std::fputs("make_rows FOLDER ranking|wide TRAIN TEST [SEED]\n", stderr), 2;
    try {
        make(argv[1], argv[2], number(argv[3]), number(argv[4]), argc == 6 ? number(argv[5]) : 42);
    } catch (std::exception const& e) { return std::fprintf(stderr, "%s\n", e.what()), 1; }
}
