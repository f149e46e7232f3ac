// SPDX-License-Identifier: MIT
#include "play_source.hpp"

#include <filesystem>
#include <stdexcept>

namespace music {

play_source::play_source(journal& log, std::string folder) : m_log(&log), m_name("interactions.csv") {
    m_path = (std::filesystem::path(folder) / m_name).string();
    if (!std::filesystem::exists(m_path)) throw std::runtime_error(m_path + ": there is no such file");
}

void play_source::for_each_block(std::function<void(std::span<play const>)> const& take) {
    csv::table<play> rows(m_path, columns(),
                          [](csv::record const& r) {
                              return play{
                                  r.integer<id>(0), r.integer<id>(1), r.integer<std::int32_t>(2),
                                  r.parsed(
                                      3, [](std::string_view when) { return recsys::parse_time(when); }, "a date or date-time (ISO 8601)")};
                          },
                          {.skip_bad_rows = m_log->set.skip_bad_rows});
    std::vector<play> block;
    block.reserve(block_rows);
    for (auto const& row : rows) {
        block.push_back(row);
        if (block.size() == block_rows) take(block), block.clear();
    }
    if (!block.empty()) take(block);
    m_report = rows.report();
}

} // namespace music
