// SPDX-License-Identifier: MIT
// Items like an item and users like a user, by the factors of a model.
#ifndef RECSYS_RETRIEVAL_SIMILARITY_HPP
#define RECSYS_RETRIEVAL_SIMILARITY_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/item_set.hpp>
#include <recsys/retrieval/factor_index.hpp>
#include <recsys/retrieval/factor_join.hpp>
#include <recsys/retrieval/factor_list_maker.hpp>
#include <recsys/retrieval/factor_lists.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/factor_scorer.hpp>
#include <recsys/retrieval/factor_search.hpp>
#include <recsys/retrieval/recommend_options.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// A user of a list of similar ones; higher is more alike.
struct scored_user {
    user_index user{};
    float score = 0;
    friend bool operator==(scored_user const&, scored_user const&) = default;
};

/// For each of some items or users those that are like it, best first: scores do not rise, equal scores are in rising index order.
/// A handle: a copy shares. Given to a sink it is valid after the call only if it is copied.
template <class Index, class Scored> class neighbour_lists {
public:
    struct entry {
        Index of{};
        std::span<Scored const> list;
    };
    class iterator {
    public:
        using value_type = entry;
        using difference_type = std::ptrdiff_t;
        using reference = entry;
        using pointer = void;
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::forward_iterator_tag;
        iterator() = default;
        iterator(neighbour_lists const* of, std::size_t i) noexcept : m_of(of), m_i(i) {}
        entry operator*() const { return (*m_of)[m_i]; }
        iterator& operator++() noexcept { return ++m_i, *this; }
        iterator operator++(int) noexcept { return iterator(m_of, m_i++); }
        friend bool operator==(iterator a, iterator b) noexcept { return a.m_i == b.m_i; }

    private:
        neighbour_lists const* m_of = nullptr;
        std::size_t m_i = 0;
    };

    neighbour_lists() = default;
    neighbour_lists(std::vector<Index> of, detail::list_rows<Scored> rows)
        : m_data(std::make_shared<data const>(data{std::move(of), std::move(rows)})) {}

    std::size_t size() const noexcept { return m_data ? m_data->of.size() : 0; }
    bool empty() const noexcept { return size() == 0; }
    std::size_t n_slots() const noexcept { return m_data ? m_data->rows.items.size() : 0; }
    entry operator[](std::size_t i) const& {
        auto const& ends = m_data->rows.ends;
        std::size_t const first = i == 0 ? 0 : ends[i - 1];
        return {m_data->of[i], std::span<Scored const>(m_data->rows.items).subspan(first, ends[i] - first)};
    }
    entry operator[](std::size_t) const&& = delete;
    iterator begin() const& noexcept { return iterator(this, 0); }
    iterator end() const& noexcept { return iterator(this, size()); }

private:
    struct data {
        std::vector<Index> of;
        detail::list_rows<Scored> rows;
    };
    std::shared_ptr<data const> m_data;
};
using similar_item_lists = neighbour_lists<item_index, scored>;
using similar_user_lists = neighbour_lists<user_index, scored_user>;

/// An item is listed iff the model knows it, it is in `allow` (if given), not in `deny`, and is not the one that was asked about.
struct similar_options {
    natural k = 10;
    recsys::similarity similarity = recsys::similarity::cosine;
    std::optional<item_set> allow = {};
    item_set deny = {};
    natural block = 4096; ///< items at a time; changes no result
    run_options run = {};
};
struct similar_users_options {
    natural k = 10;
    recsys::similarity similarity = recsys::similarity::cosine;
    natural block = 4096; ///< users at a time; changes no result
    run_options run = {};
};

