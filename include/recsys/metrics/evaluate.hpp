// SPDX-License-Identifier: MIT
// One evaluator for all rows of a table: the same users, k, truth and moment. Lists stream through it.
#ifndef RECSYS_METRICS_EVALUATE_HPP
#define RECSYS_METRICS_EVALUATE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/truth.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/metrics/beyond_accuracy.hpp>
#include <recsys/metrics/hits.hpp>
#include <recsys/metrics/intervals.hpp>
#include <recsys/metrics/judge.hpp>
#include <recsys/metrics/metric.hpp>
#include <recsys/metrics/table.hpp>
#include <recsys/retrieval/eligible.hpp>
#include <recsys/retrieval/lists.hpp>
#include <recsys/retrieval/recommend.hpp>
#include <recsys/retrieval/recommender.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

struct evaluate_options {
    std::string baseline = {}; ///< the row that the others are compared with; empty = the first one
    double confidence = 0.95;  ///< of the intervals, in (0, 1)
    natural resamples = 1000;  ///< bootstrap resamples of the users, at most 1,000,000; 0 = no intervals
    bool include_seen = false; ///< lists may hold what the user has seen, and it counts as relevant where it is in the truth again
    bool cold_users = false;   ///< also judge users without a row in the past
    bool all_truth = false;    ///< everything in the truth is relevant, also what was seen, or is new and in no list
    bool allow_leak = false;   ///< rows may know events after the truth begins; they are marked
    std::uint64_t seed = 0;    ///< of the resamples
    run_options run = {};
};

/// Judges rows of lists against a truth: `recommend(model, users, seen, {.k = 100}, judge.row("als"))`, then `judge.table()`.
///
/// Judged are the users with a row in the truth and in the past, of whose truth at least one item occurs in the past of anybody and (unless
/// include_seen) was not seen by the user himself: these items are relevant. Every mean runs over all of them: a user without a list counts
/// as 0 and is reported, a list of another user is counted and does not matter. With `nothing_seen` everybody in the truth is judged by all items,
/// and novelty, which needs a past, is an error. An item that is listed again hits only once but takes its place.
/// Keeps one double for each row, metric and user; no lists.
class evaluator {
public:
    /// @param seen  what users had before the truth begins; kept by copy.
    /// @throws option_error  for no metrics, two of one name, novelty with nothing_seen, or an option outside its range.
    /// @throws data_error    where truth and seen were made with other ids, a row of seen does not rise, or seen knows events after the truth begins
    ///                       (unless allow_leak).
    template <class Seen>
    evaluator(truth const& labels, Seen const& seen, std::vector<metric> metrics, evaluate_options const& options = {})
        : m_options(options), m_metrics(std::move(metrics)), m_workers(options.run.threads), m_from(labels.from()) {
        constexpr bool says_seen = seen_items<Seen>;
        static_assert(says_seen, "evaluate: the argument after the truth says what was seen: user_items(...) or nothing_seen");
        detail::check_bootstrap("evaluate", bootstrap());
        check_metrics();
        auto const from = detail::provenance_of(seen);
        detail::check_same_encoders("evaluate", "what was seen", from, labels.provenance());
        m_provenance = labels.provenance();
        if (knows_future("what was seen", from.as_of)) m_warnings.push_back(leak_text("what was seen", *from.as_of));
        if (!m_from) m_warnings.push_back("not safe in time: the truth does not begin at one moment");
        if constexpr (says_seen) {
            m_past = detail::judged_past(seen, labels.n_users(), labels.n_items());
            check_past();
            m_truth = detail::judged_truth(labels, m_past, {options.include_seen, options.cold_users, options.all_truth});
        }
        warn_about_users();
    }
    evaluator(evaluator const&) = delete;
    evaluator& operator=(evaluator const&) = delete;

    /// Takes the lists of one row; borrows the evaluator.
    class row_sink {
    public:
        row_sink(evaluator& judge, std::size_t row) noexcept : m_judge(&judge), m_row(row) {}
        /// @throws data_error  where the lists know events after the truth begins (unless allow_leak), were made with other ids, hold an item past the
        ///                     end, or a user comes twice. Nothing of the block has been counted then.
        void operator()(lists const& block) const { m_judge->judge(m_row, block); }

