// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>
#include <support/exchange_models.hpp>
#include <support/fixtures/exchange_catboost.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace rs = recsys;
namespace fixture = exchange_fixture::catboost;
using exchange_fixture::largest_difference;

namespace {

struct numbers {
    std::array<float, 3> x;
};
auto number_schema() {
    auto out = rs::rows<numbers>();
    for (std::size_t i = 0; i < 3; ++i) out = out.number(std::to_string(i), [i](numbers const& r) { return r.x[i]; });
    return out;
}
/// A model of three float features, of which number `used` has the borders.
std::string model_text(std::string const& trees, std::string const& rest, int used = 2, std::string const& borders = "1.5") {
    std::string features;
    for (int i = 0; i < 3; ++i)
        features += (i ? "," : "") + std::string(R"({"feature_id":")") + std::to_string(i) + R"(","feature_index":)" + std::to_string(i) +
                    R"(,"flat_feature_index":)" + std::to_string(i) + R"(,"has_nans":false,"nan_value_treatment":"AsIs","borders":[)" +
                    (i == used ? borders : "") + "]}";
    return R"({"features_info":{"float_features":[)" + features + R"(]},"oblivious_trees":[)" + trees + "]" + rest + "}";
}
std::string const one_split = R"({"leaf_values":[10,20],"splits":[{"border":1.5,"float_feature_index":2,"split_type":"FloatFeature"}]})";
std::vector<double> raw_of(std::string const& text, std::vector<numbers> const& rows) {
    return rs::parse_catboost_json(text).predict_raw(rs::ingest(rows, number_schema()));
}

void check_model(exchange_fixture::model const& wanted, std::size_t n_outputs) {
    exchange_fixture::check_model(rs::parse_catboost_json(wanted.text), wanted, fixture::rows, n_outputs);
}

}

TEST_CASE("models of CatBoost say what CatBoost says") {
    SUBCASE("two classes, combinations of categories and numbers") { check_model(fixture::binary, 1); }
    SUBCASE("several classes, missing numbers above all others, one-hot categories") { check_model(fixture::several_classes, 3); }
    SUBCASE("every kind of statistic") { check_model(fixture::statistics, 1); }
    SUBCASE("trees that are not oblivious, e^x") { check_model(fixture::lossguide, 1); }
    SUBCASE("a ranking loss, integer categories") { check_model(fixture::ranking, 1); }
    SUBCASE("combinations of categories with categories and numbers") { check_model(fixture::combined, 1); }
    SUBCASE("more than eight levels") { check_model(fixture::deep, 1); }
}

TEST_CASE("models of CatBoost say the same at every level of instructions") {
    auto const rows = rs::ingest(fixture::rows, exchange_fixture::schema());
    for (auto const* wanted : {&fixture::binary, &fixture::lossguide, &fixture::several_classes, &fixture::deep}) {
        auto const model = rs::parse_catboost_json(wanted->text);
        auto const best = model.predict_raw(rows);
        for (auto const level : {rs::detail::simd_level::portable, rs::detail::simd_level::avx2}) {
            if (!rs::detail::has_simd_level(level)) continue;
            rs::detail::force_simd_level(level);
            auto const other = model.predict_raw(rows);
            rs::detail::force_simd_level(std::nullopt);
            CHECK(other == best);
        }
    }
}

TEST_CASE("c52: scale and bias of CatBoost's JSON") {
    std::string const tree =
        R"({"leaf_values":[-0.25,0.25],"splits":[{"border":1.5,"float_feature_index":2,"split_type":"FloatFeature"}]})";
    auto const score = [&](std::string const& rest) { return raw_of(model_text(tree, rest), {{{0, 0, 2}}})[0]; };
    CHECK(score(R"(,"scale_and_bias":[1,[0.5]])") == 0.75);
    CHECK(score(R"(,"scale_and_bias":[2,[0.5]])") == 1.0);
    CHECK(score(R"(,"scale_and_bias":[2,0.5])") == 1.0);
    CHECK(score(R"(,"scale_and_bias":[1,[]])") == 0.25);
    CHECK(score("") == 0.25);
}

TEST_CASE("c53: features are found by index, the first split is the lowest bit") {
    auto const scores = raw_of(model_text(one_split, ""), {{{9, 9, 1}}, {{0, 0, 2}}, {{0, 0, 1.5f}}, {{0, 0, NAN}}, {{0, 0, INFINITY}}});
    CHECK(scores == std::vector<double>{10, 20, 10, 10, 20});
    std::string const two = R"({"leaf_values":[0,1,2,3],"splits":[{"border":1.5,"float_feature_index":2,"split_type":"FloatFeature"},
                               {"border":2.5,"float_feature_index":2,"split_type":"FloatFeature"}]})";
    CHECK(raw_of(model_text(two, "", 2, "1.5,2.5"), {{{0, 0, 1}}, {{0, 0, 2}}, {{0, 0, 3}}}) == std::vector<double>{0, 1, 3});
    // A column of categories between: float_feature_index 1 is the second float feature, not the second column.
    std::string const mixed =
        R"({"features_info":{"float_features":[{"feature_index":0,"flat_feature_index":0,"borders":[],"feature_id":"0"},
            {"feature_index":1,"flat_feature_index":2,"borders":[1.5],"feature_id":"2"}],
            "categorical_features":[{"feature_index":0,"flat_feature_index":1,"feature_id":"1"}]},
            "oblivious_trees":[{"leaf_values":[10,20],"splits":[{"border":1.5,"float_feature_index":1,"split_type":"FloatFeature"}]}]})";
    CHECK(raw_of(mixed, {{{9, 9, 1}}, {{0, 0, 2}}}) == std::vector<double>{10, 20});
}

