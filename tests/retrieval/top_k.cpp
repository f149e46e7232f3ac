// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace rs = recsys;
using entry = rs::detail::ranked_index<float>;

namespace {

/// The best of some scores in the order in which they are pushed.
std::vector<entry> best(std::vector<entry> const& pushed, std::size_t k) {
    rs::detail::top_k<float> top;
    top.start(k);
    for (auto const& [score, index] : pushed)
        if (top.wants(score, index)) top.push(score, index);
    auto const found = top.finish();
    return {found.begin(), found.end()};
}
std::vector<std::uint32_t> indices(std::vector<entry> const& from) {
    std::vector<std::uint32_t> out;
    for (auto const& one : from) out.push_back(one.index);
    return out;
}

}

TEST_CASE("the best are in order of their scores, equal ones by the smaller index") {
    std::vector<entry> const pushed{{1, 0}, {3, 1}, {2, 2}, {3, 3}};
    CHECK(indices(best(pushed, 3)) == std::vector<std::uint32_t>{1, 3, 2});
    CHECK(indices(best(pushed, 1)) == std::vector<std::uint32_t>{1});
    CHECK(indices(best(pushed, 4)) == std::vector<std::uint32_t>{1, 3, 2, 0});
    CHECK(indices(best(pushed, 9)) == std::vector<std::uint32_t>{1, 3, 2, 0});
    CHECK(best(pushed, 0).empty());
    CHECK(best({}, 5).empty());
}

TEST_CASE("minus infinity is never among the best, the lowest finite number and infinity are") {
    float const infinity = std::numeric_limits<float>::infinity();
    std::vector<entry> const pushed{{-infinity, 0}, {std::numeric_limits<float>::lowest(), 1}, {infinity, 2}, {-infinity, 3}};
    CHECK(indices(best(pushed, 4)) == std::vector<std::uint32_t>{2, 1});
}

TEST_CASE("it agrees with a full sort, whatever the order of the pushes, with many ties") {
    rs::random_stream random(3);
    for (std::size_t const levels : {1u, 3u, 40u, 100000u})
        for (std::size_t const n : {1u, 31u, 32u, 33u, 500u, 3000u}) {
            std::vector<entry> pushed;
            for (std::size_t i = 0; i < n; ++i) pushed.push_back({static_cast<float>(random.below(levels)), static_cast<std::uint32_t>(i)});
            auto sorted = pushed;
            std::sort(sorted.begin(), sorted.end(),
                      [](entry const& a, entry const& b) { return a.score != b.score ? a.score > b.score : a.index < b.index; });
            for (int order = 0; order < 3; ++order) {
                if (order == 1) std::reverse(pushed.begin(), pushed.end());
                if (order == 2)
                    for (std::size_t i = n; i > 1; --i) std::swap(pushed[i - 1], pushed[static_cast<std::size_t>(random.below(i))]);
                for (std::size_t const k : {std::size_t{1}, std::size_t{5}, std::size_t{32}, std::size_t{100}, n, n + 1}) {
                    CAPTURE(n);
                    CAPTURE(k);
                    CAPTURE(levels);
                    std::vector<entry> const wanted(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(std::min(k, n)));
                    CHECK(indices(best(pushed, k)) == indices(wanted));
                }
            }
        }
}

TEST_CASE("NaN is wanted, so that the caller sees it, even where the list is full of better ones") {
    rs::detail::top_k<float> top;
    top.start(1);
    for (std::uint32_t i = 0; i < 100; ++i)
        if (top.wants(static_cast<float>(i), i)) top.push(static_cast<float>(i), i);
    CHECK(top.wants(std::nanf(""), 100));
    CHECK_FALSE(top.wants(0, 101));
}

TEST_CASE("doubles rank in double") {
    rs::detail::top_k<double> top;
    top.start(2);
    top.push(1.0, 0);
    top.push(1.0 + 1e-12, 1);
    auto const found = top.finish();
    REQUIRE(found.size() == 2);
    CHECK(found[0].index == 1);
}
