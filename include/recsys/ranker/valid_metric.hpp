// SPDX-License-Identifier: MIT
// What early stopping watches on the validation rows besides the loss: NDCG@k, AUC, or the user's own metric.
#ifndef RECSYS_RANKER_VALID_METRIC_HPP
#define RECSYS_RANKER_VALID_METRIC_HPP

#include <recsys/core/push_macros.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include <recsys/core/error.hpp>
#include <recsys/core/measures.hpp>
#include <recsys/core/types.hpp>
#include <recsys/ranker/loss.hpp>
#include <recsys/ranker/multi_class.hpp>
#include <recsys/ranker/ranking_loss.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// All validation rows as a metric sees them; `weight` (empty = 1 each) and `group_ends` may be empty. Of several classes there is a raw score
/// for each, row after row, and targets are the places of the classes: 0 .. n_outputs - 1, by rising label.
struct rated_rows {
    std::span<float const> raw, target, weight;
    std::span<std::uint64_t const> group_ends;
    std::size_t n_outputs = 1;

    /// For metrics of one raw score a row. @throws data_error  where there are more.
    void check_one_output(char const* metric) const {
        if (n_outputs != 1) detail::throw_data(metric, ": needs one raw score a row, there is one for each of ", n_outputs, " classes");
    }
};

/// A metric of raw scores: a number for rated_rows, the higher the better, unless it has a member `higher_is_better` that is false.
/// NaN is never the best. Called from the thread that fits.
template <class Metric>
concept metric_function = requires(Metric const& metric, rated_rows const& rows) {
    { metric(rows) } -> std::convertible_to<double>;
};

/// Mean NDCG of the first k places, gains 2^target - 1; groups without anything to gain do not count, a group counts its mean weight.
struct valid_ndcg {
    natural k = 10;
    double operator()(rated_rows const& rows) const {
        rows.check_one_output("valid_ndcg");
        if (rows.group_ends.empty())
            detail::throw_data("valid_ndcg: the validation rows have no groups; name one: rows<T>().group(&T::query)");
        loss_total all;
        detail::loss_rows{rows.raw, rows.target, rows.weight, rows.group_ends}.for_groups([&](group_rows const& group, std::size_t) {
            auto const one = detail::missing_ndcg(group, k, true);
            all.sum += one.sum, all.weight += one.weight;
        });
        return 1 - all.sum / all.weight;
    }
};
/// The share of pairs of a positive (target above 0) and another row in which the positive has the higher score; ties count one half.
struct valid_auc {
    double operator()(rated_rows const& rows) const {
        rows.check_one_output("valid_auc");
        return detail::area_under_curve(rows.raw, rows.target, rows.weight);
    }
};
/// The share of rows whose class has the highest raw score, the first of equal ones; of one score a row: whether it is above 0 where the target is
/// above 0.5.
struct valid_accuracy {
    double operator()(rated_rows const& rows) const {
        double right = 0, all = 0;
        for (std::size_t row = 0; row < rows.target.size(); ++row) {
            double const weight = rows.weight.empty() ? 1.0 : static_cast<double>(rows.weight[row]);
            auto const found = detail::class_place(rows.raw.data() + row * rows.n_outputs, rows.n_outputs);
            auto const wanted = rows.n_outputs == 1 ? std::size_t{rows.target[row] > 0.5f} : static_cast<std::size_t>(rows.target[row]);
            right += found == wanted ? weight : 0, all += weight;
        }
        return right / all;
    }
};

/// Holds any metric_function, or none: then the loss is watched. A copy copies.
class valid_metric {
public:
    valid_metric() = default;
    template <class Metric>
        requires(!std::same_as<std::remove_cvref_t<Metric>, valid_metric>)
    valid_metric(Metric metric) {
        constexpr bool is_metric = metric_function<Metric>;
        static_assert(is_metric, "metric: a function is needed that gives a number for rated_rows");
        if constexpr (is_metric) {
            if constexpr (requires { Metric::higher_is_better; }) m_higher = Metric::higher_is_better;
            m_held = std::move(metric);
        }
    }
    explicit operator bool() const noexcept { return static_cast<bool>(m_held); }
    double operator()(rated_rows const& rows) const { return m_held(rows); }
    bool higher_is_better() const noexcept { return m_higher; }

private:
    std::function<double(rated_rows const&)> m_held;
    bool m_higher = true;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
