#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_must_not_compile.py COMPILER: each file of must_not_compile/ is refused, with the words that it expects.

A file holds one mistake between `#if defined(MISTAKE)` and `#else` and says `// expect: words of the message`, in one line or several, each
of which must appear. All are compiled as one unit, each in namespaces of its own, with its mistake and without: each error must come from
the lines of one mistake, and each mistake must have one. An error elsewhere would be a refusal for a reason of its own.
"""
import re
import sys

from house import HERE, Report, Scratch, compile_command, need_compiler, run

ERROR = re.compile(r":\d+(:\d+)?: (fatal )?error: ") # g++ leaves columns out in a long unit
AFTER = re.compile(r":\d+(:\d+)?: (note|warning): |^\d+ errors? generated")


def errors_of(text):
    """The errors with what a compiler says around each, the nearest first: where it was instantiated, before it (g++) or after it (clang++)."""
    errors, context, in_context = [], [], True
    for line in text.splitlines():
        if ERROR.search(line):
            errors.append([line, *reversed(context)])
            in_context = False
        elif AFTER.search(line) and errors:
            errors[-1].append(line)
            in_context = False
        else:
            context = [*context, line] if in_context else [line]
            in_context = True
    return ["\n".join(lines) for lines in errors]


def mistaken_lines(text):
    lines = text.splitlines()
    first = lines.index("#if defined(MISTAKE)") + 1
    return range(first + 1, lines.index("#else", first) + 1)


def main():
    compiler = need_compiler(sys.argv[1])
    report = Report(f"must not compile with {compiler}")
    texts = {file: file.read_text(encoding="utf-8") for file in sorted((HERE / "must_not_compile").glob("*.cpp"))}
    outside = sorted({line for text in texts.values() for line in text.splitlines() if line.startswith("#include")})
    bodies = [f'namespace right_{file.stem} {{\n#include "{file}"\n}}' for file in texts] + ["#define MISTAKE"]
    bodies += [f'namespace wrong_{file.stem} {{\n#include "{file}"\n}}' for file in texts]
    all_errors = ["-ferror-limit=0", "-fno-caret-diagnostics"] if "clang" in compiler else ["-fmax-errors=0", "-fno-diagnostics-show-caret"]
    with Scratch() as scratch:
        unit = scratch / "mistakes.cpp"
        unit.write_text("\n".join(outside + bodies) + "\n")
        result = run(compile_command(compiler, "-fsyntax-only", *all_errors, unit))
    report.check(result.returncode != 0, "all mistakes compile")
    messages = {file: "" for file in texts}
    for error in errors_of(result.stderr):
        places = [(HERE / "must_not_compile" / name, int(line)) for name, line in re.findall(r"must_not_compile/(\w+\.cpp):(\d+)", error)]
        place = next((file for file, line in places if line in mistaken_lines(texts[file])), None)
        if report.check(place, f"an error that comes from no mistake:\n{error[:2000]}"):
            messages[place] += error + "\n"
    for file, text in texts.items():
        expected = re.findall(r"// expect: (.*)", text)
        report.check(expected, f"{file.name}: says no '// expect: words'")
        report.check(messages[file], f"{file.name}: the mistake compiles")
        for words in expected:
            shown = "\n".join(messages[file].splitlines()[:20])
            report.check(words in messages[file], f"{file.name}: the message does not say '{words}' but\n{shown}")
        print(f"{file.name}: {len(messages[file].splitlines())} lines of message")
    report.close()


main()
