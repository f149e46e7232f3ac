// SPDX-License-Identifier: MIT
// Numbers to bins: greedy log-sum borders, one rule for missing values at fit and prediction.
#ifndef RECSYS_RANKER_BINNING_HPP
#define RECSYS_RANKER_BINNING_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <queue>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/simd/select_leaves.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

/// Where a missing number (NaN) goes: below every number, above every number, or nowhere: an error at fit and at prediction.
/// A column that had missing values when it was fitted keeps them apart by a border of their own; one that had none treats a missing value
/// at prediction as the lowest (highest) number.
enum class missing_numbers : std::uint8_t { lowest, highest, forbidden };

namespace detail {

inline constexpr std::size_t max_borders = 255; ///< bins are 0 .. 255
inline constexpr float infinite = std::numeric_limits<float>::infinity();

/// A number as it is compared with borders: a missing one beyond all others, infinities as the largest finite numbers.
inline float comparable_number(float x, missing_numbers missing) noexcept {
    if (std::isnan(x)) return missing == missing_numbers::highest ? infinite : -infinite;
    return std::min(std::max(x, -greatest_number), greatest_number);
}

/// Distinct values in rising order with the weight of the rows up to and with each.
struct weighted_values {
    std::vector<float> values;
    std::vector<double> total;
    bool missing = false;
};

/// Bits of a float that order as the numbers do; both zeros are one.
inline std::uint32_t ordered_bits(float x) noexcept {
    auto const bits = bit_cast<std::uint32_t>(x + 0.f);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
inline float from_ordered_bits(std::uint32_t bits) noexcept { return bit_cast<float>(bits & 0x80000000u ? bits & 0x7FFFFFFFu : ~bits); }

/// Sorts by the upper 32 bits, stably: three rounds of 11 bits. O(n).
template <class Entry> void sort_by_key(std::vector<Entry>& entries) {
    constexpr int first = std::numeric_limits<Entry>::digits - 32;
    std::vector<Entry> other(entries.size());
    for (int const shift : {first, first + 11, first + 22}) {
        std::array<std::size_t, 2048> start{};
        for (auto const e : entries) ++start[(e >> shift) & 2047];
        std::size_t at = 0;
        for (auto& s : start) at += std::exchange(s, at);
        for (auto const e : entries) other[start[(e >> shift) & 2047]++] = e;
        entries.swap(other);
    }
}

/// As distinct_values; entries of 64 bits know their rows, those of 32 bits count 1 each.
template <class Entry> weighted_values values_by(std::span<float const> numbers, std::span<float const> weights) {
    constexpr bool with_rows = sizeof(Entry) == 8;
    weighted_values out;
    std::vector<Entry> entries;
    entries.reserve(numbers.size());
    for (std::size_t row = 0; row < numbers.size(); ++row) {
        if (std::isnan(numbers[row])) out.missing = true;
        else {
            Entry const key = ordered_bits(std::min(std::max(numbers[row], -greatest_number), greatest_number));
            if constexpr (with_rows) entries.push_back(key << 32 | static_cast<std::uint32_t>(row));
            else entries.push_back(key);
        }
    }
    sort_by_key(entries);
    auto const key_of = [&](std::size_t i) { return static_cast<std::uint32_t>(entries[i] >> (with_rows ? 32 : 0)); };
    auto const is_last = [&](std::size_t i) { return i + 1 == entries.size() || key_of(i + 1) != key_of(i); };
    std::size_t n = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) n += is_last(i);
    out.values.reserve(n), out.total.reserve(n);
    double total = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if constexpr (with_rows) total += static_cast<double>(weights[static_cast<std::uint32_t>(entries[i])]);
        else total += 1;
        if (!is_last(i)) continue;
        out.values.push_back(from_ordered_bits(key_of(i)));
        out.total.push_back(total);
    }
    return out;
}
/// @param weights  empty = 1 each; otherwise all above 0.
inline weighted_values distinct_values(std::span<float const> numbers, std::span<float const> weights) {
    return weights.empty() ? values_by<std::uint32_t>(numbers, weights) : values_by<std::uint64_t>(numbers, weights);
}

/// A border between two neighbouring values: their mean, or the lower one where the mean is not below the upper one.
inline float border_between(float low, float high) noexcept {
    auto const middle = static_cast<float>((static_cast<double>(low) + static_cast<double>(high)) / 2);
    return middle >= low && middle < high ? middle : low;
}

/// Values first .. last - 1 of weighted_values as one bin, with its best cut.
struct value_bin {
    std::size_t first, last, cut = 0;
    double gain = -1;
    friend bool operator<(value_bin const& a, value_bin const& b) { return a.gain != b.gain ? a.gain < b.gain : a.first > b.first; }
};

