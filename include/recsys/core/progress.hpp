// SPDX-License-Identifier: MIT
// What long loops tell a progress callback while they run, and what a fit reports once it is done.
#ifndef RECSYS_CORE_PROGRESS_HPP
#define RECSYS_CORE_PROGRESS_HPP

#include <recsys/core/push_macros.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What an iterative fit did; models give it as `report()`.
struct fit_report {
    std::vector<double> loss = {};         ///< on the training rows after each iteration
    std::vector<double> valid_loss = {};   ///< on the validation rows after each iteration; empty without them
    std::vector<double> valid_metric = {}; ///< the metric that was chosen to be watched there; empty where that is the loss
    std::optional<std::size_t> best_iteration =
        {};                                 ///< the first one of the best validation loss or metric, from 0; only with validation rows
    bool stopped = false;                   ///< the progress callback asked to stop
    std::vector<std::string> warnings = {}; ///< what is odd but legal
};

namespace detail {

/// Reports from the calling thread. `go_on()` is false once the user has asked to stop.
class progress_reporter {
public:
    progress_reporter(progress_callback const& callback, std::string_view stage, std::uint64_t total)
        : m_callback(callback), m_stage(stage), m_total(total), m_start(std::chrono::steady_clock::now()) {}

    /// Tells the callback; false means stop.
    bool report(std::uint64_t done, double loss = nan(), double valid_loss = nan()) {
        if (!m_callback) return true;
        std::chrono::duration<double> const spent = std::chrono::steady_clock::now() - m_start;
        double const left =
            done == 0 || m_total < done ? nan() : spent.count() / static_cast<double>(done) * static_cast<double>(m_total - done);
        m_go_on = m_callback({m_stage, done, m_total, loss, valid_loss, left}) && m_go_on;
        return m_go_on;
    }
    /// For work of which a part is useless.
    void report_or_throw(std::uint64_t done) {
        if (!report(done)) throw_cancelled(m_stage, ": stopped by the progress callback after ", done, " of ", m_total);
    }
    bool go_on() const noexcept { return m_go_on; }

private:
    static constexpr double nan() noexcept { return std::numeric_limits<double>::quiet_NaN(); }
    progress_callback const& m_callback;
    std::string_view m_stage;
    std::uint64_t m_total;
    std::chrono::steady_clock::time_point m_start;
    bool m_go_on = true;
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
