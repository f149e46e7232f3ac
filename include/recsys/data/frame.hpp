// SPDX-License-Identifier: MIT
// The frame: named columns of numbers and categories, with what the rows are about (user, item, target, weight, group).
#ifndef RECSYS_DATA_FRAME_HPP
#define RECSYS_DATA_FRAME_HPP

#include <recsys/core/push_macros.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/hash.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/id_table.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What a column holds: one number, one category, or several categories a row.
enum class column_kind : std::uint8_t { number, category, categories };
/// What the categories of a column are: two columns of one name but other keys are different columns ("1" is not 1).
enum class key_kind : std::uint8_t { none, text, integer };

/// The word for "no category": a missing value.
inline constexpr std::int32_t missing_category = -1;

namespace detail {

/// The decimal digits of an integer.
template <class Integer> class decimal_text {
public:
    explicit decimal_text(Integer value)
        : m_size(static_cast<std::size_t>(std::to_chars(m_digits, m_digits + sizeof m_digits, value).ptr - m_digits)) {}
    std::string_view view() const noexcept { return {m_digits, m_size}; }

private:
    char m_digits[24];
    std::size_t m_size;
};

}

/// The categories of a column: code -> key, key -> code. Integers are kept as their decimal text. Immutable once in a frame.
class category_dictionary {
public:
    explicit category_dictionary(key_kind keys = key_kind::text) : m_kind(keys) {}
    key_kind keys() const noexcept { return m_kind; }
    std::size_t size() const noexcept { return m_texts.size(); }
    std::string const& text(std::int32_t code) const { return m_texts[static_cast<std::size_t>(code)]; }
    std::optional<std::int32_t> find(std::string_view key) const {
        auto const code = look_up(detail::hash_bytes(key), key);
        return code == detail::no_code ? std::nullopt : std::optional<std::int32_t>(static_cast<std::int32_t>(code));
    }
    /// The code of an integer by its value, without its text; only where keys are integers.
    std::optional<std::int32_t> find_integer(std::int64_t key) const {
        auto const place = m_integer_places.find(m_integers, key);
        return place == detail::no_code ? std::nullopt : std::optional<std::int32_t>(m_integer_codes[place]);
    }
    /// The code of a key, which is added if it is new.
    std::int32_t add(std::string_view key) {
        auto const hash = detail::hash_bytes(key);
        if (auto const code = look_up(hash, key); code != detail::no_code) return static_cast<std::int32_t>(code);
        detail::check_index_count(m_texts.size() + 1, "category", "categories");
        auto const added = static_cast<std::uint32_t>(m_texts.size());
        m_texts.emplace_back(key);
        m_codes.insert(hash, added);
        if (m_kind == key_kind::integer) note_integer(key, static_cast<std::int32_t>(added));
        return static_cast<std::int32_t>(added);
    }

private:
    std::uint32_t look_up(std::uint64_t hash, std::string_view key) const {
        return m_codes.find(hash, [&](std::uint32_t code) { return m_texts[code] == key; });
    }
    /// Texts that are no integer of 64 bits with a sign, or not as it is written, are found by text alone.
    void note_integer(std::string_view key, std::int32_t code) {
        std::int64_t value = 0;
        auto const end = std::from_chars(key.data(), key.data() + key.size(), value).ptr;
        if (end != key.data() + key.size() || detail::decimal_text(value).view() != key) return;
        m_integer_places.insert(m_integers, value, static_cast<std::uint32_t>(m_integers.size()));
        m_integers.push_back(value), m_integer_codes.push_back(code);
    }
    key_kind m_kind;
    std::vector<std::string> m_texts;
    detail::code_slots m_codes;
    std::vector<std::int64_t> m_integers;
    std::vector<std::int32_t> m_integer_codes;
    detail::number_table<std::int64_t> m_integer_places;
};

