// SPDX-License-Identifier: MIT
// CatBoost's JSON export, for prediction: float features, one-hot and target statistics of categories and of their combinations.
#ifndef RECSYS_IO_CATBOOST_JSON_HPP
#define RECSYS_IO_CATBOOST_JSON_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/file.hpp>
#include <recsys/core/number.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/io/city_hash.hpp>
#include <recsys/io/json.hpp>
#include <recsys/ranker/imported_features.hpp>
#include <recsys/ranker/imported_model.hpp>
#include <recsys/ranker/imported_trees.hpp>
#include <recsys/ranker/row_block.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// What CatBoost knows a category by: its text, an integer's decimal digits.
inline std::int32_t catboost_category(std::string_view text) {
    return bit_cast<std::int32_t>(static_cast<std::uint32_t>(city_hash::of(text)));
}

class catboost_reader {
public:
    explicit catboost_reader(json_document const& document) : m_all(document) {}

    std::shared_ptr<imported_state const> read() {
        auto const info = m_all["features_info"];
        if (auto const list = info.find("float_features")) list->each([&](json_value f) { read_number(f); });
        if (auto const list = info.find("categorical_features")) list->each([&](json_value f) { read_category(f); });
        if (auto const list = info.find("ctrs")) read_statistics(*list);
        std::vector<imported_tree> trees;
        auto const levels = m_all.find("oblivious_trees");
        (levels ? *levels : m_all["trees"]).each([&](json_value tree) {
            auto& read = trees.emplace_back(levels ? read_levels(tree) : read_nodes(tree));
            if (auto const* const fault = read.fault()) tree.fail("tree ", trees.size() - 1, " ", fault);
            if (read.n_outputs != trees[0].n_outputs) tree.fail("tree ", trees.size() - 1, " has another number of outputs than the first");
        });
        read_scale(trees.empty() ? std::nullopt : std::optional<std::size_t>(trees[0].n_outputs));
        read_loss();
        read_classes();
        m_out->features.prepare();
        for (auto const& tree : trees) m_out->trees.add(tree, m_out->features);
        m_out->prepare();
        return m_out;
    }

private:
    static constexpr std::uint32_t none = 0xFFFFFFFFu;
    struct category_column {
        std::uint32_t column = none;
        std::vector<std::int32_t> one_hot;
    };

    imported_features& features() { return m_out->features; }
    /// A feature's entry in a list by its index, which must be new.
    template <class Entry> Entry& entry(std::vector<Entry>& list, json_value f) {
        auto const index = f["feature_index"].number<std::uint32_t>();
        if (index != list.size()) f["feature_index"].fail("must be ", list.size(), ", features stand in their order");
        return list.emplace_back();
    }
    std::uint32_t add_column(json_value f, ranker_column column) {
        auto const id = f.find("feature_id"), name = f.find("feature_name");
        if (id && !id->text().empty()) column.name = id->text();
        else if (name && !name->text().empty()) column.name = name->text();
        else column.name = number_text(f["flat_feature_index"].number<std::uint32_t>());
        for (auto const& other : features().columns)
            if (other.name == column.name) f.fail("there are two features ", in_quotes(column.name));
        features().columns.push_back(std::move(column));
        return static_cast<std::uint32_t>(features().columns.size() - 1);
    }
    std::uint32_t add_source(imported_source source) {
        features().sources.push_back(std::move(source));
        return static_cast<std::uint32_t>(features().sources.size() - 1);
    }

    // --- features --------------------------------------------------------------------------------
    void read_number(json_value f) {
        auto& source = entry(m_numbers, f);
        imported_source s;
        s.borders = f["borders"].numbers<float>();
        m_n_binary += s.borders.size();
        source = none;
        if (s.borders.empty()) return; // no tree asks for it
        auto const treatment = f.find("nan_value_treatment");
        auto const word = treatment ? treatment->text() : "AsIs";
        if (word != "AsIs" && word != "AsFalse" && word != "AsTrue") treatment->fail("must be AsIs, AsFalse or AsTrue");
        auto const has_nans = f.find("has_nans");
        s.rule = word == "AsTrue" && (!has_nans || has_nans->truth()) ? number_rule::high : number_rule::low;
        s.from = add_column(f, {{}, column_kind::number, nullptr});
        source = add_source(std::move(s));
    }
    void read_category(json_value f) {
        auto& c = entry(m_categories, f);
        if (auto const values = f.find("values")) c.one_hot = values->numbers<std::int32_t>();
        m_n_binary += c.one_hot.size();
        m_category_values.push_back(f);
    }
    std::uint32_t category(json_value index) {
        auto const i = index.number<std::size_t>();
        if (i >= m_categories.size()) index.fail("there are ", m_categories.size(), " categorical features");
        auto& c = m_categories[i];
        if (c.column == none) // the code of a missing category is one that no text is known to have
            c.column = add_column(m_category_values[i], {{}, column_kind::category, nullptr, &catboost_category, 0x7FFFFFFF});
        return c.column;
    }
    std::uint32_t number(json_value index) {
        auto const i = index.number<std::size_t>();
        if (i >= m_numbers.size() || m_numbers[i] == none) index.fail("there is no float feature ", i, " with borders");
        return m_numbers[i];
    }

