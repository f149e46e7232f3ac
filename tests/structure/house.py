# SPDX-License-Identifier: MIT
"""What the structure tests share: where things are, how to compile, how to fail."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
INCLUDE = TOP / "include"
HERE = Path(__file__).resolve().parent
QUICKSTART = TOP / "examples" / "01_quickstart.cpp"
FORMS = {"single": "recsys.hpp", "parts": "recsys/all.hpp"}
SKIPPED = 77  # what CTest takes as skipped

STANDARD = ["-std=c++20"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


def eigen_flags():
    """Eigen as a system directory: its own warnings are not ours."""
    folders = os.environ.get("RECSYS_EIGEN_DIRS", "")
    if not folders and shutil.which("pkg-config"):
        found = subprocess.run(["pkg-config", "--cflags-only-I", "eigen3"], capture_output=True, text=True, check=False).stdout
        folders = os.pathsep.join(part[2:] for part in found.split())
    return [flag for folder in (folders or "/usr/include/eigen3").split(os.pathsep) for flag in ("-isystem", folder)]


def need_compiler(name):
    if not shutil.which(name):
        print(f"skipped: {name} is not installed")
        sys.exit(SKIPPED)
    return name


def compile_command(compiler, *arguments, include=INCLUDE):
    return [compiler, *STANDARD, *WARNINGS, f"-I{include}", *eigen_flags(), *map(str, arguments)]


def run(command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace", check=False, **options)


def user_seconds(command):
    """The user time of a run, if it was one, and its result."""
    before = os.times().children_user
    result = run(command)
    return os.times().children_user - before if result.returncode == 0 else None, result


def in_parallel(work, jobs, workers=None):
    """work(job) for each job, in order of the jobs; as many at once as there are processors for us."""
    with ThreadPoolExecutor(workers or max(1, (os.cpu_count() or 1) // 2)) as pool:
        return list(pool.map(work, jobs))


def parts():
    """Every file of the library, as it is included."""
    return sorted(str(path.relative_to(INCLUDE)) for path in (INCLUDE / "recsys").rglob("*") if path.is_file())


def included_parts(part):
    """The parts that a file of the library includes itself."""
    return re.findall(r"^\s*#\s*include\s*<(recsys/[^>]+)>", (INCLUDE / part).read_text(encoding="utf-8"), re.M)


def room_of(part):
    return part.split("/")[1].removesuffix(".hpp")


class Scratch(tempfile.TemporaryDirectory):
    """A folder for what a test makes."""

    def __enter__(self):
        return Path(super().__enter__())


class Report:
    """Collects faults; the test fails if there is one."""

    def __init__(self, what):
        self.what, self.faults, self.checked = what, [], 0

    def check(self, holds, fault):
        self.checked += 1
        if not holds:
            self.faults.append(fault)
        return bool(holds)

    def check_run(self, result, what):
        text = result.stdout + result.stderr
        return self.check(result.returncode == 0, f"{what}: exit code {result.returncode}\n" + "\n".join(text.splitlines()[:40]))

    def close(self):
        for fault in self.faults:
            print(f"FAULT {fault}")
        print(f"{self.what}: {self.checked} checks, {len(self.faults)} faults")
        if self.checked == 0:
            print("nothing was checked, which is a fault as well")
        sys.exit(1 if self.faults or self.checked == 0 else 0)
