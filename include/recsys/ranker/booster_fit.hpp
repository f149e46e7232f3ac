// SPDX-License-Identifier: MIT
// One call of fit or resume: rows and features are prepared, trees grown until enough or stopped, the model put together.
#ifndef RECSYS_RANKER_BOOSTER_FIT_HPP
#define RECSYS_RANKER_BOOSTER_FIT_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/core/team.hpp>
#include <recsys/core/types.hpp>
#include <recsys/data/frame.hpp>
#include <recsys/ranker/booster_model.hpp>
#include <recsys/ranker/booster_options.hpp>
#include <recsys/ranker/booster_snapshot.hpp>
#include <recsys/ranker/boosting.hpp>
#include <recsys/ranker/early_stopping.hpp>
#include <recsys/ranker/model_parts.hpp>
#include <recsys/ranker/training_bins.hpp>
#include <recsys/ranker/training_features.hpp>
#include <recsys/ranker/training_rows.hpp>
#include <recsys/ranker/valid_rows.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// One call of fit or resume.
class booster_fit {
public:
    booster_fit(booster_options const& options, frame const& train, frame const* valid, booster_state const* previous)
        : m_options(settled(options, train, valid != nullptr)),
          m_workers(worker_count(options, train.n_rows())),
          m_previous(previous),
          m_labels(labels_of(options, train, previous)),
          m_train(prepare_rows(train, options, m_labels, "training")),
          m_progress(options.run.progress, "booster", options.trees) {
        make_features();
        if (valid) {
            m_valid.emplace(prepare_rows(*valid, options, m_labels, "validation"), m_state->space, m_workers);
            m_state->as_of = later(m_state->as_of, moment_of(*valid));
            if (valid->baselines().empty() != train.baselines().empty())
                throw_data("booster: the ", valid->baselines().empty() ? "validation" : "training",
                           " rows have no baseline, the others have one");
        }
        prepare_scores();
    }

