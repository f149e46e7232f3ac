// SPDX-License-Identifier: MIT
// Steps with their time and memory: a progress bar on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
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
        double peak_mb = 0; ///< of the whole program up to the end of the step
    };

    console();
    /// Ends the step at hand and begins one.
    void step(std::string name);
    /// Ends the last step.
    void done();
    /// A line about the step.
    void say(std::string const& text);
    /// A bar for long work; on a terminal only.
    recsys::progress_callback bar();

    std::vector<step_time> const& times() const { return m_times; }
    double seconds() const;

private:
    void finish();
    void wipe();
    void draw(recsys::progress const& now);

    bool m_terminal = false, m_drawn = false;
    std::string m_step;
    std::chrono::steady_clock::time_point m_begin, m_step_begin, m_last_draw;
    std::vector<step_time> m_times;
};

/// The largest resident set of this process so far, in MB.
double peak_rss_mb();

} // namespace music
