// SPDX-License-Identifier: MIT
// Writes training and test rows for rankers as raw little-endian arrays, which any language reads with one call each: train.x.f32 (rows x numbers),
// train.category.i32 (rows x categories), train.target.f32, train.group.i32, the same for test, and meta.json.
//
//   make_rows FOLDER ranking TRAIN TEST [SEED]       tests/support/ranking_rows.hpp: 7 numbers, a category with a power law, groups
//   make_rows FOLDER wide TRAIN TEST [SEED]          500 numbers, of which 60 matter; no groups
//   make_rows FOLDER classes TRAIN TEST [SEED]       seven classes of uneven size; 10 numbers, categories of 12 and of 500 values; no groups
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
    std::size_t n_numbers = 0, n_categories = 1;
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

/// Each class has a score of single numbers, of pairs of them, of both categories, and of the small category with a number; a tenth of every third
/// column is missing.
part classes(std::size_t n, std::uint64_t seed, std::uint64_t stream) {
    constexpr std::size_t n_classes = 7, n_few = 12, n_many = 500;
    part out;
    out.n_numbers = 10, out.n_categories = 2;
    recsys::random_stream world(seed, 0), random(seed, stream);
    std::vector<double> effect(n_classes * (out.n_numbers + out.n_numbers / 2)), of_few(n_classes * n_few), slope(of_few),
        of_many(n_classes * n_many);
    for (auto& e : effect) e = 0.5 * world.normal();
    for (auto& e : of_few) e = 0.6 * world.normal();
    for (auto& e : slope) e = 0.5 * world.normal();
    for (auto& e : of_many) e = 0.9 * world.normal();
    std::vector<double> row(out.n_numbers);
    for (std::size_t i = 0; i < n; ++i) {
        for (auto& x : row) x = random.normal();
        auto const few = static_cast<std::size_t>(random.below(n_few));
        auto const many = static_cast<std::size_t>(std::pow(static_cast<double>(n_many), random.uniform())) - 1;
        std::array<double, n_classes> share{};
        double all = 0, drawn = random.uniform();
        for (std::size_t c = 0; c < n_classes; ++c) {
            double z =
                -0.4 * static_cast<double>(c) + of_few[c * n_few + few] + of_many[c * n_many + many] + slope[c * n_few + few] * row[9];
            auto const* const e = &effect[c * (out.n_numbers + out.n_numbers / 2)];
            for (std::size_t j = 0; j < out.n_numbers; ++j) z += e[j] * (j % 3 == 2 ? (row[j] > 0.3 ? 1.5 : 0) : row[j]);
            for (std::size_t j = 0; j < out.n_numbers; j += 2) z += e[out.n_numbers + j / 2] * row[j] * row[j + 1];
            all += share[c] = std::exp(z);
        }
        std::size_t c = 0;
        for (drawn *= all; c + 1 < n_classes && drawn > share[c]; ++c) drawn -= share[c];
        for (std::size_t j = 0; j < row.size(); ++j) {
            bool const is_missing = j % 3 == 0 && random.uniform() < 0.1;
            out.x.push_back(is_missing ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(row[j]));
        }
        out.category.push_back(static_cast<std::int32_t>(few)), out.category.push_back(static_cast<std::int32_t>(many));
        out.target.push_back(static_cast<float>(c));
    }
    return out;
}

void make(std::string const& folder, std::string const& kind, std::size_t n_train, std::size_t n_test, std::uint64_t seed) {
    support::ranking_world world(seed);
    auto const rows = [&](std::size_t n, std::uint64_t stream) {
        if (kind == "ranking") return ranking(world, n, stream);
        if (kind == "wide") return wide(n, seed, stream);
        if (kind == "classes") return classes(n, seed, stream);
        throw std::runtime_error("make_rows: expected ranking, wide or classes, got " + kind);
    };
    auto const train = rows(n_train, 1), test = rows(n_test, 2);
    train.write(folder + "/train"), test.write(folder + "/test");
    std::string const meta = "{\"numbers\": " + std::to_string(train.n_numbers) +
                             ", \"categories\": " + (train.category.empty() ? "0" : std::to_string(train.n_categories)) +
                             ", \"seed\": " + std::to_string(seed) + "}\n";
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
    if (argc != 5 && argc != 6) return std::fputs("make_rows FOLDER ranking|wide|classes TRAIN TEST [SEED]\n", stderr), 2;
    try {
        make(argv[1], argv[2], number(argv[3]), number(argv[4]), argc == 6 ? number(argv[5]) : 42);
    } catch (std::exception const& e) { return std::fprintf(stderr, "%s\n", e.what()), 1; }
}
