// SPDX-License-Identifier: MIT
// Events and the user's own triplets become a matrix of users x items: a counting sort, then one entry a pair by a named policy.
#ifndef RECSYS_MATRIX_BUILDER_HPP
#define RECSYS_MATRIX_BUILDER_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/math.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/columns.hpp>
#include <recsys/data/events.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/matrix/offsets.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What becomes of several rows of one (user, item) pair. "First" and "last" are in the order of the rows: time order for events.
enum class duplicates {
    sum,   ///< their values are added, in double
    max,   ///< the largest value
    last,  ///< the value of the last row
    first, ///< the value of the first row
    error  ///< a data_error names the pair
};

struct matrix_options {
    recsys::duplicates duplicates = recsys::duplicates::sum;
    std::optional<std::chrono::days> half_life = {}; ///< a row weighs 2^-(as_of - time) / half_life times its weight
    run_options run = {};
};

struct csr_options {
    recsys::duplicates duplicates = recsys::duplicates::sum;
    std::optional<natural> n_users = {}; ///< absent: the largest index + 1
    std::optional<natural> n_items = {};
    run_options run = {};
};

/// One entry for `csr_from`.
template <class Value> struct matrix_entry {
    user_index user{};
    item_index item{};
    Value value = 1;
};

namespace detail {

/// The rows of a matrix in the making: any order, any duplicates.
template <class Value> struct triplets {
    std::span<user_index const> users;
    std::span<item_index const> items;
    std::span<Value const> values; ///< empty = every value is 1
    std::size_t n_users = 0, n_items = 0;
};

/// Sorted by user and item; equal pairs in their old order.
template <class Value> struct sorted_triplets {
    buffer<std::int64_t> offsets;
    buffer<item_index> items;
    buffer<Value> values;
};

/// Two passes of a stable counting sort, by item and then by user. O(rows + users + items).
template <class Value> sorted_triplets<Value> sort_triplets(triplets<Value> const& rows) {
    std::size_t const n = rows.users.size();
    buffer<user_index> users(n);
    buffer<Value> values(n);
    auto by_item = count_offsets(rows.items, rows.n_items, "csr", "item");
    {
        auto place = next_places(by_item);
        for (std::size_t i = 0; i < n; ++i) {
            auto const at = static_cast<std::size_t>(place[to_size(rows.items[i])]++);
            users[at] = rows.users[i], values[at] = rows.values.empty() ? Value{1} : rows.values[i];
        }
    }
    sorted_triplets<Value> out{count_offsets(rows.users, rows.n_users, "csr", "user"), buffer<item_index>(n), buffer<Value>(n)};
    auto place = next_places(out.offsets);
    for (std::size_t item = 0, i = 0; item < rows.n_items; ++item)
        for (auto const last = static_cast<std::size_t>(by_item[item + 1]); i < last; ++i) {
            auto const at = static_cast<std::size_t>(place[to_size(users[i])]++);
            out.items[at] = static_cast<item_index>(item), out.values[at] = values[i];
        }
    return out;
}

/// The value of a pair that has several rows.
template <class Value> Value merged_value(std::span<Value const> values, recsys::duplicates policy) {
    if (policy == duplicates::first) return values.front();
    if (policy == duplicates::last) return values.back();
    if (policy == duplicates::max) return *std::max_element(values.begin(), values.end());
    if constexpr (std::is_floating_point_v<Value>) {
        double sum = 0;
        for (auto const v : values) sum += static_cast<double>(v);
        return static_cast<Value>(sum);
    } else {
        Value sum = 0;
        for (auto const v : values) {
            auto const wide = static_cast<long double>(sum) + static_cast<long double>(v);
            if (wide > static_cast<long double>(std::numeric_limits<Value>::max()) ||
                wide < static_cast<long double>(std::numeric_limits<Value>::lowest()))
                throw_data("csr: the values of a pair do not fit their integer type when added");
            sum = static_cast<Value>(sum + v);
        }
        return sum;
    }
}

/// Makes one entry of each pair, in place. Returns how many rows fell on an entry that was there already.
template <class Value> std::size_t merge_duplicates(sorted_triplets<Value>& t, std::size_t n_users, recsys::duplicates policy) {
    std::size_t kept = 0, i = 0;
    for (std::size_t user = 0; user < n_users; ++user) {
        auto const end = static_cast<std::size_t>(t.offsets[user + 1]);
        for (std::size_t last = i; i < end; i = last) {
            while (last < end && t.items[last] == t.items[i]) ++last;
            if (last - i > 1 && policy == duplicates::error)
                throw_data("csr: user ", user, " and item ", to_size(t.items[i]), " come ", last - i,
                           " times; choose another policy for duplicates to merge them");
            auto const value = last - i > 1 ? merged_value<Value>(t.values.span().subspan(i, last - i), policy) : t.values[i];
            t.items[kept] = t.items[i], t.values[kept] = value, ++kept;
        }
        t.offsets[user + 1] = static_cast<std::int64_t>(kept);
    }
    return i - kept;
}

template <class Value> buffer<Value> first_of(buffer<Value>&& from, std::size_t n) {
    if (n == from.size()) return std::move(from);
    buffer<Value> to(n);
    std::copy_n(from.begin(), n, to.begin());
    return to;
}

template <class Value> basic_csr<Value> build_csr(triplets<Value> const& rows, recsys::duplicates policy, recsys::provenance const& from) {
    auto sorted = sort_triplets(rows);
    matrix_report report;
    report.merged = merge_duplicates(sorted, rows.n_users, policy);
    std::size_t const kept = rows.users.size() - report.merged;
    return basic_csr<Value>(rows.n_users, rows.n_items, std::move(sorted.offsets), first_of(std::move(sorted.items), kept),
                            first_of(std::move(sorted.values), kept), from, report);
}

/// Whether every value of one type is a value of the other.
template <class From, class To> constexpr bool keeps_values() {
    using from = std::numeric_limits<From>;
    using to = std::numeric_limits<To>;
    if constexpr (from::is_integer != to::is_integer) return from::is_integer && from::digits <= to::digits;
    else return from::digits <= to::digits && (!from::is_signed || to::is_signed) && from::max_exponent <= to::max_exponent;
}

/// 2^-(age / half life).
inline double decay(double age, double half_life) noexcept {
    double const exponent = -age / half_life * 0.69314718055994530942;
    return exponent < -700 ? 0 : portable_exp(exponent);
}

/// What each row of dated events weighs as of the end of the events. @throws data_error for events without times.
inline buffer<double> decays(events const& rows, std::chrono::days half_life, std::string_view where) {
    if (half_life.count() <= 0) throw_option(where, ": half_life must be at least one day, got ", half_life.count());
    if (rows.event_times().size() != rows.size()) throw_data(where, ": half_life needs events with times, these have none");
    buffer<double> out(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto const age = std::chrono::duration<double>(*rows.as_of() - rows.event_times()[i]);
        out[i] = decay(age.count(), std::chrono::duration<double>(half_life).count());
    }
    return out;
}

template <class Value> buffer<Value> event_values(events const& rows, matrix_options const& options) {
    auto const factors = options.half_life ? decays(rows, *options.half_life, "user_items") : buffer<double>();
    auto const weights = rows.event_weights();
    buffer<Value> out(weights.empty() && factors.empty() ? 0 : rows.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        auto const weight = static_cast<double>(rows.weight(i));
        if (!std::isfinite(weight))
            throw_data("user_items: the weight of event ", i, " (in time order) is ", weight, ", expected a finite number");
        out[i] = static_cast<Value>(factors.empty() ? weight : weight * factors[i]);
    }
    return out;
}

}

