// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>
#include <support/exchange_models.hpp>
#include <support/fixtures/exchange_lightgbm.hpp>

#include <clocale>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <locale>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rs = recsys;
namespace fixture = exchange_fixture::lightgbm;
using exchange_fixture::largest_difference;

namespace {

struct number_row {
    float x;
};
struct category_row {
    std::optional<int> x;
};
auto number_schema() { return rs::rows<number_row>().number("x", &number_row::x); }
auto category_schema() { return rs::rows<category_row>().category("x", &category_row::x); }

std::string header(std::string const& objective = "regression", std::string const& more = "") {
    return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective=" + objective +
           "\nfeature_names=x\nfeature_infos=[-10:10]\n" + more + "\n";
}
std::string split(std::string const& decision_type, std::string const& threshold, std::string const& more = "num_cat=0") {
    return "Tree=0\nnum_leaves=2\n" + more + "\nsplit_feature=0\nthreshold=" + threshold + "\ndecision_type=" + decision_type +
           "\nleft_child=-1\nright_child=-2\nleaf_value=10 20\nshrinkage=1\n\n";
}
std::string const end = "end of trees\n";

std::vector<double> scores(std::string const& text, std::vector<float> const& numbers) {
    std::vector<number_row> rows;
    for (auto const x : numbers) rows.push_back({x});
    return rs::parse_lightgbm_text(text).predict_raw(rs::ingest(rows, number_schema()));
}
double score(std::string const& decision_type, std::string const& threshold, float x) {
    return scores(header() + split(decision_type, threshold) + end, {x})[0];
}
std::string message(std::string const& text) {
    try {
        static_cast<void>(rs::parse_lightgbm_text(text, "m.txt"));
    } catch (rs::format_error const& e) { return e.what(); }
    return "no error";
}

void check_model(exchange_fixture::model const& wanted, std::size_t n_outputs) {
    exchange_fixture::check_model(rs::parse_lightgbm_text(wanted.text), wanted, fixture::rows, n_outputs);
}

/// A random tree of LightGBM's form on one feature, and what it says by walking.
struct random_tree {
    std::vector<double> thresholds, leaves;
    std::vector<int> left, right;

    random_tree(std::size_t n_leaves, std::uint64_t seed, bool chain) {
        rs::random_stream random(seed, 0);
        leaves.assign(n_leaves, 0);
        for (auto& leaf : leaves) leaf = static_cast<double>(random.below(1000)) / 8;
        // A new node takes the place of a leaf, which becomes its left child; the new leaf is its right one.
        for (std::size_t i = 0; i + 1 < n_leaves; ++i) {
            auto const leaf = chain ? static_cast<int>(i) : static_cast<int>(random.below(i + 1));
            for (auto* children : {&left, &right})
                for (auto& child : *children)
                    if (child == ~leaf) child = static_cast<int>(i);
            thresholds.push_back(static_cast<double>(random.below(4000)) / 8 - 250);
            left.push_back(~leaf), right.push_back(~static_cast<int>(i + 1));
        }
    }
    double operator()(double x) const {
        int at = 0;
        while (at >= 0)
            at = x <= thresholds[static_cast<std::size_t>(at)] ? left[static_cast<std::size_t>(at)] : right[static_cast<std::size_t>(at)];
        return leaves[static_cast<std::size_t>(~at)];
    }
    std::string text() const {
        auto const list = [](char const* name, auto const& values) {
            std::string out = name;
            for (auto const v : values) out += rs::detail::number_text(v) + " ";
            return out + "\n";
        };
        std::string const n = std::to_string(thresholds.size());
        return "Tree=0\nnum_leaves=" + std::to_string(leaves.size()) + "\nnum_cat=0\n" +
               list("split_feature=", std::vector<int>(thresholds.size(), 0)) + list("threshold=", thresholds) +
               list("decision_type=", std::vector<int>(thresholds.size(), 2)) + list("left_child=", left) + list("right_child=", right) +
               list("leaf_value=", leaves) + "\n";
    }
};

}

