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
    CHECK(with([](auto& p) { p.alpha = -1; }) == "als: alpha must be a finite number from 0, got -1");
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