    private:
        evaluator* m_judge;
        std::size_t m_row;
    };
    /// A new row. @throws data_error for a name that is there already.
    [[nodiscard]] row_sink row(std::string name) & {
        for (auto const& other : m_rows)
            if (other.name == name) detail::throw_data("evaluate: there are two rows ", detail::in_quotes(name));
        m_rows.push_back(make_row(std::move(name)));
        return row_sink(*this, m_rows.size() - 1);
    }

    /// Adds a sentence to the warnings of the table.
    void note(std::string sentence) { m_warnings.push_back(std::move(sentence)); }
    /// The users whose lists are wanted; others do not matter.
    std::span<user_index const> users() const& noexcept { return m_truth.users; }
    std::span<user_index const> users() const&& = delete;
    /// The longest k of the metrics: longer lists are cut.
    std::size_t k() const noexcept { return m_k; }

    /// The table of what was given so far. Progress is told of the resamples. @throws option_error for a baseline that is no row.
    /// @throws cancelled where progress stops it.
    /// Cost: O(resamples x users x rows x metrics).
    [[nodiscard]] evaluation table() const {
        detail::evaluation_state out;
        for (auto const& m : m_metrics) out.metrics.push_back(m.name()), out.is_total.push_back(m.is_total());
        out.users = m_truth.users, out.judged = m_truth.report, out.bootstrap = bootstrap(), out.warnings = m_warnings;
        out.baseline = baseline();
        for (auto const& row : m_rows) {
            out.rows.push_back(row.name);
            out.values.push_back(row.values);
            out.totals.push_back(totals_of(row));
            out.reports.push_back(row.report);
            out.reports.back().missing = m_truth.users.size() - row.n_given;
            warn_about(row, out.reports.back(), out.warnings);
        }
        warn_about_moments(out.warnings);
        resample(out);
        return evaluation(std::move(out));
    }

private:
    struct row_state {
        std::string name;
        std::vector<std::vector<double>> values;        // metric, user
        std::vector<std::vector<std::uint64_t>> counts; // metric (totals only), item
        std::vector<bool> has_list;
        std::size_t n_given = 0; // users with a list that is not empty
        lists_report report;
    };
    /// A worker's memory.
    struct scratch {
        std::vector<item_index> items;
        hit_list hits;
    };

    bootstrap_options bootstrap() const { return {m_options.confidence, m_options.resamples, m_options.seed, m_options.run}; }

    void check_metrics() {
        if (m_metrics.empty()) detail::throw_option("evaluate: name at least one metric");
        for (std::size_t i = 0; i < m_metrics.size(); ++i) {
            m_k = std::max(m_k, m_metrics[i].k());
            for (std::size_t j = 0; j < i; ++j)
                if (m_metrics[i].name() == m_metrics[j].name())
                    detail::throw_option("evaluate: there are two metrics ", m_metrics[i].name());
        }
    }
    void check_past() const {
        if (m_past.is_known) return;
        for (auto const& m : m_metrics)
            if (m.what() == metric::kind::past || m.what() == metric::kind::bits)
                detail::throw_option("evaluate: ", m.name(), " needs what users had before: give user_items(...) in place of nothing_seen");
    }
    std::string leak_text(std::string_view what, time_point as_of) const {
        return detail::concat(what, " knows events up to ", detail::time_text(as_of), ", the truth begins at ", detail::time_text(*m_from));
    }
    /// @throws data_error  if it does and must not.
    bool knows_future(std::string_view what, std::optional<time_point> as_of) const {
        if (!detail::knows_after(as_of, m_from)) return false;
        if (!m_options.allow_leak) detail::throw_data("evaluate: ", leak_text(what, *as_of), " (.allow_leak = true takes it as it is)");
        return true;
    }
    void warn_about_users() {
        auto const& report = m_truth.report;
        if (report.users == 0) m_warnings.push_back("nobody is judged: no user has a history and something relevant in the truth");
        else if (report.users < 100) m_warnings.push_back(detail::concat("only ", report.users, " users are judged"));
    }

