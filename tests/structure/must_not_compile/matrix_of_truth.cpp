// SPDX-License-Identifier: MIT
// The matrix that models are fitted on is made of a past.
// expect: truth
#include <recsys.hpp>

void use(recsys::dataset<int, int> const& past, recsys::truth const& future) {
#if defined(MISTAKE)
    (void)recsys::user_items(future);
#else
    (void)recsys::user_items(past);
#endif
    (void)past, (void)future;
}
