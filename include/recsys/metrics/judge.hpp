// SPDX-License-Identifier: MIT
// Who is judged and by which items: the same for every row of a table.
#ifndef RECSYS_METRICS_JUDGE_HPP
#define RECSYS_METRICS_JUDGE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/truth.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/metrics/table.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// What users had before the truth.
struct judged_past {
    bool is_known = false; ///< false for nothing_seen: then everybody is judged and every item counts
    std::function<std::span<item_index const>(user_index)> items;
    std::vector<std::uint32_t> users_of; ///< by item
    std::size_t n_users = 0;             ///< with a row

    template <class Seen> static judged_past of(Seen const& seen, std::size_t n_users, std::size_t n_items) {
        judged_past out;
        out.items = [seen](user_index user) -> std::span<item_index const> { return seen.seen(user); };
        out.is_known = !std::is_same_v<Seen, nothing_seen_t>;
        out.users_of.resize(n_items);
        if (!out.is_known) return out;
        for (std::size_t u = 0; u < n_users; ++u) {
            std::span<item_index const> const had = seen.seen(static_cast<user_index>(u));
            out.n_users += !had.empty();
            for (auto const item : had) {
                if (to_size(item) >= n_items)
                    throw_data("evaluate: user ", u, " has seen item ", to_size(item), ", the truth has ", n_items, " items");
                ++out.users_of[to_size(item)];
            }
        }
        return out;
    }
};

/// The judged users and their relevant items.
class judged_truth {
public:
    /// @param cold_users  also judge those without history.
    judged_truth(truth const& labels, judged_past const& past, bool include_seen, bool cold_users) {
        report.truth_users = labels.active_users().size();
        for (auto const user : labels.active_users()) {
            auto const had = past.items(user);
            if (past.is_known && !cold_users && had.empty()) {
                ++report.without_history;
                continue;
            }
            add(user, labels.items(user), had, past, include_seen);
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
    void add(user_index user, std::span<item_index const> items, std::span<item_index const> had, judged_past const& past,
             bool include_seen) {
        auto const before = m_items.size();
        report.pairs += items.size();
        for (auto const item : items) {
            bool const is_unknown = past.is_known && past.users_of[to_size(item)] == 0;
            bool const is_seen = !include_seen && std::binary_search(had.begin(), had.end(), item);
            report.unknown_pairs += is_unknown, report.seen_pairs += is_seen;
            if (!is_unknown && !is_seen) m_items.push_back(item);
        }
        if (m_items.size() == before) {
            ++report.without_relevant;
            return;
        }
        users.push_back(user);
        m_ends.push_back(m_items.size());
    }

    std::vector<std::size_t> m_ends;
    std::vector<item_index> m_items;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
