#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What must hold of the tree as a whole: the visible top level, one version, the portable subset of C++, files of a readable size."""
import re
import subprocess

from amalgamate import version
from house import INCLUDE, TOP, Report, parts

VISIBLE = {"include", "examples", "tests", "CMakeLists.txt", "meson.build", "README.md", "LICENSE"}
MOST_LINES = 29_000

# Not in header, examples or tests: clang 14 with libstdc++ 12 or libc++ 14 lack them.
ALGORITHMS = (
    "sort|stable_sort|partial_sort|nth_element|copy|copy_if|copy_n|fill|fill_n|for_each|transform|generate|find|find_if|count|count_if|"
    "any_of|all_of|none_of|max|min|minmax|max_element|min_element|equal|mismatch|lower_bound|upper_bound|equal_range|binary_search|unique|"
    "reverse|rotate|shuffle|remove|remove_if|replace|merge|includes|set_union|set_intersection|set_difference|is_sorted|iota|swap_ranges"
)
NOT_PORTABLE = {
    r"\bstd::(ranges::)?views\b": "lazy views",
    rf"\bstd::ranges::({ALGORITHMS})\b": "std::ranges algorithms",
    r"\bstd::jthread\b": "jthread",
    r"\bstop_token\b": "stop_token",
    r"\batomic_ref\b": "atomic_ref",
    r"\bsource_location\b": "source_location",
    r"\bstd::v?format\b": "std::format",
    r"\bstd::bit_cast\b": "std::bit_cast (use recsys::detail::bit_cast)",
    r"#\s*include\s*<(ranges|regex|format|stop_token|source_location)>": "that header",
    r"#\s*include\s*<Eigen/(Dense|Eigen)>": "Eigen/Dense",
}
# Besides, not in the header: distributions differ between libraries, and the others are never the user's wish.
NOT_IN_HEADER = {
    r"\bstd::(uniform_(int|real)|normal|bernoulli|discrete|poisson|exponential)_distribution\b": "standard distributions",
    r"\b(std::cout|std::cerr|std::clog|printf|puts)\b": "printing",
    r"^\s*#\s*pragma\s+once\b": "#pragma once",
    r"\b(small|near|far|ERROR|OPTIONAL)\b(?![-'\"])": "names that Windows headers define",
    r"\b(dynamic_cast|typeid)\b": "run-time type information",
    r"\b(throw|try|catch)\b(?!_)": "exceptions without their macros",
}


def tracked():
    """Every file that is or would be committed."""
    found = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, capture_output=True, text=True, check=False)
    if found.returncode == 0:
        return sorted(name for name in set(found.stdout.splitlines()) if (TOP / name).is_file())
    return sorted(str(path.relative_to(TOP)) for path in TOP.rglob("*") if path.is_file() and not str(path.relative_to(TOP)).startswith("."))


def code_of(path):
    """The text without comments and string literals, line by line."""
    text = path.read_text(encoding="utf-8", errors="replace")
    text = re.sub(r'R"(\w*)\(.*?\)\1"', lambda raw: '""' + "\n" * raw.group().count("\n"), text, flags=re.S)
    lines = []
    for line in text.splitlines():
        line = re.sub(r'"(\\.|[^"\\])*"', '""', line) if "#include" not in line else line
        lines.append(re.sub(r"//.*", "", line))
    return lines


def check_words(report, name, rules):
    for number, line in enumerate(code_of(TOP / name), 1):
        for pattern, what in rules.items():
            if re.search(pattern, line):
                report.check(False, f"{name}:{number}: {what} may not stand here: {line.strip()}")
    report.check(True, "")


def check_versions(report):
    number, dotted = version()
    push = (INCLUDE / "recsys/core/push_macros.hpp").read_text(encoding="utf-8")
    tag = "v" + dotted.replace(".", "_") + "_"
    report.check(tag in push, f"push_macros.hpp: the inline namespace must begin with {tag}, as version.hpp has it")
    major, minor, patch = map(int, dotted.split("."))
    report.check(number == major * 10000 + minor * 100 + patch, f"version.hpp: RECSYS_VERSION is {number}, not that of {dotted}")
    for name in ("CMakeLists.txt", "meson.build"):
        text = (TOP / name).read_text(encoding="utf-8")
        report.check("recsys/core/version.hpp" in text, f"{name}: must read the version from recsys/core/version.hpp")
        report.check(dotted not in text, f"{name}: names {dotted} itself; the version lives in recsys/core/version.hpp only")


def check_tests(report, names):
    """Tests reach the library by recsys_under_test.hpp, so that they can run against either form; they mirror its rooms."""
    rooms = {part.split("/")[1] for part in parts() if part.count("/") > 1}
    for name in names:
        if re.fullmatch(rf"tests/({'|'.join(rooms)}|pipeline|examples|support)/.*", name):
            others = re.findall(r'#\s*include\s*[<"](recsys(?:/[^>"]*|\.hpp))[>"]', (TOP / name).read_text(encoding="utf-8"))
            allowed = name == "tests/support/recsys_under_test.hpp"
            report.check(allowed or not others, f"{name}: includes {others}; tests include <recsys_under_test.hpp>")
    for part in parts():
        if part.count("/") == 2 and part.endswith(".hpp") and "_macros" not in part:
            test = "tests/" + part.removeprefix("recsys/").removesuffix(".hpp") + ".cpp"
            if test not in names:
                print(f"note: {part} has no {test}")


def check_examples(report, names):
    """A numbered example is one short file that needs the library alone."""
    for name in names:
        if re.fullmatch(r"examples/\d\d_\w+\.cpp", name):
            text = (TOP / name).read_text(encoding="utf-8")
            report.check(len(text.splitlines()) < 100, f"{name}: an example has under 100 lines")
            report.check(not re.search(r'#\s*include\s*"', text), f"{name}: an example is one file")
            report.check(not re.search(r"\bnew\b", "\n".join(code_of(TOP / name))), f"{name}: an example uses no new")


def main():
    report = Report("the house")
    files = tracked()
    visible = {name.split("/")[0] for name in files if not name.startswith(".")}
    report.check(visible == VISIBLE, f"visible top level: unexpected {sorted(visible - VISIBLE)}, missing {sorted(VISIBLE - visible)}")
    check_versions(report)
    sources = [name for name in files if re.match(r"(include/recsys/|examples/|tests/).*\.(hpp|cpp|inl)$", name)]
    for name in sources:
        check_words(report, name, NOT_PORTABLE)
        first = (TOP / name).read_text(encoding="utf-8").split("\n", 1)[0]
        report.check(first == "// SPDX-License-Identifier: MIT", f"{name}: the first line must be '// SPDX-License-Identifier: MIT'")
    check_tests(report, sources)
    check_examples(report, sources)
    for name in (f"include/{part}" for part in parts() if part != "recsys/core/push_macros.hpp"):
        check_words(report, name, NOT_IN_HEADER)
        lines = len((TOP / name).read_text(encoding="utf-8").splitlines())
        if lines > 600:
            print(f"note: {name} has {lines} lines: are there two ideas in it?")
    lines = len((INCLUDE / "recsys.hpp").read_text(encoding="utf-8").splitlines())
    report.check(lines <= MOST_LINES, f"include/recsys.hpp has {lines} lines, at most {MOST_LINES}")
    outside = [name for name in files if name != ".ci/run" and name.count(".") and "../" + "shared" in (TOP / name).read_text(encoding="utf-8", errors="replace")]
    report.check(not outside, f"only .ci/run knows where data lies beside the checkout, not {outside}")
    report.close()


main()
