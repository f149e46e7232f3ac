#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Imported models against the libraries that trained them: the largest difference of raw scores on 10,000 random rows, and rows per second.

Install: pip install catboost==1.2.10 lightgbm==4.7.0 lleaves==1.3.0 numpy pandas
Run:     python3 tests/peers/compare_exchange/compare.py [CASE...] [--compile "g++ -std=c++20 -O2 -Iinclude -isystem /usr/include/eigen3"]

All with one thread; seconds are of the processor, the least of a few runs. CatBoost predicts a Pool that is ready, the others arrays.
"""
import argparse
import os
import subprocess
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import catboost
import lightgbm
import numpy
import pandas

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
NUMBERS = 8
WORDS = ["a", "bb", "ccc", "d d", "\u00e9t\u00e9", "longer than sixteen bytes", "longer than thirty-two bytes for the hash",
         "even longer than sixty-four bytes so that every branch of the hash function is taken once", "777", "-1"]


def make_rows(n, seed, new):
    """Rows with missing numbers, and if `new` with categories that no training row has."""
    random = numpy.random.default_rng(seed)
    x = random.normal(size=(n, NUMBERS)).astype(numpy.float32)
    x[:, 1] = numpy.round(x[:, 1] * 3)  # many zeros and equal values
    x[:, 2] = numpy.exp(3 * x[:, 2])
    x[random.random((n, NUMBERS)) < 0.1] = numpy.nan
    x[:, 3] = numpy.where(numpy.isnan(x[:, 3]), 0.5, x[:, 3])  # never missing in training
    words = WORDS + (["new word", "another"] if new else [])
    w = numpy.array(words, dtype=object)[random.integers(0, len(words), n)]
    k = random.integers(-3, 60 if new else 40, n)
    if new:
        x[random.random(n) < 0.1, 3] = numpy.nan
        x[random.random(n) < 0.01, 4] = numpy.inf
        x[random.random(n) < 0.01, 4] = -numpy.inf
    return x, w, k


def target(x, w, k, seed):
    random = numpy.random.default_rng(seed)
    z = numpy.nan_to_num(x, nan=1.0)
    score = z[:, 0] + numpy.where(w == "a", z[:, 3], -z[:, 5]) + (k % 5 == 2) * 1.5 + z[:, 1] * (w == "ccc") * 0.5
    return score + random.normal(size=len(w)) * 0.7


def frame(x, w, k):
    data = pandas.DataFrame({f"x{i}": x[:, i] for i in range(x.shape[1])})
    data["w"], data["k"] = w, k
    return data


def write_rows(path, x, w, k):
    with open(path, "w", encoding="utf-8") as out:
        for numbers, word, key in zip(x, w, k):
            cells = ["" if numpy.isnan(v) else repr(float(v)) for v in numbers]
            out.write(",".join(cells + [word, str(key)]) + "\n")


def least_seconds(predict, runs):
    """The result, and the least processor time."""
    best, out = 1e300, None
    for _ in range(runs):
        start = time.process_time()
        out = predict()
        best = min(best, time.process_time() - start)
    return out, best


class Case:
    def __init__(self, name, arguments, folder):
        self.name, self.arguments, self.folder = name, arguments, folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def ours(self, kind, model, rows, n_outputs, level=None):
        command = [self.arguments.program, kind, model, rows, self.path("out"), "5"] + ([level] if level else [])
        result = subprocess.run(command, check=True, capture_output=True, text=True)
        figures = dict(line.split() for line in result.stdout.splitlines() if line)
        return numpy.fromfile(self.path("out")).reshape(-1, n_outputs), {name: float(value) for name, value in figures.items()}

    def report(self, peer, theirs, seconds, kind, model, rows, single=None, others=()):
        theirs = numpy.asarray(theirs, dtype=float).reshape(len(theirs), -1)
        for level in self.arguments.level or [None]:
            ours, figures = self.ours(kind, model, rows, theirs.shape[1], level)
            difference = numpy.abs(ours - theirs).max()
            n = len(theirs)
            text = f"{self.name:24s} {level or 'best':8s} max difference {difference:.3g}; rows/s: ours {n / figures['predict']:.3g}, {peer} {n / seconds:.3g}"
            for other, other_seconds in others:
                text += f", {other} {n / other_seconds:.3g}"
            if single is not None and "single" in figures:
                text += f"; one row: ours {figures['single'] * 1e3:.1f} us, {peer} {single * 1e6:.1f} us"
            print(text + f"; load {figures['load']:.2f} s", flush=True)
            assert difference <= 1e-6, "differs"


CATBOOST = {
    "numbers": dict(loss_function="Logloss", words=False),
    "binary": dict(loss_function="Logloss"),
    "nan_max": dict(loss_function="RMSE", nan_mode="Max"),
    "multiclass": dict(loss_function="MultiClass", iterations=200),
    "one_vs_all": dict(loss_function="MultiClassOneVsAll", iterations=100),
    "one_hot": dict(loss_function="Logloss", one_hot_max_size=50, iterations=300),
    "statistics": dict(loss_function="RMSE", iterations=200, simple_ctr=["Borders:TargetBorderCount=4", "Buckets:TargetBorderCount=3", "BinarizedTargetMeanValue:TargetBorderCount=3", "Counter"],
                       combinations_ctr=["Borders", "Counter", "BinarizedTargetMeanValue"]),
    "lossguide": dict(loss_function="Logloss", grow_policy="Lossguide", max_leaves=40, iterations=300),
    "depthwise": dict(loss_function="Poisson", grow_policy="Depthwise", iterations=300),
    "deep": dict(loss_function="RMSE", depth=11, iterations=60),
    "ranking": dict(loss_function="YetiRank", iterations=200),
}
LIGHTGBM = {
    "numbers": dict(objective="binary", num_leaves=31, words=False),
    "leaves64": dict(objective="binary", num_leaves=64, words=False),
    "leaves255": dict(objective="binary", num_leaves=255, words=False),
    "leaves1000": dict(objective="regression", num_leaves=1000, words=False, rounds=100, min_data_in_leaf=3),
    "binary": dict(objective="binary", num_leaves=31),
    "zero_missing": dict(objective="regression", zero_as_missing=True, rounds=300),
    "no_missing": dict(objective="regression_l1", use_missing=False, rounds=300),
    "multiclass": dict(objective="multiclass", num_class=3, rounds=200),
    "ova": dict(objective="multiclassova", num_class=3, rounds=100),
    "forest": dict(objective="binary", boosting="rf", bagging_fraction=0.6, bagging_freq=1, rounds=200),
    "dart": dict(objective="poisson", boosting="dart", rounds=100),
    "ranking": dict(objective="lambdarank", rounds=200),
    "bins1000": dict(objective="regression", max_bin=1023, num_leaves=63, rounds=500, words=False),
}


def labels(kind, score):
    if "ulti" in kind or "OneVsAll" in kind:
        return numpy.digitize(score, [-0.5, 1.0])
    if kind in ("Logloss", "binary"):
        return (score > 0.5).astype(int)
    if kind in ("Poisson", "poisson"):
        return numpy.clip(numpy.round(score), 0, None)
    if kind in ("YetiRank", "lambdarank"):
        return numpy.digitize(score, [-0.5, 1.0])
    return score


def catboost_case(name, arguments, folder, train, test):
    case, options = Case("catboost " + name, arguments, folder), dict(CATBOOST[name])
    words = options.pop("words", True)
    columns = [c for c in frame(*train) if words or c not in "wk"]
    score = target(*train, 1)
    ranking = options["loss_function"] == "YetiRank"
    groups = numpy.arange(len(score)) // 20 if ranking else None
    categories = [c for c in columns if c in "wk"]
    pool = catboost.Pool(frame(*train)[columns], labels(options["loss_function"], score), cat_features=categories, group_id=groups)
    model = catboost.CatBoost({"iterations": arguments.trees, "depth": 6, "learning_rate": 0.1, "thread_count": 1, "verbose": 0, "allow_writing_files": False, "random_seed": 1, **options})
    model.fit(pool)
    rows = frame(*test)[columns]
    ready = catboost.Pool(rows, cat_features=categories)
    raw, seconds = least_seconds(lambda: model.predict(ready, prediction_type="RawFormulaVal", thread_count=1), 5)
    one = catboost.Pool(rows.iloc[:1], cat_features=categories)
    _, single = least_seconds(lambda: [model.predict(one, prediction_type="RawFormulaVal", thread_count=1) for _ in range(100)], 3)
    model.save_model(case.path("m.json"), format="json", pool=pool)
    write_rows(case.path("rows"), *test)
    case.report("catboost", raw, seconds, "catboost", case.path("m.json"), case.path("rows"), single / 100)


def lightgbm_case(name, arguments, folder, train, test):
    case, options = Case("lightgbm " + name, arguments, folder), dict(LIGHTGBM[name])
    words, rounds = options.pop("words", True), min(options.pop("rounds", arguments.trees), arguments.trees)
    columns = [c for c in frame(*train) if words or c not in "wk"]
    score = target(*train, 1)
    train_rows, rows = frame(*train)[columns], frame(*test)[columns]
    if words:
        for c in "wk":
            kinds = sorted(set(train_rows[c]))
            for part in (train_rows, rows):
                part[c] = pandas.Categorical(part[c].where(part[c].isin(kinds)), categories=kinds)
    groups = [20] * (len(score) // 20) if options["objective"] == "lambdarank" else None
    data = lightgbm.Dataset(train_rows, labels(options["objective"], score), group=groups)
    model = lightgbm.train({"num_threads": 1, "verbose": -1, "learning_rate": 0.1, "min_data_per_group": 10, "seed": 1, **options}, data, rounds)
    raw, seconds = least_seconds(lambda: model.predict(rows, raw_score=True, num_threads=1), 2)
    array = rows.iloc[:1].to_numpy(dtype=float) if not words else rows.iloc[:1]
    _, single = least_seconds(lambda: [model.predict(array, raw_score=True, num_threads=1) for _ in range(50)], 2)
    if options.get("boosting") == "rf":
        raw = raw / model.num_trees()  # without averaging, unlike predict
    model.save_model(case.path("m.txt"))
    write_rows(case.path("rows"), *test)
    others = []
    if not words and arguments.lleaves:
        import lleaves
        compiled = lleaves.Model(model_file=case.path("m.txt"))
        compiled.compile(raw_score=True)
        array = rows.to_numpy(dtype=float)
        theirs, other = least_seconds(lambda: compiled.predict(array, n_jobs=1), 3)
        others.append(("lleaves", other))
        _, other = least_seconds(lambda: [compiled.predict(array[:1], n_jobs=1) for _ in range(50)], 2)
        print(f"  lleaves: one row {other / 50 * 1e6:.1f} us, difference from lightgbm {numpy.abs(theirs - raw).max():.3g}")
    case.report("lightgbm", raw, seconds, "lightgbm", case.path("m.txt"), case.path("rows"), single / 50, others)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", help="catboost:NAME or lightgbm:NAME")
    parser.add_argument("--compile", default="g++ -std=c++20 -O2 -Iinclude -isystem /usr/include/eigen3")
    parser.add_argument("--program", help="ours.cpp, compiled before")
    parser.add_argument("--trees", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--level", action="append", choices=["portable", "avx2", "avx512"])
    parser.add_argument("--lleaves", action="store_true")
    arguments = parser.parse_args()
    cases = arguments.case or [f"catboost:{n}" for n in CATBOOST] + [f"lightgbm:{n}" for n in LIGHTGBM]
    train, test = make_rows(20_000, 1, False), make_rows(arguments.rows, 2, True)
    with tempfile.TemporaryDirectory() as folder:
        if not arguments.program:
            arguments.program = os.path.join(folder, "ours")
            source = os.path.join(ROOT, "tests", "peers", "compare_exchange", "ours.cpp")
            subprocess.run(arguments.compile.split() + [source, "-pthread", "-o", arguments.program], check=True, cwd=ROOT)
        for name in cases:
            peer, case = name.split(":")
            (catboost_case if peer == "catboost" else lightgbm_case)(case, arguments, folder, train, test)


main()