/// The matrix of users x items of some events: a value is the weight of the pair's rows, by default their sum (so the play count where no
/// weight was named).
///
/// Rows hold every pair that occurs, also where its value is 0: stored zeros count as seen, models skip them, and `report()` says how many
/// there are, as it does for merged rows. Values are `float` or wider: `user_items<double>(events)`.
/// @throws data_error  for a value that is not finite, for duplicates under `duplicates::error`, for a half life without times.
/// Cost: O(events + users + items), two passes over the rows. Peak: 16 bytes a row besides the events.
template <class Value = float> [[nodiscard]] basic_csr<Value> user_items(events const& past, matrix_options const& options = {}) {
    static_assert(std::is_arithmetic_v<Value> && detail::keeps_values<float, Value>(),
                  "user_items: weights are float, and this value type would change them; take float or double");
    detail::progress_reporter progress(options.run.progress, "user_items", past.size());
    progress.report_or_throw(0);
    auto const values = detail::event_values<Value>(past, options);
    auto out = detail::build_csr<Value>({past.event_users(), past.event_items(), values.span(), past.n_users(), past.n_items()},
                                        options.duplicates, past.provenance());
    progress.report_or_throw(past.size());
    return out;
}

namespace detail {

/// An index as `csr_from` takes it: the index types or any integer. @throws data_error for a negative or too large one.
template <class Index, class Given> Index checked_index(Given given, std::size_t row, std::string_view what) {
    if constexpr (std::is_same_v<Given, Index>) return given;
    else {
        if constexpr (std::is_signed_v<Given>)
            if (given < Given{0}) throw_data("csr_from: the ", what, " of row ", row, " (from 0) is ", given, ", expected an index from 0");
        if (static_cast<std::uint64_t>(given) >= max_index_count)
            throw_data("csr_from: the ", what, " of row ", row, " (from 0) is ", given, ", expected an index below ", max_index_count);
        return static_cast<Index>(given);
    }
}

template <class Index>
std::size_t checked_extent(std::span<Index const> column, std::optional<natural> const& given, std::string_view what) {
    std::size_t extent = 0, row = 0;
    for (std::size_t i = 0; i < column.size(); ++i)
        if (to_size(column[i]) + 1 > extent) extent = to_size(column[i]) + 1, row = i;
    if (!given) return extent;
    if (extent > *given)
        throw_data("csr_from: the ", what, " of row ", row, " (from 0) is ", extent - 1, ", there are ", std::size_t{*given}, ' ', what,
                   's');
    return *given;
}

template <class Given, class Index> inline constexpr bool index_like = std::same_as<Given, Index> ||
                                                                       (std::integral<Given> && !std::same_as<Given, bool>);

template <class It, class Column, class Default> struct read_type {
    using type = std::remove_cvref_t<std::invoke_result_t<Column const&, std::iter_reference_t<It>>>;
};
template <class It, class Default> struct read_type<It, no_column, Default> { using type = Default; };

}

