# SPDX-License-Identifier: MIT
"""The machine and the peers on it: the CPU's name, a virtual environment, the environment variables with which each peer is fastest."""
import os
import platform
import subprocess
import sys
from pathlib import Path


def cpu_field(name):
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.split(":")[0].strip() == name), "")


def cpu_name():
    flags = cpu_field("flags").split()
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else ""
    return ", ".join(word for word in (cpu_field("model name") or platform.processor() or platform.machine(), vectors) if word)


def peer_python(work, requirements):
    """The interpreter of an environment that holds the peers, made if need be."""
    folder = work / "venv"
    stamp = folder / "installed.txt"
    wanted = "\n".join(requirements)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print("installing the peers", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", *requirements], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return folder / "bin/python"


def clean_environment():
    """A choice of OpenBLAS kernels by the user is not the peers' best, so it is left out."""
    return {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}


def blas_settings(kernels, level=None):
    """What OpenBLAS and faiss are told. Where a comparison is held at a level: that one. Otherwise OPENBLAS_CORETYPE for peers whose OpenBLAS chose these
    kernels, or nothing: on some virtual CPUs it falls back to kernels of 2004, 2 to 4 times slower, and only then is the choice taken from it. AVX-512
    kernels are never asked for without avx512f."""
    haswell = "Zen" if "AMD" in cpu_field("vendor_id") else "Haswell"
    setting = {"OPENBLAS_CORETYPE": haswell, "FAISS_SIMD_LEVEL": "AVX2"} if level else {}
    if not level and any(old in kernel for kernel in kernels for old in ("Prescott", "Nehalem", "Barcelona")):
        flags = cpu_field("flags").split()
        if "avx512f" in flags:
            setting = {"OPENBLAS_CORETYPE": "SkylakeX"}
        elif "avx2" in flags:
            setting = {"OPENBLAS_CORETYPE": haswell}
    print(f"OpenBLAS of the peers: {', '.join(kernels)} {setting or ''}", file=sys.stderr, flush=True)
    return setting


def peer_environment(threads, blas_threads=1, settings=None):
    """OpenMP must not spin while it waits."""
    return clean_environment() | (settings or {}) | {"OPENBLAS_NUM_THREADS": str(blas_threads), "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
