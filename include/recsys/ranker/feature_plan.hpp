// SPDX-License-Identifier: MIT
// Which features a training frame gives: borders of numbers, one-hot features, and the keys of which there will be target statistics.
#ifndef RECSYS_RANKER_FEATURE_PLAN_HPP
#define RECSYS_RANKER_FEATURE_PLAN_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/team.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/binning.hpp>
#include <recsys/ranker/booster_options.hpp>
#include <recsys/ranker/feature_space.hpp>
#include <recsys/ranker/join_search.hpp>
#include <recsys/ranker/row_block.hpp>
#include <recsys/ranker/target_statistics.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// The columns of a frame with dictionaries of only the categories that its rows have, new ones after those in `known`.
inline std::vector<ranker_column> ranker_columns(frame const& rows, std::span<ranker_column const> known) {
    std::vector<ranker_column> out;
    for (auto const& from : rows.columns()) {
        auto& column = out.emplace_back();
        column.name = from.name, column.kind = from.kind;
        if (from.kind == column_kind::number) continue;
        auto const old = std::find_if(known.begin(), known.end(), [&](ranker_column const& c) { return c.name == from.name; });
        auto categories = std::make_shared<category_dictionary>(old == known.end() ? category_dictionary(from.keys()) : *old->categories);
        std::vector<char> seen(from.dictionary->size(), 0);
        for (auto const code : from.codes) {
            if (code < 0 || seen[static_cast<std::size_t>(code)]) continue;
            seen[static_cast<std::size_t>(code)] = 1;
            categories->add(from.dictionary->text(code));
        }
        column.categories = std::move(categories);
    }
    return out;
}

/// How many borders a feature of a number may have; tests take fewer.
inline std::atomic<std::size_t>& most_feature_borders() noexcept {
    static std::atomic<std::size_t> most{max_borders};
    return most;
}

/// The rows that features are made of, and how they are read.
struct feature_rows {
    frame const& rows;
    statistic_rows about;
    booster_options const& options;
    team& workers;
    frame_reader reader;

    feature_rows(frame const& from, std::span<ranker_column const> columns, statistic_rows targets, booster_options const& wanted,
                 team& threads)
        : rows(from), about(targets), options(wanted), workers(threads), reader(columns, from) {}
    std::size_t size() const noexcept { return rows.n_rows(); }

    /// f(block, its first row).
    template <class Function> void for_blocks(Function const& f) const {
        block_scratch scratch;
        for (std::size_t first = 0; first < size(); first += block_rows)
            f(reader.read(first, std::min(block_rows, size() - first), scratch), first);
    }
    /// The same by all workers: f(block, its first row, worker).
    template <class Function> void for_blocks_of_all(Function const& f) const {
        std::vector<block_scratch> scratch(workers.size());
        workers.blocks(size(), block_rows * 64, [&](std::size_t from, std::size_t to, std::size_t worker) {
            for (std::size_t first = from; first < to; first += block_rows)
                f(reader.read(first, std::min(block_rows, to - first), scratch[worker]), first, worker);
        });
    }
    /// A permutation of the rows by its number, from 0.
    row_order order(std::size_t number) const {
        return row_order(size(), std::clamp<std::size_t>(size() / 20000, 1, 64), options.seed, number);
    }
};

/// Features, and for each what column sampling and noise take together.
struct feature_plan {
    feature_space space;
    std::vector<std::uint32_t> unit, draw;
    std::size_t n_units = 0, n_draws = 0;

    ranker_feature& add(std::size_t of_unit, std::size_t of_draw) {
        unit.push_back(static_cast<std::uint32_t>(of_unit)), draw.push_back(static_cast<std::uint32_t>(of_draw));
        return space.features.emplace_back();
    }
};

