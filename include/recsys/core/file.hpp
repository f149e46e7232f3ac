// SPDX-License-Identifier: MIT
// Whole files: read into aligned memory or mapped, written so that a crash leaves the old file or the new one, never half of it.
#ifndef RECSYS_CORE_FILE_HPP
#define RECSYS_CORE_FILE_HPP

#include <recsys/core/push_macros.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#if defined(_POSIX_MAPPED_FILES) && _POSIX_MAPPED_FILES > 0
#include <sys/mman.h>
#endif
#endif

#include <recsys/core/buffer.hpp>

#if defined(_WIN32)
// As windows.h has them, which is not included for its macros.
struct _SECURITY_ATTRIBUTES;
extern "C" {
#if defined(_WIN64)
__declspec(dllimport) void* __stdcall MapViewOfFile(void*, unsigned long, unsigned long, unsigned long, unsigned long long);
#else
__declspec(dllimport) void* __stdcall MapViewOfFile(void*, unsigned long, unsigned long, unsigned long, unsigned long);
#endif
__declspec(dllimport) void* __stdcall CreateFileMappingW(void*, _SECURITY_ATTRIBUTES*, unsigned long, unsigned long, unsigned long,
                                                         wchar_t const*);
__declspec(dllimport) int __stdcall UnmapViewOfFile(void const*);
__declspec(dllimport) int __stdcall CloseHandle(void*);
}
#endif

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

struct close_file {
    void operator()(std::FILE* f) const noexcept { std::fclose(f); }
};
using file_handle = std::unique_ptr<std::FILE, close_file>;

inline bool flush_to_disk(std::FILE* f) noexcept {
    if (std::fflush(f) != 0) return false;
#if defined(_WIN32)
    return ::_commit(::_fileno(f)) == 0;
#else
    return ::fsync(::fileno(f)) == 0;
#endif
}

/// A file that is there, and how many bytes it has. @throws format_error  if it cannot be opened or is none.
struct open_file {
    file_handle handle;
    std::size_t size = 0;

    explicit open_file(std::string const& path) : handle(std::fopen(path.c_str(), "rb")) {
        if (!handle) throw_format(path, ": cannot be opened: ", std::strerror(errno));
        if (std::fseek(handle.get(), 0, SEEK_END) != 0) throw_format(path, ": its size cannot be found: ", std::strerror(errno));
#if defined(_WIN32)
        auto const end = ::_ftelli64(handle.get());
#else
        auto const end = std::ftell(handle.get());
#endif
        if (end < 0 || end == std::numeric_limits<decltype(end)>::max()) throw_format(path, ": is not a plain file");
        size = static_cast<std::size_t>(end);
    }
};

/// The bytes of a whole file. @throws format_error  if it cannot be opened or read.
inline shared_array<std::byte> read_file(std::string const& path) {
    open_file const f(path);
    std::rewind(f.handle.get());
    buffer<std::byte> bytes(f.size);
    if (bytes.size() != 0 && std::fread(bytes.data(), 1, bytes.size(), f.handle.get()) != bytes.size())
        throw_format(path, ": cannot be read to its end: ", std::strerror(errno));
    return bytes;
}

/// Pages of a file for reading only, the same memory in every process that maps it; null where the system has or gives none.
inline std::shared_ptr<void const> map_pages(open_file const& f) {
    if (f.size == 0) return nullptr;
#if defined(_WIN32)
    auto* const file = reinterpret_cast<void*>(::_get_osfhandle(::_fileno(f.handle.get())));
    auto* const mapping = ::CreateFileMappingW(file, nullptr, 0x02, 0, 0, nullptr); // PAGE_READONLY
    if (!mapping) return nullptr;
    auto* const pages = ::MapViewOfFile(mapping, 0x04, 0, 0, 0); // FILE_MAP_READ; it keeps the mapping open
    ::CloseHandle(mapping);
    return std::shared_ptr<void const>(pages, [](void const* p) {
        if (p) ::UnmapViewOfFile(p);
    });
#elif defined(_POSIX_MAPPED_FILES) && _POSIX_MAPPED_FILES > 0
    auto* const pages = ::mmap(nullptr, f.size, PROT_READ, MAP_SHARED, ::fileno(f.handle.get()), 0);
    if (pages == MAP_FAILED) return nullptr;
    return std::shared_ptr<void const>(pages, [size = f.size](void const* p) { ::munmap(const_cast<void*>(p), size); });
#else
    return nullptr;
#endif
}

