// SPDX-License-Identifier: MIT
// A reference into something that is gone at the end of the line.
// expect: delete
#include <recsys.hpp>

#include <string>
#include <vector>

struct row {
    std::string user;
    int item;
};

recsys::user_encoder<std::string> make(std::vector<row> const& log) {
    return recsys::ingest(log, recsys::columns().user(&row::user).item(&row::item)).users();
}

std::string use(std::vector<row> const& log) {
#if defined(MISTAKE)
    return make(log).id(recsys::user_index{0});
#else
    auto const users = make(log);
    return users.id(recsys::user_index{0});
#endif
}
