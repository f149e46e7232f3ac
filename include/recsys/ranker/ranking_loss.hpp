// SPDX-License-Identifier: MIT
// Losses of rows against the other rows of their group: pairwise logit, LambdaMART, YetiRank, QuerySoftMax, QueryRMSE.
#ifndef RECSYS_RANKER_RANKING_LOSS_HPP
#define RECSYS_RANKER_RANKING_LOSS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/measures.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/types.hpp>
#include <recsys/ranker/loss.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// A thread's memory for one group; it grows to the largest group and stays. The padding of `root_weight` is 0: pairs with it are none.
struct group_scratch {
    std::vector<std::uint64_t> order;
    std::vector<float> raw, target, gain, root_weight, gradient, hessian;
    std::vector<float> discount; ///< rank_discount of every place
    std::vector<double> gains;

    void resize(std::size_t n) {
        for (auto* const of : {&raw, &target, &gain, &root_weight, &gradient, &hessian}) of->assign(n + row_lanes, 0.f);
        know_places(n + row_lanes);
    }
    void know_places(std::size_t n) {
        while (discount.size() < n) discount.push_back(static_cast<float>(rank_discount(discount.size())));
    }
    /// The DCG of the first k of `gains` in their best order, into which they are brought.
    double ideal(std::size_t k) {
        std::size_t const n = std::min(k, gains.size());
        std::partial_sort(gains.begin(), gains.begin() + static_cast<std::ptrdiff_t>(n), gains.end(), std::greater<>());
        double sum = 0;
        for (std::size_t place = 0; place < n; ++place) sum += gains[place] * static_cast<double>(discount[place]);
        return sum;
    }
};
inline group_scratch& thread_group_scratch() {
    thread_local group_scratch scratch;
    return scratch;
}

/// The order of a float as an integer, the largest first.
inline std::uint32_t falling_key(float x) noexcept {
    auto const bits = bit_cast<std::uint32_t>(x + 0.f); // -0 is 0
    return bits >> 31 ? bits : ~(bits | 0x80000000u);
}
/// Rows with the largest value first, equal ones by the smaller row: the lower halves are the rows.
inline void sort_falling(std::span<float const> values, std::vector<std::uint64_t>& order) {
    order.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) order[i] = std::uint64_t{falling_key(values[i])} << 32 | i;
    std::sort(order.begin(), order.end());
}
inline std::size_t ordered_row(std::uint64_t ordered) noexcept { return static_cast<std::size_t>(ordered & 0xFFFFFFFFu); }

inline double row_weight(group_rows const& rows, std::size_t row) {
    return rows.weight.empty() ? 1.0 : static_cast<double>(rows.weight[row]);
}
inline double mean_weight(group_rows const& rows) {
    if (rows.weight.empty()) return 1;
    double sum = 0;
    for (float const w : rows.weight) sum += static_cast<double>(w);
    return sum / static_cast<double>(rows.weight.size());
}
inline float root_weight(group_rows const& rows, std::size_t row) { return rows.weight.empty() ? 1.f : std::sqrt(rows.weight[row]); }

/// 2^t - 1.
inline double exponential_gain(float t) noexcept {
    auto const whole = static_cast<int>(std::min(std::max(t, 0.f), 31.f));
    if (t == static_cast<float>(whole)) return static_cast<double>((std::int64_t{1} << whole) - 1);
    return std::exp2(static_cast<double>(t)) - 1;
}

/// 1 - NDCG of the first k places, each group by its mean weight; groups without anything to gain do not count.
inline loss_total missing_ndcg(group_rows const& rows, std::size_t k, bool exponential) {
    auto& s = thread_group_scratch();
    s.gains.clear(), s.know_places(rows.raw.size());
    for (float const t : rows.target) s.gains.push_back(exponential ? exponential_gain(t) : static_cast<double>(t));
    sort_falling(rows.raw, s.order);
    double actual = 0;
    for (std::size_t place = 0; place < std::min(k, s.order.size()); ++place)
        actual += s.gains[ordered_row(s.order[place])] * static_cast<double>(s.discount[place]);
    double const ideal = s.ideal(k), weight = mean_weight(rows);
    return ideal > 0 ? loss_total{weight * (1 - actual / ideal), weight} : loss_total{};
}

inline void check_relevance(std::span<float const> target, std::string_view where) {
    for (std::size_t i = 0; i < target.size(); ++i)
        if (!(target[i] >= 0))
            throw_data(where, ": the target of row ", i, " (from 0) is ", target[i], ", expected a number of at least 0");
}