namespace detail {

/// The rows of one side of a model, compared with each other.
template <class Index, class Scored, class Model, class Options> class neighbour_search {
public:
    using lists_type = neighbour_lists<Index, Scored>;
    static constexpr bool of_items = std::same_as<Index, item_index>;
    static constexpr std::string_view where = of_items ? "similar_items" : "similar_users", one = of_items ? "item" : "user";

    neighbour_search(Model const& model, Options const& options) : m_model(model), m_options(options), m_rows(rows_of(model)) {
        if (options.block == 0) throw_option(where, ": block must be at least 1, got 0");
        if constexpr (of_items) {
            auto const from = provenance_of(model);
            check_same_encoders(where, "deny", options.deny.provenance(), from);
            check_item_set(where, "deny", options.deny, m_rows.n_rows);
            if (options.allow) check_same_encoders(where, "allow", options.allow->provenance(), from);
            if (options.allow) check_item_set(where, "allow", *options.allow, m_rows.n_rows);
        }
    }

    /// Gives the lists of each block to `take`, in order, until that says stop.
    template <class Take> stream_report run(std::span<Index const> of, Take const& take) {
        check(of);
        stream_report report;
        team workers(of.size() > 1 ? static_cast<std::size_t>(m_options.run.threads) : 1);
        measure(workers);
        pairs const score_of(m_rows, m_options.similarity, by_cosine() ? m_lengths.data() : nullptr);
        auto const* const from = choose_index(score_of, of.size(), workers);
        if (from && pays_to_join(*from, of)) join(*from, score_of, workers);
        progress_reporter progress(m_options.run.progress, where, of.size());
        for (std::size_t first = 0; first < of.size() && !report.stopped;) {
            auto const some = of.subspan(first, std::min<std::size_t>(m_options.block, of.size() - first));
            first += some.size();
            lists_type const block({some.begin(), some.end()}, list(some, score_of, from, workers));
            report.users += block.size(), report.slots += block.n_slots();
            for (auto const& [index, found] : block) report.empty += found.empty(), report.cold_users += !knows_of(m_model, index);
            if (!take(block)) report.stopped = true;
            if (!progress.report(first)) report.stopped = true;
        }
        return report;
    }

private:
    static auto rows_of(Model const& model) {
        if constexpr (of_items) return alike_item_rows_of(model);
        else return alike_user_rows_of(model);
    }
    using rows_type = decltype(rows_of(std::declval<Model const&>()));
    using scalar = std::remove_cvref_t<decltype(*std::declval<rows_type>().data)>;
    using subject = factor_subject<scalar>;
    using pairs = factor_pairs<scalar>;
    using index_type = factor_index<scalar>;
    bool by_cosine() const noexcept { return m_options.similarity == similarity::cosine; }
    item_set const* among() const noexcept {
        if constexpr (of_items) return m_options.allow ? &*m_options.allow : nullptr;
        else return nullptr;
    }

    void check(std::span<Index const> of) const {
        for (std::size_t i = 0; i < of.size(); ++i)
            if (to_size(of[i]) >= m_rows.n_rows)
                throw_data(where, ": ", one, ' ', to_size(of[i]), " at position ", i, ", expected below ", m_rows.n_rows,
                           ", the number of ", one, 's');
    }
    void measure(team& workers) {
        if (!by_cosine()) return;
        m_lengths.resize(m_rows.n_rows);
        workers.blocks(m_rows.n_rows, 1024, [&](std::size_t first, std::size_t last, std::size_t) {
            for (std::size_t i = first; i < last; ++i) m_lengths[i] = length_of(m_rows.row(i), m_rows.n_factors);
        });
    }
    /// What the model brings or what is made here, or null where rows are better read in place.
    index_type const* choose_index(pairs const& score_of, std::size_t n_lists, team& workers) {
        if constexpr (of_items)
            if (auto const* const brought = brought_index(m_model, score_of, among())) return brought;
        if (n_lists < least_lists_for_an_index) return nullptr;
        auto const keep = [&](item_index i) { return is_candidate(static_cast<Index>(i)); };
        m_own = {score_of, kept_items(m_rows.n_rows, among(), keep), workers};
        return &m_own;
    }
    /// Whether lists are wanted of most of the candidates and of nothing else, each once: then each pair is scored once for both.
    bool pays_to_join(index_type const& from, std::span<Index const> of) {
        auto const items = from.items();
        std::size_t const k = std::min<std::size_t>(m_options.k, m_rows.n_rows);
        if (!by_cosine() || &from != &m_own || k == 0 || of.size() < items.size() - items.size() / 3) return false;
        if (!factor_join<scalar>::is_cheap(items.size(), k)) return false;
        std::vector<std::uint8_t> had(m_rows.n_rows);
        for (auto const i : of) {
            if (had[to_size(i)]++ != 0) return false;
            if (from.place_of(to_size(i)) == index_type::no_place && is_listable(i)) return false;
        }
        return true;
    }
    void join(index_type const& from, pairs const& score_of, team& workers) {
        std::size_t const k = std::min<std::size_t>(m_options.k, m_rows.n_rows);
        m_join.emplace(from, score_of, k, workers, [&](std::uint32_t a, std::uint32_t b) { refuse(a, b); });
    }
    [[noreturn]] static void refuse(std::size_t a, std::size_t b) {
        throw_data(where, ": the similarity of ", one, "s ", a, " and ", b, " is not a number");
    }
    list_rows<Scored> list(std::span<Index const> of, pairs const& score_of, index_type const* from, team& workers) {
        std::size_t const k = std::min<std::size_t>(m_options.k, m_rows.n_rows), step = subjects_at_once(k, of.size(), workers.size());
        std::vector<list_rows<Scored>> parts((of.size() + step - 1) / step);
        std::vector<factor_search<scalar>> searches(workers.size());
        workers.blocks(of.size(), step, [&](std::size_t first, std::size_t last, std::size_t worker) {
            auto& out = parts[first / step];
            if (k == 0) out.ends.resize(last - first, 0);
            else if (m_join)
                for (auto const i : of.subspan(first, last - first)) take_joined(i, out);
            else list_some(of.subspan(first, last - first), k, score_of, from, searches[worker], out);
        });
        return joined(std::move(parts));
    }
    void take_joined(Index i, list_rows<Scored>& out) {
        auto const place = m_own.place_of(to_size(i));
        if (place == index_type::no_place) out.ends.push_back(out.items.size());
        else m_join->take(place, [&](auto best) { out.add(best); });
    }
    void list_some(std::span<Index const> of, std::size_t k, pairs const& score_of, index_type const* from, factor_search<scalar>& search,
                   list_rows<Scored>& out) const {
        std::vector<subject> rows(of.size());
        for (std::size_t s = 0; s < of.size(); ++s)
            if (is_listable(of[s])) rows[s] = {m_rows.row(to_size(of[s])), by_cosine() ? m_lengths[to_size(of[s])] : 0};
        std::span<subject const> const subjects(rows);
        auto const is_wanted = [&](std::size_t s, std::uint32_t i) {
            auto const other = static_cast<Index>(i);
            return other != of[s] && (from == &m_own || is_candidate(other));
        };
        auto const refuse_pair = [&](std::size_t s, std::uint32_t i) { refuse(to_size(of[s]), i); };
        auto const take = [&](auto best) { out.add(best); };
        if (from) search.run(*from, score_of, subjects, k, is_wanted, refuse_pair, take);
        else best_of_pairs(score_of, subjects, k, among(), is_wanted, refuse_pair, take);
    }
    /// Whether it can be in lists of others.
    bool is_candidate(Index i) const {
        if constexpr (of_items)
            if (m_options.deny.contains(i) || (m_options.allow && !m_options.allow->contains(i))) return false;
        return is_listable(i);
    }
    /// Whether it has a direction at all: zero vectors are like nothing.
    bool is_listable(Index i) const { return knows_of(m_model, i) && !(by_cosine() && m_lengths[to_size(i)] == 0); }

    Model const& m_model;
    Options const& m_options;
    rows_type m_rows;
    std::vector<double> m_lengths; // only for cosines
    index_type m_own;              // of the candidates, for many lists
    std::optional<factor_join<scalar>> m_join;
};

template <class Index, class Range> constexpr bool is_range_of() {
    if constexpr (std::ranges::input_range<Range const>) return std::same_as<std::ranges::range_value_t<Range const>, Index>;
    else return false;
}
template <class Index, class Who> std::vector<Index> indices_of(Who const& who) {
    if constexpr (std::same_as<Who, Index>) return {who};
    else {
        std::vector<Index> out;
        for (Index const i : who) out.push_back(i);
        return out;
    }
}

template <class Model, class Who> constexpr bool check_similar_items() {
    constexpr bool has_rows = has_item_rows<Model>, is_who = std::same_as<Who, item_index> || is_range_of<item_index, Who>();
    static_assert(has_rows, "similar_items: the first argument is a model with item_factors(), n_items() and n_factors()");
    static_assert(is_who, "similar_items: the second argument is an item_index or a range of them");
    return has_rows && is_who;
}
template <class Model, class Who> constexpr bool check_similar_users() {
    constexpr bool has_rows = has_user_rows<Model>, is_who = std::same_as<Who, user_index> || is_range_of<user_index, Who>();
    static_assert(has_rows, "similar_users: the first argument is a model with user_factors(), n_users() and n_factors()");
    static_assert(is_who, "similar_users: the second argument is a user_index or a range of them");
    return has_rows && is_who;
}

/// The lists of one index as a vector, of a range as lists.
template <class Index, class Scored, class Model, class Who, class Options>
auto find_neighbours(Model const& model, Who const& who, Options const& options) {
    using search = neighbour_search<Index, Scored, Model, Options>;
    auto const of = indices_of<Index>(who);
    list_rows<Scored> rows;
    auto const report = search(model, options).run(of, [&](typename search::lists_type const& block) {
        for (auto const& [index, list] : block) {
            rows.items.insert(rows.items.end(), list.begin(), list.end());
            rows.ends.push_back(rows.items.size());
        }
        return true;
    });
    if (report.stopped && report.users < of.size())
        throw_cancelled(search::where, ": stopped by the progress callback after ", report.users, " of ", of.size());
    if constexpr (std::same_as<Who, Index>) return std::move(rows.items);
    else return typename search::lists_type(of, std::move(rows));
}

}

