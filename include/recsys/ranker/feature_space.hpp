// SPDX-License-Identifier: MIT
// What trees ask: small features of at most 256 bins, each made from a column or from statistics of categories.
#ifndef RECSYS_RANKER_FEATURE_SPACE_HPP
#define RECSYS_RANKER_FEATURE_SPACE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/binning.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/target_statistics.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

enum class feature_kind : std::uint8_t {
    number,    ///< bin of a number column
    has,       ///< whether a row has this category: bins 0 and 1
    statistic, ///< bin of a key's target statistic
    count      ///< bin of a key's number of rows
};

/// One feature. A tree's split asks whether its bin is above a threshold.
struct ranker_feature {
    feature_kind kind = feature_kind::number;
    std::uint32_t source = 0;   ///< the column, or the key of statistic and count
    std::int32_t category = 0;  ///< of `has`; may be missing_category. Of `statistic`: the target, where there are several
    float prior = 0;            ///< of `statistic`
    std::vector<float> borders; ///< of all but `has`

    std::size_t n_bins() const noexcept { return kind == feature_kind::has ? 2 : borders.size() + 1; }
};

/// A worker's memory while bins are made.
struct bin_scratch {
    block_scratch rows;
    std::vector<std::uint32_t> cells; ///< n_keys x block_rows
};

/// The features of a ranker and how rows give them. Immutable once `prepare` was called.
struct feature_space {
    std::vector<ranker_column> columns;
    std::vector<statistic_key> keys;
    std::vector<ranker_feature> features;
    missing_numbers missing = missing_numbers::lowest;

    /// Makes the tables that bins are read from.
    void prepare() {
        for (auto& key : keys)
            if (key.with == statistic_key::join::category) key.index_pairs();
        m_tables.clear(), m_cut_tables.clear(), m_cell_bins.assign(features.size(), {});
        for (auto const& key : keys) m_cut_tables.emplace_back(key.cuts);
        for (auto const& f : features) m_tables.emplace_back(f.borders);
        for (std::size_t i = 0; i < features.size(); ++i) {
            auto const& f = features[i];
            if ((f.kind != feature_kind::statistic && f.kind != feature_kind::count) || has_lists(keys[f.source])) continue;
            auto const& key = keys[f.source];
            auto& bins = m_cell_bins[i];
            for (std::uint32_t c = 0; c <= key.n_cells(); ++c) bins.push_back(m_tables[i].bin(cell_value(f, key, c)));
        }
    }
    bool has_lists(statistic_key const& key) const noexcept { return columns[key.column].kind == column_kind::categories; }

    /// What a feature sees of a cell; of one past the end: what it sees of an unknown category.
    static float cell_value(ranker_feature const& f, statistic_key const& key, std::uint32_t cell) noexcept {
        return f.kind == feature_kind::count
                   ? key.count(cell)
                   : target_statistic(key.sum(cell, static_cast<std::size_t>(f.category)), key.count(cell), f.prior);
    }
    /// The same for a row of several categories: the mean over them.
    static float list_value(ranker_feature const& f, statistic_key const& key, std::span<std::int32_t const> codes) noexcept {
        float value = 0;
        for (auto const code : codes) value += cell_value(f, key, statistic_key::cell_of(code));
        return codes.size() == 1 ? value : value / static_cast<float>(codes.size());
    }

    /// The bins of a feature of single categories: one a cell, the last for unknown ones.
    std::vector<std::uint8_t> const& cell_bins(std::size_t feature) const noexcept { return m_cell_bins[feature]; }

    /// The bins of a block of rows, `out[feature * block_rows + row]`. @throws data_error  for a missing number where that is forbidden.
    void bins(bin_table const& kernels, row_block const& rows, std::uint8_t* out, std::vector<std::uint32_t>& cells) const {
        if (missing == missing_numbers::forbidden) check_missing(rows);
        cells.resize(keys.size() * block_rows);
        for (std::size_t k = 0; k < keys.size(); ++k)
            if (!has_lists(keys[k])) key_cells(kernels, k, rows, cells.data() + k * block_rows);
        for (std::size_t i = 0; i < features.size(); ++i) feature_bins(kernels, i, rows, cells.data(), out + i * block_rows);
    }

    void check_missing(row_block const& rows) const {
        for (std::size_t c = 0; c < columns.size(); ++c)
            for (std::size_t r = 0; rows.columns[c].numbers && r < rows.n; ++r)
                if (std::isnan(rows.columns[c].numbers[r]))
                    throw_data("booster: column ", in_quotes(columns[c].name),
                               " has a missing number, which missing_numbers::forbidden does not allow");
    }

private:
    /// The cells of a block's rows, at most that of an unknown category.
    void key_cells(bin_table const& kernels, std::size_t k, row_block const& rows, std::uint32_t* out) const {
        auto const& key = keys[k];
        auto const unknown = static_cast<std::uint32_t>(key.n_cells());
        auto const* const codes = rows.columns[key.column].codes;
        if (key.with == statistic_key::join::category || key.cuts.size() > max_borders)
            for (std::size_t r = 0; r < rows.n; ++r) out[r] = std::min(key.cell(rows, r, missing), unknown);
        else if (key.with == statistic_key::join::none)
            for (std::size_t r = 0; r < rows.n; ++r) out[r] = std::min(statistic_key::cell_of(codes[r]), unknown);
        else {
            std::uint8_t cut[block_rows];
            m_cut_tables[k].bins(kernels, rows.columns[key.other].numbers, rows.n, missing, cut);
            std::uint64_t const step = key.cuts.size() + 1;
            for (std::size_t r = 0; r < rows.n; ++r)
                out[r] = static_cast<std::uint32_t>(std::min<std::uint64_t>(statistic_key::cell_of(codes[r]) * step + cut[r], unknown));
        }
    }
    void feature_bins(bin_table const& kernels, std::size_t i, row_block const& rows, std::uint32_t const* cells, std::uint8_t* out) const {
        auto const& f = features[i];
        if (f.kind == feature_kind::number) return m_tables[i].bins(kernels, rows.columns[f.source].numbers, rows.n, missing, out);
        if (f.kind == feature_kind::has) return has_bins(f, rows, out);
        auto const& key = keys[f.source];
        if (has_lists(key)) {
            for (std::size_t r = 0; r < rows.n; ++r) out[r] = m_tables[i].bin(list_value(f, key, rows.codes(key.column, r)));
            return;
        }
        auto const* const cell = cells + f.source * block_rows;
        auto const* const bins = m_cell_bins[i].data();
        for (std::size_t r = 0; r < rows.n; ++r) out[r] = bins[cell[r]];
    }
    void has_bins(ranker_feature const& f, row_block const& rows, std::uint8_t* out) const {
        bool const lists = columns[f.source].kind == column_kind::categories;
        for (std::size_t r = 0; r < rows.n; ++r) {
            if (lists) {
                auto const codes = rows.codes(f.source, r);
                out[r] = std::find(codes.begin(), codes.end(), f.category) != codes.end();
            } else out[r] = rows.columns[f.source].codes[r] == f.category;
        }
    }

    std::vector<border_table> m_tables, m_cut_tables;   ///< of features, and of keys joined with numbers
    std::vector<std::vector<std::uint8_t>> m_cell_bins; ///< of features of single categories: a bin a cell, the last for unknown ones
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
