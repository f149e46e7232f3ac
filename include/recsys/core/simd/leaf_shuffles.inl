// SPDX-License-Identifier: MIT
// Trees of at most six splits by shuffles of bytes: one text for the instruction sets that have them, repeated in a namespace of its own for each.
//
// A namespace brings `shuffles`: which of 64 bytes each row wants (`index`), and the bytes themselves (`look_up`).

/// Bins as signed bytes, which is what registers compare.
inline void flip_bins(std::uint8_t* bins, std::size_t n) {
    for (std::size_t i = 0; i < n; i += shuffles::rows) shuffles::flip(bins + i);
}

/// Sums of bytes over at most 256 trees, as words: over all of a word, and over its upper byte alone.
template <int Planes> struct byte_sums { typename shuffles::reg all[Planes], upper[Planes]; };

/// Adds one batch for Groups registers of rows.
template <int Planes, int Groups>
RECSYS_DETAIL_INLINE void add_tree_rows(shuffle_batch const& batch, std::uint8_t const* bins, std::int64_t* sums) {
    using s = shuffles;
    byte_sums<Planes> of[Groups];
    RECSYS_DETAIL_UNROLL
    for (int g = 0; g < Groups; ++g) {
        RECSYS_DETAIL_UNROLL
        for (int p = 0; p < Planes; ++p) of[g].all[p] = of[g].upper[p] = s::zero();
    }
    std::uint8_t const* leaves = batch.leaves;
    for (std::size_t t = 0; t < batch.n_trees; ++t) {
        auto const& test = batch.tests[t];
        RECSYS_DETAIL_UNROLL
        for (int g = 0; g < Groups; ++g) {
            auto const index = s::index_of(test, bins + static_cast<std::size_t>(g) * s::rows);
            RECSYS_DETAIL_UNROLL
            for (int p = 0; p < Planes; ++p) {
                auto const leaf = s::look_up(index, leaves + p * 64);
                of[g].all[p] = s::add_words(of[g].all[p], leaf);
                of[g].upper[p] = s::add_words(of[g].upper[p], s::upper_bytes(leaf));
            }
        }
        leaves += Planes * 64;
    }
    // A register's words lie in parts of 16 bytes; unpacking leaves a part's first eight rows in one register, its last eight in another.
    for (int g = 0; g < Groups; ++g)
        for (int p = 0; p < Planes; ++p) {
            alignas(64) std::uint16_t words[s::rows];
            s::store_rows(words, s::lower_bytes(of[g].all[p], of[g].upper[p]), of[g].upper[p]);
            for (std::size_t row = 0; row < s::rows; row += 8)
                s::add_wide(sums + static_cast<std::size_t>(g) * s::rows + row, words + row % 16 / 8 * (s::rows / 2) + row / 16 * 8,
                            batch.shift + 8 * p);
        }
}

/// Adds the leaves of a batch to the sums of n rows. Reads bins and sums of whole registers: up to 63 rows beyond the last.
template <int Planes> inline void add_tree_planes(shuffle_batch const& batch, std::uint8_t const* bins, std::size_t n, std::int64_t* sums) {
    std::size_t row = 0;
    if constexpr (shuffles::groups > 1)
        for (; n - row > shuffles::rows && row < n; row += 2 * shuffles::rows) add_tree_rows<Planes, 2>(batch, bins + row, sums + row);
    for (; row < n; row += shuffles::rows) add_tree_rows<Planes, 1>(batch, bins + row, sums + row);
}
inline void add_trees(shuffle_batch const& batch, std::uint8_t const* bins, std::size_t n, std::int64_t* sums) {
    if (batch.planes == 1) add_tree_planes<1>(batch, bins, n, sums);
    else add_tree_planes<2>(batch, bins, n, sums);
}