    row_state make_row(std::string name) const {
        row_state out;
        out.name = std::move(name);
        out.has_list.resize(m_truth.users.size());
        for (auto const& m : m_metrics) {
            out.values.emplace_back(m.is_total() ? 0 : m_truth.users.size(), 0.0);
            out.counts.emplace_back(m.is_total() ? m_past.users_of.size() : 0, std::uint64_t{0});
        }
        return out;
    }

    void judge(std::size_t row_number, lists const& block) {
        auto& row = m_rows[row_number];
        auto const what = detail::concat("row ", detail::in_quotes(row.name));
        auto const as_of = block.provenance().as_of;
        detail::check_same_encoders("evaluate", what, block.provenance(), m_provenance);
        bool const leaks = knows_future(what, as_of);
        auto const judged = judged_lists(what, row, block);
        row.report.leaks = row.report.leaks || leaks;
        if (as_of && (!row.report.as_of || *row.report.as_of < *as_of)) row.report.as_of = as_of;
        row.report.unjudged += block.size() - judged.size();
        for (auto const& [place, i] : judged) row.has_list[place] = true;
        std::vector<scratch> scratches(m_workers.size());
        m_workers.blocks(judged.size(), 64, [&](std::size_t first, std::size_t last, std::size_t worker) {
            for (std::size_t i = first; i < last; ++i) judge_user(row, judged[i].first, block[judged[i].second].list, scratches[worker]);
        });
        for (auto const& [place, i] : judged) count(row, place, block[i].list);
    }

    /// The lists of a block that matter, each as (place of the user, place in the block).
    std::vector<std::pair<std::size_t, std::size_t>> judged_lists(std::string_view what, row_state const& row, lists const& block) const {
        std::vector<std::pair<std::size_t, std::size_t>> out;
        for (std::size_t i = 0; i < block.size(); ++i) {
            auto const [user, list] = block[i];
            auto const place = m_truth.place(user);
            if (place == m_truth.users.size()) continue;
            for (auto const& one : list)
                if (to_size(one.item) >= m_past.users_of.size())
                    detail::throw_data("evaluate: ", what, " lists item ", to_size(one.item), " for user ", to_size(user),
                                       ", expected below ", m_past.users_of.size(), ", the number of items");
            out.emplace_back(place, i);
        }
        auto places = std::vector<std::size_t>();
        for (auto const& one : out) places.push_back(one.first);
        std::sort(places.begin(), places.end());
        for (std::size_t i = 0; i < places.size(); ++i)
            if (row.has_list[places[i]] || (i > 0 && places[i - 1] == places[i]))
                detail::throw_data("evaluate: ", what, " has two lists of user ", to_size(m_truth.users[places[i]]));
        return out;
    }

    void judge_user(row_state& row, std::size_t place, std::span<scored const> list, scratch& own) const {
        own.items.clear();
        for (auto const& one : list.first(std::min(list.size(), m_k))) own.items.push_back(one.item);
        std::span<item_index const> const shown = own.items;
        auto const relevant = m_truth.relevant(place), had = m_past.items(m_truth.users[place]);
        for (std::size_t m = 0; m < m_metrics.size(); ++m) {
            auto const& wanted = m_metrics[m];
            if (wanted.is_total()) continue;
            double& value = row.values[m][place];
            switch (wanted.what()) {
            case metric::kind::hits: detail::find_hits(shown, relevant, wanted.k(), own.hits), value = wanted.of_hits(own.hits); break;
            case metric::kind::past: detail::find_hits(shown, had, wanted.k(), own.hits), value = wanted.of_hits(own.hits); break;
            case metric::kind::bits: value = bits_of(shown.first(std::min(shown.size(), wanted.k()))); break;
            default: value = wanted.of_list({shown.first(std::min(shown.size(), wanted.k())), relevant, had});
            }
            if (!std::isfinite(value))
                detail::throw_data("evaluate: ", wanted.name(), " of row ", detail::in_quotes(row.name), " is not finite for user ",
                                   to_size(m_truth.users[place]));
        }
    }
    double bits_of(std::span<item_index const> shown) const {
        if (m_past.n_users == 0) return 0;
        return novelty_bits(std::max<std::size_t>(shown.size(), 1))(
            shown, [&](item_index item) { return m_past.users_of[to_size(item)]; }, m_past.n_users);
    }