/// The items most like an item: `std::vector<scored>`, or `similar_item_lists` for a range, in its order. Never the item itself.
///
/// Cosines are in [-1, 1], distances are given as their negatives. Items that the model does not know, and under cosine zero vectors, are like nothing: they are in no list and have an
/// empty one. Equal scores are in the order of the items.
/// @throws data_error  for an item past the end, of the arguments or of allow and deny, or factors that are not numbers.
/// @throws cancelled   where progress stops a range before its end.
/// Cost: O(items x n_factors) an item. For 32 items and more the rows are copied once, into an index that passes over what cannot be listed.
/// The same bytes for any number of threads and any block.
template <class Model, class Who>
[[nodiscard]] auto similar_items(Model const& model, Who const& items, similar_options const& options = {}) {
    constexpr bool right = detail::check_similar_items<unwrap_t<Model>, Who>();
    if constexpr (right) return detail::find_neighbours<item_index, scored, unwrap_t<Model>>(model, items, options);
    else return std::vector<scored>{};
}
/// The same, given to a sink a block at a time, in order, from the calling thread. The report counts items as users.
/// @param to  called as sink(similar_item_lists const&); returns nothing, or bool, where false stops.
template <class Model, class Who, class Sink>
stream_report similar_items(Model const& model, Who const& items, similar_options const& options, Sink&& to) {
    constexpr bool right = detail::check_similar_items<unwrap_t<Model>, Who>();
    constexpr bool is_sink = std::invocable<Sink&, similar_item_lists const&>;
    static_assert(is_sink, "similar_items: the sink is called as sink(similar_item_lists const&) and returns void, or bool (false stops)");
    if constexpr (right && is_sink) {
        unwrap_t<Model> const& m = model;
        detail::neighbour_search<item_index, scored, unwrap_t<Model>, similar_options> search(m, options);
        return search.run(detail::indices_of<item_index>(items),
                          [&](similar_item_lists const& block) { return detail::goes_on(to, block); });
    } else return {};
}

