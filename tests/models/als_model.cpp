// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/brute_force.hpp"
#include "support/dense_als.hpp"
#include "support/interactions.hpp"
#include "support/model_contract.hpp"

namespace rs = recsys;
using namespace brute_force;

namespace {

/// Two users, three items, two factors.
template <class Scalar = float> rs::als_parts<Scalar> small_parts() {
    rs::als_parts<Scalar> p;
    p.n_users = 2, p.n_items = 3, p.n_factors = 2, p.alpha = 2, p.regularization = 0.5;
    p.user_factors = {Scalar{1}, Scalar{2}, Scalar{-1}, Scalar{0}};
    p.item_factors = {Scalar{1}, Scalar{1}, Scalar{0}, Scalar{3}, Scalar{2}, Scalar{-1}};
    return p;
}
template <class Model>
concept gives_factors = requires(Model&& model) {
    std::forward<Model>(model).item_factors();
};

std::string refused(rs::als_parts<float> const& parts) {
    try {
        rs::als_model const model(parts);
    } catch (rs::data_error const& e) { return e.what(); }
    return "";
}

/// What a file of a model of 2 users, 3 items and 2 factors holds, to be altered.
struct model_sections {
    std::vector<std::uint64_t> sizes{2, 3, 2};
    std::vector<double> settings{2, 0.5};
    std::vector<float> user_factors = std::vector<float>(4), item_factors = std::vector<float>(6);
    std::vector<std::uint8_t> known_users, known_items;
    std::vector<double> user_gramian = std::vector<double>(4), item_gramian = std::vector<double>(4), loss{5, 4};
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
        out.array("loss", s.loss), out.value("stopped", std::uint8_t{0}), out.texts("warnings", std::vector<std::string>{});
        save_provenance({}, out);
    }
    static model_sections load(object_reader const&) { return {}; }
};
}

TEST_CASE("a model from factors made elsewhere scores by their products") {
    rs::als_model const model(small_parts());
    CHECK(model_contract::scores_of(model, user(0)) == std::vector<float>{3, 6, 0});
    CHECK(model_contract::scores_of(model, user(1)) == std::vector<float>{-1, 0, -2});
    std::vector<rs::item_index> const some{item(2), item(0), item(2)};
    std::vector<float> out(3);
    model.score(user(1), std::span<rs::item_index const>(some), std::span<float>(out));
    CHECK(out == std::vector<float>{-2, -1, -2});
    CHECK(model.n_factors() == 2);
    CHECK(model.alpha() == 2);
    CHECK(model.regularization() == 0.5);
    CHECK(model.factors(item(1))[1] == 3);
    CHECK(model.factors(user(1))[0] == -1);
    CHECK(model.user_matrix()(0, 1) == 2);
    CHECK(model.item_matrix()(2, 0) == 2);
    CHECK(std::vector<double>(model.item_gramian().begin(), model.item_gramian().end()) == std::vector<double>{5, -1, -1, 11});
    CHECK(std::vector<double>(model.user_gramian().begin(), model.user_gramian().end()) == std::vector<double>{2, 2, 2, 4});
    CHECK(model.knows(user(1)));
    CHECK(model.knows(item(2))); // without flags, everything
    CHECK_FALSE(model.knows(item(3)));
    CHECK_FALSE(model.knows(user(2)));
    CHECK(rs::recommend(model, user(0), rs::nothing_seen, {.k = 2}) == std::vector<rs::scored>{{item(1), 6}, {item(0), 3}});
    static_assert(rs::scorer<rs::als_model> && rs::factor_model<rs::als_model> && rs::scorer<rs::basic_als_model<double>>);
}

TEST_CASE("flags say who is known") {
    auto parts = small_parts();
    parts.known_users = {std::uint8_t{0}, std::uint8_t{1}}, parts.known_items = {std::uint8_t{1}, std::uint8_t{0}, std::uint8_t{1}};
    rs::als_model const model(parts);
    CHECK_FALSE(model.knows(user(0)));
    CHECK(rs::recommend(model, user(0), rs::nothing_seen).empty());
    CHECK(items_of(rs::recommend(model, user(1), rs::nothing_seen)) == some_items({0, 2}));
}

