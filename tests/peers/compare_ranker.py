#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The booster beside its peers: training time, quality, memory, prediction. Prints a table in Markdown, with the CPU's name.

    python3 tests/peers/compare_ranker.py --quick            a minute after the first time: few rows and trees, one round; its figures mean nothing
    python3 tests/peers/compare_ranker.py                    300,000 and 2 M ranking rows, three rounds, four seeds: about an hour
    python3 tests/peers/compare_ranker.py --only rank300k --only request --threads 2
    RECSYS_DATA_DIR=DIR python3 tests/peers/compare_ranker.py --only categorical     DIR holds lightgbm-examples, see below
    python3 tests/peers/compare_ranker.py --list             the names of the comparisons

Everything is made under .build/compare_ranker: our programs (g++ -O2, from the parts), the rows, and a virtual environment with the peers. Each
measurement is a process of its own; ours and theirs take turns, round by round. Times are those of making each library's own form of the rows and of
training; a ratio is the median of those of the rounds, and above 1 where ours is faster. CatBoost trains in the first round only.
Quality is that of four paired seeds, by all cores. LightGBM runs row-wise,
column-wise, and each with quantized gradients: "at its best" is the fastest of a round. All runs of the last call are kept in runs.jsonl, the table in
report.md. lightgbm-examples: binary_classification, lambdarank and categorical.data of github.com/microsoft/LightGBM. Needs cmake, a C++20 compiler and
Python 3.11 or 3.12.
"""
import functools
import json
import os
import random
import sys
from array import array
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "common"))
from machine import peer_environment, peer_python  # noqa: E402
from session import TOP, Session, parser_of  # noqa: E402

REQUIREMENTS = ["catboost==1.2.10", "lightgbm==4.7.0", "xgboost==3.2.0", "numpy==1.26.4", "scipy==1.17.1", "lleaves==1.3.0", "llvmlite==0.43.0",
                "treelite==4.1.2", "tl2cgen==1.0.0"]
PEERS = TOP / "tests/peers/compare_ranker/peers.py"
LIGHTGBM = ["lightgbm_rows", "lightgbm_columns", "lightgbm_rows_quantized", "lightgbm_columns_quantized"]
SLOW = ["catboost"]
QUALITY = ["log_loss", "auc", "ndcg@10", "accuracy"]
NOTE = ("Median (least-most) of the rounds; a ratio above 1: ours is faster, or takes less memory. Quality: log loss, AUC, NDCG@10, accuracy of the test rows; rows "
        "of quality give means over seeds, and the mean difference with its standard error.")


class RankerSession(Session):
    def __init__(self, options):
        super().__init__("compare_ranker", ["recsys_ranker_job", "recsys_make_rows"], NOTE, options)
        self.seeds = range(1, 2 if options.quick else 5)
        self.queries = 200 if options.quick else 2000

    def trees(self, n):
        return min(n, 50) if self.options.quick else n

    def rows(self, kind, train, test):
        """Generated rows, as arguments for all jobs."""
        if self.options.quick:
            train, test = train // 50, max(test // 50, 2000)
        folder = self.data("rows", "recsys_make_rows", (kind, train, test, 42))
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        return [f"data={folder}", f"numbers={meta['numbers']}", f"categories={meta['categories']}"]

    @functools.cached_property
    def python(self):
        return peer_python(self.work, REQUIREMENTS)

    def ours(self, job, *arguments):
        return self.run("ours", [self.build() / "recsys_ranker_job", job, *arguments, *self.level_words()])

    def peer(self, job, lib, *arguments):
        return self.run(lib, [self.python, PEERS, job, f"lib={lib}", *arguments], peer_environment(self.options.threads))

    def call(self, contestant, job, *arguments):
        return self.ours(job, *arguments) if contestant == "ours" else self.peer(job, contestant, *arguments)

    def fit(self, contestant, rows, *arguments):
        """With the quality of its predictions."""
        file = self.work / "predictions.f32"
        out = self.call(contestant, "fit", *rows, f"threads={self.options.threads}", f"predictions={file}", *arguments)
        out.update(json.loads(self.checked([self.python, PEERS, "judge", rows[0], f"predictions={file}"])))
        return out

    def contest(self, name, contestants, rows, *arguments):
        return self.interleave(name, {one: lambda one=one: self.fit(one, rows, *arguments) for one in contestants}, once=SLOW)


def at_its_best(answers):
    """The runs of LightGBM become one contestant: the fastest of each round."""
    forms = [answers.pop(one) for one in LIGHTGBM if one in answers]
    if forms:
        answers["LightGBM at its best"] = [min(of_round, key=lambda answer: answer["seconds"]) for of_round in zip(*forms)]
    return answers


# --- comparisons ------------------------------------------------------------------------------------


def compare_training(session, name, rows, trees, peers):
    trees = session.trees(trees)
    answers = at_its_best(session.contest(name, ["ours", *peers], rows, f"trees={trees}"))
    mine = answers.pop("ours")
    session.table.add(f"{name}: {trees} trees of depth 6, all in", "s", "seconds", mine, answers, QUALITY)
    session.table.add(f"{name}: growth of memory in training", "MB", "growth_mb", mine, answers)


def compare_quality(session, name, rows, trees, peers, early=False):
    arguments = [f"trees={trees if early else session.trees(trees)}", f"threads={os.cpu_count()}"] + (["early=1"] if early else [])
    work = f"{name}: {'stopped early' if early else arguments[0].replace('=', ' ')}, {len(session.seeds)} seeds"
    compare_draws(session, name, work, peers, [(f"seed {seed}", rows, [*arguments, f"seed={seed}"]) for seed in session.seeds])


def compare_draws(session, name, work, peers, draws):
    """Means of paired differences. A draw is its name, the rows and the arguments of everybody."""
    answers = {one: [] for one in ["ours", *peers]}
    for draw, rows, arguments in draws:
        for one, of_draws in answers.items():
            session.say(f"quality of {name}: {draw}: {one}")
            of_draws.append(session.fit(one, rows, *arguments))
    mine = answers.pop("ours")
    for key in QUALITY:
        if key in mine[0]:
            session.table.add_means(f"{work}, {key.replace('_', ' ')}", key, mine, answers)


def compare_ranking(session, name, rows):
    """Ours by each ranking loss beside each peer's own: NDCG@10 over seeds, and the seconds of all."""
    arguments = [f"trees={session.trees(200)}", "rate=0.05"]
    answers = {}
    for one in [*LOSSES, *OTHERS]:
        session.say(f"ranking losses on {name}: {one}")
        ours = one in LOSSES
        loss = f"loss={one if ours else 'ranking'}"
        answers[one] = [session.fit("ours" if ours else one, rows, *arguments, loss, f"seed={seed}") for seed in session.seeds]
    peers = {RANKING[one]: answers.pop(one) for one in OTHERS}
    work = f"{name}: {arguments[0].replace('=', ' ')}"
    for loss, mine in answers.items():
        session.table.add_means(f"{work}, {loss}, {len(session.seeds)} seeds, NDCG@10", "ndcg@10", mine, peers)
        session.table.add(f"{work}, {loss}", "s", "seconds", mine, peers)


