// SPDX-License-Identifier: MIT
// Kernels that find the leaves of binned rows: one text for all instruction sets, repeated in a namespace of its own for each.
//
// Where it stands, byte_lanes is a vector of bytes of that level: `reg`, `width` lanes, load, store, set, above_at (a mask: x > bar, unsigned, and
// a third is equal to a fourth), choose (mask ? a : b), mark_above (x, with a bit that it does not have where another is above a bar).

/// Bins of 128 rows, a feature after the other; n rows are wanted, n at most 128. What stands behind them in `leaves` is not defined.
/// A tree of at most 256 leaves, numbered from left to right, its tests in the order parent, left, right: a row is at a test iff its leaf so
/// far is the test's lowest, so that no row branches. Four registers a round hide each other's waiting.
inline void find_leaves(tree_test const* tests, std::size_t n_tests, std::uint8_t const* bins, std::size_t n, std::uint8_t* leaves) {
    using lanes = byte_lanes;
    for (std::size_t row = 0; row < n; row += 2 * lanes::width) {
        auto first = lanes::set(0), second = first;
        for (std::size_t t = 0; t < n_tests; ++t) {
            auto const& test = tests[t];
            auto const* const of = bins + std::size_t{test.feature} * 128 + row;
            auto const bar = lanes::set(test.threshold), low = lanes::set(test.low), middle = lanes::set(test.middle);
            first = lanes::choose(lanes::above_at(lanes::load(of), bar, first, low), middle, first);
            second = lanes::choose(lanes::above_at(lanes::load(of + lanes::width), bar, second, low), middle, second);
        }
        lanes::store(leaves + row, first), lanes::store(leaves + row + lanes::width, second);
    }
}

/// The leaves of trees whose level asks one question of all rows: at most eight tests, bit k of a leaf's number is set where the bin is above
/// threshold k. Bins of feature f are bins[f * stride] ...; reads and writes whole rounds, up to 127 rows beyond the last.
inline void leaf_bytes(tree_test const* tests, std::size_t n_tests, std::uint8_t const* bins, std::size_t stride, std::size_t n,
                       std::uint8_t* leaves) {
    using lanes = byte_lanes;
    for (std::size_t row = 0; row < n; row += 2 * lanes::width) {
        auto first = lanes::set(0), second = first;
        for (std::size_t t = 0; t < n_tests; ++t) {
            auto const* const of = bins + tests[t].feature * stride + row;
            auto const bar = lanes::set(tests[t].threshold), bit = lanes::set(static_cast<std::uint8_t>(1u << t));
            first = lanes::mark_above(first, lanes::load(of), bar, bit);
            second = lanes::mark_above(second, lanes::load(of + lanes::width), bar, bit);
        }
        lanes::store(leaves + row, first), lanes::store(leaves + row + lanes::width, second);
    }
}

inline tree_table trees() { return {&find_leaves, &leaf_bytes, &add_leaves}; }
