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
    blas, threads = _blas()
    found = {
        "fastgrad": metadata.version("fastgrad"),
        "backend": _backend.NAME,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": blas,
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
    threads = software["blas_threads"]
    own = {"python": "Python", "numpy": "NumPy"}
    left_out = {"fastgrad", "backend", "blas", "blas_threads"}
    versions = [f"{own.get(name, name)} {value}" for name, value in software.items() if name not in left_out]
    told = "its own choice of threads" if threads is None else f"{threads} thread{'s' if threads != 1 else ''}"
    backend = "" if software["backend"] == "compiled" else f" ({software['backend']} backend)"
    return f"fastgrad {software['fastgrad']}{backend}, {', '.join(versions)}, {software['blas']} with {told}"


def slug(machine: Mapping[str, Any]) -> str:
    """Return a file name for the machine."""
    return re.sub(r"[^a-z0-9]+", "-", f"{machine['cpu']} {machine['cores']} cores".lower()).strip("-")


def _blas() -> tuple[str, int | None]:
    if find_spec("threadpoolctl"):
        from threadpoolctl import threadpool_info

        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        if pools:
            names = " + ".join(dict.fromkeys(f"{pool['internal_api']} {pool['version']}" for pool in pools))
            return names, max(pool["num_threads"] for pool in pools)
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    variables = (os.environ.get(f"{name}_NUM_THREADS", "") for name in ("OPENBLAS", "MKL", "OMP"))
    return f"{built.get('name')} {built.get('version')}", next((int(v) for v in variables if v.isdecimal()), None)


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