TEST_CASE("models of LightGBM say what LightGBM says") {
    SUBCASE("two classes, categories of pandas") { check_model(fixture::binary, 1); }
    SUBCASE("integer categories, zeros are missing") { check_model(fixture::integers, 1); }
    SUBCASE("several classes") { check_model(fixture::several_classes, 3); }
    SUBCASE("a random forest") { check_model(fixture::forest, 1); }
    SUBCASE("e^x, nothing is missing") { check_model(fixture::tweedie, 1); }
    SUBCASE("a ranking loss") { check_model(fixture::ranking, 1); }
}

TEST_CASE("c47: missing numbers and the default side") {
    struct {
        char const* type;
        double nan, zero, low;
    } const wanted[] = {{"0", 20, 20, 10}, {"2", 20, 20, 10}, {"4", 20, 20, 10}, {"6", 10, 10, 10}, {"8", 20, 20, 10}, {"10", 10, 20, 10}};
    for (auto const& w : wanted) {
        CHECK_MESSAGE(score(w.type, "-7.5", NAN) == w.nan, w.type);
        CHECK_MESSAGE(score(w.type, "-7.5", 0) == w.zero, w.type);
        CHECK_MESSAGE(score(w.type, "-7.5", -8) == w.low, w.type);
    }
    // With a threshold above zero, a zero that is missing goes right only by default.
    CHECK(score("4", "7.5", 0) == 20);
    CHECK(score("4", "7.5", 1e-36f) == 20);
    CHECK(score("4", "7.5", 1e-34f) == 10);
    CHECK(score("6", "7.5", 8) == 20);
}

TEST_CASE("thresholds between floats and beyond them ask every float the same") {
    auto const tenth = 0.1f; // 0.1000000015: above the double 0.1
    CHECK(score("2", "0.1", tenth) == 20);
    CHECK(score("2", "0.1", std::nextafter(tenth, 0.f)) == 10);
    CHECK(score("2", "0.10000000149011612", tenth) == 10);
    auto const most = std::numeric_limits<float>::max(), infinite = std::numeric_limits<float>::infinity();
    CHECK(score("8", "1e+300", most) == 10);
    CHECK(score("8", "1e+300", infinite) == 20);
    CHECK(score("8", "1e+300", NAN) == 20);
    CHECK(score("8", "inf", infinite) == 10);
    CHECK(score("8", "inf", NAN) == 20);
    CHECK(score("10", "inf", NAN) == 10);
    CHECK(score("4", "inf", 0) == 20);
    CHECK(score("4", "inf", 5) == 10);
    CHECK(score("6", "inf", 0) == 10);
    CHECK(score("2", "inf", NAN) == 10);
    CHECK(score("8", "-1e+300", -infinite) == 10);
    CHECK(score("8", "-1e+300", -most) == 20);
    CHECK(score("10", "-inf", NAN) == 10);
}

TEST_CASE("c48: categorical splits") {
    auto const text = header() + split("1", "0", "num_cat=1\ncat_boundaries=0 1\ncat_threshold=6") + end;
    auto const two_words = header() + split("11", "0", "num_cat=1\ncat_boundaries=0 2\ncat_threshold=6 2") + end;
    std::vector<category_row> const rows{{1}, {0}, {2}, {35}, {-1}, {33}, {std::nullopt}, {1'000'000'000}};
    auto const frame = rs::ingest(rows, category_schema());
    CHECK(rs::parse_lightgbm_text(text).predict_raw(frame) == std::vector<double>{10, 20, 10, 20, 20, 20, 20, 20});
    CHECK(rs::parse_lightgbm_text(two_words).predict_raw(frame) == std::vector<double>{10, 20, 10, 20, 20, 10, 20, 20});
    auto const number = rs::ingest(std::vector<number_row>{{1}}, number_schema());
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::parse_lightgbm_text(text).predict(number)),
                         "booster: column 'x' is number, the model was trained on category (integer)", rs::data_error);
}

