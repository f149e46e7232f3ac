// SPDX-License-Identifier: MIT
// Which rows and columns a tree sees, by counters alone: no generator state, so any thread may decide for any row.
#ifndef RECSYS_RANKER_SAMPLING_HPP
#define RECSYS_RANKER_SAMPLING_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/hash.hpp>
#include <recsys/core/math.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_rows.hpp>
#include <recsys/ranker/loss.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// How the rows of a tree's structure are drawn: `mvs` rows of large gradients more often, with weights that make up for it,
/// `bernoulli` each row alike, `bayesian` all rows with random weights (-log u)^temperature. Leaf values are of all rows.
enum class row_sampling : std::uint8_t { mvs, bernoulli, bayesian };

namespace detail {

inline std::uint64_t tree_key(std::uint64_t seed, std::size_t tree) noexcept {
    return hash_join(hash_join(0x7265637379735F72u, seed), tree);
}

/// Says for each row by what factor it counts in a tree: 0 = left out, else one over the probability with which it was kept.
class row_sampler {
public:
    /// @param gradients  weighted gradients of all rows; MVS looks at some 16000 of them, at fixed places.
    /// @param temperature  of the Bayesian bootstrap.
    row_sampler(row_sampling how, double share, double temperature, std::uint64_t key, std::span<float const> gradients,
                row_table const& kernels = row_kernels(active_simd_level()))
        : m_how(how),
          m_share(how == row_sampling::bayesian ? 0.f : static_cast<float>(share)),
          m_temperature(temperature),
          m_kernels(kernels),
          m_rule{0, 0, key} {
        if (how == row_sampling::mvs && share < 1) find_threshold(gradients);
    }
    /// The factors of n rows from `row` on; n is a multiple of 16.
    void factors(std::size_t row, std::size_t n, float const* gradient, float* out) const noexcept {
        if (m_share >= 1.f) return static_cast<void>(std::fill_n(out, n, 1.f));
        auto const first = static_cast<std::uint32_t>(row);
        if (m_how == row_sampling::mvs) return m_kernels.mvs_factors(gradient, n, m_rule, first, out);
        for (std::size_t k = 0; k < n; ++k) {
            float const drawn = draw(first + static_cast<std::uint32_t>(k));
            out[k] = m_how == row_sampling::bayesian ? random_weight(drawn) : drawn < m_share ? 1.f : 0.f;
        }
    }

private:
    /// Source: Rubin, "The Bayesian bootstrap" (1981), for temperature 1; the power is CatBoost's.
    float random_weight(float draw) const noexcept {
        double const weight = -portable_log(static_cast<double>(draw) + 0x1p-25);
        return static_cast<float>(m_temperature == 1 ? weight : portable_exp(m_temperature * portable_log(weight)));
    }
    /// In [0, 1), by the number of the row alone.
    float draw(std::uint32_t row) const noexcept {
        return unit_draw((static_cast<std::uint32_t>(m_rule.key) + row) ^ static_cast<std::uint32_t>(m_rule.key >> 32));
    }
    /// Rows are kept with probability min(1, size / threshold), size = sqrt(g^2 + smooth): the threshold keeps the share wanted.
    /// Source: Ibragimov & Gusev, "Minimal variance sampling in stochastic gradient boosting" (2019), theorem 1 with a regulariser.
    void find_threshold(std::span<float const> gradients) {
        std::size_t const stride = std::max<std::size_t>(1, gradients.size() / 16384);
        std::vector<float> sizes;
        sizes.reserve(gradients.size() / stride + row_lanes);
        double squares = 0;
        for (std::size_t row = 0; row < gradients.size(); row += stride) {
            sizes.push_back(gradients[row] * gradients[row]);
            squares += static_cast<double>(sizes.back());
        }
        std::size_t const n = sizes.size();
        m_rule.smooth = std::max(1e-30f, static_cast<float>(0.1 * squares / static_cast<double>(n)));
        double sum = 0;
        for (auto& s : sizes) s = std::sqrt(s + m_rule.smooth), sum += static_cast<double>(s);
        sizes.resize((n + row_lanes - 1) / row_lanes * row_lanes, 0.f); // below every threshold, and add nothing
        double const wanted = static_cast<double>(m_share) * static_cast<double>(n);
        double threshold = sum / wanted;
        for (int step = 0; step < 50; ++step) { // falls to the solution from above; ends when nothing changes
            auto const now = m_kernels.mvs_sums(sizes.data(), sizes.size(), static_cast<float>(threshold));
            auto const above = static_cast<double>(now.above);
            double const next = above < wanted ? now.below / (wanted - above) : threshold;
            if (!(next < threshold * (1 - 1e-6))) break;
            threshold = next;
        }
        m_rule.threshold = static_cast<float>(threshold);
    }

    row_sampling m_how;
    float m_share;
    double m_temperature;
    row_table m_kernels;
    mvs_rule m_rule;
};

/// Flags for the features that a tree may use: a share of the units (columns, and joined keys), at least one.
/// @param unit_of  of each feature, 0 .. n_units - 1.
inline std::vector<char> draw_features(std::span<std::uint32_t const> unit_of, std::size_t n_units, double share, std::uint64_t key) {
    if (share >= 1) return std::vector<char>(unit_of.size(), 1);
    std::vector<std::size_t> order(n_units);
    std::iota(order.begin(), order.end(), std::size_t{0});
    random_stream random(key, 1);
    random.shuffle(order);
    std::vector<char> chosen(n_units, 0);
    auto const n = std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(share * static_cast<double>(n_units))));
    for (std::size_t i = 0; i < std::min(n, n_units); ++i) chosen[order[i]] = 1;
    std::vector<char> out(unit_of.size());
    for (std::size_t f = 0; f < out.size(); ++f) out[f] = chosen[unit_of[f]];
    return out;
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
