// SPDX-License-Identifier: MIT
// Lists computed slowly and plainly: every score, every rule, one full sort. And scorers made of a table of scores.
#ifndef RECSYS_TESTS_BRUTE_FORCE_HPP
#define RECSYS_TESTS_BRUTE_FORCE_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <recsys_under_test.hpp>

namespace brute_force {

namespace rs = recsys;

constexpr rs::user_index user(std::size_t u) { return static_cast<rs::user_index>(u); }
constexpr rs::item_index item(std::size_t i) { return static_cast<rs::item_index>(i); }

/// The best k of the items for which keep(item) holds: higher scores first, equal ones by the smaller item, minus infinity never.
template <class Keep> std::vector<rs::scored> best_of(std::span<float const> scores, std::size_t k, Keep const& keep) {
    std::vector<rs::scored> all;
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (scores[i] != -std::numeric_limits<float>::infinity() && keep(item(i))) all.push_back({item(i), scores[i]});
    std::stable_sort(all.begin(), all.end(), [](rs::scored const& a, rs::scored const& b) { return a.score > b.score; });
    all.resize(std::min(all.size(), k));
    return all;
}

/// A user's list by the rules of recommend_options, from a scorer's own scores.
template <class Scorer, class Seen>
std::vector<rs::scored> list_of(Scorer const& scorer, rs::user_index u, Seen const& seen, rs::recommend_options const& options) {
    std::vector<float> scores(scorer.n_items());
    scorer.score(u, std::span<float>(scores));
    auto const& had = seen.seen(u);
    std::set<rs::item_index> const was_seen(had.begin(), had.end());
    return best_of(scores, options.k, [&](rs::item_index i) {
        if (options.allow) {
            auto const allowed = options.allow->items();
            if (std::find(allowed.begin(), allowed.end(), i) == allowed.end()) return false;
        }
        auto const denied = options.deny.items();
        if (std::find(denied.begin(), denied.end(), i) != denied.end()) return false;
        if (options.keep_if && !options.keep_if(u, i)) return false;
        return options.include_seen || was_seen.count(i) == 0;
    });
}

using user_list = std::pair<rs::user_index, std::vector<rs::scored>>;

/// What lists hold, to compare with ==. Scores are compared as numbers: none is NaN.
inline std::vector<user_list> flat(rs::lists const& all) {
    std::vector<user_list> out;
    for (auto const& [u, list] : all) out.emplace_back(u, std::vector<rs::scored>(list.begin(), list.end()));
    return out;
}
inline std::vector<rs::item_index> items_of(std::vector<rs::scored> const& list) {
    std::vector<rs::item_index> out;
    for (auto const& one : list) out.push_back(one.item);
    return out;
}
inline std::vector<rs::item_index> some_items(std::vector<std::size_t> const& numbers) {
    std::vector<rs::item_index> out;
    for (auto const i : numbers) out.push_back(item(i));
    return out;
}

/// Any table of scores as a scorer, users x items.
struct table_scorer {
    std::size_t items = 0;
    std::vector<float> scores;
    std::size_t n_items() const { return items; }
    std::size_t n_users() const { return items == 0 ? 0 : scores.size() / items; }
    void score(rs::user_index u, std::span<float> out) const {
        std::copy_n(scores.begin() + static_cast<std::ptrdiff_t>(rs::to_size(u) * items), items, out.begin());
    }
};
/// The same, which also scores some items alone.
struct candidate_table : table_scorer {
    using table_scorer::score;
    void score(rs::user_index u, std::span<rs::item_index const> some, std::span<float> out) const {
        for (std::size_t j = 0; j < some.size(); ++j) out[j] = scores[rs::to_size(u) * items + rs::to_size(some[j])];
    }
};
/// Users 0 .. n - 1.
inline std::vector<rs::user_index> users_to(std::size_t n) {
    std::vector<rs::user_index> out;
    for (std::size_t u = 0; u < n; ++u) out.push_back(user(u));
    return out;
}
/// A matrix of ones from the items of each user.
inline rs::csr matrix(std::size_t items, std::vector<std::vector<std::size_t>> const& rows, rs::provenance const& from = {}) {
    std::vector<std::int64_t> offsets{0};
    std::vector<rs::item_index> columns;
    for (auto const& row : rows) {
        for (auto const i : row) columns.push_back(item(i));
        offsets.push_back(static_cast<std::int64_t>(columns.size()));
    }
    std::vector<float> values(columns.size(), 1.f);
    return rs::csr(rows.size(), items, rs::detail::shared_array<std::int64_t>(offsets), rs::detail::shared_array<rs::item_index>(columns),
                   rs::detail::shared_array<float>(values), from);
}
/// The same scores for every user.
inline table_scorer same_for_all(std::vector<float> scores, std::size_t users = 1) {
    table_scorer out{scores.size(), {}};
    for (std::size_t u = 0; u < users; ++u) out.scores.insert(out.scores.end(), scores.begin(), scores.end());
    return out;
}
/// Scores of few different values, so that most are ties; some are minus infinity.
inline table_scorer coarse_table(std::size_t users, std::size_t items, std::uint64_t seed, std::size_t levels = 7) {
    rs::random_stream random(seed);
    table_scorer out{items, std::vector<float>(users * items)};
    for (auto& x : out.scores) {
        auto const level = random.below(levels);
        x = level == 0 && random.below(3) == 0 ? -std::numeric_limits<float>::infinity() : static_cast<float>(level) / 4 - 0.5f;
    }
    return out;
}

/// Some items of each user, rising: as a type of the user's own.
struct seen_table {
    std::vector<std::vector<rs::item_index>> rows;
    std::span<rs::item_index const> seen(rs::user_index u) const { return rows[rs::to_size(u)]; }
};
inline seen_table random_seen(std::size_t users, std::size_t items, std::size_t one_in, std::uint64_t seed) {
    rs::random_stream random(seed);
    seen_table out;
    out.rows.resize(users);
    for (auto& row : out.rows)
        for (std::size_t i = 0; i < items; ++i)
            if (random.below(one_in) == 0) row.push_back(item(i));
    return out;
}
inline rs::item_set random_set(std::size_t items, std::size_t one_in, std::uint64_t seed) {
    return rs::item_set(random_seen(1, items, one_in, seed).rows[0]);
}

}

#endif
