// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace rs = recsys;
using rs::detail::buffer;
using rs::detail::simd_level;

// Every kernel at every level that this machine has, against plain loops in double.

namespace {

std::vector<simd_level> levels() {
    std::vector<simd_level> out;
    for (auto const level : {simd_level::portable, simd_level::avx2, simd_level::avx512})
        if (rs::detail::has_simd_level(level)) out.push_back(level);
    return out;
}

template <class S> buffer<S> random_rows(std::size_t n, std::uint64_t seed) {
    rs::random_stream random(seed);
    buffer<S> out(n);
    for (auto& x : out) x = static_cast<S>(2 * random.uniform() - 1);
    return out;
}
template <class S> buffer<S> copy_of(buffer<S> const& from) {
    buffer<S> out(from.size());
    std::copy(from.begin(), from.end(), out.begin());
    return out;
}
template <class S> double tolerance() { return std::is_same_v<S, float> ? 2e-5 : 1e-13; }
template <class S> double wide(S x) { return static_cast<double>(x); }

/// The upper triangle of I + V'V.
template <class S> buffer<S> positive_matrix(rs::detail::kernel_table<S> const& kernel, buffer<S> const& panel, std::size_t ld) {
    buffer<S> a(ld * ld, S{0});
    for (std::size_t i = 0; i < ld; ++i) a[i * ld + i] = 1;
    kernel.symmetric_update(a.data(), ld, panel.data(), panel.size() / ld);
    return a;
}
/// b - A x, with A in its upper triangle.
template <class S> double worst_residual(buffer<S> const& a, buffer<S> const& x, buffer<S> const& b) {
    std::size_t const ld = x.size();
    double worst = 0;
    for (std::size_t i = 0; i < ld; ++i) {
        double rest = wide(b[i]);
        for (std::size_t j = 0; j < ld; ++j) rest -= wide(a[std::min(i, j) * ld + std::max(i, j)]) * wide(x[j]);
        worst = std::max(worst, std::abs(rest));
    }
    return worst;
}

}

TEST_CASE_TEMPLATE("rows are padded to whole packs and to fours", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        for (std::size_t n = 1; n < 70; ++n) {
            auto const ld = kernel.padded(n);
            CHECK(ld >= n);
            CHECK(ld % kernel.width == 0);
            CHECK(ld % 4 == 0);
            CHECK(ld < n + std::max<std::size_t>(4, kernel.width));
        }
    }
}

TEST_CASE_TEMPLATE("symmetric_update adds V'V to the upper triangle, for every width and depth", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        std::size_t const step = kernel.padded(1);
        for (std::size_t ld = step; ld <= 12 * step; ld += step)
            for (std::size_t const depth : {0u, 1u, 2u, 7u, 64u}) {
                auto const panel = random_rows<S>(depth * ld, 1), before = random_rows<S>(ld * ld, 2);
                auto a = copy_of(before);
                kernel.symmetric_update(a.data(), ld, panel.data(), depth);
                double worst = 0;
                for (std::size_t i = 0; i < ld; ++i)
                    for (std::size_t j = i; j < ld; ++j) {
                        double sum = wide(before[i * ld + j]);
                        for (std::size_t k = 0; k < depth; ++k) sum += wide(panel[k * ld + i]) * wide(panel[k * ld + j]);
                        worst = std::max(worst, std::abs(sum - wide(a[i * ld + j])));
                    }
                CHECK(worst < tolerance<S>());
            }
    }
}

TEST_CASE_TEMPLATE("cholesky and its solve leave no residual, for every width", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        std::size_t const step = kernel.padded(1);
        for (std::size_t ld = step; ld <= 12 * step; ld += step)
            for (std::size_t const depth : {std::size_t{1}, ld / 2, 2 * ld}) {
                auto const a = positive_matrix(kernel, random_rows<S>(depth * ld, 3), ld);
                auto const b = random_rows<S>(ld, 4);
                auto u = copy_of(a), x = copy_of(b);
                REQUIRE(kernel.cholesky_blocks(u.data(), ld));
                kernel.cholesky_solve(u.data(), ld, x.data());
                CHECK(worst_residual(a, x, b) < 5 * tolerance<S>());
            }
    }
}

