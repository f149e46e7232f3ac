#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/support/fixtures/exchange_catboost.hpp and exchange_lightgbm.hpp: small models of both libraries and what they say about 100 rows.

Install: pip install catboost==1.2.10 lightgbm==4.7.0 numpy pandas
Run:     python3 tests/peers/make_exchange_fixture.py

The rows have missing numbers, numbers missing where no training row missed them, and categories that no training row has. LightGBM's rows
also miss categories, which CatBoost does not allow.
"""
import os
import re
import tempfile

import catboost
import lightgbm
import numpy
import pandas

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support", "fixtures")
WORDS = ["red", "blue wine", "777", "\u00e9t\u00e9 \u00e0 Paris, longer than 16", "a text of more than thirty-two bytes, so that it is long",
         "a text of more than sixty-four bytes, which takes the branch of the hash for the longest"]
NEW_WORDS = ["green", ""]


def make_rows(n, seed, new):
    random = numpy.random.default_rng(seed)
    x = random.normal(size=(n, 4)).astype(numpy.float32)
    x[:, 1] = numpy.round(x[:, 1] * 2)
    x[:, 2] = numpy.exp(2 * x[:, 2])
    x = numpy.round(x, 3)
    x[random.random((n, 4)) < 0.12] = numpy.nan
    if not new:
        x[:, 3] = numpy.nan_to_num(x[:, 3], nan=0.25)
    words = WORDS + (NEW_WORDS if new else [])
    return x, random.integers(0, len(words), n), random.integers(-1, 9 if new else 6, n)


TRAIN, TEST = make_rows(3000, 1, False), make_rows(100, 2, True)


def frame(rows):
    x, w, k = rows
    data = pandas.DataFrame({f"x{i}": x[:, i] for i in range(4)})
    data["w"], data["k"] = numpy.array(WORDS + NEW_WORDS, dtype=object)[w], k
    return data


def score():
    x, w, k = TRAIN
    z = numpy.nan_to_num(x, nan=1.0)
    return z[:, 0] + numpy.where(w == 0, z[:, 3], -z[:, 1] / 2) + (k % 3 == 2) * 1.5 + numpy.random.default_rng(3).normal(size=len(w)) * 0.5


def labels(kind):
    values = score()
    if kind in ("Logloss", "binary"):
        return (values > 0.3).astype(int)
    if kind == "MultiClass":
        return numpy.array(["low", "17", "high"])[numpy.digitize(values, [-0.5, 0.8])]
    if kind in ("multiclass", "YetiRank", "lambdarank"):
        return numpy.digitize(values, [-0.5, 0.8])
    return numpy.clip(numpy.round(values), 0, None) if kind in ("Poisson", "tweedie") else values


def literal(text):
    """A raw string in parts that every compiler takes."""
    return "\n".join('R"~(' + text[i:i + 12_000] + ')~"' for i in range(0, len(text), 12_000))


def numbers(values, digits):
    text = ",".join(f"{v:.{digits}g}" for v in numpy.asarray(values, dtype=float).reshape(-1))
    return re.sub(r"((?:[^,]*,){12})", r"\1\n", text)


def words(values):
    text = ",".join(f'"{v}"' for v in numpy.asarray(values).reshape(-1))
    return re.sub(r"((?:[^,]*,){20})", r"\1\n", text)


def row_lines(rows, missing):
    lines = []
    for i, (x, w, k) in enumerate(zip(*rows)):
        cells = ["NAN" if numpy.isnan(v) else f"{v!s}F" for v in x]
        lines.append("{" + ",".join(cells + [str(-1 if missing and i % 9 == 0 else w), str(MISSING if missing and i % 11 == 0 else k)]) + "}")
    return ",\n".join(lines)


MISSING = -1000


def write(name, versions, rows, models):
    with open(os.path.join(FOLDER, f"exchange_{name}.hpp"), "w", encoding="utf-8") as out:
        guard = f"RECSYS_TESTS_FIXTURES_EXCHANGE_{name.upper()}_HPP"
        out.write(f"// SPDX-License-Identifier: MIT\n// Made by tests/peers/make_exchange_fixture.py with {versions}.\n#ifndef {guard}\n#define {guard}\n\n")
        out.write("#include <support/exchange_models.hpp>\n\n// clang-format off\n")
        out.write(f"namespace exchange_fixture::{name} {{\n\n")
        out.write(f"inline std::vector<row> const rows = {{\n{rows}}};\n\n")
        for model, (text, raw, answers, explained, *classes) in models.items():
            lists = [numbers(raw, 12), numbers(answers, 9), explained]
            if classes:
                lists += [words(classes[0]), numbers(classes[1], 12), numbers(classes[2], 9)]
            out.write(f"inline model const {model} = {{{literal(text)},\n" + ",\n".join("{" + one + "}" for one in lists) + "};\n\n")
        out.write("}\n// clang-format on\n\n#endif\n")


def explanations(model, columns, rows):
    """Of the first 20 rows, pairs of the first 4."""
    few = lambda n: rows.slice(list(range(n)))
    names = ",".join(f'"{c}"' for c in columns)
    shap = numbers(model.get_feature_importance(few(20), type="ShapValues", thread_count=1), 12)
    pairs = numbers(model.get_feature_importance(few(4), type="ShapInteractionValues", thread_count=1), 12)
    strength = ",\n".join(f'{{"{columns[int(a)]}","{columns[int(b)]}",{v:.12g}}}' for a, b, v in model.get_feature_importance(type="Interaction"))
    changes = "" if len(model.classes_) > 2 else numbers(model.get_feature_importance(rows, type="LossFunctionChange", thread_count=1), 12)
    return f"{{{names}}},\n{{{shap}}},\n{{{pairs}}},\n{{{strength}}},\n{{{changes}}}"


def catboost_model(folder, columns="x0 x1 x2 x3 w k", explain=False, **options):
    columns = columns.split()
    categories = [c for c in columns if c in "wk"]
    groups = numpy.arange(len(TRAIN[1])) // 10 if options["loss_function"] == "YetiRank" else None
    pool = catboost.Pool(frame(TRAIN)[columns], labels(options["loss_function"]), cat_features=categories, group_id=groups)
    model = catboost.CatBoost({"depth": 3, "learning_rate": 0.3, "border_count": 15, "thread_count": 1, "verbose": 0, "allow_writing_files": False, "random_seed": 1, **options})
    model.fit(pool)
    path = os.path.join(folder, "model.json")
    model.save_model(path, format="json", pool=pool)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    # Spaces between the tokens, and what prediction does not need, only make the file longer.
    text = "".join(part if part.startswith('"') else re.sub(r"\s+", "", part) for part in re.split(r'("(?:[^"\\]|\\.)*")', text))
    if not explain:
        text = re.sub(r'"leaf_weights":\[[^\]]*\],', "", text)
    text = re.sub(r'"cat_features_hash":\[[^\]]*\],', "", text)
    classes = re.search(r'"class_params":\{.*?\}', text)
    text = re.sub(r'"model_info":\{.*?"loss_function":(\{"params":\{[^{}]*\},"type":"\w+"\}).*\},("(?:oblivious_)?trees":)',
                  r'"model_info":{' + (classes.group() + "," if classes else "") + r'"params":{"loss_function":\1}},\2', text)
    made_up = [1 if i % 3 == 0 else 0 for i in range(len(TEST[1]))]
    rows = catboost.Pool(frame(TEST)[columns], made_up, cat_features=categories)
    kind = {"Logloss": "Probability", "MultiClass": "Probability", "Poisson": "Exponent"}.get(options["loss_function"], "RawFormulaVal")
    answers = model.predict(rows, prediction_type=kind)
    if options["loss_function"] == "Logloss":
        answers = answers[:, 1]
    raw = model.predict(rows, prediction_type="RawFormulaVal")
    explained = explanations(model, columns, rows) if explain else ""
    if options["loss_function"] not in ("Logloss", "MultiClass"):
        return text, raw, answers, explained
    part = model.predict(rows, prediction_type="RawFormulaVal", ntree_start=1, ntree_end=3)
    stage = list(model.staged_predict(rows, prediction_type=kind, eval_period=3))[0]
    return text, raw, answers, explained, model.predict(rows, prediction_type="Class"), part, stage[:, 1] if options["loss_function"] == "Logloss" else stage


def lightgbm_model(pandas_categories=True, columns="x0 x1 x2 x3 w k", rounds=8, **options):
    columns = columns.split()
    train, rows = frame(TRAIN)[columns], frame(TEST)[columns]
    for c in columns:
        if c not in "wk":
            continue
        missing = numpy.arange(len(rows)) % (9 if c == "w" else 11) == 0
        if pandas_categories:
            kinds = sorted(set(train[c]))
            train[c] = pandas.Categorical(train[c], categories=kinds)
            rows[c] = pandas.Categorical(rows[c].where(rows[c].isin(kinds) & ~missing), categories=kinds)
        else:
            rows[c] = rows[c].astype(float).where(~missing)
    groups = [10] * (len(train) // 10) if options["objective"] == "lambdarank" else None
    data = lightgbm.Dataset(train, labels(options["objective"]), group=groups,
                            categorical_feature="auto" if pandas_categories else [c for c in columns if c == "k"])
    model = lightgbm.train({"num_threads": 1, "verbose": -1, "learning_rate": 0.3, "min_data_per_group": 10, "max_cat_to_onehot": 2, "seed": 1,
                            "num_leaves": 12, **options}, data, rounds)
    text = model.model_to_string()
    text = re.sub(r"\n(?:split_gain|leaf_weight|leaf_count|internal_\w+)=[^\n]*", "", text)
    text = re.sub(r"\n\[(?!categorical_feature)[^\n]*", "", text)
    raw, answers = model.predict(rows, raw_score=True), model.predict(rows)
    mean = model.num_trees() if options.get("boosting") == "rf" else 1
    if options["objective"] not in ("binary", "multiclass"):
        return text + "\n", raw, answers, ""
    # The library's own classes: as its scikit-learn interface takes them from these answers.
    classes = answers.argmax(axis=1) if answers.ndim == 2 else (answers > 0.5).astype(int)
    part = model.predict(rows, raw_score=True, start_iteration=1, num_iteration=2) / (2 if mean > 1 else 1)
    return text + "\n", raw / mean, answers, "", classes, part, model.predict(rows, num_iteration=3)


def main():
    with tempfile.TemporaryDirectory() as folder:
        both = ["Borders", "Counter"]
        write("catboost", f"catboost {catboost.__version__}", row_lines(TEST, False), {
            "binary": catboost_model(folder, explain=True, loss_function="Logloss", iterations=12, one_hot_max_size=2, simple_ctr=both, combinations_ctr=both, max_ctr_complexity=2),
            "several_classes": catboost_model(folder, columns="x0 x1 x3 w", explain=True, loss_function="MultiClass", iterations=4, nan_mode="Max", one_hot_max_size=10),
            "statistics": catboost_model(folder, loss_function="RMSE", iterations=8, max_ctr_complexity=1,
                                         simple_ctr=["Borders:TargetBorderCount=3", "Buckets:TargetBorderCount=2", "BinarizedTargetMeanValue:TargetBorderCount=3", "Counter"]),
            "lossguide": catboost_model(folder, loss_function="Poisson", iterations=3, grow_policy="Lossguide", max_leaves=7, max_ctr_complexity=1),
            "ranking": catboost_model(folder, columns="x0 x1 x2 x3 k", loss_function="YetiRank", iterations=5, one_hot_max_size=20, depth=2),
            "combined": catboost_model(folder, columns="x3 w k", explain=True, loss_function="RMSE", iterations=4, simple_ctr="Counter",
                                       combinations_ctr="Borders:TargetBorderCount=1", max_ctr_complexity=3),
            "deep": catboost_model(folder, columns="x0 x1 x2 x3", explain=True, loss_function="RMSE", iterations=1, depth=9),
        })
    write("lightgbm", f"lightgbm {lightgbm.__version__}", row_lines(TEST, True), {
        "binary": lightgbm_model(objective="binary"),
        "integers": lightgbm_model(objective="regression", columns="x0 x1 x2 x3 k", pandas_categories=False, zero_as_missing=True),
        "several_classes": lightgbm_model(objective="multiclass", num_class=3, rounds=3, num_leaves=8),
        "forest": lightgbm_model(objective="binary", boosting="rf", bagging_fraction=0.6, bagging_freq=1, rounds=5),
        "tweedie": lightgbm_model(objective="tweedie", columns="x0 x1 x2 x3", use_missing=False, rounds=5),
        "ranking": lightgbm_model(objective="lambdarank", columns="x0 x1 w", rounds=4),
    })


main()
