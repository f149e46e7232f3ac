// SPDX-License-Identifier: MIT
// What boosting makes small: log loss, root mean squared error, or the user's own objective by value and derivatives over spans.
#ifndef RECSYS_RANKER_LOSS_HPP
#define RECSYS_RANKER_LOSS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/hash.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_rows.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// A loss of raw scores against targets, row by row.
///
/// `value(raw, target)` is the mean loss of the rows given; `derivatives(raw, target, gradient, hessian)` writes the first and second
/// derivative of each row's loss by its raw score. Called for blocks of rows, from several threads at once; weights are applied outside.
/// Members it may have besides: `output` (an output_kind: what predict() gives), `start(target, weight)` (the best constant score; `weight`
/// may be empty), `check(target)` (throws where a target is not allowed), `check_options()` (throws where the loss itself is ill set),
/// `finish(mean)` (turns the mean of the blocks into the value shown), `renew(raw, target, weight, l2)` (the best number to add to the scores of
/// the rows given, which are those of a leaf, instead of a Newton step), `usual_step(raw, target)` (about how large such a number is).
template <class Loss>
concept loss_function = requires(Loss const& loss, std::span<float const> in, std::span<float> out) {
    { loss.value(in, in) } -> std::convertible_to<double>;
    loss.derivatives(in, in, out, out);
};

/// A sum of losses, and what it is divided by to be the value shown.
struct loss_total {
    double sum = 0, weight = 0;
};

/// Rows that are ranked against each other: raw scores, targets, weights (empty = 1 each).
struct group_rows {
    std::span<float const> raw, target, weight;
    std::uint64_t seed = 0; ///< for losses that draw: another one for every tree and group, the same for any number of threads
};

/// A loss of rows against the other rows of their group, a group a call.
///
/// `total(rows)` is the sum of the group's losses and what it counts for; `derivatives(rows, gradient, hessian)` writes the first and second
/// derivative for every row, weights included. Called from several threads at once. Members it may have besides: those of loss_function.
template <class Loss>
concept group_loss_function = requires(Loss const& loss, group_rows const& rows, std::span<float> out) {
    { loss.total(rows) } -> std::convertible_to<loss_total>;
    loss.derivatives(rows, out, out);
};

/// Rows of several classes: `raw` is n_classes x n_rows, a class after the other, targets are places of classes, 0 .. n_classes - 1.
struct class_rows {
    std::span<float const> raw, target;
    std::size_t n_classes = 0;
};

/// A loss of a raw score for each class: see multi_class. `values(rows, out)` gives each row's loss, `derivatives(rows, gradient, hessian)` the
/// first and second derivative by each score, in the order of `raw`. Called for blocks of rows, from several threads at once; weights are applied
/// outside. Members it may have besides: `output`, `check_options()`, `start(share)` (the raw score before the first tree of a class of that
/// share of the weight; 0), `labels` (the classes; absent or empty: those of the targets).
template <class Loss>
concept class_loss_function = requires(Loss const& loss, class_rows const& rows, std::span<float> out) {
    loss.values(rows, out);
    loss.derivatives(rows, out, out);
};

/// What `predict` gives: the raw score as it is, 1 / (1 + e^-raw), e^raw, or for each class its share of the e^raw.
enum class output_kind : std::uint8_t { raw, probability, rate, class_probabilities };

namespace detail {

// --- kernels: loops over 16 rows without branches, which compilers turn into vector code -----------------------------

inline constexpr std::size_t row_lanes = 16;

/// kernel(in, in, n, out, out) for a multiple of 16 rows; the last ones go through copies.
template <class Kernel> void for_lanes(std::span<float const> a, std::span<float const> b, float* c, float* d, Kernel const& kernel) {
    std::size_t const whole = a.size() / row_lanes * row_lanes;
    kernel(a.data(), b.data(), whole, c, d);
    if (whole == a.size()) return;
    float in[2][row_lanes] = {}, out[2][row_lanes];
    std::size_t const left = a.size() - whole;
    std::copy_n(a.data() + whole, left, in[0]), std::copy_n(b.data() + whole, left, in[1]);
    kernel(in[0], in[1], row_lanes, out[0], out[1]);
    std::copy_n(out[0], left, c + whole), std::copy_n(out[1], left, d + whole);
}

/// Sum of weight x value over rows, in float over 512 rows and in double over those. `values(first, n, out)` gives at most 16 values.
template <class Values> double weighted_sum(std::size_t n, std::span<float const> weight, Values const& values) {
    double sum = 0;
    for (std::size_t block = 0; block < n; block += 512) {
        float part[row_lanes] = {};
        std::size_t const end = std::min(n, block + 512);
        for (std::size_t i = block; i < end; i += row_lanes) {
            float v[row_lanes] = {};
            std::size_t const count = std::min(row_lanes, end - i);
            values(i, count, v);
            if (!weight.empty())
                for (std::size_t k = 0; k < count; ++k) v[k] *= weight[i + k];
            for (std::size_t k = 0; k < row_lanes; ++k) part[k] += v[k];
        }
        for (std::size_t k = 0; k < row_lanes; ++k) sum += static_cast<double>(part[k]);
    }
    return sum;
}

/// Sums of weight x target and of weight.
struct target_sums {
    double target = 0, weight = 0;
    target_sums(std::span<float const> targets, std::span<float const> weights) {
        for (std::size_t i = 0; i < targets.size(); ++i) {
            double const w = weights.empty() ? 1.0 : static_cast<double>(weights[i]);
            target += w * static_cast<double>(targets[i]), weight += w;
        }
    }
};

}

