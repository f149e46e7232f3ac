// SPDX-License-Identifier: MIT
// report.html: sections of paragraphs, tables and figures in one file that opens offline.
#pragma once

#include <string>
#include <vector>

namespace music {

/// Text as it may stand in HTML and in attributes.
std::string escaped(std::string const& text);

class page {
public:
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

private:
    std::string m_title, m_body, m_contents;
    std::size_t m_sections = 0;
};

} // namespace music
