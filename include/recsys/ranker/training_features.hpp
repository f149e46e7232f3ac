// SPDX-License-Identifier: MIT
// From a training frame to features: borders, one-hot features, target statistics, and the bins of every training row.
#ifndef RECSYS_RANKER_TRAINING_FEATURES_HPP
#define RECSYS_RANKER_TRAINING_FEATURES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_leaves.hpp>
#include <recsys/core/team.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/booster_options.hpp>
#include <recsys/ranker/feature_space.hpp>
#include <recsys/ranker/join_search.hpp>
#include <recsys/ranker/packed_rows.hpp>
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

/// Bins of all training rows: as records are filled from (packed), and, for finding leaves, a column for each feature, by an order of its own.
///
/// A record has slots. Where statistics are of several targets, a tree asks those of one target alone, and each slot of statistics has a feature
/// for each target; else slots are features. There is a copy of these slots for each permutation of the structure and each target.
struct training_bins {
    static constexpr std::uint32_t no_feature = 0xFFFFFFFFu;

    packed_rows packed;
    buffer<std::uint8_t> columns;
    std::size_t stride = 0;             ///< rows of a column, a multiple of block_rows
    std::vector<std::uint32_t> unit_of; ///< what column sampling takes together, of each slot
    std::size_t n_units = 0, permutations = 1;
    std::vector<std::uint32_t> draw_of;                 ///< of each slot: those of one number draw the same noise
    std::vector<std::vector<std::uint32_t>> feature_of; ///< of each target and slot; no_feature where it would be a constant
    std::vector<std::uint32_t> slot_of;                 ///< of each feature
    std::vector<std::uint32_t> copies_of;               ///< of each feature of statistics its target; else no_feature

    std::uint8_t const* column(std::size_t feature) const noexcept { return columns.data() + feature * stride; }
    /// The bins of rows row .. row + n - 1 by a permutation of the structure, or, past them, by the order of its own.
    void copy(std::size_t feature, std::size_t order, std::size_t row, std::size_t n, std::uint8_t* to) const noexcept {
        if (order >= permutations || copies_of[feature] == no_feature) {
            std::copy_n(column(feature) + row, n, to);
            return;
        }
        auto const& field = packed.layout().fields()[slot_of[feature]];
        auto const from = packed.column(field, copies_of[feature] * permutations + order);
        for (std::size_t i = 0; i < n; ++i) to[i] = field.bin(*from.of(row + i));
    }
};

/// How many borders a feature of a number may have; tests take fewer.
inline std::atomic<std::size_t>& most_feature_borders() noexcept {
    static std::atomic<std::size_t> most{max_borders};
    return most;
}

/// Targets of statistics for classes: one each, unless there are very many; then rare classes share some.
inline constexpr std::size_t most_statistic_targets = 32;
/// The target of each class, by their weights.
inline std::vector<std::uint32_t> statistic_targets(std::span<double const> class_weights) {
    std::vector<std::uint32_t> order(class_weights.size()), out(order.size());
    std::iota(order.begin(), order.end(), 0u);
    if (order.size() <= most_statistic_targets) return order;
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return class_weights[a] > class_weights[b]; });
    constexpr std::uint32_t alone = most_statistic_targets / 2;
    for (std::uint32_t i = 0; i < order.size(); ++i) out[order[i]] = i < alone ? i : alone + i % alone;
    return out;
}

/// Makes the features and bins of a training frame.
///
/// A number of more borders than a byte can count becomes several features, each with a run of the borders: its bin is above a threshold iff the
/// number is above that border, so trees over them are those over one feature of all the borders, and only such numbers pay for it.
class feature_maker {
public:
    feature_maker(frame const& rows, std::vector<ranker_column> columns, statistic_rows about, booster_options const& options,
                  team& workers)
        : m_rows(rows), m_about(about), m_options(options), m_workers(workers) {
        m_space.columns = std::move(columns), m_space.missing = options.missing;
        m_reader = std::make_unique<frame_reader>(m_space.columns, rows);
        m_bins.stride = (rows.n_rows() + block_rows - 1) / block_rows * block_rows;
        make_numbers();
        make_categories();
        if (options.joins.value_or(1) > 0 && !m_space.keys.empty()) make_joins();
    }
    /// Builds everything; call once.
    std::pair<feature_space, training_bins> make() && {
        measure_keys();
        fill_columns();
        lay_out();
        pack_columns();
        for (std::size_t k = 0; k < m_space.keys.size(); ++k) pack_key(k);
        m_space.prepare();
        return {std::move(m_space), std::move(m_bins)};
    }

private:
    static constexpr std::size_t join_cuts = 7; ///< a number joined with a category is cut into eight

