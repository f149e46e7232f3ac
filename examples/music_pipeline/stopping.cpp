// SPDX-License-Identifier: MIT
#include "stopping.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace music {

namespace {

volatile std::sig_atomic_t asked = 0;
std::uint64_t calls = 0, stop_at = 0, kill_at = 0;

// Only what a signal handler may do: no allocation, no stream.
extern "C" void note_signal(int signal) {
    if (asked != 0) std::_Exit(128 + signal);
    asked = 1;
#if defined(__unix__) || defined(__APPLE__)
    static constexpr char said[] = "\nmusic_pipeline: ends at the next progress call; once more ends it at once\n";
    [[maybe_unused]] auto const written = ::write(STDERR_FILENO, said, sizeof said - 1);
#endif
}

}

void catch_signals() {
    std::signal(SIGINT, note_signal);
    std::signal(SIGTERM, note_signal);
#ifdef SIGXFSZ
    std::signal(SIGXFSZ, SIG_IGN);
#endif
}

void end_after_calls(std::uint64_t stop, std::uint64_t kill) { calls = 0, stop_at = stop, kill_at = kill; }

void check_stop() {
    ++calls;
    if (calls == stop_at) std::raise(SIGINT);
#ifdef SIGKILL
    if (calls == kill_at) std::raise(SIGKILL);
#endif
    if (asked != 0) throw interrupted();
}

} // namespace music
