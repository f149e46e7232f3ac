#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_programs.py COMPILER [CASE...]: small programs that vendor the header in every way in which people do; all cases without a name."""
import re
import sys

from amalgamate import version
from house import FORMS, HERE, INCLUDE, QUICKSTART, WARNINGS, Report, Scratch, compile_command, need_compiler, parts, run, user_seconds

USE, SMALL, MAIN, MACROS = (HERE / "programs" / name for name in ("use.cpp", "small.cpp", "main.cpp", "windows_macros.cpp"))
FORM_FLAGS = {"single": ["-DRECSYS_TEST_SINGLE"], "parts": ["-DRECSYS_TEST_PARTS"]}
SUPPORT = [f"-I{HERE.parent / 'support'}"]


class Case:
    """A compiler, a folder and a report: what a case works with."""

    def __init__(self, compiler, folder, report):
        self.compiler, self.folder, self.report, self.plain_unit = compiler, folder, report, None

    def path(self, name):
        return self.folder / name

    def source(self, name, text):
        self.path(name).write_text(text)
        return self.path(name)

    def build(self, what, *arguments, include=INCLUDE):
        return self.report.check_run(run(compile_command(self.compiler, *arguments, *SUPPORT, include=include)), what)

    def unit(self, function, *flags, source=USE):
        """Compiles a source to an object, as `function`."""
        made = self.path(f"{function}{len(list(self.folder.glob('*.o')))}.o")
        self.build(f"{function} with {' '.join(flags)}", f"-DUSE_NAME={function}", *flags, "-c", source, "-o", made)
        return made

    def plain(self):
        """The whole library used in one unit of the single header, compiled once for all cases."""
        if not self.plain_unit:
            self.plain_unit = self.unit("first", *FORM_FLAGS["single"])
        return self.plain_unit

    def program(self, what, *arguments, include=INCLUDE, runs=True):
        if self.build(what, *arguments, "-pthread", "-o", self.path("program"), include=include) and runs:
            self.report.check_run(run([self.path("program")], cwd=self.folder), f"running {what}")

    def refused(self, what, words, *arguments):
        """An #error: the preprocessor alone meets it."""
        result = run(compile_command(self.compiler, "-E", "-o", self.path("refused.ii"), *arguments))
        self.report.check(result.returncode != 0, f"{what}: compiles, but must not")
        self.report.check(words in result.stderr, f"{what}: the message does not say '{words}' but\n{result.stderr[:800]}")

    def symbols(self, unit, kinds):
        """Symbols of the library in an object whose kind (as nm has it) is one of `kinds`."""
        listed = run(["nm", "--defined-only", unit]).stdout.splitlines()
        split = [line.split() for line in listed]
        return {words[-1] for words in split if len(words) >= 2 and words[-2] in kinds and "6recsys" in words[-1]}


def units(case):
    """c67: several files of a program include the header and use it, one form here and the other there. Of the same form in each the tests
    themselves are such a program."""
    first, other = case.plain(), case.unit("second", *FORM_FLAGS["parts"])
    case.program("a unit of each form", MAIN, first, other)
    for what, unit in {"single": first, "parts": other}.items():
        # A function that is neither inline nor a template is a strong symbol, used or not.
        strong = case.symbols(unit, "TDBRGS")
        case.report.check(not strong, f"{what}: not inline: {sorted(strong)[:5]}")
    different = sorted(case.symbols(first, "WVu") ^ case.symbols(other, "WVu"))
    case.report.check(not different, f"the two forms differ in {different[:5]}")


def both_forms(case):
    """The single header and the parts in one file, in either order."""
    orders = {
        "single, then parts": "#include <recsys.hpp>\n#include <recsys/all.hpp>\n",
        "parts, then single": "#include <recsys/all.hpp>\n#include <recsys.hpp>\n",
        "the ranker's room, then parts": "#include <recsys/ranker.hpp>\n#include <recsys/all.hpp>\n",
        "a room, then single, then parts": "#include <recsys/data.hpp>\n#include <recsys.hpp>\n#include <recsys/all.hpp>\n",
    }
    for what, text in orders.items():
        source = case.source("forms.cpp", text + f'#include "{USE}"\n')
        case.build(what, "-DUSE_NAME=use", "-fsyntax-only", source)


