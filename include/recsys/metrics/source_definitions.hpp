// SPDX-License-Identifier: MIT
// The metrics of the notebook that this pipeline stands for, as it defines them: to print beside ours, not to decide by.
#ifndef RECSYS_METRICS_SOURCE_DEFINITIONS_HPP
#define RECSYS_METRICS_SOURCE_DEFINITIONS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/truth.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/metrics/beyond_accuracy.hpp>
#include <recsys/metrics/hits.hpp>
#include <recsys/metrics/ranking.hpp>
#include <recsys/retrieval/lists.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

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

/// The truth is all that the user took, seen or not; users are those with a list. O(slots log).
template <class Seen> [[nodiscard]] source_metrics judge_by_source(lists const& given, truth const& labels, Seen const& seen,
                                                                   source_options const& options = {}) {
    constexpr bool says_seen = seen_items<Seen>;
    static_assert(says_seen, "judge_by_source: the third argument says what was seen: user_items(...)");
    std::size_t const k = detail::checked_k(options.k, "judge_by_source"),
                      depth = detail::checked_k(options.coverage_depth, "judge_by_source: coverage_depth");
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
        out.precision += static_cast<double>(hits.places.size()) / static_cast<double>(hits.listed);
        out.recall += recall::value(hits, k);
        std::span<item_index const> const had = seen.seen(user);
        detail::find_hits(shown, had, k, hits);
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
