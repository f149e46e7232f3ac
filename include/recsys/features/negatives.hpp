// SPDX-License-Identifier: MIT
// Training rows of a ranker: candidates of the pool, targets by lookup in the labels, all positives and a sample of the negatives.
#ifndef RECSYS_FEATURES_NEGATIVES_HPP
#define RECSYS_FEATURES_NEGATIVES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/truth.hpp>
#include <recsys/features/builder.hpp>
#include <recsys/features/frames.hpp>
#include <recsys/features/sources.hpp>
#include <recsys/features/step.hpp>
#include <recsys/retrieval/recommender.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Any callable taking `frame const&`; returning nothing it never stops, returning false it stops the work.
class frame_sink {
public:
    frame_sink() = default;
    template <std::invocable<frame const&> Function>
        requires(!std::same_as<std::remove_cvref_t<Function>, frame_sink>)
    frame_sink(Function f) : m_call([f = std::move(f)](frame const& rows) mutable { return detail::goes_on(f, rows); }) {}
    /// Whether to go on.
    bool operator()(frame const& rows) const { return !m_call || m_call(rows); }
    explicit operator bool() const noexcept { return static_cast<bool>(m_call); }

private:
    std::function<bool(frame const&)> m_call;
};

struct training_options {
    natural negatives_per_user = 5;       ///< at most, drawn without replacement
    bool users_without_positives = false; ///< keep a sample of their negatives too
    bool include_seen = false;            ///< candidates that the user has seen before
    bool allow_leak = false;              ///< features that know events after the labels begin
    /// Is given every candidate before sampling, a block of users at a time: the pool's columns, users, items and targets.
    frame_sink candidates = {};
    natural block = 4096; ///< users at a time; changes no result
    std::uint64_t seed = 0;
    run_options run = {};
};

/// Rows at one point of the way.
struct training_counts {
    std::size_t users = 0, rows = 0, positives = 0, negatives = 0;
};

/// What became of the labels and the candidates.
struct training_report {
    std::size_t label_users = 0;        ///< users with an event in the labels
    std::size_t without_history = 0;    ///< of these, without an event before the moment: left out
    std::size_t without_candidates = 0; ///< of the others, for whom the pool has nothing: left out
    std::size_t label_pairs = 0;        ///< distinct (user, item) of the labels, of users with history
    training_counts candidates;         ///< before sampling
    training_counts kept;               ///< in the frame
    bool safe_in_time = true;           ///< the labels begin at one moment and no feature knows events from then on

    /// The share of the label pairs that are among the candidates: no ranker can find the others.
    double found() const noexcept {
        return label_pairs == 0 ? 0 : static_cast<double>(candidates.positives) / static_cast<double>(label_pairs);
    }
    /// What is odd, a sentence each.
    std::vector<std::string> warnings() const {
        std::vector<std::string> out;
        if (label_users == 0) out.push_back("the labels have no events: nothing can be learnt from them");
        else if (label_users == without_history) out.push_back("no user of the labels has an event before them");
        else if (candidates.positives == 0) out.push_back("no candidate is in the labels: there are no positives");
        else if (kept.negatives == 0) out.push_back("there are no negatives");
        if (!safe_in_time) out.push_back("not safe in time: features may know events of the labels");
        return out;
    }
};

/// Rows to train a ranker on, and how they came about.
struct training_rows {
    recsys::frame frame;
    training_report report;
};

namespace detail {

/// 1 where (user, item) is in the labels, else 0.
inline std::vector<float> targets_of(candidate_rows const& rows, truth const& labels) {
    std::vector<float> out(rows.size());
    for (std::size_t g = 0; g < rows.users.size(); ++g) {
        auto const items = labels.items(rows.users[g]);
        for (std::size_t row = rows.first(g); row < rows.ends[g]; ++row)
            out[row] = std::binary_search(items.begin(), items.end(), rows.items[row]) ? 1.f : 0.f;
    }
    return out;
}

/// The rows of [first, last) to keep, rising: every positive, and at most n of the negatives, drawn without replacement.
/// The draw depends on the random stream and the targets alone.
inline std::vector<std::size_t> sample_rows(std::span<float const> targets, std::size_t first, std::size_t last, std::size_t n,
                                            random_stream random) {
    std::vector<std::size_t> kept, negatives;
    for (std::size_t row = first; row < last; ++row) (targets[row] > 0 ? kept : negatives).push_back(row);
    for (std::size_t i = 0; i < std::min(n, negatives.size()); ++i) {
        std::swap(negatives[i], negatives[i + static_cast<std::size_t>(random.below(negatives.size() - i))]);
        kept.push_back(negatives[i]);
    }
    std::sort(kept.begin(), kept.end());
    return kept;
}

inline void count_rows(training_counts& counts, candidate_rows const& rows, std::span<float const> targets) {
    auto const positives = static_cast<std::size_t>(std::count_if(targets.begin(), targets.end(), [](float t) { return t > 0; }));
    counts.users += rows.users.size(), counts.rows += rows.size();
    counts.positives += positives, counts.negatives += rows.size() - positives;
}

/// @returns whether it is known that no feature knows an event from the beginning of the labels on.
inline bool check_labels(feature_recipe const& recipe, truth const& labels, bool allow_leak) {
    check_same_encoders("training_frame", "the truth", labels.provenance(), recipe.provenance());
    bool const leaks = knows_after(recipe.as_of(), labels.from());
    if (leaks && !allow_leak)
        throw_data("training_frame: the features know events up to ", time_text(*recipe.as_of()), ", the labels begin at ",
                   time_text(*labels.from()),
                   ": make the features from events before the labels (.allow_leak = true takes them as they are)");
    return !leaks && recipe.as_of() && labels.from();
}

/// Samples while it streams: only the kept rows of a block outlive it, and only for these the other features are computed.
class training_sampler {
public:
    training_sampler(feature_recipe const& recipe, truth const& labels, training_options const& options)
        : m_recipe(recipe), m_labels(labels), m_options(options), m_workers(options.run.threads) {
        m_report.safe_in_time = check_labels(recipe, labels, options.allow_leak);
        m_eligible.include_seen = options.include_seen;
        m_eligible.run.threads = options.run.threads;
        m_eligible = without_seen(std::move(m_eligible), recipe.seen);
        m_pool_steps = pool_steps(recipe.pool);
        m_kept.pool_numbers.resize(m_pool_steps.size());
    }

