// SPDX-License-Identifier: MIT
// Other values on the same pattern: log scaling, confidences for other programs, TF-IDF, BM25.
#ifndef RECSYS_MATRIX_TRANSFORM_HPP
#define RECSYS_MATRIX_TRANSFORM_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/builder.hpp>
#include <recsys/matrix/csr.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

enum class confidence_form { linear, log };

struct confidence_options {
    confidence_form form = confidence_form::linear;
    double alpha = 1;
    double epsilon = 1; ///< the weight at which the log form begins to bend
};
struct bm25_options {
    double k1 = 1.2; ///< how soon further plays stop to matter
    double b = 0.75; ///< how much long histories are discounted, in [0, 1]
};

namespace detail {

/// What fractional results on a matrix are stored as.
template <class Value> using transformed_t = std::conditional_t<std::is_floating_point_v<Value>, Value, double>;

/// Calls f(user, item, value) for each entry, in row order.
template <class Value, class Function> void for_each_entry(basic_csr<Value> const& m, Function const& f) {
    for (auto const user : index_range<user_index>(m.n_users())) {
        auto const items = m.seen(user);
        auto const values = m.weights(user);
        for (std::size_t i = 0; i < items.size(); ++i) f(user, items[i], values[i]);
    }
}

/// A borrowed array that keeps the matrix alive.
template <class Value, class Element> shared_array<Element> share(basic_csr<Value> const& m, std::span<Element const> part) {
    return shared_array<Element>(std::make_shared<basic_csr<Value>>(m), part);
}

/// log(users / (1 + users of the item)), but not below 0 for an item that everybody has.
template <class Value> std::vector<double> inverse_frequencies(basic_csr<Value> const& m) {
    std::vector<double> out(m.n_items(), 1);
    for (auto const item : m.columns()) out[to_size(item)] += 1;
    for (auto& x : out) x = std::max(0.0, portable_log(static_cast<double>(m.n_users()) / x));
    return out;
}

}

/// f(user, item, value) on the same pattern; the value type is what f returns. Columns and offsets are shared, not copied.
/// @throws data_error for a result that is not finite.
template <class Value, class Function> [[nodiscard]] auto map_values(basic_csr<Value> const& m, Function const& f) {
    using result = std::remove_cvref_t<std::invoke_result_t<Function const&, user_index, item_index, Value>>;
    static_assert(std::is_arithmetic_v<result>, "map_values: the function must return a number: f(user_index, item_index, value)");
    detail::buffer<result> values(m.n_entries());
    std::size_t at = 0;
    detail::for_each_entry(m, [&](user_index user, item_index item, Value value) { values[at++] = f(user, item, value); });
    return basic_csr<result>(m.n_users(), m.n_items(), detail::share(m, m.offsets()), detail::share(m, m.columns()), std::move(values),
                             m.provenance(), m.report());
}

/// The same matrix with a wider value type. A type that would change values does not compile.
template <class To, class Value> [[nodiscard]] basic_csr<To> values_as(basic_csr<Value> const& m) {
    static_assert(detail::keeps_values<Value, To>(),
                  "values_as: this type cannot hold every value of the matrix; convert with map_values, where the loss is in sight");
    return map_values(m, [](user_index, item_index, Value value) { return static_cast<To>(value); });
}

/// sign(r) log(1 + |r| / epsilon): weights for `als` by which c = 1 + alpha log(1 + |r| / epsilon). Source: Hu, Koren, Volinsky (2008), eq. 6.
template <class Value> [[nodiscard]] auto log_scaled(basic_csr<Value> const& m, double epsilon = 1) {
    using weight = detail::transformed_t<Value>;
    if (!(epsilon > 0)) detail::throw_option("log_scaled: epsilon must be above 0, got ", epsilon);
    return map_values(m, [epsilon](user_index, item_index, Value value) {
        auto const r = static_cast<double>(value);
        return static_cast<weight>(std::copysign(std::log1p(std::abs(r) / epsilon), r));
    });
}

/// The confidences c of Hu, Koren, Volinsky (2008), for programs that take them whole: 1 + alpha |r| (eq. 3), or 1 + alpha log(1 + |r| / epsilon)
/// (eq. 6), with the sign of r. A stored zero stays 0. `als` wants the weights r themselves: it makes c of them.
template <class Value> [[nodiscard]] auto confidence(basic_csr<Value> const& m, confidence_options const& options = {}) {
    using weight = detail::transformed_t<Value>;
    if (!(options.alpha >= 0)) detail::throw_option("confidence: alpha must not be negative, got ", options.alpha);
    if (!(options.epsilon > 0)) detail::throw_option("confidence: epsilon must be above 0, got ", options.epsilon);
    return map_values(m, [options](user_index, item_index, Value value) {
        auto const r = static_cast<double>(value), size = std::abs(r);
        if (size == 0) return weight{0};
        double const bent = options.form == confidence_form::linear ? size : std::log1p(size / options.epsilon);
        return static_cast<weight>(std::copysign(1 + options.alpha * bent, r));
    });
}

/// sqrt(r) idf(item), idf = log(users / (1 + users of the item)), at least 0. Users are the documents, items the terms.
/// @throws data_error for a negative value.
template <class Value> [[nodiscard]] auto tf_idf(basic_csr<Value> const& m) {
    using weight = detail::transformed_t<Value>;
    if (m.report().negatives > 0) detail::throw_data("tf_idf: ", m.report().negatives, " values are negative, expected counts");
    auto const idf = detail::inverse_frequencies(m);
    return map_values(m, [&idf](user_index, item_index item, Value value) {
        return static_cast<weight>(std::sqrt(static_cast<double>(value)) * idf[to_size(item)]);
    });
}

/// r (k1 + 1) / (r + k1 (1 - b + b n_u / mean n)) idf(item), idf as in tf_idf, n_u = sum of the user's row, the mean over all users.
/// Source: Robertson & Zaragoza, "The probabilistic relevance framework" (2009), eq. 3.15. @throws data_error for a negative value.
template <class Value> [[nodiscard]] auto bm25(basic_csr<Value> const& m, bm25_options const& options = {}) {
    using weight = detail::transformed_t<Value>;
    if (!(options.k1 >= 0)) detail::throw_option("bm25: k1 must not be negative, got ", options.k1);
    if (!(options.b >= 0 && options.b <= 1)) detail::throw_option("bm25: b must be in [0, 1], got ", options.b);
    if (m.report().negatives > 0) detail::throw_data("bm25: ", m.report().negatives, " values are negative, expected counts");
    auto const idf = detail::inverse_frequencies(m);
    std::vector<double> length(m.n_users());
    double total = 0;
    detail::for_each_entry(m, [&](user_index user, item_index, Value value) {
        length[to_size(user)] += static_cast<double>(value), total += static_cast<double>(value);
    });
    double const mean = total / static_cast<double>(std::max<std::size_t>(1, m.n_users()));
    return map_values(m, [&](user_index user, item_index item, Value value) {
        auto const r = static_cast<double>(value);
        if (r == 0) return weight{0};
        double const norm = 1 - options.b + options.b * length[to_size(user)] / mean;
        return static_cast<weight>(r * (options.k1 + 1) / (r + options.k1 * norm) * idf[to_size(item)]);
    });
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
