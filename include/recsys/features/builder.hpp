// SPDX-License-Identifier: MIT
// The feature set: what is known of a user and a candidate as of a moment, a column a step. One recipe serves training and serving.
#ifndef RECSYS_FEATURES_BUILDER_HPP
#define RECSYS_FEATURES_BUILDER_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/dataset.hpp>
#include <recsys/data/events.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/label_encoder.hpp>
#include <recsys/data/row_schema.hpp>
#include <recsys/features/activity.hpp>
#include <recsys/features/crosses.hpp>
#include <recsys/features/event_index.hpp>
#include <recsys/features/sources.hpp>
#include <recsys/features/step.hpp>
#include <recsys/features/tables.hpp>
#include <recsys/features/window.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/retrieval/candidates.hpp>
#include <recsys/retrieval/recommender.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// How `last_similarity` looks back.
struct last_similarity_options {
    natural last = 5; ///< how many of the user's latest distinct items
};

namespace detail {

/// A feature set without its id types: what frames are made from. A handle: a copy shares.
struct feature_recipe {
    std::shared_ptr<known_events const> known;
    csr seen;
    candidate_pool pool;
    std::vector<feature_step_ptr> all;   ///< every step, also those whose column is left out
    std::vector<feature_step_ptr> shown; ///< the columns of the frames

    recsys::provenance const& provenance() const noexcept { return known->rows.provenance(); }
    std::optional<time_point> as_of() const noexcept { return known->rows.as_of(); }

    feature_step const* find(std::string_view name) const noexcept {
        for (auto const& step : all)
            if (step->table.name == name) return step.get();
        return nullptr;
    }
    std::string names_text() const {
        std::string out;
        for (auto const& step : all) out += (out.empty() ? "" : ", ") + step->table.name;
        return out;
    }
    /// The values by item of a column that an earlier step made.
    frame_column const& item_table(std::string_view where, std::string_view name, bool categories) const {
        auto const* step = find(name);
        if (!step) throw_data("features: ", where, ": there is no column ", in_quotes(name), "; there are: ", names_text());
        if (step->source != feature_step::from::item || (step->table.kind != column_kind::number) != categories)
            throw_data("features: ", where, ": column ", in_quotes(name), " is not made by ",
                       categories ? "item_category() or item_categories()" : "item_number()");
        return step->table;
    }
    /// The place of a column among those shown. @throws data_error naming it.
    std::size_t place(std::string_view where, std::string_view name) const {
        for (std::size_t i = 0; i < shown.size(); ++i)
            if (shown[i]->table.name == name) return i;
        throw_data("features: ", where, ": there is no column ", in_quotes(name), " in the frames; all columns: ", names_text());
    }
};

struct feature_access;

}

