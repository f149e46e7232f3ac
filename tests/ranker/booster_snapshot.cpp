// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace rs = recsys;

namespace {

std::string const path = "booster_snapshot_test.rss";

struct row {
    float x = 0, y = 0, target = 0;
    int colour = 0, query = 0;
};
auto schema() {
    return rs::rows<row>()
        .number("x", &row::x)
        .number("y", &row::y)
        .category("colour", &row::colour)
        .target(&row::target)
        .group(&row::query);
}
rs::frame frame(std::size_t n, std::uint64_t seed) {
    rs::random_stream random(seed);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        row r;
        r.x = static_cast<float>(random.uniform()), r.y = static_cast<float>(random.normal());
        r.colour = static_cast<int>(random.below(30)), r.query = static_cast<int>(i / 10);
        double const z = 3 * static_cast<double>(r.x) - 1.5 + (r.colour % 3 == 0 ? 1 : 0);
        r.target = random.uniform() < 1 / (1 + std::exp(-z)) ? 1.f : 0.f;
        out.push_back(r);
    }
    return rs::ingest(out, schema());
}

bool exists() { return std::ifstream(path).good(); }

struct killed : std::runtime_error {
    killed() : std::runtime_error("killed") {}
};
/// Fits and dies after this many trees: the exception leaves no more behind than a kill would.
void fit_and_die(rs::booster_options options, std::size_t after, rs::frame const& train, rs::frame const* valid) {
    options.run.progress = [after](rs::progress const& now) {
        if (now.done > after) throw killed();
    };
    rs::booster const trainer(options);
    CHECK_THROWS_AS(static_cast<void>(valid ? trainer.fit(train, *valid) : trainer.fit(train)), killed);
}

rs::booster_options every_tree(rs::loss loss) {
    return {.loss = std::move(loss),
            .trees = 25,
            .learning_rate = 0.3,
            .depth = 4,
            .snapshot = path,
            .snapshot_interval = std::chrono::seconds{0}};
}

}

TEST_CASE("after a kill the same fit goes on to the same model, whatever the loss draws") {
    auto const train = frame(600, 1), valid = frame(600, 2);
    for (auto const& loss : {rs::loss(rs::log_loss{}), rs::loss(rs::yeti_rank{}), rs::loss(rs::mae{})}) {
        auto options = every_tree(loss);
        options.random_strength = 1, options.early_stopping_rounds = 8;
        auto whole_options = options;
        whole_options.snapshot = "";
        auto const whole = rs::booster(whole_options).fit(train, valid);
        for (std::size_t const after : {1u, 6u}) {
            fit_and_die(options, after, train, &valid);
            REQUIRE(exists());
            std::size_t calls = 0;
            options.run.progress = [&](rs::progress const&) { ++calls; };
            auto const resumed = rs::booster(options).fit(train, valid);
            options.run.progress = {};
            CHECK(calls + after <= whole.report().loss.size() + 1); // its trees were not grown again
            CHECK(resumed.predict_raw(valid) == whole.predict_raw(valid));
            CHECK(resumed.report().loss == whole.report().loss);
            CHECK(resumed.report().valid_loss == whole.report().valid_loss);
            CHECK(resumed.report().best_iteration == whole.report().best_iteration);
            CHECK_FALSE(exists()); // the fit is done
        }
    }
}

TEST_CASE("killed twice, on other threads, with a metric: still the same model") {
    auto const train = frame(20000, 3), valid = frame(600, 4);
    auto options = every_tree(rs::log_loss{});
    options.metric = rs::valid_auc{}, options.run.threads = 1;
    auto whole_options = options;
    whole_options.snapshot = "";
    auto const whole = rs::booster(whole_options).fit(train, valid);
    fit_and_die(options, 3, train, &valid);
    options.run.threads = 7;
    fit_and_die(options, 9, train, &valid);
    auto const resumed = rs::booster(options).fit(train, valid);
    CHECK(resumed.predict_raw(valid) == whole.predict_raw(valid));
    CHECK(resumed.report().valid_metric == whole.report().valid_metric);
}

TEST_CASE("a fit that was stopped can be gone on with, and be given more trees") {
    auto const train = frame(500, 5);
    auto options = every_tree(rs::log_loss{});
    options.snapshot_interval = std::chrono::hours{1}; // written because of the stop
    options.run.progress = [](rs::progress const& now) { return now.done < 10; };
    CHECK(rs::booster(options).fit(train).n_trees() == 10);
    REQUIRE(exists());
    options.run.progress = {}, options.trees = 40;
    auto const more = rs::booster(options).fit(train);
    options.snapshot = "";
    CHECK(more.predict_raw(train) == rs::booster(options).fit(train).predict_raw(train));
    CHECK_FALSE(exists());
}

TEST_CASE("resuming a model leaves snapshots of its own") {
    auto const train = frame(500, 6);
    auto options = every_tree(rs::log_loss{});
    options.snapshot = "";
    auto const first = rs::booster(options).fit(train);
    auto const whole = rs::booster(options).resume(first, train);
    options.snapshot = path;
    auto dying = options;
    dying.run.progress = [](rs::progress const& now) {
        if (now.done > 5) throw killed();
    };
    CHECK_THROWS_AS(static_cast<void>(rs::booster(dying).resume(first, train)), killed);
    CHECK_THROWS_AS(static_cast<void>(rs::booster(options).fit(train)), rs::data_error); // not a fit from the start
    CHECK(rs::booster(options).resume(first, train).predict_raw(train) == whole.predict_raw(train));
}

TEST_CASE("the snapshot of other rows, another loss or other options is refused") {
    auto const train = frame(400, 7), valid = frame(400, 8);
    fit_and_die(every_tree(rs::log_loss{}), 4, train, &valid);
    auto const refused = [&](rs::booster_options const& options, rs::frame const& t, rs::frame const* v) {
        rs::booster const trainer(options);
        CHECK_THROWS_WITH_AS(static_cast<void>(v ? trainer.fit(t, *v) : trainer.fit(t)),
                             doctest::Contains("is of other rows, another loss or other options"), rs::data_error);
    };
    auto options = every_tree(rs::log_loss{});
    refused(options, frame(400, 9), &valid);
    refused(options, train, &train);
    refused(options, train, nullptr);
    refused(every_tree(rs::rmse{}), train, &valid);
    options.learning_rate = 0.2;
    refused(options, train, &valid);
    options = every_tree(rs::log_loss{}), options.seed = 1;
    refused(options, train, &valid);
    options = every_tree(rs::log_loss{}), options.metric = rs::valid_auc{};
    refused(options, train, &valid);
    options = every_tree(rs::log_loss{}), options.monotone = {{"x", rs::monotone::rising}};
    refused(options, train, &valid);
    std::remove(path.c_str());
}

TEST_CASE("a damaged snapshot is a format error, never a crash") {
    auto const train = frame(200, 10);
    auto const options = every_tree(rs::log_loss{});
    fit_and_die(options, 3, train, nullptr);
    std::ifstream in(path, std::ios::binary);
    std::string const bytes{std::istreambuf_iterator<char>(in), {}};
    in.close();
    for (std::size_t size = 0; size < bytes.size(); size += 97) {
        std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(size));
        CHECK_THROWS_AS(static_cast<void>(rs::booster(options).fit(train)), rs::format_error);
    }
    std::remove(path.c_str());
    auto lost = options;
    lost.snapshot = "no_such_folder/x.rss";
    CHECK_THROWS_AS(static_cast<void>(rs::booster(lost).fit(train)), rs::format_error);
}
