// SPDX-License-Identifier: MIT
// ALS computed plainly: dense matrices in double, one Cholesky a row, every pair of the loss.
#ifndef RECSYS_TESTS_DENSE_ALS_HPP
#define RECSYS_TESTS_DENSE_ALS_HPP

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <Eigen/Core>

#include <recsys_under_test.hpp>

namespace dense_als {

namespace rs = recsys;
using matrix = Eigen::MatrixXd;
using vector = Eigen::VectorXd;
using by_rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Loops over numbers, which sanitizers would only slow down: most of the time of these tests would be theirs.
#if defined(__GNUC__)
#define RECSYS_TESTS_PLAIN __attribute__((no_sanitize("address", "undefined")))
#else
#define RECSYS_TESTS_PLAIN
#endif

struct table {
    double const* numbers;
    std::ptrdiff_t rows, columns;
};

/// x with (F' W F + lambda I) x = F' W p, F by rows: LDL' without pivots, for the system is symmetric and not negative; 0 where it is singular.
RECSYS_TESTS_PLAIN inline void solve_row(table f, double const* w, double const* p, double lambda, double* a, double* x) {
    auto const n = f.columns;
    for (std::ptrdiff_t i = 0; i < n * n; ++i) a[i] = 0;
    for (std::ptrdiff_t i = 0; i < n; ++i) a[i * n + i] = lambda, x[i] = 0;
    for (std::ptrdiff_t k = 0; k < f.rows; ++k) {
        if (w[k] == 0) continue;
        double const* const row = f.numbers + k * n;
        for (std::ptrdiff_t i = 0; i < n; ++i) {
            double const scaled = w[k] * row[i];
            double* const to = a + i * n;
            for (std::ptrdiff_t j = 0; j <= i; ++j) to[j] += scaled * row[j];
            x[i] += scaled * p[k];
        }
    }
    for (std::ptrdiff_t i = 0; i < n; ++i) { // below the diagonal L, on it D
        double* const to = a + i * n;
        for (std::ptrdiff_t j = 0; j < i; ++j) {
            double const* const other = a + j * n;
            double sum = to[j];
            for (std::ptrdiff_t k = 0; k < j; ++k) sum -= to[k] * other[k];
            to[j] = sum; // L D as yet
        }
        for (std::ptrdiff_t j = 0; j < i; ++j) {
            double const d = a[j * n + j], times_d = to[j];
            to[j] = d > 0 ? times_d / d : 0;
            to[i] -= to[j] * times_d;
        }
        for (std::ptrdiff_t j = 0; j < i; ++j) x[i] -= to[j] * x[j];
    }
    for (std::ptrdiff_t i = 0; i < n; ++i) x[i] = a[i * n + i] > 0 ? x[i] / a[i * n + i] : 0;
    for (std::ptrdiff_t i = n; i-- > 0;)
        for (std::ptrdiff_t j = 0; j < i; ++j) x[j] -= a[i * n + j] * x[i];
}

/// The sum over all pairs of c (p - x y')^2; x and y by rows, c and p by columns.
RECSYS_TESTS_PLAIN inline double squares(table x, table y, double const* c, double const* p) {
    double sum = 0;
    for (std::ptrdiff_t i = 0; i < y.rows; ++i)
        for (std::ptrdiff_t u = 0; u < x.rows; ++u) {
            double rest = p[i * x.rows + u];
            for (std::ptrdiff_t k = 0; k < x.columns; ++k) rest -= x.numbers[u * x.columns + k] * y.numbers[i * x.columns + k];
            sum += c[i * x.rows + u] * rest * rest;
        }
    return sum;
}

/// A sparse matrix as confidences c = 1 + alpha s(|r|) and preferences p, [r > 0] if they are not given; what is not stored, and stored zeros, have
/// the unobserved weight and 0. Every row has a lambda of its own.
struct problem {
    matrix c, p;
    vector user_lambda, item_lambda;
    bool biases = false; ///< then users are rows (x, b, 1), items (y, 1, b), as a model has them

    template <class Value> problem(rs::basic_csr<Value> const& m, double alpha, double regularization)
        : problem(m, {.regularization = regularization, .alpha = alpha}) {}

