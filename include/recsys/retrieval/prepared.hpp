// SPDX-License-Identifier: MIT
// A model of factors made ready to answer one user at a time.
#ifndef RECSYS_RETRIEVAL_PREPARED_HPP
#define RECSYS_RETRIEVAL_PREPARED_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/retrieval/factor_index.hpp>
#include <recsys/retrieval/factor_list_maker.hpp>
#include <recsys/retrieval/factor_lists.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/factor_scorer.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

// The functions of this room by names that no class declares as its friends.
template <class Model> auto model_pairs(Model const& model) { return pairs_of(model); }
template <class Model> auto model_subject(Model const& model, user_index user) { return subject_of(model, user); }
template <class Model> auto model_item_rows(Model const& model) { return item_rows_of(model); }
template <class Model> auto model_user_rows(Model const& model) { return user_rows_of(model); }
template <class Model> auto model_alike_item_rows(Model const& model) { return alike_item_rows_of(model); }
template <class Model> auto model_alike_user_rows(Model const& model) { return alike_user_rows_of(model); }

}

/// A model with an index of its items, in the order of their lengths: `auto const ready = prepare(model);`, then recommend(ready, user, seen, ...).
///
/// Everywhere it stands for the model and gives the same lists and scores; one user's list takes tens of microseconds instead of milliseconds where
/// the lengths differ. `recommend` for 32 users and more makes such an index itself, each time anew. Similar items of the same kind of score (dot
/// for als without biases) use it as well. The model is kept by copy, the index is a copy of the item factors: of factors that are read in place and change
/// later, it knows the old ones. An allow list of less than a quarter of the items is read without the index.
///
/// A handle: a copy shares. Safe to read from many threads.
template <class Model> class prepared {
    using pairs = decltype(detail::model_pairs(std::declval<Model const&>()));
    using scalar = typename pairs::score_type;

public:
    /// O(items x n_factors), memory for as many numbers; of 4,096 items of float and more for another byte each, where kernels score with these first.
    explicit prepared(Model model, run_options const& run = {}) : m_model(std::make_shared<Model const>(std::move(model))) {
        detail::team workers(static_cast<std::size_t>(run.threads));
        auto const knows = [&](item_index i) { return detail::knows_of(*m_model, i); };
        m_index = std::make_shared<detail::factor_index<scalar> const>(detail::model_pairs(*m_model),
                                                                       detail::kept_items(m_model->n_items(), nullptr, knows), workers);
    }

    Model const& model() const& noexcept { return *m_model; }
    Model model() const&& { return *m_model; }
    std::size_t n_users() const { return m_model->n_users(); }
    std::size_t n_items() const { return m_model->n_items(); }
    std::size_t n_factors() const { return m_model->n_factors(); }
    bool knows(user_index user) const { return detail::knows_of(*m_model, user); }
    bool knows(item_index item) const { return detail::knows_of(*m_model, item); }
    /// The model's own scores. @throws data_error as the model's.
    void score(user_index user, std::span<float> out) const { m_model->score(user, out); }
    void score(user_index user, std::span<item_index const> items, std::span<float> out) const { m_model->score(user, items, out); }
    recsys::provenance provenance() const { return detail::provenance_of(*m_model); }
    /// What the model makes of a history or a session.
    template <class Items>
        requires requires(Model const& m, Items const& items) { m.fold_in(items); }
    [[nodiscard]] auto fold_in(Items const& items) const { return m_model->fold_in(items); }

private:
    friend auto pairs_of(prepared const& p) { return detail::model_pairs(*p.m_model); }
    friend auto subject_of(prepared const& p, user_index user) { return detail::model_subject(*p.m_model, user); }
    friend auto item_rows_of(prepared const& p) { return detail::model_item_rows(*p.m_model); }
    friend auto user_rows_of(prepared const& p) { return detail::model_user_rows(*p.m_model); }
    friend auto alike_item_rows_of(prepared const& p) { return detail::model_alike_item_rows(*p.m_model); }
    friend auto alike_user_rows_of(prepared const& p) { return detail::model_alike_user_rows(*p.m_model); }
    friend auto const* index_of(prepared const& p) { return p.m_index.get(); }

    std::shared_ptr<Model const> m_model;
    std::shared_ptr<detail::factor_index<scalar> const> m_index;
};

/// The model with an index of its items, to answer one user at a time. See prepared.
/// @param model  als_model, embeddings, or any factor model whose scores are products.
template <class Model> [[nodiscard]] auto prepare(Model const& model, run_options const& run = {}) {
    constexpr bool has_rows = detail::pair_scorer<Model>;
    static_assert(has_rows, "prepare: the model needs factors whose products are its scores: als_model or embeddings");
    if constexpr (has_rows) return prepared<Model>(model, run);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
