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
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/columns.hpp>
#include <recsys/data/events.hpp>
#include <recsys/matrix/counting_sort.hpp>
#include <recsys/matrix/csr.hpp>

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

/// A row's entries sorted by item, equal items in their old order. One for each thread. O(row).
template <class Value> class row_sorter {
public:
    void sort(item_index* items, Value* values, std::size_t n) {
        if (std::is_sorted(items, items + n)) return;
        m_keys.resize(2 * n), m_values.assign(values, values + n);
        auto* keys = m_keys.data();
        std::uint64_t all_bits = 0;
        for (std::size_t i = 0; i < n; ++i) keys[i] = std::uint64_t{to_size(items[i])} << 32 | i, all_bits |= keys[i];
        if (n <= 128) std::sort(keys, keys + n);
        else keys = radix_sort(keys, n, static_cast<std::uint32_t>(all_bits >> 32));
        for (std::size_t i = 0; i < n; ++i) {
            items[i] = static_cast<item_index>(keys[i] >> 32);
            values[i] = m_values[static_cast<std::size_t>(keys[i] & 0xffffffffu)];
        }
    }

private:
    /// By eleven bits at a time, the lowest first. Returns where the sorted keys are.
    std::uint64_t* radix_sort(std::uint64_t* from, std::size_t n, std::uint32_t all_bits) {
        std::uint64_t* to = from + n;
        for (unsigned shift = 0; shift < 32 && all_bits >> shift != 0; shift += 11, std::swap(from, to)) {
            auto const digit = [&](std::uint64_t key) { return static_cast<std::size_t>(key >> 32 >> shift & 2047u); };
            std::size_t next[2049] = {};
            for (std::size_t i = 0; i < n; ++i) ++next[digit(from[i]) + 1];
            for (std::size_t d = 1; d < 2048; ++d) next[d] += next[d - 1];
            for (std::size_t i = 0; i < n; ++i) to[next[digit(from[i])]++] = from[i];
        }
        return from;
    }

    std::vector<std::uint64_t> m_keys;
    std::vector<Value> m_values;
};

