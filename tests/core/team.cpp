// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <atomic>
#include <cstring>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using recsys::detail::team;

TEST_CASE("every chunk runs once, whatever the number of threads") {
    for (std::size_t const threads : {1u, 2u, 7u, 16u}) {
        team workers(threads);
        for (std::size_t const chunks : {0u, 1u, 2u, 5u, 1000u}) {
            std::vector<std::atomic<int>> runs(chunks);
            std::atomic<bool> worker_in_range{true};
            workers.run(chunks, [&](std::size_t chunk, std::size_t worker) {
                ++runs[chunk];
                if (worker >= workers.size()) worker_in_range = false;
            });
            for (auto const& r : runs) CHECK(r == 1);
            CHECK(worker_in_range);
        }
    }
}

TEST_CASE("blocks cover the range without a gap") {
    team workers(3);
    std::vector<std::atomic<int>> covered(1001);
    workers.blocks(1001, 64, [&](std::size_t first, std::size_t last, std::size_t) {
        for (auto i = first; i < last; ++i) ++covered[i];
    });
    for (auto const& c : covered) CHECK(c == 1);
    workers.blocks(0, 64, [&](std::size_t, std::size_t, std::size_t) { FAIL("no block of nothing"); });
}

TEST_CASE("a sum has the same bits for any number of threads") {
    std::vector<double> values(100000);
    recsys::random_stream random(4);
    for (auto& v : values) v = random.normal() * 1e8;
    auto const sum_with = [&](std::size_t threads) {
        team workers(threads);
        return workers.sum(values.size(), 512, 0.0, [&](std::size_t first, std::size_t last) {
            double s = 0;
            for (auto i = first; i < last; ++i) s += values[i];
            return s;
        });
    };
    auto const one = sum_with(1);
    for (std::size_t const threads : {2u, 3u, 7u}) {
        auto const other = sum_with(threads);
        CHECK(std::memcmp(&one, &other, sizeof one) == 0);
    }
}

TEST_CASE("the exception of the lowest chunk comes out, and the team works on") {
    for (std::size_t const threads : {1u, 2u, 7u}) {
        team workers(threads);
        for (int round = 0; round < 20; ++round) {
            std::string message;
            try {
                workers.run(100, [](std::size_t chunk, std::size_t) {
                    if (chunk % 10 == 3) throw std::runtime_error("chunk " + std::to_string(chunk));
                });
            } catch (std::runtime_error const& e) { message = e.what(); }
            CHECK(message == "chunk 3");
        }
        std::atomic<int> runs{0};
        workers.run(50, [&](std::size_t, std::size_t) { ++runs; });
        CHECK(runs == 50);
    }
}

TEST_CASE("a team inside a team runs inline") {
    team outer(2);
    std::atomic<bool> same_thread{true};
    std::atomic<int> runs{0};
    outer.run(8, [&](std::size_t, std::size_t) {
        auto const here = std::this_thread::get_id();
        team inner(4);
        inner.run(16, [&](std::size_t, std::size_t) {
            ++runs;
            if (std::this_thread::get_id() != here) same_thread = false;
        });
    });
    CHECK(runs == 128);
    CHECK(same_thread);
}

TEST_CASE("no threads asked for means all of the machine") {
    CHECK(team(0).size() == recsys::detail::hardware_threads());
    CHECK(team(5).size() == 5);
}
