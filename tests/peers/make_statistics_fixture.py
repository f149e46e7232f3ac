#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/support/fixtures/statistics.hpp: what numpy, pandas, matplotlib and scikit-learn give for some numbers and dates.

Install: pip install numpy pandas scikit-learn matplotlib
Run:     python3 tests/peers/make_statistics_fixture.py > tests/support/fixtures/statistics.hpp
"""
from importlib.metadata import version

import numpy as np
import pandas as pd
from matplotlib.cbook import boxplot_stats
from sklearn.preprocessing import MinMaxScaler

rng = np.random.default_rng(3)
values = np.round(np.concatenate([rng.lognormal(3, 1.2, 300), [-40.0, -2.5, 0.0]]), 3)
quantiles = [0, 0.01, 0.25, 0.333, 0.5, 0.75, 0.99, 1]
moments = pd.to_datetime(["1969-12-31T23:59:59", "1900-02-28", "2000-02-29T12:30:15", "2022-01-01", "2022-12-31T23:59:59", "2024-12-31", "2100-03-01"], format="ISO8601")


def array(kind, name, items):
    print(f"inline constexpr {kind} {name}[] = {{{', '.join(repr(i) for i in items)}}};")


def main():
    packages = ", ".join(f"{p} {version(p)}" for p in ("numpy", "pandas", "matplotlib", "scikit-learn"))
    print("// SPDX-License-Identifier: MIT")
    print(f"// Made by tests/peers/make_statistics_fixture.py with {packages}.")
    print("#ifndef RECSYS_TESTS_FIXTURES_STATISTICS_HPP\n#define RECSYS_TESTS_FIXTURES_STATISTICS_HPP\n")
    print("namespace statistics_fixture {\n")
    array("double", "values", values.tolist())
    counts, edges = np.histogram(values, 50)
    array("int", "histogram", counts.tolist())
    array("double", "edges", edges.tolist())
    array("double", "q", quantiles)
    array("double", "quantiles", np.quantile(values, quantiles).tolist())
    box = boxplot_stats(values)[0]
    array("double", "box", [float(box[k]) for k in ("q1", "med", "q3", "whislo", "whishi")])
    print(f"inline constexpr int low_outliers = {int((box['fliers'] < box['q1']).sum())}, high_outliers = {int((box['fliers'] > box['q3']).sum())};")
    about = pd.Series(values).describe()
    array("double", "describe", [float(about[k]) for k in ("count", "mean", "std", "min", "25%", "50%", "75%", "max")])
    scaler = MinMaxScaler((-1, 2)).fit(values.reshape(-1, 1))
    array("double", "scaled", scaler.transform(values[:20].reshape(-1, 1)).ravel().tolist())
    print("/// seconds since 1970, year, month, day, hour, minute, second, weekday (Monday = 0), day of the year, quarter")
    print("inline constexpr long long calendar[][10] = {")
    rows = [[int(t.timestamp()), t.year, t.month, t.day, t.hour, t.minute, t.second, t.dayofweek, t.dayofyear, t.quarter] for t in moments]
    print(",\n".join("    {" + ", ".join(map(str, row)) + "}" for row in rows) + "};")
    print("\n}\n\n#endif")


main()
