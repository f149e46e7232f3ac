// SPDX-License-Identifier: MIT
// A second stage scores rows.
// expect: two_stage: the ranker needs predict(frame const&) const
#include <recsys.hpp>

#include <vector>

struct ranker {
    std::vector<float> predict(recsys::frame const& rows) const { return std::vector<float>(rows.n_rows()); }
};

void use(recsys::feature_set<int, int> const& features) {
#if defined(MISTAKE)
    (void)recsys::two_stage(features, [](recsys::frame const& rows) { return std::vector<float>(rows.n_rows()); });
#else
    (void)recsys::two_stage(features, ranker());
#endif
}
