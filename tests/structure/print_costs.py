#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""print_costs.py COMPILER: prints what including the header costs (check_programs.py: what quickstart does). Nothing is gated: times depend on
the machine and what else it does. The single header must compile alone, though, twice in a row."""
import re
import sys

from house import INCLUDE, Report, Scratch, compile_command, need_compiler, user_seconds


def main():
    compiler = need_compiler(sys.argv[1])
    report = Report(f"costs with {compiler}")
    amalgam = (INCLUDE / "recsys.hpp").read_text(encoding="utf-8")
    hoisted = amalgam[: amalgam.index("// --- recsys/core/version.hpp")]
    outside = re.findall(r"^#include (<[^>]+>)$", hoisted, re.M)
    print(f"lines of recsys.hpp: {len(amalgam.splitlines())}")
    with Scratch() as scratch:
        times = {}
        for name, includes in [("outside headers alone", outside), ("single", ["<recsys.hpp>"] * 2)]:
            source = scratch / "include.cpp"
            source.write_text("".join(f"#include {header}\n" for header in includes))
            times[name], result = user_seconds(compile_command(compiler, "-fsyntax-only", source))
            if report.check_run(result, name):
                print(f"include time, {name}: {times[name]:.2f} s")
        if times.get("single") and times.get("outside headers alone"):
            print(f"single header / outside headers: {times['single'] / times['outside headers alone']:.2f} (at most 1.5 wanted)")
    report.close()


main()