TEST_CASE_TEMPLATE("cholesky's diagonal is that of 1 / U, worked by hand", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        std::size_t const ld = kernel.padded(4);
        buffer<S> a(ld * ld, S{0}), b(ld, S{0});
        for (std::size_t i = 0; i < ld; ++i) a[i * ld + i] = 1;
        a[0] = 4, a[1] = 2, a[ld + 1] = 10; // U = (2 1; 0 3)
        b[0] = 8, b[1] = 22;                // x = (1, 2)
        auto blocks = copy_of(a);
        REQUIRE(kernel.cholesky(a.data(), ld));
        CHECK(wide(a[0]) == 0.5);
        CHECK(wide(a[1]) == 1);
        CHECK(wide(a[ld + 1]) == doctest::Approx(1.0 / 3).epsilon(1e-6));
        // With the blocks inverted, inv(U) = (1/2 -1/6; 0 1/3).
        REQUIRE(kernel.cholesky_blocks(blocks.data(), ld));
        CHECK(wide(blocks[0]) == 0.5);
        CHECK(wide(blocks[1]) == doctest::Approx(-1.0 / 6).epsilon(1e-6));
        CHECK(wide(blocks[ld]) == 0);
        CHECK(wide(blocks[ld + 1]) == doctest::Approx(1.0 / 3).epsilon(1e-6));
        kernel.cholesky_solve(blocks.data(), ld, b.data());
        CHECK(wide(b[0]) == doctest::Approx(1).epsilon(1e-6));
        CHECK(wide(b[1]) == doctest::Approx(2).epsilon(1e-6));
        CHECK(b[2] == 0);
    }
}

TEST_CASE_TEMPLATE("c29 cholesky reports a pivot that is not positive, wherever it is", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        std::size_t const ld = kernel.padded(20);
        for (std::size_t at = 0; at < ld; ++at)
            for (S const pivot : {S{0}, S{-1}, std::numeric_limits<S>::quiet_NaN()}) {
                buffer<S> a(ld * ld, S{0});
                for (std::size_t i = 0; i < ld; ++i) a[i * ld + i] = i == at ? pivot : S{1};
                auto blocks = copy_of(a);
                CHECK_FALSE(kernel.cholesky(a.data(), ld));
                CHECK_FALSE(kernel.cholesky_blocks(blocks.data(), ld));
            }
    }
}

TEST_CASE_TEMPLATE("add_rests adds what an x leaves of the rows' right-hand sides, in double", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        std::size_t const ld = kernel.padded(21), rows = 30;
        auto const z = random_rows<S>(rows * ld, 5);
        for (std::size_t const n : {0u, 1u, 3u, 4u, 5u, 29u, 70u}) {
            rs::random_stream random(7);
            std::vector<std::uint32_t> id(n);
            for (auto& i : id) i = static_cast<std::uint32_t>(random.below(rows));
            auto const right = random_rows<double>(n, 8), excess = random_rows<double>(n, 9), x = random_rows<double>(ld, 10);
            auto out = random_rows<double>(ld, 11);
            auto wanted = copy_of(out);
            for (std::size_t k = 0; k < n; ++k) {
                double rest = right[k];
                for (std::size_t j = 0; j < ld; ++j) rest -= excess[k] * wide(z[id[k] * ld + j]) * x[j];
                for (std::size_t j = 0; j < ld; ++j) wanted[j] += rest * wide(z[id[k] * ld + j]);
            }
            kernel.add_rests(z.data(), ld, id.data(), n, right.data(), excess.data(), x.data(), out.data());
            double worst = 0;
            for (std::size_t j = 0; j < ld; ++j) worst = std::max(worst, std::abs(out[j] - wanted[j]));
            CHECK(worst < 1e-12);
        }
    }
}

