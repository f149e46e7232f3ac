// SPDX-License-Identifier: MIT
// Growing one oblivious tree: the same split for all leaves of a level, rows regrouped by leaf, the smaller child counted, its sibling by subtraction.
#ifndef RECSYS_RANKER_OBLIVIOUS_TREE_HPP
#define RECSYS_RANKER_OBLIVIOUS_TREE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/hash.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/team.hpp>
#include <recsys/ranker/histogram.hpp>
#include <recsys/ranker/monotone.hpp>
#include <recsys/ranker/packed_rows.hpp>
#include <recsys/ranker/split_search.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Rows whose bin of the feature is above the threshold go right: their bit of the level is set in the number of their leaf.
struct tree_split {
    std::uint32_t feature = 0, threshold = 0;
    float gain = 0; ///< what it adds to the score of the tree
};

/// Which splits a tree may take, and how they are drawn.
struct split_rules {
    std::span<char const> allowed;       ///< a flag for each feature
    std::span<monotone const> direction; ///< of each feature; empty = all free
    float noise = 0;                     ///< standard deviation of what is added to the best score of each feature of a level
    std::uint64_t key = 0;               ///< of the tree: from it the noise follows

    int sign(std::size_t feature) const noexcept { return direction.empty() ? 0 : static_cast<int>(direction[feature]); }
    float drawn(std::size_t level, std::size_t feature) const {
        return noise > 0 ? noise * static_cast<float>(random_stream(key, hash_join(level + 2, feature)).normal()) : 0.f;
    }
};

/// Grows trees over records; keeps its memory from tree to tree. Not safe for several callers at once.
///
/// Records of a leaf are neighbours. Their order within a leaf follows from the splits alone, and sums are integers: the tree does not depend on
/// the number of threads.
class tree_grower {
    static constexpr std::size_t piece_rows = std::size_t{1} << 15; ///< what a worker takes at a time

public:
    tree_grower(packed_layout const& layout, std::size_t max_rows, std::size_t depth, team& workers)
        : m_layout(layout),
          m_workers(workers),
          m_depth(depth),
          m_current(layout.n_blocks() * max_rows),
          m_next(depth > 1 ? layout.n_blocks() * max_rows : 0),
          m_max_rows(max_rows),
          m_scratch(workers.size()) {
        if (layout.n_blocks() > 1) m_sides = buffer<std::uint8_t>(max_rows);
    }

    /// Where the records of a block go before `grow`.
    row_record* records(std::size_t block) noexcept { return m_current.data() + block * m_max_rows; }

    /// The splits of a tree over the first n_rows records, at most `depth`: fewer where no split makes the score better.
    std::vector<tree_split> grow(std::size_t n_rows, fixed_scale const& scale, split_rules const& rules) {
        auto const allowed = rules.allowed;
        std::vector<tree_split> splits;
        m_leaves.assign(1, {0, n_rows, new_histogram(0)});
        m_used_blocks.clear();
        for (std::uint32_t b = 0; b < m_layout.n_blocks(); ++b)
            for (std::size_t f = 0; f < allowed.size(); ++f)
                if (allowed[f] && m_layout.fields()[f].block == b) {
                    m_used_blocks.push_back(b);
                    break;
                }
        std::vector<std::size_t> root{0};
        count_leaves(root);
        for (;;) {
            auto const split = best_split(scale, rules, splits.size());
            if (!split) return splits;
            splits.push_back(*split);
            if (splits.size() == m_depth) return splits;
            divide(m_layout.fields()[split->feature], split->threshold);
        }
    }

private:
    struct leaf {
        std::size_t first = 0, last = 0; ///< its records
        packed_sum* histogram = nullptr;
        std::size_t size() const noexcept { return last - first; }
    };
    /// Consecutive records of a leaf and where they go; records of the right side are laid from the end backwards.
    struct piece {
        std::size_t leaf, first, last, left = 0, right = 0;
    };

