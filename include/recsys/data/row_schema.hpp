// SPDX-License-Identifier: MIT
// How rows of the user's own type become a frame: named numbers and categories, target, weight and group.
#ifndef RECSYS_DATA_ROW_SCHEMA_HPP
#define RECSYS_DATA_ROW_SCHEMA_HPP

#include <recsys/core/push_macros.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/data/columns.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/id_table.hpp>
#include <recsys/data/ids.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What a category can be: an integer, bool, an enum, text of any kind, or a type of your own, pair or tuple that recsys_tie makes of these; in a
/// std::optional it may be missing. Integers of any width are the same category if they are the same number; the text "1" is not the integer 1.
/// Not a floating-point number: 1.0 and 1.5 have no identity as categories. Dictionaries and files keep what is made of members as text, such
/// as `(7, 'a''b')`.
template <class T>
concept category_value = std::integral<T> || std::is_enum_v<T> || detail::text_like<T> ||(detail::tuple_id<T>&& detail::is_portable<T>());

namespace detail {

template <class T>
concept number_column = std::is_arithmetic_v<optional_value_t<T>>;
template <class T>
concept category_column = category_value<optional_value_t<T>>;
template <class T>
concept categories_column = std::ranges::input_range<optional_value_t<T>> && !text_like<optional_value_t<T>>;
template <class T> constexpr bool is_baseline() {
    if constexpr (std::ranges::input_range<T> && !text_like<T>)
        return std::is_arithmetic_v<std::remove_cvref_t<std::ranges::range_value_t<T>>>;
    else return number_column<T>;
}
template <class T>
concept baseline_column = is_baseline<T>();
template <class T> inline constexpr key_kind key_kind_of =
    text_like<optional_value_t<T>> || tuple_id<optional_value_t<T>> ? key_kind::text : key_kind::integer;

/// Takes the categories of rows one after the other, as text; integers come as their decimal digits.
class key_sink {
public:
    virtual void key(std::string_view text) = 0;
    /// The same as key(its decimal digits); sinks may know a shorter way.
    virtual void integer(std::int64_t value) { key(decimal_text(value).view()); }
    virtual void missing() = 0;
    virtual void end_row() = 0;

protected:
    ~key_sink() = default;
};

/// A number of the user's as float; a missing one is NaN.
template <class T> float to_number(T const& value) {
    if (is_missing(value)) return std::numeric_limits<float>::quiet_NaN();
    return static_cast<float>(id_view(value));
}

/// Members in parentheses, text in quotes of which those inside are doubled: different values have different texts.
template <class T> void append_key(T const& value, std::string& to) {
    if constexpr (text_like<T>) {
        to += '\'';
        for (char const c : std::string_view(value)) to.append(c == '\'' ? 2 : 1, c);
        to += '\'';
    } else if constexpr (tuple_id<T>) {
        bool first = true;
        std::apply([&](auto const&... member) { ((to += std::exchange(first, false) ? "(" : ", ", append_key(member, to)), ...); },
                   members_of(value));
        to += ')';
    } else to += id_text(value);
}

/// One category to the sink.
template <class T> void give_key(T const& value, key_sink& to) {
    if (is_missing(value)) return to.missing();
    decltype(auto) plain = id_view(value);
    using plain_type = std::remove_cvref_t<decltype(plain)>;
    if constexpr (text_like<plain_type>) to.key(plain);
    else if constexpr (tuple_id<plain_type>) {
        thread_local std::string text; // room that stays
        text.clear();
        append_key(plain, text);
        to.key(text);
    } else {
        constexpr bool is_signed = [] {
            if constexpr (std::is_enum_v<plain_type>) return std::is_signed_v<std::underlying_type_t<plain_type>>;
            else return std::is_signed_v<plain_type>;
        }();
        if constexpr (is_signed || sizeof(plain_type) < sizeof(std::int64_t)) to.integer(static_cast<std::int64_t>(plain));
        else to.key(decimal_text(static_cast<std::uint64_t>(plain)).view());
    }
}
/// The categories of one row, none if the row has no list.
template <class T> void give_keys(T const& value, key_sink& to) {
    if (is_missing(value)) return;
    for (auto&& one : id_view(value)) give_key(one, to);
}

/// How a block of rows gives a number each.
template <class Row> using number_reader = std::function<void(std::span<Row const>, float*)>;

/// One column of a schema.
template <class Row> struct schema_column {
    std::string name;
    column_kind kind = column_kind::number;
    key_kind keys = key_kind::none;
    number_reader<Row> read_numbers;
    std::function<void(std::span<Row const>, key_sink&)> read_keys;
};

/// Gives the groups of rows numbers, in the order in which they first appear.
template <class Row> using group_reader = std::function<void(std::span<Row const>, std::uint32_t*)>;

template <class Id, class Row, class Projection> group_reader<Row> make_group_reader(Projection const& projection) {
    return [projection, known = std::make_shared<id_collector<Id>>()](std::span<Row const> rows, std::uint32_t* out) {
        for (std::size_t r = 0; r < rows.size(); ++r) {
            auto&& id = std::invoke(projection, rows[r]);
            if (is_missing(id)) throw_data("ingest: a group id is missing; every row needs one");
            out[r] = known->code(id_view(id));
        }
    };
}

template <class Row, class Projection> number_reader<Row> make_number_reader(Projection projection) {
    return [projection = std::move(projection)](std::span<Row const> rows, float* out) {
        for (std::size_t r = 0; r < rows.size(); ++r) {
            auto&& value = std::invoke(projection, rows[r]);
            out[r] = to_number(value);
        }
    };
}

/// Adds the baselines of a block of rows, row after row: one number each, or as many as the range of each row has.
template <class Row> using baseline_reader = std::function<void(std::span<Row const>, std::vector<float>&)>;

template <class Row, class Projection> baseline_reader<Row> make_baseline_reader(Projection projection) {
    return [projection = std::move(projection)](std::span<Row const> rows, std::vector<float>& out) {
        std::size_t first = 0;
        for (std::size_t r = 0; r < rows.size(); ++r) {
            auto&& value = std::invoke(projection, rows[r]);
            if constexpr (number_column<std::remove_cvref_t<decltype(value)>>) out.push_back(to_number(value));
            else {
                std::size_t const before = out.size();
                for (auto const& one : value) out.push_back(to_number(one));
                if (r == 0) first = out.size() - before;
                if (out.size() - before != first || first == 0)
                    throw_data("baseline: a row has ", out.size() - before, " numbers, the first one ", first, "; give one for each class");
            }
        }
    };
}

/// All that a schema knows of its rows.
template <class Row> struct row_readers {
    std::vector<schema_column<Row>> columns;
    number_reader<Row> target, weight;
    baseline_reader<Row> baseline;
    std::function<group_reader<Row>()> make_group;
};

/// What a projection gives for a row, without reference; int where that is refused with a sentence elsewhere.
template <class Projection, class Row> struct projected { using type = int; };
template <class Projection, class Row>
    requires std::invocable<Projection const&, Row const&>
struct projected<Projection, Row> {
    using type = std::remove_cvref_t<std::invoke_result_t<Projection const&, Row const&>>;
};
template <class Projection, class Row> using projected_t = typename projected<Projection, Row>::type;

}

