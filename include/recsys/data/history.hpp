// SPDX-License-Identifier: MIT
// One user's items from outside the training data, for fold-in.
#ifndef RECSYS_DATA_HISTORY_HPP
#define RECSYS_DATA_HISTORY_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/types.hpp>
#include <recsys/data/columns.hpp>
#include <recsys/data/ingest.hpp>
#include <recsys/data/label_encoder.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// What one user took: distinct items in rising order, the weights of repeats added. A handle: a copy shares.
class history {
public:
    struct entry {
        item_index item{};
        float weight = 1;
    };
    history() = default;
    /// From entries in any order. Weights of one item are added in double, in the order in which they come.
    /// @throws data_error  for a weight that is not finite.
    explicit history(std::vector<entry> entries, recsys::provenance from = {}, std::size_t unknown = 0, std::size_t missing = 0)
        : m_provenance(std::move(from)), m_unknown(unknown), m_missing(missing) {
        std::stable_sort(entries.begin(), entries.end(), [](entry const& a, entry const& b) { return a.item < b.item; });
        auto columns = std::make_shared<columns_type>();
        for (std::size_t i = 0; i < entries.size();) {
            auto const item = entries[i].item;
            double sum = 0;
            for (; i < entries.size() && entries[i].item == item; ++i) sum += static_cast<double>(entries[i].weight);
            auto const weight = static_cast<float>(sum);
            if (!std::isfinite(weight))
                detail::throw_data("history: the weights of item ", to_size(item), " add up to ", sum, ", expected a finite number");
            columns->items.push_back(item), columns->weights.push_back(weight);
        }
        m_columns = std::move(columns);
    }

    /// Number of distinct items.
    std::size_t size() const noexcept { return m_columns ? m_columns->items.size() : 0; }
    bool empty() const noexcept { return size() == 0; }
    /// Rows whose item the encoder does not know; they are left out.
    std::size_t unknown() const noexcept { return m_unknown; }
    /// Rows without an item or without a weight; they are left out.
    std::size_t missing() const noexcept { return m_missing; }
    /// The items, strictly rising.
    std::span<item_index const> items() const& noexcept {
        return m_columns ? std::span<item_index const>(m_columns->items) : std::span<item_index const>();
    }
    std::span<item_index const> items() const&& = delete;
    /// The weights beside items().
    std::span<float const> weights() const& noexcept {
        return m_columns ? std::span<float const>(m_columns->weights) : std::span<float const>();
    }
    std::span<float const> weights() const&& = delete;
    /// `items` is the fingerprint of the encoder, 0 = unknown.
    recsys::provenance const& provenance() const& noexcept { return m_provenance; }
    recsys::provenance provenance() const&& { return m_provenance; }

private:
    struct columns_type {
        std::vector<item_index> items;
        std::vector<float> weights;
    };
    std::shared_ptr<columns_type const> m_columns;
    recsys::provenance m_provenance;
    std::size_t m_unknown = 0, m_missing = 0;
};

namespace detail {

template <class It, class Item, class U, class I, class W> constexpr bool check_history() {
    constexpr bool has_user = !std::same_as<U, no_column>, has_item = !std::same_as<I, no_column>, reads_item = reads<It, I>;
    static_assert(!has_user, "history_of: it is one user's history: name the item and the weight, not the user");
    static_assert(has_item, "history_of: say which column is the item: columns().item(&row::item)");
    static_assert(!has_item || reads_item, "history_of: the item column cannot be read from the rows of this range");
    bool right = !has_user && reads_item;
    if constexpr (reads_item) {
        check_key<column_value_t<It, I>, Item>();
        right = right && id_key<column_value_t<It, I>, Item>;
    }
    if constexpr (!std::same_as<W, no_column>) {
        constexpr bool is_number = reads<It, W> && std::is_arithmetic_v<optional_value_t<column_value_t<It, W>>>;
        static_assert(is_number, "history_of: the weight column must be a number that can be read from the rows of this range");
        right = right && is_number;
    }
    return right;
}

}

/// The history of a range of rows: `history_of(plays, columns().item(&play::track).weight(&play::n), data.items())`.
///
/// Without a weight column each row weighs 1. Items that the encoder does not know, and rows without an item or weight, are left out and
/// counted. A time column is not read. @throws data_error for a weight that is not finite.
template <std::input_iterator It, std::sentinel_for<It> End, class U, class I, class W, class T, class Item>
[[nodiscard]] history history_of(It first, End last, columns_of<U, I, W, T> const& columns, item_encoder<Item> const& items) {
    if constexpr (detail::check_history<It, Item, U, I, W>()) {
        std::vector<history::entry> entries;
        std::size_t unknown = 0, missing = 0, row_number = 0;
        for (; first != last; ++first, ++row_number) {
            auto&& row = *first;
            auto&& id = std::invoke(columns.item_column(), row);
            float weight = 1;
            bool no_weight = false;
            if constexpr (!std::same_as<W, detail::no_column>) {
                auto const value = std::invoke(columns.weight_column(), row);
                no_weight = detail::is_missing(value);
                if (!no_weight) weight = detail::to_weight(detail::id_view(value), row_number, "history_of");
            }
            if (no_weight || detail::is_missing(id)) ++missing;
            else if (auto const item = items.find(id)) entries.push_back({*item, weight});
            else ++unknown;
        }
        return history(std::move(entries), provenance{0, items.fingerprint(), {}}, unknown, missing);
    } else {
        return history{};
    }
}
template <std::ranges::input_range Range, class U, class I, class W, class T, class Item>
[[nodiscard]] history history_of(Range&& rows, columns_of<U, I, W, T> const& columns, item_encoder<Item> const& items) {
    return recsys::history_of(std::ranges::begin(rows), std::ranges::end(rows), columns, items);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
