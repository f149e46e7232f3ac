// SPDX-License-Identifier: MIT
#include "kept_world.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "table_columns.hpp"

namespace music {

namespace rs = recsys;

namespace {

template <class Row> void keep(std::string const& path, rs::column_schema<Row> const& columns, std::vector<Row> const& rows) {
    rs::column_writer<Row> file(path, columns);
    file.write(rows);
    file.close();
}

template <class Row> std::vector<Row> kept(journal& log, std::string const& path, rs::column_schema<Row> const& columns) {
    rs::column_table<Row> const file(path, columns);
    std::vector<Row> out;
    meter read(log.say, "tables", 0);
    file.for_each_block([&](std::span<Row const> block) {
        out.insert(out.end(), block.begin(), block.end());
        read.add(block.size());
    });
    return out;
}

}

void save_world(journal& log, world const& all) {
    rs::save(log.file("steps/events.rsm"), all.data.users(), all.data.items(), rs::events(all.data));
    keep(log.file("steps/tracks.rsc"), track_columns(), all.tracks);
    keep(log.file("steps/names.rsc"), name_columns(), all.book.rows());
}

world load_world(journal& log) {
    world out;
    out.tracks = kept(log, log.file("steps/tracks.rsc"), track_columns());
    out.book = name_book(kept(log, log.file("steps/names.rsc"), name_columns()));
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
