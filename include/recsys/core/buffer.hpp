// SPDX-License-Identifier: MIT
// Memory: aligned buffers that are filled once, and immutable arrays that share them.
#ifndef RECSYS_CORE_BUFFER_HPP
#define RECSYS_CORE_BUFFER_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <recsys/core/error.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

inline constexpr std::size_t buffer_alignment = 64;

/// n * size without wrapping.
inline std::size_t checked_product(std::size_t n, std::size_t size, char const* where) {
    if (size != 0 && n > std::numeric_limits<std::size_t>::max() / size) throw_data(where, ": ", n, " x ", size, " overflows");
    return n * size;
}

/// A mutable array of plain values, aligned to 64 bytes, not initialised unless asked. Movable, not copyable; one that was moved from is empty.
template <class Value> class buffer {
    static_assert(std::is_trivially_copyable_v<Value> && std::is_trivially_destructible_v<Value>);

public:
    buffer() = default;
    explicit buffer(std::size_t n)
        : m_data(n == 0 ? nullptr
                        : static_cast<Value*>(
                              ::operator new (checked_product(n, sizeof(Value), "buffer"), std::align_val_t{buffer_alignment}))),
          m_size(n) {}
    buffer(std::size_t n, Value value) : buffer(n) { std::fill_n(m_data.get(), n, value); }
    buffer(buffer&& from) noexcept : m_data(std::move(from.m_data)), m_size(std::exchange(from.m_size, 0)) {}
    buffer& operator=(buffer&& from) noexcept {
        m_data = std::move(from.m_data), m_size = std::exchange(from.m_size, 0);
        return *this;
    }

    Value* data() noexcept { return m_data.get(); }
    Value const* data() const noexcept { return m_data.get(); }
    std::size_t size() const noexcept { return m_size; }
    bool empty() const noexcept { return m_size == 0; }
    Value& operator[](std::size_t i) noexcept { return m_data.get()[i]; }
    Value const& operator[](std::size_t i) const noexcept { return m_data.get()[i]; }
    Value* begin() noexcept { return data(); }
    Value* end() noexcept { return data() + m_size; }
    Value const* begin() const noexcept { return data(); }
    Value const* end() const noexcept { return data() + m_size; }
    std::span<Value> span() noexcept { return {data(), m_size}; }
    std::span<Value const> span() const noexcept { return {data(), m_size}; }

private:
    template <class> friend class shared_array;
    struct release {
        void operator()(Value* p) const noexcept { ::operator delete (p, std::align_val_t{buffer_alignment}); }
    };
    std::unique_ptr<Value[], release> m_data;
    std::size_t m_size = 0;
};

/// An immutable array with shared ownership: a copy shares. May point into a loaded file.
template <class Value> class shared_array {
public:
    shared_array() = default;
    shared_array(buffer<Value>&& from) : m_size(from.m_size) {
        Value* const raw = from.m_data.get();
        std::shared_ptr<Value> owner(std::shared_ptr<buffer<Value>>(std::make_shared<buffer<Value>>(std::move(from))), raw);
        m_data = raw;
        m_owner = std::move(owner);
    }
    explicit shared_array(std::vector<Value> from) {
        auto owner = std::make_shared<std::vector<Value> const>(std::move(from));
        m_data = owner->data(), m_size = owner->size();
        m_owner = std::move(owner);
    }
    shared_array(std::initializer_list<Value> values) : shared_array(std::vector<Value>(values)) {}
    shared_array(std::shared_ptr<void const> owner, std::span<Value const> values)
        : m_owner(std::move(owner)), m_data(values.data()), m_size(values.size()) {}

    Value const* data() const noexcept { return m_data; }
    std::size_t size() const noexcept { return m_size; }
    bool empty() const noexcept { return m_size == 0; }
    Value const& operator[](std::size_t i) const noexcept { return m_data[i]; }
    Value const* begin() const noexcept { return m_data; }
    Value const* end() const noexcept { return m_data + m_size; }
    std::span<Value const> span() const noexcept { return {m_data, m_size}; }
    /// A part of it that keeps the whole alive.
    shared_array part(std::size_t first, std::size_t count) const { return shared_array(m_owner, span().subspan(first, count)); }

private:
    std::shared_ptr<void const> m_owner;
    Value const* m_data = nullptr;
    std::size_t m_size = 0;
};

/// Bits of one type read as another of the same size (Emscripten 3.1 has no std::bit_cast).
template <class To, class From>
    requires(sizeof(To) == sizeof(From))
To bit_cast(From const& from)
noexcept {
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
