// SPDX-License-Identifier: MIT
// The lower half of csv.hpp: bytes are cut into rows of fields, text becomes numbers.
#ifndef RECSYS_EXAMPLES_CSV_SCANNER_HPP
#define RECSYS_EXAMPLES_CSV_SCANNER_HPP

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <locale>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace csv {

/// What is wrong with a file; the message begins with its name, and the line if there is one.
struct error : std::runtime_error {
    using std::runtime_error::runtime_error;
};
/// What is wrong with one row: what `skip_bad_rows` skips. Lines count from 1, the header's is 1.
struct bad_row : error {
    using error::error;
};

/// Fills a buffer and returns how many bytes it put there; 0 = the end. Throws `error` if it cannot.
using source = std::function<std::size_t(char*, std::size_t)>;

/// The bytes of a file. @throws error if it cannot be opened or read.
inline source file_source(std::string const& path) {
    std::shared_ptr<std::FILE> const file(std::fopen(path.c_str(), "rb"), [](std::FILE* f) { return f ? std::fclose(f) : 0; });
    if (!file) throw error(path + ": cannot be opened: " + std::strerror(errno));
    return [file, path](char* to, std::size_t n) {
        std::size_t const got = std::fread(to, 1, n, file.get());
        if (got == 0 && std::ferror(file.get())) throw error(path + ": cannot be read: " + std::strerror(errno));
        return got;
    };
}

namespace detail {

/// A value for a message: in quotes, cut at 60 bytes, control characters as ?.
inline std::string quoted(std::string_view text) {
    std::string out(text.substr(0, 60));
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 32) c = '?';
    return "'" + out + (text.size() > 60 ? "...'" : "'");
}

/// A decimal number, [sign] digits [. digits] [e [sign] digits], correctly rounded under every locale; nothing if it is not one or too large.
inline std::optional<double> parse_real(std::string_view text) {
    std::size_t i = 0, digits = 0;
    std::uint64_t mantissa = 0;
    int exponent = 0;
    auto const sign = [&] { return i < text.size() && (text[i] == '-' || text[i] == '+') ? text[i++] : '+'; };
    auto const take_digits = [&](int shift) {
        for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i, ++digits, exponent += shift)
            mantissa = std::min(mantissa, std::uint64_t{1} << 58) * 10 + static_cast<std::uint64_t>(text[i] - '0');
    };
    bool const negative = sign() == '-';
    take_digits(0);
    if (i < text.size() && text[i] == '.') ++i, take_digits(-1);
    if (digits == 0) return std::nullopt;
    if (i < text.size()) {
        if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
        ++i;
        bool const down = sign() == '-';
        if (i == text.size()) return std::nullopt;
        int power = 0;
        for (; i < text.size(); ++i) {
            if (text[i] < '0' || text[i] > '9') return std::nullopt;
            power = std::min(power, 99'999) * 10 + (text[i] - '0');
        }
        exponent += down ? -power : power;
    }
    // Both factors are exact, so that one operation rounds once.
    if (mantissa < (std::uint64_t{1} << 53) && exponent >= -22 && exponent <= 22) {
        double power = 1;
        for (int k = 0; k < std::abs(exponent); ++k) power *= 10;
        double const value = exponent < 0 ? static_cast<double>(mantissa) / power : static_cast<double>(mantissa) * power;
        return negative ? -value : value;
    }
    std::istringstream in{std::string(text)};
    in.imbue(std::locale::classic());
    double value = 0;
    if (!(in >> value) || !std::isfinite(value)) return std::nullopt;
    return value;
}

/// Sixteen bytes looked at together: which of them are commas, and which end the loop that looks for commas.
struct sixteen {
    unsigned commas = 0, breaks = 0, others = 0; ///< a bit a byte: commas, line feeds, and what needs a closer look
    explicit sixteen(char const* text) noexcept {
#if defined(__SSE2__)
        __m128i const bytes = _mm_loadu_si128(reinterpret_cast<__m128i const*>(text));
        auto const equal = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
        auto const bits = [](__m128i mask) { return static_cast<unsigned>(_mm_movemask_epi8(mask)); };
        commas = bits(equal(',')), breaks = bits(equal('\n'));
        others = bits(_mm_or_si128(_mm_or_si128(equal('"'), equal('\r')), equal('\0')));
#else
        for (unsigned i = 0; i < 16; ++i) {
            char const c = text[i];
            commas |= unsigned{c == ','} << i, breaks |= unsigned{c == '\n'} << i;
            others |= unsigned{c == '"' || c == '\r' || c == '\0'} << i;
        }
#endif
    }
};

/// Rows that were cut out of a file to be read apart: whole ones, the first of them on this line.
struct piece {
    std::vector<char> bytes; ///< and room for one look beyond them
    std::size_t size = 0;
    std::uint64_t line = 0, lines = 0;
};

/// Cuts bytes into rows of fields. The fields are views into its buffer, valid until the next row.
class scanner {
public:
    scanner(std::string name, source from, std::size_t max_row_bytes)
        : m_name(std::move(name)), m_source(std::move(from)), m_max(max_row_bytes) {
        while (m_end < 3 && refill()) {}
        if (std::string_view const mark(m_buffer.data(), std::min<std::size_t>(m_end, 3)); mark == "\xEF\xBB\xBF") m_begin = 3;
        else if (mark.substr(0, 2) == "\xFF\xFE" || mark.substr(0, 2) == "\xFE\xFF") throw error(m_name + ": is UTF-16; save it as UTF-8");
    }

    /// Of a piece that another scanner gave.
    scanner(std::string name, piece from, std::size_t max_row_bytes)
        : m_name(std::move(name)),
          m_max(max_row_bytes),
          m_buffer(std::move(from.bytes)),
          m_end(from.size),
          m_line(from.line),
          m_done(true) {}

    /// Whether there was another row. @throws bad_row; the next call goes on behind it.
    bool next() {
        leave_row();
        if (scan_simple_row()) return true;
        skip_blank_lines();
        if (peek(0) < 0) return false;
        m_places.clear();
        m_at = 0;
        while (scan_field()) {}
        finish();
        return true;
    }

    /// The next whole rows, some `about` bytes of them; nothing where they cannot be told apart without reading them, or there are no more.
    /// A line break ends a row if the quotes before it are even in number: always, where the rows are not malformed.
    std::optional<piece> cut(std::size_t about) {
        leave_row();
        for (std::size_t wanted = about;; wanted *= 2) {
            while (size() < wanted && refill()) {}
            std::size_t const end = m_done && size() <= wanted ? size() : end_of_rows(std::min(wanted, size()));
            if (size() == 0) return std::nullopt;
            if (end > 0) return take(end);
            if (size() < wanted || wanted > m_max + about) return std::nullopt;
        }
    }
    /// Gives back what was cut, to be read here: the latest piece first.
    void uncut(piece const& from) {
        std::vector<char> joined(from.bytes.begin(), from.bytes.begin() + static_cast<std::ptrdiff_t>(from.size));
        joined.insert(joined.end(), m_buffer.begin() + static_cast<std::ptrdiff_t>(m_begin),
                      m_buffer.begin() + static_cast<std::ptrdiff_t>(m_end));
        m_begin = 0, m_end = joined.size(), m_line = from.line;
        joined.resize(joined.size() + look);
        m_buffer = std::move(joined);
    }
    /// Whether a row was so malformed that the end of it was not certain.
    bool lost() const noexcept { return m_lost; }

    std::vector<std::string_view> const& fields() const noexcept { return m_fields; }
    std::uint64_t line() const noexcept { return m_line; }
    std::string const& name() const noexcept { return m_name; }
    std::string where() const { return m_name + ":" + std::to_string(m_line) + ": "; }

private:
    struct place {
        std::size_t first, last;
        bool quoted, doubled;
    };

    static constexpr std::size_t look = 16; ///< bytes behind the last one that may be looked at, whatever they are

    // Positions are counted from the first byte of the row: refilling moves it.
    char const* row() const noexcept { return m_buffer.data() + m_begin; }
    std::size_t size() const noexcept { return m_end - m_begin; }

    void leave_row() {
        m_begin += std::exchange(m_row_bytes, 0);
        m_line += std::exchange(m_row_lines, 0);
        m_fields.clear();
    }
    bool refill() {
        if (m_done) return false;
        if (m_begin > 0) std::memmove(m_buffer.data(), row(), size());
        m_end -= std::exchange(m_begin, 0);
        if (m_buffer.size() < m_end + look || m_buffer.size() - look - m_end < m_buffer.size() / 2)
            m_buffer.resize(std::max<std::size_t>((1 << 17) + look, m_buffer.size() * 2));
        std::size_t const got = m_source(m_buffer.data() + m_end, m_buffer.size() - look - m_end);
        m_done = got == 0;
        m_end += got;
        return got > 0;
    }
    int peek(std::size_t at) {
        while (at >= size())
            if (!refill()) return -1;
        return static_cast<unsigned char>(row()[at]);
    }
    /// A row without quotes, carriage returns and NUL bytes that is in the buffer to its end. False: nothing has changed.
    bool scan_simple_row() {
        char const* const text = m_buffer.data() + m_begin;
        std::size_t const n = std::min(size(), m_max);
        std::size_t first = 0;
        if (n == 0 || *text == '\n') return false;
        for (std::size_t at = 0; at < n; at += 16) {
            sixteen const here(text + at);
            unsigned const before = here.breaks == 0 ? 0xFFFFu : (here.breaks & (0u - here.breaks)) - 1;
            if ((here.others & before) != 0) break;
            for (unsigned left = here.commas & before; left != 0; left &= left - 1) {
                std::size_t const comma = at + static_cast<std::size_t>(std::countr_zero(left));
                m_fields.emplace_back(text + first, comma - first);
                first = comma + 1;
            }
            if (here.breaks == 0) continue;
            std::size_t const end = at + static_cast<std::size_t>(std::countr_zero(here.breaks));
            if (end >= n) break;
            m_fields.emplace_back(text + first, end - first);
            m_row_bytes = end + 1, m_row_lines = 1;
            return true;
        }
        m_fields.clear();
        return false;
    }
    /// Behind the last line break of these bytes that has an even number of quotes before it; 0 = there is none.
    std::size_t end_of_rows(std::size_t n) const {
        bool odd = std::count(row(), row() + n, '"') % 2 != 0;
        for (std::size_t at = n; at > 0; --at) {
            if (row()[at - 1] == '\n' && !odd) return at;
            odd = odd != (row()[at - 1] == '"');
        }
        return 0;
    }
    piece take(std::size_t n) {
        piece out;
        out.bytes.reserve(n + look);
        out.bytes.assign(row(), row() + n);
        out.bytes.resize(n + look);
        out.size = n, out.line = m_line;
        out.lines = static_cast<std::uint64_t>(std::count(row(), row() + n, '\n'));
        m_begin += n, m_line += out.lines;
        return out;
    }
    void skip_blank_lines() {
        for (;;) {
            std::size_t const n = peek(0) == '\n' ? 1 : peek(0) == '\r' && peek(1) == '\n' ? 2 : 0;
            if (n == 0) return;
            m_begin += n, ++m_line;
        }
    }
    /// How far the row may be looked at, wherever the reads end.
    std::size_t within() const noexcept { return std::min(size(), m_max); }
    /// More bytes of the same row; false at the end of the file.
    bool more_of_row() {
        if (m_at >= m_max)
            fail("is longer than " + std::to_string(m_max) + " bytes" + (open_quote() ? ": is its quote never closed?" : ""));
        return refill();
    }
    bool open_quote() const { return m_first < size() && row()[m_first] == '"'; }

    /// Reads the field at m_at and what ends it; whether another field follows.
    bool scan_field() {
        m_first = m_at;
        bool const quoted = peek(m_at) == '"';
        place field{m_at, m_at, quoted, false};
        if (quoted) scan_quoted(field);
        else scan_plain(field);
        m_places.push_back(field);
        int const end = peek(m_at);
        if (end == ',') return ++m_at, true;
        if (end == '\r') {
            if (peek(m_at + 1) != '\n') fail("has a carriage return without a line feed");
            ++m_at;
        } else if (end >= 0 && end != '\n') {
            fail("has text after the closing quote of a field");
        }
        if (end >= 0) ++m_at;
        return false;
    }
    void scan_plain(place& field) {
        do {
            char const* const text = row();
            std::size_t const n = within();
            while (m_at < n && text[m_at] != ',' && text[m_at] != '\n' && text[m_at] != '\r' && text[m_at] != '"') ++m_at;
        } while (m_at >= within() && more_of_row());
        if (m_at < size() && row()[m_at] == '"') fail("has a quote inside a field that does not begin with one");
        field.last = m_at;
    }
    void scan_quoted(place& field) {
        field.first = ++m_at;
        for (;;) {
            std::size_t const n = within();
            void const* const quote = m_at < n ? std::memchr(row() + m_at, '"', n - m_at) : nullptr;
            if (!quote) {
                m_at = std::max(m_at, n);
                if (!more_of_row()) fail("has a quote that is never closed");
                continue;
            }
            m_at = static_cast<std::size_t>(static_cast<char const*>(quote) - row());
            if (peek(m_at + 1) != '"') break;
            field.doubled = true;
            m_at += 2;
        }
        field.last = m_at++;
    }
    void finish() {
        m_row_bytes = m_at;
        char* const text = m_buffer.data() + m_begin;
        bool quotes = false;
        for (auto const& field : m_places) quotes = quotes || field.quoted;
        // Only a quoted field holds a line break; the last row may lack its own.
        m_row_lines = quotes ? static_cast<std::uint64_t>(std::count(text, text + m_at, '\n')) : 1;
        if (std::memchr(text, '\0', m_at)) throw bad_row(where() + "the row has a NUL byte; is the file UTF-8?");
        for (auto const& field : m_places) {
            char* last = text + field.last;
            if (field.doubled) last = halve_quotes(text + field.first, last);
            m_fields.emplace_back(text + field.first, static_cast<std::size_t>(last - (text + field.first)));
        }
    }
    static char* halve_quotes(char* first, char* last) {
        char* out = first;
        for (; first != last; ++first) {
            *out++ = *first;
            if (*first == '"') ++first;
        }
        return out;
    }

    [[noreturn]] void fail(std::string const& what) {
        m_lost = true;
        m_line += static_cast<std::uint64_t>(std::count(row(), row() + std::min(m_first, size()), '\n'));
        bad_row const fault(where() + "the row " + what);
        m_begin += std::min(m_first, size());
        skip_line();
        throw fault;
    }
    void skip_line() {
        do {
            if (void const* const end = size() ? std::memchr(row(), '\n', size()) : nullptr) {
                m_begin = static_cast<std::size_t>(static_cast<char const*>(end) - m_buffer.data()) + 1;
                ++m_line;
                return;
            }
            m_begin = m_end;
        } while (refill());
    }

    std::string m_name;
    source m_source;
    std::size_t m_max;
    std::vector<char> m_buffer;
    std::size_t m_begin = 0, m_end = 0; ///< the row's first byte, the end of what is read
    std::size_t m_at = 0, m_first = 0;  ///< the next byte and the first byte of the field, within the row
    std::size_t m_row_bytes = 0;
    std::uint64_t m_line = 1, m_row_lines = 0;
    bool m_done = false, m_lost = false;
    std::vector<place> m_places;
    std::vector<std::string_view> m_fields;
};

}

}

#endif