    std::shared_ptr<booster_state const> run() {
        auto& report = m_state->report;
        auto const every = (m_train.size() + 65535) / 65536;
        double loss = m_scores->update({}, every, key_of(0), m_booster->derivatives());
        double valid_loss = m_valid_scores ? m_valid_scores->update({}, 1, 0, {}) : none();
        early_stopping stopping(m_options.early_stopping_rounds, m_previous && m_valid ? watched(valid_loss) : infinity());
        if (!m_progress.report(0, loss, valid_loss) && !m_previous)
            throw_cancelled("booster: stopped by the progress callback before the first tree");
        snapshot_keeper keeper(m_options, m_options.snapshot.empty() ? 0 : fingerprint(valid_loss), m_state->space.features.size(),
                               n_outputs());
        std::size_t const before = go_on_from(keeper.read(), stopping);
        if (before > 0) m_scores->update({}, every, key_of(before), m_booster->derivatives());
        bool done = m_stop;
        for (std::size_t t = before; t < m_options.trees && m_progress.go_on() && !done; ++t) {
            auto const leaves = add_round();
            done = !leaves;
            if (done) break;
            loss = m_scores->update(*leaves, every, key_of(t + 1), m_booster->derivatives());
            report.loss.push_back(loss);
            if (m_valid) {
                valid_loss = m_valid_scores->update(*leaves, 1, 0, {});
                report.valid_loss.push_back(valid_loss);
                double const now = watched(valid_loss);
                if (m_options.metric) report.valid_metric.push_back(m_options.metric.higher_is_better() ? -now : now);
                done = stopping.update(now);
            }
            m_progress.report(t + 1, loss, valid_loss);
            keeper.offer(m_state->trees, report, !m_progress.go_on() && !done);
        }
        if (done || n_rounds() >= m_options.trees) keeper.remove();
        finish(stopping);
        return m_state;
    }

private:
    /// Of what decides the trees and when to stop: options, the bins of all rows, the derivatives before the first tree, which know loss and
    /// targets, and what is watched.
    std::uint64_t fingerprint(double valid_loss) const {
        auto hash = hash_values<float>(m_booster->all_gradients(), hash_options(m_options));
        hash = hash_join(m_bins.packed.hash(hash), previous_trees());
        hash = hash_values<monotone>(m_directions, hash);
        if (!m_valid) return hash;
        double const seen[] = {valid_loss, watched(valid_loss), m_options.metric ? 1.0 : 0.0};
        hash = hash_values<double>(seen, hash_values<std::uint8_t>(m_valid->columns.span(), hash));
        return hash_values<float>(m_valid->rows.targets(), hash);
    }
    /// Takes up the trees of a snapshot, as many as are wanted; gives their number.
    std::size_t go_on_from(std::optional<booster_snapshot> const& found, early_stopping& stopping) {
        if (!found) return 0;
        auto& report = m_state->report;
        std::size_t const n = std::min<std::size_t>(found->report.loss.size(), m_options.trees);
        for (std::size_t t = 0; t < n && !m_stop; ++t) {
            for (std::size_t i = t * n_outputs(); i < (t + 1) * n_outputs(); ++i) {
                auto const splits = found->trees.splits(i);
                auto const leaves = found->trees.leaves(i);
                bool const has_new_splits = i % m_booster->n_alike() == 0;
                if (has_new_splits) m_booster->find_leaves(previous_trees() + i, splits, m_scores->leaf_of());
                m_scores->add(leaves, i % n_outputs());
                take_tree(splits, found->trees.gains(i), leaves, found->trees.leaf_weights(i));
                if (!m_valid) continue;
                if (has_new_splits) m_valid->find_leaves(splits, m_valid_scores->leaf_of(), m_workers);
                m_valid_scores->add(leaves, i % n_outputs());
            }
            report.loss.push_back(found->report.loss[t]);
            if (!m_valid) continue;
            report.valid_loss.push_back(found->report.valid_loss[t]);
            bool const by_metric = static_cast<bool>(m_options.metric);
            if (by_metric) report.valid_metric.push_back(found->report.valid_metric[t]);
            double const seen = by_metric ? found->report.valid_metric[t] : found->report.valid_loss[t];
            m_stop = stopping.update(by_metric && m_options.metric.higher_is_better() ? -seen : seen);
        }
        return n_rounds();
    }
    void take_tree(std::span<model_split const> splits, std::span<float const> gains, std::span<std::int32_t const> leaves,
                   std::span<float const> weights) {
        std::int64_t largest = 0;
        for (auto const leaf : leaves) largest = std::max<std::int64_t>(largest, std::abs(std::int64_t{leaf}));
        m_largest_sums[m_state->trees.size() % n_outputs()] += largest;
        m_state->trees.add(splits, gains, leaves, weights);
    }
    static std::optional<time_point> moment_of(frame const& rows) { return later(rows.as_of(), rows.rows().targets_as_of); }
    /// With what follows from the rows.
    static booster_options settled(booster_options options, frame const& train, bool with_valid) {
        if (options.learning_rate == auto_rate)
            options.learning_rate = automatic_rate(train.n_rows(), options.trees, options.loss.output(), with_valid);
        if (!options.row_share) options.row_share = automatic_share(train.n_rows(), train.n_columns());
        return options;
    }
    /// What early stopping looks at, lower is better: the validation loss, or the metric that was chosen.
    double watched(double valid_loss) const {
        if (!m_options.metric) return valid_loss;
        auto const scores = m_valid_scores->raw_scores();
        double const value =
            m_options.metric({scores, m_valid->rows.targets(), m_valid->rows.weights, m_valid->rows.rows.group_ends(), n_outputs()});
        return m_options.metric.higher_is_better() ? -value : value;
    }
    static double none() noexcept { return std::numeric_limits<double>::quiet_NaN(); }
    static double infinity() noexcept { return std::numeric_limits<double>::infinity(); }
    /// Threads cost more than they give on few rows.
    static std::size_t worker_count(booster_options const& options, std::size_t n_rows) {
        std::size_t const wanted = options.run.threads == 0 ? hardware_threads() : static_cast<std::size_t>(options.run.threads);
        return std::min(wanted, 1 + n_rows / 8192);
    }
    /// Of the tree that comes after `t` trees of this call.
    std::uint64_t key_of(std::size_t t) const noexcept { return tree_key(m_options.seed, previous_trees() + t); }
    std::size_t previous_trees() const noexcept { return m_previous ? m_previous->trees.size() : 0; }
    std::size_t n_outputs() const noexcept { return std::max<std::size_t>(1, m_labels.size()); }
    /// How many trees each output has got.
    std::size_t n_rounds() const noexcept { return m_state->trees.size() / n_outputs(); }
    /// The classes of a loss that has them. Those of an earlier model stay.
    static std::vector<std::int32_t> labels_of(booster_options const& options, frame const& train, booster_state const* previous) {
        bool const by_class = options.loss.by_class();
        if (by_class && !options.monotone.empty())
            throw_option("booster: monotone columns need a loss of one raw score, this one has a score for each class");
        if (previous && by_class == previous->classes.empty())
            throw_data("booster: the model to go on with has ", previous->n_outputs(), " raw scores a row, the loss has ",
                       by_class ? "one for each class" : "one");
        std::vector<std::int32_t> labels;
        if (!by_class) return labels;
        labels = options.loss.labels();
        if (previous) {
            std::vector<std::int32_t> old;
            for (auto const& c : previous->classes) old.push_back(c.label);
            if (!labels.empty() && labels != old) throw_data("booster: the labels are not those of the model to go on with");
            return old;
        }
        if (labels.empty()) labels = class_labels(train.targets(), "training");
        if (labels.size() == 1) throw_data("booster: every training row is of class ", labels[0], "; at least two classes are needed");
        if (!options.class_weights.empty() && options.class_weights.size() != labels.size() && !labels.empty())
            throw_data("booster: class_weights has ", options.class_weights.size(), " numbers, there are ", labels.size(), " classes");
        return labels;
    }

