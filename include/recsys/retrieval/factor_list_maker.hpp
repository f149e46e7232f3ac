// SPDX-License-Identifier: MIT
// Users' lists from rows of factors, with everything that the options say of them.
#ifndef RECSYS_RETRIEVAL_FACTOR_LIST_MAKER_HPP
#define RECSYS_RETRIEVAL_FACTOR_LIST_MAKER_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/item_set.hpp>
#include <recsys/retrieval/eligible.hpp>
#include <recsys/retrieval/factor_index.hpp>
#include <recsys/retrieval/factor_lists.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/factor_scorer.hpp>
#include <recsys/retrieval/factor_search.hpp>
#include <recsys/retrieval/recommend_options.hpp>
#include <recsys/retrieval/scorer.hpp>
#include <recsys/retrieval/seen_marks.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Scores a block of items at a time, with a subject instead of a user.
template <class Scorer>
concept pair_scorer = requires(Scorer const& s, user_index u) {
    pairs_of(s)(subject_of(s, u), std::size_t{0});
};

/// Knows its items laid out already: `index_of(s)` gives a factor_index of the items that it knows, with the kind of score of pairs_of(s).
template <class Scorer>
concept indexed_scorer = pair_scorer<Scorer> && requires(Scorer const& s) {
    index_of(s)->n_plain();
};

/// The index that a scorer brings, if it is of some use here: an allow list of few items is better read in place.
template <class Scorer, class Scalar>
factor_index<Scalar> const* brought_index(Scorer const& scorer, factor_pairs<Scalar> const& pairs, item_set const* allow) {
    if constexpr (indexed_scorer<Scorer>)
        if (!allow || allow->size() >= pairs.items().n_rows / 4) {
            factor_index<Scalar> const* const out = index_of(scorer);
            if (out && out->by() == pairs.by() && out->level() == pairs.level() && out->n_factors() == pairs.items().n_factors) return out;
        }
    return nullptr;
}

[[noreturn]] inline void refuse_score(std::string_view where, user_index user, std::uint32_t item) {
    throw_data(where, ": the score of user ", to_size(user), ", item ", item,
               " is not a number; minus infinity is the score of an item that is never listed");
}

/// Lists of a scorer whose scores are those of rows of factors. One worker has one of these.
template <class Scorer> class factor_list_maker {
    using pairs = decltype(pairs_of(std::declval<Scorer const&>()));
    using scalar = typename pairs::score_type;
    using subject = factor_subject<scalar>;

public:
    /// @param is_chosen  whether the index has only items that the options let in.
    factor_list_maker(std::string_view where, Scorer const& scorer, recommend_options const& options, bool is_chosen)
        : m_where(where), m_scorer(&scorer), m_options(&options), m_is_chosen(is_chosen) {}

    /// @param index  of all items that can be listed, or null.
    template <class Seen> void add(pairs const& score_of, factor_index<scalar> const* index, std::size_t k,
                                   std::span<user_index const> users, Seen const& seen, list_rows<scored>& out) {
        m_subjects.assign(users.size(), {});
        for (std::size_t u = 0; u < users.size(); ++u)
            if (knows_of(*m_scorer, users[u])) m_subjects[u] = subject_of(*m_scorer, users[u]);
        if (index) m_marks.start(*index, users, seen);
        else m_seen.start(users, seen);
        auto const is_wanted = [&](std::size_t u, std::uint32_t i) {
            auto const item = static_cast<item_index>(i);
            if (index ? m_marks.contains(u, index->place_of(i)) : m_seen.contains(u, item)) return false;
            return m_is_chosen ? !m_options->keep_if || m_options->keep_if(users[u], item)
                               : is_listable(*m_scorer, *m_options, users[u], item);
        };
        auto const refuse = [&](std::size_t u, std::uint32_t i) { refuse_score(m_where, users[u], i); };
        auto const take = [&](auto best) { out.add(best); };
        std::span<subject const> const subjects(m_subjects);
        bool const asks = !m_is_chosen || m_options->keep_if;
        if (index) m_search.run(*index, score_of, subjects, k, &m_marks, asks, is_wanted, refuse, take);
        else best_of_pairs(score_of, subjects, k, m_options->allow ? &*m_options->allow : nullptr, is_wanted, refuse, take);
    }

private:
    std::string_view m_where;
    Scorer const* m_scorer;
    recommend_options const* m_options;
    bool m_is_chosen;
    std::vector<subject> m_subjects;
    seen_rows m_seen;
    seen_marks m_marks;
    factor_search<scalar> m_search;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
