// SPDX-License-Identifier: MIT
#include "charts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "page.hpp"

namespace music {

namespace {

constexpr double width = 760, label_width = 230, value_width = 90, line_height = 22;

std::string number(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", x);
    return text;
}

std::string rectangle(double x, double y, double w, double h, char const* kind, std::string const& tip) {
    return "<rect class=\"" + std::string(kind) + "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(std::max(w, 0.0)) +
           "\" height=\"" + number(h) + "\"><title>" + escaped(tip) + "</title></rect>";
}

std::string line_between(double x1, double y1, double x2, double y2, char const* kind) {
    return "<line class=\"" + std::string(kind) + "\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" +
           number(y2) + "\"/>";
}

std::string text_at(double x, double y, char const* anchor, std::string const& text, char const* kind = "label") {
    return "<text class=\"" + std::string(kind) + "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
           escaped(text) + "</text>";
}

std::string figure(double height, std::string const& inside, std::string const& caption) {
    return "<figure><svg viewBox=\"0 0 " + number(width) + ' ' + number(height) + "\" role=\"img\" aria-label=\"" + escaped(caption) +
           "\">" + inside + "</svg><figcaption>" + escaped(caption) + "</figcaption></figure>\n";
}

/// Cut to what fits, never inside a character of several bytes.
std::string shortened(std::string const& text, std::size_t most) {
    std::size_t characters = 0, at = 0;
    for (; at < text.size(); ++at)
        if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && ++characters > most) break;
    return at == text.size() ? text : text.substr(0, at) + "…";
}

/// Marks at 1, 10, 100 ... on an axis of logarithms.
std::string log_axis(double x0, double x1, double y, double largest, std::string const& axis) {
    std::string out = line_between(x0, y, x1, y, "axis");
    double const decades = std::max(std::log10(std::max(largest, 10.0)), 1.0);
    for (double mark = 1; mark <= largest * 1.0001; mark *= 10) {
        double const x = x0 + (x1 - x0) * std::log10(mark) / decades;
        out += line_between(x, y, x, y + 5, "axis") + text_at(x, y + 18, "middle", pretty(mark), "tick");
    }
    return out + text_at((x0 + x1) / 2, y + 36, "middle", axis, "tick");
}

}

std::string pretty(double value) {
    if (!std::isfinite(value)) return "-";
    if (std::abs(value) < 1000 && value != std::round(value)) {
        char text[32];
        std::snprintf(text, sizeof text, "%.4g", value);
        return text;
    }
    auto digits = std::to_string(static_cast<long long>(std::llround(std::abs(value))));
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
    return (value < 0 ? "-" : "") + digits;
}

std::string bar_chart(std::vector<bar> const& bars, std::string const& caption) {
    double largest = 0;
    for (auto const& b : bars) largest = std::max(largest, b.value);
    std::string inside;
    for (std::size_t i = 0; i < bars.size(); ++i) {
        double const y = static_cast<double>(i) * line_height;
        double const length = largest > 0 ? (width - label_width - value_width) * bars[i].value / largest : 0;
        inside += text_at(label_width - 8, y + 15, "end", shortened(bars[i].label, 32)) +
                  rectangle(label_width, y + 3, length, line_height - 6, "bar", bars[i].label + ": " + pretty(bars[i].value)) +
                  text_at(label_width + length + 6, y + 15, "start", pretty(bars[i].value), "tick");
    }
    return figure(static_cast<double>(bars.size()) * line_height + 4, inside, caption);
}

