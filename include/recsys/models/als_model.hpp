// SPDX-License-Identifier: MIT
// What ALS learned: factors of users and items, scores, and the fold-in of users, items and sessions that were not in training.
#ifndef RECSYS_MODELS_ALS_MODEL_HPP
#define RECSYS_MODELS_ALS_MODEL_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <recsys/core/archive.hpp>
#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/simd/select.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/history.hpp>
#include <recsys/models/als_basis.hpp>
#include <recsys/models/als_half_step.hpp>
#include <recsys/models/als_rows.hpp>
#include <recsys/retrieval/factor_scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// A user who was not in training: factors like those of the model, and what made them, which counts as seen.
template <class Scalar> struct folded_user {
    std::vector<Scalar> factors; ///< n_factors
    history items;
};
/// An item that was not in training.
template <class Scalar> struct folded_item {
    std::vector<Scalar> factors; ///< n_factors
};
/// One user of a new item, for fold_in_item.
struct item_taker {
    user_index user{};
    float weight = 1;
};

/// What a model is made of. Tables are row-major: a user or item a row.
template <class Scalar> struct als_parts {
    std::size_t n_users = 0, n_items = 0, n_factors = 0;
    double alpha = 1;
    double regularization = 0.01;
    detail::shared_array<Scalar> user_factors;      ///< n_users x n_factors
    detail::shared_array<Scalar> item_factors;      ///< n_items x n_factors
    detail::shared_array<std::uint8_t> known_users; ///< 1 where the user has an entry; empty = every user
    detail::shared_array<std::uint8_t> known_items; ///< 1 where the item has an entry; empty = every item
    detail::shared_array<double> user_gramian;      ///< n_factors x n_factors; empty = made here
    detail::shared_array<double> item_gramian;
    recsys::provenance from = {};
    fit_report report = {};
};

namespace detail {

template <class Value> void check_part(shared_array<Value> const& part, std::size_t n, char const* what) {
    if (part.size() != n) throw_data("als: ", what, " has ", part.size(), " values, expected ", n);
    if constexpr (std::is_floating_point_v<Value>)
        for (std::size_t i = 0; i < n; ++i)
            if (!std::isfinite(part[i])) throw_data("als: value ", i, " of ", what, " is not finite");
}

}