/// How rows of the user's type are read: `rows<offer>().number("price", &offer::price).target(&offer::clicked)`; each step returns a new value.
///
/// number      any number; NaN and an empty std::optional are missing. Kept as float.
/// category    an integer, enum, bool, text or what recsys_tie makes of these; an empty std::optional or null `char const*` is missing, empty text is a category.
/// categories  a range of categories: a row may have none, one or many.
/// target      the number to predict; `fit` needs it, prediction does not.
/// weight      what a row counts for, at least 0. Absent: 1.
/// baseline    a raw score, finite: a ranker learns what is to be added to it, and predictions have it added. For a ranker of several
///             classes a range of as many numbers.
/// group       an id of any type: rows that are ranked against each other.
/// Projections are member pointers or callables of a row, kept by copy and called from several threads at once.
/// Steps throw data_error where a name is empty or comes twice.
template <class Row> class row_schema {
public:
    using row_type = Row;

    template <class Projection> row_schema number(std::string name, Projection projection) const {
        using value = value_of<Projection>;
        constexpr bool can_read = reads<Projection>, is_number = detail::number_column<value>;
        static_assert(can_read, "number: this column cannot be read from the row type of rows<T>()");
        static_assert(!can_read || is_number, "number: this column is not a number; say category() or categories()");
        auto out = *this;
        if constexpr (can_read && is_number)
            out.add({std::move(name), column_kind::number, key_kind::none, detail::make_number_reader<Row>(std::move(projection)), {}});
        return out;
    }
    template <class Projection> row_schema category(std::string name, Projection projection) const {
        using value = value_of<Projection>;
        constexpr bool can_read = reads<Projection>, is_category = detail::category_column<value>;
        static_assert(can_read, "category: this column cannot be read from the row type of rows<T>()");
        static_assert(
            !can_read || is_category,
            "category: an integer, enum, text or a type with recsys_tie is needed; for several values say categories(), for measurements number()");
        auto out = *this;
        if constexpr (can_read && is_category)
            out.add_keys(std::move(name), column_kind::category, detail::key_kind_of<value>, std::move(projection),
                         [](auto const& one, detail::key_sink& to) { detail::give_key(one, to); });
        return out;
    }
    template <class Projection> row_schema categories(std::string name, Projection projection) const {
        using value = value_of<Projection>;
        constexpr bool can_read = reads<Projection>, is_range = detail::categories_column<value>;
        static_assert(can_read, "categories: this column cannot be read from the row type of rows<T>()");
        static_assert(!can_read || is_range,
                      "categories: a range of integers, enums, texts or types with recsys_tie is needed; for one value say category()");
        auto out = *this;
        if constexpr (can_read && is_range) {
            using element = std::remove_cvref_t<std::ranges::range_value_t<detail::optional_value_t<value>>>;
            constexpr bool is_category = detail::category_column<element>;
            static_assert(is_category, "categories: the values in the range must be integers, enums, texts or types with recsys_tie");
            if constexpr (is_category)
                out.add_keys(std::move(name), column_kind::categories, detail::key_kind_of<element>, std::move(projection),
                             [](auto const& several, detail::key_sink& to) { detail::give_keys(several, to); });
        }
        return out;
    }
    template <class Projection> row_schema target(Projection projection) const {
        constexpr bool can_read = reads<Projection>, is_number = detail::number_column<value_of<Projection>>;
        static_assert(can_read, "target: the target cannot be read from the row type of rows<T>()");
        static_assert(!can_read || is_number, "target: the target must be a number or bool");
        auto out = *this;
        if constexpr (can_read && is_number) out.m_readers.target = detail::make_number_reader<Row>(std::move(projection));
        return out;
    }
    template <class Projection> row_schema weight(Projection projection) const {
        constexpr bool can_read = reads<Projection>, is_number = detail::number_column<value_of<Projection>>;
        static_assert(can_read, "weight: the weight cannot be read from the row type of rows<T>()");
        static_assert(!can_read || is_number, "weight: a weight must be a number");
        auto out = *this;
        if constexpr (can_read && is_number) out.m_readers.weight = detail::make_number_reader<Row>(std::move(projection));
        return out;
    }
    template <class Projection> row_schema baseline(Projection projection) const {
        constexpr bool can_read = reads<Projection>, is_number = detail::baseline_column<value_of<Projection>>;
        static_assert(can_read, "baseline: the baseline cannot be read from the row type of rows<T>()");
        static_assert(!can_read || is_number, "baseline: a baseline must be a number, or a range of one for each class");
        auto out = *this;
        if constexpr (can_read && is_number) out.m_readers.baseline = detail::make_baseline_reader<Row>(std::move(projection));
        return out;
    }
    template <class Projection> row_schema group(Projection projection) const {
        using id = stored_id_t<value_of<Projection>>;
        constexpr bool can_read = reads<Projection>, is_id = id_type<id>;
        static_assert(can_read, "group: the group cannot be read from the row type of rows<T>()");
        static_assert(!can_read || is_id, "group: a group id is an integer, text, or a type with == and recsys_tie(id), < or std::hash");
        auto out = *this;
        if constexpr (can_read && is_id)
            out.m_readers.make_group = [projection = std::move(projection)] { return detail::make_group_reader<id, Row>(projection); };
        return out;
    }

    std::size_t n_columns() const noexcept { return m_readers.columns.size(); }
    bool has_target() const noexcept { return static_cast<bool>(m_readers.target); }
    /// For what reads rows by this schema.
    detail::row_readers<Row> const& readers() const& noexcept { return m_readers; }
    detail::row_readers<Row> const& readers() const&& = delete;

private:
    template <class Projection> static constexpr bool reads = std::invocable<Projection const&, Row const&>;
    template <class Projection> using value_of = detail::projected_t<Projection, Row>;

    void add(detail::schema_column<Row> column) {
        if (column.name.empty()) detail::throw_data("rows: a column needs a name");
        for (auto const& other : m_readers.columns)
            if (other.name == column.name) detail::throw_data("rows: the column name ", detail::in_quotes(column.name), " comes twice");
        m_readers.columns.push_back(std::move(column));
    }
    template <class Projection, class Give>
    void add_keys(std::string name, column_kind kind, key_kind keys, Projection projection, Give give) {
        auto read = [projection = std::move(projection), give](std::span<Row const> rows, detail::key_sink& to) {
            for (auto const& row : rows) {
                auto&& value = std::invoke(projection, row);
                give(value, to);
                to.end_row();
            }
        };
        add({std::move(name), kind, keys, {}, std::move(read)});
    }

    detail::row_readers<Row> m_readers;
};

/// Starts a description of rows of this type.
template <class Row> row_schema<Row> rows() { return {}; }

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
