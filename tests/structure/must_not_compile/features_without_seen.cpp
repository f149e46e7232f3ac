// SPDX-License-Identifier: MIT
// What was seen is never implied, for feature rows either.
// expect: feature_frames: the third argument says what was seen
#include <recsys.hpp>

void use(recsys::feature_set<int, int> const& features) {
    recsys::recommend_options const options;
#if defined(MISTAKE)
    (void)recsys::feature_frames(features, recsys::user_index{0}, options);
#else
    (void)recsys::feature_frames(features, recsys::user_index{0}, features.seen(), options);
#endif
}
