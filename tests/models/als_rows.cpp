// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "support/dense_als.hpp"
#include "support/factor_tables.hpp"

namespace rs = recsys;
using rs::detail::als_row_solver;

namespace {

/// What a row of entries on a table Z is: (I + sum of (c - 1) z z') w = sum of c p z, solved densely in double.
template <class S> struct row_case {
    std::size_t n_factors, n_rows;
    std::vector<S> z; // n_rows x row_length
    std::vector<rs::item_index> ids;
    std::vector<float> values;
    double alpha = 1;

    Eigen::Map<Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> const> table(std::size_t ld) const {
        return {z.data(), static_cast<Eigen::Index>(n_rows), static_cast<Eigen::Index>(ld)};
    }
    dense_als::vector solution(std::size_t ld) const {
        auto const f = static_cast<Eigen::Index>(n_factors);
        dense_als::matrix a = dense_als::matrix::Identity(f, f);
        dense_als::vector b = dense_als::vector::Zero(f);
        for (std::size_t k = 0; k < ids.size(); ++k) {
            dense_als::vector const y =
                table(ld).row(static_cast<Eigen::Index>(rs::to_size(ids[k]))).head(f).transpose().template cast<double>();
            double const r = static_cast<double>(values[k]), excess = alpha * std::abs(r);
            a += excess * y * y.transpose();
            if (r > 0) b += (1 + excess) * y;
        }
        return a.ldlt().solve(b);
    }
    /// |w|^2 + the part of the loss of the entries: their cells as they are, less what |w|^2 already has of them.
    double loss(dense_als::vector const& w, std::size_t ld) const {
        double sum = w.squaredNorm();
        for (std::size_t k = 0; k < ids.size(); ++k) {
            auto const y = table(ld).row(static_cast<Eigen::Index>(rs::to_size(ids[k]))).head(w.size()).template cast<double>();
            double const r = static_cast<double>(values[k]), c = 1 + alpha * std::abs(r), p = r > 0 ? 1 : 0, score = y.dot(w);
            if (r != 0) sum += c * (p - score) * (p - score) - score * score;
        }
        return sum;
    }
};

template <class S> row_case<S> random_case(std::size_t n_factors, std::size_t length, double alpha, std::size_t ld) {
    rs::random_stream random(length + 1000 * n_factors);
    row_case<S> out{n_factors, length + 5, std::vector<S>((length + 5) * ld), {}, {}, alpha};
    for (std::size_t i = 0; i < out.n_rows; ++i)
        for (std::size_t j = 0; j < n_factors; ++j) out.z[i * ld + j] = static_cast<S>(random.normal() / std::sqrt(double(n_factors)));
    for (std::size_t k = 0; k < length; ++k) {
        out.ids.push_back(static_cast<rs::item_index>(length + 4 - k));
        auto const kind = random.below(8); // some zeros, some negative ones
        out.values.push_back(kind == 0 ? 0.f : kind == 1 ? -1.5f : static_cast<float>(1 + random.below(5)));
    }
    return out;
}

template <class S> void read(als_row_solver<S>& solver, row_case<S> const& row) {
    solver.entries().read(std::span<rs::item_index const>(row.ids), std::span<float const>(row.values), {}, {.alpha = row.alpha});
}
template <class S> double error_of(std::vector<S> const& w, dense_als::vector const& wanted) {
    double worst = 0;
    for (Eigen::Index j = 0; j < wanted.size(); ++j)
        worst = std::max(worst, std::abs(static_cast<double>(w[static_cast<std::size_t>(j)]) - wanted[j]));
    return worst / (1e-3 + wanted.cwiseAbs().maxCoeff());
}
template <class S> double tolerance() { return std::is_same_v<S, float> ? 1e-4 : 1e-11; }

}

TEST_CASE("the entries of a row: c = 1 + alpha |r|, p = [r > 0], zeros left out") {
    rs::detail::als_entries<double> entries(4);
    std::vector<rs::user_index> const ids{rs::user_index{3}, rs::user_index{5}, rs::user_index{9}};
    std::vector<int> const values{2, 0, -3};
    entries.read(std::span<rs::user_index const>(ids), std::span<int const>(values), {}, {.alpha = 8});
    REQUIRE(entries.size() == 2);
    CHECK(entries.id()[0] == 3);
    CHECK(entries.id()[1] == 9);
    CHECK(entries.root()[0] == 4);
    CHECK(entries.right()[0] == 17);
    CHECK(entries.root()[1] == doctest::Approx(std::sqrt(24.)));
    CHECK(entries.right()[1] == 0);
    CHECK(entries.least_root() == 4);
    CHECK(entries.constant() == 17);
}

TEST_CASE_TEMPLATE("every length of row is solved as densely in double, and tells its share of the loss", S, float, double) {
    for (std::size_t const f : {1u, 3u, 16u, 33u, 64u}) {
        std::vector<als_row_solver<S>> solvers; // one for each level
        for (auto const level : factor_tables::levels()) solvers.emplace_back(rs::detail::kernels<S>(level), f);
        for (std::size_t const length : {1u, 2u, 15u, 16u, 17u, 32u, 33u, 63u, 64u, 65u, 200u, 512u, 513u, 1500u})
            for (double const alpha : {0.0, 1.0, 40.0}) {
                auto const wanted = random_case<S>(f, length, alpha, f).solution(f);
                double const wanted_loss = random_case<S>(f, length, alpha, f).loss(wanted, f);
                for (auto& solver : solvers) {
                    std::size_t const ld = solver.row_length();
                    auto const row = random_case<S>(f, length, alpha, ld);
                    std::vector<S> w(ld, S{7});
                    read(solver, row);
                    double const loss = solver.solve(row.z.data(), 0, w.data());
                    CAPTURE(f);
                    CAPTURE(length);
                    CAPTURE(alpha);
                    CHECK(error_of(w, wanted) < tolerance<S>());
                    CHECK(loss == doctest::Approx(wanted_loss).epsilon(10 * tolerance<S>()));
                }
            }
    }
}

