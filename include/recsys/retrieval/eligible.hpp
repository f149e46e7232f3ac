// SPDX-License-Identifier: MIT
// Which items may be listed for a user: known, allowed, not denied, kept, not seen. Applied while lists are made, never after.
#ifndef RECSYS_RETRIEVAL_ELIGIBLE_HPP
#define RECSYS_RETRIEVAL_ELIGIBLE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/retrieval/recommend_options.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

inline bool is_among(std::span<item_index const> rising, item_index item) noexcept {
    return std::binary_search(rising.begin(), rising.end(), item);
}

template <class Seen> inline constexpr bool rises_by_construction = std::is_same_v<Seen, nothing_seen_t>;
template <class Value> inline constexpr bool rises_by_construction<basic_csr<Value>> = true;

/// @throws data_error  where what a user has seen, as told by a type of the user's, does not rise: it is searched by halves.
template <class Seen> void check_seen_rises(std::string_view where, Seen const& seen, std::span<user_index const> users) {
    if constexpr (!rises_by_construction<Seen>)
        for (auto const user : users) {
            auto const& row = seen.seen(user); // may be returned by value
            std::span<item_index const> const items = row;
            if (!std::is_sorted(items.begin(), items.end()))
                throw_data(where, ": what user ", to_size(user), " has seen must be in rising order of the items");
        }
}

/// Everything but what was seen: allow, deny, keep_if, and what the recommender knows.
template <class Recommender> bool is_listable(Recommender const& r, recommend_options const& options, user_index user, item_index item) {
    return knows_of(r, item) && !options.deny.contains(item) && (!options.allow || options.allow->contains(item)) &&
           (!options.keep_if || options.keep_if(user, item));
}

/// The same options where what was seen has become a part of keep_if: for recommenders that make lists themselves. Refers to `seen`, whose rows
/// must rise.
template <class Seen> recommend_options leaving_out_seen(recommend_options options, Seen const& seen) {
    if (options.include_seen || std::is_same_v<Seen, nothing_seen_t>) return options;
    options.keep_if = [&seen, keep_if = std::move(options.keep_if)](user_index user, item_index item) {
        auto const& row = seen.seen(user);
        return !is_among(row, item) && (!keep_if || keep_if(user, item));
    };
    return options;
}

/// What does not fit together: encoders of the recommender, of what was seen, of allow and deny; items past the end.
/// @throws data_error
template <class Recommender, class Seen>
void check_options(std::string_view where, Recommender const& r, Seen const& seen, recommend_options const& options) {
    auto const from = provenance_of(r);
    check_same_encoders(where, "what was seen", provenance_of(seen), from);
    auto const n_items = item_count(r);
    check_same_encoders(where, "deny", options.deny.provenance(), from);
    check_item_set(where, "deny", options.deny, n_items);
    if (!options.allow) return;
    check_same_encoders(where, "allow", options.allow->provenance(), from);
    check_item_set(where, "allow", *options.allow, n_items);
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
