// SPDX-License-Identifier: MIT
// How a booster trains: one plain aggregate, checked once.
#ifndef RECSYS_RANKER_BOOSTER_OPTIONS_HPP
#define RECSYS_RANKER_BOOSTER_OPTIONS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/ranker/binning.hpp>
#include <recsys/ranker/loss.hpp>
#include <recsys/ranker/monotone.hpp>
#include <recsys/ranker/sampling.hpp>
#include <recsys/ranker/split_search.hpp>
#include <recsys/ranker/valid_metric.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// A learning rate that follows from the numbers of rows and trees.
inline constexpr double auto_rate = 0;

/// Trees are symmetric: a level asks one question in all its leaves. Other forms were measured beside them and did not win: 7000 rows of 28 numbers
/// (LightGBM's binary_classification shared out anew 15 times, stopped early) have log loss .5592, by CatBoost's symmetric, depth-wise and
/// leaf-wise trees .5668, .5646, .5648, by LightGBM's .5641, by XGBoost's .5626; 60,000 ranking rows .3027, .3035, .3042, .3043, .3060, .3048.
struct booster_options {
    recsys::loss loss = log_loss{};
    natural trees = 1000;        ///< multi_class: so many for each class
    double learning_rate = 0.05; ///< auto_rate: from the number of rows and trees
    natural depth = 6;           ///< splits a tree, 1 to 10
    double l2 = 3;               ///< added to the sum of second derivatives of a leaf: that many rows that want no change
    split_score score = split_score::cosine;

    natural borders = 254; ///< of a number, at most; 1 to 65535: a number of more than 255 takes the time and memory of one for each 255
    missing_numbers missing = missing_numbers::lowest;
    natural one_hot_size = 4;       ///< columns of at most so many categories become yes/no features, the others target statistics
    natural statistic_borders = 63; ///< of a target statistic, at most; 1 to 254
    std::optional<natural> joins =
        {}; ///< how many pairs (category and number, two categories) get a statistic, at most; absent: see automatic_joins
    natural permutations = 3; ///< orders of the rows in which statistics are made for the trees' structure, 1 to 16

    row_sampling sampling = row_sampling::mvs;
    std::optional<double> row_share = {}; ///< of the rows, for a tree's structure; 1 = all; bayesian takes all; absent: see automatic_share
    double bagging_temperature = 1;       ///< of bayesian sampling: 0 = every row alike
    double random_strength = 0; ///< standard deviation, in root mean squares of the gradients, of what is added to the scores of splits
    double min_leaf_weight = 0; ///< leaves whose rows weigh less neither count where a split is chosen nor change scores
    std::vector<monotone_column> monotone =
        {};                  ///< number columns in which raw scores may only rise or only fall; a missing number is an end
    double column_share = 1; ///< of the columns, for a tree
    std::vector<double> class_weights =
        {}; ///< rows of target k count class_weights[k] times their weight; targets are then 0, 1, ...; of multi_class: one a class, by rising label
    std::optional<double> start =
        {}; ///< raw score (of every class) before the first tree; absent: the best constant, 0 where rows have baselines

    natural early_stopping_rounds = 50; ///< fit(train, valid) stops after so many trees without a better one; 0 = never
    valid_metric metric = {};           ///< by which trees are better, such as valid_ndcg{.k = 10} or valid_auc{}; none: by the loss
    std::string snapshot = {}; ///< a file to which the trees so far are written, and from which the same fit goes on to the same model
    std::chrono::seconds snapshot_interval = std::chrono::minutes{10}; ///< how often; 0 = after every tree
    std::uint64_t seed = 0;
    run_options run = {};
};

namespace detail {

inline void check_range(std::string_view name, double value, double least, double most) {
    if (!(value >= least && value <= most)) throw_option("booster: ", name, " must be in [", least, ", ", most, "], got ", value);
}
inline void check_range(std::string_view name, natural value, std::size_t least, std::size_t most) {
    if (value < least || value > most)
        throw_option("booster: ", name, " must be in [", least, ", ", most, "], got ", static_cast<std::size_t>(value));
}

/// min(0.5, e^b rows^a (trees / 1000)^c). Source: CatBoost 1.2's automatic learning rate, whose a, b, c its authors fitted to many data sets
/// for log loss, classes and squared error, with early stopping and without; for all but probabilities those of squared error are taken.
inline double automatic_rate(std::size_t rows, std::size_t trees, output_kind output, bool early_stopping) {
    struct coefficients {
        double a, b, c;
    };
    bool const probability = output == output_kind::probability, classes = output == output_kind::class_probabilities;
    auto const [a, b, c] = probability      ? early_stopping ? coefficients{0.246, -5.127, -0.451} : coefficients{0.408, -7.299, -0.928}
                                : classes ? early_stopping ? coefficients{0.02, -2.364, -0.382} : coefficients{0.051, -2.889, -0.845}
                                : early_stopping ? coefficients{0.157, -4.062, -0.61}
                                            : coefficients{0.158, -4.287, -0.813};
    double const n = static_cast<double>(rows), t = static_cast<double>(trees > 0 ? trees : 1);
    return std::min(0.5, std::exp(b + a * std::log(n) + c * std::log(t / 1000)));
}

/// Half of the rows where each column has many to choose its borders from, else four fifths. Half is faster; measured beside 0.8 it was as good
/// or better at 37,000 rows a column and more, worse at 200.
inline double automatic_share(std::size_t rows, std::size_t columns) noexcept { return rows / 5000 >= columns ? 0.5 : 0.8; }

/// Up to so many rows, pairs of columns get statistics of their own before the rows can show that they are worth it.
inline constexpr std::size_t few_rows = 32768;
/// Few rows say little, and by more statistics trees lean on none: at 5600 rows of 8 categories all 28 pairs raised AUC by .011, at 20,000 ratings
/// ten by .002 to .004; at 80,000 there was no difference any more.
inline std::size_t automatic_joins(std::size_t rows) noexcept { return rows <= few_rows ? 32 : 8; }

inline void check(booster_options const& o) {
    o.loss.check_options();
    check_range("trees", o.trees, 0, 1000000);
    if (o.learning_rate != auto_rate) check_range("learning_rate", o.learning_rate, 1e-6, 10);
    check_range("depth", o.depth, 1, 10);
    check_range("l2", o.l2, 0, 1e9);
    check_range("borders", o.borders, 1, 65535);
    check_range("one_hot_size", o.one_hot_size, 0, 255);
    check_range("statistic_borders", o.statistic_borders, 1, 254);
    if (o.joins) check_range("joins", *o.joins, 0, 1000);
    check_range("permutations", o.permutations, 1, 16);
    if (o.row_share && !(*o.row_share > 0 && *o.row_share <= 1)) throw_option("booster: row_share must be in (0, 1], got ", *o.row_share);
    if (!(o.column_share > 0 && o.column_share <= 1)) throw_option("booster: column_share must be in (0, 1], got ", o.column_share);
    check_range("bagging_temperature", o.bagging_temperature, 0, 100);
    check_range("random_strength", o.random_strength, 0, 1e6);
    check_range("min_leaf_weight", o.min_leaf_weight, 0, 1e15);
    for (double const w : o.class_weights)
        if (!(w >= 0 && std::isfinite(w))) throw_option("booster: class_weights must be finite numbers of at least 0, got ", w);
    if (o.start && !std::isfinite(*o.start)) throw_option("booster: start must be finite, got ", *o.start);
}

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
