// SPDX-License-Identifier: MIT
// Steps with their time and memory; long work with the time that is left: a bar on a terminal, lines now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <recsys.hpp>

namespace music {

class console {
public:
    struct step_time {
        std::string name;
        double seconds = 0;
        double peak_mb = 0;     ///< largest resident set during the step; up to its end, where the system cannot tell them apart
        double cpu_seconds = 0; ///< of all threads
    };

    console();
    /// Ends the step at hand and begins one.
    void step(std::string name);
    /// Ends the last step.
    void done();
    /// A line about the step.
    void say(std::string const& text);
    /// Lines that are ready.
    void print(std::string const& lines);
    /// For long work. Each call is a place where the run can be stopped. @throws interrupted there.
    recsys::progress_callback bar();

    /// The step at hand; empty between steps.
    std::string const& at() const { return m_step; }
    std::vector<step_time> const& times() const { return m_times; }
    /// Since the program began, and in the steps that an earlier run did.
    double seconds() const;
    double cpu_seconds() const;
    double peak_mb() const;
    /// What was printed, but for bars and times.
    std::vector<std::string> const& printed() const { return m_printed; }
    /// A step of an earlier run, as it was: its times and what it printed.
    void take_over(std::vector<step_time> const& times, std::vector<std::string> const& printed);

private:
    void finish();
    void wipe();
    void draw(recsys::progress const& now);
    void write_line(recsys::progress const& now);
    bool is_due(double share);

    bool m_terminal = false, m_drawn = false;
    std::string m_step, m_stage;
    std::uint64_t m_last_done = 0;
    double m_last_share = 0, m_seconds_before = 0, m_cpu_before = 0, m_cpu_begin = 0, m_peak_mb = 0;
    std::chrono::steady_clock::time_point m_begin, m_step_begin, m_last_shown;
    std::vector<step_time> m_times;
    std::vector<std::string> m_printed;
};

/// Own work of a known length: add() as it goes on.
class meter {
public:
    meter(console& to, std::string stage, std::uint64_t total);
    void add(std::uint64_t n = 1) {
        m_done += n;
        if (m_done - m_told >= every) tell();
    }

private:
    static constexpr std::uint64_t every = 65536;
    void tell();
    recsys::progress_callback m_bar;
    std::string m_stage;
    std::uint64_t m_done = 0, m_told = 0, m_total = 0;
    std::chrono::steady_clock::time_point m_begin;
};

} // namespace music
