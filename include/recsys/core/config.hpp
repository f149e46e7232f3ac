// SPDX-License-Identifier: MIT
// What must hold of the compiler and its flags before anything else is read.
//
// Macros that a user may define before the include, the same in every file of a program:
//   RECSYS_THROW(exception)   what to do instead of `throw exception`; must not return
//   RECSYS_ASSERT(condition)  checks of broken invariants; nothing by default, whatever NDEBUG says
//   RECSYS_NO_THREADS         no threads at all: every loop runs in the calling thread
#ifndef RECSYS_CORE_CONFIG_HPP
#define RECSYS_CORE_CONFIG_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>

#include <recsys/core/version.hpp>

#if defined(_MSVC_LANG) ? _MSVC_LANG < 202002L : __cplusplus < 202002L
#error "recsys: a C++20 compiler is needed (g++ 12, clang 14, MSVC 2022 or later): compile with -std=c++20"
#endif
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "recsys: -ffast-math and -ffinite-math-only remove the tests for NaN on which missing values rest: compile without them"
#endif

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

static_assert(RECSYS_VERSION == RECSYS_VERSION_MAJOR * 10000 + RECSYS_VERSION_MINOR * 100 + RECSYS_VERSION_PATCH);
static_assert(sizeof(std::size_t) >= 4, "recsys: at least 32-bit sizes are needed");

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
