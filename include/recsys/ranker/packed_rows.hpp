// SPDX-License-Identifier: MIT
// Training rows as bytes: which byte of a record holds which feature, and the bytes of every row, ready to be copied into records.
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

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// How many bytes of bins a record has; wider data takes several records a row ("blocks").
inline constexpr std::size_t record_bytes = 12;

/// Where a feature lies: bits `shift` .. of a byte; a byte may hold several small features.
struct packed_field {
    std::uint32_t block = 0;
    std::uint8_t byte = 0;
    std::uint8_t shift = 0;
    std::uint8_t mask = 0; ///< the field's bits in their place
    std::uint16_t n_bins = 0;

    std::uint8_t bin(std::uint8_t of) const noexcept { return static_cast<std::uint8_t>((of & mask) >> shift); }
};

/// The places of all features. Features that differ between permutations come last, so that blocks without them are kept once.
class packed_layout {
public:
    packed_layout() = default;
    /// @param n_bins  of each feature; @param permuted  whether its bins differ between permutations.
    packed_layout(std::span<std::size_t const> n_bins, std::span<char const> permuted) : m_fields(n_bins.size()) {
        for (bool const late : {false, true})
            for (std::size_t bits = 8; bits > 0; bits /= 2)
                for (std::size_t f = 0; f < n_bins.size(); ++f)
                    if ((permuted[f] != 0) == late && bits_of(n_bins[f]) == bits) place(f, n_bins[f], bits);
        m_permuted.assign(n_blocks(), false);
        for (std::size_t f = 0; f < n_bins.size(); ++f)
            if (permuted[f]) m_permuted[m_fields[f].block] = true;
    }
    std::span<packed_field const> fields() const noexcept { return m_fields; }
    std::size_t n_bytes() const noexcept { return m_free_bits.size(); }
    std::size_t n_blocks() const noexcept { return (n_bytes() + record_bytes - 1) / record_bytes; }
    /// How many bytes of a block are used.
    std::size_t used_bytes(std::size_t block) const noexcept { return std::min(record_bytes, n_bytes() - block * record_bytes); }
    bool permuted(std::size_t block) const noexcept { return m_permuted[block]; }

private:
    static std::size_t bits_of(std::size_t n_bins) noexcept { return n_bins <= 2 ? 1 : n_bins <= 4 ? 2 : n_bins <= 16 ? 4 : 8; }
    void place(std::size_t feature, std::size_t n_bins, std::size_t bits) {
        auto at = bits == 8 ? m_free_bits.end()
                            : std::find_if(m_free_bits.begin(), m_free_bits.end(), [&](std::size_t free) { return free >= bits; });
        if (at == m_free_bits.end()) at = m_free_bits.insert(m_free_bits.end(), 8);
        auto const byte = static_cast<std::size_t>(at - m_free_bits.begin());
        auto const shift = 8 - *at;
        *at -= bits;
        auto& f = m_fields[feature];
        f.block = static_cast<std::uint32_t>(byte / record_bytes), f.byte = static_cast<std::uint8_t>(byte % record_bytes);
        f.shift = static_cast<std::uint8_t>(shift), f.mask = static_cast<std::uint8_t>(((1u << bits) - 1) << shift);
        f.n_bins = static_cast<std::uint16_t>(n_bins);
    }

    std::vector<packed_field> m_fields;
    std::vector<std::size_t> m_free_bits; // of each byte
    std::vector<bool> m_permuted;         // of each block
};

/// The bytes of all rows, row after row, for each block and permutation.
class packed_rows {
public:
    packed_rows() = default;
    packed_rows(packed_layout layout, std::size_t n_rows, std::size_t permutations) : m_layout(std::move(layout)), m_n_rows(n_rows) {
        for (std::size_t b = 0; b < m_layout.n_blocks(); ++b) {
            auto& copies = m_bytes.emplace_back();
            for (std::size_t p = 0; p < (m_layout.permuted(b) ? permutations : 1); ++p)
                copies.emplace_back(n_rows * record_bytes, std::uint8_t{0});
        }
    }
    packed_layout const& layout() const noexcept { return m_layout; }
    std::size_t n_rows() const noexcept { return m_n_rows; }
    std::uint8_t const* bytes(std::size_t block, std::size_t permutation) const noexcept {
        auto const& copies = m_bytes[block];
        return copies[copies.size() == 1 ? 0 : permutation].data();
    }
    /// The first byte of the field of a feature: the next row's is record_bytes further on.
    std::uint8_t* column(packed_field const& f, std::size_t permutation) noexcept {
        auto& copies = m_bytes[f.block];
        return copies[copies.size() == 1 ? 0 : permutation].data() + f.byte;
    }
    /// How many copies a field has.
    std::size_t copies(packed_field const& f) const noexcept { return m_bytes[f.block].size(); }

private:
    packed_layout m_layout;
    std::size_t m_n_rows = 0;
    std::vector<std::vector<buffer<std::uint8_t>>> m_bytes;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
