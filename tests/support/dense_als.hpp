// SPDX-License-Identifier: MIT
// ALS computed plainly: dense matrices in double, one Cholesky a row, every pair of the loss.
#ifndef RECSYS_TESTS_DENSE_ALS_HPP
#define RECSYS_TESTS_DENSE_ALS_HPP

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <recsys_under_test.hpp>

namespace dense_als {

namespace rs = recsys;
using matrix = Eigen::MatrixXd;
using vector = Eigen::VectorXd;

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
        return (c.array() * (p - x * y.transpose()).array().square()).sum() +
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
        matrix out(weights.rows(), fixed.cols());
        for (Eigen::Index row = 0; row < out.rows(); ++row) {
            matrix const a =
                fixed.transpose() * weights.row(row).asDiagonal() * fixed + lambda[row] * matrix::Identity(out.cols(), out.cols());
            vector const b = fixed.transpose() * weights.row(row).cwiseProduct(wanted.row(row)).transpose();
            out.row(row) = a.ldlt().solve(b).transpose();
        }
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

#endif
