// SPDX-License-Identifier: MIT
// Tables in files, column by column: rows of the user's own structs to a compact file and back, in blocks, in bounded memory.
//
// The file is an archive (core/archive.hpp) of one object. Sections: names and types of the columns; data, the chunks of all columns of
// block 0, then those of block 1; chunks, for each the byte where it ends and the checksum of all data up to there, so that any chunk can
// be checked alone; counts, the rows of the file and of each block but the last.
#ifndef RECSYS_IO_COLUMN_FILE_HPP
#define RECSYS_IO_COLUMN_FILE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/archive_stream.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/row_schema.hpp>
#include <recsys/io/column_values.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

inline constexpr std::size_t most_block_rows = std::size_t{1} << 24;

struct column_chunk_end {
    std::uint64_t byte;
    std::uint32_t crc, zero;
};

/// How one column of rows is written and read.
template <class Row> struct file_column {
    std::string name, type;
    std::function<void(std::span<Row const>, chunk_writer&)> write;
    std::function<bool(std::string_view)> reads;
    /// The first row whose value does not fit, or how many rows there are. Absent for a computed column.
    std::function<std::size_t(std::span<Row>, std::string_view, chunk_reader&)> read;
};

}

/// What of a row is kept in a column file: `file_columns<play>().column("user", &play::user).column("at", &play::at)`.
///
/// A column is an integer, an enum, bool, float, double, std::chrono::sys_time, text, or a container of these; a member pointer or a callable of a
/// row, kept by copy. One that gives no reference to change (a lambda that computes) can be written, not read.
template <class Row> class column_schema {
public:
    /// @throws data_error where the name is empty or comes twice.
    template <class Projection> column_schema column(std::string name, Projection projection) const {
        using value = detail::projected_t<Projection, Row>;
        constexpr bool can_read = std::invocable<Projection const&, Row const&>, is_value = detail::storable<value>;
        static_assert(can_read, "column: this column cannot be read from the row type of file_columns<T>()");
        static_assert(!can_read || is_value,
                      "column: an integer, enum, bool, float, double, sys_time, text or a container of these is needed");
        auto out = *this;
        if constexpr (can_read && is_value) out.template add<value>(std::move(name), std::move(projection));
        return out;
    }
    std::vector<detail::file_column<Row>> const& columns() const& noexcept { return m_columns; }
    std::vector<detail::file_column<Row>> const& columns() const&& = delete;

private:
    template <class Value, class Projection> void add(std::string name, Projection projection) {
        using codec = detail::column_codec<Value>;
        if (name.empty()) detail::throw_data("column: a column needs a name");
        for (auto const& other : m_columns)
            if (other.name == name) detail::throw_data("column: the name ", detail::in_quotes(name), " comes twice");
        auto& made = m_columns.emplace_back();
        made.name = std::move(name), made.type = codec::type(), made.reads = codec::reads;
        made.write = [projection](std::span<Row const> rows, detail::chunk_writer& to) {
            codec values;
            for (auto const& row : rows) values.put(std::invoke(projection, row));
            values.write(to);
        };
        if constexpr (requires(Row & row) { requires std::same_as<decltype(std::invoke(projection, row)), Value&>; })
            made.read = [projection](std::span<Row> rows, std::string_view stored, detail::chunk_reader& from) {
                codec values;
                values.read(stored, rows.size(), from);
                for (std::size_t r = 0; r < rows.size(); ++r)
                    if (!values.take(std::invoke(projection, rows[r]))) return r;
                from.end();
                return rows.size();
            };
    }
    std::vector<detail::file_column<Row>> m_columns;
};

/// Starts a description of what a file keeps of rows of this type.
template <class Row> column_schema<Row> file_columns() { return {}; }

struct column_file_options {
    natural block_rows = 65536; ///< rows that are coded together, 1 to 2^24; a reader holds one block of them
    natural threads = 1;        ///< that code the columns of a block; 0 = all
};

