// SPDX-License-Identifier: MIT
// How sure a mean is: percentile intervals of paired bootstrap resamples.
#ifndef RECSYS_METRICS_INTERVALS_HPP
#define RECSYS_METRICS_INTERVALS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// A mean and the interval it lies in; low and high are NaN where there is none.
struct estimate {
    double mean = 0;
    double low = std::numeric_limits<double>::quiet_NaN();
    double high = std::numeric_limits<double>::quiet_NaN();

    /// Whether the interval lies wholly on one side of zero.
    bool excludes_zero() const noexcept { return low > 0 || high < 0; }
};

struct bootstrap_options {
    double confidence = 0.95; ///< in (0, 1)
    natural resamples = 1000; ///< at most 1,000,000; 0 = no intervals
    std::uint64_t seed = 0;
    run_options run = {};
};

namespace detail {

inline void check_bootstrap(std::string_view where, bootstrap_options const& o) {
    if (!(o.confidence > 0 && o.confidence < 1)) throw_option(where, ": confidence must be in (0, 1), got ", o.confidence);
    if (o.resamples > 1000000u) throw_option(where, ": resamples must be at most 1000000, got ", std::size_t{o.resamples});
}

/// The q-quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan).
inline double sorted_quantile(std::span<double const> sorted, double q) {
    double const place = q * static_cast<double>(sorted.size() - 1);
    auto const below = static_cast<std::size_t>(place);
    if (below + 1 >= sorted.size()) return sorted.back();
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

inline double mean_value(std::span<double const> values) {
    double sum = 0;
    for (double const v : values) sum += v;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

inline estimate percentile_interval(double mean, std::vector<double> resampled, double confidence) {
    estimate out{mean};
    if (resampled.empty()) return out;
    std::sort(resampled.begin(), resampled.end());
    out.low = sorted_quantile(resampled, (1 - confidence) / 2);
    out.high = sorted_quantile(resampled, (1 + confidence) / 2);
    return out;
}

/// Means of several columns over resamples of the same rows: result[resample x columns + column]. Resample r is drawn from (seed, r) alone.
/// O(resamples x rows x columns).
inline std::vector<double> resampled_means(std::span<std::span<double const> const> columns, bootstrap_options const& options,
                                           team& workers) {
    std::size_t const n_rows = columns.empty() ? 0 : columns[0].size(), n_columns = columns.size();
    if (n_rows == 0) return {};
    std::vector<double> out(options.resamples * n_columns);
    progress_reporter progress(options.run.progress, "bootstrap", options.resamples);
    // Some at a time: between them the calling thread tells how far it is.
    for (std::size_t done = 0; done < options.resamples; progress.report_or_throw(done)) {
        std::size_t const begin = std::exchange(done, std::min<std::size_t>(options.resamples, done + 16 * workers.size()));
        workers.blocks(done - begin, 4, [&](std::size_t first, std::size_t last, std::size_t) {
            std::vector<std::uint32_t> drawn(n_rows);
            for (std::size_t r = begin + first; r < begin + last; ++r) {
                std::fill(drawn.begin(), drawn.end(), 0u);
                random_stream random(options.seed, r);
                for (std::size_t i = 0; i < n_rows; ++i) ++drawn[static_cast<std::size_t>(random.below(n_rows))];
                for (std::size_t c = 0; c < n_columns; ++c) {
                    double sum = 0;
                    for (std::size_t i = 0; i < n_rows; ++i) sum += static_cast<double>(drawn[i]) * columns[c][i];
                    out[r * n_columns + c] = sum / static_cast<double>(n_rows);
                }
            }
        });
    }
    return out;
}

}

/// The mean of values, one a user, and its percentile interval over bootstrap resamples of the users. Source: Efron, Tibshirani (1993), chapter 13.
/// @throws option_error  for a confidence outside (0, 1) or too many resamples.
/// @throws data_error    for no values, or one that is not finite. @throws cancelled where progress stops it.
inline estimate bootstrap_mean(std::span<double const> values, bootstrap_options const& options = {}) {
    detail::check_bootstrap("bootstrap_mean", options);
    if (values.empty()) detail::throw_data("bootstrap_mean: there are no values");
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i])) detail::throw_data("bootstrap_mean: value ", i, " is ", values[i], ", expected a finite number");
    detail::team workers(options.run.threads);
    std::span<double const> const columns[] = {values};
    return detail::percentile_interval(detail::mean_value(values), detail::resampled_means(columns, options, workers), options.confidence);
}

/// The mean of a - b over the same users, paired: what both share does not widen it.
/// @throws data_error  for lengths that differ, no values, or a difference that is not finite.
inline estimate bootstrap_difference(std::span<double const> a, std::span<double const> b, bootstrap_options const& options = {}) {
    if (a.size() != b.size()) detail::throw_data("bootstrap_difference: ", a.size(), " and ", b.size(), " values are not paired");
    std::vector<double> differences(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) differences[i] = a[i] - b[i];
    return recsys::bootstrap_mean(differences, options);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