    void make_features() {
        m_state = std::make_shared<booster_state>();
        m_state->output = m_options.loss.output();
        m_state->as_of = m_previous ? later(moment_of(m_train.rows), m_previous->as_of) : moment_of(m_train.rows);
        auto const known = m_previous ? std::span<ranker_column const>(m_previous->space.columns) : std::span<ranker_column const>();
        if (m_previous) frame_reader const same_columns(known, m_train.rows);
        find_classes();
        auto made = m_labels.empty() ? unit_targets(m_train.targets()) : std::vector<float>(m_train.size());
        for (std::size_t row = 0; row < made.size() && !m_labels.empty(); ++row)
            made[row] = static_cast<float>(m_targets[static_cast<std::size_t>(m_train.targets()[row])]);
        auto const targets = made.empty() ? m_train.targets() : std::span<float const>(made);
        std::size_t const n_targets = 1 + *std::max_element(m_targets.begin(), m_targets.end());
        feature_maker maker(m_train.rows, ranker_columns(m_train.rows, known), {targets, m_train.weights, n_targets}, m_options, m_workers);
        std::tie(m_state->space, m_bins) = std::move(maker).make();
        if (m_state->space.features.size() > 65535)
            throw_data("booster: ", m_state->space.features.size(), " features are more than 65535; use fewer columns or borders");
        find_directions();
        if (m_state->space.features.empty())
            m_state->report.warnings.push_back("booster: no column has two different values: the model is a constant");
    }

    /// Their labels and first raw scores, and the targets that stand for them in statistics: those of an earlier model stay.
    void find_classes() {
        std::vector<double> weights(n_outputs(), 0);
        for (std::size_t row = 0; row < m_train.size() && !m_labels.empty(); ++row)
            weights[static_cast<std::size_t>(m_train.targets()[row])] +=
                m_train.weights.empty() ? 1.0 : static_cast<double>(m_train.weights[row]);
        m_targets = statistic_targets(weights);
        if (m_previous) {
            m_state->classes = m_previous->classes;
            for (std::size_t c = 0; c < m_labels.size(); ++c) m_targets[c] = m_previous->classes[c].target;
            return;
        }
        if (m_labels.empty()) return;
        if (std::count(weights.begin(), weights.end(), 0.0) + 1 >= static_cast<std::ptrdiff_t>(weights.size()))
            throw_data("booster: all training rows that count are of one class; at least two are needed");
        double const all = m_train.total_weight(), least = 0.5 * all / static_cast<double>(m_train.size()); // half a row
        bool const from_zero = !m_train.rows.baselines().empty();
        for (std::size_t c = 0; c < m_labels.size(); ++c) {
            double const best = from_zero ? 0 : m_options.loss.class_start(std::max(weights[c], least) / all);
            m_state->classes.push_back({m_options.start.value_or(best), m_labels[c], m_targets[c]});
        }
    }
    /// Of each feature; none where no column is bound.
    void find_directions() {
        auto const& space = m_state->space;
        for (auto const& bound : m_options.monotone) {
            auto const at = std::find_if(space.columns.begin(), space.columns.end(), [&](auto const& c) { return c.name == bound.name; });
            if (at == space.columns.end() || at->kind != column_kind::number)
                throw_data("booster: the monotone column ", in_quotes(bound.name),
                           at == space.columns.end() ? " is not among the columns" : " holds categories, which have no order");
            m_directions.resize(space.features.size(), monotone::free);
            for (std::size_t f = 0; f < space.features.size(); ++f)
                if (space.features[f].kind == feature_kind::number && space.columns[space.features[f].source].name == bound.name)
                    m_directions[f] = bound.direction;
        }
    }

