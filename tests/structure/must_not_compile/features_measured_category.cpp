// SPDX-License-Identifier: MIT
// A measurement is no category: 1.0 and 1.5 have no identity.
// expect: a category column: the function must return an integer, enum or text
#include <recsys.hpp>

void use(recsys::feature_set<int, int> const& features) {
#if defined(MISTAKE)
    (void)features.item_category("length", [](int id) { return id * 0.5; });
#else
    (void)features.item_number("length", [](int id) { return id * 0.5; });
#endif
}
