#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_alone.py COMPILER: every header compiles alone, twice in a row, without a warning; ranker.hpp without Eigen."""
import sys

from house import Report, Scratch, compile_command, in_parallel, need_compiler, parts, run

NOT_ALONE = {"recsys/core/push_macros.hpp", "recsys/core/pop_macros.hpp"}


def main():
    compiler = need_compiler(sys.argv[1])
    report = Report(f"headers alone with {compiler}")
    headers = ["recsys.hpp"] + [part for part in parts() if part.endswith(".hpp") and part not in NOT_ALONE]
    with Scratch() as scratch:

        def compile_alone(numbered):
            number, header = numbered
            source = scratch / f"{number}.cpp"
            source.write_text(f"#include <{header}>\n#include <{header}>\n")
            return run(compile_command(compiler, "-fsyntax-only", source))

        for header, result in zip(headers, in_parallel(compile_alone, enumerate(headers))):
            report.check_run(result, header)

        source = scratch / "ranker.cpp"
        source.write_text("#include <recsys/ranker.hpp>\n")
        depends = run(compile_command(compiler, "-M", source))
        if report.check_run(depends, "what recsys/ranker.hpp depends on"):
            report.check("Eigen" not in depends.stdout, "recsys/ranker.hpp includes Eigen: the booster alone must not pay for it")
    report.close()


main()
