// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <clocale>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <locale>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "support/sized.hpp"

#include "common/csv.hpp"

using namespace std::string_literals;
using texts = std::vector<std::string>;

// Bytes from memory, at most `step` at once.
csv::source bytes_of(std::string text, std::size_t step = std::size_t{1} << 20) {
    return [text = std::move(text), step, at = std::size_t{0}](char* to, std::size_t room) mutable {
        std::size_t const n = std::min({room, step, text.size() - at});
        std::memcpy(to, text.data() + at, n);
        at += n;
        return n;
    };
}

texts fields_of(csv::record const& r, std::size_t n) {
    texts out;
    for (std::size_t c = 0; c < n; ++c) out.emplace_back(r.text(c));
    return out;
}

struct outcome {
    std::vector<texts> rows;
    csv::read_report report;
};

outcome read(std::string const& text, texts const& columns, csv::options how = {}, std::size_t step = std::size_t{1} << 20) {
    csv::table<texts> table(
        "a.csv", bytes_of(text, step), columns, [&](csv::record const& r) { return fields_of(r, columns.size()); }, how);
    outcome out;
    for (texts const& row : table) out.rows.push_back(row);
    out.report = table.report();
    return out;
}
std::vector<texts> rows_of(std::string const& text, texts const& columns, std::size_t step = std::size_t{1} << 20) {
    return read(text, columns, {}, step).rows;
}

