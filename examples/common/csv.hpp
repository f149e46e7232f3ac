// SPDX-License-Identifier: MIT
// CSV files as ranges of your own structs, and back. RFC 4180, bytes of UTF-8 left as they are; the standard library alone.
//
// Reading: each row has as many fields as the header, and columns are found by their names, in any order, others may stand between
// them. Fields are separated by commas and rows by LF or CRLF; the last line break may be missing; wholly blank lines are skipped. A
// field with a comma, a quote or a line break stands in quotes, a quote inside it is doubled. No word means "missing": only the empty
// field does (`NA` is text), and spaces belong to the field. A byte-order mark before the header is dropped. Wrong is: a quote
// inside a field that does not begin with one, text after a closing quote, a quote that is never closed, a carriage return alone, a
// NUL byte, a row longer than `max_row_bytes`, another number of fields than the header has, a value that is not what is asked for.
//
// With `skip_bad_rows` such a row is counted and left out instead, and reading goes on at the line after the one on which the broken
// field began; after a row that is only wrong in its values or in their number, behind that row.
#ifndef RECSYS_EXAMPLES_CSV_HPP
#define RECSYS_EXAMPLES_CSV_HPP

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "csv_scanner.hpp"
#include "csv_writer.hpp"

namespace csv {

struct options {
    bool skip_bad_rows = false;
    std::size_t max_row_bytes = std::size_t{1} << 20; ///< what a quote that is never closed may swallow
    std::size_t max_messages = 5;                     ///< of bad rows, kept in the report
};

/// What was read so far.
struct read_report {
    std::uint64_t rows = 0;
    std::uint64_t bad_rows = 0;
    std::vector<std::string> messages = {};       ///< of the first bad rows
    std::vector<std::uint64_t> empty_fields = {}; ///< of each column asked for, over the good rows
};

/// One row: its fields by the number of the column in the list of those asked for.
class record {
public:
    record(detail::scanner const& from, std::vector<std::string> const& columns, std::vector<std::size_t> const& places)
        : m_from(&from), m_columns(&columns), m_places(&places) {}

    std::string_view text(std::size_t column) const { return m_from->fields()[(*m_places)[column]]; }
    bool empty(std::size_t column) const { return text(column).empty(); }
    std::uint64_t line() const noexcept { return m_from->line(); }

    /// The field as a whole number. @throws bad_row also where it does not fit.
    template <std::integral Integer> Integer integer(std::size_t column) const { return to_integer<Integer>(column, text(column)); }
    /// Nothing where the field is empty.
    template <std::integral Integer> std::optional<Integer> optional_integer(std::size_t column) const {
        return empty(column) ? std::optional<Integer>() : integer<Integer>(column);
    }
    double real(std::size_t column) const {
        auto const value = detail::parse_real(text(column));
        if (!value) fail(column, "is not a decimal number");
        return *value;
    }
    std::optional<double> optional_real(std::size_t column) const { return empty(column) ? std::optional<double>() : real(column); }

    /// Whole numbers joined by `between`; none where the field is empty.
    template <std::integral Integer> std::vector<Integer> integers(std::size_t column, char between = '|') const {
        std::vector<Integer> out;
        std::string_view left = text(column);
        if (left.empty()) return out;
        for (;;) {
            std::size_t const end = left.find(between);
            out.push_back(to_integer<Integer>(column, left.substr(0, end)));
            if (end == std::string_view::npos) return out;
            left.remove_prefix(end + 1);
        }
    }
    /// What `parse` makes of the text; what it throws, or an empty optional, becomes a bad_row that says where.
    template <class Parse> auto parsed(std::size_t column, Parse const& parse, std::string_view wanted) const {
        using result = std::remove_cvref_t<decltype(parse(text(column)))>;
        auto const attempt = [&]() -> result {
            try {
                return parse(text(column));
            } catch (std::exception const& e) { fail(column, "is not " + std::string(wanted) + ": " + e.what()); }
        };
        if constexpr (requires(result r) { r.has_value(); }) {
            result value = attempt();
            if (!value.has_value()) fail(column, "is not " + std::string(wanted));
            return *std::move(value);
        } else {
            return attempt();
        }
    }
    /// For checks of your own. @throws bad_row always.
    [[noreturn]] void fail(std::size_t column, std::string const& why) const {
        throw bad_row(m_from->where() + (*m_columns)[column] + ": " + (empty(column) ? "an empty field" : detail::quoted(text(column))) +
                      " " + why);
    }

private:
    template <class Integer> Integer to_integer(std::size_t column, std::string_view field) const {
        // Up to nine digits fit into 32 bits: nothing else must be looked at.
        if constexpr (sizeof(Integer) >= 4) {
            if (field.size() - 1 < 9) {
                std::uint32_t number = 0;
                bool digits = true;
                for (char const c : field) {
                    auto const digit = static_cast<std::uint32_t>(static_cast<unsigned char>(c)) - '0';
                    digits = digits && digit < 10, number = number * 10 + digit;
                }
                if (digits) return static_cast<Integer>(number);
            }
        }
        Integer value{};
        auto const [at, code] = std::from_chars(field.data(), field.data() + field.size(), value);
        if (code != std::errc{} || at != field.data() + field.size())
            fail(column, "is not a whole number from " + std::to_string(std::numeric_limits<Integer>::min()) + " to " +
                             std::to_string(std::numeric_limits<Integer>::max()));
        return value;
    }

