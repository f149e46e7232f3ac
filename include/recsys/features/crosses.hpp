// SPDX-License-Identifier: MIT
// User x item: how much of a user's history is like the candidate, by category, by factors, and by the candidate itself.
#ifndef RECSYS_FEATURES_CROSSES_HPP
#define RECSYS_FEATURES_CROSSES_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/features/event_index.hpp>
#include <recsys/features/step.hpp>
#include <recsys/features/window.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

// --- categories ---------------------------------------------------------------------------------

/// The first category of each item, missing_category where it has none.
inline shared_array<std::int32_t> first_codes(frame_column const& table, std::size_t n_items) {
    if (table.kind == column_kind::category) return table.codes;
    buffer<std::int32_t> first(n_items);
    for (std::size_t i = 0; i < n_items; ++i) {
        auto const codes = table.row_codes(i);
        first[i] = codes.empty() ? missing_category : codes.front();
    }
    return first;
}

/// The share of all events whose item has the same category as this one; missing where it has none.
inline std::vector<float> category_shares(known_events const& known, frame_column const& table) {
    std::vector<std::uint64_t> counts(table.dictionary->size());
    for (auto const item : known.rows.event_items())
        if (auto const code = table.codes[to_size(item)]; code != missing_category) ++counts[static_cast<std::size_t>(code)];
    std::vector<float> out(known.rows.n_items(), missing_number);
    if (known.rows.empty()) return out;
    for (std::size_t i = 0; i < out.size(); ++i)
        if (auto const code = table.codes[i]; code != missing_category)
            out[i] =
                static_cast<float>(static_cast<double>(counts[static_cast<std::size_t>(code)]) / static_cast<double>(known.rows.size()));
    return out;
}

/// Counts of categories that are emptied in the time of what was counted, not of all categories.
class category_counts {
public:
    explicit category_counts(std::size_t n) : m_counts(n) {}
    void add(std::int32_t code) {
        if (code == missing_category) return;
        if (m_counts[static_cast<std::size_t>(code)]++ == 0) m_touched.push_back(static_cast<std::size_t>(code));
    }
    std::uint32_t operator[](std::int32_t code) const { return m_counts[static_cast<std::size_t>(code)]; }
    void clear() {
        for (auto const code : m_touched) m_counts[code] = 0;
        m_touched.clear();
    }

private:
    std::vector<std::uint32_t> m_counts;
    std::vector<std::size_t> m_touched;
};

/// A step that counts the categories of a user's history, then gives each candidate a number.
/// @param count   count(counts, item) for each event.
/// @param number  number(counts, events of the user, item); the user has at least one event.
template <class Count, class Number> feature_step_ptr history_step(std::string name, std::shared_ptr<known_events const> known,
                                                                   std::size_t n_categories, Count count, Number number) {
    return computed_step(std::move(name), [=, known = std::move(known)](std::span<user_candidates const> users, std::span<float> column) {
        category_counts counts(n_categories);
        for (auto const& [user, first, items] : users) {
            auto const history = known->by_user.items(user);
            for (auto const item : history) count(counts, item);
            for (std::size_t j = 0; j < items.size(); ++j)
                column[first + j] =
                    history.empty() ? missing_number : number(std::as_const(counts), static_cast<double>(history.size()), items[j]);
            counts.clear();
        }
    });
}

/// The share of the user's events whose item has the candidate's first category as its own first.
inline feature_step_ptr first_value_share_step(std::string name, std::shared_ptr<known_events const> known, frame_column const& table) {
    auto const codes = first_codes(table, known->rows.n_items());
    return history_step(
        std::move(name), std::move(known), table.dictionary->size(),
        [codes](category_counts& counts, item_index item) { counts.add(codes[to_size(item)]); },
        [codes](category_counts const& counts, double n_events, item_index item) {
            auto const code = codes[to_size(item)];
            return code == missing_category ? missing_number : static_cast<float>(static_cast<double>(counts[code]) / n_events);
        });
}

/// The mean, over the candidate's categories, of the share of the user's events whose item has the category.
inline feature_step_ptr affinity_step(std::string name, std::shared_ptr<known_events const> known, frame_column const& table) {
    return history_step(
        std::move(name), std::move(known), table.dictionary->size(),
        [table](category_counts& counts, item_index item) {
            for (auto const code : table.row_codes(to_size(item))) counts.add(code);
        },
        [table](category_counts const& counts, double n_events, item_index item) {
            double sum = 0;
            std::size_t n = 0;
            for (auto const code : table.row_codes(to_size(item)))
                if (code != missing_category) sum += static_cast<double>(counts[code]) / n_events, ++n;
            return n == 0 ? missing_number : static_cast<float>(sum / static_cast<double>(n));
        });
}

// --- the candidate itself in the history ----------------------------------------------------------

/// Places in a user's history at which an item occurs.
struct occurrences {
    std::size_t n = 0, last = 0;
};