    // --- statistics ------------------------------------------------------------------------------
    struct statistic {
        std::uint32_t source;
        std::vector<float> borders;
    };
    imported_key read_key(json_value elements) {
        imported_key key;
        elements.each([&](json_value e) {
            auto const what = e["combination_element"].text();
            if (what == "cat_feature_value") return key.columns.push_back(category(e["cat_feature_index"]));
            if (what == "float_feature") key.conditions.push_back(above(e));
            else if (what == "cat_feature_exact_value") key.conditions.push_back(equals(e));
            else e.fail("has the unknown element ", in_quotes(what));
        });
        return key;
    }
    /// Statistics of the same combination share a key: the first pass gives it the cells of all of them.
    void read_statistics(json_value list) {
        auto const data = m_all["ctr_data"];
        std::vector<std::pair<std::string, std::uint32_t>> known; // combinations without the type of the statistic
        list.each([&](json_value ctr) {
            auto key = read_key(ctr["elements"]);
            std::string name;
            for (auto const c : key.columns) name += concat(c, ' ');
            for (auto const& c : key.conditions) name += concat('|', c.source, ' ', c.border);
            auto at = std::find_if(known.begin(), known.end(), [&](auto const& k) { return k.first == name; });
            if (at == known.end()) {
                known.emplace_back(name, static_cast<std::uint32_t>(features().keys.size()));
                features().keys.push_back(std::move(key));
                at = known.end() - 1;
            }
            imported_source source{imported_source::kind::cell, at->second};
            source.borders = ctr["borders"].numbers<float>();
            m_statistics.push_back({add_source(source), source.borders});
            each_cell(data[ctr["identifier"].text()], 2,
                      [&](std::uint64_t hash, auto const&) { features().keys[at->second].hashes.push_back(hash); });
        });
        for (auto& key : features().keys)
            if (key.hashes.empty() || !key.prepare()) list.fail("has a table without hashes, or with too many that collide");
        std::size_t i = 0;
        list.each([&](json_value ctr) { fill(features().sources[m_statistics[i++].source], ctr, data[ctr["identifier"].text()]); });
    }
    /// f(hash, numbers) for each cell of a table: one list of hashes as text, each with its numbers.
    template <class Function> static void each_cell(json_value table, std::size_t least_stride, Function const& f) {
        auto const stride = table["hash_stride"].number<std::size_t>();
        auto const cells = table["hash_map"];
        if (stride < least_stride || cells.size() % stride != 0)
            table.fail("has ", cells.size(), " values, of which ", stride, " shall be a cell");
        std::uint64_t hash = 0;
        std::vector<double> numbers;
        cells.each([&](json_value v) {
            if (numbers.empty() && v.kind() == json_kind::text) {
                auto const parsed = parse_number<std::uint64_t>(v.text());
                if (!parsed) v.fail("is not a hash");
                hash = *parsed, numbers.push_back(0);
            } else numbers.push_back(numbers.empty() ? v.fail("must be a hash"), 0 : v.number<double>());
            if (numbers.size() == stride) f(hash, std::span<double const>(numbers).subspan(1)), numbers.clear();
        });
    }
    /// What a statistic is of each cell, in float as CatBoost computes it.
    void fill(imported_source& source, json_value ctr, json_value table) {
        auto const type = ctr["ctr_type"].text();
        bool const mean = type == "BinarizedTargetMeanValue" || type == "FloatTargetMeanValue";
        bool const count = type == "Counter" || type == "FeatureFreq", buckets = type == "Buckets";
        if (!mean && !count && !buckets && type != "Borders") ctr["ctr_type"].fail("is not a known statistic");
        auto const part = [&](char const* name) { return ctr[name].number<float>(); };
        float const prior = part("prior_numerator"), weight = part("prior_denomerator"), shift = part("shift"), scale = part("scale");
        auto const value = [&](double good, double all) {
            return ((static_cast<float>(good) + prior) / (static_cast<float>(all) + weight) + shift) * scale;
        };
        auto const border = ctr["target_border_idx"].number<std::size_t>();
        double const denominator = count ? table["counter_denominator"].number<double>() : 0;
        auto const& key = features().keys[source.from];
        source.of_cell.assign(key.n_cells() + std::size_t{1}, value(0, denominator));
        each_cell(table, count ? 2 : 3, [&](std::uint64_t hash, std::span<double const> n) {
            auto& to = source.of_cell[key.find(hash)];
            if (count) to = value(n[0], denominator);
            else if (mean) to = value(n[0], n[1]);
            else {
                if (border + (buckets ? 0 : 1) >= n.size()) ctr["target_border_idx"].fail("there are ", n.size(), " classes");
                double good = 0, all = 0;
                for (std::size_t c = 0; c < n.size(); ++c) all += n[c], good += (buckets ? c == border : c > border) ? n[c] : 0;
                to = value(good, all);
            }
        });
        for (auto const v : source.of_cell)
            if (v != v) ctr.fail("has a statistic that is not a number");
    }

