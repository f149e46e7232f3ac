// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <tuple>
#include <vector>

namespace rs = recsys;
namespace rd = recsys::detail;

namespace {

std::vector<rs::item_index> random_keys(std::size_t n, std::size_t n_keys, std::uint64_t seed) {
    rs::random_stream random(seed, 0);
    std::vector<rs::item_index> out(n);
    for (auto& key : out) key = static_cast<rs::item_index>(random.below(n_keys));
    return out;
}

}

TEST_CASE("entries of a key keep their order, whatever the number of threads, also where one key has most of them") {
    for (std::size_t const n : {0u, 1u, 4097u, 60000u})
        for (std::size_t const n_keys : {1u, 7u, 300u, 70000u})
            for (bool const hot : {false, true}) {
                CAPTURE(n);
                CAPTURE(n_keys);
                CAPTURE(hot);
                auto keys = random_keys(n, n_keys, n + n_keys);
                if (hot)
                    for (std::size_t i = 0; i < n; i += 3) keys[i] = static_cast<rs::item_index>(n_keys / 2), keys[i / 2] = keys[i];
                std::vector<std::size_t> expected(n);
                std::iota(expected.begin(), expected.end(), std::size_t{0});
                std::stable_sort(expected.begin(), expected.end(), [&](auto a, auto b) { return keys[a] < keys[b]; });
                for (std::size_t const threads : {1u, 2u, 7u}) {
                    CAPTURE(threads);
                    rd::team workers(threads);
                    std::vector<int> finished(n_keys);
                    auto const scan = [&](std::size_t first, std::size_t last, auto const& sink) {
                        for (std::size_t i = 0; i < n; ++i)
                            if (auto const key = rs::to_size(keys[i]); key >= first && key < last)
                                sink(key, static_cast<rs::user_index>(i), static_cast<double>(i));
                    };
                    auto const finish = [&](auto& out, std::size_t key, std::size_t) {
                        ++finished[key];
                        for (auto i = out.first(key); i < out.first(key + 1); ++i) out.values[i] += 0.5;
                    };
                    auto const out = rd::group_by_key<rs::user_index, double>(
                        workers, rd::count_offsets(workers, std::span<rs::item_index const>(keys), n_keys, "test", "key"), scan, finish);
                    REQUIRE(out.minor.size() == n);
                    std::size_t wrong = 0;
                    for (std::size_t i = 0; i < n; ++i)
                        wrong += rs::to_size(out.minor[i]) != expected[i] || out.values[i] != static_cast<double>(expected[i]) + 0.5;
                    CHECK(wrong == 0);
                    CHECK(std::all_of(finished.begin(), finished.end(), [](int times) { return times == 1; }));
                    CHECK(out.first(n_keys) == n);
                }
            }
}

TEST_CASE("groups hold about as many entries each, a key of more is a group of its own") {
    rd::buffer<std::int64_t> offsets(7);
    for (std::size_t i = 0; auto const at : {0, 3, 5, 25, 26, 27, 27}) offsets[i++] = at;
    CHECK(rd::key_groups(offsets, 5) == std::vector<std::size_t>{0, 2, 3, 6});
    CHECK(rd::key_groups(offsets, 100) == std::vector<std::size_t>{0, 6});
    CHECK(rd::key_groups(offsets, 1) == std::vector<std::size_t>{0, 1, 2, 3, 4, 6});
}

TEST_CASE("the first key past the end is named, whatever the number of threads") {
    auto keys = random_keys(50000, 7, 1);
    keys[20000] = rs::item_index{9}, keys[40000] = rs::item_index{8};
    for (std::size_t const threads : {1u, 2u, 7u}) {
        rd::team workers(threads);
        CHECK_THROWS_WITH_AS(rd::count_offsets(workers, std::span<rs::item_index const>(keys), 7, "test", "key"),
                             "test: row 20000 has key 9, there are 7", rs::data_error);
    }
}

TEST_CASE("long rows are sorted by item, equal pairs in the order of the rows") {
    for (std::size_t const n_items : {40u, 5000u, 6000000u}) { // one, two and three digits of the sort
        rs::random_stream random(9, n_items);
        std::vector<rs::matrix_entry<float>> rows(5000);
        for (std::size_t i = 0; i < rows.size(); ++i)
            rows[i] = {static_cast<rs::user_index>(random.below(3)), static_cast<rs::item_index>(random.below(n_items)),
                       static_cast<float>(i)};
        auto sorted = rows;
        std::stable_sort(sorted.begin(), sorted.end(),
                         [](auto a, auto b) { return std::tuple(a.user, a.item) < std::tuple(b.user, b.item); });
        std::vector<float> firsts;
        std::vector<rs::item_index> items;
        for (std::size_t i = 0; i < sorted.size(); ++i)
            if (i == 0 || sorted[i].user != sorted[i - 1].user || sorted[i].item != sorted[i - 1].item)
                firsts.push_back(sorted[i].value), items.push_back(sorted[i].item);
        auto const m = rs::csr_from(rows, {.duplicates = rs::duplicates::first});
        CHECK(std::vector(m.values().begin(), m.values().end()) == firsts);
        CHECK(std::vector(m.columns().begin(), m.columns().end()) == items);
    }
}

TEST_CASE("a matrix is built, merged and transposed to the same bits by any number of threads") {
    rs::random_stream random(5, 0);
    std::vector<rs::matrix_entry<float>> rows(60000);
    for (auto& row : rows)
        row = {static_cast<rs::user_index>(random.below(300)), static_cast<rs::item_index>(random.below(200)),
               static_cast<float>(random.below(1000)) / 7};
    auto const build = [&](std::size_t threads) {
        rs::run_options const run{.threads = threads};
        auto const m = rs::csr_from(rows, {.run = run});
        auto const t = rs::transpose(m, run);
        auto const back = rs::transpose(t, run);
        auto const copy = [](auto const& span) { return std::vector(span.begin(), span.end()); };
        CHECK(copy(back.offsets()) == copy(m.offsets()));
        CHECK(copy(back.columns()) == copy(m.columns()));
        CHECK(copy(back.values()) == copy(m.values()));
        return std::tuple(copy(m.offsets()), copy(m.columns()), copy(m.values()), copy(t.offsets()), copy(t.rows()), copy(t.values()),
                          m.report().merged);
    };
    auto const one = build(1);
    CHECK(std::get<6>(one) > 1000);
    CHECK(build(2) == one);
    CHECK(build(7) == one);
}
