// SPDX-License-Identifier: MIT
// Alternating least squares for implicit feedback: the trainer.
#ifndef RECSYS_MODELS_ALS_HPP
#define RECSYS_MODELS_ALS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/simd/level.hpp>
#include <recsys/core/simd/select.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/csc.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/models/als_basis.hpp>
#include <recsys/models/als_half_step.hpp>
#include <recsys/models/als_model.hpp>
#include <recsys/models/als_options.hpp>
#include <recsys/models/als_rows.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

/// One fit, from start to model.
template <class Scalar, class Value> class als_fit {
public:
    als_fit(als_options const& options, basic_csr<Value> const& matrix)
        : m_options(options),
          m_by_user(matrix),
          m_by_item(transpose(matrix)),
          m_factors(options.factors),
          m_level(active_simd_level()),
          m_team(options.run.threads),
          m_stepper(m_factors, m_team, m_level, options.solver == als_solver::cg),
          m_users(checked_product(matrix.n_users(), m_factors, "als")),
          m_items(checked_product(matrix.n_items(), m_factors, "als"), Scalar{0}) {
        check_weights();
    }

    /// Small random factors for the users, each from the seed and its number alone; zeros for users without entries that count.
    void start_at_random() {
        double const width = std::sqrt(3 / static_cast<double>(m_factors)); // a row has length 1 on average
        m_team.blocks(m_by_user.n_users(), 1024, [&](std::size_t first, std::size_t last, std::size_t) {
            for (std::size_t u = first; u < last; ++u) {
                auto const weights = m_by_user.weights(static_cast<user_index>(u));
                bool const counts = std::any_of(weights.begin(), weights.end(), [](Value r) { return r != Value{0}; });
                random_stream random(m_options.seed, u);
                Scalar* const row = m_users.data() + row_place(u, m_factors);
                for (std::size_t j = 0; j < m_factors; ++j)
                    row[j] = counts ? static_cast<Scalar>(width * (2 * random.uniform() - 1)) : Scalar{0};
            }
        });
    }
    /// Where the model has learned nothing there is nothing to go on from: zeros would stay zeros.
    void start_from(basic_als_model<Scalar> const& previous) {
        auto const users = previous.user_factors(), items = previous.item_factors();
        if (std::all_of(users.begin(), users.end(), [](Scalar x) { return x == Scalar{0}; })) return start_at_random();
        std::copy(users.begin(), users.end(), m_users.begin());
        std::copy(items.begin(), items.end(), m_items.begin());
        m_warm = true;
    }

    basic_als_model<Scalar> run() {
        progress_reporter progress(m_options.run.progress, "als", m_options.iterations);
        progress.report_or_throw(0);
        als_plan const item_plan(m_by_item.offsets(), als_row_solver<Scalar>::most_entries, m_factors);
        als_plan const user_plan(m_by_user.offsets(), als_row_solver<Scalar>::most_entries, m_factors);
        als_side<user_index, Value> const by_item{m_by_item.offsets(), m_by_item.rows(), m_by_item.values()};
        als_side<item_index, Value> const by_user{m_by_user.offsets(), m_by_user.columns(), m_by_user.values()};
        for (std::size_t iteration = 0; iteration < m_options.iterations; ++iteration) {
            half_step(by_item, item_plan, m_users, m_items, "user");
            m_report.loss.push_back(half_step(by_user, user_plan, m_items, m_users, "item"));
            m_warm = true;
            bool const go_on = progress.report(iteration + 1, m_report.loss.back());
            if (iteration + 1 == m_options.iterations || falls_too_little()) break;
            if (!go_on) {
                m_report.stopped = true;
                break;
            }
        }
        return finish();
    }

private:
    /// Returns the whole objective as it is now.
    template <class Side>
    double half_step(Side const& side, als_plan const& plan, buffer<Scalar> const& fixed, buffer<Scalar>& solved, char const* what) {
        m_gramian = gramian(fixed.span(), m_factors, m_team, kernels<double>(m_level));
        auto const basis = basis_of<Scalar>(m_gramian.span(), m_factors, m_options.regularization, what, m_level);
        double loss =
            m_stepper.step(side, plan, basis, fixed.span(), solved.span(), {m_options.alpha, m_options.solver, m_options.cg_steps, m_warm});
        for (std::size_t j = 0; j < m_factors; ++j) loss += m_options.regularization * m_gramian[j * m_factors + j];
        return loss;
    }

    bool falls_too_little() const {
        auto const& loss = m_report.loss;
        return m_options.tolerance > 0 && loss.size() > 1 &&
               !(loss[loss.size() - 2] - loss.back() >= m_options.tolerance * loss[loss.size() - 2]);
    }

    void check_weights() {
        double largest = 0;
        for (auto const r : m_by_user.values()) largest = std::max(largest, std::abs(static_cast<double>(r)));
        double const most = std::is_same_v<Scalar, float> ? 1e30 : 1e150;
        if (!(m_options.alpha * largest < most))
            throw_data("als: alpha times the largest weight is ", m_options.alpha * largest, ", expected less than ", most);
        auto const& report = m_by_user.report();
        if (report.mostly_zero())
            m_report.warnings.push_back(
                concat(report.stored_zeros, " of ", report.entries,
                       " entries of the matrix are 0 and do not count: were the values truncated on their way here?"));
    }

    template <class Index> static buffer<std::uint8_t> non_empty(std::span<std::int64_t const> offsets, Index) {
        buffer<std::uint8_t> out(offsets.size() - 1);
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = offsets[i + 1] > offsets[i];
        return out;
    }

    basic_als_model<Scalar> finish() {
        als_parts<Scalar> parts;
        parts.n_users = m_by_user.n_users(), parts.n_items = m_by_user.n_items(), parts.n_factors = m_factors;
        parts.alpha = m_options.alpha, parts.regularization = m_options.regularization;
        parts.user_gramian = gramian(std::as_const(m_users).span(), m_factors, m_team, kernels<double>(m_level));
        parts.item_gramian = std::move(m_gramian);
        parts.known_users = non_empty(m_by_user.offsets(), user_index{}), parts.known_items = non_empty(m_by_item.offsets(), item_index{});
        parts.user_factors = std::move(m_users), parts.item_factors = std::move(m_items);
        parts.from = m_by_user.provenance(), parts.report = std::move(m_report);
        return basic_als_model<Scalar>(std::move(parts));
    }

    als_options const& m_options;
    basic_csr<Value> m_by_user;
    basic_csc<Value> m_by_item;
    std::size_t m_factors;
    simd_level m_level;
    team m_team;
    als_stepper<Scalar> m_stepper;
    buffer<Scalar> m_users, m_items;
    buffer<double> m_gramian; // of the side that was fixed last
    bool m_warm = false;
    fit_report m_report;
};

}

