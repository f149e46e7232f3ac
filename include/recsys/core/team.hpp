// SPDX-License-Identifier: MIT
// A team of threads that lives as long as one call: fixed chunks, sums in chunk order, the first exception by chunk order.
#ifndef RECSYS_CORE_TEAM_HPP
#define RECSYS_CORE_TEAM_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <recsys/core/config.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Set while a thread runs a chunk: work that starts a team of its own from inside one then runs inline.
inline bool& inside_team() noexcept {
    thread_local bool inside = false;
    return inside;
}

inline std::size_t hardware_threads() noexcept {
#if RECSYS_DETAIL_HAS_THREADS
    return std::max(1u, std::thread::hardware_concurrency());
#else
    return 1;
#endif
}

/// Runs numbered chunks of work on a few threads, of which the caller is one.
///
/// Chunks are handed out as threads become free, so nothing may depend on which thread runs which; `worker` only selects scratch
/// memory. After an exception no further chunk starts, and the exception of the lowest chunk that threw is rethrown to the caller.
/// Chunks below it have all run, so that the exception is the same for any number of threads.
/// Threads start with the first loop that has more than one chunk. Not safe for several callers at once.
class team {
public:
    /// @param threads  0 = as many as the machine has.
    explicit team(std::size_t threads = 0)
        : m_size(inside_team() || !RECSYS_DETAIL_HAS_THREADS ? 1
                 : threads                                   ? threads
                                                             : hardware_threads()),
          m_awake(m_size <= hardware_threads()) {}
    team(team const&) = delete;
    team& operator=(team const&) = delete;
    ~team() { stop(); }

    /// How many workers there are, the caller included.
    std::size_t size() const noexcept { return m_size; }

    /// f(chunk, worker) for each chunk in [0, n_chunks).
    template <class Function> void run(std::size_t n_chunks, Function const& f) {
        if (n_chunks <= 1 || m_size == 1 || inside_team()) {
            for (std::size_t chunk = 0; chunk < n_chunks; ++chunk) f(chunk, std::size_t{0});
            return;
        }
        run_shared(n_chunks, &f, [](void const* function, std::size_t chunk, std::size_t worker) {
            (*static_cast<Function const*>(function))(chunk, worker);
        });
    }

    /// f(first, last, worker) for each block of `block` consecutive numbers of [0, n).
    template <class Function> void blocks(std::size_t n, std::size_t block, Function const& f) {
        run((n + block - 1) / block,
            [&](std::size_t chunk, std::size_t worker) { f(chunk * block, std::min(n, chunk * block + block), worker); });
    }

    /// The sum of f(first, last) over the blocks of [0, n), added in their order: the same bits for any number of threads.
    template <class Sum, class Function> Sum sum(std::size_t n, std::size_t block, Sum zero, Function const& f) {
        std::vector<Sum> parts((n + block - 1) / block, zero);
        blocks(n, block, [&](std::size_t first, std::size_t last, std::size_t) { parts[first / block] = f(first, last); });
        for (auto const& part : parts) zero += part;
        return zero;
    }

private:
    using call = void (*)(void const*, std::size_t, std::size_t);

    void run_shared(std::size_t n_chunks, void const* function, call invoke) {
        start();
        {
            std::lock_guard const lock(m_mutex);
            m_function = function, m_invoke = invoke, m_chunks = n_chunks;
            m_next.store(0);
            m_error_chunk.store(std::numeric_limits<std::size_t>::max());
            m_error = nullptr;
            m_busy.store(m_threads.size());
            m_round.fetch_add(1);
        }
        m_wake.notify_all();
        work(0);
        auto const idle = [&] { return m_busy.load() == 0; };
        if (!soon(idle)) {
            std::unique_lock lock(m_mutex);
            m_idle.wait(lock, idle);
        }
        if (m_error) std::rethrow_exception(std::exchange(m_error, nullptr));
    }

    static void let_others_read() noexcept {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
        __builtin_ia32_pause();
#elif RECSYS_DETAIL_HAS_THREADS
        std::this_thread::yield();
#endif
    }
    /// Waits without sleeping for the time that waking up takes: loops of a tree follow each other within microseconds. Not where threads are more than
    /// processors: who waits would keep others from working.
    template <class Condition> bool soon(Condition const& condition) const {
        if (!m_awake) return condition();
        auto const end = std::chrono::steady_clock::now() + std::chrono::microseconds(100);
        do {
            for (int i = 0; i < 64; ++i) {
                if (condition()) return true;
                let_others_read();
            }
        } while (std::chrono::steady_clock::now() < end);
        return false;
    }

    void work(std::size_t worker) {
        inside_team() = true;
        for (;;) {
            std::size_t const chunk = m_next.fetch_add(1);
            // Chunks are taken in rising order, so every chunk below the failed one has been taken and will finish.
            if (chunk >= m_chunks || chunk > m_error_chunk.load()) break;
            RECSYS_DETAIL_TRY { m_invoke(m_function, chunk, worker); }
            RECSYS_DETAIL_CATCH_ALL { note_error(chunk); }
        }
        inside_team() = false;
    }

    void note_error(std::size_t chunk) {
        std::lock_guard const lock(m_mutex);
        if (chunk >= m_error_chunk.load()) return;
        m_error_chunk.store(chunk);
        m_error = std::current_exception();
    }

    void start() {
#if RECSYS_DETAIL_HAS_THREADS
        if (!m_threads.empty()) return;
        m_threads.reserve(m_size - 1);
        RECSYS_DETAIL_TRY {
            for (std::size_t worker = 1; worker < m_size; ++worker) m_threads.emplace_back([this, worker] { serve(worker); });
        }
        RECSYS_DETAIL_CATCH_ALL {
            // The system has no more threads: go on with those that there are.
        }
#endif
    }

    void serve(std::size_t worker) {
        std::size_t seen_round = 0;
        for (;;) {
            auto const wanted = [&] { return m_quit.load() || m_round.load() != seen_round; };
            if (!soon(wanted)) {
                std::unique_lock lock(m_mutex);
                m_wake.wait(lock, wanted);
            }
            if (m_quit.load()) return;
            seen_round = m_round.load();
            work(worker);
            if (m_busy.fetch_sub(1) != 1) continue;
            std::lock_guard const lock(m_mutex);
            m_idle.notify_one();
        }
    }

    void stop() {
        {
            std::lock_guard const lock(m_mutex);
            m_quit.store(true);
        }
        m_wake.notify_all();
        for (auto& thread : m_threads) thread.join();
    }

    std::size_t m_size;
    bool m_awake; ///< whether threads wait for each other awake
    std::vector<std::thread> m_threads;
    std::mutex m_mutex;
    std::condition_variable m_wake, m_idle;
    std::atomic<std::size_t> m_next{0}, m_error_chunk{0}, m_busy{0}, m_round{0};
    std::exception_ptr m_error;
    void const* m_function = nullptr;
    call m_invoke = nullptr;
    std::size_t m_chunks = 0;
    std::atomic<bool> m_quit{false};
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
