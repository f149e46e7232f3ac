// SPDX-License-Identifier: MIT
// The result of an evaluation: rows x metrics with intervals and differences, as numbers, text, Markdown and CSV.
#ifndef RECSYS_METRICS_TABLE_HPP
#define RECSYS_METRICS_TABLE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/number.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/metrics/intervals.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Who is judged, by what, and who is not.
struct judged_report {
    std::size_t users = 0;            ///< judged: the number that every mean is taken over
    std::size_t cold_users = 0;       ///< of these, without a row before the truth: only with cold_users
    std::size_t truth_users = 0;      ///< with a row in the truth
    std::size_t without_history = 0;  ///< of these, not judged: without a row before it
    std::size_t without_relevant = 0; ///< of these, not judged: nothing of what they took could be listed
    std::size_t pairs = 0;            ///< (user, item) of the truth, of users with history, or of all with cold_users
    std::size_t repeated_pairs = 0;   ///< of these, the user had seen the item before: 0 where each pair occurs once in the data
    std::size_t seen_pairs = 0;       ///< of these, left out, because seen items are left out of the lists
    std::size_t unknown_pairs = 0;    ///< of all pairs, left out: the item does not occur before the truth
};

/// The lists of one row.
struct lists_report {
    std::size_t lists = 0;                ///< of judged users
    std::size_t missing = 0;              ///< judged users for whom there was no list or an empty one: they count as 0
    std::size_t shorter = 0;              ///< judged users whose list is not empty but shorter than the largest k
    std::size_t slots = 0;                ///< items over the judged users' lists, up to the largest k
    std::size_t seen_slots = 0;           ///< of these, items that the user had seen
    std::size_t unjudged = 0;             ///< lists of users who are not judged
    std::optional<time_point> as_of = {}; ///< the latest moment that its lists know
    bool leaks = false;                   ///< it knows events after the truth begins: only with allow_leak
};

namespace detail {

struct evaluation_state {
    std::vector<std::string> rows, metrics, warnings;
    std::vector<user_index> users;
    std::vector<bool> is_total;                           // by metric
    std::vector<std::vector<std::vector<double>>> values; // row, metric, user; empty for totals
    std::vector<std::vector<double>> totals;              // row, metric
    judged_report judged;
    std::vector<lists_report> reports;
    std::string baseline;
    bootstrap_options bootstrap;
    std::vector<double> resampled; // resample, row x per-user metric
};

inline std::string cell(double value) { return std::isfinite(value) ? fixed_text(value, 4) : "-"; }
inline std::string signed_cell(double value) { return std::isfinite(value) ? (value < 0 ? "" : "+") + fixed_text(value, 4) : "-"; }
inline std::string interval_cell(estimate const& e) {
    if (!std::isfinite(e.low)) return signed_cell(e.mean);
    return concat(signed_cell(e.mean), " [", signed_cell(e.low), ", ", signed_cell(e.high), "]");
}

/// How many characters a text has, in UTF-8.
inline std::size_t n_characters(std::string const& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; }));
}
/// The text in one line.
inline std::string one_line(std::string text) {
    for (char& c : text)
        if (c == '\n' || c == '\r') c = ' ';
    return text;
}
/// 95 for 0.95, 99.5 for 0.995.
inline std::string percent_text(double share) {
    auto text = fixed_text(100 * share, 3);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

/// Columns of text, the first to the left, the others to the right.
inline std::string aligned(std::vector<std::vector<std::string>> const& table) {
    std::vector<std::size_t> widths;
    for (auto const& row : table) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], n_characters(row[c]));
    }
    std::string out;
    for (auto const& row : table) {
        for (std::size_t c = 0; c < row.size(); ++c) {
            std::string const space(widths[c] - n_characters(row[c]), ' ');
            out += c == 0 ? row[c] + (row.size() > 1 ? space : "") : "  " + space + row[c];
        }
        out += '\n';
    }
    return out;
}
inline std::string markdown_table(std::vector<std::vector<std::string>> const& table) {
    std::string out;
    for (std::size_t r = 0; r < table.size(); ++r) {
        out += '|';
        for (auto const& text : table[r]) {
            std::string safe;
            for (char const c : text) safe += c == '|' ? std::string("\\|") : std::string(1, c);
            out += ' ' + safe + " |";
        }
        out += '\n';
        if (r > 0) continue;
        for (std::size_t c = 0; c < table[0].size(); ++c) out += c == 0 ? "| --- |" : " ---: |";
        out += '\n';
    }
    return out;
}
inline std::string csv_field(std::string const& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (char const c : text) out.append(c == '"' ? 2 : 1, c);
    return out + '"';
}

}

/// A table of rows (recommenders) x metrics, all over the same users. A handle: a copy shares.
class evaluation {
public:
    evaluation() : m_state(std::make_shared<detail::evaluation_state const>()) {}
    explicit evaluation(detail::evaluation_state state) : m_state(std::make_shared<detail::evaluation_state const>(std::move(state))) {}

    std::vector<std::string> const& rows() const& noexcept { return m_state->rows; }
    std::vector<std::string> rows() const&& { return m_state->rows; }
    std::vector<std::string> const& metrics() const& noexcept { return m_state->metrics; }
    std::vector<std::string> metrics() const&& { return m_state->metrics; }
    /// The users who were judged, rising.
    std::vector<user_index> const& users() const& noexcept { return m_state->users; }
    std::vector<user_index> users() const&& { return m_state->users; }
    judged_report const& judged() const& noexcept { return m_state->judged; }
    judged_report judged() const&& { return m_state->judged; }
    /// What was given for a row. @throws data_error naming a row that is not there.
    lists_report const& lists_of(std::string_view row) const& { return m_state->reports[row_place(row)]; }
    lists_report lists_of(std::string_view row) const&& { return m_state->reports[row_place(row)]; }
    /// What is odd, a sentence each.
    std::vector<std::string> const& warnings() const& noexcept { return m_state->warnings; }
    std::vector<std::string> warnings() const&& { return m_state->warnings; }

