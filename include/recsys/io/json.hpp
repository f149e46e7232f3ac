// SPDX-License-Identifier: MIT
// JSON of models, read and written: strict (RFC 8259), of bounded depth, numbers as they stand in the text.
#ifndef RECSYS_IO_JSON_HPP
#define RECSYS_IO_JSON_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/number.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

enum class json_kind : std::uint8_t { nothing, truth, number, text, list, object };

/// A value in the order of the text: what is inside of a list or object follows it, up to `next`.
struct json_node {
    std::string_view key, text; ///< the text of a string; of a number and `true` as written
    std::size_t at = 0;         ///< byte of the document
    std::uint32_t size = 0, next = 0;
    json_kind kind = json_kind::nothing;
};

/// A text that has been parsed: it must outlive the document. Nothing of it is converted before it is asked for.
class json_document {
public:
    static constexpr std::size_t max_depth = 256;

    /// @param name  what messages call the text: the path of its file. @throws format_error  with line and column.
    json_document(std::string name, std::string_view text) : m_name(std::move(name)), m_text(text) {
        if (m_text.substr(0, 3) == "\xEF\xBB\xBF") m_at = 3;
        read_value({}, 0);
        skip_space();
        if (m_at != m_text.size()) fail(m_at, "has something after the end of the JSON value");
    }
    std::vector<json_node> const& nodes() const noexcept { return m_nodes; }
    template <class... Part> [[noreturn]] void fail(std::size_t at, Part const&... what) const {
        auto const before = m_text.substr(0, std::min(at, m_text.size()));
        auto const line = 1 + std::count(before.begin(), before.end(), '\n');
        throw_format(m_name, ": line ", line, ", column ", before.size() - (before.rfind('\n') + 1) + 1, ": ", what...);
    }

private:
    char peek() const noexcept { return m_at < m_text.size() ? m_text[m_at] : '\0'; }
    void skip_space() noexcept { m_at = std::min(m_text.find_first_not_of(" \t\r\n", m_at), m_text.size()); }
    void expect(char c, char const* what) {
        skip_space();
        if (peek() != c) fail(m_at, m_at < m_text.size() ? "expected " : "ends where there must be ", what);
        ++m_at;
    }
    void read_value(std::string_view key, std::size_t depth) {
        skip_space();
        if (depth > max_depth) fail(m_at, "has more than ", max_depth, " values inside of each other");
        if (m_nodes.size() >= 0xFFFFFFFFu) fail(m_at, "has too many values");
        auto const place = m_nodes.size();
        m_nodes.push_back({key, {}, m_at});
        char const c = peek();
        auto const kind = c == '{' ? json_kind::object : c == '[' ? json_kind::list : c == '"' ? json_kind::text : word_or_number();
        if (kind == json_kind::text) m_nodes[place].text = read_text();
        else if (kind == json_kind::list || kind == json_kind::object) m_nodes[place].size = read_items(place, depth);
        else m_nodes[place].text = m_text.substr(m_nodes[place].at, m_at - m_nodes[place].at);
        m_nodes[place].kind = kind, m_nodes[place].next = static_cast<std::uint32_t>(m_nodes.size());
    }
    std::uint32_t read_items(std::size_t place, std::size_t depth) {
        bool const object = m_text[m_at++] == '{';
        char const end = object ? '}' : ']';
        std::uint32_t n = 0;
        for (skip_space(); n > 0 || peek() != end; ++n) {
            std::string_view key;
            if (object) {
                skip_space();
                auto const at = m_at;
                if (peek() != '"') fail(at, "expected a name in double quotes");
                key = read_text();
                for (std::size_t other = place + 1; other < m_nodes.size(); other = m_nodes[other].next)
                    if (m_nodes[other].key == key) fail(at, "the name ", in_quotes(key), " comes twice");
                expect(':', "':' after a name");
            }
            read_value(key, depth + 1);
            skip_space();
            if (peek() != ',') return expect(end, object ? "',' or '}'" : "',' or ']'"), n + 1;
            ++m_at;
        }
        ++m_at;
        return n;
    }
    json_kind word_or_number() {
        auto const rest = m_text.substr(m_at);
        for (std::string_view const word : {"true", "false", "null"})
            if (rest.substr(0, word.size()) == word) {
                m_at += word.size();
                return word == "null" ? json_kind::nothing : json_kind::truth;
            }
        auto const number = rest.substr(0, rest.find_first_not_of("+-.0123456789eE"));
        auto const plain = number.substr(number.substr(0, 1) == "-" ? 1 : 0);
        auto const digit = [&](std::size_t i) { return i < plain.size() && plain[i] >= '0' && plain[i] <= '9'; };
        auto const point = plain.find('.');
        if (!is_decimal(number) || !digit(0) || (plain[0] == '0' && digit(1)) || (point != plain.npos && !digit(point + 1)))
            fail(m_at, number.size() < rest.size() ? "is not JSON: expected a value" : "ends inside of a value");
        m_at += number.size();
        return json_kind::number;
    }
    /// A string without its quotes: a part of the text if it has no escapes. Bytes above 127 stay as they are.
    std::string_view read_text() {
        auto const from = ++m_at;
        std::string* changed = nullptr;
        for (;;) {
            char const c = peek();
            if (c == '"') break;
            if (m_at >= m_text.size()) fail(from - 1, "a string does not end");
            if (static_cast<unsigned char>(c) < 0x20) fail(m_at, "a control character in a string");
            if (c == '\\' && !changed) changed = &m_texts.emplace_back(m_text.substr(from, m_at - from));
            if (c == '\\') read_escape(*changed);
            else if (++m_at; changed) changed->push_back(c);
        }
        auto const plain = m_text.substr(from, m_at++ - from);
        return changed ? std::string_view(*changed) : plain;
    }
    std::uint32_t read_hex() {
        auto const digits = m_text.substr(m_at, 4);
        std::uint32_t value = 0;
        auto const [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (code != std::errc{} || end != digits.data() + 4) fail(m_at, "expected four hexadecimal digits after \\u");
        return m_at += 4, value;
    }
    void read_escape(std::string& to) {
        auto const from = m_at++;
        auto const which = std::string_view("\"\\/bfnrtu").find(peek());
        if (m_at >= m_text.size() || which == std::string_view::npos) fail(from, "an unknown escape in a string");
        ++m_at;
        if (which < 8) return to.push_back("\"\\/\b\f\n\r\t"[which]);
        auto c = read_hex();
        if (c >= 0xD800 && c < 0xDC00 && m_text.substr(m_at, 2) == "\\u") {
            m_at += 2;
            auto const low = read_hex();
            c = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00) : 0xD800;
        }
        if (c >= 0xD800 && c < 0xE000) fail(from, "half of a surrogate pair in a string");
        int const more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
        constexpr unsigned head[] = {0, 0xC0, 0xE0, 0xF0};
        to.push_back(static_cast<char>(head[more] | c >> (6 * more)));
        for (int i = more - 1; i >= 0; --i) to.push_back(static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3F)));
    }

    std::string m_name;
    std::string_view m_text;
    std::size_t m_at = 0;
    std::vector<json_node> m_nodes;
    std::deque<std::string> m_texts; ///< strings that had escapes
};