def compare_imported(session):
    """The models of peers, served by us and by themselves; the raw scores must be the same."""
    rows = session.rows("ranking", 60_000, 60_000)
    saved = models(session, *rows)
    lightgbm, catboost = saved["lightgbm_rows"], saved["catboost"]
    for form, path, peers in (("catboost", f"{catboost}.json", {"catboost": catboost}),
                              ("lightgbm", lightgbm, {"lightgbm_rows": lightgbm, "lleaves": lightgbm, "treelite": lightgbm})):
        files = {one: session.work / f"raw_{one}.f32" for one in ("ours", *peers)}

        def call(one, job, *more):
            arguments = [*rows, f"threads={session.options.threads}", f"queries={session.queries // 10}", *more]
            if one == "ours":
                return session.ours(job, *arguments, f"from={path}", f"format={form}")
            return session.peer(job, one, *arguments, f"from={peers[one]}")

        for job, unit, key, work in (("predict", "s a million rows", "million_row_s", "rows ready"), ("request", "us", "p50_us", "100 candidates, p50")):
            calls = {one: lambda one=one: call(one, job, f"predictions={files[one]}") for one in files}
            answers = session.interleave(f"{job} by the model of {form}", calls)
            mine = answers.pop("ours")
            session.table.add(f"{form}'s model of {session.trees(1000)} trees: {work}", unit, key, mine, answers)
        scores = {one: array("f", file.read_bytes()) for one, file in files.items()}
        for one in peers:
            most = max(abs(a - b) for a, b in zip(scores["ours"], scores[one], strict=True))
            if not most < 1e-4:
                sys.exit(f"imported: ours and {one} differ by {most}")


