// SPDX-License-Identifier: MIT
// Kernels of scores: one text for all instruction sets, repeated in a namespace of its own for each.
//
// A raw score is summed over the factors in their order, with one multiply_add a step, by every kernel: a pair has the same bits whichever is
// asked. It is the sum of products, or for distances minus the sum of squared differences, so that more is always better.
// Items are packed in blocks of 16, factor by factor: block[k * 16 + lane].

template <class S, bool Distance>
RECSYS_DETAIL_INLINE typename pack<S>::reg score_step(typename pack<S>::reg x, typename pack<S>::reg y, typename pack<S>::reg sum) {
    using p = pack<S>;
    if constexpr (!Distance) return p::fma(x, y, sum);
    else {
        auto const d = p::fnma(p::set(S{1}), y, x);
        return p::fnma(d, d, sum);
    }
}
template <class S, bool Distance> RECSYS_DETAIL_INLINE S score_step(S x, S y, S sum) {
    if constexpr (!Distance) return multiply_add(x, y, sum);
    else {
        S const d = x - y;
        return multiply_add(-d, d, sum);
    }
}

/// Which scores of a user are of use. Those of the users who fill up a tile reach no bar of theirs, and are beyond the last user for items.
template <class S, bool Scaled, bool Both> RECSYS_DETAIL_INLINE typename comparison<S>::mask
score_reaches(score_scan<S> const& scan, typename pack<S>::reg value, std::size_t at, typename pack<S>::reg bar, std::uint32_t user) {
    using p = pack<S>;
    using compare = comparison<S>;
    if constexpr (Scaled) value = p::mul(value, p::load(scan.scales + at));
    if constexpr (!Both) {
        (void)user;
        return compare::reaches(value, bar);
    } else {
        auto const length = p::set(user < scan.n_users ? scan.user_lengths[user] : S{0});
        auto const item_bars = p::mul(p::load(scan.item_bars + at), length);
        return user < scan.n_users ? compare::either(compare::reaches(value, bar), compare::reaches(value, item_bars))
                                   : compare::reaches(value, bar);
    }
}

/// Some users against lanes of some blocks, held in registers: notes the scores that reach their user's bar, or with Both their item's.
/// @param lane  the first lane of the blocks; as many packs from there.
template <class S, bool Distance, bool Scaled, bool Both, int Users, int Blocks, int Packs>
RECSYS_DETAIL_INLINE std::size_t score_tile(score_scan<S> const& scan, S const* const* users, S const* bars, std::uint32_t first_user,
                                            std::size_t block, std::size_t lane, score_hit<S>* hits) {
    using p = pack<S>;
    using compare = comparison<S>;
    std::size_t const n = scan.n_factors, block_size = 16 * n;
    S const* const items = scan.items + block * block_size + lane;
    typename p::reg sum[Users][Blocks][Packs];
    RECSYS_DETAIL_UNROLL
    for (int u = 0; u < Users; ++u) {
        RECSYS_DETAIL_UNROLL
        for (int b = 0; b < Blocks; ++b) {
            RECSYS_DETAIL_UNROLL
            for (int c = 0; c < Packs; ++c) sum[u][b][c] = p::set(S{0});
        }
    }
    for (std::size_t k = 0; k < n; ++k) {
        typename p::reg row[Blocks][Packs];
        RECSYS_DETAIL_UNROLL
        for (int b = 0; b < Blocks; ++b) {
            RECSYS_DETAIL_UNROLL
            for (int c = 0; c < Packs; ++c)
                row[b][c] = p::load(items + static_cast<std::size_t>(b) * block_size + k * 16 + static_cast<std::size_t>(c) * p::width);
        }
        RECSYS_DETAIL_UNROLL
        for (int u = 0; u < Users; ++u) {
            auto const x = p::set(users[u][k]);
            RECSYS_DETAIL_UNROLL
            for (int b = 0; b < Blocks; ++b) {
                RECSYS_DETAIL_UNROLL
                for (int c = 0; c < Packs; ++c) sum[u][b][c] = score_step<S, Distance>(x, row[b][c], sum[u][b][c]);
            }
        }
    }
    // Most tiles have nothing: one test for all of it.
    auto some = compare::none();
    RECSYS_DETAIL_UNROLL
    for (int u = 0; u < Users; ++u) {
        auto const bar = p::set(bars[u]);
        RECSYS_DETAIL_UNROLL
        for (int b = 0; b < Blocks; ++b) {
            RECSYS_DETAIL_UNROLL
            for (int c = 0; c < Packs; ++c) {
                std::size_t const at = (block + static_cast<std::size_t>(b)) * 16 + lane + static_cast<std::size_t>(c) * p::width;
                some = compare::either(
                    some, score_reaches<S, Scaled, Both>(scan, sum[u][b][c], at, bar, first_user + static_cast<std::uint32_t>(u)));
            }
        }
    }
    if (!compare::any(some)) return 0;
    // Unrolled stores: an array that is read at a varying place would not live in registers above.
    S raw[Users * Blocks * Packs][p::width];
    unsigned hit[Users * Blocks * Packs];
    RECSYS_DETAIL_UNROLL
    for (int u = 0; u < Users; ++u) {
        auto const bar = p::set(bars[u]);
        RECSYS_DETAIL_UNROLL
        for (int b = 0; b < Blocks; ++b) {
            RECSYS_DETAIL_UNROLL
            for (int c = 0; c < Packs; ++c) {
                std::size_t const at = (block + static_cast<std::size_t>(b)) * 16 + lane + static_cast<std::size_t>(c) * p::width;
                hit[(u * Blocks + b) * Packs + c] =
                    compare::bits(score_reaches<S, Scaled, Both>(scan, sum[u][b][c], at, bar, first_user + static_cast<std::uint32_t>(u)));
                p::store(raw[(u * Blocks + b) * Packs + c], sum[u][b][c]);
            }
        }
    }
    std::size_t found = 0;
    for (int at = 0; at < Users * Blocks * Packs; ++at) {
        auto const user = first_user + static_cast<std::uint32_t>(at / (Blocks * Packs));
        std::size_t const place =
            (block + static_cast<std::size_t>(at / Packs % Blocks)) * 16 + lane + static_cast<std::size_t>(at % Packs) * p::width;
        unsigned bits = hit[at];
        for (; bits != 0; bits &= bits - 1) {
            std::uint32_t const i = lowest_bit(bits);
            hits[found++] = {raw[at][i], static_cast<std::uint32_t>(place) + i, user};
        }
    }
    return found;
}

