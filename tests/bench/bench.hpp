// SPDX-License-Identifier: MIT
// What every benchmark uses: rates beside the machine's measured peaks, and random numbers to work on.
#ifndef RECSYS_TESTS_BENCH_HPP
#define RECSYS_TESTS_BENCH_HPP

#include <benchmark/benchmark.h>
#include <recsys_under_test.hpp>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <type_traits>

namespace bench {

namespace rs = recsys;
using level = rs::detail::simd_level;

/// Floating-point operations a second of one core in registers alone, a multiplication and an addition counted as two; measured once a run.
/// In double half of it.
double peak_flops(level at);
/// Bytes a second that one core reads from memory, one after the other; measured once a run.
double peak_read_bytes();

void add_als_benchmarks(level at);
void add_list_benchmarks(level at);
void add_matrix_benchmarks();

inline std::string name_at(level at, std::string const& name) { return name + '/' + std::string(rs::detail::level_name(at)); }

/// Processor time since it was made: other programs on the machine do not count.
class processor_watch {
public:
    double seconds() const { return static_cast<double>(std::clock() - m_start) / CLOCKS_PER_SEC; }

private:
    std::clock_t m_start = std::clock();
};

/// `of_peak` is a share; both are of the loop that ended just now.
template <class Scalar> void report_flops(benchmark::State& state, level at, processor_watch const& watch, double flops) {
    double const rate = flops * static_cast<double>(state.iterations()) / watch.seconds();
    state.counters["GFLOP/s"] = rate / 1e9;
    state.counters["of_peak"] = rate / (peak_flops(at) / (std::is_same_v<Scalar, double> ? 2 : 1));
}
inline void report_bytes(benchmark::State& state, processor_watch const& watch, double bytes) {
    double const rate = bytes * static_cast<double>(state.iterations()) / watch.seconds();
    state.counters["GB/s"] = rate / 1e9;
    state.counters["of_read"] = rate / peak_read_bytes();
}

/// Uniform in [-1, 1).
template <class Scalar> rs::detail::buffer<Scalar> random_numbers(std::size_t n, std::uint64_t seed) {
    rs::random_stream random(seed);
    rs::detail::buffer<Scalar> out(n);
    for (auto& x : out) x = static_cast<Scalar>(2 * random.uniform() - 1);
    return out;
}

}

#endif
