// SPDX-License-Identifier: MIT
// What can recommend: the contracts that models fill and that users may fill with types of their own.
#ifndef RECSYS_RETRIEVAL_SCORER_HPP
#define RECSYS_RETRIEVAL_SCORER_HPP

#include <recsys/core/push_macros.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/retrieval/lists.hpp>
#include <recsys/retrieval/recommend_options.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Scores the whole catalogue: `score(user, out)` writes one number for each item, n_items() of them; higher is better.
///
/// Called from several threads at once, through const. Minus infinity means "never list it"; NaN for an item that could be listed is a data_error.
/// Optional members: `score(user, items, out)` for some items only; `knows(item_index)`, else every item below n_items() is listed;
/// `knows(user_index)`, else every user is known (a user who is not gets an empty list); `n_users()`, else any user may be asked for;
/// `provenance()` or `as_of()`, which are compared with what was seen and with the truth; `ranking()`, of scorers that say the same of an item to
/// every user: a span of all scored items that it knows, best first, equal scores in the order of the items. Lists are then read off it.
template <class S>
concept scorer = requires(S const& s, user_index u, std::span<float> out) {
    { s.n_items() } -> std::convertible_to<std::size_t>;
    s.score(u, out);
};

/// Gives lists for a block of users, one a user and in their order: two_stage, candidates, anything that cannot score the whole catalogue.
/// It applies `k`, `allow`, `deny` and `keep_if` itself; what the user has seen has become a part of `keep_if`.
template <class R>
concept lister = requires(R const& r, std::span<user_index const> block, recommend_options const& options) {
    { r.recommend_block(block, options) } -> std::same_as<lists>;
};

/// What `recommend`, pools, fallbacks and tables take.
template <class R>
concept recommender = scorer<R> || lister<R>;

/// Takes blocks of lists; returns nothing, or bool, where false stops.
template <class S>
concept sink = std::invocable<S&, lists const&>;

/// The type that is meant where something is kept by copy or given as `std::cref(x)`.
template <class T> struct unwrap { using type = T; };
template <class T> struct unwrap<std::reference_wrapper<T>> { using type = std::remove_const_t<T>; };
template <class T> using unwrap_t = typename unwrap<std::remove_cvref_t<T>>::type;

/// Any range of user_index, single-pass ranges included.
template <class R>
concept user_range = std::ranges::input_range<R const> && std::same_as<std::ranges::range_value_t<R const>, user_index>;

namespace detail {

/// Also scores some items alone.
template <class S>
concept candidate_scorer = scorer<S> && requires(S const& s, user_index u, std::span<item_index const> items, std::span<float> out) {
    s.score(u, items, out);
};

/// Says the same to every user.
template <class S>
concept ranked_scorer = scorer<S> && requires(S const& s) {
    { s.ranking() } -> std::convertible_to<std::span<scored const>>;
};

template <class R> constexpr bool knows_of(R const& r, user_index user) {
    if constexpr (requires {
                      { r.knows(user) } -> std::convertible_to<bool>;
                  })
        return r.knows(user);
    else return true;
}
template <class R> constexpr bool knows_of(R const& r, item_index item) {
    if constexpr (requires {
                      { r.knows(item) } -> std::convertible_to<bool>;
                  })
        return r.knows(item);
    else return true;
}

/// How many users may be asked for, if the recommender says so.
template <class R> std::optional<std::size_t> user_count(R const& r) {
    if constexpr (requires {
                      { r.n_users() } -> std::convertible_to<std::optional<std::size_t>>;
                  })
        return r.n_users();
    else return {};
}
template <class R> std::optional<std::size_t> item_count(R const& r) {
    if constexpr (requires {
                      { r.n_items() } -> std::convertible_to<std::optional<std::size_t>>;
                  })
        return r.n_items();
    else return {};
}

/// What something was made from, as far as it says.
template <class T> recsys::provenance provenance_of(T const& value) {
    if constexpr (requires {
                      { value.provenance() } -> std::convertible_to<recsys::provenance>;
                  })
        return value.provenance();
    else if constexpr (requires {
                           { value.as_of() } -> std::convertible_to<std::optional<time_point>>;
                       })
        return {0, 0, value.as_of()};
    else return {};
}

/// What of several things was made before: their encoders, where known, and the latest of their moments.
inline void join_provenance(recsys::provenance& all, recsys::provenance const& one) {
    if (all.users == 0) all.users = one.users;
    if (all.items == 0) all.items = one.items;
    all.as_of = later(all.as_of, one.as_of);
}

/// What is odd about lists of k, as far as a recommender says.
template <class R> std::vector<std::string> warnings_of(R const& r, std::size_t k) {
    if constexpr (requires {
                      { r.warnings(natural(k)) } -> std::convertible_to<std::vector<std::string>>;
                  })
        return r.warnings(natural(k));
    else return {};
}

/// @throws data_error  naming the first user who is past the end, and his place in the range.
inline void check_users(std::string_view where, std::span<user_index const> users, std::optional<std::size_t> n_users,
                        std::string_view whose) {
    if (!n_users) return;
    for (std::size_t i = 0; i < users.size(); ++i)
        if (to_size(users[i]) >= *n_users)
            throw_data(where, ": user ", to_size(users[i]), " at position ", i, ", expected below ", *n_users, ", the number of users of ",
                       whose);
}

/// @throws data_error  naming the largest item that is past the end.
inline void check_item_set(std::string_view where, std::string_view what, item_set const& items, std::optional<std::size_t> n_items) {
    if (!n_items || items.empty()) return;
    auto const largest = to_size(items.items().back());
    if (largest >= *n_items) throw_data(where, ": item ", largest, " of ", what, ", expected below ", *n_items, ", the number of items");
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
