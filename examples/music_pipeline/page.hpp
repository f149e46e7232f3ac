// SPDX-License-Identifier: MIT
// report.html: sections of paragraphs, tables and figures in one file that opens offline.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace music {

/// Text as it may stand in HTML and in attributes.
std::string escaped(std::string const& text);

class page {
public:
    /// What stands between two places where the page can be cut; without a title it goes on with the section before.
    struct part {
        std::string title, html;
    };

    explicit page(std::string title) : m_title(std::move(title)) {}

    void section(std::string const& title);
    void text(std::string const& paragraph);
    /// A sentence that should not be overlooked.
    void warning(std::string const& paragraph);
    /// Cells that are numbers are set to the right.
    void table(std::vector<std::string> const& head, std::vector<std::vector<std::string>> const& rows, std::string const& caption = {});
    /// Ready HTML or SVG.
    void figure(std::string const& svg);
    void preformatted(std::string const& text);

    std::string html() const;

    std::vector<part> const& parts() const { return m_parts; }
    /// What comes from now on is a part of its own. @return how many there are before it.
    std::size_t cut();
    void append(part ready) { m_parts.push_back(std::move(ready)); }

private:
    std::string& body();

    std::string m_title;
    std::vector<part> m_parts;
    bool m_cut = true;
};

} // namespace music
