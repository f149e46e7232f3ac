// SPDX-License-Identifier: MIT
// Why an item was recommended: what each past item of the user adds to the score.
#ifndef RECSYS_MODELS_ALS_EXPLAIN_HPP
#define RECSYS_MODELS_ALS_EXPLAIN_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/history.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/models/als_basis.hpp>
#include <recsys/models/als_biases.hpp>
#include <recsys/models/als_fold_in.hpp>
#include <recsys/models/als_model.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

struct explain_options {
    natural k = 10;                      ///< how many contributions to list
    std::optional<csr> preferences = {}; ///< those beside the matrix, if the fit was given some
};

/// A score as a sum over the user's past.
struct explanation {
    double score = 0;                  ///< the sum over all past items, and base
    double base = 0;                   ///< with biases: what the score has without any past item
    std::vector<scored> contributions; ///< the k past items that add most, best first; ties by smaller item
};

namespace detail {

/// inv(w0 G + lambda I + sum of (c - w0) y y') y_target, in double, for the past of one user; with biases of rows (y, 1).
template <class Scalar, class Value> buffer<double> explaining_direction(basic_als_model<Scalar> const& model,
                                                                         als_fold_table<Scalar> const& table,
                                                                         std::span<double const> gramian, std::span<item_index const> items,
                                                                         std::span<Value const> weights, item_index target) {
    auto const& columns = table.columns;
    std::size_t const f = columns.n_solved(), ld = basis_row(f);
    buffer<double> a(ld * ld, 0.0), x(ld, 0.0), y(f);
    auto const& by = model.objective();
    auto const counts = static_cast<std::size_t>(std::count_if(weights.begin(), weights.end(), [](Value r) { return r != Value{0}; }));
    double const lambda = row_regularization(by, counts, model.n_items());
    for (std::size_t i = 0; i < f; ++i)
        for (std::size_t j = 0; j < f; ++j) a[i * ld + j] = by.unobserved_weight * gramian[i * columns.n_factors + j];
    for (std::size_t i = 0; i < ld; ++i) a[i * ld + i] = i < f ? a[i * ld + i] + lambda : 1;
    auto const kernel = kernels<double>(active_simd_level());
    for (std::size_t k = 0; k < items.size(); ++k) {
        auto const r = static_cast<double>(weights[k]);
        if (r == 0) continue;
        double const excess = 1 - by.unobserved_weight + added_confidence(by, std::abs(r));
        static_cast<void>(model.factors(items[k])); // checks that there is such an item
        table.copy_row(to_size(items[k]), y.data());
        for (std::size_t i = 0; i < f; ++i)
            for (std::size_t j = i; j < f; ++j) a[i * ld + j] += excess * y[i] * y[j];
    }
    table.copy_row(to_size(target), x.data());
    if (!kernel.cholesky_blocks(a.data(), ld)) throw_data("als: explain: the user's system is singular; fit with regularization above 0");
    kernel.cholesky_solve(a.data(), ld, x.data());
    return x;
}

template <class Scalar, class Value> explanation explain_past(basic_als_model<Scalar> const& model, std::span<item_index const> items,
                                                              std::span<Value const> weights, std::span<float const> preferences,
                                                              item_index target, std::size_t k) {
    als_columns const columns{model.n_factors(), model.has_biases(), true};
    als_fold_table<Scalar> const table{model.item_factors(), model.n_items(), columns};
    static_cast<void>(model.factors(target));
    if (!columns.biases && std::all_of(weights.begin(), weights.end(), [](Value r) { return r == Value{0}; })) return {};
    auto const& by = model.objective();
    auto const gramian = reordered(model.item_gramian(), columns);
    auto const direction = explaining_direction(model, table, gramian.span(), items, weights, target);
    buffer<double> y(columns.n_solved());
    auto const product = [&](double const* row) {
        double sum = 0;
        for (std::size_t j = 0; j < y.size(); ++j) sum += row[j] * direction[j];
        return sum;
    };
    explanation out;
    if (columns.biases) {
        als_common const common(gramian.span(), y.size(), by.unobserved_weight);
        out.score = out.base = product(common.right.data()) + static_cast<double>(model.bias(target));
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
        auto const r = static_cast<double>(weights[i]);
        if (r == 0) continue;
        table.copy_row(to_size(items[i]), y.data());
        double const p = preferences.empty() ? (r > 0 ? 1.0 : 0.0) : static_cast<double>(preferences[i]);
        double const c = 1 + added_confidence(by, std::abs(r)), bias = static_cast<double>(table.bias(to_size(items[i])));
        double const part = (c * p - (c - by.unobserved_weight) * bias) * product(y.data());
        out.score += part;
        out.contributions.push_back({items[i], static_cast<float>(part)});
    }
    std::sort(out.contributions.begin(), out.contributions.end(),
              [](scored const& a, scored const& b) { return a.score != b.score ? a.score > b.score : a.item < b.item; });
    out.contributions.resize(std::min(out.contributions.size(), k));
    return out;
}

}

/// What each item of the user's row adds to the score of `item`: c p y'(Y'CY + lambda I)^-1 y_item; together the score. c, p and lambda are those of
/// the model's objective.
///
/// With biases an item adds (c p - (c - w0) b) times the same of the rows (y, 1), and `base` is what the score has without any of them.
/// The sum is the score of the user's exact factors given the item factors: that of the model where its solver is exact and `user_items` is what it was
/// fitted on. Stored zeros add nothing; an item that the user does not like (negative weight) adds 0 itself but bends what the others add.
/// @throws data_error  for a user or item past the end, or a matrix of other ids. Cost: O(n f^2 + f^3).
/// Source: Hu, Koren, Volinsky (2008), section 5.
template <class Scalar, class Value> [[nodiscard]] explanation explain(basic_als_model<Scalar> const& model, user_index user,
                                                                       item_index item, basic_csr<Value> const& user_items,
                                                                       explain_options const& options = {}) {
    detail::check_same_encoders("explain", "the matrix", user_items.provenance(), model.provenance());
    if (to_size(user) >= user_items.n_users()) detail::throw_data("explain: user ", to_size(user), ", there are ", user_items.n_users());
    std::span<float const> preferences;
    if (options.preferences) {
        detail::check_same_pattern("explain", user_items, *options.preferences);
        preferences = options.preferences->weights(user);
    }
    return detail::explain_past(model, user_items.seen(user), user_items.weights(user), preferences, item, options.k);
}
/// The same for a user who was folded in.
template <class Scalar> [[nodiscard]] explanation explain(basic_als_model<Scalar> const& model, folded_user<Scalar> const& user,
                                                          item_index item, explain_options const& options = {}) {
    return detail::explain_past(model, user.items.items(), user.items.weights(), std::span<float const>(user.preferences), item, options.k);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
