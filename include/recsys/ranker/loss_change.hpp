// SPDX-License-Identifier: MIT
// Which columns matter to a loss or metric on given rows: how much worse it gets without what a column adds to the scores.
#ifndef RECSYS_RANKER_LOSS_CHANGE_HPP
#define RECSYS_RANKER_LOSS_CHANGE_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/data/take_rows.hpp>
#include <recsys/ranker/explain.hpp>
#include <recsys/ranker/loss.hpp>
#include <recsys/ranker/valid_metric.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

struct loss_change_options {
    recsys::loss loss = log_loss{};
    valid_metric metric = {}; ///< by which scores are better, such as valid_ndcg{.k = 10} or valid_auc{}; none: by the loss
    run_options run = {};
};

namespace detail {

/// How bad raw scores are for rows with targets.
class score_judge {
public:
    /// @throws data_error  without rows, targets or, for losses of groups, groups; for targets that the loss does not allow.
    score_judge(char const* who, frame const& rows, loss const& by, valid_metric const& metric)
        : m_about(rows.rows()), m_loss(by), m_metric(metric) {
        if (rows.n_rows() == 0) throw_data(who, ": the frame has no rows");
        if (!rows.has_targets()) throw_data(who, ": the rows have no target, without which scores are neither good nor bad");
        if (metric) return;
        by.check_options();
        if (by.grouped() && rows.n_groups() == 0) throw_data(who, ": the loss compares rows of a group, but the rows have no groups");
        by.check(m_about.targets.span());
    }
    /// The loss, or the metric with the sign that makes it the worse the higher.
    double operator()(std::span<float const> raw) const {
        if (m_metric) {
            double const value = m_metric({raw, m_about.targets.span(), m_about.weights.span(), m_about.group_ends.span()});
            return m_metric.higher_is_better() ? -value : value;
        }
        auto const all = m_loss.total({raw, m_about.targets.span(), m_about.weights.span(), m_about.group_ends.span()});
        return m_loss.finish(all.sum / all.weight);
    }

private:
    frame_rows m_about;
    loss m_loss;
    valid_metric m_metric;
};

}

/// How much the loss of rows rises, or their metric worsens, if what a column adds to the raw scores is taken from them: its SHAP values. The
/// most first, equal ones in the order of the columns; below 0 where rows are served better without. Of booster models, and of CatBoost's
/// models with symmetric trees and one output. Not what a model fitted without the column would lose, which others may stand in for.
/// Cost: SHAP values of the rows, then a loss a column. Memory: 8 bytes x rows x columns.
/// @throws data_error  without rows or targets, for targets that the loss does not allow, and what explain throws.
/// Source: CatBoost documentation, "LossFunctionChange".
template <class Model> [[nodiscard]] std::vector<std::pair<std::string, double>> loss_changes(Model const& model, frame const& rows,
                                                                                              loss_change_options const& options = {}) {
    detail::score_judge const judge("loss_changes", rows, options.loss, options.metric);
    auto const shap = explain(model, rows, options.run);
    if (shap.n_outputs != 1) detail::throw_data("loss_changes: the model gives ", shap.n_outputs, " numbers a row, a loss takes one");
    auto const raw = model.predict_raw(rows, options.run);
    std::size_t const n = shap.columns.size();
    std::vector<float> scores(raw.begin(), raw.end());
    double const with = judge(scores);
    std::vector<std::pair<std::string, double>> out;
    for (std::size_t c = 0; c < n; ++c) {
        for (std::size_t r = 0; r < raw.size(); ++r) scores[r] = static_cast<float>(raw[r] - shap.values[r * n + c]);
        out.emplace_back(shap.columns[c], judge(scores) - with);
    }
    std::stable_sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.second > b.second; });
    return out;
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
