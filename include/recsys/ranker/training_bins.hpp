// SPDX-License-Identifier: MIT
// The bins of all training rows: records are filled from them, and the leaves of finished trees are found by them.
#ifndef RECSYS_RANKER_TRAINING_BINS_HPP
#define RECSYS_RANKER_TRAINING_BINS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <recsys/core/simd/select_leaves.hpp>
#include <recsys/ranker/packed_rows.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/tree_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Bins of all training rows, kept once: as records are filled from.
///
/// A record has slots. Where statistics are of several targets, a tree asks those of one target alone, and each slot of statistics has a feature
/// for each target; else slots are features. There is a copy of these slots for each target and order of the rows: the permutations of the
/// structure, and one more that only leaves are found by.
struct training_bins {
    static constexpr std::uint32_t no_feature = 0xFFFFFFFFu;

    packed_rows packed;
    std::vector<std::uint32_t> unit_of; ///< what column sampling takes together, of each slot
    std::size_t n_units = 0, permutations = 1;
    std::vector<std::uint32_t> draw_of;                 ///< of each slot: those of one number draw the same noise
    std::vector<std::vector<std::uint32_t>> feature_of; ///< of each target and slot; no_feature where it would be a constant
    std::vector<std::uint32_t> slot_of, target_of;      ///< of each feature

    std::size_t copy_of(std::size_t target, std::size_t order) const noexcept { return target * (permutations + 1) + order; }
    packed_field const& field_of(std::size_t feature) const noexcept { return packed.layout().fields()[slot_of[feature]]; }
    /// The bytes with a feature's bins by a permutation of the structure, or by the order after them.
    packed_rows::strided<std::uint8_t const> column(std::size_t feature, std::size_t order) const noexcept {
        return packed.column(field_of(feature), copy_of(target_of[feature], order));
    }
};

/// Finds the leaves of training rows in a tree, by the statistics of one order.
class row_leaves {
public:
    row_leaves(training_bins const& bins, std::span<model_split const> splits, std::size_t order, bin_table const& kernels)
        : m_kernels(kernels) {
        std::fill_n(m_tests.bar, 16, std::uint8_t{1});
        for (std::size_t k = 0; k < splits.size(); ++k) {
            auto const& field = bins.field_of(splits[k].feature);
            auto const column = bins.column(splits[k].feature, order);
            unsigned const most = static_cast<unsigned>(field.mask) >> field.shift, threshold = splits[k].threshold;
            if (threshold >= most) m_columns.push_back({column, 0}); // no bin is above
            else {
                m_columns.push_back({column, field.mask});
                m_tests.mask[k] = field.mask, m_tests.bar[k] = static_cast<std::uint8_t>((threshold + 1) << field.shift);
            }
            auto const common = static_cast<std::uint8_t>(bins.packed.layout().common_bytes(field.block));
            std::uint8_t const place = field.byte < common ? field.byte : static_cast<std::uint8_t>(field.byte - common);
            window_at(column.first - place % 16, column.stride).place[k] = place % 16;
            // The kernels of tiles ask what is above, not what is at least.
            m_splits.push_back({static_cast<std::uint16_t>(k), static_cast<std::uint8_t>(m_tests.bar[k] - 1)});
        }
    }
    /// Of rows first .. last - 1.
    void find(std::size_t first, std::size_t last, std::uint16_t* out) const {
        std::uint16_t numbers[block_rows];
        if (m_kernels.byte_leaves) {
            std::size_t const n = last - first, whole = n / 4 * 4;
            m_kernels.byte_leaves(m_tests, first, whole, out);
            if (whole == n) return;
            m_kernels.byte_leaves(m_tests, first + whole, 4, numbers);
            std::copy_n(numbers, n - whole, out + whole);
            return;
        }
        std::uint8_t tile[16 * block_rows] = {}; // the bytes that the tree asks for
        for (std::size_t from = first; from < last; from += block_rows) {
            std::size_t const n = std::min(block_rows, last - from);
            for (std::size_t k = 0; k < m_columns.size(); ++k)
                for (std::size_t i = 0; i < n; ++i) tile[k * block_rows + i] = *m_columns[k].bytes.of(from + i) & m_columns[k].mask;
            leaf_numbers(m_kernels, m_splits, tile, block_rows, n, numbers);
            std::copy_n(numbers, n, out + (from - first));
        }
    }

private:
    struct tested_column {
        packed_rows::strided<std::uint8_t const> bytes;
        std::uint8_t mask;
    };
    byte_tests::window& window_at(std::uint8_t const* first, std::size_t stride) {
        auto* const end = m_tests.windows + m_tests.n_windows;
        auto* const at = std::find_if(m_tests.windows, end, [&](auto const& w) { return w.first == first; });
        if (at != end) return *at;
        at->first = first, at->stride = stride, ++m_tests.n_windows;
        std::fill_n(at->place, 16, byte_tests::elsewhere);
        return *at;
    }

    bin_table const& m_kernels;
    byte_tests m_tests;
    std::vector<tested_column> m_columns;
    std::vector<model_split> m_splits;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
