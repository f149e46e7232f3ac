// SPDX-License-Identifier: MIT
// Metrics of ranked lists against what was relevant, each a function of any two ranges.
#ifndef RECSYS_METRICS_RANKING_HPP
#define RECSYS_METRICS_RANKING_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/measures.hpp>
#include <recsys/core/types.hpp>
#include <recsys/metrics/hits.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// What the metrics of hits have in common: `metric(k)(shown, relevant)`, also on two pairs of iterators.
///
/// `shown` is a list, best first, of which the first k count; `relevant` a set: repeated ids in it count once, and an item that is shown again
/// hits only once but takes its place. Nothing relevant gives 0. Ids of any types that compare with ==.
template <class Metric> class hit_metric : public hit_metric_tag {
public:
    /// @throws option_error  for k = 0.
    explicit hit_metric(natural places) : k(detail::checked_k(places, Metric::word)) {}

    std::size_t k;
    /// As it is printed: the word and k.
    std::string name() const { return concat(Metric::word, '@', k); }

    template <class Shown, class Relevant> double operator()(Shown const& shown, Relevant const& relevant) const {
        if constexpr (comparable_items<Shown, Relevant>())
            return Metric::value(
                hits_of(std::ranges::begin(shown), std::ranges::end(shown), std::ranges::begin(relevant), std::ranges::end(relevant), k),
                k);
        else return 0;
    }
    template <std::input_iterator A, std::sentinel_for<A> AEnd, std::input_iterator B, std::sentinel_for<B> BEnd>
    double operator()(A first, AEnd last, B relevant_first, BEnd relevant_last) const {
        if constexpr (comparable_ids<std::iter_value_t<A>, std::iter_value_t<B>>())
            return Metric::value(hits_of(std::move(first), std::move(last), std::move(relevant_first), std::move(relevant_last), k), k);
        else return 0;
    }
    double of(hit_list const& hits) const { return Metric::value(hits, k); }
};

/// The gain of an ideal list with n hits.
inline double ideal_gain(std::size_t n) {
    double sum = 0;
    for (std::size_t place = 0; place < n; ++place) sum += rank_discount(place);
    return sum;
}
inline double sum_of_precisions(hit_list const& hits) {
    double sum = 0;
    for (std::size_t i = 0; i < hits.places.size(); ++i) sum += static_cast<double>(i + 1) / static_cast<double>(hits.places[i] + 1);
    return sum;
}

}

/// Hits / k, also where fewer than k were shown.
class precision : public detail::hit_metric<precision> {
public:
    using hit_metric::hit_metric;
    static constexpr std::string_view word = "precision";
    static double value(hit_list const& hits, std::size_t places) {
        return static_cast<double>(hits.places.size()) / static_cast<double>(places);
    }
};

/// Hits / number of relevant items, also where that is above k.
class recall : public detail::hit_metric<recall> {
public:
    using hit_metric::hit_metric;
    static constexpr std::string_view word = "recall";
    static double value(hit_list const& hits, std::size_t) {
        return hits.relevant == 0 ? 0 : static_cast<double>(hits.places.size()) / static_cast<double>(hits.relevant);
    }
};

/// Discounted gain, 1 / log2(rank + 1) a hit with ranks from 1, over that of an ideal list of min(k, relevant) hits.
/// Source: Järvelin, Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002); as RecTools with divide_by_achievable.
class ndcg : public detail::hit_metric<ndcg> {
public:
    using hit_metric::hit_metric;
    static constexpr std::string_view word = "ndcg";
    static double value(hit_list const& hits, std::size_t places) {
        if (hits.relevant == 0) return 0;
        double gain = 0;
        for (auto const place : hits.places) gain += detail::rank_discount(place);
        return gain / detail::ideal_gain(std::min(places, hits.relevant));
    }
};

/// Sum of the precisions at the hits / number of relevant items, as ranx and RecTools. Its mean over users prints as `map@k`.
class average_precision : public detail::hit_metric<average_precision> {
public:
    using hit_metric::hit_metric;
    static constexpr std::string_view word = "map";
    static double value(hit_list const& hits, std::size_t) {
        return hits.relevant == 0 ? 0 : detail::sum_of_precisions(hits) / static_cast<double>(hits.relevant);
    }
};

