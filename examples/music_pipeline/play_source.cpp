// SPDX-License-Identifier: MIT
#include "play_source.hpp"

#include <filesystem>
#include <stdexcept>

#include "table_columns.hpp"

namespace music {

std::string find_table(std::string const& folder, std::string const& name) {
    auto const in_folder = [&](char const* end) { return (std::filesystem::path(folder) / (name + end)).string(); };
    auto const csv = in_folder(".csv"), columns = in_folder(".rsc");
    bool const has_csv = std::filesystem::exists(csv), has_columns = std::filesystem::exists(columns);
    if (has_csv && has_columns) throw std::runtime_error(csv + " and " + columns + ": which of them? Remove one");
    return has_columns ? columns : csv;
}

bool is_column_file(std::string const& path) { return std::filesystem::path(path).extension() == ".rsc"; }

play_source::play_source(journal& log, std::string folder) : m_log(&log), m_path(find_table(folder, "interactions")) {
    m_name = std::filesystem::path(m_path).filename().string();
    if (!std::filesystem::exists(m_path)) throw std::runtime_error(m_path + ": cannot be opened: there is no such file");
}

void play_source::for_each_block(std::function<void(std::span<play const>)> const& take) {
    auto const threads = static_cast<unsigned>(recsys::detail::team(m_log->set.threads).size());
    if (is_column_file(m_path)) {
        recsys::column_table<play> const rows(m_path, play_columns());
        rows.for_each_block(take, threads);
        m_report = {.rows = rows.file().size(), .empty_fields = std::vector<std::uint64_t>(columns().size())};
        return;
    }
    csv::table<play> rows(
        m_path, columns(),
        [](csv::record const& r) {
            return play{r.integer<id>(0), r.integer<id>(1), r.integer<std::int32_t>(2),
                        r.parsed(
                            3, [](std::string_view when) { return recsys::try_parse_time(when); }, "a date or date-time (ISO 8601)")};
        },
        {.skip_bad_rows = m_log->set.skip_bad_rows});
    rows.for_each_block(take, threads);
    m_report = rows.report();
}

} // namespace music
