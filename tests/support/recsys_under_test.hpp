// SPDX-License-Identifier: MIT
// The form of the library that a test runs against: the single header, or with RECSYS_TEST_PARTS the parts that it is made of.
#ifndef RECSYS_TESTS_RECSYS_UNDER_TEST_HPP
#define RECSYS_TESTS_RECSYS_UNDER_TEST_HPP

#if defined(RECSYS_TEST_PARTS) && defined(RECSYS_TEST_SINGLE)
#error "tests: define RECSYS_TEST_SINGLE or RECSYS_TEST_PARTS, not both"
#elif defined(RECSYS_TEST_PARTS)
#include <recsys/all.hpp>
#else
#include <recsys.hpp>
#endif

#endif
