// SPDX-License-Identifier: MIT
#include "world.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace music {

name_book::name_book(std::vector<name_row> rows)
    : m_rows(std::move(rows)), m_things(recsys::catalog_of(m_rows, &name_row::type, &name_row::of)) {}

std::string const& name_book::name(entity type, id of) const {
    static std::string const unknown = "Unknown";
    auto const row = m_things.find(type, of);
    return row ? m_rows[*row].name : unknown;
}

std::string name_book::names(entity type, std::vector<id> const& list) const {
    std::string out;
    for (auto const of : list) out += (out.empty() ? "" : ", ") + name(type, of);
    return out;
}

track const& world::at(id track_id) const {
    auto const at = std::lower_bound(tracks.begin(), tracks.end(), track_id, [](track const& t, id key) { return t.track_id < key; });
    if (at == tracks.end() || at->track_id != track_id) throw std::out_of_range("there is no track " + std::to_string(track_id));
    return *at;
}

} // namespace music