/// Every user against every block.
template <class S, bool Distance, bool Scaled, bool Both = false> inline std::size_t score_blocks(score_scan<S> const& scan) {
    constexpr std::size_t width = pack<S>::width;
    constexpr int packs = width == 16 ? 1 : 2, at_once = 12 / packs, blocks_of_one = 8 / packs;
    constexpr std::size_t lanes = static_cast<std::size_t>(packs) * width;
    std::size_t found = 0;
    std::size_t done = 0;
    if (scan.n_users == 1) // a user alone: several blocks keep the registers busy
        for (; done + blocks_of_one <= scan.n_blocks; done += blocks_of_one)
            for (std::size_t lane = 0; lane < 16; lane += lanes)
                found += score_tile<S, Distance, Scaled, Both, 1, blocks_of_one, packs>(scan, scan.users, scan.bars, 0, done, lane,
                                                                                        scan.hits + found);
    for (std::size_t first = 0; first < scan.n_users; first += at_once) {
        S const* users[at_once];
        S bars[at_once];
        for (std::size_t u = 0; u < at_once; ++u) {
            bool const is_there = first + u < scan.n_users; // the others are the last again, with a bar that nothing reaches
            users[u] = scan.users[is_there ? first + u : scan.n_users - 1];
            bars[u] = is_there ? scan.bars[first + u] : scan.no_score;
        }
        for (std::size_t b = done; b < scan.n_blocks; ++b)
            for (std::size_t lane = 0; lane < 16; lane += lanes)
                found += score_tile<S, Distance, Scaled, Both, at_once, 1, packs>(scan, users, bars, static_cast<std::uint32_t>(first), b,
                                                                                  lane, scan.hits + found);
    }
    return found;
}
template <class S> std::size_t score_scan_of(score_scan<S> const& scan) {
    if (scan.is_distance) return score_blocks<S, true, false>(scan);
    if (scan.item_bars) return score_blocks<S, false, true, true>(scan);
    return scan.scales ? score_blocks<S, false, true>(scan) : score_blocks<S, false, false>(scan);
}

/// Eight rows at a time, one factor after the other: rows as they are, without packing.
template <class S, bool Distance>
inline void score_rows_by(S const* x, S const* const* rows, std::size_t n_rows, std::size_t n_factors, S* out) {
    std::size_t r = 0;
    for (; r + 8 <= n_rows; r += 8) {
        S sum[8] = {};
        for (std::size_t k = 0; k < n_factors; ++k) {
            S const y = x[k];
            RECSYS_DETAIL_UNROLL
            for (int j = 0; j < 8; ++j) sum[j] = score_step<S, Distance>(y, rows[r + static_cast<std::size_t>(j)][k], sum[j]);
        }
        for (std::size_t j = 0; j < 8; ++j) out[r + j] = sum[j];
    }
    for (; r < n_rows; ++r) {
        S sum{0};
        for (std::size_t k = 0; k < n_factors; ++k) sum = score_step<S, Distance>(x[k], rows[r][k], sum);
        out[r] = sum;
    }
}
template <class S> void score_rows(S const* x, S const* const* rows, std::size_t n_rows, std::size_t n_factors, bool is_distance, S* out) {
    if (is_distance) score_rows_by<S, true>(x, rows, n_rows, n_factors, out);
    else score_rows_by<S, false>(x, rows, n_rows, n_factors, out);
}

/// The table of this level.
template <class S> score_table<S> scores() { return {&score_scan_of<S>, &score_rows<S>}; }
