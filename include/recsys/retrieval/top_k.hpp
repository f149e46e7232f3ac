// SPDX-License-Identifier: MIT
// The best k of a stream of scores, exactly: higher scores first, equal ones by the smaller index.
#ifndef RECSYS_RETRIEVAL_TOP_K_HPP
#define RECSYS_RETRIEVAL_TOP_K_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

template <class Score> struct ranked_index {
    Score score{};
    std::uint32_t index = 0;
    /// Whether it stands before another one in a list.
    friend bool operator<(ranked_index const& a, ranked_index const& b) noexcept {
        return a.score != b.score ? a.score > b.score : a.index < b.index;
    }
};

/// Keeps the best k of what is pushed. Twice k entries are kept at most, whatever comes and in whatever order; O(1) a push on average.
template <class Score> class top_k {
public:
    using entry = ranked_index<Score>;

    /// Forgets everything.
    void start(std::size_t k) {
        m_k = k;
        m_room = k + std::max<std::size_t>(k, 32);
        m_entries.clear();
        m_bar = {-std::numeric_limits<Score>::infinity(), 0};
    }
    /// Whether an entry can be among the best: never for minus infinity, always for NaN, which the caller must refuse.
    bool wants(Score score, std::uint32_t index) const noexcept {
        return !(score < m_bar.score) && !(score == m_bar.score && index >= m_bar.index);
    }
    /// No score below it is wanted any more.
    Score bar() const noexcept { return m_bar.score; }
    /// Only what it wants, no index twice.
    void push(Score score, std::uint32_t index) {
        m_entries.push_back({score, index});
        if (m_entries.size() >= m_room) cut();
    }
    /// The best, in order.
    std::span<entry const> finish() {
        if (m_entries.size() > m_k) cut();
        std::sort(m_entries.begin(), m_entries.end());
        return m_entries;
    }

private:
    void cut() {
        if (m_k == 0) return m_entries.clear();
        auto const last_kept = m_entries.begin() + static_cast<std::ptrdiff_t>(m_k - 1);
        std::nth_element(m_entries.begin(), last_kept, m_entries.end());
        m_bar = *last_kept;
        m_entries.resize(m_k);
    }

    std::size_t m_k = 0, m_room = 0;
    std::vector<entry> m_entries;
    entry m_bar{-std::numeric_limits<Score>::infinity(), 0};
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
