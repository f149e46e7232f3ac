// SPDX-License-Identifier: MIT
// From rows in any order to a matrix, and from a matrix to its transpose. These move memory: no level matters.
#include "bench.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace bench;

struct play {
    std::uint32_t user, item;
    float weight;
};

std::vector<play> random_plays(std::size_t n, std::size_t n_users, std::size_t n_items) {
    rs::random_stream random(10);
    std::vector<play> out(n);
    for (auto& one : out) {
        double const x = random.uniform(); // low items are popular
        one = {static_cast<std::uint32_t>(random.below(n_users)), static_cast<std::uint32_t>(x * x * static_cast<double>(n_items)), 1};
    }
    return out;
}

auto make_matrix(std::vector<play> const& plays, std::size_t n_users, std::size_t n_items) {
    return rs::csr_from(plays.begin(), plays.end(), rs::columns().user(&play::user).item(&play::item).weight(&play::weight),
                        {.n_users = n_users, .n_items = n_items, .run = {.threads = 1}});
}

/// The bytes of the rows and of the matrix.
void build(benchmark::State& state, std::size_t n) {
    std::size_t const n_users = n / 100, n_items = n / 200;
    auto const plays = random_plays(n, n_users, n_items);
    processor_watch const watch;
    for (auto _ : state) benchmark::DoNotOptimize(make_matrix(plays, n_users, n_items).n_entries());
    report_bytes(state, watch, static_cast<double>(n) * 20);
    state.SetItemsProcessed(static_cast<std::int64_t>(n) * static_cast<std::int64_t>(state.iterations()));
}

/// The bytes of both matrices.
void transpose(benchmark::State& state, std::size_t n) {
    auto const matrix = make_matrix(random_plays(n, n / 100, n / 200), n / 100, n / 200);
    processor_watch const watch;
    for (auto _ : state) benchmark::DoNotOptimize(rs::transpose(matrix).n_entries());
    report_bytes(state, watch, static_cast<double>(matrix.n_entries()) * 16);
    state.SetItemsProcessed(static_cast<std::int64_t>(matrix.n_entries()) * static_cast<std::int64_t>(state.iterations()));
}

}

void bench::add_matrix_benchmarks() {
    for (std::size_t const n : {1000000u, 10000000u}) {
        auto const rows = std::to_string(n);
        benchmark::RegisterBenchmark(("csr_from/rows:" + rows).c_str(), [=](benchmark::State& s) {
            build(s, n);
        })->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark(("transpose/rows:" + rows).c_str(), [=](benchmark::State& s) {
            transpose(s, n);
        })->Unit(benchmark::kMillisecond);
    }
}
