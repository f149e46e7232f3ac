// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <Eigen/Core>

#include "support/dense_als.hpp"

namespace rs = recsys;
using rs::detail::als_plan;

namespace {

std::vector<std::int64_t> offsets_of(std::vector<std::size_t> const& lengths) {
    std::vector<std::int64_t> out{0};
    for (auto const n : lengths) out.push_back(out.back() + static_cast<std::int64_t>(n));
    return out;
}

/// Every row is in one block, every entry of a long row in one part, in their order.
void check_plan(std::vector<std::size_t> const& lengths, std::size_t longest, std::size_t n_factors) {
    auto const offsets = offsets_of(lengths);
    als_plan const plan(offsets, longest, n_factors);
    std::size_t row = 0;
    for (auto const& block : plan.blocks()) {
        CHECK(block.first == row);
        CHECK(block.last > block.first);
        CHECK(block.last - block.first <= 256);
        row = block.last;
    }
    CHECK(row == lengths.size());
    std::vector<std::size_t> covered(lengths.size());
    for (auto const& batch : plan.batches()) {
        std::size_t first = 0;
        CHECK(batch.parts.size() * sizeof(double) * n_factors * n_factors <=
              std::max<std::size_t>(std::size_t{1} << 27, 8 * n_factors * n_factors));
        for (auto const end : batch.row_ends) {
            REQUIRE(end > first);
            auto const long_row = batch.parts[first].row;
            auto at = static_cast<std::size_t>(offsets[long_row]);
            for (; first < end; ++first) {
                auto const& part = batch.parts[first];
                CHECK(part.row == long_row);
                CHECK(part.first == at);
                CHECK(part.last > part.first);
                at = part.last;
            }
            covered[long_row] += at - static_cast<std::size_t>(offsets[long_row]);
        }
        CHECK(first == batch.parts.size());
    }
    for (std::size_t r = 0; r < lengths.size(); ++r) CHECK(covered[r] == (lengths[r] > longest ? lengths[r] : 0));
}

template <class S> using table = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Few users with very long rows among many with short and empty ones.
rs::csr tall_matrix(std::size_t n_items, std::vector<std::size_t> const& lengths) {
    std::vector<rs::matrix_entry<float>> rows;
    rs::random_stream random(31);
    for (std::size_t u = 0; u < lengths.size(); ++u)
        for (std::size_t k = 0; k < lengths[u]; ++k) // steps that meet no item twice
            rows.push_back({static_cast<rs::user_index>(u), static_cast<rs::item_index>((k * 7 + u) % n_items),
                            static_cast<float>(random.below(4)) - (random.below(9) == 0 ? 3.f : 0.f)});
    return rs::csr_from(rows, {.duplicates = rs::duplicates::error, .n_users = lengths.size(), .n_items = n_items});
}

template <class S> struct solved {
    table<S> x;
    double loss = 0;
};

template <class S> solved<S> users_step(rs::csr const& m, table<S> const& y, rs::detail::als_step_options const& options,
                                        std::size_t threads, table<S> const& start) {
    auto const f = static_cast<std::size_t>(y.cols());
    auto const level = rs::detail::active_simd_level();
    rs::detail::team workers(threads);
    std::span<S const> const fixed(y.data(), static_cast<std::size_t>(y.size()));
    auto const gramian = rs::detail::gramian(fixed, f, workers, rs::detail::kernels<double>(level));
    auto const basis = rs::detail::basis_of<S>(gramian.span(), f, options.objective, m.n_items(), "item", level);
    rs::detail::als_stepper<S> stepper(f, workers, level, options.solver == rs::als_solver::cg);
    als_plan const plan(m.offsets(), rs::detail::als_row_solver<S>::most_entries, f);
    rs::detail::als_side<rs::item_index, float> const side{m.offsets(), m.columns(), m.values()};
    solved<S> out{start, 0};
    out.loss = stepper.step(side, plan, basis, fixed, std::span<S>(out.x.data(), static_cast<std::size_t>(out.x.size())), options);
    return out;
}

template <class S> table<S> random_table(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    rs::random_stream random(seed);
    table<S> out(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
    for (Eigen::Index i = 0; i < out.size(); ++i) out.data()[i] = static_cast<S>(0.3 * random.normal());
    return out;
}

template <class S> void check_half_step(std::vector<std::size_t> const& lengths, std::size_t n_items) {
    auto const m = tall_matrix(n_items, lengths);
    auto const y = random_table<S>(n_items, 7, 1);
    double const alpha = 2, lambda = 0.7;
    dense_als::problem const problem(m, alpha, lambda);
    dense_als::matrix const wide = y.template cast<double>(), wanted = problem.users_for(wide);
    auto const start = random_table<S>(lengths.size(), 7, 2);
    auto const got = users_step<S>(m, y, {.objective = {.alpha = alpha, .regularization = lambda}}, 1, start);
    double const near_enough = std::is_same_v<S, float> ? 2e-5 : 1e-11;
    CHECK(dense_als::distance(got.x.template cast<double>(), wanted) < near_enough);
    for (std::size_t u = 0; u < lengths.size(); ++u)
        if (lengths[u] == 0) CHECK(got.x.row(static_cast<Eigen::Index>(u)).isZero(0));
    double const loss = problem.loss(wanted, wide) - lambda * wide.squaredNorm();
    CHECK(got.loss == doctest::Approx(loss).epsilon(near_enough));
    // The same bits for any number of threads, and whatever was there before.
    for (std::size_t const threads : {2u, 7u}) {
        auto const again =
            users_step<S>(m, y, {.objective = {.alpha = alpha, .regularization = lambda}}, threads, random_table<S>(lengths.size(), 7, 3));
        CHECK(again.x == got.x);
        CHECK(again.loss == got.loss);
    }
}

}

TEST_CASE("a plan covers each row once, and long rows in parts") {
    std::vector<std::size_t> lengths(1000, 3);
    check_plan(lengths, 8192, 64);
    lengths[0] = 9000, lengths[17] = 500000, lengths[999] = 8193, lengths[500] = 8192, lengths[3] = 0;
    check_plan(lengths, 8192, 64);
    check_plan(lengths, 8192, 1);
    check_plan(lengths, 8192, 700);
    check_plan(lengths, 8192, 4096);
    check_plan(std::vector<std::size_t>(300, 10000), 8192, 64);
    check_plan({}, 8192, 64);
    check_plan({0}, 8192, 64);
    check_plan({20000}, 8192, 64);
}

TEST_CASE_TEMPLATE("a half-step solves short, long and empty rows as densely in double, and tells the loss", S, float, double) {
    check_half_step<S>({0, 3, 9000, 40, 8192, 8193, 0, 1, 20000, 600}, 20000);
    std::vector<std::size_t> many;
    for (int k = 0; k < 600; ++k) many.push_back(static_cast<std::size_t>(k % 30));
    check_half_step<S>(many, 500);
}

TEST_CASE_TEMPLATE("a half-step of conjugate gradients goes on from what is there, and is near the exact one", S, float, double) {
    std::vector<std::size_t> lengths{0, 3, 9000, 40, 1500};
    for (int k = 0; k < 100; ++k) lengths.push_back(static_cast<std::size_t>(3 * k));
    auto const m = tall_matrix(10000, lengths);
    auto const y = random_table<S>(10000, 9, 4);
    dense_als::problem const problem(m, 1, 0.1);
    dense_als::matrix const wide = y.template cast<double>(), wanted = problem.users_for(wide);
    auto const start = random_table<S>(lengths.size(), 9, 5);
    rs::detail::als_step_options options{.objective = {.regularization = 0.1}, .solver = rs::als_solver::cg, .cg_steps = 2, .warm = true};
    auto const once = users_step<S>(m, y, options, 1, start);
    auto const twice = users_step<S>(m, y, options, 2, once.x);
    options.cg_steps = 40, options.warm = false;
    auto const many = users_step<S>(m, y, options, 7, start);
    auto const distance = [&](auto const& x) { return dense_als::distance(x.template cast<double>(), wanted); };
    CHECK(distance(twice.x) < distance(once.x));
    CHECK(twice.loss < once.loss);
    CHECK(distance(many.x) < (std::is_same_v<S, float> ? 2e-5 : 1e-11));
    for (auto const* one : {&once, &twice, &many})
        CHECK(one->loss + 0.1 * wide.squaredNorm() == doctest::Approx(problem.loss(one->x.template cast<double>(), wide)).epsilon(1e-5));
}
