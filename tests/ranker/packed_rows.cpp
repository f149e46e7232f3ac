// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

using namespace recsys::detail;

TEST_CASE("every feature has bits of its own, and those that permutations change share no byte with others") {
    recsys::random_stream random(1);
    for (std::size_t const n : {1u, 5u, 23u, 70u, 200u}) {
        std::vector<std::size_t> bins(n);
        std::vector<char> permuted(n);
        for (std::size_t f = 0; f < n; ++f) {
            std::size_t const sizes[] = {2, 3, 4, 5, 16, 17, 64, 256};
            bins[f] = sizes[random.below(8)], permuted[f] = random.below(3) == 0;
        }
        packed_layout const layout(bins, permuted);
        std::vector<unsigned> taken(layout.n_bytes(), 0);
        for (std::size_t f = 0; f < n; ++f) {
            auto const& field = layout.fields()[f];
            std::size_t const byte = field.block * most_record_bins + field.byte;
            CHECK((taken[byte] & field.mask) == 0);
            taken[byte] |= field.mask;
            CHECK(static_cast<std::size_t>(field.mask >> field.shift) + 1 >= bins[f]);
            CHECK((field.byte >= layout.common_bytes(field.block)) == (permuted[f] != 0));
            CHECK(field.byte < layout.used_bytes(field.block));
        }
        for (std::size_t b = 0; b < layout.n_blocks(); ++b) {
            CHECK(layout.record_size(b) >= layout.used_bytes(b) + 4);
            CHECK(layout.record_size(b) % 8 == 0);
        }
    }
}

TEST_CASE("a writer writes the records of the rows drawn, up to its end and not beyond") {
    for (std::size_t const n_common : {0u, 1u, 8u, 11u, 17u, 28u})
        for (std::size_t const n_others : {0u, 1u, 6u, 9u, 20u}) {
            if (n_common + n_others == 0 || n_common + n_others > most_record_bins) continue;
            std::size_t const n = 300;
            std::vector<char> permuted(n_common, 0);
            permuted.resize(n_common + n_others, 1);
            packed_rows rows(packed_layout(std::vector<std::size_t>(permuted.size(), 256), permuted), n, 2);
            recsys::random_stream random(n_common * 100 + n_others);
            for (auto const& field : rows.layout().fields())
                for (std::size_t p = 0; p < 2; ++p)
                    for (std::size_t row = 0; row < n; ++row) *rows.column(field, p).of(row) = static_cast<std::uint8_t>(random.below(256));
            std::vector<float> factors(n);
            std::vector<std::uint32_t> parts(n);
            std::vector<std::size_t> drawn;
            for (std::size_t row = 0; row < n; ++row) {
                factors[row] = random.below(3) == 0 ? 0.f : 1.5f,
                parts[row] = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << 32));
                if (factors[row] > 0) drawn.push_back(row);
            }
            record_writer writer(rows, 0, 1);
            std::size_t const size = writer.size();
            std::vector<std::uint8_t> to(drawn.size() * size + 100, 99);
            writer.open(to.data(), to.data() + drawn.size() * size);
            for (std::size_t row = 0; row < n; row += 64)
                writer.write(row, std::min<std::size_t>(64, n - row), factors.data() + row, parts.data() + row);
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < drawn.size(); ++i) {
                for (auto const& field : rows.layout().fields()) wrong += to[i * size + field.byte] != *rows.column(field, 1).of(drawn[i]);
                wrong += std::memcmp(to.data() + (i + 1) * size - 4, &parts[drawn[i]], 4) != 0;
            }
            CHECK(wrong == 0);
            CHECK(std::count(to.end() - 100, to.end(), 99) == 100);
        }
}
