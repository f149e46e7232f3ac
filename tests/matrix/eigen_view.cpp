// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstdint>
#include <limits>
#include <vector>

#include <Eigen/SparseCore>

#include "support/interactions.hpp"

namespace rs = recsys;

namespace {

template <class Matrix> Matrix sample() {
    using scalar = typename Matrix::Scalar;
    std::vector<Eigen::Triplet<scalar>> const triplets{{0, 2, 3}, {1, 0, 1}, {1, 3, scalar(-2)}, {4, 1, 0}};
    Matrix m(5, 4);
    m.setFromTriplets(triplets.begin(), triplets.end());
    return m;
}
using row_major = Eigen::SparseMatrix<float, Eigen::RowMajor>;
using column_major = Eigen::SparseMatrix<double>;

}

TEST_CASE("a row-major Eigen matrix is read in place, its offsets widened") {
    auto const eigen = sample<row_major>();
    auto const m = rs::csr_view(eigen);
    static_assert(std::is_same_v<decltype(m), rs::csr const>);
    CHECK(m.n_users() == 5);
    CHECK(m.n_items() == 4);
    CHECK(m.values().data() == eigen.valuePtr());
    CHECK(static_cast<void const*>(m.columns().data()) == eigen.innerIndexPtr());
    CHECK(m.seen(rs::user_index{1})[1] == rs::item_index{3});
    CHECK(m.weights(rs::user_index{1})[1] == -2);
    CHECK(m.report().stored_zeros == 1);
    CHECK(rs::als({.factors = 2, .regularization = 1, .iterations = 1}).fit(m).n_users() == 5);
    Eigen::Map<row_major const> const map(eigen.rows(), eigen.cols(), eigen.nonZeros(), eigen.outerIndexPtr(), eigen.innerIndexPtr(),
                                          eigen.valuePtr());
    auto const again = rs::csr_view(map);
    CHECK(again.values().data() == eigen.valuePtr());
}

TEST_CASE("a column-major Eigen matrix is read in place by item") {
    auto const eigen = sample<column_major>();
    auto const m = rs::csc_view(eigen);
    static_assert(std::is_same_v<decltype(m), rs::basic_csc<double> const>);
    CHECK(m.n_users() == 5);
    CHECK(m.users(rs::item_index{3})[0] == rs::user_index{1});
    CHECK(m.values().data() == eigen.valuePtr());
    auto const by_user = rs::transpose(m);
    CHECK(by_user.weights(rs::user_index{0})[0] == 3);
}

TEST_CASE("a matrix that is not compressed is an error that says what to do") {
    row_major eigen(2, 2);
    eigen.reserve(Eigen::VectorXi::Constant(2, 2));
    eigen.insert(0, 1) = 1;
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::csr_view(eigen)), doctest::Contains("makeCompressed()"), rs::data_error);
    eigen.makeCompressed();
    CHECK(rs::csr_view(eigen).n_entries() == 1);
}

TEST_CASE("raw arrays keep their value type and are checked") {
    std::vector<std::int64_t> const offsets{0, 2, 3};
    std::vector<std::uint32_t> const columns{0, 2, 1};
    std::vector<std::uint8_t> const values{1, 255, 3};
    auto const view = [&](std::size_t n_items) {
        return rs::csr_view(2, n_items, std::span<std::int64_t const>(offsets), std::span<std::uint32_t const>(columns),
                            std::span<std::uint8_t const>(values));
    };
    auto const m = view(3);
    static_assert(std::is_same_v<decltype(m), rs::basic_csr<std::uint8_t> const>);
    CHECK(m.offsets().data() == offsets.data()); // 64 bits wide: not even the offsets are copied
    CHECK(m.values()[1] == 255);
    CHECK_THROWS_WITH_AS(view(2), doctest::Contains("row 0 has item 2"), rs::data_error);
    std::vector<std::int32_t> const negative{0, -1, 1};
    CHECK_THROWS_AS(static_cast<void>(rs::csr_view(2, 3, std::span<std::int64_t const>(offsets), std::span<std::int32_t const>(negative),
                                                   std::span<std::uint8_t const>(values))),
                    rs::data_error);
    std::vector<int> const wrong{0, -2, 3};
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::csr_view(2, 3, std::span<int const>(wrong), std::span<std::uint32_t const>(columns),
                                                        std::span<std::uint8_t const>(values))),
                         doctest::Contains("offset 1 is -2"), rs::data_error);
    std::vector<std::uint64_t> const huge{0, std::numeric_limits<std::uint64_t>::max(), 3};
    CHECK_THROWS_AS(static_cast<void>(rs::csr_view(2, 3, std::span<std::uint64_t const>(huge), std::span<std::uint32_t const>(columns),
                                                   std::span<std::uint8_t const>(values))),
                    rs::data_error);
}

TEST_CASE("to Eigen and back is the same matrix, in both orders and wider types") {
    auto const m = rs::user_items(recsys_test::interactions_data(20, 30, 300, 8));
    auto const rows = rs::to_eigen<row_major>(m);
    auto const back = rs::csr_view(rows);
    CHECK(std::equal(back.values().begin(), back.values().end(), m.values().begin(), m.values().end()));
    CHECK(std::equal(back.columns().begin(), back.columns().end(), m.columns().begin(), m.columns().end()));
    auto const columns = rs::to_eigen<column_major>(m);
    CHECK(columns.isCompressed());
    CHECK(columns.rows() == 20);
    CHECK((columns - column_major(rows.cast<double>())).norm() == 0);
    CHECK(columns.sum() == doctest::Approx(static_cast<double>(rows.sum())));
}

TEST_CASE("c20 a storage index that is too narrow for the entries is refused, not wrapped") {
    std::vector<rs::matrix_entry<float>> rows;
    for (std::uint32_t u = 0; u < 20; ++u)
        for (std::uint32_t i = 0; i < 15; ++i) rows.push_back({rs::user_index{u}, rs::item_index{i}, 1});
    using narrow = Eigen::SparseMatrix<float, Eigen::RowMajor, signed char>;
    auto const m = rs::csr_from(rows);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::to_eigen<narrow>(m)),
                         doctest::Contains("300 entries do not fit the storage index of the target (at most 127)"), rs::data_error);
    rows.resize(100);
    CHECK(rs::to_eigen<narrow>(rs::csr_from(rows)).nonZeros() == 100);
}