/// One value of a document. Everything throws format_error, with line and column, where the value is not what is asked for.
class json_value {
public:
    explicit json_value(json_document const& document, std::size_t place = 0) : m_document(&document), m_place(place) {}

    json_kind kind() const noexcept { return node().kind; }
    std::size_t size() const noexcept { return node().size; } ///< of a list or object
    std::string_view text() const { return need(json_kind::text, "a string").text; }
    bool truth() const { return need(json_kind::truth, "true or false").text == "true"; }
    template <class Number> Number number() const {
        auto const value = parse_number<Number>(need(json_kind::number, "a number").text);
        if (!value || !std::isfinite(static_cast<double>(*value))) fail("the number ", node().text, " does not fit");
        return *value;
    }
    /// f(value) for each of a list.
    template <class Function> void each(Function const& f) const {
        need(json_kind::list, "a list");
        for (std::size_t i = m_place + 1; i < node().next; i = m_document->nodes()[i].next) f(json_value(*m_document, i));
    }
    template <class Number> std::vector<Number> numbers() const {
        std::vector<Number> out;
        each([&](json_value v) { out.push_back(v.number<Number>()); });
        return out;
    }
    std::optional<json_value> find(std::string_view key) const {
        need(json_kind::object, "an object");
        for (std::size_t i = m_place + 1; i < node().next; i = m_document->nodes()[i].next)
            if (m_document->nodes()[i].key == key) return json_value(*m_document, i);
        return std::nullopt;
    }
    json_value operator[](std::string_view key) const {
        if (auto const found = find(key)) return *found;
        fail("there is no ", in_quotes(key));
    }
    template <class... Part> [[noreturn]] void fail(Part const&... what) const {
        m_document->fail(node().at, in_quotes(node().key), ": ", what...);
    }

private:
    json_node const& node() const noexcept { return m_document->nodes()[m_place]; }
    json_node const& need(json_kind kind, char const* what) const {
        if (node().kind != kind) fail("must be ", what);
        return node();
    }
    json_document const* m_document;
    std::size_t m_place;
};

/// Writes JSON: commas come by themselves, numbers so that they read back the same.
class json_writer {
public:
    json_writer& key(std::string_view name) { return quote(name), m_out += ':', m_first = true, *this; }
    json_writer& open(char bracket) { return separate(), m_out += bracket, m_first = true, *this; }
    json_writer& close(char bracket) { return m_out += bracket, m_first = false, *this; }
    json_writer& text(std::string_view value) { return quote(value), *this; }
    template <class Number> json_writer& number(Number value) {
        if (!std::isfinite(static_cast<double>(value))) throw_data("json: a number that is not finite cannot be written");
        return separate(), append(m_out, value), *this; // true and false are numbers here
    }
    template <class Range> json_writer& numbers(std::string_view name, Range const& values) {
        for (key(name).open('['); auto const& v : values) number(v);
        return close(']');
    }
    std::string const& text() const& noexcept { return m_out; }

private:
    void separate() {
        if (!std::exchange(m_first, false)) m_out += ',';
    }
    void quote(std::string_view value) {
        separate(), m_out += '"';
        for (auto const c : value) {
            auto const u = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') m_out += '\\', m_out += c;
            else if (u < 0x20) m_out += "\\u00", m_out += "01"[u >> 4], m_out += "0123456789abcdef"[u & 15];
            else m_out += c;
        }
        m_out += '"';
    }
    std::string m_out;
    bool m_first = true;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