    packed_sum* new_histogram(std::size_t number) {
        while (m_histograms.size() <= number) m_histograms.emplace_back(m_layout.n_blocks() * block_slots);
        return m_histograms[number].data();
    }
    /// Leaves in pieces that do not depend on the number of workers, unless there is one: then a leaf is a piece.
    std::vector<piece> pieces_of(std::span<std::size_t const> leaves) const {
        std::vector<piece> out;
        for (auto const l : leaves) {
            auto const& of = m_leaves[l];
            std::size_t const step = m_workers.size() == 1 ? std::max<std::size_t>(of.size(), 1) : piece_rows;
            for (std::size_t first = of.first; first < of.last; first += step) out.push_back({l, first, std::min(of.last, first + step)});
        }
        return out;
    }

    // --- histograms ---------------------------------------------------------------------------------

    /// Fills the histograms of these leaves from their records.
    void count_leaves(std::span<std::size_t const> leaves) {
        for (auto const l : leaves)
            for (auto const b : m_used_blocks) std::fill_n(m_leaves[l].histogram + b * block_slots, block_slots, packed_sum{0});
        auto const pieces = pieces_of(leaves);
        m_workers.run(pieces.size() * m_used_blocks.size(), [&](std::size_t task, std::size_t worker) {
            auto const& p = pieces[task / m_used_blocks.size()];
            std::size_t const b = m_used_blocks[task % m_used_blocks.size()];
            auto const& of = m_leaves[p.leaf];
            auto const add = adder_for(m_layout.used_bytes(b));
            auto* const whole = of.histogram + b * block_slots;
            if (p.last - p.first == of.size()) return add(records(b) + p.first, p.last - p.first, whole);
            auto& scratch = m_scratch[worker];
            if (scratch.empty()) scratch = buffer<packed_sum>(block_slots);
            std::fill_n(scratch.data(), block_slots, packed_sum{0});
            add(records(b) + p.first, p.last - p.first, scratch.data());
            std::lock_guard const lock(m_mutex);
            for (std::size_t i = 0; i < block_slots; ++i) whole[i] += scratch[i];
        });
    }
    /// larger = parent - smaller, in place of the parent.
    void subtract(packed_sum* parent, packed_sum const* smaller) const noexcept {
        for (auto const b : m_used_blocks) {
            auto* __restrict const to = parent + b * block_slots;
            auto const* __restrict const from = smaller + b * block_slots;
            for (std::size_t i = 0, n = m_layout.used_bytes(b) * bin_slots; i < n; i += 16)
                for (std::size_t k = i; k < i + 16; ++k) to[k] -= from[k];
        }
    }

    // --- the best split -----------------------------------------------------------------------------

    std::optional<tree_split> best_split(fixed_scale const& scale, split_rules const& rules, std::size_t level) {
        auto const allowed = rules.allowed;
        auto const fields = m_layout.fields();
        m_found.resize(fields.size());
        m_workers.run(m_workers.size() == 1 ? 1 : fields.size(), [&](std::size_t task, std::size_t) {
            std::vector<packed_sum const*> leaves;
            bool const all = m_workers.size() == 1;
            for (std::size_t f = all ? 0 : task; f < (all ? fields.size() : task + 1); ++f) {
                if (!allowed[f]) continue;
                leaves.clear();
                for (auto const& l : m_leaves)
                    if (l.size() > 0) leaves.push_back(l.histogram + fields[f].block * block_slots);
                m_found[f] = find_threshold(fields[f], leaves, scale, rules.sign(f));
            }
        });
        std::optional<tree_split> best;
        float score = 0;
        for (std::size_t f = 0; f < fields.size(); ++f) {
            auto const& found = m_found[f];
            // A gain below the rounding of its own sums is none.
            if (!allowed[f] || !(found.score > found.none + 1e-5f * std::abs(found.none))) continue;
            float const drawn = found.score + rules.drawn(level, f);
            if (best && !(drawn > score)) continue;
            score = drawn;
            best = tree_split{static_cast<std::uint32_t>(f), found.threshold, found.score - found.none};
        }
        return best;
    }

    // --- regrouping ---------------------------------------------------------------------------------

