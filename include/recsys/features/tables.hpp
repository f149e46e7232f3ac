// SPDX-License-Identifier: MIT
// Columns from the user's functions of an item or a user: the function runs once for each id, its answers become a table.
#ifndef RECSYS_FEATURES_TABLES_HPP
#define RECSYS_FEATURES_TABLES_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/columns.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/row_schema.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Codes of keys in a dictionary, as rows of the user's own types give them.
class coding_sink final : public key_sink {
public:
    explicit coding_sink(key_kind keys) : m_dictionary(std::make_shared<category_dictionary>(keys)) {}
    void key(std::string_view text) override { m_codes.push_back(m_dictionary->add(text)); }
    void missing() override { m_codes.push_back(missing_category); }
    void end_row() override {}

    template <class Value> std::int32_t code(Value const& value) {
        m_codes.clear();
        give_key(value, *this);
        return m_codes.front();
    }
    /// Valid until the next call.
    template <class Values> std::span<std::int32_t const> codes(Values const& values) {
        m_codes.clear();
        give_keys(values, *this);
        return m_codes;
    }
    std::shared_ptr<category_dictionary> const& dictionary() const noexcept { return m_dictionary; }

private:
    std::shared_ptr<category_dictionary> m_dictionary;
    std::vector<std::int32_t> m_codes;
};

/// The table of a function of ids that gives numbers.
template <class Encoder, class Function> frame_column table_of_numbers(std::string name, Encoder const& ids, Function& f) {
    buffer<float> numbers(ids.size());
    for (auto const index : ids.all()) numbers[to_size(index)] = to_number(f(ids.id(index)));
    frame_column table;
    table.name = std::move(name), table.numbers = std::move(numbers);
    return table;
}

inline frame_column table_of_numbers(std::string name, std::vector<float> numbers) {
    frame_column table;
    table.name = std::move(name), table.numbers = shared_array<float>(std::move(numbers));
    return table;
}

/// The table of a function of ids that gives one category.
template <class Encoder, class Function> frame_column table_of_category(std::string name, Encoder const& ids, Function& f) {
    using value = std::remove_cvref_t<decltype(f(ids.id(*ids.all().begin())))>;
    coding_sink keys(key_kind_of<value>);
    buffer<std::int32_t> codes(ids.size());
    for (auto const index : ids.all()) codes[to_size(index)] = keys.code(f(ids.id(index)));
    frame_column table;
    table.name = std::move(name), table.kind = column_kind::category;
    table.codes = std::move(codes), table.dictionary = keys.dictionary();
    return table;
}

/// The table of a function of ids that gives a range of categories, in its order; missing ones are left out, repeated ones kept once.
template <class Encoder, class Function> frame_column table_of_categories(std::string name, Encoder const& ids, Function& f) {
    using range = optional_value_t<decltype(f(ids.id(*ids.all().begin())))>;
    using value = std::remove_cvref_t<std::ranges::range_value_t<range>>;
    coding_sink keys(key_kind_of<value>);
    std::vector<std::int32_t> codes;
    std::vector<std::size_t> row_of_code; // the last row in which a code came, + 1
    buffer<std::uint64_t> ends(ids.size());
    for (auto const index : ids.all()) {
        for (auto const code : keys.codes(f(ids.id(index)))) {
            if (code == missing_category) continue;
            row_of_code.resize(keys.dictionary()->size());
            if (std::exchange(row_of_code[static_cast<std::size_t>(code)], to_size(index) + 1) != to_size(index) + 1) codes.push_back(code);
        }
        ends[to_size(index)] = codes.size();
    }
    frame_column table;
    table.name = std::move(name), table.kind = column_kind::categories;
    table.codes = shared_array<std::int32_t>(std::move(codes)), table.ends = std::move(ends), table.dictionary = keys.dictionary();
    return table;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
