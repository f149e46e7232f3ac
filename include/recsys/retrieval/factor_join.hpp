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
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/simd/select_rough.hpp>
#include <recsys/core/simd/select_scores.hpp>
#include <recsys/core/team.hpp>
#include <recsys/retrieval/factor_index.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/factor_rough.hpp>
#include <recsys/retrieval/top_k.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Needs k + 64 entries of memory for each item, all at once, and n_factors bytes where the index has rough scores. The lists are those of factor_search.
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
        if constexpr (has_rough)
            if (!index.rough().empty()) round_rows(workers);
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
    static constexpr std::size_t rough_size = rough_items::group_size, rough_stride = rough_size + 16;
    static constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
    static constexpr bool has_rough = std::is_same_v<Scalar, float>;
    /// The rows of a part as whole numbers of one scale, for all of them the longest.
    struct rough_part {
        double scale = 0, length = 0, rest = 0;
    };
    struct scratch {
        std::vector<Scalar const*> rows;
        std::vector<Scalar> bars, lengths, item_bars, raws;
        std::vector<std::uint32_t> places;
        std::vector<score_hits<Scalar>> hits;
        // for rough scores
        std::vector<std::uint8_t const*> numbers;
        std::vector<std::int32_t> rough_bars, rough_item_bars, values;
        std::vector<score_hits<std::int32_t>> rough_hits;
        std::vector<Scalar const*> xs, ys;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> met;
        std::vector<Scalar> products;
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
        if constexpr (has_rough) // in a part of its own bars come to be
            if (!m_parts.empty() && left != right) {
                for (std::size_t place = right * part_size; place < std::min(n, (right + 1) * part_size); place += rough_size)
                    join_roughly(left, first, last, place / rough_size, work);
                return;
            }
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

    // --- rough scores

    void round_rows(team& workers) {
        auto const& items = m_index.rough();
        std::size_t const n = m_index.n_plain(), width = 4 * items.n_steps();
        m_numbers = buffer<std::uint8_t>(checked_product(n, width, "similar items"));
        m_parts.resize((n + part_size - 1) / part_size);
        workers.run(m_parts.size(), [&](std::size_t p, std::size_t) {
            std::size_t const first = p * part_size, last = std::min(n, first + part_size);
            auto& part = m_parts[p];
            std::vector<float> turned((last - first) * width);
            for (std::size_t r = first; r < last; ++r) {
                items.turn(subject(r).row, turned.data() + (r - first) * width);
                part.scale = std::max(part.scale, items.user_scale(turned.data() + (r - first) * width, 1 / subject(r).length));
            }
            for (std::size_t r = first; r < last; ++r) {
                auto const row =
                    items.round_user(turned.data() + (r - first) * width, 1 / subject(r).length, part.scale, m_numbers.data() + r * width);
                part.length = std::max(part.length, row.length), part.rest = std::max(part.rest, row.rest);
            }
        });
    }
    /// The rows of a part against a group of another: pairs that may be in a list are scored. Each row and each item has a bar.
    void join_roughly(std::size_t part, std::size_t first, std::size_t last, std::size_t g, scratch& work) {
        auto const& items = m_index.rough();
        auto const& rows = m_parts[part];
        double const error = (rows.length * items.rest(g) + rows.rest + m_slack) * (1 + 1e-6), unit = rows.scale * items.scale(g);
        auto const bar_of = [&](std::size_t place) {
            m_best[place].tighten();
            return rough_items::bar_of(static_cast<double>(m_best[place].bar()) - error, unit);
        };
        work.rough_item_bars.clear();
        for (std::size_t place = g * rough_size; place < (g + 1) * rough_size; ++place)
            work.rough_item_bars.push_back(place < m_index.n_plain() ? bar_of(place) : no_rough_bar);
        work.values.resize(most_rows * rough_stride), work.places.resize(most_rows * rough_stride);
        for (std::size_t row = first; row < last; row += most_rows) {
            work.numbers.clear(), work.rough_bars.clear(), work.rough_hits.clear();
            for (std::size_t r = row; r < std::min(last, row + most_rows); ++r) {
                std::size_t const at = work.numbers.size() * rough_stride;
                work.numbers.push_back(m_numbers.data() + r * 4 * items.n_steps());
                work.rough_bars.push_back(bar_of(r));
                work.rough_hits.push_back({work.values.data() + at, work.places.data() + at, nullptr, 0});
            }
            items.kernel().scan({items.group(g), work.numbers.data(), work.rough_bars.data(), work.rough_item_bars.data(),
                                 work.numbers.size(), rough_items::group_blocks, items.n_steps(),
                                 static_cast<std::uint32_t>(g * rough_size), work.rough_hits.data()});
            score_met(row, work);
        }
    }
    void score_met(std::size_t row, scratch& work) {
        work.met.clear(), work.xs.clear(), work.ys.clear();
        for (std::size_t r = 0; r < work.rough_hits.size(); ++r)
            for (std::size_t h = 0; h < work.rough_hits[r].n; ++h) {
                std::size_t const a = row + r, b = work.rough_hits[r].places[h];
                if (b >= m_index.n_plain()) continue;
                work.met.emplace_back(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
                work.xs.push_back(m_pairs.items().row(m_index.items()[a]));
                work.ys.push_back(m_pairs.items().row(m_index.items()[b]));
            }
        work.products.resize(work.met.size());
        m_pairs.kernels().pairs(work.xs.data(), work.ys.data(), work.met.size(), m_index.n_factors(), work.products.data());
        for (std::size_t i = 0; i < work.met.size(); ++i) {
            auto const [a, b] = work.met[i];
            Scalar const score = m_pairs.finished(subject(a), m_index.items()[b], work.products[i]);
            offer(a, score, m_index.items()[b]);
            offer(b, score, m_index.items()[a]);
        }
    }

    factor_index<Scalar> const& m_index;
    factor_pairs<Scalar> const& m_pairs;
    std::vector<top_k<Scalar>> m_best; // by place
    std::vector<scratch> m_scratch;
    std::vector<rough_part> m_parts;
    buffer<std::uint8_t> m_numbers; // of rows, by place
    double m_slack = 0;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
