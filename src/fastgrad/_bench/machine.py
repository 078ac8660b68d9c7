"""The machine and the software that figures were measured on."""

import os
import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._blas import blas, told_threads


def hardware() -> dict[str, Any]:
    """Return what a reader has to know of the machine, as plain data."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "caches": _caches(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def software(beside: Sequence[str] = ()) -> dict[str, Any]:
    """Return the versions of all that computes, and of these distributions where they are installed.

    The entry "blas_threads" is None where nobody can tell: threadpoolctl is not installed, and no variable of the
    environment says it.
    """
    name, threads = blas()
    found = {
        "fastgrad": metadata.version("fastgrad"),
        "backend": _backend.NAME,
        "level": _backend.built.level(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": name,
        "blas_threads": threads,
    }
    for name in beside:
        if find_spec(name):
            found[name] = metadata.version(name)
    return found


def told_hardware(machine: Mapping[str, Any]) -> str:
    """Return the machine in a line."""
    caches = ", ".join(f"{level} {size}" for level, size in machine["caches"].items())
    return f"{machine['cpu']}, {machine['cores']} cores{f' ({caches})' if caches else ''}; {machine['system']}"


def told_software(software: Mapping[str, Any]) -> str:
    """Return the versions in a line."""
    own = {"python": "Python", "numpy": "NumPy"}
    left_out = {"fastgrad", "backend", "level", "blas", "blas_threads"}
    versions = [f"{own.get(name, name)} {value}" for name, value in software.items() if name not in left_out]
    told = told_threads(software["blas_threads"])
    # figures that were kept before the level was told lack it
    kind = software.get("level", "compiled") if software["backend"] == "compiled" else f"{software['backend']} backend"
    return f"fastgrad {software['fastgrad']} ({kind}), {', '.join(versions)}, {software['blas']} with {told}"


def slug(machine: Mapping[str, Any]) -> str:
    """Return a file name for the machine."""
    return re.sub(r"[^a-z0-9]+", "-", f"{machine['cpu']} {machine['cores']} cores".lower()).strip("-")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = named.get("model name", platform.machine())
    return f"{name} (family {named['cpu family']}, model {named['model']})" if "cpu family" in named else name


def _caches() -> dict[str, str]:
    caches = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:  # some virtual machines and containers hide it
            continue
        if kind != "Instruction":
            caches[f"L{level}"] = size
    return caches