    // --- trees -----------------------------------------------------------------------------------
    imported_question question(json_value split) {
        auto const type = split["split_type"].text();
        if (type == "FloatFeature") return above(split);
        if (type == "OneHotFeature") return equals(split);
        if (type != "OnlineCtr") split["split_type"].fail("is of a kind that cannot be imported: ", type);
        auto index = split["split_index"].number<std::size_t>();
        if (index >= m_n_binary)
            for (index -= m_n_binary; auto const& s : m_statistics) {
                if (index < s.borders.size()) return {s.source, s.borders[index]};
                index -= s.borders.size();
            }
        split["split_index"].fail("there is no such border of a statistic");
    }
    imported_question above(json_value split) {
        imported_question const q{number(split["float_feature_index"]), split["border"].number<float>()};
        features().sources[q.source].borders.push_back(q.border);
        return q;
    }
    imported_question equals(json_value split) {
        std::pair const asked(category(split["cat_feature_index"]), split["value"].number<std::int32_t>());
        auto const [at, is_new] = m_one_hot.emplace(asked, static_cast<std::uint32_t>(features().sources.size()));
        if (is_new) {
            imported_source source{imported_source::kind::equals, asked.first};
            source.value = asked.second, source.borders = {0};
            add_source(std::move(source));
        }
        return {at->second, 0};
    }
    imported_tree read_levels(json_value tree) {
        imported_tree out;
        out.leaves = tree["leaf_values"].numbers<double>();
        if (auto const splits = tree["splits"]; splits.kind() != json_kind::nothing)
            splits.each([&](json_value split) { out.levels.push_back(question(split)); });
        auto const n = out.levels.size() < 17 ? out.leaves.size() >> out.levels.size() : 0;
        out.n_outputs = static_cast<std::uint32_t>(std::max<std::size_t>(1, n));
        if (auto const weights = tree.find("leaf_weights")) {
            out.weights = weights->numbers<double>();
            if (out.weights.size() != out.n_leaves()) weights->fail("must be one for each of ", out.n_leaves(), " leaves");
            for (auto const w : out.weights)
                if (!(w >= 0)) weights->fail("must be at least 0, got ", w);
        }
        return out;
    }
    imported_tree read_nodes(json_value tree) {
        imported_tree out;
        out.n_outputs = 0;
        read_node(tree, out);
        return out;
    }
    std::int32_t read_node(json_value node, imported_tree& out) {
        if (auto const value = node.find("value")) {
            auto const values = value->kind() == json_kind::list ? value->numbers<double>() : std::vector(1, value->number<double>());
            if (values.empty() || (out.n_outputs != 0 && out.n_outputs != values.size()))
                value->fail("has another number of outputs than others");
            out.n_outputs = static_cast<std::uint32_t>(values.size());
            out.leaves.insert(out.leaves.end(), values.begin(), values.end());
            return -static_cast<std::int32_t>(out.n_leaves());
        }
        auto const at = out.nodes.size();
        out.nodes.push_back({question(node["split"])});
        auto const left = read_node(node["left"], out), right = read_node(node["right"], out);
        out.nodes[at].left = left, out.nodes[at].right = right;
        return static_cast<std::int32_t>(at);
    }

