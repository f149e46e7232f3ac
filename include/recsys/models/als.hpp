// SPDX-License-Identifier: MIT
// Alternating least squares for implicit feedback: the trainer.
#ifndef RECSYS_MODELS_ALS_HPP
#define RECSYS_MODELS_ALS_HPP

#include <recsys/core/push_macros.hpp>

#include <concepts>
#include <cstddef>
#include <utility>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/models/als_archive.hpp>
#include <recsys/models/als_fit.hpp>
#include <recsys/models/als_model.hpp>
#include <recsys/models/als_options.hpp>
#include <recsys/models/als_watch.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Fits factors of users and items to implicit feedback: minimises the sum over all pairs of c (p - x'y)^2 + lambda (|x|^2 + |y|^2), where a stored
/// weight r has c = 1 + alpha |r| and p = [r > 0], and an absent pair or a stored zero c = 1 and p = 0.
///
/// So a negative weight is negative feedback: its size is how sure it is that the pair is not wanted. Preferences other than 0 and 1 are given beside
/// the weights (als_extras). Other confidences, another weight of absent pairs and a lambda that grows with the row are options; als_objective has
/// the whole sum. By default lambda is the same for each row however long it is, as in implicit (Spark and others multiply it by the row's length);
/// implicit takes its weights as the whole confidence, c = alpha r, so to compare give it 1 + alpha r and alpha 1.
/// Each iteration solves all items, then all users, so that the users fit the items that the model has. A fit that is stopped before its last
/// iteration, but not by a watcher, solves its users once more.
///
/// `report().loss` holds that sum after each iteration, with users that fit the items, added up in double; float factors leave it a relative error of some 1e-8 times the largest
/// confidence. Users and items without entries get zeros, with biases what their absent pairs ask for. The same bits for any number of threads; levels of the instruction set differ in the
/// last ones.
/// Cost: O(iterations (entries f^2 + (users + items) f^3)); memory: the matrix by item, and one more copy of the larger side.
/// Source: Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets" (2008), eq. 3 to 5; conjugate gradients as in Takács,
/// Pilászy, Tikk, "Applications of the conjugate gradient method for implicit feedback collaborative filtering" (2011), in the whitened basis.
template <std::floating_point Scalar> class basic_als {
public:
    /// @throws option_error  for an option outside its range.
    explicit basic_als(als_options options = {}) : m_options(std::move(options)) { detail::check_als_options(m_options); }

    /// @param user_items  n_users x n_items, of any value type.
    /// @param extras      preferences, and who watches: with losses of his the model is that of the lowest one.
    /// @throws data_error  where a confidence is below 0 or too large for the scalar type, where preferences have other entries, or with
    ///                     regularization 0 where a Gramian is singular.
    /// @throws cancelled   if the progress callback stops before the first iteration; later it gives the model of the last whole one.
    template <class Value>
    [[nodiscard]] basic_als_model<Scalar> fit(basic_csr<Value> const& user_items, als_extras<Scalar> const& extras = {}) const {
        detail::als_fit<Scalar, Value> fit(m_options, user_items, extras);
        fit.start_at_random();
        return fit.run();
    }
    /// Goes on from a model of the same users and items: on the same matrix it lowers the loss further, on a later one it needs few iterations.
    /// @throws data_error  where the sizes or the encoders differ. @throws option_error for another number of factors.
    template <class Value> [[nodiscard]] basic_als_model<Scalar>
    resume(basic_als_model<Scalar> const& previous, basic_csr<Value> const& user_items, als_extras<Scalar> const& extras = {}) const {
        if (previous.n_users() != user_items.n_users() || previous.n_items() != user_items.n_items())
            detail::throw_data("als: resume: the model has ", previous.n_users(), " users and ", previous.n_items(), " items, the matrix ",
                               user_items.n_users(), " and ", user_items.n_items());
        check_factors("als: resume", previous);
        detail::check_same_encoders("als: resume", "the model", previous.provenance(), user_items.provenance());
        detail::als_fit<Scalar, Value> fit(m_options, user_items, extras);
        fit.start_from(previous);
        return fit.run();
    }
    /// Goes on from a model of fewer users and items: those it has keep their indices and start from their factors, new ones come after them. All
    /// users are solved for the old items first, which takes half an iteration; few iterations then do what a fit from nothing needs many for.
    ///
    /// That the old ids come first, in the old order, cannot be seen from the matrix: encoders are compared only where a side has not grown.
    /// @throws data_error  where the matrix has fewer users or items, or other encoders. @throws option_error for another number of factors.
    template <class Value> [[nodiscard]] basic_als_model<Scalar>
    update(basic_als_model<Scalar> const& previous, basic_csr<Value> const& user_items, als_extras<Scalar> const& extras = {}) const {
        if (previous.n_users() > user_items.n_users() || previous.n_items() > user_items.n_items())
            detail::throw_data("als: update: the model has ", previous.n_users(), " users and ", previous.n_items(),
                               " items, expected a matrix of no fewer, got ", user_items.n_users(), " and ", user_items.n_items());
        check_factors("als: update", previous);
        auto from = previous.provenance();
        if (previous.n_users() < user_items.n_users()) from.users = 0;
        if (previous.n_items() < user_items.n_items()) from.items = 0;
        detail::check_same_encoders("als: update", "the model", from, user_items.provenance());
        detail::als_fit<Scalar, Value> fit(m_options, user_items, extras);
        fit.start_from_smaller(previous);
        return fit.run();
    }

private:
    void check_factors(char const* where, basic_als_model<Scalar> const& previous) const {
        if (previous.has_biases() != m_options.biases)
            detail::throw_option(where, ": biases must be as in the model, which was fitted ", m_options.biases ? "without" : "with",
                                 " them");
        std::size_t const n = previous.n_factors() - (previous.has_biases() ? 2 : 0);
        if (n != m_options.factors)
            detail::throw_option(where, ": factors must be those of the model, ", n, ", got ", std::size_t{m_options.factors});
    }

    als_options m_options;
};

using als = basic_als<float>;

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
