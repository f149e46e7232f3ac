// SPDX-License-Identifier: MIT
// Models that export_models.cpp wrote, without the library: the same raw scores, bit for bit.
#include "exported_0.hpp"
#include "exported_1.hpp"
#include "exported_2.hpp"
#include "exported_3.hpp"
#include "exported_4.hpp"
#include "exported_rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace {

struct row {
    float price, size;
    std::optional<std::string_view> brand;
    std::optional<std::int64_t> shop;
    std::vector<std::string_view> tags;
};
std::uint64_t const expected[] = {EXPORTED_RAW};
row const rows[] = {EXPORTED_ROWS};
constexpr std::size_t n_rows = sizeof rows / sizeof rows[0];

std::array<double, 1> scores(double x) { return {{x}}; }
std::array<double, 3> scores(std::array<double, 3> const& x) { return x; }

/// How many scores of the model are others than expected from a place on.
template <class Exported, class Score> std::size_t wrong(std::size_t first, Score (*raw)(Exported const&)) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < n_rows; ++i) {
        Exported r;
        r.price = rows[i].price, r.class_ = rows[i].size, r.brand_name = rows[i].brand, r.c_2nd_shop = rows[i].shop, r.tags = rows[i].tags;
        for (double const got : scores(raw(r))) {
            std::uint64_t bits = 0;
            std::memcpy(&bits, &got, sizeof bits);
            n += bits != expected[first++];
        }
    }
    return n;
}

}

int main() {
    constexpr std::size_t n_scores = 7 * n_rows;
    static_assert(sizeof expected / sizeof expected[0] == n_scores, "");
    std::size_t const n = wrong(0, &exported_0::raw) + wrong(n_rows, &exported_1::raw) + wrong(2 * n_rows, &exported_2::raw) +
                          wrong(3 * n_rows, &exported_3::raw) + wrong(4 * n_rows, &exported_4::raw);
    exported_0::row const empty;
    double const x = exported_0::raw(empty), p = exported_0::predict(empty);
    bool const probability = std::fabs(p - 1 / (1 + std::exp(-x))) < 1e-15;
    exported_4::row const no_class;
    auto const raw = exported_4::raw(no_class), shares = exported_4::predict(no_class);
    auto const place = std::max_element(raw.begin(), raw.end()) - raw.begin();
    bool const classes = std::fabs(shares[0] + shares[1] + shares[2] - 1) < 1e-15 &&
                         std::fabs(std::log(shares[0] / shares[2]) - (raw[0] - raw[2])) < 1e-14 &&
                         exported_4::predict_class(no_class) == (place == 0   ? 3
                                                                 : place == 1 ? 5
                                                                              : 9);
    if (n != 0 || !probability || !classes) std::printf("%zu of %zu scores differ\n", n, n_scores);
    return n == 0 && probability && classes ? 0 : 1;
}
