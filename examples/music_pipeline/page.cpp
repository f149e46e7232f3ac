// SPDX-License-Identifier: MIT
#include "page.hpp"

#include <cstddef>

namespace music {

namespace {

constexpr char const* style = R"css(
:root { --ink: #1b1f24; --faint: #667; --rule: #d9dde3; --paper: #fff; --bar: #2f6f9f; --mark: #b3542e; --warn: #fff4e5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --faint: #9aa3ad; --rule: #343b44; --paper: #14181d; --bar: #5aa2d6; --mark: #e0895f; --warn: #3a2c17; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-top: .8rem; border-top: 1px solid var(--rule); }
nav { columns: 2; font-size: .92rem; margin-bottom: 1rem; }
nav a { display: block; color: inherit; text-decoration-color: var(--rule); }
p { margin: .6rem 0; max-width: 46rem; }
p.warning { background: var(--warn); padding: .5rem .8rem; border-left: 3px solid var(--mark); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: .8rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding-bottom: .3rem; }
th, td { padding: .22rem .7rem .22rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; white-space: nowrap; }
td.name { white-space: normal; }
td.number, th.number { text-align: right; }
pre { overflow-x: auto; font-size: .85rem; }
figure { margin: 1rem 0; }
figcaption { color: var(--faint); font-size: .9rem; }
svg { width: 100%; max-width: 760px; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg text.tick { fill: var(--faint); }
.bar { fill: var(--bar); }
.dot { fill: var(--mark); }
.mark { stroke: var(--ink); stroke-width: 1.5; }
.median { stroke: var(--paper); stroke-width: 3; }
.dotted { stroke: var(--faint); stroke-dasharray: 2 4; }
.axis { stroke: var(--faint); }
.grid { stroke: var(--rule); }
)css";

bool is_number(std::string const& cell) { return !cell.empty() && cell.find_first_not_of("0123456789.,+-e% []") == std::string::npos; }

}

std::string escaped(std::string const& text) {
    std::string out;
    for (char const c : text) switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\n': out += ' '; break;
        default:
            if (static_cast<unsigned char>(c) >= 0x20) out += c;
        }
    return out;
}

std::string& page::body() {
    if (m_cut) m_parts.emplace_back();
    m_cut = false;
    return m_parts.back().html;
}

std::size_t page::cut() {
    m_cut = true;
    return m_parts.size();
}

void page::section(std::string const& title) {
    m_parts.push_back({title, {}});
    m_cut = false;
}

void page::text(std::string const& paragraph) { body() += "<p>" + escaped(paragraph) + "</p>\n"; }
void page::warning(std::string const& paragraph) { body() += "<p class=\"warning\">" + escaped(paragraph) + "</p>\n"; }
void page::figure(std::string const& svg) { body() += svg; }
void page::preformatted(std::string const& text) {
    std::string out;
    for (char const c : text) out += c == '\n' ? std::string("\n") : escaped(std::string(1, c));
    body() += "<pre>" + out + "</pre>\n";
}

void page::table(std::vector<std::string> const& head, std::vector<std::vector<std::string>> const& rows, std::string const& caption) {
    auto& out = body();
    out += "<div class=\"scroll\"><table>\n";
    if (!caption.empty()) out += "<caption>" + escaped(caption) + "</caption>\n";
    out += "<thead><tr>";
    for (std::size_t c = 0; c < head.size(); ++c) {
        bool const numbers = !rows.empty() && c < rows[0].size() && is_number(rows[0][c]);
        out += (numbers ? "<th class=\"number\">" : "<th>") + escaped(head[c]) + "</th>";
    }
    out += "</tr></thead>\n<tbody>\n";
    for (auto const& row : rows) {
        out += "<tr>";
        for (auto const& cell : row)
            out += "<td class=\"" + std::string(is_number(cell) ? "number" : "name") + "\">" + escaped(cell) + "</td>";
        out += "</tr>\n";
    }
    out += "</tbody></table></div>\n";
}

std::string page::html() const {
    std::string contents, all;
    std::size_t sections = 0;
    for (auto const& one : m_parts) {
        if (!one.title.empty()) {
            auto const anchor = "s" + std::to_string(++sections);
            contents += "<a href=\"#" + anchor + "\">" + escaped(one.title) + "</a>\n";
            all += "<h2 id=\"" + anchor + "\">" + escaped(one.title) + "</h2>\n";
        }
        all += one.html;
    }
    return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
           escaped(m_title) + "</title>\n<style>" + style + "</style></head>\n<body>\n<h1>" + escaped(m_title) + "</h1>\n<nav>\n" +
           contents + "</nav>\n" + all + "</body></html>\n";
}

} // namespace music