/// Plans the features of numbers and small categories, and the keys of the others.
///
/// A number of more borders than a byte can count becomes several features, each with a run of the borders: its bin is above a threshold iff the
/// number is above that border, so trees over them are those over one feature of all the borders, and only such numbers pay for it.
class feature_planner {
public:
    feature_planner(feature_rows const& from, std::vector<ranker_column> columns) : m_from(from) {
        m_plan.space.columns = std::move(columns), m_plan.space.missing = from.options.missing;
    }
    /// Call once.
    feature_plan make() && {
        make_numbers();
        make_categories();
        if (m_from.options.joins.value_or(1) > 0 && !m_space.keys.empty()) make_joins();
        return std::move(m_plan);
    }

private:
    static constexpr std::size_t join_cuts = 7; ///< a number joined with a category is cut into eight

    std::size_t n_rows() const noexcept { return m_from.size(); }

    void make_numbers() {
        std::vector<std::vector<float>> borders(m_space.columns.size());
        m_from.workers.run(borders.size(), [&](std::size_t c, std::size_t) {
            auto const& column = m_from.rows.column(m_space.columns[c].name);
            if (column.kind == column_kind::number)
                borders[c] = number_borders(column.numbers.span(), m_from.about.weight, m_from.options.borders, m_from.options.missing);
        });
        for (std::uint32_t c = 0; c < borders.size(); ++c) {
            if (borders[c].empty()) continue;
            auto const unit = m_plan.n_units++, draw = m_plan.n_draws++, most = most_feature_borders().load();
            for (auto at = borders[c].cbegin(), end = borders[c].cend(); at != end;) {
                auto const first = std::exchange(at, at + std::min(end - at, static_cast<std::ptrdiff_t>(most)));
                auto& f = m_plan.add(unit, draw);
                f.source = c, f.borders.assign(first, at);
            }
        }
    }
    void make_categories() {
        for (std::uint32_t c = 0; c < m_space.columns.size(); ++c) {
            if (m_space.columns[c].kind == column_kind::number) continue;
            auto const present = categories_of(c);
            if (present.size() < 2 && m_space.columns[c].kind == column_kind::category) continue;
            if (present.size() <= m_from.options.one_hot_size) add_one_hot(c, present);
            else {
                auto& key = m_space.keys.emplace_back();
                key.column = c;
            }
        }
    }
    /// The categories of a column that its rows have, missing_category among them, rising.
    std::vector<std::int32_t> categories_of(std::uint32_t c) const {
        std::vector<char> seen(m_space.columns[c].categories->size() + 1, 0);
        m_from.for_blocks([&](row_block const& block, std::size_t) {
            bool const lists = m_space.columns[c].kind == column_kind::categories;
            auto const& of = block.columns[c];
            for (std::size_t i = 0, n = lists ? of.ends[block.n - 1] : block.n; i < n; ++i) seen[statistic_key::cell_of(of.codes[i])] = 1;
        });
        std::vector<std::int32_t> out;
        for (std::size_t cell = 0; cell < seen.size(); ++cell)
            if (seen[cell]) out.push_back(static_cast<std::int32_t>(cell) - 1);
        return out;
    }
    void add_one_hot(std::uint32_t c, std::span<std::int32_t const> present) {
        std::size_t const unit = m_plan.n_units++;
        bool const single = m_space.columns[c].kind == column_kind::category;
        for (std::size_t i = single && present.size() == 2 ? 1 : 0; i < present.size(); ++i) { // of two, one says it all
            auto& f = m_plan.add(unit, m_plan.n_draws++);
            f.kind = feature_kind::has, f.source = c, f.category = present[i];
        }
    }

