// SPDX-License-Identifier: MIT
// One pass over rows of the user's own type to a frame, by a row schema.
#ifndef RECSYS_DATA_INGEST_ROWS_HPP
#define RECSYS_DATA_INGEST_ROWS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/row_schema.hpp>
#include <recsys/data/take_rows.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

struct row_options {
    bool regroup =
        false; ///< rows of a group that are no neighbours are brought together; predictions then follow that order, not the input's
    run_options run = {};
};

namespace detail {

/// A column of a frame in the making.
class column_in_making final : public key_sink {
public:
    explicit column_in_making(key_kind keys) : m_dictionary(std::make_shared<category_dictionary>(keys)) {}

    void key(std::string_view text) override { m_codes.push_back(m_dictionary->add(text)); }
    void integer(std::int64_t value) override {
        if (auto const code = m_dictionary->find_integer(value)) m_codes.push_back(*code);
        else key_sink::integer(value);
    }
    void missing() override { m_codes.push_back(missing_category); }
    void end_row() override { m_ends.push_back(m_codes.size()); }
    /// Room for the numbers of more rows.
    float* more(std::size_t n) {
        m_numbers.resize(m_numbers.size() + n);
        return m_numbers.data() + (m_numbers.size() - n);
    }
    template <class Row> frame_column finish(schema_column<Row> const& from) && {
        frame_column out;
        out.name = from.name, out.kind = from.kind;
        if (from.kind == column_kind::number) out.numbers = shared_array<float>(std::move(m_numbers));
        else out.codes = shared_array<std::int32_t>(std::move(m_codes)), out.dictionary = std::move(m_dictionary);
        if (from.kind == column_kind::categories) out.ends = shared_array<std::uint64_t>(std::move(m_ends));
        return out;
    }

private:
    std::vector<float> m_numbers;
    std::vector<std::int32_t> m_codes;
    std::vector<std::uint64_t> m_ends;
    std::shared_ptr<category_dictionary> m_dictionary;
};

/// Where groups end, and whether each group is one run of rows.
class groups_in_making {
public:
    explicit groups_in_making(bool regroup) : m_regroup(regroup) {}
    std::uint32_t* more(std::size_t n) {
        m_codes.resize(m_codes.size() + n);
        return m_codes.data() + (m_codes.size() - n);
    }
    /// After the codes of `n` more rows were written. @throws data_error  for a group that comes back, unless rows are to be regrouped.
    void check(std::size_t n) {
        for (std::size_t row = m_codes.size() - n; row < m_codes.size(); ++row) {
            if (row > 0 && m_codes[row] == m_codes[row - 1]) continue;
            if (m_codes[row] == m_groups) {
                ++m_groups;
                continue;
            }
            m_scattered = true;
            if (!m_regroup)
                throw_data("ingest: row ", row,
                           " (from 0) is of a group that ended before: rows of a group must be neighbours; "
                           "sort by group first, or let ingest bring them together with {.regroup = true}");
        }
    }
    bool scattered() const noexcept { return m_scattered; }
    /// Rows by group, groups in the order of their first row, rows of a group in their own.
    std::vector<std::size_t> order() const {
        std::vector<std::size_t> rows(m_codes.size());
        std::iota(rows.begin(), rows.end(), std::size_t{0});
        std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return m_codes[a] < m_codes[b]; });
        return rows;
    }
    /// The ends of the groups once their rows are neighbours.
    std::vector<std::uint64_t> ends() const {
        std::vector<std::uint64_t> sizes(m_groups, 0);
        for (auto const code : m_codes) ++sizes[code];
        std::partial_sum(sizes.begin(), sizes.end(), sizes.begin());
        return sizes;
    }

private:
    bool m_regroup, m_scattered = false;
    std::uint32_t m_groups = 0;
    std::vector<std::uint32_t> m_codes;
};

