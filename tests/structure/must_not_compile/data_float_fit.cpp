// SPDX-License-Identifier: MIT
// c07, c08: an encoder of doubles would have classes that equal nothing, not even themselves.
// expect: a floating-point number is not an id
#include <recsys.hpp>

#include <vector>

recsys::item_encoder<long> use(std::vector<double> const& values, std::vector<long> const& ids) {
#if defined(MISTAKE)
    (void)ids;
    return recsys::item_encoder<long>::fit(values);
#else
    (void)values;
    return recsys::item_encoder<long>::fit(ids);
#endif
}
