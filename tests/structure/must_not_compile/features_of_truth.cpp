// SPDX-License-Identifier: MIT
// Features are made of a past: labels are another type.
// expect: features: the first argument is a dataset
#include <recsys.hpp>

void use(recsys::dataset<int, int> const& past, recsys::truth const& labels, recsys::csr const& seen, recsys::candidate_pool const& pool) {
    (void)past, (void)labels;
#if defined(MISTAKE)
    (void)recsys::features(labels, seen, pool);
#else
    (void)recsys::features(past, seen, pool);
#endif
}
