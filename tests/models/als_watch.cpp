// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include "support/brute_force.hpp"
#include "support/dense_als.hpp"
#include "support/interactions.hpp"
#include "support/model_contract.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

rs::csr sample() { return rs::user_items(recsys_test::interactions_data(60, 45, 1500, 7)); }
bool same_factors(rs::als_model const& a, rs::als_model const& b) {
    return std::equal(a.user_factors().begin(), a.user_factors().end(), b.user_factors().begin(), b.user_factors().end()) &&
           std::equal(a.item_factors().begin(), a.item_factors().end(), b.item_factors().begin(), b.item_factors().end());
}
rs::als_model of_iterations(rs::als_options options, std::size_t n) {
    options.iterations = n;
    return rs::als(options).fit(sample());
}

}

TEST_CASE("a watcher sees each iteration's loss and model, which is the one of a shorter fit") {
    rs::als_options const options{.factors = 4, .iterations = 4};
    std::vector<rs::als_model> models;
    std::vector<double> losses;
    auto const whole = rs::als(options).fit(sample(), {.watch = [&](rs::als_moment<float> const& now) {
                                                CHECK(now.iteration == models.size());
                                                models.push_back(now.model), losses.push_back(now.loss);
                                            }});
    REQUIRE(models.size() == 4);
    CHECK(losses == whole.report().loss);
    for (std::size_t n = 0; n < 4; ++n) {
        auto const shorter = of_iterations(options, n + 1);
        CHECK(same_factors(models[n], shorter));
        CHECK(models[n].report().loss == shorter.report().loss);
        rs::history const h({{item(3), 1}, {item(20), 4}});
        CHECK(models[n].fold_in(h).factors == shorter.fold_in(h).factors);
    }
    CHECK(same_factors(models[3], whole));
    CHECK(whole.report().valid_loss.empty());
    CHECK_FALSE(whole.report().best_iteration.has_value());
    CHECK_FALSE(whole.report().stopped);
}

TEST_CASE("a watcher that says false stops, and the model is that of the iteration he saw") {
    rs::als_options const options{.factors = 4, .iterations = 9};
    auto const model = rs::als(options).fit(sample(), {.watch = [](rs::als_moment<float> const& now) { return now.iteration < 2; }});
    CHECK(model.report().stopped);
    CHECK(model.report().loss.size() == 3);
    CHECK(same_factors(model, of_iterations(options, 3)));
}

TEST_CASE("with a validation loss the fit stops after `patience` worse ones and gives the best model, ties to the first") {
    rs::als_options const options{.factors = 4, .iterations = 20};
    std::vector<double> const told{5, 3, 4, 2, 2, 6, 2, 1};
    auto const fit = [&](std::size_t patience) {
        return rs::als(options).fit(
            sample(), {.watch = [&](rs::als_moment<float> const& now) { return told.at(now.iteration); }, .patience = patience});
    };
    struct expected {
        std::size_t patience, last, best;
    };
    for (auto const& wanted : {expected{1, 2, 1}, expected{2, 5, 3}, expected{3, 6, 3}}) {
        std::size_t const patience = wanted.patience, last = wanted.last, best = wanted.best;
        auto const model = fit(patience);
        CAPTURE(patience);
        CHECK(model.report().valid_loss == std::vector<double>(told.begin(), told.begin() + static_cast<std::ptrdiff_t>(last) + 1));
        CHECK(model.report().loss.size() == last + 1);
        REQUIRE(model.report().best_iteration.has_value());
        CHECK(*model.report().best_iteration == best);
        CHECK(same_factors(model, of_iterations(options, best + 1)));
        CHECK_FALSE(model.report().stopped);
        auto const again = model_contract::saved_and_loaded(model);
        CHECK(again.report().valid_loss == model.report().valid_loss);
        CHECK(again.report().best_iteration == model.report().best_iteration);
    }
    CHECK_THROWS_WITH_AS(static_cast<void>(fit(0)), "als: patience must be at least 1, got 0", rs::option_error);
}

TEST_CASE("iterations that are not judged do not count against patience; the progress callback is told the loss") {
    rs::als_options options{.factors = 4, .iterations = 7};
    std::vector<double> told;
    options.run.progress = [&](rs::progress const& p) { told.push_back(p.valid_loss); };
    auto const model = rs::als(options).fit(sample(), {.watch =
                                                           [](rs::als_moment<float> const& now) {
                                                               rs::als_verdict out;
                                                               if (now.iteration % 3 == 1)
                                                                   out.valid_loss = static_cast<double>(now.iteration);
                                                               return out;
                                                           },
                                                       .patience = 2});
    auto const& valid = model.report().valid_loss;
    REQUIRE(valid.size() == 7); // judged after 1 and 4, the second is worse, the third would be 7
    CHECK(valid[1] == 1);
    CHECK(valid[4] == 4);
    CHECK(std::isnan(valid[0]));
    CHECK(std::isnan(valid[5]));
    CHECK(*model.report().best_iteration == 1);
    CHECK(same_factors(model, of_iterations(options, 2)));
    REQUIRE(told.size() >= 8);
    CHECK(told[2] == 1);
    CHECK(told[5] == 4);
    CHECK(std::isnan(told[1]));
}

TEST_CASE("a verdict may stop with a loss, and one that is not a number is an error") {
    rs::als_options const options{.factors = 4, .iterations = 9};
    auto const model = rs::als(options).fit(sample(), {.watch = [](rs::als_moment<float> const& now) {
                                                return rs::als_verdict{now.iteration < 2, static_cast<double>(now.iteration)};
                                            }});
    CHECK(model.report().stopped);
    CHECK(model.report().loss.size() == 3);
    CHECK(same_factors(model, of_iterations(options, 1)));
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::als(options).fit(
                             sample(), {.watch = [](rs::als_moment<float> const&) { return std::numeric_limits<double>::quiet_NaN(); }})),
                         "als: the watcher's loss after iteration 0 is not a number", rs::data_error);
}

TEST_CASE("early stopping by a metric on held-out events: the model has the best metric that was seen") {
    auto const data = recsys_test::interactions_data(60, 45, 2500, 7);
    auto const moment = *data.as_of() - std::chrono::hours(60);
    auto const past = rs::user_items(data.before(moment));
    auto const all = rs::user_items(data);
    auto const hits = [&](rs::als_model const& model) {
        double n = 0;
        for (auto const u : users_to(60))
            for (auto const& one : rs::recommend(model, u, past, {.k = 5})) {
                auto const later = all.seen(u);
                n += std::binary_search(later.begin(), later.end(), one.item);
            }
        return n;
    };
    std::vector<double> seen;
    auto const model =
        rs::als({.factors = 16, .regularization = 0.01, .alpha = 5, .iterations = 15})
            .fit(past, {.watch = [&](rs::als_moment<float> const& now) { return seen.push_back(hits(now.model)), -seen.back(); }});
    CHECK(hits(model) == *std::max_element(seen.begin(), seen.end()));
    CHECK(model.report().valid_loss.size() == seen.size());
    CHECK(seen.size() < 15); // it did stop early
}
