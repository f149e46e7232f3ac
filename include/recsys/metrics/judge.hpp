// SPDX-License-Identifier: MIT
// Who is judged and by which items: the same for every row of a table.
#ifndef RECSYS_METRICS_JUDGE_HPP
#define RECSYS_METRICS_JUDGE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/truth.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/metrics/table.hpp>
#include <recsys/retrieval/eligible.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// What users had before the truth.
class judged_past {
public:
    bool is_known = false;               ///< false for nothing_seen: then everybody is judged and every item counts
    std::vector<std::uint32_t> users_of; ///< by item
    std::size_t n_users = 0;             ///< with a row

    judged_past() = default;
    /// @throws data_error  for a row that does not rise, or an item that is not one of the truth.
    template <class Seen> judged_past(Seen const& seen, std::size_t n_truth_users, std::size_t n_items)
        : is_known(!std::is_same_v<Seen, nothing_seen_t>), users_of(n_items), m_limit(user_count(seen).value_or(n_truth_users)) {
        keep(seen);
        if (!is_known) return;
        for (std::size_t u = 0; u < m_limit; ++u) {
            auto const had = items(static_cast<user_index>(u));
            n_users += !had.empty();
            for (std::size_t i = 0; i < had.size(); ++i) {
                if (to_size(had[i]) >= n_items)
                    throw_data("evaluate: user ", u, " has seen item ", to_size(had[i]), ", the truth has ", n_items, " items");
                users_of[to_size(had[i])] += i == 0 || had[i - 1] != had[i];
            }
        }
    }

    /// Rising; empty for a user past the end.
    std::span<item_index const> items(user_index user) const {
        return to_size(user) < m_limit ? m_items(user) : std::span<item_index const>();
    }

private:
    /// A copy of what lends its rows; of what makes them, the rows.
    template <class Seen> void keep(Seen const& seen) {
        using row = decltype(seen.seen(user_index{}));
        for (std::size_t u = 0; u < m_limit && !rises_by_construction<Seen>; ++u) {
            auto const user = static_cast<user_index>(u);
            check_seen_rises("evaluate", seen, std::span<user_index const>(&user, 1));
        }
        if constexpr (std::is_reference_v<row> || std::is_same_v<std::remove_cv_t<row>, std::span<item_index const>>)
            m_items = [seen](user_index user) -> std::span<item_index const> { return seen.seen(user); };
        else keep_rows(seen);
    }
    template <class Seen> void keep_rows(Seen const& seen) {
        struct rows {
            std::vector<std::size_t> ends;
            std::vector<item_index> items;
        };
        auto const all = std::make_shared<rows>();
        for (std::size_t u = 0; u < m_limit; ++u) {
            auto const& row = seen.seen(static_cast<user_index>(u));
            std::span<item_index const> const had = row;
            all->items.insert(all->items.end(), had.begin(), had.end());
            all->ends.push_back(all->items.size());
        }
        m_items = [all](user_index user) -> std::span<item_index const> {
            auto const u = to_size(user), first = u == 0 ? std::size_t{0} : all->ends[u - 1];
            return std::span<item_index const>(all->items).subspan(first, all->ends[u] - first);
        };
    }

    std::size_t m_limit = 0;
    std::function<std::span<item_index const>(user_index)> m_items;
};

/// Who is judged by what, beyond users with history and items that they could be shown.
struct judging_rules {
    bool include_seen = false, cold_users = false, all_truth = false;
};

/// The judged users and their relevant items.
class judged_truth {
public:
    judged_truth() = default;
    judged_truth(truth const& labels, judged_past const& past, judging_rules const& rules) {
        report.truth_users = labels.active_users().size();
        for (auto const user : labels.active_users()) {
            auto const had = past.items(user);
            if (past.is_known && !rules.cold_users && had.empty()) ++report.without_history;
            else if (!add(user, labels.items(user), had, past, rules)) ++report.without_relevant;
            else report.cold_users += past.is_known && had.empty();
        }
        report.users = users.size();
    }

    std::vector<user_index> users; ///< rising
    judged_report report;

    std::span<item_index const> relevant(std::size_t i) const {
        auto const first = i == 0 ? 0 : m_ends[i - 1];
        return std::span<item_index const>(m_items).subspan(first, m_ends[i] - first);
    }
    /// The place of a user, users.size() if he is not judged.
    std::size_t place(user_index user) const {
        auto const at = std::lower_bound(users.begin(), users.end(), user);
        return static_cast<std::size_t>((at != users.end() && *at == user ? at : users.end()) - users.begin());
    }

private:
    /// Whether something is relevant for the user.
    bool add(user_index user, std::span<item_index const> items, std::span<item_index const> had, judged_past const& past,
             judging_rules const& rules) {
        auto const before = m_items.size();
        report.pairs += items.size();
        for (auto const item : items) {
            bool const is_unknown = past.is_known && !rules.all_truth && past.users_of[to_size(item)] == 0;
            bool const repeats = is_among(had, item), is_seen = repeats && !rules.include_seen && !rules.all_truth;
            report.unknown_pairs += is_unknown, report.repeated_pairs += repeats, report.seen_pairs += is_seen;
            if (!is_unknown && !is_seen) m_items.push_back(item);
        }
        if (m_items.size() == before) return false;
        users.push_back(user);
        m_ends.push_back(m_items.size());
        return true;
    }

    std::vector<std::size_t> m_ends;
    std::vector<item_index> m_items;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
