#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/support/fixtures/ranker.hpp: what CatBoost, LightGBM and XGBoost reach on the rows on which our booster is tested.

Install: pip install catboost==1.2.10 lightgbm==4.7.0 xgboost==3.2.0 numpy==1.26.4
Run:     RECSYS_DATA_DIR=DIR python3 tests/peers/make_ranker_fixture.py > tests/support/fixtures/ranker.hpp     (about half an hour)
         --only categorical writes the figures of that part alone

The ranking rows come from tests/support/ranking_rows.hpp through a small program that this script compiles (--compile). DIR holds
LightGBM's examples (lightgbm-examples/binary_classification, lightgbm-examples/categorical.data of github.com/microsoft/LightGBM).
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

import catboost
import lightgbm
import numpy
import xgboost

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "peers", "common"))
from learners import area_under_curve, catboost_settings, lightgbm_settings, log_loss, xgboost_settings  # noqa: E402

EXPORTER = r"""
#include <support/ranking_rows.hpp>
#include <cstdio>
#include <cstdlib>
int main(int, char** argv) {
    support::ranking_world world(static_cast<std::uint64_t>(std::atoll(argv[1])));
    for (int part = 1; part <= 2; ++part) {
        auto const rows = world.rows(static_cast<std::size_t>(std::atoll(argv[part + 1])), static_cast<std::uint64_t>(part));
        for (auto const& r : rows) {
            float const line[] = {r.als_score, r.genre_and_votes, r.tracks_month, r.tracks_listened, r.rating_avg, r.rating_std, r.tracks_per_month,
                                  static_cast<float>(r.genre), r.clicked ? 1.f : 0.f, r.probability};
            std::fwrite(line, sizeof line, 1, stdout);
        }
    }
}
"""


class Rows:
    """x: numbers and category codes side by side; categories: which columns are categories; y: 0/1."""

    def __init__(self, x, categories, y):
        self.x, self.categories, self.y = x, categories, y

    def take(self, rows):
        return Rows(self.x[rows], self.categories, self.y[rows])

    def objects(self):
        columns = numpy.empty(self.x.shape, dtype=object)
        for c in range(self.x.shape[1]):
            columns[:, c] = self.x[:, c].astype(int) if c in self.categories else self.x[:, c]
        return columns


def ranking_rows(arguments, world, n_train, n_test):
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "export.cpp"), os.path.join(folder, "export")
        with open(source, "w", encoding="utf-8") as out:
            out.write(EXPORTER)
        subprocess.run(arguments.compile.split() + [source, "-o", program], check=True)
        data = subprocess.run([program, str(world), str(n_train), str(n_test)], check=True, stdout=subprocess.PIPE).stdout
    table = numpy.frombuffer(data, numpy.float32).reshape(-1, 10)
    rows = Rows(table[:, :8].copy(), [7], table[:, 8].astype(int))
    ceiling = log_loss(rows.y[n_train:], table[n_train:, 9].astype(float))
    return rows.take(slice(0, n_train)), rows.take(slice(n_train, None)), ceiling


def binary_rows(name):
    table = numpy.loadtxt(os.path.join(os.environ["RECSYS_DATA_DIR"], "lightgbm-examples", "binary_classification", name))
    return Rows(table[:, 1:].astype(numpy.float32), [], table[:, 0].astype(int))


def categorical_rows():
    y, x = [], []
    with open(os.path.join(os.environ["RECSYS_DATA_DIR"], "lightgbm-examples", "categorical.data"), encoding="utf-8") as lines:
        for line in lines:
            fields = line.split()
            row = [0.0] * 8
            for field in fields[1:]:
                column, value = field.split(":")
                row[int(column)] = float(value)
            y.append(int(fields[0]))
            x.append(row)
    return Rows(numpy.array(x, numpy.float32), list(range(8)), numpy.array(y))


def fit_catboost(train, valid, test, trees, rate, seed):
    def pool(rows):
        return catboost.Pool(rows.objects() if rows.categories else rows.x, rows.y, cat_features=rows.categories or None)
    model = catboost.CatBoost(catboost_settings("Logloss", trees, rate, seed=seed))
    start = time.perf_counter()
    if valid is not None:
        model.fit(pool(train), eval_set=pool(valid), early_stopping_rounds=50)
    else:
        model.fit(pool(train))
    seconds = time.perf_counter() - start
    return model.predict(pool(test), prediction_type="Probability")[:, 1], seconds


