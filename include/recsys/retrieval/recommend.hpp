// SPDX-License-Identifier: MIT
// The verb `recommend`: one user, a range of users, everybody into a sink, and users who were not in training.
#ifndef RECSYS_RETRIEVAL_RECOMMEND_HPP
#define RECSYS_RETRIEVAL_RECOMMEND_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/history.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/retrieval/best_items.hpp>
#include <recsys/retrieval/eligible.hpp>
#include <recsys/retrieval/factor_list_maker.hpp>
#include <recsys/retrieval/factor_lists.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/factor_scorer.hpp>
#include <recsys/retrieval/factor_search.hpp>
#include <recsys/retrieval/lists.hpp>
#include <recsys/retrieval/recommend_options.hpp>
#include <recsys/retrieval/recommender.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

template <class R, class Who, class Seen> constexpr bool check_recommend() {
    constexpr bool answers = recommender<R>, is_who = std::same_as<Who, user_index> || user_range<Who>, says_seen = seen_items<Seen>;
    constexpr bool is_folded = std::same_as<Who, history> || folded_in_user<Who>;
    static_assert(answers, "recommend: the first argument needs n_items() and score(user_index, std::span<float>), both const");
    static_assert(!is_folded, "recommend: a folded-in user or a history brings what was seen: recommend(model, user, {...})");
    static_assert(is_who || is_folded, "recommend: the second argument is a user_index, a range of them, or a folded-in user");
    static_assert(says_seen, "recommend: the third argument says what was seen: user_items(...) or nothing_seen");
    return answers && is_who && says_seen;
}

inline void count_lists(stream_report& report, lists const& block) {
    report.users += block.size();
    report.slots += block.n_slots();
    for (auto const& [user, list] : block) report.empty += list.empty();
}

/// Everything about a recommendation but where the lists go: checks, blocks, counts, progress. Gives each block to `take`, which says whether to
/// go on.
template <class R, class Seen, class Take> stream_report
recommend_in_blocks(R const& r, std::span<user_index const> users, Seen const& seen, recommend_options const& options, Take const& take) {
    constexpr std::string_view where = "recommend";
    if (options.block == 0) throw_option(where, ": block must be at least 1, got 0");
    check_options(where, r, seen, options);
    check_users(where, users, user_count(r), "the recommender");
    check_users(where, users, user_count(seen), "what was seen");
    stream_report report;
    report.warnings = warnings_of(r, options.k);
    team workers(scorer<R> && users.size() > 1 ? static_cast<std::size_t>(options.run.threads) : 1);
    progress_reporter progress(options.run.progress, where, users.size());
    block_maker<R> list_block(where, r, options, users.size(), workers);
    for (std::size_t first = 0; first < users.size() && !report.stopped;
         first += std::min<std::size_t>(options.block, users.size() - first)) {
        auto const some = users.subspan(first, std::min<std::size_t>(options.block, users.size() - first));
        check_seen_rises(where, seen, some);
        auto const block = list_block(some, seen);
        count_lists(report, block);
        for (auto const& [user, list] : block) {
            report.cold_users += !knows_of(r, user);
            if (!options.include_seen) continue;
            auto const& had = seen.seen(user);
            for (auto const& one : list) report.seen_slots += is_among(had, one.item);
        }
        if (!take(block)) report.stopped = true;
        if (!progress.report(first + some.size())) report.stopped = true;
    }
    return report;
}

template <class Who> std::vector<user_index> all_users(Who const& who) {
    std::vector<user_index> out;
    for (user_index const user : who) out.push_back(user);
    return out;
}

template <class R, class Seen>
std::vector<scored> recommend_one(R const& r, user_index user, Seen const& seen, recommend_options const& options) {
    std::vector<scored> out;
    recommend_in_blocks(r, std::span(&user, 1), seen, options, [&](lists const& block) {
        auto const list = block[0].list;
        out.assign(list.begin(), list.end());
        return true;
    });
    return out;
}