/// Implicit-feedback factors: the score of a pair is the product of its rows. Made by `basic_als`, read by everything.
///
/// A handle: a copy shares. Immutable and safe to read from many threads. It does not keep the matrix that it was fitted on.
template <std::floating_point Scalar> class basic_als_model {
    static_assert(std::same_as<Scalar, float> || std::same_as<Scalar, double>, "als: the scalar type is float or double");

public:
    using scalar_type = Scalar;
    /// Rows are users or items. It reads the model's own memory: keep a copy of the model.
    using matrix_map = Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> const>;

    basic_als_model() = default;
    /// From factors made elsewhere, which then score and fold in like our own. @throws data_error where sizes differ or a number is not finite.
    explicit basic_als_model(als_parts<Scalar> parts) { set(std::move(parts)); }

    std::size_t n_users() const noexcept { return parts().n_users; }
    std::size_t n_items() const noexcept { return parts().n_items; }
    std::size_t n_factors() const noexcept { return parts().n_factors; }
    double alpha() const noexcept { return parts().alpha; }
    double regularization() const noexcept { return parts().regularization; }
    /// n_users x n_factors, row-major, without padding. A user without entries has zeros.
    std::span<Scalar const> user_factors() const& noexcept { return parts().user_factors.span(); }
    std::span<Scalar const> user_factors() const&& = delete;
    std::span<Scalar const> item_factors() const& noexcept { return parts().item_factors.span(); }
    std::span<Scalar const> item_factors() const&& = delete;
    /// One row. @throws data_error past the end.
    std::span<Scalar const> factors(user_index user) const& { return row(user_factors(), to_size(user), n_users(), "user"); }
    std::span<Scalar const> factors(user_index) const&& = delete;
    std::span<Scalar const> factors(item_index item) const& { return row(item_factors(), to_size(item), n_items(), "item"); }
    std::span<Scalar const> factors(item_index) const&& = delete;
    matrix_map user_matrix() const& noexcept { return map(user_factors(), n_users()); }
    matrix_map user_matrix() const&& = delete;
    matrix_map item_matrix() const& noexcept { return map(item_factors(), n_items()); }
    matrix_map item_matrix() const&& = delete;

    /// Whether some entry of the training matrix has the user, or the item: only these get and enter lists.
    bool knows(user_index user) const noexcept { return is_known(parts().known_users, to_size(user), n_users()); }
    bool knows(item_index item) const noexcept { return is_known(parts().known_items, to_size(item), n_items()); }

    /// One score for each item. @throws data_error for a user past the end, or a span that is not n_items() long.
    void score(user_index user, std::span<float> out) const {
        if (out.size() != n_items()) detail::throw_data("als: score: room for ", out.size(), " scores, there are ", n_items(), " items");
        auto const x = factors(user);
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = score_of(x, i);
    }
    /// The scores of some items. @throws data_error also for an item past the end.
    void score(user_index user, std::span<item_index const> items, std::span<float> out) const {
        if (out.size() != items.size()) detail::throw_data("als: score: room for ", out.size(), " scores of ", items.size(), " items");
        auto const x = factors(user);
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (to_size(items[i]) >= n_items()) detail::throw_data("als: score: item ", to_size(items[i]), ", there are ", n_items());
            out[i] = score_of(x, to_size(items[i]));
        }
    }

    /// A user who was not in training, solved exactly as the training solves one: a training row gives the trained factors where the solver is
    /// exact. Items with weight 0 do not count, an empty history gives zeros.
    /// @throws data_error  for items past the end, or of another item encoder. Cost: O(n f^2 + f^3).
    [[nodiscard]] folded_user<Scalar> fold_in(history const& items) const {
        detail::check_same_encoders("als: fold_in", "the history", {0, items.provenance().items, {}}, provenance());
        auto factors = solve_row(items.items(), items.weights(), item_factors(), n_items(), state().item_basis, "item");
        return {std::move(factors), items};
    }
    /// An anonymous session: each item weighs 1, repeats add up.
    template <std::ranges::input_range Range>
        requires std::same_as<std::ranges::range_value_t<Range>, item_index>
    [[nodiscard]] folded_user<Scalar> fold_in(Range const& items) const {
        std::vector<history::entry> entries;
        for (auto const item : items) entries.push_back({item, 1});
        return fold_in(history(std::move(entries)));
    }
    /// An item that was not in training, from its users; several rows of one user add up.
    /// @throws data_error  for users past the end, weights that are not finite, or where the user factors are singular and regularization is 0.
    [[nodiscard]] folded_item<Scalar> fold_in_item(std::span<item_taker const> takers) const {
        std::vector<item_taker> sorted(takers.begin(), takers.end());
        std::stable_sort(sorted.begin(), sorted.end(), [](item_taker const& a, item_taker const& b) { return a.user < b.user; });
        std::vector<user_index> users;
        std::vector<float> weights;
        for (auto const& [user, weight] : sorted) {
            if (!std::isfinite(weight)) detail::throw_data("als: fold_in: the weight of user ", to_size(user), " is not finite");
            if (users.empty() || users.back() != user) users.push_back(user), weights.push_back(weight);
            else weights.back() += weight;
        }
        return {solve_row(std::span<user_index const>(users), std::span<float const>(weights), user_factors(), n_users(),
                          state().user_basis, "user")};
    }

    fit_report const& report() const& noexcept { return parts().report; }
    fit_report report() const&& { return parts().report; }
    std::optional<time_point> as_of() const noexcept { return parts().from.as_of; }
    recsys::provenance const& provenance() const& noexcept { return parts().from; }
    recsys::provenance provenance() const&& { return parts().from; }

    /// Y'Y and X'X, n_factors x n_factors, in double.
    std::span<double const> item_gramian() const& noexcept { return parts().item_gramian.span(); }
    std::span<double const> item_gramian() const&& = delete;
    std::span<double const> user_gramian() const& noexcept { return parts().user_gramian.span(); }
    std::span<double const> user_gramian() const&& = delete;

