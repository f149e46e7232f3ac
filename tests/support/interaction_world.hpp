// SPDX-License-Identifier: MIT
// Large listening logs in which better models score better, a block of users at a time: linear in time and memory up to 100 M events and more.
//
// Three ingredients: items have a popularity with a heavy head and a long tail; every user mixes a few of 48 topics, each of which weighs the
// items anew, so that factors beat popularity; and a quarter of the events are one of four fixed companions of an item that the user took
// before, so that more factors beat fewer. Activity is log-normal. Each pair comes once, with a play count; a fifth of each user's pairs,
// drawn at random, is held out as test. A user's rows depend on the shape and his number alone: the same for any number of threads.
#ifndef RECSYS_TESTS_INTERACTION_WORLD_HPP
#define RECSYS_TESTS_INTERACTION_WORLD_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <recsys_under_test.hpp>

namespace interaction_world {

struct shape {
    std::size_t n_users = 20000, n_items = 10000, n_events = 1000000;
    std::uint64_t seed = 7;
};

inline constexpr std::size_t n_topics = 48, n_companions = 4, least_of_user = 8;
inline constexpr double popularity_exponent = 0.9, taste_spread = 3, topic_share = 0.06, companion_share = 0.25, activity_spread = 0.9,
                        test_share = 0.2;

/// Draws numbers by weight in constant time. Source: Walker's alias method, built as by Vose (1991).
class weighted_draw {
public:
    weighted_draw() = default;
    explicit weighted_draw(std::span<double const> weights) : m_slots(weights.size()) {
        double total = 0;
        for (auto const w : weights) total += w;
        std::vector<double> rest(weights.size());
        std::vector<std::uint32_t> poor, rich;
        for (std::size_t i = 0; i < rest.size(); ++i) {
            rest[i] = weights[i] / total * static_cast<double>(rest.size());
            (rest[i] < 1 ? poor : rich).push_back(static_cast<std::uint32_t>(i));
        }
        while (!poor.empty() && !rich.empty()) {
            auto const less = poor.back(), more = rich.back();
            poor.pop_back();
            m_slots[less] = {static_cast<float>(rest[less]), more};
            rest[more] -= 1 - rest[less];
            if (rest[more] < 1) rich.pop_back(), poor.push_back(more);
        }
        for (auto const left : {std::span<std::uint32_t const>(poor), std::span<std::uint32_t const>(rich)})
            for (auto const i : left) m_slots[i] = {1, i};
    }

    std::uint32_t operator()(recsys::random_stream& random) const {
        double const at = random.uniform() * static_cast<double>(m_slots.size());
        auto const i = static_cast<std::uint32_t>(at);
        return at - i < static_cast<double>(m_slots[i].share) ? i : m_slots[i].other;
    }

private:
    struct slot {
        float share = 1;
        std::uint32_t other = 0;
    };
    std::vector<slot> m_slots;
};

/// Rows of consecutive users: items rise within a row.
struct rows {
    std::vector<std::int64_t> ends; ///< for each user where the row ends
    std::vector<std::int32_t> items;
    std::vector<float> counts; ///< 1, 2, 3 ... with probability 1/2, 1/4, 1/8 ...
};
struct block {
    rows train, test;
};

class world {
public:
    /// Work that is worth doing at a time, and memory: some 2 MB of rows at 100 events a user.
    static constexpr std::size_t block_users = 2048;

    /// O(topics x items).
    world(shape const& s, recsys::detail::team& workers) : m_shape(s), m_topics(n_topics), m_companions(s.n_items * n_companions) {
        auto const popularity = make_popularity();
        weighted_draw const by_popularity(popularity);
        auto random = stream(1);
        for (auto& item : m_companions) item = by_popularity(random);
        workers.run(n_topics, [&](std::size_t topic, std::size_t) { m_topics[topic] = make_topic(popularity, topic); });
    }

    shape const& of() const noexcept { return m_shape; }
    std::size_t n_blocks() const noexcept { return (m_shape.n_users + block_users - 1) / block_users; }
    std::span<std::uint32_t const> companions(std::size_t item) const {
        return std::span(m_companions).subspan(item * n_companions, n_companions);
    }

    /// The users from number * block_users on.
    block make(std::size_t number) const {
        block out;
        std::vector<std::uint32_t> owner(m_shape.n_items, 0); // the last user of the block, from 1, that took the item
        std::size_t const first = number * block_users, last = std::min(m_shape.n_users, first + block_users);
        for (std::size_t user = first; user < last; ++user) add_user(user, static_cast<std::uint32_t>(user - first + 1), owner, out);
        return out;
    }

private:
    using pair = std::pair<std::uint32_t, float>; // item, count

