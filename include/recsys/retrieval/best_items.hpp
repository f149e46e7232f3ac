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
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/item_set.hpp>
#include <recsys/retrieval/eligible.hpp>
#include <recsys/retrieval/factor_scorer.hpp>
#include <recsys/retrieval/scorer.hpp>
#include <recsys/retrieval/top_k.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Scores a block of items at a time, with a subject instead of a user.
template <class Scorer>
concept pair_scorer = requires(Scorer const& s, user_index u) {
    pairs_of(s)(subject_of(s, u), std::size_t{0});
};

/// Some lists one after another.
template <class Entry> struct list_rows {
    std::vector<std::size_t> ends;
    std::vector<Entry> items;

    template <class Score> void add(std::span<ranked_index<Score> const> best) {
        for (auto const& one : best) {
            auto& [index, score] = items.emplace_back();
            index = static_cast<std::remove_reference_t<decltype(index)>>(one.index);
            score = static_cast<float>(one.score);
        }
        ends.push_back(items.size());
    }
    void add(list_rows const& more) {
        std::size_t const before = items.size();
        for (auto const end : more.ends) ends.push_back(before + end);
        items.insert(items.end(), more.items.begin(), more.items.end());
    }
};

/// Offers an item: looked at closely only if its score can enter the list. `is_wanted` is asked last, `refuse` is told of NaN.
template <class Score, class Wanted, class Refuse>
void offer(top_k<Score>& best, Score score, std::uint32_t index, Wanted const& is_wanted, Refuse const& refuse) {
    if (!best.wants(score, index) || !is_wanted(index)) return;
    if (std::isnan(score)) refuse(index);
    best.push(score, index);
}

/// Subjects that are compared at a time: their best lists are kept in memory together.
inline std::size_t subjects_at_once(std::size_t k) noexcept {
    return std::min<std::size_t>(16, std::max<std::size_t>(1, 262144 / (k + 1)));
}

/// The best k items of each subject, a block of items at a time.
/// @param is_wanted  (subject's number, item)
template <class Entry, class Pairs, class Subject, class Wanted, class Refuse>
void best_of_pairs(Pairs const& score_of, std::span<Subject const> subjects, std::size_t k, item_set const* among, Wanted const& is_wanted,
                   Refuse const& refuse, list_rows<Entry>& out) {
    using score = typename Pairs::score_type;
    auto const some = among ? among->items() : std::span<item_index const>();
    std::size_t const n = among ? some.size() : score_of.items.n_rows, step = score_of.items_at_once();
    std::vector<top_k<score>> best(subjects.size());
    for (auto& one : best) one.start(k);
    for (std::size_t first = 0; first < n; first += step)
        for (std::size_t s = 0; s < subjects.size(); ++s) {
            if (!subjects[s].row) continue;
            for (std::size_t j = first; j < std::min(n, first + step); ++j) {
                std::size_t const item = among ? to_size(some[j]) : j;
                if (item >= score_of.items.n_rows) break;
                offer(
                    best[s], score_of(subjects[s], item), static_cast<std::uint32_t>(item),
                    [&](std::uint32_t i) { return is_wanted(s, i); }, [&](std::uint32_t i) { refuse(s, i); });
            }
        }
    for (auto& one : best) out.add(one.finish());
}

/// Lists of any scorer. One worker has one of these.
template <class Scorer> class scorer_lists {
public:
    scorer_lists(std::string_view where, Scorer const& scorer, recommend_options const& options)
        : m_where(where),
          m_scorer(scorer),
          m_options(options),
          m_n_items(scorer.n_items()),
          m_k(std::min<std::size_t>(options.k, m_n_items)) {}

    std::size_t users_at_once() const noexcept { return subjects_at_once(m_k); }

    /// @param seen  what the users have seen, or nothing where that is let in.
    template <class Seen> void add(std::span<user_index const> users, Seen const& seen, list_rows<scored>& out) {
        if (m_k == 0) out.ends.resize(out.ends.size() + users.size(), out.items.size());
        else if constexpr (pair_scorer<Scorer>) add_together(users, seen, out);
        else
            for (auto const user : users) {
                auto const& row = seen.seen(user);
                add_one(user, row, out);
            }
    }

private:
    template <class Seen> void add_together(std::span<user_index const> users, Seen const& seen, list_rows<scored>& out) {
        using subject = decltype(subject_of(m_scorer, user_index{}));
        std::vector<subject> subjects(users.size());
        for (std::size_t u = 0; u < users.size(); ++u)
            if (knows_of(m_scorer, users[u])) subjects[u] = subject_of(m_scorer, users[u]);
        best_of_pairs(
            pairs_of(m_scorer), std::span<subject const>(subjects), m_k, m_options.allow ? &*m_options.allow : nullptr,
            [&](std::size_t u, std::uint32_t i) {
                auto const item = static_cast<item_index>(i);
                auto const& row = seen.seen(users[u]);
                return !is_among(row, item) && is_listable(m_scorer, m_options, users[u], item);
            },
            [&](std::size_t u, std::uint32_t i) { refuse(users[u], i); }, out);
    }

    void add_one(user_index user, std::span<item_index const> seen, list_rows<scored>& out) {
        m_best.start(m_k);
        if (knows_of(m_scorer, user)) {
            if (m_options.allow) offer_allowed(user, seen, m_options.allow->items());
            else offer_all(user, seen);
        }
        out.add(m_best.finish());
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
            m_best, score, index,
            [&](std::uint32_t i) {
                auto const item = static_cast<item_index>(i);
                return !is_among(seen, item) && is_listable(m_scorer, m_options, user, item);
            },
            [&](std::uint32_t i) { refuse(user, i); });
    }
    [[noreturn]] void refuse(user_index user, std::uint32_t item) const {
        throw_data(m_where, ": the score of user ", to_size(user), ", item ", item,
                   " is not a number; minus infinity is the score of an item that is never listed");
    }

    std::string_view m_where;
    Scorer const& m_scorer;
    recommend_options const& m_options;
    std::size_t m_n_items, m_k;
    std::vector<float> m_scores;
    top_k<float> m_best;
};

/// Lists of a scorer for a block of users, in their order: the same for any number of threads.
template <class Scorer, class Seen> list_rows<scored> list_scorer(std::string_view where, Scorer const& scorer,
                                                                  std::span<user_index const> users, Seen const& seen,
                                                                  recommend_options const& options, team& workers) {
    std::vector<scorer_lists<Scorer>> makers(workers.size(), scorer_lists<Scorer>(where, scorer, options));
    std::size_t const step = makers[0].users_at_once();
    std::vector<list_rows<scored>> parts((users.size() + step - 1) / step);
    workers.blocks(users.size(), step, [&](std::size_t first, std::size_t last, std::size_t worker) {
        auto const some = users.subspan(first, last - first);
        if (options.include_seen) makers[worker].add(some, nothing_seen, parts[first / step]);
        else makers[worker].add(some, seen, parts[first / step]);
    });
    list_rows<scored> out;
    for (auto& part : parts) out.add(std::exchange(part, {}));
    return out;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