/// The same bytes where the system keeps them: what is not looked at is not read. Where files cannot be mapped they are read.
inline shared_array<std::byte> map_file(std::string const& path) {
    open_file const f(path);
    auto const pages = map_pages(f);
    if (!pages) return read_file(path);
    return {pages, {static_cast<std::byte const*>(pages.get()), f.size}};
}

/// A file read piece by piece, at any place, by several threads at once.
class file_pieces {
public:
    /// @throws format_error if it cannot be opened.
    explicit file_pieces(std::string path) : m_path(std::move(path)), m_file(m_path) {}
    std::string const& path() const noexcept { return m_path; }
    std::uint64_t size() const noexcept { return m_file.size; }
    /// @throws format_error if there are not so many bytes.
    void read(std::uint64_t at, void* to, std::size_t n) const {
#if defined(_WIN32)
        std::lock_guard const lock(m_mutex);
        bool const good = ::_fseeki64(m_file.handle.get(), static_cast<std::int64_t>(at), SEEK_SET) == 0 &&
                          std::fread(to, 1, n, m_file.handle.get()) == n;
        if (!good) throw_format(m_path, ": cannot be read at byte ", at);
#else
        for (std::size_t done = 0; done < n;) {
            auto const got = ::pread(::fileno(m_file.handle.get()), static_cast<char*>(to) + done, n - done, static_cast<off_t>(at + done));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0)
                throw_format(m_path, ": cannot be read at byte ", at + done, ": ", got < 0 ? std::strerror(errno) : "it ends there");
            done += static_cast<std::size_t>(got);
        }
#endif
    }

private:
    std::string m_path;
    open_file m_file;
#if defined(_WIN32)
    mutable std::mutex m_mutex;
#endif
};

/// A new file that takes the old one's place only when it is whole and on disk.
class file_writer {
public:
    explicit file_writer(std::string path) : m_path(std::move(path)), m_temporary(m_path + ".part") {
        m_file.reset(std::fopen(m_temporary.c_str(), "wb"));
        if (!m_file) throw_format(m_temporary, ": cannot be written: ", std::strerror(errno));
    }
    file_writer(file_writer const&) = delete;
    file_writer& operator=(file_writer const&) = delete;
    ~file_writer() {
        if (!m_file) return;
        m_file.reset();
        std::remove(m_temporary.c_str());
    }
    void write(void const* bytes, std::size_t n) {
        if (n != 0 && std::fwrite(bytes, 1, n, m_file.get()) != n) throw_format(m_temporary, ": cannot be written: ", std::strerror(errno));
    }
    /// Puts other bytes where the file begins; nothing can be written behind the rest any more.
    void rewrite_front(void const* bytes, std::size_t n) {
        if (std::fflush(m_file.get()) != 0 || std::fseek(m_file.get(), 0, SEEK_SET) != 0)
            throw_format(m_temporary, ": cannot be written: ", std::strerror(errno));
        write(bytes, n);
    }
    /// Flushes, then renames. Without this call the file is as it was before.
    void commit() {
        if (!flush_to_disk(m_file.get())) throw_format(m_temporary, ": cannot be written: ", std::strerror(errno));
        m_file.reset();
#if defined(_WIN32)
        std::remove(m_path.c_str());
#endif
        if (std::rename(m_temporary.c_str(), m_path.c_str()) != 0) {
            int const reason = errno;
            std::remove(m_temporary.c_str());
            throw_format(m_path, ": cannot be replaced: ", std::strerror(reason));
        }
    }

private:
    std::string m_path, m_temporary;
    file_handle m_file;
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
