// SPDX-License-Identifier: MIT
// Kernels of retrieval beside what the machine can do: `of_peak` is the share of the arithmetic peak of that level, `of_read` that of a read of
// memory. Both peaks are measured in the same run and stand above the table. Rates count what the formulas need, not what the code executes.
#include "bench.hpp"

#include <string>

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    auto const giga = [](double rate) { return std::to_string(rate / 1e9); };
    benchmark::AddCustomContext("peak read, GB/s", giga(bench::peak_read_bytes()));
    bench::add_matrix_benchmarks();
    for (auto const at : {bench::level::portable, bench::level::avx2, bench::level::avx512}) {
        if (!recsys::detail::has_simd_level(at)) continue;
        benchmark::AddCustomContext(bench::name_at(at, "peak float, GFLOP/s"), giga(bench::peak_flops(at)));
        bench::add_als_benchmarks(at);
        bench::add_list_benchmarks(at);
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