    /// Streams past the last user's: of the world as a whole.
    recsys::random_stream stream(std::uint64_t number) const {
        return recsys::random_stream(m_shape.seed, (std::uint64_t{1} << 40) + number);
    }

    /// Zipf-Mandelbrot weights, in random order.
    std::vector<double> make_popularity() const {
        std::vector<double> out(m_shape.n_items);
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = recsys::detail::portable_exp(-popularity_exponent * recsys::detail::portable_log(static_cast<double>(i) + 11));
        auto random = stream(0);
        random.shuffle(out);
        return out;
    }
    weighted_draw make_topic(std::vector<double> weights, std::size_t topic) const {
        auto random = stream(2 + topic);
        for (auto& w : weights) w *= recsys::detail::portable_exp(taste_spread * random.normal());
        return weighted_draw(weights);
    }

    std::size_t draw_target(recsys::random_stream& random) const {
        double const mean = static_cast<double>(m_shape.n_events) / static_cast<double>(m_shape.n_users);
        double const activity = recsys::detail::portable_exp(activity_spread * random.normal() - activity_spread * activity_spread / 2);
        auto const most = std::max<std::size_t>(1, m_shape.n_items / 4);
        return std::min(most, std::max(least_of_user, static_cast<std::size_t>(mean * activity + 0.5)));
    }

    void add_user(std::size_t user, std::uint32_t mark, std::vector<std::uint32_t>& owner, block& out) const {
        recsys::random_stream random(m_shape.seed, user);
        auto const target = draw_target(random);
        std::array<double, n_topics> taste{};
        for (auto& share : taste) share = random.gamma(topic_share) + 1e-6;
        weighted_draw const topic_of_user(taste);
        std::vector<pair> taken;
        // Who likes few items meets them again and again: then the row stays shorter than was wanted.
        for (std::size_t tries = 16 * target + 256; tries > 0 && taken.size() < target; --tries) {
            auto item = m_topics[topic_of_user(random)](random);
            if (!taken.empty() && random.uniform() < companion_share)
                item = companions(taken[static_cast<std::size_t>(random.below(taken.size()))]
                                      .first)[static_cast<std::size_t>(random.below(n_companions))];
            if (owner[item] == mark) continue;
            owner[item] = mark;
            taken.push_back({item, draw_count(random)});
        }
        random.shuffle(taken); // popular items tend to be drawn first
        auto const n_test = std::max<std::size_t>(1, static_cast<std::size_t>(test_share * static_cast<double>(taken.size())));
        append(std::span(taken).first(taken.size() - n_test), out.train);
        append(std::span(taken).last(n_test), out.test);
    }
    static float draw_count(recsys::random_stream& random) {
        float count = 1;
        for (auto coins = random.bits() | (std::uint64_t{1} << 63); (coins & 1) == 0; coins >>= 1) ++count;
        return count;
    }
    static void append(std::span<pair> row, rows& out) {
        std::sort(row.begin(), row.end());
        for (auto const& [item, count] : row) out.items.push_back(static_cast<std::int32_t>(item)), out.counts.push_back(count);
        out.ends.push_back(static_cast<std::int64_t>(out.items.size()));
    }

    shape m_shape;
    std::vector<weighted_draw> m_topics;
    std::vector<std::uint32_t> m_companions; // n_items x n_companions
};

/// Gives the blocks to `take`, in order and from the calling thread; a few exist at a time.
template <class Take> void for_each_block(world const& from, recsys::detail::team& workers, Take const& take) {
    std::size_t const at_once = 4 * workers.size();
    std::vector<block> blocks;
    for (std::size_t first = 0; first < from.n_blocks(); first += at_once) {
        blocks.assign(std::min(at_once, from.n_blocks() - first), {});
        workers.run(blocks.size(), [&](std::size_t b, std::size_t) { blocks[b] = from.make(first + b); });
        for (auto const& one : blocks) take(one);
    }
}

/// Appends a block's rows to those of the users before.
inline void append_rows(rows& to, rows const& more) {
    auto const before = static_cast<std::int64_t>(to.items.size());
    for (auto const end : more.ends) to.ends.push_back(before + end);
    to.items.insert(to.items.end(), more.items.begin(), more.items.end());
    to.counts.insert(to.counts.end(), more.counts.begin(), more.counts.end());
}
/// All rows at once, for small shapes.
inline block make_all(shape const& s, std::size_t threads = 1) {
    recsys::detail::team workers(threads);
    block out;
    for_each_block(world(s, workers), workers,
                   [&](block const& some) { append_rows(out.train, some.train), append_rows(out.test, some.test); });
    return out;
}

}

#endif
