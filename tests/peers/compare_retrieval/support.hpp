// SPDX-License-Identifier: MIT
// What the program measured for retrieval needs besides: matrices, quality of lists, the objective of ALS.
#ifndef RECSYS_TESTS_COMPARE_RETRIEVAL_SUPPORT_HPP
#define RECSYS_TESTS_COMPARE_RETRIEVAL_SUPPORT_HPP

#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "peers/common/measured.hpp"

namespace compare {

namespace rs = recsys;

/// The matrix of a part, "train" or "test". Its width is that of both.
inline rs::csr read_matrix(std::string const& folder, std::string const& part, std::size_t n_items) {
    auto offsets = read_array<std::int64_t>(folder + "/" + part + ".indptr.i64");
    std::size_t const n_users = offsets.size() - 1;
    auto items = read_array<rs::item_index>(folder + "/" + part + ".indices.i32");
    auto values = read_array<float>(folder + "/" + part + ".data.f32");
    return rs::csr(n_users, n_items, rs::detail::shared_array<std::int64_t>(std::move(offsets)),
                   rs::detail::shared_array<rs::item_index>(std::move(items)), rs::detail::shared_array<float>(std::move(values)));
}

// --- quality --------------------------------------------------------------------------------------

/// NDCG@10 of lists of users, binary gains; users without test items do not count. Source: Järvelin & Kekäläinen (2002).
class ndcg_at_10 {
public:
    template <class List> void add(List const& list, std::span<rs::item_index const> wanted) {
        if (wanted.empty()) return;
        double gain = 0, ideal = 0;
        for (std::size_t place = 0; place < 10; ++place) {
            double const worth = 1 / std::log2(static_cast<double>(place) + 2);
            if (place < wanted.size()) ideal += worth;
            if (place < list.size() && std::binary_search(wanted.begin(), wanted.end(), list[place].item)) gain += worth;
        }
        m_sum += gain / ideal, ++m_users;
    }
    double value() const { return m_sum / static_cast<double>(m_users); }

private:
    double m_sum = 0;
    std::size_t m_users = 0;
};

/// The objective of ALS at any factors, in double: what both sides minimise, by one program. O((users + items) f^2 + entries f).
class als_objective {
public:
    als_objective(std::span<float const> users, std::span<float const> items, std::size_t n_factors)
        : m_users(users), m_items(items), m_f(n_factors) {}

    double operator()(rs::csr const& matrix, double alpha, double regularization) const {
        auto const of_users = gramian(m_users), of_items = gramian(m_items);
        double loss = 0;
        for (std::size_t i = 0; i < of_users.size(); ++i) loss += of_users[i] * of_items[i]; // every pair as if it were absent
        for (std::size_t j = 0; j < m_f; ++j) loss += regularization * (of_users[j * m_f + j] + of_items[j * m_f + j]);
        for (std::size_t u = 0; u < matrix.n_users(); ++u) {
            auto const user = static_cast<rs::user_index>(u);
            auto const seen = matrix.seen(user);
            auto const weights = matrix.weights(user);
            double row = 0;
            for (std::size_t i = 0; i < seen.size(); ++i) {
                double const score = product(u, rs::to_size(seen[i])), rest = (weights[i] > 0 ? 1 : 0) - score;
                row += (1 + alpha * std::abs(static_cast<double>(weights[i]))) * rest * rest - score * score;
            }
            loss += row;
        }
        return loss;
    }

private:
    double product(std::size_t user, std::size_t item) const {
        double sum = 0;
        for (std::size_t j = 0; j < m_f; ++j)
            sum += static_cast<double>(m_users[user * m_f + j]) * static_cast<double>(m_items[item * m_f + j]);
        return sum;
    }
    std::vector<double> gramian(std::span<float const> table) const {
        std::vector<double> out(m_f * m_f, 0.0);
        for (std::size_t at = 0; at < table.size(); at += m_f)
            for (std::size_t i = 0; i < m_f; ++i)
                for (std::size_t j = 0; j < m_f; ++j)
                    out[i * m_f + j] += static_cast<double>(table[at + i]) * static_cast<double>(table[at + j]);
        return out;
    }

    std::span<float const> m_users, m_items;
    std::size_t m_f;
};

}

#endif
