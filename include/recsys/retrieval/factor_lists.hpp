// SPDX-License-Identifier: MIT
// Lists from rows of factors: by an index where that pays, else pair by pair.
#ifndef RECSYS_RETRIEVAL_FACTOR_LISTS_HPP
#define RECSYS_RETRIEVAL_FACTOR_LISTS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/types.hpp>
#include <recsys/data/item_set.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/top_k.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Some lists one after another.
template <class Entry> struct list_rows {
    std::vector<std::size_t> ends;
    std::vector<Entry> items;

    template <class Score> void add(std::span<ranked_index<Score> const> best) {
        std::size_t const first = items.size();
        items.resize(first + best.size());
        for (std::size_t i = 0; i < best.size(); ++i) {
            auto& [index, score] = items[first + i];
            index = static_cast<std::remove_reference_t<decltype(index)>>(best[i].index);
            score = static_cast<float>(best[i].score);
        }
        ends.push_back(items.size());
    }
    void add(list_rows const& more) {
        std::size_t const before = items.size();
        for (auto const end : more.ends) ends.push_back(before + end);
        items.insert(items.end(), more.items.begin(), more.items.end());
    }
};

/// All lists of some parts, which give their memory back one by one.
template <class Entry> list_rows<Entry> joined(std::vector<list_rows<Entry>> parts) {
    list_rows<Entry> out;
    std::size_t n_lists = 0, n_items = 0;
    for (auto const& part : parts) n_lists += part.ends.size(), n_items += part.items.size();
    out.ends.reserve(n_lists), out.items.reserve(n_items);
    for (auto& part : parts) out.add(std::exchange(part, {}));
    return out;
}

/// For fewer lists than these the rows are read in place: making an index costs as much as some 30 lists without one.
inline constexpr std::size_t least_lists_for_an_index = 32;

/// Subjects of a chunk of work: their best lists are kept in memory together.
inline std::size_t subjects_at_once(std::size_t k, std::size_t n, std::size_t n_workers) noexcept {
    std::size_t const most = std::max<std::size_t>(1, 262144 / (k + 1)), fair = std::max<std::size_t>(12, n / (4 * n_workers) / 12 * 12);
    return std::min({std::size_t{96}, most, fair});
}

/// The items below n_items for which keep(item) holds.
template <class Keep> std::vector<std::uint32_t> kept_items(std::size_t n_items, item_set const* among, Keep const& keep) {
    std::vector<std::uint32_t> out;
    auto const add = [&](item_index item) {
        if (keep(item)) out.push_back(static_cast<std::uint32_t>(item));
    };
    if (!among)
        for (std::size_t i = 0; i < n_items; ++i) add(static_cast<item_index>(i));
    else
        for (auto const item : among->items())
            if (to_size(item) < n_items) add(item);
    return out;
}

/// The best k items of each subject, pair by pair, a block of items at a time.
/// @param is_wanted  (subject's number, item)
/// @param take       (best), once a subject in their order
template <class Scalar, class Wanted, class Refuse, class Take>
void best_of_pairs(factor_pairs<Scalar> const& pairs, std::span<factor_subject<Scalar> const> subjects, std::size_t k,
                   item_set const* among, Wanted const& is_wanted, Refuse const& refuse, Take const& take) {
    auto const some = among ? among->items() : std::span<item_index const>();
    std::size_t const n_items = pairs.items().n_rows, step = pairs.items_at_once();
    std::size_t n = n_items;
    if (among) // what is past the end is of no account
        n = static_cast<std::size_t>(std::partition_point(some.begin(), some.end(), [&](item_index i) { return to_size(i) < n_items; }) -
                                     some.begin());
    std::vector<top_k<Scalar>> best(subjects.size());
    for (auto& one : best) one.start(k);
    for (std::size_t first = 0; first < n; first += step)
        for (std::size_t s = 0; s < subjects.size(); ++s) {
            if (!subjects[s].row) continue;
            auto const item_at = [&](std::size_t j) { return among ? to_size(some[first + j]) : first + j; };
            pairs.each(subjects[s], std::min(step, n - first), item_at, [&](std::size_t j, Scalar score) {
                offer(
                    best[s], score, static_cast<std::uint32_t>(item_at(j)), [&](std::uint32_t i) { return is_wanted(s, i); },
                    [&](std::uint32_t i) { refuse(s, i); });
            });
        }
    for (auto& one : best) take(one.finish());
}

/// What some users have seen, for many quick questions: most items of most users are told by one bit.
class seen_rows {
public:
    template <class Seen> void start(std::span<user_index const> users, Seen const& seen) {
        m_items.clear(), m_ends.clear();
        m_bits.assign(users.size() * words, 0);
        for (std::size_t u = 0; u < users.size(); ++u) {
            auto const& row = seen.seen(users[u]); // may be returned by value
            for (item_index const item : std::span<item_index const>(row)) {
                m_items.push_back(item);
                m_bits[u * words + word_of(item)] |= bit_of(item);
            }
            m_ends.push_back(m_items.size());
        }
    }
    bool contains(std::size_t u, item_index item) const noexcept {
        if ((m_bits[u * words + word_of(item)] & bit_of(item)) == 0) return false;
        auto const at = [&](std::size_t i) { return m_items.begin() + static_cast<std::ptrdiff_t>(i); };
        return std::binary_search(at(u == 0 ? 0 : m_ends[u - 1]), at(m_ends[u]), item);
    }

private:
    static constexpr std::size_t words = 64; // of 64 bits: 512 bytes a user
    static std::size_t word_of(item_index item) noexcept { return to_size(item) / 64 % words; }
    static std::uint64_t bit_of(item_index item) noexcept { return std::uint64_t{1} << to_size(item) % 64; }

    std::vector<item_index> m_items;
    std::vector<std::size_t> m_ends;
    std::vector<std::uint64_t> m_bits;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