TEST_CASE_TEMPLATE("gather takes rows by number, scaled, and adds their weighted sum", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        std::size_t const ld = kernel.padded(21), rows = 30;
        auto const z = random_rows<S>(rows * ld, 5);
        for (std::size_t const n : {0u, 1u, 3u, 4u, 5u, 29u, 70u}) {
            rs::random_stream random(6);
            std::vector<std::uint32_t> id(n);
            for (auto& i : id) i = static_cast<std::uint32_t>(random.below(rows));
            auto const scale = random_rows<S>(n, 7), weight = random_rows<S>(n, 8), before = random_rows<S>(ld, 9);
            buffer<S> panel(n * ld, S{0});
            auto b = copy_of(before);
            kernel.gather(panel.data(), ld, z.data(), id.data(), scale.data(), weight.data(), n, b.data());
            double worst = 0;
            for (std::size_t j = 0; j < ld; ++j) {
                double sum = wide(before[j]);
                for (std::size_t k = 0; k < n; ++k) {
                    sum += wide(weight[k]) * wide(z[id[k] * ld + j]);
                    worst = std::max(worst, std::abs(wide(panel[k * ld + j]) - wide(scale[k]) * wide(z[id[k] * ld + j])));
                }
                worst = std::max(worst, std::abs(sum - wide(b[j])));
            }
            CHECK(worst < tolerance<S>());
            // Without the panel's scale the same sum:
            auto out = copy_of(before);
            kernel.weighted_sum(panel.data(), ld, n, weight.data(), out.data());
            for (std::size_t j = 0; j < ld; ++j) {
                double sum = wide(before[j]);
                for (std::size_t k = 0; k < n; ++k) sum += wide(weight[k]) * wide(panel[k * ld + j]);
                worst = std::max(worst, std::abs(sum - wide(out[j])));
            }
            CHECK(worst < tolerance<S>());
        }
    }
}

namespace {

/// On (I + share ridge + V'V) x = b, for rows in the order of V.
template <class S> void solve_by_steps(rs::detail::kernel_table<S> const& kernel, S const* v, std::size_t ld, std::size_t n, S const* ridge,
                                       S share, S const* b, S* x, std::size_t steps, S* rest, S* work) {
    std::vector<std::uint32_t> id(n);
    for (std::size_t k = 0; k < n; ++k) id[k] = static_cast<std::uint32_t>(k);
    std::vector<S> const ones(n, S{1}), zeros(n, S{0});
    std::vector<S> right(b, b + ld);
    kernel.conjugate_gradients(v, ld, id.data(), ones.data(), zeros.data(), n, nullptr, ridge, share, right.data(), x, steps, rest, work);
}

}