/// One column. `numbers` for a number column (NaN = missing); `codes` for categories (missing_category = missing), with `ends` where a row has several.
struct frame_column {
    std::string name;
    column_kind kind = column_kind::number;
    detail::shared_array<float> numbers;      ///< n_rows
    detail::shared_array<std::int32_t> codes; ///< n_rows; for `categories` the codes of row r are codes[ends[r - 1]] .. codes[ends[r]]
    detail::shared_array<std::uint64_t> ends; ///< n_rows, `categories` only
    std::shared_ptr<category_dictionary const> dictionary;

    key_kind keys() const noexcept { return dictionary ? dictionary->keys() : key_kind::none; }
    /// The codes of a row, for both kinds of category columns.
    std::span<std::int32_t const> row_codes(std::size_t row) const noexcept {
        if (kind == column_kind::category) return codes.span().subspan(row, 1);
        auto const first = row == 0 ? 0 : static_cast<std::size_t>(ends[row - 1]);
        return codes.span().subspan(first, static_cast<std::size_t>(ends[row]) - first);
    }
};

/// What the rows of a frame are about: each array is empty or n_rows long, baselines a multiple of that.
struct frame_rows {
    detail::shared_array<user_index> users;
    detail::shared_array<item_index> items;
    detail::shared_array<float> targets;
    detail::shared_array<float> weights;
    detail::shared_array<float> baselines; ///< raw scores on which a ranker builds: one a row, or one a class, row after row
    /// Where each group ends; rows of a group are neighbours. Empty where there are no groups.
    detail::shared_array<std::uint64_t> group_ends;
    /// The moment up to which the features know events, if there is one.
    std::optional<time_point> as_of = {};
    /// The same of the targets, which are later.
    std::optional<time_point> targets_as_of = {};
};

/// A table of features. A handle: a copy shares. Columns are found by name, never by place.
class frame {
public:
    frame() = default;
    /// @throws data_error  where lengths differ, a name comes twice or is empty, a code is not in its dictionary, or groups do not cover the rows.
    frame(std::size_t n_rows, std::vector<frame_column> columns, frame_rows rows)
        : m_n_rows(n_rows), m_columns(std::make_shared<std::vector<frame_column> const>(std::move(columns))), m_rows(std::move(rows)) {
        check();
    }

    std::size_t n_rows() const noexcept { return m_n_rows; }
    std::size_t n_columns() const noexcept { return m_columns ? m_columns->size() : 0; }
    std::span<frame_column const> columns() const& noexcept {
        return m_columns ? std::span<frame_column const>(*m_columns) : std::span<frame_column const>();
    }
    std::span<frame_column const> columns() const&& = delete;
    /// The column of this name, or null.
    frame_column const* find(std::string_view name) const& noexcept {
        for (auto const& c : columns())
            if (c.name == name) return &c;
        return nullptr;
    }
    frame_column const* find(std::string_view) const&& = delete;
    /// The column of this name. @throws data_error naming it and the columns that there are.
    frame_column const& column(std::string_view name) const& {
        if (auto const* c = find(name)) return *c;
        std::string there;
        for (auto const& c : columns()) there += (there.empty() ? "" : ", ") + c.name;
        detail::throw_data("frame: there is no column ", detail::in_quotes(name), "; there are: ", there);
    }
    frame_column const& column(std::string_view) const&& = delete;
    /// A number of a number column, NaN = missing.
    float value(std::size_t row, std::string_view name) const {
        auto const& c = column(name);
        if (c.kind != column_kind::number) detail::throw_data("frame: column ", detail::in_quotes(name), " holds categories, not numbers");
        check_row(row);
        return c.numbers[row];
    }