    void prepare_scores() {
        auto& trees = m_state->trees;
        if (m_previous) trees.start = m_previous->trees.start, trees.exponent = m_previous->trees.exponent;
        else if (m_labels.empty()) trees.start = m_options.start ? *m_options.start : best_start();
        std::vector<double> starts;
        for (auto const& c : m_state->classes) starts.push_back(c.start);
        if (starts.empty()) starts.push_back(trees.start);
        m_largest_sums.assign(n_outputs(), 0);
        m_booster.emplace(m_train, m_bins, m_options, m_directions, m_targets, m_workers);
        m_scores.emplace(m_train, m_options.loss, starts, trees.exponent, m_workers);
        if (!m_previous) {
            m_scores->update({}, 1, key_of(0), m_booster->derivatives());
            // 12 bits for a usual leaf: rounding is far below the noise of sampling, and leaves of everyday size fit 16 bits.
            bool const asked = m_labels.empty() && m_options.loss.knows_usual_step();
            auto const scores = asked ? m_scores->raw_scores() : std::vector<float>();
            double const known = asked ? m_options.loss.usual_step({scores, m_train.targets(), m_train.weights}) : 0;
            double const step = m_options.learning_rate * (known > 0 ? known : m_booster->usual_step());
            trees.exponent = std::clamp(12 - static_cast<int>(std::floor(std::log2(step))), -60, 60);
            m_scores->set_exponent(trees.exponent);
        }
        if (m_valid) m_valid_scores.emplace(m_valid->rows, m_options.loss, starts, trees.exponent, m_workers);
        if (m_previous) {
            add_previous(m_train.rows, m_scores->sums());
            if (m_valid) add_previous(m_valid->rows.rows, m_valid_scores->sums());
        }
    }
    double best_start() const {
        if (!m_train.rows.baselines().empty()) return 0;
        if (auto const known = m_options.loss.start(m_train.targets(), m_train.weights)) return *known;
        return newton_start(m_options.loss, m_train);
    }
    void add_previous(frame const& rows, std::span<std::int32_t> sums) {
        frame_reader const reader(m_previous->space.columns, rows);
        predict_scratch mine;
        for (std::size_t row = 0; row < rows.n_rows(); row += block_rows) {
            std::size_t const n = std::min(block_rows, rows.n_rows() - row);
            m_previous->add(reader.read(row, n, mine.rows), 0, m_previous->trees.size(), mine);
            for (std::size_t o = 0; o < n_outputs(); ++o)
                for (std::size_t i = 0; i < n; ++i) {
                    auto const sum = mine.sums[o * block_rows + i];
                    sums[o * rows.n_rows() + row + i] = static_cast<std::int32_t>(sum);
                    m_largest_sums[o] = std::max(m_largest_sums[o], std::abs(sum));
                }
        }
    }

