// SPDX-License-Identifier: MIT
// Functions of items take the id that was ingested, not another.
// expect: item_number: the function takes an item id
#include <recsys.hpp>

#include <string>

void use(recsys::feature_set<int, int> const& features) {
#if defined(MISTAKE)
    (void)features.item_number("length", [](std::string const& id) { return id.size(); });
#else
    (void)features.item_number("length", [](int id) { return id; });
#endif
}
