// SPDX-License-Identifier: MIT
// One container for every model and encoder: named objects of named sections, all of it checked before anything is believed.
//
// Layout, little-endian: magic (8 bytes), format (u32), byte-order word (u32), file size (u64), number of sections (u64), checksum of the
// table (u32), zero (u32); then the table, 64 bytes a section: name (36 bytes, zero-filled), element size (u32), offset (u64), bytes (u64),
// checksum (u32), object (u32); then the sections, each at a multiple of 64, zero bytes between. Checksums are CRC-32 as in zlib.
#ifndef RECSYS_CORE_ARCHIVE_HPP
#define RECSYS_CORE_ARCHIVE_HPP

#include <recsys/core/push_macros.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/file.hpp>
#include <recsys/core/types.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {
namespace detail {

struct crc_tables {
    std::uint32_t at[8][256];
    constexpr crc_tables() : at{} {
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t c = i;
            for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) ? 0xEDB88320u : 0);
            at[0][i] = c;
        }
        for (std::size_t t = 1; t < 8; ++t)
            for (std::size_t i = 0; i < 256; ++i) at[t][i] = (at[t - 1][i] >> 8) ^ at[0][at[t - 1][i] & 255];
    }
};

/// CRC-32 (polynomial 0xEDB88320), eight bytes a step; `crc` continues an earlier call.
inline std::uint32_t crc32(std::span<std::byte const> bytes, std::uint32_t crc = 0) noexcept {
    static constexpr crc_tables tables;
    auto const& t = tables.at;
    std::uint32_t c = ~crc;
    auto const* p = bytes.data();
    std::size_t n = bytes.size();
    auto const byte = [&](std::size_t i) { return static_cast<std::uint32_t>(p[i]); };
    for (; n >= 8; n -= 8, p += 8) {
        c ^= byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
        c = t[7][c & 255] ^ t[6][(c >> 8) & 255] ^ t[5][(c >> 16) & 255] ^ t[4][c >> 24] ^ t[3][byte(4)] ^ t[2][byte(5)] ^ t[1][byte(6)] ^
            t[0][byte(7)];
    }
    for (; n > 0; --n, ++p) c = (c >> 8) ^ t[0][(c ^ byte(0)) & 255];
    return ~c;
}

/// How a type is written to and read from an archive: specialised beside each type with
///   static std::string name();                       the same for ever, with the scalar or id type in it: "als_model<float>"
///   static void save(T const&, object_writer&);
///   static T load(object_reader const&);             checks every size and range that it relies on
template <class T> struct archived;

template <class T>
concept archivable_value = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>;

struct archive_section {
    std::string name;
    std::uint32_t element_size = 0;
    std::uint32_t object = 0;
    std::vector<std::byte> owned;
    std::span<std::byte const> bytes;
};

/// Collects the sections of one object.
class object_writer {
public:
    object_writer(std::vector<archive_section>& sections, std::uint32_t object) : m_sections(sections), m_object(object) {}

    /// An array, not copied: it must live until the file is written.
    template <archivable_value Value> void array(std::string_view name, std::span<Value const> values) {
        add(name, sizeof(Value), {}, std::as_bytes(values));
    }
    template <archivable_value Value> void array(std::string_view name, shared_array<Value> const& values) {
        array<Value>(name, values.span());
    }
    /// An array made for saving: kept.
    template <archivable_value Value> void array(std::string_view name, std::vector<Value> const& values) {
        auto const bytes = std::as_bytes(std::span<Value const>(values));
        add(name, sizeof(Value), std::vector<std::byte>(bytes.begin(), bytes.end()), {});
    }
    template <archivable_value Value> void value(std::string_view name, Value const& v) { array(name, std::vector<Value>(1, v)); }
    void text(std::string_view name, std::string_view s) { array(name, std::vector<char>(s.begin(), s.end())); }
    /// Texts of any length: their bytes in one section, their ends in another.
    template <class Range> void texts(std::string_view name, Range const& range) {
        std::vector<char> bytes;
        std::vector<std::uint64_t> ends;
        for (auto const& s : range) {
            std::string_view const view(s);
            bytes.insert(bytes.end(), view.begin(), view.end());
            ends.push_back(bytes.size());
        }
        array(name, bytes);
        array(concat(name, ".ends"), ends);
    }

private:
    void add(std::string_view name, std::size_t element_size, std::vector<std::byte> owned, std::span<std::byte const> borrowed) {
        if (name.empty() || name.size() > 35) throw_data("save: the section name ", in_quotes(name), " must have 1 to 35 bytes");
        auto& s = m_sections.emplace_back();
        s.name = name, s.element_size = static_cast<std::uint32_t>(element_size), s.object = m_object, s.owned = std::move(owned);
        s.bytes = borrowed.data() ? borrowed : std::span<std::byte const>(s.owned);
    }
    std::vector<archive_section>& m_sections;
    std::uint32_t m_object;
};