    /// Doubles the leaves: rows of leaf i that go right become leaf i + n.
    void divide(packed_field const& field, std::uint32_t threshold) {
        std::size_t const n = m_leaves.size();
        auto const above = static_cast<std::uint8_t>(threshold << field.shift);
        auto const left_ends = regroup(field, above);
        std::swap(m_current, m_next);
        std::vector<std::size_t> smaller;
        m_leaves.resize(2 * n);
        for (std::size_t i = 0; i < n; ++i) {
            auto& left = m_leaves[i];
            auto& right = m_leaves[i + n];
            right = {left_ends[i], left.last, left.histogram};
            left.last = left_ends[i];
            // The larger child takes the parent's histogram over, the smaller one is counted in a new one.
            auto& fewer = right.size() <= left.size() ? right : left;
            fewer.histogram = new_histogram(i + n);
            smaller.push_back(right.size() <= left.size() ? i + n : i);
        }
        count_leaves(smaller);
        m_workers.run(m_workers.size() == 1 ? 1 : n, [&](std::size_t task, std::size_t) {
            bool const all = m_workers.size() == 1;
            for (std::size_t i = all ? 0 : task; i < (all ? n : task + 1); ++i) {
                std::size_t const fewer = smaller[i], more = fewer == i ? i + n : i;
                if (m_leaves[fewer].size() > 0) subtract(m_leaves[more].histogram, m_leaves[fewer].histogram);
            }
        });
    }

    /// Moves all records; gives the end of the left side of every leaf.
    std::vector<std::size_t> regroup(packed_field const& field, std::uint8_t above) {
        std::vector<std::size_t> all(m_leaves.size()), left_ends(m_leaves.size());
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = i, left_ends[i] = m_leaves[i].first;
        auto pieces = pieces_of(all);
        bool const one_block = m_layout.n_blocks() == 1;
        auto const goes_right = [&](std::size_t i) { return (records(field.block)[i].bins[field.byte] & field.mask) > above; };
        std::vector<std::size_t> rights(pieces.size());
        if (!one_block || m_workers.size() > 1)
            m_workers.run(pieces.size(), [&](std::size_t task, std::size_t) {
                std::size_t right = 0;
                auto const& p = pieces[task];
                for (std::size_t i = p.first; i < p.last; ++i) {
                    bool const side = goes_right(i);
                    right += side;
                    if (!one_block) m_sides[i] = side;
                }
                rights[task] = right;
            });
        for (std::size_t k = 0; k < pieces.size(); ++k) {
            auto& p = pieces[k];
            bool const first = k == 0 || pieces[k - 1].leaf != p.leaf;
            auto const& before = pieces[first ? k : k - 1];
            p.left = first ? p.first : before.left + (before.last - before.first - rights[k - 1]);
            p.right = first ? m_leaves[p.leaf].last : before.right - rights[k - 1];
        }
        std::vector<std::size_t> ends(pieces.size());
        m_workers.run(pieces.size() * m_layout.n_blocks(), [&](std::size_t task, std::size_t) {
            std::size_t const k = task / m_layout.n_blocks(), b = task % m_layout.n_blocks();
            auto const* const from = records(b);
            auto* const to = m_next.data() + b * m_max_rows;
            if (one_block)
                ends[k] = move_records(from, to, pieces[k], [&](std::size_t i) { return (from[i].bins[field.byte] & field.mask) > above; });
            else {
                std::size_t const end = move_records(from, to, pieces[k], [&](std::size_t i) { return m_sides[i] != 0; });
                if (b == 0) ends[k] = end;
            }
        });
        for (std::size_t k = 0; k < pieces.size(); ++k) left_ends[pieces[k].leaf] = ends[k];
        return left_ends;
    }
    template <class Test>
    static std::size_t move_records(row_record const* from, row_record* to, piece const& p, Test const& goes_right) noexcept {
        std::size_t left = p.left, right = p.right - 1;
        for (std::size_t i = p.first; i < p.last; ++i) {
            bool const side = goes_right(i);
            to[side ? right : left] = from[i];
            left += !side, right -= side;
        }
        return left;
    }

    packed_layout const& m_layout;
    team& m_workers;
    std::size_t m_depth;
    buffer<row_record> m_current, m_next;
    std::size_t m_max_rows;
    buffer<std::uint8_t> m_sides;
    std::vector<buffer<packed_sum>> m_histograms, m_scratch;
    std::mutex m_mutex;
    std::vector<leaf> m_leaves;
    std::vector<std::uint32_t> m_used_blocks;
    std::vector<best_threshold> m_found;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
