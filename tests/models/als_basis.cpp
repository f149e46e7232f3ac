// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include <Eigen/Core>

#include "support/dense_als.hpp"

namespace rs = recsys;
using rs::detail::als_basis;
using rs::detail::buffer;

namespace {

template <class S> using table = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class S> table<S> random_table(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
    rs::random_stream random(seed);
    table<S> out(rows, columns);
    for (Eigen::Index i = 0; i < out.size(); ++i) out.data()[i] = static_cast<S>(random.normal());
    return out;
}
template <class S> std::span<S const> span_of(table<S> const& t) { return {t.data(), static_cast<std::size_t>(t.size())}; }
template <class S> buffer<double> gramian_of(table<S> const& t, std::size_t threads = 1) {
    rs::detail::team workers(threads);
    return rs::detail::gramian(span_of(t), static_cast<std::size_t>(t.cols()), workers,
                               rs::detail::kernels<double>(rs::detail::active_simd_level()));
}
std::optional<als_basis> basis_of(std::span<double const> gramian, std::size_t n_factors, double regularization) {
    return als_basis::make(gramian, n_factors, 1, regularization, rs::detail::kernels<double>(rs::detail::active_simd_level()));
}

}

TEST_CASE("c21 a row's place in a table of factors does not overflow") {
    static_assert(rs::detail::row_place(4091536, 1011) == 4136542896u);
    static_assert(std::is_same_v<decltype(rs::detail::row_place(1, 1)), std::size_t>);
    CHECK(rs::detail::row_place(2147483647, 4096) == 8796093018112u);
    CHECK_THROWS_AS(rs::detail::checked_product(std::size_t{1} << 40, std::size_t{1} << 40, "als"), rs::data_error);
}

TEST_CASE_TEMPLATE("the Gramian is Y'Y, both triangles, the same bits for any number of threads", S, float, double) {
    for (Eigen::Index const f : {1, 5, 8, 17})
        for (Eigen::Index const rows : {0, 1, 63, 64, 65, 5000}) {
            auto const y = random_table<S>(rows, f, 1);
            dense_als::matrix const wide = y.template cast<double>(), wanted = wide.transpose() * wide;
            auto const g = gramian_of(y);
            REQUIRE(g.size() == static_cast<std::size_t>(f * f));
            Eigen::Map<dense_als::matrix const> const got(g.data(), f, f);
            CHECK((got - wanted).cwiseAbs().maxCoeff() <= 1e-14 * (1 + wanted.cwiseAbs().maxCoeff()));
            CHECK(got == got.transpose());
            for (std::size_t const threads : {2u, 7u}) {
                auto const again = gramian_of(y, threads);
                CHECK(std::equal(again.begin(), again.end(), g.begin()));
            }
        }
}

TEST_CASE_TEMPLATE("in the basis G + lambda I is the identity, and there is a way back", S, float, double) {
    double const near_enough = std::is_same_v<S, float> ? 3e-6 : 1e-13;
    for (Eigen::Index const f : {1, 6, 8, 21}) {
        auto const n = static_cast<std::size_t>(f);
        auto const y = random_table<S>(60, f, 2);
        double const lambda = 0.5;
        auto const basis = basis_of(gramian_of(y).span(), n, lambda);
        REQUIRE(basis);
        auto const kernel = rs::detail::kernels<S>(rs::detail::active_simd_level());
        auto const ld = static_cast<Eigen::Index>(kernel.padded(n));
        table<S> z(60, ld), back(60, f), w(60, ld);
        basis->whiten(y.data(), n, 60, z.data(), static_cast<std::size_t>(ld), kernel);
        CHECK(z.rightCols(ld - f).isZero(0)); // padding
        // z'z = inv(U)' Y'Y inv(U) = I - lambda inv(U)' inv(U): with all of lambda's part put back, the identity.
        table<S> const unit = table<S>::Identity(f, f);
        table<S> root(f, ld);
        basis->whiten(unit.data(), n, n, root.data(), static_cast<std::size_t>(ld), kernel);
        dense_als::matrix const zz = z.leftCols(f).template cast<double>(), rr = root.leftCols(f).template cast<double>();
        dense_als::matrix const identity = zz.transpose() * zz + lambda * rr.transpose() * rr;
        CHECK((identity - dense_als::matrix::Identity(f, f)).cwiseAbs().maxCoeff() < 10 * near_enough);
        // w = U x and x = inv(U) w undo each other; scores are y'x = z'w.
        auto const x = random_table<S>(60, f, 3);
        basis->rewhiten(x.data(), n, 60, w.data(), static_cast<std::size_t>(ld), kernel);
        basis->unwhiten(w.data(), static_cast<std::size_t>(ld), 60, back.data(), n, kernel);
        CHECK(dense_als::distance(back.template cast<double>(), x.template cast<double>()) < 10 * near_enough);
        dense_als::matrix const scores = x.template cast<double>() * y.template cast<double>().transpose();
        dense_als::matrix const white = w.leftCols(f).template cast<double>() * zz.transpose();
        CHECK(dense_als::distance(white, scores) < 10 * near_enough);
    }
}

TEST_CASE("c29 a Gramian without lambda that is singular gives no basis, with lambda it does") {
    auto y = random_table<double>(4, 6, 4); // six factors of four rows
    CHECK_FALSE(basis_of(gramian_of(y).span(), 6, 0));
    CHECK(basis_of(gramian_of(y).span(), 6, 0.01));
    y = random_table<double>(40, 6, 5);
    CHECK(basis_of(gramian_of(y).span(), 6, 0));
    y.col(5) = 2 * y.col(0) - y.col(3); // forty rows, but of rank five
    CHECK_FALSE(basis_of(gramian_of(y).span(), 6, 0));
    y.setZero();
    CHECK_FALSE(basis_of(gramian_of(y).span(), 6, 0));
    CHECK(basis_of(gramian_of(y).span(), 6, 1e-30));
    y.setConstant(std::numeric_limits<double>::quiet_NaN());
    CHECK_FALSE(basis_of(gramian_of(y).span(), 6, 1));
}

TEST_CASE("a scale of the factors by itself is not singular") {
    for (double const scale : {1e-100, 1e-12, 1e12, 1e100}) {
        auto y = random_table<double>(40, 5, 6);
        y *= scale;
        y.col(2) *= 1e-20; // columns of very different size are no trouble either
        CHECK(basis_of(gramian_of(y).span(), 5, 0));
    }
}
