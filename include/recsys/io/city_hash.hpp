// SPDX-License-Identifier: MIT
// CityHash64 of version 1.0: CatBoost knows categories by the low half of it.
#ifndef RECSYS_IO_CITY_HASH_HPP
#define RECSYS_IO_CITY_HASH_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Source: Pike, Alakuijala (2011), "CityHash", version 1.0; version 1.1 gives other numbers.
class city_hash {
public:
    static constexpr std::uint64_t of(std::string_view s) noexcept {
        if (s.size() <= 16) return up_to_16(s);
        if (s.size() <= 32) return up_to_32(s);
        return s.size() <= 64 ? up_to_64(s) : longer(s);
    }

private:
    using word = std::uint64_t;
    struct pair {
        word first, second;
    };
    static constexpr word k0 = 0xC3A5C85C97CB3127u, k1 = 0xB492B66FBE98F273u, k2 = 0x9AE16A3B2F90404Fu, k3 = 0xC949D7C7509E6557u;

    /// n bytes from a place, the first the lowest.
    static constexpr word at(std::string_view s, std::size_t from, std::size_t n = 8) noexcept {
        word w = 0;
        for (std::size_t i = n; i-- > 0;) w = w << 8 | static_cast<unsigned char>(s[from + i]);
        return w;
    }
    static constexpr word rotate(word x, unsigned by) noexcept { return x >> by | x << (64 - by); } // by 1 to 63
    static constexpr word fold(word x) noexcept { return x ^ x >> 47; }
    static constexpr word join(word low, word high) noexcept {
        constexpr word factor = 0x9DDFEA08EB382D69u;
        return fold((high ^ fold((low ^ high) * factor)) * factor) * factor;
    }

    static constexpr word up_to_16(std::string_view s) noexcept {
        auto const n = s.size();
        if (n > 8) return join(at(s, 0), rotate(at(s, n - 8) + n, static_cast<unsigned>(n))) ^ at(s, n - 8);
        if (n >= 4) return join(n + (at(s, 0, 4) << 3), at(s, n - 4, 4));
        if (n == 0) return k2;
        word const y = at(s, 0, 1) + (at(s, n / 2, 1) << 8), z = n + (at(s, n - 1, 1) << 2);
        return fold(y * k2 ^ z * k3) * k2;
    }
    static constexpr word up_to_32(std::string_view s) noexcept {
        auto const n = s.size();
        word const a = at(s, 0) * k1, b = at(s, 8), c = at(s, n - 8) * k2, d = at(s, n - 16) * k0;
        return join(rotate(a - b, 43) + rotate(c, 30) + d, a + rotate(b ^ k3, 20) - c + n);
    }
    /// One half of up_to_64: 32 bytes from a place, with the start value and the word that ends them.
    static constexpr pair half(std::string_view s, std::size_t from, word a, word z) noexcept {
        word const b = rotate(a + z, 52);
        word c = rotate(a, 37);
        a += at(s, from + 8), c += rotate(a, 7), a += at(s, from + 16);
        return {a + z, b + rotate(a, 31) + c};
    }
    static constexpr word up_to_64(std::string_view s) noexcept {
        auto const n = s.size();
        auto const v = half(s, 0, at(s, 0) + (n + at(s, n - 16)) * k0, at(s, 24));
        auto const w = half(s, n - 32, at(s, 16) + at(s, n - 32), at(s, n - 8));
        return fold(fold((v.first + w.second) * k2 + (w.first + v.second) * k0) * k0 + v.second) * k2;
    }
    static constexpr pair weak(std::string_view s, std::size_t from, word a, word b) noexcept {
        a += at(s, from), b = rotate(b + a + at(s, from + 24), 21);
        word const c = a;
        a += at(s, from + 8), a += at(s, from + 16), b += rotate(a, 44);
        return {a + at(s, from + 24), b + c};
    }
    static constexpr word longer(std::string_view s) noexcept {
        auto const n = s.size();
        word x = at(s, 0), y = at(s, n - 16) ^ k1, z = at(s, n - 56) ^ k0;
        pair v = weak(s, n - 64, n, y), w = weak(s, n - 32, n * k1, k0);
        z += fold(v.second) * k1, x = rotate(z + x, 39) * k1, y = rotate(y, 33) * k1;
        for (std::size_t i = 0; i < (n - 1) / 64 * 64; i += 64) {
            x = rotate(x + y + v.first + at(s, i + 16), 37) * k1, y = rotate(y + v.second + at(s, i + 48), 42) * k1;
            x ^= w.second, y ^= v.first, z = rotate(z ^ w.first, 33);
            v = weak(s, i, v.second * k1, x + w.first), w = weak(s, i + 32, z + w.second, y);
            std::swap(z, x);
        }
        return join(join(v.first, w.first) + fold(y) * k1 + z, join(v.second, w.second) + x);
    }
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