    /// One value a user, in the order of users(); empty for a metric over all lists, as coverage is.
    std::span<double const> values(std::string_view row, std::string_view metric) const& {
        return m_state->values[row_place(row)][metric_place(metric)];
    }
    std::span<double const> values(std::string_view, std::string_view) const&& = delete;
    /// The mean over users and its interval; a metric over all lists has none. @throws data_error naming what is not there.
    estimate at(std::string_view row, std::string_view metric) const {
        auto const r = row_place(row), m = metric_place(metric);
        if (m_state->is_total[m]) return {m_state->totals[r][m]};
        return detail::percentile_interval(m_state->totals[r][m], resampled(r, m), m_state->bootstrap.confidence);
    }
    /// a - b in a metric, paired by user, and its interval.
    estimate difference(std::string_view metric, std::string_view a, std::string_view b) const {
        auto const first = row_place(a), second = row_place(b), m = metric_place(metric);
        double const mean = m_state->totals[first][m] - m_state->totals[second][m];
        if (m_state->is_total[m]) return {mean};
        auto means = resampled(first, m);
        auto const others = resampled(second, m);
        for (std::size_t i = 0; i < means.size(); ++i) means[i] -= others[i];
        return detail::percentile_interval(mean, std::move(means), m_state->bootstrap.confidence);
    }

    /// For people: the means, and below them the differences from the baseline with their intervals. A row that knows the future is marked.
    std::string text() const {
        auto out = detail::aligned(means_table());
        if (!has_baseline()) return out;
        return out + '\n' + difference_title() + '\n' + detail::aligned(difference_table());
    }
    std::string markdown() const {
        auto out = detail::markdown_table(means_table());
        if (!has_baseline()) return out;
        return out + '\n' + difference_title() + "\n\n" + detail::markdown_table(difference_table());
    }
    /// A line for each row and metric: row,metric,mean,low,high,difference,difference_low,difference_high; empty where there is nothing.
    std::string csv() const {
        std::string out = "row,metric,mean,low,high,difference,difference_low,difference_high\n";
        for (auto const& row : rows())
            for (auto const& metric : metrics()) {
                auto const e = at(row, metric);
                out += detail::csv_field(row) + ',' + detail::csv_field(metric) + ',' + number(e.mean) + ',' + number(e.low) + ',' +
                       number(e.high);
                if (has_baseline() && row != m_state->baseline) {
                    auto const d = difference(metric, row, m_state->baseline);
                    out += ',' + number(d.mean) + ',' + number(d.low) + ',' + number(d.high) + '\n';
                } else out += ",,,\n";
            }
        return out;
    }

private:
    static std::string number(double value) { return std::isfinite(value) ? detail::number_text(value) : ""; }
    bool has_baseline() const { return !m_state->baseline.empty() && rows().size() > 1; }

    static std::size_t place(std::string_view what, std::vector<std::string> const& names, std::string_view name) {
        auto const at = std::find(names.begin(), names.end(), name);
        if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
        std::string all;
        for (auto const& one : names) all += (all.empty() ? "" : ", ") + one;
        detail::throw_data("evaluation: there is no ", what, ' ', detail::in_quotes(name), "; there are: ", all);
    }
    std::size_t row_place(std::string_view name) const { return place("row", rows(), name); }
    std::size_t metric_place(std::string_view name) const { return place("metric", metrics(), name); }

    /// The means of the resamples of one row and metric.
    std::vector<double> resampled(std::size_t row, std::size_t metric) const {
        std::size_t per_row = 0, before = 0;
        for (std::size_t m = 0; m < metrics().size(); ++m) {
            before += m < metric && !m_state->is_total[m];
            per_row += !m_state->is_total[m];
        }
        std::vector<double> out;
        for (std::size_t at = row * per_row + before; at < m_state->resampled.size(); at += per_row * rows().size())
            out.push_back(m_state->resampled[at]);
        return out;
    }

    std::vector<std::vector<std::string>> means_table() const {
        std::vector<std::vector<std::string>> table{{detail::concat(m_state->judged.users, " users")}};
        table[0].insert(table[0].end(), metrics().begin(), metrics().end());
        for (std::size_t r = 0; r < rows().size(); ++r) {
            table.push_back({shown_name(r)});
            for (double const mean : m_state->totals[r]) table.back().push_back(detail::cell(mean));
        }
        return table;
    }
    /// With a mark where it knows what it must not.
    std::string shown_name(std::size_t row) const { return detail::one_line(rows()[row]) + (m_state->reports[row].leaks ? " (leak)" : ""); }
    std::string difference_title() const {
        auto const from = "Difference from " + detail::one_line(m_state->baseline);
        if (m_state->resampled.empty()) return from;
        return detail::concat(from, ", ", detail::percent_text(m_state->bootstrap.confidence), "% intervals of ",
                              std::size_t{m_state->bootstrap.resamples}, " paired bootstrap resamples of the users");
    }
    std::vector<std::vector<std::string>> difference_table() const {
        std::vector<std::vector<std::string>> table{{""}};
        for (std::size_t r = 0; r < rows().size(); ++r)
            if (rows()[r] != m_state->baseline) table[0].push_back(shown_name(r));
        for (auto const& metric : metrics()) {
            table.push_back({metric});
            for (auto const& row : rows())
                if (row != m_state->baseline) table.back().push_back(detail::interval_cell(difference(metric, row, m_state->baseline)));
        }
        return table;
    }

    std::shared_ptr<detail::evaluation_state const> m_state;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
