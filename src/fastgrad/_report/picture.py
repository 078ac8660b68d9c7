"""The error map of a check in matplotlib's axes."""

import numpy as np

from fastgrad._drawing import Axes, axes, dress_map
from fastgrad._report.pictured import ErrorMap


def draw(errors: ErrorMap | None, title: str, ax: Axes) -> Axes:
    """Draw the largest error of each block in colours of its logarithm; what was not compared stays empty.

    Raises
    ------
    ValueError
        If there is no map.
    ImportError
        If new axes are wanted and matplotlib is missing.
    """
    if errors is None:
        raise ValueError(
            "this result holds no error map: it is kept for checks that did not pass, and for small ones. "
            "Check some entries with indices= to see their errors."
        )
    finite = errors.largest[np.isfinite(errors.largest) & (errors.largest > 0)]
    top = float(np.max(finite, initial=0.0)) or 1.0
    low = max(float(np.min(finite, initial=top)), 1e-8 * top)
    shown = np.where(np.isposinf(errors.largest), 10 * top, np.maximum(errors.largest, 0.5 * low))
    return dress_map(axes(ax), shown, (low, top if top > low else 10 * low), errors.shape, f"{title}: {errors.path}")
