// SPDX-License-Identifier: MIT
// Entries grouped by a key, stable and linear: what turns rows into a matrix and a matrix into its transpose.
#ifndef RECSYS_MATRIX_COUNTING_SORT_HPP
#define RECSYS_MATRIX_COUNTING_SORT_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/offsets.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// `count_offsets` by several threads. @throws data_error naming the first row whose key is not below n.
template <class Key>
buffer<std::int64_t> count_offsets(team& workers, std::span<Key const> keys, std::size_t n, std::string_view where, std::string_view what) {
    // Counts cost 8 bytes a key and chunk: never more than two bytes a row.
    std::size_t const n_chunks = std::clamp<std::size_t>(keys.size() / (4 * std::max<std::size_t>(n, 256)), 1, workers.size());
    if (n_chunks == 1) return count_offsets(keys, n, where, what);
    std::vector<buffer<std::int64_t>> counts(n_chunks);
    workers.run(n_chunks, [&](std::size_t chunk, std::size_t) {
        counts[chunk] = buffer<std::int64_t>(n, 0);
        for (std::size_t i = keys.size() * chunk / n_chunks; i < keys.size() * (chunk + 1) / n_chunks; ++i) {
            check_key(keys, i, n, where, what);
            ++counts[chunk][to_size(keys[i])];
        }
    });
    buffer<std::int64_t> out(n + 1);
    out[0] = 0;
    for (std::size_t key = 0; key < n; ++key) {
        out[key + 1] = out[key];
        for (auto const& of_chunk : counts) out[key + 1] += of_chunk[key];
    }
    return out;
}

/// A sparse matrix in the making, in either order.
template <class Minor, class Value> struct entries_by {
    buffer<std::int64_t> offsets;
    buffer<Minor> minor;
    buffer<Value> values;

    std::size_t first(std::size_t key) const noexcept { return static_cast<std::size_t>(offsets[key]); }
};

/// Consecutive keys, cut so that each group has about as many entries, more than `most` only where it is a single key. Their bounds.
inline std::vector<std::size_t> key_groups(buffer<std::int64_t> const& offsets, std::size_t most) {
    std::vector<std::size_t> bounds{0};
    for (std::size_t key = 0; key + 1 < offsets.size(); ++key)
        if (key > bounds.back() && static_cast<std::size_t>(offsets[key + 1] - offsets[bounds.back()]) > most) bounds.push_back(key);
    bounds.push_back(offsets.size() - 1);
    return bounds;
}

/// What one thread groups at a time: its entries pass through buckets of few keys, since a write to a place of its own for each of many
/// keys would miss the cache and the page table every time.
template <class Minor, class Value> struct key_buckets {
    static constexpr std::size_t n_buckets = 256;
    buffer<std::uint32_t> keys;
    buffer<Minor> minor;
    buffer<Value> values;
    buffer<std::int64_t> next;
    std::size_t ends[n_buckets] = {};

    void reserve(std::size_t n_entries, std::size_t n_keys) {
        if (keys.size() < n_entries)
            keys = buffer<std::uint32_t>(n_entries), minor = buffer<Minor>(n_entries), values = buffer<Value>(n_entries);
        if (next.size() < n_keys) next = buffer<std::int64_t>(n_keys);
    }
};

/// Groups entries by key; entries of one key keep their order, so that the result is the same for any number of threads.
///
/// @param offsets  of the keys, as `count_offsets` gives them.
/// @param scan     scan(first, last, sink) calls sink(key, minor, value) for each entry whose key is in [first, last), in order. It is called
///                 once for each of about eight groups a thread: reading everything again is cheaper than keeping a copy of it.
/// @param finish   finish(out, key, worker) after all entries of a key are in their places.
/// O(entries + keys); besides the result about 1/8 of it for all threads together.
template <class Minor, class Value, class Scan, class Finish>
entries_by<Minor, Value> group_by_key(team& workers, buffer<std::int64_t> offsets, Scan const& scan, Finish const& finish) {
    std::size_t const n_keys = offsets.size() - 1, n_entries = static_cast<std::size_t>(offsets[n_keys]);
    entries_by<Minor, Value> out{std::move(offsets), buffer<Minor>(n_entries), buffer<Value>(n_entries)};
    auto const groups = key_groups(out.offsets, std::max<std::size_t>(n_entries / (8 * workers.size()), 4096));
    std::vector<key_buckets<Minor, Value>> of_worker(workers.size());
    workers.run(groups.size() - 1, [&](std::size_t group, std::size_t worker) {
        std::size_t const first = groups[group], last = groups[group + 1], begin = out.first(first);
        auto& buckets = of_worker[worker];
        if (last - first == 1) {
            std::size_t at = begin;
            scan(first, last, [&](std::size_t, Minor minor, Value value) { out.minor[at] = minor, out.values[at] = value, ++at; });
            return finish(out, first, worker);
        }
        buckets.reserve(out.first(last) - begin, last - first);
        std::size_t shift = 0;
        while ((last - first - 1) >> shift >= buckets.n_buckets) ++shift;
        std::size_t const used = ((last - first - 1) >> shift) + 1;
        auto const first_of = [&](std::size_t bucket) { return std::min(last, first + (bucket << shift)); };
        for (std::size_t b = 0; b < used; ++b) buckets.ends[b] = out.first(first_of(b)) - begin;
        scan(first, last, [&](std::size_t key, Minor minor, Value value) {
            std::size_t const at = buckets.ends[(key - first) >> shift]++;
            buckets.keys[at] = static_cast<std::uint32_t>(key - first), buckets.minor[at] = minor, buckets.values[at] = value;
        });
        std::copy_n(out.offsets.data() + first, last - first, buckets.next.data());
        for (std::size_t b = 0, i = 0; b < used; ++b) {
            for (; i < buckets.ends[b]; ++i) {
                auto const at = static_cast<std::size_t>(buckets.next[buckets.keys[i]]++);
                out.minor[at] = buckets.minor[i], out.values[at] = buckets.values[i];
            }
            for (std::size_t key = first_of(b); key < first_of(b + 1); ++key) finish(out, key, worker);
        }
    });
    return out;
}

/// A sparse matrix in its other order: what was the major index rises within each of the new rows. O(entries + both sizes).
template <class Major, class Minor, class Value> entries_by<Major, Value> reorder(team& workers, std::span<std::int64_t const> offsets,
                                                                                  std::span<Minor const> minor,
                                                                                  std::span<Value const> values, std::size_t n_minor) {
    auto const scan = [&](std::size_t first, std::size_t last, auto const& sink) {
        for (std::size_t row = 0; row + 1 < offsets.size(); ++row)
            for (auto i = static_cast<std::size_t>(offsets[row]), end = static_cast<std::size_t>(offsets[row + 1]); i < end; ++i)
                if (to_size(minor[i]) - first < last - first) sink(to_size(minor[i]), static_cast<Major>(row), values[i]);
    };
    auto const no_finish = [](auto const&, std::size_t, std::size_t) {};
    return group_by_key<Major, Value>(workers, count_offsets(workers, minor, n_minor, "transpose", "index"), scan, no_finish);
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