/// Writes a column file row by row or block by block, holding one block. The file takes the old one's place only with close().
template <class Row> class column_writer {
public:
    /// @throws option_error, data_error where there is no column, format_error if the file cannot be made.
    column_writer(std::string path, column_schema<Row> schema, column_file_options how = {})
        : m_schema(std::move(schema)), m_block_rows(how.block_rows), m_team(how.threads), m_file(std::move(path), n_sections) {
        if (m_block_rows < 1 || m_block_rows > detail::most_block_rows)
            detail::throw_option("column_writer: block_rows must be in [1, ", detail::most_block_rows, "], got ", m_block_rows);
        if (columns().empty()) detail::throw_data("column_writer: there is no column to write");
        m_coders.resize(columns().size());
        std::vector<std::string> names, types;
        for (auto const& c : columns()) names.push_back(c.name), types.push_back(c.type);
        std::vector<detail::archive_section> sections;
        detail::object_writer out(sections, 0);
        out.text("type", "column_file"), out.texts("names", names), out.texts("types", types);
        m_file.append(sections);
        m_file.begin("data", sizeof(std::uint64_t));
    }

    void write(Row const& row) {
        m_rows.push_back(row);
        if (m_rows.size() == m_block_rows) write_block(m_rows), m_rows.clear();
    }
    void write(std::span<Row const> rows) {
        while (!rows.empty()) {
            auto const n = std::min(rows.size(), m_block_rows - m_rows.size());
            if (n == m_block_rows) write_block(rows.first(n));
            else m_rows.insert(m_rows.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(n));
            if (m_rows.size() == m_block_rows) write_block(m_rows), m_rows.clear();
            rows = rows.subspan(n);
        }
    }
    /// Puts the file in its place; nothing can be written after it. @throws format_error if it cannot be written to its end.
    void close() {
        if (!m_rows.empty()) write_block(m_rows), m_rows.clear();
        std::vector<detail::archive_section> sections;
        detail::object_writer out(sections, 0);
        out.array("chunks", std::span<detail::column_chunk_end const>(m_ends));
        out.array("counts", std::vector<std::uint64_t>{m_n_rows, m_block_rows});
        m_file.append(sections);
        m_file.commit();
    }

private:
    static constexpr std::size_t n_sections = 8;
    auto const& columns() const noexcept { return m_schema.columns(); }

    void write_block(std::span<Row const> rows) {
        m_team.run(columns().size(), [&](std::size_t c, std::size_t) {
            m_coders[c].clear();
            columns()[c].write(rows, m_coders[c]);
        });
        for (auto const& coder : m_coders) {
            auto const bytes = std::as_bytes(coder.words());
            m_bytes += bytes.size();
            m_ends.push_back({m_bytes, m_file.append(bytes), 0});
        }
        m_n_rows += rows.size();
    }

    column_schema<Row> m_schema;
    std::size_t m_block_rows;
    detail::team m_team;
    detail::archive_stream_writer m_file;
    std::vector<detail::chunk_writer> m_coders;
    std::vector<Row> m_rows;
    std::vector<detail::column_chunk_end> m_ends;
    std::uint64_t m_n_rows = 0, m_bytes = 0;
};