private:
    friend struct detail::archived<basic_als_model<Scalar>>;
    struct shared_state {
        als_parts<Scalar> parts;
        detail::simd_level level = detail::simd_level::portable;
        std::optional<detail::als_basis> user_basis, item_basis; // absent where singular
    };

    shared_state const& state() const noexcept {
        static shared_state const none;
        return m_state ? *m_state : none;
    }
    als_parts<Scalar> const& parts() const noexcept { return state().parts; }

    void set(als_parts<Scalar> p) {
        detail::check_index_count(p.n_users, "als", "users");
        detail::check_index_count(p.n_items, "als", "items");
        if (p.n_factors < 1 || p.n_factors > 4096) detail::throw_data("als: factors must be in [1, 4096], got ", p.n_factors);
        detail::check_part(p.user_factors, detail::checked_product(p.n_users, p.n_factors, "als"), "user_factors");
        detail::check_part(p.item_factors, detail::checked_product(p.n_items, p.n_factors, "als"), "item_factors");
        if (!p.known_users.empty()) detail::check_part(p.known_users, p.n_users, "known_users");
        if (!p.known_items.empty()) detail::check_part(p.known_items, p.n_items, "known_items");
        if (!(p.alpha >= 0 && std::isfinite(p.alpha)) || !(p.regularization >= 0 && std::isfinite(p.regularization)))
            detail::throw_data("als: alpha and regularization must be finite numbers from 0, got ", p.alpha, " and ", p.regularization);
        auto state = std::make_shared<shared_state>();
        state->level = detail::active_simd_level();
        auto const kernel = detail::kernels<double>(state->level);
        detail::team alone(1);
        if (p.user_gramian.empty()) p.user_gramian = detail::gramian(p.user_factors.span(), p.n_factors, alone, kernel);
        if (p.item_gramian.empty()) p.item_gramian = detail::gramian(p.item_factors.span(), p.n_factors, alone, kernel);
        detail::check_part(p.user_gramian, p.n_factors * p.n_factors, "user_gramian");
        detail::check_part(p.item_gramian, p.n_factors * p.n_factors, "item_gramian");
        state->user_basis = detail::als_basis::make(p.user_gramian.span(), p.n_factors, p.regularization, kernel);
        state->item_basis = detail::als_basis::make(p.item_gramian.span(), p.n_factors, p.regularization, kernel);
        state->parts = std::move(p);
        m_state = std::move(state);
    }

    std::span<Scalar const> row(std::span<Scalar const> table, std::size_t i, std::size_t n, char const* what) const {
        if (i >= n) detail::throw_data("als: ", what, ' ', i, ", there are ", n, ' ', what, 's');
        return table.subspan(detail::row_place(i, n_factors()), n_factors());
    }
    matrix_map map(std::span<Scalar const> table, std::size_t n) const noexcept {
        return matrix_map(table.data(), static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(n_factors()));
    }
    static bool is_known(detail::shared_array<std::uint8_t> const& known, std::size_t i, std::size_t n) noexcept {
        return i < n && (known.empty() || known[i] != 0);
    }
    float score_of(std::span<Scalar const> x, std::size_t item) const noexcept {
        return static_cast<float>(detail::factor_dot(x.data(), parts().item_factors.data() + detail::row_place(item, x.size()), x.size()));
    }

    /// One row of a half-step against a table: what training does, with only the rows that are needed taken into the basis.
    template <class Index> std::vector<Scalar> solve_row(std::span<Index const> ids, std::span<float const> weights,
                                                         std::span<Scalar const> table, std::size_t n,
                                                         std::optional<detail::als_basis> const& basis, char const* what) const {
        for (auto const id : ids)
            if (to_size(id) >= n) detail::throw_data("als: fold_in: ", what, ' ', to_size(id), ", there are ", n, ' ', what, 's');
        if (!basis)
            detail::throw_data("als: fold_in: the Gramian of the ", what, " factors is singular with regularization ", regularization(),
                               "; fit with regularization above 0");
        auto const kernel = detail::kernels<Scalar>(state().level);
        detail::als_row_solver<Scalar> solver(kernel, n_factors());
        std::vector<Scalar> w(solver.row_length()), out(n_factors());
        solve_whitened(solver, ids, weights, table, *basis, w);
        basis->unwhiten(w.data(), w.size(), 1, out.data(), out.size(), kernel);
        return out;
    }
    template <class Index> void solve_whitened(detail::als_row_solver<Scalar>& solver, std::span<Index const> ids,
                                               std::span<float const> weights, std::span<Scalar const> table,
                                               detail::als_basis const& basis, std::vector<Scalar>& w) const {
        auto const kernel = detail::kernels<Scalar>(state().level);
        std::size_t const f = n_factors(), ld = solver.row_length(), most = solver.most_entries;
        std::vector<std::uint32_t> places(std::min(ids.size(), most));
        for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<std::uint32_t>(i);
        detail::buffer<Scalar> z(places.size() * ld);
        detail::als_system sum(ids.size() > most ? ld : 0);
        for (std::size_t first = 0; first < ids.size() || first == 0; first += most) {
            std::size_t const count = std::min(most, ids.size() - first);
            for (std::size_t i = 0; i < count; ++i)
                basis.whiten(table.data() + detail::row_place(to_size(ids[first + i]), f), f, 1, z.data() + i * ld, ld, kernel);
            solver.entries().read(std::span<std::uint32_t const>(places).first(count), weights.subspan(first, count), alpha());
            if (ids.size() <= most) return static_cast<void>(solver.solve(z.data(), w.data()));
            solver.accumulate(z.data(), sum);
        }
        solver.solve(sum, w.data());
    }

    std::shared_ptr<shared_state const> m_state;
};

