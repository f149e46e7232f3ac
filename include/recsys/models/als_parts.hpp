// SPDX-License-Identifier: MIT
// What an ALS model is made of, and what folding in gives.
#ifndef RECSYS_MODELS_ALS_PARTS_HPP
#define RECSYS_MODELS_ALS_PARTS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/history.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/models/als_objective.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// A user who was not in training: factors like those of the model, and what made them, which counts as seen.
template <class Scalar> struct folded_user {
    std::vector<Scalar> factors; ///< n_factors, with biases (x, b, 1)
    history items;
    std::vector<float> preferences = {}; ///< beside the items, if they were given
};
/// An item that was not in training.
template <class Scalar> struct folded_item {
    std::vector<Scalar> factors; ///< n_factors, with biases (y, 1, b)
};
/// One user of a new item, for fold_in_item.
struct item_taker {
    user_index user{};
    float weight = 1;
    std::optional<float> preference = {}; ///< absent: 1 for a weight above 0, else 0
};

/// What a model is made of, and the objective by which it folds in. Tables are row-major: a user or item a row. With biases the last two of n_factors
/// are (b, 1) of a user and (1, b) of an item.
template <class Scalar> struct als_parts : als_objective {
    std::size_t n_users = 0, n_items = 0, n_factors = 0;
    detail::shared_array<Scalar> user_factors;      ///< n_users x n_factors
    detail::shared_array<Scalar> item_factors;      ///< n_items x n_factors
    detail::shared_array<std::uint8_t> known_users; ///< 1 where the user has an entry; empty = every user
    detail::shared_array<std::uint8_t> known_items; ///< 1 where the item has an entry; empty = every item
    detail::shared_array<double> user_gramian;      ///< n_factors x n_factors; empty = made here
    detail::shared_array<double> item_gramian;
    recsys::provenance from = {};
    fit_report report = {};
    bool shape_is_lost = false; ///< loaded from a file, which does not keep the confidence_shape that the model was fitted with
};

namespace detail {

/// @throws data_error  where the preferences do not stand where the weights stand.
template <class Value> void check_same_pattern(std::string_view where, basic_csr<Value> const& weights, csr const& preferences) {
    auto const same = [](auto a, auto b) {
        return a.size() == b.size() && (a.data() == b.data() || std::equal(a.begin(), a.end(), b.begin()));
    };
    if (weights.n_items() != preferences.n_items() || !same(weights.offsets(), preferences.offsets()) ||
        !same(weights.columns(), preferences.columns()))
        throw_data(where, ": the preferences must have the entries that the weights have: make them with map_values");
}

template <class Value> void check_part(shared_array<Value> const& part, std::size_t n, char const* what) {
    if (part.size() != n) throw_data("als: ", what, " has ", part.size(), " values, expected ", n);
    if constexpr (std::is_floating_point_v<Value>)
        for (std::size_t i = 0; i < n; ++i)
            if (!std::isfinite(part[i])) throw_data("als: value ", i, " of ", what, " is not finite");
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