/// A matrix straight from the user's rows, without encoders: `csr_from(rows, columns().user(&r::u).item(&r::i).weight(&r::n), {.n_items = 9})`.
///
/// The columns are indices (user_index and item_index, or integers from 0) and a number of any type, which is the matrix's value type: nothing
/// is converted. Without a weight column every value is 1.f. A single pass over the range is enough.
/// @throws data_error  naming the row for an index that is negative or past the given sizes, and for a value that is not finite.
template <std::input_iterator It, std::sentinel_for<It> End, class U, class I, class W, class T>
[[nodiscard]] auto csr_from(It first, End last, columns_of<U, I, W, T> const& columns, csr_options const& options = {}) {
    using user_type = typename detail::read_type<It, U, void>::type;
    using item_type = typename detail::read_type<It, I, void>::type;
    using value_type = typename detail::read_type<It, W, float>::type;
    static_assert(detail::index_like<user_type, user_index>,
                  "csr_from: name the column of user indices: columns().user(...), of user_index or integers");
    static_assert(detail::index_like<item_type, item_index>,
                  "csr_from: name the column of item indices: columns().item(...), of item_index or integers");
    static_assert(std::is_arithmetic_v<value_type>, "csr_from: a weight must be a number");
    std::vector<user_index> users;
    std::vector<item_index> items;
    std::vector<value_type> values;
    for (std::size_t row = 0; first != last; ++first, ++row) {
        auto&& r = *first;
        users.push_back(detail::checked_index<user_index>(std::invoke(columns.user_column(), r), row, "user"));
        items.push_back(detail::checked_index<item_index>(std::invoke(columns.item_column(), r), row, "item"));
        if constexpr (!std::same_as<W, detail::no_column>) {
            values.push_back(std::invoke(columns.weight_column(), r));
            if constexpr (std::is_floating_point_v<value_type>)
                if (!std::isfinite(values.back()))
                    detail::throw_data("csr_from: the value of row ", row, " (from 0) is ", values.back(), ", expected a finite number");
        }
    }
    auto const n_users = detail::checked_extent<user_index>(users, options.n_users, "user");
    auto const n_items = detail::checked_extent<item_index>(items, options.n_items, "item");
    return detail::build_csr<value_type>({users, items, values, n_users, n_items}, options.duplicates, {});
}
template <std::ranges::input_range Range, class U, class I, class W, class T>
[[nodiscard]] auto csr_from(Range&& rows, columns_of<U, I, W, T> const& columns, csr_options const& options = {}) {
    return recsys::csr_from(std::ranges::begin(rows), std::ranges::end(rows), columns, options);
}
/// The same from a range whose elements have `user`, `item` and `value`, such as `matrix_entry<float>`.
template <std::ranges::input_range Range> [[nodiscard]] auto csr_from(Range&& rows, csr_options const& options = {}) {
    using row = std::remove_cvref_t<std::ranges::range_reference_t<Range>>;
    constexpr bool has_members = requires(row const& r) { r.user, r.item, r.value; };
    static_assert(has_members,
                  "csr_from: the rows have no members user, item, value; say which is which: csr_from(rows, columns().user(...)...)");
    return recsys::csr_from(std::ranges::begin(rows), std::ranges::end(rows),
                            columns().user(&row::user).item(&row::item).weight(&row::value), options);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
