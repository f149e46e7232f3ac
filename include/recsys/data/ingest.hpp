// SPDX-License-Identifier: MIT
// One pass over the user's rows, in any range or iterator pair, to a dataset.
#ifndef RECSYS_DATA_INGEST_HPP
#define RECSYS_DATA_INGEST_HPP

#include <recsys/core/push_macros.hpp>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/progress.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/columns.hpp>
#include <recsys/data/dataset.hpp>
#include <recsys/data/label_encoder.hpp>
#include <recsys/data/row_store.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

template <id_type User, id_type Item> struct ingest_options {
    std::optional<user_encoder<User>> users = {}; ///< known before: indices are its, users without rows included
    std::optional<item_encoder<Item>> items = {};
    unknown_ids unknown = unknown_ids::error; ///< what to do with ids that an encoder given above does not know
    natural reserve = 0;                      ///< how many rows are expected, for the progress callback; 0 = as many as the range says
    run_options run = {};
};

namespace detail {

/// The row as the columns see it.
template <class It> using row_of = std::remove_reference_t<std::iter_reference_t<It>>&;
template <class It, class Column>
concept reads = std::invocable<Column const&, row_of<It>>;
template <class It, class Column> struct column_value { using type = int; };
template <class It, class Column>
    requires reads<It, Column>
struct column_value<It, Column> {
    using type = std::remove_cvref_t<std::invoke_result_t<Column const&, row_of<It>>>;
};
template <class It, class Column> using column_value_t = typename column_value<It, Column>::type;
/// The id type of a column; int where that is refused with a sentence later on.
template <class It, class Column> using column_id_t =
    std::conditional_t<id_type<stored_id_t<column_value_t<It, Column>>>, stored_id_t<column_value_t<It, Column>>, int>;

template <class It, class Column> constexpr bool check_id_column() {
    using id = stored_id_t<column_value_t<It, Column>>;
    constexpr bool is_real = std::floating_point<id>, is_bool = std::same_as<id, bool>, is_pointer = std::is_pointer_v<id>,
                   is_id = id_type<id>;
    static_assert(!is_real, "ingest: a floating-point number is not an id: give an integer, text or a type of your own");
    static_assert(!is_bool, "ingest: a bool is not an id: give an integer");
    static_assert(!is_pointer, "ingest: a pointer is not an id: give what it points at");
    static_assert(is_real || is_bool || is_pointer || is_id, "ingest: an id type needs copies and ==, and recsys_tie(id), < or std::hash");
    return is_id;
}

/// Says in a sentence what is wrong with the columns; true if nothing is.
template <class It, class U, class I, class W, class T> constexpr bool check_columns() {
    constexpr bool has_user = !std::same_as<U, no_column>, has_item = !std::same_as<I, no_column>;
    constexpr bool reads_user = reads<It, U>, reads_item = reads<It, I>;
    static_assert(has_user, "ingest: say which column is the user: columns().user(&row::user)");
    static_assert(has_item, "ingest: say which column is the item: columns().item(&row::item)");
    static_assert(!has_user || reads_user, "ingest: the user column cannot be read from the rows of this range");
    static_assert(!has_item || reads_item, "ingest: the item column cannot be read from the rows of this range");
    bool right = has_user && has_item;
    if constexpr (reads_user) right = check_id_column<It, U>() && right;
    if constexpr (reads_item) right = check_id_column<It, I>() && right;
    if constexpr (!std::same_as<W, no_column>) {
        constexpr bool can_read = reads<It, W>, is_number = std::is_arithmetic_v<optional_value_t<column_value_t<It, W>>>;
        static_assert(can_read, "ingest: the weight column cannot be read from the rows of this range");
        static_assert(!can_read || is_number, "ingest: a weight must be a number");
        right = right && can_read && is_number;
    }
    if constexpr (!std::same_as<T, no_column>) {
        constexpr bool can_read = reads<It, T>, is_point = is_sys_point<optional_value_t<column_value_t<It, T>>>;
        constexpr bool no_integer = std::same_as<column_value_t<It, T>, not_an_integer>;
        static_assert(can_read, "ingest: the time column cannot be read from the rows of this range");
        static_assert(!no_integer,
                      "ingest: unix_seconds() and unix_millis() take integers; for chrono time points and fractions say time()");
        static_assert(!can_read || no_integer || is_point,
                      "ingest: time() takes a std::chrono::sys_time (of system_clock); for integers say unix_seconds() or unix_millis()");
        right = right && can_read && is_point;
    }
    return right && reads_user && reads_item;
}

/// Whether float holds the number exactly.
template <class Number> bool fits_float(Number value) noexcept {
    if constexpr (std::is_floating_point_v<Number>) return static_cast<Number>(static_cast<float>(value)) == value;
    else if constexpr (std::is_same_v<Number, bool>) return true;
    else {
        auto magnitude = static_cast<std::uint64_t>(value);
        if constexpr (std::is_signed_v<Number>)
            if (value < 0) magnitude = 0 - magnitude;
        return magnitude == 0 || magnitude >> std::countr_zero(magnitude) < (1u << 24);
    }
}

/// A weight as float. @throws data_error for NaN, infinity, and what is too large for float; `row` counts from 0.
template <class Number> float to_weight(Number value, std::size_t row, char const* where) {
    auto const weight = static_cast<float>(value);
    if constexpr (std::is_floating_point_v<Number>)
        if (!std::isfinite(weight))
            throw_data(where, ": the weight of row ", row, " (from 0) is ", value, ", expected a finite number that float can hold");
    return weight;
}

/// One id column of a data set in the making: looks up in the encoder that was given, else collects.
template <class Id, class Index> class id_input {
public:
    explicit id_input(std::optional<encoder<Id, Index>> const& given) : m_given(given) {}
    /// Without adding: no_code where an encoder was given that does not know it.
    template <class View> std::uint32_t look_up(View const& view) const {
        return m_given ? encoder_access<Id, Index>::code(*m_given, view) : 0;
    }
    template <class View> std::uint32_t code(View const& view, std::uint32_t looked_up) {
        return m_given ? looked_up : m_collector.code(view);
    }
    /// The encoder, and the new code of each old one (empty = the same).
    std::pair<encoder<Id, Index>, std::vector<std::uint32_t>> finish() && {
        if (m_given) return {*m_given, {}};
        return encoder_access<Id, Index>::make(std::move(m_collector), 0);
    }

private:
    std::optional<encoder<Id, Index>> m_given;
    id_collector<Id> m_collector;
};

/// Reads rows one at a time.
template <class User, class Item, class U, class I, class W, class T> class ingestion {
    static constexpr bool has_weight = !std::same_as<W, no_column>, has_time = !std::same_as<T, no_column>;

public:
    ingestion(columns_of<U, I, W, T> columns, ingest_options<User, Item> const& options)
        : m_columns(std::move(columns)), m_unknown(options.unknown), m_users(options.users), m_items(options.items), m_rows(has_time) {}

    std::size_t rows() const noexcept { return m_report.rows; }

    template <class Row> void add(Row& row) {
        std::size_t const number = m_report.rows++;
        auto&& user = std::invoke(m_columns.user_column(), row);
        auto&& item = std::invoke(m_columns.item_column(), row);
        if (bool const no_user = is_missing(user), no_item = is_missing(item); no_user || no_item) {
            ++m_report.missing, m_report.missing_users += no_user, m_report.missing_items += no_item;
            return;
        }
        auto const time = read_time(row, number);
        if (!time) return void(++m_report.undated);
        bool changed = false;
        auto const weight = read_weight(row, number, changed);
        if (!weight) return void(++m_report.weightless);
        decltype(auto) user_view = id_view(user);
        decltype(auto) item_view = id_view(item);
        auto const user_code = m_users.look_up(user_view), item_code = m_items.look_up(item_view);
        if (user_code == no_code || item_code == no_code)
            return note_unknown(user_view, item_view, user_code == no_code, item_code == no_code, number);
        m_rows.push(m_users.code(user_view, user_code), m_items.code(item_view, item_code), *weight, *time);
        m_report.changed_weights += changed;
    }

    dataset<User, Item> finish(std::size_t threads) && {
        team workers(threads);
        m_report.kept = m_rows.size();
        auto [users, user_rank] = std::move(m_users).finish();
        auto [items, item_rank] = std::move(m_items).finish();
        auto columns = std::move(m_rows).finish(user_rank, item_rank, workers);
        provenance const from{users.fingerprint(), items.fingerprint(), {}};
        events rows(std::move(columns), users.size(), items.size(), from);
        return dataset<User, Item>(std::move(rows), std::move(users), std::move(items), m_report);
    }

private:
    template <class Row> std::optional<time_point> read_time(Row& row, std::size_t number) const {
        if constexpr (!has_time) return time_point{};
        else {
            auto const value = std::invoke(m_columns.time_column(), row);
            if (is_missing(value)) return std::nullopt;
            if (auto const t = floor_time(id_view(value))) return t;
            throw_data("ingest: the time of row ", number, " (from 0) lies outside of the years -32767 .. 32767; are its units right?");
        }
    }
    template <class Row> std::optional<float> read_weight(Row& row, std::size_t number, bool& changed) const {
        if constexpr (!has_weight) return 1.f;
        else {
            auto const value = std::invoke(m_columns.weight_column(), row);
            if (is_missing(value)) return std::nullopt;
            auto const plain = id_view(value);
            float const weight = to_weight(plain, number, "ingest");
            changed = !fits_float(plain);
            return weight;
        }
    }
    template <class UserView, class ItemView>
    void note_unknown(UserView const& user, ItemView const& item, bool no_user, bool no_item, std::size_t number) {
        if (m_unknown == unknown_ids::error) {
            constexpr auto advice = " is not known to the encoder given; .unknown = unknown_ids::skip leaves such rows out and counts them";
            if (no_user) throw_data("ingest: row ", number, " (from 0): user id ", id_text(user), advice);
            throw_data("ingest: row ", number, " (from 0): item id ", id_text(item), advice);
        }
        ++m_report.unknown, m_report.unknown_users += no_user, m_report.unknown_items += no_item;
    }

    columns_of<U, I, W, T> m_columns;
    unknown_ids m_unknown;
    id_input<User, user_index> m_users;
    id_input<Item, item_index> m_items;
    row_store m_rows;
    row_report m_report;
};

template <class It, class End> std::uint64_t expected_rows(It const& first, End const& last, std::size_t reserve) {
    if constexpr (std::sized_sentinel_for<End, It>) return static_cast<std::uint64_t>(last - first);
    else return reserve;
}

}

