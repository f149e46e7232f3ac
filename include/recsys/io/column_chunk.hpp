// SPDX-License-Identifier: MIT
// One column's values of one block in few bits: offsets from the least, differences, or runs, whichever is smallest.
//
// A chunk is a sequence of 64-bit words. Integers: a word with the way (0 offsets, 1 differences, 2 runs; from bit 8 on the number of
// runs), then packed numbers: their width in bits, the least, the common factor of what is above it, the bits, a zero word. Differences
// have the first value before them. Signed integers come with their top bit turned over, which keeps their order. Texts: their lengths as
// integers, then their bytes, zero-filled to a word. Lists: their lengths, then all their elements. Floating-point numbers: as they are.
#ifndef RECSYS_IO_COLUMN_CHUNK_HPP
#define RECSYS_IO_COLUMN_CHUNK_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recsys/core/error.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

inline constexpr std::uint64_t top_bit = std::uint64_t{1} << 63;
/// What a chunk may hold, so that a damaged length cannot ask for all of the memory.
inline constexpr std::uint64_t most_in_chunk = std::uint64_t{1} << 28;

enum class packing : std::uint64_t { offsets, differences, runs };

class chunk_writer {
public:
    void clear() { m_words.clear(); }
    std::span<std::uint64_t const> words() const noexcept { return m_words; }

    void bytes(void const* from, std::size_t n) {
        std::size_t const at = m_words.size();
        m_words.resize(at + (n + 7) / 8);
        if (n > 0) std::memcpy(m_words.data() + at, from, n);
    }
    void integers(std::span<std::uint64_t const> values) {
        if (values.empty()) return;
        std::uint64_t least = values[0], most = values[0], n_runs = 1, least_step = ~std::uint64_t{0}, most_step = 0;
        for (std::size_t i = 1; i < values.size(); ++i) {
            std::uint64_t const v = values[i], step = (v - values[i - 1]) ^ top_bit;
            least = std::min(least, v), most = std::max(most, v);
            least_step = std::min(least_step, step), most_step = std::max(most_step, step);
            n_runs += step != top_bit;
        }
        std::uint64_t const n = values.size(), width = bits_of(most - least), step_width = n > 1 ? bits_of(most_step - least_step) : 0;
        std::uint64_t const as_offsets = n * width, as_steps = n * step_width + 192, as_runs = n_runs * (width + bits_of(n)) + 192;
        if (as_offsets <= std::min(as_steps, as_runs)) m_words.push_back(0), pack(values);
        else if (as_steps <= as_runs) pack_steps(values);
        else pack_runs(values, n_runs);
    }

private:
    static std::uint64_t bits_of(std::uint64_t x) noexcept { return static_cast<std::uint64_t>(std::bit_width(x)); }

    void pack_steps(std::span<std::uint64_t const> values) {
        m_words.push_back(static_cast<std::uint64_t>(packing::differences));
        m_words.push_back(values[0]);
        m_scratch.resize(values.size() - 1);
        for (std::size_t i = 1; i < values.size(); ++i) m_scratch[i - 1] = (values[i] - values[i - 1]) ^ top_bit;
        pack(m_scratch);
    }
    void pack_runs(std::span<std::uint64_t const> values, std::uint64_t n_runs) {
        m_words.push_back(static_cast<std::uint64_t>(packing::runs) | n_runs << 8);
        m_scratch.clear();
        std::vector<std::uint64_t> lengths;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (i == 0 || values[i] != values[i - 1]) m_scratch.push_back(values[i]), lengths.push_back(0);
            ++lengths.back();
        }
        pack(m_scratch);
        pack(lengths);
    }
    void pack(std::span<std::uint64_t const> values) {
        std::uint64_t least = ~std::uint64_t{0}, most = 0, factor = 0;
        for (auto const v : values) least = std::min(least, v), most = std::max(most, v);
        if (values.empty()) least = 0;
        // Days kept as microseconds have a large common factor; most columns have none, which shows at once.
        for (std::size_t i = 0; i < values.size() && factor != 1; ++i) factor = std::gcd(factor, values[i] - least);
        factor = std::max<std::uint64_t>(factor, 1);
        auto const width = static_cast<unsigned>(bits_of((most - std::min(least, most)) / factor));
        m_words.insert(m_words.end(), {width, least, factor});
        if (width == 0) return;
        std::size_t at = m_words.size();
        m_words.resize(at + static_cast<std::size_t>((std::uint64_t{values.size()} * width + 63) / 64) + 1);
        auto const put = [&](auto const& offset) {
            std::uint64_t word = 0;
            unsigned filled = 0;
            for (auto const v : values) {
                std::uint64_t const x = offset(v);
                word |= x << filled;
                filled += width;
                if (filled < 64) continue;
                m_words[at++] = word;
                filled -= 64;
                word = filled == 0 ? 0 : x >> (width - filled);
            }
            if (filled > 0) m_words[at] = word;
        };
        if (factor == 1) put([=](std::uint64_t v) { return v - least; });
        else put([=](std::uint64_t v) { return (v - least) / factor; });
    }

    std::vector<std::uint64_t> m_words, m_scratch;
};

