// SPDX-License-Identifier: MIT
// The part of csv.hpp that writes.
#ifndef RECSYS_EXAMPLES_CSV_WRITER_HPP
#define RECSYS_EXAMPLES_CSV_WRITER_HPP

#include <cerrno>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "csv_scanner.hpp"

namespace csv {

namespace detail {

inline void append(std::string& out, std::string_view text, bool only_field) {
    bool special = only_field && text.empty(), nul = false;
    for (char const c : text) special |= (c == ',') | (c == '"') | (c == '\r') | (c == '\n'), nul |= c == '\0';
    if (nul) throw error("a field has a NUL byte");
    // A lone empty field without quotes would be a blank line.
    if (!special) {
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

/// Rows as text, made apart from their file: by several threads, each its own, and then written in order.
class lines {
public:
    /// @param width  fields of each row: those of the writer's header.
    explicit lines(std::size_t width) : m_width(width) {}
    /// @throws error if there are not as many fields, or text has a NUL byte.
    template <class... Field> void row(Field const&... fields) {
        if (sizeof...(fields) != m_width)
            throw error("a row of " + std::to_string(sizeof...(fields)) + " fields, the header has " + std::to_string(m_width));
        std::size_t const before = m_text.size();
        std::size_t n = 0;
        try {
            ((m_text.append(n++ > 0 ? 1 : 0, ','), detail::append(m_text, fields, sizeof...(fields) == 1)), ...);
        } catch (error const&) {
            m_text.resize(before);
            throw;
        }
        m_text += '\n';
    }
    std::size_t width() const noexcept { return m_width; }
    std::string const& text() const noexcept { return m_text; }
    void clear() { m_text.clear(); }

private:
    std::size_t m_width;
    std::string m_text;
};

/// Writes a file row by row: text, quoted where it must be, numbers (the shortest text that reads back, NaN as an empty field),
/// optionals (empty where there is nothing) and vectors of whole numbers joined by `|`. Rows end with LF.
/// The file appears, or takes the old one's place, only with close().
class writer {
public:
    /// @throws error if the file cannot be made.
    writer(std::string path, std::vector<std::string> const& header) : m_path(std::move(path)), m_lines(header.size()) {
        m_file.reset(std::fopen(part().c_str(), "wb"));
        if (!m_file) throw error(part() + ": cannot be written: " + std::strerror(errno));
        std::string names;
        for (std::size_t c = 0; c < header.size(); ++c) {
            if (c > 0) names += ',';
            detail::append(names, std::string_view(header[c]), header.size() == 1);
        }
        put(names += '\n');
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
        try {
            m_lines.row(fields...);
        } catch (error const& fault) { throw error(m_path + ": " + fault.what()); }
        if (m_lines.text().size() >= std::size_t{1} << 16) flush();
    }
    /// Rows that were made apart, behind those that are written.
    void write(lines const& rows) {
        if (rows.width() != m_lines.width())
            throw error(m_path + ": rows of " + std::to_string(rows.width()) + " fields, the header has " +
                        std::to_string(m_lines.width()));
        flush();
        put(rows.text());
    }
    /// Puts the file in its place. @throws error if it cannot be written to its end.
    void close() {
        flush();
        bool const good = std::fclose(m_file.release()) == 0;
#if defined(_WIN32)
        std::remove(m_path.c_str());
#endif
        if (good && std::rename(part().c_str(), m_path.c_str()) == 0) return;
        int const reason = errno;
        std::remove(part().c_str());
        throw error(m_path + ": cannot be written: " + std::strerror(reason));
    }

private:
    struct closer {
        void operator()(std::FILE* f) const noexcept { std::fclose(f); }
    };
    std::string part() const { return m_path + ".part"; }
    void put(std::string const& text) {
        if (std::fwrite(text.data(), 1, text.size(), m_file.get()) != text.size())
            throw error(part() + ": cannot be written: " + std::strerror(errno));
    }
    void flush() { put(m_lines.text()), m_lines.clear(); }

    std::string m_path;
    lines m_lines;
    std::unique_ptr<std::FILE, closer> m_file;
};

}

#endif