/// Ingests rows that arrive by themselves, from a callback or block by block: what `ingest` does, with the loop on the user's side. Made by
/// `ingester_of<row>(columns, options)`; stays where it is. After an exception of `add` it holds the rows before that one.
template <class Row, class U, class I, class W, class T> class ingester {
    using user_id = detail::column_id_t<Row*, U>;
    using item_id = detail::column_id_t<Row*, I>;

public:
    using options_type = ingest_options<user_id, item_id>;
    explicit ingester(columns_of<U, I, W, T> columns, options_type const& options = {})
        : m_run(options.run), m_input(std::move(columns), options), m_progress(m_run.progress, "ingest", options.reserve) {}
    ingester(ingester const&) = delete;
    ingester& operator=(ingester const&) = delete;

    /// Takes a row; nothing of it is kept. O(1) expected. @throws as `ingest`
    void add(Row& row) {
        m_input.add(row);
        if (m_input.rows() % 65536 == 0) m_progress.report_or_throw(m_input.rows());
    }
    /// Rows added so far, those left out included.
    std::size_t rows() const noexcept { return m_input.rows(); }
    /// The dataset of these rows: encoders in their order, rows sorted by time. O(rows) and sorting of the distinct ids.
    dataset<user_id, item_id> finish() && {
        m_progress.report_or_throw(m_input.rows());
        return std::move(m_input).finish(m_run.threads);
    }

private:
    run_options m_run;
    detail::ingestion<user_id, item_id, U, I, W, T> m_input;
    detail::progress_reporter m_progress;
};

