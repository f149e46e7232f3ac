// SPDX-License-Identifier: MIT
// The kernel of rough scores: one text for all instruction sets, repeated in a namespace of its own for each.
//
// Items are packed in blocks of 16: first what the sums of each start with, in 4 bytes, then for every four factors 4 bytes of each.

/// Some users against some blocks. Sums start or end less the bar, so that hits are what is not negative: most tiles have nothing, and the signs of
/// all of it are looked at together.
template <class rough, int Users, int Blocks>
RECSYS_DETAIL_INLINE void rough_tile(rough_scan const& scan, std::uint8_t const* const* users, std::int32_t const* bars,
                                     std::size_t first_user, std::size_t block) {
    constexpr int packs = static_cast<int>(16 / rough::width);
    std::size_t const block_size = 64 * (scan.n_steps + 1);
    std::uint8_t const* const items = scan.items + block * block_size;
    typename rough::reg sum[Users][Blocks][packs];
    RECSYS_DETAIL_UNROLL
    for (int b = 0; b < Blocks; ++b) {
        RECSYS_DETAIL_UNROLL
        for (int c = 0; c < packs; ++c) {
            std::size_t const lane = static_cast<std::size_t>(c) * rough::width;
            auto const start = rough::load(items + static_cast<std::size_t>(b) * block_size + 4 * lane);
            auto const of_items = rough::load(scan.item_bars + (block + static_cast<std::size_t>(b)) * 16 + lane);
            RECSYS_DETAIL_UNROLL
            for (int u = 0; u < Users; ++u) sum[u][b][c] = rough::start(start, rough::set(bars[u]), of_items);
        }
    }
    for (std::size_t k = 1; k <= scan.n_steps; ++k) {
        typename rough::reg row[Blocks][packs];
        RECSYS_DETAIL_UNROLL
        for (int b = 0; b < Blocks; ++b) {
            RECSYS_DETAIL_UNROLL
            for (int c = 0; c < packs; ++c)
                row[b][c] = rough::load(items + static_cast<std::size_t>(b) * block_size + k * 64 + static_cast<std::size_t>(c) * 4 * rough::width);
        }
        RECSYS_DETAIL_UNROLL
        for (int u = 0; u < Users; ++u) {
            auto const x = rough::set_bytes(users[u] + 4 * (k - 1));
            RECSYS_DETAIL_UNROLL
            for (int b = 0; b < Blocks; ++b) {
                RECSYS_DETAIL_UNROLL
                for (int c = 0; c < packs; ++c) rough::step(sum[u][b][c], x, row[b][c]);
            }
        }
    }
    auto all = rough::set(-1);
    RECSYS_DETAIL_UNROLL
    for (int u = 0; u < Users; ++u) {
        RECSYS_DETAIL_UNROLL
        for (int b = 0; b < Blocks; ++b) {
            RECSYS_DETAIL_UNROLL
            for (int c = 0; c < packs; ++c) {
                if constexpr (rough::in_halves) { // bars are read again: there is no room to keep them
                    std::size_t const at = (block + static_cast<std::size_t>(b)) * 16 + static_cast<std::size_t>(c) * rough::width;
                    sum[u][b][c] = rough::finish(sum[u][b][c], rough::min(rough::set(bars[u]), rough::load(scan.item_bars + at)));
                }
                all = rough::both(all, sum[u][b][c]);
            }
        }
    }
    if (rough::bits(all) == 0) return;
    // No branches: which of them has hits cannot be foreseen.
    RECSYS_DETAIL_UNROLL
    for (int u = 0; u < Users; ++u) {
        std::size_t const user = first_user + static_cast<std::size_t>(u);
        auto& list = scan.hits[user < scan.n_users ? user : scan.n_users - 1];
        unsigned const is_there = user < scan.n_users ? 0xffffu : 0;
        std::uint32_t n = list.n;
        RECSYS_DETAIL_UNROLL
        for (int b = 0; b < Blocks; ++b) {
            std::size_t const at = block + static_cast<std::size_t>(b);
            unsigned const wanted = is_there & ~static_cast<unsigned>(list.skip ? list.skip[at] : 0);
            RECSYS_DETAIL_UNROLL
            for (int c = 0; c < packs; ++c) {
                std::size_t const lane = static_cast<std::size_t>(c) * rough::width;
                auto const place = scan.first_place + static_cast<std::uint32_t>(at * 16 + lane);
                n += rough::append(sum[u][b][c], rough::bits(sum[u][b][c]) & wanted >> lane, place, list.raws + n, list.places + n);
            }
        }
        list.n = n;
    }
}

/// Every user against every block.
template <class rough, int Users, int Blocks, int BlocksOfOne> void rough_scan_of(rough_scan const& scan) {
    if (scan.n_users == 1) {
        for (std::size_t b = 0; b < scan.n_blocks; b += BlocksOfOne) rough_tile<rough, 1, BlocksOfOne>(scan, scan.users, scan.bars, 0, b);
        return;
    }
    for (std::size_t first = 0; first < scan.n_users; first += Users) {
        std::uint8_t const* users[Users];
        std::int32_t bars[Users];
        for (std::size_t u = 0; u < Users; ++u) { // those past the end are the last again
            std::size_t const at = first + u < scan.n_users ? first + u : scan.n_users - 1;
            users[u] = scan.users[at], bars[u] = first + u < scan.n_users ? scan.bars[at] : no_rough_bar;
        }
        for (std::size_t b = 0; b < scan.n_blocks; b += Blocks) rough_tile<rough, Users, Blocks>(scan, users, bars, first, b);
    }
}
