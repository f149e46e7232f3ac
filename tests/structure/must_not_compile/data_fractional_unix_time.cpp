// SPDX-License-Identifier: MIT
// c10: seconds as a double have lost their fractions already.
// expect: take integers
#include <recsys.hpp>

#include <vector>

struct row {
    int user;
    int item;
    double when;
};

void use(std::vector<row> const& log) {
    auto const ids = recsys::columns().user(&row::user).item(&row::item);
#if defined(MISTAKE)
    (void)recsys::ingest(log, ids.unix_seconds(&row::when));
#else
    (void)recsys::ingest(log, ids.unix_millis([](row const& r) { return static_cast<long long>(r.when * 1000); }));
#endif
}