def fit_lightgbm(train, valid, test, trees, rate, seed):
    parameters = lightgbm_settings("binary", rate, seed=seed)

    def data(rows, reference=None):
        return lightgbm.Dataset(rows.x, rows.y, reference=reference, categorical_feature=rows.categories, params=parameters)
    start = time.perf_counter()
    known = data(train)
    if valid is not None:
        model = lightgbm.train(parameters, known, trees, valid_sets=[data(valid, known)], callbacks=[lightgbm.early_stopping(50, verbose=False)])
    else:
        model = lightgbm.train(parameters, known, trees)
    seconds = time.perf_counter() - start
    return model.predict(test.x), seconds


def fit_xgboost(train, valid, test, trees, rate, seed):
    def matrix(rows):
        types = ["c" if c in rows.categories else "q" for c in range(rows.x.shape[1])]
        return xgboost.DMatrix(rows.x, label=rows.y, feature_types=types, enable_categorical=True, nthread=1)
    parameters = xgboost_settings("binary:logistic", rate, seed=seed)
    start = time.perf_counter()
    if valid is not None:
        model = xgboost.train(parameters, matrix(train), trees, evals=[(matrix(valid), "v")], early_stopping_rounds=50, verbose_eval=False)
        model = model[:model.best_iteration + 1]
    else:
        model = xgboost.train(parameters, matrix(train), trees)
    seconds = time.perf_counter() - start
    return model.predict(matrix(test)), seconds


FITS = {"catboost": fit_catboost, "lightgbm": fit_lightgbm, "xgboost": fit_xgboost}


def measure(name, train, valid, test, trees, rate, seeds):
    """Means over the seeds; LightGBM and XGBoost draw nothing here, so one seed is all of them."""
    print(f"struct {name}_figures {{\n    char const* peer;\n    double log_loss, auc;\n}};")
    lines = []
    for peer, fit in FITS.items():
        losses, areas, times = [], [], []
        for seed in seeds if peer == "catboost" else seeds[:1]:
            p, seconds = fit(train, valid, test, trees, rate, seed)
            losses.append(log_loss(test.y, p))
            areas.append(area_under_curve(test.y, p))
            times.append(seconds)
            print(f"{name} {peer} seed {seed}: log loss {losses[-1]:.5f}, auc {areas[-1]:.5f}, {seconds:.1f} s", file=sys.stderr, flush=True)
        lines.append(f'    {{"{peer}", {numpy.mean(losses):.5f}, {numpy.mean(areas):.5f}}}')
    print(f"inline constexpr {name}_figures {name}[] = {{\n" + ",\n".join(lines) + "};")


def ranking(name, n_train, n_test):
    def write(arguments):
        train, test, ceiling = ranking_rows(arguments, 42, n_train, n_test)
        print(f"// {n_train} training rows, {n_test} test rows of ranking_world(42): 1000 trees, depth 6, learning rate 0.1, CatBoost the mean of four seeds.")
        print(f"inline constexpr double {name}_ceiling = {ceiling:.5f}; ///< log loss of the true probabilities")
        measure(name, train, None, test, 1000, 0.1, [1, 2, 3, 4])
    return write


def binary_classification(_):
    print("// binary_classification: at most 1000 trees at 0.05, depth 6, stopped by the last 1000 training rows after 50 trees.")
    train = binary_rows("binary.train")
    measure("binary_classification", train.take(slice(0, 6000)), train.take(slice(6000, None)), binary_rows("binary.test"), 1000, 0.05, [1, 2, 3, 4])


def categorical(_):
    print("// categorical.data, all 8 columns as categories: the last fifth of the rows is the test, 1000 trees at 0.1, depth 6.")
    rows = categorical_rows()
    cut = len(rows.y) * 4 // 5
    measure("categorical", rows.take(slice(0, cut)), None, rows.take(slice(cut, None)), 1000, 0.1, [1, 2, 3, 4])


PARTS = {
    "ranking_60k": ranking("ranking_60k", 60000, 30000),
    "ranking_300k": ranking("ranking_300k", 300000, 60000),
    "binary_classification": binary_classification,
    "categorical": categorical,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", default=f"g++ -O2 -std=c++20 -I{ROOT}/include -I{ROOT}/tests -I{ROOT}/tests/support -isystem /usr/include/eigen3")
    parser.add_argument("--only", choices=PARTS)
    arguments = parser.parse_args()
    if arguments.only:
        return PARTS[arguments.only](arguments)
    print("// SPDX-License-Identifier: MIT")
    print(f"// Made by tests/peers/make_ranker_fixture.py with catboost {catboost.__version__}, lightgbm {lightgbm.__version__}, xgboost {xgboost.__version__}.")
    print("#ifndef RECSYS_TESTS_FIXTURES_RANKER_HPP\n#define RECSYS_TESTS_FIXTURES_RANKER_HPP\n\nnamespace ranker_fixture {\n")
    for write in PARTS.values():
        write(arguments)
    print("\n}\n\n#endif")
    return 0


if __name__ == "__main__":
    sys.exit(main())