/// Columns about (user, candidate), each computed from the events before `as_of()`, the pool, or functions of the ids. Immutable: a step returns
/// a new set with one more column. A handle: a copy shares. Safe to read from many threads.
///
/// Functions of an item or a user run once for each id, when the step is written, and are not kept; `pair_number` functions and scorers are kept
/// and are called from several threads at once. Names must be new: a second column of one name is a data_error.
template <id_type User, id_type Item> class feature_set {
public:
    // --- the user's own columns -------------------------------------------------------------------

    /// With a number for each item: `f(item id)` (an optional one may be missing), or a statistic of its events.
    template <class Function> [[nodiscard]] feature_set item_number(std::string name, Function f) const {
        if constexpr (std::same_as<Function, item_statistic>)
            return with_item_table(detail::table_of_numbers(new_name(name), numbers_of(f)));
        else {
            constexpr bool takes_id = std::invocable<Function&, Item const&>;
            static_assert(takes_id, "item_number: the function takes an item id, or it is an item_statistic");
            if constexpr (takes_id) {
                constexpr bool is_number = detail::number_column<std::remove_cvref_t<std::invoke_result_t<Function&, Item const&>>>;
                static_assert(is_number, "item_number: the function must return a number");
                if constexpr (is_number) return with_item_table(detail::table_of_numbers(new_name(name), m_items, f));
            }
            return *this;
        }
    }
    /// With a category for each item: `f(item id)` gives an integer, an enum or text.
    template <class Function> [[nodiscard]] feature_set item_category(std::string name, Function f) const {
        if constexpr (is_category_function<Function, Item>()) return with_item_table(detail::table_of_category(new_name(name), m_items, f));
        return *this;
    }
    /// With several categories for each item: `f(item id)` gives a range of integers, enums or text; repeated ones count once.
    template <class Function> [[nodiscard]] feature_set item_categories(std::string name, Function f) const {
        if constexpr (is_categories_function<Function, Item>())
            return with_item_table(detail::table_of_categories(new_name(name), m_items, f));
        return *this;
    }
    /// With a number for each user: `f(user id)`.
    template <class Function> [[nodiscard]] feature_set user_number(std::string name, Function f) const {
        constexpr bool takes_id = std::invocable<Function&, User const&>;
        static_assert(takes_id, "user_number: the function takes a user id");
        if constexpr (takes_id) {
            constexpr bool is_number = detail::number_column<std::remove_cvref_t<std::invoke_result_t<Function&, User const&>>>;
            static_assert(is_number, "user_number: the function must return a number");
            if constexpr (is_number) return with_user_table(detail::table_of_numbers(new_name(name), m_users, f));
        }
        return *this;
    }
    /// With a category for each user: `f(user id)` gives an integer, an enum or text.
    template <class Function> [[nodiscard]] feature_set user_category(std::string name, Function f) const {
        if constexpr (is_category_function<Function, User>()) return with_user_table(detail::table_of_category(new_name(name), m_users, f));
        return *this;
    }
    /// With several categories for each user.
    template <class Function> [[nodiscard]] feature_set user_categories(std::string name, Function f) const {
        if constexpr (is_categories_function<Function, User>())
            return with_user_table(detail::table_of_categories(new_name(name), m_users, f));
        return *this;
    }
    /// With a number for each row: `f(user id, item id)`, kept and called from several threads at once.
    template <class Function> [[nodiscard]] feature_set pair_number(std::string name, Function f) const {
        constexpr bool takes_ids = std::invocable<Function const&, User const&, Item const&>;
        static_assert(takes_ids, "pair_number: the function takes a user id and an item id, and can be called through const");
        if constexpr (takes_ids) {
            constexpr bool is_number =
                detail::number_column<std::remove_cvref_t<std::invoke_result_t<Function const&, User const&, Item const&>>>;
            static_assert(is_number, "pair_number: the function must return a number");
            if constexpr (is_number)
                return with(
                    detail::computed_step(new_name(name), [f = std::move(f), users_ = m_users, items_ = m_items](
                                                              std::span<detail::user_candidates const> users, std::span<float> column) {
                        for (auto const& [user, first, items] : users)
                            for (std::size_t j = 0; j < items.size(); ++j)
                                column[first + j] = detail::to_number(f(users_.id(user), items_.id(items[j])));
                    }));
        }
        return *this;
    }
    /// With the score that a scorer gives the pair; `std::cref(x)` is read in place and must outlive the set.
    template <class Scorer> [[nodiscard]] feature_set score(std::string name, Scorer const& scorer) const {
        return with(detail::score_step(new_name(name), scorer, provenance()));
    }

    // --- the events before the moment: items --------------------------------------------------------

    /// With the share of all events whose item has the same value of an `item_category` column.
    [[nodiscard]] feature_set category_share(std::string name, std::string_view category) const {
        auto const& table = m_recipe.item_table("category_share", category, true);
        if (table.kind != column_kind::category)
            detail::throw_data("features: category_share: column ", detail::in_quotes(category),
                               " holds several values an item; make one by item_category()");
        return with_item_table(detail::table_of_numbers(new_name(name), detail::category_shares(*m_recipe.known, table)));
    }

    // --- users --------------------------------------------------------------------------------------

    /// With the user's number of events.
    [[nodiscard]] feature_set user_events(std::string name) const { return with(detail::user_events_step(new_name(name), m_recipe.known)); }
    /// With the whole days between the user's first and last event, / 30; missing for a user without events.
    [[nodiscard]] feature_set user_months(std::string name) const { return with(detail::user_months_step(new_name(name), m_recipe.known)); }
    /// With the user's number of events / the months of `user_months`; missing where these are 0.
    [[nodiscard]] feature_set user_events_per_month(std::string name) const {
        return with(detail::user_events_per_month_step(new_name(name), m_recipe.known));
    }
    /// With the mean of a number of the user's items, by event or by distinct item; items without the number are left out.
    [[nodiscard]] feature_set user_mean(std::string name, item_statistic const& of, averaged over = averaged::over_events) const {
        return with(detail::user_mean_step(new_name(name), mean(of, over)));
    }
    /// With the sample standard deviation (n - 1) of a number over the user's events; missing for fewer than two.
    [[nodiscard]] feature_set user_deviation(std::string name, item_statistic const& of) const {
        return with(detail::user_deviation_step(new_name(name), m_recipe.known, detail::shared_array<float>(numbers_of(of))));
    }

    // --- user x item --------------------------------------------------------------------------------

    /// With the item's number minus the user's mean of it.
    [[nodiscard]] feature_set gap(std::string name, item_statistic const& of, averaged over = averaged::over_events) const {
        return with(detail::gap_step(new_name(name), mean(of, over)));
    }
    /// With the share of the user's events whose item has the candidate's first category as its own first; missing for an item without any.
    [[nodiscard]] feature_set first_value_share(std::string name, std::string_view categories) const {
        auto const& table = m_recipe.item_table("first_value_share", categories, true);
        return with(detail::first_value_share_step(new_name(name), m_recipe.known, table));
    }
    /// With `<categories>_affinity`: the mean, over the candidate's categories, of the share of the user's events whose item has the category.
    [[nodiscard]] feature_set affinity(std::string categories) const { return affinity(categories + "_affinity", categories); }
    /// The same under a name of its own.
    [[nodiscard]] feature_set affinity(std::string name, std::string_view categories) const {
        auto const& table = m_recipe.item_table("affinity", categories, true);
        return with(detail::affinity_step(new_name(name), m_recipe.known, table));
    }
    /// With the user's number of events of the item.
    [[nodiscard]] feature_set pair_events(std::string name) const { return with(detail::pair_events_step(new_name(name), m_recipe.known)); }
    /// With the whole days since the user's last event of the item; missing where there is none. Four more bytes an event.
    [[nodiscard]] feature_set pair_days(std::string name) const { return with(detail::pair_days_step(new_name(name), m_recipe.known)); }
    /// With the largest cosine of the item's factors to those of the user's last items; missing where one side has no factors but zeros.
    ///
    /// @param factors  a model with `item_factors()`, `n_items()` and `n_factors()`, kept by copy (as `std::cref(x)` read in place), or a function
    ///                 `f(item_index)` that returns a range of numbers. It must not know events after the moment.
    template <class Factors>
    [[nodiscard]] feature_set last_similarity(std::string name, Factors const& factors, last_similarity_options const& options = {}) const {
        if (options.last == 0) detail::throw_option("features: last_similarity: last must be at least 1, got 0");
        auto from = detail::item_factors_of(factors, m_recipe.provenance(), m_recipe.known->rows.n_items());
        return with(detail::last_similarity_step(new_name(name), m_recipe.known, std::move(from), options.last));
    }

    // --- groups of steps ------------------------------------------------------------------------------

    /// When items are played: `plays_30` and `plays_7` (events in the last 30 and 7 days), `trend` = (30 plays_7 + 1) / (7 plays_30 + 1),
    /// `age` (days since the item's first event). Needs times.
    [[nodiscard]] feature_set recency() const {
        using std::chrono::days;
        return item_number("plays_30", item_statistic::plays(days{30}))
            .item_number("plays_7", item_statistic::plays(days{7}))
            .item_number("trend", item_statistic::trend(days{7}, days{30}))
            .item_number("age", item_statistic::age());
    }
    /// How much there is: `plays` (events of the item), `user_events` (events of the user).
    [[nodiscard]] feature_set counts() const { return item_number("plays", item_statistic::plays()).user_events("user_events"); }
    /// For lists that let seen items in: `pair_events` and `pair_days`. Needs times.
    [[nodiscard]] feature_set repeats() const { return pair_events("pair_events").pair_days("pair_days"); }

    // --- which columns --------------------------------------------------------------------------------

    /// Without a column in the frames; steps may still build on it.
    [[nodiscard]] feature_set without(std::string_view name) const {
        auto out = *this;
        out.m_recipe.shown.erase(out.m_recipe.shown.begin() + static_cast<std::ptrdiff_t>(m_recipe.place("without", name)));
        return out;
    }
    /// With these columns alone, in this order.
    [[nodiscard]] feature_set only(std::vector<std::string> const& names) const {
        auto out = *this;
        out.m_recipe.shown.clear();
        for (auto const& name : names) {
            auto const& step = m_recipe.shown[m_recipe.place("only", name)];
            if (std::find(out.m_recipe.shown.begin(), out.m_recipe.shown.end(), step) != out.m_recipe.shown.end())
                detail::throw_data("features: only: column ", detail::in_quotes(name), " is named twice");
            out.m_recipe.shown.push_back(step);
        }
        return out;
    }
    /// The columns of the frames, in their order.
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (auto const& step : m_recipe.shown) out.push_back(step->table.name);
        return out;
    }

    // --- what it is made from -------------------------------------------------------------------------

    /// The moment before which every event lies that a column knows; absent for undated data.
    std::optional<time_point> as_of() const noexcept { return m_recipe.as_of(); }
    recsys::provenance const& provenance() const& noexcept { return m_recipe.provenance(); }
    recsys::provenance provenance() const&& { return m_recipe.provenance(); }
    /// What users had seen at the moment.
    csr seen() const { return m_recipe.seen; }
    /// A source of the pool as a recommender of the same moment. @throws data_error naming it.
    any_recommender source(std::string_view name) const { return m_recipe.pool.source(name); }
    candidate_pool const& pool() const& noexcept { return m_recipe.pool; }
    candidate_pool pool() const&& { return m_recipe.pool; }

