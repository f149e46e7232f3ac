#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_packaging.py KIND: a consumer of each kind is configured, built and run: add_subdirectory, find_package, pkg_config, meson,
meson_pkg_config, meson_subproject."""
import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "structure"))

from amalgamate import version  # noqa: E402
from house import SKIPPED, STANDARD, TOP, WARNINGS, Report, Scratch, run  # noqa: E402


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            print(f"skipped: {program} is not installed")
            sys.exit(SKIPPED)


def step(report, what, *command):
    """Runs one command; without it the rest has no ground."""
    if not report.check_run(run(command), what):
        report.close()


def cmake_consumer(report, folder, kind, *settings):
    build = folder / "build"
    settings = ["-DCMAKE_BUILD_TYPE=Debug", *settings]
    step(report, "configuring", "cmake", "-S", HERE / kind, "-B", build, *settings)
    step(report, "building", "cmake", "--build", build)
    step(report, "running", build / "consumer")


def install_by_cmake(report, folder):
    prefix, build = folder / "prefix", folder / "library"
    off = ["-DRECSYS_BUILD_TESTS=OFF", "-DRECSYS_BUILD_EXAMPLES=OFF"]
    step(report, "configuring the library", "cmake", "-S", TOP, "-B", build, *off, f"-DCMAKE_INSTALL_PREFIX={prefix}")
    step(report, "installing the library", "cmake", "--install", build)
    # The installed tree is found where it stands, not where it was made.
    moved = folder / "moved"
    prefix.rename(moved)
    return moved


def add_subdirectory(report, folder):
    cmake_consumer(report, folder, "add_subdirectory", f"-DRECSYS_SOURCE={TOP}")


def find_package(report, folder):
    prefix = install_by_cmake(report, folder)
    cmake_consumer(report, folder, "find_package", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DRECSYS_WANTED={version()[1]}")


def consume_pkg_config(report, folder, prefix):
    found = next(iter(prefix.rglob("recsys.pc")), None)
    if not report.check(found, "no recsys.pc was installed"):
        return
    paths = os.environ | {"PKG_CONFIG_PATH": str(found.parent)}
    asked = run(["pkg-config", "--cflags", "--libs", "recsys"], env=paths)
    told = run(["pkg-config", "--modversion", "recsys"], env=paths)
    report.check_run(asked, "pkg-config")
    report.check(told.stdout.strip() == version()[1], f"pkg-config says version {told.stdout.strip()}, the header {version()[1]}")
    # pkg-config gives Eigen by -I, where it warns; as a system directory it does not.
    flags = [part for flag in asked.stdout.split() for part in (["-isystem", flag[2:]] if flag.startswith("-I") and "eigen" in flag else [flag])]
    report.check(any(flag == f"-I{(found.parent / '../../include')}" or flag.startswith("-I") and "eigen" not in flag for flag in flags), "no -I")
    step(report, "building", os.environ.get("CXX", "c++"), *STANDARD, *WARNINGS, HERE / "consumer.cpp", *flags, "-o", folder / "consumer")
    step(report, "running", folder / "consumer")


def pkg_config(report, folder):
    need("pkg-config")
    consume_pkg_config(report, folder, install_by_cmake(report, folder))


def meson(report, folder):
    need("meson", "ninja")
    step(report, "configuring", "meson", "setup", folder / "build", TOP, "--buildtype=plain")
    step(report, "building", "meson", "compile", "-C", folder / "build")
    step(report, "testing", "meson", "test", "-C", folder / "build")


def meson_pkg_config(report, folder):
    need("meson", "ninja", "pkg-config")
    step(report, "configuring", "meson", "setup", folder / "build", TOP, f"--prefix={folder / 'prefix'}")
    # What the meson test builds is not installed.
    step(report, "installing", "meson", "install", "--no-rebuild", "-C", folder / "build")
    consume_pkg_config(report, folder, folder / "prefix")


def meson_subproject(report, folder):
    need("meson", "ninja")
    project = folder / "project"
    shutil.copytree(HERE / "meson", project)
    shutil.copy(HERE / "consumer.cpp", project)
    (project / "subprojects").mkdir()
    library = project / "subprojects" / "recsys"
    library.mkdir()
    for name in ("meson.build", "include"):
        (library / name).symlink_to(TOP / name)
    step(report, "configuring", "meson", "setup", folder / "build", project)
    step(report, "building and running", "meson", "test", "-C", folder / "build")


KINDS = {kind.__name__: kind for kind in (add_subdirectory, find_package, pkg_config, meson, meson_pkg_config, meson_subproject)}


def main():
    kind = sys.argv[1]
    report = Report(f"packaging by {kind}")
    with Scratch() as folder:
        KINDS[kind](report, folder)
    report.close()


main()