TEST_CASE_TEMPLATE("conjugate gradients on rows by number are those on scaled copies, in place and with a panel", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        std::size_t const ld = kernel.padded(17), rows = 40;
        auto const z = random_rows<S>(rows * ld, 20);
        for (std::size_t const n : {0u, 1u, 4u, 7u, 33u})
            for (std::size_t const steps : {0u, 3u}) {
                rs::random_stream random(n);
                std::vector<std::uint32_t> id(n);
                for (auto& i : id) i = static_cast<std::uint32_t>(random.below(rows));
                auto const root = random_rows<S>(n, 21), right = random_rows<S>(n, 22), start = random_rows<S>(ld, 23);
                buffer<S> excess(n), scaled(n * ld), panel(n * ld), rest(ld), work(3 * ld);
                auto b = copy_of(start), x = random_rows<S>(ld, 24), wanted_b = copy_of(start);
                auto in_place = copy_of(x), wanted = copy_of(x), in_place_b = copy_of(start);
                for (std::size_t k = 0; k < n; ++k) {
                    excess[k] = root[k] * root[k];
                    for (std::size_t j = 0; j < ld; ++j)
                        scaled[k * ld + j] = root[k] * z[id[k] * ld + j], wanted_b[j] += right[k] * z[id[k] * ld + j];
                }
                solve_by_steps<S>(kernel, scaled.data(), ld, n, nullptr, S{0}, wanted_b.data(), wanted.data(), steps, rest.data(),
                                  work.data());
                kernel.conjugate_gradients(z.data(), ld, id.data(), excess.data(), right.data(), n, panel.data(), nullptr, S{0}, b.data(),
                                           x.data(), steps, rest.data(), work.data());
                kernel.conjugate_gradients(z.data(), ld, id.data(), excess.data(), right.data(), n, nullptr, nullptr, S{0},
                                           in_place_b.data(), in_place.data(), steps, rest.data(), work.data());
                CHECK(std::equal(x.begin(), x.end(), in_place.begin()));
                CHECK(std::equal(b.begin(), b.end(), in_place_b.begin()));
                for (std::size_t j = 0; j < ld; ++j) {
                    CHECK(wide(x[j]) == doctest::Approx(wide(wanted[j])).epsilon(10 * tolerance<S>()).scale(1));
                    CHECK(wide(b[j]) == doctest::Approx(wide(wanted_b[j])).epsilon(tolerance<S>()).scale(1));
                }
            }
    }
}

TEST_CASE_TEMPLATE("conjugate gradients never move away from the solution, reach it, and tell their residual", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        for (std::size_t const n : {1u, 3u, 6u, 50u}) {
            std::size_t const ld = kernel.padded(17);
            auto const panel = random_rows<S>(n * ld, 10), b = random_rows<S>(ld, 11);
            auto const a = positive_matrix(kernel, panel, ld);
            buffer<S> rest(ld), work(3 * ld);
            double last = std::numeric_limits<double>::infinity();
            for (std::size_t const steps : {0u, 1u, 3u, 60u}) {
                buffer<S> x(ld, S{0});
                solve_by_steps(kernel, panel.data(), ld, n, static_cast<S const*>(nullptr), S{0}, b.data(), x.data(), steps, rest.data(),
                               work.data());
                double const worst = worst_residual(a, x, b);
                double told = 0;
                for (auto const r : rest) told = std::max(told, std::abs(wide(r)));
                CHECK(told == doctest::Approx(worst).epsilon(0.1).scale(100 * tolerance<S>()));
                double now = 0; // x'Ax - 2 b'x = -x'(b + residual)
                for (std::size_t j = 0; j < ld; ++j) now -= wide(x[j]) * (wide(b[j]) + wide(rest[j]));
                CHECK(now <= last + 10 * tolerance<S>());
                last = now;
                if (steps == 60) CHECK(worst < 10 * tolerance<S>());
            }
        }
    }
}

TEST_CASE_TEMPLATE("conjugate gradients with a ridge are those of a panel that has its root below", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        std::size_t const ld = kernel.padded(17), n = 30, more = 9;
        auto const panel = random_rows<S>(n * ld, 13), root = random_rows<S>(more * ld, 14), b = random_rows<S>(ld, 15);
        buffer<S> both((n + more) * ld), ridge(ld * ld, S{0}), rest(ld), work(3 * ld);
        S const share{4}; // its root is 2
        for (std::size_t i = 0; i < n * ld; ++i) both[i] = panel[i];
        for (std::size_t i = 0; i < more * ld; ++i) both[n * ld + i] = 2 * root[i];
        for (std::size_t k = 0; k < more; ++k)
            for (std::size_t i = 0; i < ld; ++i)
                for (std::size_t j = 0; j < ld; ++j) ridge[i * ld + j] += root[k * ld + i] * root[k * ld + j];
        for (std::size_t const steps : {0u, 1u, 3u}) {
            buffer<S> x(ld, S{1}), y(ld, S{1});
            solve_by_steps(kernel, both.data(), ld, n + more, static_cast<S const*>(nullptr), S{0}, b.data(), y.data(), steps, rest.data(),
                           work.data());
            solve_by_steps(kernel, panel.data(), ld, n, ridge.data(), share, b.data(), x.data(), steps, rest.data(), work.data());
            for (std::size_t j = 0; j < ld; ++j) CHECK(wide(x[j]) == doctest::Approx(wide(y[j])).epsilon(tolerance<S>()).scale(1));
        }
    }
}