struct archive_header {
    char magic[8];
    std::uint32_t format, byte_order;
    std::uint64_t file_bytes, sections;
    std::uint32_t table_crc, zero;
};
struct archive_entry {
    char name[36];
    std::uint32_t element_size;
    std::uint64_t offset, bytes;
    std::uint32_t crc, object;
};
static_assert(sizeof(archive_header) == 40 && sizeof(archive_entry) == 64);
static_assert(std::is_trivially_copyable_v<archive_header> && std::is_trivially_copyable_v<archive_entry>);

inline constexpr char archive_magic[8] = {'R', 'E', 'C', 'S', 'Y', 'S', '\r', '\n'};
inline constexpr std::uint32_t archive_format = 1;
inline constexpr std::uint32_t archive_byte_order = 0x01020304u;

inline constexpr std::uint64_t archive_place(std::uint64_t offset) noexcept { return (offset + 63) / 64 * 64; }

/// What stands before the sections: the header of a file of so many bytes, and the table.
inline std::vector<std::byte> archive_front(std::vector<archive_entry> const& entries, std::uint64_t file_bytes) {
    archive_header header{{}, archive_format, archive_byte_order, file_bytes, entries.size(), 0, 0};
    std::memcpy(header.magic, archive_magic, sizeof archive_magic);
    header.table_crc = crc32(std::as_bytes(std::span(entries)), crc32(std::as_bytes(std::span(&header, 1))));
    std::vector<std::byte> out(sizeof header + entries.size() * sizeof(archive_entry));
    std::memcpy(out.data(), &header, sizeof header);
    if (!entries.empty()) std::memcpy(out.data() + sizeof header, entries.data(), entries.size() * sizeof(archive_entry));
    return out;
}
/// The section of this name, or null.
inline archive_entry const* find_entry(std::vector<archive_entry> const& entries, std::string_view name) noexcept {
    for (auto const& e : entries)
        if (std::string_view(e.name) == name) return &e;
    return nullptr;
}

/// Writes objects to one file, all or nothing.
class archive_writer {
public:
    template <class T> void add(T const& value) {
        object_writer out(m_sections, m_objects++);
        out.text("type", archived<T>::name());
        archived<T>::save(value, out);
    }
    void write(std::string const& path) {
        file_writer file(path);
        auto const entries = make_entries();
        auto const front = archive_front(entries, entries.empty() ? sizeof(archive_header) : entries.back().offset + entries.back().bytes);
        file.write(front.data(), front.size());
        std::size_t at = front.size();
        static constexpr char zeros[64] = {};
        for (std::size_t i = 0; i < entries.size(); ++i) {
            file.write(zeros, static_cast<std::size_t>(entries[i].offset) - at);
            file.write(m_sections[i].bytes.data(), m_sections[i].bytes.size());
            at = static_cast<std::size_t>(entries[i].offset + entries[i].bytes);
        }
        file.commit();
    }

private:
    std::vector<archive_entry> make_entries() {
        std::vector<archive_entry> entries(m_sections.size());
        std::uint64_t at = sizeof(archive_header) + entries.size() * sizeof(archive_entry);
        for (std::size_t i = 0; i < entries.size(); ++i) {
            auto& s = m_sections[i];
            if (!s.owned.empty()) s.bytes = s.owned; // vectors of sections move as they grow
            auto& e = entries[i] = archive_entry{};
            std::memcpy(e.name, s.name.data(), s.name.size());
            e.element_size = s.element_size, e.object = s.object;
            e.offset = at = archive_place(at), e.bytes = s.bytes.size(), e.crc = crc32(s.bytes);
            at += s.bytes.size();
        }
        return entries;
    }
    std::vector<archive_section> m_sections;
    std::uint32_t m_objects = 0;
};

}

/// How a file is read.
struct load_options {
    /// Maps the file instead of reading it: large arrays stay where the system keeps the file, one copy for all processes that map it, and a page is
    /// read when it is first looked at. A file that `save` replaces meanwhile stays as it was for those who have it. Nobody may write into it or cut
    /// it off in place: that is seen, or ends the program by SIGBUS (Windows refuses both, and replacing it too). Where a system has no maps, it is read.
    bool map = false;
    /// Looks at every byte: checksums, and that the numbers of large arrays are finite. Without it table, sizes and what indexes something are still
    /// checked, and arrays are believed: for a file that is mapped in no time, of one's own.
    bool verify = true;
};

