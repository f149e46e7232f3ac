// SPDX-License-Identifier: MIT
// The kernels of ALS, alone and together in a row.
#include "bench.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
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

/// Rows into the basis of their Gramian, f^2 each, in double.
template <class S> void whiten(benchmark::State& state, level at, std::size_t f) {
    std::size_t const rows = 4096, ld = kernels<S>(at).padded(f);
    auto const table = random_numbers<S>(rows * f, 5);
    rs::detail::team one(1);
    auto const gramian = rs::detail::gramian(table.span(), f, one, kernels<double>(at));
    auto const basis = rs::detail::basis_of<S>(gramian.span(), f, 0.1, "item", at);
    buffer<S> z(rows * ld);
    processor_watch const watch;
    for (auto _ : state) {
        basis.whiten(table.data(), f, rows, z.data(), ld, kernels<S>(at));
        benchmark::ClobberMemory();
    }
    report_flops<double>(state, at, watch, static_cast<double>(rows) * square(f));
}

/// What the exact solution of a row of n entries needs: the smaller of n f^2 + f^3 / 3 and its dual, f n^2 + n^3 / 3, and the products around it.
double exact_flops(std::size_t f, std::size_t n) {
    auto const width = static_cast<double>(f), length = static_cast<double>(n);
    double const primal = length * square(f) + cube(f) / 3 + 2 * square(f), dual = width * square(n) + cube(n) / 3 + 2 * square(n);
    return std::min(primal, dual + 2 * length * width) + 2 * length * width;
}
/// A product with the panel and its transpose for each step and the first residual, and the right-hand side.
double cg_flops(std::size_t f, std::size_t n, std::size_t steps) {
    return (4 * static_cast<double>(steps + 1) + 2) * static_cast<double>(n) * static_cast<double>(f);
}

/// A user with so many items, from his entries to his factors in the basis.
void row(benchmark::State& state, level at, std::size_t f, std::size_t n, bool exact) {
    constexpr std::size_t n_items = 50000, n_rows = 64, steps = 3;
    auto const kernel = kernels<float>(at);
    rs::detail::als_row_solver<float> solver(kernel, f, !exact);
    std::size_t const ld = solver.row_length();
    auto const z = random_numbers<float>(n_items * ld, 6);
    auto const ids = random_ids(n_rows * n, n_items);
    std::vector<float> const weights(n, 1);
    buffer<float> w(ld, 0.0f);
    std::size_t next = 0;
    processor_watch const watch;
    for (auto _ : state) {
        solver.entries().read(std::span<std::uint32_t const>(ids).subspan(next * n, n), std::span<float const>(weights), 2.0);
        benchmark::DoNotOptimize(exact ? solver.solve(z.data(), w.data()) : solver.solve_cg(z.data(), steps, w.data()));
        next = (next + 1) % n_rows;
    }
    report_flops<float>(state, at, watch, exact ? exact_flops(f, n) : cg_flops(f, n, steps));
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
            for (bool const exact : {true, false}) {
                if (!exact && (n < 80 || n > 500)) continue; // then it is solved exactly
                RegisterBenchmark((name(exact ? "row_exact" : "row_cg") + "/entries:" + std::to_string(n)).c_str(),
                                  [=](benchmark::State& s) { row(s, at, f, n, exact); });
            }
    }
}
