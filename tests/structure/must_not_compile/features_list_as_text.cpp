// SPDX-License-Identifier: MIT
// A list is not read as text, and text is not read as a list of letters.
// expect: a column of categories: the function must return a range of integers, enums or text
#include <recsys.hpp>

#include <string>
#include <vector>

void use(recsys::feature_set<int, int> const& features) {
#if defined(MISTAKE)
    (void)features.item_categories("genres", [](int) { return std::string("rock|pop"); });
#else
    (void)features.item_categories("genres", [](int) { return std::vector<std::string>{"rock", "pop"}; });
#endif
}
