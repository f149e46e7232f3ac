// SPDX-License-Identifier: MIT
// Random numbers that are the same on every platform and library, for any number of threads.
#ifndef RECSYS_CORE_RANDOM_HPP
#define RECSYS_CORE_RANDOM_HPP

#include <recsys/core/push_macros.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <recsys/core/math.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// Philox 4x32 with ten rounds: a counter of 128 bits and a key of 64 give 128 random bits.
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011), section 3.3.
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) noexcept {
    for (int round = 0; round < 10; ++round) {
        std::uint64_t const a = std::uint64_t{0xD2511F53u} * counter[0], b = std::uint64_t{0xCD9E8D57u} * counter[2];
        counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
                   static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
        key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
    }
    return counter;
}

}

/// A stream of random numbers that depends on (seed, stream) alone. Cheap to make: give each row, user or tree a stream of its own.
///
/// Not the numbers of any standard distribution: those differ between libraries, these do not (for one set of rounding rules).
class random_stream {
public:
    explicit constexpr random_stream(std::uint64_t seed, std::uint64_t stream = 0) noexcept : m_seed(seed), m_stream(stream) {}

    /// 64 uniform bits.
    constexpr std::uint64_t bits() noexcept {
        if (m_left == 0) refill();
        return m_block[--m_left];
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    constexpr double uniform() noexcept { return static_cast<double>(bits() >> 11) * 0x1p-53; }

    /// Uniform in 0 .. n - 1 without bias; n > 0. Source: Lemire (2019), with the 128-bit product in halves.
    constexpr std::uint64_t below(std::uint64_t n) noexcept {
        std::uint64_t const threshold = (0 - n) % n;
        for (;;) {
            auto const [high, low] = product(bits(), n);
            if (low >= threshold) return high;
        }
    }

    /// Standard normal. Source: Marsaglia's polar method (1964).
    double normal() noexcept {
        if (m_has_spare) return m_has_spare = false, m_spare;
        for (;;) {
            double const u = 2 * uniform() - 1, v = 2 * uniform() - 1, s = u * u + v * v;
            if (s >= 1 || s == 0) continue;
            double const scale = std::sqrt(-2 * detail::portable_log(s) / s);
            m_spare = v * scale, m_has_spare = true;
            return u * scale;
        }
    }

    /// Exponential with mean 1.
    double exponential() noexcept { return -detail::portable_log(1 - uniform()); }

    /// Gamma with mean `shape`; shape > 0. Source: Marsaglia & Tsang (2000).
    double gamma(double shape) noexcept {
        if (shape < 1) {
            double const boost = detail::portable_log(1 - uniform()) / shape;
            return gamma(shape + 1) * (boost < -700 ? 0 : detail::portable_exp(boost));
        }
        double const d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
        for (;;) {
            double const x = normal(), t = 1 + c * x;
            if (t <= 0) continue;
            double const v = t * t * t;
            if (detail::portable_log(1 - uniform()) < 0.5 * x * x + d - d * v + d * detail::portable_log(v)) return d * v;
        }
    }

    /// Fisher-Yates over a random-access range.
    template <class Range> void shuffle(Range& values) noexcept {
        for (std::size_t i = std::size(values); i > 1; --i) std::swap(values[i - 1], values[static_cast<std::size_t>(below(i))]);
    }

private:
    constexpr void refill() noexcept {
        auto const r = detail::philox({static_cast<std::uint32_t>(m_counter), static_cast<std::uint32_t>(m_counter >> 32),
                                       static_cast<std::uint32_t>(m_stream), static_cast<std::uint32_t>(m_stream >> 32)},
                                      {static_cast<std::uint32_t>(m_seed), static_cast<std::uint32_t>(m_seed >> 32)});
        ++m_counter;
        m_block = {r[2] | (std::uint64_t{r[3]} << 32), r[0] | (std::uint64_t{r[1]} << 32)};
        m_left = 2;
    }
    static constexpr std::pair<std::uint64_t, std::uint64_t> product(std::uint64_t a, std::uint64_t b) noexcept {
        std::uint64_t const a0 = a & 0xFFFFFFFFu, a1 = a >> 32, b0 = b & 0xFFFFFFFFu, b1 = b >> 32;
        std::uint64_t const p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
        std::uint64_t const middle = (p00 >> 32) + (p01 & 0xFFFFFFFFu) + (p10 & 0xFFFFFFFFu);
        return {p11 + (p01 >> 32) + (p10 >> 32) + (middle >> 32), (middle << 32) | (p00 & 0xFFFFFFFFu)};
    }

    std::uint64_t m_seed, m_stream, m_counter = 0;
    std::array<std::uint64_t, 2> m_block{};
    std::size_t m_left = 0;
    double m_spare = 0;
    bool m_has_spare = false;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