TEST_CASE("c49: line endings of other systems, and a last line without one") {
    auto const& text = fixture::binary.text;
    std::string crlf;
    for (char const c : text) crlf += c == '\n' ? "\r\n" : std::string(1, c);
    auto const rows = rs::ingest(fixture::rows, exchange_fixture::schema());
    auto const wanted = rs::parse_lightgbm_text(text).predict_raw(rows);
    CHECK(rs::parse_lightgbm_text(crlf).predict_raw(rows) == wanted);
    CHECK(rs::parse_lightgbm_text(text.substr(0, text.find_last_not_of('\n') + 1)).predict_raw(rows) == wanted);
    CHECK(scores(header() + split("2", "1.5") + "end of trees", {1, 2}) == std::vector<double>{10, 20});
}

TEST_CASE("c50: a locale with a decimal comma changes nothing") {
    struct comma : std::numpunct<char> {
        char do_decimal_point() const override { return ','; }
    };
    auto const before = std::locale::global(std::locale(std::locale::classic(), new comma));
    std::setlocale(LC_ALL, "de_DE.UTF-8");
    auto const got = scores(header() + split("2", "0.5") + end, {0.25f, 0.75f});
    std::setlocale(LC_ALL, "C");
    std::locale::global(before);
    CHECK(got == std::vector<double>{10, 20});
}

TEST_CASE("c51: a tree of LightGBM with a single leaf adds its value") {
    CHECK(scores(header() + "Tree=0\nnum_leaves=1\nnum_cat=0\nsplit_feature=\nthreshold=\nleaf_value=-0.25\n\n" + end, {1, NAN}) ==
          std::vector<double>{-0.25, -0.25});
    CHECK(scores(header() + end, {1}) == std::vector<double>{0});
}

TEST_CASE("trees of any size say what a walk says") {
    for (std::size_t const n_leaves : {2u, 3u, 17u, 255u, 256u, 257u, 300u, 1500u})
        for (bool const chain : {false, true}) {
            if (chain && n_leaves > 256) continue;
            random_tree const tree(n_leaves, n_leaves, chain);
            std::vector<float> numbers;
            for (int i = -260; i < 260; ++i) numbers.push_back(static_cast<float>(i) / 1.f + 0.0625f);
            auto const text = header() + tree.text() + end;
            std::vector<double> wanted;
            for (auto const x : numbers) wanted.push_back(tree(static_cast<double>(x)));
            for (auto const level : {rs::detail::simd_level::portable, rs::detail::simd_level::avx2, rs::detail::simd_level::avx512}) {
                if (!rs::detail::has_simd_level(level)) continue;
                rs::detail::force_simd_level(level);
                auto const got = scores(text, numbers);
                rs::detail::force_simd_level(std::nullopt);
                CHECK_MESSAGE(got == wanted, n_leaves);
            }
            CHECK(scores(text, {numbers[7]})[0] == wanted[7]);
        }
    CHECK_THROWS_WITH_AS(static_cast<void>(scores(header() + random_tree(300, 1, true).text() + end, {1})),
                         "import: a tree is deeper than 255", rs::data_error);
}

TEST_CASE("objectives of LightGBM turn raw scores into predictions") {
    auto const predict = [](std::string const& objective, float leaf) {
        auto const text = header(objective) + "Tree=0\nnum_leaves=1\nleaf_value=" + rs::detail::number_text(leaf) + "\n\n" + end;
        return static_cast<double>(rs::parse_lightgbm_text(text).predict(rs::ingest(std::vector<number_row>{{0}}, number_schema()))[0]);
    };
    CHECK(predict("regression", 0.5f) == 0.5);
    CHECK(predict("regression sqrt", -0.5f) == -0.25);
    CHECK(predict("binary sigmoid:2", 0.5f) == doctest::Approx(1 / (1 + std::exp(-1.0))));
    CHECK(predict("cross_entropy", 0.5f) == doctest::Approx(1 / (1 + std::exp(-0.5))));
    CHECK(predict("cross_entropy_lambda", 0.5f) == doctest::Approx(std::log1p(std::exp(0.5))));
    CHECK(predict("poisson", 0.5f) == doctest::Approx(std::exp(0.5)));
    CHECK(predict("lambdarank", 0.5f) == 0.5);
    CHECK(predict("", 0.5f) == 0.5);
}