/// How often each candidate of a user is in the history, and where last. O(history x log candidates).
inline std::vector<occurrences> occurrences_of(std::span<item_index const> candidates, std::span<item_index const> history) {
    std::vector<std::pair<item_index, std::size_t>> places;
    places.reserve(candidates.size());
    for (std::size_t j = 0; j < candidates.size(); ++j) places.emplace_back(candidates[j], j);
    std::sort(places.begin(), places.end());
    std::vector<occurrences> out(candidates.size());
    for (std::size_t h = 0; h < history.size(); ++h) {
        auto const at = std::lower_bound(places.begin(), places.end(), std::pair(history[h], std::size_t{0}));
        if (at == places.end() || at->first != history[h]) continue;
        ++out[at->second].n;
        out[at->second].last = h;
    }
    return out;
}

inline feature_step_ptr pair_events_step(std::string name, std::shared_ptr<known_events const> known) {
    return computed_step(std::move(name), [known = std::move(known)](std::span<user_candidates const> users, std::span<float> column) {
        for (auto const& [user, first, items] : users) {
            auto const found = occurrences_of(items, known->by_user.items(user));
            for (std::size_t j = 0; j < items.size(); ++j) column[first + j] = static_cast<float>(found[j].n);
        }
    });
}

inline feature_step_ptr pair_days_step(std::string name, std::shared_ptr<known_events const> known) {
    auto const moment = known->moment("pair_days");
    buffer<std::int32_t> grouped(known->rows.size());
    known->by_user.visit(known->rows, [&](std::size_t row, std::size_t at, std::size_t) {
        grouped[at] = static_cast<std::int32_t>(whole_days(known->rows.event_times()[row], moment));
    });
    return computed_step(std::move(name), [known = std::move(known), days = shared_array<std::int32_t>(std::move(grouped))](
                                              std::span<user_candidates const> users, std::span<float> column) {
        for (auto const& [user, first, items] : users) {
            auto const history = known->by_user.items(user);
            auto const found = occurrences_of(items, history);
            for (std::size_t j = 0; j < items.size(); ++j)
                column[first + j] =
                    found[j].n == 0 ? missing_number : static_cast<float>(days[known->by_user.offset(user) + found[j].last]);
        }
    });
}

// --- factors ------------------------------------------------------------------------------------

/// The latest distinct items of a history, newest first, at most n.
inline std::vector<item_index> last_items(std::span<item_index const> history, std::size_t n) {
    std::vector<item_index> out;
    for (std::size_t h = history.size(); h > 0 && out.size() < n; --h)
        if (std::find(out.begin(), out.end(), history[h - 1]) == out.end()) out.push_back(history[h - 1]);
    return out;
}

/// The scalar product, summed in sixteen lanes: the same order on every machine, and vectors for the compiler.
inline float lane_dot(std::span<float const> a, std::span<float const> b) noexcept {
    std::array<float, 16> lanes{};
    std::size_t i = 0;
    for (; i + 16 <= a.size(); i += 16)
        for (std::size_t lane = 0; lane < 16; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
    for (std::size_t lane = 0; i < a.size(); ++i, ++lane) lanes[lane] += a[i] * b[i];
    for (std::size_t half = 8; half > 0; half /= 2)
        for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
    return lanes[0];
}

/// Item factors and their lengths. A row of zeros, the factors of an item without events, is as good as none.
struct item_factors {
    shared_array<float> values; ///< n_items x n_factors
    std::size_t n_factors = 0;
    shared_array<double> lengths; ///< n_items

    std::span<float const> row(item_index item) const noexcept { return values.span().subspan(to_size(item) * n_factors, n_factors); }
    bool has(item_index item) const noexcept { return lengths[to_size(item)] > 0; }
    float cosine(item_index a, item_index b) const noexcept {
        return static_cast<float>(static_cast<double>(lane_dot(row(a), row(b))) / (lengths[to_size(a)] * lengths[to_size(b)]));
    }
};

inline item_factors measured_factors(shared_array<float> values, std::size_t n_items, std::size_t n_factors) {
    item_factors out;
    buffer<double> lengths(n_items);
    for (std::size_t i = 0; i < n_items; ++i) {
        auto const row = values.span().subspan(i * n_factors, n_factors);
        lengths[i] = std::sqrt(static_cast<double>(lane_dot(row, row)));
    }
    out.values = std::move(values), out.n_factors = n_factors, out.lengths = std::move(lengths);
    return out;
}

/// The largest cosine of the candidate's factors to those of the user's last n items; missing where either side has none.
inline feature_step_ptr last_similarity_step(std::string name, std::shared_ptr<known_events const> known, item_factors factors,
                                             std::size_t n) {
    return computed_step(std::move(name), [known = std::move(known), factors = std::move(factors),
                                           n](std::span<user_candidates const> users, std::span<float> column) {
        for (auto const& [user, first, items] : users) {
            auto last = last_items(known->by_user.items(user), n);
            last.erase(std::remove_if(last.begin(), last.end(), [&](item_index item) { return !factors.has(item); }), last.end());
            for (std::size_t j = 0; j < items.size(); ++j) {
                float best = missing_number;
                if (factors.has(items[j]))
                    for (auto const item : last) {
                        float const cosine = factors.cosine(items[j], item);
                        if (!(best >= cosine)) best = cosine;
                    }
                column[first + j] = best;
            }
        }
    });
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
