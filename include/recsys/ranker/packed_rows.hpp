// SPDX-License-Identifier: MIT
// Training rows as bytes: which byte of a record holds which feature, and the bytes of every row, from which records are made.
#ifndef RECSYS_RANKER_PACKED_ROWS_HPP
#define RECSYS_RANKER_PACKED_ROWS_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/hash.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// How many bytes of bins a record has at most; wider data takes several records a row ("blocks").
inline constexpr std::size_t most_record_bins = 28;
/// The size of a record of so many bytes of bins: with weight and gradient, in whole words of 64 bits.
constexpr std::size_t record_size(std::size_t n_bins) noexcept { return (n_bins + 4 + 7) / 8 * 8; }

/// Where a feature lies: bits `shift` .. of a byte; a byte may hold several small features.
struct packed_field {
    std::uint32_t block = 0;
    std::uint8_t byte = 0;
    std::uint8_t shift = 0;
    std::uint8_t mask = 0; ///< the field's bits in their place
    std::uint16_t n_bins = 0;

    std::uint8_t bin(std::uint8_t of) const noexcept { return static_cast<std::uint8_t>((of & mask) >> shift); }
};

/// The places of all features. Bytes of features that differ between permutations come last and hold no others, so that the others are kept once.
class packed_layout {
public:
    packed_layout() = default;
    /// @param n_bins  of each feature; @param permuted  whether its bins differ between permutations.
    packed_layout(std::span<std::size_t const> n_bins, std::span<char const> permuted) : m_fields(n_bins.size()) {
        for (bool const late : {false, true}) {
            for (std::size_t bits = 8; bits > 0; bits /= 2)
                for (std::size_t f = 0; f < n_bins.size(); ++f)
                    if ((permuted[f] != 0) == late && bits_of(n_bins[f]) == bits) place(f, n_bins[f], bits);
            if (!late) m_common_bytes = m_open = m_free_bits.size();
        }
    }
    std::span<packed_field const> fields() const noexcept { return m_fields; }
    std::size_t n_bytes() const noexcept { return m_free_bits.size(); }
    std::size_t n_blocks() const noexcept { return (n_bytes() + most_record_bins - 1) / most_record_bins; }
    /// How many bytes of a block are used.
    std::size_t used_bytes(std::size_t block) const noexcept { return std::min(most_record_bins, n_bytes() - block * most_record_bins); }
    /// How many of them, the first ones, are the same in every permutation.
    std::size_t common_bytes(std::size_t block) const noexcept {
        std::size_t const before = block * most_record_bins;
        return m_common_bytes < before ? 0 : std::min(used_bytes(block), m_common_bytes - before);
    }
    std::size_t record_size(std::size_t block) const noexcept { return detail::record_size(used_bytes(block)); }

private:
    static std::size_t bits_of(std::size_t n_bins) noexcept { return n_bins <= 2 ? 1 : n_bins <= 4 ? 2 : n_bins <= 16 ? 4 : 8; }
    void place(std::size_t feature, std::size_t n_bins, std::size_t bits) {
        auto const open = m_free_bits.begin() + static_cast<std::ptrdiff_t>(m_open);
        auto at = bits == 8 ? m_free_bits.end() : std::find_if(open, m_free_bits.end(), [&](std::size_t free) { return free >= bits; });
        if (at == m_free_bits.end()) at = m_free_bits.insert(m_free_bits.end(), 8);
        auto const byte = static_cast<std::size_t>(at - m_free_bits.begin());
        auto const shift = 8 - *at;
        *at -= bits;
        auto& f = m_fields[feature];
        f.block = static_cast<std::uint32_t>(byte / most_record_bins), f.byte = static_cast<std::uint8_t>(byte % most_record_bins);
        f.shift = static_cast<std::uint8_t>(shift), f.mask = static_cast<std::uint8_t>(((1u << bits) - 1) << shift);
        f.n_bins = static_cast<std::uint16_t>(n_bins);
    }

    std::vector<packed_field> m_fields;
    std::vector<std::size_t> m_free_bits; // of each byte
    std::size_t m_common_bytes = 0, m_open = 0;
};

/// The bytes of all rows, row after row: for each block its common bytes, and for each permutation the others.
class packed_rows {
public:
    /// The first byte of the first row, and how far it is to that of the next.
    template <class Byte> struct strided {
        Byte* first;
        std::size_t stride;
        Byte* of(std::size_t row) const noexcept { return first + row * stride; }
    };

    static constexpr std::size_t readable_bytes = 144; ///< from any row on: byte_leaves reads 128 from its byte 16 on