inline void check_setting(std::string_view name, double value, double least, double most) {
    if (!(value >= least && value <= most)) throw_option(name, " must be in [", least, ", ", most, "], got ", value);
}

/// Sums over the pairs of one row; `size` of gradients without their sign.
struct pair_sums {
    float gradient[row_lanes] = {}, hessian[row_lanes] = {}, size[row_lanes] = {};
    void add_to(float& g, float& h) const noexcept {
        float a = 0, b = 0;
        for (std::size_t k = 0; k < row_lanes; ++k) a += gradient[k], b += hessian[k];
        g += a, h += b;
    }
    double total_size() const noexcept {
        float sum = 0;
        for (std::size_t k = 0; k < row_lanes; ++k) sum += size[k];
        return static_cast<double>(sum);
    }
};
/// log(1 + e^-sigma d) of pairs of a row with 16 others, d = the score of the better one minus that of the worse one, by size[k].
/// @param sign  1 where the row is the better one, else -1.
inline void add_pairs(float raw, float const* __restrict other, float const* __restrict sign, float const* __restrict size, float sigma,
                      pair_sums& mine, float* __restrict gradient, float* __restrict hessian) noexcept {
    for (std::size_t k = 0; k < row_lanes; ++k) {
        float const t = sigma * sign[k] * (raw - other[k]), e = exp_minus_abs(t), s = 1.f / (1.f + e);
        std::int32_t const negative = bit_cast<std::int32_t>(t) >> 31;
        float const wrong = s * bit_cast<float>((bit_cast<std::int32_t>(e) & ~negative) | (0x3F800000 & negative)); // 1 / (1 + e^t)
        float const steep = sigma * size[k] * wrong, g = sign[k] * steep, h = sigma * sigma * size[k] * e * s * s;
        mine.gradient[k] -= g, mine.hessian[k] += h, mine.size[k] += steep;
        gradient[k] += g, hessian[k] += h;
    }
}

}

/// Every pair of rows of a group with different targets: log(1 + e^-(score of the better one - score of the other)). The value is the mean
/// over pairs; a pair counts the geometric mean of its rows' weights. Groups of one row or of equal targets give nothing.
/// Cost: the square of a group's size. Source: Burges et al., "Learning to rank using gradient descent" (2005), section 3, sigma 1.
struct pairwise_logit {
    loss_total total(group_rows const& rows) const {
        loss_total out;
        for_pairs(rows, [&](detail::group_scratch const& s, std::size_t i, std::size_t from, std::size_t n) {
            for (std::size_t j = from; j < n; j += detail::row_lanes) {
                float d[detail::row_lanes], one[detail::row_lanes], value[detail::row_lanes];
                for (std::size_t k = 0; k < detail::row_lanes; ++k) d[k] = s.raw[i] - s.raw[j + k], one[k] = 1.f;
                detail::log_loss_values(d, one, value);
                float sum = 0, weight = 0;
                for (std::size_t k = 0; k < detail::row_lanes; ++k) sum += value[k] * s.root_weight[j + k], weight += s.root_weight[j + k];
                out.sum += static_cast<double>(s.root_weight[i] * sum), out.weight += static_cast<double>(s.root_weight[i] * weight);
            }
        });
        return out;
    }
    void derivatives(group_rows const& rows, std::span<float> gradient, std::span<float> hessian) const {
        std::fill(gradient.begin(), gradient.end(), 0.f), std::fill(hessian.begin(), hessian.end(), 0.f);
        float ones[detail::row_lanes];
        std::fill_n(ones, detail::row_lanes, 1.f);
        for_pairs(rows, [&](detail::group_scratch& s, std::size_t i, std::size_t from, std::size_t n) {
            detail::pair_sums mine;
            for (std::size_t j = from; j < n; j += detail::row_lanes) {
                float size[detail::row_lanes];
                for (std::size_t k = 0; k < detail::row_lanes; ++k) size[k] = s.root_weight[i] * s.root_weight[j + k];
                detail::add_pairs(s.raw[i], s.raw.data() + j, ones, size, 1.f, mine, s.gradient.data() + j, s.hessian.data() + j);
            }
            mine.add_to(s.gradient[i], s.hessian[i]);
        });
        auto const& s = detail::thread_group_scratch();
        for (std::size_t i = 0; i < s.order.size(); ++i)
            gradient[detail::ordered_row(s.order[i])] = s.gradient[i], hessian[detail::ordered_row(s.order[i])] = s.hessian[i];
    }

private:
    /// f(scratch, i, first, n) for each row i in the order of falling targets: rows first .. n - 1 have lower ones.
    template <class Function> static void for_pairs(group_rows const& rows, Function const& f) {
        std::size_t const n = rows.raw.size();
        auto& s = detail::thread_group_scratch();
        detail::sort_falling(rows.target, s.order);
        s.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            auto const row = detail::ordered_row(s.order[i]);
            s.raw[i] = rows.raw[row], s.target[i] = rows.target[row], s.root_weight[i] = detail::root_weight(rows, row);
        }
        for (std::size_t i = 0, lower = 0; i < n; ++i) {
            while (lower < n && !(s.target[lower] < s.target[i])) ++lower;
            f(s, i, lower, n);
        }
    }
};

