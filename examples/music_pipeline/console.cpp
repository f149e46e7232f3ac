// SPDX-License-Identifier: MIT
#include "console.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "stopping.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>
#include <unistd.h>
#endif
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace music {

using clock = std::chrono::steady_clock;

namespace {

constexpr double line_seconds = 30, least_seconds = 5, bar_seconds = 0.1;

double seconds_since(clock::time_point then) { return std::chrono::duration<double>(clock::now() - then).count(); }

std::string time_left(double seconds) {
    if (!std::isfinite(seconds)) return "";
    auto const s = static_cast<long>(std::min(seconds, 3.6e6) + 0.5);
    char out[48];
    if (s < 60) std::snprintf(out, sizeof out, "%ld s left", s);
    else if (s < 3600) std::snprintf(out, sizeof out, "%ld min %02ld s left", s / 60, s % 60);
    else std::snprintf(out, sizeof out, "%ld h %02ld min left", s / 3600, s / 60 % 60);
    return out;
}

double share_of(recsys::progress const& now) {
    return now.total == 0 ? 0 : std::min(1.0, static_cast<double>(now.done) / static_cast<double>(now.total));
}

/// User and system time of this process.
double cpu_seconds_so_far() {
#if defined(__unix__) || defined(__APPLE__)
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    auto const seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
#else
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
#endif
}

/// The largest resident set of this process since it began, or since forget_peak() where that does something, in MB.
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

void forget_peak() {
#if defined(__linux__)
    if (auto* const file = std::fopen("/proc/self/clear_refs", "w")) {
        std::fputs("5", file); // of all that it can clear, the peak alone
        std::fclose(file);
    }
#endif
}

bool is_terminal() {
#if defined(__unix__) || defined(__APPLE__)
    return isatty(STDOUT_FILENO) != 0;
#else
    return false;
#endif
}

}

console::console() : m_terminal(is_terminal()), m_begin(clock::now()), m_step_begin(m_begin), m_last_shown(m_begin) {}

double console::seconds() const { return m_seconds_before + seconds_since(m_begin); }
double console::cpu_seconds() const { return m_cpu_before + cpu_seconds_so_far(); }
double console::peak_mb() const { return std::max(m_peak_mb, peak_rss_mb()); }

void console::step(std::string name) {
    finish();
    m_step = std::move(name);
    m_step_begin = clock::now(), m_cpu_begin = cpu_seconds_so_far();
    m_peak_mb = peak_mb();
    forget_peak();
    m_stage.clear();
    print(m_step + "\n");
}

void console::done() { finish(); }

void console::finish() {
    if (m_step.empty()) return;
    wipe();
    m_times.push_back({m_step, seconds_since(m_step_begin), peak_rss_mb(), cpu_seconds_so_far() - m_cpu_begin});
    std::printf("    %.1f s, %.1f s of CPU, peak %.0f MB\n", m_times.back().seconds, m_times.back().cpu_seconds, m_times.back().peak_mb);
    std::fflush(stdout);
    m_step.clear();
#if defined(__GLIBC__)
    ::malloc_trim(0); // else pieces of a gigabyte that was freed stay with the process
#endif
}

void console::say(std::string const& text) { print("    " + text + "\n"); }

void console::print(std::string const& lines) {
    wipe();
    m_printed.push_back(lines);
    std::printf("%s", lines.c_str());
    std::fflush(stdout);
}

void console::take_over(std::vector<step_time> const& times, std::vector<std::string> const& printed) {
    finish();
    for (auto const& lines : printed) print(lines);
    for (auto const& one : times) {
        m_seconds_before += one.seconds, m_cpu_before += one.cpu_seconds, m_peak_mb = std::max(m_peak_mb, one.peak_mb);
        m_times.push_back(one);
    }
    std::printf("    (done by an earlier run)\n");
    std::fflush(stdout);
}

void console::wipe() {
    if (m_drawn) std::printf("\r%100s\r", "");
    m_drawn = false;
}

/// Whether it is time to show how far the work is: lines come every half a minute or tenth, but not for what is soon over.
bool console::is_due(double share) {
    auto const since = seconds_since(m_last_shown);
    bool const due = m_terminal ? since >= bar_seconds || share >= 1
                                : since >= line_seconds || (since >= least_seconds && share >= m_last_share + 0.1 && share < 1);
    if (due) m_last_shown = clock::now(), m_last_share = share;
    return due;
}

void console::draw(recsys::progress const& now) {
    auto const share = share_of(now);
    std::string bar(30, '.');
    std::fill_n(bar.begin(), static_cast<std::ptrdiff_t>(share * 30), '#');
    std::printf("\r    %-14.*s [%s] %3.0f%%", static_cast<int>(now.stage.size()), now.stage.data(), bar.c_str(), share * 100);
    if (now.loss == now.loss) std::printf("  loss %-11.6g", now.loss);
    std::printf("  %-18s", time_left(now.seconds_left).c_str());
    std::fflush(stdout);
    m_drawn = true;
}

void console::write_line(recsys::progress const& now) {
    std::printf("    %.*s: %.0f%%", static_cast<int>(now.stage.size()), now.stage.data(), share_of(now) * 100);
    if (auto const left = time_left(now.seconds_left); !left.empty()) std::printf(", %s", left.c_str());
    if (now.loss == now.loss) std::printf(", loss %.6g", now.loss);
    std::printf("\n");
    std::fflush(stdout);
}

recsys::progress_callback console::bar() {
    return [this](recsys::progress const& now) {
        check_stop();
        if (now.stage != m_stage || now.done < m_last_done) m_stage = now.stage, m_last_share = 0, m_last_shown = clock::now();
        m_last_done = now.done;
        if (now.total == 0 || !is_due(share_of(now))) return;
        m_terminal ? draw(now) : write_line(now);
    };
}

meter::meter(console& to, std::string stage, std::uint64_t total)
    : m_bar(to.bar()), m_stage(std::move(stage)), m_total(total), m_begin(clock::now()) {
    tell();
}

void meter::tell() {
    m_told = m_done;
    recsys::progress now{m_stage, m_done, m_total};
    if (m_done > 0 && m_done <= m_total)
        now.seconds_left = seconds_since(m_begin) / static_cast<double>(m_done) * static_cast<double>(m_total - m_done);
    m_bar(now);
}

} // namespace music