using als_model = basic_als_model<float>;

namespace detail {

/// Lists of users are made from the factors, a block of items at a time.
template <class Scalar> inline constexpr bool scores_are_products<basic_als_model<Scalar>> = true;

template <std::floating_point Scalar> struct archived<basic_als_model<Scalar>> {
    static std::string name() { return std::same_as<Scalar, float> ? "als_model<float>" : "als_model<double>"; }
    static void save(basic_als_model<Scalar> const& model, object_writer& out) {
        auto const& p = model.parts();
        out.array("sizes", std::vector<std::uint64_t>{p.n_users, p.n_items, p.n_factors});
        out.array("settings", std::vector<double>{p.alpha, p.regularization});
        out.array("user_factors", p.user_factors);
        out.array("item_factors", p.item_factors);
        out.array("known_users", p.known_users);
        out.array("known_items", p.known_items);
        out.array("user_gramian", p.user_gramian);
        out.array("item_gramian", p.item_gramian);
        out.array("loss", p.report.loss);
        out.value("stopped", static_cast<std::uint8_t>(p.report.stopped));
        out.texts("warnings", p.report.warnings);
        save_provenance(p.from, out);
    }
    static basic_als_model<Scalar> load(object_reader const& in) {
        als_parts<Scalar> p;
        auto const sizes = in.array<std::uint64_t>("sizes", 3);
        for (auto const n : sizes)
            if (n > max_index_count) in.fail("sizes", "are not those of a model");
        if (sizes[2] > 4096 || (sizes[2] == 0 && sizes[0] + sizes[1] > 0)) in.fail("sizes", "are not those of a model");
        p.n_users = static_cast<std::size_t>(sizes[0]), p.n_items = static_cast<std::size_t>(sizes[1]),
        p.n_factors = static_cast<std::size_t>(sizes[2]);
        if (p.n_factors == 0) return {};
        auto const settings = in.array<double>("settings", 2);
        for (auto const x : settings)
            if (!(x >= 0 && std::isfinite(x))) in.fail("settings", "are not finite numbers from 0");
        p.alpha = settings[0], p.regularization = settings[1];
        p.user_factors = table(in, "user_factors", checked_product(p.n_users, p.n_factors, "als"));
        p.item_factors = table(in, "item_factors", checked_product(p.n_items, p.n_factors, "als"));
        p.known_users = flags(in, "known_users", p.n_users), p.known_items = flags(in, "known_items", p.n_items);
        p.user_gramian = gramian_of(in, "user_gramian", p.n_factors), p.item_gramian = gramian_of(in, "item_gramian", p.n_factors);
        auto const loss = in.array<double>("loss");
        p.report.loss.assign(loss.begin(), loss.end());
        p.report.stopped = in.value<std::uint8_t>("stopped") != 0;
        p.report.warnings = in.texts("warnings");
        p.from = load_provenance(in);
        return basic_als_model<Scalar>(std::move(p));
    }

private:
    template <class Value> static shared_array<Value> finite(object_reader const& in, char const* section, std::size_t n) {
        auto values = in.array<Value>(section, n);
        for (std::size_t i = 0; i < n; ++i)
            if (!std::isfinite(values[i])) in.fail(section, concat("is not finite at ", i));
        return values;
    }
    static shared_array<Scalar> table(object_reader const& in, char const* section, std::size_t n) {
        return finite<Scalar>(in, section, n);
    }
    static shared_array<double> gramian_of(object_reader const& in, char const* section, std::size_t n) {
        return finite<double>(in, section, n * n);
    }
    static shared_array<std::uint8_t> flags(object_reader const& in, char const* section, std::size_t n) {
        auto values = in.array<std::uint8_t>(section);
        if (!values.empty() && values.size() != n) in.fail(section, concat("has ", values.size(), " elements, expected ", n));
        return values;
    }
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