/// Log loss of raw scores (log odds) against targets in [0, 1], in nats; predictions are probabilities.
/// Finite for every finite score: log(1 + e^t) is taken as max(t, 0) + log(1 + e^-|t|).
struct log_loss {
    static constexpr output_kind output = output_kind::probability;

    /// Mean loss of the rows.
    double value(std::span<float const> raw, std::span<float const> target) const {
        return sum(raw, target, {}) / static_cast<double>(raw.size());
    }
    double sum(std::span<float const> raw, std::span<float const> target, std::span<float const> weight) const {
        auto const kernels = detail::row_kernels(detail::active_simd_level());
        return detail::weighted_sum(raw.size(), weight, [&](std::size_t first, std::size_t n, float* out) {
            if (n == detail::row_lanes) return kernels.log_loss_values(raw.data() + first, target.data() + first, n, out);
            float t[detail::row_lanes] = {}, y[detail::row_lanes] = {}, v[detail::row_lanes];
            std::copy_n(raw.data() + first, n, t), std::copy_n(target.data() + first, n, y);
            kernels.log_loss_values(t, y, detail::row_lanes, v);
            std::copy_n(v, n, out);
        });
    }
    void derivatives(std::span<float const> raw, std::span<float const> target, std::span<float> gradient, std::span<float> hessian) const {
        auto const kernels = detail::row_kernels(detail::active_simd_level());
        detail::for_lanes(raw, target, gradient.data(), hessian.data(), kernels.log_loss_derivatives);
    }
    /// The log odds of the mean target. @throws data_error  where all targets are 0 or all are 1: the odds have no logarithm.
    double start(std::span<float const> target, std::span<float const> weight) const {
        detail::target_sums const sums(target, weight);
        if (!(sums.target > 0 && sums.target < sums.weight))
            detail::throw_data("log_loss: every target is ", sums.target > 0 ? 1 : 0, "; both classes are needed to tell them apart");
        return std::log(sums.target / (sums.weight - sums.target));
    }
    void check(std::span<float const> target) const {
        for (std::size_t i = 0; i < target.size(); ++i)
            if (!(target[i] >= 0 && target[i] <= 1))
                detail::throw_data("log_loss: the target of row ", i, " (from 0) is ", target[i], ", expected 0 to 1");
    }
};

/// Root mean squared error; gradients are those of half the squared error.
struct rmse {
    static constexpr output_kind output = output_kind::raw;

    double value(std::span<float const> raw, std::span<float const> target) const {
        return std::sqrt(sum(raw, target, {}) / static_cast<double>(raw.size()));
    }
    double sum(std::span<float const> raw, std::span<float const> target, std::span<float const> weight) const {
        return detail::weighted_sum(raw.size(), weight, [&](std::size_t first, std::size_t n, float* out) {
            for (std::size_t i = 0; i < n; ++i) {
                float const d = raw[first + i] - target[first + i];
                out[i] = d * d;
            }
        });
    }
    double finish(double mean) const { return std::sqrt(mean); }
    void derivatives(std::span<float const> raw, std::span<float const> target, std::span<float> gradient, std::span<float> hessian) const {
        for (std::size_t i = 0; i < raw.size(); ++i) gradient[i] = raw[i] - target[i], hessian[i] = 1.f;
    }
    /// The mean target.
    double start(std::span<float const> target, std::span<float const> weight) const {
        detail::target_sums const sums(target, weight);
        return sums.target / sums.weight;
    }
};

namespace detail {

/// A block of rows as losses see it. `weight` may be empty, `group_ends` counts from the block's first row.
struct loss_rows {
    std::span<float const> raw, target, weight;
    std::span<std::uint64_t const> group_ends = {};
    std::uint64_t key = 0;       ///< of the tree: from it and their number groups get their seeds
    std::size_t first_group = 0; ///< the number of the block's first group
    std::size_t n_classes = 1;   ///< of losses of several classes, whose raw scores are those of class_rows

