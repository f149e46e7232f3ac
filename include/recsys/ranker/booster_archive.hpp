// SPDX-License-Identifier: MIT
// Booster models in files: borders as float32 by column name, leaves as int32 with one exponent, tables of categories; all checked before use.
#ifndef RECSYS_RANKER_BOOSTER_ARCHIVE_HPP
#define RECSYS_RANKER_BOOSTER_ARCHIVE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>
#include <recsys/core/error.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/booster_model.hpp>
#include <recsys/ranker/feature_space.hpp>
#include <recsys/ranker/target_statistics.hpp>
#include <recsys/ranker/tree_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

// Plain records of files; members are in the order of falling size, so that there is no padding.
struct saved_column {
    std::uint64_t categories_end;
    std::uint32_t kind, keys;
};
struct saved_key {
    std::uint64_t cells_end, pairs_end, cuts_end;
    std::uint32_t column, other, with, zero;
};
struct saved_feature {
    std::uint64_t borders_end;
    std::uint32_t kind, source;
    std::int32_t category;
    float prior;
};
struct saved_settings {
    double start;
    std::int64_t best_iteration; ///< -1 = none
    std::int32_t exponent;
    std::uint32_t output, missing, stopped;
};
struct saved_class {
    double start;
    std::int32_t label;
    std::uint32_t target;
};
static_assert(sizeof(saved_class) == 16 && sizeof(saved_column) == 16 && sizeof(saved_key) == 40 && sizeof(saved_feature) == 24 &&
              sizeof(saved_settings) == 32);

// --- writing ------------------------------------------------------------------------------------

inline void save_columns(feature_space const& space, object_writer& out) {
    std::vector<std::string> names, categories;
    std::vector<saved_column> columns;
    for (auto const& c : space.columns) {
        names.push_back(c.name);
        for (std::size_t i = 0; c.categories && i < c.categories->size(); ++i)
            categories.push_back(c.categories->text(static_cast<std::int32_t>(i)));
        columns.push_back({categories.size(), static_cast<std::uint32_t>(c.kind), static_cast<std::uint32_t>(c.keys())});
    }
    out.texts("columns.names", names), out.array("columns", columns), out.texts("categories", categories);
}
inline void save_keys(feature_space const& space, object_writer& out) {
    std::vector<saved_key> keys;
    std::vector<float> sums, counts, cuts;
    std::vector<std::uint64_t> pairs;
    for (auto const& k : space.keys) {
        sums.insert(sums.end(), k.sums.begin(), k.sums.end()), counts.insert(counts.end(), k.counts.begin(), k.counts.end());
        pairs.insert(pairs.end(), k.pairs.begin(), k.pairs.end()), cuts.insert(cuts.end(), k.cuts.begin(), k.cuts.end());
        keys.push_back({counts.size(), pairs.size(), cuts.size(), k.column, k.other, static_cast<std::uint32_t>(k.with), 0});
    }
    out.array("keys", keys), out.array("keys.sums", sums), out.array("keys.counts", counts), out.array("keys.pairs", pairs),
        out.array("keys.cuts", cuts);
}
inline void save_features(feature_space const& space, object_writer& out) {
    std::vector<saved_feature> features;
    std::vector<float> borders;
    for (auto const& f : space.features) {
        borders.insert(borders.end(), f.borders.begin(), f.borders.end());
        features.push_back({borders.size(), static_cast<std::uint32_t>(f.kind), f.source, f.category, f.prior});
    }
    out.array("features", features), out.array("features.borders", borders);
}

inline void save_trees(tree_set const& trees, object_writer& out) {
    out.array("trees.depths", trees.all_depths()), out.array("trees.splits", trees.all_splits()),
        out.array("trees.gains", trees.all_gains());
    out.array("trees.leaves", trees.all_leaves()), out.array("trees.leaf_weights", trees.all_leaf_weights());
}

// --- reading ------------------------------------------------------------------------------------