/// A column file opened for reading: what is in it, and its chunks. Everything may be called from several threads at once.
class column_file {
public:
    /// Reads the table of the file, not its data. @throws format_error where it is no column file, or cut off.
    explicit column_file(std::string path) : m_pieces(std::move(path)) {
        auto const* const data = m_pieces.find("data");
        auto const in = m_pieces.read_all_but("data");
        if (!data || data->element_size != sizeof(std::uint64_t) || in.text("type") != "column_file")
            detail::throw_format(this->path(), ": is no column file");
        m_names = in.texts("names"), m_types = in.texts("types");
        auto const counts = in.array<std::uint64_t>("counts", 2);
        m_chunks = in.array<detail::column_chunk_end>("chunks");
        m_begin = data->offset, m_n_rows = counts[0], m_block_rows = static_cast<std::size_t>(counts[1]);
        if (m_names.empty() || m_types.size() != m_names.size() || counts[1] < 1 || counts[1] > detail::most_block_rows)
            in.fail("counts", "is damaged");
        if (m_chunks.size() % m_names.size() != 0 || m_n_rows / m_block_rows + (m_n_rows % m_block_rows != 0) != n_blocks())
            in.fail("chunks", "has not as many chunks as there are blocks and columns");
        std::uint64_t at = 0;
        for (auto const& end : m_chunks) {
            if (end.byte < at || end.byte > data->bytes || end.byte % sizeof(std::uint64_t) != 0 || end.zero != 0)
                in.fail("chunks", "has a chunk outside of the data");
            at = end.byte;
        }
        if (at != data->bytes || (m_chunks.empty() ? 0 : m_chunks[m_chunks.size() - 1].crc) != data->crc) in.fail("chunks", "is damaged");
    }
    std::string const& path() const noexcept { return m_pieces.path(); }
    std::uint64_t size() const noexcept { return m_n_rows; }
    std::size_t n_blocks() const noexcept { return m_chunks.size() / m_names.size(); }
    /// Of every block but the last, which may have fewer.
    std::size_t block_rows() const noexcept { return m_block_rows; }
    std::size_t rows_of(std::size_t block) const noexcept {
        return static_cast<std::size_t>(std::min<std::uint64_t>(m_block_rows, m_n_rows - std::uint64_t{block} * m_block_rows));
    }
    std::vector<std::string> const& names() const& noexcept { return m_names; }
    std::vector<std::string> const& types() const& noexcept { return m_types; }

    /// One column's values of one block. Integers of any width are read as any other, if they fit; floats as doubles; times in finer units.
    /// @throws format_error  no such column, another type, a value that does not fit, damaged data: with file, column and rows.
    /// @throws data_error where there is no such block.
    template <class Value> std::vector<Value> read(std::size_t block, std::string_view column) const {
        static_assert(detail::storable<Value>, "column_file: a type that a column file keeps is needed");
        using codec = detail::column_codec<Value>;
        if (block >= n_blocks()) detail::throw_data("column_file: block ", block, " of ", n_blocks());
        std::vector<Value> out(rows_of(block));
        auto const c = place(column, codec::type(), codec::reads);
        read_chunk(block, c, [&](detail::chunk_reader& in) {
            codec values;
            values.read(m_types[c], out.size(), in);
            for (std::size_t r = 0; r < out.size(); ++r) {
                if constexpr (std::same_as<Value, bool>) {
                    bool one = false;
                    if (!values.take(one)) return r;
                    out[r] = one;
                } else if (!values.take(out[r])) return r;
            }
            in.end();
            return out.size();
        });
        return out;
    }

    /// Which column this is; it must be readable as the type that is asked for.
    std::size_t place(std::string_view column, std::string const& type, std::function<bool(std::string_view)> const& reads) const {
        auto const at = std::find(m_names.begin(), m_names.end(), column);
        if (at == m_names.end()) {
            std::string all;
            for (auto const& name : m_names) all += (all.empty() ? "" : ", ") + detail::in_quotes(name);
            detail::throw_format(path(), ": column ", detail::in_quotes(column), " is missing; there are ", all);
        }
        auto const c = static_cast<std::size_t>(at - m_names.begin());
        if (!reads(m_types[c]))
            detail::throw_format(path(), ": column ", detail::in_quotes(column), " is ", m_types[c], ", which cannot be read as ", type);
        return c;
    }
    /// read(chunk_reader&) returns the first row that does not fit, or how many rows the block has.
    template <class Read> void read_chunk(std::size_t block, std::size_t column, Read const& read) const {
        std::size_t const i = block * m_names.size() + column;
        auto const before = i == 0 ? detail::column_chunk_end{} : m_chunks[i - 1];
        std::size_t const n = static_cast<std::size_t>(m_chunks[i].byte - before.byte), n_rows = rows_of(block);
        auto const first = std::uint64_t{block} * m_block_rows;
        // Made before there is an error: reading would be slower if every check had all of its parts.
        auto const where =
            detail::concat(path(), ": column ", detail::in_quotes(m_names[column]), ", rows ", first, " to ", first + n_rows - 1);
        detail::buffer<std::uint64_t> words(n / sizeof(std::uint64_t));
        m_pieces.file().read(m_begin + before.byte, words.data(), n);
        if (detail::crc32(std::as_bytes(words.span()), before.crc) != m_chunks[i].crc)
            detail::throw_format(where, ": is damaged (checksum)");
        detail::chunk_reader in(words.span(), where);
        if (auto const at = read(in); at < n_rows)
            detail::throw_format(path(), ": column ", detail::in_quotes(m_names[column]), ", row ", first + at,
                                 ": the value does not fit into the type that is asked for");
    }

private:
    detail::archive_pieces m_pieces;
    std::vector<std::string> m_names, m_types;
    detail::shared_array<detail::column_chunk_end> m_chunks;
    std::uint64_t m_begin = 0, m_n_rows = 0;
    std::size_t m_block_rows = 1;
};

