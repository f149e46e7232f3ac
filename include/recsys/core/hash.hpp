// SPDX-License-Identifier: MIT
// Portable 64-bit hashes: for tables in memory, fingerprints of encoders and counter-based randomness.
#ifndef RECSYS_CORE_HASH_HPP
#define RECSYS_CORE_HASH_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <recsys/core/config.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// A bijection of 64 bits in which every input bit changes every output bit with probability near one half.
/// Source: Stafford's variant 13 of the MurmurHash3 finalizer, as in SplitMix64 (Steele, Lea, Flood 2014).
constexpr std::uint64_t mix_bits(std::uint64_t x) noexcept {
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9u;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/// Joins a value to a running hash; order matters.
constexpr std::uint64_t hash_join(std::uint64_t hash, std::uint64_t value) noexcept {
    return mix_bits(hash * 0x9E3779B97F4A7C15u + value + 0x632BE59BD9B4E019u);
}

/// Eight bytes at a time; the same on every platform (bytes are read as little-endian).
constexpr std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = 0) noexcept {
    std::uint64_t hash = hash_join(seed, bytes.size());
    std::size_t i = 0;
    auto const word = [&](std::size_t from, std::size_t n) {
        std::uint64_t w = 0;
        for (std::size_t b = 0; b < n; ++b) w |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[from + b])) << (8 * b);
        return w;
    };
    for (; i + 8 <= bytes.size(); i += 8) hash = hash_join(hash, word(i, 8));
    if (i < bytes.size()) hash = hash_join(hash, word(i, bytes.size() - i));
    return hash;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