/// Reads blocks of rows into the columns of a frame.
template <class Row> class row_ingestion {
public:
    row_ingestion(row_readers<Row> const& readers, row_options const& options) : m_readers(readers), m_groups(options.regroup) {
        for (auto const& column : readers.columns) m_columns.emplace_back(column.keys);
        if (readers.make_group) m_read_group = readers.make_group();
    }
    std::size_t n_rows() const noexcept { return m_n_rows; }

    void add(std::span<Row const> rows) {
        for (std::size_t c = 0; c < m_columns.size(); ++c) {
            auto const& reader = m_readers.columns[c];
            if (reader.kind == column_kind::number) reader.read_numbers(rows, m_columns[c].more(rows.size()));
            else reader.read_keys(rows, m_columns[c]);
        }
        if (m_readers.target) m_readers.target(rows, more(m_targets, rows.size()));
        if (m_readers.weight) read_weights(rows);
        if (m_readers.baseline) read_baselines(rows);
        if (m_read_group) m_read_group(rows, m_groups.more(rows.size())), m_groups.check(rows.size());
        m_n_rows += rows.size();
    }
    frame finish() && {
        std::vector<frame_column> columns;
        for (std::size_t c = 0; c < m_columns.size(); ++c) columns.push_back(std::move(m_columns[c]).finish(m_readers.columns[c]));
        frame_rows about;
        about.targets = shared_array<float>(std::move(m_targets)), about.weights = shared_array<float>(std::move(m_weights));
        about.baselines = shared_array<float>(std::move(m_baselines));
        auto const order = m_groups.scattered() ? m_groups.order() : std::vector<std::size_t>();
        auto ends = m_read_group ? m_groups.ends() : std::vector<std::uint64_t>();
        if (order.empty()) {
            about.group_ends = shared_array<std::uint64_t>(std::move(ends));
            return frame(m_n_rows, std::move(columns), std::move(about));
        }
        frame const sorted = take_rows(frame(m_n_rows, std::move(columns), std::move(about)), order);
        about = sorted.rows();
        about.group_ends = shared_array<std::uint64_t>(std::move(ends));
        return frame(m_n_rows, std::vector<frame_column>(sorted.columns().begin(), sorted.columns().end()), std::move(about));
    }

private:
    static float* more(std::vector<float>& values, std::size_t n) {
        values.resize(values.size() + n);
        return values.data() + (values.size() - n);
    }
    void read_weights(std::span<Row const> rows) {
        float const* const weights = more(m_weights, rows.size());
        m_readers.weight(rows, m_weights.data() + m_n_rows);
        for (std::size_t r = 0; r < rows.size(); ++r)
            if (!(weights[r] >= 0 && weights[r] <= std::numeric_limits<float>::max()))
                throw_data("ingest: the weight of row ", m_n_rows + r, " (from 0) is ", weights[r],
                           ", expected a finite number of at least 0");
    }
    void read_baselines(std::span<Row const> rows) {
        std::size_t const before = m_baselines.size(), of_row = m_n_rows == 0 ? 0 : before / m_n_rows;
        m_readers.baseline(rows, m_baselines);
        std::size_t const now = rows.empty() ? of_row : (m_baselines.size() - before) / rows.size();
        if (m_n_rows > 0 && now != of_row)
            throw_data("ingest: the baseline of row ", m_n_rows, " (from 0) has ", now, " numbers, those before it ", of_row);
        for (std::size_t i = before; i < m_baselines.size(); ++i)
            if (!std::isfinite(m_baselines[i]))
                throw_data("ingest: the baseline of row ", i / now, " (from 0) is ", m_baselines[i], ", expected a finite number");
    }

    row_readers<Row> const& m_readers;
    std::size_t m_n_rows = 0;
    std::vector<column_in_making> m_columns;
    std::vector<float> m_targets, m_weights, m_baselines;
    group_reader<Row> m_read_group;
    groups_in_making m_groups;
};

}

/// The frame of the rows of a range: `ingest(offers, rows<offer>().number("price", &offer::price).target(&offer::clicked))`.
///
/// One pass, rows stay in their order. With a group column the rows of a group must be neighbours; where they are not, ingest is a data_error
/// that names the row, or brings them together with `.regroup` (groups in the order of their first row, rows of a group in their own).
/// The range is not kept; exceptions of its iterators and projections pass through and leave nothing.
/// @throws data_error  for a weight that is negative or not finite, a baseline that is not finite, a missing group id, scattered groups.
/// @throws cancelled   where the progress callback says so.
template <std::input_iterator It, std::sentinel_for<It> End, class Row>
[[nodiscard]] frame ingest(It first, End last, row_schema<Row> const& schema, row_options const& options = {}) {
    constexpr bool is_row = std::convertible_to<std::iter_reference_t<It>, Row const&>;
    static_assert(is_row, "ingest: the rows of this range are not of the type that rows<T>() names");
    if constexpr (is_row) {
        detail::row_ingestion<Row> input(schema.readers(), options);
        std::uint64_t expected = 0;
        if constexpr (std::sized_sentinel_for<End, It>) expected = static_cast<std::uint64_t>(last - first);
        detail::progress_reporter progress(options.run.progress, "ingest", expected);
        if constexpr (std::contiguous_iterator<It> && std::sized_sentinel_for<End, It> && std::same_as<std::iter_value_t<It>, Row>) {
            std::span<Row const> rows(std::to_address(first), static_cast<std::size_t>(expected));
            for (; !rows.empty(); progress.report_or_throw(input.n_rows())) {
                auto const block = rows.first(std::min<std::size_t>(rows.size(), 8192));
                input.add(block);
                rows = rows.subspan(block.size());
            }
        } else {
            for (; first != last; ++first) {
                auto&& value = *first;
                Row const& row = value;
                input.add(std::span<Row const>(&row, 1));
                if (input.n_rows() % 8192 == 0) progress.report_or_throw(input.n_rows());
            }
            progress.report_or_throw(input.n_rows());
        }
        return std::move(input).finish();
    } else {
        return {};
    }
}
template <std::ranges::input_range Range, class Row>
[[nodiscard]] frame ingest(Range&& rows, row_schema<Row> const& schema, row_options const& options = {}) {
    return recsys::ingest(std::ranges::begin(rows), std::ranges::end(rows), schema, options);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