/// Rows sorted by user and item; equal pairs in their old order. O(rows + users).
template <class Value> entries_by<item_index, Value> sort_triplets(team& workers, triplets<Value> const& rows) {
    for (std::size_t i = 0; i < rows.items.size(); ++i) check_key(rows.items, i, rows.n_items, "csr", "item");
    auto const scan = [&](std::size_t first, std::size_t last, auto const& sink) {
        for (std::size_t i = 0; i < rows.users.size(); ++i)
            if (to_size(rows.users[i]) - first < last - first)
                sink(to_size(rows.users[i]), rows.items[i], rows.values.empty() ? Value{1} : rows.values[i]);
    };
    std::vector<row_sorter<Value>> sorters(workers.size());
    return group_by_key<item_index, Value>(workers, count_offsets(workers, rows.users, rows.n_users, "csr", "user"), scan,
                                           [&](auto& out, std::size_t user, std::size_t worker) {
                                               sorters[worker].sort(out.minor.data() + out.first(user), out.values.data() + out.first(user),
                                                                    out.first(user + 1) - out.first(user));
                                           });
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

inline constexpr std::size_t users_per_merge = 1024;

/// The first entry after `i` of another pair, within a row that ends at `end`.
inline std::size_t end_of_pair(std::span<item_index const> items, std::size_t i, std::size_t end) {
    auto const item = items[i];
    while (i < end && items[i] == item) ++i;
    return i;
}

/// How many pairs each user has, as offsets of the merged rows. @throws data_error for a pair that comes twice under `duplicates::error`.
template <class Value>
buffer<std::int64_t> count_pairs(team& workers, entries_by<item_index, Value> const& rows, recsys::duplicates policy) {
    buffer<std::int64_t> out(rows.offsets.size(), 0);
    workers.blocks(out.size() - 1, users_per_merge, [&](std::size_t first, std::size_t last, std::size_t) {
        for (std::size_t user = first; user < last; ++user)
            for (auto i = static_cast<std::size_t>(rows.offsets[user]), end = static_cast<std::size_t>(rows.offsets[user + 1]); i < end;) {
                auto const next = end_of_pair(rows.minor.span(), i, end);
                if (next - i > 1 && policy == duplicates::error)
                    throw_data("csr: user ", user, " and item ", to_size(rows.minor[i]), " come ", next - i,
                               " times; choose another policy for duplicates to merge them");
                ++out[user + 1], i = next;
            }
    });
    for (std::size_t user = 1; user < out.size(); ++user) out[user] += out[user - 1];
    return out;
}

/// One entry of each pair.
template <class Value> entries_by<item_index, Value> merge_pairs(team& workers, entries_by<item_index, Value> rows,
                                                                 buffer<std::int64_t> offsets, recsys::duplicates policy) {
    std::size_t const n_users = offsets.size() - 1;
    auto const n_pairs = static_cast<std::size_t>(offsets[n_users]);
    entries_by<item_index, Value> out{std::move(offsets), buffer<item_index>(n_pairs), buffer<Value>(n_pairs)};
    workers.blocks(n_users, users_per_merge, [&](std::size_t first, std::size_t last, std::size_t) {
        auto at = static_cast<std::size_t>(out.offsets[first]);
        for (std::size_t user = first; user < last; ++user)
            for (auto i = static_cast<std::size_t>(rows.offsets[user]), end = static_cast<std::size_t>(rows.offsets[user + 1]); i < end;
                 ++at) {
                auto const next = end_of_pair(rows.minor.span(), i, end);
                out.minor[at] = rows.minor[i];
                out.values[at] = next - i > 1 ? merged_value<Value>(rows.values.span().subspan(i, next - i), policy) : rows.values[i];
                i = next;
            }
    });
    return out;
}

/// @param release  called when the rows have been read for the last time.
template <class Value, class Release> basic_csr<Value> build_csr(triplets<Value> const& rows, recsys::duplicates policy,
                                                                 recsys::provenance const& from, run_options const& run, Release release) {
    team workers(run.threads);
    std::size_t const n_users = rows.n_users;
    auto sorted = sort_triplets(workers, rows);
    release();
    matrix_report report;
    auto offsets = count_pairs(workers, sorted, policy);
    report.merged = sorted.minor.size() - static_cast<std::size_t>(offsets[n_users]);
    if (report.merged != 0) sorted = merge_pairs(workers, std::move(sorted), std::move(offsets), policy);
    return basic_csr<Value>(n_users, rows.n_items, std::move(sorted.offsets), std::move(sorted.minor), std::move(sorted.values), from,
                            report);
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

/// The values of the rows: the events' own weights where these serve as they are, else made in `made`.
template <class Value> std::span<Value const> event_values(events const& rows, matrix_options const& options, buffer<Value>& made) {
    auto const factors = options.half_life ? decays(rows, *options.half_life, "user_items") : buffer<double>();
    auto const weights = rows.event_weights();
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (!std::isfinite(weights[i]))
            throw_data("user_items: the weight of event ", i, " (in time order) is ", weights[i], ", expected a finite number");
    if constexpr (std::is_same_v<Value, float>)
        if (factors.empty()) return weights;
    if (weights.empty() && factors.empty()) return {};
    made = buffer<Value>(rows.size());
    for (std::size_t i = 0; i < made.size(); ++i) {
        auto const weight = static_cast<double>(rows.weight(i));
        made[i] = static_cast<Value>(factors.empty() ? weight : weight * factors[i]);
    }
    return made.span();
}

}

/// The matrix of users x items of some events: a value is the weight of the pair's rows, by default their sum (so the play count where no
/// weight was named).
///
/// Rows hold every pair that occurs, also where its value is 0: stored zeros count as seen, models skip them, and `report()` says how many
/// there are, as it does for merged rows. Values are `float` or wider: `user_items<double>(events)`.
/// @throws data_error  for a value that is not finite, for duplicates under `duplicates::error`, for a half life without times.
/// Cost: O(events + users + items), by all threads. Peak: 9 bytes a row (float) besides the events, 16 where pairs merge.
template <class Value = float> [[nodiscard]] basic_csr<Value> user_items(events const& past, matrix_options const& options = {}) {
    static_assert(std::is_arithmetic_v<Value> && detail::keeps_values<float, Value>(),
                  "user_items: weights are float, and this value type would change them; take float or double");
    detail::progress_reporter progress(options.run.progress, "user_items", past.size());
    progress.report_or_throw(0);
    detail::buffer<Value> made;
    auto const values = detail::event_values<Value>(past, options, made);
    auto out = detail::build_csr<Value>({past.event_users(), past.event_items(), values, past.n_users(), past.n_items()},
                                        options.duplicates, past.provenance(), options.run, [] {});
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
/// is converted. Without a weight column every value is 1.f. A single pass over the range is enough; O(rows + users + items). Peak: 21 bytes
/// a row (float).
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
    if constexpr (std::sized_sentinel_for<End, It>) {
        auto const n = static_cast<std::size_t>(last - first);
        users.reserve(n), items.reserve(n);
        if constexpr (!std::same_as<W, detail::no_column>) values.reserve(n);
    }
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
    auto const release = [&] { users = std::vector<user_index>(), items = std::vector<item_index>(), values = std::vector<value_type>(); };
    return detail::build_csr<value_type>({users, items, values, n_users, n_items}, options.duplicates, {}, options.run, release);
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
