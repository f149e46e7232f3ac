// SPDX-License-Identifier: MIT
// Which tracks each user has had, and random bits made ahead: what the market asks for with every play.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_SETS_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_SETS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <recsys/core.hpp>

#include "generate_memory.hpp"

namespace music {

/// A set of tracks for each user, all in one array: open addressing, at most three quarters full, so that a look-up touches one line.
class track_sets {
public:
    /// @param most  how many tracks each user may come to have.
    explicit track_sets(std::span<std::uint32_t const> most) : m_first(most.size() + 1, 0) {
        for (std::size_t u = 0; u < most.size(); ++u) m_first[u + 1] = m_first[u] + most[u] + most[u] / 3 + 1;
        m_slots = numbers(static_cast<std::size_t>(m_first[most.size()]), 0);
    }
    /// What find() will read, soon for the user, at once for the track.
    MUSIC_INLINE void prefetch_user(std::uint32_t user) const { prefetch(&m_first[user]); }
    MUSIC_INLINE void prefetch_track(std::uint32_t user, std::uint32_t track) const {
        prefetch(&m_slots[m_first[user] + home_of(track, size_of(user))]);
    }

    bool contains(std::uint32_t user, std::uint32_t track) const { return *find(user, track) != 0; }
    void insert(std::uint32_t user, std::uint32_t track) { *find(user, track) = track + 1; }
    /// Moves what stood behind it forward, so that look-ups find it.
    void erase(std::uint32_t user, std::uint32_t track) {
        auto* const slots = m_slots.data() + m_first[user];
        std::uint32_t const n = size_of(user);
        auto const after = [n](std::uint32_t at) { return at + 1 == n ? 0 : at + 1; };
        auto const way = [n](std::uint32_t from, std::uint32_t to) { return to >= from ? to - from : to + n - from; };
        auto hole = static_cast<std::uint32_t>(find(user, track) - slots);
        for (auto next = after(hole); slots[next] != 0; next = after(next)) {
            if (way(home_of(slots[next] - 1, n), next) < way(hole, next)) continue;
            slots[hole] = slots[next];
            hole = next;
        }
        slots[hole] = 0;
    }

private:
    static std::uint32_t home_of(std::uint32_t track, std::uint32_t n) {
        return static_cast<std::uint32_t>((std::uint64_t{track * 0x9E3779B1u} * n) >> 32);
    }
    std::uint32_t size_of(std::uint32_t user) const { return static_cast<std::uint32_t>(m_first[user + 1] - m_first[user]); }
    std::uint32_t* find(std::uint32_t user, std::uint32_t track) {
        return const_cast<std::uint32_t*>(std::as_const(*this).find(user, track));
    }
    std::uint32_t const* find(std::uint32_t user, std::uint32_t track) const {
        auto const* const slots = m_slots.data() + m_first[user];
        std::uint32_t const n = size_of(user);
        std::uint32_t at = home_of(track, n);
        while (slots[at] != 0 && slots[at] != track + 1) at = at + 1 == n ? 0 : at + 1;
        return slots + at;
    }
    large_array<std::uint64_t> m_first;
    numbers m_slots;
};

/// The bits of a random_stream in its order, made by a thread of its own ahead of their use.
class bits_ahead {
public:
    bits_ahead(std::uint64_t seed, std::uint64_t stream, bool use_thread) : m_seed(seed), m_stream(stream), m_use_thread(use_thread) {
        for (auto& b : m_blocks) b.resize(most_window + block_bits);
        make(m_blocks[0]), m_at = most_window;
        start();
    }
    bits_ahead(bits_ahead const&) = delete;
    ~bits_ahead() {
        if (m_thread.joinable()) m_thread.join();
    }
    static constexpr std::size_t most_window = 128;
    /// The next n values, n at most most_window; they stay the next ones until skip().
    std::uint64_t const* peek(std::size_t n) {
        if (m_at + n > m_blocks[m_now].size()) turn();
        return m_blocks[m_now].data() + m_at;
    }
    void skip(std::size_t n) { m_at += n; }
    std::uint64_t bits() {
        auto const out = *peek(1);
        return skip(1), out;
    }
    /// As random_stream::below().
    std::uint64_t below(std::uint64_t n) {
        std::uint64_t const threshold = (0 - n) % n;
        for (;;) {
            std::uint64_t const b = bits(), b0 = b & 0xFFFFFFFFu, b1 = b >> 32, n0 = n & 0xFFFFFFFFu, n1 = n >> 32;
            std::uint64_t const p00 = b0 * n0, p01 = b0 * n1, p10 = b1 * n0;
            std::uint64_t const middle = (p00 >> 32) + (p01 & 0xFFFFFFFFu) + (p10 & 0xFFFFFFFFu);
            if (((middle << 32) | (p00 & 0xFFFFFFFFu)) >= threshold) return b1 * n1 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
        }
    }

private:
    static constexpr std::size_t block_bits = std::size_t{1} << 18;

    void make(std::vector<std::uint64_t>& block) {
        auto* out = block.data() + most_window;
        for (std::size_t i = 0; i < block_bits; i += 2, ++m_counter) {
            auto const r = recsys::detail::philox({static_cast<std::uint32_t>(m_counter), static_cast<std::uint32_t>(m_counter >> 32),
                                                   static_cast<std::uint32_t>(m_stream), static_cast<std::uint32_t>(m_stream >> 32)},
                                                  {static_cast<std::uint32_t>(m_seed), static_cast<std::uint32_t>(m_seed >> 32)});
            out[i] = r[0] | std::uint64_t{r[1]} << 32, out[i + 1] = r[2] | std::uint64_t{r[3]} << 32;
        }
    }
    void start() {
        auto const work = [this] { make(m_blocks[1 - m_now]); };
        if (m_use_thread) m_thread = std::thread(work);
        else work();
    }
    /// What is left of this block goes in front of the next one.
    void turn() {
        if (m_thread.joinable()) m_thread.join();
        auto const& old = m_blocks[m_now];
        std::size_t const left = old.size() - m_at;
        auto& fresh = m_blocks[1 - m_now];
        std::memcpy(fresh.data() + most_window - left, old.data() + m_at, left * sizeof(std::uint64_t));
        m_now = 1 - m_now, m_at = most_window - left;
        start();
    }

    std::uint64_t m_seed, m_stream, m_counter = 0;
    bool m_use_thread;
    std::vector<std::uint64_t> m_blocks[2];
    std::size_t m_now = 0, m_at = 0;
    std::thread m_thread;
};

}

#endif
