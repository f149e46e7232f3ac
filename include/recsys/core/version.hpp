// SPDX-License-Identifier: MIT
// The version of the library, in one place: CMake and Meson read it from here.
#ifndef RECSYS_CORE_VERSION_HPP
#define RECSYS_CORE_VERSION_HPP

#define RECSYS_VERSION_MAJOR 0
#define RECSYS_VERSION_MINOR 1
#define RECSYS_VERSION_PATCH 0
/// One number to compare: major * 10000 + minor * 100 + patch.
#define RECSYS_VERSION 100

#endif
