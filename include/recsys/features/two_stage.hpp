// SPDX-License-Identifier: MIT
// Two stages as one recommender: the pool names candidates, the ranker orders them by their features.
#ifndef RECSYS_FEATURES_TWO_STAGE_HPP
#define RECSYS_FEATURES_TWO_STAGE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/row_scorer.hpp>
#include <recsys/features/builder.hpp>
#include <recsys/features/sources.hpp>
#include <recsys/features/step.hpp>
#include <recsys/retrieval/lists.hpp>
#include <recsys/retrieval/recommender.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

struct rank_options {
    natural k = 10;                       ///< how many items a user, at most
    std::optional<time_point> as_of = {}; ///< the moment up to which the ranker knows events: `ranker.as_of()`
};

namespace detail {

/// Adds the best k of a user's rows to `out`: by score, equal scores by the smaller item.
inline void append_best(std::vector<scored>& out, std::span<item_index const> items, std::span<float const> scores, std::size_t k) {
    auto const first = static_cast<std::ptrdiff_t>(out.size());
    for (std::size_t j = 0; j < items.size(); ++j) out.push_back({items[j], scores[j]});
    auto const begin = out.begin() + first, cut = begin + static_cast<std::ptrdiff_t>(std::min(k, items.size()));
    std::partial_sort(begin, cut, out.end(),
                      [](scored const& a, scored const& b) { return a.score != b.score ? a.score > b.score : a.item < b.item; });
    out.erase(cut, out.end());
}

/// @throws data_error  where a ranker's answer is not a number for each row.
inline void check_row_scores(std::span<float const> scores, std::size_t n_rows) {
    if (scores.size() != n_rows) throw_data("two_stage: the ranker returned ", scores.size(), " scores for ", n_rows, " rows");
    for (std::size_t row = 0; row < n_rows; ++row)
        if (std::isnan(scores[row])) throw_data("two_stage: the ranker's score of row ", row, " is not a number");
}

}

/// The rows of a frame as lists, a list for each group: best score first, equal scores by the smaller item. For scores of `ranker.predict(rows)`.
/// @param scores  one a row, not NaN.
/// @throws data_error  where lengths differ, or the frame has no users, items or groups.
[[nodiscard]] inline lists rank_rows(frame const& rows, std::span<float const> scores, rank_options const& options = {}) {
    detail::check_row_scores(scores, rows.n_rows());
    auto const& about = rows.rows();
    if (rows.n_rows() > 0 && (about.users.empty() || about.items.empty() || about.group_ends.empty()))
        detail::throw_data("rank_rows: the frame needs users, items and groups, as feature_frames() gives them");
    std::vector<user_index> users;
    std::vector<std::size_t> ends;
    std::vector<scored> items;
    std::size_t first = 0;
    for (auto const end : about.group_ends) {
        auto const n = static_cast<std::size_t>(end) - first;
        users.push_back(about.users[first]);
        detail::append_best(items, about.items.span().subspan(first, n), scores.subspan(first, n), options.k);
        ends.push_back(items.size());
        first += n;
    }
    return lists(std::move(users), std::move(ends), std::move(items), {0, 0, detail::later(rows.as_of(), options.as_of)});
}

/// A recommender of two stages: it recommends, streams and is evaluated like a model, as of the later of what its features and its ranker know
/// (where the ranker has `as_of()`): one that was trained on the truth is refused as a leak. Keeps the features as a handle and the ranker by copy;
/// a ranker given as `std::cref(x)` must outlive it. Safe to call from many threads if the ranker is.
class two_stage {
public:
    /// @param ranker  anything with `predict(frame const&)`: one score a row, higher is better.
    /// @throws data_error  where the ranker was trained on columns that the features lack, or have as another kind (if it has `check(frame)`).
    template <class User, class Item, class Ranker> two_stage(feature_set<User, Item> const& features, Ranker const& ranker)
        : m_recipe(detail::feature_access::recipe(features)), m_provenance(m_recipe.provenance()) {
        using kept = unwrap_t<Ranker>;
        constexpr bool is_ranker = row_scorer<kept>, is_kept = std::copy_constructible<Ranker>;
        static_assert(is_ranker, "two_stage: the ranker needs predict(frame const&) const, which returns std::vector<float>");
        static_assert(is_kept, "two_stage: this ranker is kept by copy and cannot be copied: pass std::cref(it) and keep it alive");
        if constexpr (is_ranker && is_kept) {
            kept const& asked = ranker;
            if constexpr (requires(frame const& rows) { asked.check(rows); }) asked.check(empty_frame());
            detail::join_provenance(m_provenance, detail::provenance_of(asked));
            m_predict = [ranker](frame const& rows) {
                kept const& r = ranker;
                return std::vector<float>(r.predict(rows));
            };
        }
    }

    /// The pool's candidates of a block of users in the ranker's order, the best k of them; `options` say who is eligible.
    [[nodiscard]] lists recommend_block(std::span<user_index const> users, recommend_options const& options) const {
        detail::team workers(options.run.threads);
        auto const rows = detail::pool_rows(m_recipe.pool, users, options);
        auto const scores =
            rows.size() == 0 ? std::vector<float>() : m_predict(detail::frame_of(m_recipe.shown, rows, {}, m_recipe.as_of(), workers));
        detail::check_row_scores(scores, rows.size());
        std::vector<std::size_t> ends;
        std::vector<scored> items;
        std::size_t group = 0;
        for (auto const user : users) {
            if (group < rows.users.size() && rows.users[group] == user) {
                auto const first = rows.first(group), n = static_cast<std::size_t>(rows.ends[group]) - first;
                detail::append_best(items, std::span<item_index const>(rows.items).subspan(first, n),
                                    std::span<float const>(scores).subspan(first, n), options.k);
                ++group;
            }
            ends.push_back(items.size());
        }
        return lists(std::vector<user_index>(users.begin(), users.end()), std::move(ends), std::move(items), provenance());
    }

    /// At most so many candidates a user are ranked.
    std::size_t candidates_per_user() const { return m_recipe.pool.max_candidates(); }
    /// What is odd about lists of k, a sentence each: where k is not below the candidates of a user, ranking cannot change which items are listed.
    std::vector<std::string> warnings(natural k) const {
        if (k < candidates_per_user()) return {};
        return {detail::concat("two_stage: lists of ", static_cast<std::size_t>(k), " from at most ", candidates_per_user(),
                               " candidates a user: ranking can only reorder them; take more candidates than k")};
    }

    std::optional<time_point> as_of() const noexcept { return m_provenance.as_of; }
    recsys::provenance const& provenance() const& noexcept { return m_provenance; }
    recsys::provenance provenance() const&& { return m_provenance; }

private:
    frame empty_frame() const {
        detail::candidate_rows none;
        none.pool_numbers.resize(2 * m_recipe.pool.names().size());
        detail::team one(1);
        return detail::frame_of(m_recipe.shown, none, {}, m_recipe.as_of(), one);
    }

    detail::feature_recipe m_recipe;
    recsys::provenance m_provenance;
    std::function<std::vector<float>(frame const&)> m_predict;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