    /// f(rows of the group, its first row in the block) for every group.
    template <class Function> void for_groups(Function const& f) const {
        std::size_t first = 0;
        for (std::size_t g = 0; g < group_ends.size(); ++g) {
            std::size_t const n = static_cast<std::size_t>(group_ends[g]) - first;
            f(group_rows{raw.subspan(first, n), target.subspan(first, n), weight.empty() ? weight : weight.subspan(first, n),
                         hash_join(key, first_group + g)},
              first);
            first += n;
        }
    }
};

/// Sum of weighted losses of a block, for losses that have only a mean.
template <class Loss> double loss_sum(Loss const& loss, loss_rows const& rows) {
    if constexpr (requires { loss.sum(rows.raw, rows.target, rows.weight); }) return loss.sum(rows.raw, rows.target, rows.weight);
    else if (rows.weight.empty()) return static_cast<double>(loss.value(rows.raw, rows.target)) * static_cast<double>(rows.raw.size());
    else {
        double sum = 0;
        for (std::size_t i = 0; i < rows.raw.size(); ++i)
            sum += static_cast<double>(rows.weight[i]) * static_cast<double>(loss.value(rows.raw.subspan(i, 1), rows.target.subspan(i, 1)));
        return sum;
    }
}
inline double weight_sum(loss_rows const& rows) {
    double sum = 0;
    for (float const w : rows.weight) sum += static_cast<double>(w);
    return rows.weight.empty() ? static_cast<double>(rows.target.size()) : sum;
}

}

/// Holds any loss_function, group_loss_function or class_loss_function: one indirect call per block of rows, none per row. A copy shares.
class loss {
public:
    template <class Loss>
        requires(!std::same_as<std::remove_cvref_t<Loss>, loss>)
    loss(Loss objective) {
        constexpr bool is_loss = loss_function<Loss> || group_loss_function<Loss> || class_loss_function<Loss>;
        static_assert(
            is_loss,
            "loss: an objective needs value(raw, target) and derivatives(raw, target, gradient, hessian) const over spans of "
            "float, or total(group_rows) and derivatives(group_rows, gradient, hessian) const, or the same with class_rows and values");
        if constexpr (is_loss) m_held = std::make_shared<holder<Loss> const>(std::move(objective));
    }