namespace detail {

class archive_reader;

/// The sections of one object of a file that has been checked. Arrays are read in place and keep the file's memory alive.
class object_reader {
public:
    object_reader() = default;
    /// Sections that came from elsewhere than a file of this format; `path` is what messages name.
    object_reader(std::string path, std::vector<archive_section> const& sections) : m_path(std::move(path)) {
        std::size_t size = 0;
        for (auto const& s : sections) size = static_cast<std::size_t>(archive_place(size)) + s.bytes.size();
        auto const bytes = std::make_shared<buffer<std::byte>>(size);
        std::size_t at = 0;
        for (auto const& s : sections) {
            at = static_cast<std::size_t>(archive_place(at));
            auto& e = m_entries.emplace_back();
            std::memcpy(e.name, s.name.data(), std::min(s.name.size(), sizeof e.name - 1));
            e.element_size = s.element_size, e.offset = at, e.bytes = s.bytes.size();
            std::copy(s.bytes.begin(), s.bytes.end(), bytes->data() + at);
            at += s.bytes.size();
        }
        m_bytes = bytes->span(), m_owner = bytes;
    }
    /// Whether there is such a section: files of earlier versions lack some.
    bool has(std::string_view name) const noexcept { return find_entry(m_entries, name) != nullptr; }
    template <archivable_value Value> shared_array<Value> array(std::string_view name) const {
        auto const& e = entry(name);
        if (e.element_size != sizeof(Value)) fail(name, concat("has elements of ", e.element_size, " bytes, expected ", sizeof(Value)));
        auto const* data = reinterpret_cast<Value const*>(m_bytes.data() + e.offset);
        return shared_array<Value>(m_owner, std::span<Value const>(data, static_cast<std::size_t>(e.bytes) / sizeof(Value)));
    }
    /// An array that must have this many elements.
    template <archivable_value Value> shared_array<Value> array(std::string_view name, std::size_t n) const {
        auto values = array<Value>(name);
        if (values.size() != n) fail(name, concat("has ", values.size(), " elements, expected ", n));
        return values;
    }
    template <archivable_value Value> Value value(std::string_view name) const { return array<Value>(name, 1)[0]; }
    std::string text(std::string_view name) const {
        auto const chars = array<char>(name);
        return std::string(chars.begin(), chars.end());
    }
    std::vector<std::string> texts(std::string_view name) const {
        auto const chars = array<char>(name);
        auto const ends = array<std::uint64_t>(concat(name, ".ends"));
        std::vector<std::string> out;
        out.reserve(ends.size());
        std::uint64_t from = 0;
        for (auto const end : ends) {
            if (end < from || end > chars.size()) fail(name, "has a text that ends outside of it");
            out.emplace_back(chars.data() + from, static_cast<std::size_t>(end - from));
            from = end;
        }
        if (from != chars.size()) fail(name, "has bytes that belong to no text");
        return out;
    }
    /// For what `archived<T>::load` finds wrong.
    [[noreturn]] void fail(std::string_view section, std::string_view what) const {
        throw_format(m_path, ": section ", in_quotes(section), ' ', what);
    }
    std::string const& path() const noexcept { return m_path; }
    /// Whether all of a large array is to be looked at.
    bool verify() const noexcept { return m_verify; }

private:
    friend class archive_reader;
    archive_entry const& entry(std::string_view name) const {
        if (auto const* const e = find_entry(m_entries, name)) return *e;
        throw_format(m_path, ": section ", in_quotes(name), " is missing");
    }
    std::string m_path;
    std::shared_ptr<void const> m_owner;
    std::span<std::byte const> m_bytes;
    std::vector<archive_entry> m_entries;
    bool m_verify = true;
};

/// Of the first bytes of a file: how many sections its table has. @throws format_error where it is none of ours, or not whole.
inline std::size_t check_archive_header(std::string const& path, archive_header const& header, std::uint64_t file_bytes) {
    if (std::memcmp(header.magic, archive_magic, sizeof archive_magic) != 0) throw_format(path, ": is not a recsys file");
    if (header.byte_order != archive_byte_order) throw_format(path, ": was written on a machine of the other byte order");
    if (header.format != archive_format)
        throw_format(path, ": has format ", header.format, ", this library reads format ", archive_format, "; save the model again");
    if (header.file_bytes != file_bytes) throw_format(path, ": has ", file_bytes, " bytes where ", header.file_bytes, " were written");
    if (header.sections > (file_bytes - sizeof header) / sizeof(archive_entry)) throw_format(path, ": has a damaged table of sections");
    return static_cast<std::size_t>(header.sections);
}

/// Checks the table's checksum and that its sections follow each other; byte(at) reads those between them. Returns how many objects there are.
template <class Byte> std::size_t check_archive_table(std::string const& path, archive_header header,
                                                      std::vector<archive_entry> const& entries, Byte const& byte) {
    auto const crc = std::exchange(header.table_crc, 0);
    if (crc != crc32(std::as_bytes(std::span(entries)), crc32(std::as_bytes(std::span(&header, 1)))))
        throw_format(path, ": has a damaged header (checksum)");
    std::uint64_t at = sizeof header + entries.size() * sizeof(archive_entry);
    std::size_t objects = 0;
    for (auto const& e : entries) {
        if (e.name[sizeof e.name - 1] != '\0' || e.element_size == 0) throw_format(path, ": has a damaged table of sections");
        if (e.offset != archive_place(at) || e.offset > header.file_bytes || e.bytes > header.file_bytes - e.offset ||
            e.bytes % e.element_size != 0 || e.object > objects)
            throw_format(path, ": section ", in_quotes(e.name), " lies outside of the file");
        for (; at < e.offset; ++at)
            if (byte(at) != std::byte{0}) throw_format(path, ": has bytes between its sections");
        objects = e.object + std::size_t{1};
        at = e.offset + e.bytes;
    }
    return objects;
}

/// Reads a file whole or maps it, checks sizes, bounds and checksums, and only then hands out objects.
class archive_reader {
public:
    explicit archive_reader(std::string path, load_options const& options = {})
        : m_path(std::move(path)), m_bytes(options.map ? map_file(m_path) : read_file(m_path)), m_verify(options.verify) {
        check();
    }