/// The next part of an array, up to an end that a file gives.
class part_reader {
public:
    part_reader(object_reader const& in, std::string section, std::size_t size) : m_in(in), m_section(std::move(section)), m_size(size) {}
    /// First and last of the part. A part that goes back or past the end is an error.
    std::pair<std::size_t, std::size_t> next(std::uint64_t end) {
        if (end < m_at || end > m_size) m_in.fail(m_section, "has a part that ends outside of it");
        return {std::exchange(m_at, static_cast<std::size_t>(end)), static_cast<std::size_t>(end)};
    }
    void finish() const {
        if (m_at != m_size) m_in.fail(m_section, "has values that belong to nothing");
    }

private:
    object_reader const& m_in;
    std::string m_section;
    std::size_t m_size, m_at = 0;
};
template <class Value> std::vector<Value> copy_part(shared_array<Value> const& from, std::pair<std::size_t, std::size_t> part) {
    return std::vector<Value>(from.begin() + part.first, from.begin() + part.second);
}
inline bool rising(std::span<float const> values) {
    for (auto const v : values)
        if (std::isnan(v)) return false;
    return std::adjacent_find(values.begin(), values.end(), [](float a, float b) { return !(a < b); }) == values.end();
}

inline void load_columns(feature_space& space, object_reader const& in) {
    auto const names = in.texts("columns.names"), categories = in.texts("categories");
    auto const columns = in.array<saved_column>("columns", names.size());
    part_reader parts(in, "categories", categories.size());
    for (std::size_t c = 0; c < names.size(); ++c) {
        auto const& from = columns[c];
        auto const part = parts.next(from.categories_end);
        bool const number = from.kind == static_cast<std::uint32_t>(column_kind::number);
        if (names[c].empty() || from.kind > 2 || from.keys > 2 || number != (from.keys == 0) || (number && part.first != part.second))
            in.fail("columns", "has a column of no known type");
        auto& column = space.columns.emplace_back();
        column.name = names[c], column.kind = static_cast<column_kind>(from.kind);
        for (std::size_t other = 0; other < c; ++other)
            if (names[other] == names[c]) in.fail("columns.names", concat("has ", in_quotes(names[c]), " twice"));
        if (number) continue;
        auto dictionary = std::make_shared<category_dictionary>(static_cast<key_kind>(from.keys));
        for (std::size_t i = part.first; i < part.second; ++i)
            if (static_cast<std::size_t>(dictionary->add(categories[i])) != i - part.first) in.fail("categories", "has a category twice");
        column.categories = std::move(dictionary);
    }
    parts.finish();
}

