// SPDX-License-Identifier: MIT
// A pool of candidates: the best items of several sources for each user, each item once, with what every source says of it.
#ifndef RECSYS_RETRIEVAL_CANDIDATES_HPP
#define RECSYS_RETRIEVAL_CANDIDATES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/retrieval/lists.hpp>
#include <recsys/retrieval/recommend_options.hpp>
#include <recsys/retrieval/recommender.hpp>
#include <recsys/retrieval/scorer.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// The candidates of a block of users, a row each, grouped by user: first the items that some source puts first, equal places by the smaller item.
struct candidate_block {
    std::vector<user_index> users;          ///< as they were asked for, also those without candidates
    std::vector<std::size_t> ends;          ///< for each user where the rows end
    std::vector<item_index> items;          ///< a row each, no item twice for a user
    std::vector<std::vector<float>> scores; ///< for each source a number a row: NaN where it does not name the item
    std::vector<std::vector<float>> ranks;  ///< the place in the source's list, from 0; NaN where it does not name the item
};

namespace detail {

/// The lists that several sources have for some users, joined user by user.
class candidate_join {
public:
    explicit candidate_join(std::vector<lists> const& sources) : m_sources(sources) {}

    /// The rows of users [first, last) of the sources' blocks.
    void add(std::size_t first, std::size_t last, candidate_block& out) {
        out.scores.resize(m_sources.size()), out.ranks.resize(m_sources.size());
        for (std::size_t u = first; u < last; ++u) {
            collect(u);
            for (auto const& row : m_rows) add_row(row, out);
            out.ends.push_back(out.items.size());
        }
    }

private:
    struct mention {
        item_index item{};
        std::size_t source = 0, rank = 0;
        float score = 0;
    };
    struct named_item {
        std::size_t best_rank = 0;
        std::size_t first = 0, last = 0; // in m_mentions
        item_index item{};
    };

    void collect(std::size_t u) {
        m_mentions.clear(), m_rows.clear();
        for (std::size_t s = 0; s < m_sources.size(); ++s) {
            std::size_t rank = 0;
            for (auto const& [item, score] : m_sources[s][u].list) m_mentions.push_back({item, s, rank++, score});
        }
        // A source that names an item twice has its first place.
        std::sort(m_mentions.begin(), m_mentions.end(), [](mention const& a, mention const& b) {
            return std::tuple(a.item, a.source, a.rank) < std::tuple(b.item, b.source, b.rank);
        });
        for (std::size_t i = 0; i < m_mentions.size(); ++i) {
            if (m_rows.empty() || m_rows.back().item != m_mentions[i].item)
                m_rows.push_back({m_mentions[i].rank, i, i, m_mentions[i].item});
            m_rows.back().last = i + 1;
            m_rows.back().best_rank = std::min(m_rows.back().best_rank, m_mentions[i].rank);
        }
        std::sort(m_rows.begin(), m_rows.end(), [](named_item const& a, named_item const& b) {
            return a.best_rank != b.best_rank ? a.best_rank < b.best_rank : a.item < b.item;
        });
    }
    void add_row(named_item const& from, candidate_block& out) const {
        out.items.push_back(from.item);
        for (auto& column : out.scores) column.push_back(std::numeric_limits<float>::quiet_NaN());
        for (auto& column : out.ranks) column.push_back(std::numeric_limits<float>::quiet_NaN());
        for (std::size_t i = from.last; i > from.first;) { // backwards: the first place of a source stays
            auto const& said = m_mentions[--i];
            out.scores[said.source].back() = said.score;
            out.ranks[said.source].back() = static_cast<float>(said.rank);
        }
    }

    std::vector<lists> const& m_sources;
    std::vector<mention> m_mentions;
    std::vector<named_item> m_rows;
};

/// Adds the rows of a later block; its users are there already.
inline void append_block(candidate_block& to, candidate_block const& more) {
    std::size_t const before = to.items.size();
    for (auto const end : more.ends) to.ends.push_back(before + end);
    to.items.insert(to.items.end(), more.items.begin(), more.items.end());
    for (std::size_t s = 0; s < to.scores.size(); ++s) {
        to.scores[s].insert(to.scores[s].end(), more.scores[s].begin(), more.scores[s].end());
        to.ranks[s].insert(to.ranks[s].end(), more.ranks[s].begin(), more.ranks[s].end());
    }
}

}

/// Sources of candidates with names: `candidates().from("als", model, 100).from("hot", popular, 50)`. Each step returns a new value.
///
/// A handle: a copy shares. Sources are kept by copy; one given as `std::cref(x)` must outlive the pool.
class candidate_pool {
public:
    candidate_pool() = default;

    /// With the best n items that a recommender has for each user.
    /// @throws data_error    for a name that is empty or taken, or a source made with other encoders than those before it.
    /// @throws option_error  for n of 0.
    template <class R> [[nodiscard]] candidate_pool from(std::string name, R const& source, natural n) const {
        constexpr bool answers = recommender<unwrap_t<R>> || std::same_as<R, lists>, is_kept = std::copy_constructible<R>;
        static_assert(answers, "candidates: a source needs n_items() and score(user_index, std::span<float>) const");
        static_assert(is_kept, "candidates: this object is kept by copy and cannot be copied: pass std::cref(it) and keep it alive");
        if constexpr (answers && is_kept) return with(std::move(name), any_recommender(source), n);
        else return *this;
    }

