// SPDX-License-Identifier: MIT
// The metrics of the notebook that this pipeline stands for, as it defines them: to print beside ours, not to decide by.
#ifndef RECSYS_METRICS_SOURCE_DEFINITIONS_HPP
#define RECSYS_METRICS_SOURCE_DEFINITIONS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/truth.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/metrics/beyond_accuracy.hpp>
#include <recsys/metrics/hits.hpp>
#include <recsys/metrics/ranking.hpp>
#include <recsys/retrieval/eligible.hpp>
#include <recsys/retrieval/lists.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Hits / recommended: k only where the list is full; 0 for an empty list. Prints as `source_precision@k`.
class source_precision : public detail::hit_metric<source_precision> {
public:
    using hit_metric::hit_metric;
    static constexpr std::string_view word = "source_precision";
    static double value(hit_list const& hits, std::size_t) {
        return hits.listed == 0 ? 0 : static_cast<double>(hits.places.size()) / static_cast<double>(hits.listed);
    }
};

/// Distinct items in the first k of all lists / number of lists that are not empty: not a share, it may be above 1. 0 without lists.
class source_coverage {
public:
    explicit source_coverage(natural places) : k(detail::checked_k(places, "source_coverage")) {}
    std::size_t k;
    std::string name() const { return "source_coverage"; }

    /// @param lists  a range of ranges of ids.
    template <class Lists> double operator()(Lists const& lists) const {
        return (*this)(std::ranges::begin(lists), std::ranges::end(lists));
    }
    template <std::input_iterator A, std::sentinel_for<A> AEnd> double operator()(A first, AEnd last) const {
        std::vector<detail::id_value_t<std::ranges::range_value_t<std::iter_value_t<A>>>> shown;
        std::size_t n_lists = 0;
        for (; first != last; ++first) {
            auto const& list = *first;
            auto at = std::ranges::begin(list);
            n_lists += at != std::ranges::end(list);
            for (std::size_t place = 0; place < k && at != std::ranges::end(list); ++place, ++at) shown.push_back(*at);
        }
        return n_lists == 0 ? 0 : static_cast<double>(detail::distinct(std::move(shown)).size()) / static_cast<double>(n_lists);
    }
};

struct source_options {
    natural k = 5;              ///< of precision, recall and novelty
    natural coverage_depth = 5; ///< how many places of a list coverage looks at
};
struct source_metrics {
    double precision = 0; ///< mean over users with a list of hits / recommended (not / k)
    double recall = 0;    ///< mean over the same users of hits / size of the truth, 0 where that is empty
    double coverage = 0;  ///< distinct items recommended / users with a list: not a share, it may be above 1
    double novelty = 0;   ///< 1 - mean share of the list that the user had before
    std::size_t users = 0;
};

/// The truth is all that the user took, seen or not; users are those with a list. No leak is looked for: the source has them.
/// @throws option_error  for k or coverage_depth of 0.
/// @throws data_error    where lists, truth and seen were made with other ids, a row of seen does not rise, or an item is past the end.
/// O(slots log).
template <class Seen> [[nodiscard]] source_metrics judge_by_source(lists const& given, truth const& labels, Seen const& seen,
                                                                   source_options const& options = {}) {
    constexpr bool says_seen = seen_items<Seen>;
    static_assert(says_seen, "judge_by_source: the third argument says what was seen: user_items(...)");
    std::size_t const k = detail::checked_k(options.k, "judge_by_source"),
                      depth = detail::checked_k(options.coverage_depth, "judge_by_source: coverage_depth");
    detail::check_same_encoders("judge_by_source", "what was listed", given.provenance(), labels.provenance());
    detail::check_same_encoders("judge_by_source", "what was seen", detail::provenance_of(seen), labels.provenance());
    source_metrics out;
    std::vector<bool> is_shown(labels.n_items());
    hit_list hits;
    std::vector<item_index> shown;
    for (auto const& [user, list] : given) {
        if (list.empty()) continue;
        ++out.users;
        shown.clear();
        for (auto const& one : list) shown.push_back(one.item);
        detail::find_hits(shown, labels.items(user), k, hits);
        out.precision += source_precision::value(hits, k);
        out.recall += recall::value(hits, k);
        detail::check_seen_rises("judge_by_source", seen, std::span<user_index const>(&user, 1));
        auto const& row = seen.seen(user); // may be returned by value
        detail::find_hits(shown, row, k, hits);
        out.novelty += novelty(k).of(hits);
        for (auto const item : std::span<item_index const>(shown).first(std::min(depth, shown.size()))) {
            if (to_size(item) >= is_shown.size())
                detail::throw_data("judge_by_source: item ", to_size(item), ", there are ", is_shown.size());
            is_shown[to_size(item)] = true;
        }
    }
    if (out.users == 0) return out;
    auto const n = static_cast<double>(out.users);
    out.precision /= n, out.recall /= n, out.novelty /= n;
    out.coverage = static_cast<double>(std::count(is_shown.begin(), is_shown.end(), true)) / n;
    return out;
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
