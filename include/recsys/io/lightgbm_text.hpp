// SPDX-License-Identifier: MIT
// LightGBM's model text, for prediction: numeric and categorical splits with their rules for missing values.
#ifndef RECSYS_IO_LIGHTGBM_TEXT_HPP
#define RECSYS_IO_LIGHTGBM_TEXT_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/file.hpp>
#include <recsys/core/number.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/io/json.hpp>
#include <recsys/ranker/imported_features.hpp>
#include <recsys/ranker/imported_model.hpp>
#include <recsys/ranker/imported_trees.hpp>
#include <recsys/ranker/row_block.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// An integer category is its own code; LightGBM's are not negative.
inline std::int32_t lightgbm_category(std::string_view text) {
    auto const code = parse_number<std::int32_t>(text);
    return code && *code >= 0 ? *code : unknown_category;
}

class lightgbm_reader {
public:
    lightgbm_reader(std::string name, std::string_view text) : m_name(std::move(name)), m_text(text) {}

    std::shared_ptr<imported_state const> read() {
        if (!next_line() || m_line != "tree") fail("is not a LightGBM model: the first line must be 'tree'");
        read_header();
        std::vector<imported_tree> trees;
        while (m_line.substr(0, 5) == "Tree=") trees.push_back(read_tree(trees.size()));
        if (m_line != "end of trees") fail("expected a tree or 'end of trees'");
        if (m_n_trees && *m_n_trees != trees.size()) fail("there are ", trees.size(), " trees, the header has ", *m_n_trees);
        if (trees.size() % m_out->bias.size() != 0) fail("the number of trees must be a multiple of num_tree_per_iteration");
        read_rest();
        make_columns();
        m_out->features.prepare();
        for (auto const& tree : trees) m_out->trees.add(tree, m_out->features);
        m_out->round = m_out->bias.size(), m_out->is_mean = m_average;
        m_out->prepare();
        return m_out;
    }

private:
    template <class... Part> [[noreturn]] void fail(Part const&... what) const {
        throw_format(m_name, ": line ", m_line_number, ": ", what...);
    }

    // --- lines -----------------------------------------------------------------------------------
    /// The next line that is not empty, without what surrounds it. False at the end.
    bool next_line() {
        while (m_at < m_text.size()) {
            auto const end = std::min(m_text.find('\n', m_at), m_text.size());
            m_line = trimmed(m_text.substr(m_at, end - m_at));
            m_at = end + 1, ++m_line_number;
            if (!m_line.empty()) return true;
        }
        m_line = {};
        return false;
    }
    static std::string_view trimmed(std::string_view s) noexcept {
        auto const first = s.find_first_not_of(" \t\r");
        return first == s.npos ? std::string_view() : s.substr(first, s.find_last_not_of(" \t\r") + 1 - first);
    }
    static std::vector<std::string_view> words(std::string_view s, char separator = ' ') {
        std::vector<std::string_view> out;
        for (std::size_t at = 0; at < s.size();) {
            auto const end = std::min(s.find(separator, at), s.size());
            if (end > at) out.push_back(s.substr(at, end - at));
            at = end + 1;
        }
        return out;
    }
    /// Lines `key=value` up to one that is none or begins a tree.
    void read_section() {
        m_section.clear(), m_section_line = m_line_number;
        while (next_line()) {
            auto const equals = m_line.find('=');
            if (m_line == "average_output") m_average = true;
            else if (equals == m_line.npos || m_line.substr(0, 5) == "Tree=") return;
            else m_section.emplace_back(m_line.substr(0, equals), trimmed(m_line.substr(equals + 1)));
        }
        fail("ends before 'end of trees'");
    }
    std::optional<std::string_view> find(std::string_view key) const {
        for (auto const& [name, value] : m_section)
            if (name == key) return value;
        return std::nullopt;
    }
    template <class Number> Number number(std::string_view key, std::optional<Number> absent = {}) const {
        auto const text = find(key);
        if (!text && absent) return *absent;
        if (!text) fail("the section that begins at line ", m_section_line, " has no ", key);
        auto const value = parse_number<Number>(*text);
        if (!value) fail(key, " must be a number, not ", in_quotes(*text));
        return *value;
    }
    template <class Number> std::vector<Number> numbers(std::string_view key, std::size_t n, bool may_be_infinite = false) const {
        std::vector<Number> out;
        auto const all = words(find(key).value_or(std::string_view()));
        if (all.size() != n) fail("the section that begins at line ", m_section_line, " has ", all.size(), " of ", key, ", expected ", n);
        for (auto const word : all) {
            auto value = parse_number<Number>(word);
            if constexpr (std::is_same_v<Number, double>) // integers have no infinity
                if (may_be_infinite && (word == "inf" || word == "-inf")) value = word[0] == '-' ? -HUGE_VAL : HUGE_VAL;
            if (!value || (!may_be_infinite && !std::isfinite(static_cast<double>(*value))))
                fail(key, " must be numbers, not ", in_quotes(word));
            out.push_back(*value);
        }
        return out;
    }