TEST_CASE_TEMPLATE("a row without entries that count has zeros", S, float, double) {
    als_row_solver<S> solver(rs::detail::kernels<S>(rs::detail::active_simd_level()), 5, true);
    std::vector<S> const z(solver.row_length(), S{1});
    std::vector<rs::item_index> const ids{rs::item_index{0}};
    std::vector<float> const zero{0};
    for (std::size_t const n : {0u, 1u}) {
        std::vector<S> w(solver.row_length(), S{3});
        solver.entries().read(std::span(ids).first(n), std::span<float const>(zero).first(n), {}, {});
        CHECK(solver.solve(z.data(), 0, w.data()) == 0);
        CHECK(w == std::vector<S>(solver.row_length()));
        std::fill(w.begin(), w.end(), S{3});
        CHECK(solver.solve_cg(z.data(), 0, 3, w.data()) == 0);
        CHECK(w == std::vector<S>(solver.row_length()));
    }
}

TEST_CASE_TEMPLATE("parts of a row add up to the row", S, float, double) {
    std::size_t const f = 10, length = 2000;
    als_row_solver<S> solver(rs::detail::kernels<S>(rs::detail::active_simd_level()), f);
    std::size_t const ld = solver.row_length();
    auto const row = random_case<S>(f, length, 2, ld);
    rs::detail::als_system whole(ld), second(ld);
    for (std::size_t const first : {0u, 700u, 1400u}) {
        std::size_t const n = std::min<std::size_t>(700, length - first);
        solver.entries().read(std::span(row.ids).subspan(first, n), std::span<float const>(row.values).subspan(first, n), {},
                              {.alpha = row.alpha});
        solver.accumulate(row.z.data(), first == 700 ? second : whole);
    }
    whole.add(second);
    std::vector<S> w(ld);
    double const loss = solver.solve(whole, 0, w.data());
    CHECK(error_of(w, row.solution(ld)) < tolerance<S>());
    CHECK(loss == doctest::Approx(row.loss(row.solution(ld), ld)).epsilon(10 * tolerance<S>()));
}

TEST_CASE_TEMPLATE("conjugate gradients come to the exact solution as the steps grow, and each step tells its true loss", S, float,
                   double) {
    std::size_t const f = 20;
    als_row_solver<S> solver(rs::detail::kernels<S>(rs::detail::active_simd_level()), f, true);
    std::size_t const ld = solver.row_length();
    for (std::size_t const length : {10u, 24u, 25u, 90u, 1025u, 8192u})
        for (double const alpha : {1.0, 40.0}) {
            auto const row = random_case<S>(f, length, alpha, ld);
            auto const wanted = row.solution(ld);
            double last = std::numeric_limits<double>::infinity();
            for (std::size_t const steps : {1u, 2u, 3u, 5u, 10u, 40u}) {
                std::vector<S> w(ld);
                read(solver, row);
                double const loss = solver.solve_cg(row.z.data(), 0, steps, w.data());
                dense_als::vector wide(static_cast<Eigen::Index>(f));
                for (std::size_t j = 0; j < f; ++j) wide[static_cast<Eigen::Index>(j)] = static_cast<double>(w[j]);
                CAPTURE(length);
                CAPTURE(alpha);
                CAPTURE(steps);
                CHECK(loss == doctest::Approx(row.loss(wide, ld)).epsilon(20 * tolerance<S>()));
                CHECK(loss <= last * (1 + 20 * tolerance<S>()));
                last = loss;
                if (steps == 40) CHECK(error_of(w, wanted) < 10 * tolerance<S>());
            }
        }
}

TEST_CASE("conjugate gradients that begin at the solution stay there") {
    std::size_t const f = 12;
    als_row_solver<double> solver(rs::detail::kernels<double>(rs::detail::active_simd_level()), f, true);
    std::size_t const ld = solver.row_length();
    auto const row = random_case<double>(f, 100, 3, ld);
    std::vector<double> exact(ld);
    read(solver, row);
    solver.solve(row.z.data(), 0, exact.data());
    auto w = exact;
    read(solver, row);
    solver.solve_cg(row.z.data(), 0, 5, w.data());
    for (std::size_t j = 0; j < ld; ++j) CHECK(w[j] == doctest::Approx(exact[j]).epsilon(1e-10));
}

TEST_CASE_TEMPLATE("confidences too large for the scalar type are an error that says what to do, never a NaN", S, float, double) {
    als_row_solver<S> solver(rs::detail::kernels<S>(rs::detail::active_simd_level()), 4);
    std::size_t const ld = solver.row_length();
    std::vector<S> const z(3 * ld, S{1});
    std::vector<rs::item_index> const ids{rs::item_index{0}, rs::item_index{1}, rs::item_index{2}};
    std::vector<double> const values(3, 1);
    std::vector<S> w(ld);
    solver.entries().read(std::span(ids), std::span<double const>(values), {}, {.alpha = std::is_same_v<S, float> ? 1e38 : 1e308});
    CHECK_THROWS_WITH_AS(solver.solve(z.data(), 0, w.data()), doctest::Contains("lower alpha"), rs::data_error);
}
