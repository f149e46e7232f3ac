// SPDX-License-Identifier: MIT
// The plays of a folder, block by block: the only table that does not fit into memory as rows.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/csv.hpp"
#include "journal.hpp"
#include "world.hpp"

namespace music {

/// The path of a table of a folder, .csv or .rsc (columns): whichever is there. @throws std::runtime_error where both are.
std::string find_table(std::string const& folder, std::string const& name);
bool is_column_file(std::string const& path);

/// Reads the interactions of a folder, which must outlive nothing but the calls: no row is kept.
class play_source {
public:
    /// Looks which file there is, reads nothing.
    play_source(journal& log, std::string folder);

    /// Calls take(block) in the order of the file, each time from its beginning; blocks have tens or hundreds of thousands of rows.
    /// The span is valid during the call, and take is called by this thread alone.
    /// @throws csv::error for a malformed row, unless --skip-bad-rows lets it be counted; recsys::format_error for a damaged column file.
    void for_each_block(std::function<void(std::span<play const>)> const& take);

    /// Of the last pass that came to the end: rows, bad rows and empty fields of user_id, track_id, track_seq, started_at.
    csv::read_report const& report() const { return m_report; }
    /// The file's name without its folder.
    std::string const& name() const { return m_name; }
    std::string const& path() const { return m_path; }

    static std::vector<std::string> columns() { return {"user_id", "track_id", "track_seq", "started_at"}; }

private:
    journal* m_log;
    std::string m_name, m_path;
    csv::read_report m_report;
};

} // namespace music
