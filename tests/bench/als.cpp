// SPDX-License-Identifier: MIT
// The kernels of ALS, alone and together: in the fold-in of one user, and in a fit.
#include "bench.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace {

using namespace bench;
using rs::detail::buffer;
using rs::detail::kernels;

constexpr std::size_t panel_rows = 64;

double square(std::size_t n) { return static_cast<double>(n) * static_cast<double>(n); }
double cube(std::size_t n) { return square(n) * static_cast<double>(n); }

std::vector<std::uint32_t> random_ids(std::size_t n, std::size_t below) {
    rs::random_stream random(11);
    std::vector<std::uint32_t> out(n);
    for (auto& id : out) id = static_cast<std::uint32_t>(random.below(below));
    return out;
}

/// n f^2: a multiplication and an addition for each entry of the triangle.
template <class S> void symmetric_update(benchmark::State& state, level at, std::size_t f) {
    auto const kernel = kernels<S>(at);
    std::size_t const ld = kernel.padded(f);
    auto const panel = random_numbers<S>(panel_rows * ld, 1);
    buffer<S> a(ld * ld, S{0});
    processor_watch const watch;
    for (auto _ : state) {
        kernel.symmetric_update(a.data(), ld, panel.data(), panel_rows);
        benchmark::ClobberMemory();
    }
    report_flops<S>(state, at, watch, static_cast<double>(panel_rows) * square(f));
}

/// f^3 / 3; the copy that restores the matrix is counted in the time.
template <class S> void cholesky(benchmark::State& state, level at, std::size_t f) {
    auto const kernel = kernels<S>(at);
    std::size_t const ld = kernel.padded(f);
    auto const panel = random_numbers<S>(panel_rows * ld, 2);
    buffer<S> a(ld * ld, S{0}), u(ld * ld);
    kernel.symmetric_update(a.data(), ld, panel.data(), panel_rows);
    for (std::size_t i = 0; i < ld; ++i) a[i * ld + i] += S{1};
    processor_watch const watch;
    for (auto _ : state) {
        std::copy(a.begin(), a.end(), u.begin());
        if (!kernel.cholesky(u.data(), ld)) state.SkipWithError("not positive definite");
        benchmark::ClobberMemory();
    }
    report_flops<S>(state, at, watch, cube(f) / 3);
}

/// Bytes that are read from the table.
template <class S> void gather(benchmark::State& state, level at, std::size_t f, std::size_t rows) {
    auto const kernel = kernels<S>(at);
    std::size_t const ld = kernel.padded(f), n = 65536;
    auto const table = random_numbers<S>(rows * ld, 3), scale = random_numbers<S>(n, 4);
    auto const ids = random_ids(n, rows);
    buffer<S> panel(panel_rows * ld), b(ld, S{0});
    processor_watch const watch;
    for (auto _ : state) {
        for (std::size_t first = 0; first < n; first += panel_rows)
            kernel.gather(panel.data(), ld, table.data(), ids.data() + first, scale.data() + first, scale.data() + first, panel_rows,
                          b.data());
        benchmark::ClobberMemory();
    }
    report_bytes(state, watch, static_cast<double>(n * f * sizeof(S)));
}

/// Rows into the basis of their Gramian: a triangular product in double, f^2 each.
template <class S> void whiten(benchmark::State& state, level at, std::size_t f) {
    std::size_t const rows = 4096, ld = (f + 7) / 8 * 8;
    auto const table = random_numbers<S>(rows * f, 5);
    auto const matrix = random_numbers<double>(f * ld, 6);
    buffer<double> out(rows * ld);
    processor_watch const watch;
    for (auto _ : state) {
        kernels<S>(at).transform(matrix.data(), ld, f, true, table.data(), f, rows, out.data());
        benchmark::ClobberMemory();
    }
    report_flops<double>(state, at, watch, static_cast<double>(rows) * square(f));
}

/// What the exact solution of a row of n entries needs: the smaller of n f^2 + f^3 / 3 and its dual, f n^2 + n^3 / 3, and the products around it.
double exact_flops(std::size_t f, std::size_t n) {
    auto const width = static_cast<double>(f), length = static_cast<double>(n);
    double const primal = length * square(f) + cube(f) / 3 + 2 * square(f), dual = width * square(n) + cube(n) / 3 + 2 * square(n);
    return std::min(primal, dual + 2 * length * width) + 2 * length * width + square(f);
}
/// The same by conjugate gradients: a product with the rows and their transpose for each step and the first residual, and the right-hand side.
double cg_flops(std::size_t f, std::size_t n, std::size_t steps) {
    return (4 * static_cast<double>(steps + 1) + 2) * static_cast<double>(n) * static_cast<double>(f) + square(f);
}

