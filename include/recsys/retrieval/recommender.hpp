// SPDX-License-Identifier: MIT
// Any recommender behind one type: a handle, asked with one indirect call a block of users.
#ifndef RECSYS_RETRIEVAL_RECOMMENDER_HPP
#define RECSYS_RETRIEVAL_RECOMMENDER_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/retrieval/best_items.hpp>
#include <recsys/retrieval/eligible.hpp>
#include <recsys/retrieval/lists.hpp>
#include <recsys/retrieval/recommend_options.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// @throws data_error  where what a lister returned is not what was asked for.
inline void check_block(std::string_view where, lists const& block, std::span<user_index const> users, std::size_t k) {
    bool right = block.size() == users.size();
    for (std::size_t u = 0; right && u < users.size(); ++u) right = block[u].user == users[u];
    if (!right) throw_data(where, ": recommend_block must return a list for each of the ", users.size(), " users, in their order");
    for (auto const& [user, list] : block) {
        if (list.size() > k)
            throw_data(where, ": recommend_block returned ", list.size(), " items for user ", to_size(user), ", at most ", k,
                       " were asked for");
        for (auto const& [item, score] : list)
            if (std::isnan(score)) throw_data(where, ": the score of user ", to_size(user), ", item ", to_size(item), " is not a number");
    }
}

/// The lists of a recommender for blocks of users, in their order. What all blocks need is made once.
template <class Recommender> class block_maker {
public:
    /// @param n_users  in all blocks together
    block_maker(std::string_view where, Recommender const& r, recommend_options const& options, std::size_t n_users, team& workers)
        : m_where(where), m_recommender(r), m_options(options), m_lists(where, r, options, n_users, workers) {}

    template <class Seen> lists operator()(std::span<user_index const> users, Seen const& seen) {
        if constexpr (scorer<Recommender>) {
            check_users(m_where, users, user_count(m_recommender), "the recommender");
            auto rows = m_lists.make(users, seen);
            return lists({users.begin(), users.end()}, std::move(rows.ends), std::move(rows.items), provenance_of(m_recommender));
        } else {
            auto inner = leaving_out_seen(m_options, seen);
            inner.run.progress = {};
            lists out = m_recommender.recommend_block(users, inner);
            check_block(m_where, out, users, m_options.k);
            return out;
        }
    }

private:
    struct no_lists {
        no_lists(std::string_view, Recommender const&, recommend_options const&, std::size_t, team&) {}
    };

    std::string_view m_where;
    Recommender const& m_recommender;
    recommend_options const& m_options;
    std::conditional_t<scorer<Recommender>, list_maker<Recommender>, no_lists> m_lists;
};

/// Ready lists as a recommender: the eligible items of a user's list in its order, each once; nothing for users without one.
class ready_lists {
public:
    explicit ready_lists(lists const& ready) : m_lists(ready) {
        m_order.reserve(ready.size());
        for (std::size_t i = 0; i < ready.size(); ++i) m_order.emplace_back(ready[i].user, i);
        std::sort(m_order.begin(), m_order.end());
        for (auto const& [user, list] : ready)
            for (auto const& [item, score] : list)
                if (std::isnan(score)) throw_data("lists: the score of user ", to_size(user), ", item ", to_size(item), " is not a number");
    }
    lists recommend_block(std::span<user_index const> users, recommend_options const& options) const {
        std::vector<std::size_t> ends;
        std::vector<scored> items;
        for (auto const user : users) {
            add_list(user, options, items);
            ends.push_back(items.size());
        }
        return lists({users.begin(), users.end()}, std::move(ends), std::move(items), m_lists.provenance());
    }
    bool knows(user_index user) const { return place_of(user) != m_order.end(); }
    recsys::provenance const& provenance() const& noexcept { return m_lists.provenance(); }

private:
    using order = std::vector<std::pair<user_index, std::size_t>>;
    order::const_iterator place_of(user_index user) const {
        auto const at = std::lower_bound(m_order.begin(), m_order.end(), std::pair(user, std::size_t{0}));
        return at != m_order.end() && at->first == user ? at : m_order.end();
    }
    void add_list(user_index user, recommend_options const& options, std::vector<scored>& out) const {
        auto const at = place_of(user);
        if (at == m_order.end()) return;
        std::vector<item_index> had;
        for (auto const& one : m_lists[at->second].list) {
            if (had.size() >= options.k) return;
            auto const place = std::lower_bound(had.begin(), had.end(), one.item);
            if ((place != had.end() && *place == one.item) || !is_listable(*this, options, user, one.item)) continue;
            had.insert(place, one.item);
            out.push_back(one);
        }
    }

