// SPDX-License-Identifier: MIT
// Popularity: the same list for everybody, from who took what, over all time or lately.
#ifndef RECSYS_MODELS_POPULARITY_HPP
#define RECSYS_MODELS_POPULARITY_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>
#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/events.hpp>
#include <recsys/matrix/builder.hpp>
#include <recsys/matrix/offsets.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What counts. With a half life each count, and each row of a mean, weighs 2^-(age / half_life); what is some 150 half lives old weighs nothing.
enum class popularity_by {
    distinct_users, ///< users with an event of the item; with a half life the age is that of the user's last one
    plays,          ///< events
    total_weight,   ///< the sum of their weights
    mean_rating     ///< the mean of their weights, however few they are
};

struct popularity_options {
    popularity_by by = popularity_by::distinct_users;
    std::optional<std::chrono::days> window = {};    ///< only events of the last so many days before as_of()
    std::optional<std::chrono::days> half_life = {}; ///< older events count less
    run_options run = {};
};

/// One score an item. A handle: a copy shares. Immutable, safe to read from many threads.
class popularity_model {
public:
    popularity_model() = default;
    popularity_model(detail::shared_array<float> scores, detail::shared_array<std::uint8_t> known, std::size_t n_users,
                     recsys::provenance from)
        : m_scores(std::move(scores)), m_known(std::move(known)), m_n_users(n_users), m_provenance(std::move(from)) {
        if (m_known.size() != m_scores.size())
            detail::throw_data("popularity: ", m_scores.size(), " scores and ", m_known.size(), " flags do not go together");
        std::vector<scored> ranking;
        for (std::size_t i = 0; i < m_scores.size(); ++i)
            if (m_known[i] != 0) ranking.push_back({static_cast<item_index>(i), m_scores[i]});
        std::stable_sort(ranking.begin(), ranking.end(), [](scored const& a, scored const& b) { return a.score > b.score; });
        m_ranking = detail::shared_array<scored>(std::move(ranking));
    }

    std::size_t n_items() const noexcept { return m_scores.size(); }
    std::size_t n_users() const noexcept { return m_n_users; }
    /// One score for each item, 0 where it has no events. The mean of negative ratings is negative, so look at knows() too.
    std::span<float const> scores() const& noexcept { return m_scores.span(); }
    std::span<float const> scores() const&& = delete;
    /// Whether the item has an event in the window: others are never listed.
    bool knows(item_index item) const noexcept { return to_size(item) < n_items() && m_known[to_size(item)] != 0; }

    /// The known items, best first; equal scores in rising item order.
    std::span<scored const> ranking() const& noexcept { return m_ranking.span(); }
    std::span<scored const> ranking() const&& = delete;

    /// The scores, the same for every user. @throws data_error for a span that is not n_items() long.
    void score(user_index, std::span<float> out) const {
        if (out.size() != n_items())
            detail::throw_data("popularity: score: room for ", out.size(), " scores, there are ", n_items(), " items");
        std::copy(m_scores.begin(), m_scores.end(), out.begin());
    }
    void score(user_index, std::span<item_index const> items, std::span<float> out) const {
        if (out.size() != items.size())
            detail::throw_data("popularity: score: room for ", out.size(), " scores of ", items.size(), " items");
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (to_size(items[i]) >= n_items())
                detail::throw_data("popularity: score: item ", to_size(items[i]), ", there are ", n_items());
            out[i] = m_scores[to_size(items[i])];
        }
    }

    std::optional<time_point> as_of() const noexcept { return m_provenance.as_of; }
    recsys::provenance const& provenance() const& noexcept { return m_provenance; }
    recsys::provenance provenance() const&& { return m_provenance; }

private:
    friend struct detail::archived<popularity_model>;
    detail::shared_array<float> m_scores;
    detail::shared_array<std::uint8_t> m_known;
    detail::shared_array<scored> m_ranking;
    std::size_t m_n_users = 0;
    recsys::provenance m_provenance;
};

namespace detail {

/// The rows of some events that count, and what each weighs.
class popularity_rows {
public:
    popularity_rows(events const& past, popularity_options const& o) : m_past(past) {
        bool const dated = past.event_times().size() == past.size();
        if (o.window) {
            if (o.window->count() < 1 || o.window->count() > 1000000)
                throw_option("popularity: window must be in [1, 1000000] days, got ", o.window->count());
            if (!dated) throw_data("popularity: window needs events with times, these have none");
            auto const times = past.event_times();
            if (!times.empty())
                m_first = static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), *past.as_of() - *o.window) - times.begin());
        }
        if (o.half_life) m_decays = decays(past, *o.half_life, "popularity"), m_half_life = *o.half_life;
    }
    std::size_t first() const noexcept { return m_first; }
    std::size_t last() const noexcept { return m_past.size(); }
    double decay_of(std::size_t row) const noexcept { return m_decays.empty() ? 1 : m_decays[row]; }
    double decay_between(std::size_t row, std::size_t later) const noexcept {
        if (m_decays.empty()) return 1;
        std::chrono::duration<double> const age = m_past.event_times()[later] - m_past.event_times()[row];
        return decay(age.count(), m_half_life.count());
    }
    events const& past() const noexcept { return m_past; }

