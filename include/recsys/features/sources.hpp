// SPDX-License-Identifier: MIT
// What features take from the rooms before them: candidates of a pool, scores of a scorer, factors of a model.
#ifndef RECSYS_FEATURES_SOURCES_HPP
#define RECSYS_FEATURES_SOURCES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/features/crosses.hpp>
#include <recsys/features/step.hpp>
#include <recsys/features/window.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/retrieval/candidates.hpp>
#include <recsys/retrieval/recommender.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// @throws data_error  where something that features are made of was made from other ids, or knows events after the moment.
inline void check_made_before(std::string_view what, recsys::provenance const& part, recsys::provenance const& known) {
    check_same_encoders("features", what, part, known);
    if (knows_after(part.as_of, known.as_of))
        throw_data("features: ", what, " knows events up to ", time_text(*part.as_of), ", the events given end before ",
                   time_text(*known.as_of), ": make both from the same events");
}

// --- candidates ---------------------------------------------------------------------------------

/// The columns that come with a pool: `<source>_score` and `<source>_rank` of each source, in the order of candidate_rows::pool_numbers.
inline std::vector<feature_step_ptr> pool_steps(candidate_pool const& pool) {
    std::vector<feature_step_ptr> out;
    for (auto const& name : pool.names()) {
        out.push_back(pool_step(name + "_score", out.size()));
        out.push_back(pool_step(name + "_rank", out.size()));
    }
    return out;
}

/// The candidates of some users; those without any are left out. Options decide who is eligible.
inline candidate_rows pool_rows(candidate_pool const& pool, std::span<user_index const> users, recommend_options const& options) {
    auto block = pool.block(users, options);
    candidate_rows rows;
    std::size_t last = 0;
    for (std::size_t u = 0; u < block.users.size(); ++u)
        if (block.ends[u] > std::exchange(last, block.ends[u])) rows.users.push_back(block.users[u]), rows.ends.push_back(block.ends[u]);
    rows.items = std::move(block.items);
    for (std::size_t s = 0; s < block.scores.size(); ++s) {
        rows.pool_numbers.push_back(std::move(block.scores[s]));
        rows.pool_numbers.push_back(std::move(block.ranks[s]));
    }
    return rows;
}

/// The same options with what was seen left out, unless it is let in.
template <class Seen> recommend_options without_seen(recommend_options options, Seen const& seen) {
    if (options.include_seen) return options;
    options.keep_if = [&seen, keep_if = std::move(options.keep_if)](user_index user, item_index item) {
        std::span<item_index const> const items = seen.seen(user);
        return !std::binary_search(items.begin(), items.end(), item) && (!keep_if || keep_if(user, item));
    };
    return options;
}

// --- scores -------------------------------------------------------------------------------------

/// The scores of a user's candidates; missing for items that the scorer does not have.
/// @param all  scratch for scorers that only score everything.
template <class Scorer> void score_candidates(Scorer const& scorer, user_index user, std::span<item_index const> items,
                                              std::span<float> out, std::vector<float>& all) {
    std::size_t const n = scorer.n_items();
    if constexpr (requires { scorer.score(user, items, out); })
        if (std::all_of(items.begin(), items.end(), [n](item_index item) { return to_size(item) < n; }))
            return scorer.score(user, items, out);
    all.resize(n);
    scorer.score(user, std::span<float>(all));
    for (std::size_t j = 0; j < items.size(); ++j) out[j] = to_size(items[j]) < n ? all[to_size(items[j])] : missing_number;
}

/// The step that asks a scorer for each candidate.
template <class Scorer> feature_step_ptr score_step(std::string name, Scorer const& scorer, recsys::provenance const& known) {
    using kept = unwrap_t<Scorer>;
    constexpr bool is_scorer = recsys::scorer<kept>, is_kept = std::copy_constructible<Scorer>;
    static_assert(is_scorer, "score: a scorer needs n_items() and score(user_index, std::span<float>), both const");
    static_assert(is_kept, "score: this object is kept by copy and cannot be copied: pass std::cref(it) and keep it alive");
    if constexpr (is_scorer && is_kept) {
        kept const& asked = scorer;
        if constexpr (requires {
                          { asked.provenance() } -> std::convertible_to<recsys::provenance>;
                      })
            check_made_before("a scorer", asked.provenance(), known);
        return computed_step(std::move(name), [scorer](std::span<user_candidates const> users, std::span<float> column) {
            kept const& s = scorer;
            std::vector<float> all;
            for (auto const& [user, first, items] : users) score_candidates(s, user, items, column.subspan(first, items.size()), all);
        });
    }
    return {};
}

// --- factors ------------------------------------------------------------------------------------

/// Item factors from a function of items, copied.
template <class Function> item_factors copied_factors(Function const& f, std::size_t n_items) {
    buffer<float> values;
    std::size_t n_factors = 0;
    for (std::size_t i = 0; i < n_items; ++i) {
        auto&& row = f(static_cast<item_index>(i));
        auto const n = static_cast<std::size_t>(std::size(row));
        if (i == 0) n_factors = n, values = buffer<float>(checked_product(n_items, n, "features"));
        if (n != n_factors) throw_data("features: last_similarity: item ", i, " has ", n, " factors, the items before it have ", n_factors);
        auto at = values.begin() + i * n_factors;
        for (auto const x : row) *at++ = static_cast<float>(x);
    }
    return measured_factors(std::move(values), n_items, n_factors);
}

/// A model with factors: item_factors() gives n_items() x n_factors() numbers, row by row.
template <class Model>
concept has_item_factors = requires(Model const& m) {
    { m.n_items() } -> std::convertible_to<std::size_t>;
    { m.n_factors() } -> std::convertible_to<std::size_t>;
    m.item_factors().data();
    m.item_factors().size();
};

/// Factors of float are read in place: the model is kept, by copy or, given as std::cref, by the user. Others are copied.
template <class Kept> item_factors model_factors(Kept const& from, std::size_t n_items) {
    using model_type = unwrap_t<Kept>;
    auto const owner = std::make_shared<Kept const>(from);
    model_type const& model = *owner;
    std::size_t const n = model.n_factors();
    if (model.n_items() != n_items || model.item_factors().size() != n_items * n)
        throw_data("features: last_similarity: the model has ", static_cast<std::size_t>(model.n_items()), " items, the events have ",
                   n_items);
    auto const* const data = model.item_factors().data();
    if constexpr (std::same_as<decltype(data), float const* const>)
        return measured_factors(shared_array<float>(owner, std::span<float const>(data, n_items * n)), n_items, n);
    else return copied_factors([&](item_index item) { return std::span(data + to_size(item) * n, n); }, n_items);
}

template <class Factors> item_factors item_factors_of(Factors const& from, recsys::provenance const& known, std::size_t n_items) {
    using kept = unwrap_t<Factors>;
    kept const& factors = from;
    if constexpr (requires {
                      { factors.provenance() } -> std::convertible_to<recsys::provenance>;
                  })
        check_made_before("the model of last_similarity", factors.provenance(), known);
    constexpr bool is_model = has_item_factors<kept>, is_function = std::invocable<kept const&, item_index>;
    static_assert(
        is_model || is_function,
        "last_similarity: give a model with item_factors(), n_items() and n_factors(), or a function of item_index that returns a range of numbers");
    if constexpr (is_model) return model_factors(from, n_items);
    else if constexpr (is_function) return copied_factors(factors, n_items);
    else return {};
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
