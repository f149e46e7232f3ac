// SPDX-License-Identifier: MIT
// Holds a measured program of ours at an instruction set.
#ifndef RECSYS_TESTS_PEERS_LEVEL_HPP
#define RECSYS_TESTS_PEERS_LEVEL_HPP

#include <recsys_under_test.hpp>

#include <stdexcept>

#include "peers/common/measured.hpp"

namespace compare {

/// level=avx2: no wider instructions in ours than these. Nothing given: the widest of the machine.
inline void hold_level(arguments const& a) {
    if (!a.has("level")) return;
    if (a.text("level") != "avx2") throw std::runtime_error("level= expects avx2, got " + a.text("level"));
    recsys::detail::force_simd_level(recsys::detail::simd_level::avx2);
}

}

#endif