    bool has_users() const noexcept { return !m_rows.users.empty(); }
    user_index user(std::size_t row) const { return check_row(row), m_rows.users[row]; }
    item_index item(std::size_t row) const { return check_row(row), m_rows.items[row]; }
    bool has_targets() const noexcept { return m_n_rows == 0 || !m_rows.targets.empty(); }
    std::span<float const> targets() const& noexcept { return m_rows.targets.span(); }
    std::span<float const> targets() const&& = delete;
    /// Empty where every row weighs 1.
    std::span<float const> weights() const& noexcept { return m_rows.weights.span(); }
    std::span<float const> weights() const&& = delete;
    /// Raw scores on which a ranker builds, n_rows x n_baselines; empty where there are none.
    std::span<float const> baselines() const& noexcept { return m_rows.baselines.span(); }
    std::span<float const> baselines() const&& = delete;
    /// How many a row: 0, 1, or as many as a ranker has classes.
    std::size_t n_baselines() const noexcept { return m_n_rows == 0 ? 0 : m_rows.baselines.size() / m_n_rows; }
    std::size_t n_groups() const noexcept { return m_rows.group_ends.size(); }
    std::span<std::uint64_t const> group_ends() const& noexcept { return m_rows.group_ends.span(); }
    std::span<std::uint64_t const> group_ends() const&& = delete;
    frame_rows const& rows() const& noexcept { return m_rows; }
    std::optional<time_point> as_of() const noexcept { return m_rows.as_of; }

private:
    void check_row(std::size_t row) const {
        if (row >= m_n_rows) detail::throw_data("frame: row ", row, " of ", m_n_rows);
    }
    void check_length(std::string_view what, std::size_t n, bool may_be_absent) const {
        if (n != m_n_rows && !(may_be_absent && n == 0)) detail::throw_data("frame: ", what, " has ", n, " values for ", m_n_rows, " rows");
    }
    void check() const {
        for (auto const& c : *m_columns) check_column(c);
        check_length("the user column", m_rows.users.size(), true);
        check_length("the item column", m_rows.items.size(), true);
        check_length("the target", m_rows.targets.size(), true);
        check_length("the weight", m_rows.weights.size(), true);
        if (n_baselines() * m_n_rows != m_rows.baselines.size()) check_length("the baseline", m_rows.baselines.size(), true);
        std::uint64_t last = 0;
        for (auto const end : m_rows.group_ends) {
            if (end <= last || end > m_n_rows) detail::throw_data("frame: groups must be at least one row each, up to ", m_n_rows, " rows");
            last = end;
        }
        if (!m_rows.group_ends.empty() && last != m_n_rows) detail::throw_data("frame: the groups cover ", last, " of ", m_n_rows, " rows");
    }
    void check_column(frame_column const& c) const {
        if (c.name.empty()) detail::throw_data("frame: a column needs a name");
        std::size_t same = 0;
        for (auto const& other : *m_columns) same += other.name == c.name;
        if (same != 1) detail::throw_data("frame: the column name ", detail::in_quotes(c.name), " comes ", same, " times");
        if (c.kind == column_kind::number)
            return check_length(detail::concat("column ", detail::in_quotes(c.name)), c.numbers.size(), false);
        if (!c.dictionary) detail::throw_data("frame: column ", detail::in_quotes(c.name), " has no dictionary");
        auto const n = c.kind == column_kind::category ? c.codes.size() : c.ends.size();
        check_length(detail::concat("column ", detail::in_quotes(c.name)), n, false);
        std::uint64_t last = 0;
        for (auto const end : c.ends) {
            if (end < last || end > c.codes.size())
                detail::throw_data("frame: the rows of column ", detail::in_quotes(c.name), " must end one after the other");
            last = end;
        }
        for (auto const code : c.codes)
            if (code < missing_category || code >= static_cast<std::int64_t>(c.dictionary->size()))
                detail::throw_data("frame: column ", detail::in_quotes(c.name), " has code ", code, ", its dictionary has ",
                                   c.dictionary->size());
    }

    std::size_t m_n_rows = 0;
    std::shared_ptr<std::vector<frame_column> const> m_columns;
    frame_rows m_rows;
};

/// Train and validation rows of one frame.
struct frame_split {
    frame train;
    frame valid;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
