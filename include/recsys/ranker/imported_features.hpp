// SPDX-License-Identifier: MIT
// What the trees of models from elsewhere ask: each question is a feature of at most 256 bins and a threshold, as for our own trees.
#ifndef RECSYS_RANKER_IMPORTED_FEATURES_HPP
#define RECSYS_RANKER_IMPORTED_FEATURES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/hash.hpp>
#include <recsys/data/id_table.hpp>
#include <recsys/ranker/binning.hpp>
#include <recsys/ranker/row_block.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// As what a missing number is compared: below or above all borders or as 0; where 0 is missing too (all with zero_), both below or above. The
/// last two are no numbers, but 1 where one is missing, else 0.
enum class number_rule : std::uint8_t { low, high, zero, zero_low, zero_high, is_missing, is_zero };

inline float imported_number(float x, number_rule rule) noexcept {
    constexpr float almost_zero = 1e-35f; // LightGBM's zero
    bool const zero_too = rule == number_rule::zero_low || rule == number_rule::zero_high || rule == number_rule::is_zero;
    bool const missing = std::isnan(x) || (zero_too && std::abs(x) <= almost_zero);
    switch (rule) {
    case number_rule::low:
    case number_rule::zero_low: return missing ? -infinite : x;
    case number_rule::high:
    case number_rule::zero_high: return missing ? infinite : x;
    case number_rule::zero: return missing ? 0.f : x;
    default: return missing ? 1.f : 0.f;
    }
}

/// Something that rows have and trees ask about: "is it above the border?"
struct imported_source {
    enum class kind : std::uint8_t {
        number, ///< of a column
        equals, ///< 1 where a column's code is `value`
        member, ///< 0 where a column's code is in `members`, else 1
        cell    ///< what `of_cell` has for the row's cell of a key; the last is for rows of none
    };
    kind what = kind::number;
    std::uint32_t from = 0; ///< column, or key of `cell`
    number_rule rule = number_rule::low;
    std::int32_t value = 0;
    std::vector<std::uint8_t> members = {}; ///< a byte a code
    std::vector<float> of_cell = {};
    std::vector<float> borders = {};
};

/// Several columns hashed into one key: the codes of categories, then answers to yes/no questions. Its hashes lead to cells.
/// Source: CatBoost's feature combinations.
struct imported_key {
    struct condition {
        bool is_number = false;
        std::uint32_t column = 0;
        number_rule rule = number_rule::low;
        float border = 0;       ///< of a number: above it?
        std::int32_t value = 0; ///< of a category: is it?
    };
    std::vector<std::uint32_t> columns;
    std::vector<condition> conditions;
    std::vector<std::uint64_t> hashes; ///< of the cells

    std::uint64_t hash(row_block const& rows, std::size_t row) const noexcept {
        constexpr std::uint64_t factor = 0x4906BA494954CB65u;
        std::uint64_t out = 0;
        auto const join = [&](std::uint64_t value) { out = factor * (out + factor * value); };
        for (auto const c : columns) join(static_cast<std::uint64_t>(static_cast<std::int64_t>(rows.columns[c].codes[row])));
        for (auto const& c : conditions)
            join(c.is_number ? imported_number(rows.columns[c.column].numbers[row], c.rule) > c.border
                             : rows.columns[c.column].codes[row] == c.value);
        return out;
    }
    /// The cell of a hash; n_cells() where there is none.
    std::uint32_t find(std::uint64_t hash) const {
        auto const cell = m_cells.find(mix_bits(hash), [&](std::uint32_t c) { return hashes[c] == hash; });
        return cell == no_code ? n_cells() : cell;
    }
    std::uint32_t find_or_add(std::uint64_t hash) {
        auto const cell = find(hash);
        if (cell == n_cells()) hashes.push_back(hash), m_cells.insert(mix_bits(hash), cell);
        return cell;
    }
    std::uint32_t n_cells() const noexcept { return static_cast<std::uint32_t>(hashes.size()); }

private:
    code_slots m_cells;
};

/// A question of a tree before and after its features are numbered: above this border of a source, or above this bin of a feature.
struct imported_question {
    std::uint32_t source = 0;
    float border = 0;
};
struct bin_question {
    std::uint32_t feature = 0;
    std::uint8_t threshold = 0;
};

/// The features of an imported model and how rows give them. Immutable once `prepare` was called.
class imported_features {
public:
    std::vector<ranker_column> columns;
    std::vector<imported_key> keys;
    std::vector<imported_source> sources;

    /// Numbers the features: a source with more than 255 borders becomes several, each with a part of them.
    void prepare() {
        for (std::uint32_t s = 0; s < sources.size(); ++s) {
            auto& borders = sources[s].borders;
            std::sort(borders.begin(), borders.end());
            borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
            m_first.push_back(static_cast<std::uint32_t>(m_features.size()));
            for (std::size_t from = 0; from < borders.size(); from += max_borders)
                add(s, std::span<float const>(borders).subspan(from, std::min(max_borders, borders.size() - from)));
        }
    }
    std::size_t size() const noexcept { return m_features.size(); }

    bin_question question(imported_question const& q) const {
        auto const& borders = sources[q.source].borders;
        auto const at = static_cast<std::size_t>(std::lower_bound(borders.begin(), borders.end(), q.border) - borders.begin());
        return {static_cast<std::uint32_t>(m_first[q.source] + at / max_borders), static_cast<std::uint8_t>(at % max_borders)};
    }

    /// The bins of a block of rows, out[feature * block_rows + row].
    void bins(row_block const& rows, std::uint8_t* out, std::vector<std::uint32_t>& cells) const {
        cells.resize(keys.size() * block_rows);
        for (std::size_t k = 0; k < keys.size(); ++k)
            for (std::size_t r = 0; r < rows.n; ++r) cells[k * block_rows + r] = keys[k].find(keys[k].hash(rows, r));
        for (std::size_t i = 0; i < m_features.size(); ++i) bins_of(m_features[i], rows, cells.data(), out + i * block_rows);
    }

private:
    struct feature {
        std::uint32_t source = 0;
        border_table table;
        std::vector<std::uint8_t> of_cell;
    };
    void add(std::uint32_t s, std::span<float const> borders) {
        auto& f = m_features.emplace_back(feature{s, border_table(borders), {}});
        for (auto const value : sources[s].of_cell) f.of_cell.push_back(f.table.bin(value));
    }
    void bins_of(feature const& f, row_block const& rows, std::uint32_t const* cells, std::uint8_t* out) const {
        auto const& s = sources[f.source];
        auto const& column = rows.columns[s.what == imported_source::kind::cell ? 0 : s.from];
        switch (s.what) {
        case imported_source::kind::number:
            return f.table.bins_of([&, rule = s.rule](std::size_t r) { return imported_number(column.numbers[r], rule); }, rows.n, out);
        case imported_source::kind::equals:
            for (std::size_t r = 0; r < rows.n; ++r) out[r] = column.codes[r] == s.value;
            return;
        case imported_source::kind::member:
            for (std::size_t r = 0; r < rows.n; ++r) {
                auto const code = static_cast<std::uint32_t>(column.codes[r]); // what is below 0 is no member
                out[r] = code < s.members.size() ? 1 - s.members[code] : 1;
            }
            return;
        case imported_source::kind::cell:
            for (std::size_t r = 0; r < rows.n; ++r) out[r] = f.of_cell[cells[s.from * block_rows + r]];
            return;
        }
    }

    std::vector<feature> m_features;
    std::vector<std::uint32_t> m_first; ///< feature of each source
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
