// SPDX-License-Identifier: MIT
#include "support/counted_memory.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> held{0}, most{0};

/// Stands before each block.
struct block_head {
    void* begin;
    std::size_t size;
};

void* take(std::size_t size, std::size_t alignment) noexcept {
    if (alignment < alignof(std::max_align_t)) alignment = alignof(std::max_align_t);
    void* const begin = std::malloc(size + sizeof(block_head) + alignment);
    if (!begin) return nullptr;
    auto const first = reinterpret_cast<std::uintptr_t>(begin) + sizeof(block_head);
    auto* const block = static_cast<char*>(begin) + sizeof(block_head) + (alignment - first % alignment) % alignment;
    reinterpret_cast<block_head*>(block)[-1] = {begin, size};
    std::size_t const now = held.fetch_add(size) + size;
    for (std::size_t seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {}
    return block;
}
void* take_or_throw(std::size_t size, std::size_t alignment) {
    if (void* const block = take(size, alignment)) return block;
    throw std::bad_alloc();
}
void give_back(void* block) noexcept {
    if (!block) return;
    auto const head = static_cast<block_head*>(block)[-1];
    held -= head.size;
    std::free(head.begin);
}

}

std::size_t support::held_bytes() noexcept { return held; }
std::size_t support::peak_bytes() noexcept { return most; }
void support::forget_peak() noexcept { most = held.load(); }

void* operator new(std::size_t n) { return take_or_throw(n, 1); }
void* operator new[](std::size_t n) { return take_or_throw(n, 1); }
void* operator new(std::size_t n, std::nothrow_t const&) noexcept { return take(n, 1); }
void* operator new[](std::size_t n, std::nothrow_t const&) noexcept { return take(n, 1); }
void* operator new(std::size_t n, std::align_val_t a) { return take_or_throw(n, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return take_or_throw(n, static_cast<std::size_t>(a)); }
void operator delete(void* p) noexcept { give_back(p); }
void operator delete[](void* p) noexcept { give_back(p); }
void operator delete(void* p, std::size_t) noexcept { give_back(p); }
void operator delete[](void* p, std::size_t) noexcept { give_back(p); }
void operator delete(void* p, std::nothrow_t const&) noexcept { give_back(p); }
void operator delete[](void* p, std::nothrow_t const&) noexcept { give_back(p); }
void operator delete(void* p, std::align_val_t) noexcept { give_back(p); }
void operator delete[](void* p, std::align_val_t) noexcept { give_back(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { give_back(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { give_back(p); }
