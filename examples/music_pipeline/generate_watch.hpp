// SPDX-License-Identifier: MIT
// How far generate() is, told by the thread that called it, and how those beside it learn that they are to stop.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_WATCH_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_WATCH_HPP

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <future>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include <recsys/core.hpp>

namespace music {

/// One for a call of generate(). What stops one thread stops all: the callback's answer or exception, or an error of a thread beside.
class watch {
public:
    /// @param tell  must outlive it; it is called from this thread only.
    watch(recsys::progress_callback const& tell, bool use_threads)
        : m_tell(tell), m_use_threads(use_threads), m_owner(std::this_thread::get_id()), m_reporter(std::in_place, m_tell, "", 0) {}
    watch(watch const&) = delete;

    /// The next piece of work of the calling thread, of so many units.
    void begin(std::string_view stage, std::uint64_t total) {
        m_reporter.emplace(m_tell, stage, total);
        m_done = 0, m_told = 0;
        add(0);
    }
    /// From any thread, now and then: units that are done. @throws recsys::cancelled, or what stopped another thread.
    void add(std::uint64_t n) {
        auto const done = m_done.fetch_add(n, std::memory_order_relaxed) + n;
        if (m_stop.load(std::memory_order_relaxed)) rethrow();
        if (std::this_thread::get_id() != m_owner || (n > 0 && done - m_told < every)) return;
        m_told = done;
        try {
            m_reporter->report_or_throw(done);
        } catch (...) {
            stop();
            throw;
        }
    }
    /// For work that is not counted.
    void check() { add(0); }

    /// Work for a thread beside; without threads, for the moment when it is waited for.
    template <class Function> auto beside(Function f) {
        return std::async(m_use_threads ? std::launch::async : std::launch::deferred, [this, f = std::move(f)] {
            try {
                return f();
            } catch (...) {
                stop();
                throw;
            }
        });
    }
    template <class Value> Value wait_for(std::future<Value>& work) {
        while (work.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout) check();
        return work.get();
    }
    /// What came first, where it is another thread's exception that got here. Only in a handler.
    [[noreturn]] void rethrow() {
        std::lock_guard const lock(m_mutex);
        if (m_error) std::rethrow_exception(m_error);
        throw;
    }

private:
    static constexpr std::uint64_t every = 65536;
    void stop() {
        std::lock_guard const lock(m_mutex);
        if (!m_error) m_error = std::current_exception();
        m_stop = true;
    }

    recsys::progress_callback const& m_tell;
    bool m_use_threads;
    std::thread::id m_owner;
    std::optional<recsys::detail::progress_reporter> m_reporter;
    std::atomic<std::uint64_t> m_done{0};
    std::uint64_t m_told = 0;
    std::atomic<bool> m_stop{false};
    std::mutex m_mutex;
    std::exception_ptr m_error;
};

}

#endif
