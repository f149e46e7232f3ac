// SPDX-License-Identifier: MIT
// A booster model as C++ source that needs nothing but the standard library, with the same raw scores bit for bit.
#ifndef RECSYS_IO_EXPORT_CPP_HPP
#define RECSYS_IO_EXPORT_CPP_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/number.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/booster_model.hpp>
#include <recsys/ranker/feature_space.hpp>
#include <recsys/ranker/target_statistics.hpp>
#include <recsys/ranker/tree_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// What every exported model has, whatever its trees.
inline constexpr std::string_view exported_functions = R"cpp(
inline constexpr float infinite = std::numeric_limits<float>::infinity(), greatest = std::numeric_limits<float>::max();

inline float comparable(float x) { return x != x ? missing_number : std::min(std::max(x, -greatest), greatest); }
/// How many borders are below x.
inline std::uint8_t bin(float const* borders, std::size_t n, float x) {
    return static_cast<std::uint8_t>(std::lower_bound(borders, borders + n, x) - borders);
}
template <class Key> struct category {
    Key key;
    std::int32_t code;
};
/// The code of a category, -2 if the model has never seen it.
template <class Key> std::int32_t find(category<Key> const* first, std::size_t n, Key const& key) {
    auto const at = std::lower_bound(first, first + n, key, [](category<Key> const& c, Key const& k) { return c.key < k; });
    return at != first + n && at->key == key ? at->code : -2;
}
template <class Key> std::int32_t find(category<Key> const* first, std::size_t n, std::optional<Key> const& key) {
    return key ? find(first, n, *key) : -1;
}
template <class Key> std::vector<std::int32_t> find(category<Key> const* first, std::size_t n, std::vector<Key> const& keys) {
    std::vector<std::int32_t> codes;
    for (auto const& key : keys) codes.push_back(find(first, n, key));
    std::sort(codes.begin(), codes.end());
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    if (codes.empty()) codes.push_back(-1);
    return codes;
}
/// A category's cell, a number past all cells if it is unknown.
inline std::uint64_t cell(std::int32_t code) { return code == -2 ? 0xFFFFFFFFu : static_cast<std::uint64_t>(code + 1); }
inline std::uint64_t pair(std::uint64_t const* first, std::size_t n, std::uint64_t a, std::uint64_t b) {
    auto const at = std::lower_bound(first, first + n, a << 32 | b);
    return at != first + n && *at == (a << 32 | b) ? static_cast<std::uint64_t>(at - first) : n;
}
/// The mean over several categories of (sum + prior) / (count + 1), or of the counts.
inline float mean(float const* sums, float const* counts, std::size_t n, std::vector<std::int32_t> const& codes, float prior, bool count) {
    float value = 0;
    for (auto const code : codes) {
        auto const c = cell(code);
        float const s = c < n ? sums[c] : 0.f, k = c < n ? counts[c] : 0.f;
        value += count ? k : (s + prior) / (k + 1.f);
    }
    return codes.size() == 1 ? value : value / static_cast<float>(codes.size());
}
)cpp";

class cpp_exporter {
public:
    cpp_exporter(booster_state const& state, std::string const& name) : m_state(state), m_name(name) {
        if (identifier(name) != name) throw_option("export_cpp: ", in_quotes(name), " cannot be the name of a namespace");
        for (auto const& c : state.space.columns) {
            auto member = identifier(c.name);
            while (std::find(m_members.begin(), m_members.end(), member) != m_members.end()) member += '_';
            m_members.push_back(std::move(member));
        }
    }
    std::string text() {
        std::string const guard = m_name + "_HPP_FROM_RECSYS";
        line("// Made by recsys from a booster_model of ", m_state.trees.size(), " trees; needs C++17 and nothing else.");
        line("#ifndef ", guard, "\n#define ", guard, "\n");
        for (char const* header : {"algorithm", "array", "cmath", "cstddef", "cstdint", "limits", "optional", "string_view", "vector"})
            line("#include <", header, ">");
        line("\nnamespace ", m_name, " {\n");
        write_row();
        line("\nnamespace detail {");
        line("\ninline constexpr float missing_number = ", m_state.space.missing == missing_numbers::highest ? "" : "-",
             "std::numeric_limits<float>::infinity();");
        m_out += exported_functions;
        write_columns(), write_keys(), write_features(), write_trees();
        line("\n}\n");
        write_raw();
        line("}\n\n#endif");
        return std::move(m_out);
    }

private:
    template <class... Part> void line(Part const&... parts) { m_out += concat(parts..., '\n'); }

