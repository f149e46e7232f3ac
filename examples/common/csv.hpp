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
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "csv_scanner.hpp"

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
    template <class Parse> auto parsed(std::size_t column, Parse const& parse, std::string const& wanted) const {
        using result = std::remove_cvref_t<decltype(parse(text(column)))>;
        auto const attempt = [&]() -> result {
            try {
                return parse(text(column));
            } catch (std::exception const& e) { fail(column, "is not " + wanted + ": " + e.what()); }
        };
        if constexpr (requires(result r) { r.has_value(); }) {
            result value = attempt();
            if (!value.has_value()) fail(column, "is not " + wanted);
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
    void advance() {
        m_row.reset();
        if (!m_how.skip_bad_rows) return static_cast<void>(read_row());
        for (bool again = true; again;) {
            try {
                again = false;
                read_row();
            } catch (bad_row const& fault) {
                again = true;
                ++m_report.bad_rows;
                if (m_report.messages.size() < m_how.max_messages) m_report.messages.emplace_back(fault.what());
            }
        }
    }
    void read_row() {
        if (!m_scanner.next()) return;
        if (auto const n = m_scanner.fields().size(); n != m_width)
            throw bad_row(m_scanner.where() + "the row has " + std::to_string(n) + (n == 1 ? " field" : " fields") + ", the header has " +
                          std::to_string(m_width));
        record const fields(m_scanner, m_columns, m_places);
        m_row.emplace(m_convert(fields));
        ++m_report.rows;
        for (std::size_t c = 0; c < m_columns.size(); ++c) m_report.empty_fields[c] += fields.empty(c);
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

namespace detail {

inline void append(std::string& out, std::string_view text, bool only_field) {
    // A lone empty field without quotes would be a blank line.
    bool const plain = text.find_first_of(std::string_view(",\"\r\n", 4)) == std::string_view::npos && !(only_field && text.empty());
    if (plain) {
        out += text;
        return;
    }
    out += '"';
    for (char const c : text) out.append(c == '"' ? 2 : 1, c);
    out += '"';
}
template <class Number>
    requires(std::integral<Number> || std::floating_point<Number>)
void append(std::string& out, Number value, bool only_field) {
    static_assert(!std::same_as<Number, char>, "csv: a char is neither text nor a number; make it a string or an int");
    char buffer[64];
    if constexpr (std::floating_point<Number>) {
        if (std::isnan(value)) return append(out, std::string_view(), only_field);
        auto const end = std::to_chars(buffer, buffer + sizeof buffer, value);
        out.append(buffer, end.ptr);
    } else if constexpr (std::same_as<Number, bool>) {
        out += value ? '1' : '0';
    } else {
        auto const end = std::to_chars(buffer, buffer + sizeof buffer, value);
        out.append(buffer, end.ptr);
    }
}
template <std::integral Integer> void append(std::string& out, std::vector<Integer> const& values, bool only_field) {
    if (values.empty()) append(out, std::string_view(), only_field);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i > 0) out += '|';
        append(out, values[i], false);
    }
}
template <class Value> void append(std::string& out, std::optional<Value> const& value, bool only_field) {
    if (value) append(out, *value, only_field);
    else append(out, std::string_view(), only_field);
}

}

/// Writes a file row by row: text, quoted where it must be, numbers (the shortest text that reads back, NaN as an empty field),
/// optionals (empty where there is nothing) and vectors of whole numbers joined by `|`. Rows end with LF.
/// The file appears, or takes the old one's place, only with close().
class writer {
public:
    /// @throws error if the file cannot be made.
    writer(std::string path, std::vector<std::string> const& header) : m_path(std::move(path)), m_width(header.size()) {
        m_file.reset(std::fopen(part().c_str(), "wb"));
        if (!m_file) throw error(part() + ": cannot be written: " + std::strerror(errno));
        for (std::size_t c = 0; c < m_width; ++c) {
            if (c > 0) m_out += ',';
            detail::append(m_out, std::string_view(header[c]), m_width == 1);
        }
        end_row();
    }
    writer(writer&&) = default;
    writer& operator=(writer&&) = delete;
    ~writer() {
        if (!m_file) return;
        m_file.reset();
        std::remove(part().c_str());
    }

    /// @throws error if there are not as many fields as in the header, or text has a NUL byte, or the disk is full.
    template <class... Field> void row(Field const&... fields) {
        if (sizeof...(fields) != m_width)
            throw error(m_path + ": a row of " + std::to_string(sizeof...(fields)) + " fields, the header has " + std::to_string(m_width));
        std::size_t const first = m_out.size();
        std::size_t n = 0;
        ((m_out.append(n++ > 0 ? 1 : 0, ','), detail::append(m_out, fields, sizeof...(fields) == 1)), ...);
        if (std::memchr(m_out.data() + first, '\0', m_out.size() - first)) throw error(m_path + ": a field has a NUL byte");
        end_row();
    }
    /// Puts the file in its place. @throws error if it cannot be written to its end.
    void close() {
        flush();
        bool const good = std::fclose(m_file.release()) == 0;
#if defined(_WIN32)
        std::remove(m_path.c_str());
#endif
        if (!good || std::rename(part().c_str(), m_path.c_str()) != 0) throw error(m_path + ": cannot be written: " + std::strerror(errno));
    }

private:
    struct closer {
        void operator()(std::FILE* f) const noexcept { std::fclose(f); }
    };
    std::string part() const { return m_path + ".part"; }
    void end_row() {
        m_out += '\n';
        if (m_out.size() >= std::size_t{1} << 16) flush();
    }
    void flush() {
        if (std::fwrite(m_out.data(), 1, m_out.size(), m_file.get()) != m_out.size())
            throw error(part() + ": cannot be written: " + std::strerror(errno));
        m_out.clear();
    }

    std::string m_path;
    std::size_t m_width;
    std::string m_out;
    std::unique_ptr<std::FILE, closer> m_file;
};

}

#endif
