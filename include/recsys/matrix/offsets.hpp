// SPDX-License-Identifier: MIT
// Row offsets of sparse matrices: 64-bit sums of counts, whatever the counts are.
#ifndef RECSYS_MATRIX_OFFSETS_HPP
#define RECSYS_MATRIX_OFFSETS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// {0, c0, c0 + c1, ...}: one more than there are counts. @throws data_error where the sum passes 63 bits.
template <class Count> buffer<std::int64_t> offsets_of_counts(std::span<Count const> counts) {
    buffer<std::int64_t> out(counts.size() + 1);
    std::uint64_t sum = 0;
    out[0] = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        auto const count = static_cast<std::uint64_t>(counts[i]);
        if (count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - sum)
            throw_data("csr: the counts up to row ", i, " add up to more than 63 bits");
        sum += count;
        out[i + 1] = static_cast<std::int64_t>(sum);
    }
    return out;
}

template <class Index>
void check_key(std::span<Index const> column, std::size_t row, std::size_t n, std::string_view where, std::string_view what) {
    if (to_size(column[row]) >= n) throw_data(where, ": row ", row, " has ", what, ' ', to_size(column[row]), ", there are ", n);
}

/// How often each index below n occurs in a column, as offsets. @throws data_error for an index that is not below n.
template <class Index>
buffer<std::int64_t> count_offsets(std::span<Index const> column, std::size_t n, std::string_view where, std::string_view what) {
    buffer<std::int64_t> out(n + 1, 0);
    for (std::size_t i = 0; i < column.size(); ++i) {
        check_key(column, i, n, where, what);
        ++out[to_size(column[i]) + 1];
    }
    for (std::size_t i = 0; i < n; ++i) out[i + 1] += out[i];
    return out;
}

/// Where the next entry of each row goes: a copy of the offsets without the last one.
inline buffer<std::int64_t> next_places(buffer<std::int64_t> const& offsets) {
    buffer<std::int64_t> out(offsets.size() - 1);
    std::copy_n(offsets.begin(), out.size(), out.begin());
    return out;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