    /// The sources' names, in the order in which they were given.
    std::vector<std::string> const& names() const& noexcept { return m_names; }
    std::vector<std::string> names() const&& { return m_names; }
    /// A source as a recommender. @throws data_error naming it and those that there are.
    any_recommender source(std::string_view name) const {
        for (std::size_t s = 0; s < m_names.size(); ++s)
            if (m_names[s] == name) return m_sources[s];
        std::string known;
        for (auto const& one : m_names) known += (known.empty() ? "" : ", ") + one;
        detail::throw_data("candidates: there is no source ", detail::in_quotes(name), ", the sources are: ", known);
    }
    /// The most candidates that a user can have.
    std::size_t max_candidates() const noexcept {
        std::size_t sum = 0;
        for (auto const n : m_counts) sum += n;
        return sum;
    }

    /// The candidates of some users with what each source says. `k` is not used; `options` say who is eligible.
    /// The same for any number of threads.
    [[nodiscard]] candidate_block block(std::span<user_index const> users, recommend_options const& options) const {
        std::vector<lists> found;
        for (std::size_t s = 0; s < m_sources.size(); ++s) {
            auto asked = options;
            asked.k = m_counts[s];
            found.push_back(m_sources[s].recommend_block(users, asked));
        }
        constexpr std::size_t step = 64;
        std::vector<candidate_block> parts((users.size() + step - 1) / step);
        detail::team workers(options.run.threads);
        workers.blocks(users.size(), step, [&](std::size_t first, std::size_t last, std::size_t) {
            detail::candidate_join(found).add(first, last, parts[first / step]);
        });
        candidate_block out;
        out.users.assign(users.begin(), users.end());
        out.scores.resize(m_sources.size()), out.ranks.resize(m_sources.size());
        for (auto& part : parts) detail::append_block(out, std::exchange(part, {}));
        return out;
    }

    /// The pool alone as a recommender: the best k candidates by the best place that any source gives them; the score is 1 / (1 + that place).
    [[nodiscard]] lists recommend_block(std::span<user_index const> users, recommend_options const& options) const {
        auto const found = block(users, options);
        std::vector<std::size_t> ends;
        std::vector<scored> items;
        for (std::size_t u = 0, first = 0; u < users.size(); first = found.ends[u++]) {
            auto const last = std::min<std::size_t>(found.ends[u], first + std::min<std::size_t>(options.k, found.ends[u] - first));
            for (std::size_t row = first; row < last; ++row) items.push_back({found.items[row], 1 / (1 + best_rank(found, row))});
            ends.push_back(items.size());
        }
        return lists({users.begin(), users.end()}, std::move(ends), std::move(items), provenance());
    }

    /// Whether some source knows the user.
    bool knows(user_index user) const {
        return std::any_of(m_sources.begin(), m_sources.end(), [user](any_recommender const& s) { return s.knows(user); });
    }
    /// As many users as every source has that says so; as many items as the largest has.
    std::optional<std::size_t> n_users() const { return detail::least_users(m_sources); }
    std::optional<std::size_t> n_items() const { return detail::most_items(m_sources); }
    /// The encoders of the sources and the latest of their moments.
    recsys::provenance const& provenance() const& noexcept { return m_provenance; }
    recsys::provenance provenance() const&& { return m_provenance; }
    std::optional<time_point> as_of() const noexcept { return m_provenance.as_of; }

private:
    candidate_pool with(std::string name, any_recommender source, std::size_t n) const {
        if (name.empty()) detail::throw_data("candidates: a source needs a name");
        if (std::find(m_names.begin(), m_names.end(), name) != m_names.end())
            detail::throw_data("candidates: there is already a source ", detail::in_quotes(name));
        if (n == 0) detail::throw_option("candidates: source ", detail::in_quotes(name), " must give at least 1 item a user, got 0");
        detail::check_same_encoders("candidates", detail::concat("source ", detail::in_quotes(name)), source.provenance(), m_provenance);
        auto out = *this;
        detail::join_provenance(out.m_provenance, source.provenance());
        out.m_names.push_back(std::move(name)), out.m_sources.push_back(std::move(source)), out.m_counts.push_back(n);
        return out;
    }
    static float best_rank(candidate_block const& found, std::size_t row) {
        float best = std::numeric_limits<float>::infinity();
        for (auto const& ranks : found.ranks)
            if (ranks[row] < best) best = ranks[row];
        return best;
    }

    std::vector<std::string> m_names;
    std::vector<any_recommender> m_sources;
    std::vector<std::size_t> m_counts;
    recsys::provenance m_provenance;
};

/// A pool without sources, to which `from` adds.
[[nodiscard]] inline candidate_pool candidates() { return {}; }

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