def windows_macros(case):
    """c68: macros that windows.h defines, before the include, and still defined after it."""
    case.program("macros, single", *FORM_FLAGS["single"], MACROS)
    case.build("macros, parts", *FORM_FLAGS["parts"], "-fsyntax-only", MACROS)
    min_max = ["-Dmin(a,b)=(((a)<(b))?(a):(b))", "-Dmax(a,b)=(((a)>(b))?(a):(b))"]
    case.build("quickstart with min and max", *min_max, "-fsyntax-only", QUICKSTART)


def inner_namespace():
    """Its name where nothing is set: with threads, exceptions and 16-byte alignment."""
    return "v" + version()[1].replace(".", "_") + "_txd16"


SETTINGS = {
    "no exceptions": ["-fno-exceptions"],
    "no threads": ["-DRECSYS_NO_THREADS"],
    "own assert": ["-DRECSYS_ASSERT(c)=((c)?void():__builtin_trap())"],
    "own throw": ["-DRECSYS_THROW(e)=throw e"],
    "own assert and throw": ["-DRECSYS_ASSERT(c)=((c)?void():__builtin_trap())", "-DRECSYS_THROW(e)=throw e"],
    "other alignment of Eigen": ["-DEIGEN_MAX_ALIGN_BYTES=64"],
    "AVX2": ["-mavx2", "-mfma"],
    "AVX-512": ["-mavx512f", "-mfma"],
}


def settings(case):
    """c69: units with different settings link, and share no function or type of the library.

    What keeps them apart is the name of the inner namespace: a little of core shows that it differs, the whole that all of it is inside."""
    of_small = case.symbols(case.unit("small", source=SMALL), "WVuTDBR")
    case.report.check(len(of_small) > 10, f"only {len(of_small)} symbols: is the name of the namespace still recsys?")
    for what, flags in SETTINGS.items():
        other = case.symbols(case.unit("small", *flags, source=SMALL), "WVuTDBR")
        case.report.check(other, f"{what}: no symbols of the library")
        case.report.check(not of_small & other, f"{what}: shares symbols with the plain unit: {sorted(of_small & other)[:3]}")
    of_plain = case.symbols(case.plain(), "WVuTDBR")
    outside = [symbol for symbol in of_plain if f"6recsys{len(inner_namespace())}{inner_namespace()}" not in symbol]
    case.report.check(not outside, f"{len(outside)} symbols are not in {inner_namespace()}: {sorted(outside)[:3]}")
    other = case.unit("second", *FORM_FLAGS["parts"], *SETTINGS["no exceptions"])
    shared = of_plain & case.symbols(other, "WVuTDBR")
    case.report.check(not shared, f"no exceptions: shares {len(shared)} symbols with the plain unit: {sorted(shared)[:3]}")
    case.program("a unit without exceptions and a plain one", MAIN, case.plain(), other)


def eigen_settings(case):
    """Macros that change what Eigen defines must not split the library within one file, nor must Eigen if it comes first."""
    for flag in ("-DEIGEN_DONT_ALIGN", "-DEIGEN_DONT_VECTORIZE", "-DEIGEN_MAX_ALIGN_BYTES=0"):
        case.build(f"parts with {flag}", flag, "-fsyntax-only", case.source("parts.cpp", "#include <recsys/all.hpp>\n"))
    first = case.source("eigen_first.cpp", "#include <Eigen/Core>\n#include <recsys/all.hpp>\n")
    case.build("Eigen first, with EIGEN_DONT_ALIGN", "-DEIGEN_DONT_ALIGN", "-fsyntax-only", first)
    case.build("Eigen first", "-mavx2", "-mfma", "-fsyntax-only", first)


def fast_math(case):
    """c70: flags that remove the tests for NaN are refused."""
    for form, header in FORMS.items():
        source = case.source("fast.cpp", f"#include <{header}>\n")
        for flag in ("-ffast-math", "-ffinite-math-only", "-Ofast"):
            case.refused(f"{form} with {flag}", "remove the tests for NaN", flag, source)


def no_exceptions(case):
    """Without exceptions or run-time type information, quickstart compiles and runs."""
    case.program("quickstart without exceptions and type information", "-fno-exceptions", "-fno-rtti", QUICKSTART)