/// An ingester of rows of type `Row` (const where the columns only read): `auto in = ingester_of<play const>(columns().user(...))`, then
/// `in.add(row)` for each, then `std::move(in).finish()`.
template <class Row, class U, class I, class W, class T> [[nodiscard]] ingester<Row, U, I, W, T>
ingester_of(columns_of<U, I, W, T> const& columns, typename ingester<Row, U, I, W, T>::options_type const& options = {}) {
    static_assert(detail::check_columns<Row*, U, I, W, T>());
    return ingester<Row, U, I, W, T>(columns, options);
}

/// The dataset of the rows of a range: `ingest(log, columns().user(&row::user).item(&row::item).time(&row::at))`.
///
/// One pass; rows may be proxies and their text may die with the next step. Ids get indices in the order of label_encoder.hpp. Rows are
/// sorted once by time, equal times keep their order. Times are floored to microseconds. Rows with a missing id, time or weight are left
/// out and counted in `report()`. The range is not kept; an exception of its iterators or columns passes through and leaves nothing.
/// @throws data_error  for a weight that is not finite, a time outside of the calendar, an unknown id (unless skipped), too many ids.
/// @throws cancelled   where the progress callback says so.
/// Cost: O(rows) and sorting of the distinct ids; memory up to 28 bytes a row while it runs, at most 20 after it.
template <std::input_iterator It, std::sentinel_for<It> End, class U, class I, class W, class T>
[[nodiscard]] auto ingest(It first, End last, columns_of<U, I, W, T> const& columns,
                          ingest_options<detail::column_id_t<It, U>, detail::column_id_t<It, I>> const& options = {}) {
    using data = dataset<detail::column_id_t<It, U>, detail::column_id_t<It, I>>;
    if constexpr (detail::check_columns<It, U, I, W, T>()) {
        using row = std::remove_reference_t<std::iter_reference_t<It>>;
        auto counted = options;
        counted.reserve = detail::expected_rows(first, last, options.reserve);
        ingester<row, U, I, W, T> input(columns, counted);
        for (; first != last; ++first) {
            auto&& one = *first;
            input.add(one);
        }
        return std::move(input).finish();
    } else {
        return data{};
    }
}
template <std::ranges::input_range Range, class U, class I, class W, class T>
[[nodiscard]] auto ingest(Range&& rows, columns_of<U, I, W, T> const& columns,
                          ingest_options<detail::column_id_t<std::ranges::iterator_t<Range>, U>,
                                         detail::column_id_t<std::ranges::iterator_t<Range>, I>> const& options = {}) {
    return recsys::ingest(std::ranges::begin(rows), std::ranges::end(rows), columns, options);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
