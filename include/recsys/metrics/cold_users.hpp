// SPDX-License-Identifier: MIT
// What one list, the same for everybody, does for users without a history.
#ifndef RECSYS_METRICS_COLD_USERS_HPP
#define RECSYS_METRICS_COLD_USERS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/truth.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Shares are of each cold user's events in the truth: how many of them are of an item in the list.
struct cold_user_report {
    std::size_t users = 0;      ///< in the truth, without a row before it
    std::size_t events = 0;     ///< their rows in the truth
    double without_hit = 0;     ///< the share of these users with no event in the list
    double share_of_others = 0; ///< the mean share over the others; 0 if there are none
    double recall = 0;          ///< the mean share over all of them
};

/// How far a list for everybody covers what cold users take. O(rows of the truth).
/// @param seen   what users had before the truth begins: who has nothing is cold.
/// @param shown  the list, in any order.
/// @throws data_error  for an item past the end, or where truth and seen were made with other ids.
template <class Seen>
[[nodiscard]] cold_user_report judge_cold_users(truth const& labels, Seen const& seen, std::span<item_index const> shown) {
    constexpr bool says_seen = seen_items<Seen>;
    static_assert(says_seen, "judge_cold_users: the second argument says what was seen: user_items(...)");
    cold_user_report out;
    if constexpr (says_seen) {
        detail::check_same_encoders("judge_cold_users", "what was seen", detail::provenance_of(seen), labels.provenance());
        auto const n_past_users = detail::user_count(seen).value_or(labels.n_users());
        std::vector<bool> is_shown(labels.n_items());
        for (std::size_t i = 0; i < shown.size(); ++i) {
            if (to_size(shown[i]) >= is_shown.size())
                detail::throw_data("judge_cold_users: item ", to_size(shown[i]), " at position ", i, ", there are ", is_shown.size());
            is_shown[to_size(shown[i])] = true;
        }
        std::vector<std::size_t> events(labels.n_users()), hits(labels.n_users());
        for (std::size_t row = 0; row < labels.size(); ++row) {
            auto const user = to_size(labels.event_users()[row]);
            ++events[user], hits[user] += is_shown[to_size(labels.event_items()[row])];
        }
        std::size_t n_hit = 0;
        double sum = 0;
        for (auto const user : labels.active_users()) {
            if (to_size(user) < n_past_users) {
                auto const& row = seen.seen(user); // may be returned by value
                if (!std::span<item_index const>(row).empty()) continue;
            }
            ++out.users, out.events += events[to_size(user)];
            n_hit += hits[to_size(user)] > 0;
            sum += static_cast<double>(hits[to_size(user)]) / static_cast<double>(events[to_size(user)]);
        }
        if (out.users > 0) {
            out.without_hit = static_cast<double>(out.users - n_hit) / static_cast<double>(out.users);
            out.recall = sum / static_cast<double>(out.users);
        }
        if (n_hit > 0) out.share_of_others = sum / static_cast<double>(n_hit);
    }
    return out;
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