template <class R, class Seen>
lists recommend_all(R const& r, std::span<user_index const> users, Seen const& seen, recommend_options const& options) {
    list_rows<scored> rows;
    auto const report = recommend_in_blocks(r, users, seen, options, [&](lists const& block) {
        if (rows.items.empty()) // lists of one length, as most often, are all that there will be
            rows.ends.reserve(users.size()), rows.items.reserve(block.n_slots() / block.size() * users.size());
        for (auto const& [user, list] : block) {
            rows.items.insert(rows.items.end(), list.begin(), list.end());
            rows.ends.push_back(rows.items.size());
        }
        return true;
    });
    if (report.stopped && report.users < users.size())
        throw_cancelled("recommend: stopped by the progress callback after ", report.users, " of ", users.size(), " users");
    return lists({users.begin(), users.end()}, std::move(rows.ends), std::move(rows.items), provenance_of(r));
}

/// Scores of factors from outside against the items of a model: its own kind of score if it says so, else products.
template <class Model> auto product_pairs(Model const& model) {
    if constexpr (pair_scorer<Model>) return pairs_of(model);
    else {
        auto const items = item_rows_of(model);
        return factor_pairs<std::remove_cvref_t<decltype(items.data[0])>>(items, similarity::dot);
    }
}

/// The best items of a user who is known by his factors alone.
template <class Model, class Scalar> std::vector<scored>
recommend_folded(Model const& model, std::span<Scalar const> factors, std::span<item_index const> had, recommend_options const& options) {
    constexpr std::string_view where = "recommend";
    check_options(where, model, nothing_seen, options);
    auto const items = item_rows_of(model);
    static_assert(std::same_as<std::remove_cvref_t<decltype(items.data[0])>, Scalar>,
                  "recommend: the user was folded in by a model of another scalar type");
    if (factors.size() != items.n_factors)
        throw_data(where, ": the folded-in user has ", factors.size(), " factors, the model has ", items.n_factors);
    if (had.empty()) return {};
    auto const pairs = product_pairs(model);
    auto const* const allow = options.allow ? &*options.allow : nullptr;
    std::size_t const k = std::min<std::size_t>(options.k, items.n_rows);
    if (k == 0) return {};
    auto const x = pairs.subject_of(factors.data());
    std::span<factor_subject<Scalar> const> const subjects(&x, 1);
    list_rows<scored> out;
    auto const is_wanted = [&](std::size_t, std::uint32_t i) {
        auto const item = static_cast<item_index>(i);
        return (options.include_seen || !is_among(had, item)) && is_listable(model, options, anonymous_user, item);
    };
    auto const refuse = [&](std::size_t, std::uint32_t i) {
        throw_data(where, ": the score of the folded-in user, item ", i, " is not a number");
    };
    auto const take = [&](auto best) { out.add(best); };
    if (auto const* const index = brought_index(model, pairs, allow))
        factor_search<Scalar>().run(*index, pairs, subjects, k, is_wanted, refuse, take);
    else best_of_pairs(pairs, subjects, k, allow, is_wanted, refuse, take);
    return std::move(out.items);
}

}

/// The best items of a user, or of each user of a range: `std::vector<scored>`, or `lists` in the order of the range.
///
/// @param seen     what was seen: `user_items(...)`, anything with `.seen(user)` that gives a rising span, or `nothing_seen`.
/// @param options  who is eligible, and how many: see recommend_options. Equal scores are in the order of the items.
/// @throws data_error    for a user past the end (of the recommender or of what was seen), other encoders, an item of allow or deny past the end,
///                       or a score that is not a number.
/// @throws cancelled     where progress stops a range before its end.
/// Cost: at most one score a pair; memory for some users x some items at a time. For 32 users and more of a model of factors, the rows of the items
/// that can be listed are copied once, in the order of their lengths, so that most pairs need no score where lengths differ; one user at a time is
/// answered faster by `prepare(model)`. The same bytes for any number of threads and any block.
template <class R, class Who, class Seen>
[[nodiscard]] auto recommend(R const& who_answers, Who const& users, Seen const& seen, recommend_options const& options = {}) {
    constexpr bool right = detail::check_recommend<unwrap_t<R>, Who, Seen>();
    unwrap_t<R> const& r = who_answers;
    if constexpr (std::same_as<Who, user_index> && right) return detail::recommend_one(r, users, seen, options);
    else if constexpr (right) return detail::recommend_all(r, detail::all_users(users), seen, options);
    else if constexpr (std::ranges::input_range<Who const>) return lists{};
    else return std::vector<scored>{};
}