TEST_CASE("parts that do not fit together are errors that name the part") {
    auto const with = [](auto const& change) {
        auto parts = small_parts();
        change(parts);
        return refused(parts);
    };
    float const nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(with([](auto&) {}).empty());
    CHECK(with([](auto& p) { p.n_users = 3; }) == "als: user_factors has 4 values, expected 6");
    CHECK(with([](auto& p) { p.item_factors = {1.f}; }) == "als: item_factors has 1 values, expected 6");
    CHECK(with([&](auto& p) { p.user_factors = {1.f, 1.f, nan, 1.f}; }) == "als: value 2 of user_factors is not finite");
    CHECK(with([](auto& p) { p.n_factors = 0; }) == "als: factors must be in [1, 4096], got 0");
    CHECK(with([](auto& p) { p.known_items = {std::uint8_t{1}}; }) == "als: known_items has 1 values, expected 3");
    CHECK(with([](auto& p) { p.item_gramian = {1.0}; }) == "als: item_gramian has 1 values, expected 4");
    CHECK(with([](auto& p) { p.alpha = -1; }) == "als: alpha and regularization must be finite numbers from 0, got -1 and 0.5");
    CHECK(with([](auto& p) { p.n_items = std::size_t{1} << 40; }).find("32-bit") != std::string::npos);
}

TEST_CASE("c23 users, items and spans that are not there are errors, before anything is read") {
    rs::als_model const model(small_parts());
    std::vector<float> out(3), few(2);
    CHECK_THROWS_WITH_AS(model.score(user(2), std::span<float>(out)), "als: user 2, there are 2 users", rs::data_error);
    CHECK_THROWS_WITH_AS(model.score(user(0), std::span<float>(few)), "als: score: room for 2 scores, there are 3 items", rs::data_error);
    std::vector<rs::item_index> const some{item(0), item(3), item(1)}, minus_one{rs::item_index{0xffffffff}};
    CHECK_THROWS_WITH_AS(model.score(user(0), std::span<rs::item_index const>(some), std::span<float>(out)),
                         "als: score: item 3, there are 3", rs::data_error);
    CHECK_THROWS_WITH_AS(model.score(user(0), std::span<rs::item_index const>(minus_one), std::span<float>(out).first(1)),
                         "als: score: item 4294967295, there are 3", rs::data_error);
    CHECK_THROWS_WITH_AS(model.score(user(0), std::span<rs::item_index const>(some), std::span<float>(few)),
                         "als: score: room for 2 scores of 3 items", rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(model.factors(rs::item_index{0xffffffff})), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::recommend(model, user(0), rs::nothing_seen, {.deny = rs::item_set{item(5)}})), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::similar_items(model, item(3))), rs::data_error);
    CHECK_THROWS_AS(static_cast<void>(rs::similar_users(model, user(2))), rs::data_error);
}

TEST_CASE("similar items and users come from the factors") {
    rs::als_model const model(small_parts());
    auto const alike = rs::similar_items(model, item(0), {.k = 5});
    REQUIRE(alike.size() == 2);
    CHECK(alike[0].item == item(1));
    CHECK(alike[0].score == doctest::Approx(1 / std::sqrt(2.)));
    CHECK(alike[1].score == doctest::Approx(1 / std::sqrt(10.)));
    CHECK(rs::similar_users(model, user(0)).at(0).score == doctest::Approx(-1 / std::sqrt(5.)));
}

TEST_CASE("a model that nothing was fitted into has no users and no items") {
    rs::als_model const none;
    CHECK(none.n_users() == 0);
    CHECK(none.n_items() == 0);
    CHECK(none.n_factors() == 0);
    CHECK(none.user_factors().empty());
    CHECK(none.item_matrix().rows() == 0);
    CHECK_FALSE(none.knows(user(0)));
    CHECK_FALSE(none.as_of().has_value());
    std::vector<float> nothing;
    CHECK_THROWS_AS(none.score(user(0), std::span<float>(nothing)), rs::data_error);
    CHECK(model_contract::saved_and_loaded(none).n_items() == 0);
}

TEST_CASE("a copy shares and outlives the model; views of a temporary do not compile") {
    rs::als_model copy;
    float const* place = nullptr;
    {
        rs::als_model const model(small_parts());
        copy = model;
        place = model.item_factors().data();
    }
    CHECK(copy.item_factors().data() == place);
    CHECK(copy.item_factors()[3] == 3);
    static_assert(gives_factors<rs::als_model const&> && !gives_factors<rs::als_model>);
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
    names([](s& m) { m.settings = {2, -1}; }, "settings");
    names([](s& m) { m.settings[0] = std::numeric_limits<double>::infinity(); }, "settings");
    names([](s& m) { m.known_users = {1}; }, "known_users");
    names([](s& m) { m.known_items = {1, 1, 1, 1}; }, "known_items");
    names([&](s& m) { m.item_gramian[3] = static_cast<double>(nan); }, "item_gramian");
    names([](s& m) { m.user_gramian = {1}; }, "user_gramian");
    std::remove(path.c_str());
}
