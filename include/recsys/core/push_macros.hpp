// SPDX-License-Identifier: MIT
// Opens a part: saves macros of the user's that would break it and defines the internal ones.
// No guard: every part opens with this file and closes with pop_macros.hpp, and the pairs nest.
#pragma push_macro("min")
#undef min
#pragma push_macro("max")
#undef max

#pragma push_macro("RECSYS_DETAIL_ABI")
#undef RECSYS_DETAIL_ABI
#pragma push_macro("RECSYS_DETAIL_JOIN")
#undef RECSYS_DETAIL_JOIN
#pragma push_macro("RECSYS_DETAIL_PASTE")
#undef RECSYS_DETAIL_PASTE
#pragma push_macro("RECSYS_DETAIL_HAS_EXCEPTIONS")
#undef RECSYS_DETAIL_HAS_EXCEPTIONS
#pragma push_macro("RECSYS_DETAIL_HAS_THREADS")
#undef RECSYS_DETAIL_HAS_THREADS
#pragma push_macro("RECSYS_DETAIL_THROW")
#undef RECSYS_DETAIL_THROW
#pragma push_macro("RECSYS_DETAIL_ASSERT")
#undef RECSYS_DETAIL_ASSERT
#pragma push_macro("RECSYS_DETAIL_TRY")
#undef RECSYS_DETAIL_TRY
#pragma push_macro("RECSYS_DETAIL_CATCH_ALL")
#undef RECSYS_DETAIL_CATCH_ALL
#pragma push_macro("RECSYS_DETAIL_INLINE")
#undef RECSYS_DETAIL_INLINE
#pragma push_macro("RECSYS_DETAIL_PRAGMA")
#undef RECSYS_DETAIL_PRAGMA
#pragma push_macro("RECSYS_DETAIL_TARGET")
#undef RECSYS_DETAIL_TARGET
#pragma push_macro("RECSYS_DETAIL_END_TARGET")
#undef RECSYS_DETAIL_END_TARGET
#pragma push_macro("RECSYS_DETAIL_TAG_THREADS")
#undef RECSYS_DETAIL_TAG_THREADS
#pragma push_macro("RECSYS_DETAIL_TAG_EXCEPTIONS")
#undef RECSYS_DETAIL_TAG_EXCEPTIONS
#pragma push_macro("RECSYS_DETAIL_TAG_HOOKS")
#undef RECSYS_DETAIL_TAG_HOOKS
#pragma push_macro("RECSYS_DETAIL_TAG_VECTOR")
#undef RECSYS_DETAIL_TAG_VECTOR
#pragma push_macro("RECSYS_DETAIL_TAG_ALIGN")
#undef RECSYS_DETAIL_TAG_ALIGN

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define RECSYS_DETAIL_HAS_EXCEPTIONS 1
#define RECSYS_DETAIL_TAG_EXCEPTIONS x
#define RECSYS_DETAIL_TRY try
#define RECSYS_DETAIL_CATCH_ALL catch (...)
#else
#define RECSYS_DETAIL_HAS_EXCEPTIONS 0
#define RECSYS_DETAIL_TAG_EXCEPTIONS a
#define RECSYS_DETAIL_TRY if (true)
#define RECSYS_DETAIL_CATCH_ALL else
#endif

#if defined(RECSYS_NO_THREADS)
#define RECSYS_DETAIL_HAS_THREADS 0
#define RECSYS_DETAIL_TAG_THREADS s
#else
#define RECSYS_DETAIL_HAS_THREADS 1
#define RECSYS_DETAIL_TAG_THREADS t
#endif

