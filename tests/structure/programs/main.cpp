// SPDX-License-Identifier: MIT
// Two units that use the library must both work, and agree.
#include <cstdio>

double first();
double second();

int main() {
    double const one = first(), other = second();
    std::printf("%.17g %.17g\n", one, other);
    return one == other ? 0 : 1;
}
