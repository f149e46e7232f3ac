// SPDX-License-Identifier: MIT
// Label encoders: the user's ids to 0 .. n-1 and back.
#ifndef RECSYS_DATA_LABEL_ENCODER_HPP
#define RECSYS_DATA_LABEL_ENCODER_HPP

#include <recsys/core/push_macros.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>
#include <recsys/core/buffer.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/id_table.hpp>
#include <recsys/data/ids.hpp>
#include <recsys/data/item_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {
template <class Id, class Index> struct encoder_access;

template <class Key, class Id> constexpr void check_key() {
    constexpr bool is_floating = std::floating_point<stored_id_t<Key>>, is_key = id_key<Key, Id>;
    static_assert(!is_floating, "encoder: a floating-point number is not an id");
    static_assert(is_key || is_floating,
                  "encoder: this is not the id type that was ingested: give the id itself, an integer for integer ids, "
                  "or text for text ids");
}

/// f(id as the table finds it), or `otherwise` where the key is missing or is no value of the id type.
template <class Id, class Key, class Result, class Function> Result with_id(Key const& key, Result otherwise, Function const& f) {
    if (is_missing(key)) return otherwise;
    decltype(auto) view = id_view(key);
    using view_type = std::remove_cvref_t<decltype(view)>;
    if constexpr (std::is_integral_v<Id> && !std::is_same_v<view_type, Id>) {
        auto const same = same_value<Id>(view);
        return same ? f(*same) : otherwise;
    } else return f(view);
}
}

/// Ids in their order and the index of each, as scikit-learn's LabelEncoder: sorted distinct values are 0 .. n-1, where the type has an
/// order (numbers by value, text by its bytes as unsigned numbers whatever the locale, recsys_tie by members), else in the order in which
/// they were first seen. A missing value is no class: it is left out and counted, and looking it up finds nothing.
/// A handle: a copy shares. Safe to read from many threads.
template <id_type Id, class Index> class encoder {
    static_assert(std::same_as<Index, user_index> || std::same_as<Index, item_index>);

public:
    using value_type = Id;
    using index_type = Index;
    encoder() = default;

    /// The encoder of the distinct ids of a range; integers of another width must fit. O(n) and sorting of the distinct ids.
    /// @throws data_error  for a number that Id cannot hold, and for more than max_index_count ids.
    template <std::ranges::input_range Range> [[nodiscard]] static encoder fit(Range&& ids) {
        return fit(std::ranges::begin(ids), std::ranges::end(ids));
    }
    template <std::input_iterator It, std::sentinel_for<It> End> [[nodiscard]] static encoder fit(It first, End last) {
        using key = std::remove_cvref_t<std::iter_reference_t<It>>;
        detail::check_key<key, Id>();
        detail::id_collector<Id> collector;
        std::size_t missing = 0;
        if constexpr (id_key<key, Id>)
            for (; first != last; ++first) {
                auto&& id = *first;
                if (detail::is_missing(id)) ++missing;
                else if (!detail::with_id<Id>(id, false, [&](auto const& view) { return collector.code(view), true; }))
                    detail::throw_data("encoder: ", word(), " id ", detail::id_text(detail::id_view(id)), " does not fit the id type");
            }
        return detail::encoder_access<Id, Index>::make(std::move(collector), missing).first;
    }

    /// Number of ids.
    std::size_t size() const noexcept { return m_state ? m_state->ids.size() : 0; }
    bool empty() const noexcept { return size() == 0; }
    /// Every index, 0 .. size() - 1.
    index_range<Index> all() const noexcept { return index_range<Index>(size()); }
    /// How many values of the range that it was fitted on were missing.
    std::size_t missing() const noexcept { return m_state ? m_state->missing : 0; }

    /// The index of an id. @throws data_error naming the id, if it is not known.
    template <class Key> Index at(Key const& key) const {
        if (auto const found = find(key)) return *found;
        throw_unknown(key);
    }
    /// The index of an id, or nothing.
    template <class Key> std::optional<Index> find(Key const& key) const {
        detail::check_key<Key, Id>();
        if constexpr (id_key<Key, Id>) {
            if (!m_state) return std::nullopt;
            auto const code =
                detail::with_id<Id>(key, detail::no_code, [&](auto const& id) { return m_state->table.find(m_state->ids, id); });
            if (code != detail::no_code) return static_cast<Index>(code);
        }
        return std::nullopt;
    }
    template <class Key> bool contains(Key const& key) const { return find(key).has_value(); }

    /// The id of an index. @throws data_error past the end.
    Id const& id(Index index) const& {
        if (to_size(index) >= size()) detail::throw_data("encoder: ", word(), " index ", to_size(index), " of ", size());
        return m_state->ids[to_size(index)];
    }
    Id const& id(Index) const&& = delete;
    /// All ids, in the order of their indices.
    std::span<Id const> ids() const& noexcept { return m_state ? m_state->ids : std::span<Id const>(); }
    std::span<Id const> ids() const&& = delete;

    /// The indices of a range of ids. @param unknown  `skip` leaves out what is not known, `error` throws data_error naming it.
    template <std::ranges::input_range Range> std::vector<Index> transform(Range&& ids, unknown_ids unknown = unknown_ids::error) const {
        std::vector<Index> out;
        for (auto&& id : ids) {
            if (auto const found = find(id)) out.push_back(*found);
            else if (unknown == unknown_ids::error) throw_unknown(id);
        }
        return out;
    }
    /// The known items among these ids as a set; unknown ones are left out.
    template <std::ranges::input_range Range> item_set known(Range&& ids) const requires std::same_as<Index, item_index> {
        return item_set(transform(std::forward<Range>(ids), unknown_ids::skip), recsys::provenance{0, fingerprint(), {}});
    }

    /// 64-bit hash of the ids in their order: equal encoders have equal ones. 0 for an encoder that was never fitted. The same in every
    /// program for integers, text and recsys_tie of these; see detail::fingerprint_of for other types.
    std::uint64_t fingerprint() const noexcept { return m_state ? m_state->fingerprint : 0; }

private:
    friend struct detail::encoder_access<Id, Index>;
    struct state {
        std::shared_ptr<void const> owner;
        std::span<Id const> ids;
        detail::id_table<Id> table;
        std::uint64_t fingerprint = 0;
        std::size_t missing = 0;
    };
    static constexpr std::string_view word() noexcept { return std::same_as<Index, user_index> ? "user" : "item"; }
    template <class Key> [[noreturn]] void throw_unknown(Key const& key) const {
        if (detail::is_missing(key)) detail::throw_data("encoder: a missing ", word(), " id has no index; find() gives an optional");
        detail::throw_data("encoder: ", word(), " id ", detail::id_text(detail::id_view(key)), " is not among the ", size(),
                           " known ones; find() gives an optional");
    }
    std::shared_ptr<state const> m_state;
};

