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
#include <recsys/data/id_table.hpp>
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
    row_sampler(row_sampling how, double share, double temperature, std::uint64_t key, std::span<float const> gradients)
        : m_how(how), m_share(how == row_sampling::bayesian ? 0.f : static_cast<float>(share)), m_temperature(temperature), m_key(key) {
        if (how == row_sampling::mvs && share < 1) find_threshold(gradients);
    }
    /// The factors of 16 rows from `row` on.
    void factors(std::size_t row, float const* __restrict gradient, float* __restrict out) const noexcept {
        if (m_share >= 1.f) return static_cast<void>(std::fill_n(out, row_lanes, 1.f));
        float draw[row_lanes];
        auto const base = static_cast<std::uint32_t>(m_key) + static_cast<std::uint32_t>(row);
        for (std::size_t k = 0; k < row_lanes; ++k)
            draw[k] = static_cast<float>(static_cast<std::int32_t>(
                          mix_bits_32((base + static_cast<std::uint32_t>(k)) ^ static_cast<std::uint32_t>(m_key >> 32)) >> 8)) *
                      0x1p-24f;
        if (m_how == row_sampling::bayesian)
            for (std::size_t k = 0; k < row_lanes; ++k) out[k] = random_weight(draw[k]);
        else if (m_how == row_sampling::bernoulli)
            for (std::size_t k = 0; k < row_lanes; ++k) out[k] = keep(draw[k] < m_share, 1.f);
        else
            for (std::size_t k = 0; k < row_lanes; ++k) {
                float const ratio = m_threshold * inverse_root(gradient[k] * gradient[k] + m_smooth);
                out[k] = keep(draw[k] * ratio<1.f, ratio> 1.f ? ratio : 1.f);
            }
    }

private:
    /// Source: Rubin, "The Bayesian bootstrap" (1981), for temperature 1; the power is CatBoost's.
    float random_weight(float draw) const noexcept {
        double const weight = -portable_log(static_cast<double>(draw) + 0x1p-25);
        return static_cast<float>(m_temperature == 1 ? weight : portable_exp(m_temperature * portable_log(weight)));
    }
    /// 1 / sqrt(x) to 5e-6, in plain arithmetic: std::sqrt may set errno, which keeps compilers from making vector code.
    static float inverse_root(float x) noexcept {
        float y = bit_cast<float>(0x5F3759DF - (bit_cast<std::int32_t>(x) >> 1));
        y = y * (1.5f - 0.5f * x * y * y);
        return y * (1.5f - 0.5f * x * y * y);
    }
    /// The value where the test holds, else 0: without a branch.
    static float keep(bool test, float value) noexcept {
        return bit_cast<float>(bit_cast<std::int32_t>(value) & -static_cast<std::int32_t>(test));
    }
    /// Rows are kept with probability min(1, size / threshold), size = sqrt(g^2 + smooth): the threshold keeps the share wanted.
    /// Source: Ibragimov & Gusev, "Minimal variance sampling in stochastic gradient boosting" (2019), theorem 1 with a regulariser.
    void find_threshold(std::span<float const> gradients) {
        std::size_t const stride = std::max<std::size_t>(1, gradients.size() / 16384);
        std::vector<float> sizes;
        double squares = 0;
        for (std::size_t row = 0; row < gradients.size(); row += stride) {
            sizes.push_back(gradients[row] * gradients[row]);
            squares += static_cast<double>(sizes.back());
        }
        m_smooth = std::max(1e-30f, static_cast<float>(0.1 * squares / static_cast<double>(sizes.size())));
        double sum = 0;
        for (auto& s : sizes) s = std::sqrt(s + m_smooth), sum += static_cast<double>(s);
        double const wanted = static_cast<double>(m_share) * static_cast<double>(sizes.size());
        double threshold = sum / wanted;
        for (int step = 0; step < 50; ++step) { // falls to the solution from above; ends when nothing changes
            double below = 0, above = 0;
            for (auto const s : sizes) static_cast<double>(s) < threshold ? below += static_cast<double>(s) : above += 1;
            double const next = above < wanted ? below / (wanted - above) : threshold;
            if (!(next < threshold * (1 - 1e-6))) break;
            threshold = next;
        }
        m_threshold = static_cast<float>(threshold);
    }

    row_sampling m_how;
    float m_share, m_threshold = 0, m_smooth = 0;
    double m_temperature;
    std::uint64_t m_key;
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
