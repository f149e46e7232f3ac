// SPDX-License-Identifier: MIT
// What ALS learned: factors of users and items, scores, and the fold-in of users, items and sessions that were not in training.
#ifndef RECSYS_MODELS_ALS_MODEL_HPP
#define RECSYS_MODELS_ALS_MODEL_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <recsys/core/archive.hpp>
#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/simd/select.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/history.hpp>
#include <recsys/models/als_basis.hpp>
#include <recsys/models/als_biases.hpp>
#include <recsys/models/als_fold_in.hpp>
#include <recsys/models/als_objective.hpp>
#include <recsys/models/als_parts.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/factor_scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Implicit-feedback factors: the score of a pair is the product of its rows. Made by `basic_als`, read by everything.
///
/// With biases the rows are (x, b_u, 1) and (y, 1, b_i), n_factors() is the length of these rows, and the product is x'y + b_u + b_i. Similar items and
/// users are those with similar x or y alone: biases say how much an item is liked, not what it is like.
///
/// A handle: a copy shares. Immutable and safe to read from many threads. It does not keep the matrix that it was fitted on.
template <std::floating_point Scalar> class basic_als_model {
    static_assert(std::same_as<Scalar, float> || std::same_as<Scalar, double>, "als: the scalar type is float or double");

public:
    using scalar_type = Scalar;
    /// Rows are users or items. It reads the model's own memory: keep a copy of the model.
    using matrix_map = Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> const>;

    basic_als_model() = default;
    /// From factors made elsewhere, which then score and fold in like our own. @throws data_error where sizes differ or a number is not finite.
    explicit basic_als_model(als_parts<Scalar> parts) { set(std::move(parts)); }

    std::size_t n_users() const noexcept { return parts().n_users; }
    std::size_t n_items() const noexcept { return parts().n_items; }
    std::size_t n_factors() const noexcept { return parts().n_factors; }
    bool has_biases() const noexcept { return parts().biases; }
    /// b_u and b_i; 0 without biases. @throws data_error past the end.
    Scalar bias(user_index user) const { return bias_in(factors(user), user_columns()); }
    Scalar bias(item_index item) const { return bias_in(factors(item), item_columns()); }
    double alpha() const noexcept { return parts().alpha; }
    double regularization() const noexcept { return parts().regularization; }
    /// What the fit minimised, and fold_in and explain go by.
    /// @throws data_error  where it has a function for the confidences that was lost on the way through a file: see with_confidence_shape.
    als_objective const& objective() const& {
        if (parts().shape_is_lost)
            detail::throw_data(
                "als: the model was fitted with a confidence_shape, which a file does not keep: give it by with_confidence_shape");
        return parts();
    }
    als_objective objective() const&& { return static_cast<basic_als_model const&>(*this).objective(); }
    /// The same model with the function again that it was fitted with.
    [[nodiscard]] basic_als_model with_confidence_shape(std::function<double(double)> shape) const {
        auto p = parts();
        p.confidence_shape = std::move(shape), p.shape_is_lost = false;
        return basic_als_model(std::move(p));
    }
    /// n_users x n_factors, row-major, without padding. A user without entries has zeros.
    std::span<Scalar const> user_factors() const& noexcept { return parts().user_factors.span(); }
    std::span<Scalar const> user_factors() const&& = delete;
    std::span<Scalar const> item_factors() const& noexcept { return parts().item_factors.span(); }
    std::span<Scalar const> item_factors() const&& = delete;
    /// One row. @throws data_error past the end.
    std::span<Scalar const> factors(user_index user) const& { return row(user_factors(), to_size(user), n_users(), "user"); }
    std::span<Scalar const> factors(user_index) const&& = delete;
    std::span<Scalar const> factors(item_index item) const& { return row(item_factors(), to_size(item), n_items(), "item"); }
    std::span<Scalar const> factors(item_index) const&& = delete;
    matrix_map user_matrix() const& noexcept { return map(user_factors(), n_users()); }
    matrix_map user_matrix() const&& = delete;
    matrix_map item_matrix() const& noexcept { return map(item_factors(), n_items()); }
    matrix_map item_matrix() const&& = delete;

    /// Whether some entry of the training matrix has the user, or the item: only these get and enter lists.
    bool knows(user_index user) const noexcept { return is_known(parts().known_users, to_size(user), n_users()); }
    bool knows(item_index item) const noexcept { return is_known(parts().known_items, to_size(item), n_items()); }

    /// One score for each item. @throws data_error for a user past the end, or a span that is not n_items() long.
    void score(user_index user, std::span<float> out) const {
        if (out.size() != n_items()) detail::throw_data("als: score: room for ", out.size(), " scores, there are ", n_items(), " items");
        score_each(user, out, [](std::size_t i) { return i; });
    }
    /// The scores of some items. @throws data_error also for an item past the end.
    void score(user_index user, std::span<item_index const> items, std::span<float> out) const {
        if (out.size() != items.size()) detail::throw_data("als: score: room for ", out.size(), " scores of ", items.size(), " items");
        for (auto const item : items)
            if (to_size(item) >= n_items()) detail::throw_data("als: score: item ", to_size(item), ", there are ", n_items());
        score_each(user, out, [&](std::size_t i) { return to_size(items[i]); });
    }

    /// A user who was not in training, solved as the exact solver of the training solves one: a training row gives the trained factors, in double to
    /// the last bit. In float rows of more than a quarter as many entries as factors, up to 512, are solved without the basis of the training
    /// and refined in double, unless they are ill-conditioned: then a training row gives the trained factors but for their own rounding, some
    /// 1e-6 of the largest of them. Items with weight 0 do not count, an empty history gives zeros, with biases what a user without
    /// entries has.
    /// @param preferences  beside items.items(), as the fit was given them; empty: 1 for a weight above 0, else 0.
    /// @throws data_error  for items past the end, or of another item encoder. Cost: O(n f^2 + f^3).
    [[nodiscard]] folded_user<Scalar> fold_in(history const& items, std::span<float const> preferences = {}) const {
        als_fold_workspace<Scalar> work;
        auto const factors = fold_in(items, work, preferences);
        return {{factors.begin(), factors.end()}, items, {preferences.begin(), preferences.end()}};
    }
    /// The same n_factors() numbers, in the workspace until it is used again: for serving, nothing is allocated once it has grown.
    [[nodiscard]] std::span<Scalar const> fold_in(history const& items, als_fold_workspace<Scalar>& work,
                                                  std::span<float const> preferences = {}) const {
        detail::check_same_encoders("als: fold_in", "the history", {0, items.provenance().items, {}}, provenance());
        if (!preferences.empty() && preferences.size() != items.size())
            detail::throw_data("als: fold_in: ", preferences.size(), " preferences of ", items.size(), " items");
        for (auto const p : preferences)
            if (!std::isfinite(p)) detail::throw_data("als: fold_in: a preference is not finite");
        return solve_row(items.items(), items.weights(), preferences, item_table(), state().items, "item", work);
    }
    /// An anonymous session: each item weighs 1, repeats add up.
    template <std::ranges::input_range Range>
        requires std::same_as<std::ranges::range_value_t<Range>, item_index>
    [[nodiscard]] folded_user<Scalar> fold_in(Range const& items) const {
        std::vector<history::entry> entries;
        for (auto const item : items) entries.push_back({item, 1});
        return fold_in(history(std::move(entries)));
    }
    /// An item that was not in training, from its users; the weights of several rows of one user add up, his preference is the last one given.
    /// @throws data_error  for users past the end, numbers that are not finite, or where the user factors are singular and regularization is 0.
    [[nodiscard]] folded_item<Scalar> fold_in_item(std::span<item_taker const> takers) const {
        std::vector<item_taker> sorted(takers.begin(), takers.end());
        std::stable_sort(sorted.begin(), sorted.end(), [](item_taker const& a, item_taker const& b) { return a.user < b.user; });
        std::vector<user_index> users;
        std::vector<float> weights, preferences;
        std::vector<std::optional<float>> given;
        for (auto const& [user, weight, preference] : sorted) {
            if (!std::isfinite(weight)) detail::throw_data("als: fold_in: the weight of user ", to_size(user), " is not finite");
            if (preference && !std::isfinite(*preference))
                detail::throw_data("als: fold_in: the preference of user ", to_size(user), " is not finite");
            if (users.empty() || users.back() != user) users.push_back(user), weights.push_back(weight), given.push_back(preference);
            else weights.back() += weight, given.back() = preference ? preference : given.back();
        }
        for (std::size_t i = 0; i < given.size(); ++i) preferences.push_back(given[i].value_or(weights[i] > 0 ? 1.f : 0.f));
        als_fold_workspace<Scalar> work;
        auto const factors = solve_row(std::span<user_index const>(users), std::span<float const>(weights),
                                       std::span<float const>(preferences), user_table(), state().users, "user", work);
        return {{factors.begin(), factors.end()}};
    }

    fit_report const& report() const& noexcept { return parts().report; }
    fit_report report() const&& { return parts().report; }
    std::optional<time_point> as_of() const noexcept { return parts().from.as_of; }
    recsys::provenance const& provenance() const& noexcept { return parts().from; }
    recsys::provenance provenance() const&& { return parts().from; }

    /// Y'Y and X'X, n_factors x n_factors, in double.
    std::span<double const> item_gramian() const& noexcept { return parts().item_gramian.span(); }
    std::span<double const> item_gramian() const&& = delete;
    std::span<double const> user_gramian() const& noexcept { return parts().user_gramian.span(); }
    std::span<double const> user_gramian() const&& = delete;

    /// The same factors with another report.
    [[nodiscard]] basic_als_model with_report(fit_report report) const {
        auto p = parts();
        p.report = std::move(report);
        return basic_als_model(std::move(p));
    }

private:
    friend struct detail::archived<basic_als_model<Scalar>>;
    struct shared_state {
        als_parts<Scalar> parts;
        detail::simd_level level = detail::simd_level::portable;
        detail::als_fold_side<Scalar> users, items;
    };

    shared_state const& state() const noexcept {
        static shared_state const none;
        return m_state ? *m_state : none;
    }
    als_parts<Scalar> const& parts() const noexcept { return state().parts; }

    /// @param checked  the tables are known to be right, and are not read.
    void set(als_parts<Scalar> p, bool checked = false) {
        detail::check_index_count(p.n_users, "als", "users");
        detail::check_index_count(p.n_items, "als", "items");
        std::size_t const more = p.biases ? 2 : 0;
        if (p.n_factors < 1 + more || p.n_factors > 4096 + more)
            detail::throw_data("als: factors must be in [", 1 + more, ", ", 4096 + more, "], got ", p.n_factors);
        if (!checked) {
            detail::check_part(p.user_factors, detail::checked_product(p.n_users, p.n_factors, "als"), "user_factors");
            detail::check_part(p.item_factors, detail::checked_product(p.n_items, p.n_factors, "als"), "item_factors");
            check_ones(p.user_factors.span(), {p.n_factors, p.biases, false}, "user");
            check_ones(p.item_factors.span(), {p.n_factors, p.biases, true}, "item");
        }
        if (!p.known_users.empty()) detail::check_part(p.known_users, p.n_users, "known_users");
        if (!p.known_items.empty()) detail::check_part(p.known_items, p.n_items, "known_items");
        if (auto const fault = detail::fault_of(p); !fault.empty()) detail::throw_data(fault);
        auto state = std::make_shared<shared_state>();
        state->level = detail::active_simd_level();
        auto const kernel = detail::kernels<double>(state->level);
        detail::team alone(1);
        if (p.user_gramian.empty()) p.user_gramian = detail::gramian(p.user_factors.span(), p.n_factors, alone, kernel);
        if (p.item_gramian.empty()) p.item_gramian = detail::gramian(p.item_factors.span(), p.n_factors, alone, kernel);
        detail::check_part(p.user_gramian, p.n_factors * p.n_factors, "user_gramian");
        detail::check_part(p.item_gramian, p.n_factors * p.n_factors, "item_gramian");
        state->users =
            detail::als_fold_side<Scalar>::make(p, p.user_gramian.span(), {p.n_factors, p.biases, false}, p.n_users, state->level);
        state->items =
            detail::als_fold_side<Scalar>::make(p, p.item_gramian.span(), {p.n_factors, p.biases, true}, p.n_items, state->level);
        state->parts = std::move(p);
        m_state = std::move(state);
    }

    /// Rows of similar items and users: without biases.
    friend detail::factor_rows<Scalar> alike_item_rows_of(basic_als_model const& m) { return m.alike_rows(m.item_factors(), m.n_items()); }
    friend detail::factor_rows<Scalar> alike_user_rows_of(basic_als_model const& m) { return m.alike_rows(m.user_factors(), m.n_users()); }
    detail::factor_rows<Scalar> alike_rows(std::span<Scalar const> table, std::size_t n) const noexcept {
        return {table.data(), n, item_columns().n_latent(), n_factors()};
    }

    detail::als_columns user_columns() const noexcept { return {n_factors(), has_biases(), false}; }
    detail::als_columns item_columns() const noexcept { return {n_factors(), has_biases(), true}; }
    detail::als_fold_table<Scalar> item_table() const noexcept { return {parts().item_factors.span(), n_items(), item_columns()}; }
    detail::als_fold_table<Scalar> user_table() const noexcept { return {parts().user_factors.span(), n_users(), user_columns()}; }
    static Scalar bias_in(std::span<Scalar const> row, detail::als_columns const& columns) noexcept {
        return columns.biases ? row[columns.bias()] : Scalar{0};
    }
    static void check_ones(std::span<Scalar const> table, detail::als_columns const& columns, char const* what) {
        for (std::size_t i = 0; columns.biases && i < table.size() / columns.n_factors; ++i)
            if (table[i * columns.n_factors + columns.one()] != Scalar{1})
                detail::throw_data("als: with biases number ", columns.one(), " of ", what, ' ', i, " must be 1, got ",
                                   table[i * columns.n_factors + columns.one()]);
    }
    std::span<Scalar const> row(std::span<Scalar const> table, std::size_t i, std::size_t n, char const* what) const {
        if (i >= n) detail::throw_data("als: ", what, ' ', i, ", there are ", n, ' ', what, 's');
        return table.subspan(detail::row_place(i, n_factors()), n_factors());
    }
    matrix_map map(std::span<Scalar const> table, std::size_t n) const noexcept {
        return matrix_map(table.data(), static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(n_factors()));
    }
    static bool is_known(detail::shared_array<std::uint8_t> const& known, std::size_t i, std::size_t n) noexcept {
        return i < n && (known.empty() || known[i] != 0);
    }
    template <class ItemAt> void score_each(user_index user, std::span<float> out, ItemAt const& item_at) const {
        detail::factor_rows<Scalar> const rows{parts().item_factors.data(), n_items(), n_factors(), n_factors()};
        detail::factor_pairs<Scalar> const pairs(rows, similarity::dot);
        pairs.each(pairs.subject_of(factors(user).data()), out.size(), item_at,
                   [&](std::size_t i, Scalar score) { out[i] = static_cast<float>(score); });
    }

    template <class Index>
    std::span<Scalar const> solve_row(std::span<Index const> ids, std::span<float const> weights, std::span<float const> preferences,
                                      detail::als_fold_table<Scalar> const& table, detail::als_fold_side<Scalar> const& side,
                                      char const* what, als_fold_workspace<Scalar>& work) const {
        for (auto const id : ids)
            if (to_size(id) >= table.n_rows)
                detail::throw_data("als: fold_in: ", what, ' ', to_size(id), ", there are ", table.n_rows, ' ', what, 's');
        if (!side.basis)
            detail::throw_data("als: fold_in: the Gramian of the ", what, " factors is singular with regularization ", regularization(),
                               "; fit with regularization above 0");
        return work.solve(side, table, ids, weights, preferences, objective(), state().level);
    }

    std::shared_ptr<shared_state const> m_state;
};

using als_model = basic_als_model<float>;

namespace detail {

/// Lists of users are made from the factors, a block of items at a time.
template <class Scalar> inline constexpr bool scores_are_products<basic_als_model<Scalar>> = true;

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
