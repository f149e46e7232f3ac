#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/support/fixtures/metrics.hpp: what ranx, RecTools and scikit-learn give for random lists, on which our metrics are tested.

Install: pip install ranx==0.3.21 rectools==0.19.0 scikit-learn numpy pandas
Run:     python3 tests/peers/make_metrics_fixture.py > tests/support/fixtures/metrics.hpp

60 users have lists of up to 10 of 80 items, some short, one empty, and up to 12 relevant items. Both peers take the mean over the users
with relevant items. ranx leaves out users without a list, so it is given a list with an item that nobody wants there. RecTools divides
NDCG by the gain of k hits, we by that of min(k, relevant): divide_by_achievable=True makes it the same. scikit-learn averages NDCG over the
orders of equal scores, we take them by row: the graded lists have no equal scores (ties_averaged is what it gives for three equal ones).
"""
from importlib.metadata import version

import numpy as np
import pandas as pd
import ranx
from rectools import Columns
from rectools.metrics import MAP, MRR, NDCG, CatalogCoverage, HitRate, MeanInvUserFreq, Precision, Recall, calc_metrics
from sklearn.metrics import log_loss, mean_squared_error, ndcg_score, roc_auc_score

N_USERS, N_ITEMS, LENGTH = 60, 80, 10
rng = np.random.default_rng(7)
weights = 1 / np.arange(1, N_ITEMS + 1)
weights /= weights.sum()

shown, relevant, past = [], [], []
for user in range(N_USERS):
    length = 0 if user == 5 else int(rng.integers(1, LENGTH + 1)) if user % 4 == 0 else LENGTH
    shown.append([int(i) for i in rng.choice(N_ITEMS, length, replace=False, p=weights)])
    relevant.append(sorted(int(i) for i in rng.choice(N_ITEMS, int(rng.integers(1, 13)), replace=False, p=weights)))
    past.append(sorted(int(i) for i in rng.choice(N_ITEMS, int(rng.integers(1, 20)), replace=False, p=weights)))


def frame(lists):
    rows = [(u, i, r + 1) for u, items in enumerate(lists) for r, i in enumerate(items)]
    return pd.DataFrame(rows, columns=[Columns.User, Columns.Item, Columns.Rank])


def by_ranx(k):
    qrels = ranx.Qrels({str(u): {str(i): 1 for i in items} for u, items in enumerate(relevant)})
    run = ranx.Run({str(u): {str(i): LENGTH - r for r, i in enumerate(items)} or {"none": 1} for u, items in enumerate(shown)})
    names = [f"{m}@{k}" for m in ("precision", "recall", "ndcg", "map", "mrr", "hit_rate")]
    return list(ranx.evaluate(qrels, run, names).items())


def by_rectools(k):
    metrics = {
        f"precision@{k}": Precision(k=k),
        f"recall@{k}": Recall(k=k),
        f"ndcg@{k}": NDCG(k=k, divide_by_achievable=True),
        f"map@{k}": MAP(k=k),
        f"mrr@{k}": MRR(k=k),
        f"hit_rate@{k}": HitRate(k=k),
        "coverage": CatalogCoverage(k=k, normalize=True),
        f"novelty_bits@{k}": MeanInvUserFreq(k=k),
    }
    values = calc_metrics(metrics, reco=frame(shown), interactions=frame(relevant), prev_interactions=frame(past), catalog=np.arange(N_ITEMS))
    return [(name, values[name]) for name in metrics]


def array(name, values):
    print(f"inline constexpr int {name}[] = {{{', '.join(map(str, values))}}};")


def ends(lists):
    return list(np.cumsum([len(items) for items in lists]))


def figures(name, values):
    print(f"inline constexpr figure {name}[] = {{")
    print(",\n".join(f'    {{"{metric}", {float(value):.17g}}}' for metric, value in values) + "};")


def main():
    packages = ", ".join(f"{p} {version(p)}" for p in ("ranx", "rectools", "scikit-learn", "numpy"))
    print("// SPDX-License-Identifier: MIT")
    print(f"// Made by tests/peers/make_metrics_fixture.py with {packages}.")
    print("#ifndef RECSYS_TESTS_FIXTURES_METRICS_HPP\n#define RECSYS_TESTS_FIXTURES_METRICS_HPP\n")
    print("namespace metrics_fixture {\n")
    print(f"inline constexpr int n_users = {N_USERS}, n_items = {N_ITEMS};")
    for name, lists in (("shown", shown), ("relevant", relevant), ("past", past)):
        array(f"{name}_ends", ends(lists))
        array(name, [i for items in lists for i in items])
    print("struct figure {\n    char const* metric;\n    double value;\n};")
    for k in (5, 10):
        figures(f"ranx_{k}", by_ranx(k))
        figures(f"rectools_{k}", by_rectools(k))
    labels = (rng.random(200) < 0.3).astype(int)
    scores = np.clip(np.round(0.4 * labels + rng.random(200) * 0.6, 2), 0.01, 0.99)
    array("labels", labels)
    array("hundredths", np.round(scores * 100).astype(int))
    rmse = mean_squared_error(labels, scores) ** 0.5
    figures("sklearn", [("auc", roc_auc_score(labels, scores)), ("log_loss", log_loss(labels, scores)), ("rmse", rmse)])
    gains = rng.integers(0, 5, (20, 12))
    places = np.array([rng.permutation(12) for _ in range(20)])
    print("inline constexpr int n_graded = 20, graded_length = 12;")
    array("graded_gains", gains.ravel())
    array("graded_scores", places.ravel())
    figures("graded", [(f"ndcg@{k}", ndcg_score(gains, places, k=k)) for k in (3, 5, 12)])
    figures("ties_averaged", [("ndcg@3", ndcg_score([[0, 0, 1]], [[0, 0, 0]], k=3))])
    print("\n}\n\n#endif")


main()