    training_rows run() {
        auto const users = users_with_history();
        progress_reporter progress(m_options.run.progress, "training_frame", users.size());
        for_user_blocks(users, m_options.block, "training_frame", [&](std::span<user_index const> block, std::size_t done) {
            add_block(block);
            progress.report_or_throw(done + block.size());
            return true;
        });
        count_rows(m_report.kept, m_kept, m_targets);
        std::optional<time_point> last;
        if (auto const times = m_labels.event_times(); !times.empty()) last = times.back() + time_point::duration(1);
        return {frame_of(m_recipe.shown, m_kept, std::move(m_targets), m_recipe.as_of(), m_workers, last), m_report};
    }

private:
    std::vector<user_index> users_with_history() {
        std::vector<user_index> out;
        for (auto const user : m_labels.active_users()) {
            if (m_recipe.known->by_user.items(user).empty()) continue;
            out.push_back(user);
            m_report.label_pairs += m_labels.items(user).size();
        }
        m_report.label_users = m_labels.active_users().size();
        m_report.without_history = m_report.label_users - out.size();
        return out;
    }

    void add_block(std::span<user_index const> users) {
        auto const rows = pool_rows(m_recipe.pool, users, m_eligible);
        m_report.without_candidates += users.size() - rows.users.size();
        if (rows.size() == 0) return;
        auto const targets = targets_of(rows, m_labels);
        count_rows(m_report.candidates, rows, targets);
        if (m_options.candidates && !m_options.candidates(frame_of(m_pool_steps, rows, targets, m_recipe.as_of(), m_workers)))
            throw_cancelled("training_frame: stopped by the sink of candidates");
        append_rows(m_kept, rows, [&](std::size_t g) { return rows_to_keep(rows, targets, g); });
    }

    std::vector<std::size_t> rows_to_keep(candidate_rows const& rows, std::span<float const> targets, std::size_t g) {
        std::size_t const first = rows.first(g), last = static_cast<std::size_t>(rows.ends[g]);
        auto const group = targets.subspan(first, last - first);
        if (!m_options.users_without_positives && std::find(group.begin(), group.end(), 1.f) == group.end()) return {};
        auto kept = sample_rows(targets, first, last, m_options.negatives_per_user, random_stream(m_options.seed, to_size(rows.users[g])));
        for (auto const row : kept) m_targets.push_back(targets[row]);
        return kept;
    }

    feature_recipe const& m_recipe;
    truth const& m_labels;
    training_options const& m_options;
    team m_workers;
    recommend_options m_eligible;
    std::vector<feature_step_ptr> m_pool_steps;
    candidate_rows m_kept;
    std::vector<float> m_targets;
    training_report m_report;
};

}

/// Candidates with targets, sampled, and a report of what there was before.
///
/// Users are those with an event before the features' moment and one in the labels, for whom the pool has candidates. The target of a row is 1
/// where (user, item) occurs in the labels, else 0: labels add no rows. Users with a positive are kept (`users_without_positives` keeps all),
/// with all positives and at most `negatives_per_user` negatives, drawn without replacement by a random stream of (seed, user): the sample does
/// not depend on the block size, the number of threads, or which other users there are. Rows keep the order of the pool, grouped by user.
/// @throws data_error  where the features know events after the labels begin (unless allow_leak), or other ids.
/// @throws cancelled   where progress or the sink of candidates stops: a part would be another sample.
template <class User, class Item> [[nodiscard]] training_rows training_set(feature_set<User, Item> const& features, truth const& labels,
                                                                           training_options const& options = {}) {
    return detail::training_sampler(detail::feature_access::recipe(features), labels, options).run();
}

/// The frame of `training_set`.
template <class User, class Item>
[[nodiscard]] frame training_frame(feature_set<User, Item> const& features, truth const& labels, training_options const& options = {}) {
    return recsys::training_set(features, labels, options).frame;
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
