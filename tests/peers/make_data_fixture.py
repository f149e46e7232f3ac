#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/support/fixtures/data.hpp: what scikit-learn's LabelEncoder and pandas' time splits give.

Install: pip install pandas==2.3.3 scikit-learn==1.9.1 numpy==1.26.4
Run:     python3 tests/peers/make_data_fixture.py > tests/support/fixtures/data.hpp
"""
import sys

import numpy
import pandas
import sklearn
from sklearn.preprocessing import LabelEncoder

WORDS = ["éclair", "apple", "Banana", "", "apple", "Zürich", "zebra", "日本", "日", "🎵", "ﬀ", "a b", "a", "A", "é", "e", "user-10", "user-9", "NA", "null",
         "Ärger", "ärger", "\t", "~", "Ω", "я", "éclair"]
NUMBERS = [5, -1, 4294967295, 0, 9007199254740993, 9007199254740992, -9223372036854775808, 5, 17, 9223372036854775807]


def c_string(text):
    """Bytes as octal escapes: they end after three digits, whatever follows."""
    return '"' + "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode()) + '"'


def c_number(n):
    n = int(n)
    return "INT64_MIN" if n == -(2**63) else str(n)


def array(kind, name, values, form=c_number):
    print(f"inline constexpr {kind} {name}[] = {{{', '.join(map(form, values))}}};")


def encoders():
    words = LabelEncoder().fit(WORDS)
    array("std::string_view", "words", WORDS, c_string)
    array("std::string_view", "word_classes", list(words.classes_), c_string)
    array("std::int64_t", "word_codes", words.transform(WORDS))
    numbers = LabelEncoder().fit(NUMBERS)
    array("std::int64_t", "numbers", NUMBERS)
    array("std::int64_t", "number_classes", numbers.classes_)
    array("std::int64_t", "number_codes", numbers.transform(NUMBERS))


def window_counts(name, window, past):
    users, items = set(window.user), set(window.item)
    known_users, known_items = set(past.user), set(past.item)
    counts = [len(window), len(users), len(items), len(users & known_users), len(users - known_users), len(items - known_items),
              (~window.user.isin(known_users)).sum(), (~window.item.isin(known_items)).sum()]
    array("std::int64_t", name, counts)


def splits():
    random = numpy.random.default_rng(7)
    n = 600
    log = pandas.DataFrame({
        "user": (60 * random.random(n) ** 2).astype(int) * 7,
        "item": (90 * random.random(n) ** 1.5).astype(int) + 1000,
        "at": pandas.to_datetime(1_670_000_000 + random.integers(0, 300, n) * 9973, unit="s"),
    })
    array("std::int64_t", "event_users", log.user)
    array("std::int64_t", "event_items", log["item"])
    array("std::int64_t", "event_times", log["at"].astype("int64") // {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[log["at"].dt.unit])
    ordered = log.sort_values("at", kind="stable")
    array("std::int64_t", "time_order", ordered.index)
    t0, t2, end = pandas.Timestamp("2022-12-16"), pandas.Timestamp("2022-12-30"), pandas.Timestamp("2023-01-04")
    past, labels = ordered[ordered["at"] < t0], ordered[(ordered["at"] >= t0) & (ordered["at"] < t2)]
    future = ordered[(ordered["at"] >= t2) & (ordered["at"] < end)]
    print("// rows, users, items, common users, cold users, cold items, rows of cold users, rows of cold items")
    window_counts("past_counts", past, past)
    window_counts("labels_counts", labels, past)
    window_counts("future_counts", future, past)
    window_counts("rest_counts", ordered[ordered["at"] >= t0], past)
    array("std::int64_t", "left_out", [(ordered["at"] >= end).sum()])
    tail = ordered.groupby("user").tail(2)
    sizes = ordered.groupby("user")["item"].transform("size")
    array("std::int64_t", "last_two_rows", tail[sizes.loc[tail.index] > 2].index)


def main():
    print("// SPDX-License-Identifier: MIT")
    print(f"// Made by tests/peers/make_data_fixture.py with pandas {pandas.__version__}, scikit-learn {sklearn.__version__}, numpy {numpy.__version__}.")
    print("#ifndef RECSYS_TESTS_FIXTURES_DATA_HPP\n#define RECSYS_TESTS_FIXTURES_DATA_HPP\n")
    print("#include <cstdint>\n#include <string_view>\n\nnamespace data_fixture {\n")
    encoders()
    splits()
    print("\n}\n\n#endif")


if __name__ == "__main__":
    sys.exit(main())
