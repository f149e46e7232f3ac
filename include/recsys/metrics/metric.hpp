// SPDX-License-Identifier: MIT
// Any metric as the evaluator holds it: per user by hits, by the user's past, a function of yours, or one number over all lists.
#ifndef RECSYS_METRICS_METRIC_HPP
#define RECSYS_METRICS_METRIC_HPP

#include <recsys/core/push_macros.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/metrics/beyond_accuracy.hpp>
#include <recsys/metrics/hits.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// One user's list as a metric of the evaluator sees it.
struct judged_list {
    std::span<item_index const> shown;    ///< the list, best first, as long as it is
    std::span<item_index const> relevant; ///< rising, never empty
    std::span<item_index const> seen;     ///< what the user had before, rising
};

/// A metric of a table. `precision(5)` and the others of this room are; so is anything with `k`, `name()` and a call of one of the forms
/// `double(std::span<item_index const> shown, std::span<item_index const> relevant)` or `double(judged_list const&)`, which is called from several
/// threads at once, once for each user, with at most k items shown.
class metric {
public:
    enum class kind { hits, past, bits, function, coverage, gini };

    template <class M>
        requires(!std::same_as<M, metric>)
    metric(M const& m) {
        constexpr bool is_named = requires {
            { m.k } -> std::convertible_to<std::size_t>;
            { m.name() } -> std::convertible_to<std::string>;
        };
        static_assert(is_named, "a metric has k, how many places of a list it looks at, and name()");
        if constexpr (is_named) {
            m_k = static_cast<std::size_t>(m.k), m_name = m.name();
            take(m);
        }
    }

    std::size_t k() const noexcept { return m_k; }
    std::string const& name() const noexcept { return m_name; }
    kind what() const noexcept { return m_kind; }
    /// One number over all lists, not a mean over users.
    bool is_total() const noexcept { return m_kind == kind::coverage || m_kind == kind::gini; }
    double of_hits(hit_list const& hits) const { return m_of_hits(hits); }
    double of_list(judged_list const& list) const { return m_of_list(list); }

private:
    template <class M> void take(M const& m) {
        constexpr bool of_hits = std::is_base_of_v<detail::hit_metric_tag, M>;
        constexpr bool of_list = std::invocable<M const&, judged_list const&>;
        constexpr bool of_spans = std::invocable<M const&, std::span<item_index const>, std::span<item_index const>>;
        if constexpr (std::same_as<M, recsys::coverage>) m_kind = kind::coverage;
        else if constexpr (std::same_as<M, recsys::gini>) m_kind = kind::gini;
        else if constexpr (std::same_as<M, recsys::novelty_bits>) m_kind = kind::bits;
        else if constexpr (std::same_as<M, recsys::novelty>)
            m_kind = kind::past, m_of_hits = [m](hit_list const& had) { return m.of(had); };
        else if constexpr (of_hits) m_kind = kind::hits, m_of_hits = [m](hit_list const& hits) { return m.of(hits); };
        else if constexpr (of_list)
            m_kind = kind::function, m_of_list = [m](judged_list const& list) { return static_cast<double>(m(list)); };
        else {
            static_assert(of_spans,
                          "a metric is called as metric(shown, relevant) with two std::span<item_index const>, or as metric(judged_list)");
            if constexpr (of_spans)
                m_kind = kind::function,
                m_of_list = [m](judged_list const& list) { return static_cast<double>(m(list.shown, list.relevant)); };
        }
    }

    std::size_t m_k = 0;
    std::string m_name;
    kind m_kind = kind::hits;
    std::function<double(hit_list const&)> m_of_hits;
    std::function<double(judged_list const&)> m_of_list;
};

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
