// SPDX-License-Identifier: MIT
// One row of a half-step: its system in the whitened basis, (I + sum of (c - w0) z z') w = sum of c p z, and three ways to solve it.
#ifndef RECSYS_MODELS_ALS_ROWS_HPP
#define RECSYS_MODELS_ALS_ROWS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/simd/select.hpp>
#include <recsys/core/types.hpp>
#include <recsys/models/als_objective.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// The entries of a row that count: stored zeros are left out, which leaves them the confidence and preference of absent pairs. Those that weigh
/// less than an absent pair come first.
template <class S> class als_entries {
public:
    explicit als_entries(std::size_t capacity) : m_id(capacity), m_root(capacity), m_excess(capacity), m_right(capacity) {}

    /// Reads a part of a row; `ids` no longer than the capacity. Without `preferences`, p = [r > 0].
    /// @param biases  of the other side, by id, or null: the row is fitted to what they leave of p, and absent pairs to minus them.
    template <class Index, class Value> void read(std::span<Index const> ids, std::span<Value const> values,
                                                  std::span<float const> preferences, als_objective const& objective,
                                                  S const* biases = nullptr) {
        m_n = m_n_lighter = 0, m_constant = 0, m_least_root = std::numeric_limits<S>::max();
        double const beyond = 1 - objective.unobserved_weight;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            auto const r = static_cast<double>(values[i]);
            if (r == 0) continue;
            double const added = added_confidence(objective, std::abs(r)), excess = beyond + added;
            double const p = preferences.empty() ? (r > 0 ? 1.0 : 0.0) : static_cast<double>(preferences[i]);
            m_id[m_n] = static_cast<std::uint32_t>(ids[i]);
            m_root[m_n] = static_cast<S>(std::sqrt(std::abs(excess))), m_excess[m_n] = static_cast<S>(excess);
            double const bias = biases ? static_cast<double>(biases[static_cast<std::size_t>(ids[i])]) : 0;
            m_right[m_n] = static_cast<S>((1 + added) * p - excess * bias);
            m_least_root = std::min(m_least_root, m_root[m_n]);
            m_constant += (1 + added) * (p - bias) * (p - bias) - objective.unobserved_weight * bias * bias;
            if (excess < 0) bring_forward(m_n);
            ++m_n;
        }
        if (m_n_lighter > 0) m_least_root = 0;
    }

    std::size_t size() const noexcept { return m_n; }
    /// So many at the front weigh less than an absent pair.
    std::size_t n_lighter() const noexcept { return m_n_lighter; }
    std::uint32_t const* id() const noexcept { return m_id.data(); }
    S const* root() const noexcept { return m_root.data(); }     ///< sqrt(|c - c of an absent pair|)
    S const* excess() const noexcept { return m_excess.data(); } ///< c - c of an absent pair
    S const* right() const noexcept { return m_right.data(); }   ///< c p, less (c - w0) b with biases
    S least_root() const noexcept { return m_least_root; }       ///< 0 where some are lighter
    /// Sum of c p^2: the loss of the row's entries at zero factors. With biases, what they have of it more than absent pairs.
    double constant() const noexcept { return m_constant; }

private:
    void bring_forward(std::size_t i) {
        std::swap(m_id[i], m_id[m_n_lighter]), std::swap(m_root[i], m_root[m_n_lighter]), std::swap(m_excess[i], m_excess[m_n_lighter]),
            std::swap(m_right[i], m_right[m_n_lighter]);
        ++m_n_lighter;
    }

    buffer<std::uint32_t> m_id;
    buffer<S> m_root, m_excess, m_right;
    std::size_t m_n = 0, m_n_lighter = 0;
    double m_constant = 0;
    S m_least_root = 0;
};

/// Sums of a row's system over its parts, in double.
struct als_system {
    buffer<double> a; ///< upper triangle of the sum of (c - w0) z z'
    buffer<double> b; ///< sum of c p z
    double constant = 0;
    std::size_t n_entries = 0;
    explicit als_system(std::size_t ld) : a(ld * ld, 0.0), b(ld, 0.0) {}
    void clear() { std::fill(a.begin(), a.end(), 0.0), std::fill(b.begin(), b.end(), 0.0), constant = 0, n_entries = 0; }
    void add(als_system const& other) {
        for (std::size_t i = 0; i < a.size(); ++i) a[i] += other.a[i];
        for (std::size_t i = 0; i < b.size(); ++i) b[i] += other.b[i];
        constant += other.constant, n_entries += other.n_entries;
    }
};