std::string log_histogram(std::vector<double> const& counts, double low, double high, std::string const& axis, std::string const& caption) {
    constexpr double left = 70, bottom = 250, top = 12;
    double largest = 10;
    for (double const n : counts) largest = std::max(largest, n);
    double const decades = std::log10(largest);
    auto const y_of = [&](double n) { return bottom - (bottom - top) * std::log10(n) / decades; };
    std::string inside;
    for (double mark = 1; mark <= largest; mark *= 10)
        inside +=
            line_between(left, y_of(mark), width - 10, y_of(mark), "grid") + text_at(left - 6, y_of(mark) + 4, "end", pretty(mark), "tick");
    auto const n_bins = static_cast<double>(counts.size());
    double const step = (width - 10 - left) / n_bins;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] < 1) continue;
        double const from = low + (high - low) * static_cast<double>(i) / n_bins,
                     to = low + (high - low) * static_cast<double>(i + 1) / n_bins;
        // A bin of one has a foot, so that it can be seen.
        double const y = std::min(y_of(counts[i]), bottom - 3);
        inside += rectangle(left + static_cast<double>(i) * step + 0.5, y, step - 1, bottom - y, "bar",
                            pretty(from) + " to " + pretty(to) + ": " + pretty(counts[i]));
    }
    inside += line_between(left, bottom, width - 10, bottom, "axis");
    for (int i = 0; i <= 5; ++i) {
        double const at = left + (width - 10 - left) * i / 5;
        inside += text_at(at, bottom + 18, i == 5 ? "end" : "middle", pretty(std::round(low + (high - low) * i / 5)), "tick");
    }
    inside += text_at((left + width) / 2, bottom + 38, "middle", axis, "tick");
    return figure(bottom + 46, inside, caption);
}

std::string box_plot(box const& figures, std::string const& axis, std::string const& caption) {
    constexpr double left = 20, right = width - 20, middle = 40, half = 18;
    double const decades = std::max(std::log10(std::max(figures.largest, 10.0)), 1.0);
    auto const x_of = [&](double v) { return left + (right - left) * std::log10(std::max(v, 1.0)) / decades; };
    std::string inside = line_between(x_of(figures.low_whisker), middle, x_of(figures.q1), middle, "mark") +
                         line_between(x_of(figures.q3), middle, x_of(figures.high_whisker), middle, "mark") +
                         line_between(x_of(figures.low_whisker), middle - 8, x_of(figures.low_whisker), middle + 8, "mark") +
                         line_between(x_of(figures.high_whisker), middle - 8, x_of(figures.high_whisker), middle + 8, "mark") +
                         rectangle(x_of(figures.q1), middle - half, x_of(figures.q3) - x_of(figures.q1), 2 * half, "bar",
                                   "quartiles " + pretty(figures.q1) + ", " + pretty(figures.median) + ", " + pretty(figures.q3)) +
                         line_between(x_of(figures.median), middle - half, x_of(figures.median), middle + half, "median");
    if (figures.largest > figures.high_whisker)
        inside += line_between(x_of(figures.high_whisker), middle, x_of(figures.largest), middle, "dotted") +
                  "<circle class=\"dot\" cx=\"" + number(x_of(figures.largest)) + "\" cy=\"" + number(middle) + "\" r=\"4\"><title>" +
                  escaped(pretty(static_cast<double>(figures.outliers)) + " outliers, up to " + pretty(figures.largest)) +
                  "</title></circle>";
    return figure(118, inside + log_axis(left, right, 74, figures.largest, axis), caption);
}

std::string intervals_chart(std::vector<interval> const& rows, std::string const& axis, std::string const& caption) {
    double least = 0, most = 0;
    for (auto const& row : rows) least = std::min(least, row.low), most = std::max(most, row.high);
    if (!(most > least)) most = least + 1;
    double const margin = (most - least) * 0.05, from = least - margin, to = most + margin, left = label_width, right = width - value_width;
    auto const x_of = [&](double v) { return left + (right - left) * (v - from) / (to - from); };
    double const bottom = static_cast<double>(rows.size()) * line_height + 6;
    std::string inside = line_between(x_of(0), 0, x_of(0), bottom, "axis");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        double const y = static_cast<double>(i) * line_height + 12;
        auto const& row = rows[i];
        inside += text_at(left - 8, y + 4, "end", shortened(row.label, 34)) + line_between(x_of(row.low), y, x_of(row.high), y, "mark") +
                  "<circle class=\"dot\" cx=\"" + number(x_of(row.mean)) + "\" cy=\"" + number(y) + "\" r=\"4\"><title>" +
                  escaped(row.label + ": " + pretty(row.mean) + " [" + pretty(row.low) + ", " + pretty(row.high) + "]") +
                  "</title></circle>" + text_at(right + 8, y + 4, "start", pretty(row.mean), "tick");
    }
    inside += text_at(x_of(0), bottom + 16, "middle", "0", "tick") + text_at((left + right) / 2, bottom + 34, "middle", axis, "tick");
    return figure(bottom + 42, inside, caption);
}

} // namespace music
