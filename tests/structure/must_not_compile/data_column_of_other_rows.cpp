// SPDX-License-Identifier: MIT
// A column of another struct's cannot be read from these rows.
// expect: the item column cannot be read from the rows of this range
#include <recsys.hpp>

#include <vector>

struct row {
    int user;
    int item;
};
struct other_row {
    int item;
};

void use(std::vector<row> const& log) {
    auto const users = recsys::columns().user(&row::user);
#if defined(MISTAKE)
    (void)recsys::ingest(log, users.item(&other_row::item));
#else
    (void)recsys::ingest(log, users.item(&row::item));
#endif
}
