// SPDX-License-Identifier: MIT
// Scores that are known within a width, beside the exact ones of a list.
#ifndef RECSYS_RETRIEVAL_ROUGH_LIST_HPP
#define RECSYS_RETRIEVAL_ROUGH_LIST_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_scores.hpp>
#include <recsys/retrieval/top_k.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Lower ends of intervals in which scores lie. k of these and of exact scores together make a bar for all: what cannot reach it is dropped without
/// being scored.
class rough_list {
public:
    void start() noexcept { m_n = 0, m_width = 0; }
    std::size_t size() const noexcept { return m_n; }
    std::uint32_t const* places() const noexcept { return m_places.data(); }

    // Many at a time: they are written to the end from outside, and then added.

    void make_room(std::size_t n) {
        if (m_n + n + step <= m_lower.size()) return;
        m_lower.resize(2 * m_n + n + 2 * step), m_places.resize(m_lower.size());
    }
    float* lower_end() noexcept { return m_lower.data() + m_n; }
    std::uint32_t* places_end() noexcept { return m_places.data() + m_n; }
    /// Adds the first n behind the end; none of their scores is more than `width` above.
    void add(std::size_t n, double width) noexcept { m_n += n, m_width = std::max(m_width, width); }

    /// Raises the bar of a list of exact scores by what is known of all, and drops what cannot reach it.
    void cut(top_k<float>& best) {
        std::size_t const k = best.k();
        if (best.size() + m_n > k) {
            pad();
            auto const exact = best.scores();
            best.raise(kernels().find_bar({{exact.data(), m_lower.data()}, {exact.size(), m_n}, k, k + k / 8, best.bar()}));
        }
        drop_below(best.bar());
    }
    /// Moves what is sure to reach a bar to the front: how many there are.
    std::size_t part(float bar) noexcept {
        std::size_t n = 0;
        for (std::size_t i = 0; i < m_n; ++i)
            if (m_lower[i] >= bar) {
                std::swap(m_lower[i], m_lower[n]);
                std::swap(m_places[i], m_places[n++]);
            }
        return n;
    }
    /// Forgets the first n, which have been scored, and what cannot reach the bar.
    void drop(std::size_t n, float bar) {
        std::copy(m_lower.begin() + offset(n), m_lower.begin() + offset(m_n), m_lower.begin());
        std::copy(m_places.begin() + offset(n), m_places.begin() + offset(m_n), m_places.begin());
        m_n -= n;
        drop_below(bar);
    }

private:
    static constexpr std::size_t step = 16;
    static constexpr float infinity = std::numeric_limits<float>::infinity();
    static score_table<float> kernels() noexcept { return score_kernels<float>(active_simd_level()); }
    static std::ptrdiff_t offset(std::size_t i) noexcept { return static_cast<std::ptrdiff_t>(i); }

    void pad() {
        make_room(0);
        std::fill_n(lower_end(), step, -infinity);
    }
    void drop_below(float bar) {
        if (bar == -infinity || m_n == 0) return;
        pad();
        m_n = kernels().keep(m_lower.data(), m_places.data(), m_n, static_cast<float>(static_cast<double>(bar) - m_width));
    }

    std::size_t m_n = 0;
    double m_width = 0;
    std::vector<float> m_lower;
    std::vector<std::uint32_t> m_places;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