    /// Grows one more tree for each output; nothing where no split helps. Gives the leaves of a tree that the scores still wait for: of one output.
    std::optional<std::vector<std::int32_t>> add_round() {
        if (m_state->space.features.empty()) return std::nullopt;
        std::size_t const before = m_state->trees.size();
        bool has_split = false;
        std::vector<std::int32_t> leaves;
        for (std::size_t output = 0; output < n_outputs(); output += m_booster->n_alike()) {
            leaves = add_trees();
            if (leaves.empty()) return std::nullopt;
            has_split = has_split || leaves.size() > 1;
        }
        if (has_split) return n_outputs() == 1 ? std::move(leaves) : std::vector<std::int32_t>();
        m_state->trees.keep(before);
        return std::nullopt;
    }
    /// The next trees that have the same splits; gives the leaves of the last one. Where outputs have splits of their own a tree may have none, else
    /// there is no tree then.
    std::vector<std::int32_t> add_trees() {
        auto const grown = m_booster->grow(previous_trees() + m_state->trees.size());
        if (grown.empty() && m_booster->n_alike() == n_outputs()) return {};
        std::vector<model_split> splits;
        std::vector<float> gains;
        for (auto const& s : grown) {
            splits.push_back({static_cast<std::uint16_t>(s.feature), static_cast<std::uint8_t>(s.threshold)});
            gains.push_back(s.gain);
        }
        auto const totals = m_booster->find_leaves(previous_trees() + m_state->trees.size(), splits, m_scores->leaf_of());
        if (m_valid) m_valid->find_leaves(splits, m_valid_scores->leaf_of(), m_workers);
        std::vector<std::int32_t> leaves;
        std::size_t const n_leaves = std::size_t{1} << splits.size();
        for (std::size_t first = 0; first < totals.size(); first += n_leaves) {
            leaves = add_tree(splits, gains, std::span(totals).subspan(first, n_leaves));
            if (n_outputs() == 1) break; // the scores take them where they make derivatives
            std::size_t const output = (m_state->trees.size() - 1) % n_outputs();
            m_scores->add(leaves, output);
            if (m_valid) m_valid_scores->add(leaves, output);
        }
        return leaves;
    }
    std::vector<std::int32_t> add_tree(std::span<model_split const> splits, std::span<float const> gains,
                                       std::span<leaf_total const> totals) {
        std::vector<std::int32_t> leaves;
        std::vector<float> weights;
        auto const renewed = m_options.loss.renews() ? m_scores->renew_leaves(totals.size(), m_options.l2) : std::vector<double>();
        std::vector<double> steps, leaf_weights;
        for (std::size_t l = 0; l < totals.size(); ++l) {
            bool const light = totals[l].weight < m_options.min_leaf_weight;
            steps.push_back(light ? 0 : renewed.empty() ? newton_step(totals[l]) : renewed[l]);
            leaf_weights.push_back(totals[l].weight), weights.push_back(static_cast<float>(totals[l].weight));
        }
        if (!m_directions.empty()) {
            std::vector<monotone> of_bits;
            for (auto const& s : splits) of_bits.push_back(m_directions[s.feature]);
            make_monotone(steps, leaf_weights, of_bits);
        }
        for (double const step : steps) leaves.push_back(leaf_value(step));
        take_tree(splits, gains, leaves, weights);
        return leaves;
    }
    double newton_step(leaf_total const& total) const {
        double const curvature = total.hessian + m_options.l2;
        return curvature > 0 ? -total.gradient / curvature : 0;
    }
    /// A share of the step, in fixed point, within what sums of 32 bits can still hold.
    std::int32_t leaf_value(double whole_step) const {
        double const step = m_options.learning_rate * whole_step;
        if (!std::isfinite(step)) throw_data("booster: the loss gave derivatives of which a leaf's value is not a finite number");
        auto const largest = m_largest_sums[m_state->trees.size() % n_outputs()];
        double const most = static_cast<double>(std::min<std::int64_t>(std::int64_t{1} << 24, 2147483647 - largest));
        return static_cast<std::int32_t>(std::llround(std::clamp(std::ldexp(step, m_state->trees.exponent), -most, most)));
    }

    void finish(early_stopping const& stopping) {
        auto& report = m_state->report;
        auto& trees = m_state->trees;
        report.stopped = !m_progress.go_on() && n_rounds() < m_options.trees;
        if (m_valid && trees.size() > 0) {
            if (!stopping.best() && !m_previous) throw_data("booster: the validation loss or metric was never a number");
            std::size_t const kept = stopping.best() ? *stopping.best() + 1 : 0;
            if (kept > 0) report.best_iteration = kept - 1;
            if (kept == m_options.trees && !report.stopped)
                report.warnings.push_back(concat("booster: the validation rows were still served better after all ", n_rounds(),
                                                 " trees: more may be better yet"));
            trees.keep(kept * n_outputs());
        }
        if (trees.size() == 0 && m_options.trees > 0 && !m_state->space.features.empty() && !m_previous)
            report.warnings.push_back("booster: no split of any column makes the loss smaller: the model is a constant");
        drop_unused_features(*m_state);
        if (m_previous) join_previous(*m_state, *m_previous);
        m_state->prepare();
    }

    booster_options const m_options;
    team m_workers;
    booster_state const* m_previous;
    std::vector<std::int32_t> const m_labels; ///< of classes, or empty
    fit_rows m_train;
    progress_reporter m_progress;
    std::shared_ptr<booster_state> m_state;
    training_bins m_bins;
    std::vector<monotone> m_directions; ///< of each feature, or empty
    std::optional<valid_rows> m_valid;
    std::optional<scored_rows> m_scores, m_valid_scores;
    std::optional<tree_booster> m_booster;
    std::vector<std::uint32_t> m_targets;     ///< of statistics, one an output
    std::vector<std::int64_t> m_largest_sums; ///< of each output: how large a sum of leaves can be
    bool m_stop = false;                      ///< a snapshot ended where early stopping stops
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
