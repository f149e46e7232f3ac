// SPDX-License-Identifier: MIT
// Lists of a scorer for a block of users: scores never exist for more than some users and some items at a time.
#ifndef RECSYS_RETRIEVAL_BEST_ITEMS_HPP
#define RECSYS_RETRIEVAL_BEST_ITEMS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/retrieval/eligible.hpp>
#include <recsys/retrieval/factor_index.hpp>
#include <recsys/retrieval/factor_list_maker.hpp>
#include <recsys/retrieval/factor_lists.hpp>
#include <recsys/retrieval/recommend_options.hpp>
#include <recsys/retrieval/scorer.hpp>
#include <recsys/retrieval/top_k.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Lists of a scorer that is asked for its scores. One worker has one of these.
template <class Scorer> class scorer_lists {
public:
    scorer_lists(std::string_view where, Scorer const& scorer, recommend_options const& options)
        : m_where(where),
          m_scorer(scorer),
          m_options(options),
          m_n_items(scorer.n_items()),
          m_k(std::min<std::size_t>(options.k, m_n_items)) {}

    std::size_t k() const noexcept { return m_k; }
    /// @param seen  what the users have seen, or nothing where that is let in.
    template <class Seen> void add(std::span<user_index const> users, Seen const& seen, list_rows<scored>& out) {
        for (auto const user : users) {
            auto const& row = seen.seen(user);
            add_one(user, row, out);
        }
    }

private:
    void add_one(user_index user, std::span<item_index const> seen, list_rows<scored>& out) {
        m_best.start(m_k);
        if (knows_of(m_scorer, user)) {
            if constexpr (ranked_scorer<Scorer>) {
                bool const few_allowed = m_options.allow && m_options.allow->size() < m_n_items / 16;
                if (!few_allowed) return out.add(read_off(user, seen));
            }
            if (m_options.allow) offer_allowed(user, seen, m_options.allow->items());
            else offer_all(user, seen);
        }
        out.add(m_best.finish());
    }
    /// The first items of the ranking that can be listed.
    std::span<ranked_index<float> const> read_off(user_index user, std::span<item_index const> seen) {
        m_list.clear();
        for (auto const& one : m_scorer.ranking()) {
            if (m_list.size() == m_k) break;
            if (is_wanted(user, seen, one.item)) m_list.push_back({one.score, static_cast<std::uint32_t>(one.item)});
        }
        return m_list;
    }
    bool is_wanted(user_index user, std::span<item_index const> seen, item_index item) const {
        return !is_among(seen, item) && is_listable(m_scorer, m_options, user, item);
    }
    void offer_all(user_index user, std::span<item_index const> seen) {
        score_all(user);
        for (std::size_t i = 0; i < m_n_items; ++i) offer_one(user, seen, static_cast<std::uint32_t>(i), m_scores[i]);
    }
    void offer_allowed(user_index user, std::span<item_index const> seen, std::span<item_index const> allowed) {
        auto const past_end =
            std::lower_bound(allowed.begin(), allowed.end(), m_n_items, [](item_index i, std::size_t n) { return to_size(i) < n; });
        allowed = allowed.first(static_cast<std::size_t>(past_end - allowed.begin()));
        if constexpr (candidate_scorer<Scorer>) {
            m_scores.resize(allowed.size());
            m_scorer.score(user, allowed, std::span<float>(m_scores));
            for (std::size_t j = 0; j < allowed.size(); ++j) offer_one(user, seen, static_cast<std::uint32_t>(allowed[j]), m_scores[j]);
        } else {
            score_all(user);
            for (auto const item : allowed) offer_one(user, seen, static_cast<std::uint32_t>(item), m_scores[to_size(item)]);
        }
    }
    void score_all(user_index user) {
        m_scores.resize(m_n_items);
        m_scorer.score(user, std::span<float>(m_scores));
    }
    void offer_one(user_index user, std::span<item_index const> seen, std::uint32_t index, float score) {
        offer(
            m_best, score, index, [&](std::uint32_t i) { return is_wanted(user, seen, static_cast<item_index>(i)); },
            [&](std::uint32_t i) { refuse_score(m_where, user, i); });
    }
    std::string_view m_where;
    Scorer const& m_scorer;
    recommend_options const& m_options;
    std::size_t m_n_items, m_k;
    std::vector<float> m_scores;
    std::vector<ranked_index<float>> m_list;
    top_k<float> m_best;
};

