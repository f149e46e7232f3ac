// SPDX-License-Identifier: MIT
// The lists of all items of an index among themselves, by cosine: each pair is scored once, for both of its items.
#ifndef RECSYS_RETRIEVAL_FACTOR_JOIN_HPP
#define RECSYS_RETRIEVAL_FACTOR_JOIN_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/simd/select_scores.hpp>
#include <recsys/core/team.hpp>
#include <recsys/retrieval/factor_index.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/top_k.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Needs k + 64 entries of memory for each item, all at once. The lists are those of factor_search.
///
/// Items are cut into parts; in a round each part meets one other, so that no two threads write to one list. What the lists hold does not depend
/// on the order in which scores come.
template <factor_scalar Scalar> class factor_join {
public:
    /// Whether lists of k for n items fit into 64 MiB.
    static bool is_cheap(std::size_t n, std::size_t k) noexcept { return n <= (std::size_t{1} << 26) / (2 * sizeof(Scalar) * (k + 80)); }

    /// @param refuse  (item, item), told of NaN
    template <class Refuse>
    factor_join(factor_index<Scalar> const& index, factor_pairs<Scalar> const& pairs, std::size_t k, team& workers, Refuse const& refuse)
        : m_index(index), m_pairs(pairs), m_best(index.items().size()), m_scratch(workers.size()) {
        m_slack = (2 * static_cast<double>(index.n_factors()) + 16) * static_cast<double>(std::numeric_limits<Scalar>::epsilon());
        for (auto& one : m_best) one.start(k);
        for (std::size_t place = index.n_plain(); place < m_best.size(); ++place) join_alone(place, refuse);
        run_rounds(workers);
    }
    /// The list of the item at a place of the index; its memory is given back.
    template <class Take> void take(std::size_t place, Take const& take_best) {
        auto best = std::exchange(m_best[place], {});
        take_best(best.finish());
    }

private:
    static constexpr std::size_t group_size = factor_index<Scalar>::group_size, groups_of_part = 8, part_size = groups_of_part * group_size;
    static constexpr std::size_t most_rows = 96, hit_stride = group_size + 16;
    static constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
    struct scratch {
        std::vector<Scalar const*> rows;
        std::vector<Scalar> bars, lengths, item_bars, raws;
        std::vector<std::uint32_t> places;
        std::vector<score_hits<Scalar>> hits;
    };

    factor_subject<Scalar> subject(std::size_t place) const noexcept {
        std::size_t const item = m_index.items()[place];
        return {m_pairs.items().row(item), m_pairs.item_length(item)};
    }
    void offer(std::size_t place, Scalar score, std::uint32_t item) {
        if (m_best[place].wants(score, item)) m_best[place].push(score, item);
    }
    /// An item that is not packed, with all others.
    template <class Refuse> void join_alone(std::size_t place, Refuse const& refuse) {
        auto const items = m_index.items();
        m_pairs.each(
            subject(place), items.size(), [&](std::size_t j) { return items[j]; },
            [&](std::size_t j, Scalar score) {
                if (j == place) return;
                if (std::isnan(score)) refuse(std::min(items[place], items[j]), std::max(items[place], items[j]));
                offer(place, score, items[j]);
                if (j < m_index.n_plain()) offer(j, score, items[place]);
            });
    }
    /// Each part with itself, then everybody with everybody in rounds, as in a tournament.
    void run_rounds(team& workers) {
        std::size_t const n = (m_index.n_groups() + groups_of_part - 1) / groups_of_part, even = n + n % 2;
        workers.run(n, [&](std::size_t part, std::size_t worker) { join(part, part, m_scratch[worker]); });
        for (std::size_t round = 0; round + 1 < even; ++round)
            workers.run(even / 2, [&](std::size_t i, std::size_t worker) {
                // The last one stays, the others move around the table.
                std::size_t const circle = even - 1, a = (round + i) % circle;
                std::size_t const b = i == 0 ? circle : (round + circle - i) % circle;
                if (std::max(a, b) < n) join(std::min(a, b), std::max(a, b), m_scratch[worker]);
            });
    }
    void join(std::size_t left, std::size_t right, scratch& work) {
        std::size_t const n = m_index.n_plain();
        std::size_t const first = left * part_size, last = std::min(n, first + part_size);
        std::size_t const end = std::min(m_index.n_groups(), (right + 1) * groups_of_part);
        for (std::size_t row = first; row < last; row += most_rows)
            // In a part of its own only what comes after the row is new.
            for (std::size_t g = left == right ? row / group_size : right * groups_of_part; g < end; ++g)
                join_some(row, std::min(last, row + most_rows), g, work);
    }
    void join_some(std::size_t row, std::size_t row_end, std::size_t g, scratch& work) {
        std::size_t const start = g * group_size, n_rows = row_end - row;
        work.rows.clear(), work.bars.clear(), work.lengths.clear(), work.item_bars.clear(), work.hits.clear();
        work.raws.resize(most_rows * hit_stride), work.places.resize(most_rows * hit_stride);
        for (std::size_t r = row; r < row_end; ++r) {
            auto const x = subject(r);
            m_best[r].tighten();
            work.rows.push_back(x.row);
            work.bars.push_back(static_cast<Scalar>((static_cast<double>(m_best[r].bar()) - m_slack) * x.length));
            work.lengths.push_back(static_cast<Scalar>(x.length));
            work.hits.push_back({work.raws.data() + (r - row) * hit_stride, work.places.data() + (r - row) * hit_stride, nullptr, 0});
        }
        for (std::size_t place = start; place < start + group_size; ++place) {
            bool const is_there = place < m_index.n_plain();
            if (is_there) m_best[place].tighten();
            work.item_bars.push_back(is_there ? static_cast<Scalar>(static_cast<double>(m_best[place].bar()) - m_slack) : infinity);
        }
        std::size_t const block = g * factor_index<Scalar>::group_blocks;
        m_pairs.kernels().scan({m_index.block(block), m_index.scales(block), work.rows.data(), work.bars.data(), infinity, n_rows,
                                factor_index<Scalar>::group_blocks, m_index.n_factors(), false, static_cast<std::uint32_t>(start),
                                work.hits.data(), work.item_bars.data(), work.lengths.data()});
        for (std::size_t r = 0; r < n_rows; ++r)
            for (std::size_t h = 0; h < work.hits[r].n; ++h) {
                std::size_t const a = row + r, b = work.hits[r].places[h];
                if (b <= a || b >= m_index.n_plain()) continue;
                Scalar const score = m_pairs.finished(subject(a), m_index.items()[b], work.hits[r].raws[h]);
                offer(a, score, m_index.items()[b]);
                offer(b, score, m_index.items()[a]);
            }
    }

    factor_index<Scalar> const& m_index;
    factor_pairs<Scalar> const& m_pairs;
    std::vector<top_k<Scalar>> m_best; // by place
    std::vector<scratch> m_scratch;
    double m_slack = 0;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