/// The best items for a user who was not in training: one who was folded in, or a history, which the model folds in. He brings what he has seen.
///
/// `keep_if` is asked about `anonymous_user`. Without any items of his own the list is empty.
/// @throws data_error  as above, and where the history was made with another item encoder.
template <class R, class Who> [[nodiscard]] auto recommend(R const& model, Who const& user, recommend_options const& options = {}) {
    constexpr bool is_user = std::same_as<Who, history> || folded_in_user<Who>;
    static_assert(is_user, "recommend: say what was seen: recommend(model, user, seen, {...}), with user_items(...) or nothing_seen");
    unwrap_t<R> const& m = model;
    if constexpr (is_user) {
        constexpr bool has_factors = detail::has_item_rows<unwrap_t<R>>;
        static_assert(has_factors, "recommend: for a folded-in user the model needs item_factors(), n_items() and n_factors()");
        if constexpr (std::same_as<Who, history>) {
            constexpr bool folds = requires { m.fold_in(user); };
            static_assert(folds, "recommend: for a history the model needs fold_in(history const&)");
            if constexpr (has_factors && folds) return recsys::recommend(m, m.fold_in(user), options);
        } else if constexpr (has_factors) {
            detail::check_same_encoders("recommend", "the history", {0, detail::provenance_of(user.items).items, {}},
                                        detail::provenance_of(m));
            using scalar = std::remove_cvref_t<decltype(user.factors[0])>;
            return detail::recommend_folded(m, std::span<scalar const>(user.factors.data(), user.factors.size()),
                                            std::span<item_index const>(user.items.items()), options);
        }
    } else return std::vector<scored>{};
}

/// The lists of all these users, a block at a time, given to a sink in the order of the users, from the calling thread.
///
/// @param to  called as sink(lists const&); returns nothing, or bool, where false stops after this block. A block is valid during the call: copy
///            it to keep it. Exceptions pass through.
/// @returns   what was done. Progress that returns false stops as well.
template <class R, class Who, class Seen, class Sink>
stream_report recommend(R const& who_answers, Who const& users, Seen const& seen, recommend_options const& options, Sink&& to) {
    constexpr bool right = detail::check_recommend<unwrap_t<R>, Who, Seen>();
    constexpr bool is_sink = sink<std::remove_reference_t<Sink>>;
    static_assert(is_sink, "recommend: the sink is called as sink(lists const&) and returns void, or bool (false stops)");
    if constexpr (right && is_sink) {
        unwrap_t<R> const& r = who_answers;
        auto const take = [&](lists const& block) { return detail::goes_on(to, block); };
        if constexpr (std::same_as<Who, user_index>) return detail::recommend_in_blocks(r, std::span(&users, 1), seen, options, take);
        else return detail::recommend_in_blocks(r, std::span<user_index const>(detail::all_users(users)), seen, options, take);
    } else return {};
}

/// Several sinks as one, kept by copy: each is given every block; one that says stop stops all.
template <class... Sink> [[nodiscard]] auto tee(Sink... sinks) {
    static_assert((sink<Sink> && ...), "tee: a sink is called as sink(lists const&) and returns void, or bool (false stops)");
    return [... s = std::move(sinks)](lists const& block) mutable {
        bool go_on = true;
        ((go_on = detail::goes_on(s, block) && go_on), ...);
        return go_on;
    };
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