    // --- the rest --------------------------------------------------------------------------------
    void read_scale(std::optional<std::size_t> n_outputs) {
        std::vector<double> bias;
        if (auto const both = m_all.find("scale_and_bias")) {
            if (both->size() != 2) both->fail("must be a list of two");
            int at = 0;
            both->each([&](json_value v) {
                if (at++ == 0) m_out->scale = v.number<double>();
                else bias = v.kind() == json_kind::list ? v.numbers<double>() : std::vector(1, v.number<double>());
            });
            if (n_outputs && bias.size() > 1 && bias.size() != *n_outputs)
                both->fail("has ", bias.size(), " biases for ", *n_outputs, " outputs");
        }
        auto const n = n_outputs.value_or(std::max<std::size_t>(1, bias.size()));
        bias.resize(n, bias.empty() ? 0 : bias[0]);
        m_out->bias = std::move(bias);
    }
    void read_loss() {
        std::optional<json_value> at = m_all;
        for (char const* name : {"model_info", "params", "loss_function", "type"})
            if (at) at = at->kind() == json_kind::object ? at->find(name) : std::nullopt;
        if (!at || at->kind() != json_kind::text) return;
        auto const loss = at->text();
        for (char const* name : {"Logloss", "CrossEntropy", "Focal", "MultiClassOneVsAll", "MultiLogloss", "MultiCrossEntropy"})
            if (loss == name) m_out->link = answer_link::sigmoid;
        for (char const* name : {"Logloss", "CrossEntropy", "Focal", "MultiClass", "MultiClassOneVsAll"})
            if (loss == name) m_out->number_classes();
        if (loss == "MultiClass") m_out->link = answer_link::softmax;
        if (loss == "Poisson" || loss == "Tweedie") m_out->link = answer_link::exponential;
    }

    /// What the model says of its classes; numbers may be written 1.0.
    void read_classes() {
        auto at = m_all.find("model_info");
        if (at) at = at->find("class_params");
        if (at) at = at->find("class_names");
        auto& names = m_out->class_names;
        if (!at || names.empty() || at->size() == 0) return;
        if (at->size() != names.size()) at->fail("has ", at->size(), " classes for ", m_out->bias.size(), " outputs");
        names.clear();
        at->each([&](json_value v) {
            if (v.kind() == json_kind::text) return static_cast<void>(names.emplace_back(v.text()));
            if (v.kind() == json_kind::truth) return names.push_back(v.truth() ? "True" : "False");
            auto const number = v.number<double>();
            auto const whole = static_cast<std::int64_t>(std::abs(number) < 1e15 ? number : 0);
            names.push_back(static_cast<double>(whole) == number ? number_text(whole) : number_text(number));
        });
    }

    json_value m_all;
    std::shared_ptr<imported_state> m_out = std::make_shared<imported_state>();
    std::vector<std::uint32_t> m_numbers; ///< source of each float feature
    std::vector<category_column> m_categories;
    std::vector<json_value> m_category_values;
    std::map<std::pair<std::uint32_t, std::int32_t>, std::uint32_t> m_one_hot; ///< source of a column's category
    std::vector<statistic> m_statistics;
    std::size_t m_n_binary = 0; ///< splits of float features and one-hot: those of statistics are counted after them
};

}

/// Reads the text of CatBoost's `save_model(format="json")`. `name` is what messages call it.
///
/// Symmetric and other trees, number features with their rule for missing values, one-hot categories and all target statistics are read; a model
/// with text or embedding features is refused. Categories may be text or integers, as CatBoost takes both; a missing category is one that
/// was never seen. What `predict` gives: probabilities for Logloss, CrossEntropy and the losses of several classes, e^raw for Poisson and Tweedie.
/// @throws format_error  naming line and column of what is wrong.
[[nodiscard]] inline imported_model parse_catboost_json(std::string_view text, std::string name = "CatBoost JSON") {
    detail::json_document const document(std::move(name), text);
    return imported_model(detail::catboost_reader(document).read());
}
/// The same of a file.
[[nodiscard]] inline imported_model load_catboost_json(std::string const& path) {
    auto const bytes = detail::read_file(path);
    return parse_catboost_json({reinterpret_cast<char const*>(bytes.data()), bytes.size()}, path);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