/// A column file as a single-pass input range of rows: `for (play const& p : column_table<play>("plays.rsc", schema))`; holds one block.
///
/// The schema names the columns that are wanted, in any order; the file may have more, which are not read. Members that are in no column
/// stay as Row{} has them.
template <class Row> class column_table {
public:
    /// @throws format_error where the file lacks a column or has it with another type, data_error where a column of the schema is computed.
    column_table(std::string path, column_schema<Row> schema) : m_schema(std::move(schema)), m_file(std::move(path)) {
        if (m_schema.columns().empty()) detail::throw_data("column_table: there is no column to read");
        for (auto const& c : m_schema.columns()) {
            if (!c.read) detail::throw_data("column_table: the column ", detail::in_quotes(c.name), " is computed, it can only be written");
            m_places.push_back(m_file.place(c.name, c.type, c.reads));
        }
    }
    column_table(column_table const&) = delete;
    column_table& operator=(column_table const&) = delete;

    column_file const& file() const noexcept { return m_file; }

    /// The rows of one block, in place of what `into` held. May be called from several threads at once, each with its own vector.
    /// @throws format_error with file, column and row.
    void read_block(std::size_t block, std::vector<Row>& into) const {
        if (block >= m_file.n_blocks()) detail::throw_data("column_table: block ", block, " of ", m_file.n_blocks());
        into.resize(m_file.rows_of(block));
        for (std::size_t c = 0; c < m_places.size(); ++c)
            m_file.read_chunk(block, m_places[c],
                              [&](detail::chunk_reader& in) { return m_schema.columns()[c].read(into, m_file.types()[m_places[c]], in); });
    }
    /// take(std::span<Row const>) for every block in order, `threads` of them read at a time.
    template <class Take> void for_each_block(Take const& take, natural threads = 1) const {
        detail::team workers(threads);
        std::vector<std::vector<Row>> blocks(workers.size());
        for (std::size_t first = 0; first < m_file.n_blocks(); first += blocks.size()) {
            std::size_t const n = std::min(blocks.size(), m_file.n_blocks() - first);
            workers.run(n, [&](std::size_t i, std::size_t) { read_block(first + i, blocks[i]); });
            for (std::size_t i = 0; i < n; ++i) take(std::span<Row const>(blocks[i]));
        }
    }

    class iterator {
    public:
        using value_type = Row;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;
        iterator() = default;
        explicit iterator(column_table* from) noexcept : m_from(from) {}
        Row const& operator*() const noexcept { return m_from->m_rows[m_from->m_at]; }
        Row const* operator->() const noexcept { return &**this; }
        iterator& operator++() {
            if (++m_from->m_at == m_from->m_rows.size()) m_from->read_next();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(iterator const& at, std::default_sentinel_t) noexcept { return at.at_end(); }

    private:
        bool at_end() const noexcept { return !m_from || m_from->m_at == m_from->m_rows.size(); }
        column_table* m_from = nullptr;
    };
    /// A second begin() goes on where the first one stopped.
    iterator begin() {
        if (m_at == m_rows.size()) read_next();
        return iterator(this);
    }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    void read_next() {
        m_at = 0;
        if (m_next == m_file.n_blocks()) return m_rows.clear();
        read_block(m_next, m_rows);
        ++m_next;
    }

    column_schema<Row> m_schema;
    column_file m_file;
    std::vector<std::size_t> m_places;
    std::vector<Row> m_rows;
    std::size_t m_next = 0, m_at = 0;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
