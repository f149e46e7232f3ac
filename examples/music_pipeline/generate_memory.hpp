// SPDX-License-Identifier: MIT
// Arrays of gigabytes that are read at random: in large pages where the system has them, and asked for ahead.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_MEMORY_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_MEMORY_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace music {

/// Says where memory will be needed soon. Whatever calls it must be inlined too: GCC takes a function that only does this for one without
/// effect, and drops the call.
#if defined(__GNUC__)
#define MUSIC_INLINE [[gnu::always_inline]] inline
MUSIC_INLINE void prefetch(void const* p) { __builtin_prefetch(p); }
#else
#define MUSIC_INLINE inline
inline void prefetch(void const*) {}
#endif

/// A fixed number of plain values, not initialised unless asked. With small pages most of the time went into finding out where a page is.
template <class Value> class large_array {
    static_assert(std::is_trivially_copyable_v<Value>);

public:
    large_array() = default;
    explicit large_array(std::size_t n)
        : m_data(n == 0 ? nullptr : static_cast<Value*>(::operator new (n * sizeof(Value), std::align_val_t{alignment}))), m_size(n) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        if (n * sizeof(Value) >= alignment) static_cast<void>(::madvise(m_data.get(), n * sizeof(Value), MADV_HUGEPAGE));
#endif
    }
    large_array(std::size_t n, Value const& value) : large_array(n) { std::fill_n(m_data.get(), n, value); }

    std::size_t size() const { return m_size; }
    Value* data() { return m_data.get(); }
    Value const* data() const { return m_data.get(); }
    Value& operator[](std::size_t i) { return m_data.get()[i]; }
    Value const& operator[](std::size_t i) const { return m_data.get()[i]; }
    std::span<Value> span() { return {data(), m_size}; }
    std::span<Value const> span() const { return {data(), m_size}; }

private:
    static constexpr std::size_t alignment = std::size_t{1} << 21;
    struct release {
        void operator()(Value* p) const { ::operator delete (p, std::align_val_t{alignment}); }
    };
    std::unique_ptr<Value[], release> m_data;
    std::size_t m_size = 0;
};

using numbers = large_array<std::uint32_t>;

}

#endif
