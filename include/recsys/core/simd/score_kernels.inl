// SPDX-License-Identifier: MIT
// Kernels of scores: one text for all instruction sets, repeated in a namespace of its own for each.
//
// A raw score is summed over the factors in their order, with one multiply_add a step, by every kernel: a pair has the same bits whichever is
// asked. It is the sum of products, or for distances minus the sum of squared differences, so that more is always better.
// Items are packed in blocks of 16, factor by factor: block[k * 16 + lane]. Hits go to the list of their user, those of lanes to be skipped nowhere.

/// Adds the lanes of `bits` to arrays with room for whole packs: how many there are.
template <class Raw>
inline std::uint32_t append_lanes(Raw const* lanes, unsigned bits, std::uint32_t first_place, Raw* raws, std::uint32_t* places) {
    if constexpr (sizeof(Raw) == 4) return append_words(lanes, bits, first_place, raws, places);
    else return append_each(lanes, bits, first_place, raws, places);
}
/// Notes hits of a user among up to 16 lanes of a block, from lane `lane` on.
template <class Raw>
inline void note_hits(score_hits<Raw>& list, Raw const* lanes, unsigned bits, std::size_t block, std::size_t lane, std::uint32_t first_place) {
    if (list.skip) bits &= ~(static_cast<unsigned>(list.skip[block]) >> lane);
    list.n += append_lanes(lanes, bits, first_place + static_cast<std::uint32_t>(block * 16 + lane), list.raws + list.n, list.places + list.n);
}

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
RECSYS_DETAIL_INLINE void score_tile(score_scan<S> const& scan, S const* const* users, S const* bars, std::uint32_t first_user,
                                     std::size_t block, std::size_t lane) {
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
    if (!compare::any(some)) return;
    RECSYS_DETAIL_UNROLL
    for (int u = 0; u < Users; ++u) {
        auto const user = first_user + static_cast<std::uint32_t>(u);
        auto const bar = p::set(bars[u]);
        RECSYS_DETAIL_UNROLL
        for (int b = 0; b < Blocks; ++b) {
            std::size_t const at = (block + static_cast<std::size_t>(b)) * 16 + lane;
            unsigned bits = 0;
            RECSYS_DETAIL_UNROLL
            for (int c = 0; c < Packs; ++c) {
                std::size_t const first = static_cast<std::size_t>(c) * p::width;
                bits |= compare::bits(score_reaches<S, Scaled, Both>(scan, sum[u][b][c], at + first, bar, user)) << first;
            }
            if (bits == 0) continue;
            S lanes[Packs * p::width];
            RECSYS_DETAIL_UNROLL
            for (int c = 0; c < Packs; ++c) p::store(lanes + static_cast<std::size_t>(c) * p::width, sum[u][b][c]);
            note_hits(scan.hits[user], lanes, bits, block + static_cast<std::size_t>(b), lane, scan.first_place);
        }
    }
}

