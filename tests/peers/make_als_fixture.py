#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/support/fixtures/als.hpp: what implicit's exact ALS makes of a small matrix, from the same start.

implicit takes the whole confidence, so it is given 1 + alpha r. It solves the rows of what it calls users first; here the items come first, so it is
given the matrix by item. Its loss is per cell, weighted; it is multiplied back.

Install: pip install implicit==0.7.3 numpy==1.26.4 scipy==1.17.1
Run:     OPENBLAS_NUM_THREADS=1 python3 tests/peers/make_als_fixture.py > tests/support/fixtures/als.hpp
"""
import sys

import implicit
import numpy
import scipy
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import bm25_weight, tfidf_weight

USERS, ITEMS, FACTORS, ITERATIONS = 60, 40, 6, 5
ALPHA, REGULARIZATION = 3.0, 0.25


def make_matrix():
    """Plays of four groups of users, who like one group of items most; user 17 and item 23 have none."""
    random = numpy.random.default_rng(11)
    rate = 0.25 + 1.5 * (numpy.arange(USERS)[:, None] % 4 == numpy.arange(ITEMS)[None, :] % 4)
    plays = random.poisson(0.6 * rate).astype(numpy.float32)
    plays[17, :] = 0
    plays[:, 23] = 0
    return scipy.sparse.csr_matrix(plays)


def fit(plays, start):
    confidence = plays.copy()
    confidence.data = (1 + ALPHA * confidence.data).astype(numpy.float32)
    by_item = confidence.T.tocsr()
    by_item.sort_indices()
    model = AlternatingLeastSquares(factors=FACTORS, regularization=REGULARIZATION, alpha=1.0, iterations=ITERATIONS, use_cg=False, use_native=True,
                                    num_threads=1, calculate_training_loss=True, dtype=numpy.float32)
    model.user_factors = numpy.zeros((ITEMS, FACTORS), dtype=numpy.float32)
    model.item_factors = start.copy()
    losses = []
    cells = confidence.data.sum(dtype=numpy.float64) + USERS * ITEMS - confidence.nnz
    model.fit(by_item, show_progress=False, callback=lambda _, __, loss: losses.append(loss * cells))
    return model.item_factors, model.user_factors, losses


def recommend(users, items, plays):
    model = AlternatingLeastSquares(factors=FACTORS, regularization=REGULARIZATION)
    model.user_factors, model.item_factors = users, items
    ids, _ = model.recommend(numpy.arange(USERS), plays, N=10, filter_already_liked_items=True)
    return ids


def array(kind, name, values, form=str):
    print(f"inline constexpr {kind} {name}[] = {{{', '.join(form(v) for v in values)}}};")


def real(value):
    return numpy.format_float_scientific(value, unique=True, trim="0")


def main():
    plays = make_matrix()
    plays.sort_indices()
    start = numpy.random.default_rng(12).normal(0, 0.3, (USERS, FACTORS)).astype(numpy.float32)
    start[17] = 0
    users, items, losses = fit(plays, start)
    bm25, tfidf = bm25_weight(plays, K1=1.2, B=0.75).tocsr(), tfidf_weight(plays).tocsr()
    bm25.sort_indices(), tfidf.sort_indices()
    print("// SPDX-License-Identifier: MIT")
    print(f"// Made by tests/peers/make_als_fixture.py with implicit {implicit.__version__}, numpy {numpy.__version__}, scipy {scipy.__version__}; do not edit.")
    print("#ifndef RECSYS_TESTS_FIXTURES_ALS_HPP\n#define RECSYS_TESTS_FIXTURES_ALS_HPP\n\n#include <cstdint>\n")
    print("// clang-format off\nnamespace als_fixture {\n")
    for name, value in (("n_users", USERS), ("n_items", ITEMS), ("n_factors", FACTORS), ("n_iterations", ITERATIONS)):
        print(f"inline constexpr std::size_t {name} = {value};")
    print(f"inline constexpr double alpha = {ALPHA}, regularization = {REGULARIZATION};")
    array("std::int64_t", "offsets", plays.indptr)
    array("std::int32_t", "columns", plays.indices)
    array("float", "values", plays.data, lambda v: f"{int(v)}")
    array("float", "start", start.ravel(), lambda v: real(v) + "f")
    array("float", "user_factors", users.ravel(), lambda v: real(v) + "f")
    array("float", "item_factors", items.ravel(), lambda v: real(v) + "f")
    array("double", "losses", losses, lambda v: real(numpy.float64(v)))
    array("std::int32_t", "top_10", recommend(users, items, plays).ravel())
    array("double", "bm25", bm25.data, lambda v: real(numpy.float64(v)))
    array("double", "tf_idf", tfidf.data, lambda v: real(numpy.float64(v)))
    print("\n}\n// clang-format on\n\n#endif")


if __name__ == "__main__":
    sys.exit(main())
