// SPDX-License-Identifier: MIT
// The best k of a stream of scores, exactly: higher scores first, equal ones by the smaller index.
#ifndef RECSYS_RETRIEVAL_TOP_K_HPP
#define RECSYS_RETRIEVAL_TOP_K_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <recsys/core/buffer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

template <class Score> struct ranked_index {
    Score score{};
    std::uint32_t index = 0;
    /// Whether it stands before another one in a list.
    friend bool operator<(ranked_index const& a, ranked_index const& b) noexcept {
        return a.score != b.score ? a.score > b.score : a.index < b.index;
    }
};

/// Keeps the best k of what is pushed, in a little more than room for them: k and as many again, or 64. O(1) a push on average, whatever comes and
/// in whatever order.
///
/// When there is too much, a bar is searched that some more than k scores reach, by halves: counting runs without a branch. Where scores are too
/// equal for that, the k-th is found exactly.
template <class Score> class top_k {
public:
    using entry = ranked_index<Score>;

    /// Forgets everything.
    void start(std::size_t k) {
        m_k = k, m_n = 0, m_high = -infinity;
        m_room = k + std::max<std::size_t>(k, 64);
        m_bar = {-infinity, 0};
    }
    /// Whether an entry can be among the best: never for minus infinity, always for NaN, which the caller must refuse.
    bool wants(Score score, std::uint32_t index) const noexcept {
        return !(score < m_bar.score) && !(score == m_bar.score && index >= m_bar.index);
    }
    /// No score below it is wanted any more.
    Score bar() const noexcept { return m_bar.score; }
    /// Only what it wants, no index twice.
    void push(Score score, std::uint32_t index) {
        if (m_n == m_scores.size()) grow();
        m_scores[m_n] = score, m_indices[m_n] = index;
        m_high = std::max(m_high, score);
        if (++m_n >= m_room) cut();
    }
    /// Raises the bar if there is something to gain.
    void tighten() {
        if (m_n >= m_k + std::max<std::size_t>(16, m_k / 2)) cut();
    }
    /// The best, in order.
    std::span<entry const> finish() {
        if (m_n > m_k + m_k / 8) cut();
        if constexpr (std::is_same_v<Score, float>) sort_as_numbers();
        else {
            copy_entries();
            std::sort(m_entries.begin(), m_entries.end());
        }
        if (m_entries.size() > m_k) m_entries.resize(m_k);
        return m_entries;
    }

private:
    static constexpr Score infinity = std::numeric_limits<Score>::infinity();
    static constexpr std::size_t step = 16; // scores that are counted together

    void grow() {
        std::size_t const size = std::min(std::max<std::size_t>(2 * m_n, 64), m_room) + step;
        m_scores.resize(size / step * step + step), m_indices.resize(m_scores.size());
    }
    void cut() {
        if (m_k == 0) {
            m_n = 0;
            return;
        }
        // What lies past the end counts as nothing.
        while (m_scores.size() < (m_n + step - 1) / step * step) grow();
        std::fill(m_scores.begin() + static_cast<std::ptrdiff_t>(m_n),
                  m_scores.begin() + static_cast<std::ptrdiff_t>((m_n + step - 1) / step * step), -infinity);
        if (!cut_near()) cut_exactly();
    }
    bool cut_near() {
        Score low = m_bar.score, high = m_high;
        if (low == -infinity) low = *std::min_element(m_scores.begin(), m_scores.begin() + static_cast<std::ptrdiff_t>(m_n));
        if (!(high - low < std::numeric_limits<Score>::max())) return false;
        for (int i = 0; i < 12; ++i) {
            Score const middle = low + (high - low) / 2;
            std::size_t const n = count(middle);
            if (n < m_k) high = middle;
            else if (n > m_k + m_k / 8) low = middle;
            else return keep(middle), true;
        }
        return false;
    }
    std::size_t count(Score bar) const noexcept {
        std::int32_t lanes[step] = {};
        for (std::size_t i = 0; i < m_n; i += step)
            for (std::size_t j = 0; j < step; ++j) lanes[j] += m_scores[i + j] >= bar;
        std::int32_t out = 0;
        for (auto const n : lanes) out += n;
        return static_cast<std::size_t>(out);
    }
    void keep(Score bar) noexcept {
        std::size_t n = 0;
        for (std::size_t i = 0; i < m_n; ++i) {
            Score const score = m_scores[i];
            m_scores[n] = score, m_indices[n] = m_indices[i];
            n += score >= bar;
        }
        m_n = n;
        m_bar = {bar, std::numeric_limits<std::uint32_t>::max()};
    }
    void cut_exactly() {
        copy_entries();
        auto const last_kept = m_entries.begin() + static_cast<std::ptrdiff_t>(m_k - 1);
        if (m_n <= m_k) return;
        std::nth_element(m_entries.begin(), last_kept, m_entries.end());
        m_bar = *last_kept;
        m_n = m_k;
        for (std::size_t i = 0; i < m_n; ++i) m_scores[i] = m_entries[i].score, m_indices[i] = m_entries[i].index;
    }
    /// Score and index as one whole number that rises where entries fall: one comparison instead of three. A zero loses its sign.
    void sort_as_numbers() {
        constexpr std::uint32_t sign = 0x80000000u;
        m_keys.resize(m_n);
        for (std::size_t i = 0; i < m_n; ++i) {
            auto const bits = bit_cast<std::uint32_t>(static_cast<float>(m_scores[i]) + 0.f);
            auto const falling = bits & sign ? bits : ~(bits | sign);
            m_keys[i] = std::uint64_t{falling} << 32 | m_indices[i];
        }
        std::sort(m_keys.begin(), m_keys.end());
        m_entries.resize(m_n);
        for (std::size_t i = 0; i < m_n; ++i) {
            auto const falling = static_cast<std::uint32_t>(m_keys[i] >> 32);
            auto const bits = falling & sign ? falling : ~falling & ~sign;
            m_entries[i] = {bit_cast<float>(bits), static_cast<std::uint32_t>(m_keys[i])};
        }
    }
    void copy_entries() {
        m_entries.resize(m_n);
        for (std::size_t i = 0; i < m_n; ++i) m_entries[i] = {m_scores[i], m_indices[i]};
    }

    std::size_t m_k = 0, m_n = 0, m_room = 0;
    std::vector<Score> m_scores;
    std::vector<std::uint32_t> m_indices;
    std::vector<entry> m_entries;
    std::vector<std::uint64_t> m_keys;
    Score m_high = -infinity;
    entry m_bar{-infinity, 0};
};

/// Offers an item: looked at closely only if its score can enter the list. `is_wanted` is asked last, `refuse` is told of NaN.
template <class Score, class Wanted, class Refuse>
void offer(top_k<Score>& best, Score score, std::uint32_t index, Wanted const& is_wanted, Refuse const& refuse) {
    if (!best.wants(score, index) || !is_wanted(index)) return;
    if (std::isnan(score)) refuse(index);
    best.push(score, index);
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
