// SPDX-License-Identifier: MIT
// What one core can do at best: twelve independent chains of multiply-and-add in registers, for each level, and a read of memory from end to end.
#include "bench.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <vector>

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

using bench::level;

constexpr std::size_t chains = 12, steps = 4'000'000;

/// The best of many short rounds: a neighbour on the same core halves a rate for a while.
template <class Call> double best_seconds(int rounds, Call const& call) {
    double best = 1e9;
    for (int round = 0; round < rounds; ++round) {
        bench::processor_watch const watch;
        call();
        best = std::min(best, watch.seconds());
    }
    return best;
}

// The numbers tend to 1: no overflow and no denormal ones on the way.

std::size_t portable_chains() {
#if defined(__GNUC__)
    typedef float pack __attribute__((vector_size(16)));
    pack const a = {0.5f, 0.5f, 0.5f, 0.5f};
    pack x0 = a, x1 = a, x2 = a, x3 = a, x4 = a, x5 = a, x6 = a, x7 = a, x8 = a, x9 = a, xa = a, xb = a;
    for (std::size_t i = 0; i < steps; ++i) {
        x0 = x0 * a + a, x1 = x1 * a + a, x2 = x2 * a + a, x3 = x3 * a + a, x4 = x4 * a + a, x5 = x5 * a + a;
        x6 = x6 * a + a, x7 = x7 * a + a, x8 = x8 * a + a, x9 = x9 * a + a, xa = xa * a + a, xb = xb * a + a;
        // A chain must not be found to be another's copy.
        asm volatile(""
                     : "+x"(x0), "+x"(x1), "+x"(x2), "+x"(x3), "+x"(x4), "+x"(x5), "+x"(x6), "+x"(x7), "+x"(x8), "+x"(x9), "+x"(xa),
                       "+x"(xb));
    }
    return 4;
#else
    std::array<float, 4 * chains> x{};
    for (std::size_t i = 0; i < steps; ++i)
        for (auto& one : x) one = one * 0.5f + 0.5f;
    benchmark::DoNotOptimize(x);
    return 4;
#endif
}

#if defined(__GNUC__) && defined(__x86_64__)
__attribute__((target("avx2,fma"))) std::size_t avx2_chains() {
    __m256 const a = _mm256_set1_ps(0.5f);
    __m256 x0 = a, x1 = a, x2 = a, x3 = a, x4 = a, x5 = a, x6 = a, x7 = a, x8 = a, x9 = a, xa = a, xb = a;
    for (std::size_t i = 0; i < steps; ++i) {
        x0 = _mm256_fmadd_ps(x0, a, a), x1 = _mm256_fmadd_ps(x1, a, a), x2 = _mm256_fmadd_ps(x2, a, a), x3 = _mm256_fmadd_ps(x3, a, a);
        x4 = _mm256_fmadd_ps(x4, a, a), x5 = _mm256_fmadd_ps(x5, a, a), x6 = _mm256_fmadd_ps(x6, a, a), x7 = _mm256_fmadd_ps(x7, a, a);
        x8 = _mm256_fmadd_ps(x8, a, a), x9 = _mm256_fmadd_ps(x9, a, a), xa = _mm256_fmadd_ps(xa, a, a), xb = _mm256_fmadd_ps(xb, a, a);
        asm volatile(""
                     : "+x"(x0), "+x"(x1), "+x"(x2), "+x"(x3), "+x"(x4), "+x"(x5), "+x"(x6), "+x"(x7), "+x"(x8), "+x"(x9), "+x"(xa),
                       "+x"(xb));
    }
    return 8;
}

__attribute__((target("avx512f"))) std::size_t avx512_chains() {
    __m512 const a = _mm512_set1_ps(0.5f);
    __m512 x0 = a, x1 = a, x2 = a, x3 = a, x4 = a, x5 = a, x6 = a, x7 = a, x8 = a, x9 = a, xa = a, xb = a;
    for (std::size_t i = 0; i < steps; ++i) {
        x0 = _mm512_fmadd_ps(x0, a, a), x1 = _mm512_fmadd_ps(x1, a, a), x2 = _mm512_fmadd_ps(x2, a, a), x3 = _mm512_fmadd_ps(x3, a, a);
        x4 = _mm512_fmadd_ps(x4, a, a), x5 = _mm512_fmadd_ps(x5, a, a), x6 = _mm512_fmadd_ps(x6, a, a), x7 = _mm512_fmadd_ps(x7, a, a);
        x8 = _mm512_fmadd_ps(x8, a, a), x9 = _mm512_fmadd_ps(x9, a, a), xa = _mm512_fmadd_ps(xa, a, a), xb = _mm512_fmadd_ps(xb, a, a);
        asm volatile(""
                     : "+v"(x0), "+v"(x1), "+v"(x2), "+v"(x3), "+v"(x4), "+v"(x5), "+v"(x6), "+v"(x7), "+v"(x8), "+v"(x9), "+v"(xa),
                       "+v"(xb));
    }
    return 16;
}
#endif

double measure_flops(level at) {
    std::size_t width = 0;
    auto const seconds = best_seconds(60, [&] {
#if defined(__GNUC__) && defined(__x86_64__)
        if (at == level::avx512) width = avx512_chains();
        else if (at == level::avx2) width = avx2_chains();
        else
#endif
            width = portable_chains();
    });
    (void)at;
    return static_cast<double>(2 * chains * steps * width) / seconds;
}

/// Of 256 MB, eight accumulators of 16 bytes: memory is slower than they are.
double measure_read() {
    std::vector<double> const from(std::size_t{1} << 25, 1.0);
    auto const seconds = best_seconds(10, [&] {
        std::array<double, 16> sum{};
        for (std::size_t i = 0; i < from.size(); i += sum.size())
            for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += from[i + j];
        benchmark::DoNotOptimize(sum);
    });
    return static_cast<double>(from.size() * sizeof(double)) / seconds;
}

}

double bench::peak_flops(level at) {
    static std::map<level, double> measured;
    auto const [found, is_new] = measured.try_emplace(at, 0);
    if (is_new) found->second = measure_flops(at);
    return found->second;
}

double bench::peak_read_bytes() {
    static double const measured = measure_read();
    return measured;
}
