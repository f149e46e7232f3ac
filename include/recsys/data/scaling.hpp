// SPDX-License-Identifier: MIT
// Min-max scaling of numbers to a range.
#ifndef RECSYS_DATA_SCALING_HPP
#define RECSYS_DATA_SCALING_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include <recsys/core/archive.hpp>
#include <recsys/core/error.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Scales linearly so that the smallest number becomes `low` and the largest `high`, as scikit-learn's MinMaxScaler: NaN is skipped when fitting
/// and stays NaN, numbers outside the fitted range land outside of [low, high]. Where all numbers are equal each becomes `low`.
class min_max_scaler {
public:
    min_max_scaler() = default;
    /// The scaler of a range of numbers. @throws option_error unless low < high. @throws data_error for infinity, or without any number.
    template <std::ranges::input_range Range> [[nodiscard]] static min_max_scaler fit(Range&& values, double low = 0, double high = 1) {
        if (!(low < high && std::isfinite(low) && std::isfinite(high)))
            detail::throw_option("min_max_scaler: low must be below high, got ", low, " and ", high);
        min_max_scaler out;
        out.m_low = low, out.m_high = high;
        std::size_t n = 0, row = 0;
        for (auto const& value : values) {
            auto const x = static_cast<double>(value);
            if (std::isinf(x)) detail::throw_data("min_max_scaler: the value of row ", row, " is infinite");
            ++row;
            if (std::isnan(x)) continue;
            out.m_min = n == 0 ? x : std::min(out.m_min, x);
            out.m_max = n == 0 ? x : std::max(out.m_max, x);
            ++n;
        }
        if (n == 0) detail::throw_data("min_max_scaler: there is no number among ", row, " values");
        return out;
    }

    double min() const noexcept { return m_min; }
    double max() const noexcept { return m_max; }
    /// The scaled number.
    double operator()(double x) const noexcept { return m_low + (x - m_min) * ((m_high - m_low) / width()); }
    /// The number that is scaled to y.
    double inverse(double y) const noexcept { return m_min + (y - m_low) * (width() / (m_high - m_low)); }
    template <std::ranges::input_range Range> [[nodiscard]] std::vector<double> transform(Range&& values) const {
        std::vector<double> out;
        for (auto const& value : values) out.push_back((*this)(static_cast<double>(value)));
        return out;
    }

private:
    friend struct detail::archived<min_max_scaler>;
    double width() const noexcept { return m_max > m_min ? m_max - m_min : 1; }
    double m_min = 0, m_max = 1, m_low = 0, m_high = 1;
};

namespace detail {

template <> struct archived<min_max_scaler> {
    static std::string name() { return "min_max_scaler"; }
    static void save(min_max_scaler const& s, object_writer& out) {
        out.array("range", std::vector<double>{s.m_min, s.m_max, s.m_low, s.m_high});
    }
    static min_max_scaler load(object_reader const& in) {
        auto const range = in.array<double>("range", 4);
        for (double const x : range)
            if (!std::isfinite(x)) in.fail("range", "is not finite");
        if (!(range[0] <= range[1] && range[2] < range[3])) in.fail("range", "is not in order");
        min_max_scaler out;
        out.m_min = range[0], out.m_max = range[1], out.m_low = range[2], out.m_high = range[3];
        return out;
    }
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
