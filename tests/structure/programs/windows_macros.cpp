// SPDX-License-Identifier: MIT
// What windows.h defines, defined before the library is included; all of it must still be there afterwards.
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define small char
#define near
#define far
#define ERROR 0
#define OPTIONAL

#define USE_NAME use_library
#include "use.cpp"

#if !defined(min) || !defined(max) || !defined(small) || !defined(near) || !defined(far) || !defined(ERROR) || !defined(OPTIONAL)
#error "the library took a macro of the user's away"
#endif

int main() {
    small const one = 1;
    return use_library() > 0 && min(one, 2) == 1 && max(one, 2) == 2 && ERROR == 0 ? 0 : 1;
}