private:
    friend struct detail::feature_access;
    feature_set(detail::feature_recipe recipe, user_encoder<User> users, item_encoder<Item> items)
        : m_recipe(std::move(recipe)), m_users(std::move(users)), m_items(std::move(items)) {}

    template <class Function, class Id> static constexpr bool is_category_function() {
        constexpr bool takes_id = std::invocable<Function&, Id const&>;
        static_assert(takes_id, "a category column: the function takes the id of an item (of a user for user_category)");
        if constexpr (takes_id) {
            constexpr bool is_category = detail::category_column<std::remove_cvref_t<std::invoke_result_t<Function&, Id const&>>>;
            static_assert(is_category,
                          "a category column: the function must return an integer, enum or text; for several values say item_categories");
            return is_category;
        }
        return false;
    }
    template <class Function, class Id> static constexpr bool is_categories_function() {
        constexpr bool takes_id = std::invocable<Function&, Id const&>;
        static_assert(takes_id, "a column of categories: the function takes the id of an item (of a user for user_categories)");
        if constexpr (takes_id) {
            using range = std::invoke_result_t<Function&, Id const&>;
            constexpr bool is_range = detail::categories_column<range>;
            static_assert(
                is_range,
                "a column of categories: the function must return a range of integers, enums or text; for one value say item_category");
            if constexpr (is_range) {
                constexpr bool is_category = detail::category_column<std::ranges::range_value_t<detail::optional_value_t<range>>>;
                static_assert(is_category, "a column of categories: the range must hold integers, enums or text");
                return is_category;
            }
        }
        return false;
    }

    /// The name, if there is no such column yet.
    std::string new_name(std::string const& name) const {
        if (name.empty()) detail::throw_data("features: a column needs a name");
        if (m_recipe.find(name)) detail::throw_data("features: there is already a column ", detail::in_quotes(name));
        return name;
    }
    std::vector<float> numbers_of(item_statistic const& statistic) const {
        if (statistic.column_name().empty()) return statistic(*m_recipe.known);
        auto const& numbers = m_recipe.item_table("item_statistic::column", statistic.column_name(), false).numbers;
        return std::vector<float>(numbers.begin(), numbers.end());
    }
    detail::user_mean_of mean(item_statistic const& of, averaged over) const {
        return detail::user_mean_of(m_recipe.known, detail::shared_array<float>(numbers_of(of)), over);
    }
    feature_set with(detail::feature_step_ptr step) const {
        auto out = *this;
        out.m_recipe.all.push_back(step);
        out.m_recipe.shown.push_back(std::move(step));
        return out;
    }
    feature_set with_item_table(frame_column table) const {
        return with(detail::table_step(detail::feature_step::from::item, std::move(table)));
    }
    feature_set with_user_table(frame_column table) const {
        return with(detail::table_step(detail::feature_step::from::user, std::move(table)));
    }

    detail::feature_recipe m_recipe;
    user_encoder<User> m_users;
    item_encoder<Item> m_items;
};