    // --- words -----------------------------------------------------------------------------------
    static std::string identifier(std::string_view name) {
        constexpr std::string_view keywords =
            " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class co_await co_return "
            "co_yield compl concept const const_cast consteval constexpr constinit continue decltype default delete do double dynamic_cast else "
            "enum explicit export extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator "
            "or or_eq private protected public register reinterpret_cast requires return short signed sizeof static static_assert static_cast "
            "struct switch template this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t "
            "while xor xor_eq row std detail ";
        std::string out;
        auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
        for (char const c : name)
            if (letter(c) || (c >= '0' && c <= '9')) out += c;
            else if (out.empty() || out.back() != '_') out += '_'; // two in a row belong to the compiler
        if (out.empty() || !letter(out[0])) out.insert(0, out.empty() || out[0] != '_' ? "c_" : "c");
        return keywords.find(concat(' ', out, ' ')) == keywords.npos ? out : out + '_';
    }
    static std::string literal(std::string_view text) {
        std::string out;
        for (char const c : text) {
            auto const u = static_cast<unsigned char>(c);
            if (u >= 0x20 && u < 0x7F && c != '"' && c != '\\' && c != '?') out += c;
            else
                out += '\\', out += static_cast<char>('0' + (u >> 6)), out += static_cast<char>('0' + (u >> 3 & 7)),
                    out += static_cast<char>('0' + (u & 7));
        }
        return concat("std::string_view(\"", out, "\", ", text.size(), ")");
    }
    static std::string literal(float x) {
        if (std::isinf(x)) return x < 0 ? "-infinite" : "infinite";
        auto out = number_text(x);
        if (out.find_first_of(".e") == out.npos) out += ".0";
        return out + 'f';
    }
    static std::string literal(double x) {
        auto const out = number_text(x);
        return out.find_first_of(".e") == out.npos ? out + ".0" : out;
    }
    template <class Integer>
        requires std::is_integral_v<Integer>
    static std::string literal(Integer x) {
        if constexpr (sizeof(x) == 8) return number_text(x) + 'u';
        else return x == std::numeric_limits<Integer>::min() && x != 0 ? concat(x + 1, " - 1") : number_text(x);
    }
    /// An array of at least one element: languages have no empty ones.
    template <class Range> void array(std::string_view type, std::string_view name, Range const& values) {
        m_out += concat("inline constexpr ", type, ' ', name, "[] = {");
        std::size_t n = 0;
        for (auto const& v : values) m_out += concat(n == 0 ? "" : n % 16 == 0 ? ",\n    " : ", ", literal(v)), ++n;
        line(n == 0 ? "{}" : "", "};");
    }