/// @throws format_error  where a key does not fit its columns.
inline void check_key(feature_space const& space, statistic_key const& key, object_reader const& in) {
    auto const fail = [&] { in.fail("keys", "has a key that does not fit the columns"); };
    auto const n_columns = space.columns.size();
    if (key.column >= n_columns || !space.columns[key.column].categories || key.other >= n_columns) fail();
    if (key.with != statistic_key::join::none && space.has_lists(key)) fail();
    std::size_t const most = (space.columns[key.column].categories->size() + 1) * (key.cuts.size() + 1);
    if (key.with == statistic_key::join::category) {
        auto const& other = space.columns[key.other];
        if (other.kind != column_kind::category || key.pairs.size() != key.n_cells() || !key.cuts.empty()) fail();
        if (std::adjacent_find(key.pairs.begin(), key.pairs.end(), [](auto a, auto b) { return a >= b; }) != key.pairs.end()) fail();
    } else {
        bool const number = key.with == statistic_key::join::number;
        if (!key.pairs.empty() || key.n_cells() > most ||
            (number ? space.columns[key.other].kind != column_kind::number : !key.cuts.empty()))
            fail();
    }
    if (!rising(key.cuts)) fail();
    for (std::size_t i = 0; i < key.sums.size(); ++i)
        if (float const count = key.counts[i % key.n_cells()]; !(count >= 0 && std::isfinite(count) && std::isfinite(key.sums[i])))
            in.fail("keys.counts", "has a statistic that is not finite");
}
/// @param most_targets  of statistics: 1, or one a class.
inline void load_keys(feature_space& space, std::size_t most_targets, object_reader const& in) {
    auto const keys = in.array<saved_key>("keys");
    auto const sums = in.array<float>("keys.sums"), counts = in.array<float>("keys.counts"), cuts = in.array<float>("keys.cuts");
    std::size_t const n_targets = counts.empty() ? 1 : sums.size() / counts.size();
    if (sums.size() != counts.size() * n_targets || n_targets == 0 || n_targets > most_targets)
        in.fail("keys.sums", concat("has ", sums.size(), " elements for ", counts.size(), " cells"));
    auto const pairs = in.array<std::uint64_t>("keys.pairs");
    part_reader cell_parts(in, "keys.counts", counts.size()), pair_parts(in, "keys.pairs", pairs.size()),
        cut_parts(in, "keys.cuts", cuts.size());
    for (auto const& from : keys) {
        if (from.with > 2) in.fail("keys", "has a key of no known kind");
        auto& key = space.keys.emplace_back();
        key.column = from.column, key.other = from.other, key.with = static_cast<statistic_key::join>(from.with);
        auto const cells = cell_parts.next(from.cells_end);
        key.sums = copy_part(sums, {cells.first * n_targets, cells.second * n_targets}), key.counts = copy_part(counts, cells);
        key.pairs = copy_part(pairs, pair_parts.next(from.pairs_end)), key.cuts = copy_part(cuts, cut_parts.next(from.cuts_end));
        check_key(space, key, in);
    }
    cell_parts.finish(), pair_parts.finish(), cut_parts.finish();
}
inline bool is_target(statistic_key const& key, std::int32_t target) {
    return static_cast<std::size_t>(target) < std::max<std::size_t>(1, key.n_targets());
}
inline void load_features(feature_space& space, object_reader const& in) {
    auto const features = in.array<saved_feature>("features");
    auto const borders = in.array<float>("features.borders");
    if (features.size() > 65535) in.fail("features", "has more features than trees can name");
    part_reader parts(in, "features.borders", borders.size());
    for (auto const& from : features) {
        auto& f = space.features.emplace_back();
        if (from.kind > 3) in.fail("features", "has a feature of no known kind");
        f.kind = static_cast<feature_kind>(from.kind), f.source = from.source, f.category = from.category, f.prior = from.prior;
        f.borders = copy_part(borders, parts.next(from.borders_end));
        bool const of_column = f.kind == feature_kind::number || f.kind == feature_kind::has;
        bool const in_range = f.source < (of_column ? space.columns.size() : space.keys.size());
        bool const known_target =
            f.kind != feature_kind::statistic || (f.category >= 0 && in_range && is_target(space.keys[f.source], f.category));
        bool const right_column =
            in_range && (!of_column || (space.columns[f.source].kind == column_kind::number) == (f.kind == feature_kind::number));
        if (!right_column || !known_target || f.borders.size() > max_borders || !rising(f.borders) || !std::isfinite(f.prior))
            in.fail("features", "has a feature that does not fit the columns");
    }
    parts.finish();
}
inline tree_set load_trees(std::size_t n_features, object_reader const& in) {
    auto const depths = in.array<std::uint8_t>("trees.depths");
    auto const splits = in.array<model_split>("trees.splits");
    auto const gains = in.array<float>("trees.gains", splits.size());
    auto const leaves = in.array<std::int32_t>("trees.leaves");
    auto const weights = in.array<float>("trees.leaf_weights", leaves.size());
    part_reader split_parts(in, "trees.splits", splits.size()), leaf_parts(in, "trees.leaves", leaves.size());
    tree_set trees;
    std::uint64_t split_end = 0, leaf_end = 0;
    for (auto const depth : depths) {
        if (depth > max_depth) in.fail("trees.depths", concat("has a tree of depth ", depth, ", at most ", max_depth, " are possible"));
        auto const s = split_parts.next(split_end += depth);
        auto const l = leaf_parts.next(leaf_end += std::uint64_t{1} << depth);
        for (std::size_t i = s.first; i < s.second; ++i)
            if (splits[i].feature >= n_features) in.fail("trees.splits", "asks for a feature that is not there");
        trees.add(splits.span().subspan(s.first, s.second - s.first), gains.span().subspan(s.first, s.second - s.first),
                  leaves.span().subspan(l.first, l.second - l.first), weights.span().subspan(l.first, l.second - l.first));
    }
    split_parts.finish(), leaf_parts.finish();
    return trees;
}

