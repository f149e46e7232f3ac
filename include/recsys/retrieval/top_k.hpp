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
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_scores.hpp>

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
    /// @param ids  what indices stand for, if not for themselves: equal scores are in the order of ids[index], and lists have these.
    void start(std::size_t k, std::uint32_t const* ids = nullptr) {
        m_k = k, m_n = 0, m_ids = ids;
        m_room = k + std::max<std::size_t>(k, 64);
        m_bar = {-infinity, 0};
    }
    /// Whether an entry can be among the best: never for minus infinity, always for NaN, which the caller must refuse.
    bool wants(Score score, std::uint32_t id) const noexcept {
        return !(score < m_bar.score) && !(score == m_bar.score && id >= m_bar.index);
    }
    /// No score below it is wanted any more.
    Score bar() const noexcept { return m_bar.score; }
    std::size_t k() const noexcept { return m_k; }
    std::size_t size() const noexcept { return m_n; }
    /// Only what it wants, no index twice.
    void push(Score score, std::uint32_t index) {
        if (m_n == m_scores.size()) grow(m_n + 1);
        m_scores[m_n] = score, m_indices[m_n] = index;
        if (++m_n >= m_room) cut();
    }
    /// Raises the bar if there is something to gain.
    void tighten() {
        if (m_n >= m_k + std::max<std::size_t>(16, m_k / 2)) cut();
    }

    /// The same as far as the bar of k goes.
    void tighten_fully() {
        if (m_n > m_k) cut();
    }

    // Many at a time: they are written to the end from outside, and then added.

    void make_room(std::size_t n) {
        if (m_n + n + step > m_scores.size()) grow(m_n + n);
    }
    Score* scores_end() noexcept { return m_scores.data() + m_n; }
    std::uint32_t* indices_end() noexcept { return m_indices.data() + m_n; }
    /// Adds the first n behind the end, none of them minus infinity or NaN. What is equal to the bar may be more than there is any use for.
    void add(std::size_t n) {
        if (m_bar.index != any_index && m_bar.score != -infinity) n = keep_wanted(n);
        m_n += n;
    }
    /// The scores, with minus infinity behind them up to a multiple of 16.
    std::span<Score const> scores() {
        make_room(0);
        std::fill_n(scores_end(), step, -infinity);
        return {m_scores.data(), m_n};
    }
    /// With a bar that k scores are known to reach, here or elsewhere.
    void raise(Score bar) {
        if (!(bar > m_bar.score)) return;
        auto const n = scores().size();
        m_bar = {bar, any_index};
        m_n = score_kernels<Score>(active_simd_level()).keep(m_scores.data(), m_indices.data(), n, bar);
    }

    /// The best, in order.
    std::span<entry const> finish() {
        if (m_n > m_k + m_k / 8) cut();
        if (m_n <= most_ranked) sort_by_ranks();
        else if constexpr (std::is_same_v<Score, float>) sort_as_numbers();
        else {
            copy_entries();
            std::sort(m_entries.begin(), m_entries.end());
        }
        if (m_entries.size() > m_k) m_entries.resize(m_k);
        return m_entries;
    }

private:
    static constexpr Score infinity = std::numeric_limits<Score>::infinity();
    static constexpr std::uint32_t any_index = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::size_t step = 16; // scores that are counted together
    static constexpr std::size_t most_ranked = 256;

    std::uint32_t id(std::uint32_t index) const noexcept { return m_ids ? m_ids[index] : index; }
    void grow(std::size_t n) {
        std::size_t const size = std::max(n, std::min(2 * m_n, m_room)) + 2 * step;
        m_scores.resize(size), m_indices.resize(size);
    }
    void cut() {
        if (m_k == 0) {
            m_n = 0;
            return;
        }
        if (m_n <= m_k) return;
        auto const all = scores();
        raise(
            score_kernels<Score>(active_simd_level()).find_bar({{all.data(), nullptr}, {all.size(), 0}, m_k, m_k + m_k / 8, m_bar.score}));
        if (m_n > m_k + m_k / 8) cut_exactly();
    }
    std::size_t keep_wanted(std::size_t n) noexcept {
        std::size_t kept = 0;
        for (std::size_t i = m_n; i < m_n + n; ++i) {
            Score const score = m_scores[i];
            std::uint32_t const index = m_indices[i];
            m_scores[m_n + kept] = score, m_indices[m_n + kept] = index;
            kept += wants(score, id(index));
        }
        return kept;
    }
    void cut_exactly() {
        m_entries.resize(m_n);
        for (std::size_t i = 0; i < m_n; ++i) m_entries[i] = {m_scores[i], m_indices[i]};
        auto const last_kept = m_entries.begin() + static_cast<std::ptrdiff_t>(m_k - 1);
        std::nth_element(m_entries.begin(), last_kept, m_entries.end(), [&](entry const& a, entry const& b) {
            return entry{a.score, id(a.index)} < entry{b.score, id(b.index)};
        });
        m_bar = {last_kept->score, id(last_kept->index)};
        m_n = m_k;
        for (std::size_t i = 0; i < m_n; ++i) m_scores[i] = m_entries[i].score, m_indices[i] = m_entries[i].index;
    }
    /// Each goes where as many stand before it as have better scores; equal ones are put in order afterwards. A zero loses its sign.
    void sort_by_ranks() {
        std::uint16_t ranks[most_ranked];
        std::uint16_t taken[most_ranked + 1] = {};
        auto const all = scores();
        score_kernels<Score>(active_simd_level()).ranks(all.data(), m_n, ranks);
        m_entries.resize(m_n);
        bool has_equal = false;
        for (std::size_t i = 0; i < m_n; ++i) {
            std::size_t const before = taken[ranks[i]]++;
            has_equal = has_equal || before != 0;
            m_entries[ranks[i] - 1u - before] = {m_scores[i] + Score{0}, id(m_indices[i])};
        }
        if (!has_equal) return;
        for (auto first = m_entries.begin(); first != m_entries.end();) {
            auto const last = std::find_if(first, m_entries.end(), [&](entry const& other) { return other.score != first->score; });
            std::sort(first, last);
            first = last;
        }
    }
    /// Score and index as one whole number that rises where entries fall: one comparison instead of three. A zero loses its sign.
    void sort_as_numbers() {
        constexpr std::uint32_t sign = 0x80000000u;
        m_keys.resize(m_n);
        for (std::size_t i = 0; i < m_n; ++i) {
            auto const bits = bit_cast<std::uint32_t>(static_cast<float>(m_scores[i]) + 0.f);
            auto const falling = bits & sign ? bits : ~(bits | sign);
            m_keys[i] = std::uint64_t{falling} << 32 | id(m_indices[i]);
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
        for (std::size_t i = 0; i < m_n; ++i) m_entries[i] = {m_scores[i], id(m_indices[i])};
    }

    std::size_t m_k = 0, m_n = 0, m_room = 0;
    std::uint32_t const* m_ids = nullptr;
    std::vector<Score> m_scores;
    std::vector<std::uint32_t> m_indices;
    std::vector<entry> m_entries;
    std::vector<std::uint64_t> m_keys;
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
