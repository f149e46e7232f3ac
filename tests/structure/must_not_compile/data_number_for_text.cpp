// SPDX-License-Identifier: MIT
// c08: a number is not looked up among texts, "1" is not 1.
// expect: this is not the id type
#include <recsys.hpp>

#include <string>

bool use(recsys::item_encoder<std::string> const& items) {
#if defined(MISTAKE)
    return items.find(1).has_value();
#else
    return items.find("1").has_value();
#endif
}
