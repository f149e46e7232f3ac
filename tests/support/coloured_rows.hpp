// SPDX-License-Identifier: MIT
// Rows for a booster with a column of each kind: numbers, a category, a list of categories. A test fills those members that it needs.
#ifndef RECSYS_TESTS_SUPPORT_COLOURED_ROWS_HPP
#define RECSYS_TESTS_SUPPORT_COLOURED_ROWS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <recsys_under_test.hpp>

namespace support {

struct coloured_row {
    float x = 0, y = 0, z = 0, of_query = 0;
    std::optional<std::string> colour;
    std::string shop;
    std::vector<std::string> tags;
    float target = 0, weight = 1, baseline = 0;
    std::uint64_t query = 0;
};

/// x, y and more numbers, then the colour and the tags.
inline recsys::row_schema<coloured_row> coloured_schema(std::vector<std::pair<char const*, float coloured_row::*>> const& more = {}) {
    using row = coloured_row;
    auto out = recsys::rows<row>().number("x", &row::x).number("y", &row::y);
    for (auto const& [name, member] : more) out = out.number(name, member);
    return out.category("colour", &row::colour).categories("tags", &row::tags).target(&row::target);
}

}

#endif