/// Lists for some users, in their order, a chunk of work at a time: the same for any number of threads.
/// @param add  (worker, users, seen, out)
template <class Seen, class Add> list_rows<scored> lists_in_chunks(std::span<user_index const> users, Seen const& seen, std::size_t k,
                                                                   recommend_options const& options, team& workers, Add const& add) {
    std::size_t const step = subjects_at_once(k, users.size(), workers.size());
    std::vector<list_rows<scored>> parts((users.size() + step - 1) / step);
    workers.blocks(users.size(), step, [&](std::size_t first, std::size_t last, std::size_t worker) {
        auto const some = users.subspan(first, last - first);
        auto& out = parts[first / step];
        if (k == 0) out.ends.resize(some.size(), 0);
        else if (options.include_seen) add(worker, some, nothing_seen, out);
        else add(worker, some, seen, out);
    });
    return joined(std::move(parts));
}

/// Lists of a scorer for blocks of users. What all blocks need is made once.
template <class Scorer> class list_maker {
public:
    /// @param n_users  in all blocks together
    list_maker(std::string_view where, Scorer const& scorer, recommend_options const& options, std::size_t, team& workers)
        : m_options(options), m_workers(workers), m_makers(workers.size(), scorer_lists<Scorer>(where, scorer, options)) {}
    template <class Seen> list_rows<scored> make(std::span<user_index const> users, Seen const& seen) {
        return lists_in_chunks(users, seen, m_makers[0].k(), m_options, m_workers,
                               [&](std::size_t worker, auto some, auto const& had, auto& out) { m_makers[worker].add(some, had, out); });
    }

private:
    recommend_options const& m_options;
    team& m_workers;
    std::vector<scorer_lists<Scorer>> m_makers;
};

/// The same from rows of factors: by the index that the scorer brings, or one that is made here for many users, of the items that can be listed.
template <pair_scorer Scorer> class list_maker<Scorer> {
public:
    list_maker(std::string_view where, Scorer const& scorer, recommend_options const& options, std::size_t n_users, team& workers)
        : m_options(options), m_workers(workers), m_pairs(pairs_of(scorer)), m_k(std::min<std::size_t>(options.k, m_pairs.items().n_rows)) {
        auto const* const allow = options.allow ? &*options.allow : nullptr;
        m_index = brought_index(scorer, m_pairs, allow);
        bool const is_made = !m_index && n_users >= least_lists_for_an_index;
        if (is_made) {
            auto const is_listable = [&](item_index i) { return knows_of(scorer, i) && !options.deny.contains(i); };
            m_own = {m_pairs, kept_items(m_pairs.items().n_rows, allow, is_listable), workers};
            m_index = &m_own;
        }
        m_makers.assign(workers.size(), factor_list_maker<Scorer>(where, scorer, options, is_made));
    }
    list_maker(list_maker const&) = delete;
    list_maker& operator=(list_maker const&) = delete;

    template <class Seen> list_rows<scored> make(std::span<user_index const> users, Seen const& seen) {
        return lists_in_chunks(users, seen, m_k, m_options, m_workers, [&](std::size_t worker, auto some, auto const& had, auto& out) {
            m_makers[worker].add(m_pairs, m_index, m_k, some, had, out);
        });
    }

private:
    using pairs = decltype(pairs_of(std::declval<Scorer const&>()));
    using index = factor_index<typename pairs::score_type>;

    recommend_options const& m_options;
    team& m_workers;
    pairs m_pairs;
    std::size_t m_k;
    index m_own;
    index const* m_index = nullptr;
    std::vector<factor_list_maker<Scorer>> m_makers;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
