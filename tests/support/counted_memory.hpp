// SPDX-License-Identifier: MIT
// How many bytes operator new has given: for programs that are linked with counted_memory.cpp, which replaces it.
#ifndef RECSYS_TESTS_COUNTED_MEMORY_HPP
#define RECSYS_TESTS_COUNTED_MEMORY_HPP

#include <cstddef>

namespace support {

/// The bytes asked for and not given back yet.
std::size_t held_bytes() noexcept;
/// The most of them at a time since the last call of forget_peak.
std::size_t peak_bytes() noexcept;
void forget_peak() noexcept;

/// The most bytes that a call holds beyond those held before it.
template <class Function> std::size_t peak_of(Function const& f) {
    std::size_t const before = held_bytes();
    forget_peak();
    f();
    return peak_bytes() - before;
}

}

#endif
