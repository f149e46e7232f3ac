// SPDX-License-Identifier: MIT
// What happens after the cut is judged, never learned from.
// expect: truth
#include <recsys.hpp>

void use(recsys::dataset<int, int> const& past, recsys::truth const& future) {
#if defined(MISTAKE)
    (void)recsys::popularity().fit(future);
#else
    (void)recsys::popularity().fit(past);
#endif
    (void)past, (void)future;
}
