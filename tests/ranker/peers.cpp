// SPDX-License-Identifier: MIT
// The booster beside CatBoost, LightGBM and XGBoost on the same rows: what they reach is in the fixture, with the script that made it.
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "support/fixtures/ranker.hpp"
#include "support/fixtures/ranker_groups.hpp"
#include "support/ranking_rows.hpp"

namespace rs = recsys;

namespace {

/// Prints what was reached beside the best peer, so that a log shows more than passed or failed.
void print(char const* what, double ours, double best) {
    std::printf("%s: ours %.5f, best peer %.5f, ratio %.4f\n", what, ours, best, ours / best);
}

template <class Figures> double best_loss(Figures const& figures) {
    double best = 1e9;
    for (auto const& one : figures) best = std::min(best, one.log_loss);
    return best;
}
template <class Figures> double best_auc(Figures const& figures) {
    double best = 0;
    for (auto const& one : figures) best = std::max(best, one.auc);
    return best;
}

/// Mean test log loss over seeds 1 to n at 1000 trees, depth 6, learning rate 0.1.
double ranking_loss(std::size_t n_train, std::size_t n_test, std::uint64_t seeds) {
    support::ranking_world world(42);
    auto const train_rows = world.rows(n_train, 1), test_rows = world.rows(n_test, 2);
    auto const train = rs::ingest(train_rows, support::ranking_schema()), test = rs::ingest(test_rows, support::ranking_schema());
    double sum = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        auto const model = rs::booster({.trees = 1000, .learning_rate = 0.1, .depth = 6, .seed = seed}).fit(train);
        sum += rs::mean_log_loss(model.predict(test), test.targets());
    }
    return sum / static_cast<double>(seeds);
}

/// NDCG@10 with gains 2^grade - 1, the mean over the groups that have a grade above 0.
double mean_ndcg(rs::frame const& rows, std::span<float const> scores) {
    double sum = 0;
    std::size_t first = 0, n = 0;
    for (auto const end : rows.group_ends()) {
        std::vector<double> s, gains;
        double total = 0;
        for (; first < end; ++first) {
            s.push_back(static_cast<double>(scores[first]));
            gains.push_back(std::exp2(static_cast<double>(rows.targets()[first])) - 1), total += gains.back();
        }
        if (total > 0) sum += rs::graded_ndcg(10)(s, gains), ++n;
    }
    return sum / static_cast<double>(n);
}

/// The best of the stages that the peers were measured at, by the mean of four seeds; as theirs: depth 6, learning rate 0.05, at most `trees`.
double ranking_ndcg(rs::loss const& loss, std::size_t trees, rs::frame const& train, rs::frame const& test) {
    std::vector<double> stages;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        auto const model = rs::booster({.loss = loss, .trees = trees, .learning_rate = 0.05, .depth = 6, .seed = seed}).fit(train);
        std::size_t at = 0;
        model.staged(test, 25, [&](std::size_t n, std::span<float const> scores) {
            if (n % 25 != 0 || ((n / 25) & (n / 25 - 1)) != 0) return; // 25, 50, 100, ...
            if (at == stages.size()) stages.push_back(0);
            stages[at++] += mean_ndcg(test, scores) / 4;
        });
    }
    return *std::max_element(stages.begin(), stages.end());
}
template <class Figures> double best_ndcg(Figures const& figures) {
    double best = 0;
    for (auto const& one : figures) best = std::max(best, one.ndcg);
    return best;
}

std::string data_folder() {
    char const* const folder = std::getenv("RECSYS_DATA_DIR");
    return folder ? std::string(folder) + "/lightgbm-examples" : "";
}

struct wide_row {
    std::array<float, 28> x{};
    float target = 0;
};

struct document {
    std::array<float, 301> x{};
    float grade = 0;
    std::size_t query = 0;
};

std::vector<document> read_documents(std::string const& path) {
    std::ifstream in(path), sizes(path + ".query");
    std::vector<document> out;
    std::size_t query = 0, left = 0;
    for (std::string line; std::getline(in, line); --left) {
        for (; left == 0; ++query) sizes >> left;
        document d;
        d.query = query;
        std::istringstream fields(line);
        fields >> d.grade;
        for (std::string field; fields >> field;) {
            auto const colon = field.find(':');
            d.x[static_cast<std::size_t>(std::stoi(field.substr(0, colon)))] = std::stof(field.substr(colon + 1));
        }
        out.push_back(d);
    }
    return out;
}

std::vector<wide_row> read_wide(std::string const& path) {
    std::ifstream in(path);
    std::vector<wide_row> out;
    for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        wide_row r;
        fields >> r.target;
        for (auto& x : r.x) fields >> x;
        out.push_back(r);
    }
    return out;
}

}

TEST_CASE("60,000 ranking rows: the mean of four seeds is within 1% of the best peer" * doctest::test_suite("slow")) {
    double const best = best_loss(ranker_fixture::ranking_60k), ours = ranking_loss(60000, 30000, 4);
    print("ranking 60k, log loss, four seeds", ours, best);
    CHECK(ours < 1.01 * best);
}

TEST_CASE("300,000 ranking rows: within 1% of the best peer" * doctest::test_suite("slow")) {
    double const best = best_loss(ranker_fixture::ranking_300k), ours = ranking_loss(300000, 60000, 1);
    print("ranking 300k, log loss, one seed", ours, best);
    CHECK(ours < 1.01 * best);
}