def compare_threads(session, name, rows, trees):
    """Ours alone: two threads beside one; the models must be the same bits."""
    trees = f"trees={session.trees(trees)}"
    answers = session.interleave(f"{name}, threads", {n: lambda n=n: session.ours("fit", *rows, trees, f"threads={n}") for n in (2, 1)})
    if len({answer["bits"] for of_threads in answers.values() for answer in of_threads}) != 1:
        sys.exit(f"{name}: one and two threads do not give the same bits")
    session.table.add(f"{name}: {trees.replace('=', ' ')}, 2 threads", "s", "seconds", answers[2], {"1 thread, same bits": answers[1]})


@functools.cache
def models(session, *rows):
    """A model of each, of 1000 trees of depth 6 from the same rows."""
    out = {}
    for one in ("ours", "catboost", "catboost_simple", "lightgbm_rows", "xgboost"):
        path = session.work / f"{one}.{'quick.' if session.options.quick else ''}{'json' if one == 'xgboost' else 'model'}"
        session.say(f"fitting the model of {one}")
        session.call(one, "fit", *rows, f"trees={session.trees(1000)}", f"threads={os.cpu_count()}", f"save={path}")
        out[one] = path
    return out


def compare_prediction(session, job, keys):
    rows = session.rows("ranking", 60_000, 60_000)
    calls = {one: lambda one=one, path=path: session.call(one, job, *rows, f"from={path}", f"threads={session.options.threads}",
                                                          f"queries={200 if one.startswith('light') else session.queries}")
             for one, path in models(session, *rows).items()}
    answers = session.interleave(job, calls)
    mine = answers.pop("ours")
    for work, unit, key in keys:
        session.table.add(f"{session.trees(1000)} trees of depth 6: {work}", unit, key, mine, answers)


def write_part(folder, part, numbers, categories, targets, groups=()):
    for name, kind, values in (("x.f32", "f", numbers), ("category.i32", "i", categories), ("target.f32", "f", targets), ("group.i32", "i", groups)):
        with (folder / f"{part}.{name}").open("wb") as file:
            array(kind, values).tofile(file)


FOLDS = 15


