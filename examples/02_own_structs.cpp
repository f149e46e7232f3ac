// SPDX-License-Identifier: MIT
// Your own rows, ids and sources go in as they are: structs with projections, ids of your own type, a database cursor read once.
#include <recsys.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace rs = recsys;
using namespace std::chrono;

// An id type of your own: equality, and its members tied together, so that it can be hashed, sorted and saved.
struct uuid {
    std::uint64_t high = 0, low = 0;
    friend bool operator==(uuid const&, uuid const&) = default;
    friend auto recsys_tie(uuid const& id) { return std::tie(id.high, id.low); }
};
struct visit {
    uuid who;
    std::optional<int> page; // absent: the row is counted and left out
    sys_seconds at;
    double seconds;
};

// What a database gives: step to the next row, read its columns; text lives until the next step.
class cursor {
public:
    explicit cursor(std::vector<std::pair<std::string, std::int64_t>> rows) : m_rows(std::move(rows)) {}
    bool step() { return ++m_row < m_rows.size(); }
    std::string_view text() const { return m_rows[m_row].first; }
    std::int64_t number() const { return m_rows[m_row].second; }

private:
    std::vector<std::pair<std::string, std::int64_t>> m_rows;
    std::size_t m_row = std::size_t(-1);
};
// The adaptor that a cursor needs: an input iterator that is read once.
struct cursor_rows {
    using value_type = cursor;
    using difference_type = std::ptrdiff_t;
    cursor* from = nullptr;
    cursor& operator*() const { return *from; }
    cursor_rows& operator++() {
        if (!from->step()) from = nullptr;
        return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return from == nullptr; }
};

int main() {
    sys_days const day = 2024y / 5 / 1;
    std::vector<visit> const visits{
        {{1, 1}, 7, day + 9h, 30}, {{1, 1}, 8, day + 10h, 5}, {{2, 9}, 7, day + 9h, 60}, {{2, 9}, std::nullopt, day, 1}};
    auto const site = rs::ingest(
        visits, rs::columns().user(&visit::who).item(&visit::page).time(&visit::at).weight([](visit const& v) { return v.seconds / 60; }));
    std::printf("%zu of %zu visits kept, %zu users, %zu pages\n", site.size(), site.report().rows, site.users().size(),
                site.items().size());
    for (auto const& warning : site.report().warnings()) std::printf("  %s\n", warning.c_str());
    std::printf("user {2, 9} has index %zu\n", rs::to_size(site.users().at(uuid{2, 9})));

    cursor rows({{"ada", 42}, {"bob", 42}, {"ada", 17}});
    rows.step();
    auto const bought = rs::ingest(cursor_rows{&rows}, std::default_sentinel, rs::columns().user(&cursor::text).item(&cursor::number));
    std::printf("%zu purchases by %zu customers\n", bought.size(), bought.users().size());

    // Parallel arrays: the rows are their positions.
    std::vector<int> const users{3, 3, 5}, items{10, 11, 10};
    auto const arrays =
        rs::ingest(rs::row_numbers(users.size()),
                   rs::columns().user([&](std::size_t row) { return users[row]; }).item([&](std::size_t row) { return items[row]; }));
    std::printf("%zu rows from two arrays\n", arrays.size());
}
