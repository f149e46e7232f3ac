// SPDX-License-Identifier: MIT
#include "generate_shapes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace music {

namespace {

/// A share of the rows that have more than `value`.
struct knot {
    double above;
    double value;
};
constexpr knot user_knots[] = {{1, 1}, {0.99, 10.5}, {0.75, 23}, {0.5, 55}, {0.25, 154}, {0.1, 389}, {0.01, 1576}, {7.3e-7, 16'637}};
constexpr knot track_knots[] = {{1, 5},       {0.75, 9},      {0.5, 19},      {0.25, 67},     {0.1, 311},
                                {0.01, 3961}, {1e-4, 47'000}, {2e-5, 75'000}, {1e-5, 85'000}, {1e-6, 111'062}};

/// The logarithm of the value that a share `above` exceeds: between knots it is linear in the logarithm of the share (bend 0, a power
/// law), in the share itself (bend 1), or between both. The knots themselves never move.
double log_quantile(std::span<knot const> knots, double above, double bend) {
    std::size_t k = 1;
    while (k + 1 < knots.size() && above < knots[k].above) ++k;
    auto const [s0, v0] = knots[k - 1];
    auto const [s1, v1] = knots[k];
    double const by_power = (log_of(s0) - log_of(above)) / (log_of(s0) - log_of(s1)), by_share = (s0 - above) / (s0 - s1);
    double const at = by_power + bend * (by_share - by_power);
    return log_of(v0) + at * (log_of(v1) - log_of(v0));
}

/// The share of rows above the middle of row i of n, the rows rising.
double share_above(std::size_t i, std::size_t n) { return 1 - (static_cast<double>(i) + 0.5) / static_cast<double>(n); }

/// The least argument at which a rising function reaches the goal.
template <class Function> double solve(double low, double high, double goal, Function const& f) {
    for (int step = 0; step < 50; ++step) {
        double const middle = (low + high) / 2;
        (f(middle) < goal ? low : high) = middle;
    }
    return high;
}

double sum_of(std::vector<double> const& values) {
    double sum = 0;
    for (double const v : values) sum += v;
    return sum;
}

/// Whole numbers with the same running sums; the last one takes what is left of `total`.
std::vector<std::uint32_t> whole(std::vector<double> const& values, std::uint64_t total) {
    std::vector<std::uint32_t> out(values.size());
    double sum = 0;
    std::uint64_t given = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        sum += values[i];
        std::uint64_t const upto = i + 1 == values.size() ? total : rounded(sum);
        out[i] = static_cast<std::uint32_t>(upto - given);
        given = upto;
    }
    return out;
}

/// Within a hundredth the sizes count as the real ones.
double near_one(double ratio) { return ratio > 0.99 && ratio < 1.01 ? 1 : ratio; }

}

std::vector<std::uint32_t> plays_per_user(std::uint64_t users, std::uint64_t tracks, std::uint64_t events, watch& on) {
    double const mean = static_cast<double>(events) / static_cast<double>(users), ratio = near_one(mean / real_plays_per_user);
    // Nobody plays more than half of the tracks, unless he must for want of tracks: then they are repeats.
    double const most = std::max(static_cast<double>(tracks) / 2, 2 * mean);
    std::vector<double> straight(users), bent(users);
    for (std::size_t i = 0; i < straight.size(); ++i) {
        double const above = share_above(i, straight.size());
        straight[i] = log_quantile(user_knots, above, 0);
        bent[i] = above < 0.01 ? straight[i] : log_quantile(user_knots, above, 1);
    }
    // What the quantiles leave open gives the mean: the bend between them; outside it, a factor.
    auto const values = [&](double t) {
        on.check();
        double const bend = std::clamp(t, 0.0, 1.0), factor = ratio * exp_of(5 * (t - bend));
        std::vector<double> out(users);
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = std::clamp(factor * exp_of(straight[i] + bend * (bent[i] - straight[i])), 1.0, most);
        return out;
    };
    double const t = solve(-1, 2, static_cast<double>(events), [&](double at) { return sum_of(values(at)); });
    return whole(values(t), events);
}

double most_users_of_track(std::uint64_t users) {
    double const n = static_cast<double>(users), real_share = 111'062.0 / 1'373'221;
    return std::floor(std::max(real_share * n, std::min(n / 4, 2 * 3961.0)));
}

std::vector<std::uint32_t> users_per_track(std::uint64_t users, std::uint64_t tracks, std::uint64_t pairs, watch& on) {
    double const goal = static_cast<double>(pairs), cap = most_users_of_track(users);
    double const third_quartile = log_of(67);
    std::vector<double> real(tracks);
    for (std::size_t i = 0; i < real.size(); ++i) real[i] = log_quantile(track_knots, share_above(i, real.size()), 0);
    // Every track has a user, unless there are too few plays for that.
    double least = 1;
    auto const fill = [&](std::vector<double>& out, std::size_t first, double scale, double stretch) {
        on.check();
        for (std::size_t i = first; i < out.size(); ++i) {
            double const over = std::max(0.0, real[i] - third_quartile);
            double const value = scale * exp_of(real[i] - over + stretch * over);
            out[i] = std::clamp(value / power_of(1 + power_of(value / cap, 2), 0.5), least, cap);
        }
    };
    auto const values = [&](double scale, double stretch) {
        std::vector<double> out(tracks);
        fill(out, 0, scale, stretch);
        return out;
    };
    double const most_stretch = 1.5, scale = std::min(1.0, near_one(goal / static_cast<double>(tracks) / real_plays_per_track));
    if (sum_of(values(scale, 0)) > goal) least = 0;
    if (auto out = values(scale, most_stretch); sum_of(out) >= goal) {
        // Those up to the 75th quantile are the same for any stretch.
        auto const stretched = std::upper_bound(real.begin(), real.end(), third_quartile) - real.begin();
        auto const sum_at = [&](double stretch) {
            fill(out, static_cast<std::size_t>(stretched), scale, stretch);
            return sum_of(out);
        };
        static_cast<void>(sum_at(solve(0, most_stretch, goal, sum_at)));
        return whole(out, pairs);
    }
    double const larger = solve(scale, 1e6, goal, [&](double at) { return sum_of(values(at, most_stretch)); });
    return whole(values(larger, most_stretch), pairs);
}

std::vector<std::uint64_t> events_before_day(std::uint64_t events) {
    std::vector<double> before(n_days + 1);
    for (std::size_t day = 0; day < n_days; ++day) {
        auto const d = static_cast<double>(day);
        // Thousands of events: 78 on 1 January, 1,160 on 30 November, 150 on 31 December, and 222.6 million in all.
        double const volume = day < 334 ? 78 + 1082 * power_of(d / 333, 1.185) : 150 + 1010 * (1 - power_of((d - 333) / 31, 6.55));
        before[day + 1] = before[day] + volume;
    }
    std::vector<std::uint64_t> out(n_days + 1);
    for (std::size_t day = 0; day <= n_days; ++day) out[day] = rounded(before[day] / before[n_days] * static_cast<double>(events));
    return out;
}

}
