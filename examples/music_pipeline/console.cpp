// SPDX-License-Identifier: MIT
#include "console.hpp"

#include <algorithm>
#include <cstdio>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>
#include <unistd.h>
#endif

namespace music {

using clock = std::chrono::steady_clock;

namespace {

double seconds_since(clock::time_point then) { return std::chrono::duration<double>(clock::now() - then).count(); }

bool is_terminal() {
#if defined(__unix__) || defined(__APPLE__)
    return isatty(STDOUT_FILENO) != 0;
#else
    return false;
#endif
}

}

double peak_rss_mb() {
#if defined(__unix__) || defined(__APPLE__)
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
    return static_cast<double>(usage.ru_maxrss) / 1e6;
#else
    return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
#endif
#else
    return 0;
#endif
}

console::console() : m_terminal(is_terminal()), m_begin(clock::now()), m_step_begin(m_begin), m_last_draw(m_begin) {}

double console::seconds() const { return seconds_since(m_begin); }

void console::step(std::string name) {
    finish();
    m_step = std::move(name);
    m_step_begin = clock::now();
    std::printf("%s\n", m_step.c_str());
    std::fflush(stdout);
}

void console::done() { finish(); }

void console::finish() {
    if (m_step.empty()) return;
    wipe();
    m_times.push_back({m_step, seconds_since(m_step_begin), peak_rss_mb()});
    std::printf("    %.1f s, peak %.0f MB\n", m_times.back().seconds, m_times.back().peak_mb);
    m_step.clear();
}

void console::say(std::string const& text) {
    wipe();
    std::printf("    %s\n", text.c_str());
    std::fflush(stdout);
}

void console::wipe() {
    if (m_drawn) std::printf("\r%78s\r", "");
    m_drawn = false;
}

void console::draw(recsys::progress const& now) {
    if (now.total == 0 || (now.done < now.total && seconds_since(m_last_draw) < 0.1)) return;
    m_last_draw = clock::now();
    auto const share = std::min(1.0, static_cast<double>(now.done) / static_cast<double>(now.total));
    std::string bar(30, '.');
    std::fill_n(bar.begin(), static_cast<std::ptrdiff_t>(share * 30), '#');
    std::printf("\r    %-14.*s [%s] %3.0f%%", static_cast<int>(now.stage.size()), now.stage.data(), bar.c_str(), share * 100);
    if (now.loss == now.loss) std::printf("  loss %-12.6g", now.loss);
    std::fflush(stdout);
    m_drawn = true;
}

recsys::progress_callback console::bar() {
    if (!m_terminal) return {};
    return [this](recsys::progress const& now) { draw(now); };
}

} // namespace music
