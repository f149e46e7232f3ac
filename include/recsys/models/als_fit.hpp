// SPDX-License-Identifier: MIT
// One fit of ALS, from its start to the model.
#ifndef RECSYS_MODELS_ALS_FIT_HPP
#define RECSYS_MODELS_ALS_FIT_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
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
#include <recsys/models/als_biases.hpp>
#include <recsys/models/als_half_step.hpp>
#include <recsys/models/als_model.hpp>
#include <recsys/models/als_objective.hpp>
#include <recsys/models/als_options.hpp>
#include <recsys/models/als_parts.hpp>
#include <recsys/models/als_rows.hpp>
#include <recsys/models/als_watch.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

template <class Scalar, class Value> class als_fit {
public:
    als_fit(als_options const& options, basic_csr<Value> const& matrix, als_extras<Scalar> const& extras)
        : m_options(options),
          m_step{objective_of(options), options.solver, options.cg_steps},
          m_judge(extras.watch, extras.patience),
          m_by_user(matrix),
          m_by_item(transpose(matrix, {.threads = options.run.threads})),
          m_factors(options.factors + (options.biases ? 1u : 0u)),
          m_level(active_simd_level()),
          m_team(options.run.threads),
          m_item_plan(m_by_item.offsets(), als_row_solver<Scalar>::most_entries, m_factors),
          m_user_plan(m_by_user.offsets(), als_row_solver<Scalar>::most_entries, m_factors),
          m_stepper(m_factors, m_team, m_level, options.solver == als_solver::cg),
          m_users(checked_product(matrix.n_users(), m_factors, "als"), Scalar{0}),
          m_items(checked_product(matrix.n_items(), m_factors, "als"), Scalar{0}) {
        if (extras.patience < 1) throw_option("als: patience must be at least 1, got 0");
        if (extras.preferences) take_preferences(*extras.preferences);
        check_weights();
    }

    /// Small random factors for the users, each from the seed and its number alone; zeros for users without entries that count.
    void start_at_random() { start_at_random(0); }

    /// Where the model has learned nothing there is nothing to go on from: zeros would stay zeros. Users and items past its end begin with zeros.
    void start_from(basic_als_model<Scalar> const& previous) {
        auto const users = previous.user_factors(), items = previous.item_factors();
        auto const learned = [&](std::size_t i) { return i % previous.n_factors() < n_latent() && users[i] != Scalar{0}; };
        std::size_t first = 0;
        while (first < users.size() && !learned(first)) ++first;
        if (first == users.size()) return start_at_random();
        without_ones(users, columns_of(false), m_users);
        without_ones(items, columns_of(true), m_items);
        m_step.warm = true;
    }
    /// The same for a model with fewer users and items: first all users are solved for its items; a new user who has only new items starts at random.
    void start_from_smaller(basic_als_model<Scalar> const& previous) {
        start_from(previous);
        m_n_old_items = previous.n_items();
        if (!m_step.warm) return;
        solve_users(1);
        start_at_random(previous.n_users());
    }

    basic_als_model<Scalar> run() {
        progress_reporter progress(m_options.run.progress, "als", m_options.iterations);
        progress.report_or_throw(0);
        for (std::size_t iteration = 0; iteration < m_options.iterations; ++iteration) {
            double const relaxation = iteration == 0 ? 1 : m_options.relaxation;
            half_step(by_item(), m_item_plan, by_user(), m_users, m_items, "user", relaxation);
            // The users of a model are not relaxed. A watcher gets theirs before they are; whoever else stops early makes us solve them again.
            bool const is_last = iteration + 1 == m_options.iterations, watched = m_judge.watches();
            bool const relaxed = relaxation != 1 && !is_last && !watched;
            auto const before = relaxation != 1 && watched ? copy_of(m_users) : buffer<Scalar>();
            m_report.loss.push_back(solve_users(relaxed ? relaxation : 1));
            m_step.warm = true;
            bool const wanted = !watched || m_judge.ask(basic_als_model<Scalar>(parts_so_far()), m_report);
            bool const go_on = progress.report(iteration + 1, m_report.loss.back(), last_valid_loss());
            bool const ends = is_last || falls_too_little() || !wanted;
            if (!ends && !go_on) m_report.stopped = true;
            if (ends || !go_on) {
                if (relaxed) m_report.loss.back() = solve_users(1);
                break;
            }
            if (before.size() > 0) relax_users(before, relaxation);
        }
        return finish();
    }

private:
    als_side<user_index, Value> by_item() const noexcept {
        return {m_by_item.offsets(), m_by_item.rows(), m_by_item.values(), m_item_preferences.values()};
    }
    als_side<item_index, Value> by_user() const noexcept {
        return {m_by_user.offsets(), m_by_user.columns(), m_by_user.values(), m_user_preferences.values()};
    }

    als_columns columns_of(bool items) const noexcept { return {m_factors + (m_options.biases ? 1 : 0), m_options.biases, items}; }
    std::size_t n_latent() const noexcept { return m_options.factors; }

    /// From a row on, and later rows only where there is nothing yet: with biases, no item that the model had.
    void start_at_random(std::size_t from) {
        double const width = std::sqrt(3 / static_cast<double>(n_latent())); // a row has length 1 on average
        m_team.blocks(m_by_user.n_users(), 1024, [&](std::size_t first, std::size_t last, std::size_t) {
            for (std::size_t u = std::max(first, from); u < last; ++u) {
                auto const weights = m_by_user.weights(static_cast<user_index>(u));
                Scalar* const row = m_users.data() + row_place(u, m_factors);
                if (std::all_of(weights.begin(), weights.end(), [](Value r) { return r == Value{0}; })) continue;
                auto const seen = m_by_user.seen(static_cast<user_index>(u));
                bool const starts = m_options.biases ? seen.empty() || to_size(seen.front()) >= m_n_old_items
                                                     : std::all_of(row, row + m_factors, [](Scalar x) { return x == Scalar{0}; });
                if (!starts) continue;
                random_stream random(m_options.seed, u);
                for (std::size_t j = 0; j < n_latent(); ++j) row[j] = static_cast<Scalar>(width * (2 * random.uniform() - 1));
            }
        });
    }

    double solve_users(double relaxation) { return half_step(by_user(), m_user_plan, by_item(), m_items, m_users, "item", relaxation); }
    /// As a half-step does it that began with these users.
    void relax_users(buffer<Scalar> const& before, double relaxation) {
        m_team.blocks(m_by_user.n_users(), 1024, [&](std::size_t first, std::size_t last, std::size_t) {
            std::size_t const at = row_place(first, m_factors), n = (last - first) * m_factors;
            buffer<Scalar> const solutions = copy_of(m_users, at, n);
            std::copy_n(before.data() + at, n, m_users.data() + at);
            relax(solutions.data(), m_factors, last - first, m_users.data() + at, m_factors, relaxation);
        });
    }

    /// Returns the whole objective at the solutions.
    template <class Side, class OtherSide> double half_step(Side const& side, als_plan const& plan, OtherSide const& other,
                                                            buffer<Scalar> const& fixed, buffer<Scalar>& solved, char const* what,
                                                            double relaxation) {
        auto const& by = m_step.objective;
        m_step.relaxation = relaxation;
        m_gramian = gramian(fixed.span(), m_factors, m_team, kernels<double>(m_level), by.biases);
        std::size_t const n = m_factors + (by.biases ? 1 : 0);
        auto const basis = basis_of<Scalar>(corner(m_gramian.span(), n, m_factors).span(), m_factors, by, other.n_rows(), what, m_level);
        auto const common = by.biases ? als_common(m_gramian.span(), m_factors, by.unobserved_weight) : als_common();
        double loss = m_stepper.step(side, plan, basis, fixed.span(), solved.span(), m_step, common);
        if (by.frequency_power != 0) return loss + weighed_norms(fixed.span(), m_factors, other, side.n_rows(), by, m_team);
        for (std::size_t j = 0; j < n; ++j)
            if (!by.biases || j != n - 2) loss += by.regularization * m_gramian[j * n + j]; // not of the ones
        return loss;
    }

    bool falls_too_little() const {
        auto const& loss = m_report.loss;
        return m_options.tolerance > 0 && loss.size() > 1 &&
               !(loss[loss.size() - 2] - loss.back() >= m_options.tolerance * loss[loss.size() - 2]);
    }
    double last_valid_loss() const {
        return m_report.valid_loss.empty() ? std::numeric_limits<double>::quiet_NaN() : m_report.valid_loss.back();
    }

    void take_preferences(csr const& preferences) {
        check_same_pattern("als", m_by_user, preferences);
        m_user_preferences = preferences;
        m_item_preferences = transpose(preferences, {.threads = m_options.run.threads});
    }

    void check_weights() {
        auto const values = m_by_user.values();
        constexpr std::size_t block = 65536;
        std::vector<double> most_of((values.size() + block - 1) / block);
        m_team.blocks(values.size(), block, [&](std::size_t first, std::size_t last, std::size_t) {
            double most = 0;
            for (std::size_t i = first; i < last; ++i) most = std::max(most, checked_confidence(static_cast<double>(values[i])));
            most_of[first / block] = most;
        });
        double largest = 0;
        for (auto const most : most_of) largest = std::max(largest, most);
        double const limit = std::is_same_v<Scalar, float> ? 1e30 : 1e150;
        if (!(largest < limit)) throw_data("als: the largest confidence is ", largest, ", expected less than ", limit);
        auto const& report = m_by_user.report();
        if (report.mostly_zero())
            m_report.warnings.push_back(
                concat(report.stored_zeros, " of ", report.entries,
                       " entries of the matrix are 0 and do not count: were the values truncated on their way here?"));
    }
    double checked_confidence(double r) const {
        if (r == 0) return 0;
        double const c = 1 + added_confidence(m_step.objective, std::abs(r));
        if (!(c >= 0)) throw_data("als: the confidence of weight ", r, " is ", c, ", expected a number from 0");
        return c;
    }

    template <class Element> static buffer<Element> copy_of(buffer<Element> const& from) { return copy_of(from, 0, from.size()); }
    template <class Element> static buffer<Element> copy_of(buffer<Element> const& from, std::size_t first, std::size_t n) {
        buffer<Element> out(n);
        std::copy_n(from.data() + first, n, out.begin());
        return out;
    }
    static buffer<std::uint8_t> non_empty(std::span<std::int64_t const> offsets) {
        buffer<std::uint8_t> out(offsets.size() - 1);
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = offsets[i + 1] > offsets[i];
        return out;
    }

    als_parts<Scalar> parts_but_factors() {
        als_parts<Scalar> parts;
        static_cast<als_objective&>(parts) = m_step.objective;
        parts.n_users = m_by_user.n_users(), parts.n_items = m_by_user.n_items(), parts.n_factors = columns_of(false).n_factors;
        parts.user_gramian =
            reordered(gramian(std::as_const(m_users).span(), m_factors, m_team, kernels<double>(m_level), m_options.biases).span(),
                      columns_of(false));
        parts.known_users = non_empty(m_by_user.offsets()), parts.known_items = non_empty(m_by_item.offsets());
        parts.from = m_by_user.provenance();
        return parts;
    }
    als_parts<Scalar> parts_so_far() {
        auto parts = parts_but_factors();
        parts.item_gramian = copy_of(m_gramian); // items have the order of systems
        parts.user_factors = m_options.biases ? with_ones(m_users, m_factors, false) : copy_of(m_users);
        parts.item_factors = m_options.biases ? with_ones(m_items, m_factors, true) : copy_of(m_items);
        parts.report = m_report;
        return parts;
    }
    basic_als_model<Scalar> finish() {
        auto const& valid = m_report.valid_loss;
        if (std::all_of(valid.begin(), valid.end(), [](double x) { return std::isnan(x); })) m_report.valid_loss.clear();
        if (m_report.best_iteration && *m_report.best_iteration + 1 < m_report.loss.size())
            return m_judge.best().with_report(std::move(m_report));
        auto parts = parts_but_factors();
        if (m_options.biases) m_users = with_ones(m_users, m_factors, false), m_items = with_ones(m_items, m_factors, true);
        parts.item_gramian = std::move(m_gramian), parts.user_factors = std::move(m_users), parts.item_factors = std::move(m_items);
        parts.report = std::move(m_report);
        return basic_als_model<Scalar>(std::move(parts));
    }

    als_options const& m_options;
    als_step_options m_step;
    als_judge<Scalar> m_judge;
    basic_csr<Value> m_by_user;
    basic_csc<Value> m_by_item;
    csr m_user_preferences;
    basic_csc<float> m_item_preferences;
    std::size_t m_factors; // of a row here: with biases these are the last
    std::size_t m_n_old_items = 0;
    simd_level m_level;
    team m_team;
    als_plan m_item_plan, m_user_plan;
    als_stepper<Scalar> m_stepper;
    buffer<Scalar> m_users, m_items;
    buffer<double> m_gramian; // of the side that was fixed last
    fit_report m_report;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
