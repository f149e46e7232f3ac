// SPDX-License-Identifier: MIT
// What the trees of models from elsewhere ask: each question is a feature of at most 256 bins and a threshold, as for our own trees.
#ifndef RECSYS_RANKER_IMPORTED_FEATURES_HPP
#define RECSYS_RANKER_IMPORTED_FEATURES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/hash.hpp>
#include <recsys/ranker/binning.hpp>
#include <recsys/ranker/row_block.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// As what a missing number is compared: below or above all borders or as 0; where 0 is missing too (all with zero_), both below or above. The
/// last two are no numbers, but 1 where one is missing, else 0.
enum class number_rule : std::uint8_t { low, high, zero, zero_low, zero_high, is_missing, is_zero };

inline float imported_number(float x, number_rule rule) noexcept {
    constexpr float almost_zero = 1e-35f; // LightGBM's zero
    bool const zero_too = rule == number_rule::zero_low || rule == number_rule::zero_high || rule == number_rule::is_zero;
    bool const missing = std::isnan(x) || (zero_too && std::abs(x) <= almost_zero);
    switch (rule) {
    case number_rule::low:
    case number_rule::zero_low: return missing ? -infinite : x;
    case number_rule::high:
    case number_rule::zero_high: return missing ? infinite : x;
    case number_rule::zero: return missing ? 0.f : x;
    default: return missing ? 1.f : 0.f;
    }
}

/// Something that rows have and trees ask about: "is it above the border?"
struct imported_source {
    enum class kind : std::uint8_t {
        number, ///< of a column
        equals, ///< 1 where a column's code is `value`
        member, ///< 0 where a column's code is in `members`, else 1
        cell    ///< what `of_cell` has for the row's cell of a key; the last is for rows of none
    };
    kind what = kind::number;
    std::uint32_t from = 0; ///< column, or key of `cell`
    number_rule rule = number_rule::low;
    std::int32_t value = 0;
    std::vector<std::uint8_t> members = {}; ///< a byte a code
    std::vector<float> of_cell = {};
    std::vector<float> borders = {};
};

/// A question of a tree before and after its features are numbered: above this border of a source, or above this bin of a feature.
struct imported_question {
    std::uint32_t source = 0;
    float border = 0;
};
struct bin_question {
    std::uint32_t feature = 0;
    std::uint8_t threshold = 0;
};

/// Several columns hashed into one key: the codes of categories, then answers to yes/no questions. Its hashes lead to cells.
/// Source: CatBoost's feature combinations; h becomes factor * (h + factor * value) for each part.
class imported_key {
public:
    static constexpr std::uint64_t factor = 0x4906BA494954CB65u, square = factor * factor;

    std::vector<std::uint32_t> columns;
    std::vector<imported_question> conditions;

    std::vector<std::uint64_t> hashes; ///< what has a cell: at least one before prepare(), then in the order of the cells

    /// Gives each hash a cell that two reads find without branches: by its bucket, which moves all of its hashes to free cells.
    /// False where that cannot be done, as for hashes that somebody chose to collide.
    /// Source: Belazzougui, Botelho, Dietzfelbinger (2009), "Hash, displace, and compress".
    bool prepare() {
        std::sort(hashes.begin(), hashes.end());
        hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
        auto const all = std::move(hashes);
        std::size_t size = 4;
        while (size < all.size() + all.size() / 4) size *= 2;
        for (int tries = 0; tries < 4; ++tries, size *= 2)
            if (place(all, size)) return true;
        return false;
    }
    std::uint32_t n_cells() const noexcept { return static_cast<std::uint32_t>(hashes.size()); }
    /// The cell of a hash; n_cells() where there is none.
    std::uint32_t find(std::uint64_t hash) const noexcept {
        auto const mixed = mix_bits(hash);
        auto const cell = cell_of(mixed, m_moves[static_cast<std::size_t>(mixed >> m_shift)]);
        return hashes[cell] == hash ? cell : n_cells();
    }

private:
    std::uint32_t cell_of(std::uint64_t mixed, std::uint64_t move) const noexcept {
        return static_cast<std::uint32_t>((mixed + move * (mixed >> 32 | 1)) & m_mask);
    }
    bool place(std::vector<std::uint64_t> const& all, std::size_t size) {
        constexpr std::size_t most = 64; // of a bucket, which has two to four by chance
        m_mask = size - 1, m_shift = 62;
        for (std::size_t n = 4; n < size / 4; n *= 2) --m_shift;
        std::vector<std::vector<std::uint64_t>> buckets(std::size_t{1} << (64 - m_shift));
        for (auto const hash : all) {
            auto const mixed = mix_bits(hash);
            buckets[static_cast<std::size_t>(mixed >> m_shift)].push_back(mixed);
        }
        std::vector<std::uint32_t> order(buckets.size());
        std::iota(order.begin(), order.end(), 0u);
        std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return buckets[a].size() > buckets[b].size(); });
        if (buckets[order[0]].size() > most) return false;
        std::vector<char> used(size, 0);
        m_moves.assign(buckets.size(), 0);
        for (auto const b : order)
            if (!move_bucket(buckets[b], used, m_moves[b])) return false;
        hashes.assign(size, all[0]); // where it is not at home it is not found
        for (auto const hash : all) {
            auto const mixed = mix_bits(hash);
            hashes[cell_of(mixed, m_moves[static_cast<std::size_t>(mixed >> m_shift)])] = hash;
        }
        return true;
    }
    bool move_bucket(std::vector<std::uint64_t> const& bucket, std::vector<char>& used, std::uint16_t& move) const {
        for (std::uint32_t m = 0; m < 65536; ++m) {
            std::size_t n = 0;
            while (n < bucket.size() && !std::exchange(used[cell_of(bucket[n], m)], 1)) ++n;
            move = static_cast<std::uint16_t>(m);
            if (n == bucket.size()) return true;
            for (; n > 0; --n) used[cell_of(bucket[n - 1], m)] = 0;
        }
        return false;
    }
    std::vector<std::uint16_t> m_moves; ///< of buckets
    std::uint64_t m_mask = 0;
    int m_shift = 62;
};