TEST_CASE("c51: a tree of CatBoost with a single leaf adds its value") {
    CHECK(raw_of(model_text(R"({"leaf_values":[-0.25],"splits":[]})", ""), {{{0, 0, 0}}, {{NAN, 1, 1}}}) ==
          std::vector<double>{-0.25, -0.25});
    CHECK(raw_of(model_text(R"({"leaf_values":[-0.25],"splits":null})", ""), {{{0, 0, 0}}}) == std::vector<double>{-0.25});
    CHECK(raw_of(model_text("", R"(,"scale_and_bias":[1,[3]])"), {{{0, 0, 0}}}) == std::vector<double>{3});
}

TEST_CASE("an imported model asks for the columns that it uses, by name and type") {
    auto const model = rs::parse_catboost_json(fixture::ranking.text);
    CHECK(model.columns() == std::vector<std::string>{"x0", "x1", "k"});
    using row = exchange_fixture::row;
    auto const without = rs::rows<row>().number("x3", &row::x3).number("x2", &row::x2).number("x1", &row::x1).number("x0", &row::x0);
    auto const number_k = without.number("k", &row::key);
    CHECK_THROWS_WITH_AS(static_cast<void>(model.predict(rs::ingest(fixture::rows, number_k))),
                         "booster: column 'k' is number, the model was trained on category", rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(model.predictor(number_k)), rs::data_error);
    CHECK_THROWS_WITH_AS(model.check(rs::ingest(fixture::rows, without)), "frame: there is no column 'k'; there are: x3, x2, x1, x0",
                         rs::data_error);
    // CatBoost knows an integer by its text.
    auto const text_k = without.category("k", [](row const& r) { return std::to_string(r.key); });
    CHECK(model.predict(rs::ingest(fixture::rows, text_k)) == model.predict(rs::ingest(fixture::rows, exchange_fixture::schema())));
    auto const several = rs::parse_catboost_json(fixture::several_classes.text).predictor(exchange_fixture::schema());
    CHECK_THROWS_WITH_AS(static_cast<void>(several(fixture::rows[0])), "predictor: the model gives 3 numbers a row; give it spans",
                         rs::data_error);
}

