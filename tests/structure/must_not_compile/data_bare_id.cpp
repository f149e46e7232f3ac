// SPDX-License-Identifier: MIT
// An id type with == alone cannot be found again.
// expect: an id type needs
#include <recsys.hpp>

#include <vector>

struct bare_id {
    int value;
    bool operator==(bare_id const&) const = default;
};
struct row {
    bare_id user;
    int item;
};

void use(std::vector<row> const& log) {
    auto const items = recsys::columns().item(&row::item);
#if defined(MISTAKE)
    (void)recsys::ingest(log, items.user(&row::user));
#else
    (void)recsys::ingest(log, items.user([](row const& r) { return r.user.value; }));
#endif
}
