// SPDX-License-Identifier: MIT
// Kernels of trees: one text for all instruction sets, repeated in a namespace of its own for each.
//
// A namespace brings `numbers`: sixteen rows' numbers beside borders. All results are integers, equal at every level.

/// The bins of sixteen numbers: how many of the borders are below each. Two steps of sixteen comparisons: which group of borders, which of it.
RECSYS_DETAIL_INLINE void bin_sixteen(float const* from, float missing, float const* borders, std::size_t n_borders, std::uint8_t* out) {
    alignas(64) float x[16];
    numbers::comparable(from, missing, x);
    if (n_borders < 16) return numbers::count_few(x, borders, n_borders, out);
    RECSYS_DETAIL_UNROLL
    for (std::size_t k = 0; k < 16; ++k) {
        std::size_t const group = 16 * numbers::count_below(borders + 256, x[k]);
        out[k] = static_cast<std::uint8_t>(group + numbers::count_below(borders + group, x[k]));
    }
}
/// The bins of n numbers. @param borders  256 rising ones, filled up with infinity, then the last one of each group of sixteen.
inline void bin_numbers(float const* from, std::size_t n, float missing, float const* borders, std::size_t n_borders, std::uint8_t* out) {
    std::size_t i = 0;
    for (; i + 16 <= n; i += 16) bin_sixteen(from + i, missing, borders, n_borders, out + i);
    if (i == n) return;
    float last[16] = {};
    std::uint8_t bins[16];
    for (std::size_t k = 0; k < n - i; ++k) last[k] = from[i + k];
    bin_sixteen(last, missing, borders, n_borders, bins);
    for (std::size_t k = 0; k < n - i; ++k) out[i + k] = bins[k];
}