def open_namespaces(case):
    """`using namespace std; using namespace recsys;` before the header and before the user's code, which then qualifies nothing."""
    opened = "using namespace std;\nusing namespace recsys;\n"
    after = f'#include <recsys.hpp>\n{opened}#include "{QUICKSTART}"\n'
    case.program("both namespaces opened", case.source("after.cpp", after))
    before = f"#include <cstddef>\nnamespace recsys {{}}\n{opened}"
    bare = re.sub(r"\b(rs|std|recsys)::", "", USE.read_text(encoding="utf-8"))
    case.build("both opened before the header, nothing qualified", "-DUSE_NAME=use", "-fsyntax-only", case.source("bare.cpp", before + bare))


def exported(case):
    """Models exported as C++ compile as C++17 without the library and say the same bit for bit."""
    programs = HERE / "programs"
    case.program("the program that exports models", *FORM_FLAGS["single"], f"-I{HERE.parent}", programs / "export_models.cpp")
    use = [case.compiler, "-std=c++17", *WARNINGS, "-O2", f"-I{case.folder}", programs / "use_exported.cpp", "-o", case.path("use")]
    if case.report.check_run(run(use), "compiling exported models"):
        case.report.check_run(run([case.path("use")]), "running exported models")


def no_macros_left(case):
    """After the include, only the version and the include guards are defined."""
    guards = {re.search(r"#ifndef (\w+)", (INCLUDE / part).read_text()).group(1) for part in parts() if "_macros" not in part and part.endswith(".hpp")}
    allowed = guards | {"RECSYS_HPP", "RECSYS_VERSION", "RECSYS_VERSION_MAJOR", "RECSYS_VERSION_MINOR", "RECSYS_VERSION_PATCH"}
    for form, header in FORMS.items():
        source = case.source("macros.cpp", f"#include <{header}>\n")
        result = run(compile_command(case.compiler, "-dM", "-E", source))
        case.report.check_run(result, f"macros of the {form} form")
        left = set(re.findall(r"#define (RECSYS\w+)", result.stdout))
        case.report.check("RECSYS_VERSION" in left, "RECSYS_VERSION is not defined")
        case.report.check(left <= allowed, f"{form}: left behind: {sorted(left - allowed)}")


def two_versions(case):
    """Two versions that meet in one file are refused, by whatever door the second comes."""
    doors = ["recsys.hpp"] + [part for part in parts() if part.count("/") == 1]
    for door in doors:
        source = case.source("versions.cpp", f"#define RECSYS_VERSION {version()[0] + 1}\n#include <{door}>\n")
        case.refused(f"another version, then {door}", "two versions of the library meet", source)


def vendored(case):
    """The single header alone in a folder, as people copy it; its namespace by its full name."""
    (case.path("vendor")).mkdir()
    (case.path("vendor") / "recsys.hpp").write_bytes((INCLUDE / "recsys.hpp").read_bytes())
    named = f"#include <type_traits>\nstatic_assert(std::is_same_v<recsys::{inner_namespace()}::error, recsys::error>);\n"
    source = case.source("named.cpp", QUICKSTART.read_text(encoding="utf-8") + named)
    case.program("quickstart with the copied header", source, include=case.path("vendor"))


def quickstart(case):
    """The first program of the README."""
    lines = len(QUICKSTART.read_text(encoding="utf-8").splitlines())
    case.report.check(lines < 60, f"quickstart has {lines} lines, it must have under 60")
    made = case.path("quickstart.o")
    seconds, result = user_seconds(compile_command(case.compiler, "-O2", "-c", QUICKSTART, "-o", made))
    if case.report.check_run(result, "quickstart -O2"):
        print(f"quickstart -O2: {seconds:.2f} s, object {made.stat().st_size / 1024:.0f} KiB")
        case.program("quickstart, single", made)


def quickstart_parts(case):
    """The same against the parts."""
    text = QUICKSTART.read_text(encoding="utf-8")
    changed = text.replace("#include <recsys.hpp>", "#include <recsys/all.hpp>")
    case.report.check(changed != text, "quickstart does not include <recsys.hpp>")
    case.program("quickstart, parts", case.source("quickstart_parts.cpp", changed))


CASES = [quickstart, quickstart_parts, units, both_forms, windows_macros, settings, eigen_settings, fast_math, no_exceptions, open_namespaces]
CASES = {case.__name__: case for case in [*CASES, no_macros_left, two_versions, vendored, exported]}


def main():
    compiler, names = need_compiler(sys.argv[1]), sys.argv[2:] or CASES
    report = Report(f"{' '.join(names)} with {compiler}")
    with Scratch() as folder:
        case = Case(compiler, folder, report)
        for name in names:
            CASES[name](case)
    report.close()


main()
