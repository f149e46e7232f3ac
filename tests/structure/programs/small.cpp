// SPDX-License-Identifier: MIT
// Uses a little of the library, as the function USE_NAME: enough to see what its symbols are called.
#include <recsys/core.hpp>

#include <cstddef>

double USE_NAME() {
    recsys::detail::team workers(2);
    recsys::random_stream random(1);
    return workers.sum(100, 10, random.normal(), [](std::size_t first, std::size_t last) { return static_cast<double>(last - first); });
}