/// LambdaMART for NDCG at k: pairs of different targets, the better placed one among the first k, by what swapping them changes of NDCG at k's
/// ideal; gains are 2^target - 1. The value is 1 - NDCG@k, the mean over the groups that have something to gain.
///
/// With `normalize` a pair counts less the further its scores are apart, and each group as the logarithm of its sum, as LightGBM does.
/// A pair counts the geometric mean of its rows' weights. Targets are whole numbers from 0 to 30. Cost: k times a group's size.
/// Source: Burges, "From RankNet to LambdaRank to LambdaMART: an overview" (2010), section 7; LightGBM's objective `lambdarank`.
struct lambda_mart {
    natural k = 30;
    double sigma = 1; ///< how steep the logistic function of a pair is, above 0
    bool normalize = true;

    loss_total total(group_rows const& rows) const { return detail::missing_ndcg(rows, k, true); }
    void derivatives(group_rows const& rows, std::span<float> gradient, std::span<float> hessian) const {
        std::fill(gradient.begin(), gradient.end(), 0.f), std::fill(hessian.begin(), hessian.end(), 0.f);
        std::size_t const n = rows.raw.size();
        auto& s = detail::thread_group_scratch();
        double const ideal = place_rows(rows, s);
        if (!(ideal > 0)) return;
        // Where all scores are equal there is no distance to speak of.
        bool const by_distance = normalize && s.raw[0] != s.raw[n - 1];
        double size = 0;
        for (std::size_t i = 0; i < std::min<std::size_t>(k, n); ++i) size += add_row(s, i, n, static_cast<float>(1 / ideal), by_distance);
        double factor = 1;
        if (double const of_group = 2 * size / detail::mean_weight(rows); normalize && of_group > 0)
            factor = std::log2(1 + of_group) / of_group;
        for (std::size_t i = 0; i < n; ++i) {
            gradient[detail::ordered_row(s.order[i])] = s.gradient[i] * static_cast<float>(factor);
            hessian[detail::ordered_row(s.order[i])] = s.hessian[i] * static_cast<float>(factor);
        }
    }
    void check(std::span<float const> target) const {
        for (std::size_t i = 0; i < target.size(); ++i)
            if (!(target[i] >= 0 && target[i] <= 30 && target[i] == std::floor(target[i])))
                detail::throw_data("lambda_mart: the target of row ", i, " (from 0) is ", target[i],
                                   ", expected a whole number from 0 to 30");
    }
    void check_options() const {
        if (k == 0) detail::throw_option("lambda_mart: k must be at least 1, got 0");
        detail::check_setting("lambda_mart: sigma", sigma, 1e-6, 1e6);
    }

private:
    /// Fills the scratch in the order of falling scores; gives the ideal DCG at k.
    double place_rows(group_rows const& rows, detail::group_scratch& s) const {
        std::size_t const n = rows.raw.size();
        detail::sort_falling(rows.raw, s.order);
        s.resize(n), s.gains.clear();
        for (std::size_t i = 0; i < n; ++i) {
            auto const row = detail::ordered_row(s.order[i]);
            s.raw[i] = rows.raw[row], s.root_weight[i] = detail::root_weight(rows, row);
            s.gains.push_back(detail::exponential_gain(rows.target[row]));
            s.gain[i] = static_cast<float>(s.gains.back());
        }
        return s.ideal(k);
    }
    /// The pairs of the row at place i with all below it; gives the sum of their gradients' sizes.
    double add_row(detail::group_scratch& s, std::size_t i, std::size_t n, float per_ideal, bool by_distance) const {
        float const least = by_distance ? 0.01f : 1.f, slope = by_distance ? 1.f : 0.f;
        detail::pair_sums mine;
        for (std::size_t j = i + 1; j < n; j += detail::row_lanes) {
            float sign[detail::row_lanes], size[detail::row_lanes];
            for (std::size_t l = 0; l < detail::row_lanes; ++l) {
                float const gain = s.gain[i] - s.gain[j + l], distance = std::fabs(s.raw[i] - s.raw[j + l]);
                sign[l] = gain < 0.f ? -1.f : 1.f;
                size[l] = std::fabs(gain * (s.discount[i] - s.discount[j + l])) * per_ideal * s.root_weight[i] * s.root_weight[j + l] /
                          (least + slope * distance);
            }
            detail::add_pairs(s.raw[i], s.raw.data() + j, sign, size, static_cast<float>(sigma), mine, s.gradient.data() + j,
                              s.hessian.data() + j);
        }
        mine.add_to(s.gradient[i], s.hessian[i]);
        return mine.total_size();
    }
};

