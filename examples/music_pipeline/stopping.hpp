// SPDX-License-Identifier: MIT
// Ctrl-C and SIGTERM: the run ends at its next progress call; a second one ends the program at once.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace music {

/// What a run ends with that was asked to stop.
struct interrupted : std::runtime_error {
    interrupted() : std::runtime_error("stopped") {}
};

/// From now on signals are noted. A file that grows beyond the limit of the process becomes an error of writing, not its end.
void catch_signals();

/// For tests: the n-th progress call from now on acts as if Ctrl-C, or kill -9, had come; 0 = never.
void end_after_calls(std::uint64_t stop, std::uint64_t kill);

/// A progress call. @throws interrupted where a signal has come.
void check_stop();

} // namespace music