    lists m_lists;
    order m_order;
};

}

/// Any recommender: a scorer, a lister, lists that are ready, or `std::cref(x)` of one that must outlive it. What is given is kept by copy.
///
/// A handle: a copy shares. Safe to ask from many threads if what it holds is.
class any_recommender {
public:
    template <class R>
        requires(!std::same_as<R, any_recommender>)
    any_recommender(R const& r) {
        constexpr bool answers = recommender<unwrap_t<R>>, is_kept = std::copy_constructible<R>;
        static_assert(answers, "a recommender needs n_items() and score(user_index, std::span<float>), both const");
        static_assert(is_kept, "this object is kept by copy and cannot be copied: pass std::cref(it) and keep it alive");
        if constexpr (answers && is_kept) set(r);
    }
    /// The lists of these users, as they are; users without one get an empty list.
    any_recommender(lists const& ready) { set(detail::ready_lists(ready)); }

    /// The lists of a block of users, in their order. @throws data_error for a user past the end.
    [[nodiscard]] lists recommend_block(std::span<user_index const> users, recommend_options const& options) const {
        return m_held->recommend_block(users, options);
    }
    /// Whether it has learned something of the user; true where it does not say.
    bool knows(user_index user) const { return m_held->knows(user); }
    /// What is odd about lists of k, a sentence each.
    std::vector<std::string> warnings(natural k) const { return m_held->warnings(k); }
    /// How many users and items it can be asked for; absent where it does not say.
    std::optional<std::size_t> n_users() const { return m_held->n_users(); }
    std::optional<std::size_t> n_items() const { return m_held->n_items(); }

    std::optional<time_point> as_of() const noexcept { return m_provenance.as_of; }
    /// What it was made from, as far as it says.
    recsys::provenance const& provenance() const& noexcept { return m_provenance; }
    recsys::provenance provenance() const&& { return m_provenance; }

private:
    struct held {
        held() = default;
        held(held const&) = delete;
        held& operator=(held const&) = delete;
        virtual ~held() = default;
        virtual lists recommend_block(std::span<user_index const>, recommend_options const&) const = 0;
        virtual bool knows(user_index) const = 0;
        virtual std::vector<std::string> warnings(std::size_t k) const = 0;
        virtual std::optional<std::size_t> n_users() const = 0;
        virtual std::optional<std::size_t> n_items() const = 0;
    };
    template <class Kept> struct holder final : held {
        explicit holder(Kept const& k) : kept(k) {}
        unwrap_t<Kept> const& asked() const { return kept; }
        lists recommend_block(std::span<user_index const> users, recommend_options const& options) const override {
            // Listers start a team of their own.
            detail::team workers(scorer<unwrap_t<Kept>> ? static_cast<std::size_t>(options.run.threads) : 1);
            return detail::block_maker<unwrap_t<Kept>>("recommend", asked(), options, users.size(), workers)(users, nothing_seen);
        }
        bool knows(user_index user) const override { return detail::knows_of(asked(), user); }
        std::vector<std::string> warnings(std::size_t k) const override { return detail::warnings_of(asked(), k); }
        std::optional<std::size_t> n_users() const override { return detail::user_count(asked()); }
        std::optional<std::size_t> n_items() const override { return detail::item_count(asked()); }
        Kept kept;
    };

    template <class R> void set(R const& r) {
        auto made = std::make_shared<holder<R> const>(r);
        m_provenance = detail::provenance_of(made->asked());
        m_held = std::move(made);
    }

    std::shared_ptr<held const> m_held;
    recsys::provenance m_provenance;
};

namespace detail {

/// How many users all of them have that say so.
inline std::optional<std::size_t> least_users(std::span<any_recommender const> all) {
    std::optional<std::size_t> least;
    for (auto const& one : all)
        if (auto const n = one.n_users(); n && (!least || *n < *least)) least = n;
    return least;
}
/// How many items the largest of them has; absent where one does not say.
inline std::optional<std::size_t> most_items(std::span<any_recommender const> all) {
    std::size_t most = 0;
    for (auto const& one : all) {
        auto const n = one.n_items();
        if (!n) return {};
        most = std::max(most, *n);
    }
    if (all.empty()) return {};
    return most;
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
