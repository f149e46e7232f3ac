// SPDX-License-Identifier: MIT
// The exact best k of an index for some rows at a time: blocks that cannot enter a list are passed over, scores below the bar are never kept.
#ifndef RECSYS_RETRIEVAL_FACTOR_SEARCH_HPP
#define RECSYS_RETRIEVAL_FACTOR_SEARCH_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <recsys/core/simd/select_scores.hpp>
#include <recsys/retrieval/factor_index.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/top_k.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// The scratch memory of one worker.
///
/// What is passed over is below the bar even where every rounding went its way: the lists are those of a full sort. Bounds are in double;
/// with u the rounding of Scalar, a raw score of n factors lies within n u |x| |y| of the product (Higham 2002, section 3.1), and underflow adds
/// n times the least normal number at most.
/// Source of the bound: Cauchy-Schwarz; in this use Teflioudi, Gemulla, Mykytiuk (2015), LEMP.
template <factor_scalar Scalar> class factor_search {
public:
    using subject = factor_subject<Scalar>;
    /// Subjects whose rows and bars stay in the near caches together.
    static constexpr std::size_t most_subjects = 96;

    /// The lists of at most most_subjects subjects.
    /// @param pairs     the same items, level and kind of score that the index was made from.
    /// @param is_wanted (subject's number, item), asked for items that would be listed
    /// @param refuse    (subject's number, item), told of NaN
    /// @param take      (best), called once a subject in their order
    template <class Wanted, class Refuse, class Take> void run(factor_index<Scalar> const& index, factor_pairs<Scalar> const& pairs,
                                                               std::span<subject const> subjects, std::size_t k, Wanted const& is_wanted,
                                                               Refuse const& refuse, Take const& take) {
        m_best.resize(std::max(m_best.size(), subjects.size()));
        m_active.clear();
        for (std::size_t s = 0; s < subjects.size(); ++s) {
            m_best[s].start(k);
            if (subjects[s].row) begin(index, pairs, subjects, s, is_wanted, refuse);
        }
        scan_all(index, pairs, subjects, is_wanted, refuse);
        for (std::size_t s = 0; s < subjects.size(); ++s) take(m_best[s].finish());
    }

private:
    static constexpr std::size_t blocks_at_once = 8;
    static constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
    struct active_subject {
        std::uint32_t number;
        double length;
    };

    /// What is not packed is scored pair by pair.
    template <class Wanted, class Refuse> void begin(factor_index<Scalar> const& index, factor_pairs<Scalar> const& pairs,
                                                     std::span<subject const> subjects, std::size_t s, Wanted const& is_wanted,
                                                     Refuse const& refuse) {
        double const length = pairs.by() == similarity::cosine ? subjects[s].length : length_of(subjects[s].row, index.n_factors());
        bool const is_plain = has_plain_length<Scalar>(length, pairs.by());
        auto const items = index.items().subspan(is_plain ? index.n_plain() : 0);
        pairs.each(
            subjects[s], items.size(), [&](std::size_t j) { return items[j]; },
            [&](std::size_t j, Scalar score) { offer(s, score, items[j], is_wanted, refuse); });
        if (is_plain) m_active.push_back({static_cast<std::uint32_t>(s), length});
    }
    template <class Wanted, class Refuse>
    void offer(std::size_t s, Scalar score, std::uint32_t item, Wanted const& is_wanted, Refuse const& refuse) {
        detail::offer(
            m_best[s], score, item, [&](std::uint32_t i) { return is_wanted(s, i); }, [&](std::uint32_t i) { refuse(s, i); });
    }

    template <class Wanted, class Refuse> void scan_all(factor_index<Scalar> const& index, factor_pairs<Scalar> const& pairs,
                                                        std::span<subject const> subjects, Wanted const& is_wanted, Refuse const& refuse) {
        double const n = static_cast<double>(index.n_factors()), u = static_cast<double>(std::numeric_limits<Scalar>::epsilon());
        m_slack = (2 * n + 16) * u;
        m_least = (n + 1) * static_cast<double>(std::numeric_limits<Scalar>::min()); // also where subnormal numbers are flushed to 0
        for (std::size_t b = 0; b < index.n_blocks() && !m_active.empty(); b += blocks_at_once) {
            std::size_t const end = std::min(index.n_blocks(), b + blocks_at_once);
            choose(index, subjects, b, end);
            if (m_rows.empty()) continue;
            m_hits.resize(std::max(m_hits.size(), m_rows.size() * (end - b) * index.lanes));
            score_scan<Scalar> const scan{index.block(b), index.scales(b), m_rows.data(),     m_bars.data(),       infinity,
                                          m_rows.size(),  end - b,         index.n_factors(), pairs.is_distance(), m_hits.data()};
            std::size_t const found = pairs.kernels().scan(scan);
            for (std::size_t h = 0; h < found; ++h) {
                auto const& [raw, place, user] = m_hits[h];
                std::size_t const at = b * index.lanes + place, s = m_chosen[user];
                if (at >= index.n_plain()) continue; // what fills up the last block
                std::uint32_t const item = index.items()[at];
                offer(s, pairs.finished(subjects[s], item, raw), item, is_wanted, refuse);
            }
        }
    }
    /// Those subjects for whom some item of the blocks can enter the list, with the bars for their raw scores. Who cannot have a product that is
    /// large enough has none among shorter items either and is dropped.
    void choose(factor_index<Scalar> const& index, std::span<subject const> subjects, std::size_t first, std::size_t last) {
        m_rows.clear(), m_bars.clear(), m_chosen.clear();
        std::size_t kept = 0;
        for (auto const& one : m_active) {
            m_best[one.number].tighten();
            double const bar = static_cast<double>(m_best[one.number].bar());
            if (index.by() == similarity::dot && one.length * index.longest(first) * (1 + m_slack) + m_least < bar) continue;
            m_active[kept++] = one;
            if (index.by() == similarity::euclidean) {
                double const apart = std::max(one.length - index.longest(first), index.shortest(last) - one.length);
                double const lengths = one.length + index.longest(first); // their roundings blur what is apart
                if (-(apart - m_slack * lengths) * (1 - m_slack) + m_least < bar) continue;
            }
            m_rows.push_back(subjects[one.number].row);
            m_bars.push_back(raw_bar(index.by(), bar, one.length));
            m_chosen.push_back(one.number);
        }
        m_active.resize(kept);
    }
    /// No raw score below it belongs to a score that reaches the bar.
    Scalar raw_bar(similarity by, double bar, double length) const noexcept {
        if (by == similarity::dot || bar == -std::numeric_limits<double>::infinity()) return static_cast<Scalar>(bar);
        if (by == similarity::cosine) return static_cast<Scalar>((bar - m_slack) * length);
        return static_cast<Scalar>(-(bar * bar * (1 + m_slack) + m_least));
    }

    std::vector<top_k<Scalar>> m_best;
    std::vector<active_subject> m_active;
    std::vector<Scalar const*> m_rows;
    std::vector<Scalar> m_bars;
    std::vector<std::uint32_t> m_chosen;
    std::vector<score_hit<Scalar>> m_hits;
    double m_slack = 0, m_least = 0;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