def example_rows(session, name, fold=None):
    """A set of LightGBM's examples as arrays; nothing where there is none. With a fold all rows of binary_classification are shared out anew, the
    fold's to the test."""
    source = Path(os.environ.get("RECSYS_DATA_DIR", "")) / "lightgbm-examples"
    if not os.environ.get("RECSYS_DATA_DIR") or not source.exists():
        return session.say(f"{name} is left out: RECSYS_DATA_DIR names no folder that holds lightgbm-examples")
    folder = session.work / "data" / (name if fold is None else f"{name}_{fold}")
    folder.mkdir(parents=True, exist_ok=True)
    if name == "binary_classification":
        parts = {part: [[float(word) for word in line.split()] for line in (source / name / f"binary.{part}").read_text().splitlines()]
                 for part in ("train", "test")}
        if fold is not None:
            lines = parts["train"] + parts["test"]
            random.Random(5).shuffle(lines)
            first, last = (len(lines) * n // FOLDS for n in (fold, fold + 1))
            parts = {"train": lines[:first] + lines[last:], "test": lines[first:last]}
        for part, lines in parts.items():
            write_part(folder, part, [x for line in lines for x in line[1:]], [], [line[0] for line in lines])
        return [f"data={folder}", "numbers=28", "categories=0"]
    if name == "lambdarank":
        for part in ("train", "test"):
            lines = [line.split() for line in (source / name / f"rank.{part}").read_text().splitlines()]
            numbers = [0.0] * (300 * len(lines))
            for row, line in enumerate(lines):
                for column, value in (field.split(":") for field in line[1:]):
                    numbers[300 * row + int(column) - 1] = float(value)
            sizes = map(int, (source / name / f"rank.{part}.query").read_text().split())
            groups = [query for query, size in enumerate(sizes) for _ in range(size)]
            write_part(folder, part, numbers, [], [float(line[0]) for line in lines], groups)
        return [f"data={folder}", "numbers=300", "categories=0"]
    targets, categories = [], []
    for line in (source / "categorical.data").read_text().splitlines():
        first, *fields = line.split()
        row = [0] * 8
        for column, value in (field.split(":") for field in fields):
            row[int(column)] = int(float(value))
        targets.append(float(first))
        categories.append(row)
    cut = len(targets) * 4 // 5
    for part, rows in (("train", slice(0, cut)), ("test", slice(cut, None))):
        write_part(folder, part, [], [x for row in categories[rows] for x in row], targets[rows])
    return [f"data={folder}", "numbers=0", "categories=8"]


def compare_folds(session, name):
    """Stopped early, each row once in a test: 500 rows alone say little, two libraries differ by .01 more or less from one test to the next."""
    draws = []
    for fold in range(2 if session.options.quick else FOLDS):
        rows = example_rows(session, name, fold)
        if not rows:
            return
        draws.append((f"fold {fold}", rows, ["trees=2000", f"threads={os.cpu_count()}", "early=1"]))
    compare_draws(session, name, f"{name}: stopped early, {len(draws)} folds", OTHERS, draws)


def on_example(name, compare):
    def run(session):
        rows = example_rows(session, name)
        return compare(session, rows) if rows else None

    return run


def compare_classes(session):
    """Seven classes: time and quality of each number of trees, trees of the same splits for all classes, as CatBoost's."""
    rows = [*session.rows("classes", 60_000, 30_000), "classes=7"]
    for trees in (300, 1000):
        compare_quality(session, "seven classes", rows, trees, OTHERS)
    compare_quality(session, "seven classes", rows, 3000, OTHERS, early=True)
    compare_training(session, "seven classes, 60,000 rows", rows, 300, [*LIGHTGBM, "xgboost", "catboost"])


LOSSES = ["lambda_mart", "yeti_rank", "pairwise_logit", "query_soft_max", "query_rmse"]
RANKING = {"catboost": "CatBoost YetiRank", "lightgbm_rows": "LightGBM lambdarank", "xgboost": "XGBoost rank:ndcg"}
OTHERS = ["catboost", "lightgbm_rows", "xgboost"]
RANK300K = lambda s: s.rows("ranking", 300_000, 60_000)
RANK2M = lambda s: s.rows("ranking", 2_000_000, 200_000)
COMPARISONS = {
    "rank300k": lambda s: compare_training(s, "rank300k", RANK300K(s), 1000, [*LIGHTGBM, "xgboost", "catboost"]),
    "rank2m": lambda s: compare_training(s, "rank2m", RANK2M(s), 200, LIGHTGBM),
    "wide": lambda s: compare_training(s, "100,000 rows of 500 numbers", s.rows("wide", 100_000, 50_000), 200, LIGHTGBM),
    "quality300k": lambda s: compare_quality(s, "rank300k", RANK300K(s), 1000, ["catboost"]),
    "quality2m": lambda s: compare_quality(s, "rank2m", RANK2M(s), 500, ["lightgbm_rows"]),
    "early300k": lambda s: compare_quality(s, "rank300k", RANK300K(s), 2000, OTHERS, early=True),
    "early_binary": lambda s: compare_folds(s, "binary_classification"),
    "categorical": on_example("categorical", lambda s, rows: compare_quality(s, "categorical.data", rows, 1000, OTHERS)),
    "multiclass": compare_classes,
    "ranking": lambda s: (compare_ranking(s, "users of 60,000 rows", s.rows("ranking", 60_000, 30_000)),
                          on_example("lambdarank", lambda s, rows: compare_ranking(s, "lambdarank", rows))(s)),
    "threads": lambda s: (compare_threads(s, "rank300k", RANK300K(s), 1000), compare_threads(s, "rank2m", RANK2M(s), 200)),
    "predict": lambda s: compare_prediction(s, "predict", [("raw rows, library's own form made before", "s a million rows", "million_row_s"),
                                                           ("raw rows, all in", "s a million rows", "million_raw_row_s")]),
    "request": lambda s: compare_prediction(s, "request", [("100 candidates, p50", "us", "p50_us"), ("100 candidates, p99", "us", "p99_us")]),
    "imported": compare_imported,
}


def main():
    options = parser_of(__doc__, COMPARISONS, "few rows and trees").parse_args()
    if options.list:
        return print("\n".join(COMPARISONS))
    session = RankerSession(options)
    for name in options.only or COMPARISONS:
        COMPARISONS[name](session)
    return session.finish("of generated ranking rows" + (", quick" if options.quick else ""))


if __name__ == "__main__":
    main()
