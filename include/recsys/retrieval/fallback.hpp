// SPDX-License-Identifier: MIT
// Several recommenders in turn: where one has fewer than k items for a user, the next fills the list up.
#ifndef RECSYS_RETRIEVAL_FALLBACK_HPP
#define RECSYS_RETRIEVAL_FALLBACK_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/retrieval/lists.hpp>
#include <recsys/retrieval/recommend_options.hpp>
#include <recsys/retrieval/recommender.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// Adds to a list, up to k, what it does not hold yet. Scores of different recommenders do not compare, so those that would rise above the list
/// are moved down by one amount.
inline void fill_up(std::vector<scored>& list, std::span<scored const> more, std::size_t k) {
    std::vector<item_index> had;
    for (auto const& one : list) had.push_back(one.item);
    std::sort(had.begin(), had.end());
    bool const is_first = list.empty();
    std::optional<double> down;
    for (auto const& [item, score] : more) {
        if (list.size() >= k) return;
        if (is_among(had, item)) continue;
        if (is_first) {
            list.push_back({item, score});
            continue;
        }
        auto const& last = list.back();
        if (!down) down = std::min(0.0, static_cast<double>(last.score) - static_cast<double>(score));
        auto moved = static_cast<float>(static_cast<double>(score) + *down);
        if (!(moved < last.score) && !(moved == last.score && last.item < item)) // also where rounding made equals of two
            moved = std::nextafter(last.score, -std::numeric_limits<float>::infinity());
        list.push_back({item, moved});
    }
}

class fallback_chain {
public:
    explicit fallback_chain(std::vector<any_recommender> chain) : m_chain(std::move(chain)) {
        for (auto const& one : m_chain) {
            check_same_encoders("fallback", "a recommender", one.provenance(), m_provenance);
            join_provenance(m_provenance, one.provenance());
        }
    }
    lists recommend_block(std::span<user_index const> users, recommend_options const& options) const {
        std::vector<std::vector<scored>> filled(users.size());
        std::vector<user_index> open(users.begin(), users.end());
        std::vector<std::size_t> places(users.size());
        for (std::size_t u = 0; u < users.size(); ++u) places[u] = u;
        for (auto const& one : m_chain) {
            if (open.empty()) break;
            auto const found = one.recommend_block(open, options);
            std::size_t still = 0;
            for (std::size_t i = 0; i < open.size(); ++i) {
                auto& list = filled[places[i]];
                fill_up(list, found[i].list, options.k);
                if (list.size() < options.k) open[still] = open[i], places[still++] = places[i];
            }
            open.resize(still), places.resize(still);
        }
        std::vector<std::size_t> ends;
        std::vector<scored> items;
        for (auto const& list : filled) {
            items.insert(items.end(), list.begin(), list.end());
            ends.push_back(items.size());
        }
        return lists({users.begin(), users.end()}, std::move(ends), std::move(items), m_provenance);
    }
    /// Whether the first of them does: the others stand in.
    bool knows(user_index user) const { return m_chain.front().knows(user); }
    std::optional<std::size_t> n_users() const { return least_users(m_chain); }
    std::optional<std::size_t> n_items() const { return most_items(m_chain); }
    recsys::provenance const& provenance() const& noexcept { return m_provenance; }

private:
    std::vector<any_recommender> m_chain;
    recsys::provenance m_provenance;
};

}

/// The lists of the first recommender, filled up to k by the next ones in turn, no item twice; users whom it does not know get the next one's.
///
/// Scores of a later one are moved down by one amount a user where they would rise above the list before them, so that lists keep their order.
/// Kept by copy; what is given as `std::cref(x)` must outlive it. @throws data_error where they were made with other encoders.
template <class... R> [[nodiscard]] any_recommender fallback(R const&... recommenders) {
    static_assert(sizeof...(R) > 0, "fallback: name the recommenders, best first: fallback(als, popular)");
    static_assert(((recommender<unwrap_t<R>> || std::same_as<R, lists>)&&...),
                  "fallback: each recommender needs n_items() and score(user_index, std::span<float>), both const");
    return any_recommender(detail::fallback_chain({any_recommender(recommenders)...}));
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
