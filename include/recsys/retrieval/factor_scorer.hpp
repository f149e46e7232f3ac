// SPDX-License-Identifier: MIT
// Scores that are products of factors, read pair by pair in place: models with factors, the user's own matrices, folded-in users.
#ifndef RECSYS_RETRIEVAL_FACTOR_SCORER_HPP
#define RECSYS_RETRIEVAL_FACTOR_SCORER_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include <Eigen/Core>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/retrieval/factor_pairs.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// A model with factors: `item_factors()` gives n_items() x n_factors() numbers, `user_factors()` n_users() x n_factors(), row by row.
template <class M>
concept factor_model = requires(M const& m) {
    { m.n_items() } -> std::convertible_to<std::size_t>;
    { m.n_users() } -> std::convertible_to<std::size_t>;
    { m.n_factors() } -> std::convertible_to<std::size_t>;
    requires detail::factor_scalar<std::remove_cvref_t<decltype(m.item_factors()[0])>>;
    requires std::same_as<std::remove_cvref_t<decltype(m.user_factors()[0])>, std::remove_cvref_t<decltype(m.item_factors()[0])>>;
};

/// A user who was not in training: factors like those of the model, and the items that made them, which count as seen.
template <class U>
concept folded_in_user = requires(U const& u) {
    requires detail::factor_scalar<std::remove_cvref_t<decltype(u.factors[0])>>;
    { u.factors.data() } -> std::convertible_to<std::remove_cvref_t<decltype(u.factors[0])> const*>;
    { u.factors.size() } -> std::convertible_to<std::size_t>;
    { u.items.items() } -> std::convertible_to<std::span<item_index const>>;
};

namespace detail {

/// Whether `score` of a factor model is nothing but the product of its rows by factor_dot: then lists are made from the rows, with the same bits.
/// A model says so beside its class; without it, it is asked like any scorer.
template <class Model> inline constexpr bool scores_are_products = false;

template <class Model> auto item_rows_of(Model const& model) {
    using scalar = std::remove_cvref_t<decltype(model.item_factors()[0])>;
    std::size_t const f = model.n_factors();
    return factor_rows<scalar>{model.item_factors().data(), model.n_items(), f, f};
}
template <class Model> auto user_rows_of(Model const& model) {
    using scalar = std::remove_cvref_t<decltype(model.user_factors()[0])>;
    std::size_t const f = model.n_factors();
    return factor_rows<scalar>{model.user_factors().data(), model.n_users(), f, f};
}

/// What similar items and users go by: the same rows, unless a model has others for them.
template <class Model> auto alike_item_rows_of(Model const& model) { return item_rows_of(model); }
template <class Model> auto alike_user_rows_of(Model const& model) { return user_rows_of(model); }

/// Has rows of items, or of users, by the functions above or by friends of its own.
template <class Model>
concept has_item_rows = requires(Model const& m) {
    item_rows_of(m).row(0);
};
template <class Model>
concept has_user_rows = requires(Model const& m) {
    user_rows_of(m).row(0);
};

/// How a model of products scores a block: pairs, and what stands for a user in them.
template <class Model>
    requires scores_are_products<Model>
auto pairs_of(Model const& model) {
    auto const rows = item_rows_of(model);
    using scalar = std::remove_cvref_t<decltype(rows.data[0])>;
    return factor_pairs<scalar>(rows, similarity::dot);
}
template <class Model>
    requires scores_are_products<Model>
auto subject_of(Model const& model, user_index user) {
    auto const rows = user_rows_of(model);
    using scalar = std::remove_cvref_t<decltype(rows.data[0])>;
    return factor_subject<scalar>{rows.row(to_size(user)), 0};
}

/// What can be read in place as rows of float.
template <class Matrix>
concept eigen_expression = requires(Matrix const& m) {
    m.rows();
    m.cols();
    typename Matrix::Scalar;
    m.derived();
};
template <class Matrix> constexpr bool is_row_table() {
    if constexpr (requires(Matrix const& m) {
                      m.data();
                      m.innerStride();
                      m.outerStride();
                  })
        return std::same_as<typename Matrix::Scalar, float> && (Matrix::IsRowMajor || Matrix::ColsAtCompileTime == 1);
    else return false;
}

}

/// The user's own factors as a recommender, read in place: rows are users and items. The memory must outlive it; a copy reads the same memory.
///
/// The score is the dot product, the cosine or minus the distance of the rows. With `similarity::cosine` users and items whose row is zero are not
/// known: they get no lists and are in none. Safe to read from many threads.
class embeddings {
public:
    embeddings() = default;
    /// From row-major Eigen matrices of float, Maps and blocks of them. @throws data_error where the numbers of columns differ.
    template <class Users, class Items>
        requires detail::eigen_expression<std::remove_cvref_t<Users>> && detail::eigen_expression<std::remove_cvref_t<Items>>
        embeddings(Users&& users, Items&& items, recsys::similarity by = recsys::similarity::dot) {
            constexpr bool in_place =
                detail::is_row_table<std::remove_cvref_t<Users>>() && detail::is_row_table<std::remove_cvref_t<Items>>();
            static_assert(in_place, "embeddings: factors are read in place, so they must be row-major and of float: "
                                    "Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, a Map or rows of one");
            constexpr bool outlives = is_kept<Users>() && is_kept<Items>();
            static_assert(outlives, "embeddings: a temporary matrix dies before it is read: give it a name");
            if constexpr (in_place && outlives) set(rows_of(users), rows_of(items), by);
        }
    /// From arrays, row by row. @throws data_error where a length is no multiple of n_factors.
    embeddings(std::span<float const> users, std::span<float const> items, natural n_factors,
               recsys::similarity by = recsys::similarity::dot) {
        auto const of_users = rows_of(users, n_factors, "users"); // first: compilers differ in the order of arguments
        set(of_users, rows_of(items, n_factors, "items"), by);
    }