/// One user with n of 50,000 items, from what he took to his factors, as `fold_in` gives them.
void fold_in(benchmark::State& state, level at, std::size_t f, std::size_t n) {
    constexpr std::size_t n_items = 50000, n_users = 64;
    rs::als_parts<float> parts;
    parts.n_factors = f, parts.n_users = 1, parts.n_items = n_items;
    auto const items = random_numbers<float>(n_items * f, 6);
    parts.user_factors = decltype(parts.user_factors)(std::vector<float>(f, 0.0f));
    parts.item_factors = decltype(parts.item_factors)(std::vector<float>(items.begin(), items.end()));
    rs::detail::force_simd_level(at);
    rs::als_model const model(std::move(parts));
    rs::random_stream random(12);
    std::vector<rs::history> users;
    while (users.size() < n_users) {
        std::vector<rs::history::entry> entries;
        auto const first = static_cast<std::size_t>(random.below(n_items)), step = 2 * static_cast<std::size_t>(random.below(1000)) + 1;
        for (std::size_t i = 0; i < n; ++i) entries.push_back({static_cast<rs::item_index>((first + i * step * 7) % n_items), 1});
        users.push_back(rs::history(std::move(entries)));
    }
    std::size_t next = 0;
    processor_watch const watch;
    for (auto _ : state) {
        benchmark::DoNotOptimize(model.fold_in(users[next]).factors.data());
        next = (next + 1) % n_users;
    }
    report_flops<float>(state, at, watch, exact_flops(f, n));
    rs::detail::force_simd_level({});
}

/// Two iterations on 8,000 users x 4,000 items with 40 items a user: all rows of both sides, Gramians and whitening in the time, not in the flops.
void fit(benchmark::State& state, level at, std::size_t f, rs::als_solver solver) {
    constexpr std::size_t n_users = 8000, n_items = 4000, of_user = 40, of_item = of_user * n_users / n_items, iterations = 2, steps = 3;
    std::vector<rs::matrix_entry<float>> entries;
    for (std::size_t u = 0; u < n_users; ++u)
        for (std::size_t i = 0; i < of_user; ++i)
            entries.push_back({static_cast<rs::user_index>(u), static_cast<rs::item_index>((u * 37 + i * (100 - u % 2)) % n_items), 1});
    auto const matrix = rs::csr_from(entries, {.n_users = n_users, .n_items = n_items});
    rs::als const trainer(
        {.factors = f, .regularization = 1, .iterations = iterations, .solver = solver, .cg_steps = steps, .run = {.threads = 1}});
    rs::detail::force_simd_level(at);
    processor_watch const watch;
    for (auto _ : state) benchmark::DoNotOptimize(trainer.fit(matrix).n_factors());
    bool const exact = solver == rs::als_solver::exact;
    double const user = exact ? exact_flops(f, of_user) : cg_flops(f, of_user, steps),
                 item = exact ? exact_flops(f, of_item) : cg_flops(f, of_item, steps);
    report_flops<float>(state, at, watch, iterations * (static_cast<double>(n_users) * user + static_cast<double>(n_items) * item));
    rs::detail::force_simd_level({});
}

}

void bench::add_als_benchmarks(level at) {
    using benchmark::RegisterBenchmark;
    for (std::size_t const f : {64u, 128u, 256u}) {
        auto const name = [&](std::string const& what) { return name_at(at, what + '/' + std::to_string(f)); };
        RegisterBenchmark(name("symmetric_update<float>").c_str(), [=](benchmark::State& s) { symmetric_update<float>(s, at, f); });
        RegisterBenchmark(name("symmetric_update<double>").c_str(), [=](benchmark::State& s) { symmetric_update<double>(s, at, f); });
        RegisterBenchmark(name("cholesky<float>").c_str(), [=](benchmark::State& s) { cholesky<float>(s, at, f); });
        RegisterBenchmark(name("whiten<float>").c_str(), [=](benchmark::State& s) { whiten<float>(s, at, f); });
        for (std::size_t const rows : {50000u, 500000u})
            RegisterBenchmark((name("gather<float>") + "/of:" + std::to_string(rows)).c_str(),
                              [=](benchmark::State& s) { gather<float>(s, at, f, rows); });
        for (std::size_t const n : {16u, 80u, 500u, 4000u})
            RegisterBenchmark((name("fold_in") + "/entries:" + std::to_string(n)).c_str(),
                              [=](benchmark::State& s) { fold_in(s, at, f, n); });
        for (auto const solver : {rs::als_solver::exact, rs::als_solver::cg})
            RegisterBenchmark(name(solver == rs::als_solver::exact ? "fit_exact" : "fit_cg").c_str(), [=](benchmark::State& s) {
                fit(s, at, f, solver);
            })->Unit(benchmark::kMillisecond);
    }
}
