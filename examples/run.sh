#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds in Release and runs the whole pipeline. Arguments go to music_pipeline, for example:
# examples/run.sh --data DIR --out DIR
# With --full first: at the size of a real music service (1.37 million users, 1 million tracks, 222.6 million plays) in .build/full.
# What an earlier run with --full finished is taken over.
set -euo pipefail
cd "$(dirname "$0")/.."

bash tests/install_tools.sh g++ cmake make libeigen3-dev libcli11-dev nlohmann-json3-dev
out=.build/music
how=(--tune-als)
if [ "${1:-}" = --full ]; then
    shift
    out=.build/full
    how=(--full-size --format columns --resume)
    echo "At full size: about 17 GB of disk in $out and a quarter of an hour on two cores; Ctrl-C stops it, the same command goes on."
fi
# The folder of the results: ours, unless an argument names one.
own_out=(--out "$out")
for ((i = 1; i <= $#; ++i)); do
    case "${!i}" in
    --out) own_out=() next=$((i + 1)) out=${!next:?--out needs a folder} ;;
    --out=*) own_out=() out=${!i#--out=} ;;
    esac
done

cmake -S . -B .build/release -DCMAKE_BUILD_TYPE=Release -DRECSYS_BUILD_TESTS=OFF
cmake --build .build/release --target music_pipeline --parallel "$(nproc)"
.build/release/examples/music_pipeline "${own_out[@]}" "${how[@]}" "$@"
echo "The report is $(cd "$out" && pwd)/report.html"
