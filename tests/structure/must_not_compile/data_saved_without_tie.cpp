// SPDX-License-Identifier: MIT
// An own id type without recsys_tie has no form in a file.
// expect: recsys_tie
#include <recsys.hpp>

struct day_number {
    int value;
    bool operator==(day_number const&) const = default;
    bool operator<(day_number other) const { return value < other.value; }
};

void use(recsys::item_encoder<day_number> const& days, recsys::item_encoder<int> const& numbers) {
    (void)days, (void)numbers;
#if defined(MISTAKE)
    recsys::save("encoder.rsm", days);
#else
    recsys::save("encoder.rsm", numbers);
#endif
}
