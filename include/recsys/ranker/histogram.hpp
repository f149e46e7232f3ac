// SPDX-License-Identifier: MIT
// Records of sampled rows and their histograms: integers, so that no order of rows or threads changes a sum.
#ifndef RECSYS_RANKER_HISTOGRAM_HPP
#define RECSYS_RANKER_HISTOGRAM_HPP

#include <recsys/core/push_macros.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <recsys/ranker/packed_rows.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Two sums in one integer, one addition for both: gradients in the upper 32 bits, weights (never negative) in the lower ones.
using packed_sum = std::int64_t;
inline constexpr std::size_t bin_slots = 256;

constexpr packed_sum pack_sum(std::int64_t gradient, std::int64_t weight) noexcept { return gradient * (std::int64_t{1} << 32) + weight; }
constexpr std::int32_t gradient_of(packed_sum s) noexcept { return static_cast<std::int32_t>(s >> 32); }
constexpr std::int32_t weight_of(packed_sum s) noexcept { return static_cast<std::int32_t>(s & 0x7FFFFFFF); }
/// What both sums of a tree stay within, rounding included.
inline constexpr double sum_limit = 2147483647.0;

/// Adds n records to the histograms of their first `Bytes` bytes. A record is bins, filled up to whole words of 64 bits, the last four bytes of
/// which are the row's weight and, in the upper half, its weighted gradient, in fixed point.
template <std::size_t Bytes> void add_records(std::uint8_t const* record, std::size_t n, packed_sum* histogram) noexcept {
    constexpr std::size_t size = record_size(Bytes);
    for (std::size_t i = 0; i < n; ++i, record += size) {
        std::int32_t part;
        std::memcpy(&part, record + size - sizeof part, sizeof part);
        packed_sum const value = pack_sum(part >> 16, part & 0xFFFF);
        [&]<std::size_t... Byte>(std::index_sequence<Byte...>) { ((histogram[Byte * bin_slots + record[Byte]] += value), ...); }
        (std::make_index_sequence<Bytes>());
    }
}

using record_adder = void (*)(std::uint8_t const*, std::size_t, packed_sum*) noexcept;
/// The adder for records of which so many bytes are used, 1 .. most_record_bins.
inline record_adder adder_for(std::size_t used_bytes) noexcept {
    static constexpr auto adders = []<std::size_t... Bytes>(std::index_sequence<Bytes...>) {
        return std::array<record_adder, sizeof...(Bytes)>{&add_records<Bytes + 1>...};
    }
    (std::make_index_sequence<most_record_bins>());
    return adders[used_bytes - 1];
}

/// A test of a record by one of its bytes: -1 for those above, else 0.
struct bin_test {
    std::size_t byte;
    std::int64_t mask, above;
    std::int64_t operator()(std::uint8_t const* record, std::size_t = 0) const noexcept { return (above - (record[byte] & mask)) >> 63; }
};
/// A test that was made before.
struct known_side {
    std::int8_t const* sides;
    std::int64_t operator()(std::uint8_t const*, std::size_t i) const noexcept { return sides[i]; }
};

/// n records to the left or to the right side: left ones from `left` on, right ones backwards from before `right`, each side in an order that
/// follows from the tests alone. In plain arithmetic: a branch would be guessed wrong for every other row. Gives the end of the left side.
template <std::size_t Size, class Test> std::uint8_t* move_records(std::uint8_t const* from, std::size_t n, std::uint8_t* left,
                                                                   std::uint8_t* right, Test const goes_right) noexcept {
    auto gap = right - left; // whichever side grows, it shrinks
    for (std::size_t i = 0; i < n; ++i, from += Size) {
        std::int64_t const side = goes_right(from, i);
        gap -= static_cast<std::ptrdiff_t>(Size);
        std::memcpy(left + (gap & side), from, Size);
        left += static_cast<std::int64_t>(Size) & ~side;
    }
    return left;
}

/// The sums of a field's bins: those of its byte where it has all of it, else added up over the other fields of the byte. What is beyond the
/// field's bins is 0.
inline packed_sum const* field_sums(packed_sum const* byte_sums, packed_field const& f, packed_sum* scratch) noexcept {
    if (f.mask == 0xFF) return byte_sums;
    std::size_t const n = (f.mask >> f.shift) + std::size_t{1}, low = std::size_t{1} << f.shift, high = bin_slots / (n * low);
    for (std::size_t b = 0; b < 16; ++b) scratch[b] = 0;
    for (std::size_t h = 0; h < high; ++h)
        for (std::size_t b = 0; b < n; ++b) {
            auto const* const at = byte_sums + (h * n + b) * low;
            packed_sum sum = 0;
            for (std::size_t l = 0; l < low; ++l) sum += at[l];
            scratch[b] += sum;
        }
    return scratch;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
