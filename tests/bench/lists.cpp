// SPDX-License-Identifier: MIT
// Lists for a block of users: every item scored as far as it must be, the best 100 kept.
#include "bench.hpp"

#include <cstddef>
#include <span>

namespace {

using namespace bench;

/// Flops are those of all pairs, 2 f each: where items are skipped, they are not all done. `cosine`: nothing can be skipped by length.
void top_100(benchmark::State& state, level at, std::size_t f, rs::similarity by) {
    std::size_t const n_users = 512, n_items = 50000;
    auto const users = random_numbers<float>(n_users * f, 7);
    auto items = random_numbers<float>(n_items * f, 8);
    rs::random_stream random(9);
    for (std::size_t i = 0; i < n_items; ++i) { // lengths as those of factors: a few long ones
        auto const length = static_cast<float>(1 / (0.02 + random.uniform()));
        for (std::size_t j = 0; j < f; ++j) items[i * f + j] *= length;
    }
    rs::embeddings const model(std::span<float const>(users.span()), std::span<float const>(items.span()), f, by);
    rs::index_range<rs::user_index> const all(n_users);
    rs::detail::force_simd_level(at);
    processor_watch const watch;
    for (auto _ : state) benchmark::DoNotOptimize(rs::recommend(model, all, rs::nothing_seen, {.k = 100, .run = {.threads = 1}}).n_slots());
    rs::detail::force_simd_level({});
    report_flops<float>(state, at, watch, 2.0 * static_cast<double>(n_users * n_items * f));
}

}

void bench::add_list_benchmarks(level at) {
    for (std::size_t const f : {64u, 128u}) {
        auto const name = [&](std::string const& what) { return name_at(at, what + '/' + std::to_string(f)); };
        for (auto const by : {rs::similarity::dot, rs::similarity::cosine})
            benchmark::RegisterBenchmark(name(by == rs::similarity::dot ? "top_100_dot" : "top_100_cosine").c_str(),
                                         [=](benchmark::State& s) { top_100(s, at, f, by); })
                ->Unit(benchmark::kMillisecond);
    }
}
