// SPDX-License-Identifier: MIT
// A number is no moment.
// expect: a moment is a std::chrono::sys_time
#include <recsys.hpp>

#include <chrono>

std::size_t use(recsys::dataset<int, int> const& data) {
#if defined(MISTAKE)
    return recsys::split_by_time(data, 1671148800).train.size();
#else
    return recsys::split_by_time(data, std::chrono::sys_seconds(std::chrono::seconds(1671148800))).train.size();
#endif
}
