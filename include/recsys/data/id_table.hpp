// SPDX-License-Identifier: MIT
// From ids to codes 0, 1, 2, ...: flat tables for numbers and hashed ids, a map for ids that are only ordered.
#ifndef RECSYS_DATA_ID_TABLE_HPP
#define RECSYS_DATA_ID_TABLE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/types.hpp>
#include <recsys/data/ids.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

inline constexpr std::uint32_t no_code = 0xFFFFFFFFu;

/// Open addressing with linear probing; 8 bytes a slot. It knows hashes and codes, not ids: the caller says whether a code is the one sought.
/// The place is the top bits of a 32-bit hash that is kept, so growing reads no id.
class code_slots {
public:
    /// The code for which `is_it` holds, or no_code.
    template <class Test> std::uint32_t find(std::uint64_t hash, Test const& is_it) const {
        if (m_slots.empty()) return no_code;
        auto const tag = tag_of(hash);
        for (std::size_t i = place(tag);; i = (i + 1) & (m_slots.size() - 1)) {
            auto const& s = m_slots[i];
            if (s.code == no_code) return no_code;
            if (s.tag == tag && is_it(s.code)) return s.code;
        }
    }
    /// For a code that is not there yet.
    void insert(std::uint64_t hash, std::uint32_t code) {
        if ((m_used + 1) * 8 > m_slots.size() * 5) grow();
        put({tag_of(hash), code});
        ++m_used;
    }
    /// Every code becomes rank[code].
    void remap(std::span<std::uint32_t const> rank) {
        for (auto& s : m_slots)
            if (s.code != no_code) s.code = rank[s.code];
    }

private:
    struct slot {
        std::uint32_t tag = 0;
        std::uint32_t code = no_code;
    };
    static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }
    std::size_t place(std::uint32_t tag) const noexcept { return static_cast<std::size_t>(std::uint64_t{tag} >> (32 - m_bits)); }
    void put(slot s) {
        std::size_t i = place(s.tag);
        while (m_slots[i].code != no_code) i = (i + 1) & (m_slots.size() - 1);
        m_slots[i] = s;
    }
    void grow() {
        std::vector<slot> old(m_slots.empty() ? 16 : m_slots.size() * 2);
        old.swap(m_slots);
        m_bits = std::countr_zero(m_slots.size());
        for (auto const& s : old)
            if (s.code != no_code) put(s);
    }

    std::vector<slot> m_slots;
    std::size_t m_used = 0;
    int m_bits = 0;
};

/// A bijection of 32 bits. Source: the finalizer of MurmurHash3_x86_32 (Appleby).
constexpr std::uint32_t mix_bits_32(std::uint32_t x) noexcept {
    x ^= x >> 16;
    x *= 0x85EBCA6Bu;
    x ^= x >> 13;
    x *= 0xC2B2AE35u;
    return x ^ (x >> 16);
}

/// Numbers: those in a dense range from 0 are found by one look at an array, the others by hash.
template <class Id> class number_table {
    static constexpr bool tag_is_id = sizeof(Id) <= 4; // equal tags are equal ids: no look at the ids

public:
    std::uint32_t find(std::span<Id const> ids, Id id) const {
        if (is_direct(id)) return m_direct[static_cast<std::size_t>(id)];
        return m_slots.find(hash_of(id), [&](std::uint32_t code) { return tag_is_id || ids[code] == id; });
    }
    void insert(std::span<Id const> ids, Id id, std::uint32_t code) {
        widen(ids, id);
        if (is_direct(id)) m_direct[static_cast<std::size_t>(id)] = code;
        else m_slots.insert(hash_of(id), code);
    }
    void remap(std::span<std::uint32_t const> rank) {
        m_slots.remap(rank);
        for (auto& code : m_direct)
            if (code != no_code) code = rank[code];
    }

private:
    static std::uint64_t hash_of(Id id) noexcept {
        if constexpr (tag_is_id) return std::uint64_t{mix_bits_32(static_cast<std::uint32_t>(id))} << 32;
        else return hash_id(id);
    }
    bool is_direct(Id id) const noexcept {
        if constexpr (!std::is_enum_v<Id>)
            if constexpr (std::is_signed_v<Id>)
                if (id < Id{}) return false;
        return static_cast<std::uint64_t>(id) < m_direct.size();
    }
    /// The array may have at most four places an id, so that sparse ids do not fill memory. It doubles: linear work in all.
    void widen(std::span<Id const> ids, Id id) {
        auto const value = static_cast<std::uint64_t>(id);
        if (value < m_direct.size() || value >= 4 * (ids.size() + std::uint64_t{64})) return;
        std::size_t const old = m_direct.size();
        m_direct.resize(static_cast<std::size_t>(std::bit_ceil(value + 1)), no_code);
        for (std::size_t code = 0; code < ids.size(); ++code)
            if (is_direct(ids[code]) && static_cast<std::uint64_t>(ids[code]) >= old)
                m_direct[static_cast<std::size_t>(ids[code])] = static_cast<std::uint32_t>(code);
    }

    std::vector<std::uint32_t> m_direct;
    code_slots m_slots; // what has become direct stays here unseen
};