    /// Keys of two columns. The search looks at some rows, fewer the more pairs there are.
    void make_joins() {
        std::vector<search_column> columns;
        for (std::uint32_t c = 0; c < m_space.columns.size(); ++c) {
            auto& column = columns.emplace_back();
            column.column = c, column.category = m_space.columns[c].kind == column_kind::category;
            std::vector<float> borders;
            for (auto const& f : m_space.features)
                if (f.kind == feature_kind::number && f.source == c) borders.insert(borders.end(), f.borders.begin(), f.borders.end());
            // A statistic joined with a number that only rises or falls would go its own ways.
            bool const bound = std::any_of(m_from.options.monotone.begin(), m_from.options.monotone.end(),
                                           [&](monotone_column const& m) { return m.name == m_space.columns[c].name; });
            if (!borders.empty() && !bound) column.cuts = coarse_cuts(borders, join_cuts);
            if (!column.category && column.cuts.empty()) columns.pop_back();
        }
        std::size_t n_categories = 0;
        for (auto const& c : columns) n_categories += c.category;
        if (n_categories == 0 || columns.size() < 2) return;
        std::size_t const rows = std::clamp<std::size_t>((std::size_t{1} << 24) / (n_categories * columns.size()), 1024, 131072);
        std::vector<float> target, weight;
        sample_rows(std::min(rows, n_rows()), columns, target, weight);
        std::size_t const most = m_from.options.joins ? std::size_t{*m_from.options.joins} : automatic_joins(n_rows());
        std::vector<pair_worth> pairs;
        for (auto const which : searched_targets()) {
            std::vector<float> one = target;
            if (m_from.about.n_targets > 1)
                for (auto& t : one) t = t == static_cast<float>(which) ? 1.f : 0.f;
            auto const found = join_search(one, weight, columns).worths(m_from.workers);
            if (pairs.empty()) pairs = found;
            else
                for (std::size_t i = 0; i < pairs.size(); ++i)
                    pairs[i].gain += found[i].gain, pairs[i].clear = pairs[i].clear || found[i].clear;
        }
        for (auto const& pair : best_pairs(std::move(pairs), most, n_rows() > few_rows)) {
            auto const &a = columns[pair.first], &b = columns[pair.second];
            auto& key = m_space.keys.emplace_back();
            key.column = a.column, key.other = b.column, key.cuts = b.category ? std::vector<float>() : b.cuts;
            key.with = b.category ? statistic_key::join::category : statistic_key::join::number;
            if (b.category) fill_pairs(key);
        }
    }
    /// For which targets pairs are looked at: eight of the most rows.
    std::vector<std::size_t> searched_targets() const {
        std::vector<std::size_t> rows(m_from.about.n_targets, 0), order(m_from.about.n_targets);
        std::iota(order.begin(), order.end(), std::size_t{0});
        if (order.size() == 1) return order;
        for (auto const t : m_from.about.target) ++rows[static_cast<std::size_t>(t)];
        std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rows[a] > rows[b]; });
        order.resize(std::min<std::size_t>(order.size(), 8));
        return order;
    }
    /// Cells and targets of rows in a random order.
    void sample_rows(std::size_t n, std::vector<search_column>& columns, std::vector<float>& target, std::vector<float>& weight) const {
        block_scratch scratch;
        m_from.order(0).for_first(n, [&](std::size_t row) {
            auto const& block = m_from.reader.read(row, 1, scratch);
            for (auto& c : columns) {
                std::uint32_t cell = 0;
                if (c.category) cell = statistic_key::cell_of(block.columns[c.column].codes[0]);
                else {
                    float const x = comparable_number(block.columns[c.column].numbers[0], m_space.missing);
                    for (auto const cut : c.cuts) cell += cut < x;
                }
                c.cells.push_back(cell);
            }
            target.push_back(m_from.about.target[row]);
            if (!m_from.about.weight.empty()) weight.push_back(m_from.about.weight[row]);
        });
    }
    /// The pairs of categories that the rows have.
    void fill_pairs(statistic_key& key) const {
        m_from.for_blocks([&](row_block const& block, std::size_t) {
            for (std::size_t r = 0; r < block.n; ++r)
                key.pairs.push_back(statistic_key::pair_of(block.columns[key.column].codes[r], block.columns[key.other].codes[r]));
        });
        std::sort(key.pairs.begin(), key.pairs.end());
        key.pairs.erase(std::unique(key.pairs.begin(), key.pairs.end()), key.pairs.end());
        key.index_pairs();
    }

    feature_rows const& m_from;
    feature_plan m_plan;
    feature_space& m_space = m_plan.space;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
