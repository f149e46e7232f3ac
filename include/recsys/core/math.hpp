// SPDX-License-Identifier: MIT
// Scalar mathematics that must give the same bits on every standard library.
#ifndef RECSYS_CORE_MATH_HPP
#define RECSYS_CORE_MATH_HPP

#include <recsys/core/push_macros.hpp>

#include <cmath>
#include <cstdint>

#include <recsys/core/buffer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

inline constexpr double pi = 3.14159265358979323846;

/// Natural logarithm of a positive, normal, finite number; error below 1e-15 of the result's size or absolute near 1.
/// libm's differ in the last bit from system to system, random draws must not.
/// Source: log m = 2 artanh((m - 1) / (m + 1)) with m in [sqrt(1/2), sqrt 2), thirteen terms.
inline double portable_log(double x) noexcept {
    auto bits = bit_cast<std::uint64_t>(x);
    auto exponent = static_cast<int>(bits >> 52) - 1023;
    bits = (bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u;
    auto m = bit_cast<double>(bits);
    if (m > 1.41421356237309504880) m *= 0.5, ++exponent;
    double const z = (m - 1) / (m + 1), z2 = z * z;
    double sum = 0;
    for (int k = 25; k >= 1; k -= 2) sum = sum * z2 + 1.0 / k;
    return 2 * z * sum + exponent * 0.69314718055994530942;
}

/// e^x for |x| <= 700. Source: x = n log 2 + r, thirteen terms of the series at r.
inline double portable_exp(double x) noexcept {
    double const n = std::floor(x * 1.44269504088896340736 + 0.5);
    double const r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
    double sum = 1;
    for (int k = 13; k >= 1; --k) sum = 1 + sum * r / k;
    return sum * bit_cast<double>(static_cast<std::uint64_t>(static_cast<std::int64_t>(n) + 1023) << 52);
}

/// 1 / (1 + e^-t) without overflow.
inline double sigmoid(double t) noexcept {
    if (t >= 0) return 1 / (1 + std::exp(-t));
    double const e = std::exp(t);
    return e / (1 + e);
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
