"""The switch: the only file that knows both twins.

``FASTGRAD_BACKEND=reference`` in the environment runs the whole package on the plain NumPy twins.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

NAME = os.environ.get("FASTGRAD_BACKEND", "compiled")
if NAME not in ("compiled", "reference"):
    raise ImportError(f"FASTGRAD_BACKEND must be 'compiled' or 'reference', got {NAME!r}.")

if TYPE_CHECKING:
    from fastgrad._kernels import compare, descent, differences, outer, structured
else:
    _package = "fastgrad._kernels" if NAME == "compiled" else "fastgrad.reference"
    compare = import_module(f"{_package}.compare")
    descent = import_module(f"{_package}.descent")
    differences = import_module(f"{_package}.differences")
    outer = import_module(f"{_package}.outer")
    structured = import_module(f"{_package}.structured")

__all__ = ["NAME", "compare", "descent", "differences", "outer", "structured"]
