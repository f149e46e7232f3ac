// SPDX-License-Identifier: MIT
// When to stop: the best iteration is the first of the lowest validation loss; NaN is never best.
#ifndef RECSYS_RANKER_EARLY_STOPPING_HPP
#define RECSYS_RANKER_EARLY_STOPPING_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <limits>
#include <optional>

#include <recsys/core/config.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Follows a validation loss, lower is better, iteration after iteration from 0.
class early_stopping {
public:
    /// @param patience  how many iterations without a lower loss are let pass; 0 = any number.
    /// @param to_beat   the loss of what there was before the first iteration; without one the first number is the best.
    explicit early_stopping(std::size_t patience, double to_beat = std::numeric_limits<double>::infinity())
        : m_patience(patience), m_lowest(to_beat) {}

    /// The loss after one more iteration; true = stop now.
    bool update(double loss) noexcept {
        if (loss < m_lowest) m_lowest = loss, m_best = m_seen;
        ++m_seen;
        std::size_t const since = m_best ? m_seen - 1 - *m_best : m_seen;
        return m_patience > 0 && since >= m_patience;
    }
    /// The iteration of the lowest loss, if there was a number.
    std::optional<std::size_t> best() const noexcept { return m_best; }

private:
    std::size_t m_patience, m_seen = 0;
    double m_lowest;
    std::optional<std::size_t> m_best;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