namespace detail {

template <class T> inline constexpr bool is_dataset = false;
template <class User, class Item> inline constexpr bool is_dataset<dataset<User, Item>> = true;

/// How the verbs of this room reach what is inside a feature set.
struct feature_access {
    template <class User, class Item> static feature_recipe const& recipe(feature_set<User, Item> const& features) {
        return features.m_recipe;
    }
    template <class User, class Item> static feature_set<User, Item> make(feature_recipe recipe, dataset<User, Item> const& known) {
        return feature_set<User, Item>(std::move(recipe), known.users(), known.items());
    }
};

}

/// The features of a pool's candidates as of the moment of `known`, to start with the pool's own: `<source>_score` and `<source>_rank` (from 0),
/// missing where the source did not name the item.
///
/// @param known  the events before the moment: a window of `split_by_time`, or `data.before(t)`.
/// @param seen   `user_items(known)`.
/// @param pool   its sources fitted on the same events.
/// @throws data_error  where they were made with other ids, or matrix or pool know events after the moment.
/// Cost: O(events) time, four bytes an event beside what is given; each is kept as a handle.
template <class Known> [[nodiscard]] auto features(Known const& known, csr const& seen, candidate_pool const& pool) {
    constexpr bool is_past = detail::is_dataset<Known>;
    static_assert(is_past,
                  "features: the first argument is a dataset, the events before the moment; labels and future (truth) are not known then");
    if constexpr (is_past) {
        events const& rows = known;
        if (seen.n_users() != rows.n_users() || seen.n_items() != rows.n_items())
            detail::throw_data("features: the matrix of seen items is ", seen.n_users(), " x ", seen.n_items(), ", the events have ",
                               rows.n_users(), " users and ", rows.n_items(), " items");
        detail::check_made_before("the matrix of seen items", seen.provenance(), rows.provenance());
        detail::check_made_before("the candidate pool", pool.provenance(), rows.provenance());
        detail::feature_recipe recipe{std::make_shared<detail::known_events const>(rows), seen, pool, detail::pool_steps(pool), {}};
        recipe.shown = recipe.all;
        return detail::feature_access::make(std::move(recipe), known);
    }
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