/// YetiRank: each tree sorts a group some times by scores with logistic noise; neighbours of different targets are pairs, a pair on places
/// i and i + 1 (from 0) of weight 0.15 decay^i |difference of targets|, the mean over the sortings. The noise follows from the seed, the
/// tree and the group. Targets are at least 0. The value is 1 - NDCG of the whole lists with the targets as gains.
/// A pair counts the geometric mean of its rows' weights. Cost: permutations x n log n for a group of n.
/// Source: Gulin, Kuralenok, Pavlov, "Winning the transfer learning track of Yahoo!'s learning to rank challenge with YetiRank" (2011),
/// with weights of places as in CatBoost.
struct yeti_rank {
    natural permutations = 10;
    double decay = 0.85; ///< in [0, 1]

    loss_total total(group_rows const& rows) const { return detail::missing_ndcg(rows, rows.raw.size(), false); }
    void derivatives(group_rows const& rows, std::span<float> gradient, std::span<float> hessian) const {
        std::fill(gradient.begin(), gradient.end(), 0.f), std::fill(hessian.begin(), hessian.end(), 0.f);
        std::size_t const n = rows.raw.size();
        if (std::equal(rows.target.begin() + 1, rows.target.end(), rows.target.begin())) return;
        auto& s = detail::thread_group_scratch();
        s.resize(n);
        float const most = *std::max_element(rows.raw.begin(), rows.raw.end());
        for (std::size_t i = 0; i < n; ++i) s.raw[i] = detail::exp_minus_abs(most - rows.raw[i]);
        random_stream random(rows.seed);
        for (std::size_t p = 0; p < permutations; ++p) {
            for (std::size_t i = 0; i < n; ++i) s.gain[i] = s.raw[i] * odds(random.bits());
            detail::sort_falling(std::span<float const>(s.gain).first(n), s.order);
            add_neighbours(rows, s, gradient, hessian);
        }
    }
    void check(std::span<float const> target) const { detail::check_relevance(target, "yeti_rank"); }
    void check_options() const {
        detail::check_setting("yeti_rank: permutations", static_cast<double>(permutations), 1, 1000);
        detail::check_setting("yeti_rank: decay", decay, 0, 1);
    }

private:
    /// e^logistic noise: u / (1 - u).
    static float odds(std::uint64_t bits) noexcept {
        float const u = (static_cast<float>(bits >> 41) + 0.5f) * 0x1p-23f;
        return u / (1.f - u);
    }
    void add_neighbours(group_rows const& rows, detail::group_scratch const& s, std::span<float> gradient, std::span<float> hessian) const {
        double of_place = 0.15 / static_cast<double>(permutations);
        double const least = 1e-12 * of_place; // what comes after it is nothing beside the first places
        for (std::size_t place = 1; place < s.order.size() && of_place > least; ++place, of_place *= decay) {
            auto better = detail::ordered_row(s.order[place - 1]), other = detail::ordered_row(s.order[place]);
            if (rows.target[better] < rows.target[other]) std::swap(better, other);
            float const size = static_cast<float>(of_place) * (rows.target[better] - rows.target[other]) *
                               detail::root_weight(rows, better) * detail::root_weight(rows, other);
            float const t = rows.raw[better] - rows.raw[other], e = detail::exp_minus_abs(t), half = 1.f / (1.f + e);
            float const wrong = t < 0.f ? half : e * half;
            gradient[better] -= size * wrong, gradient[other] += size * wrong;
            hessian[better] += size * e * half * half, hessian[other] += size * e * half * half;
        }
    }
};