    packed_rows() = default;
    packed_rows(packed_layout layout, std::size_t n_rows, std::size_t permutations) : m_layout(std::move(layout)), m_n_rows(n_rows) {
        for (std::size_t b = 0; b < m_layout.n_blocks(); ++b) {
            std::size_t const common = m_layout.common_bytes(b), others = m_layout.used_bytes(b) - common;
            auto& parts = m_bytes.emplace_back();
            parts.emplace_back(n_rows * common + readable_bytes, std::uint8_t{0});
            for (std::size_t p = 0; p < (others > 0 ? permutations : 0); ++p)
                parts.emplace_back(n_rows * others + readable_bytes, std::uint8_t{0});
        }
    }
    packed_layout const& layout() const noexcept { return m_layout; }
    std::size_t n_rows() const noexcept { return m_n_rows; }
    /// Of a block; readable_bytes can be read from any row on.
    strided<std::uint8_t const> common(std::size_t block) const noexcept {
        return {m_bytes[block][0].data(), m_layout.common_bytes(block)};
    }
    strided<std::uint8_t const> others(std::size_t block, std::size_t permutation) const noexcept {
        std::size_t const stride = m_layout.used_bytes(block) - m_layout.common_bytes(block);
        return {m_bytes[block][stride == 0 ? 0 : 1 + permutation].data(), stride};
    }
    /// The bytes that hold a feature.
    strided<std::uint8_t const> column(packed_field const& f, std::size_t permutation) const noexcept {
        std::size_t const common = m_layout.common_bytes(f.block);
        if (f.byte < common) return {m_bytes[f.block][0].data() + f.byte, common};
        return {m_bytes[f.block][1 + permutation].data() + (f.byte - common), m_layout.used_bytes(f.block) - common};
    }
    strided<std::uint8_t> column(packed_field const& f, std::size_t permutation) noexcept {
        auto const bytes = std::as_const(*this).column(f, permutation);
        return {const_cast<std::uint8_t*>(bytes.first), bytes.stride};
    }

    /// Of everything that is in them.
    std::uint64_t hash(std::uint64_t hash) const noexcept {
        for (auto const& parts : m_bytes)
            for (auto const& part : parts) hash = hash_bytes({reinterpret_cast<char const*>(part.data()), part.size()}, hash);
        return hash;
    }

private:
    packed_layout m_layout;
    std::size_t m_n_rows = 0;
    std::vector<std::vector<buffer<std::uint8_t>>> m_bytes;
};

/// Writes records of one block, one after the other, up to an end that must not be passed: the next ones may be another thread's.
class record_writer {
public:
    record_writer(packed_rows const& rows, std::size_t block, std::size_t permutation)
        : m_common(rows.common(block)), m_others(rows.others(block, permutation)), m_size(rows.layout().record_size(block)) {}
    std::size_t size() const noexcept { return m_size; }
    void open(std::uint8_t* to, std::uint8_t* end) noexcept { m_to = to, m_end = end; }

    /// The records of rows row .. row + n - 1 whose factor is not 0. @param parts  weight and gradient of each.
    void write(std::size_t row, std::size_t n, float const* factors, std::uint32_t const* parts) noexcept {
        std::size_t i = 0;
        auto* to = m_to;
        // Every row is written, one that is left out is overwritten by the next: no branch to guess wrong. Bytes are copied in large pieces,
        // what they write beyond the record too.
        for (; i < n && static_cast<std::size_t>(m_end - to) >= widest; ++i) {
            fill(row + i, parts[i], to);
            to += factors[i] > 0.f ? m_size : 0;
        }
        for (; i < n && to != m_end; ++i) {
            std::uint8_t one[widest];
            fill(row + i, parts[i], one);
            std::memcpy(to, one, m_size);
            to += factors[i] > 0.f ? m_size : 0;
        }
        m_to = to;
    }

private:
    static constexpr std::size_t widest = 64; ///< bytes from a record's begin that may be written

    static void copy(std::uint8_t const* from, std::size_t n, std::uint8_t* to) noexcept {
        if (n <= 8) std::memcpy(to, from, 8);
        else if (n <= 16) std::memcpy(to, from, 16);
        else std::memcpy(to, from, 32);
    }
    void fill(std::size_t row, std::uint32_t part, std::uint8_t* to) const noexcept {
        copy(m_common.of(row), m_common.stride, to);
        copy(m_others.of(row), m_others.stride, to + m_common.stride);
        std::memcpy(to + m_size - sizeof part, &part, sizeof part);
    }

    packed_rows::strided<std::uint8_t const> m_common, m_others;
    std::size_t m_size;
    std::uint8_t *m_to = nullptr, *m_end = nullptr;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
