// SPDX-License-Identifier: MIT
// Frames into training and validation rows, whole groups (or users) at a time.
#ifndef RECSYS_DATA_SPLIT_GROUPS_HPP
#define RECSYS_DATA_SPLIT_GROUPS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/take_rows.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// The unit that a split keeps whole, a number for each row: its group, else its user, else the row itself.
inline std::vector<std::size_t> split_units(frame const& rows, std::size_t& n_units) {
    std::vector<std::size_t> unit(rows.n_rows());
    if (rows.n_groups() > 0) {
        std::size_t row = 0;
        for (std::size_t g = 0; g < rows.n_groups(); ++g)
            for (; row < rows.group_ends()[g]; ++row) unit[row] = g;
        n_units = rows.n_groups();
    } else if (rows.has_users()) {
        auto const users = rows.rows().users.span();
        std::vector<user_index> known(users.begin(), users.end());
        std::sort(known.begin(), known.end());
        known.erase(std::unique(known.begin(), known.end()), known.end());
        for (std::size_t row = 0; row < unit.size(); ++row)
            unit[row] = static_cast<std::size_t>(std::lower_bound(known.begin(), known.end(), users[row]) - known.begin());
        n_units = known.size();
    } else {
        std::iota(unit.begin(), unit.end(), std::size_t{0});
        n_units = unit.size();
    }
    return unit;
}

/// @param in_valid  whether a row is a validation row.
template <class Test> frame_split split_rows(frame const& rows, Test const& in_valid) {
    std::vector<std::size_t> train, valid;
    for (std::size_t row = 0; row < rows.n_rows(); ++row) (in_valid(row) ? valid : train).push_back(row);
    return {take_rows(rows, train), take_rows(rows, valid)};
}

}

/// Training and validation rows: a random share of the groups is held out, whole; the order of the rows stays.
///
/// Units are the frame's groups; without groups its users; without either each row is one. round(share x units) of them are held out, but
/// at least one unit is left in each part where there are two or more and 0 < share < 1. The same seed gives the same split.
/// @throws option_error  where the share is not in [0, 1].
[[nodiscard]] inline frame_split split_groups(frame const& rows, double share, std::uint64_t seed = 0) {
    if (!(share >= 0 && share <= 1)) detail::throw_option("split_groups: the share must be in [0, 1], got ", share);
    std::size_t n = 0;
    auto const unit = detail::split_units(rows, n);
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    random_stream random(seed);
    random.shuffle(order);
    auto held_out = static_cast<std::size_t>(std::llround(share * static_cast<double>(n)));
    if (n >= 2 && share > 0 && share < 1) held_out = std::clamp<std::size_t>(held_out, 1, n - 1);
    std::vector<char> valid(n, 0);
    for (std::size_t i = 0; i < held_out; ++i) valid[order[i]] = 1;
    return detail::split_rows(rows, [&](std::size_t row) { return valid[unit[row]] != 0; });
}

/// Training and validation rows: fold number `fold`, from 0, of k is held out, whole groups (users, rows) at a time, as split_groups takes them.
/// Each unit is in exactly one of the k folds, whose sizes differ by at most one unit. The same seed gives the same folds.
/// @throws option_error  unless 2 <= k <= units and fold < k.
[[nodiscard]] inline frame_split group_fold(frame const& rows, natural fold, natural k, std::uint64_t seed = 0) {
    std::size_t n = 0;
    auto const unit = detail::split_units(rows, n);
    if (k < 2 || k > n)
        detail::throw_option("group_fold: folds must be in [2, ", n, "], the number of groups, users or rows, got ", std::size_t{k});
    if (fold >= k) detail::throw_option("group_fold: fold must be below the number of folds ", std::size_t{k}, ", got ", std::size_t{fold});
    std::vector<std::size_t> order(n), fold_of(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    random_stream random(seed);
    random.shuffle(order);
    for (std::size_t i = 0; i < n; ++i) fold_of[order[i]] = i % k;
    return detail::split_rows(rows, [&](std::size_t row) { return fold_of[unit[row]] == fold; });
}

/// Training and validation rows: the users for whom `held_out(user_index)` is true are held out; the order of the rows stays.
/// @throws data_error  where the rows have no users, or a group has users of both kinds.
template <class HeldOut>
    requires(!std::is_arithmetic_v<HeldOut>)
[[nodiscard]] frame_split split_groups(frame const& rows, HeldOut const& held_out) {
    constexpr bool is_test = std::is_invocable_r_v<bool, HeldOut const&, user_index>;
    static_assert(is_test,
                  "split_groups: the second argument is a share such as 0.2, or a function of user_index that says who is held out");
    if constexpr (is_test) {
        if (rows.n_rows() > 0 && !rows.has_users())
            detail::throw_data("split_groups: the frame has no users to ask about; give a share, as split_groups(frame, 0.2, seed)");
        std::vector<char> valid(rows.n_rows());
        for (std::size_t row = 0; row < valid.size(); ++row) valid[row] = held_out(rows.user(row)) ? 1 : 0;
        std::size_t first = 0;
        for (auto const end : rows.group_ends())
            for (auto const start = first; first < end; ++first)
                if (valid[first] != valid[start])
                    detail::throw_data("split_groups: rows ", start, " and ", first,
                                       " (from 0) are of one group, but only one of their users is held out");
        return detail::split_rows(rows, [&](std::size_t row) { return valid[row] != 0; });
    } else {
        return {};
    }
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
