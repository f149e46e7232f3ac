# SPDX-License-Identifier: MIT
"""One named job of a peer on raw arrays, one line of JSON, in a process of its own: the same arguments and keys as ours.cpp.

    peers.py fit lib=LIB data=FOLDER numbers=7 categories=1 trees=1000 rate=0.1 depth=6 seed=1 threads=1 [loss=ranking] [early=1] [save=MODEL] [predictions=FILE]
             classes=7: of so many classes
    peers.py predict lib=LIB data=FOLDER from=MODEL threads=1 [predictions=FILE]
    peers.py request lib=LIB data=FOLDER from=MODEL queries=2000
    peers.py judge data=FOLDER predictions=FILE        log loss, AUC and NDCG@10 of anybody's predictions for the test rows

LIB is catboost, catboost_simple (no combinations of categories), xgboost, or lightgbm_rows, lightgbm_columns and their _quantized forms; lleaves and treelite
predict with a model of LightGBM. loss=ranking: YetiRank, lambdarank, rank:ndcg. CatBoost saves its model also as MODEL.json.
"""
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))
from learners import area_under_curve, catboost_settings, lightgbm_settings, log_loss, xgboost_settings  # noqa: E402


def answer(**values):
    print(json.dumps(values))


def peak_mb():
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024


class Rows:
    """x: numbers, float32; c: categories, int32; y: targets; group: ids or nothing."""

    def __init__(self, x, c, y, group):
        self.x, self.c, self.y, self.group = x, c, y, group

    def take(self, rows):
        return Rows(self.x[rows], self.c[rows], self.y[rows], self.group[rows] if len(self.group) else self.group)

    def group_sizes(self):
        return np.diff(np.concatenate([[0], np.flatnonzero(np.diff(self.group)) + 1, [len(self.group)]]))

    def names(self):
        return [f"x{i}" for i in range(self.x.shape[1])], [f"c{i}" for i in range(self.c.shape[1])]

    def side_by_side(self):
        return np.ascontiguousarray(np.column_stack([self.x, self.c.astype(np.float32)])) if self.c.shape[1] else self.x