    /// What `predict` gives.
    output_kind output() const { return m_held->output(); }
    /// Whether blocks must hold whole groups.
    bool grouped() const { return m_held->grouped(); }
    /// Whether there is a raw score for each class.
    bool by_class() const { return m_held->by_class(); }
    /// Whether the trees of a class have splits of their own, see multi_class.
    bool own_splits() const { return m_held->own_splits(); }
    /// The classes where the loss names them.
    std::vector<std::int32_t> labels() const { return m_held->labels(); }
    /// The raw score before the first tree of a class of this share of the rows.
    double class_start(double share) const { return m_held->class_start(share); }
    /// Sum of weight x loss over a block of rows, and what it counts for.
    loss_total total(detail::loss_rows const& rows) const { return m_held->total(rows); }
    /// The value that is shown for a mean loss.
    double finish(double mean) const { return m_held->finish(mean); }
    /// Weighted first and second derivatives of each row.
    void derivatives(detail::loss_rows const& rows, std::span<float> gradient, std::span<float> hessian) const {
        m_held->derivatives(rows, gradient, hessian);
        if (rows.weight.empty() || grouped()) return;
        for (std::size_t first = 0; first < gradient.size(); first += rows.weight.size())
            for (std::size_t i = 0; i < rows.weight.size(); ++i)
                gradient[first + i] *= rows.weight[i], hessian[first + i] *= rows.weight[i];
    }
    /// The best constant score, where the loss knows it.
    std::optional<double> start(std::span<float const> target, std::span<float const> weight) const {
        return m_held->start(target, weight);
    }
    /// The best number to add to the scores of the rows of a leaf, where the loss knows it; a loss always knows it or never.
    std::optional<double> renew(detail::loss_rows const& rows, double l2) const { return m_held->renew(rows, l2); }
    bool renews() const { return m_held->renews(); }
    /// How large a usual leaf is, where the derivatives do not say it; 0 where the loss does not know it.
    double usual_step(detail::loss_rows const& rows) const { return m_held->usual_step(rows); }
    bool knows_usual_step() const { return m_held->knows_usual_step(); }
    /// @throws data_error  for a target that the loss does not allow.
    void check(std::span<float const> target) const { m_held->check(target); }
    /// @throws option_error  for a setting of the loss outside its range.
    void check_options() const { m_held->check_options(); }

private:
    struct base {
        virtual ~base() = default;
        virtual output_kind output() const = 0;
        virtual bool grouped() const = 0;
        virtual bool by_class() const = 0;
        virtual bool own_splits() const = 0;
        virtual std::vector<std::int32_t> labels() const = 0;
        virtual double class_start(double) const = 0;
        virtual loss_total total(detail::loss_rows const&) const = 0;
        virtual double finish(double) const = 0;
        virtual void derivatives(detail::loss_rows const&, std::span<float>, std::span<float>) const = 0;
        virtual std::optional<double> start(std::span<float const>, std::span<float const>) const = 0;
        virtual bool renews() const = 0;
        virtual std::optional<double> renew(detail::loss_rows const&, double) const = 0;
        virtual bool knows_usual_step() const = 0;
        virtual double usual_step(detail::loss_rows const&) const = 0;
        virtual void check(std::span<float const>) const = 0;
        virtual void check_options() const = 0;
    };
    template <class Loss> struct holder final : base {
        explicit holder(Loss l) : held(std::move(l)) {}
        output_kind output() const override {
            if constexpr (requires {
                              { Loss::output } -> std::convertible_to<output_kind>;
                          })
                return Loss::output;
            else return output_kind::raw;
        }
        bool grouped() const override { return group_loss_function<Loss>; }
        bool by_class() const override { return class_loss_function<Loss>; }
        bool own_splits() const override {
            if constexpr (requires { held.own_splits; }) return held.own_splits;
            else return false;
        }
        std::vector<std::int32_t> labels() const override {
            if constexpr (requires { held.labels.size(); }) return {held.labels.begin(), held.labels.end()};
            else return {};
        }
        double class_start(double share) const override {
            if constexpr (requires { held.start(share); }) return held.start(share);
            else return 0;
        }
        loss_total total(detail::loss_rows const& rows) const override {
            if constexpr (group_loss_function<Loss>) {
                loss_total all;
                rows.for_groups([&](group_rows const& group, std::size_t) {
                    loss_total const one = held.total(group);
                    all.sum += one.sum, all.weight += one.weight;
                });
                return all;
            } else if constexpr (class_loss_function<Loss>) {
                std::vector<float> values(rows.target.size());
                held.values({rows.raw, rows.target, rows.n_classes}, values);
                return {detail::weighted_sum(values.size(), rows.weight,
                                             [&](std::size_t first, std::size_t n, float* out) { std::copy_n(&values[first], n, out); }),
                        detail::weight_sum(rows)};
            } else return {detail::loss_sum(held, rows), detail::weight_sum(rows)};
        }
        double finish(double mean) const override {
            if constexpr (requires { held.finish(mean); }) return held.finish(mean);
            else return mean;
        }
        void derivatives(detail::loss_rows const& rows, std::span<float> g, std::span<float> h) const override {
            if constexpr (group_loss_function<Loss>)
                rows.for_groups([&](group_rows const& group, std::size_t first) {
                    held.derivatives(group, g.subspan(first, group.raw.size()), h.subspan(first, group.raw.size()));
                });
            else if constexpr (class_loss_function<Loss>) held.derivatives({rows.raw, rows.target, rows.n_classes}, g, h);
            else held.derivatives(rows.raw, rows.target, g, h);
        }
        std::optional<double> start(std::span<float const> target, std::span<float const> weight) const override {
            if constexpr (requires { held.start(target, weight); }) return held.start(target, weight);
            else if constexpr (group_loss_function<Loss> || class_loss_function<Loss>)
                return 0; // what is compared within groups does not ask for a constant
            else return std::nullopt;
        }
        static constexpr bool can_renew = requires(Loss const& l, std::span<float const> in) { l.renew(in, in, in, 0.0); };
        bool renews() const override { return can_renew; }
        std::optional<double> renew(detail::loss_rows const& rows, double l2) const override {
            if constexpr (can_renew) return held.renew(rows.raw, rows.target, rows.weight, l2);
            else return std::nullopt;
        }
        static constexpr bool has_usual_step = requires(Loss const& l, std::span<float const> in) { l.usual_step(in, in); };
        bool knows_usual_step() const override { return has_usual_step; }
        double usual_step(detail::loss_rows const& rows) const override {
            if constexpr (has_usual_step) return held.usual_step(rows.raw, rows.target);
            else return 0;
        }
        void check(std::span<float const> target) const override {
            if constexpr (requires { held.check(target); }) held.check(target);
        }
        void check_options() const override {
            if constexpr (requires { held.check_options(); }) held.check_options();
        }
        Loss held;
    };
    std::shared_ptr<base const> m_held;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
