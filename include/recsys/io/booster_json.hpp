// SPDX-License-Identifier: MIT
// A booster model as JSON and back: the sections of its binary file, with names instead of bytes, checked by the same reader.
#ifndef RECSYS_IO_BOOSTER_JSON_HPP
#define RECSYS_IO_BOOSTER_JSON_HPP

#include <recsys/core/push_macros.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/file.hpp>
#include <recsys/io/json.hpp>
#include <recsys/ranker/booster_archive.hpp>
#include <recsys/ranker/booster_model.hpp>
#include <recsys/ranker/tree_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

// The members of a record by name: f(name, member).
template <class Function> void each_member(saved_column& r, Function const& f) {
    f("categories_end", r.categories_end), f("kind", r.kind), f("keys", r.keys);
}
template <class Function> void each_member(saved_key& r, Function const& f) {
    f("cells_end", r.cells_end), f("pairs_end", r.pairs_end), f("cuts_end", r.cuts_end);
    f("column", r.column), f("other", r.other), f("with", r.with);
}
template <class Function> void each_member(saved_feature& r, Function const& f) {
    f("borders_end", r.borders_end), f("kind", r.kind), f("source", r.source), f("category", r.category), f("prior", r.prior);
}
template <class Function> void each_member(model_split& r, Function const& f) { f("feature", r.feature), f("threshold", r.threshold); }
template <class Function> void each_member(saved_class& r, Function const& f) {
    f("start", r.start), f("label", r.label), f("target", r.target);
}
template <class Function> void each_member(saved_settings& r, Function const& f) {
    f("start", r.start), f("exponent", r.exponent), f("output", r.output), f("missing", r.missing);
    f("best_iteration", r.best_iteration), f("stopped", r.stopped);
}

/// The sections of a booster's file: f(name, a value of the type of its elements), texts as std::string. The first name is the name of the part in JSON.
template <class Function> void each_section(Function const& f) {
    f("settings", saved_settings{}), f("classes", saved_class{}), f("columns.names", std::string()), f("columns", saved_column{}),
        f("categories", std::string());
    f("keys", saved_key{}), f("keys.sums", float{}), f("keys.counts", float{}), f("keys.pairs", std::uint64_t{}), f("keys.cuts", float{});
    f("features", saved_feature{}), f("features.borders", float{});
    f("trees.depths", std::uint8_t{}), f("trees.splits", model_split{}), f("trees.gains", float{}), f("trees.leaves", std::int32_t{});
    f("trees.leaf_weights", float{}), f("report.loss", double{}), f("report.valid_loss", double{}), f("report.valid_metric", double{}),
        f("report.warnings", std::string());
    f("fingerprints", std::uint64_t{}), f("as_of", std::int64_t{});
}

/// JSON has no infinity: as text.
template <class Value> void write_json(json_writer& out, Value value) {
    if constexpr (!std::is_arithmetic_v<Value>) {
        out.open('{');
        each_member(value, [&](char const* name, auto const& member) { out.key(name), write_json(out, member); });
        out.close('}');
    } else if (std::isinf(static_cast<double>(value))) out.text(value < 0 ? "-inf" : "inf");
    else out.number(value);
}
template <class Value> void read_json(json_value in, Value& value) {
    if constexpr (!std::is_arithmetic_v<Value>) each_member(value, [&](char const* name, auto& member) { read_json(in[name], member); });
    else if constexpr (std::is_floating_point_v<Value>) {
        if (in.kind() != json_kind::text) return void(value = in.number<Value>());
        if (in.text() != "inf" && in.text() != "-inf") in.fail("must be a number, 'inf' or '-inf'");
        value = std::numeric_limits<Value>::infinity() * (in.text() == "inf" ? 1 : -1);
    } else value = in.number<Value>();
}

inline std::string booster_json(booster_model const& model) {
    std::vector<archive_section> sections;
    object_writer to(sections, 0);
    archived<booster_model>::save(model, to);
    object_reader const from("booster_model", [&] {
        for (auto& s : sections)
            if (!s.owned.empty()) s.bytes = s.owned;
        return sections;
    }());
    json_writer out;
    out.open('{').key("type").text(archived<booster_model>::name()).key("format").number(archive_format);
    each_section([&]<class Value>(char const* name, Value const&) {
        out.key(name).open('[');
        if constexpr (std::is_same_v<Value, std::string>)
            for (auto const& text : from.texts(name)) out.text(text);
        else
            for (auto const& value : from.array<Value>(name)) write_json(out, value);
        out.close(']');
    });
    return out.close('}').text();
}

inline booster_model parse_booster_json(std::string_view text, std::string const& name) {
    json_document const document(name, text);
    json_value const all(document);
    if (auto const type = all["type"]; type.text() != archived<booster_model>::name())
        type.fail("must be ", archived<booster_model>::name());
    if (auto const format = all["format"]; format.number<std::uint32_t>() != archive_format) format.fail("must be ", archive_format);
    std::vector<archive_section> sections;
    object_writer to(sections, 0);
    each_section([&]<class Value>(char const* section, Value const&) {
        std::vector<Value> values;
        auto const found = all.find(section);
        if (!found && section == std::string_view("classes")) return; // models of earlier versions have none
        (found ? *found : all[section]).each([&](json_value v) {
            auto& value = values.emplace_back();
            if constexpr (std::is_same_v<Value, std::string>) value = v.text();
            else read_json(v, value);
        });
        if constexpr (std::is_same_v<Value, std::string>) to.texts(section, values);
        else to.array(section, values);
    });
    for (auto& s : sections) s.bytes = s.owned;
    return archived<booster_model>::load(object_reader(name, sections));
}

}

/// Writes a booster model as JSON, for reading elsewhere and for comparing; `load_json` gives the same model bit for bit.
///
/// Members are the sections of the binary file (`save`): records as objects, numbers as short as they read back the same, infinities as text.
/// @throws format_error  where the file cannot be written.
inline void save_json(std::string const& path, booster_model const& model) {
    auto const text = detail::booster_json(model);
    detail::file_writer file(path);
    file.write(text.data(), text.size());
    file.commit();
}
/// Reads what `save_json` wrote. @throws format_error  naming what is wrong with it.
[[nodiscard]] inline booster_model load_json(std::string const& path) {
    auto const bytes = detail::read_file(path);
    return detail::parse_booster_json({reinterpret_cast<char const*>(bytes.data()), bytes.size()}, path);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
