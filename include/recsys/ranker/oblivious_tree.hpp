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
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select_rows.hpp>
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
    std::span<char const> allowed;               ///< a flag for each feature
    std::span<monotone const> direction;         ///< of each feature; empty = all free
    float noise = 0;                             ///< standard deviation of what is added to the best score of each feature of a level
    std::uint64_t key = 0;                       ///< of the tree: from it the noise follows
    std::span<std::uint32_t const> draw_of = {}; ///< of each feature: those of one number draw the same noise; empty = each its own

    int sign(std::size_t feature) const noexcept { return direction.empty() ? 0 : static_cast<int>(direction[feature]); }
    std::size_t draw(std::size_t feature) const noexcept { return draw_of.empty() ? feature : draw_of[feature]; }
    float drawn(std::size_t level, std::size_t feature) const {
        return noise > 0 ? noise * static_cast<float>(random_stream(key, hash_join(level + 2, draw(feature))).normal()) : 0.f;
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
        : m_layout(layout), m_workers(workers), m_depth(depth), m_scratch(workers.size()) {
        for (std::size_t b = 0; b < layout.n_blocks(); ++b) {
            m_first_record.push_back(m_bytes), m_first_slot.push_back(m_slots);
            m_bytes += layout.record_size(b) * max_rows;
            m_slots += layout.used_bytes(b) * bin_slots;
        }
        m_current = buffer<std::uint8_t>(m_bytes);
        if (depth > 1) m_next = buffer<std::uint8_t>(m_bytes);
        if (layout.n_blocks() > 1) m_sides = buffer<std::int8_t>(max_rows);
    }

    /// Where the records of a block go before `grow`.
    std::uint8_t* records(std::size_t block) noexcept { return m_current.data() + m_first_record[block]; }

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
        while (m_histograms.size() <= number) m_histograms.emplace_back(m_slots);
        return m_histograms[number].data();
    }
    std::size_t slots_of(std::size_t block) const noexcept { return m_layout.used_bytes(block) * bin_slots; }
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
            for (auto const b : m_used_blocks) std::fill_n(m_leaves[l].histogram + m_first_slot[b], slots_of(b), packed_sum{0});
        auto const pieces = pieces_of(leaves);
        m_workers.run(pieces.size() * m_used_blocks.size(), [&](std::size_t task, std::size_t worker) {
            auto const& p = pieces[task / m_used_blocks.size()];
            std::size_t const b = m_used_blocks[task % m_used_blocks.size()];
            auto const& of = m_leaves[p.leaf];
            auto const add = adder_for(m_layout.used_bytes(b));
            auto* const whole = of.histogram + m_first_slot[b];
            auto const* const from = records(b) + p.first * m_layout.record_size(b);
            if (p.last - p.first == of.size()) return add(from, p.last - p.first, whole);
            auto& scratch = m_scratch[worker];
            if (scratch.empty()) scratch = buffer<packed_sum>(most_record_bins * bin_slots);
            std::fill_n(scratch.data(), slots_of(b), packed_sum{0});
            add(from, p.last - p.first, scratch.data());
            std::lock_guard const lock(m_mutex);
            for (std::size_t i = 0; i < slots_of(b); ++i) whole[i] += scratch[i];
        });
    }
    /// larger = parent - smaller, in place of the parent.
    void subtract(packed_sum* parent, packed_sum const* smaller) const noexcept {
        for (auto const b : m_used_blocks) {
            auto* __restrict const to = parent + m_first_slot[b];
            auto const* __restrict const from = smaller + m_first_slot[b];
            for (std::size_t i = 0, n = slots_of(b); i < n; i += 16)
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
                    if (l.size() > 0) leaves.push_back(l.histogram + m_first_slot[fields[f].block]);
                m_found[f] = find_threshold(fields[f], leaves, scale, rules.sign(f), m_kernels);
            }
        });
        std::optional<tree_split> best;
        float score = 0, plain = 0; // with noise and without
        for (std::size_t f = 0; f < fields.size(); ++f) {
            auto const& found = m_found[f];
            // A gain below the rounding of its own sums is none.
            if (!allowed[f] || !(found.score > found.none + 1e-5f * std::abs(found.none))) continue;
            float const drawn = found.score + rules.drawn(level, f);
            bool const of_one = best && rules.draw(best->feature) == rules.draw(f); // noise may round their difference away
            if (best && !(of_one ? found.score > plain : drawn > score)) continue;
            score = drawn, plain = found.score;
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
        bin_test const test{field.byte, field.mask, above};
        std::vector<std::size_t> rights(pieces.size());
        // What the pieces of a leaf before this one move is not asked where there are none.
        auto const is_alone = [&](std::size_t k) { return pieces[k].last - pieces[k].first == m_leaves[pieces[k].leaf].size(); };
        if (!one_block || m_workers.size() > 1)
            m_workers.run(pieces.size(), [&](std::size_t task, std::size_t) {
                if (one_block && is_alone(task)) return;
                std::int64_t right = 0;
                auto const& p = pieces[task];
                std::size_t const size = m_layout.record_size(field.block);
                auto const* record = records(field.block) + p.first * size;
                for (std::size_t i = p.first; i < p.last; ++i, record += size) {
                    auto const side = test(record);
                    right += side & 1;
                    if (!one_block) m_sides[i] = static_cast<std::int8_t>(side);
                }
                rights[task] = static_cast<std::size_t>(right);
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
            std::size_t const end =
                one_block ? move_piece(b, pieces[k], test) : move_piece(b, pieces[k], known_side{m_sides.data() + pieces[k].first});
            if (b == 0) ends[k] = end;
        });
        for (std::size_t k = 0; k < pieces.size(); ++k) left_ends[pieces[k].leaf] = ends[k];
        return left_ends;
    }
    /// The end of the left side.
    template <class Test> std::size_t move_piece(std::size_t block, piece const& p, Test const& goes_right) noexcept {
        std::size_t const size = m_layout.record_size(block), n = p.last - p.first;
        auto const* const from = records(block) + p.first * size;
        auto* const to = m_next.data() + m_first_record[block];
        auto* const left = to + p.left * size;
        auto* const right = to + p.right * size;
        auto const move = size == 8    ? &move_records<8, Test>
                          : size == 16 ? &move_records<16, Test>
                          : size == 24 ? &move_records<24, Test>
                                       : &move_records<32, Test>;
        return static_cast<std::size_t>(move(from, n, left, right, goes_right) - to) / size;
    }

    packed_layout const& m_layout;
    row_table const m_kernels = row_kernels(active_simd_level());
    team& m_workers;
    std::size_t m_depth;
    std::vector<std::size_t> m_first_record; ///< of each block, in bytes
    std::vector<std::size_t> m_first_slot;   ///< of each block, in histograms
    std::size_t m_bytes = 0, m_slots = 0;    ///< of all blocks
    buffer<std::uint8_t> m_current, m_next;
    buffer<std::int8_t> m_sides;
    std::vector<buffer<packed_sum>> m_histograms, m_scratch;
    std::mutex m_mutex;
    std::vector<leaf> m_leaves;
    std::vector<std::uint32_t> m_used_blocks;
    std::vector<best_threshold> m_found;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
