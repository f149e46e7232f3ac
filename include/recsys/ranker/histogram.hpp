// SPDX-License-Identifier: MIT
// Records of sampled rows and their histograms: integers, so that no order of rows or threads changes a sum.
#ifndef RECSYS_RANKER_HISTOGRAM_HPP
#define RECSYS_RANKER_HISTOGRAM_HPP

#include <recsys/core/push_macros.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <recsys/ranker/packed_rows.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// A sampled row: twelve bins, its weight and its weighted gradient in fixed point. One aligned load brings everything.
struct alignas(16) row_record {
    std::uint8_t bins[record_bytes];
    std::uint16_t weight;
    std::int16_t gradient;
};
static_assert(sizeof(row_record) == 16);

/// Two sums in one integer, one addition for both: gradients in the upper 32 bits, weights (never negative) in the lower ones.
using packed_sum = std::int64_t;
inline constexpr std::size_t bin_slots = 256;
inline constexpr std::size_t block_slots = record_bytes * bin_slots;

constexpr packed_sum pack_sum(std::int64_t gradient, std::int64_t weight) noexcept { return gradient * (std::int64_t{1} << 32) + weight; }
constexpr std::int32_t gradient_of(packed_sum s) noexcept { return static_cast<std::int32_t>(s >> 32); }
constexpr std::int32_t weight_of(packed_sum s) noexcept { return static_cast<std::int32_t>(s & 0x7FFFFFFF); }
/// What both sums of a tree stay within, rounding included.
inline constexpr double sum_limit = 2147483647.0;

/// Adds the records to the histograms of their first `Bytes` bytes.
template <std::size_t Bytes> void add_records(row_record const* records, std::size_t n, packed_sum* histogram) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
        auto const& r = records[i];
        packed_sum const value = pack_sum(r.gradient, r.weight);
        [&]<std::size_t... Byte>(std::index_sequence<Byte...>) { ((histogram[Byte * bin_slots + r.bins[Byte]] += value), ...); }
        (std::make_index_sequence<Bytes>());
    }
}

using record_adder = void (*)(row_record const*, std::size_t, packed_sum*) noexcept;
/// The adder for records of which so many bytes are used, 1 .. record_bytes.
inline record_adder adder_for(std::size_t used_bytes) noexcept {
    static constexpr auto adders = []<std::size_t... Bytes>(std::index_sequence<Bytes...>) {
        return std::array<record_adder, sizeof...(Bytes)>{&add_records<Bytes + 1>...};
    }
    (std::make_index_sequence<record_bytes>());
    return adders[used_bytes - 1];
}

/// The sums of a field's bins: those of its byte where it has all of it, else added up over the other fields of the byte.
inline packed_sum const* field_sums(packed_sum const* byte_sums, packed_field const& f, packed_sum* scratch) noexcept {
    if (f.mask == 0xFF) return byte_sums;
    for (std::size_t b = 0; b < f.n_bins; ++b) scratch[b] = 0;
    for (std::size_t byte = 0; byte < bin_slots; ++byte) scratch[f.bin(static_cast<std::uint8_t>(byte))] += byte_sums[byte];
    return scratch;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
