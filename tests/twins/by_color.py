"""The entries of each colour, as a twin chooses them: what loops over colours take."""

from typing import Any

import numpy as np


def chosen(module: Any, lines: Any, by_rows: bool, colors: Any) -> tuple[Any, Any]:
    """Return the bounds and codes of the entries of each colour."""
    last = np.empty(int(colors.max(initial=-1)) + 1, lines[0].dtype)
    bounds = np.empty(len(last) + 1, np.intp)
    module.by_color(*lines, colors, by_rows, last, bounds, np.empty(0, np.uint16))
    codes = np.empty(bounds[-1], np.uint16)
    if codes.size:
        module.by_color(*lines, colors, by_rows, last, bounds, codes)
    return bounds, codes