/// Sum of the precisions at the hits / min(k, number of relevant items): 1 for a list of hits alone. Prints as `map_min@k`.
class average_precision_min : public detail::hit_metric<average_precision_min> {
public:
    using hit_metric::hit_metric;
    static constexpr std::string_view word = "map_min";
    static double value(hit_list const& hits, std::size_t places) {
        return hits.relevant == 0 ? 0 : detail::sum_of_precisions(hits) / static_cast<double>(std::min(places, hits.relevant));
    }
};

/// 1 / rank of the first hit, 0 without one within k. Its mean over users prints as `mrr@k`.
class reciprocal_rank : public detail::hit_metric<reciprocal_rank> {
public:
    using hit_metric::hit_metric;
    static constexpr std::string_view word = "mrr";
    static double value(hit_list const& hits, std::size_t) {
        return hits.places.empty() ? 0 : 1 / static_cast<double>(hits.places.front() + 1);
    }
};

/// Whether there is a hit within k, as 1 or 0.
class hit_rate : public detail::hit_metric<hit_rate> {
public:
    using hit_metric::hit_metric;
    static constexpr std::string_view word = "hit_rate";
    static double value(hit_list const& hits, std::size_t) { return hits.places.empty() ? 0 : 1; }
};

/// Row numbers by score, best first; equal scores by the smaller row, whatever their labels: makes lists of scored rows.
/// @throws data_error naming the row of a score that is not a number.
template <std::ranges::random_access_range Scores> std::vector<std::size_t> scored_order(Scores const& scores) {
    auto const first = std::ranges::begin(scores);
    std::vector<std::size_t> order(static_cast<std::size_t>(std::ranges::end(scores) - first));
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto const at = [&](std::size_t row) { return first[static_cast<std::ranges::range_difference_t<Scores const>>(row)]; };
    for (auto const row : order)
        if (at(row) != at(row)) detail::throw_data("scored_order: the score of row ", row, " is not a number");
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return at(a) > at(b); });
    return order;
}

/// NDCG of graded gains: `graded_ndcg(k)(scores, gains)` for rows of one list; both sides are cut at k, the gain is linear, nothing to gain
/// gives 0. @throws data_error for lengths that differ, a negative gain, or a score that is not a number.
class graded_ndcg {
public:
    explicit graded_ndcg(natural places) : k(detail::checked_k(places, "graded_ndcg")) {}
    std::size_t k;

    template <std::ranges::random_access_range Scores, std::ranges::input_range Gains>
    double operator()(Scores const& scores, Gains const& gains) const {
        std::vector<double> gain;
        for (auto const& g : gains) gain.push_back(static_cast<double>(g));
        auto const order = scored_order(scores);
        if (gain.size() != order.size()) detail::throw_data("graded_ndcg: ", order.size(), " scores and ", gain.size(), " gains");
        for (std::size_t row = 0; row < gain.size(); ++row)
            if (!(gain[row] >= 0 && std::isfinite(gain[row])))
                detail::throw_data("graded_ndcg: the gain of row ", row, " is ", gain[row], ", expected a finite number from 0");
        double actual = 0, ideal = 0;
        for (std::size_t place = 0; place < std::min(k, order.size()); ++place) actual += gain[order[place]] * detail::rank_discount(place);
        std::sort(gain.begin(), gain.end(), std::greater<>());
        for (std::size_t place = 0; place < std::min(k, gain.size()); ++place) ideal += gain[place] * detail::rank_discount(place);
        return ideal > 0 ? actual / ideal : 0;
    }
};

/// The mean of `graded_ndcg(k)` over groups of rows, which need not be neighbours: rows of equal ids are one group, in the order of first rows.
/// @throws data_error for lengths that differ.
template <class Group>
double grouped_ndcg(std::vector<Group> const& groups, std::vector<double> const& scores, std::vector<double> const& gains, natural k) {
    if (groups.size() != scores.size() || groups.size() != gains.size())
        detail::throw_data("grouped_ndcg: ", groups.size(), " groups, ", scores.size(), " scores and ", gains.size(),
                           " gains do not go together");
    std::vector<std::size_t> rows(groups.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return groups[a] < groups[b]; });
    graded_ndcg const metric(k);
    double sum = 0;
    std::size_t n_groups = 0;
    for (std::size_t first = 0, last = 0; first < rows.size(); first = last, ++n_groups) {
        std::vector<double> s, g;
        for (; last < rows.size() && groups[rows[last]] == groups[rows[first]]; ++last)
            s.push_back(scores[rows[last]]), g.push_back(gains[rows[last]]);
        sum += metric(s, g);
    }
    return n_groups == 0 ? 0 : sum / static_cast<double>(n_groups);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