/// The users most like a user: `std::vector<scored_user>`, or `similar_user_lists` for a range. As similar_items.
template <class Model, class Who>
[[nodiscard]] auto similar_users(Model const& model, Who const& users, similar_users_options const& options = {}) {
    constexpr bool right = detail::check_similar_users<unwrap_t<Model>, Who>();
    if constexpr (right) return detail::find_neighbours<user_index, scored_user, unwrap_t<Model>>(model, users, options);
    else return std::vector<scored_user>{};
}
/// The same, given to a sink a block at a time. @param to  called as sink(similar_user_lists const&).
template <class Model, class Who, class Sink>
stream_report similar_users(Model const& model, Who const& users, similar_users_options const& options, Sink&& to) {
    constexpr bool right = detail::check_similar_users<unwrap_t<Model>, Who>();
    constexpr bool is_sink = std::invocable<Sink&, similar_user_lists const&>;
    static_assert(is_sink, "similar_users: the sink is called as sink(similar_user_lists const&) and returns void, or bool (false stops)");
    if constexpr (right && is_sink) {
        unwrap_t<Model> const& m = model;
        detail::neighbour_search<user_index, scored_user, unwrap_t<Model>, similar_users_options> search(m, options);
        return search.run(detail::indices_of<user_index>(users),
                          [&](similar_user_lists const& block) { return detail::goes_on(to, block); });
    } else return {};
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
