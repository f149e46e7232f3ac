// SPDX-License-Identifier: MIT
// How many items are listed, which ones are eligible, and what became of the users who were asked for.
#ifndef RECSYS_RETRIEVAL_RECOMMEND_OPTIONS_HPP
#define RECSYS_RETRIEVAL_RECOMMEND_OPTIONS_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <recsys/core/types.hpp>
#include <recsys/data/item_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Who `keep_if` is asked about where the user has no index: a history or a folded-in user.
inline constexpr user_index anonymous_user{0xffffffff};

/// An item is listed iff the recommender knows it, it is in `allow` (if given; given and empty means none), not in `deny`, `keep_if` says yes, and
/// the user has not seen it or `include_seen` is set. Lists are as long as there is something to list, at most k.
struct recommend_options {
    natural k = 10; ///< more than there are items is fine; 0 gives empty lists
    bool include_seen = false;
    std::optional<item_set> allow = {};
    item_set deny = {};
    std::function<bool(user_index, item_index)> keep_if =
        {};               ///< called from several threads at once, and only for items that would be listed
    natural block = 4096; ///< users at a time; changes no result
    run_options run = {};
};

/// What a streaming verb did.
struct stream_report {
    std::size_t users = 0;      ///< given to the sink, also those with an empty list
    std::size_t slots = 0;      ///< items over all lists
    std::size_t empty = 0;      ///< users whose list is empty
    std::size_t cold_users = 0; ///< users whom the recommender does not know
    std::size_t seen_slots = 0; ///< slots taken by items that the user had seen; only with include_seen
    bool stopped = false;       ///< the sink or the progress callback said so
    std::vector<std::string> warnings = {};
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
