// SPDX-License-Identifier: MIT
// Where a list hits what was relevant: what every ranking metric is computed from.
#ifndef RECSYS_METRICS_HITS_HPP
#define RECSYS_METRICS_HITS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// The first k of one list against what was relevant.
struct hit_list {
    std::vector<std::size_t> places; ///< of the hits, from 0, rising, all below k; an item that is listed again hits only once
    std::size_t listed = 0;          ///< how many of the k places are filled
    std::size_t relevant = 0;        ///< distinct relevant items
};

namespace detail {

/// Equal as values: -1 is not 2^32 - 1.
template <class A, class B> bool same_item(A const& a, B const& b) {
    constexpr bool plain = std::integral<A> && std::integral<B> && !std::same_as<A, bool> && !std::same_as<B, bool>;
    if constexpr (plain) {
        if constexpr (std::is_signed_v<A> == std::is_signed_v<B>) return a == b;
        else if constexpr (std::is_signed_v<A>) return a >= 0 && static_cast<std::make_unsigned_t<A>>(a) == b;
        else return b >= 0 && a == static_cast<std::make_unsigned_t<B>>(b);
    } else return a == b;
}

/// The order that goes with same_item.
template <class A, class B> bool less_item(A const& a, B const& b) {
    constexpr bool plain = std::integral<A> && std::integral<B> && !std::same_as<A, bool> && !std::same_as<B, bool>;
    if constexpr (plain) {
        if constexpr (std::is_signed_v<A> == std::is_signed_v<B>) return a < b;
        else if constexpr (std::is_signed_v<A>) return a < 0 || static_cast<std::make_unsigned_t<A>>(a) < b;
        else return b >= 0 && a < static_cast<std::make_unsigned_t<B>>(b);
    } else return a < b;
}

/// What an id is kept and compared as: text by its characters, also where it is given by a pointer.
template <class T> struct id_value { using type = T; };
template <> struct id_value<char const*> { using type = std::string_view; };
template <> struct id_value<char*> { using type = std::string_view; };
template <class T> using id_value_t = typename id_value<std::remove_cvref_t<T>>::type;

template <class T> inline constexpr bool is_ordered_id = std::totally_ordered<T> && !std::is_pointer_v<T>;

/// The place of an id among distinct ones, their number if it is not there. By halves where the types have an order.
template <class Id, class Known> std::size_t place_of_id(std::vector<Known> const& known, Id const& id) {
    auto at = known.begin();
    if constexpr (is_ordered_id<Known> && is_ordered_id<Id> && std::totally_ordered_with<Id, Known>) {
        at = std::lower_bound(known.begin(), known.end(), id, [](Known const& a, Id const& b) { return less_item(a, b); });
        if (at != known.end() && !same_item(id, *at)) at = known.end();
    } else at = std::find_if(known.begin(), known.end(), [&](Known const& one) { return same_item(id, one); });
    return static_cast<std::size_t>(at - known.begin());
}

template <class T> std::vector<T> distinct(std::vector<T> values) {
    if constexpr (is_ordered_id<T>) {
        std::sort(values.begin(), values.end());
        values.erase(std::unique(values.begin(), values.end()), values.end());
        return values;
    } else {
        std::vector<T> out;
        for (auto& value : values)
            if (std::find(out.begin(), out.end(), value) == out.end()) out.push_back(std::move(value));
        return out;
    }
}

/// O(|relevant| log |relevant| + k log |relevant|) for ids with an order, O(|relevant| (k + |relevant|)) for others.
template <class A, class AEnd, class B, class BEnd>
hit_list hits_of(A first, AEnd last, B relevant_first, BEnd relevant_last, std::size_t k) {
    std::vector<id_value_t<std::iter_value_t<B>>> relevant;
    for (; relevant_first != relevant_last; ++relevant_first) relevant.push_back(*relevant_first);
    relevant = distinct(std::move(relevant));
    hit_list out;
    out.relevant = relevant.size();
    std::vector<bool> taken(relevant.size());
    for (; out.listed < k && first != last; ++first, ++out.listed) {
        id_value_t<std::iter_value_t<A>> const& shown = *first;
        auto const at = place_of_id(relevant, shown);
        if (at == relevant.size() || taken[at]) continue;
        taken[at] = true;
        out.places.push_back(out.listed);
    }
    return out;
}

/// The same for items whose relevant ones are rising and distinct, without copying them.
inline void find_hits(std::span<item_index const> shown, std::span<item_index const> relevant, std::size_t k, hit_list& out) {
    out.places.clear();
    out.listed = std::min(k, shown.size());
    out.relevant = relevant.size();
    for (std::size_t place = 0; place < out.listed; ++place) {
        bool const is_hit = std::binary_search(relevant.begin(), relevant.end(), shown[place]);
        auto const before = shown.first(place);
        if (is_hit && std::find(before.begin(), before.end(), shown[place]) == before.end()) out.places.push_back(place);
    }
}

/// Marks the metrics that are functions of the hits alone.
struct hit_metric_tag {};

inline std::size_t checked_k(natural k, std::string_view metric) {
    if (k < 1) throw_option(metric, ": k must be at least 1, got 0");
    return k;
}

template <class A, class B> constexpr bool comparable_ids() {
    constexpr bool compare = std::equality_comparable_with<id_value_t<A>, id_value_t<B>>;
    static_assert(compare, "a metric takes two ranges of ids that can be compared with ==");
    return compare;
}
template <class A, class B> constexpr bool comparable_items() {
    constexpr bool are_ranges = std::ranges::input_range<A const&> && std::ranges::input_range<B const&>;
    static_assert(are_ranges, "a metric takes two ranges: the list that was shown, best first, and the relevant items");
    if constexpr (are_ranges) return comparable_ids<std::ranges::range_value_t<A const&>, std::ranges::range_value_t<B const&>>();
    return false;
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