/// Ids with a hash. Keys may be of another type that hashes and compares alike: string_view for std::string.
template <class Id> class hash_table {
public:
    template <class Key> std::uint32_t find(std::span<Id const> ids, Key const& key) const {
        return m_slots.find(hash_id(key), [&](std::uint32_t code) { return ids[code] == key; });
    }
    template <class Key> void insert(std::span<Id const>, Key const& key, std::uint32_t code) { m_slots.insert(hash_id(key), code); }
    void remap(std::span<std::uint32_t const> rank) { m_slots.remap(rank); }

private:
    code_slots m_slots;
};

/// Ids that have only an order.
template <class Id> class ordered_table {
public:
    std::uint32_t find(std::span<Id const>, Id const& id) const {
        auto const it = m_codes.find(id);
        return it == m_codes.end() ? no_code : it->second;
    }
    void insert(std::span<Id const>, Id const& id, std::uint32_t code) { m_codes.emplace(id, code); }
    void remap(std::span<std::uint32_t const> rank) {
        for (auto& entry : m_codes) entry.second = rank[entry.second];
    }

private:
    struct less {
        bool operator()(Id const& a, Id const& b) const { return id_less(a, b); }
    };
    std::map<Id, std::uint32_t, less> m_codes;
};

template <class Id> using id_table =
    std::conditional_t<number_id<Id>, number_table<Id>, std::conditional_t<is_hashable<Id>(), hash_table<Id>, ordered_table<Id>>>;

/// Distinct ids in the order in which they come, and the table that finds them.
template <class Id> class id_collector {
public:
    /// The code of a key as id_view() gives it; a new one gets the next code.
    template <class Key> std::uint32_t code(Key const& key) {
        if (auto const found = m_table.find(m_ids, key); found != no_code) return found;
        auto const added = static_cast<std::uint32_t>(m_ids.size());
        check_index_count(m_ids.size() + 1, "ids", "distinct ids");
        m_table.insert(m_ids, key, added);
        m_ids.emplace_back(key);
        return added;
    }
    std::vector<Id>& ids() noexcept { return m_ids; }
    std::vector<Id> const& ids() const noexcept { return m_ids; }
    id_table<Id> const& table() const noexcept { return m_table; }
    id_table<Id>& table() noexcept { return m_table; }

private:
    std::vector<Id> m_ids;
    id_table<Id> m_table;
};

/// The first eight bytes as a number that orders as they do.
inline std::uint64_t text_prefix(std::string_view text) noexcept {
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < 8; ++i) prefix = prefix << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0u);
    return prefix;
}

/// Codes in the order of their ids. O(n log n).
template <class Id> std::vector<std::uint32_t> codes_in_order(std::vector<Id> const& ids) {
    std::vector<std::uint32_t> codes(ids.size());
    std::iota(codes.begin(), codes.end(), 0u);
    if constexpr (number_id<Id> || text_like<Id>) {
        using key = std::conditional_t<number_id<Id>, Id, std::uint64_t>;
        std::vector<std::pair<key, std::uint32_t>> keyed;
        keyed.reserve(ids.size());
        for (auto const code : codes) {
            if constexpr (number_id<Id>) keyed.emplace_back(ids[code], code);
            else keyed.emplace_back(text_prefix(ids[code]), code);
        }
        std::sort(keyed.begin(), keyed.end(), [&](auto const& a, auto const& b) {
            if constexpr (!number_id<Id>)
                if (a.first == b.first) return id_less(ids[a.second], ids[b.second]);
            return a.first < b.first;
        });
        std::transform(keyed.begin(), keyed.end(), codes.begin(), [](auto const& k) { return k.second; });
    } else {
        std::sort(codes.begin(), codes.end(), [&](std::uint32_t a, std::uint32_t b) { return id_less(ids[a], ids[b]); });
    }
    return codes;
}

/// Brings the ids into their order, where the type has one, and the table with them.
/// @return  the new code of each old one; empty where nothing moved.
template <class Id> std::vector<std::uint32_t> sort_ids(std::vector<Id>& ids, id_table<Id>& table) {
    if constexpr (is_ordered<Id>()) {
        if (std::is_sorted(ids.begin(), ids.end(), [](Id const& a, Id const& b) { return id_less(a, b); })) return {};
        auto const order = codes_in_order(ids);
        std::vector<std::uint32_t> rank(ids.size());
        std::vector<Id> sorted;
        sorted.reserve(ids.size());
        for (std::size_t r = 0; r < order.size(); ++r) {
            rank[order[r]] = static_cast<std::uint32_t>(r);
            sorted.push_back(std::move(ids[order[r]]));
        }
        ids = std::move(sorted);
        table.remap(rank);
        return rank;
    } else {
        static_cast<void>(ids), static_cast<void>(table);
        return {};
    }
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
