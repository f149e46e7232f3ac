// SPDX-License-Identifier: MIT
// ours FORMAT MODEL ROWS OUT REPEATS [LEVEL]: raw scores of an imported model for rows of numbers x0 ..., a text w and an integer k, in OUT as
// doubles; prints the processor seconds of the fastest prediction of all rows by one thread, and of 1,000 single rows.
#include <recsys.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace rs = recsys;

namespace {

struct row {
    std::vector<float> x;
    std::optional<std::string> w;
    std::optional<std::int64_t> k;
};

std::vector<row> read_rows(char const* path) {
    std::ifstream in(path);
    std::vector<row> rows;
    for (std::string line; std::getline(in, line);) {
        std::stringstream fields(line);
        std::vector<std::string> cells;
        for (std::string cell; std::getline(fields, cell, ',');) cells.push_back(cell);
        cells.resize(std::max<std::size_t>(2, cells.size() + (line.empty() || line.back() == ',')));
        auto& r = rows.emplace_back();
        for (std::size_t i = 0; i + 2 < cells.size(); ++i)
            r.x.push_back(cells[i].empty() ? std::numeric_limits<float>::quiet_NaN() : std::strtof(cells[i].c_str(), nullptr));
        auto const& w = cells[cells.size() - 2];
        auto const& k = cells.back();
        if (!w.empty()) r.w = w;
        if (!k.empty()) r.k = std::strtoll(k.c_str(), nullptr, 10);
    }
    return rows;
}
double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}

int main(int argc, char** argv) {
    if (argc < 6) return 2;
    if (argc > 6)
        rs::detail::force_simd_level(std::string(argv[6]) == "portable" ? rs::detail::simd_level::portable
                                     : std::string(argv[6]) == "avx2"   ? rs::detail::simd_level::avx2
                                                                        : rs::detail::simd_level::avx512);
    auto const rows = read_rows(argv[3]);
    auto schema = rs::rows<row>().category("w", &row::w).category("k", &row::k);
    for (std::size_t i = 0; i < rows.front().x.size(); ++i)
        schema = schema.number("x" + std::to_string(i), [i](row const& r) { return r.x[i]; });
    auto const frame = rs::ingest(rows, schema);
    double from = seconds();
    auto const model = std::string(argv[1]) == "catboost" ? rs::load_catboost_json(argv[2]) : rs::load_lightgbm_text(argv[2]);
    std::printf("load %.4f\n", seconds() - from);
    std::vector<double> raw;
    double best = 1e300;
    for (int i = 0; i < std::atoi(argv[5]); ++i) {
        from = seconds();
        raw = model.predict_raw(frame, {.threads = 1});
        best = std::min(best, seconds() - from);
    }
    std::printf("predict %.6f\n", best);
    if (auto* const out = std::fopen(argv[4], "wb")) {
        std::fwrite(raw.data(), sizeof(double), raw.size(), out);
        std::fclose(out);
    }
    if (model.n_outputs() == 1) {
        auto const one = model.predictor(schema);
        double sum = 0;
        best = 1e300;
        for (int i = 0; i < 3; ++i) {
            from = seconds();
            for (std::size_t r = 0; r < std::min<std::size_t>(1000, rows.size()); ++r) sum += one(rows[r]);
            best = std::min(best, seconds() - from);
        }
        std::printf("single %.6f\n", best);
        if (sum == 0.123) std::puts("");
    }
}