TEST_CASE("a baseline is added to the raw scores of an imported model") {
    auto const model = rs::parse_catboost_json(fixture::binary.text);
    auto const plain = exchange_fixture::schema();
    auto const schema = plain.baseline([](auto const& r) { return 0.25f * static_cast<float>(r.word); });
    auto const with = model.predict_raw(rs::ingest(fixture::rows, schema)), without = model.predict_raw(rs::ingest(fixture::rows, plain));
    auto const predictor = model.predictor(schema);
    for (std::size_t i = 0; i < with.size(); ++i) {
        CHECK(with[i] == doctest::Approx(without[i] + 0.25 * fixture::rows[i].word));
        CHECK(predictor(fixture::rows[i]) == doctest::Approx(1 / (1 + std::exp(-with[i]))));
    }
}

TEST_CASE("c55: a CatBoost model that is cut anywhere is refused") {
    auto const& text = fixture::ranking.text;
    for (std::size_t n = 0; n < text.size(); ++n)
        CHECK_THROWS_AS(static_cast<void>(rs::parse_catboost_json(std::string_view(text).substr(0, n))), rs::format_error);
}

TEST_CASE("c55: a CatBoost model with any byte changed is refused, or is a model") {
    auto const& text = fixture::ranking.text;
    auto const rows = rs::ingest(fixture::rows, exchange_fixture::schema());
    std::size_t read = 0, read_rows = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
        for (char const c : {'9', '-', '\0', ']', '"'}) {
            auto changed = text;
            changed[i] = c;
            try {
                auto const model = rs::parse_catboost_json(changed);
                ++read;
                read_rows += model.predict_raw(rows).size() == rows.n_rows() * model.n_outputs();
            } catch (rs::format_error const&) {
            } catch (rs::data_error const&) {} // the latter for a column of another name
        }
    CHECK(read_rows > 0);
    CHECK(read - read_rows < 30);
}

TEST_CASE("wrong models of CatBoost are refused with a reason") {
    auto const message = [](std::string const& text) {
        try {
            static_cast<void>(rs::parse_catboost_json(text, "m.json"));
        } catch (rs::format_error const& e) { return std::string(e.what()); }
        return std::string("no error");
    };
    auto const has = [&](std::string const& text, char const* words) {
        CHECK_MESSAGE(message(text).find(words) != std::string::npos, message(text));
    };
    has("{}", "there is no 'features_info'");
    has(R"({"features_info":{}})", "there is no 'trees'");
    has(model_text(R"({"leaf_values":[1,2,3],"splits":[{"border":1.5,"float_feature_index":2,"split_type":"FloatFeature"}]})", ""),
        "tree 0 has another number of leaves than its splits make");
    has(model_text(R"({"leaf_values":[],"splits":[]})", ""), "tree 0 has no leaves");
    has(model_text(one_split + R"(,{"leaf_values":[1,2],"splits":[]})", ""), "tree 1 has another number of outputs than the first");
    has(model_text(one_split, "", 1), "there is no float feature 2 with borders");
    has(model_text(one_split, R"(,"scale_and_bias":[1,[1,2]])"), "has 2 biases for 1 outputs");
    has(model_text(R"({"leaf_values":[1,2],"splits":[{"split_type":"EstimatedFeature"}]})", ""), "is of a kind that cannot be imported");
    has(model_text(R"({"leaf_values":[1,2],"splits":[{"split_type":"OnlineCtr","split_index":1}]})", ""), "there is no such border");
    has(model_text(R"({"leaf_values":[1e999],"splits":[]})", ""), "does not fit");
    CHECK_THROWS_AS(static_cast<void>(rs::load_catboost_json("no_such_model.json")), rs::format_error);
}

TEST_CASE("a CatBoost model is read from a file, and ranks in two stages") {
    std::ofstream("catboost_test.json", std::ios::binary) << fixture::binary.text;
    auto const model = rs::load_catboost_json("catboost_test.json");
    std::remove("catboost_test.json");
    CHECK(model.n_trees() == 12);
    CHECK(largest_difference(model.predict_raw(rs::ingest(fixture::rows, exchange_fixture::schema())), fixture::binary.raw) < 1e-9);
    static_assert(rs::row_scorer<rs::imported_model>);
}
