// SPDX-License-Identifier: MIT
// The figures of the report as inline SVG: no script, nothing from the network.
#pragma once

#include <string>
#include <vector>

namespace music {

struct bar {
    std::string label;
    double value = 0;
};

/// Lengths from zero, one bar a line, labels at the left and values at the right.
std::string bar_chart(std::vector<bar> const& bars, std::string const& caption);

/// Counts of equal bins over [low, high], on a logarithmic axis that begins at 1; a bin without any has no bar.
std::string log_histogram(std::vector<double> const& counts, double low, double high, std::string const& axis, std::string const& caption);

struct box {
    double low_whisker = 0, q1 = 0, median = 0, q3 = 0, high_whisker = 0, largest = 0;
    std::size_t outliers = 0;
};
/// A box plot lying on a logarithmic axis from 1.
std::string box_plot(box const& figures, std::string const& axis, std::string const& caption);

struct interval {
    std::string label;
    double mean = 0, low = 0, high = 0;
};
/// A dot and its interval a line, with a line at zero.
std::string intervals_chart(std::vector<interval> const& rows, std::string const& axis, std::string const& caption);

/// A number for people: thousands grouped, four significant digits below 1000.
std::string pretty(double value);

} // namespace music
