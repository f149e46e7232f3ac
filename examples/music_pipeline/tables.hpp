// SPDX-License-Identifier: MIT
// The large tables of the results: CSV, or the same rows as a column file, which takes less than half of the room.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include <recsys.hpp>

#include "common/csv.hpp"
#include "disk.hpp"
#include "journal.hpp"

namespace music {

/// NAME.csv or NAME.rsc, row by row; the file appears only with close().
template <class... Field> class table_file {
public:
    table_file(journal& log, std::string const& name, header const& columns, double csv_bytes) {
        bool const as_columns = is_column_table(log.set, csv_bytes);
        // The other form, left by an earlier run, would be another run's rows beside ours.
        m_other = (std::filesystem::path(log.set.out) / (name + (as_columns ? ".csv" : ".rsc"))).string();
        if (as_columns)
            m_columns.emplace(log.file(name + ".rsc"), schema_of(columns, std::index_sequence_for<Field...>()),
                              recsys::column_file_options{.threads = log.set.threads});
        else m_csv.emplace(log.file(name + ".csv"), columns);
    }
    void row(Field const&... fields) {
        if (m_csv) m_csv->row(fields...);
        else m_columns->write(std::tuple<Field...>(fields...));
    }
    void close() {
        if (m_csv) m_csv->close();
        else m_columns->close();
        std::filesystem::remove(m_other);
    }

private:
    using row_type = std::tuple<Field...>;
    template <std::size_t... I> static recsys::column_schema<row_type> schema_of(header const& names, std::index_sequence<I...>) {
        auto out = recsys::file_columns<row_type>();
        ((out = out.column(names.at(I), [](row_type const& row) { return std::get<I>(row); })), ...);
        return out;
    }

    std::optional<csv::writer> m_csv;
    std::optional<recsys::column_writer<row_type>> m_columns;
    std::string m_other;
};

} // namespace music
