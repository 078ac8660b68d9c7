"""The machine and the software that the figures were measured on."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info


def describe() -> dict[str, Any]:
    """Return what a reader has to know of the machine, as plain data."""
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "caches": _caches(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": " + ".join(f"{pool['internal_api']} {pool['version']}" for pool in blas) or "BLAS unknown",
        "blas_threads": max((pool["num_threads"] for pool in blas), default=None),
        "fastgrad": version("fastgrad"),
    }


def sentence(machine: dict[str, Any]) -> str:
    """Return the description in one line."""
    caches = ", ".join(f"{level} {size}" for level, size in machine["caches"].items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores ({caches}); {machine['system']}; Python {machine['python']}, "
        f"NumPy {machine['numpy']}, {machine['blas']} with {machine['blas_threads']} thread; "
        f"fastgrad {machine['fastgrad']}"
    )


def slug(machine: dict[str, Any]) -> str:
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
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            caches[f"L{level}"] = size
    return caches