class Job:
    def __init__(self, arguments):
        self.given = dict(argument.split("=", 1) for argument in arguments)
        self.lib = self.given.get("lib", "")
        self.ranking = self.given.get("loss") == "ranking"
        self.threads = int(self.given.get("threads", 1))
        self.classes = int(self.given.get("classes", 0))

    def number(self, name, otherwise):
        return float(self.given.get(name, otherwise))

    def whole(self, name, otherwise):
        return int(self.number(name, otherwise))

    def shape(self):
        return self.number("rate", 0.1), self.whole("depth", 6), self.whole("seed", 1), self.threads

    def rows(self, part):
        prefix = f"{self.given['data']}/{part}"
        y = np.fromfile(prefix + ".target.f32", np.float32)
        x = np.fromfile(prefix + ".x.f32", np.float32).reshape(len(y), self.whole("numbers", 7))
        c = np.fromfile(prefix + ".category.i32", np.int32).reshape(len(y), self.whole("categories", 1))
        return Rows(x, c, y, np.fromfile(prefix + ".group.i32", np.int32))

    def held_out(self, rows):
        """The same rows as ours: the last 15% of the groups, or of the rows."""
        if len(rows.group):
            n = int(rows.group[-1]) + 1
            first = int(np.searchsorted(rows.group, n - n * 15 // 100))
        else:
            first = len(rows.y) - len(rows.y) * 15 // 100
        return rows.take(slice(0, first)), rows.take(slice(first, None))


class CatBoost:
    def __init__(self, job):
        import catboost

        self.lib, self.job = catboost, job
        loss = "YetiRank" if job.ranking else "MultiClass" if job.classes else "Logloss"
        self.parameters = catboost_settings(loss, job.whole("trees", 1000), *job.shape())
        if job.lib == "catboost_simple":
            self.parameters["max_ctr_complexity"] = 1

    def prepared(self, rows):
        label = None if rows.y is None else rows.y
        group = rows.group if self.job.ranking and label is not None else None
        numbers, categories = rows.names()
        if not rows.c.shape[1]:
            return self.lib.Pool(rows.x, label=label, group_id=group, feature_names=numbers, thread_count=self.job.threads)
        data = self.lib.FeaturesData(num_feature_data=rows.x if rows.x.shape[1] else None, num_feature_names=numbers if rows.x.shape[1] else None,
                                     cat_feature_data=rows.c.astype("S").astype(object), cat_feature_names=categories)
        return self.lib.Pool(data, label=label, group_id=group)

    def save(self, model, path, train):
        model.save_model(path)
        model.save_model(path + ".json", format="json", pool=train)

    def fit(self, train, valid):
        model = self.lib.CatBoost(self.parameters)
        model.fit(train, eval_set=valid, early_stopping_rounds=50 if valid else None)
        return model, model.tree_count_

    def valid(self, rows, _):
        return self.prepared(rows)

    def load(self, path):
        return self.lib.CatBoost().load_model(path)

    def predict(self, model, prepared):
        if self.job.ranking:
            return self.raw(model, prepared)
        shares = model.predict(prepared, prediction_type="Probability", thread_count=self.job.threads)
        return shares if self.job.classes else shares[:, 1]

    def raw(self, model, prepared):
        return model.predict(prepared, thread_count=self.job.threads)


class LightGbm:
    def __init__(self, job):
        import lightgbm

        self.lib, self.job = lightgbm, job
        quantized = job.lib.endswith("_quantized")
        self.parameters = lightgbm_settings("lambdarank" if job.ranking else "binary", *job.shape(), use_quantized_grad=quantized)
        if job.classes:
            self.parameters.update(objective="multiclass", num_class=job.classes)
        self.parameters["force_col_wise" if "columns" in job.lib else "force_row_wise"] = True

    def dataset(self, rows, reference=None):
        n, k = rows.x.shape[1], rows.c.shape[1]
        return self.lib.Dataset(rows.side_by_side(), rows.y, reference=reference, categorical_feature=list(range(n, n + k)), params=self.parameters,
                                feature_name=sum(rows.names(), []), group=rows.group_sizes() if self.job.ranking else None).construct()

    def save(self, model, path, _):
        model.save_model(path)

    def prepared(self, rows):
        return self.dataset(rows) if rows.y is not None else rows.side_by_side()

    def valid(self, rows, train):
        return self.dataset(rows, train)

    def fit(self, train, valid):
        trees = self.job.whole("trees", 1000)
        stop = dict(valid_sets=[valid], callbacks=[self.lib.early_stopping(50, verbose=False)]) if valid else {}
        model = self.lib.train(self.parameters, train, trees, **stop)
        return model, model.best_iteration or model.num_trees() // max(1, self.job.classes)

    def load(self, path):
        return self.lib.Booster(model_file=path)

    def predict(self, model, prepared):
        return model.predict(prepared, num_threads=self.job.threads)

    def raw(self, model, prepared):
        return model.predict(prepared, raw_score=True, num_threads=self.job.threads)


class XgBoost:
    def __init__(self, job):
        import xgboost

        self.lib, self.job = xgboost, job
        self.parameters = xgboost_settings("rank:ndcg" if job.ranking else "binary:logistic", *job.shape())
        if job.classes:
            self.parameters.update(objective="multi:softprob", num_class=job.classes)

    def prepared(self, rows):
        kinds = dict(feature_types=["q"] * rows.x.shape[1] + ["c"] * rows.c.shape[1], enable_categorical=True, nthread=self.job.threads)
        if rows.y is None:
            return self.lib.DMatrix(rows.side_by_side(), **kinds)
        return self.lib.QuantileDMatrix(rows.side_by_side(), label=rows.y, max_bin=256, qid=rows.group if self.job.ranking else None, **kinds)

    def save(self, model, path, _):
        model.save_model(path)

    def valid(self, rows, train):
        kinds = dict(feature_types=["q"] * rows.x.shape[1] + ["c"] * rows.c.shape[1], enable_categorical=True, nthread=self.job.threads)
        return self.lib.QuantileDMatrix(rows.side_by_side(), label=rows.y, max_bin=256, ref=train, **kinds)

    def fit(self, train, valid):
        trees = self.job.whole("trees", 1000)
        stop = dict(evals=[(valid, "valid")], early_stopping_rounds=50, verbose_eval=False) if valid else {}
        model = self.lib.train(self.parameters, train, trees, **stop)
        if valid:
            model = model[:model.best_iteration + 1]
        return model, model.num_boosted_rounds()

    def load(self, path):
        return self.lib.Booster(dict(nthread=self.job.threads), model_file=path)

    def predict(self, model, prepared):
        return model.predict(prepared)

    def raw(self, model, prepared):
        return model.predict(prepared, output_margin=True)


class Lleaves:
    """LightGBM's model as machine code, which is kept beside it."""

    def __init__(self, job):
        import lleaves

        self.lib, self.job = lleaves, job

    def load(self, path):
        model = self.lib.Model(model_file=path)
        model.compile(cache=path + ".lleaves", raw_score=True)
        return model

    def prepared(self, rows):
        return rows.side_by_side().astype(np.float64)

    def raw(self, model, prepared):
        return model.predict(prepared, n_jobs=self.job.threads)


class Treelite:
    """LightGBM's model as C, compiled by gcc; the library is kept beside it."""

    def __init__(self, job):
        import tl2cgen
        import treelite

        self.lib, self.models, self.job = tl2cgen, treelite, job

    def load(self, path):
        library = Path(path + ".treelite.so")
        if not library.exists() or library.stat().st_mtime < Path(path).stat().st_mtime:
            model = self.models.frontend.load_lightgbm_model(path)
            self.lib.export_lib(model, toolchain="gcc", libpath=library, params={"parallel_comp": 8})
        return self.lib.Predictor(library, nthread=self.job.threads)

    def prepared(self, rows):
        return self.lib.DMatrix(rows.side_by_side().astype(np.float64), dtype="float64")

    def raw(self, model, prepared):
        return model.predict(prepared, pred_margin=True).reshape(-1)


def peer_of(job):
    named = {"catboost": CatBoost, "catboost_simple": CatBoost, "xgboost": XgBoost, "lleaves": Lleaves, "treelite": Treelite}
    return named.get(job.lib, LightGbm)(job)


def without_targets(rows):
    return Rows(rows.x, rows.c, None, rows.group)


def fit(job):
    peer, train, test = peer_of(job), job.rows("train"), job.rows("test")
    train, valid = job.held_out(train) if "early" in job.given else (train, None)
    before = peak_mb()
    start = time.perf_counter()
    prepared = peer.prepared(train)
    prepared_valid = peer.valid(valid, prepared) if valid else None
    loaded = time.perf_counter() - start
    model, trees = peer.fit(prepared, prepared_valid)
    seconds, memory = time.perf_counter() - start, peak_mb()
    if "save" in job.given:
        peer.save(model, job.given["save"], prepared)
    predicted = np.asarray(peer.predict(model, peer.prepared(without_targets(test))), np.float32)
    if "predictions" in job.given:
        predicted.tofile(job.given["predictions"])
    answer(load_s=loaded, seconds=seconds, tree_ms=(seconds - loaded) * 1e3 / trees, trees=trees, data_mb=before, growth_mb=memory - before)


def best_of_five(call):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def predict(job):
    """Raw scores, the cheapest that each has; with the rows in the peer's own form, and with its making counted."""
    peer, test = peer_of(job), without_targets(job.rows("test"))
    model = peer.load(job.given["from"])
    n = len(test.x)
    if "predictions" in job.given:
        np.asarray(peer.raw(model, peer.prepared(test)), np.float32).tofile(job.given["predictions"])
    # XGBoost keeps the scores of rows that it has seen: each round has its own.
    ready = iter([peer.prepared(test) for _ in range(5)])
    answer(million_row_s=best_of_five(lambda: peer.raw(model, next(ready))) * 1e6 / n,
           million_raw_row_s=best_of_five(lambda: peer.raw(model, peer.prepared(test))) * 1e6 / n)


def request(job):
    peer, test = peer_of(job), job.rows("test")
    model = peer.load(job.given["from"])
    n = job.whole("queries", 2000)
    ready = [peer.prepared(without_targets(test.take(slice(first, first + 100)))) for first in range(0, min(len(test.x) - 100, 20_000), 100)]
    micros = []
    for i in range(n + 20):
        rows = ready[i % len(ready)]
        start = time.perf_counter()
        peer.raw(model, rows)
        if i >= 20:
            micros.append((time.perf_counter() - start) * 1e6)
    micros.sort()
    at = lambda share: micros[min(len(micros) - 1, int(share * len(micros)))]
    answer(p50_us=at(0.5), p99_us=at(0.99))


def ndcg_at_10(y, scores, group):
    """Gains 2^y - 1, groups without a gain left out. Source: Järvelin & Kekäläinen (2002)."""
    cut = np.concatenate([[0], np.flatnonzero(np.diff(group)) + 1, [len(group)]])
    discount = 1 / np.log2(np.arange(10) + 2)
    values = []
    for first, last in zip(cut[:-1], cut[1:]):
        gain = 2.0 ** y[first:last] - 1
        ideal = np.sort(gain)[::-1][:10]
        if ideal[0] > 0:
            got = gain[np.argsort(-scores[first:last], kind="stable")][:10]
            values.append((got * discount[:len(got)]).sum() / (ideal * discount[:len(ideal)]).sum())
    return float(np.mean(values))


def judge(job):
    y = np.fromfile(f"{job.given['data']}/test.target.f32", np.float32)
    group = np.fromfile(f"{job.given['data']}/test.group.i32", np.int32)
    scores = np.fromfile(job.given["predictions"], np.float32).astype(float)
    values = {}
    if set(np.unique(y)) <= {0, 1}:
        values = {"log_loss": log_loss(y, scores), "auc": area_under_curve(y, scores)}
    if len(scores) > len(y):
        shares = scores.reshape(len(y), -1)
        right = shares[np.arange(len(y)), y.astype(int)]
        values = {"log_loss": float(-np.mean(np.log(np.clip(right, 1e-15, 1)))), "accuracy": float(np.mean(shares.argmax(axis=1) == y))}
    if len(group):
        values["ndcg@10"] = ndcg_at_10(y, scores, group)
    answer(**values)


def main():
    {"fit": fit, "predict": predict, "request": request, "judge": judge}[sys.argv[1]](Job(sys.argv[2:]))


main()
