// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <cstddef>

#include "support/counted_memory.hpp"
#include "support/ranking_rows.hpp"

namespace rs = recsys;

TEST_CASE("training holds 70 bytes a row beside its frame, and the histograms of a tree") {
    rs::frame const rows = rs::ingest(support::ranking_world(1).rows(100'000, 1), support::ranking_schema());
    // Without joins 8 bytes of bins a row and 3 of statistics in each of 4 orders; room for all rows' records of 16 bytes, twice; 12 bytes of
    // derivatives and factors, 6 of scores and leaves. A histogram has 2 KB for each byte of a record. The dictionary of 3000 categories, some
    // samples and a leaf's sums are what is left.
    double const expected = 8 + 3 * 4 + 2 * 16 + 12 + 6 + 32 * 11 * 2048.0 / 100'000;
    std::size_t const peak = support::peak_of([&] { (void)rs::booster({.trees = 3, .joins = 0, .run = {.threads = 1}}).fit(rows); });
    double const a_row = static_cast<double>(peak) / static_cast<double>(rows.n_rows());
    CAPTURE(a_row);
    CHECK(a_row > 0.9 * expected);
    CHECK(a_row < expected + 6);
}
