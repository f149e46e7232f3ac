#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Includes go down the levels of the house, never up, and outside headers stand only where they may."""
import re

from house import INCLUDE, Report, parts, room_of

# room: (level, rooms it may include besides itself)
ROOMS = {
    "core": (0, []),
    "data": (1, ["core"]),
    "matrix": (2, ["core", "data"]),
    "ranker": (2, ["core", "data"]),
    "retrieval": (3, ["core", "data", "matrix"]),
    "models": (4, ["core", "data", "matrix", "retrieval"]),
    "features": (4, ["core", "data", "matrix", "retrieval"]),
    "metrics": (4, ["core", "data", "matrix", "retrieval"]),
    "io": (5, ["core", "data", "matrix", "ranker", "retrieval", "models", "features", "metrics"]),
}
# outside header: where it may stand (a prefix of the part's name)
ONLY_IN = {
    "Eigen/Core": ["recsys/matrix/", "recsys/retrieval/", "recsys/models/", "recsys/features/", "recsys/metrics/", "recsys/io/"],
    "Eigen/Cholesky": ["recsys/models/"],
    "immintrin.h": ["recsys/core/simd/"],
    "arm_neon.h": ["recsys/core/simd/"],
    "cpuid.h": ["recsys/core/simd/"],
    "intrin.h": ["recsys/core/simd/"],
    "thread": ["recsys/core/team.hpp"],
}
OS_HEADERS = r"(sys/\w+|unistd|fcntl|windows|io|share|process|direct|errno|dirent)\.h"
FORBIDDEN = {"iostream", "regex", "filesystem", "ranges", "future", "bits/stdc++.h", "Eigen/Dense", "Eigen/Eigen", "Eigen/Sparse"}
NO_MACROS = {"recsys/core/version.hpp", "recsys/core/push_macros.hpp", "recsys/core/pop_macros.hpp"}
PUSH, POP = "recsys/core/push_macros.hpp", "recsys/core/pop_macros.hpp"


def check_own(report, part, included):
    room, other = room_of(part), room_of(included)
    if part == "recsys/all.hpp":
        report.check(included.count("/") == 1, f"{part}: includes {included}, which is not a door")
    elif part.count("/") == 1:
        below = included.count("/") == 1 and other in ROOMS[room][1]
        report.check(other == room or below, f"{part}: a door includes the parts of its room, not {included}")
    else:
        report.check(included.count("/") > 1, f"{part}: a part includes parts, not the door {included}")
        report.check(other == room or other in ROOMS[room][1], f"{part}: {room} (level {ROOMS[room][0]}) may not include {included}")


def check_outside(report, part, included):
    report.check(included not in FORBIDDEN, f"{part}: <{included}> is not used in the library")
    if included in ONLY_IN:
        report.check(part.startswith(tuple(ONLY_IN[included])), f"{part}: <{included}> may stand in {', '.join(ONLY_IN[included])} only")
    elif re.fullmatch(OS_HEADERS, included):
        report.check(part == "recsys/core/file.hpp", f"{part}: <{included}> of the operating system may stand in recsys/core/file.hpp only")
    else:
        report.check(re.fullmatch(r"[a-z_]+", included), f"{part}: <{included}> is not a header of the C++ standard library")


def check_layout(report, part, text, included):
    expected = "RECSYS_" + re.sub(r"\W", "_", part.removeprefix("recsys/").removesuffix(".hpp")).upper() + "_HPP"
    guard = re.search(r"^#ifndef (\w+)$", text, re.M)
    report.check(guard and guard.group(1) == expected, f"{part}: the include guard must be {expected}")
    if part not in NO_MACROS:
        report.check(included and included[0] == PUSH and included[-1] == POP, f"{part}: push_macros.hpp is included first, pop_macros.hpp last")


def main():
    report = Report("include direction")
    for part in parts():
        text = (INCLUDE / part).read_text(encoding="utf-8")
        included = re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.M)
        report.check(not re.search(r'#\s*include\s*"', text), f"{part}: includes stand in angle brackets")
        report.check(part == "recsys/all.hpp" or room_of(part) in ROOMS, f"{part}: there is no such room")
        for name in included:
            if name not in NO_MACROS:
                (check_own if name.startswith("recsys/") else check_outside)(report, part, name)
        if part.endswith(".inl"):
            report.check(not included, f"{part}: a text that is repeated includes nothing")
        elif part.count("/") > 1 and part not in (PUSH, POP):
            check_layout(report, part, text, included)
    report.close()


main()
