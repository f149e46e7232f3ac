// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace rs = recsys;
using rs::detail::rough_list;
using rs::detail::top_k;

namespace {

void add(rough_list& list, std::vector<float> const& lower, double width) {
    auto place = static_cast<std::uint32_t>(list.size());
    list.make_room(lower.size());
    std::copy(lower.begin(), lower.end(), list.lower_end());
    for (std::size_t i = 0; i < lower.size(); ++i) list.places_end()[i] = place++;
    list.add(lower.size(), width);
}

}

TEST_CASE("exact and rough scores make a bar together, and nothing is dropped that may reach it") {
    rs::random_stream random(1);
    for (std::size_t const n : {1u, 15u, 16u, 40u, 300u})
        for (std::size_t const k : {1u, 10u, 50u}) {
            double const width = 0.25;
            top_k<float> best;
            best.start(k);
            rough_list list;
            list.start();
            std::vector<float> lower, exact;
            for (std::size_t i = 0; i < n; ++i) lower.push_back(static_cast<float>(random.normal()));
            for (std::size_t i = 0; i < k / 2; ++i) {
                exact.push_back(static_cast<float>(random.normal()));
                best.push(exact.back(), static_cast<std::uint32_t>(1000 + i));
            }
            add(list, lower, width);
            list.cut(best);
            std::vector<float> known = lower;
            known.insert(known.end(), exact.begin(), exact.end());
            std::sort(known.rbegin(), known.rend());
            if (known.size() > k) {
                CHECK(best.bar() <= known[k - 1]);
                if (n >= 300) CHECK(list.size() < n);
            }
            std::set<std::uint32_t> const kept(list.places(), list.places() + list.size());
            bool right = true;
            for (std::uint32_t i = 0; i < n; ++i)
                right = right && (kept.count(i) != 0) == (static_cast<double>(lower[i]) >= static_cast<double>(best.bar()) - width);
            CHECK(right);
        }
}

TEST_CASE("what is sure to reach a bar comes first and can be dropped once it is scored") {
    rough_list list;
    list.start();
    add(list, {1, 5, 2, 7, 4.9f, 3}, 1);
    CHECK(list.part(5) == 2);
    CHECK(std::set<std::uint32_t>(list.places(), list.places() + 2) == std::set<std::uint32_t>{1, 3});
    list.drop(2, 3.5f);
    CHECK(std::set<std::uint32_t>(list.places(), list.places() + list.size()) == std::set<std::uint32_t>{4, 5});
    list.start();
    CHECK(list.size() == 0);
}

TEST_CASE("without a bar nothing is dropped, and with equal scores nothing is lost") {
    top_k<float> best;
    best.start(3);
    rough_list list;
    list.start();
    add(list, {1, 1}, 0.5);
    list.cut(best);
    CHECK(list.size() == 2);
    add(list, std::vector<float>(100, 1.f), 0.5);
    list.cut(best);
    CHECK(list.size() == 102);
    CHECK(best.bar() <= 1);
}
