// SPDX-License-Identifier: MIT
// Rows as a ranker reads them: columns matched by name and type, categories by its own codes, a block at a time.
#ifndef RECSYS_RANKER_ROW_BLOCK_HPP
#define RECSYS_RANKER_ROW_BLOCK_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/data/frame.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// A category that the ranker has never seen; missing ones are missing_category.
inline constexpr std::int32_t unknown_category = -2;

/// A column that a ranker was trained on. `categories` is null for numbers; codes are places in it.
struct ranker_column {
    std::string name;
    column_kind kind = column_kind::number;
    std::shared_ptr<category_dictionary const> categories;
    /// Of models from elsewhere that make codes of the text itself; null: by `categories`. Without those, text and integers are alike.
    std::int32_t (*code_of)(std::string_view) = nullptr;
    std::int32_t missing = missing_category; ///< the code of a missing category

    key_kind keys() const noexcept { return categories ? categories->keys() : key_kind::none; }
    std::int32_t code(std::string_view key) const { return code_of ? code_of(key) : categories->find(key).value_or(unknown_category); }
};

inline char const* kind_word(column_kind kind, key_kind keys) noexcept {
    if (kind == column_kind::number) return "number";
    if (keys == key_kind::none) return "category";
    bool const text = keys == key_kind::text;
    if (kind == column_kind::category) return text ? "category (text)" : "category (integer)";
    return text ? "categories (text)" : "categories (integer)";
}

/// @throws data_error  where a column found by name is of another type.
inline void check_same_kind(ranker_column const& wanted, column_kind kind, key_kind keys) {
    if (wanted.kind != kind || (wanted.keys() != keys && !(wanted.code_of && !wanted.categories)))
        throw_data("booster: column ", in_quotes(wanted.name), " is ", kind_word(kind, keys), ", the model was trained on ",
                   kind_word(wanted.kind, wanted.keys()));
}

/// How many rows are evaluated together.
inline constexpr std::size_t block_rows = 128;

/// At most block_rows rows, a column after the other; what a column's kind does not need is null.
struct row_block {
    struct column {
        float const* numbers = nullptr;
        std::int32_t const* codes = nullptr; ///< one a row; for `categories` at least one, codes[ends[r - 1]] .. codes[ends[r]]
        std::uint32_t const* ends = nullptr;
    };
    std::size_t n = 0;
    std::vector<column> columns;

    /// The codes of a row of a column of several categories.
    std::span<std::int32_t const> codes(std::size_t c, std::size_t row) const noexcept {
        auto const& of = columns[c];
        auto const first = row == 0 ? 0 : of.ends[row - 1];
        return {of.codes + first, of.ends[row] - first};
    }
};

/// Memory for the codes of a block.
struct block_codes {
    std::vector<std::int32_t> codes;
    std::vector<std::uint32_t> ends;

    /// Ends a row of several categories: each counts once, and all that are unknown count as one.
    void end_row() {
        auto const from = codes.begin() + static_cast<std::ptrdiff_t>(ends.empty() ? 0 : ends.back());
        std::sort(from, codes.end());
        codes.erase(std::unique(from, codes.end()), codes.end());
        if (from == codes.end()) codes.push_back(missing_category);
        ends.push_back(static_cast<std::uint32_t>(codes.size()));
    }
};

/// A worker's memory while blocks are read.
struct block_scratch {
    row_block block;
    std::vector<block_codes> codes;
};

/// A frame seen through a ranker's columns. Columns are matched by name, others are ignored; the frame must outlive it.
class frame_reader {
public:
    /// @throws data_error  for a column that is not there, or of another type.
    frame_reader(std::span<ranker_column const> wanted, frame const& from) : m_columns(wanted.size()) {
        for (std::size_t c = 0; c < wanted.size(); ++c) {
            auto const* const found = from.find(wanted[c].name);
            if (!found) from.column(wanted[c].name);
            check_same_kind(wanted[c], found->kind, found->keys());
            m_columns[c].from = found;
            m_columns[c].missing = wanted[c].missing;
            if (found->kind != column_kind::number && (wanted[c].code_of || found->dictionary != wanted[c].categories))
                m_columns[c].codes = translate(*found->dictionary, wanted[c]);
        }
    }

    /// Rows first .. first + n - 1; valid until the next call with the same scratch.
    row_block const& read(std::size_t first, std::size_t n, block_scratch& scratch) const {
        scratch.block.n = n;
        scratch.block.columns.resize(m_columns.size()), scratch.codes.resize(m_columns.size());
        for (std::size_t c = 0; c < m_columns.size(); ++c) {
            auto& out = scratch.block.columns[c];
            auto const& from = *m_columns[c].from;
            if (from.kind == column_kind::number) out.numbers = from.numbers.data() + first;
            else read_codes(m_columns[c], first, n, scratch.codes[c], out);
        }
        return scratch.block;
    }

private:
    struct bound_column {
        frame_column const* from = nullptr;
        std::vector<std::int32_t> codes; ///< of the frame's dictionary to the ranker's; empty = the same dictionary
        std::int32_t missing = missing_category;
        std::int32_t code(std::int32_t c) const noexcept {
            return c < 0 ? missing : codes.empty() ? c : codes[static_cast<std::size_t>(c)];
        }
    };
    static std::vector<std::int32_t> translate(category_dictionary const& from, ranker_column const& to) {
        std::vector<std::int32_t> codes(from.size());
        for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = to.code(from.text(static_cast<std::int32_t>(i)));
        return codes;
    }
    static void read_codes(bound_column const& column, std::size_t first, std::size_t n, block_codes& scratch, row_block::column& out) {
        scratch.ends.clear();
        if (column.from->kind == column_kind::category) {
            auto const from = column.from->codes.span().subspan(first, n);
            scratch.codes.resize(n);
            for (std::size_t i = 0; i < n; ++i) scratch.codes[i] = column.code(from[i]);
        } else {
            scratch.codes.clear();
            for (std::size_t row = first; row < first + n; ++row) {
                for (auto const code : column.from->row_codes(row)) scratch.codes.push_back(column.code(code));
                scratch.end_row();
            }
        }
        out.codes = scratch.codes.data(), out.ends = scratch.ends.data();
    }
    std::vector<bound_column> m_columns;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
