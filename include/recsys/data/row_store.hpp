// SPDX-License-Identifier: MIT
// Rows as they arrive, in chunks that never move, and their one sort by time into the columns of events.
#ifndef RECSYS_DATA_ROW_STORE_HPP
#define RECSYS_DATA_ROW_STORE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/events.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Grows by whole chunks: nothing is copied while rows arrive.
template <class Value> class chunked_column {
public:
    static constexpr std::size_t chunk_size = std::size_t{1} << 15;
    void push(Value value) {
        if (m_size % chunk_size == 0) m_chunks.emplace_back(chunk_size);
        m_chunks.back()[m_size++ % chunk_size] = value;
    }
    std::size_t size() const noexcept { return m_size; }
    Value operator[](std::size_t i) const noexcept { return m_chunks[i / chunk_size][i % chunk_size]; }

private:
    std::vector<buffer<Value>> m_chunks;
    std::size_t m_size = 0;
};

/// A weight column that costs nothing as long as every weight is 1.
class weight_column {
public:
    void push(float weight, std::size_t row) {
        if (m_values.size() == 0 && weight == 1.f) return;
        while (m_values.size() < row) m_values.push(1.f);
        m_values.push(weight);
    }
    bool empty() const noexcept { return m_values.size() == 0; }
    chunked_column<float> take() noexcept { return std::move(m_values); }

private:
    chunked_column<float> m_values;
};

/// Where each row goes when rows are put in the order of their times; rows of one bucket keep their order and are sorted afterwards.
///
/// Buckets are equal lengths of time between the first and the last row, so that rows spread evenly or on few days need no further
/// sorting to speak of: O(n). Times that crowd into one bucket cost O(n log n).
class time_buckets {
public:
    time_buckets(chunked_column<time_point> const& times, team& workers)
        : m_times(times), m_parts(part_count(times.size(), workers.size())) {
        find_range(workers);
        if (m_sorted) return;
        std::size_t const n = times.size();
        auto const spread =
            static_cast<std::uint64_t>(m_last.time_since_epoch().count()) - static_cast<std::uint64_t>(m_first.time_since_epoch().count());
        std::uint64_t const wanted = std::clamp<std::uint64_t>(n / 64, 1, std::uint64_t{1} << 14);
        m_width = spread / wanted + 1;
        m_buckets = static_cast<std::size_t>(spread / m_width) + 1;
        count(workers);
    }

    bool sorted() const noexcept { return m_sorted; }
    std::size_t n_parts() const noexcept { return m_parts; }
    std::size_t n_buckets() const noexcept { return m_buckets; }
    std::size_t first_row(std::size_t part) const noexcept {
        return m_times.size() / m_parts * part + std::min(part, m_times.size() % m_parts);
    }
    std::size_t bucket(std::size_t row) const noexcept {
        return static_cast<std::size_t>((static_cast<std::uint64_t>(m_times[row].time_since_epoch().count()) -
                                         static_cast<std::uint64_t>(m_first.time_since_epoch().count())) /
                                        m_width);
    }
    /// Where the rows of a part go: one running position a bucket.
    std::vector<std::size_t> positions(std::size_t part) const {
        auto const first = m_starts.begin() + static_cast<std::ptrdiff_t>(part * m_buckets);
        return std::vector<std::size_t>(first, first + static_cast<std::ptrdiff_t>(m_buckets));
    }
    /// The first row of a bucket, sorted.
    std::size_t bucket_start(std::size_t bucket) const noexcept { return bucket == m_buckets ? m_times.size() : m_starts[bucket]; }

private:
    static std::size_t part_count(std::size_t n, std::size_t workers) { return std::clamp<std::size_t>(n / 65536, 1, workers * 2); }

    void find_range(team& workers) {
        struct range {
            time_point first, last;
            bool sorted = true;
        };
        std::vector<range> parts(m_parts);
        workers.run(m_parts, [&](std::size_t part, std::size_t) {
            std::size_t const begin = first_row(part), end = first_row(part + 1);
            range r{m_times[begin], m_times[begin], begin == 0 || m_times[begin - 1] <= m_times[begin]};
            for (std::size_t i = begin + 1; i < end; ++i) {
                auto const t = m_times[i];
                r.sorted = r.sorted && m_times[i - 1] <= t;
                r.first = std::min(r.first, t), r.last = std::max(r.last, t);
            }
            parts[part] = r;
        });
        m_first = parts[0].first, m_last = parts[0].last, m_sorted = true;
        for (auto const& r : parts)
            m_first = std::min(m_first, r.first), m_last = std::max(m_last, r.last), m_sorted = m_sorted && r.sorted;
    }
    void count(team& workers) {
        m_starts.assign(m_parts * m_buckets, 0);
        workers.run(m_parts, [&](std::size_t part, std::size_t) {
            auto* const counts = m_starts.data() + part * m_buckets;
            for (std::size_t i = first_row(part), end = first_row(part + 1); i < end; ++i) ++counts[bucket(i)];
        });
        std::size_t at = 0;
        for (std::size_t b = 0; b < m_buckets; ++b)
            for (std::size_t part = 0; part < m_parts; ++part) at += std::exchange(m_starts[part * m_buckets + b], at);
    }

