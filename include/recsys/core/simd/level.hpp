// SPDX-License-Identifier: MIT
// Which instruction sets the kernels are compiled for, which of them this machine has, and which one is in use.
#ifndef RECSYS_CORE_SIMD_LEVEL_HPP
#define RECSYS_CORE_SIMD_LEVEL_HPP

#include <recsys/core/push_macros.hpp>

#include <atomic>
#include <optional>
#include <string_view>

#include <recsys/core/error.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// What hot loops are compiled for, whatever the flags of the program. Results differ between levels in the last bits.
enum class simd_level {
    portable, ///< what the program is compiled for
    avx2,     ///< x86-64 with AVX2 and FMA
    avx512    ///< and AVX-512 F, DQ, BW, VL
};

inline std::string_view level_name(simd_level level) noexcept {
    return level == simd_level::portable ? "portable" : level == simd_level::avx2 ? "avx2" : "avx512";
}

/// Whether this machine (and its operating system) runs a level, and the compiler could make it.
inline bool has_simd_level(simd_level level) noexcept {
    if (level == simd_level::portable) return true;
#if defined(__GNUC__) && defined(__x86_64__)
    bool const avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (level == simd_level::avx2) return avx2;
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

inline simd_level best_simd_level() noexcept {
    static simd_level const best = has_simd_level(simd_level::avx512) ? simd_level::avx512
                                   : has_simd_level(simd_level::avx2) ? simd_level::avx2
                                                                      : simd_level::portable;
    return best;
}

inline std::atomic<int>& forced_simd_level() noexcept {
    static std::atomic<int> level{-1};
    return level;
}

/// Forces a level for the whole program, or gives the choice back. @throws option_error where the machine does not have it.
inline void force_simd_level(std::optional<simd_level> level) {
    if (level && !has_simd_level(*level)) throw_option("simd: this machine does not run ", level_name(*level), " code");
    forced_simd_level().store(level ? static_cast<int>(*level) : -1);
}

/// The level in use: the best one unless another is forced. Doors read it once, so that a piece of work has one level.
inline simd_level active_simd_level() noexcept {
    int const forced = forced_simd_level().load();
    return forced < 0 ? best_simd_level() : static_cast<simd_level>(forced);
}

/// Whether kernels of the level avx512 use VNNI: where the machine has it, unless a test forbids it. It is no level of its own, since results are the
/// same with it and without.
inline std::atomic<bool>& vnni_allowed() noexcept {
    static std::atomic<bool> allowed{true};
    return allowed;
}
inline bool uses_vnni() noexcept {
#if defined(__GNUC__) && defined(__x86_64__)
    return vnni_allowed().load() && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