    std::size_t size() const noexcept { return m_objects; }

    /// The object at this position, which must have been saved as this type.
    template <class T> T load(std::size_t position) const {
        if (position >= m_objects)
            throw_format(m_path, ": holds ", m_objects, " object(s), number ", position + 1, " (", archived<T>::name(), ") was asked for");
        object_reader in;
        in.m_path = m_path;
        in.m_bytes = m_bytes.span();
        in.m_owner = std::make_shared<shared_array<std::byte>>(m_bytes);
        in.m_verify = m_verify;
        for (auto const& e : m_entries)
            if (e.object == position) in.m_entries.push_back(e);
        if (auto const type = in.text("type"); type != archived<T>::name())
            throw_format(m_path, ": object ", position + 1, " is ", in_quotes(type), ", expected ", in_quotes(archived<T>::name()));
        return archived<T>::load(in);
    }

private:
    void check() {
        archive_header header;
        if (m_bytes.size() < sizeof header) throw_format(m_path, ": is too short for a recsys file");
        std::memcpy(&header, m_bytes.data(), sizeof header);
        m_entries.resize(check_archive_header(m_path, header, m_bytes.size()));
        if (!m_entries.empty()) std::memcpy(m_entries.data(), m_bytes.data() + sizeof header, m_entries.size() * sizeof(archive_entry));
        m_objects = check_archive_table(m_path, header, m_entries, [&](std::uint64_t at) { return m_bytes[static_cast<std::size_t>(at)]; });
        for (auto const& e : m_entries)
            if (m_verify && e.crc != crc32(m_bytes.span().subspan(static_cast<std::size_t>(e.offset), static_cast<std::size_t>(e.bytes))))
                throw_format(m_path, ": section ", in_quotes(e.name), " is damaged (checksum)");
    }

    std::string m_path;
    shared_array<std::byte> m_bytes;
    std::vector<archive_entry> m_entries;
    std::size_t m_objects = 0;
    bool m_verify;
};

/// What a value was made from, for every type that carries it: both fingerprints, and the moment where there is one.
inline void save_provenance(provenance const& from, object_writer& out) {
    out.array("fingerprints", std::vector<std::uint64_t>{from.users, from.items});
    std::vector<std::int64_t> moment;
    if (from.as_of) moment.push_back(from.as_of->time_since_epoch().count());
    out.array("as_of", moment);
}
inline provenance load_provenance(object_reader const& in) {
    auto const fingerprints = in.array<std::uint64_t>("fingerprints", 2);
    auto const moment = in.array<std::int64_t>("as_of");
    if (moment.size() > 1) in.fail("as_of", "has more than one moment");
    provenance from{fingerprints[0], fingerprints[1], {}};
    if (!moment.empty()) from.as_of = time_point(std::chrono::microseconds(moment[0]));
    return from;
}

}
}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