TEST_CASE("c55: a LightGBM model that is cut anywhere is refused, or has all its trees") {
    auto const& text = fixture::ranking.text;
    auto const rows = rs::ingest(fixture::rows, exchange_fixture::schema());
    auto const trees_end = text.find("end of trees") + 12;
    for (std::size_t n = 0; n < trees_end; ++n)
        CHECK_THROWS_AS(static_cast<void>(rs::parse_lightgbm_text(std::string_view(text).substr(0, n))), rs::format_error);
    // What follows names the categories: without them the column is of another type.
    for (std::size_t n = trees_end; n < text.size(); ++n) {
        try {
            auto const got = rs::parse_lightgbm_text(std::string_view(text).substr(0, n)).predict_raw(rows);
            CHECK(largest_difference(got, fixture::ranking.raw) < 1e-9);
        } catch (rs::format_error const&) {
        } catch (rs::data_error const&) {}
    }
}

TEST_CASE("c55: a LightGBM model with any byte changed is refused, or is a model") {
    auto const& text = fixture::ranking.text;
    auto const rows = rs::ingest(fixture::rows, exchange_fixture::schema());
    std::size_t read = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
        for (char const c : {'9', '-', ' ', '\n', '='}) {
            auto changed = text;
            changed[i] = c;
            try {
                read += rs::parse_lightgbm_text(changed).predict_raw(rows).size() == rows.n_rows();
            } catch (rs::format_error const&) {
            } catch (rs::data_error const&) {}
        }
    CHECK(read > 0);
}

TEST_CASE("wrong models of LightGBM are refused with a reason") {
    auto const has = [](std::string const& text, char const* words) {
        CHECK_MESSAGE(message(text).find(words) != std::string::npos, message(text));
    };
    auto const tree = split("2", "1.5");
    auto const changed = [&](std::string text, std::string const& from, std::string const& to) {
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    has("", "m.txt: line 0: is not a LightGBM model");
    has(changed(header(), "v4", "v9") + end, "version must be v2, v3 or v4, got 'v9'");
    has(header() + tree, "ends before 'end of trees'");
    has(header("regression", "tree_sizes=1 2") + tree + end, "there are 1 trees, the header has 2");
    has(header() + changed(tree, "num_leaves=2", "num_leaves=1000000000000") + end, "num_leaves cannot be 1000000000000");
    has(header() + changed(tree, "num_leaves=2", "num_leaves=3") + end, "has 2 of leaf_value, expected 3");
    has(header() + changed(tree, "split_feature=0", "split_feature=1") + end, "split_feature 1: there are 1 features");
    has(header() + changed(tree, "left_child=-1", "left_child=0") + end, "splits that do not form a tree");
    has(header() + changed(tree, "left_child=-1", "left_child=-2") + end, "splits that do not form a tree");
    has(header() + changed(tree, "left_child=-1", "left_child=-2147483648") + end, "splits that do not form a tree");
    has(header() + changed(tree, "threshold=1.5", "threshold=nan") + end, "threshold must be numbers, not 'nan'");
    has(header() + changed(tree, "leaf_value=10 20", "leaf_value=10 inf") + end, "leaf_value must be numbers, not 'inf'");
    has(header() + changed(tree, "shrinkage=1", "is_linear=1") + end, "linear models in their leaves cannot be imported");
    has(header() + split("1", "0", "num_cat=1\ncat_boundaries=0 4000000000\ncat_threshold=6") + end, "expected 4000000000");
    has(header() + split("1", "0", "num_cat=2\ncat_boundaries=0 10 1\ncat_threshold=6") + end, "cat_boundaries must rise");
    has(header() + split("1", "1", "num_cat=1\ncat_boundaries=0 1\ncat_threshold=6") + end, "is none of 1 sets");
    has(header() + changed(tree, "Tree=0", "Tree=1") + end, "expected Tree=0");
    has(changed(header(), "num_tree_per_iteration=1", "num_tree_per_iteration=99999999") + end, "must be in [1, 10000]");
    CHECK_THROWS_AS(static_cast<void>(rs::load_lightgbm_text("no_such_model.txt")), rs::format_error);
}