    template <class Value> problem(rs::basic_csr<Value> const& m, rs::als_options const& o, rs::csr const* preferences = nullptr)
        : c(matrix::Constant(static_cast<Eigen::Index>(m.n_users()), static_cast<Eigen::Index>(m.n_items()), o.unobserved_weight)),
          p(matrix::Zero(c.rows(), c.cols())),
          user_lambda(c.rows()),
          item_lambda(c.cols()),
          biases(o.biases) {
        vector of_user = vector::Zero(c.rows()), of_item = vector::Zero(c.cols());
        for (Eigen::Index u = 0; u < c.rows(); ++u) {
            auto const user = static_cast<rs::user_index>(u);
            for (std::size_t k = 0; k < m.seen(user).size(); ++k) {
                auto const i = static_cast<Eigen::Index>(rs::to_size(m.seen(user)[k]));
                auto const r = static_cast<double>(m.weights(user)[k]);
                if (r == 0) continue;
                of_user[u] += 1, of_item[i] += 1;
                c(u, i) = 1 + o.alpha * shape(o, std::abs(r));
                p(u, i) = preferences ? static_cast<double>(preferences->weights(user)[k]) : r > 0 ? 1 : 0;
            }
        }
        auto const lambda = [&](double n, Eigen::Index n_other) {
            return o.regularization * std::pow(n + o.unobserved_weight * static_cast<double>(n_other), o.frequency_power);
        };
        for (Eigen::Index u = 0; u < c.rows(); ++u) user_lambda[u] = lambda(of_user[u], c.cols());
        for (Eigen::Index i = 0; i < c.cols(); ++i) item_lambda[i] = lambda(of_item[i], c.rows());
    }

    /// The whole objective: Hu, Koren, Volinsky (2008), eq. 3, with the lambdas of Rendle et al. (2021).
    double loss(matrix const& x, matrix const& y) const {
        double const ones = biases ? 1 : 0; // they cost nothing
        by_rows const users = x, items = y;
        return squares({users.data(), x.rows(), x.cols()}, {items.data(), y.rows(), y.cols()}, c.data(), p.data()) +
               user_lambda.dot((x.rowwise().squaredNorm().array() - ones).matrix()) +
               item_lambda.dot((y.rowwise().squaredNorm().array() - ones).matrix());
    }
    /// Every user's best factors for these item factors: eq. 4.
    matrix users_for(matrix const& y) const {
        if (!biases) return solve(c, p, user_lambda, y);
        auto const f = y.cols() - 2;
        matrix const rest = p.rowwise() - y.col(f + 1).transpose();
        matrix out(c.rows(), y.cols());
        out << solve(c, rest, user_lambda, y.leftCols(f + 1)), vector::Ones(c.rows());
        return out;
    }
    matrix items_for(matrix const& x) const {
        if (!biases) return solve(c.transpose(), p.transpose(), item_lambda, x);
        auto const f = x.cols() - 2;
        matrix const rest = p.transpose().rowwise() - x.col(f).transpose();
        matrix fixed(x.rows(), f + 1);
        fixed << x.leftCols(f), vector::Ones(x.rows());
        matrix const solved = solve(c.transpose(), rest, item_lambda, fixed);
        matrix out(c.cols(), x.cols());
        out << solved.leftCols(f), vector::Ones(c.cols()), solved.col(f);
        return out;
    }

private:
    static double shape(rs::als_options const& o, double size) {
        if (o.confidence_shape) return o.confidence_shape(size);
        return o.confidence == rs::confidence_form::log ? std::log1p(size / o.epsilon) : size;
    }
    static matrix solve(matrix const& weights, matrix const& wanted, vector const& lambda, matrix const& fixed) {
        by_rows const f = fixed, w = weights, p = wanted;
        by_rows out(weights.rows(), fixed.cols());
        std::vector<double> system(static_cast<std::size_t>(f.cols() * f.cols()));
        for (Eigen::Index row = 0; row < out.rows(); ++row)
            solve_row({f.data(), f.rows(), f.cols()}, w.row(row).data(), p.row(row).data(), lambda[row], system.data(),
                      out.row(row).data());
        return out;
    }
};

template <class Scalar> matrix users_of(rs::basic_als_model<Scalar> const& model) { return model.user_matrix().template cast<double>(); }
template <class Scalar> matrix items_of(rs::basic_als_model<Scalar> const& model) { return model.item_matrix().template cast<double>(); }

/// The largest difference, beside the largest number of the second.
inline double distance(matrix const& a, matrix const& b) {
    return (a - b).cwiseAbs().maxCoeff() / std::max(1e-300, b.cwiseAbs().maxCoeff());
}
template <class Scalar> double distance(std::vector<Scalar> const& a, std::span<Scalar const> b) {
    double most = 0, size = 1e-300;
    for (std::size_t i = 0; i < b.size(); ++i) {
        most = std::max(most, std::abs(static_cast<double>(a.at(i)) - static_cast<double>(b[i])));
        size = std::max(size, std::abs(static_cast<double>(b[i])));
    }
    return most / size;
}

}

#undef RECSYS_TESTS_PLAIN
#endif