    void count(row_state& row, std::size_t place, std::span<scored const> list) {
        auto const shown = list.first(std::min(list.size(), m_k));
        auto const had = m_past.items(m_truth.users[place]);
        ++row.report.lists;
        row.n_given += !list.empty();
        row.report.shorter += !list.empty() && list.size() < m_k;
        row.report.slots += shown.size();
        for (auto const& one : shown) row.report.seen_slots += detail::is_among(had, one.item);
        for (std::size_t m = 0; m < m_metrics.size(); ++m)
            if (m_metrics[m].is_total())
                for (auto const& one : shown.first(std::min(shown.size(), m_metrics[m].k()))) ++row.counts[m][to_size(one.item)];
    }

    std::vector<double> totals_of(row_state const& row) const {
        std::vector<double> out;
        for (std::size_t m = 0; m < m_metrics.size(); ++m) {
            if (m_metrics[m].what() == metric::kind::gini) out.push_back(gini::of_counts(row.counts[m]));
            else if (m_metrics[m].is_total()) {
                auto const n = static_cast<double>(row.counts[m].size() -
                                                   static_cast<std::size_t>(std::count(row.counts[m].begin(), row.counts[m].end(), 0u)));
                out.push_back(row.counts[m].empty() ? 0 : n / static_cast<double>(row.counts[m].size()));
            } else out.push_back(detail::mean_value(row.values[m]));
        }
        return out;
    }

    std::string baseline() const {
        if (m_options.baseline.empty()) return m_rows.empty() ? std::string() : m_rows.front().name;
        for (auto const& row : m_rows)
            if (row.name == m_options.baseline) return row.name;
        detail::throw_option("evaluate: the baseline ", detail::in_quotes(m_options.baseline), " is no row of the table");
    }
    void resample(detail::evaluation_state& out) const {
        std::vector<std::span<double const>> columns;
        for (std::size_t r = 0; r < out.rows.size(); ++r)
            for (std::size_t m = 0; m < out.metrics.size(); ++m)
                if (!out.is_total[m]) columns.push_back(out.values[r][m]);
        detail::team workers(m_options.run.threads);
        out.resampled = detail::resampled_means(columns, out.bootstrap, workers);
    }

    void warn_about(row_state const& row, lists_report const& report, std::vector<std::string>& warnings) const {
        auto const name = detail::in_quotes(row.name);
        if (report.leaks)
            warnings.push_back(leak_text(detail::concat("row ", name), *report.as_of) + ": its figures say nothing about the future");
        if (report.missing > 0)
            warnings.push_back(detail::concat("row ", name, ": ", report.missing, " of ", m_truth.users.size(),
                                              " judged users got no recommendations and count as 0"));
        if (report.shorter > 0)
            warnings.push_back(detail::concat("row ", name, ": ", report.shorter, " of ", m_truth.users.size(),
                                              " judged users got fewer than the ", m_k,
                                              " items that the metrics look at; what is not there is no hit"));
        if (report.seen_slots > 0)
            warnings.push_back(detail::concat("row ", name, ": items that the user had seen take ", report.seen_slots, " of ", report.slots,
                                              " slots", repeats_text()));
    }
    std::string repeats_text() const {
        auto const& judged = m_truth.report;
        if (judged.repeated_pairs == 0) return ", and nobody takes a seen item again: they can never be a hit";
        if (!m_options.include_seen) return ", where they can never be a hit";
        return detail::concat("; ", judged.repeated_pairs, " of the ", judged.pairs, " pairs of the truth repeat an earlier one");
    }
    void warn_about_moments(std::vector<std::string>& warnings) const {
        for (std::size_t r = 1; r < m_rows.size(); ++r)
            if (m_rows[r].report.as_of && m_rows[0].report.as_of && *m_rows[r].report.as_of != *m_rows[0].report.as_of)
                warnings.push_back(detail::concat("row ", detail::in_quotes(m_rows[r].name), " is as of ",
                                                  detail::time_text(*m_rows[r].report.as_of), ", row ", detail::in_quotes(m_rows[0].name),
                                                  " as of ", detail::time_text(*m_rows[0].report.as_of)));
        for (auto const& m : m_metrics)
            if (m.what() == metric::kind::past && !m_options.include_seen && m_past.is_known)
                warnings.push_back(m.name() + " is 1 by construction where seen items are left out, for every user with a list");
    }

