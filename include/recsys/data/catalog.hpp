// SPDX-License-Identifier: MIT
// A catalogue of things of several types, keyed by (type, id): look-ups, and which references of other rows are missing from it.
#ifndef RECSYS_DATA_CATALOG_HPP
#define RECSYS_DATA_CATALOG_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/data/id_table.hpp>
#include <recsys/data/ids.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// References to things that a catalogue lacks.
template <class Id> struct missing_references {
    std::vector<std::pair<Id, std::uint64_t>> ids; ///< each missing id and how often it is referred to, in the order of ids
    std::uint64_t references = 0;                  ///< how many references there are in all
    std::uint64_t missing = 0;                     ///< of these, to a missing id
    std::uint64_t rows = 0;                        ///< rows with at least one reference to a missing id
    std::uint64_t empty = 0;                       ///< rows without any reference: an empty list is not a missing one
};

/// Which (type, id) there are and in which row. Ids of different types overlap and are different things; names are no keys.
/// A handle: a copy shares. Made by `catalog_of`.
template <id_type Type, id_type Id> class catalog {
public:
    using key = std::pair<Type, Id>;
    catalog() = default;

    /// Number of distinct (type, id).
    std::size_t size() const noexcept { return m_state ? m_state->keys.ids().size() : 0; }
    /// Rows that name a (type, id) again; the first row counts.
    std::size_t repeated() const noexcept { return m_state ? m_state->repeated : 0; }
    /// Ids that occur with more than one type.
    std::size_t shared_ids() const {
        if (!m_state) return 0;
        auto ids = std::vector<Id>();
        for (auto const& one : m_state->keys.ids()) ids.push_back(one.second);
        std::sort(ids.begin(), ids.end(), [](Id const& a, Id const& b) { return detail::id_less(a, b); });
        std::size_t n = 0;
        for (std::size_t first = 0, last = 0; first < ids.size(); first = last) {
            while (last < ids.size() && ids[last] == ids[first]) ++last;
            n += last - first > 1;
        }
        return n;
    }
    /// The row of a thing, counted from 0, or nothing.
    std::optional<std::size_t> find(Type const& type, Id const& id) const {
        if (!m_state) return std::nullopt;
        auto const code = m_state->keys.table().find(m_state->keys.ids(), key(type, id));
        return code == detail::no_code ? std::nullopt : std::optional<std::size_t>(m_state->rows[code]);
    }
    bool contains(Type const& type, Id const& id) const { return find(type, id).has_value(); }
    /// The row of a thing. @throws data_error naming it.
    std::size_t at(Type const& type, Id const& id) const {
        if (auto const row = find(type, id)) return *row;
        detail::throw_data("catalog: there is no ", detail::id_text(key(type, id)), " among its ", size(), " (type, id)");
    }
    /// Whether all of a list are there; an empty list passes.
    template <std::ranges::input_range Ids> bool contains_all(Type const& type, Ids const& ids) const {
        for (auto const& id : ids)
            if (!contains(type, id)) return false;
        return true;
    }

    /// What the rows of a range refer to but the catalogue lacks. @param ids_of  a member or function of a row that gives an id or a range of ids.
    template <std::ranges::input_range Range, class Column>
    missing_references<Id> missing(Type const& type, Range&& rows, Column const& ids_of) const {
        missing_references<Id> out;
        auto const less = [](Id const& a, Id const& b) { return detail::id_less(a, b); };
        std::map<Id, std::uint64_t, decltype(less)> counts(less);
        for (auto&& row : rows) {
            std::uint64_t n_missing = 0;
            auto const look = [&](Id const& id) {
                ++out.references;
                if (!contains(type, id)) ++n_missing, ++counts[id];
            };
            decltype(auto) ids = std::invoke(ids_of, row);
            if constexpr (std::ranges::input_range<decltype(ids)> && !detail::text_like<std::remove_cvref_t<decltype(ids)>>) {
                bool none = true;
                for (auto const& id : ids) none = false, look(id);
                out.empty += none;
            } else look(ids);
            out.missing += n_missing, out.rows += n_missing > 0;
        }
        out.ids.assign(counts.begin(), counts.end());
        return out;
    }

private:
    template <std::ranges::input_range Range, class TypeColumn, class IdColumn>
    friend auto catalog_of(Range&& rows, TypeColumn const& type_of, IdColumn const& id_of);
    struct state {
        detail::id_collector<key> keys;
        std::vector<std::size_t> rows; // by code
        std::size_t repeated = 0;
    };
    std::shared_ptr<state const> m_state;
};

/// The catalogue of a range of rows: `catalog_of(names, &name::type, &name::id)`. O(rows). @throws data_error for more than 2^32 - 2 things.
template <std::ranges::input_range Range, class TypeColumn, class IdColumn>
[[nodiscard]] auto catalog_of(Range&& rows, TypeColumn const& type_of, IdColumn const& id_of) {
    using row = std::ranges::range_reference_t<Range>;
    using type = stored_id_t<std::invoke_result_t<TypeColumn const&, row>>;
    using id = stored_id_t<std::invoke_result_t<IdColumn const&, row>>;
    catalog<type, id> out;
    auto state = std::make_shared<typename catalog<type, id>::state>();
    std::size_t row_number = 0;
    for (auto&& one : rows) {
        std::size_t const before = state->keys.ids().size();
        state->keys.code(std::pair<type, id>(std::invoke(type_of, one), std::invoke(id_of, one)));
        if (state->keys.ids().size() > before) state->rows.push_back(row_number);
        else ++state->repeated;
        ++row_number;
    }
    out.m_state = std::move(state);
    return out;
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
