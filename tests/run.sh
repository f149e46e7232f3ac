#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds and runs every test. Two builds: g++ -O2 on the single header with all tests, clang++ with the address
# and undefined-behaviour sanitizers on the parts with all but the slow ones (-O0: sanitized code takes clang far longer to optimize than to
# run). Arguments go to CTest, for example: tests/run.sh -R models
set -euo pipefail
cd "$(dirname "$0")/.."

bash tests/install_tools.sh g++ clang cmake ninja-build meson pkg-config libeigen3-dev doctest-dev libcli11-dev nlohmann-json3-dev \
    libclang-rt-14-dev python3 binutils
jobs=$(nproc)
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"

configure() { # configure NAME COMPILER FLAGS SETTING...
    cmake -S . -B ".build/$1" -G Ninja -DCMAKE_CXX_COMPILER="$2" -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="$warnings $3" \
        -DRECSYS_TEST_PREFIX="$1." -DRECSYS_TEST_BATCH=25 "${@:4}"
    cmake --build ".build/$1" --parallel "$jobs"
}
# With 2 GB before it looks for garbage g++ is a tenth faster.
configure gcc g++ "-O2 --param=ggc-min-heapsize=2000000" -DRECSYS_TEST_FORM=single -DRECSYS_NUMBERED_EXAMPLES=OFF
configure clang clang++ "-O0 $sanitizers" -DRECSYS_TEST_FORM=parts -DRECSYS_TEST_SLOW=OFF -DRECSYS_TEST_STRUCTURE=OFF

# One run of CTest over both builds, so that its last lines tell all.
printf 'subdirs("gcc" "clang")\n' >.build/CTestTestfile.cmake
ctest --test-dir .build --output-on-failure --parallel "$jobs" --no-tests=error "$@"