    // --- parts -----------------------------------------------------------------------------------
    void write_row() {
        line("/// The columns of the model: a missing number is NaN, a missing category empty.\nstruct row {");
        for (std::size_t c = 0; c < m_members.size(); ++c) {
            auto const& column = m_state.space.columns[c];
            std::string const key = column.keys() == key_kind::text ? "std::string_view" : "std::int64_t";
            auto const type = column.kind == column_kind::number     ? "float"
                              : column.kind == column_kind::category ? concat("std::optional<", key, ">")
                                                                     : concat("std::vector<", key, ">");
            line("    ", type, ' ', m_members[c],
                 column.kind == column_kind::number ? " = std::numeric_limits<float>::quiet_NaN()" : " = {}", ";");
        }
        line("};");
    }
    void write_columns() {
        for (std::size_t c = 0; c < m_members.size(); ++c) {
            auto const& column = m_state.space.columns[c];
            if (!column.categories) continue;
            bool const text = column.keys() == key_kind::text;
            std::vector<std::pair<std::string, std::size_t>> sorted;
            for (std::size_t i = 0; i < column.categories->size(); ++i)
                sorted.emplace_back(column.categories->text(static_cast<std::int32_t>(i)), i);
            if (!text) // integers beyond 64 bits with a sign cannot be asked for
                sorted.erase(
                    std::remove_if(sorted.begin(), sorted.end(), [](auto const& k) { return !parse_number<std::int64_t>(k.first); }),
                    sorted.end());
            std::sort(sorted.begin(), sorted.end(), [&](auto const& a, auto const& b) {
                return text ? a.first < b.first : *parse_number<std::int64_t>(a.first) < *parse_number<std::int64_t>(b.first);
            });
            m_out += concat("inline constexpr category<", text ? "std::string_view" : "std::int64_t", "> categories_", c, "[] = {");
            for (auto const& [key, code] : sorted)
                m_out += concat("\n    {",
                                text                            ? literal(key)
                                : key == "-9223372036854775808" ? "-9223372036854775807 - 1"
                                                                : key,
                                ", ", code, "},");
            line(sorted.empty() ? "{}" : "", "};");
            m_n_categories.emplace_back(c, sorted.size());
        }
    }
    void write_keys() {
        for (std::size_t k = 0; k < m_state.space.keys.size(); ++k) {
            auto const& key = m_state.space.keys[k];
            if (m_state.space.has_lists(key))
                array("float", concat("sums_", k), key.sums), array("float", concat("counts_", k), key.counts);
            if (key.with == statistic_key::join::number) array("float", concat("cuts_", k), key.cuts);
            if (key.with == statistic_key::join::category) array("std::uint64_t", concat("pairs_", k), key.pairs);
        }
    }
    void write_features() {
        for (std::size_t i = 0; i < m_state.space.features.size(); ++i) {
            auto const& f = m_state.space.features[i];
            if (f.kind == feature_kind::has) continue;
            if (is_cell(f)) array("std::uint8_t", concat("bins_", i), m_state.space.cell_bins(i));
            else array("float", concat("borders_", i), f.borders);
        }
    }
    void write_trees() {
        auto const& trees = m_state.trees;
        std::vector<std::uint16_t> features;
        std::vector<std::uint8_t> thresholds;
        for (auto const& s : trees.all_splits()) features.push_back(s.feature), thresholds.push_back(s.threshold);
        array("std::uint8_t", "depths", trees.all_depths()), array("std::uint16_t", "features", features);
        array("std::uint8_t", "thresholds", thresholds), array("std::int32_t", "leaves", trees.all_leaves());
        if (m_state.classes.empty()) return;
        array("std::int32_t", "labels", m_state.labels());
        auto const n = m_state.n_outputs();
        line("inline std::array<double, ", n, "> of_each(double x) {\n    std::array<double, ", n,
             "> out;\n    out.fill(x);\n    return out;\n}");
    }
    bool is_cell(ranker_feature const& f) const {
        return (f.kind == feature_kind::statistic || f.kind == feature_kind::count) &&
               !m_state.space.has_lists(m_state.space.keys[f.source]);
    }
    std::string cell_text(statistic_key const& key, std::size_t k) const {
        auto const first = concat("cell(c", key.column, ")");
        if (key.with == statistic_key::join::category)
            return concat("pair(pairs_", k, ", ", key.pairs.size(), ", ", first, ", cell(c", key.other, "))");
        if (key.with == statistic_key::join::none) return first;
        return concat(first, " * ", key.cuts.size() + 1, " + bin(cuts_", k, ", ", key.cuts.size(), ", c", key.other, ")");
    }
    std::string bin_text(std::size_t i) const {
        auto const& f = m_state.space.features[i];
        if (f.kind == feature_kind::has) {
            if (m_state.space.columns[f.source].kind == column_kind::category) return concat("c", f.source, " == ", f.category);
            return concat("std::find(c", f.source, ".begin(), c", f.source, ".end(), ", f.category, ") != c", f.source, ".end()");
        }
        auto const bin = concat("bin(borders_", i, ", ", f.borders.size(), ", ");
        if (f.kind == feature_kind::number) return concat(bin, "c", f.source, ")");
        auto const& key = m_state.space.keys[f.source];
        if (is_cell(f)) return concat("bins_", i, "[std::min<std::uint64_t>(k", f.source, ", ", key.n_cells(), ")]");
        auto const first = f.kind == feature_kind::statistic ? static_cast<std::size_t>(f.category) * key.n_cells() : 0;
        return concat(bin, "mean(sums_", f.source, first > 0 ? concat(" + ", first) : std::string(), ", counts_", f.source, ", ",
                      key.n_cells(), ", c", key.column, ", ", literal(f.prior), ", ", f.kind == feature_kind::count, "))");
    }
    void write_raw() {
        auto const& space = m_state.space;
        bool const by_class = !m_state.classes.empty();
        auto const n_outputs = m_state.n_outputs();
        auto const type = by_class ? concat("std::array<double, ", n_outputs, ">") : std::string("double");
        line("/// The raw score of a row", by_class ? ", one for each class" : "", ".\ninline ", type,
             " raw([[maybe_unused]] row const& r) {\n    using namespace detail;");
        for (std::size_t c = 0; c < m_members.size(); ++c) {
            if (space.columns[c].kind != column_kind::number) continue;
            if (space.missing == missing_numbers::forbidden)
                line("    if (r.", m_members[c], " != r.", m_members[c], ") return ", by_class ? "of_each(" : "", "r.", m_members[c],
                     by_class ? ");" : ";");
            line("    [[maybe_unused]] float const c", c, " = comparable(r.", m_members[c], ");");
        }
        for (auto const& [c, n] : m_n_categories)
            line("    [[maybe_unused]] auto const c", c, " = find(categories_", c, ", ", n, ", r.", m_members[c], ");");
        for (std::size_t k = 0; k < space.keys.size(); ++k)
            if (!space.has_lists(space.keys[k]))
                line("    [[maybe_unused]] std::uint64_t const k", k, " = ", cell_text(space.keys[k], k), ";");
        line("    std::uint8_t const bins[] = {");
        for (std::size_t i = 0; i < space.features.size(); ++i) line("        static_cast<std::uint8_t>(", bin_text(i), "),");
        line(space.features.empty() ? "0" : "", "    };");
        m_out += concat("    std::int64_t sums[", n_outputs, R"cpp(] = {};
    std::size_t split = 0, leaf = 0;
    for (std::size_t tree = 0; tree < )cpp",
                        m_state.trees.size(), R"cpp(; ++tree) {
        std::size_t at = 0;
        for (std::size_t level = 0; level < depths[tree]; ++level, ++split)
            at |= static_cast<std::size_t>(bins[features[split]] > thresholds[split]) << level;
        sums[)cpp",
                        by_class ? concat("tree % ", n_outputs) : std::string("0"), R"cpp(] += leaves[leaf + at];
        leaf += static_cast<std::size_t>(1) << depths[tree];
    }
    return )cpp");
        auto const score = [&](std::size_t o) {
            return concat(literal(m_state.raw(0, o, 0)), " + std::ldexp(static_cast<double>(sums[", o, "]), ", -m_state.trees.exponent,
                          ")");
        };
        for (std::size_t o = 0; o < n_outputs; ++o) m_out += concat(by_class ? o == 0 ? "{{" : ",\n            " : "", score(o));
        line(by_class ? "}}" : "", ";\n}");
        if (by_class) return write_classes(type);
        line("/// What predict() gives.\ninline double predict(row const& r) {\n    double const x = raw(r);");
        line("    return ",
             m_state.output == output_kind::probability ? "x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x))"
             : m_state.output == output_kind::rate      ? "std::exp(x)"
                                                        : "x",
             ";\n}");
    }

    void write_classes(std::string const& type) {
        line("/// What predict() gives: the probability of each class.\ninline ", type, " predict(row const& r) {\n    auto x = raw(r);",
             R"cpp(
    double const most = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (auto& v : x) v = std::exp(v - most), sum += v;
    for (auto& v : x) v /= sum;
    return x;
}
/// The label of the most probable class, the first of equal ones.
inline std::int32_t predict_class(row const& r) {
    auto const x = raw(r);
    return detail::labels[std::max_element(x.begin(), x.end()) - x.begin()];
})cpp");
    }

    booster_state const& m_state;
    std::string m_name, m_out;
    std::vector<std::string> m_members;
    std::vector<std::pair<std::size_t, std::size_t>> m_n_categories; ///< columns of categories, and how many
};

}

/// The model as a C++17 header without dependencies: `namespace NAME { struct row; double raw(row const&); double predict(row const&); }`.
///
/// A model of several classes has std::array<double, n_classes> instead of double, and `std::int32_t predict_class(row const&)`.
/// The members of `row` are the columns; what C++ does not allow in a name becomes '_'. `raw` is that of the model bit for bit (for rows without
/// baseline); a missing number where that is forbidden gives NaN. Integer categories are std::int64_t.
/// @throws option_error  where NAME is not an identifier.
[[nodiscard]] inline std::string export_cpp(booster_model const& model, std::string const& name = "model") {
    return detail::cpp_exporter(model.state(), name).text();
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
