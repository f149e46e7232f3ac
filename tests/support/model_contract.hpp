// SPDX-License-Identifier: MIT
// What every model keeps: a test of a model calls check_model_contract with how it is fitted.
#ifndef RECSYS_TESTS_MODEL_CONTRACT_HPP
#define RECSYS_TESTS_MODEL_CONTRACT_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include "brute_force.hpp"
#include "interactions.hpp"

namespace model_contract {

namespace rs = recsys;
using namespace brute_force;

inline std::string bytes_of(std::string const& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The file that a model is saved as, byte for byte.
template <class Model> std::string saved(Model const& model) {
    std::string const path = "model_contract.rsm";
    rs::save(path, model);
    auto out = bytes_of(path);
    std::remove(path.c_str());
    return out;
}
template <class Model> Model saved_and_loaded(Model const& model) {
    std::string const path = "model_contract_again.rsm";
    rs::save(path, model);
    auto out = rs::load<Model>(path);
    std::remove(path.c_str());
    return out;
}

/// The scores of one user, in full.
template <class Model> std::vector<float> scores_of(Model const& model, rs::user_index u) {
    std::vector<float> out(model.n_items());
    model.score(u, std::span<float>(out));
    return out;
}

template <class Model> void check_scores(Model const& model) {
    std::vector<rs::item_index> some;
    for (std::size_t i = model.n_items(); i > 0; i -= std::min<std::size_t>(i, 3)) some.push_back(item(i - 1));
    std::vector<float> few(some.size()), short_one(model.n_items() - 1);
    for (auto const u : users_to(model.n_users())) {
        auto const all = scores_of(model, u);
        CHECK(std::all_of(all.begin(), all.end(), [](float x) { return std::isfinite(x); }));
        model.score(u, std::span<rs::item_index const>(some), std::span<float>(few));
        bool same = true;
        for (std::size_t j = 0; j < some.size(); ++j) same = same && few[j] == all[rs::to_size(some[j])];
        CHECK(same);
    }
    CHECK_THROWS_AS(model.score(user(0), std::span<float>(short_one)), rs::data_error);
    CHECK_THROWS_AS(model.score(user(0), std::span<rs::item_index const>(some), std::span<float>(short_one)), rs::data_error);
    some[0] = item(model.n_items());
    CHECK_THROWS_AS(model.score(user(0), std::span<rs::item_index const>(some), std::span<float>(few)), rs::data_error);
}

template <class Model> void check_lists(Model const& model, rs::csr const& seen) {
    for (std::size_t const k : {std::size_t{1}, std::size_t{7}, 10 * model.n_items()})
        for (auto const u : users_to(model.n_users())) {
            auto const wanted = best_of(scores_of(model, u), k, [&](rs::item_index i) {
                auto const had = seen.seen(u);
                return model.knows(i) && !std::binary_search(had.begin(), had.end(), i);
            });
            bool is_known = true;
            if constexpr (requires { model.knows(u); }) is_known = model.knows(u);
            CHECK(rs::recommend(model, u, seen, {.k = k}) == (is_known ? wanted : std::vector<rs::scored>{}));
        }
}

/// @param fit  makes the model from the dataset and a number of threads.
template <class Fit> void check_model_contract(Fit const& fit) {
    auto const data = recsys_test::interactions_data(50, 40, 1200, 21);
    auto const half = data.before(data.as_of().value() - std::chrono::hours(100)); // some users and items are not in it
    auto const seen = rs::user_items(half);
    auto const model = fit(half, 1);
    CHECK(model.n_items() == 40);
    CHECK(model.n_users() == 50);
    CHECK(model.as_of() == half.as_of());
    CHECK(model.provenance().items == data.items().fingerprint());
    check_scores(model);
    check_lists(model, seen);
    // c34: the same bytes again, for any number of threads, and from the file.
    auto const once = saved(model);
    for (std::size_t const threads : {1u, 2u, 7u}) CHECK(saved(fit(half, threads)) == once);
    auto const again = saved_and_loaded(model);
    CHECK(saved(again) == once);
    CHECK(again.as_of() == model.as_of());
    for (auto const u : users_to(50)) CHECK(scores_of(again, u) == scores_of(model, u));
    for (std::size_t i = 0; i < 40; ++i) CHECK(again.knows(item(i)) == model.knows(item(i)));
    // What was made with other ids is not read with these.
    auto const other = recsys_test::interactions_data(50, 41, 1200, 21);
    CHECK_THROWS_AS(static_cast<void>(rs::recommend(model, user(0), rs::user_items(other))), rs::data_error);
}

}

#endif
