// SPDX-License-Identifier: MIT
// An integer is no time: seconds or milliseconds?
// expect: unix_seconds
#include <recsys.hpp>

#include <cstdint>
#include <vector>

struct row {
    int user;
    int item;
    std::int64_t when;
};

void use(std::vector<row> const& log) {
    auto const columns = recsys::columns().user(&row::user).item(&row::item);
#if defined(MISTAKE)
    (void)recsys::ingest(log, columns.time(&row::when));
#else
    (void)recsys::ingest(log, columns.unix_seconds(&row::when));
#endif
}