    chunked_column<time_point> const& m_times;
    std::size_t m_parts, m_buckets = 0;
    std::uint64_t m_width = 1;
    time_point m_first, m_last;
    bool m_sorted = true;
    std::vector<std::size_t> m_starts; // n_parts x n_buckets
};

/// Collects indices, weights and times; `finish` sorts once by time, stably.
class row_store {
public:
    explicit row_store(bool dated) noexcept : m_dated(dated) {}

    void push(std::uint32_t user, std::uint32_t item, float weight, time_point time) {
        m_weights.push(weight, size());
        m_users.push(user), m_items.push(item);
        if (m_dated) m_times.push(time);
    }
    std::size_t size() const noexcept { return m_items.size(); }

    /// The columns in time order, in input order where there are no times. @param user_rank, item_rank  new index of each old one; empty = the same.
    event_columns finish(std::span<std::uint32_t const> user_rank, std::span<std::uint32_t const> item_rank, team& workers) && {
        event_columns out;
        if (size() == 0) return out;
        std::optional<time_buckets> buckets;
        if (m_dated) buckets.emplace(m_times, workers);
        time_buckets const* const order = buckets && !buckets->sorted() ? &*buckets : nullptr;
        auto const index = [](std::span<std::uint32_t const> rank) {
            return [rank](std::uint32_t code) { return rank.empty() ? code : rank[code]; };
        };
        // One column after the other, each freed as soon as it is placed; only the times stay, they say where rows go.
        auto users = place<user_index>(std::exchange(m_users, {}), order, workers,
                                       [f = index(user_rank)](std::uint32_t c) { return static_cast<user_index>(f(c)); });
        auto items = place<item_index>(std::exchange(m_items, {}), order, workers,
                                       [f = index(item_rank)](std::uint32_t c) { return static_cast<item_index>(f(c)); });
        buffer<float> weights;
        if (!m_weights.empty()) weights = place<float>(m_weights.take(), order, workers, [](float w) { return w; });
        buffer<time_point> times;
        if (m_dated) times = place<time_point>(m_times, order, workers, [](time_point t) { return t; });
        if (order) sort_buckets(*order, users, items, weights, times, workers);
        out.users = std::move(users), out.items = std::move(items), out.weights = std::move(weights), out.times = std::move(times);
        return out;
    }

private:
    template <class Out, class In, class Function>
    static buffer<Out> place(chunked_column<In> const& from, time_buckets const* order, team& workers, Function const& convert) {
        buffer<Out> to(from.size());
        if (!order) {
            workers.blocks(from.size(), chunked_column<In>::chunk_size, [&](std::size_t first, std::size_t last, std::size_t) {
                for (std::size_t i = first; i < last; ++i) to[i] = convert(from[i]);
            });
            return to;
        }
        workers.run(order->n_parts(), [&](std::size_t part, std::size_t) {
            auto at = order->positions(part);
            for (std::size_t i = order->first_row(part), end = order->first_row(part + 1); i < end; ++i)
                to[at[order->bucket(i)]++] = convert(from[i]);
        });
        return to;
    }

    struct record {
        time_point time;
        user_index user;
        item_index item;
        float weight;
    };
    static void sort_buckets(time_buckets const& order, buffer<user_index>& users, buffer<item_index>& items, buffer<float>& weights,
                             buffer<time_point>& times, team& workers) {
        workers.blocks(order.n_buckets(), 16, [&](std::size_t first, std::size_t last, std::size_t) {
            std::vector<record> rows;
            for (std::size_t b = first; b < last; ++b) {
                std::size_t const begin = order.bucket_start(b), end = order.bucket_start(b + 1);
                if (std::is_sorted(times.data() + begin, times.data() + end)) continue;
                rows.clear();
                for (std::size_t i = begin; i < end; ++i)
                    rows.push_back({times[i], users[i], items[i], weights.empty() ? 1.f : weights[i]});
                std::stable_sort(rows.begin(), rows.end(), [](record const& a, record const& b2) { return a.time < b2.time; });
                for (std::size_t i = begin; i < end; ++i) {
                    auto const& r = rows[i - begin];
                    times[i] = r.time, users[i] = r.user, items[i] = r.item;
                    if (!weights.empty()) weights[i] = r.weight;
                }
            }
        });
    }

    bool m_dated;
    chunked_column<std::uint32_t> m_users, m_items;
    weight_column m_weights;
    chunked_column<time_point> m_times;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