std::string error_of(std::string const& text, texts const& columns, csv::options how = {}) {
    try {
        read(text, columns, how);
    } catch (csv::error const& e) { return e.what(); }
    return "no error";
}
bool has(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

struct temporary_file {
    std::string path;
    explicit temporary_file(std::string name) : path(std::move(name)) {}
    temporary_file(std::string name, std::string_view content) : path(std::move(name)) { std::ofstream(path, std::ios::binary) << content; }
    temporary_file(temporary_file const&) = delete;
    ~temporary_file() { std::remove(path.c_str()); }
    std::string content() const {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
};

TEST_CASE("a csv table is a single-pass input range of the user's own structs") {
    struct listen {
        std::string user;
        std::uint32_t track;
    };
    static_assert(std::ranges::input_range<csv::table<listen>>);
    static_assert(!std::ranges::forward_range<csv::table<listen>>);
    csv::table<listen> log("log.csv", bytes_of("user,track\nada,7\nbob,8\nada,9\n"), {"user", "track"}, [](csv::record const& r) {
        return listen{std::string(r.text(0)), r.integer<std::uint32_t>(1)};
    });
    auto const data = recsys::ingest(log, recsys::columns().user(&listen::user).item(&listen::track));
    CHECK(data.size() == 3);
    CHECK(data.users().size() == 2);
    CHECK(data.items().size() == 3);
    CHECK(log.report().rows == 3);
    CHECK(log.begin() == log.end());
}

TEST_CASE("c01 large ids beside a missing one stay exact, and the missing one is counted") {
    struct pair {
        std::optional<std::uint64_t> user;
        int item;
    };
    csv::table<pair> rows("ids.csv", bytes_of("user,item\n9007199254740993,1\n,2\n9007199254740992,3\n"), {"user", "item"},
                          [](csv::record const& r) {
                              return pair{r.optional_integer<std::uint64_t>(0), r.integer<int>(1)};
                          });
    auto const data = recsys::ingest(rows, recsys::columns().user(&pair::user).item(&pair::item));
    CHECK(data.users().size() == 2);
    CHECK(data.users().find(std::uint64_t{9007199254740993}).has_value());
    CHECK(data.users().find(std::uint64_t{9007199254740992}).has_value());
    CHECK(data.size() == 2);
    CHECK(rows.report().empty_fields == std::vector<std::uint64_t>{1, 0});
}

TEST_CASE("c02 words that look like missing values are text") {
    auto const out = read("user,item\nNA,null\nNone,nan\n", {"user", "item"});
    CHECK(out.rows == std::vector<texts>{{"NA", "null"}, {"None", "nan"}});
    CHECK(out.report.empty_fields == std::vector<std::uint64_t>{0, 0});
}

TEST_CASE("c03 a byte-order mark is no part of the first header, quoted or not") {
    for (std::size_t const step : {1u, 2u, 3u, 1000u}) {
        CHECK(rows_of("\xEF\xBB\xBF\"user\",item\n7,8\n", {"user", "item"}, step) == std::vector<texts>{{"7", "8"}});
        CHECK(rows_of("\xEF\xBB\xBFuser,item\n7,8\n", {"user", "item"}, step) == std::vector<texts>{{"7", "8"}});
    }
    // In a row the same bytes are data.
    CHECK(rows_of("user\n\xEF\xBB\xBFx\n", {"user"}) == std::vector<texts>{{"\xEF\xBB\xBFx"}});
    CHECK(error_of("\xEF\xBB\xBF", {"user"}) == "a.csv: is empty; a header with the columns 'user' was expected");
}

TEST_CASE("c04 a line break inside quotes belongs to the field, wherever the reads end") {
    std::string const text = "id,name,n\r\n1,\"red\r\nwine\",5\r\n2,\"a\"\"b\"\"\",6\r\n\"\",\"\",\"\"";
    std::vector<texts> const wanted{{"1", "red\r\nwine", "5"}, {"2", "a\"b\"", "6"}, {"", "", ""}};
    for (std::size_t step = 1; step <= text.size(); ++step) {
        CAPTURE(step);
        CHECK(rows_of(text, {"id", "name", "n"}, step) == wanted);
    }
    CHECK(rows_of(text, {"name"})[0][0].size() == 9);
}

TEST_CASE("c05 an empty last field is a field") {
    CHECK(rows_of("a,b,c\n1,2,\n", {"a", "b", "c"}) == std::vector<texts>{{"1", "2", ""}});
    CHECK(rows_of("a,b,c\n1,2,", {"a", "b", "c"}) == std::vector<texts>{{"1", "2", ""}});
    CHECK(rows_of("a,b,c\n,,\n,,", {"a", "b", "c"}) == std::vector<texts>{{"", "", ""}, {"", "", ""}});
    CHECK(rows_of("a,b,c\r\n1,2,\r\n", {"a", "b", "c"}) == std::vector<texts>{{"1", "2", ""}});
}

TEST_CASE("c05 wholly blank lines are skipped and counted as lines; a quoted empty field is a row") {
    CHECK(rows_of("\n\r\na,b\n\n1,2\r\n\r\n\n3,4\n\n", {"a", "b"}) == std::vector<texts>{{"1", "2"}, {"3", "4"}});
    CHECK(rows_of("a\n\n\"\"\nx\n\n", {"a"}) == std::vector<texts>{{""}, {"x"}});
    CHECK(error_of("a,b\n\n\n1\n", {"a"}) == "a.csv:4: the row has 1 field, the header has 2");
    CHECK(has(error_of("a,b\n \n", {"a"}), "a.csv:2:"));
}

TEST_CASE("c06 a quote that is never closed is an error of the line where it opened") {
    CHECK(error_of("u,i\n1,\"a\n2,b\n3,c", {"u", "i"}) == "a.csv:2: the row has a quote that is never closed");
    // The row began on line 2, the quote opened on line 4.
    CHECK(error_of("u,i\n\"1\n\n1\",\"a\n2,b\n", {"u", "i"}) == "a.csv:4: the row has a quote that is never closed");
    CHECK(has(error_of("\"u,i\n1,2\n", {"u", "i"}), "a.csv:1: the row has a quote that is never closed"));

    auto const out = read("u,i\n1,\"a\n2,b\n3,c", {"u", "i"}, {.skip_bad_rows = true});
    CHECK(out.rows == std::vector<texts>{{"2", "b"}, {"3", "c"}});
    CHECK(out.report.bad_rows == 1);
}

TEST_CASE("c06 what an open quote swallows is bounded") {
    std::size_t given = 0;
    bool first = true;
    csv::source const endless = [&](char* to, std::size_t room) {
        if (given > 10'000'000) return std::size_t{0};
        std::memset(to, 'x', room);
        if (std::exchange(first, false)) std::memcpy(to, "u,i\n1,\"a", 8);
        given += room;
        return room;
    };
    csv::table<int> rows("endless.csv", endless, {"u"}, [](csv::record const&) { return 0; }, {.max_row_bytes = 100'000});
    std::string what;
    try {
        rows.begin();
    } catch (csv::bad_row const& e) { what = e.what(); }
    CHECK(what == "endless.csv:2: the row is longer than 100000 bytes: is its quote never closed?");
}

TEST_CASE("a row longer than allowed is refused, however it is read, and can be skipped") {
    std::string const text = "a,b\n1,2\n3," + std::string(500, 'x') + "\n4,5\n";
    for (std::size_t const step : {1u, 7u, 100'000u}) {
        auto const out = read(text, {"a"}, {.skip_bad_rows = true, .max_row_bytes = 100}, step);
        CHECK(out.rows == std::vector<texts>{{"1"}, {"4"}});
        CHECK(out.report.bad_rows == 1);
    }
    CHECK(error_of(text, {"a"}, {.max_row_bytes = 100}) == "a.csv:3: the row is longer than 100 bytes");
    std::string const wide = "a,b\n1," + std::string(300'000, 'y') + "\n";
    CHECK(rows_of(wide, {"b"}, 1000)[0][0].size() == 300'000);
    // Longer than any buffer, on one line: skipped without keeping it.
    auto const out =
        read("a,b\n1," + std::string(3'000'000, 'y') + "\n2,3\n", {"a"}, {.skip_bad_rows = true, .max_row_bytes = 70'000}, 4096);
    CHECK(out.rows == std::vector<texts>{{"2"}});
}

TEST_CASE("malformed quoting is an error with its line") {
    CHECK(error_of("a,b\n1,2\n3,x\"y\"\n", {"a"}) == "a.csv:3: the row has a quote inside a field that does not begin with one");
    CHECK(error_of("a,b\n1,\"x\"y\n", {"a"}) == "a.csv:2: the row has text after the closing quote of a field");
    CHECK(error_of("a,b\n1,\"x\" ,\n", {"a"}) == "a.csv:2: the row has text after the closing quote of a field");
    CHECK(error_of("a,b\n1, \"x\"\n", {"a"}) == "a.csv:2: the row has a quote inside a field that does not begin with one");
    CHECK(error_of("a,b\n1,2\r3,4\r", {"a"}) == "a.csv:2: the row has a carriage return without a line feed");
    CHECK(error_of("a,b\n1,2\r", {"a"}) == "a.csv:2: the row has a carriage return without a line feed");
}

TEST_CASE("NUL bytes and UTF-16 are refused") {
    CHECK(error_of("a,b\n1,x\0y\n"s, {"a"}) == "a.csv:2: the row has a NUL byte; is the file UTF-8?");
    CHECK(error_of("\xFF\xFE"s + "a\0,\0b\0\n\0"s, {"a"}) == "a.csv: is UTF-16; save it as UTF-8");
    CHECK(has(error_of("a\0,\0b\0\n\0"s, {"a"}), "a.csv:1: the row has a NUL byte"));
    auto const out = read("a,b\n1,x\0y\n2,3\n"s, {"a"}, {.skip_bad_rows = true});
    CHECK(out.rows == std::vector<texts>{{"2"}});
}

TEST_CASE("a ragged row is an error that names its line and both counts") {
    CHECK(error_of("a,b,c\n1,2,3\n\n4,5\n", {"a"}) == "a.csv:4: the row has 2 fields, the header has 3");
    CHECK(error_of("a,b,c\n\"1\n1\",2,3\n4,5,6,7\n", {"a"}) == "a.csv:4: the row has 4 fields, the header has 3");
}

TEST_CASE("columns are found by name; a wrong header names the file, what was wanted and what is there") {
    CHECK(rows_of("c,b,a\n1,2,3\n", {"a", "b"}) == std::vector<texts>{{"3", "2"}});
    CHECK(error_of("id,albums\n1,2\n", {"track_id", "albums"}) ==
          "a.csv:1: the header must have the column 'track_id': wanted 'track_id', 'albums', got 'id', 'albums'");
    CHECK(error_of("a,b,a\n1,2,3\n", {"a"}) == "a.csv:1: the header must have the column 'a' once: wanted 'a', got 'a', 'b', 'a'");
    CHECK(has(error_of(" a,b\n", {"a"}), "got ' a', 'b'"));
    CHECK(has(error_of("A,b\n", {"a"}), "got 'A', 'b'"));
    // The mode that skips rows does not skip the header.
    CHECK(has(error_of("x\"y,b\n1,2\n", {"b"}, {.skip_bad_rows = true}), "a.csv:1:"));
}

TEST_CASE("an empty file has no header; a header alone is a table without rows") {
    CHECK(error_of("", {"a", "b"}) == "a.csv: is empty; a header with the columns 'a', 'b' was expected");
    CHECK(error_of("\n\r\n\n", {"a"}) == "a.csv: is empty; a header with the columns 'a' was expected");
    CHECK(rows_of("a,b\n", {"a"}).empty());
    CHECK(rows_of("a,b", {"b"}).empty());
}

TEST_CASE("a missing file and a folder are errors that name the path") {
    auto const open = [](std::string const& path) -> std::string {
        try {
            csv::table<int> rows(path, {"a"}, [](csv::record const&) { return 0; });
        } catch (csv::error const& e) { return e.what(); }
        return "no error";
    };
    CHECK(has(open("no/such/file.csv"), "no/such/file.csv: cannot be opened: "));
    CHECK(has(open("."), ".: cannot be "));
}

TEST_CASE("a value that is not what is asked for names file, line, column and value") {
    auto const error_in = [](std::string const& field, auto const& use) -> std::string {
        csv::table<int> rows("v.csv", bytes_of("k,value\n1,1\n2,\"" + field + "\"\n"), {"value"}, [&](csv::record const& r) {
            if (r.line() == 3) use(r);
            return 0;
        });
        try {
            for (auto at = rows.begin(); at != rows.end(); ++at) {}
        } catch (csv::bad_row const& e) { return e.what(); }
        return "no error";
    };
    auto const as_int = [](csv::record const& r) { r.integer<std::int32_t>(0); };
    CHECK(error_in("abc", as_int) == "v.csv:3: value: 'abc' is not a whole number from -2147483648 to 2147483647");
    CHECK(error_in("", as_int) == "v.csv:3: value: an empty field is not a whole number from -2147483648 to 2147483647");
    for (auto const* bad : {"2147483648", "-2147483649", "1.0", "1e3", " 1", "1 ", "+1", "0x10", "--1"})
        CHECK(has(error_in(bad, as_int), bad));
    for (auto const* good : {"2147483647", "-2147483648", "007", "-0"}) CHECK(error_in(good, as_int) == "no error");
    CHECK(has(error_in("-1", [](csv::record const& r) { r.integer<std::uint64_t>(0); }), "from 0 to 18446744073709551615"));
    CHECK(error_in("18446744073709551615", [](csv::record const& r) { CHECK(r.integer<std::uint64_t>(0) == 18446744073709551615u); }) ==
          "no error");

    auto const as_real = [](csv::record const& r) { r.real(0); };
    for (auto const* bad : {"", ".", "1,5", "nan", "inf", "0x1p3", "1e", "1e+", "1.5x", " 1.5", "1e999"}) {
        CAPTURE(bad);
        CHECK(has(error_in(bad, as_real), "is not a decimal number"));
    }

    auto const as_list = [](csv::record const& r) { r.integers<std::uint32_t>(0); };
    CHECK(has(error_in("1||2", as_list), "v.csv:3: value: '1||2' is not a whole number"));
    CHECK(has(error_in("1|", as_list), "v.csv:3: value: "));
    // Long values are cut, control characters are not echoed.
    CHECK(has(error_in(std::string(100, '9'), as_int), std::string(60, '9') + "...' is"));
    CHECK(has(error_in("a\tb", as_int), "'a?b'"));
}

TEST_CASE("a value read by a parser of the user's says where it stands when the parser refuses it") {
    auto const even = [](std::string_view text) -> std::optional<int> {
        auto const value = recsys::detail::parse_number<int>(text);
        return value && *value % 2 == 0 ? value : std::nullopt;
    };
    auto const throwing = [](std::string_view text) {
        if (text != "7") throw std::runtime_error("only 7 will do");
        return 7;
    };
    csv::table<int> rows("d.csv", bytes_of("n\n2\n3\n"), {"n"}, [&](csv::record const& r) { return r.parsed(0, even, "an even number"); });
    CHECK(*rows.begin() == 2);
    CHECK_THROWS_WITH_AS(++rows.begin(), "d.csv:3: n: '3' is not an even number", csv::bad_row);
    csv::table<int> sevens("d.csv", bytes_of("n\n7\n3\n"), {"n"}, [&](csv::record const& r) { return r.parsed(0, throwing, "a seven"); });
    CHECK(*sevens.begin() == 7);
    CHECK_THROWS_WITH_AS(++sevens.begin(), "d.csv:3: n: '3' is not a seven: only 7 will do", csv::bad_row);
}

TEST_CASE("lists of whole numbers are split at bars; an empty field is an empty list") {
    csv::table<std::vector<int>> rows("l.csv", bytes_of("x,l\n,1|22|-3\n,\n,7\n"), {"l"},
                                      [](csv::record const& r) { return r.integers<int>(0); });
    std::vector<std::vector<int>> got;
    for (auto const& list : rows) got.push_back(list);
    CHECK(got == std::vector<std::vector<int>>{{1, 22, -3}, {}, {7}});
    CHECK(rows.report().empty_fields == std::vector<std::uint64_t>{1});
}

TEST_CASE("decimal numbers are correctly rounded") {
    auto const value = [](char const* text) { return csv::detail::parse_real(text); };
    CHECK(value("4.0") == 4.0);
    CHECK(value("-0.5") == -0.5);
    CHECK(value("+12.") == 12.0);
    CHECK(value(".1") == 0.1);
    CHECK(value("0.3") == 0.3);
    CHECK(value("1e-5") == 1e-5);
    CHECK(value("123456789012345678") == 123456789012345678.0);
    CHECK(value("9007199254740993") == 9007199254740992.0);
    CHECK(value("0.1000000000000000055511151231257827") == 0.1);
    CHECK(value("1.7976931348623157e308") == std::numeric_limits<double>::max());
    CHECK(value("2.2250738585072014e-308") == std::numeric_limits<double>::min());
    CHECK(value("1e-400") == 0.0);
    CHECK(value("99999999999999999999999999e-26") == 1.0);
    for (char const* text : {"0.1", "3.14159", "2e22", "123456.789e3", "5e-22", "7.25e-10"})
        CHECK(value(text) == recsys::detail::parse_number<double>(text));
}

TEST_CASE("bad rows are skipped, counted and the first ones described when that is asked for") {
    std::string text = "user,n\nada,1\nbob,x\ncyd,3,4\n\"dan,5\neve,6\nf\"y,7\n\"gus\"\"s\",8\n";
    csv::table<std::pair<std::string, int>> rows("log.csv", bytes_of(text), {"user", "n"},
                                                 [](csv::record const& r) { return std::pair(std::string(r.text(0)), r.integer<int>(1)); },
                                                 {.skip_bad_rows = true, .max_messages = 3});
    std::vector<std::string> users;
    for (auto const& [user, n] : rows) users.push_back(user);
    CHECK(users == texts{"ada", "eve", "gus\"s"});
    CHECK(rows.report().rows == 3);
    CHECK(rows.report().bad_rows == 4);
    REQUIRE(rows.report().messages.size() == 3);
    CHECK(rows.report().messages[0] == "log.csv:3: n: 'x' is not a whole number from -2147483648 to 2147483647");
    CHECK(rows.report().messages[1] == "log.csv:4: the row has 3 fields, the header has 2");
    CHECK(rows.report().messages[2] == "log.csv:5: the row has text after the closing quote of a field");
}

TEST_CASE("skipping is the same wherever the reads end, and lines keep their numbers") {
    std::string const text = "a,b\r\n1,\"x\r\ny\"\r\n2,\"open\r\n3,q\"q\r\n4,z\r\n5\r\n6,\"end\"\"";
    for (std::size_t step = 1; step <= text.size(); ++step) {
        CAPTURE(step);
        auto const out = read(text, {"a", "b"}, {.skip_bad_rows = true}, step);
        CHECK(out.rows == std::vector<texts>{{"1", "x\r\ny"}, {"4", "z"}});
        REQUIRE(out.report.messages.size() == 4);
        CHECK(has(out.report.messages[0], "a.csv:4: "));
        CHECK(has(out.report.messages[1], "a.csv:5: "));
        CHECK(has(out.report.messages[2], "a.csv:7: "));
        CHECK(has(out.report.messages[3], "a.csv:8: "));
    }
}

TEST_CASE("a source that fails is an error, not a bad row to skip") {
    std::size_t calls = 0;
    csv::source const failing = [&](char* to, std::size_t) {
        if (++calls > 2) throw csv::error("disk: cannot be read");
        std::memcpy(to, "a\n1\n", 4);
        return std::size_t{4};
    };
    csv::table<int> rows("disk", failing, {"a"}, [](csv::record const&) { return 0; }, {.skip_bad_rows = true});
    CHECK_THROWS_WITH_AS(
        [&] {
            for (auto const& row : rows) static_cast<void>(row);
        }(),
        "disk: cannot be read", csv::error);
}

TEST_CASE("what is written reads back as it was") {
    texts const odd{"plain", "",           "a,b",   "say \"hi\"", "two\nlines", "cr\rlf\r\n", "\"",
                    ",",     "  spaces  ", "\tтаб", "東京",       "NA",         "'",          "a|b"};
    temporary_file const file("csv_round_trip.csv");
    csv::writer out(file.path, {"name, or so", "n"});
    for (std::size_t i = 0; i < odd.size(); ++i) out.row(odd[i], i);
    out.close();
    csv::table<std::pair<std::string, std::size_t>> rows(
        file.path, {"name, or so", "n"}, [](csv::record const& r) { return std::pair(std::string(r.text(0)), r.integer<std::size_t>(1)); });
    std::size_t i = 0;
    for (auto const& [name, n] : rows) {
        CHECK(name == odd[i]);
        CHECK(n == i++);
    }
    CHECK(i == odd.size());
}

namespace {

// All that reading gives, errors included, as one text.
std::string story(std::string const& text, csv::options how, unsigned threads, std::size_t piece, std::size_t step) {
    std::string out;
    csv::table<std::pair<std::uint64_t, int>> table(
        "a.csv", bytes_of(text, step), {"a", "b"},
        [](csv::record const& r) { return std::pair(r.line() + r.text(1).size() * 1000, r.integer<int>(0)); }, how);
    auto const add = [&](auto const& row) { out += std::to_string(row.first) + " " + std::to_string(row.second) + "\n"; };
    try {
        if (threads == 0)
            for (auto const& row : table) add(row);
        else table.for_each_block([&](auto const& rows) { std::for_each(rows.begin(), rows.end(), add); }, threads, piece);
    } catch (csv::error const& e) { return out + e.what(); }
    auto const& report = table.report();
    out +=
        std::to_string(report.rows) + " good " + std::to_string(report.bad_rows) + " bad, empty " + std::to_string(report.empty_fields[1]);
    for (auto const& message : report.messages) out += "\n" + message;
    return out;
}

}

TEST_CASE("pieces read by several threads give the rows, errors and line numbers of one reader, however malformed the file") {
    static constexpr std::string_view words[] = {
        "1", "22", ",",    ",",  ",",     "\n",   "\n",   "\n",        "\r\n",          "\"",        "\"\"",
        "x", "",   "\n7,", "5,", "\n8,y", "\n\n", "\n\"", ",\"a\nb\"", ",\"c\"\"d\"\n", "1,\"\n\"\n"};
    recsys::random_stream random(17);
    std::size_t well = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string text = "a,b\n";
        // Some files have all of the words, some only those that make good rows.
        bool const tame = round % 2 == 0;
        for (auto n = random.below(60); n > 0; --n)
            text += tame ? std::string(random.below(2) == 0 ? "1,zz" : "2,\"q\n\"\"\"") + (random.below(3) == 0 ? "\n\n" : "\n")
                         : std::string(words[random.below(std::size(words))]);
        csv::options const how{.skip_bad_rows = round % 4 < 2, .max_row_bytes = round % 5 == 0 ? 12u : 1000u};
        auto const wanted = story(text, how, 0, 0, 1 << 20);
        well += wanted.find(" good 0 bad") != std::string::npos;
        CAPTURE(text);
        CHECK(story(text, how, 1, 0, 3) == wanted);
        CHECK(story(text, how, 2, 1 + random.below(40), 1 << 20) == wanted);
        CHECK(story(text, how, 3, 1 + random.below(9), 1 + random.below(30)) == wanted);
    }
    CHECK(well > 500);
}

TEST_CASE("a converter's own error comes out of the pieces after the rows before it") {
    std::string text = "n\n";
    for (int i = 0; i < 1000; ++i) text += std::to_string(i) + "\n";
    csv::table<int> rows("a.csv", bytes_of(text), {"n"}, [](csv::record const& r) {
        int const n = r.integer<int>(0);
        if (n == 777) throw std::runtime_error("no 777");
        return n;
    });
    int next = 0;
    bool in_order = true;
    CHECK_THROWS_WITH(rows.for_each_block(
                          [&](std::span<int const> some) {
                              for (int const n : some) in_order = in_order && n == next++;
                          },
                          3, 100),
                      "no 777");
    CHECK(in_order);
    CHECK(next == 777);
}

TEST_CASE("numbers of every length are exact") {
    for (std::string const digits : {"0", "9", "99999999", "999999999", "1000000000", "4294967295", "00000000017"}) {
        csv::table<std::uint64_t> rows("a.csv", bytes_of("n\n" + digits + "\n"), {"n"},
                                       [](csv::record const& r) { return r.integer<std::uint64_t>(0); });
        CHECK(*rows.begin() == std::stoull(digits));
    }
    CHECK(has(error_of("n\n12345678a\n", {"n"}), "no error"));
    csv::table<int> rows("a.csv", bytes_of("n\n12345678:\n"), {"n"}, [](csv::record const& r) { return r.integer<int>(0); });
    CHECK_THROWS_WITH(rows.begin(), "a.csv:2: n: '12345678:' is not a whole number from -2147483648 to 2147483647");
}

TEST_CASE("rows made apart are written in the order in which they are handed over") {
    temporary_file const file("csv_lines.csv");
    csv::writer out(file.path, {"a", "b"});
    csv::lines first(2), second(2);
    second.row(3, "x,y");
    first.row(1, 2);
    CHECK_THROWS_WITH_AS(first.row(1), "a row of 1 fields, the header has 2", csv::error);
    CHECK_THROWS_WITH_AS(first.row(1, "x\0y"s), "a field has a NUL byte", csv::error);
    out.row(0, 0);
    out.write(first), out.write(second);
    out.row(4, 4);
    CHECK_THROWS_WITH_AS(out.write(csv::lines(3)), "csv_lines.csv: rows of 3 fields, the header has 2", csv::error);
    out.close();
    CHECK(file.content() == "a,b\n0,0\n1,2\n3,\"x,y\"\n4,4\n");
}

TEST_CASE("a writer quotes only where it must and writes each kind of value in one way") {
    temporary_file const file("csv_writer.csv");
    csv::writer out(file.path, {"a", "b"});
    out.row("x y", std::string_view("p,q"));
    out.row(-5, std::numeric_limits<std::uint64_t>::max());
    out.row(0.1, 1e300);
    out.row(0.1f, std::numeric_limits<double>::quiet_NaN());
    out.row(std::optional<int>(), std::optional<std::string>("\""));
    out.row(std::vector<std::int64_t>{1, -2, 3}, std::vector<int>{});
    out.row(true, std::string("'"));
    out.close();
    CHECK(file.content() == "a,b\nx y,\"p,q\"\n-5,18446744073709551615\n0.1,1e+300\n0.1,\n,\"\"\"\"\n1|-2|3,\n1,'\n");
}

TEST_CASE("a lone empty field is written in quotes, so that it is no blank line") {
    temporary_file const file("csv_lone.csv");
    csv::writer out(file.path, {"a"});
    out.row("");
    out.row(std::vector<int>{});
    out.row("x");
    out.close();
    CHECK(file.content() == "a\n\"\"\n\"\"\nx\n");
}

TEST_CASE("a writer refuses rows of another width and NUL bytes, and leaves no half file") {
    temporary_file const file("csv_refused.csv");
    {
        csv::writer out(file.path, {"a", "b"});
        CHECK_THROWS_WITH_AS(out.row(1), "csv_refused.csv: a row of 1 fields, the header has 2", csv::error);
        CHECK_THROWS_AS(out.row("x\0y"s, 1), csv::error);
    }
    CHECK(!std::ifstream(file.path));
    CHECK(!std::ifstream(file.path + ".part"));
    CHECK_THROWS_AS(csv::writer("no/such/folder/x.csv", {"a"}), csv::error);
}

namespace {
struct comma_point : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};
}

TEST_CASE("c50 numbers are read and written the same under a locale with a decimal comma") {
    std::locale const before = std::locale::global(std::locale(std::locale::classic(), new comma_point));
    std::string const c_before = std::setlocale(LC_ALL, nullptr);
    std::setlocale(LC_ALL, "de_DE.UTF-8"); // where it is not installed the facet alone must do
    temporary_file const file("csv_locale.csv");
    csv::writer out(file.path, {"a", "b"});
    out.row(0.5, 1234567);
    out.row(1234567.25, -1000);
    out.close();
    CHECK(file.content() == "a,b\n0.5,1234567\n1234567.25,-1000\n");
    csv::table<double> rows(file.path, {"a", "b"}, [](csv::record const& r) { return r.real(0) + r.integer<int>(1); });
    std::vector<double> got;
    for (double const value : rows) got.push_back(value);
    CHECK(got == std::vector<double>{1234567.5, 1233567.25});
    CHECK(csv::detail::parse_real("0.1000000000000000055511151231257827") == 0.1);
    CHECK(!csv::detail::parse_real("0,5"));
    std::locale::global(before);
    std::setlocale(LC_ALL, c_before.c_str());
}

TEST_CASE("thousands of random tables come back as they were written, read in pieces of any size") {
    recsys::random_stream random(42);
    std::string const letters = "ab,\"\n\r|x ";
    for (int round = 0; round < recsys_test::sized(10'000, 2'000); ++round) {
        std::size_t const width = 1 + random.below(4), height = random.below(4);
        std::vector<texts> rows(height);
        std::string text;
        for (std::size_t c = 0; c < width; ++c) text += (c ? "," : "") + ("c" + std::to_string(c));
        text += '\n';
        for (auto& row : rows) {
            for (std::size_t c = 0; c < width; ++c) {
                std::string value;
                for (auto n = random.below(6); n > 0; --n) value += letters[random.below(letters.size())];
                row.push_back(value);
                if (c > 0) text += ',';
                csv::detail::append(text, std::string_view(value), width == 1);
            }
            text += random.below(2) ? "\n" : "\r\n";
        }
        texts columns;
        for (std::size_t c = 0; c < width; ++c) columns.push_back("c" + std::to_string(c));
        auto const got = rows_of(text, columns, 1 + random.below(9));
        if (got != rows) FAIL_CHECK("round " << round << ": " << text);
    }
}

TEST_CASE("random bytes are rows or an error, never anything worse") {
    recsys::random_stream random(7);
    std::string const letters = "a1,\"\n\r\0 "s;
    for (int round = 0; round < recsys_test::sized(20'000, 4'000); ++round) {
        std::string text = "a,b\n";
        for (auto n = random.below(40); n > 0; --n) text += letters[random.below(letters.size())];
        csv::options const how{.skip_bad_rows = true, .max_row_bytes = 16, .max_messages = 100};
        auto const whole = read(text, {"a", "b"}, how), piecewise = read(text, {"a", "b"}, how, 1);
        if (whole.rows != piecewise.rows || whole.report.bad_rows != piecewise.report.bad_rows ||
            whole.report.messages != piecewise.report.messages)
            FAIL_CHECK("round " << round << " differs by where the reads end: " << text);
    }
}
