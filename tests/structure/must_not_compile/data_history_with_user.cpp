// SPDX-License-Identifier: MIT
// A history is one user's: a user column would mix several.
// expect: history_of: it is one user's history
#include <recsys.hpp>

#include <vector>

struct row {
    int user;
    int item;
};

recsys::history use(std::vector<row> const& plays, recsys::item_encoder<int> const& items) {
#if defined(MISTAKE)
    return recsys::history_of(plays, recsys::columns().user(&row::user).item(&row::item), items);
#else
    return recsys::history_of(plays, recsys::columns().item(&row::item), items);
#endif
}
