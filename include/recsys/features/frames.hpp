// SPDX-License-Identifier: MIT
// Candidate rows with their features, a block of users at a time: all candidates of all users never have to exist at once.
#ifndef RECSYS_FEATURES_FRAMES_HPP
#define RECSYS_FEATURES_FRAMES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/features/builder.hpp>
#include <recsys/features/sources.hpp>
#include <recsys/features/step.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/retrieval/recommender.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// A user, or a range of users, as an array.
template <class Who> std::vector<user_index> users_of(Who const& who) {
    if constexpr (std::same_as<Who, user_index>) return {who};
    else {
        std::vector<user_index> out;
        for (user_index const user : who) out.push_back(user);
        return out;
    }
}
template <class Who> constexpr bool is_who() {
    if constexpr (std::same_as<Who, user_index>) return true;
    else if constexpr (std::ranges::input_range<Who const>) return std::same_as<std::ranges::range_value_t<Who const>, user_index>;
    else return false;
}

/// f(users of a block, users before it) until it returns false.
template <class Function>
void for_user_blocks(std::span<user_index const> users, std::size_t block, std::string_view where, Function const& f) {
    if (block == 0) throw_option(where, ": block must be at least 1, got 0");
    for (std::size_t first = 0; first < users.size(); first += block)
        if (!f(users.subspan(first, std::min(block, users.size() - first)), first)) return;
}

/// Adds rows of `from` to `to`: for each group g the rows that keep(g) names, rising; a group without any is left out.
template <class Keep> void append_rows(candidate_rows& to, candidate_rows const& from, Keep const& keep) {
    to.pool_numbers.resize(from.pool_numbers.size());
    for (std::size_t g = 0; g < from.users.size(); ++g) {
        std::vector<std::size_t> const rows = keep(g);
        if (rows.empty()) continue;
        for (auto const row : rows) to.items.push_back(from.items[row]);
        for (std::size_t c = 0; c < from.pool_numbers.size(); ++c)
            for (auto const row : rows) to.pool_numbers[c].push_back(from.pool_numbers[c][row]);
        to.users.push_back(from.users[g]);
        to.ends.push_back(to.items.size());
    }
}

/// Counts a block in a report.
template <class Seen> void count_block(stream_report& report, std::span<user_index const> users, candidate_rows const& rows,
                                       Seen const& seen, bool include_seen) {
    report.users += users.size(), report.slots += rows.size(), report.empty += users.size() - rows.users.size();
    if (!include_seen) return;
    for (std::size_t g = 0; g < rows.users.size(); ++g) {
        std::span<item_index const> const had = seen.seen(rows.users[g]);
        for (std::size_t row = rows.first(g); row < rows.ends[g]; ++row)
            report.seen_slots += std::binary_search(had.begin(), had.end(), rows.items[row]);
    }
}

template <class Who, class Seen> constexpr void check_feature_frames() {
    static_assert(is_who<Who>(), "feature_frames: the second argument is a user_index or a range of them");
    static_assert(seen_items<Seen>,
                  "feature_frames: the third argument says what was seen: features.seen(), user_items(...) or nothing_seen");
}

}

/// Gives the sink a frame for each block of users: a row for each candidate of the pool, rows grouped by user, users and items filled.
///
/// Rows are in the order of the pool's lists, groups in the order of the users; users without candidates have no group and are counted, a block
/// of such users is not given. `k` is not used: the pool decides how many candidates there are. `allow`, `deny`, `keep_if` and `seen` hold as in
/// `recommend`. A frame is valid after the call only if it is copied. The same rows for any block size and any number of threads.
/// @param sink  called with `frame const&` from the calling thread; returns nothing, or bool, where false stops.
template <class User, class Item, class Who, class Seen, class Sink> stream_report
feature_frames(feature_set<User, Item> const& features, Who const& users, Seen const& seen, recommend_options const& options, Sink&& sink) {
    detail::check_feature_frames<Who, Seen>();
    constexpr bool is_sink = std::invocable<Sink&, frame const&>;
    static_assert(is_sink, "feature_frames: the sink is called as sink(frame const&) and returns nothing, or bool (false stops)");
    stream_report report;
    if constexpr (detail::is_who<Who>() && seen_items<Seen> && is_sink) {
        auto const& recipe = detail::feature_access::recipe(features);
        auto const all = detail::users_of(users);
        auto const eligible = detail::without_seen(options, seen);
        detail::team workers(options.run.threads);
        detail::progress_reporter progress(options.run.progress, "feature_frames", all.size());
        detail::for_user_blocks(all, options.block, "feature_frames", [&](std::span<user_index const> block, std::size_t done) {
            auto const rows = detail::pool_rows(recipe.pool, block, eligible);
            detail::count_block(report, block, rows, seen, options.include_seen);
            if (rows.size() > 0 && !detail::goes_on(sink, detail::frame_of(recipe.shown, rows, {}, recipe.as_of(), workers)))
                report.stopped = true;
            if (!progress.report(done + block.size())) report.stopped = true;
            return !report.stopped;
        });
    }
    return report;
}

/// The rows of all these users in one frame: for one user or a few.
template <class User, class Item, class Who, class Seen> [[nodiscard]] frame
feature_frames(feature_set<User, Item> const& features, Who const& users, Seen const& seen, recommend_options const& options = {}) {
    detail::check_feature_frames<Who, Seen>();
    if constexpr (detail::is_who<Who>() && seen_items<Seen>) {
        auto const& recipe = detail::feature_access::recipe(features);
        auto const all = detail::users_of(users);
        auto const rows = detail::pool_rows(recipe.pool, all, detail::without_seen(options, seen));
        detail::team workers(options.run.threads);
        return detail::frame_of(recipe.shown, rows, {}, recipe.as_of(), workers);
    } else return {};
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
