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
#include <type_traits>
#include <vector>

#include <recsys/core/simd/select.hpp>
#include <recsys/core/simd/select_rough.hpp>
#include <recsys/core/simd/select_scores.hpp>
#include <recsys/retrieval/factor_index.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/factor_rough.hpp>
#include <recsys/retrieval/rough_list.hpp>
#include <recsys/retrieval/seen_marks.hpp>
#include <recsys/retrieval/top_k.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// The scratch memory of one worker.
///
/// What is passed over is below the bar even where every rounding went its way: the lists are those of a full sort. Bounds are in double;
/// with u the rounding of Scalar, a raw score of n factors lies within n u |x| |y| of the product (Higham 2002, section 3.1), and underflow adds
/// n times the least normal number at most.
/// Source of the bound: Cauchy-Schwarz; in this use Teflioudi, Gemulla, Mykytiuk (2015), LEMP.
///
/// Where the index has its items as whole numbers x' and y' too, only the first items are scored at once: they give a bar. For the others
/// |xy - x'y'| <= |x'| |y - y'| + |x - x'| |y| gives an interval; what may reach the bar is kept and scored at the end, if it still may.
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
        run(index, pairs, subjects, k, nullptr, true, is_wanted, refuse, take);
    }
    /// @param marks  what is never listed, or null.
    /// @param asks   whether is_wanted must be asked about items for which marks know it.
    template <class Wanted, class Refuse, class Take> void run(factor_index<Scalar> const& index, factor_pairs<Scalar> const& pairs,
                                                               std::span<subject const> subjects, std::size_t k, seen_marks const* marks,
                                                               bool asks, Wanted const& is_wanted, Refuse const& refuse, Take const& take) {
        work const w{index, pairs, subjects, k, marks, asks};
        double const n = static_cast<double>(index.n_factors()), u = static_cast<double>(std::numeric_limits<Scalar>::epsilon());
        m_slack = (2 * n + 16) * u;
        m_least = (n + 2) * static_cast<double>(std::numeric_limits<Scalar>::min()); // also where subnormal numbers are flushed to 0
        m_best.resize(std::max(m_best.size(), subjects.size()));
        m_active.clear();
        for (std::size_t s = 0; s < subjects.size(); ++s) {
            m_best[s].start(k, index.items().data());
            if (subjects[s].row) begin(w, s, is_wanted, refuse);
        }
        scan_all(w, is_wanted, refuse);
        for (std::size_t s = 0; s < subjects.size(); ++s) {
            if constexpr (has_rough)
                if (m_is_rough) settle(w, s, m_rough[s].list);
            take(m_best[s].finish());
        }
    }