/// Models of earlier versions have no classes.
inline void load_classes(booster_state& state, object_reader const& in) {
    auto const classes = in.has("classes") ? in.array<saved_class>("classes") : shared_array<saved_class>();
    if (classes.size() == 1 || classes.size() > most_classes) in.fail("classes", concat("has ", classes.size(), " classes"));
    for (auto const& c : classes) {
        bool const rises = state.classes.empty() || c.label > state.classes.back().label;
        if (!std::isfinite(c.start) || c.label < 0 || !rises || c.target >= classes.size())
            in.fail("classes", "has a value outside of its range");
        state.classes.push_back({c.start, c.label, c.target});
    }
}

template <> struct archived<booster_model> {
    static std::string name() { return "booster_model"; }

    static void save(booster_model const& model, object_writer& out) {
        auto const& state = model.state();
        save_columns(state.space, out), save_keys(state.space, out), save_features(state.space, out);
        auto const& trees = state.trees;
        save_trees(trees, out);
        auto const& report = state.report;
        saved_settings settings{trees.start,
                                report.best_iteration ? static_cast<std::int64_t>(*report.best_iteration) : -1,
                                trees.exponent,
                                static_cast<std::uint32_t>(state.output),
                                static_cast<std::uint32_t>(state.space.missing),
                                report.stopped ? 1u : 0u};
        std::vector<saved_class> classes;
        for (auto const& c : state.classes) classes.push_back({c.start, c.label, c.target});
        out.value("settings", settings), out.array("classes", classes);
        save_provenance({0, 0, state.as_of}, out);
        out.array("report.loss", report.loss), out.array("report.valid_loss", report.valid_loss),
            out.array("report.valid_metric", report.valid_metric), out.texts("report.warnings", report.warnings);
    }

    static booster_model load(object_reader const& in) {
        auto state = std::make_shared<booster_state>();
        load_classes(*state, in);
        load_columns(state->space, in), load_keys(state->space, state->n_outputs(), in), load_features(state->space, in);
        auto const settings = in.value<saved_settings>("settings");
        if (!std::isfinite(settings.start) || settings.exponent < -100 || settings.exponent > 100 || settings.output > 3 ||
            (settings.output == 3 && state->classes.empty()) || settings.missing > 2 || settings.stopped > 1 ||
            settings.best_iteration < -1)
            in.fail("settings", "has a value outside of its range");
        state->trees = load_trees(state->space.features.size(), in);
        if (state->trees.size() % state->n_outputs() != 0) in.fail("trees.depths", "has not the same number of trees for each class");
        state->trees.start = settings.start, state->trees.exponent = settings.exponent;
        state->output = static_cast<output_kind>(settings.output), state->space.missing = static_cast<missing_numbers>(settings.missing);
        auto& report = state->report;
        auto const loss = in.array<double>("report.loss"), valid_loss = in.array<double>("report.valid_loss"),
                   valid_metric = in.array<double>("report.valid_metric");
        report.valid_metric.assign(valid_metric.begin(), valid_metric.end());
        report.loss.assign(loss.begin(), loss.end()), report.valid_loss.assign(valid_loss.begin(), valid_loss.end());
        report.warnings = in.texts("report.warnings"), report.stopped = settings.stopped != 0;
        if (settings.best_iteration >= 0) report.best_iteration = static_cast<std::size_t>(settings.best_iteration);
        state->as_of = load_provenance(in).as_of;
        state->prepare();
        return booster_model(std::move(state));
    }
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
