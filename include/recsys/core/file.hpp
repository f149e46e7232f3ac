// SPDX-License-Identifier: MIT
// Whole files: read into aligned memory, written so that a crash leaves the old file or the new one, never half of it.
#ifndef RECSYS_CORE_FILE_HPP
#define RECSYS_CORE_FILE_HPP

#include <recsys/core/push_macros.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

#include <recsys/core/buffer.hpp>

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

/// The bytes of a whole file. @throws format_error if it cannot be opened or read.
inline shared_array<std::byte> read_file(std::string const& path) {
    file_handle const f(std::fopen(path.c_str(), "rb"));
    if (!f) throw_format(path, ": cannot be opened: ", std::strerror(errno));
    if (std::fseek(f.get(), 0, SEEK_END) != 0) throw_format(path, ": its size cannot be found: ", std::strerror(errno));
    long const size = std::ftell(f.get());
    if (size < 0 || size == std::numeric_limits<long>::max()) throw_format(path, ": is not a plain file");
    std::rewind(f.get());
    buffer<std::byte> bytes(static_cast<std::size_t>(size));
    if (bytes.size() != 0 && std::fread(bytes.data(), 1, bytes.size(), f.get()) != bytes.size())
        throw_format(path, ": cannot be read to its end: ", std::strerror(errno));
    return bytes;
}

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