/// The features of an imported model and how rows give them. Immutable once `prepare` was called.
class imported_features {
public:
    std::vector<ranker_column> columns;
    std::vector<imported_key> keys;
    std::vector<imported_source> sources;

    /// Numbers the features: a source with more than 255 borders becomes several, each with a part of them.
    void prepare() {
        for (std::uint32_t s = 0; s < sources.size(); ++s) {
            auto& borders = sources[s].borders;
            std::sort(borders.begin(), borders.end());
            borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
            m_first.push_back(static_cast<std::uint32_t>(m_features.size()));
            for (std::size_t from = 0; from < borders.size(); from += max_borders)
                add(s, std::span<float const>(borders).subspan(from, std::min(max_borders, borders.size() - from)));
        }
        for (auto const& key : keys)
            for (auto const& c : key.conditions) m_conditions.push_back(question(c));
    }
    std::size_t size() const noexcept { return m_features.size(); }

    bin_question question(imported_question const& q) const {
        auto const& borders = sources[q.source].borders;
        auto const at = static_cast<std::size_t>(std::lower_bound(borders.begin(), borders.end(), q.border) - borders.begin());
        return {static_cast<std::uint32_t>(m_first[q.source] + at / max_borders), static_cast<std::uint8_t>(at % max_borders)};
    }

    /// The columns that a feature is made of. Of combinations those of categories, as CatBoost has it: not those that conditions ask.
    std::vector<std::uint32_t> columns_of(std::size_t f) const {
        auto const& source = sources[m_features[f].source];
        return source.what == imported_source::kind::cell ? keys[source.from].columns : std::vector<std::uint32_t>{source.from};
    }

    /// The bins of a block of rows, out[feature * block_rows + row].
    void bins(row_block const& rows, std::uint8_t* out, std::vector<std::uint32_t>& cells) const {
        for (std::size_t i = 0; i < m_features.size(); ++i)
            if (sources[m_features[i].source].what != imported_source::kind::cell) bins_of(m_features[i], rows, out + i * block_rows);
        if (keys.empty()) return;
        find_cells(rows, out, cells);
        for (std::size_t i = 0; i < m_features.size(); ++i) {
            auto const& f = m_features[i];
            if (sources[f.source].what != imported_source::kind::cell) continue;
            auto const* const cell = cells.data() + sources[f.source].from * block_rows;
            for (std::size_t r = 0; r < rows.n; ++r) out[i * block_rows + r] = f.of_cell[cell[r]];
        }
    }

private:
    struct feature {
        std::uint32_t source = 0;
        border_table table;
        std::vector<std::uint8_t> of_cell;
    };
    void add(std::uint32_t s, std::span<float const> borders) {
        auto& f = m_features.emplace_back(feature{s, border_table(borders), {}});
        for (auto const value : sources[s].of_cell) f.of_cell.push_back(f.table.bin(value));
    }
    void bins_of(feature const& f, row_block const& rows, std::uint8_t* out) const {
        auto const& s = sources[f.source];
        auto const& column = rows.columns[s.from];
        if (s.what == imported_source::kind::number)
            return f.table.bins_of([&, rule = s.rule](std::size_t r) { return imported_number(column.numbers[r], rule); }, rows.n, out);
        if (s.what == imported_source::kind::equals) {
            for (std::size_t r = 0; r < rows.n; ++r) out[r] = column.codes[r] == s.value;
            return;
        }
        for (std::size_t r = 0; r < rows.n; ++r) {
            auto const code = static_cast<std::uint32_t>(column.codes[r]); // what is below 0 is no member
            out[r] = code < s.members.size() ? 1 - s.members[code] : 1;
        }
    }
    /// The cells of all keys, cells[key * block_rows + row], with the bins of what their conditions ask. A part of a key at a time for all rows.
    void find_cells(row_block const& rows, std::uint8_t const* bins, std::vector<std::uint32_t>& cells) const {
        cells.resize(keys.size() * block_rows);
        auto const* condition = m_conditions.data();
        for (std::size_t k = 0; k < keys.size(); ++k) {
            std::uint64_t hash[block_rows] = {};
            for (auto const c : keys[k].columns)
                for (std::size_t r = 0; r < rows.n; ++r)
                    hash[r] = imported_key::factor * hash[r] +
                              imported_key::square * static_cast<std::uint64_t>(std::int64_t{rows.columns[c].codes[r]});
            for (std::size_t i = 0; i < keys[k].conditions.size(); ++i, ++condition) {
                auto const* const of = bins + condition->feature * block_rows;
                for (std::size_t r = 0; r < rows.n; ++r)
                    hash[r] = imported_key::factor * hash[r] + (of[r] > condition->threshold ? imported_key::square : 0);
            }
            for (std::size_t r = 0; r < rows.n; ++r) cells[k * block_rows + r] = keys[k].find(hash[r]);
        }
    }

    std::vector<feature> m_features;
    std::vector<std::uint32_t> m_first;     ///< feature of each source
    std::vector<bin_question> m_conditions; ///< of all keys
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
