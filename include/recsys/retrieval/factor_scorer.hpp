// SPDX-License-Identifier: MIT
// Scores that are products of factors, read pair by pair in place: models with factors, the user's own matrices, folded-in users.
#ifndef RECSYS_RETRIEVAL_FACTOR_SCORER_HPP
#define RECSYS_RETRIEVAL_FACTOR_SCORER_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include <Eigen/Core>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// How alike two rows of factors are.
enum class similarity {
    dot,   ///< the sum of products: long vectors win
    cosine ///< the same of vectors of length 1, in [-1, 1]; a zero vector is like nothing
};

/// A model with factors: `item_factors()` gives n_items() x n_factors() numbers, `user_factors()` n_users() x n_factors(), row by row.
template <class M>
concept factor_model = requires(M const& m) {
    { m.n_items() } -> std::convertible_to<std::size_t>;
    { m.n_users() } -> std::convertible_to<std::size_t>;
    { m.n_factors() } -> std::convertible_to<std::size_t>;
    requires std::floating_point<std::remove_cvref_t<decltype(m.item_factors()[0])>>;
    requires std::same_as<std::remove_cvref_t<decltype(m.user_factors()[0])>, std::remove_cvref_t<decltype(m.item_factors()[0])>>;
};

/// A user who was not in training: factors like those of the model, and the items that made them, which count as seen.
template <class U>
concept folded_in_user = requires(U const& u) {
    requires std::floating_point<std::remove_cvref_t<decltype(u.factors[0])>>;
    { u.factors.data() } -> std::convertible_to<std::remove_cvref_t<decltype(u.factors[0])> const*>;
    { u.factors.size() } -> std::convertible_to<std::size_t>;
    { u.items.items() } -> std::convertible_to<std::span<item_index const>>;
};

