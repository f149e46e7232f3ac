// SPDX-License-Identifier: MIT
// The score of a pair of rows of factors: one definition, with the same bits wherever a pair is asked for.
#ifndef RECSYS_RETRIEVAL_FACTOR_PAIRS_HPP
#define RECSYS_RETRIEVAL_FACTOR_PAIRS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_scores.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// How alike two rows of factors are.
enum class similarity {
    dot,      ///< the sum of products: long vectors win
    cosine,   ///< the same of vectors of length 1, in [-1, 1]; a zero vector is like nothing
    euclidean ///< minus the distance: 0 for equal rows, below 0 for others
};

namespace detail {

template <class Scalar>
concept factor_scalar = std::same_as<Scalar, float> || std::same_as<Scalar, double>;

/// The sum of a[k] b[k] in the order of k, with one rounding a step where the machine has fused multiply-add: the raw score of every path.
template <factor_scalar Scalar> Scalar factor_dot(Scalar const* a, Scalar const* b, std::size_t n) noexcept {
    Scalar out{0};
    score_kernels<Scalar>(active_simd_level()).rows(a, &b, 1, n, false, &out);
    return out;
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
    Scalar const* row = nullptr; ///< null: like nothing
    double length = 0;           ///< only for cosines
};

/// Scores of a row against the rows of a table.
template <factor_scalar Scalar> class factor_pairs {
public:
    using score_type = Scalar;
    using subject = factor_subject<Scalar>;

    /// @param item_lengths  only for cosines; must outlive it, as the rows.
    factor_pairs(factor_rows<Scalar> const& items, similarity by, double const* item_lengths = nullptr) noexcept
        : m_items(items), m_item_lengths(item_lengths), m_by(by), m_level(active_simd_level()), m_kernels(score_kernels<Scalar>(m_level)) {}

    factor_rows<Scalar> const& items() const noexcept { return m_items; }
    similarity by() const noexcept { return m_by; }
    bool is_distance() const noexcept { return m_by == similarity::euclidean; }
    double item_length(std::size_t item) const noexcept { return m_item_lengths[item]; }
    simd_level level() const noexcept { return m_level; }
    score_table<Scalar> const& kernels() const noexcept { return m_kernels; }

    subject subject_of(Scalar const* row) const noexcept {
        return {row, m_by == similarity::cosine ? length_of(row, m_items.n_factors) : 0};
    }
    Scalar operator()(subject const& x, std::size_t item) const noexcept {
        Scalar out{};
        Scalar const* const row = m_items.row(item);
        m_kernels.rows(x.row, &row, 1, m_items.n_factors, is_distance(), &out);
        return finished(x, item, out);
    }
    /// Calls take(j, score) for each of n items, item_at(j).
    template <class ItemAt, class Take> void each(subject const& x, std::size_t n, ItemAt const& item_at, Take const& take) const {
        constexpr std::size_t at_once = 128;
        Scalar const* rows[at_once];
        Scalar out[at_once];
        for (std::size_t first = 0; first < n; first += at_once) {
            std::size_t const some = std::min(at_once, n - first);
            for (std::size_t j = 0; j < some; ++j) rows[j] = m_items.row(item_at(first + j));
            m_kernels.rows(x.row, rows, some, m_items.n_factors, is_distance(), out);
            for (std::size_t j = 0; j < some; ++j) take(first + j, finished(x, item_at(first + j), out[j]));
        }
    }
    /// The score of a pair whose raw score is known.
    Scalar finished(subject const& x, std::size_t item, Scalar raw) const noexcept {
        if (m_by == similarity::dot) return raw;
        if (m_by == similarity::cosine) return cosine(x, item, raw);
        // Squares of very long or short differences leave the range of float on the way.
        if (-raw > least_safe() && -raw < most_safe()) return -std::sqrt(-raw);
        return static_cast<Scalar>(0 - double_distance(x.row, m_items.row(item), m_items.n_factors));
    }
    /// How many items fit the near cache with their factors.
    std::size_t items_at_once() const noexcept { return std::max<std::size_t>(16, 131072 / (sizeof(Scalar) * (m_items.n_factors + 1))); }

private:
    static constexpr Scalar least_safe() noexcept { return Scalar(1e-30); }
    static constexpr Scalar most_safe() noexcept { return Scalar(1e30); }
    static double double_distance(Scalar const* a, Scalar const* b, std::size_t n) noexcept {
        double sum = 0;
        for (std::size_t k = 0; k < n; ++k) {
            double const d = static_cast<double>(a[k]) - static_cast<double>(b[k]);
            sum += d * d;
        }
        return std::sqrt(sum);
    }
    Scalar cosine(subject const& x, std::size_t item, Scalar product) const noexcept {
        double const lengths = x.length * m_item_lengths[item];
        if (lengths == 0) return Scalar{0};
        bool const is_safe = std::abs(product) > least_safe() && std::abs(product) < most_safe();
        double const exact = is_safe ? static_cast<double>(product) : double_dot(x.row, m_items.row(item), m_items.n_factors);
        double const value = exact / lengths;
        return static_cast<Scalar>(std::isnan(value) ? value : std::min(1.0, std::max(-1.0, value)));
    }

    factor_rows<Scalar> m_items;
    double const* m_item_lengths;
    similarity m_by;
    simd_level m_level;
    score_table<Scalar> m_kernels;
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
