// SPDX-License-Identifier: MIT
#include "input.hpp"

#include <filesystem>
#include <optional>
#include <stdexcept>

#include "charts.hpp"
#include "common/csv.hpp"
#include "play_source.hpp"
#include "table_columns.hpp"

namespace music {

namespace {

/// The columns of one file, its rows and its gaps go to the report.
void show_table(journal& log, rows_of_text& shown, std::string const& name, std::vector<std::string> const& columns,
                std::vector<std::string> const& kinds, csv::read_report const& report) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
        shown.push_back({c == 0 ? name : "", columns[c], kinds[c], pretty(static_cast<double>(report.rows)),
                         pretty(static_cast<double>(report.empty_fields[c]))});
        log.result["input"][name]["empty"][columns[c]] = report.empty_fields[c];
    }
    log.result["input"][name]["rows"] = report.rows;
    log.result["input"][name]["bad_rows"] = report.bad_rows;
    if (report.bad_rows > 0) {
        log.warn(text("%s: %llu malformed rows were skipped", name.c_str(), static_cast<unsigned long long>(report.bad_rows)));
        for (auto const& message : report.messages) log.warn(message);
    }
}

/// `table` is a name without .csv or .rsc.
template <class Row, class Convert, class Sink>
void read_table(journal& log, rows_of_text& shown, std::string const& folder, std::string const& table,
                recsys::column_schema<Row> const& schema, std::vector<std::string> const& kinds, Convert const& convert, Sink const& sink) {
    auto const path = find_table(folder, table);
    std::vector<std::string> columns;
    for (auto const& column : schema.columns()) columns.push_back(column.name);
    csv::read_report report{.empty_fields = std::vector<std::uint64_t>(columns.size())};
    if (is_column_file(path)) {
        recsys::column_table<Row> rows(path, schema);
        for (auto const& row : rows) sink(row);
        report.rows = rows.file().size();
    } else {
        csv::table<Row> rows(path, columns, convert, {.skip_bad_rows = log.set.skip_bad_rows});
        for (auto const& row : rows) sink(row);
        report = rows.report();
    }
    show_table(log, shown, std::filesystem::path(path).filename().string(), columns, kinds, report);
}

std::optional<entity> entity_of(std::string_view word) {
    for (auto const type : {entity::track, entity::album, entity::artist, entity::genre})
        if (word == entity_names[static_cast<std::size_t>(type)]) return type;
    return std::nullopt;
}

}

tables read_tables(journal& log, std::string const& folder) {
    log.say.step("0 Input");
    log.page.section("0 Input");
    tables out;
    rows_of_text shown;
    read_table<track>(
        log, shown, folder, "tracks", track_columns(), {"integer", "list of integers", "list of integers", "list of integers"},
        [](csv::record const& r) {
            return track{r.integer<id>(0), r.integers<id>(1), r.integers<id>(2), r.integers<id>(3)};
        },
        [&](track const& row) { out.tracks.push_back(row); });
    read_table<name_row>(
        log, shown, folder, "catalog_names", name_columns(), {"integer", "track, album, artist or genre", "text"},
        [](csv::record const& r) {
            return name_row{r.integer<id>(0), r.parsed(1, entity_of, "track, album, artist or genre"), std::string(r.text(2))};
        },
        [&](name_row const& row) {
            if (row.type > entity::genre)
                throw std::runtime_error(
                    text("catalog_names.rsc: row %zu has the type %d, 0 to 3 are known", out.names.size(), int(row.type)));
            out.names.push_back(row);
        });
    play_source plays(log, folder);
    plays.for_each_block([&](std::span<play const> block) { out.plays.insert(out.plays.end(), block.begin(), block.end()); });
    show_table(log, shown, plays.name(), play_source::columns(), {"integer", "integer", "integer", "date or time"}, plays.report());
    log.page.table({"file", "column", "type", "rows", "empty"}, shown);
    std::size_t without_artist = 0, without_album = 0, without_genre = 0;
    for (auto const& t : out.tracks)
        without_artist += t.artists.empty(), without_album += t.albums.empty(), without_genre += t.genres.empty();
    log.find(text(
        "Read %zu tracks, %zu names and %zu interactions. Gaps are empty lists: %zu tracks have no artist, %zu no album, %zu no genre.",
        out.tracks.size(), out.names.size(), out.plays.size(), without_artist, without_album, without_genre));
    if (out.plays.empty()) throw std::runtime_error(plays.name() + " has no rows: there is nothing to learn from");
    if (out.tracks.empty()) throw std::runtime_error("the table of tracks has no rows: there is nothing to recommend");
    return out;
}

} // namespace music
