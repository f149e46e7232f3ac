// SPDX-License-Identifier: MIT
// Lists: for each user of a block some scored items, best first, in one allocation.
#ifndef RECSYS_RETRIEVAL_LISTS_HPP
#define RECSYS_RETRIEVAL_LISTS_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// One list a user: scores do not rise, equal scores are in rising item order, lists are as long as there is something to list.
/// A handle: a copy shares. `lists` given to a sink is valid after the call only if it is copied.
class lists {
public:
    struct entry {
        user_index user{};
        std::span<scored const> list;
    };
    class iterator {
    public:
        using value_type = entry;
        using difference_type = std::ptrdiff_t;
        using reference = entry;
        using pointer = void;
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::forward_iterator_tag;
        iterator() = default;
        iterator(lists const* of, std::size_t i) noexcept : m_of(of), m_i(i) {}
        entry operator*() const { return (*m_of)[m_i]; }
        iterator& operator++() noexcept { return ++m_i, *this; }
        iterator operator++(int) noexcept { return iterator(m_of, m_i++); }
        friend bool operator==(iterator a, iterator b) noexcept { return a.m_i == b.m_i; }

    private:
        lists const* m_of = nullptr;
        std::size_t m_i = 0;
    };

    lists() = default;
    /// @param ends  for each user where its list ends in `items`; rising.
    lists(std::vector<user_index> users, std::vector<std::size_t> ends, std::vector<scored> items, recsys::provenance from = {})
        : m_data(std::make_shared<data const>(data{std::move(users), std::move(ends), std::move(items)})), m_provenance(std::move(from)) {
        std::size_t last = 0;
        if (m_data->users.size() != m_data->ends.size())
            detail::throw_data("lists: ", m_data->users.size(), " users and ", m_data->ends.size(), " ends");
        for (auto const end : m_data->ends) {
            if (end < last || end > m_data->items.size()) detail::throw_data("lists: the ends must rise up to the number of items");
            last = end;
        }
    }

    /// Number of users, also those with an empty list.
    std::size_t size() const noexcept { return m_data ? m_data->users.size() : 0; }
    bool empty() const noexcept { return size() == 0; }
    /// Number of items over all lists.
    std::size_t n_slots() const noexcept { return m_data ? m_data->items.size() : 0; }
    entry operator[](std::size_t i) const& {
        auto const first = i == 0 ? 0 : m_data->ends[i - 1];
        return {m_data->users[i], std::span<scored const>(m_data->items).subspan(first, m_data->ends[i] - first)};
    }
    entry operator[](std::size_t) const&& = delete;
    iterator begin() const& noexcept { return iterator(this, 0); }
    iterator end() const& noexcept { return iterator(this, size()); }
    /// What the recommender was made from.
    recsys::provenance const& provenance() const& noexcept { return m_provenance; }
    recsys::provenance provenance() const&& { return m_provenance; }

private:
    struct data {
        std::vector<user_index> users;
        std::vector<std::size_t> ends;
        std::vector<scored> items;
    };
    std::shared_ptr<data const> m_data;
    recsys::provenance m_provenance;
};

namespace detail {

template <> struct archived<lists> {
    static std::string name() { return "lists"; }
    static void save(lists const& value, object_writer& out) {
        std::vector<user_index> users;
        std::vector<std::uint64_t> ends;
        std::vector<scored> items;
        for (auto const& [user, list] : value) {
            users.push_back(user);
            items.insert(items.end(), list.begin(), list.end());
            ends.push_back(items.size());
        }
        out.array("users", users);
        out.array("ends", ends);
        out.array("items", items);
        save_provenance(value.provenance(), out);
    }
    static lists load(object_reader const& in) {
        auto const users = in.array<user_index>("users");
        auto const ends = in.array<std::uint64_t>("ends", users.size());
        auto const items = in.array<scored>("items");
        std::uint64_t last = 0;
        for (auto const end : ends) {
            if (end < last || end > items.size()) in.fail("ends", "must rise up to the number of items");
            last = end;
        }
        return lists(std::vector<user_index>(users.begin(), users.end()), std::vector<std::size_t>(ends.begin(), ends.end()),
                     std::vector<scored>(items.begin(), items.end()), load_provenance(in));
    }
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