TEST_CASE_TEMPLATE("c30 conjugate gradients stop before zero by zero: nothing to find, or found already", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        std::size_t const ld = kernel.padded(6), n = 5;
        buffer<S> const nothing(n * ld, S{0});
        auto const panel = random_rows<S>(n * ld, 12);
        buffer<S> rest(ld), work(3 * ld), b(ld, S{0}), x(ld, S{0});
        for (auto const* v : {&nothing, &panel}) { // b = 0 from x = 0
            solve_by_steps(kernel, v->data(), ld, n, static_cast<S const*>(nullptr), S{0}, b.data(), x.data(), 100, rest.data(),
                           work.data());
            for (auto const value : x) CHECK(value == 0);
        }
        for (std::size_t j = 0; j < ld; ++j) b[j] = x[j] = static_cast<S>(j); // V = 0: x = b is the solution
        solve_by_steps(kernel, nothing.data(), ld, n, static_cast<S const*>(nullptr), S{0}, b.data(), x.data(), 100, rest.data(),
                       work.data());
        for (std::size_t j = 0; j < ld; ++j) CHECK(x[j] == b[j]);
        for (auto& value : b) value = std::numeric_limits<S>::min(); // the square of b is 0
        std::fill(x.begin(), x.end(), S{0});
        solve_by_steps(kernel, panel.data(), ld, n, static_cast<S const*>(nullptr), S{0}, b.data(), x.data(), 100, rest.data(),
                       work.data());
        for (auto const value : x) CHECK(std::isfinite(value));
    }
}

TEST_CASE_TEMPLATE("transform multiplies by a triangle in double; a row does not depend on the rows beside it", S, float, double) {
    for (auto const level : levels()) {
        auto const kernel = rs::detail::kernels<S>(level);
        for (std::size_t const n : {1u, 7u, 8u, 13u, 24u, 40u})
            for (bool const upper : {true, false}) {
                std::size_t const ld = (n + 7) / 8 * 8, in_ld = n + 3, rows = 9;
                buffer<double> m(n * ld, 0.0);
                auto const numbers = random_rows<double>(n * ld, 13);
                for (std::size_t i = 0; i < n; ++i)
                    for (std::size_t j = 0; j < n; ++j)
                        if (upper ? i <= j : i >= j) m[i * ld + j] = numbers[i * ld + j];
                auto const in = random_rows<S>(rows * in_ld, 14);
                buffer<double> out(rows * ld), alone(ld);
                kernel.transform(m.data(), ld, n, upper, in.data(), in_ld, rows, out.data());
                double worst = 0;
                bool same = true;
                for (std::size_t r = 0; r < rows; ++r) {
                    for (std::size_t j = 0; j < ld; ++j) {
                        double sum = 0;
                        for (std::size_t i = 0; i < n; ++i) sum += m[i * ld + j] * wide(in[r * in_ld + i]);
                        worst = std::max(worst, std::abs(sum - out[r * ld + j]));
                    }
                    kernel.transform(m.data(), ld, n, upper, in.data() + r * in_ld, in_ld, 1, alone.data());
                    same = same && std::equal(alone.begin(), alone.end(), out.begin() + r * ld);
                }
                CHECK(worst < 1e-13);
                CHECK(same);
            }
    }
}
