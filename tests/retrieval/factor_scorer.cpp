// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <Eigen/Core>

#include "support/brute_force.hpp"

namespace rs = recsys;
using namespace brute_force;
using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace {

row_major random_rows(Eigen::Index rows, Eigen::Index cols, std::uint64_t seed) {
    rs::random_stream random(seed);
    row_major out(rows, cols);
    for (Eigen::Index i = 0; i < rows; ++i)
        for (Eigen::Index j = 0; j < cols; ++j) out(i, j) = static_cast<float>(random.normal());
    return out;
}
double dot(row_major const& a, Eigen::Index i, row_major const& b, Eigen::Index j) {
    double sum = 0;
    for (Eigen::Index k = 0; k < a.cols(); ++k) sum += static_cast<double>(a(i, k)) * static_cast<double>(b(j, k));
    return sum;
}
template <class Scorer> std::vector<float> scores_of(Scorer const& s, rs::user_index u) {
    std::vector<float> out(s.n_items());
    s.score(u, std::span<float>(out));
    return out;
}

}

TEST_CASE("the fixed-order product is the sum of products for every length") {
    rs::random_stream random(1);
    for (std::size_t n = 0; n < 70; ++n) {
        std::vector<float> a(n), b(n);
        std::vector<double> c(n);
        double wanted = 0, size = 0;
        for (std::size_t k = 0; k < n; ++k) {
            a[k] = static_cast<float>(random.normal()), b[k] = static_cast<float>(random.normal()), c[k] = static_cast<double>(a[k]);
            wanted += static_cast<double>(a[k]) * static_cast<double>(b[k]);
            size += std::abs(static_cast<double>(a[k]) * static_cast<double>(b[k]));
        }
        CHECK(std::abs(static_cast<double>(rs::detail::factor_dot(a.data(), b.data(), n)) - wanted) <= 1e-6 * size);
        CHECK(rs::detail::factor_dot(c.data(), c.data(), n) == doctest::Approx(rs::detail::double_dot(a.data(), a.data(), n)));
    }
}

TEST_CASE("the user's own matrices score by dot product and by cosine") {
    row_major users(2, 2), items(4, 2);
    users << 3, 4, 0, 0;
    items << 6, 8, 4, -3, 0, 0, -3, -4;
    rs::embeddings const dots(users, items), cosines(users, items, rs::similarity::cosine);
    CHECK(scores_of(dots, user(0)) == std::vector<float>{50, 0, 0, -25});
    CHECK(scores_of(cosines, user(0)) == std::vector<float>{1, 0, 0, -1});
    CHECK(scores_of(cosines, user(1)) == std::vector<float>{0, 0, 0, 0});
    CHECK(dots.n_users() == 2);
    CHECK(dots.n_items() == 4);
    CHECK(dots.n_factors() == 2);
    CHECK(cosines.similarity() == rs::similarity::cosine);
    // Under cosine a zero vector is like nothing.
    CHECK(items_of(rs::recommend(cosines, user(0), rs::nothing_seen)) == some_items({0, 1, 3}));
    CHECK(rs::recommend(cosines, user(1), rs::nothing_seen).empty());
    CHECK(items_of(rs::recommend(dots, user(0), rs::nothing_seen)) == some_items({0, 1, 2, 3}));
    CHECK(rs::recommend(dots, user(1), rs::nothing_seen).size() == 4);
    CHECK_FALSE(cosines.knows(item(2)));
    CHECK(dots.knows(item(2)));
    CHECK_FALSE(dots.knows(item(4)));
}

TEST_CASE("scores of all items, of some, and of lists have the same bits and agree with products in double") {
    for (Eigen::Index const f : {1, 3, 16, 50}) {
        auto const users = random_rows(12, f, 1), items = random_rows(300, f, 2);
        for (auto const by : {rs::similarity::dot, rs::similarity::cosine}) {
            rs::embeddings const e(users, items, by);
            for (auto const u : users_to(12)) {
                auto const all = scores_of(e, u);
                for (Eigen::Index i = 0; i < 300; ++i) {
                    auto const row = static_cast<Eigen::Index>(rs::to_size(u));
                    double wanted = dot(users, row, items, i);
                    if (by == rs::similarity::cosine) wanted /= std::sqrt(dot(users, row, users, row) * dot(items, i, items, i));
                    CHECK(static_cast<double>(all[static_cast<std::size_t>(i)]) == doctest::Approx(wanted).epsilon(1e-5));
                }
                auto const some = some_items({299, 0, 17, 17});
                std::vector<float> out(4);
                e.score(u, some, out);
                CHECK(out == std::vector<float>{all[299], all[0], all[17], all[17]});
                CHECK(rs::recommend(e, u, rs::nothing_seen, {.k = 40}) == list_of(e, u, rs::nothing_seen, {.k = 40}));
            }
            auto const seen = random_seen(12, 300, 3, 5);
            std::vector<user_list> wanted;
            rs::recommend_options const options{.k = 25, .allow = random_set(300, 2, 6), .run = {.threads = 2}};
            for (auto const u : users_to(12)) wanted.emplace_back(u, list_of(e, u, seen, options));
            CHECK(flat(rs::recommend(e, users_to(12), seen, options)) == wanted);
            CHECK(flat(rs::recommend(rs::any_recommender(e), users_to(12), seen, options)) == wanted);
        }
    }
}

