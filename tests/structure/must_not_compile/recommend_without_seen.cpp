// SPDX-License-Identifier: MIT
// What was seen is never implied, so never forgotten.
// expect: recommend: say what was seen
#include <recsys.hpp>

void use(recsys::als_model const& model, recsys::csr const& seen) {
    (void)seen;
#if defined(MISTAKE)
    (void)recsys::recommend(model, recsys::user_index{0}, {.k = 5});
#else
    (void)recsys::recommend(model, recsys::user_index{0}, seen, {.k = 5});
#endif
}