/// Cross entropy of a group's softmax: -sum of w t log p over sum of w t, p = w e^(beta score) by their sum. Targets are at least 0.
/// Groups without a target above 0 give nothing. Source: Cao et al., "Learning to rank: from pairwise approach to listwise approach" (2007),
/// with the targets themselves as the distribution wanted, as CatBoost's QuerySoftMax.
struct query_soft_max {
    double beta = 1;
    double lambda = 0.01; ///< added to p (1 - p) in second derivatives

    loss_total total(group_rows const& rows) const {
        auto const sums = sums_of(rows);
        loss_total out;
        for (std::size_t i = 0; i < rows.raw.size(); ++i) {
            double const w = detail::row_weight(rows, i), wt = w * static_cast<double>(rows.target[i]);
            out.sum -= wt * (beta * static_cast<double>(rows.raw[i] - sums.most) + std::log(w / sums.exponentials)), out.weight += wt;
        }
        return out;
    }
    void derivatives(group_rows const& rows, std::span<float> gradient, std::span<float> hessian) const {
        std::fill(gradient.begin(), gradient.end(), 0.f), std::fill(hessian.begin(), hessian.end(), 0.f);
        auto const sums = sums_of(rows);
        if (rows.raw.size() < 2 || !(sums.target > 0)) return;
        for (std::size_t i = 0; i < rows.raw.size(); ++i) {
            double const w = detail::row_weight(rows, i), p = w * exponential(rows, i, sums.most) / sums.exponentials;
            gradient[i] = static_cast<float>(beta * (sums.target * p - w * static_cast<double>(rows.target[i])));
            hessian[i] = static_cast<float>(beta * sums.target * (beta * p * (1 - p) + lambda));
        }
    }
    void check(std::span<float const> target) const { detail::check_relevance(target, "query_soft_max"); }
    void check_options() const {
        detail::check_setting("query_soft_max: beta", beta, 1e-6, 1e6);
        detail::check_setting("query_soft_max: lambda", lambda, 0, 1e6);
    }

private:
    struct group_sums {
        float most = 0;
        double exponentials = 0, target = 0;
    };
    double exponential(group_rows const& rows, std::size_t i, float most) const {
        return static_cast<double>(detail::exp_minus_abs(static_cast<float>(beta) * (most - rows.raw[i])));
    }
    group_sums sums_of(group_rows const& rows) const {
        group_sums out;
        out.most = *std::max_element(rows.raw.begin(), rows.raw.end());
        for (std::size_t i = 0; i < rows.raw.size(); ++i) {
            out.exponentials += detail::row_weight(rows, i) * exponential(rows, i, out.most);
            out.target += detail::row_weight(rows, i) * static_cast<double>(rows.target[i]);
        }
        return out;
    }
};

/// Root mean squared error after the best shift of each group: a group's level does not matter. Gradients are those of half the squared error.
/// Source: CatBoost's QueryRMSE.
struct query_rmse {
    loss_total total(group_rows const& rows) const {
        double const shift = shift_of(rows);
        loss_total out;
        for (std::size_t i = 0; i < rows.raw.size(); ++i) {
            double const d = error(rows, i) - shift, w = detail::row_weight(rows, i);
            out.sum += w * d * d, out.weight += w;
        }
        return out;
    }
    double finish(double mean) const { return std::sqrt(mean); }
    void derivatives(group_rows const& rows, std::span<float> gradient, std::span<float> hessian) const {
        double const shift = shift_of(rows);
        for (std::size_t i = 0; i < rows.raw.size(); ++i) {
            double const w = detail::row_weight(rows, i);
            gradient[i] = static_cast<float>(w * (error(rows, i) - shift)), hessian[i] = static_cast<float>(w);
        }
    }

private:
    static double error(group_rows const& rows, std::size_t i) {
        return static_cast<double>(rows.raw[i]) - static_cast<double>(rows.target[i]);
    }
    static double shift_of(group_rows const& rows) {
        double sum = 0, total = 0;
        for (std::size_t i = 0; i < rows.raw.size(); ++i)
            sum += detail::row_weight(rows, i) * error(rows, i), total += detail::row_weight(rows, i);
        return sum / total;
    }
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
