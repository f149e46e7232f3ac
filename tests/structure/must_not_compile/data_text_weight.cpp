// SPDX-License-Identifier: MIT
// Text is no weight.
// expect: a weight must be a number
#include <recsys.hpp>

#include <string>
#include <vector>

struct row {
    int user;
    int item;
    std::string seconds;
};

void use(std::vector<row> const& log) {
    auto const ids = recsys::columns().user(&row::user).item(&row::item);
#if defined(MISTAKE)
    (void)recsys::ingest(log, ids.weight(&row::seconds));
#else
    (void)recsys::ingest(log, ids.weight([](row const& r) { return r.seconds.size(); }));
#endif
}
