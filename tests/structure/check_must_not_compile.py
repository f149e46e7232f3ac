#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_must_not_compile.py COMPILER: each file of must_not_compile/ is refused, with the words that it expects.

A file holds one mistake between `#if defined(MISTAKE)` and `#endif` and says `// expect: words of the message`, in one line or several, each
of which must appear. Without MISTAKE it must compile (all in one unit, to save time): otherwise it would be refused for a reason of its own.
"""
import re
import sys

from house import HERE, INCLUDE, Report, Scratch, compile_command, in_parallel, need_compiler, run


def precompiled(compiler, scratch):
    """The single header, read once for all files: compilers take header.gch or header.pch beside a header given by -include."""
    header = scratch / "recsys.hpp"
    header.write_bytes((INCLUDE / "recsys.hpp").read_bytes())
    ending = "pch" if "clang" in compiler else "gch"
    return header, run(compile_command(compiler, "-x", "c++-header", header, "-o", scratch / f"recsys.hpp.{ending}", include=scratch))


def main():
    compiler = need_compiler(sys.argv[1])
    report = Report(f"must not compile with {compiler}")
    files = sorted((HERE / "must_not_compile").glob("*.cpp"))
    with Scratch() as scratch:
        header, made = precompiled(compiler, scratch)
        report.check_run(made, "precompiling recsys.hpp")

        def compile_wrong(file):
            return run(compile_command(compiler, "-fsyntax-only", "-DMISTAKE", "-include", header, file, include=scratch))

        right = scratch / "right.cpp"
        outside = sorted({line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#include")})
        bodies = [f'namespace {file.stem} {{\n#include "{file}"\n}}' for file in files]
        right.write_text("\n".join(outside + bodies) + "\n")
        report.check_run(run(compile_command(compiler, "-fsyntax-only", "-include", header, right, include=scratch)), "without their mistakes")
        for file, wrong in zip(files, in_parallel(compile_wrong, files)):
            expected = re.findall(r"// expect: (.*)", file.read_text(encoding="utf-8"))
            report.check(expected, f"{file.name}: says no '// expect: words'")
            report.check(wrong.returncode != 0, f"{file.name}: the mistake compiles")
            for words in expected:
                shown = "\n".join(wrong.stderr.splitlines()[:20])
                report.check(words in wrong.stderr, f"{file.name}: the message does not say '{words}' but\n{shown}")
            print(f"{file.name}: {len(wrong.stderr.splitlines())} lines of message")
    report.close()


main()