/// Solves rows one after the other; each thread has its own. `extra` is what the row's lambda has above that of the basis. Every solve returns
/// the row's share of the loss at its solution, sum of c (p - x'y)^2 over all columns + lambda |x|^2 = sum of c p^2 - b'w - w'(b - A w).
template <class S> class als_row_solver {
public:
    /// A row that is longer is given in parts.
    static constexpr std::size_t most_entries = 8192;
    /// In the scalar type at most so many entries are summed before the sum goes on in double.
    static constexpr std::size_t sum_block = 512;
    static constexpr std::size_t panel_rows = 64;

    /// @param longest  no row has more entries than that; a solver for one short row takes little memory.
    als_row_solver(kernel_table<S> const& kernel, std::size_t n_factors, bool for_cg = false, std::size_t longest = most_entries)
        : m_kernel(kernel),
          m_n_factors(n_factors),
          m_ld(kernel.padded(n_factors)),
          m_entries(std::min(longest, most_entries)),
          m_panel(std::max({panel_rows, for_cg ? longest_for_cg(n_factors) : 0, n_factors / 2}) * m_ld),
          m_turned(n_factors * kernel.padded(n_factors / 2)),
          m_a(m_ld * m_ld),
          m_b(m_ld),
          m_rest(m_ld),
          m_work(3 * m_ld),
          m_sum(longest > sum_block ? m_ld : 0) {}

    std::size_t row_length() const noexcept { return m_ld; }
    als_entries<S>& entries() noexcept { return m_entries; }
    /// |x|^2 as a matrix of the basis, for rows with something extra.
    void set_ridge(S const* ridge) noexcept { m_ridge = ridge; }
    /// With biases: what all rows have on the right, - w0 sum of b z over the other side, row_length() numbers; and w0 sum of b^2.
    void set_common(S const* right, double constant) noexcept { m_common = right, m_common_constant = constant; }

    /// Exactly, for the entries that were read; `z` has rows of row_length().
    double solve(S const* z, double extra, S* w) {
        if (m_entries.size() == 0 && !m_common) return std::fill_n(w, m_ld, S{0}), 0.0;
        if (m_entries.size() > 0 && 2 * m_entries.size() <= m_n_factors && m_entries.least_root() > S{1e-6f} && extra == 0)
            return solve_dual(z, w);
        if (m_entries.size() <= sum_block) {
            clear_sums();
            add_common();
            add_entries(z, 0, m_entries.size());
            return finish(m_entries.constant(), extra, w);
        }
        m_sum.clear();
        accumulate(z, m_sum);
        return solve(m_sum, extra, w);
    }

    /// Adds the entries that were read to a system.
    void accumulate(S const* z, als_system& to) {
        for (std::size_t first = 0; first < m_entries.size(); first += sum_block) {
            clear_sums();
            add_entries(z, first, std::min(first + sum_block, m_entries.size()));
            for (std::size_t i = 0; i < m_ld; ++i) {
                for (std::size_t j = i; j < m_ld; ++j) to.a[i * m_ld + j] += static_cast<double>(m_a[i * m_ld + j]);
                to.b[i] += static_cast<double>(m_b[i]);
            }
        }
        to.constant += m_entries.constant(), to.n_entries += m_entries.size();
    }
    /// Exactly, for a system that is complete.
    double solve(als_system const& system, double extra, S* w) {
        if (system.n_entries == 0 && !m_common) return std::fill_n(w, m_ld, S{0}), 0.0;
        for (std::size_t i = 0; i < m_a.size(); ++i) m_a[i] = static_cast<S>(system.a[i]);
        for (std::size_t i = 0; i < m_ld; ++i) m_b[i] = static_cast<S>(system.b[i]);
        add_common();
        return finish(system.constant, extra, w);
    }

    /// Rows up to this length are solved by conjugate gradients, as long as their panel has some 8 MB in float: at 256 factors 1.5 times as fast as
    /// with exact solves above 1,024 entries, and no worse a loss. Longer ones are solved exactly.
    static constexpr std::size_t longest_for_cg(std::size_t n_factors) {
        return std::max({std::size_t{1024}, 4 * n_factors, std::min(most_entries, (std::size_t{1} << 21) / n_factors)});
    }
    /// Shorter ones are cheaper exactly.
    static constexpr std::size_t shortest_for_cg = 25;
    static constexpr std::size_t most_bytes_in_place = std::size_t{1} << 18;

    /// By conjugate gradients from the w given.
    double solve_cg(S const* z, double extra, std::size_t steps, S* w) {
        bool const suits =
            m_entries.size() >= shortest_for_cg && m_entries.size() <= longest_for_cg(m_n_factors) && m_entries.n_lighter() == 0;
        if (!suits) return solve(z, extra, w);
        std::fill(m_b.begin(), m_b.end(), S{0});
        add_common();
        // Rows that stay in the near caches are read where they are.
        bool const stays = m_entries.size() * m_ld * sizeof(S) <= most_bytes_in_place;
        m_kernel.conjugate_gradients(z, m_ld, m_entries.id(), m_entries.excess(), m_entries.right(), m_entries.size(),
                                     stays ? nullptr : m_panel.data(), extra == 0 ? nullptr : m_ridge, static_cast<S>(extra), m_b.data(), w,
                                     steps, m_rest.data(), m_work.data());
        double fall = 0;
        for (std::size_t j = 0; j < m_ld; ++j)
            fall += static_cast<double>(w[j]) * (static_cast<double>(m_b[j]) + static_cast<double>(m_rest[j]));
        return check_finite(m_entries.constant() + m_common_constant - fall);
    }

private:
    void clear_sums() { std::fill(m_a.begin(), m_a.end(), S{0}), std::fill(m_b.begin(), m_b.end(), S{0}); }
    void add_common() {
        for (std::size_t i = 0; m_common && i < m_ld; ++i) m_b[i] += m_common[i];
    }

    void add_entries(S const* z, std::size_t first, std::size_t last) {
        std::size_t const turn = std::clamp(m_entries.n_lighter(), first, last);
        add_panels(z, first, turn);
        if (turn > first)
            for (std::size_t i = 0; i < m_ld; ++i)
                for (std::size_t j = i; j < m_ld; ++j) m_a[i * m_ld + j] = -m_a[i * m_ld + j];
        add_panels(z, turn, last);
    }
    void add_panels(S const* z, std::size_t first, std::size_t last) {
        for (; first < last; first += panel_rows) {
            std::size_t const n = std::min(panel_rows, last - first);
            m_kernel.gather(m_panel.data(), m_ld, z, m_entries.id() + first, m_entries.root() + first, m_entries.right() + first, n,
                            m_b.data());
            m_kernel.symmetric_update(m_a.data(), m_ld, m_panel.data(), n);
        }
    }

    double finish(double constant, double extra, S* w) {
        for (std::size_t i = 0; i < m_ld; ++i) m_a[i * m_ld + i] += S{1};
        if (extra != 0)
            for (std::size_t i = 0; i < m_ld; ++i)
                for (std::size_t j = i; j < m_ld; ++j) m_a[i * m_ld + j] += static_cast<S>(extra) * m_ridge[i * m_ld + j];
        std::copy_n(m_b.begin(), m_ld, w);
        if (!m_kernel.cholesky_blocks(m_a.data(), m_ld)) not_finite();
        m_kernel.cholesky_solve(m_a.data(), m_ld, w);
        return check_finite(constant + m_common_constant - right_times(w));
    }

    /// w = V' inv(I + V V') t, t = c p / sqrt(c - w0): the same solution by a system as large as the row is long. With biases a common right-hand
    /// side g is there as well: w = g + V' inv(I + V V') (t - V g).
    double solve_dual(S const* z, S* w) {
        std::size_t const n = m_entries.size(), ld = m_kernel.padded(n);
        std::fill(m_b.begin(), m_b.end(), S{0});
        m_kernel.gather(m_panel.data(), m_ld, z, m_entries.id(), m_entries.root(), m_entries.right(), n, m_b.data());
        for (std::size_t j = 0; j < m_n_factors; ++j) {
            for (std::size_t i = 0; i < n; ++i) m_turned[j * ld + i] = m_panel[i * m_ld + j];
            for (std::size_t i = n; i < ld; ++i) m_turned[j * ld + i] = S{0};
        }
        std::fill_n(m_a.begin(), ld * ld, S{0});
        m_kernel.symmetric_update(m_a.data(), ld, m_turned.data(), m_n_factors);
        for (std::size_t i = 0; i < ld; ++i) m_a[i * ld + i] += S{1}, m_work[i] = i < n ? m_entries.right()[i] / m_entries.root()[i] : S{0};
        std::fill_n(w, m_ld, S{0});
        if (m_common) {
            for (std::size_t i = 0; i < m_ld; ++i) m_rest[i] = -m_common[i], w[i] = m_common[i];
            m_kernel.weighted_sum(m_turned.data(), ld, m_n_factors, m_rest.data(), m_work.data());
            add_common();
        }
        if (!m_kernel.cholesky_blocks(m_a.data(), ld)) not_finite();
        m_kernel.cholesky_solve(m_a.data(), ld, m_work.data());
        m_kernel.weighted_sum(m_panel.data(), m_ld, n, m_work.data(), w);
        return check_finite(m_entries.constant() + m_common_constant - right_times(w));
    }

    double right_times(S const* w) const {
        double sum = 0;
        for (std::size_t j = 0; j < m_ld; ++j) sum += static_cast<double>(m_b[j]) * static_cast<double>(w[j]);
        return sum;
    }
    static double check_finite(double loss) {
        if (!std::isfinite(loss)) not_finite();
        return loss;
    }
    [[noreturn]] static void not_finite() {
        throw_data(
            "als: the confidences are too large or too different to solve in this scalar type; scale the weights, lower alpha, or take "
            "basic_als<double>");
    }

    kernel_table<S> m_kernel;
    std::size_t m_n_factors, m_ld;
    als_entries<S> m_entries;
    buffer<S> m_panel, m_turned, m_a, m_b, m_rest, m_work;
    als_system m_sum;
    S const *m_ridge = nullptr, *m_common = nullptr;
    double m_common_constant = 0;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
