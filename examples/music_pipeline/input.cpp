// SPDX-License-Identifier: MIT
#include "input.hpp"

#include <filesystem>
#include <optional>
#include <stdexcept>

#include "charts.hpp"
#include "play_source.hpp"
#include "table_columns.hpp"

namespace music {

namespace {

std::optional<entity> entity_of(std::string_view word) {
    for (auto const type : {entity::track, entity::album, entity::artist, entity::genre})
        if (word == entity_names[static_cast<std::size_t>(type)]) return type;
    return std::nullopt;
}

}

void input::note(std::string const& name, std::vector<std::string> const& columns, std::vector<std::string> const& kinds,
                 csv::read_report const& report) {
    auto& result = m_log->result["input"][name];
    for (std::size_t c = 0; c < columns.size(); ++c) {
        m_shown.push_back({c == 0 ? name : "", columns[c], kinds[c], pretty(static_cast<double>(report.rows)),
                           pretty(static_cast<double>(report.empty_fields[c]))});
        result["empty"][columns[c]] = report.empty_fields[c];
    }
    result["rows"] = report.rows;
    result["bad_rows"] = report.bad_rows;
    if (report.bad_rows > 0) {
        m_log->warn(text("%s: %llu malformed rows were skipped", name.c_str(), static_cast<unsigned long long>(report.bad_rows)));
        for (auto const& message : report.messages) m_log->warn(message);
    }
}

template <class Row, class Convert> std::vector<Row> input::read(std::string const& table, recsys::column_schema<Row> const& schema,
                                                                 std::vector<std::string> const& kinds, Convert const& convert) {
    auto const path = find_table(m_folder, table);
    std::vector<std::string> columns;
    for (auto const& column : schema.columns()) columns.push_back(column.name);
    csv::read_report report{.empty_fields = std::vector<std::uint64_t>(columns.size())};
    std::vector<Row> out;
    if (is_column_file(path)) {
        recsys::column_table<Row> rows(path, schema);
        for (auto const& row : rows) out.push_back(row);
        report.rows = rows.file().size();
    } else {
        csv::table<Row> rows(path, columns, convert, {.skip_bad_rows = m_log->set.skip_bad_rows});
        for (auto const& row : rows) out.push_back(row);
        report = rows.report();
    }
    note(std::filesystem::path(path).filename().string(), columns, kinds, report);
    return out;
}

tables input::read_tables() {
    tables out;
    out.tracks = read<track>("tracks", track_columns(), {"integer", "list of integers", "list of integers", "list of integers"},
                             [](csv::record const& r) {
                                 return track{r.integer<id>(0), r.integers<id>(1), r.integers<id>(2), r.integers<id>(3)};
                             });
    out.names =
        read<name_row>("catalog_names", name_columns(), {"integer", "track, album, artist or genre", "text"}, [](csv::record const& r) {
            return name_row{r.integer<id>(0), r.parsed(1, entity_of, "track, album, artist or genre"), std::string(r.text(2))};
        });
    for (std::size_t row = 0; row < out.names.size(); ++row)
        if (out.names[row].type > entity::genre)
            throw std::runtime_error(text("catalog_names.rsc: row %zu has the type %d, 0 to 3 are known", row, int(out.names[row].type)));
    m_names = out.names.size();
    m_tracks_name = std::filesystem::path(find_table(m_folder, "tracks")).filename().string();
    return out;
}

std::uint64_t input::read_plays(std::function<void(std::span<play const>)> const& take) {
    play_source plays(*m_log, m_folder);
    plays.for_each_block(take);
    note(plays.name(), play_source::columns(), {"integer", "integer", "integer", "date or time"}, plays.report());
    m_plays = plays.report().rows, m_plays_name = plays.name();
    return m_plays;
}

void input::show(std::vector<track> const& tracks) {
    m_log->page.table({"file", "column", "type", "rows", "empty"}, m_shown);
    std::size_t without_artist = 0, without_album = 0, without_genre = 0;
    for (auto const& t : tracks) without_artist += t.artists.empty(), without_album += t.albums.empty(), without_genre += t.genres.empty();
    m_log->find(text(
        "Read %zu tracks, %llu names and %llu interactions. Gaps are empty lists: %zu tracks have no artist, %zu no album, %zu no genre.",
        tracks.size(), static_cast<unsigned long long>(m_names), static_cast<unsigned long long>(m_plays), without_artist, without_album,
        without_genre));
    if (m_plays == 0) throw std::runtime_error(m_plays_name + " has no rows: there is nothing to learn from");
    if (tracks.empty()) throw std::runtime_error(m_tracks_name + " has no rows: there is nothing to recommend");
}

} // namespace music
