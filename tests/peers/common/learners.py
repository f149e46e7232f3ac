# SPDX-License-Identifier: MIT
"""The settings of the other learners, said once, and how probabilities are judged."""
import numpy as np


def catboost_settings(loss, trees, rate, depth=6, seed=1, threads=1, **more):
    """Its defaults but for what every learner is given alike."""
    return dict(loss_function=loss, iterations=trees, learning_rate=rate, depth=depth, random_seed=seed, thread_count=threads,
                logging_level="Silent", allow_writing_files=False, **more)


def lightgbm_settings(objective, rate, depth=6, seed=1, threads=1, **more):
    """As many leaves as a tree of that depth can have: its default of 31 leaves would be another depth."""
    return dict(objective=objective, learning_rate=rate, max_depth=depth, num_leaves=2**depth, seed=seed, num_threads=threads, verbosity=-1) | more


def xgboost_settings(objective, rate, depth=6, seed=1, threads=1, **more):
    return dict(objective=objective, learning_rate=rate, max_depth=depth, tree_method="hist", seed=seed, nthread=threads, verbosity=0, **more)


def log_loss(y, p):
    p = np.clip(np.asarray(p, float), 1e-15, 1 - 1e-15)
    return float(-np.mean(np.where(y > 0, np.log(p), np.log(1 - p))))


def area_under_curve(y, scores):
    """Ties count one half."""
    positive = y > 0
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    n = positive.sum()
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * (len(y) - n)))