    detail::scanner const* m_from;
    std::vector<std::string> const* m_columns;
    std::vector<std::size_t> const* m_places;
};

/// A file as a single-pass input range of rows: csv::table<listen> rows(path, {"user", "track"}, [](csv::record const& r) { ... }).
/// One thread at a time; a second begin() goes on where the first one stopped.
template <class Row> class table {
public:
    using converter = std::function<Row(record const&)>;

    /// @throws error if there is no such file, or its header lacks a column or has it twice.
    table(std::string const& path, std::vector<std::string> columns, converter convert, options how = {})
        : table(path, file_source(path), std::move(columns), std::move(convert), how) {}
    /// From any source of bytes; `name` is what messages call it.
    table(std::string name, source from, std::vector<std::string> columns, converter convert, options how = {})
        : m_scanner(std::move(name), std::move(from), how.max_row_bytes),
          m_columns(std::move(columns)),
          m_convert(std::move(convert)),
          m_how(how) {
        read_header();
        m_report.empty_fields.resize(m_columns.size());
    }
    table(table const&) = delete;
    table& operator=(table const&) = delete;

    class iterator {
    public:
        using value_type = Row;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;
        iterator() = default;
        explicit iterator(table* from) noexcept : m_from(from) {}
        Row const& operator*() const noexcept { return *m_from->m_row; }
        Row const* operator->() const noexcept { return &*m_from->m_row; }
        iterator& operator++() { return m_from->advance(), *this; }
        void operator++(int) { m_from->advance(); }
        friend bool operator==(iterator const& at, std::default_sentinel_t) noexcept { return at.at_end(); }

    private:
        bool at_end() const noexcept { return !m_from || !m_from->m_row; }
        table* m_from = nullptr;
    };

    iterator begin() {
        if (!m_row) advance();
        return iterator(this);
    }
    std::default_sentinel_t end() const noexcept { return {}; }

    /// take(std::span<Row const>) with all rows that are left, in their order: the same rows, errors and line numbers as with an iterator.
    /// With several threads that many pieces of the file are read at a time; the converter is then called from all of them.
    template <class Take> void for_each_block(Take const& take, unsigned threads = 1, std::size_t piece_bytes = std::size_t{1} << 22) {
        if (m_row) take(std::span<Row const>(&*m_row, 1)), m_row.reset();
        std::vector<part> parts(threads);
        while (threads > 1 && read_parts(take, parts, piece_bytes)) {}
        std::vector<Row> rows;
        auto const give = [&] {
            if (!rows.empty()) take(std::span<Row const>(rows));
            rows.clear();
        };
        try {
            for (advance(); m_row; advance()) {
                rows.push_back(*std::move(m_row));
                if (rows.size() == std::size_t{1} << 16) give();
            }
        } catch (...) {
            give();
            throw;
        }
        give();
    }
    read_report const& report() const noexcept { return m_report; }

private:
    void read_header() {
        bool found = false;
        // A header is not a row that could be skipped: without it nothing can be read.
        try {
            found = m_scanner.next();
        } catch (bad_row const& fault) { throw error(fault.what()); }
        if (!found) throw error(m_scanner.name() + ": is empty; a header with the columns " + list(m_columns) + " was expected");
        auto const& header = m_scanner.fields();
        for (auto const& column : m_columns) {
            auto const n = std::count(header.begin(), header.end(), column);
            if (n != 1)
                throw error(m_scanner.where() + "the header must have the column " + detail::quoted(column) + (n == 0 ? "" : " once") +
                            ": wanted " + list(m_columns) + ", got " + list(header));
            m_places.push_back(static_cast<std::size_t>(std::find(header.begin(), header.end(), column) - header.begin()));
        }
        m_width = header.size();
    }
    template <class Texts> static std::string list(Texts const& texts) {
        std::string out;
        for (auto const& text : texts) out += (out.empty() ? "" : ", ") + detail::quoted(text);
        return out;
    }
    void advance() { advance(m_scanner, m_row, m_report); }
    void advance(detail::scanner& from, std::optional<Row>& row, read_report& report) const {
        row.reset();
        if (!m_how.skip_bad_rows) return read_row(from, row, report);
        for (bool again = true; again;) {
            try {
                again = false;
                read_row(from, row, report);
            } catch (bad_row const& fault) {
                again = true;
                ++report.bad_rows;
                if (report.messages.size() < m_how.max_messages) report.messages.emplace_back(fault.what());
            }
        }
    }
    void read_row(detail::scanner& from, std::optional<Row>& row, read_report& report) const {
        if (!from.next()) return;
        if (auto const n = from.fields().size(); n != m_width)
            throw bad_row(from.where() + "the row has " + std::to_string(n) + (n == 1 ? " field" : " fields") + ", the header has " +
                          std::to_string(m_width));
        record const fields(from, m_columns, m_places);
        row.emplace(m_convert(fields));
        ++report.rows;
        for (std::size_t c = 0; c < m_columns.size(); ++c) report.empty_fields[c] += fields.empty(c);
    }

    /// What became of a piece of the file.
    struct part {
        std::vector<Row> rows;
        read_report report;
        std::exception_ptr error;
        bool lost = false; ///< the piece may not end where its last row does
    };
    void read_part(detail::piece const& from, part& to) const noexcept {
        to.rows.clear(), to.report = {}, to.error = nullptr;
        to.report.empty_fields.resize(m_columns.size());
        try {
            detail::scanner scan(m_scanner.name(), from, m_how.max_row_bytes);
            try {
                std::optional<Row> row;
                for (advance(scan, row, to.report); row; advance(scan, row, to.report)) to.rows.push_back(*std::move(row));
            } catch (...) { to.error = std::current_exception(); }
            to.lost = scan.lost();
        } catch (...) { to.error = std::current_exception(); }
    }
    /// False where the rest must be read by one thread, or there is none.
    template <class Take> bool read_parts(Take const& take, std::vector<part>& parts, std::size_t piece_bytes) {
        std::vector<detail::piece> pieces;
        while (pieces.size() < parts.size()) {
            auto next = m_scanner.cut(piece_bytes);
            if (!next) break;
            pieces.push_back(*std::move(next));
        }
        std::vector<std::thread> others;
        for (std::size_t i = 1; i < pieces.size(); ++i) others.emplace_back([&, i] { read_part(pieces[i], parts[i]); });
        if (!pieces.empty()) read_part(pieces[0], parts[0]);
        for (auto& other : others) other.join();
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            if (parts[i].lost) {
                for (std::size_t k = pieces.size(); k-- > i;) m_scanner.uncut(pieces[k]);
                return false;
            }
            merge(parts[i].report);
            if (!parts[i].rows.empty()) take(std::span<Row const>(parts[i].rows));
            if (parts[i].error) std::rethrow_exception(parts[i].error);
        }
        return !pieces.empty();
    }
    void merge(read_report const& more) {
        m_report.rows += more.rows, m_report.bad_rows += more.bad_rows;
        for (std::size_t c = 0; c < m_columns.size(); ++c) m_report.empty_fields[c] += more.empty_fields[c];
        for (auto const& message : more.messages)
            if (m_report.messages.size() < m_how.max_messages) m_report.messages.push_back(message);
    }

    detail::scanner m_scanner;
    std::vector<std::string> m_columns;
    std::vector<std::size_t> m_places;
    std::size_t m_width = 0;
    converter m_convert;
    options m_how;
    std::optional<Row> m_row;
    read_report m_report;
};

}

#endif
