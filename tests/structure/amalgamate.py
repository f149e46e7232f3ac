#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes include/recsys.hpp, the single header, from the parts under include/recsys/.

amalgamate.py            writes the header
amalgamate.py --check    fails if the header is not what the parts give, and says what to run
amalgamate.py --stdout   prints it

Parts are visited depth first from recsys/all.hpp, so that each stands after what it includes, once, with its include guard: a
program may use both forms. System includes that stand under no #if move to the top, sorted; the others stay where they are.
A text without a guard (*.inl) is repeated at each place that includes it, its comments only at the first.
"""
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
INCLUDE = TOP / "include"
AMALGAM = INCLUDE / "recsys.hpp"
ROOT = "recsys/all.hpp"
PUSH, POP = "recsys/core/push_macros.hpp", "recsys/core/pop_macros.hpp"
MEND = "python3 tests/structure/amalgamate.py"

INCLUDE_LINE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
OWN_INCLUDE = re.compile(r"recsys/")


class Fault(Exception):
    pass


def read(part):
    path = INCLUDE / part
    if not path.is_file():
        raise Fault(f"{part} is included but does not exist")
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != "// SPDX-License-Identifier: MIT":
        raise Fault(f"{part}: the first line must be '// SPDX-License-Identifier: MIT'")
    return lines[1:]


def version():
    """The number to compare and the text, from the one place that has them."""
    text = "\n".join(read("recsys/core/version.hpp"))
    number = {name: int(n) for name, n in re.findall(r"#define RECSYS_VERSION(_MAJOR|_MINOR|_PATCH|) (\d+)", text)}
    return number[""], f"{number['_MAJOR']}.{number['_MINOR']}.{number['_PATCH']}"


def version_check(number):
    return [
        f"#if defined(RECSYS_VERSION) && RECSYS_VERSION != {number}",
        '#error "recsys: two versions of the library meet in one file; include one of them"',
        "#endif",
    ]


def rule_off(name):
    return f"// --- {name} ".ljust(120, "-")


def depth_change(line):
    if re.match(r"\s*#\s*if", line):
        return 1
    return -1 if re.match(r"\s*#\s*endif", line) else 0


class Amalgam:
    def __init__(self):
        self.system, self.sections, self.guards, self.open, self.number = set(), [], {}, [], version()[0]
        self.done = {PUSH, POP}

    def guard_of(self, part, lines):
        """The line at which the guard opens. Only a door has something before it: the version check."""
        for i, line in enumerate(lines):
            opened = re.match(r"#ifndef (RECSYS_\w+_HPP)$", line)
            if not opened:
                continue
            name = opened.group(1)
            if i + 1 == len(lines) or lines[i + 1] != f"#define {name}":
                raise Fault(f"{part}: #ifndef {name} must be followed by its #define")
            if name in self.guards:
                raise Fault(f"{part} and {self.guards[name]} have the same include guard {name}: one of them would vanish")
            self.guards[name] = part
            return i
        raise Fault(f"{part}: no include guard RECSYS_..._HPP")

    def visit(self, part):
        if part in self.open:
            raise Fault("parts include each other in a circle: " + " -> ".join(self.open[self.open.index(part):] + [part]))
        if part in self.done:
            return
        self.done.add(part)
        self.open.append(part)
        lines = read(part)
        guard = self.guard_of(part, lines)
        text = [line for line in lines[:guard] if line.startswith("//")]
        if part.count("/") == 1 and [line for line in lines[:guard] if not line.startswith("//")] != version_check(self.number):
            raise Fault(f"{part}: a door compares the version before its guard, with exactly these lines:\n" + "\n".join(version_check(self.number)))
        text += self.body(part, lines[guard:])
        self.sections.append([rule_off(part)] + close_up(squeeze(text)))
        self.open.pop()

    def body(self, part, lines):
        text, depth = [], 0
        for line in lines:
            depth += depth_change(line)
            found = INCLUDE_LINE.match(line)
            if not found:
                text.append(line)
            elif not OWN_INCLUDE.match(found.group(2)):
                if depth == 1:  # under the guard alone
                    self.system.add(found.group(2))
                else:
                    text.append(line)
            elif found.group(2).endswith(".inl"):
                text += [rule_off(found.group(2))] + squeeze(self.inline_text(found.group(2))) + [f"// --- back in {part}"]
            elif depth == 1:
                self.visit(found.group(2))
            elif found.group(2) not in (PUSH, POP):
                raise Fault(f"{part}: {found.group(2)} is included under an #if; a part is included always or never")
        return text

    def inline_text(self, name):
        lines = read(name)
        if name in self.done:
            lines = [line for line in lines if line.strip() and not re.match(r"\s*//", line)]
        self.done.add(name)
        if any(INCLUDE_LINE.match(line) for line in lines):
            raise Fault(f"{name}: a text that is repeated includes nothing")
        return lines

    def text(self):
        self.visit(ROOT)
        lost = {str(p.relative_to(INCLUDE)) for p in (INCLUDE / "recsys").rglob("*") if p.is_file()} - self.done
        if lost:
            raise Fault("not reached from recsys/all.hpp (add them to the door of their room): " + " ".join(sorted(lost)))
        number, dotted = version()
        licence = ["//" + (f" {line}" if line else "") for line in (TOP / "LICENSE").read_text(encoding="utf-8").splitlines()]
        lines = ["// SPDX-License-Identifier: MIT", "//"]
        lines += [f"// recsys.hpp {dotted}: recommenders in one C++20 header on Eigen."]
        lines += ["// generated by tests/structure/amalgamate.py from include/recsys/; do not edit", "//"]
        lines += licence + [""] + version_check(number) + ["#ifndef RECSYS_HPP", "#define RECSYS_HPP", ""]
        lines += ["// Every part opens and closes these macros; here all parts stand between one opening and one closing. The pairs nest,"]
        lines += ["// so a program may mix this file with the parts, in any order."]
        lines += [rule_off(PUSH)] + squeeze(read(PUSH)) + [""]
        lines += [f"#include <{name}>" for name in sorted(self.system)] + [""]
        for section in self.sections:
            lines += section + [""]
        lines += [rule_off(POP)] + squeeze(read(POP)) + ["", "#endif"]
        return "\n".join(lines) + "\n"


def close_up(lines):
    """Without the blank lines beside guards and the braces of namespaces, which every part has: here they are many and say nothing."""
    opens = re.compile(r"#define RECSYS_\w+_HPP$|namespace [^;]*\{$|// --- back in ")
    closes = re.compile(r"\}+( // namespace.*)?$|#endif$")

    def idle(i):
        return not lines[i] and 0 < i < len(lines) - 1 and (opens.match(lines[i - 1]) or closes.match(lines[i + 1]))
    return [line for i, line in enumerate(lines) if not idle(i)]


def squeeze(lines):
    """Without blank lines at the ends and with at most one between."""
    text = []
    for line in lines:
        if line.strip() or (text and text[-1]):
            text.append(line.rstrip())
    while text and not text[-1]:
        text.pop()
    return text


def main(arguments):
    try:
        wanted = Amalgam().text()
    except Fault as fault:
        print(f"amalgamate: {fault}", file=sys.stderr)
        return 1
    if arguments == ["--stdout"]:
        sys.stdout.write(wanted)
    elif arguments == ["--check"]:
        found = AMALGAM.read_bytes() if AMALGAM.is_file() else b""
        if found != wanted.encode("utf-8"):
            print(f"amalgamate: include/recsys.hpp is not what include/recsys/ gives. Mend it with: {MEND}", file=sys.stderr)
            return 1
        print(f"include/recsys.hpp is what its parts give ({wanted.count(chr(10))} lines)")
    elif arguments:
        print(__doc__, file=sys.stderr)
        return 2
    else:
        AMALGAM.write_bytes(wanted.encode("utf-8"))
        print(f"include/recsys.hpp: {wanted.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
