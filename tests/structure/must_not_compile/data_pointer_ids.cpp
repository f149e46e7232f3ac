// SPDX-License-Identifier: MIT
// Addresses differ from run to run.
// expect: a pointer is not an id
#include <recsys.hpp>

#include <vector>

struct page {
    int number;
};
struct row {
    int user;
    page const* item;
};

void use(std::vector<row> const& log) {
    auto const users = recsys::columns().user(&row::user);
#if defined(MISTAKE)
    (void)recsys::ingest(log, users.item(&row::item));
#else
    (void)recsys::ingest(log, users.item([](row const& r) { return r.item->number; }));
#endif
}
