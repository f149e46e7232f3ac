// SPDX-License-Identifier: MIT
#include "kept_world.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/csv.hpp"

namespace music {

namespace rs = recsys;

void save_world(journal& log, world const& all) {
    rs::save(log.file("steps/events.rsm"), all.data.users(), all.data.items(), rs::events(all.data));
    csv::writer tracks(log.file("steps/tracks.csv"), header{"track_id", "albums", "artists", "genres"});
    for (auto const& t : all.tracks) tracks.row(t.track_id, t.albums, t.artists, t.genres);
    tracks.close();
    csv::writer names(log.file("steps/names.csv"), header{"id", "type", "name"});
    for (auto const& row : all.book.rows()) names.row(row.of, static_cast<int>(row.type), row.name);
    names.close();
}

world load_world(journal& log) {
    world out;
    csv::table<track> tracks(log.file("steps/tracks.csv"), {"track_id", "albums", "artists", "genres"}, [](csv::record const& r) {
        return track{r.integer<id>(0), r.integers<id>(1), r.integers<id>(2), r.integers<id>(3)};
    });
    meter kept(log.say, "tracks", 0);
    for (auto const& row : tracks) out.tracks.push_back(row), kept.add();
    csv::table<name_row> names(log.file("steps/names.csv"), {"id", "type", "name"}, [](csv::record const& r) {
        return name_row{r.integer<id>(0), static_cast<entity>(r.integer<std::uint8_t>(1)), std::string(r.text(2))};
    });
    std::vector<name_row> rows;
    for (auto const& row : names) rows.push_back(row), kept.add();
    out.book = name_book(std::move(rows));
    auto [users, items, events] = rs::load<rs::user_encoder<id>, rs::item_encoder<id>, rs::events>(log.file("steps/events.rsm"));
    out.data = rs::dataset<id, id>(std::move(events), std::move(users), std::move(items));
    return out;
}

namespace {

/// The first k of each list, of all blocks together.
class first_of_lists {
public:
    explicit first_of_lists(std::size_t k) : m_k(k) {}
    void add(rs::lists const& block) {
        for (auto const& [user, list] : block) {
            m_users.push_back(user);
            auto const n = std::min(list.size(), m_k);
            m_items.insert(m_items.end(), list.begin(), list.begin() + static_cast<std::ptrdiff_t>(n));
            m_ends.push_back(m_items.size());
        }
        m_from = block.provenance();
    }
    rs::lists finish() && { return rs::lists(std::move(m_users), std::move(m_ends), std::move(m_items), m_from); }

private:
    std::size_t m_k;
    std::vector<rs::user_index> m_users;
    std::vector<std::size_t> m_ends;
    std::vector<rs::scored> m_items;
    rs::provenance m_from;
};

}

void row_step(journal& log, judging& judge, std::string const& name, step_plan const& plan,
              std::function<void(list_sink const&)> const& make) {
    auto const file = "steps/row_" + name + ".rsm";
    auto const row = judge.row(name);
    log.once(
        plan,
        [&] {
            first_of_lists kept(log.set.k);
            make([&](rs::lists const& block) { row(block), kept.add(block); });
            rs::save(log.file(file), std::move(kept).finish());
        },
        [&] { row(rs::load<rs::lists>(log.file(file))); });
}

} // namespace music
