// SPDX-License-Identifier: MIT
// Step 0: the three tables.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/csv.hpp"
#include "journal.hpp"
#include "world.hpp"

namespace music {

/// Step 0. Reads what fits into memory, then hands on the plays.
class input {
public:
    input(journal& log, std::string folder) : m_log(&log), m_folder(std::move(folder)) {}

    /// Reads tracks and catalog_names, each .csv or .rsc (columns); malformed rows are errors, or counted with --skip-bad-rows.
    tables read_tables();
    /// One pass over the interactions, a block at a time. @return how many there are.
    std::uint64_t read_plays(std::function<void(std::span<play const>)> const& take);
    /// What was read goes to the report. @throws std::runtime_error where there is nothing to go on with.
    void show(std::vector<track> const& tracks);

private:
    /// `table` is a name without .csv or .rsc.
    template <class Row, class Convert> std::vector<Row> read(std::string const& table, recsys::column_schema<Row> const& schema,
                                                              std::vector<std::string> const& kinds, Convert const& convert);
    void note(std::string const& name, std::vector<std::string> const& columns, std::vector<std::string> const& kinds,
              csv::read_report const& report);

    journal* m_log;
    std::string m_folder, m_tracks_name, m_plays_name;
    std::uint64_t m_names = 0, m_plays = 0;
    rows_of_text m_shown;
};

} // namespace music