/// The better of the two cuts around the run of equal values at the middle; gain = log(left) + log(right) - log(all).
inline value_bin with_best_cut(weighted_values const& v, std::size_t first, std::size_t last) {
    value_bin out{first, last};
    if (last - first < 2) return out;
    double const below = first == 0 ? 0 : v.total[first - 1], all = v.total[last - 1] - below;
    auto const from = v.total.begin() + static_cast<std::ptrdiff_t>(first), to = v.total.begin() + static_cast<std::ptrdiff_t>(last);
    auto const run = static_cast<std::size_t>(std::lower_bound(from, to, below + all / 2) - v.total.begin());
    out.gain = -infinite;
    for (auto const cut : {run, run + 1}) {
        if (cut <= first || cut >= last) continue;
        double const left = v.total[cut - 1] - below;
        double const gain = std::log(left) + std::log(all - left) - std::log(all);
        if (gain > out.gain) out.gain = gain, out.cut = cut;
    }
    return out;
}

/// At most `most` borders in rising order, none where there is one value. A number's bin is the count of borders below it.
/// Source: greedy minimisation of the sum of logarithms of bin weights, as CatBoost's GreedyLogSum. O(n + borders log n).
inline std::vector<float> greedy_borders(weighted_values const& v, std::size_t most) {
    std::vector<float> borders;
    std::priority_queue<value_bin> bins;
    auto const push = [&](std::size_t first, std::size_t last) {
        if (auto const bin = with_best_cut(v, first, last); bin.cut != 0) bins.push(bin);
    };
    if (!v.values.empty()) push(0, v.values.size());
    while (!bins.empty() && borders.size() < most) {
        auto const bin = bins.top();
        bins.pop();
        borders.push_back(border_between(v.values[bin.cut - 1], v.values[bin.cut]));
        push(bin.first, bin.cut), push(bin.cut, bin.last);
    }
    std::sort(borders.begin(), borders.end());
    return borders;
}

/// Borders of a number column, with the one that keeps missing values apart where there are some.
inline std::vector<float> number_borders(std::span<float const> numbers, std::span<float const> weights, std::size_t most,
                                         missing_numbers rule) {
    auto const values = distinct_values(numbers, weights);
    auto borders = greedy_borders(values, most);
    if (values.missing && !values.values.empty()) {
        if (rule == missing_numbers::highest) borders.push_back(greatest_number);
        else borders.insert(borders.begin(), -infinite);
    }
    return borders;
}

/// Borders in a table of one size, so that every search takes the same steps.
class border_table {
public:
    border_table() { m_at.fill(infinite); }
    explicit border_table(std::span<float const> borders) : border_table() {
        m_size = std::min(borders.size(), max_borders);
        std::copy_n(borders.begin(), m_size, m_at.begin());
        for (std::size_t group = 0; group < 16; ++group) m_at[256 + group] = m_at[16 * group + 15];
        for (m_steps = 1; std::size_t{2} << (m_steps - 1) <= borders.size(); ++m_steps) {}
    }
    std::size_t size() const noexcept { return m_size; }
    /// How many borders are below a comparable number.
    std::uint8_t bin(float x) const noexcept {
        std::size_t at = 0;
        for (int s = m_steps; s-- > 0;) at += step(x, at, s);
        return static_cast<std::uint8_t>(at);
    }
    /// The bins of n numbers.
    void bins(bin_table const& kernels, float const* numbers, std::size_t n, missing_numbers missing, std::uint8_t* out) const noexcept {
        kernels.bin_numbers(numbers, n, missing == missing_numbers::highest ? infinite : -infinite, m_at.data(), m_size, out);
    }
    /// The same for the numbers number(0) .. number(n - 1), none of which is NaN; several searches at a time hide each other's waiting.
    template <class Number> void bins_of(Number const& number, std::size_t n, std::uint8_t* out) const noexcept {
        constexpr std::size_t together = 8;
        std::size_t i = 0;
        for (; i + together <= n; i += together) {
            float x[together];
            std::size_t at[together] = {};
            for (std::size_t k = 0; k < together; ++k) x[k] = number(i + k);
            for (int s = m_steps; s-- > 0;)
                for (std::size_t k = 0; k < together; ++k) at[k] += step(x[k], at[k], s);
            for (std::size_t k = 0; k < together; ++k) out[i + k] = static_cast<std::uint8_t>(at[k]);
        }
        for (; i < n; ++i) out[i] = bin(number(i));
    }

private:
    /// How far a search goes on from a place: 0 or 2^s. A shift, since compilers make a jump of a choice, which is wrong every second time.
    std::size_t step(float x, std::size_t at, int s) const noexcept {
        return static_cast<std::size_t>(m_at[at + (std::size_t{1} << s) - 1] < x) << s;
    }
    alignas(64) std::array<float, 256 + 16> m_at; ///< filled up with infinity; then the last one of each group of sixteen
    std::size_t m_size = 0;
    int m_steps = 0;
};

}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
