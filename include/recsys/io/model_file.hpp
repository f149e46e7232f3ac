// SPDX-License-Identifier: MIT
// Models and encoders in files: several values in one, checked whole before anything of it is used.
#ifndef RECSYS_IO_MODEL_FILE_HPP
#define RECSYS_IO_MODEL_FILE_HPP

#include <recsys/core/push_macros.hpp>

#include <concepts>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>

#include <recsys/core/archive.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

namespace detail {

template <class T>
concept archivable = requires(T const& value, object_writer& out, object_reader const& in) {
    { archived<T>::name() } -> std::convertible_to<std::string>;
    archived<T>::save(value, out);
    { archived<T>::load(in) } -> std::same_as<T>;
};

}

/// Writes values to one file, in this order: `save("als.rsm", model, data.users(), data.items())`.
///
/// The new file takes the old one's place only when it is whole and on disk: a crash or a full disk leaves the old one.
/// The same values give the same bytes. @throws format_error if the file cannot be written.
template <class... Value> void save(std::string const& path, Value const&... values) {
    static_assert(sizeof...(Value) > 0, "save: nothing to save");
    static_assert((detail::archivable<Value> && ...),
                  "save: this type cannot be saved; encoders of own id types need recsys_tie(id), models and encoders of the library can");
    if constexpr ((detail::archivable<Value> && ...)) {
        detail::archive_writer out;
        (out.add(values), ...);
        out.write(path);
    }
}

/// Reads values back: one type gives the value, several a tuple, in the order in which they were saved.
///
/// Sizes, bounds and checksums are checked first; arrays are then used where they were read. Fewer types than the file holds is fine.
/// `{.map = true}` maps the file: several processes share its memory, see load_options.
/// @throws format_error  naming the file and what is wrong with it: not such a file, truncated, altered, of another format or type.
template <class First, class... Rest> [[nodiscard]] auto load(std::string const& path, load_options const& options = {}) {
    static_assert(detail::archivable<First> && (detail::archivable<Rest> && ...), "load: a type that can be saved is needed");
    detail::archive_reader const in(path, options);
    if constexpr (sizeof...(Rest) == 0) {
        return in.load<First>(0);
    } else {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::tuple<First, Rest...>{in.load<std::tuple_element_t<I, std::tuple<First, Rest...>>>(I)...};
        }
        (std::make_index_sequence<1 + sizeof...(Rest)>());
    }
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
