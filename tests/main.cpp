// SPDX-License-Identifier: MIT
// Runs every test case that is linked in; doctest's own options select some of them.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
