// SPDX-License-Identifier: MIT
// Ids of floating point: equality of such numbers is no identity.
// expect: floating
#include <recsys.hpp>

#include <vector>

struct row {
    double user;
    int item;
};

void use(std::vector<row> const& log) {
#if defined(MISTAKE)
    (void)recsys::ingest(log, recsys::columns().user(&row::user).item(&row::item));
#else
    (void)recsys::ingest(log, recsys::columns().user([](row const& r) { return static_cast<long>(r.user); }).item(&row::item));
#endif
}