private:
    static constexpr bool has_rough = std::is_same_v<Scalar, float>;
    static constexpr std::size_t group_size = factor_index<Scalar>::group_size, group_blocks = factor_index<Scalar>::group_blocks;
    static constexpr std::size_t groups_of_rough = rough_items::group_size / group_size, value_stride = rough_items::group_size + 16;
    static constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
    struct work {
        factor_index<Scalar> const& index;
        factor_pairs<Scalar> const& pairs;
        std::span<subject const> subjects;
        std::size_t k;
        seen_marks const* marks;
        bool asks;
    };
    struct active_subject {
        std::uint32_t number;
        double length;
    };
    struct rough_subject {
        rough_row row;
        double length = 0; // 1 for cosines
        double width = 0;  // of the intervals in the group that is scanned
        double low = 0;    // of the interval of a sum at the bar there
        double scale = 0;  // of sums there
        std::size_t next_cut = 0;
        rough_list list;
    };

    /// What is not packed is scored pair by pair.
    template <class Wanted, class Refuse> void begin(work const& w, std::size_t s, Wanted const& is_wanted, Refuse const& refuse) {
        auto const& x = w.subjects[s];
        double const length = w.pairs.by() == similarity::cosine ? x.length : length_of(x.row, w.index.n_factors());
        bool const is_plain = has_plain_length<Scalar>(length, w.pairs.by());
        std::size_t const first = is_plain ? w.index.n_plain() : 0;
        auto const items = w.index.items().subspan(first);
        w.pairs.each(
            x, items.size(), [&](std::size_t j) { return items[j]; },
            [&](std::size_t j, Scalar score) {
                if (!m_best[s].wants(score, items[j]) || !is_wanted(s, items[j])) return;
                if (std::isnan(score)) refuse(s, items[j]);
                m_best[s].push(score, static_cast<std::uint32_t>(first + j));
            });
        if (is_plain) m_active.push_back({static_cast<std::uint32_t>(s), length});
    }

    template <class Wanted, class Refuse> void scan_all(work const& w, Wanted const& is_wanted, Refuse const& refuse) {
        std::size_t const rough_start = w.index.rough().empty() ? w.index.n_groups() : first_rough_group() * groups_of_rough;
        m_is_rough = false, m_rough_active.clear();
        for (std::size_t g = 0; g < w.index.n_groups() && m_active.size() + m_rough_active.size() > 0; ++g) {
            if constexpr (has_rough)
                if (g >= rough_start && g % groups_of_rough == 0) {
                    if (g == rough_start) start_rough(w);
                    choose_rough(w, g / groups_of_rough);
                    if (!m_rough_rows.empty()) scan_rough(w, g / groups_of_rough, is_wanted);
                }
            choose(w, g);
            if (!m_rows.empty()) scan(w, g, is_wanted, refuse);
        }
    }
    /// Those subjects for whom some item of a group can enter the list, with the bars for their raw scores. Who cannot have a product that is
    /// large enough has none among shorter items either and is dropped.
    void choose(work const& w, std::size_t g) {
        m_rows.clear(), m_bars.clear(), m_chosen.clear(), m_hits.clear();
        std::size_t kept = 0;
        for (auto const& one : m_active) {
            auto& best = m_best[one.number];
            best.tighten();
            double const bar = static_cast<double>(best.bar());
            if (cannot_reach(w, g, one.length, bar)) continue;
            m_active[kept++] = one;
            if (w.index.by() == similarity::euclidean) {
                double const apart = std::max(one.length - w.index.longest(g), w.index.shortest(g) - one.length);
                double const lengths = one.length + w.index.longest(g); // their roundings blur what is apart
                if (-(apart - m_slack * lengths) * (1 - m_slack) + m_least < bar) continue;
            }
            best.make_room(group_size);
            m_rows.push_back(w.subjects[one.number].row);
            m_bars.push_back(raw_bar(w.index.by(), bar, one.length));
            m_chosen.push_back(one.number);
            m_hits.push_back({best.scores_end(), best.indices_end(), skipped(w, g * group_blocks, one.number), 0});
        }
        m_active.resize(kept);
    }
    bool cannot_reach(work const& w, std::size_t g, double length, double bar) const noexcept {
        return w.index.by() == similarity::dot && length * w.index.longest(g) * (1 + m_slack) + m_least < bar;
    }
    static std::uint16_t const* skipped(work const& w, std::size_t block, std::size_t s) noexcept {
        return w.marks ? w.marks->blocks(s, block) : nullptr;
    }
    /// No raw score below it belongs to a score that reaches the bar.
    Scalar raw_bar(similarity by, double bar, double length) const noexcept {
        if (by == similarity::dot || bar == -std::numeric_limits<double>::infinity()) return static_cast<Scalar>(bar);
        if (by == similarity::cosine) return static_cast<Scalar>((bar - m_slack) * length);
        return static_cast<Scalar>(-(bar * bar * (1 + m_slack) + m_least));
    }

    template <class Wanted, class Refuse> void scan(work const& w, std::size_t g, Wanted const& is_wanted, Refuse const& refuse) {
        std::size_t const block = g * group_blocks;
        w.pairs.kernels().scan({w.index.block(block), w.index.scales(block), m_rows.data(), m_bars.data(), infinity, m_rows.size(),
                                group_blocks, w.index.n_factors(), w.pairs.is_distance(), static_cast<std::uint32_t>(g * group_size),
                                m_hits.data()});
        bool const as_they_are = w.pairs.by() == similarity::dot && all_are_wanted(w, g * group_size, (g + 1) * group_size);
        for (std::size_t h = 0; h < m_hits.size(); ++h) {
            auto const& hits = m_hits[h];
            if (hits.n == 0) continue;
            std::size_t const s = m_chosen[h];
            m_best[s].add(as_they_are ? hits.n : finish_hits(w, s, hits, is_wanted, refuse));
        }
    }
    /// Whether all hits among some places are items that may be listed.
    static bool all_are_wanted(work const& w, std::size_t first, std::size_t last) noexcept {
        return last <= w.index.n_plain() && !w.asks && (!w.marks || w.marks->blocks(0, first / 16));
    }
    /// Makes scores of raw ones and drops what is not wanted.
    template <class Wanted, class Refuse> std::size_t finish_hits(work const& w, std::size_t s, score_hits<Scalar> const& hits,
                                                                  Wanted const& is_wanted, Refuse const& refuse) const {
        std::size_t n = 0;
        for (std::size_t h = 0; h < hits.n; ++h) {
            std::uint32_t const place = hits.places[h];
            if (place >= w.index.n_plain()) continue; // what fills up the last group
            std::uint32_t const item = w.index.items()[place];
            Scalar const score = w.pairs.finished(w.subjects[s], item, hits.raws[h]);
            if (!m_best[s].wants(score, item) || !is_wanted(s, item)) continue;
            if (std::isnan(score)) refuse(s, item);
            hits.raws[n] = score, hits.places[n++] = place;
        }
        return n;
    }

    // --- rough scores

    static std::size_t first_rough_group() noexcept {
        int const forced = forced_rough_start().load();
        return forced >= 0 ? static_cast<std::size_t>(forced) : 2;
    }
    void start_rough(work const& w) {
        auto const& items = w.index.rough();
        std::size_t const width = 4 * items.n_steps();
        m_is_rough = true;
        m_rough.resize(std::max(m_rough.size(), w.subjects.size()));
        m_rough_numbers.resize(w.subjects.size() * width);
        m_values.resize(w.subjects.size() * value_stride);
        m_turned.resize(width);
        m_no_item_bars.assign(rough_items::group_size, no_rough_bar);
        for (std::size_t s = 0; s < w.subjects.size(); ++s) m_rough[s].list.start();
        for (auto const& one : m_active) {
            auto& rough = m_rough[one.number];
            bool const is_cosine = w.index.by() == similarity::cosine;
            double const times = is_cosine ? 1 / one.length : 1;
            items.turn(w.subjects[one.number].row, m_turned.data());
            rough.row = items.round_user(m_turned.data(), times, items.user_scale(m_turned.data(), times),
                                         m_rough_numbers.data() + one.number * width);
            rough.length = is_cosine ? 1 : one.length;
            rough.next_cut = w.k + std::max<std::size_t>(64, w.k / 2);
        }
        m_rough_active.swap(m_active);
    }
    /// As `choose`, for those who go on with rough scores.
    void choose_rough(work const& w, std::size_t g) {
        auto const& items = w.index.rough();
        m_rough_rows.clear(), m_rough_bars.clear(), m_rough_chosen.clear(), m_rough_hits.clear();
        std::size_t kept = 0;
        for (auto const& one : m_rough_active) {
            auto& rough = m_rough[one.number];
            if (!tighten_rough(w, one, rough)) continue;
            double const bar = static_cast<double>(m_best[one.number].bar());
            if (cannot_reach(w, g * groups_of_rough, one.length, bar)) continue;
            m_rough_active[kept++] = one;
            double const longest = w.index.by() == similarity::cosine ? 1 : w.index.longest(g * groups_of_rough);
            double const error =
                (rough.row.length * items.rest(g) + rough.row.rest * longest + m_slack * rough.length * longest) * (1 + 1e-6) +
                m_least * (1 + 8 * (rough.length + longest)); // turning may lose what is next to nothing
            rough.scale = rough.row.scale * items.scale(g), rough.width = 2 * error;
            m_rough_bars.push_back(rough_items::bar_of(bar - error, rough.scale));
            rough.low = static_cast<double>(m_rough_bars.back()) * rough.scale - error;
            rough.list.make_room(rough_items::group_size);
            m_rough_hits.push_back({m_values.data() + m_rough_rows.size() * value_stride, rough.list.places_end(),
                                    skipped(w, g * rough_items::group_blocks, one.number), 0});
            m_rough_rows.push_back(m_rough_numbers.data() + one.number * 4 * items.n_steps());
            m_rough_chosen.push_back(one.number);
        }
        m_rough_active.resize(kept);
    }
    /// Whose intervals are so crowded that dropping some does not help has all of them scored, and goes on with exact scores.
    bool tighten_rough(work const& w, active_subject const& one, rough_subject& rough) {
        auto& best = m_best[one.number];
        if (best.size() + rough.list.size() < rough.next_cut) return true;
        rough.list.cut(best);
        rough.next_cut = best.size() + rough.list.size() + std::max<std::size_t>(64, w.k / 2);
        if (rough.list.size() < 4 * w.k + 512) return true;
        settle(w, one.number, rough.list);
        m_active.push_back(one);
        return false;
    }
    template <class Wanted> void scan_rough(work const& w, std::size_t g, Wanted const& is_wanted) {
        auto const& items = w.index.rough();
        items.kernel().scan({items.group(g), m_rough_rows.data(), m_rough_bars.data(), m_no_item_bars.data(), m_rough_rows.size(),
                             rough_items::group_blocks, items.n_steps(), static_cast<std::uint32_t>(g * rough_items::group_size),
                             m_rough_hits.data()});
        bool const as_they_are = all_are_wanted(w, g * rough_items::group_size, (g + 1) * rough_items::group_size);
        for (std::size_t h = 0; h < m_rough_hits.size(); ++h) {
            auto const& hits = m_rough_hits[h];
            std::size_t const s = m_rough_chosen[h];
            auto& rough = m_rough[s];
            float* const lower = rough.list.lower_end();
            std::size_t n = as_they_are ? hits.n : 0;
            if (!as_they_are)
                for (std::size_t i = 0; i < hits.n; ++i) {
                    std::uint32_t const place = hits.places[i];
                    hits.raws[n] = hits.raws[i], hits.places[n] = place;
                    n += place < w.index.n_plain() && is_wanted(s, w.index.items()[place]);
                }
            for (std::size_t i = 0; i < n; ++i) lower[i] = static_cast<float>(rough.low + static_cast<double>(hits.raws[i]) * rough.scale);
            rough.list.add(n, rough.width);
        }
    }
    /// Scores what may be in the list: first what is likely to be, so that the bar is exact for the others.
    void settle(work const& w, std::size_t s, rough_list& list) {
        auto& best = m_best[s];
        if (list.size() == 0) return;
        list.cut(best);
        std::size_t const likely = list.part(best.bar());
        score_exactly(w, s, list.places(), likely);
        list.drop(likely, best.bar());
        score_exactly(w, s, list.places(), list.size());
        list.start();
    }
    void score_exactly(work const& w, std::size_t s, std::uint32_t const* places, std::size_t n) {
        auto& best = m_best[s];
        auto const items = w.index.items();
        for (std::size_t i = 0; i < n; ++i) prefetch_row(w.pairs.items().row(items[places[i]]), w.index.n_factors());
        best.make_room(n);
        w.pairs.each(
            w.subjects[s], n, [&](std::size_t j) { return items[places[j]]; },
            [&](std::size_t j, Scalar score) { best.scores_end()[j] = score, best.indices_end()[j] = places[j]; });
        best.add(n);
        best.tighten_fully();
    }
    static void prefetch_row(Scalar const* row, std::size_t n) noexcept {
        for (std::size_t k = 0; k < n; k += 64 / sizeof(Scalar)) prefetch(row + k);
    }
    std::vector<top_k<Scalar>> m_best;
    std::vector<active_subject> m_active, m_rough_active;
    std::vector<Scalar const*> m_rows;
    std::vector<Scalar> m_bars;
    std::vector<std::uint32_t> m_chosen;
    std::vector<score_hits<Scalar>> m_hits;
    double m_slack = 0, m_least = 0;

    bool m_is_rough = false; // whether some subjects have rough lists
    std::vector<rough_subject> m_rough;
    std::vector<float> m_turned;
    std::vector<std::uint8_t> m_rough_numbers; // rows of whole numbers
    std::vector<std::uint8_t const*> m_rough_rows;
    std::vector<std::int32_t> m_rough_bars, m_no_item_bars, m_values;
    std::vector<std::uint32_t> m_rough_chosen;
    std::vector<score_hits<std::int32_t>> m_rough_hits;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