TEST_CASE("LightGBM's binary_classification: log loss within 1% of the best peer" * doctest::test_suite("slow")) {
    auto const folder = data_folder() + "/binary_classification/";
    auto all = read_wide(folder + "binary.train");
    if (all.empty()) {
        MESSAGE("skipped: RECSYS_DATA_DIR names no folder with lightgbm-examples/binary_classification");
        return;
    }
    auto schema = rs::rows<wide_row>();
    for (std::size_t c = 0; c < 28; ++c) schema = schema.number("x" + std::to_string(c), [c](wide_row const& r) { return r.x[c]; });
    auto const with_target = schema.target(&wide_row::target);
    REQUIRE(all.size() == 7000);
    std::vector<wide_row> const held_out(all.end() - 1000, all.end());
    all.resize(6000);
    auto const train = rs::ingest(all, with_target), valid = rs::ingest(held_out, with_target),
               test = rs::ingest(read_wide(folder + "binary.test"), with_target);
    double sum = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        auto const model =
            rs::booster({.trees = 1000, .learning_rate = 0.05, .depth = 6, .early_stopping_rounds = 50, .seed = seed}).fit(train, valid);
        sum += rs::mean_log_loss(model.predict(test), test.targets()) / 4;
    }
    print("binary_classification, log loss, four seeds", sum, best_loss(ranker_fixture::binary_classification));
    CHECK(sum < 1.01 * best_loss(ranker_fixture::binary_classification));
}

TEST_CASE("LightGBM's categorical.data: AUC above the best peer" * doctest::test_suite("slow")) {
    struct row {
        std::array<int, 8> x{};
        float target = 0;
    };
    std::ifstream in(data_folder() + "/categorical.data");
    std::vector<row> all;
    for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        row r;
        fields >> r.target;
        for (std::string field; fields >> field;) {
            auto const colon = field.find(':');
            r.x.at(std::stoul(field.substr(0, colon))) = static_cast<int>(std::stod(field.substr(colon + 1)));
        }
        all.push_back(r);
    }
    if (all.empty()) {
        MESSAGE("skipped: RECSYS_DATA_DIR names no folder with lightgbm-examples/categorical.data");
        return;
    }
    auto schema = rs::rows<row>();
    for (std::size_t c = 0; c < 8; ++c) schema = schema.category("x" + std::to_string(c), [c](row const& r) { return r.x[c]; });
    auto const with_target = schema.target(&row::target);
    auto const cut = all.end() - static_cast<std::ptrdiff_t>(all.size() / 5);
    auto const train = rs::ingest(std::vector<row>(all.begin(), cut), with_target),
               test = rs::ingest(std::vector<row>(cut, all.end()), with_target);
    double sum = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
        sum +=
            rs::auc(rs::booster({.trees = 1000, .learning_rate = 0.1, .depth = 6, .seed = seed}).fit(train).predict(test), test.targets()) /
            4;
    print("categorical.data, AUC, four seeds", sum, best_auc(ranker_fixture::categorical));
    CHECK(sum > best_auc(ranker_fixture::categorical));
}

TEST_CASE("LightGBM's lambdarank: NDCG@10 of LambdaMART at most 0.003 below the best peer" * doctest::test_suite("slow")) {
    auto const train = read_documents(data_folder() + "/lambdarank/rank.train"),
               test = read_documents(data_folder() + "/lambdarank/rank.test");
    if (train.empty()) {
        MESSAGE("skipped: RECSYS_DATA_DIR names no folder with lightgbm-examples/lambdarank");
        return;
    }
    auto schema = rs::rows<document>();
    for (std::size_t c = 1; c <= 300; ++c) schema = schema.number("x" + std::to_string(c), [c](document const& d) { return d.x[c]; });
    auto const grouped = schema.target(&document::grade).group(&document::query);
    double const best = best_ndcg(group_fixture::lambdarank_example);
    double const ours = ranking_ndcg(rs::lambda_mart{}, 800, rs::ingest(train, grouped), rs::ingest(test, grouped));
    print("lambdarank example, NDCG@10, four seeds, LambdaMART", ours, best);
    CHECK(ours > best - 0.003);
}

TEST_CASE("users of 60,000 rows: NDCG@10 of each ranking loss at most 0.003 below the best peer" * doctest::test_suite("slow")) {
    support::ranking_world world(42);
    auto const train = rs::ingest(world.rows(60000, 1), support::ranking_schema()),
               test = rs::ingest(world.rows(30000, 2), support::ranking_schema());
    double const best = best_ndcg(group_fixture::users_60k);
    auto const check = [&](char const* name, rs::loss const& loss) {
        double const ours = ranking_ndcg(loss, 200, train, test);
        print(name, ours, best);
        CHECK(ours > best - 0.003);
    };
    check("users 60k, NDCG@10, four seeds, pairwise_logit", rs::pairwise_logit{});
    check("users 60k, NDCG@10, four seeds, lambda_mart", rs::lambda_mart{});
    check("users 60k, NDCG@10, four seeds, yeti_rank", rs::yeti_rank{});
    check("users 60k, NDCG@10, four seeds, query_soft_max", rs::query_soft_max{});
    check("users 60k, NDCG@10, four seeds, query_rmse", rs::query_rmse{});
}