    std::size_t n_rows() const noexcept { return m_rows.n_rows(); }

    // --- which features -----------------------------------------------------------------------------

    void make_numbers() {
        std::vector<std::vector<float>> borders(m_space.columns.size());
        m_workers.run(borders.size(), [&](std::size_t c, std::size_t) {
            auto const& column = m_rows.column(m_space.columns[c].name);
            if (column.kind == column_kind::number)
                borders[c] = number_borders(column.numbers.span(), m_about.weight, m_options.borders, m_options.missing);
        });
        for (std::uint32_t c = 0; c < borders.size(); ++c) {
            if (borders[c].empty()) continue;
            auto const unit = m_bins.n_units++, draw = m_n_draws++, most = most_feature_borders().load();
            for (auto at = borders[c].cbegin(), end = borders[c].cend(); at != end;) {
                auto const first = std::exchange(at, at + std::min(end - at, static_cast<std::ptrdiff_t>(most)));
                auto& f = add_feature(unit, draw);
                f.source = c, f.borders.assign(first, at);
            }
        }
    }
    ranker_feature& add_feature(std::size_t unit, std::size_t draw) {
        m_unit.push_back(static_cast<std::uint32_t>(unit)), m_draw.push_back(static_cast<std::uint32_t>(draw)), m_prior.push_back(0);
        m_key_values.emplace_back();
        return m_space.features.emplace_back();
    }
    void make_categories() {
        for (std::uint32_t c = 0; c < m_space.columns.size(); ++c) {
            if (m_space.columns[c].kind == column_kind::number) continue;
            auto const present = categories_of(c);
            if (present.size() < 2 && m_space.columns[c].kind == column_kind::category) continue;
            if (present.size() <= m_options.one_hot_size) add_one_hot(c, present);
            else {
                auto& key = m_space.keys.emplace_back();
                key.column = c;
            }
        }
    }
    /// The categories of a column that its rows have, missing_category among them, rising.
    std::vector<std::int32_t> categories_of(std::uint32_t c) const {
        std::vector<char> seen(m_space.columns[c].categories->size() + 1, 0);
        for_blocks([&](row_block const& block, std::size_t) {
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
        std::size_t const unit = m_bins.n_units++;
        bool const single = m_space.columns[c].kind == column_kind::category;
        for (std::size_t i = single && present.size() == 2 ? 1 : 0; i < present.size(); ++i) { // of two, one says it all
            auto& f = add_feature(unit, m_n_draws++);
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
            bool const bound = std::any_of(m_options.monotone.begin(), m_options.monotone.end(),
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
        std::size_t const most = m_options.joins ? std::size_t{*m_options.joins} : automatic_joins(n_rows());
        std::vector<pair_worth> pairs;
        for (auto const which : searched_targets()) {
            std::vector<float> one = target;
            if (m_about.n_targets > 1)
                for (auto& t : one) t = t == static_cast<float>(which) ? 1.f : 0.f;
            auto const found = join_search(one, weight, columns).worths(m_workers);
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
        std::vector<std::size_t> rows(m_about.n_targets, 0), order(m_about.n_targets);
        std::iota(order.begin(), order.end(), std::size_t{0});
        if (order.size() == 1) return order;
        for (auto const t : m_about.target) ++rows[static_cast<std::size_t>(t)];
        std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rows[a] > rows[b]; });
        order.resize(std::min<std::size_t>(order.size(), 8));
        return order;
    }
    /// Cells and targets of rows in a random order.
    void sample_rows(std::size_t n, std::vector<search_column>& columns, std::vector<float>& target, std::vector<float>& weight) const {
        auto order = random_order(n_rows(), run_length(), m_options.seed, 0);
        order.resize(n);
        block_scratch scratch;
        for (auto const row : order) {
            auto const& block = m_reader->read(row, 1, scratch);
            for (auto& c : columns) {
                std::uint32_t cell = 0;
                if (c.category) cell = statistic_key::cell_of(block.columns[c.column].codes[0]);
                else {
                    float const x = comparable_number(block.columns[c.column].numbers[0], m_space.missing);
                    for (auto const cut : c.cuts) cell += cut < x;
                }
                c.cells.push_back(cell);
            }
            target.push_back(m_about.target[row]);
            if (!m_about.weight.empty()) weight.push_back(m_about.weight[row]);
        }
    }
    /// The pairs of categories that the rows have.
    void fill_pairs(statistic_key& key) const {
        for_blocks([&](row_block const& block, std::size_t) {
            for (std::size_t r = 0; r < block.n; ++r)
                key.pairs.push_back(statistic_key::pair_of(block.columns[key.column].codes[r], block.columns[key.other].codes[r]));
        });
        std::sort(key.pairs.begin(), key.pairs.end());
        key.pairs.erase(std::unique(key.pairs.begin(), key.pairs.end()), key.pairs.end());
        key.index_pairs();
    }

    // --- reading rows -------------------------------------------------------------------------------

    template <class Function> void for_blocks(Function const& f) const {
        block_scratch scratch;
        for (std::size_t first = 0; first < n_rows(); first += block_rows)
            f(m_reader->read(first, std::min(block_rows, n_rows() - first), scratch), first);
    }
    template <class Function> void for_blocks_of_all(Function const& f) {
        std::vector<block_scratch> scratch(m_workers.size());
        m_workers.blocks(n_rows(), block_rows * 64, [&](std::size_t from, std::size_t to, std::size_t worker) {
            for (std::size_t first = from; first < to; first += block_rows)
                f(m_reader->read(first, std::min(block_rows, to - first), scratch[worker]), first);
        });
    }
    /// The cell or cells of every row.
    key_rows cells_of(statistic_key const& key) {
        key_rows out;
        if (!m_space.has_lists(key)) {
            out.cells = buffer<std::uint32_t>(n_rows());
            for_blocks_of_all([&](row_block const& block, std::size_t first) {
                for (std::size_t r = 0; r < block.n; ++r) out.cells[first + r] = key.cell(block, r, m_space.missing);
            });
            return out;
        }
        std::vector<std::uint32_t> cells;
        for_blocks([&](row_block const& block, std::size_t) {
            for (std::size_t r = 0; r < block.n; ++r) {
                for (auto const code : block.codes(key.column, r)) cells.push_back(statistic_key::cell_of(code));
                out.ends.push_back(cells.size());
            }
        });
        out.cells = buffer<std::uint32_t>(cells.size());
        std::copy(cells.begin(), cells.end(), out.cells.begin());
        return out;
    }
    std::vector<std::uint32_t> order(std::size_t permutation) const {
        return random_order(n_rows(), run_length(), m_options.seed, 1 + permutation);
    }
    std::size_t run_length() const noexcept { return std::clamp<std::size_t>(n_rows() / 20000, 1, 64); }

    // --- statistics ---------------------------------------------------------------------------------

    std::size_t cell_count(statistic_key const& key) const noexcept {
        if (key.with == statistic_key::join::category) return key.pairs.size();
        return (m_space.columns[key.column].categories->size() + 1) * (key.cuts.size() + 1);
    }
    static std::vector<float> priors_of(statistic_key const& key) {
        if (key.with != statistic_key::join::none) return {0.5f};
        return {0.f, 0.5f, 1.f};
    }
    /// For each key: totals, and features with borders that fit the values of the leaf permutation.
    void measure_keys() {
        auto const leaf_order = order(m_options.permutations);
        for (std::uint32_t k = 0; k < m_space.keys.size(); ++k) {
            auto& key = m_space.keys[k];
            auto const cells = cells_of(key);
            fill_totals(key, cells, cell_count(key), m_about);
            auto const priors = priors_of(key);
            std::size_t const unit = m_bins.n_units++;
            for (std::size_t target = 0; target < m_about.n_targets; ++target) {
                std::vector<std::vector<float>> values(priors.size(), std::vector<float>(n_rows()));
                ordered_statistics(cells, key.n_cells(), m_about, target, leaf_order, priors, [&](std::size_t row, float const* of) {
                    for (std::size_t p = 0; p < priors.size(); ++p) values[p][row] = of[p];
                });
                for (std::size_t p = 0; p < priors.size(); ++p) {
                    auto* const f = add_key_feature(k, unit, feature_kind::statistic, std::move(values[p]));
                    if (f) f->prior = priors[p], f->category = static_cast<std::int32_t>(target), m_prior.back() = p;
                }
            }
            std::vector<float> counts(n_rows());
            for (std::size_t row = 0; row < n_rows(); ++row) {
                float count = 0;
                for (auto const c : cells.of(row)) count += key.counts[c];
                counts[row] = cells.of(row).size() == 1 ? count : count / static_cast<float>(cells.of(row).size());
            }
            add_key_feature(k, unit, feature_kind::count, std::move(counts));
        }
    }
    /// Null where the values do not differ.
    ranker_feature* add_key_feature(std::uint32_t k, std::size_t unit, feature_kind kind, std::vector<float> values) {
        std::size_t const stride = std::max<std::size_t>(1, n_rows() / 65536);
        std::vector<float> sample, weights;
        for (std::size_t row = 0; row < n_rows(); row += stride) {
            sample.push_back(values[row]);
            if (!m_about.weight.empty()) weights.push_back(m_about.weight[row]);
        }
        bool const joined = m_space.keys[k].with != statistic_key::join::none;
        auto borders = greedy_borders(distinct_values(sample, weights),
                                      joined ? std::size_t{15} : static_cast<std::size_t>(m_options.statistic_borders));
        if (borders.empty()) return nullptr;
        auto& f = add_feature(unit, m_n_draws++);
        f.kind = kind, f.source = k, f.borders = std::move(borders);
        border_table const table(f.borders);
        auto& bins = m_key_values.back();
        bins = buffer<std::uint8_t>(n_rows());
        table.bins(m_kernels, values.data(), n_rows(), missing_numbers::lowest, bins.data());
        return &f;
    }

    // --- bins ---------------------------------------------------------------------------------------

    void fill_columns() {
        m_bins.columns = buffer<std::uint8_t>(m_space.features.size() * m_bins.stride);
        for (std::size_t f = 0; f < m_space.features.size(); ++f) {
            auto* const to = m_bins.columns.data() + f * m_bins.stride;
            std::fill(to + n_rows(), to + m_bins.stride, std::uint8_t{0});
            if (!m_key_values[f].empty()) std::copy(m_key_values[f].begin(), m_key_values[f].end(), to);
            m_key_values[f] = {};
        }
        feature_space plain; // numbers and one-hot features, which have the same bins in every permutation
        plain.columns = m_space.columns, plain.missing = m_space.missing;
        for (auto const& f : m_space.features)
            if (f.kind == feature_kind::number || f.kind == feature_kind::has) plain.features.push_back(f);
        plain.prepare();
        std::vector<std::vector<std::uint8_t>> bins(m_workers.size(), std::vector<std::uint8_t>(plain.features.size() * block_rows));
        std::vector<std::vector<std::uint32_t>> cells(m_workers.size());
        std::vector<block_scratch> scratch(m_workers.size());
        m_workers.blocks(n_rows(), block_rows * 64, [&](std::size_t from, std::size_t to, std::size_t worker) {
            for (std::size_t first = from; first < to; first += block_rows) {
                auto const& block = m_reader->read(first, std::min(block_rows, to - first), scratch[worker]);
                plain.bins(m_kernels, block, bins[worker].data(), cells[worker]);
                for (std::size_t f = 0; f < plain.features.size(); ++f)
                    std::copy_n(bins[worker].data() + f * block_rows, block.n, m_bins.columns.data() + f * m_bins.stride + first);
            }
        });
    }
    bool permuted(std::size_t f) const noexcept { return m_space.features[f].kind == feature_kind::statistic; }
    void lay_out() {
        std::vector<std::size_t> n_bins;
        std::vector<char> late;
        std::vector<std::pair<std::uint32_t, std::size_t>> known; // key and prior of the slots of statistics
        std::vector<std::size_t> slot_of_known;
        for (std::size_t f = 0; f < m_space.features.size(); ++f) {
            auto const& of = m_space.features[f];
            std::size_t slot = n_bins.size();
            if (permuted(f)) {
                std::pair const id(of.source, m_prior[f]);
                auto const at = static_cast<std::size_t>(std::find(known.begin(), known.end(), id) - known.begin());
                if (at == known.size()) known.push_back(id), slot_of_known.push_back(slot);
                slot = slot_of_known[at];
            }
            m_bins.slot_of.push_back(static_cast<std::uint32_t>(slot));
            if (slot == n_bins.size()) {
                n_bins.push_back(0), late.push_back(permuted(f));
                m_bins.unit_of.push_back(m_unit[f]), m_bins.draw_of.push_back(m_draw[f]);
            }
            n_bins[slot] = std::max(n_bins[slot], of.n_bins());
        }
        m_bins.feature_of.assign(m_about.n_targets, std::vector<std::uint32_t>(n_bins.size(), training_bins::no_feature));
        for (std::size_t f = 0; f < m_space.features.size(); ++f)
            for (std::size_t target = 0; target < m_about.n_targets; ++target)
                if (!permuted(f) || static_cast<std::size_t>(m_space.features[f].category) == target)
                    m_bins.feature_of[target][m_bins.slot_of[f]] = static_cast<std::uint32_t>(f);
        for (std::size_t f = 0; f < m_space.features.size(); ++f)
            m_bins.copies_of.push_back(permuted(f) ? static_cast<std::uint32_t>(m_space.features[f].category) : training_bins::no_feature);
        // Memory and time go with permutations x targets.
        m_bins.permutations = std::clamp<std::size_t>(most_statistic_targets / m_about.n_targets, 1, m_options.permutations);
        m_bins.packed = packed_rows(packed_layout(n_bins, late), n_rows(), m_bins.permutations * m_about.n_targets);
    }
    /// Features that are the same in every permutation, from their columns.
    void pack_columns() {
        auto& packed = m_bins.packed;
        m_workers.blocks(n_rows(), 4096, [&](std::size_t first, std::size_t last, std::size_t) {
            for (std::size_t f = 0; f < m_space.features.size(); ++f) {
                if (permuted(f)) continue;
                auto const& field = packed.layout().fields()[m_bins.slot_of[f]];
                auto const* const from = m_bins.column(f);
                auto const to = packed.column(field, 0);
                for (std::size_t row = first; row < last; ++row)
                    *to.of(row) = static_cast<std::uint8_t>(*to.of(row) | from[row] << field.shift);
            }
        });
    }
    /// The statistics of a key in every permutation of the structure, for every target.
    void pack_key(std::size_t k) {
        auto const& key = m_space.keys[k];
        auto const cells = cells_of(key);
        auto& packed = m_bins.packed;
        m_workers.run(m_bins.permutations * m_about.n_targets, [&](std::size_t copy, std::size_t) {
            std::size_t const p = copy % m_bins.permutations, target = copy / m_bins.permutations;
            std::vector<packed_rows::strided<std::uint8_t>> to;
            std::vector<unsigned> shifts;
            std::vector<float> priors;
            std::vector<border_table> tables;
            for (std::size_t f = 0; f < m_space.features.size(); ++f) {
                auto const& of = m_space.features[f];
                if (!permuted(f) || of.source != k || static_cast<std::size_t>(of.category) != target) continue;
                auto const& field = packed.layout().fields()[m_bins.slot_of[f]];
                to.push_back(packed.column(field, copy)), shifts.push_back(field.shift);
                priors.push_back(of.prior), tables.emplace_back(of.borders);
            }
            if (to.empty()) return;
            // Bins of many rows at a time.
            std::vector<float> waiting(to.size() * block_rows);
            std::size_t rows[block_rows], n = 0;
            auto const flush = [&] {
                std::uint8_t bins[block_rows];
                for (std::size_t i = 0; i < to.size(); ++i) {
                    tables[i].bins(m_kernels, waiting.data() + i * block_rows, n, missing_numbers::lowest, bins);
                    for (std::size_t r = 0; r < n; ++r) {
                        auto& byte = *to[i].of(rows[r]);
                        byte = static_cast<std::uint8_t>(byte | bins[r] << shifts[i]);
                    }
                }
                n = 0;
            };
            ordered_statistics(cells, key.n_cells(), m_about, target, order(p), priors, [&](std::size_t row, float const* values) {
                for (std::size_t i = 0; i < to.size(); ++i) waiting[i * block_rows + n] = values[i];
                rows[n] = row;
                if (++n == block_rows) flush();
            });
            flush();
        });
    }

    frame const& m_rows;
    statistic_rows m_about;
    booster_options const& m_options;
    team& m_workers;
    bin_table const m_kernels = bin_kernels(active_simd_level());
    feature_space m_space;
    training_bins m_bins;
    std::size_t m_n_draws = 0;
    std::unique_ptr<frame_reader> m_reader;
    std::vector<buffer<std::uint8_t>> m_key_values; ///< bins of the features of keys, until the columns exist
    std::vector<std::uint32_t> m_unit, m_draw;      ///< of each feature, what column sampling and noise take together
    std::vector<std::size_t> m_prior;               ///< of each feature: which of its key's priors it has
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
