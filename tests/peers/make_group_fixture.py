#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/support/fixtures/ranker_groups.hpp: the NDCG@10 that CatBoost, LightGBM and XGBoost reach with their ranking losses.

Install: pip install catboost==1.2.10 lightgbm==4.7.0 xgboost==3.2.0 numpy==2.4.6
Run:     RECSYS_DATA_DIR=DIR python3 tests/peers/make_group_fixture.py > tests/support/fixtures/ranker_groups.hpp     (about a quarter of an hour)

Two sets of rows: LightGBM's lambdarank example (DIR/lightgbm-examples/lambdarank of github.com/microsoft/LightGBM: 201 training and 50 test
queries) and the users of tests/support/ranking_rows.hpp. Every learner runs at depth 6 and learning rate 0.05 for 800 trees; of the stages
in STAGES the one with the best mean over the seeds counts, for the peers as for ours. The learners draw rows (80%), so that seeds differ.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import catboost
import lightgbm
import numpy
import xgboost

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "peers", "common"))
from learners import catboost_settings, lightgbm_settings, xgboost_settings  # noqa: E402

STAGES = (25, 50, 100, 200, 400, 800)
SEEDS = (1, 2, 3, 4)
RATE = 0.05
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
                                  static_cast<float>(r.genre), r.clicked ? 1.f : 0.f, static_cast<float>(r.user)};
            std::fwrite(line, sizeof line, 1, stdout);
        }
    }
}
"""


class Rows:
    """x: numbers and category codes side by side; categories: which columns are categories; y: grades; sizes: rows of each group."""

    def __init__(self, x, categories, y, sizes):
        self.x, self.categories, self.y, self.sizes = x, categories, y, sizes

    def objects(self):
        columns = numpy.empty(self.x.shape, dtype=object)
        for c in range(self.x.shape[1]):
            columns[:, c] = self.x[:, c].astype(int) if c in self.categories else self.x[:, c]
        return columns


def ndcg(rows, scores, k=10):
    """Mean over the groups that have a grade above 0; gain 2^grade - 1; equal scores in the order of the rows."""
    values, first = [], 0
    for size in rows.sizes:
        gain = 2.0 ** rows.y[first:first + size] - 1
        discount = 1 / numpy.log2(numpy.arange(2, min(k, size) + 2))
        ideal = (numpy.sort(gain)[::-1][:k] * discount).sum()
        if ideal > 0:
            order = numpy.argsort(-scores[first:first + size], kind="stable")[:k]
            values.append((gain[order] * discount).sum() / ideal)
        first += size
    return numpy.array(values)


def world_rows(arguments, world, n_train, n_test):
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "export.cpp"), os.path.join(folder, "export")
        with open(source, "w", encoding="utf-8") as out:
            out.write(EXPORTER)
        subprocess.run(arguments.compile.split() + [source, "-o", program], check=True)
        data = subprocess.run([program, str(world), str(n_train), str(n_test)], check=True, stdout=subprocess.PIPE).stdout
    table = numpy.frombuffer(data, numpy.float32).reshape(-1, 10)

    def part(of):
        user = of[:, 9]
        ends = numpy.append(numpy.flatnonzero(user[1:] != user[:-1]) + 1, len(user))
        return Rows(of[:, :8].copy(), [7], of[:, 8].astype(int), numpy.diff(ends, prepend=0))
    return part(table[:n_train]), part(table[n_train:])


def example_rows(name, n_columns):
    folder = os.path.join(os.environ["RECSYS_DATA_DIR"], "lightgbm-examples", "lambdarank")
    y, x = [], []
    with open(os.path.join(folder, name), encoding="utf-8") as lines:
        for line in lines:
            fields = line.split()
            y.append(int(fields[0]))
            row = numpy.zeros(n_columns, numpy.float32)
            for field in fields[1:]:
                column, value = field.split(":")
                row[int(column)] = float(value)
            x.append(row)
    return Rows(numpy.array(x), [], numpy.array(y), numpy.loadtxt(os.path.join(folder, name + ".query"), dtype=int))


def fit_catboost(train, test, seed):
    def pool(rows):
        groups = numpy.repeat(numpy.arange(len(rows.sizes)), rows.sizes)
        return catboost.Pool(rows.objects() if rows.categories else rows.x, rows.y, cat_features=rows.categories or None, group_id=groups)
    model = catboost.CatBoost(catboost_settings("YetiRank", max(STAGES), RATE, seed=seed))
    model.fit(pool(train))
    return [model.predict(pool(test), ntree_end=n) for n in STAGES]


def fit_lightgbm(train, test, seed):
    parameters = lightgbm_settings("lambdarank", RATE, seed=seed, num_leaves=31, bagging_fraction=0.8, bagging_freq=1)
    known = lightgbm.Dataset(train.x, train.y, group=train.sizes, categorical_feature=train.categories, params=parameters)
    model = lightgbm.train(parameters, known, max(STAGES))
    return [model.predict(test.x, num_iteration=n) for n in STAGES]


def fit_xgboost(train, test, seed):
    def matrix(rows):
        types = ["c" if c in rows.categories else "q" for c in range(rows.x.shape[1])]
        out = xgboost.DMatrix(rows.x, label=rows.y, feature_types=types, enable_categorical=True, nthread=1)
        out.set_group(rows.sizes)
        return out
    parameters = xgboost_settings("rank:ndcg", RATE, seed=seed, subsample=0.8)
    model = xgboost.train(parameters, matrix(train), max(STAGES))
    return [model.predict(matrix(test), iteration_range=(0, n)) for n in STAGES]


FITS = {"catboost": fit_catboost, "lightgbm": fit_lightgbm, "xgboost": fit_xgboost}


def measure(name, train, test):
    lines = []
    for peer, fit in FITS.items():
        means, errors = [], []
        for seed in SEEDS:
            values = [ndcg(test, scores) for scores in fit(train, test, seed)]
            means.append([v.mean() for v in values])
            errors.append([v.std(ddof=1) / len(v) ** 0.5 for v in values])
            print(f"{name} {peer} seed {seed}: " + " ".join(f"{n}: {v:.4f}" for n, v in zip(STAGES, means[-1])), file=sys.stderr, flush=True)
        means, errors = numpy.array(means), numpy.array(errors)
        best = means.mean(axis=0).argmax()
        print(f"{name} {peer}: best at {STAGES[best]} trees, {means.mean(axis=0)[best]:.5f}, sd of seeds {means[:, best].std(ddof=1):.5f}", file=sys.stderr)
        lines.append(f'    {{"{peer}", {means.mean(axis=0)[best]:.5f}, {errors.mean(axis=0)[best]:.5f}, {STAGES[best]}}}')
    print(f"inline constexpr figures {name}[] = {{\n" + ",\n".join(lines) + "};")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", default=f"g++ -O2 -std=c++20 -I{ROOT}/include -I{ROOT}/tests -I{ROOT}/tests/support -isystem /usr/include/eigen3")
    arguments = parser.parse_args()
    print("// SPDX-License-Identifier: MIT")
    print(f"// Made by tests/peers/make_group_fixture.py with catboost {catboost.__version__}, lightgbm {lightgbm.__version__}, xgboost {xgboost.__version__}.")
    print("#ifndef RECSYS_TESTS_FIXTURES_RANKER_GROUPS_HPP\n#define RECSYS_TESTS_FIXTURES_RANKER_GROUPS_HPP\n\nnamespace group_fixture {\n")
    print("/// NDCG@10 of the best stage, mean of four seeds; the standard error is that of the mean over the test groups.")
    print("struct figures {\n    char const* peer;\n    double ndcg, standard_error;\n    int trees;\n};")
    print("// LightGBM's lambdarank example, learning rate 0.05, depth 6.")
    measure("lambdarank_example", example_rows("rank.train", 301), example_rows("rank.test", 301))
    print("// 60000 training rows, 30000 test rows of ranking_world(42), a group for each user.")
    measure("users_60k", *world_rows(arguments, 42, 60000, 30000))
    print("\n}\n\n#endif")


if __name__ == "__main__":
    sys.exit(main())
