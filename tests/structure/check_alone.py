#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_alone.py: every header compiles alone, twice in a row, without a warning; ranker.hpp without Eigen. With clang++. (recsys.hpp: see
print_costs.py.)

Not each in a unit of its own: what costs is what they include. A unit holds a chain of headers, each of which the next includes anyway, so that
nothing has been read before a header that it does not include itself. Those in between that are in another chain are proven there. What a
header includes is known from its text: never under an #if (amalgamate.py refuses that). BASES are read once, precompiled.
"""
from functools import cache

from house import INCLUDE, Report, Scratch, compile_command, in_parallel, included_parts, need_compiler, parts, run

NOT_ALONE = {"recsys/core/push_macros.hpp", "recsys/core/pop_macros.hpp"}
BASES = ["recsys/core/error.hpp", "recsys/core/archive.hpp", "recsys/data/frame.hpp"]  # which ones is a matter of time alone


@cache
def below(header):
    """What of the library is read before the body of a header: what it includes, and what that does."""
    own = {part for part in included_parts(header) if part.endswith(".hpp") and part not in NOT_ALONE}
    return own.union(*map(below, own))


def weight(header):
    return sum((INCLUDE / part).stat().st_size for part in below(header) | {header})


def chains_of(headers):
    """Every header in one chain, the lowest first."""
    left, chains = set(headers), []
    while left:
        chain, candidates = [], left
        while candidates:
            chain.append(max(candidates, key=lambda header: (weight(header), header)))
            candidates = below(chain[-1]) & left
        left -= set(chain)
        chains.append(chain[::-1])
    return chains


def main():
    compiler = need_compiler("clang++")
    report = Report(f"headers alone with {compiler}")
    chains = chains_of(part for part in parts() if part.endswith(".hpp") and part not in NOT_ALONE)
    with Scratch() as scratch:

        def flat(header):
            return scratch / header.replace("/", "_")

        def precompile(base):
            flat(base).write_text(f"#include <{base}>\n")
            return run(compile_command(compiler, "-fpch-instantiate-templates", "-x", "c++-header", flat(base), "-o", f"{flat(base)}.pch"))

        def compile_alone(chain):
            source = flat(chain[-1]).with_suffix(".cpp")
            source.write_text("".join(f"#include <{header}>\n" for header in chain * 2))
            base = max((base for base in BASES if base in below(chain[0])), key=weight, default=None)
            result = run(compile_command(compiler, "-fsyntax-only", *(["-include", flat(base)] if base else []), source))
            # Rarely clang 14 stumbles over its own precompiled header.
            return result if result.returncode == 0 or not base else run(compile_command(compiler, "-fsyntax-only", source))

        for base, result in zip(BASES, in_parallel(precompile, BASES)):
            report.check_run(result, f"precompiling {base}")
        for chain, result in zip(chains, in_parallel(compile_alone, chains)):
            report.check_run(result, " < ".join(chain))
        print(f"{sum(map(len, chains))} headers in {len(chains)} chains")

        source = scratch / "ranker.cpp"
        source.write_text("#include <recsys/ranker.hpp>\n")
        depends = run(compile_command(compiler, "-M", source))
        if report.check_run(depends, "what recsys/ranker.hpp depends on"):
            report.check("Eigen" not in depends.stdout, "recsys/ranker.hpp includes Eigen: the booster alone must not pay for it")
    report.close()


main()