    std::size_t n_users() const noexcept { return m_users.n_rows; }
    std::size_t n_items() const noexcept { return m_items.n_rows; }
    std::size_t n_factors() const noexcept { return m_items.n_factors; }
    recsys::similarity similarity() const noexcept { return m_by; }
    bool knows(user_index user) const noexcept { return to_size(user) < n_users() && (!m_lengths || m_lengths->users[to_size(user)] > 0); }
    bool knows(item_index item) const noexcept { return to_size(item) < n_items() && (!m_lengths || m_lengths->items[to_size(item)] > 0); }

    /// One score for each item. @throws data_error for a user past the end, or a span that is not n_items() long.
    void score(user_index user, std::span<float> out) const {
        if (out.size() != n_items())
            detail::throw_data("embeddings: score: room for ", out.size(), " scores, there are ", n_items(), " items");
        auto const x = subject(user);
        pairs().each(
            x, out.size(), [](std::size_t i) { return i; }, [&](std::size_t i, float score) { out[i] = score; });
    }
    /// The scores of some items. @throws data_error also for an item past the end.
    void score(user_index user, std::span<item_index const> items, std::span<float> out) const {
        if (out.size() != items.size())
            detail::throw_data("embeddings: score: room for ", out.size(), " scores of ", items.size(), " items");
        auto const x = subject(user);
        for (auto const item : items)
            if (to_size(item) >= n_items()) detail::throw_data("embeddings: score: item ", to_size(item), ", there are ", n_items());
        pairs().each(
            x, out.size(), [&](std::size_t i) { return to_size(items[i]); }, [&](std::size_t i, float score) { out[i] = score; });
    }

private:
    friend detail::factor_pairs<float> pairs_of(embeddings const& e) { return e.pairs(); }
    friend detail::factor_subject<float> subject_of(embeddings const& e, user_index user) { return e.subject(user); }
    friend detail::factor_rows<float> item_rows_of(embeddings const& e) { return e.m_items; }
    friend detail::factor_rows<float> user_rows_of(embeddings const& e) { return e.m_users; }
    struct lengths {
        std::vector<double> users, items;
    };

    template <class Matrix> static constexpr bool is_kept() {
        using matrix = std::remove_cvref_t<Matrix>;
        return std::is_lvalue_reference_v<Matrix> || !std::is_base_of_v<Eigen::PlainObjectBase<matrix>, matrix>;
    }
    template <class Matrix> static detail::factor_rows<float> rows_of(Matrix const& m) {
        if (m.cols() > 1 && m.innerStride() != 1) detail::throw_data("embeddings: the numbers of a row must stand side by side");
        auto const n_rows = static_cast<std::size_t>(m.rows());
        // A matrix of one column counts as one of columns for Eigen: its rows are inner steps apart.
        auto const stride = Matrix::IsRowMajor ? m.outerStride() : m.innerStride();
        if (stride < 0) detail::throw_data("embeddings: rows must follow each other in memory");
        return {m.data(), n_rows, static_cast<std::size_t>(m.cols()), static_cast<std::size_t>(stride)};
    }
    static detail::factor_rows<float> rows_of(std::span<float const> values, std::size_t n_factors, char const* what) {
        if (n_factors == 0 || values.size() % n_factors != 0)
            detail::throw_data("embeddings: ", values.size(), " numbers of ", what, " are no rows of ", n_factors, " factors");
        return {values.data(), values.size() / n_factors, n_factors, n_factors};
    }
    void set(detail::factor_rows<float> users, detail::factor_rows<float> items, recsys::similarity by) {
        if (users.n_factors != items.n_factors)
            detail::throw_data("embeddings: users have ", users.n_factors, " factors, items have ", items.n_factors);
        detail::check_index_count(users.n_rows, "embeddings", "users");
        detail::check_index_count(items.n_rows, "embeddings", "items");
        m_users = users, m_items = items, m_by = by;
        if (by == recsys::similarity::cosine)
            m_lengths = std::make_shared<lengths const>(lengths{detail::lengths_of(users), detail::lengths_of(items)});
    }
    detail::factor_pairs<float> pairs() const noexcept { return {m_items, m_by, m_lengths ? m_lengths->items.data() : nullptr}; }
    detail::factor_subject<float> subject(user_index user) const {
        if (to_size(user) >= n_users()) detail::throw_data("embeddings: user ", to_size(user), ", there are ", n_users(), " users");
        return {m_users.row(to_size(user)), m_lengths ? m_lengths->users[to_size(user)] : 0};
    }

    detail::factor_rows<float> m_users, m_items;
    recsys::similarity m_by = recsys::similarity::dot;
    std::shared_ptr<lengths const> m_lengths; // only for cosines
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