// The hooks: RECSYS_THROW(exception) and RECSYS_ASSERT(condition), if the user defines them.
#if defined(RECSYS_THROW)
#define RECSYS_DETAIL_THROW(exception_) RECSYS_THROW(exception_)
#elif RECSYS_DETAIL_HAS_EXCEPTIONS
#define RECSYS_DETAIL_THROW(exception_) throw exception_
#else
#define RECSYS_DETAIL_THROW(exception_) ::recsys::detail::stop_program((exception_).what())
#endif
#if defined(RECSYS_ASSERT)
#define RECSYS_DETAIL_ASSERT(condition_) RECSYS_ASSERT(condition_)
#else
#define RECSYS_DETAIL_ASSERT(condition_) static_cast<void>(0)
#endif
#if defined(RECSYS_THROW) && defined(RECSYS_ASSERT)
#define RECSYS_DETAIL_TAG_HOOKS b
#elif defined(RECSYS_THROW)
#define RECSYS_DETAIL_TAG_HOOKS w
#elif defined(RECSYS_ASSERT)
#define RECSYS_DETAIL_TAG_HOOKS q
#else
#define RECSYS_DETAIL_TAG_HOOKS d
#endif

#if defined(__AVX512F__)
#define RECSYS_DETAIL_TAG_VECTOR 64
#elif defined(__AVX__)
#define RECSYS_DETAIL_TAG_VECTOR 32
#else
#define RECSYS_DETAIL_TAG_VECTOR 16
#endif
// Eigen sets EIGEN_MAX_ALIGN_BYTES itself when it is included first: only a value that is not its own default tags.
#if defined(EIGEN_DONT_ALIGN)
#define RECSYS_DETAIL_TAG_ALIGN _e0
#elif !defined(EIGEN_MAX_ALIGN_BYTES) || EIGEN_MAX_ALIGN_BYTES == RECSYS_DETAIL_TAG_VECTOR || \
    (defined(EIGEN_IDEAL_MAX_ALIGN_BYTES) && EIGEN_MAX_ALIGN_BYTES == EIGEN_IDEAL_MAX_ALIGN_BYTES)
#define RECSYS_DETAIL_TAG_ALIGN
#elif EIGEN_MAX_ALIGN_BYTES == 0
#define RECSYS_DETAIL_TAG_ALIGN _e0
#elif EIGEN_MAX_ALIGN_BYTES == 16
#define RECSYS_DETAIL_TAG_ALIGN _e16
#elif EIGEN_MAX_ALIGN_BYTES == 32
#define RECSYS_DETAIL_TAG_ALIGN _e32
#elif EIGEN_MAX_ALIGN_BYTES == 64
#define RECSYS_DETAIL_TAG_ALIGN _e64
#else
#define RECSYS_DETAIL_TAG_ALIGN _e128
#endif

// The inline namespace: version and every setting that changes code, so that two copies or two settings never mix.
#define RECSYS_DETAIL_PASTE(a_, b_, c_, d_, e_, f_) a_##b_##c_##d_##e_##f_
#define RECSYS_DETAIL_JOIN(a_, b_, c_, d_, e_, f_) RECSYS_DETAIL_PASTE(a_, b_, c_, d_, e_, f_)
#define RECSYS_DETAIL_ABI                                                                                         \
    RECSYS_DETAIL_JOIN(v0_1_0_, RECSYS_DETAIL_TAG_THREADS, RECSYS_DETAIL_TAG_EXCEPTIONS, RECSYS_DETAIL_TAG_HOOKS, \
                       RECSYS_DETAIL_TAG_VECTOR, RECSYS_DETAIL_TAG_ALIGN)

#if defined(_MSC_VER) && !defined(__clang__)
#define RECSYS_DETAIL_INLINE __forceinline
#else
#define RECSYS_DETAIL_INLINE inline __attribute__((always_inline))
#endif

// Between the two, functions are compiled for these instruction sets, on compilers that have __GNUC__.
#define RECSYS_DETAIL_PRAGMA(text_) _Pragma(#text_)
#if defined(__clang__)
#define RECSYS_DETAIL_TARGET(sets_) RECSYS_DETAIL_PRAGMA(clang attribute push(__attribute__((target(sets_))), apply_to = function))
#define RECSYS_DETAIL_END_TARGET RECSYS_DETAIL_PRAGMA(clang attribute pop)
#else
#define RECSYS_DETAIL_TARGET(sets_) RECSYS_DETAIL_PRAGMA(GCC push_options) RECSYS_DETAIL_PRAGMA(GCC target(sets_))
#define RECSYS_DETAIL_END_TARGET RECSYS_DETAIL_PRAGMA(GCC pop_options)
#endif