/// Every user against every block.
template <class S, bool Distance, bool Scaled, bool Both = false> inline void score_blocks(score_scan<S> const& scan) {
    constexpr std::size_t width = pack<S>::width;
    constexpr int packs = width == 16 ? 1 : 2, blocks = 2 / packs, at_once = tile_size / 2, blocks_of_one = 8 / packs;
    constexpr std::size_t lanes = static_cast<std::size_t>(packs) * width;
    if (scan.n_users == 1) { // a user alone: several blocks keep the registers busy
        for (std::size_t b = 0; b < scan.n_blocks; b += blocks_of_one)
            for (std::size_t lane = 0; lane < 16; lane += lanes)
                score_tile<S, Distance, Scaled, Both, 1, blocks_of_one, packs>(scan, scan.users, scan.bars, 0, b, lane);
        return;
    }
    for (std::size_t first = 0; first < scan.n_users; first += at_once) {
        S const* users[at_once];
        S bars[at_once];
        for (std::size_t u = 0; u < at_once; ++u) {
            bool const is_there = first + u < scan.n_users; // the others are the last again, with a bar that nothing reaches
            users[u] = scan.users[is_there ? first + u : scan.n_users - 1];
            bars[u] = is_there ? scan.bars[first + u] : scan.no_score;
        }
        for (std::size_t b = 0; b < scan.n_blocks; b += blocks)
            for (std::size_t lane = 0; lane < 16; lane += lanes)
                score_tile<S, Distance, Scaled, Both, at_once, blocks, packs>(scan, users, bars, static_cast<std::uint32_t>(first), b, lane);
    }
}
template <class S> void score_scan_of(score_scan<S> const& scan) {
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

/// Products of pairs of rows, eight at a time.
template <class S> void score_pairs(S const* const* xs, S const* const* ys, std::size_t n_pairs, std::size_t n_factors, S* out) {
    for (std::size_t r = 0; r < n_pairs; r += 8) {
        S const* x[8];
        S const* y[8];
        S sum[8] = {};
        std::size_t const some = n_pairs - r < 8 ? n_pairs - r : 8;
        for (std::size_t j = 0; j < 8; ++j) x[j] = xs[r + (j < some ? j : 0)], y[j] = ys[r + (j < some ? j : 0)];
        for (std::size_t k = 0; k < n_factors; ++k) {
            RECSYS_DETAIL_UNROLL
            for (int j = 0; j < 8; ++j) sum[j] = multiply_add(x[j][k], y[j][k], sum[j]);
        }
        for (std::size_t j = 0; j < some; ++j) out[r + j] = sum[j];
    }
}

/// How many of n scores reach a bar. Arrays of scores are read up to a multiple of 16, where they hold minus infinity.
template <class S> RECSYS_DETAIL_INLINE std::size_t count_reaching(S const* scores, std::size_t n, S bar) {
    std::size_t out = 0;
    if constexpr (masks_are_slow) {
        std::int32_t lanes[16] = {};
        for (std::size_t i = 0; i < n; i += 16)
            for (std::size_t j = 0; j < 16; ++j) lanes[j] += scores[i + j] >= bar;
        for (auto const some : lanes) out += static_cast<std::size_t>(some);
        return out;
    }
    for (std::size_t i = 0; i < n; i += pack<S>::width)
        out += bit_count(comparison<S>::bits(comparison<S>::reaches(pack<S>::load(scores + i), pack<S>::set(bar))));
    return out;
}
/// A bar that at least k of all scores reach and if possible no more than `most`, found by halves: counting runs without a branch.
template <class S> S find_bar(bar_search<S> const& in) {
    S const infinity = std::numeric_limits<S>::infinity();
    S highest[16], lowest[16];
    for (int j = 0; j < 16; ++j) highest[j] = -infinity, lowest[j] = infinity;
    for (int part = 0; part < 2; ++part)
        for (std::size_t i = 0; i < in.n[part]; i += 16)
            for (int j = 0; j < 16; ++j) {
                S const x = in.scores[part][i + static_cast<std::size_t>(j)];
                highest[j] = x > highest[j] ? x : highest[j];
                S const y = x > -infinity ? x : infinity;
                lowest[j] = y < lowest[j] ? y : lowest[j];
            }
    S low = infinity, high = -infinity;
    for (int j = 0; j < 16; ++j) low = lowest[j] < low ? lowest[j] : low, high = highest[j] > high ? highest[j] : high;
    low = in.low > low ? in.low : low;
    if (!(high - low < std::numeric_limits<S>::max())) return in.low;
    for (int i = 0; i < 12; ++i) {
        S const middle = low + (high - low) / (i == 0 ? 8 : 2); // the bar is most often next to the last one
        std::size_t const n = count_reaching(in.scores[0], in.n[0], middle) + count_reaching(in.scores[1], in.n[1], middle);
        if (n < in.k) high = middle;
        else {
            low = middle;
            if (n <= in.most) break;
        }
    }
    return low;
}
/// Keeps those of n scores that reach a bar, and their indices, in their order: how many there are.
template <class S> std::size_t keep_reaching(S* scores, std::uint32_t* indices, std::size_t n, S bar) {
    std::size_t kept = 0;
    if constexpr (masks_are_slow) {
        for (std::size_t i = 0; i < n; ++i) {
            S const score = scores[i];
            scores[kept] = score, indices[kept] = indices[i];
            kept += score >= bar;
        }
        return kept;
    }
    for (std::size_t i = 0; i < n; i += pack<S>::width) {
        unsigned const bits = comparison<S>::bits(comparison<S>::reaches(pack<S>::load(scores + i), pack<S>::set(bar)));
        if constexpr (sizeof(S) == 4) kept += move_words(scores + i, indices + i, bits, scores + kept, indices + kept);
        else
            for (unsigned left = bits; left != 0; left &= left - 1, ++kept)
                scores[kept] = scores[i + lowest_bit(left)], indices[kept] = indices[i + lowest_bit(left)];
    }
    return kept;
}
/// For each of n scores how many reach it.
template <class S> void count_ranks(S const* scores, std::size_t n, std::uint16_t* ranks) {
    for (std::size_t i = 0; i < n; ++i) ranks[i] = static_cast<std::uint16_t>(count_reaching(scores, n, scores[i]));
}

/// The table of this level.
template <class S> score_table<S> scores() {
    return {&score_scan_of<S>, &score_rows<S>, &score_pairs<S>, &find_bar<S>, &keep_reaching<S>, &count_ranks<S>};
}
