// SPDX-License-Identifier: MIT
// How much of the same a test repeats: all of it, and less under sanitizers, where code is some fifty times slower and a part of the rows,
// trees or draws goes through the same branches.
#ifndef RECSYS_TESTS_SIZED_HPP
#define RECSYS_TESTS_SIZED_HPP

#if defined(__SANITIZE_ADDRESS__)
#define RECSYS_TESTS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RECSYS_TESTS_SANITIZED 1
#endif
#endif

namespace recsys_test {

#if defined(RECSYS_TESTS_SANITIZED)
template <class Number> constexpr Number sized(Number, Number sanitized) { return sanitized; }
#else
template <class Number> constexpr Number sized(Number whole, Number) { return whole; }
#endif

}

#endif
