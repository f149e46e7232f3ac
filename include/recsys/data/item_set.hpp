// SPDX-License-Identifier: MIT
// A prepared set of items, for deny and allow: sorted once, shared by every call that takes it.
#ifndef RECSYS_DATA_ITEM_SET_HPP
#define RECSYS_DATA_ITEM_SET_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Distinct items in rising order. A handle: a copy shares. Made from ids by `items.known(ids)`.
class item_set {
public:
    item_set() = default;
    item_set(std::initializer_list<item_index> items) : item_set(std::vector<item_index>(items), {}) {}
    /// From any range of item_index, in any order; duplicates count once. O(n log n).
    template <std::ranges::input_range Range>
        requires std::same_as<std::ranges::range_value_t<Range>, item_index> item_set(Range const& items) : item_set(copy_of(items), {}) {}
        /// @param from  whose items these are: `from.items` is the fingerprint of their encoder, 0 = unknown.
        item_set(std::vector<item_index> items, recsys::provenance from) : m_provenance(std::move(from)) {
            if (!std::is_sorted(items.begin(), items.end())) std::sort(items.begin(), items.end());
            items.erase(std::unique(items.begin(), items.end()), items.end());
            if (!items.empty()) m_items = std::make_shared<std::vector<item_index> const>(std::move(items));
        }

        std::size_t size() const noexcept { return m_items ? m_items->size() : 0; }
        bool empty() const noexcept { return size() == 0; }
        /// O(log size).
        bool contains(item_index item) const noexcept { return m_items && std::binary_search(m_items->begin(), m_items->end(), item); }
        /// The items, rising.
        std::span<item_index const> items() const& noexcept {
            return m_items ? std::span<item_index const>(*m_items) : std::span<item_index const>();
        }
        std::span<item_index const> items() const&& = delete;
        recsys::provenance const& provenance() const& noexcept { return m_provenance; }
        recsys::provenance provenance() const&& { return m_provenance; }

    private:
        template <class Range> static std::vector<item_index> copy_of(Range const& range) {
            std::vector<item_index> out;
            for (item_index const item : range) out.push_back(item);
            return out;
        }
        std::shared_ptr<std::vector<item_index> const> m_items;
        recsys::provenance m_provenance;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