    // --- header ----------------------------------------------------------------------------------
    void read_header() {
        read_section();
        auto const version = find("version").value_or("");
        if (version != "v2" && version != "v3" && version != "v4") fail("version must be v2, v3 or v4, got ", in_quotes(version));
        auto const n_classes = number<std::size_t>("num_class"), n_outputs = number<std::size_t>("num_tree_per_iteration", n_classes);
        if (n_outputs == 0 || n_outputs > 10'000) fail("num_tree_per_iteration must be in [1, 10000], got ", n_outputs);
        m_out->bias.assign(n_outputs, 0);
        for (auto const name : words(find("feature_names").value_or(""))) m_features.push_back({std::string(name)});
        if (m_features.size() != number<std::size_t>("max_feature_idx") + 1) fail("feature_names must have max_feature_idx + 1 names");
        auto const infos = words(find("feature_infos").value_or(""));
        for (std::size_t i = 0; i < infos.size() && i < m_features.size(); ++i)
            if (infos[i] != "none" && infos[i][0] != '[') m_categorical.push_back(i);
        if (auto const sizes = find("tree_sizes")) m_n_trees = words(*sizes).size();
        read_objective(words(find("objective").value_or("")));
    }
    void read_objective(std::vector<std::string_view> const& objective) {
        if (objective.empty()) return; // an own loss
        auto const is = [&](auto... names) { return ((objective[0] == names) || ...); };
        if (is("binary", "multiclass", "multiclassova", "cross_entropy")) m_out->number_classes();
        if (is("binary", "multiclassova", "cross_entropy")) m_out->link = answer_link::sigmoid;
        else if (is("multiclass")) m_out->link = answer_link::softmax;
        else if (is("poisson", "gamma", "tweedie")) m_out->link = answer_link::exponential;
        else if (is("cross_entropy_lambda")) m_out->link = answer_link::log_exponential;
        for (auto const word : objective) {
            if (word == "sqrt") m_out->link = answer_link::square;
            if (word.substr(0, 8) != "sigmoid:" || m_out->link != answer_link::sigmoid) continue;
            auto const value = parse_number<double>(word.substr(8));
            if (!value) fail("objective has the sigmoid ", in_quotes(word));
            m_out->steepness = *value;
        }
    }

    // --- trees -----------------------------------------------------------------------------------
    struct feature {
        std::string name;
        std::uint32_t column = none;
        bool is_category = false;
    };
    static constexpr std::uint32_t none = 0xFFFFFFFFu;

    imported_tree read_tree(std::size_t index) {
        if (m_line.substr(5) != number_text(index)) fail("expected Tree=", index, ": is the text cut or in another order?");
        read_section();
        auto const n_leaves = number<std::size_t>("num_leaves");
        if (n_leaves == 0 || n_leaves > m_text.size()) fail("num_leaves cannot be ", n_leaves);
        if (number<int>("is_linear", 0) != 0) fail("trees with linear models in their leaves cannot be imported");
        imported_tree tree;
        tree.first_output = static_cast<std::uint32_t>(index % m_out->bias.size());
        tree.leaves = numbers<double>("leaf_value", n_leaves);
        if (n_leaves == 1) return tree;
        auto const n = n_leaves - 1;
        auto const features = numbers<std::size_t>("split_feature", n);
        auto const thresholds = numbers<double>("threshold", n, true);
        auto const types = numbers<std::uint32_t>("decision_type", n);
        auto const left = numbers<std::int32_t>("left_child", n), right = numbers<std::int32_t>("right_child", n);
        auto const sets = read_sets();
        for (std::size_t i = 0; i < n; ++i) {
            if (features[i] >= m_features.size()) fail("split_feature ", features[i], ": there are ", m_features.size(), " features");
            auto& f = m_features[features[i]];
            bool const is_category = (types[i] & 1) != 0;
            if (f.column != none && f.is_category != is_category)
                fail("feature ", in_quotes(f.name), " is split as number and as category");
            if (f.column == none) f.column = m_n_columns++, f.is_category = is_category;
            tree.nodes.push_back(
                {is_category ? member(f.column, sets, thresholds[i]) : numeric(f.column, thresholds[i], types[i]), left[i], right[i]});
        }
        if (auto const* const fault = tree.fault()) fail("tree ", index, ' ', fault);
        return tree;
    }
    /// Sets of categories as bits, which nodes name by their place.
    std::vector<std::vector<std::uint32_t>> read_sets() const {
        std::vector<std::vector<std::uint32_t>> sets(0);
        auto const n = number<std::size_t>("num_cat", std::size_t{0});
        if (n == 0) return sets;
        if (n > m_text.size()) fail("num_cat cannot be ", n);
        auto const bounds = numbers<std::size_t>("cat_boundaries", n + 1);
        auto const bits = numbers<std::uint32_t>("cat_threshold", bounds.back());
        if (!std::is_sorted(bounds.begin(), bounds.end())) fail("cat_boundaries must rise");
        for (std::size_t i = 0; i < n; ++i)
            sets.emplace_back(bits.begin() + static_cast<std::ptrdiff_t>(bounds[i]),
                              bits.begin() + static_cast<std::ptrdiff_t>(bounds[i + 1]));
        return sets;
    }
    /// x <= t goes left. The largest float that is not above t asks the same of every float.
    imported_question numeric(std::uint32_t column, double t, std::uint32_t type) {
        bool const left = (type & 2) != 0;
        auto const missing = type >> 2 & 3;
        if (type > 15 || missing == 3) fail("decision_type cannot be ", type);
        auto rule = missing == 0   ? number_rule::zero
                    : missing == 1 ? (left ? number_rule::zero_low : number_rule::zero_high)
                                   : (left ? number_rule::low : number_rule::high);
        auto border = t > static_cast<double>(greatest_number)    ? greatest_number
                      : t < -static_cast<double>(greatest_number) ? -infinite
                                                                  : static_cast<float>(t);
        if (static_cast<double>(border) > t) border = std::nextafter(border, -infinite);
        if (std::isinf(t) && t > 0) { // every number goes left, infinity too
            border = left || missing == 0 ? infinite : 0.f;
            if (border == 0) rule = missing == 1 ? number_rule::is_zero : number_rule::is_missing;
        }
        auto const [at, is_new] = m_numbers.emplace(std::pair(column, rule), m_out->features.sources.size());
        if (is_new) m_out->features.sources.push_back({imported_source::kind::number, column, rule});
        m_out->features.sources[at->second].borders.push_back(border);
        return {static_cast<std::uint32_t>(at->second), border};
    }
    imported_question member(std::uint32_t column, std::vector<std::vector<std::uint32_t>> const& sets, double place) {
        if (!(place >= 0 && place < static_cast<double>(sets.size())))
            fail("the threshold of a categorical split is none of ", sets.size(), " sets");
        auto const& set = sets[static_cast<std::size_t>(place)];
        auto const [at, is_new] = m_members.emplace(std::pair(column, set), m_out->features.sources.size());
        if (is_new) {
            imported_source source{imported_source::kind::member, column};
            for (auto const word : set)
                for (int bit = 0; bit < 32; ++bit) source.members.push_back(word >> bit & 1);
            source.borders = {0};
            m_out->features.sources.push_back(std::move(source));
        }
        return {static_cast<std::uint32_t>(at->second), 0};
    }

    // --- what follows the trees ------------------------------------------------------------------
    void read_rest() {
        bool parameters = false;
        while (next_line()) {
            constexpr std::string_view categorical = "[categorical_feature: ", pandas = "pandas_categorical:";
            if (m_line == "parameters:") parameters = true;
            else if (m_line == "end of parameters") parameters = false;
            else if (parameters && m_line.substr(0, categorical.size()) == categorical)
                read_categorical(m_line.substr(categorical.size(), m_line.size() - categorical.size() - 1));
            else if (m_line.substr(0, pandas.size()) == pandas) m_pandas = m_line.substr(pandas.size());
        }
        if (parameters) fail("ends inside of the parameters");
    }
    void read_categorical(std::string_view list) {
        std::vector<std::size_t> out;
        for (auto const word : words(list, ',')) {
            auto const i = parse_number<std::size_t>(word);
            if (!i) return; // names of columns of a file: feature_infos must do
            out.push_back(*i);
        }
        if (!out.empty()) m_categorical = out;
    }
    void make_columns() {
        auto& columns = m_out->features.columns;
        columns.resize(m_n_columns);
        for (auto const& f : m_features) {
            if (f.column == none) continue;
            for (auto const& c : columns)
                if (c.name == f.name) fail("there are two features ", in_quotes(f.name));
            auto& c = columns[f.column];
            c.name = f.name;
            if (!f.is_category) continue;
            c.kind = column_kind::category;
            c.categories = std::make_shared<category_dictionary>(key_kind::integer), c.code_of = &lightgbm_category;
        }
        if (!m_pandas.empty()) read_pandas(json_document(m_name + ": pandas_categorical", m_pandas));
    }
    /// pandas' categories are numbered in the order of these lists, one a column of categories.
    void read_pandas(json_document const& document) {
        json_value const lists(document);
        if (lists.kind() != json_kind::list || lists.size() == 0) return;
        std::sort(m_categorical.begin(), m_categorical.end());
        if (lists.size() != m_categorical.size())
            fail("pandas_categorical has ", lists.size(), " columns of ", m_categorical.size(),
                 " that are categories: it cannot be told which; make all of them of pandas' type category");
        std::size_t i = 0;
        lists.each([&](json_value list) {
            auto const which = m_categorical[i++];
            if (which >= m_features.size() || m_features[which].column == none) return;
            auto& c = m_out->features.columns[m_features[which].column];
            std::shared_ptr<category_dictionary> known;
            list.each([&](json_value v) {
                auto const keys = v.kind() == json_kind::text ? key_kind::text : key_kind::integer;
                if (!known) known = std::make_shared<category_dictionary>(keys);
                auto const n = known->size();
                auto const text = keys == key_kind::text ? std::string(v.text()) : number_text(v.number<std::int64_t>());
                if (known->keys() != keys || static_cast<std::size_t>(known->add(text)) != n)
                    v.fail("must be different texts, or integers");
            });
            if (known) c.categories = std::move(known), c.code_of = nullptr;
        });
    }

    std::string m_name;
    std::string_view m_text, m_line, m_pandas;
    std::size_t m_at = 0, m_line_number = 0, m_section_line = 0;
    std::vector<std::pair<std::string_view, std::string_view>> m_section;
    std::vector<feature> m_features;
    std::vector<std::size_t> m_categorical; ///< features that are categories
    std::uint32_t m_n_columns = 0;
    std::optional<std::size_t> m_n_trees;
    bool m_average = false;
    std::map<std::pair<std::uint32_t, number_rule>, std::size_t> m_numbers; ///< sources
    std::map<std::pair<std::uint32_t, std::vector<std::uint32_t>>, std::size_t> m_members;
    std::shared_ptr<imported_state> m_out = std::make_shared<imported_state>();
};

}

/// Reads the text of LightGBM's `save_model`, versions 2 to 4. `name` is what messages call it.
///
/// Numbers go left where they are not above the threshold; missing ones, and zeros where they are missing, as the split says. Categories are
/// integers, or what pandas' categories were (text or integers); unknown and missing ones are in no set. What `predict` gives: probabilities for
/// binary, multiclass, multiclassova and cross_entropy, e^raw for poisson, gamma and tweedie. Raw scores of random forests are means over the trees.
/// LightGBM compares doubles: where float rounds a number over a threshold, its answer is that for the rounded number.
/// @throws format_error  naming the line; trees with linear leaves are refused.
[[nodiscard]] inline imported_model parse_lightgbm_text(std::string_view text, std::string name = "LightGBM model") {
    return imported_model(detail::lightgbm_reader(std::move(name), text).read());
}
/// The same of a file.
[[nodiscard]] inline imported_model load_lightgbm_text(std::string const& path) {
    auto const bytes = detail::read_file(path);
    return parse_lightgbm_text({reinterpret_cast<char const*>(bytes.data()), bytes.size()}, path);
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
