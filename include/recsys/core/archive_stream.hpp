// SPDX-License-Identifier: MIT
// The archive for what does not fit into memory: sections written piece by piece, and read at any place without reading the rest.
#ifndef RECSYS_CORE_ARCHIVE_STREAM_HPP
#define RECSYS_CORE_ARCHIVE_STREAM_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Writes one object's sections one after the other. How many there will be is said first: their table stands in front of them.
class archive_stream_writer {
public:
    archive_stream_writer(std::string path, std::size_t n_sections) : m_file(std::move(path)), m_entries(n_sections) {
        std::vector<std::byte> const room(sizeof(archive_header) + n_sections * sizeof(archive_entry));
        m_file.write(room.data(), m_at = room.size());
    }
    void begin(std::string_view name, std::uint32_t element_size) {
        RECSYS_DETAIL_ASSERT(m_open < m_entries.size() && name.size() < sizeof(archive_entry::name));
        static constexpr char zeros[64] = {};
        auto& e = m_entries[m_open++];
        std::memcpy(e.name, name.data(), name.size());
        e.element_size = element_size, e.offset = archive_place(m_at);
        m_file.write(zeros, static_cast<std::size_t>(e.offset - m_at));
        m_at = e.offset;
    }
    /// More bytes of the section that was begun last. Returns the checksum of all of it so far.
    std::uint32_t append(std::span<std::byte const> bytes) {
        auto& e = m_entries[m_open - 1];
        m_file.write(bytes.data(), bytes.size());
        m_at += bytes.size(), e.bytes += bytes.size();
        return e.crc = crc32(bytes, e.crc);
    }
    void append(std::vector<archive_section> const& sections) {
        for (auto const& s : sections)
            begin(s.name, s.element_size), append(s.owned.empty() ? s.bytes : std::span<std::byte const>(s.owned));
    }
    void commit() {
        RECSYS_DETAIL_ASSERT(m_open == m_entries.size());
        auto const front = archive_front(m_entries, m_at);
        m_file.rewrite_front(front.data(), front.size());
        m_file.commit();
    }

private:
    file_writer m_file;
    std::vector<archive_entry> m_entries;
    std::size_t m_open = 0;
    std::uint64_t m_at = 0;
};

/// An archive of one object, of which only the table has been read and checked.
class archive_pieces {
public:
    explicit archive_pieces(std::string path) : m_file(std::move(path)) {
        archive_header header;
        if (m_file.size() < sizeof header) throw_format(m_file.path(), ": is too short for a recsys file");
        m_file.read(0, &header, sizeof header);
        m_entries.resize(check_archive_header(m_file.path(), header, m_file.size()));
        m_file.read(sizeof header, m_entries.data(), m_entries.size() * sizeof(archive_entry));
        auto const objects = check_archive_table(m_file.path(), header, m_entries, [&](std::uint64_t at) {
            std::byte one;
            m_file.read(at, &one, 1);
            return one;
        });
        if (objects != 1) throw_format(m_file.path(), ": holds ", objects, " objects where one was expected");
    }
    file_pieces const& file() const noexcept { return m_file; }
    std::string const& path() const noexcept { return m_file.path(); }
    archive_entry const* find(std::string_view name) const noexcept { return find_entry(m_entries, name); }
    /// All sections but this large one, read and checked.
    object_reader read_all_but(std::string_view name) const {
        std::vector<archive_section> out;
        for (auto const& e : m_entries) {
            if (std::string_view(e.name) == name) continue;
            auto& s = out.emplace_back();
            s.name = e.name, s.element_size = e.element_size;
            s.owned.resize(static_cast<std::size_t>(e.bytes));
            m_file.read(e.offset, s.owned.data(), s.owned.size());
            if (crc32(s.owned) != e.crc) throw_format(path(), ": section ", in_quotes(s.name), " is damaged (checksum)");
        }
        for (auto& s : out) s.bytes = s.owned;
        return object_reader(path(), out);
    }

private:
    file_pieces m_file;
    std::vector<archive_entry> m_entries;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
