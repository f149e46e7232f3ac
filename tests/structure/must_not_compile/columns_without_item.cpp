// SPDX-License-Identifier: MIT
// Users alone are no interactions.
// expect: item
#include <recsys.hpp>

#include <vector>

struct row {
    int user;
    int item;
};

void use(std::vector<row> const& log) {
    auto const users = recsys::columns().user(&row::user);
#if defined(MISTAKE)
    (void)recsys::ingest(log, users);
#else
    (void)recsys::ingest(log, users.item(&row::item));
#endif
}