namespace detail {

/// Whether `score` of a factor model is nothing but the product of its rows by factor_dot: then lists are made a block of items at a time, with
/// the same bits. A model says so beside its class; without it, it is asked like any scorer.
template <class Model> inline constexpr bool scores_are_products = false;

/// The sum of a[k] b[k] in a fixed order, in blocks of 16 that compilers turn into vectors.
template <class Scalar> Scalar factor_dot(Scalar const* a, Scalar const* b, std::size_t n) noexcept {
    Scalar lanes[16] = {};
    std::size_t k = 0;
    for (; k + 16 <= n; k += 16)
        for (std::size_t j = 0; j < 16; ++j) lanes[j] += a[k + j] * b[k + j];
    Scalar rest{0};
    for (; k < n; ++k) rest += a[k] * b[k];
    for (std::size_t step = 8; step > 0; step /= 2)
        for (std::size_t j = 0; j < step; ++j) lanes[j] += lanes[j + step];
    return lanes[0] + rest;
}

/// A table of rows that someone else owns.
template <class Scalar> struct factor_rows {
    Scalar const* data = nullptr;
    std::size_t n_rows = 0, n_factors = 0;
    std::size_t stride = 0; ///< from row to row

    Scalar const* row(std::size_t i) const noexcept { return data + i * stride; }
};

template <class Scalar> double double_dot(Scalar const* a, Scalar const* b, std::size_t n) noexcept {
    double sum = 0;
    for (std::size_t k = 0; k < n; ++k) sum += static_cast<double>(a[k]) * static_cast<double>(b[k]);
    return sum;
}
template <class Scalar> double length_of(Scalar const* a, std::size_t n) noexcept { return std::sqrt(double_dot(a, a, n)); }

template <class Scalar> std::vector<double> lengths_of(factor_rows<Scalar> const& rows) {
    std::vector<double> out(rows.n_rows);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = length_of(rows.row(i), rows.n_factors);
    return out;
}

/// One side of a pair, ready to be compared with many.
template <class Scalar> struct factor_subject {
    Scalar const* row = nullptr;
    double length = 0; ///< only for cosines
};

/// Scores of a row against the rows of a table; a pair has the same bits wherever it is asked for.
template <class Scalar> struct factor_pairs {
    using score_type = Scalar;
    factor_rows<Scalar> items;
    double const* item_lengths = nullptr; ///< null: dot products

    Scalar operator()(factor_subject<Scalar> const& x, std::size_t item) const noexcept {
        Scalar const product = factor_dot(x.row, items.row(item), items.n_factors);
        return item_lengths ? cosine(x, item, product) : product;
    }
    /// How many items fit the near cache with their factors.
    std::size_t items_at_once() const noexcept { return std::max<std::size_t>(16, 131072 / (sizeof(Scalar) * (items.n_factors + 1))); }

private:
    Scalar cosine(factor_subject<Scalar> const& x, std::size_t item, Scalar product) const noexcept {
        double const lengths = x.length * item_lengths[item];
        if (lengths == 0) return Scalar{0};
        // Very long or short vectors leave the range of float on the way.
        bool const is_safe = std::abs(product) > Scalar(1e-30) && std::abs(product) < Scalar(1e30);
        double const exact = is_safe ? static_cast<double>(product) : double_dot(x.row, items.row(item), items.n_factors);
        double const value = exact / lengths;
        return static_cast<Scalar>(std::isnan(value) ? value : std::min(1.0, std::max(-1.0, value)));
    }
};

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

/// How a model of products scores a block: pairs, and what stands for a user in them.
template <class Model>
    requires scores_are_products<Model>
auto pairs_of(Model const& model) {
    auto const rows = item_rows_of(model);
    using scalar = std::remove_cvref_t<decltype(rows.data[0])>;
    return factor_pairs<scalar>{rows, nullptr};
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
/// The score is the dot product or the cosine of the rows. With `similarity::cosine` users and items whose row is zero are not known: they get no
/// lists and are in none. Safe to read from many threads.
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
    recsys::similarity similarity() const noexcept { return m_lengths ? recsys::similarity::cosine : recsys::similarity::dot; }
    bool knows(user_index user) const noexcept { return to_size(user) < n_users() && (!m_lengths || m_lengths->users[to_size(user)] > 0); }
    bool knows(item_index item) const noexcept { return to_size(item) < n_items() && (!m_lengths || m_lengths->items[to_size(item)] > 0); }

    /// One score for each item. @throws data_error for a user past the end, or a span that is not n_items() long.
    void score(user_index user, std::span<float> out) const {
        if (out.size() != n_items())
            detail::throw_data("embeddings: score: room for ", out.size(), " scores, there are ", n_items(), " items");
        auto const x = subject(user);
        auto const score_of = pairs();
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = score_of(x, i);
    }
    /// The scores of some items. @throws data_error also for an item past the end.
    void score(user_index user, std::span<item_index const> items, std::span<float> out) const {
        if (out.size() != items.size())
            detail::throw_data("embeddings: score: room for ", out.size(), " scores of ", items.size(), " items");
        auto const x = subject(user);
        auto const score_of = pairs();
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (to_size(items[i]) >= n_items())
                detail::throw_data("embeddings: score: item ", to_size(items[i]), ", there are ", n_items());
            out[i] = score_of(x, to_size(items[i]));
        }
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
        m_users = users, m_items = items;
        if (by == recsys::similarity::cosine)
            m_lengths = std::make_shared<lengths const>(lengths{detail::lengths_of(users), detail::lengths_of(items)});
    }
    detail::factor_pairs<float> pairs() const noexcept { return {m_items, m_lengths ? m_lengths->items.data() : nullptr}; }
    detail::factor_subject<float> subject(user_index user) const {
        if (to_size(user) >= n_users()) detail::throw_data("embeddings: user ", to_size(user), ", there are ", n_users(), " users");
        return {m_users.row(to_size(user)), m_lengths ? m_lengths->users[to_size(user)] : 0};
    }

    detail::factor_rows<float> m_users, m_items;
    std::shared_ptr<lengths const> m_lengths; // only for cosines
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