TEST_CASE("matrices, maps, blocks and arrays are read in place") {
    auto users = random_rows(3, 4, 1), items = random_rows(5, 4, 2);
    rs::embeddings const whole(users, items);
    auto const wanted = scores_of(whole, user(2));
    rs::embeddings const mapped(Eigen::Map<row_major const>(users.data(), 3, 4), Eigen::Map<row_major>(items.data(), 5, 4));
    rs::embeddings const arrays(std::span<float const>(users.data(), 12), std::span<float const>(items.data(), 20), 4);
    Eigen::Ref<row_major const> const ref(items);
    rs::embeddings const referred(users, ref);
    CHECK(scores_of(mapped, user(2)) == wanted);
    CHECK(scores_of(arrays, user(2)) == wanted);
    CHECK(scores_of(referred, user(2)) == wanted);
    row_major wide = random_rows(5, 9, 3);
    wide.block(0, 2, 5, 4) = items;
    rs::embeddings const inner(users.bottomRows(2), wide.middleCols(2, 4));
    CHECK(inner.n_users() == 2);
    CHECK(scores_of(inner, user(1)) == wanted);
    items.row(1).setZero();
    CHECK(scores_of(whole, user(2))[1] == 0);
    Eigen::Vector3f const one(1, 2, 3);
    rs::embeddings const columns(one, one);
    CHECK(scores_of(columns, user(1)) == std::vector<float>{2, 4, 6});
}

TEST_CASE("embeddings that do not fit together are errors that say what does not") {
    auto const users = random_rows(3, 4, 1), items = random_rows(5, 3, 2);
    CHECK_THROWS_WITH_AS((rs::embeddings{users, items}), "embeddings: users have 4 factors, items have 3", rs::data_error);
    std::vector<float> const some(10);
    CHECK_THROWS_WITH_AS((rs::embeddings{some, some, 4}), "embeddings: 10 numbers of users are no rows of 4 factors", rs::data_error);
    CHECK_THROWS_AS((rs::embeddings{some, some, 0}), rs::data_error);
    rs::embeddings const e(some, some, 5);
    std::vector<float> out(2), wrong(3);
    CHECK_THROWS_AS(e.score(user(2), std::span<float>(out)), rs::data_error);
    CHECK_THROWS_AS(e.score(user(0), std::span<float>(wrong)), rs::data_error);
    CHECK_THROWS_AS(e.score(user(0), some_items({2}), std::span<float>(out).first(1)), rs::data_error);
    CHECK_THROWS_AS(e.score(user(0), some_items({1}), std::span<float>(out)), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(e, user(2), rs::nothing_seen)), doctest::Contains("user 2 at position 0"),
                         rs::data_error);
}

TEST_CASE("factors that are not numbers are an error that names the pair") {
    auto users = random_rows(2, 3, 1), items = random_rows(4, 3, 2);
    items(2, 1) = std::nanf("");
    rs::embeddings const e(users, items);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::recommend(e, user(1), rs::nothing_seen, {.k = 1})),
                         doctest::Contains("the score of user 1, item 2 is not a number"), rs::data_error);
    rs::embeddings const c(users, items, rs::similarity::cosine); // its length is no length: it is not known
    CHECK(rs::recommend(c, user(1), rs::nothing_seen).size() == 3);
}

TEST_CASE("cosines do not depend on the lengths of the vectors, even where products leave the range of float") {
    row_major users(1, 2), items(4, 2);
    users << 3e-25f, 4e-25f;
    items << 6e-25f, 8e-25f, 6e25f, 8e25f, -4e-30f, 3e-30f, -3e25f, -4e25f;
    rs::embeddings const e(users, items, rs::similarity::cosine);
    auto const s = scores_of(e, user(0));
    CHECK(s[0] == doctest::Approx(1));
    CHECK(s[1] == doctest::Approx(1));
    CHECK(std::abs(s[2]) < 1e-6f);
    CHECK(s[3] == doctest::Approx(-1));
    for (auto const x : s) CHECK(std::abs(x) <= 1);
}

TEST_CASE("a model of doubles ranks in double: scores that are equal as floats are not ties") {
    rs::als_parts<double> parts;
    parts.n_users = 1, parts.n_items = 3, parts.n_factors = 1;
    parts.user_factors = {1.0};
    parts.item_factors = {1.0, 1.0 + 1e-12, 0.5};
    rs::basic_als_model<double> const model(parts);
    auto const list = rs::recommend(model, user(0), rs::nothing_seen);
    CHECK(list[0].score == list[1].score);
    CHECK(items_of(list) == some_items({1, 0, 2}));
    CHECK(items_of(rs::recommend(model, user(0), rs::nothing_seen, {.k = 1})) == some_items({1}));
    CHECK(items_of(rs::similar_items(model, item(2), {.similarity = rs::similarity::dot})) == some_items({1, 0}));
}
