// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using recsys::item_index;
using recsys::user_index;

recsys::truth truth_of(std::vector<user_index> users, std::vector<item_index> items, std::size_t n_users, std::size_t n_items) {
    recsys::detail::event_columns columns;
    columns.users = recsys::detail::shared_array<user_index>(std::move(users));
    columns.items = recsys::detail::shared_array<item_index>(std::move(items));
    return recsys::truth(recsys::events(std::move(columns), n_users, n_items, {3, 4, {}}), {});
}
std::vector<item_index> items_of(recsys::truth const& t, std::uint32_t user) {
    auto const items = t.items(user_index{user});
    return {items.begin(), items.end()};
}

}

TEST_CASE("truth has the distinct items of each user in rising order") {
    auto const t = truth_of({user_index{1}, user_index{0}, user_index{1}, user_index{1}, user_index{1}},
                            {item_index{4}, item_index{2}, item_index{0}, item_index{4}, item_index{3}}, 3, 5);
    CHECK(t.size() == 5);
    CHECK(items_of(t, 0) == std::vector{item_index{2}});
    CHECK(items_of(t, 1) == std::vector{item_index{0}, item_index{3}, item_index{4}});
    CHECK(items_of(t, 2).empty());
    CHECK(items_of(t, 99).empty());
    CHECK(t.active_users().size() == 2);
    CHECK(t.from() == std::nullopt);
    CHECK(t.provenance().users == 3);
    CHECK(t.provenance().as_of == std::nullopt);
}

TEST_CASE("truth agrees with sets") {
    recsys::random_stream random(2);
    std::vector<user_index> users;
    std::vector<item_index> items;
    std::vector<std::set<item_index>> twin(50);
    for (int i = 0; i < 2000; ++i) {
        users.push_back(static_cast<user_index>(random.below(50)));
        items.push_back(static_cast<item_index>(random.below(30)));
        twin[recsys::to_size(users.back())].insert(items.back());
    }
    auto const t = truth_of(users, items, 50, 30);
    bool same = true;
    for (std::uint32_t u = 0; u < 50; ++u) same = same && items_of(t, u) == std::vector(twin[u].begin(), twin[u].end());
    CHECK(same);
}

TEST_CASE("an empty truth has nobody") {
    recsys::truth const none;
    CHECK(none.empty());
    CHECK(none.active_users().empty());
    CHECK(none.items(user_index{0}).empty());
    static_assert(!std::is_convertible_v<recsys::truth, recsys::events>);
}
