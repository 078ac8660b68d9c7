"""The switch: the only file that knows both twins.

``FASTGRAD_BACKEND=reference`` in the environment runs the whole package on the plain NumPy twins. A twin is loaded when
it is first asked for, so that importing fastgrad loads no more than its user needs.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastgrad._kernels import (
        built,
        coloring,
        compare,
        compressed,
        descent,
        differences,
        entries,
        linear,
        masks,
        native,
        ordering,
        outer,
        pairs,
        pattern,
        projection,
        recurrence,
        stacks,
        star,
        structured,
    )

__all__ = [
    "NAME",
    "built",
    "coloring",
    "compare",
    "compressed",
    "descent",
    "differences",
    "entries",
    "linear",
    "masks",
    "native",
    "ordering",
    "outer",
    "pairs",
    "pattern",
    "projection",
    "recurrence",
    "stacks",
    "star",
    "structured",
]

NAME = os.environ.get("FASTGRAD_BACKEND", "compiled")
if NAME not in ("compiled", "reference"):
    raise ImportError(f"FASTGRAD_BACKEND must be 'compiled' or 'reference', got {NAME!r}.")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    twin = import_module(f"fastgrad.{'_kernels' if NAME == 'compiled' else 'reference'}.{name}")
    globals()[name] = twin
    return twin
