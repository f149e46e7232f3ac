// SPDX-License-Identifier: MIT
// An item is no user.
// expect: recommend: the second argument is a user_index
#include <recsys.hpp>

void use(recsys::als_model const& model, recsys::csr const& seen) {
#if defined(MISTAKE)
    (void)recsys::recommend(model, recsys::item_index{0}, seen, {.k = 5});
#else
    (void)recsys::recommend(model, recsys::user_index{0}, seen, {.k = 5});
#endif
}