private:
    events const& m_past;
    std::size_t m_first = 0;
    buffer<double> m_decays;
    std::chrono::duration<double> m_half_life{1};
};

/// For each item the sum over its users of the decay of their last event. O(rows + users + items).
inline std::vector<double> distinct_user_sums(popularity_rows const& rows) {
    auto const users = rows.past().event_users().subspan(rows.first());
    auto const items = rows.past().event_items().subspan(rows.first());
    std::size_t const n_items = rows.past().n_items();
    auto const offsets = count_offsets(items, n_items, "popularity", "item");
    auto place = next_places(offsets);
    buffer<std::uint64_t> order(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) order[static_cast<std::size_t>(place[to_size(items[i])]++)] = i;
    std::vector<std::uint64_t> last_item(rows.past().n_users(), n_items);
    std::vector<double> out(n_items);
    for (std::size_t item = 0; item < n_items; ++item)
        for (auto at = offsets[item + 1]; at > offsets[item];) { // backwards: the last event of a user comes first
            auto const row = static_cast<std::size_t>(order[static_cast<std::size_t>(--at)]);
            if (std::exchange(last_item[to_size(users[row])], item) != item) out[item] += rows.decay_of(rows.first() + row);
        }
    return out;
}

/// For each item the sum over its rows of their decay, or of their decayed weights.
inline std::vector<double> event_sums(popularity_rows const& rows, bool weighted) {
    std::vector<double> sum(rows.past().n_items());
    for (std::size_t row = rows.first(); row < rows.last(); ++row) {
        double const decay = rows.decay_of(row);
        sum[to_size(rows.past().event_items()[row])] += weighted ? decay * static_cast<double>(rows.past().weight(row)) : decay;
    }
    return sum;
}

/// For each item the mean weight of its rows. They decay from its own last row on, so that old items keep a mean.
inline std::vector<double> event_means(popularity_rows const& rows) {
    std::size_t const n_items = rows.past().n_items();
    std::vector<double> sum(n_items), total(n_items);
    std::vector<std::size_t> last_row(n_items, rows.last());
    for (std::size_t row = rows.last(); row > rows.first();) {
        auto const item = to_size(rows.past().event_items()[--row]);
        if (last_row[item] == rows.last()) last_row[item] = row;
        double const decay = rows.decay_between(row, last_row[item]);
        sum[item] += decay * static_cast<double>(rows.past().weight(row)), total[item] += decay;
    }
    for (std::size_t i = 0; i < n_items; ++i)
        if (total[i] > 0) sum[i] /= total[i];
    return sum;
}

inline std::vector<double> popularity_scores(popularity_rows const& rows, popularity_by by) {
    switch (by) {
    case popularity_by::plays: return event_sums(rows, false);
    case popularity_by::total_weight: return event_sums(rows, true);
    case popularity_by::mean_rating: return event_means(rows);
    case popularity_by::distinct_users: break;
    }
    return distinct_user_sums(rows);
}

}

/// Scores items by how many took them. Items without events (in the window) are never recommended; ties go to the smaller index.
///
/// Undated events will do unless a window or a half life is asked for. O(events + users + items log items).
class popularity {
public:
    explicit popularity(popularity_options options = {}) : m_options(std::move(options)) {}

    /// @throws option_error  for a window that is not in [1, 1000000] days, or a half life below one day.
    /// @throws data_error    for a window or half life on events without times.
    [[nodiscard]] popularity_model fit(events const& past) const {
        detail::progress_reporter progress(m_options.run.progress, "popularity", past.size());
        progress.report_or_throw(0);
        detail::popularity_rows const rows(past, m_options);
        auto const sums = detail::popularity_scores(rows, m_options.by);
        detail::buffer<float> scores(past.n_items());
        detail::buffer<std::uint8_t> known(past.n_items(), std::uint8_t{0});
        for (std::size_t i = 0; i < sums.size(); ++i) {
            scores[i] = static_cast<float>(sums[i]);
            if (!std::isfinite(scores[i]))
                detail::throw_data("popularity: the score of item ", i, " is ", sums[i], ", expected a finite number");
        }
        for (auto const item : past.event_items().subspan(rows.first())) known[to_size(item)] = 1;
        progress.report_or_throw(past.size());
        return popularity_model(std::move(scores), std::move(known), past.n_users(), past.provenance());
    }

private:
    popularity_options m_options;
};

namespace detail {

template <> struct archived<popularity_model> {
    static std::string name() { return "popularity_model"; }
    static void save(popularity_model const& model, object_writer& out) {
        out.array("scores", model.m_scores);
        out.array("known", model.m_known);
        out.value("users", static_cast<std::uint64_t>(model.m_n_users));
        save_provenance(model.m_provenance, out);
    }
    static popularity_model load(object_reader const& in) {
        auto const scores = in.array<float>("scores");
        for (std::size_t i = 0; i < scores.size(); ++i)
            if (!std::isfinite(scores[i])) in.fail("scores", concat("is not finite at ", i));
        auto const users = in.value<std::uint64_t>("users");
        if (users > max_index_count || scores.size() > max_index_count) in.fail("users", "is not the size of a model");
        return popularity_model(scores, in.array<std::uint8_t>("known", scores.size()), static_cast<std::size_t>(users),
                                load_provenance(in));
    }
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
