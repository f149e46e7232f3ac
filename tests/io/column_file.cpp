// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <list>
#include <set>
#include <string>
#include <string_view>
#include <vector>
#if !defined(_WIN32)
#include <unistd.h>
#endif

namespace rs = recsys;
using namespace std::chrono;

namespace {

std::string const path = "column_file_test.rsc";

enum class kind : std::uint8_t { song, talk };

struct row {
    std::int8_t tiny = 0;
    std::uint64_t large = 0;
    std::int64_t wide = 0;
    bool flag = false;
    kind what = kind::song;
    float share = 0;
    double score = 0;
    rs::time_point at{};
    sys_days day{};
    std::string name;
    std::vector<std::int32_t> genres;
    std::list<std::string> words;
    friend bool operator==(row const&, row const&) = default;
};

auto shape() {
    return rs::file_columns<row>()
        .column("tiny", &row::tiny)
        .column("large", &row::large)
        .column("wide", &row::wide)
        .column("flag", &row::flag)
        .column("what", &row::what)
        .column("share", &row::share)
        .column("score", &row::score)
        .column("at", &row::at)
        .column("day", &row::day)
        .column("name", &row::name)
        .column("genres", &row::genres)
        .column("words", &row::words);
}

row random_row(rs::random_stream& random) {
    row r;
    r.tiny = static_cast<std::int8_t>(random.bits());
    r.large = random.bits() >> (random.bits() % 64);
    r.wide = static_cast<std::int64_t>(random.bits()) >> (random.bits() % 64);
    r.flag = random.below(2) == 1, r.what = random.below(2) == 1 ? kind::song : kind::talk;
    r.share = static_cast<float>(random.normal()), r.score = random.normal() * 1e300;
    r.at = rs::time_point(microseconds(static_cast<std::int64_t>(random.bits() >> 8) - (std::int64_t{1} << 54)));
    r.day = sys_days(days(static_cast<int>(random.below(20000)) - 10000));
    r.name = std::string(static_cast<std::size_t>(random.below(20)), static_cast<char>(random.below(256)));
    for (auto n = random.below(4); n > 0; --n) r.genres.push_back(static_cast<std::int32_t>(random.bits()));
    for (auto n = random.below(3); n > 0; --n) r.words.push_back(std::to_string(random.below(1000)));
    return r;
}
std::vector<row> random_rows(std::size_t n) {
    rs::random_stream random(7, n);
    std::vector<row> rows;
    for (std::size_t i = 0; i < n; ++i) rows.push_back(random_row(random));
    return rows;
}

template <class Row> void write(std::vector<Row> const& rows, rs::column_schema<Row> const& schema, rs::column_file_options how = {}) {
    rs::column_writer<Row> out(path, schema, how);
    out.write(std::span<Row const>(rows));
    out.close();
}
template <class Row> std::vector<Row> read(rs::column_schema<Row> const& schema) {
    rs::column_table<Row> in(path, schema);
    std::vector<Row> rows;
    for (Row const& r : in) rows.push_back(r);
    return rows;
}

std::string bytes_of_file() {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
void write_bytes(std::string const& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

template <class Use> std::string error_of(Use const& use) {
    try {
        use();
    } catch (rs::error const& e) { return e.what(); }
    return "no error";
}

std::vector<std::uint64_t> coded(std::vector<std::uint64_t> const& values) {
    rs::detail::chunk_writer out;
    out.integers(values);
    return {out.words().begin(), out.words().end()};
}
std::vector<std::uint64_t> decoded(std::vector<std::uint64_t> const& words, std::size_t n) {
    std::string const where = "x";
    rs::detail::chunk_reader in(words, where);
    std::vector<std::uint64_t> out(n);
    in.integers(out);
    in.end();
    return out;
}

}

TEST_CASE("integers are coded as offsets, differences or runs: words worked by hand") {
    using words = std::vector<std::uint64_t>;
    std::uint64_t const top = std::uint64_t{1} << 63;
    // Offsets 0 2 1 0 of two bits each, from the lowest bit on.
    CHECK(coded({5, 7, 6, 5}) == words{0, 2, 5, 1, 0b00'01'10'00, 0});
    // Multiples of a day: offsets 0, 1, 3 of 86,400.
    CHECK(coded({86400, 172800, 345600}) == words{0, 2, 86400, 86400, 0b11'01'00, 0});
    // One value: no bits. None: no words.
    CHECK(coded({9, 9, 9}) == words{0, 0, 9, 1});
    CHECK(coded({}).empty());
    // Rising by one: the first value, and a step that is always 1.
    words rising(200);
    for (std::size_t i = 0; i < rising.size(); ++i) rising[i] = 1000 + i;
    CHECK(coded(rising) == words{1, 1000, 0, top + 1, 1});
    // Two long runs: values 0 and 1 x 2^40, lengths 300 and 100 as offsets 2 and 0 of 200... the factor is 200, the width 1.
    words runs(400, 0);
    for (std::size_t i = 300; i < 400; ++i) runs[i] = std::uint64_t{1} << 40;
    CHECK(coded(runs) == words{2 | 2 << 8, 1, 0, std::uint64_t{1} << 40, 0b10, 0, 1, 100, 200, 0b01, 0});
    for (auto const& values : {words{5, 7, 6, 5}, rising, runs}) CHECK(decoded(coded(values), values.size()) == values);
}

TEST_CASE("integers of every width come back, and small ones take few bits") {
    rs::random_stream random(3);
    for (unsigned width = 0; width <= 64; ++width)
        for (std::size_t const n : {1u, 2u, 63u, 64u, 65u, 1000u}) {
            CAPTURE(width);
            CAPTURE(n);
            std::vector<std::uint64_t> values(n);
            for (auto& v : values) v = width == 0 ? 77 : (random.bits() >> (64 - width)) + (width < 64 ? 1234567 : 0);
            auto const words = coded(values);
            CHECK(decoded(words, n) == values);
            CHECK(words.size() <= 5 + (n * width + 63) / 64);
        }
    // The ends of the range, next to each other: differences wrap around.
    std::vector<std::uint64_t> const ends{0, ~std::uint64_t{0}, 0, std::uint64_t{1} << 63, ~std::uint64_t{0}};
    CHECK(decoded(coded(ends), ends.size()) == ends);
}

TEST_CASE("rows of every kind of column come back as they were written, for any size of block and number of threads") {
    for (std::size_t const n : {0u, 1u, 99u, 100u, 101u, 1234u})
        for (std::size_t const block : {1u, 100u, 65536u})
            for (unsigned const threads : {1u, 3u}) {
                CAPTURE(n);
                CAPTURE(block);
                auto const rows = random_rows(n);
                write(rows, shape(), {.block_rows = block, .threads = threads});
                CHECK(read(shape()) == rows);
                rs::column_table<row> const table(path, shape());
                CHECK(table.file().size() == n);
                CHECK(table.file().n_blocks() == (n + block - 1) / block);
                std::vector<row> again;
                table.for_each_block([&](std::span<row const> some) { again.insert(again.end(), some.begin(), some.end()); }, threads);
                CHECK(again == rows);
            }
    std::remove(path.c_str());
}

TEST_CASE("the same rows give the same bytes, one by one or in spans, for any number of threads") {
    auto const rows = random_rows(777);
    write(rows, shape(), {.block_rows = 100});
    auto const whole = bytes_of_file();
    write(rows, shape(), {.block_rows = 100, .threads = 4});
    CHECK(bytes_of_file() == whole);
    rs::column_writer<row> out(path, shape(), {.block_rows = 100});
    for (std::size_t i = 0; i < 30; ++i) out.write(rows[i]);
    out.write(std::span(rows).subspan(30, 500));
    out.write(std::span(rows).subspan(530));
    out.close();
    CHECK(bytes_of_file() == whole);
    std::remove(path.c_str());
}

TEST_CASE("extreme numbers, NaN and odd texts come back") {
    std::vector<row> rows(4);
    rows[0].tiny = -128, rows[1].tiny = 127;
    rows[0].large = std::numeric_limits<std::uint64_t>::max();
    rows[0].wide = std::numeric_limits<std::int64_t>::min(), rows[1].wide = std::numeric_limits<std::int64_t>::max();
    rows[0].share = std::numeric_limits<float>::infinity(), rows[1].share = -0.f, rows[2].share = std::numeric_limits<float>::denorm_min();
    rows[0].at = rs::time_point::min(), rows[1].at = rs::time_point::max();
    rows[0].name = std::string("a\0b", 3), rows[2].name = "\r\n\",|";
    rows[1].genres = {std::numeric_limits<std::int32_t>::min(), 0, std::numeric_limits<std::int32_t>::max()};
    rows[3].words = {"", "", ""};
    write(rows, shape());
    CHECK(read(shape()) == rows);
    CHECK(std::signbit(read(shape())[1].share));
    rows[0].score = std::numeric_limits<double>::quiet_NaN();
    write(rows, shape());
    CHECK(std::isnan(read(shape())[0].score));
    std::remove(path.c_str());
}

TEST_CASE("an event of a log takes eight to ten bytes at most") {
    struct event {
        std::int32_t user, track;
        std::int16_t seq;
        rs::time_point at;
    };
    auto const columns = rs::file_columns<event>()
                             .column("user", &event::user)
                             .column("track", &event::track)
                             .column("seq", &event::seq)
                             .column("at", &event::at);
    rs::random_stream random(5);
    std::vector<event> log;
    for (int user = 0; user < 700; ++user) {
        auto const id = static_cast<std::int32_t>(random.below(2'700'000));
        auto const plays = static_cast<std::int16_t>(10 + random.below(300));
        for (std::int16_t i = 0; i < plays; ++i)
            log.push_back({id, static_cast<std::int32_t>(random.below(100'000'000)), static_cast<std::int16_t>(i + 1),
                           sys_days{2022y / 1 / 1} + days(365 * i / plays)});
    }
    write(log, columns);
    CHECK(static_cast<double>(bytes_of_file().size()) / static_cast<double>(log.size()) < 10);
    std::remove(path.c_str());
}

TEST_CASE("columns are found by name and read as any type that has the values") {
    struct stored {
        std::int32_t user;
        sys_days day;
        float share;
        std::vector<std::int16_t> list;
    };
    std::vector<stored> const rows{{1, sys_days(days(3)), 0.5f, {1, 2}}, {-70000, sys_days(days(-1)), 2, {}}, {40000, {}, 0, {-3}}};
    write(rows, rs::file_columns<stored>()
                    .column("user", &stored::user)
                    .column("day", &stored::day)
                    .column("share", &stored::share)
                    .column("list", &stored::list)
                    .column("double of user", [](stored const& s) { return 2LL * s.user; }));
    rs::column_file const file(path);
    CHECK(file.names() == std::vector<std::string>{"user", "day", "share", "list", "double of user"});
    CHECK(file.types() == std::vector<std::string>{"int32", "time 86400/1", "float32", "list of int16", "int64"});
    CHECK(file.read<std::int64_t>(0, "user") == std::vector<std::int64_t>{1, -70000, 40000});
    CHECK(file.read<std::int32_t>(0, "double of user") == std::vector<std::int32_t>{2, -140000, 80000});
    CHECK(file.read<double>(0, "share") == std::vector<double>{0.5, 2, 0});
    CHECK(file.read<rs::time_point>(0, "day")[1] == rs::time_point(sys_days{1969y / 12 / 31}));
    CHECK(file.read<std::vector<std::int64_t>>(0, "list") == std::vector<std::vector<std::int64_t>>{{1, 2}, {}, {-3}});

    struct wanted {
        double share = -1;
        std::int64_t user = -1;
        int other = 42;
    };
    auto const some = read(rs::file_columns<wanted>().column("share", &wanted::share).column("user", &wanted::user));
    REQUIRE(some.size() == 3);
    CHECK(some[1].user == -70000);
    CHECK(some[1].share == 2);
    CHECK(some[1].other == 42);

    auto const in_file = [&](std::string const& text) { return path + ": " + text; };
    CHECK(error_of([&] { file.read<std::int16_t>(0, "user"); }) ==
          in_file("column 'user', row 1: the value does not fit into the type that is asked for"));
    CHECK(error_of([&] { file.read<std::uint64_t>(0, "user"); }) ==
          in_file("column 'user', row 1: the value does not fit into the type that is asked for"));
    CHECK(error_of([&] { file.read<std::vector<std::uint16_t>>(0, "list"); }) ==
          in_file("column 'list', row 2: the value does not fit into the type that is asked for"));
    CHECK(error_of([&] { file.read<std::string>(0, "user"); }) == in_file("column 'user' is int32, which cannot be read as text"));
    CHECK(error_of([&] { file.read<float>(0, "user"); }) == in_file("column 'user' is int32, which cannot be read as float32"));
    CHECK(error_of([&] { file.read<int>(0, "list"); }) == in_file("column 'list' is list of int16, which cannot be read as int32"));
    CHECK(error_of([&] { file.read<std::chrono::sys_time<std::chrono::weeks>>(0, "day"); }) ==
          in_file("column 'day' is time 86400/1, which cannot be read as time 604800/1"));
    CHECK(error_of([&] { file.read<int>(0, "track"); }) ==
          in_file("column 'track' is missing; there are 'user', 'day', 'share', 'list', 'double of user'"));
    CHECK(error_of([&] { file.read<int>(1, "user"); }) == "column_file: block 1 of 1");
    CHECK(error_of([&] { read(rs::file_columns<wanted>().column("tracks", &wanted::user)); }) ==
          in_file("column 'tracks' is missing; there are 'user', 'day', 'share', 'list', 'double of user'"));
    CHECK(error_of([&] { read(rs::file_columns<wanted>().column("user", [](wanted const& w) { return w.other; })); }) ==
          "column_table: the column 'user' is computed, it can only be written");
    std::remove(path.c_str());
}

TEST_CASE("a time that its finer type cannot hold is an error of its row") {
    struct stored {
        sys_days day;
    };
    write(std::vector<stored>{{sys_days{}}, {sys_days(days(200'000'000))}}, rs::file_columns<stored>().column("day", &stored::day));
    CHECK(error_of([] { rs::column_file(path).read<rs::time_point>(0, "day"); }) ==
          path + ": column 'day', row 1: the value does not fit into the type that is asked for");
    std::remove(path.c_str());
}

TEST_CASE("a column file that is cut off anywhere, or has any bit altered, is a format_error") {
    write(random_rows(25), shape(), {.block_rows = 10});
    auto const whole = bytes_of_file();
    CHECK(read(shape()).size() == 25);
    std::size_t n_errors = 0, n_tries = 0;
    auto const must_fail = [&](std::string const& bytes) {
        write_bytes(bytes);
        ++n_tries;
        try {
            read(shape());
        } catch (rs::format_error const& e) { n_errors += std::string_view(e.what()).substr(0, path.size()) == path; }
    };
    for (std::size_t length = 0; length < whole.size(); ++length) must_fail(whole.substr(0, length));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto altered = whole;
        altered[at] = static_cast<char>(altered[at] ^ (1 << (at % 8)));
        must_fail(altered);
    }
    must_fail(whole + '\0');
    CHECK(n_tries == 2 * whole.size() + 1);
    CHECK(n_errors == n_tries);
    std::remove(path.c_str());
}

TEST_CASE("chunks that no writer makes are errors, never a crash or a flood, though their checksums are right") {
    std::string const where = "f: column 'c', rows 0 to 9";
    auto const bad = [&](std::vector<std::uint64_t> const& words, std::size_t n) {
        return error_of([&] {
            std::vector<std::uint64_t> out(n);
            rs::detail::chunk_reader in(words, where);
            in.lengths(out);
            in.end();
        });
    };
    CHECK(bad({}, 1) == where + ": ends too early");
    CHECK(bad({0, 65, 0, 1}, 1) == where + ": has numbers of more than 64 bits");
    CHECK(bad({0, 8, 0, 1, 0}, 9) == where + ": ends too early");
    CHECK(bad({3, 0, 0, 0}, 1) == where + ": is packed in a way that this library does not know");
    CHECK(bad({2 | std::uint64_t{11} << 8, 0, 1, 1}, 10) == where + ": has more runs than values");
    CHECK(bad({2 | 1 << 8, 0, 5, 1, 0, 11, 1}, 10) == where + ": has more values than rows");
    CHECK(bad({2 | 1 << 8, 0, 5, 1, 0, 9, 1}, 10) == where + ": has fewer values than rows");
    CHECK(bad({0, 0, std::uint64_t{1} << 60, 1}, 10) == where + ": has lengths that are too large");
    CHECK(bad({0, 0, 1, 1, 7}, 10) == where + ": has more data than values");
    // Random words under random heads: every outcome but a crash.
    rs::random_stream random(11);
    std::size_t n_errors = 0;
    for (int i = 0; i < 20000; ++i) {
        std::vector<std::uint64_t> words(static_cast<std::size_t>(random.below(12)));
        for (auto& w : words) w = random.bits() >> (random.bits() % 64);
        if (!words.empty()) words[0] = random.below(3) | random.below(4) << 8;
        n_errors += bad(words, 10) != "no error";
    }
    CHECK(n_errors > 15000);
}

#if !defined(_WIN32)
TEST_CASE("places beyond four gigabytes are read: a sparse file of two columns, the first of them five gigabytes of nothing") {
    rs::detail::chunk_writer chunk;
    chunk.integers(std::vector<std::uint64_t>{rs::detail::to_code(7), rs::detail::to_code(-8)});
    auto const words = std::as_bytes(chunk.words());
    std::uint64_t const gap = (std::uint64_t{5} << 30) + 8;
    std::uint32_t const before = 12345, after = rs::detail::crc32(words, before);
    std::vector<rs::detail::archive_section> sections;
    rs::detail::object_writer out(sections, 0);
    out.text("type", "column_file");
    out.texts("names", std::vector<std::string>{"a", "b"}), out.texts("types", std::vector<std::string>{"int32", "int32"});
    out.array("chunks", std::vector<rs::detail::column_chunk_end>{{gap, before, 0}, {gap + words.size(), after, 0}});
    out.array("counts", std::vector<std::uint64_t>{2, 65536});

    std::vector<rs::detail::archive_entry> entries;
    std::uint64_t at = sizeof(rs::detail::archive_header) + (sections.size() + 1) * sizeof(rs::detail::archive_entry);
    auto const add = [&](std::string const& name, std::size_t element, std::uint64_t n, std::uint32_t crc) {
        auto& e = entries.emplace_back();
        e = {};
        std::memcpy(e.name, name.data(), name.size());
        e.element_size = static_cast<std::uint32_t>(element), e.offset = rs::detail::archive_place(at), e.bytes = n, e.crc = crc;
        at = e.offset + n;
    };
    for (auto const& s : sections) add(s.name, s.element_size, s.owned.size(), rs::detail::crc32(s.owned));
    add("data", 8, gap + words.size(), after);
    rs::detail::archive_header header{{}, rs::detail::archive_format, rs::detail::archive_byte_order, at, entries.size(), 0, 0};
    std::memcpy(header.magic, rs::detail::archive_magic, sizeof header.magic);
    header.table_crc = rs::detail::crc32(std::as_bytes(std::span(entries)), rs::detail::crc32(std::as_bytes(std::span(&header, 1))));
    {
        std::ofstream file(path, std::ios::binary | std::ios::trunc);
        auto const put = [&](std::uint64_t where, void const* bytes, std::size_t n) {
            file.seekp(static_cast<std::streamoff>(where));
            file.write(static_cast<char const*>(bytes), static_cast<std::streamsize>(n));
        };
        put(0, &header, sizeof header);
        put(sizeof header, entries.data(), entries.size() * sizeof entries[0]);
        for (std::size_t i = 0; i < sections.size(); ++i) put(entries[i].offset, sections[i].owned.data(), sections[i].owned.size());
        put(entries.back().offset + gap, words.data(), words.size());
    }
    rs::column_file const file(path);
    CHECK(file.read<std::int64_t>(0, "b") == std::vector<std::int64_t>{7, -8});
    std::remove(path.c_str());
}

TEST_CASE("a full disk is an error and leaves the old file") {
    write(random_rows(3), shape());
    auto const before = bytes_of_file();
    if (::access("/dev/full", W_OK) == 0 && ::symlink("/dev/full", (path + ".part").c_str()) == 0) {
        auto const what = error_of([] { write(random_rows(3000), shape(), {.block_rows = 100}); });
        CHECK(what.find(path + ".part: cannot be written: ") == 0);
        CHECK(bytes_of_file() == before);
        // The table of a small file is all that fails: at the end.
        std::remove((path + ".part").c_str());
        REQUIRE(::symlink("/dev/full", (path + ".part").c_str()) == 0);
        CHECK(error_of([] { write(random_rows(1), shape()); }).find(path + ".part: cannot be written: ") == 0);
        CHECK(bytes_of_file() == before);
    }
    std::remove(path.c_str());
}
#endif

TEST_CASE("what cannot be written is refused, and a writer that was not closed leaves the old file") {
    CHECK(error_of([] { rs::column_writer<row>(path, rs::file_columns<row>()); }) == "column_writer: there is no column to write");
    CHECK(error_of([] { rs::file_columns<row>().column("", &row::tiny); }) == "column: a column needs a name");
    CHECK(error_of([] { rs::file_columns<row>().column("a", &row::tiny).column("a", &row::large); }) == "column: the name 'a' comes twice");
    CHECK(error_of([] { rs::column_writer<row>(path, shape(), {.block_rows = 0}); }) ==
          "column_writer: block_rows must be in [1, 16777216], got 0");
    CHECK(error_of([] { rs::column_writer<row>("no/such/folder/x.rsc", shape()); }).find("no/such/folder/x.rsc.part: cannot be written") ==
          0);
    CHECK(error_of([] { rs::column_file("no/such/file.rsc"); }).find("no/such/file.rsc: cannot be opened: ") == 0);

    write(random_rows(2), shape());
    auto const before = bytes_of_file();
    { rs::column_writer<row>(path, shape()).write(random_rows(1)[0]); }
    CHECK(bytes_of_file() == before);
    CHECK(error_of([] { read(rs::file_columns<row>()); }) == "column_table: there is no column to read");
    // The other kind of file of the same container.
    rs::save(path, rs::user_encoder<int>::fit(std::vector<int>{1, 2}));
    CHECK(error_of([] { read(shape()); }).find(path + ": ") == 0);
    write(random_rows(2), shape());
    CHECK(error_of([] { static_cast<void>(rs::load<rs::user_encoder<int>>(path)); }).find("object 1 is 'column_file', expected") !=
          std::string::npos);
    std::remove(path.c_str());
}

TEST_CASE("a column table feeds ingest, block by block") {
    struct play {
        int user, track;
    };
    auto const columns = rs::file_columns<play>().column("user", &play::user).column("track", &play::track);
    static_assert(std::ranges::input_range<rs::column_table<play>>);
    static_assert(!std::ranges::forward_range<rs::column_table<play>>);
    write(std::vector<play>{{1, 7}, {2, 8}, {1, 9}}, columns, {.block_rows = 2});
    rs::column_table<play> log(path, columns);
    auto const data = rs::ingest(log, rs::columns().user(&play::user).item(&play::track));
    CHECK(data.size() == 3);
    CHECK(data.users().size() == 2);
    CHECK(log.begin() == log.end());
    std::remove(path.c_str());
}