/// Reads what a chunk_writer wrote. Whatever does not fit is an error of the place that `where` names.
class chunk_reader {
public:
    chunk_reader(std::span<std::uint64_t const> words, std::string const& where) noexcept : m_words(words), m_where(&where) {}

    [[noreturn]] void fail(std::string_view what) const { throw_format(*m_where, ": ", what); }

    void end() const {
        if (!m_words.empty()) fail("has more data than values");
    }
    /// The next n bytes, and what fills them up to a word.
    std::span<std::byte const> bytes(std::uint64_t n) { return std::as_bytes(take((n + 7) / 8)).first(static_cast<std::size_t>(n)); }

    void integers(std::span<std::uint64_t> out) {
        if (out.empty()) return;
        std::uint64_t const head = take(1)[0];
        if (head == static_cast<std::uint64_t>(packing::offsets)) unpack(out);
        else if (head == static_cast<std::uint64_t>(packing::differences)) unpack_steps(out);
        else if ((head & 255) == static_cast<std::uint64_t>(packing::runs)) unpack_runs(out, head >> 8);
        else fail("is packed in a way that this library does not know");
    }
    /// Lengths of n texts or lists, and their sum.
    std::uint64_t lengths(std::span<std::uint64_t> out) {
        integers(out);
        std::uint64_t sum = 0;
        for (auto const n : out) {
            if (n > most_in_chunk - sum) fail("has lengths that are too large");
            sum += n;
        }
        return sum;
    }

private:
    std::span<std::uint64_t const> take(std::uint64_t n) {
        if (n > m_words.size()) fail("ends too early");
        auto const out = m_words.first(static_cast<std::size_t>(n));
        m_words = m_words.subspan(out.size());
        return out;
    }
    void unpack_steps(std::span<std::uint64_t> out) {
        out[0] = take(1)[0];
        unpack(out.subspan(1));
        for (std::size_t i = 1; i < out.size(); ++i) out[i] = out[i - 1] + (out[i] ^ top_bit);
    }
    void unpack_runs(std::span<std::uint64_t> out, std::uint64_t n_runs) {
        if (n_runs > out.size()) fail("has more runs than values");
        std::vector<std::uint64_t> values(static_cast<std::size_t>(n_runs)), lengths(values.size());
        unpack(values), unpack(lengths);
        std::size_t at = 0;
        for (std::size_t r = 0; r < values.size(); ++r) {
            if (lengths[r] > out.size() - at) fail("has more values than rows");
            std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::size_t>(lengths[r]), values[r]);
            at += static_cast<std::size_t>(lengths[r]);
        }
        if (at != out.size()) fail("has fewer values than rows");
    }
    void unpack(std::span<std::uint64_t> out) {
        auto const head = take(3);
        std::uint64_t const width = head[0], least = head[1], factor = head[2];
        if (width > 64) fail("has numbers of more than 64 bits");
        if (width == 0) return std::fill(out.begin(), out.end(), least);
        auto const* const words = take((std::uint64_t{out.size()} * width + 63) / 64 + 1).data();
        std::uint64_t const mask = ~std::uint64_t{0} >> (64 - width);
        std::uint64_t bit = 0;
        for (auto& to : out) {
            auto const* const at = words + bit / 64;
            auto const shift = static_cast<unsigned>(bit % 64);
            to = ((at[0] >> shift | at[1] << 1 << (63 - shift)) & mask) * factor + least;
            bit += width;
        }
    }

    std::span<std::uint64_t const> m_words;
    std::string const* m_where;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
