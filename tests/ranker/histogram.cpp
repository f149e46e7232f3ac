// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace rs = recsys;
using namespace rs::detail;

namespace {

/// Random records of so many bytes of bins.
struct records {
    std::size_t bins, size, n;
    std::vector<std::uint8_t> bytes;
    std::vector<std::int32_t> weight, gradient;

    records(std::size_t n_bins, std::size_t n_records, std::uint64_t seed)
        : bins(n_bins), size(record_size(n_bins)), n(n_records), bytes(size * n_records) {
        rs::random_stream random(seed);
        for (auto& b : bytes) b = static_cast<std::uint8_t>(random.below(256));
        for (std::size_t i = 0; i < n; ++i) {
            weight.push_back(static_cast<std::int32_t>(random.below(65536)));
            gradient.push_back(static_cast<std::int32_t>(random.below(65535)) - 32767);
            auto const part = static_cast<std::uint32_t>(gradient[i]) << 16 | static_cast<std::uint32_t>(weight[i]);
            std::memcpy(bytes.data() + (i + 1) * size - 4, &part, 4);
        }
    }
    std::uint8_t const* at(std::size_t i) const { return bytes.data() + i * size; }
};

}

TEST_CASE("histograms of records of every size are the sums of their rows") {
    for (std::size_t bins = 1; bins <= most_record_bins; ++bins) {
        records const of(bins, 500, bins);
        std::vector<packed_sum> got(bins * bin_slots + 1, 0);
        adder_for(bins)(of.at(0), of.n, got.data());
        std::vector<std::int64_t> g(bins * bin_slots, 0), w(bins * bin_slots, 0);
        for (std::size_t i = 0; i < of.n; ++i)
            for (std::size_t b = 0; b < bins; ++b)
                g[b * bin_slots + of.at(i)[b]] += of.gradient[i], w[b * bin_slots + of.at(i)[b]] += of.weight[i];
        std::size_t wrong = 0;
        for (std::size_t s = 0; s < g.size(); ++s) wrong += got[s] != pack_sum(g[s], w[s]);
        CHECK(wrong == 0);
        CHECK(got.back() == 0);
    }
}

TEST_CASE("records move to their side, all of them, each whole") {
    auto const check = [](auto const& of, auto const& move, auto const& test) {
        std::vector<std::uint8_t> to(of.bytes.size() + 32, 99);
        auto* const begin = to.data() + 16;
        auto const* const middle = move(of.bytes.data(), of.n, begin, begin + of.bytes.size(), test);
        auto const n_left = static_cast<std::size_t>(middle - begin) / of.size;
        std::size_t left = 0, right = 0, wrong = 0;
        for (std::size_t i = 0; i < of.n; ++i) {
            bool const side = test(of.at(i), i) != 0;
            auto const* const expected = side ? begin + (of.n - ++right) * of.size : begin + left++ * of.size;
            wrong += !std::equal(expected, expected + of.size, of.at(i));
        }
        CHECK(wrong == 0);
        CHECK(left == n_left);
        CHECK(std::count(to.begin(), to.begin() + 16, 99) == 16);
        CHECK(std::count(to.end() - 16, to.end(), 99) == 16);
    };
    for (std::int64_t const above : {0, 100, 240, 255}) {
        bin_test const test{1, above > 100 ? 0xF0 : 0xFF, above};
        check(records(4, 333, 1), &move_records<8, bin_test>, test);
        check(records(12, 333, 2), &move_records<16, bin_test>, test);
        check(records(17, 333, 3), &move_records<24, bin_test>, test);
        check(records(28, 1, 4), &move_records<32, bin_test>, test);
        for (auto const record : {50, 100, 101, 255}) {
            std::uint8_t const bytes[2] = {0, static_cast<std::uint8_t>(record)};
            CHECK((test(bytes) == -1) == ((record & test.mask) > above));
            CHECK((test(bytes) == 0) == ((record & test.mask) <= above));
        }
    }
    std::vector<std::int8_t> sides;
    for (int i = 0; i < 333; ++i) sides.push_back(i % 3 == 0 ? -1 : 0);
    check(records(20, 333, 5), &move_records<24, known_side>, known_side{sides.data()});
}

TEST_CASE("the sums of a small field add up what shares its byte") {
    rs::random_stream random(1);
    std::vector<packed_sum> byte(bin_slots);
    for (auto& s : byte) s = static_cast<packed_sum>(random.below(1000));
    for (std::uint8_t const bits : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{4}, std::uint8_t{8}})
        for (std::uint8_t shift = 0; shift < 8; shift = static_cast<std::uint8_t>(shift + bits)) {
            packed_field f;
            f.shift = shift, f.mask = static_cast<std::uint8_t>(((1u << bits) - 1) << shift),
            f.n_bins = static_cast<std::uint16_t>(1u << bits);
            packed_sum scratch[bin_slots];
            auto const* const got = field_sums(byte.data(), f, scratch);
            for (std::size_t b = 0; b < (bits == 8 ? 256u : 16u); ++b) {
                packed_sum sum = 0;
                for (std::size_t v = 0; v < bin_slots; ++v)
                    if (f.bin(static_cast<std::uint8_t>(v)) == b && b < f.n_bins) sum += byte[v];
                CHECK(got[b] == sum);
            }
        }
}
