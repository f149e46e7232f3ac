// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>
#include <support/exchange_models.hpp>
#include <support/fixtures/exchange_catboost.hpp>
#include <support/ranking_rows.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace rs = recsys;
namespace fixture = exchange_fixture::catboost;
using doctest::Approx;

namespace {

double of(std::vector<std::pair<std::string, double>> const& list, std::string const& name) {
    for (auto const& [column, value] : list)
        if (column == name) return value;
    return 0;
}

struct labelled {
    exchange_fixture::row row;
    float target;
};
rs::frame labelled_rows(bool targets = true) {
    std::vector<labelled> rows;
    for (std::size_t i = 0; i < fixture::rows.size(); ++i) rows.push_back({fixture::rows[i], i % 3 == 0 ? 1.f : 0.f});
    auto const schema = rs::rows<labelled>()
                            .number("x0", [](labelled const& r) { return r.row.x0; })
                            .number("x1", [](labelled const& r) { return r.row.x1; })
                            .number("x2", [](labelled const& r) { return r.row.x2; })
                            .number("x3", [](labelled const& r) { return r.row.x3; })
                            .category("w", [](labelled const& r) { return r.row.w(); })
                            .category("k", [](labelled const& r) { return r.row.k(); });
    return targets ? rs::ingest(rows, schema.target(&labelled::target)) : rs::ingest(rows, schema);
}
void check_catboost(exchange_fixture::model const& wanted, rs::loss const& loss) {
    auto const found = rs::loss_changes(rs::parse_catboost_json(wanted.text), labelled_rows(), {.loss = loss});
    auto const& theirs = wanted.explained;
    REQUIRE(theirs.loss_changes.size() == theirs.columns.size());
    for (std::size_t c = 0; c < theirs.columns.size(); ++c)
        CHECK(of(found, theirs.columns[c]) == Approx(theirs.loss_changes[c]).epsilon(1e-5));
}

}

TEST_CASE("loss changes of CatBoost's models are what CatBoost says") {
    SUBCASE("log loss") { check_catboost(fixture::binary, rs::log_loss{}); }
    SUBCASE("squared error") { check_catboost(fixture::deep, rs::rmse{}); }
}

TEST_CASE("a loss change is the loss without the column's SHAP values, a change of a metric says how much it worsens") {
    support::ranking_world world(3);
    auto const rows = rs::ingest(world.rows(3000, 1), support::ranking_schema());
    auto const model = rs::booster({.trees = 30, .learning_rate = 0.2, .depth = 4}).fit(rows);
    auto const shap = rs::explain(model, rows);
    auto const raw = model.predict_raw(rows);
    auto const without = [&](std::size_t c) {
        std::vector<float> out;
        for (std::size_t r = 0; r < raw.size(); ++r) out.push_back(static_cast<float>(raw[r] - shap.row(r)[c]));
        return out;
    };
    std::vector<float> const with(raw.begin(), raw.end());
    auto const by_loss = rs::loss_changes(model, rows), by_auc = rs::loss_changes(model, rows, {.metric = rs::valid_auc{}});
    auto const by_ndcg = rs::loss_changes(model, rows, {.metric = rs::valid_ndcg{5}});
    auto const by_group = rs::loss_changes(model, rows, {.loss = rs::query_soft_max{}});
    auto const falling = [](rs::rated_rows const& r) { return static_cast<double>(r.raw[0]); };
    for (std::size_t c = 0; c < shap.columns.size(); ++c) {
        auto const scores = without(c);
        auto const log_loss = [&](std::vector<float> const& of) { return rs::log_loss{}.value(of, rows.targets()); };
        CHECK(of(by_loss, shap.columns[c]) == Approx(log_loss(scores) - log_loss(with)).epsilon(1e-6));
        CHECK(of(by_auc, shap.columns[c]) == Approx(rs::auc(with, rows.targets()) - rs::auc(scores, rows.targets())).epsilon(1e-9));
        auto const ndcg = [&](std::vector<float> const& of) { return rs::valid_ndcg{5}({of, rows.targets(), {}, rows.group_ends()}); };
        CHECK(of(by_ndcg, shap.columns[c]) == Approx(ndcg(with) - ndcg(scores)).epsilon(1e-9));
        CHECK(of(rs::loss_changes(model, rows, {.metric = falling}), shap.columns[c]) == Approx(shap.row(0)[c]).epsilon(1e-4));
    }
    CHECK(std::is_sorted(by_loss.begin(), by_loss.end(), [](auto const& a, auto const& b) { return a.second > b.second; }));
    CHECK(by_group.size() == by_loss.size());
    CHECK(by_loss == rs::loss_changes(model, rows, {.run = {.threads = 3}}));
}

TEST_CASE("loss changes refuse rows that cannot be judged") {
    auto const model = rs::parse_catboost_json(fixture::binary.text);
    auto const rows = labelled_rows();
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::loss_changes(model, labelled_rows(false))),
                         "loss_changes: the rows have no target, without which scores are neither good nor bad", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::loss_changes(model, rows, {.loss = rs::query_soft_max{}})),
                         "loss_changes: the loss compares rows of a group, but the rows have no groups", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::loss_changes(model, rs::frame())), "loss_changes: the frame has no rows", rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::loss_changes(rs::parse_catboost_json(fixture::several_classes.text), rows)),
                         "loss_changes: the model gives 3 numbers a row, a loss takes one", rs::data_error);
}
