// SPDX-License-Identifier: MIT
// Kernels that find the leaves of binned rows: one text for all instruction sets, repeated in a namespace of its own for each.
//
// Where it stands, byte_lanes is a vector of bytes of that level: `reg`, `width` lanes, load, store, set, above (a mask: x > bar, unsigned),
// above_at (the same where x is also equal to a third), choose (mask ? a : b), add_bit (mask ? x | bit : x).

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

/// The same for a tree whose level asks one question of all rows: at most eight tests, the first is the lowest bit of a leaf's number.
inline void find_oblivious_leaves(tree_test const* tests, std::size_t n_tests, std::uint8_t const* bins, std::size_t n,
                                  std::uint8_t* leaves) {
    using lanes = byte_lanes;
    for (std::size_t row = 0; row < n; row += 2 * lanes::width) {
        auto first = lanes::set(0), second = first;
        for (std::size_t t = 0; t < n_tests; ++t) {
            auto const* const of = bins + std::size_t{tests[t].feature} * 128 + row;
            auto const bar = lanes::set(tests[t].threshold), bit = lanes::set(static_cast<std::uint8_t>(1u << t));
            first = lanes::add_bit(lanes::above(lanes::load(of), bar), bit, first);
            second = lanes::add_bit(lanes::above(lanes::load(of + lanes::width), bar), bit, second);
        }
        lanes::store(leaves + row, first), lanes::store(leaves + row + lanes::width, second);
    }
}

inline tree_table trees() { return {&find_leaves, &find_oblivious_leaves, &add_leaves}; }
