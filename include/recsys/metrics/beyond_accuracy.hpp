// SPDX-License-Identifier: MIT
// What lists are like beside their hits: how much of the catalogue they show, how new it is to the user, how unknown to everybody.
#ifndef RECSYS_METRICS_BEYOND_ACCURACY_HPP
#define RECSYS_METRICS_BEYOND_ACCURACY_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/metrics/hits.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Distinct items in the first k of all lists / size of the catalogue. Items that are not in the catalogue do not count. Prints as `coverage`.
class coverage {
public:
    explicit coverage(natural places) : k(detail::checked_k(places, "coverage")) {}
    std::size_t k;
    std::string name() const { return "coverage"; }

    /// @param lists  a range of ranges of ids. @throws data_error for an empty catalogue.
    template <class Lists, class Catalogue> double operator()(Lists const& lists, Catalogue const& catalogue) const {
        return (*this)(std::ranges::begin(lists), std::ranges::end(lists), std::ranges::begin(catalogue), std::ranges::end(catalogue));
    }
    template <std::input_iterator A, std::sentinel_for<A> AEnd, std::input_iterator B, std::sentinel_for<B> BEnd>
    double operator()(A first, AEnd last, B catalogue_first, BEnd catalogue_last) const {
        using id = detail::id_value_t<std::iter_value_t<B>>;
        std::vector<id> known;
        for (; catalogue_first != catalogue_last; ++catalogue_first) known.push_back(*catalogue_first);
        known = detail::distinct(std::move(known));
        if (known.empty()) detail::throw_data("coverage: the catalogue is empty");
        std::vector<bool> is_shown(known.size());
        for (; first != last; ++first) mark(*first, known, is_shown);
        return static_cast<double>(std::count(is_shown.begin(), is_shown.end(), true)) / static_cast<double>(known.size());
    }

private:
    template <class List, class Id> void mark(List const& list, std::vector<Id> const& known, std::vector<bool>& is_shown) const {
        auto at = std::ranges::begin(list);
        using shown_id = detail::id_value_t<std::iter_value_t<decltype(at)>>;
        if constexpr (detail::comparable_ids<shown_id, Id>())
            for (std::size_t place = 0; place < k && at != std::ranges::end(list); ++place, ++at) {
                shown_id const& shown = *at;
                auto const found = detail::place_of_id(known, shown);
                if (found < known.size()) is_shown[found] = true;
            }
    }
};

/// How unevenly the first k of all lists use the items: the Gini index of how often each item of the catalogue is shown; 0 = all equally often,
/// near 1 = a few items all the time. Prints as `gini@k`.
class gini {
public:
    explicit gini(natural places) : k(detail::checked_k(places, "gini")) {}
    std::size_t k;
    std::string name() const { return detail::concat("gini@", k); }

    /// @param counts  how often each item was shown. 0 where nothing was. O(n log n).
    static double of_counts(std::vector<std::uint64_t> counts) {
        std::sort(counts.begin(), counts.end());
        double weighted = 0, total = 0;
        auto const n = static_cast<double>(counts.size());
        for (std::size_t i = 0; i < counts.size(); ++i) {
            weighted += (2 * static_cast<double>(i + 1) - n - 1) * static_cast<double>(counts[i]);
            total += static_cast<double>(counts[i]);
        }
        return total > 0 ? weighted / (n * total) : 0;
    }
};

/// 1 - the share of the first k of a list that the user had in the past; 0 for an empty list. 1 by construction where seen items are left out.
class novelty {
public:
    explicit novelty(natural places) : k(detail::checked_k(places, "novelty")) {}
    std::size_t k;
    std::string name() const { return detail::concat("novelty@", k); }

    template <class Shown, class Past> double operator()(Shown const& shown, Past const& past) const {
        if constexpr (detail::comparable_items<Shown, Past>())
            return of(
                detail::hits_of(std::ranges::begin(shown), std::ranges::end(shown), std::ranges::begin(past), std::ranges::end(past), k));
        else return 0;
    }
    template <std::input_iterator A, std::sentinel_for<A> AEnd, std::input_iterator B, std::sentinel_for<B> BEnd>
    double operator()(A first, AEnd last, B past_first, BEnd past_last) const {
        if constexpr (detail::comparable_ids<std::iter_value_t<A>, std::iter_value_t<B>>())
            return of(detail::hits_of(std::move(first), std::move(last), std::move(past_first), std::move(past_last), k));
        else return 0;
    }
    /// @param had  the list against the user's past.
    double of(hit_list const& had) const {
        return had.listed == 0 ? 0 : 1 - static_cast<double>(had.places.size()) / static_cast<double>(had.listed);
    }
};

/// Mean self-information, in bits, of the first k of a list: -log2(users of the item / all users); 0 for an empty list. An item that nobody has had
/// counts as if one user had, so that the value is finite. Source: Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender
/// systems" (2010).
class novelty_bits {
public:
    explicit novelty_bits(natural places) : k(detail::checked_k(places, "novelty_bits")) {}
    std::size_t k;
    std::string name() const { return detail::concat("novelty_bits@", k); }

    /// @param users_of  for an id, how many users have had it. @throws data_error for n_users = 0.
    template <class Shown, class Count> double operator()(Shown const& shown, Count const& users_of, std::size_t n_users) const {
        return (*this)(std::ranges::begin(shown), std::ranges::end(shown), users_of, n_users);
    }
    template <std::input_iterator A, std::sentinel_for<A> AEnd, class Count>
    double operator()(A first, AEnd last, Count const& users_of, std::size_t n_users) const {
        if (n_users == 0) detail::throw_data("novelty_bits: there are no users in the past");
        double sum = 0;
        std::size_t n = 0;
        for (; n < k && first != last; ++first, ++n)
            sum -= std::log2(std::max(static_cast<double>(users_of(*first)), 1.0) / static_cast<double>(n_users));
        return n == 0 ? 0 : sum / static_cast<double>(n);
    }
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
