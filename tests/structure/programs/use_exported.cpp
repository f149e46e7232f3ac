// SPDX-License-Identifier: MIT
// Models that export_models.cpp wrote, without the library: the same raw scores, bit for bit.
#include "exported_0.hpp"
#include "exported_1.hpp"
#include "exported_2.hpp"
#include "exported_rows.hpp"

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

/// How many rows the model scores otherwise than expected.
template <class Exported> std::size_t wrong(std::size_t model, double (*raw)(Exported const&)) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < n_rows; ++i) {
        Exported r;
        r.price = rows[i].price, r.class_ = rows[i].size, r.brand_name = rows[i].brand, r.c_2nd_shop = rows[i].shop, r.tags = rows[i].tags;
        double const got = raw(r);
        std::uint64_t bits = 0;
        std::memcpy(&bits, &got, sizeof bits);
        n += bits != expected[model * n_rows + i];
    }
    return n;
}

}

int main() {
    static_assert(sizeof expected / sizeof expected[0] == 3 * n_rows, "");
    std::size_t const n = wrong(0, &exported_0::raw) + wrong(1, &exported_1::raw) + wrong(2, &exported_2::raw);
    exported_0::row const empty;
    double const x = exported_0::raw(empty), p = exported_0::predict(empty);
    bool const probability = std::fabs(p - 1 / (1 + std::exp(-x))) < 1e-15;
    if (n != 0 || !probability) std::printf("%zu of %zu scores differ\n", n, 3 * n_rows);
    return n == 0 && probability ? 0 : 1;
}