    evaluate_options m_options;
    std::vector<metric> m_metrics;
    std::size_t m_k = 0;
    mutable detail::team m_workers;
    std::optional<time_point> m_from;
    recsys::provenance m_provenance;
    detail::judged_past m_past;
    detail::judged_truth m_truth;
    std::vector<row_state> m_rows;
    std::vector<std::string> m_warnings;
};

/// A row of a table: a name, and a model, a scorer of yours, two stages, or lists that are ready; `std::cref(x)` is read in place.
struct contender {
    template <class R> contender(std::string title, R const& r) : name(std::move(title)), lists_of(r) {
        if constexpr (std::same_as<R, lists>) ready = r;
    }
    std::string name;
    any_recommender lists_of;
    std::optional<lists> ready = {}; ///< what was given, where it is lists
};

namespace detail {

/// Before anything is computed. @throws data_error for two rows of one name. @throws option_error for a baseline that is no row.
inline void check_contenders(std::vector<contender> const& rows, std::string const& baseline) {
    bool is_there = baseline.empty();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        is_there = is_there || rows[i].name == baseline;
        for (std::size_t j = 0; j < i; ++j)
            if (rows[i].name == rows[j].name) throw_data("evaluate: there are two rows ", in_quotes(rows[i].name));
    }
    if (!is_there) throw_option("evaluate: the baseline ", in_quotes(baseline), " is no row of the table");
}

/// How many of the first k items of ready lists their users had seen. @param users rising: whose lists matter.
template <class Seen> std::size_t count_seen(lists const& ready, std::span<user_index const> users, Seen const& seen, std::size_t k) {
    std::size_t n = 0;
    for (auto const& [user, list] : ready) {
        if (!std::binary_search(users.begin(), users.end(), user)) continue;
        auto const& row = seen.seen(user); // may be returned by value
        std::span<item_index const> const had = row;
        for (auto const& one : list.first(std::min(list.size(), k))) n += is_among(had, one.item);
    }
    return n;
}

}

/// Recommends for everybody who is judged and compares: one table, the same users, truth and moment for every row.
///
/// @param rows     in the order of the table: `{{"popular", popular}, {"als", als}}`. Seen items are left out of ready lists too, with a warning.
/// @param labels   the future window, or any truth.
/// @param seen     what was seen before it: left out of the lists unless `include_seen`, and the base of novelty; see `evaluator` for who is judged.
/// @param metrics  for example `{precision(5), ndcg(10), coverage(5)}`; lists are as long as the longest k.
/// @throws data_error    where rows, truth and seen do not belong together, two rows have one name, or a row knows events after the truth begins.
/// @throws option_error  for an option outside its range. @throws cancelled where progress stops it.
template <class Seen> [[nodiscard]] evaluation evaluate(std::vector<contender> const& rows, truth const& labels, Seen const& seen,
                                                        std::vector<metric> const& metrics, evaluate_options const& options = {}) {
    constexpr bool says_seen = seen_items<Seen>;
    static_assert(says_seen, "evaluate: the third argument says what was seen: user_items(...) or nothing_seen");
    if constexpr (says_seen) {
        detail::check_contenders(rows, options.baseline);
        evaluator judge(labels, seen, metrics, options);
        for (auto const& row : rows) {
            auto const report = recommend(row.lists_of, judge.users(), seen,
                                          {.k = judge.k(), .include_seen = options.include_seen, .run = options.run}, judge.row(row.name));
            if (report.stopped) detail::throw_cancelled("evaluate: stopped by the progress callback in row ", detail::in_quotes(row.name));
            for (auto const& warning : report.warnings) judge.note(detail::concat("row ", detail::in_quotes(row.name), ": ", warning));
            auto const n_seen = row.ready && !options.include_seen ? detail::count_seen(*row.ready, judge.users(), seen, judge.k()) : 0;
            if (n_seen > 0)
                judge.note(detail::concat("row ", detail::in_quotes(row.name), ": ", n_seen,
                                          " items that the user had seen were left out of the first ", judge.k(), " of the lists given"));
        }
        return judge.table();
    }
    return {};
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