/// Fits factors of users and items to implicit feedback: minimises the sum over all pairs of c (p - x'y)^2 + lambda (|x|^2 + |y|^2), where a stored
/// weight r has c = 1 + alpha |r| and p = [r > 0], and an absent pair or a stored zero c = 1 and p = 0.
///
/// lambda is that of the sum above, the same for each row however long it is, as in implicit (Spark and others multiply it by the row's length);
/// implicit takes its weights as the whole confidence, c = alpha r, so to compare give it 1 + alpha r and alpha 1.
/// Each iteration solves all items, then all users, so that the users fit the items that the model has.
///
/// `report().loss` holds that sum after each iteration, added up in double; float factors leave it a relative error of some 1e-8 times the largest
/// confidence. Users and items without entries get zeros. The same bits for any number of threads; levels of the instruction set differ in the
/// last ones.
/// Cost: O(iterations (entries f^2 + (users + items) f^3)); memory: the matrix by item, and one more copy of the larger side.
/// Source: Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets" (2008), eq. 3 to 5; conjugate gradients as in Takács,
/// Pilászy, Tikk, "Applications of the conjugate gradient method for implicit feedback collaborative filtering" (2011), in the whitened basis.
template <std::floating_point Scalar> class basic_als {
public:
    /// @throws option_error  for an option outside its range.
    explicit basic_als(als_options options = {}) : m_options(std::move(options)) { detail::check_als_options(m_options); }

    /// @param user_items  n_users x n_items, of any value type.
    /// @throws data_error  where the confidences are too large for the scalar type, or with regularization 0 where a Gramian is singular.
    /// @throws cancelled   if the progress callback stops before the first iteration; later it gives the model of the last whole one.
    template <class Value> [[nodiscard]] basic_als_model<Scalar> fit(basic_csr<Value> const& user_items) const {
        detail::als_fit<Scalar, Value> fit(m_options, user_items);
        fit.start_at_random();
        return fit.run();
    }
    /// Goes on from a model of the same users and items: on the same matrix it lowers the loss further, on a later one it needs few iterations.
    /// @throws data_error  where the sizes or the encoders differ. @throws option_error for another number of factors.
    template <class Value>
    [[nodiscard]] basic_als_model<Scalar> resume(basic_als_model<Scalar> const& previous, basic_csr<Value> const& user_items) const {
        if (previous.n_users() != user_items.n_users() || previous.n_items() != user_items.n_items())
            detail::throw_data("als: resume: the model has ", previous.n_users(), " users and ", previous.n_items(), " items, the matrix ",
                               user_items.n_users(), " and ", user_items.n_items());
        if (previous.n_factors() != m_options.factors)
            detail::throw_option("als: resume: factors must be those of the model, ", previous.n_factors(), ", got ",
                                 std::size_t{m_options.factors});
        detail::check_same_encoders("als: resume", "the model", previous.provenance(), user_items.provenance());
        detail::als_fit<Scalar, Value> fit(m_options, user_items);
        fit.start_from(previous);
        return fit.run();
    }

private:
    als_options m_options;
};

using als = basic_als<float>;

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
