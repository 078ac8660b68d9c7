"""The BLAS behind NumPy's products, and on how many threads it runs."""

import os
from importlib.util import find_spec

import numpy as np


def blas() -> tuple[str, int | None]:
    """Return its name with the version, and its threads; None where nobody can tell.

    threadpoolctl knows, where it is installed; otherwise it is what NumPy was built with, and what a variable of the
    environment says.
    """
    if find_spec("threadpoolctl"):
        from threadpoolctl import threadpool_info

        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        if pools:
            names = " + ".join(dict.fromkeys(f"{pool['internal_api']} {pool['version']}" for pool in pools))
            return names, max(pool["num_threads"] for pool in pools)
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    variables = (os.environ.get(f"{name}_NUM_THREADS", "") for name in ("OPENBLAS", "MKL", "OMP"))
    return f"{built.get('name')} {built.get('version')}", next((int(v) for v in variables if v.isdecimal()), None)


def told_threads(threads: int | None) -> str:
    """Return a number of threads in words."""
    return "its own choice of threads" if threads is None else f"{threads} thread{'s' if threads != 1 else ''}"
