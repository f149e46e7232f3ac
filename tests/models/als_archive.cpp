// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "support/brute_force.hpp"
#include "support/interactions.hpp"
#include "support/model_contract.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

/// What a file of a model of 2 users, 3 items and 2 factors holds, to be altered.
struct model_sections {
    std::vector<std::uint64_t> sizes{2, 3, 2};
    std::vector<double> settings{2, 0.5, 0, 0, 1, 1, 0};
    std::vector<float> user_factors = std::vector<float>(4), item_factors = std::vector<float>(6);
    std::vector<std::uint8_t> known_users, known_items;
    std::vector<double> user_gramian = std::vector<double>(4), item_gramian = std::vector<double>(4), loss{5, 4}, valid_loss{3};
    std::uint64_t best_iteration = 1;
};

}

namespace recsys {
template <> struct detail::archived<model_sections> {
    static std::string name() { return "als_model<float>"; }
    static void save(model_sections const& s, object_writer& out) {
        out.array("sizes", s.sizes), out.array("settings", s.settings);
        out.array("user_factors", s.user_factors), out.array("item_factors", s.item_factors);
        out.array("known_users", s.known_users), out.array("known_items", s.known_items);
        out.array("user_gramian", s.user_gramian), out.array("item_gramian", s.item_gramian);
        out.array("loss", s.loss), out.array("valid_loss", s.valid_loss), out.value("best_iteration", s.best_iteration),
            out.value("stopped", std::uint8_t{0}), out.texts("warnings", std::vector<std::string>{});
        save_provenance({}, out);
    }
    static model_sections load(object_reader const&) { return {}; }
};
}

TEST_CASE_TEMPLATE("what is saved comes back to the last bit, and folds in and explains the same", Scalar, float, double) {
    auto const data = recsys_test::interactions_data(40, 30, 700, 4);
    auto const seen = rs::user_items(data);
    auto const model =
        rs::basic_als<Scalar>({.factors = 7, .regularization = 0.1, .alpha = 3, .iterations = 3, .tolerance = 0.5}).fit(seen);
    auto const again = model_contract::saved_and_loaded(model);
    CHECK(std::equal(again.user_factors().begin(), again.user_factors().end(), model.user_factors().begin(), model.user_factors().end()));
    CHECK(std::equal(again.item_factors().begin(), again.item_factors().end(), model.item_factors().begin(), model.item_factors().end()));
    CHECK(std::equal(again.item_gramian().begin(), again.item_gramian().end(), model.item_gramian().begin(), model.item_gramian().end()));
    CHECK(again.alpha() == 3);
    CHECK(again.regularization() == 0.1);
    CHECK(again.report().loss == model.report().loss);
    CHECK(again.report().stopped == model.report().stopped);
    CHECK(again.report().warnings == model.report().warnings);
    CHECK(again.as_of() == data.as_of());
    CHECK(again.provenance().users == data.users().fingerprint());
    for (std::size_t u = 0; u < 40; ++u) CHECK(again.knows(user(u)) == model.knows(user(u)));
    rs::history const h({{item(3), 1}, {item(20), 4}});
    CHECK(again.fold_in(h).factors == model.fold_in(h).factors);
    CHECK(rs::explain(again, user(1), item(2), seen).score == rs::explain(model, user(1), item(2), seen).score);
    CHECK(rs::detail::archived<rs::als_model>::name() == "als_model<float>");
    CHECK(rs::detail::archived<rs::basic_als_model<double>>::name() == "als_model<double>");
}

TEST_CASE("a file whose checksums are right but whose numbers are no model is a format_error that names the section") {
    std::string const path = "als_model_altered.rsm";
    auto const error_of = [&](auto const& change) -> std::string {
        model_sections sections;
        change(sections);
        rs::save(path, sections);
        try {
            return static_cast<void>(rs::load<rs::als_model>(path)), "";
        } catch (rs::format_error const& e) { return e.what(); }
    };
    auto const names = [&](auto const& change, char const* section) {
        auto const message = error_of(change);
        CAPTURE(message);
        CHECK(message.find(std::string("section '") + section + "'") != std::string::npos);
    };
    using s = model_sections;
    float const nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(error_of([](s&) {}).empty());
    names([](s& m) { m.sizes = {2, 3}; }, "sizes");
    names([](s& m) { m.sizes = {2, std::uint64_t{1} << 40, 2}; }, "sizes");
    names([](s& m) { m.sizes = {2, 3, 5000}; }, "sizes");
    names([](s& m) { m.sizes = {2, 3, 0}; }, "sizes");
    names([](s& m) { m.sizes = {3, 3, 2}; }, "user_factors");
    names([](s& m) { m.item_factors.pop_back(); }, "item_factors");
    names([&](s& m) { m.item_factors[2] = nan; }, "item_factors");
    names([&](s& m) { m.user_factors[0] = nan; }, "user_factors");
    names([](s& m) { m.settings = {2, 0.5}; }, "settings");
    names([](s& m) { m.settings[1] = -1; }, "settings");
    names([](s& m) { m.settings[2] = 1.5; }, "settings");
    names([](s& m) { m.settings[3] = 2; }, "settings");
    names([](s& m) { m.settings[4] = 0; }, "settings");
    names([](s& m) { m.settings[5] = 2; }, "settings");
    names([](s& m) { m.settings.push_back(1); }, "sizes"); // biases: rows of 3 numbers and more
    names([](s& m) { m.settings.push_back(0), m.settings.push_back(0); }, "settings");
    names([](s& m) { m.best_iteration = 2; }, "best_iteration");
    names([](s& m) { m.settings[0] = std::numeric_limits<double>::infinity(); }, "settings");
    names([](s& m) { m.known_users = {1}; }, "known_users");
    names([](s& m) { m.known_items = {1, 1, 1, 1}; }, "known_items");
    names([&](s& m) { m.item_gramian[3] = static_cast<double>(nan); }, "item_gramian");
    names([](s& m) { m.user_gramian = {1}; }, "user_gramian");

    // Without verifying factors are not read, and all else is checked as before.
    model_sections sections;
    sections.item_factors[2] = nan;
    rs::save(path, sections);
    rs::load_options const quick{.verify = false};
    auto const believed = rs::load<rs::als_model>(path, quick);
    CHECK(std::isnan(believed.factors(item(1))[0]));
    sections.item_gramian[3] = static_cast<double>(nan);
    rs::save(path, sections);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::load<rs::als_model>(path, quick)), doctest::Contains("item_gramian"), rs::format_error);
    sections = {};
    sections.item_factors.pop_back();
    rs::save(path, sections);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::load<rs::als_model>(path, quick)), doctest::Contains("item_factors"), rs::format_error);
    std::remove(path.c_str());
}