template <class Id> using user_encoder = encoder<Id, user_index>;
template <class Id> using item_encoder = encoder<Id, item_index>;

namespace detail {

/// How ingest and load make encoders.
template <class Id, class Index> struct encoder_access {
    using result = encoder<Id, Index>;

    /// The encoder of what was collected, and the new code of each collected one (empty = unchanged).
    static std::pair<result, std::vector<std::uint32_t>> make(id_collector<Id>&& collector, std::size_t missing) {
        auto rank = sort_ids(collector.ids(), collector.table());
        auto owner = std::make_shared<std::vector<Id> const>(std::move(collector.ids()));
        std::span<Id const> const ids(*owner);
        return {make(std::move(owner), ids, std::move(collector.table()), missing), std::move(rank)};
    }
    static result make(std::shared_ptr<void const> owner, std::span<Id const> ids, id_table<Id> table, std::size_t missing) {
        result out;
        auto state = std::make_shared<typename result::state>();
        state->owner = std::move(owner), state->ids = ids, state->table = std::move(table), state->missing = missing;
        state->fingerprint = fingerprint_of(ids);
        out.m_state = std::move(state);
        return out;
    }
    /// The code of a value as id_view() gives it; its type is that of the column.
    template <class View> static std::uint32_t code(result const& from, View const& view) {
        auto const found = from.find(view);
        return found ? static_cast<std::uint32_t>(to_size(*found)) : no_code;
    }
};

// --- files --------------------------------------------------------------------------------------

template <class T> constexpr bool is_savable_member() {
    return number_id<std::remove_cvref_t<T>> || std::is_same_v<std::remove_cvref_t<T>, std::string>;
}
/// Numbers, text, and what ties references to such members together.
template <class Id> constexpr bool is_savable() {
    if constexpr (!tuple_id<Id>) return is_savable_member<Id>();
    else if constexpr (!std::default_initializable<Id>) return false;
    else
        return []<class... Member>(std::tuple<Member...>*) {
            return ((std::is_lvalue_reference_v<Member> && is_savable_member<Member>()) && ...);
        }(static_cast<decltype(members_of(std::declval<Id const&>()))*>(nullptr));
}

template <class T> std::string savable_name() {
    if constexpr (std::is_same_v<T, std::string>) return "string";
    else if constexpr (std::is_enum_v<T>) return savable_name<std::underlying_type_t<T>>();
    else return concat(std::is_signed_v<T> ? "int" : "uint", sizeof(T) * 8);
}
template <class Id> std::string id_type_name() {
    if constexpr (!tuple_id<Id>) return savable_name<Id>();
    else
        return []<class... Member>(std::tuple<Member...>*) {
            std::string out = "tie(";
            ((out += (out.size() == 4 ? "" : ", ") + savable_name<std::remove_cvref_t<Member>>()), ...);
            return out + ')';
        }(static_cast<decltype(members_of(std::declval<Id const&>()))*>(nullptr));
}

template <class Value> void save_column(std::string_view name, std::vector<Value> const& column, object_writer& out) {
    if constexpr (std::is_same_v<Value, std::string>) out.texts(name, column);
    else out.array(name, column);
}
template <class Value> std::vector<Value> load_column(std::string_view name, object_reader const& in) {
    if constexpr (std::is_same_v<Value, std::string>) return in.texts(name);
    else {
        auto const values = in.array<Value>(name);
        return std::vector<Value>(values.begin(), values.end());
    }
}

/// Ids of several members: a column each.
template <class Id, class Sequence> struct member_columns;
template <class Id, std::size_t... I> struct member_columns<Id, std::index_sequence<I...>> {
    using members = decltype(members_of(std::declval<Id const&>()));
    std::tuple<std::vector<std::remove_cvref_t<std::tuple_element_t<I, members>>>...> columns;

    Id id(std::size_t row) const {
        Id out{};
        auto const to = members_of(out); // references to the members of `out`, const only on this way
        ((const_cast<std::remove_cvref_t<std::tuple_element_t<I, members>>&>(std::get<I>(to)) = std::get<I>(columns)[row]), ...);
        return out;
    }
    void save(std::span<Id const> ids, object_writer& out) {
        for (auto const& one : ids) (std::get<I>(columns).push_back(std::get<I>(members_of(one))), ...);
        for (std::size_t row = 0; row < ids.size(); ++row)
            if (!(id(row) == ids[row]))
                throw_data("save: ids differ from what their recsys_tie gives: it must name every member that == compares");
        (save_column(concat("ids.", I), std::get<I>(columns), out), ...);
    }
    std::vector<Id> load(object_reader const& in) {
        ((std::get<I>(columns) = load_column<std::remove_cvref_t<std::tuple_element_t<I, members>>>(concat("ids.", I), in)), ...);
        auto const n = std::get<0>(columns).size();
        if (((std::get<I>(columns).size() != n) || ...)) in.fail("ids.0", "has not as many ids as the other members");
        std::vector<Id> out;
        for (std::size_t row = 0; row < n; ++row) out.push_back(id(row));
        return out;
    }
};
template <class Id> using columns_of_ids =
    member_columns<Id, std::make_index_sequence<std::tuple_size_v<decltype(members_of(std::declval<Id const&>()))>>>;

/// Ids of other types have no file form: `save` does not compile. Numbers are read in place; text and tied ids are built. Ids must be distinct, and sorted where they have an order.
template <class Id, class Index>
    requires(is_savable<Id>())
struct archived<encoder<Id, Index>> {
    static std::string name() { return concat(std::is_same_v<Index, user_index> ? "user" : "item", "_encoder<", id_type_name<Id>(), '>'); }
    static void save(encoder<Id, Index> const& value, object_writer& out) {
        out.value("missing", static_cast<std::uint64_t>(value.missing()));
        if constexpr (number_id<Id>) out.array("ids", value.ids());
        else if constexpr (tuple_id<Id>) columns_of_ids<Id>().save(value.ids(), out);
        else out.texts("ids", value.ids());
    }
    static encoder<Id, Index> load(object_reader const& in) {
        auto const missing = static_cast<std::size_t>(in.value<std::uint64_t>("missing"));
        if constexpr (number_id<Id>) {
            auto owner = std::make_shared<shared_array<Id> const>(in.array<Id>("ids"));
            auto const ids = owner->span();
            return make(in, std::move(owner), ids, missing);
        } else {
            std::vector<Id> loaded;
            if constexpr (tuple_id<Id>) loaded = columns_of_ids<Id>().load(in);
            else loaded = in.texts("ids");
            auto owner = std::make_shared<std::vector<Id> const>(std::move(loaded));
            std::span<Id const> const ids(*owner);
            return make(in, std::move(owner), ids, missing);
        }
    }

private:
    static encoder<Id, Index> make(object_reader const& in, std::shared_ptr<void const> owner, std::span<Id const> ids,
                                   std::size_t missing) {
        if (ids.size() > max_index_count) in.fail("ids", "has more ids than 32-bit indices");
        id_table<Id> table;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            bool right = true;
            if constexpr (is_ordered<Id>()) right = i == 0 || id_less(ids[i - 1], ids[i]);
            else right = table.find(ids.first(i), ids[i]) == no_code;
            if (!right) in.fail("ids", concat("has an id at position ", i, " that is out of order or comes twice"));
            table.insert(ids.first(i), ids[i], static_cast<std::uint32_t>(i));
        }
        return encoder_access<Id, Index>::make(std::move(owner), ids, std::move(table), missing);
    }
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
