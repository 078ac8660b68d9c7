"""Entries of a structured callable beyond tolerance, measured again by its own loop with larger steps."""

from typing import Any

import numpy as np

from fastgrad._judge.probe import UNIT_ROUNDOFF, UNITS
from fastgrad._typing import Array, Float64Array, IndexArray

#: Entries beyond tolerance are measured again at these multiples of their steps.
MULTIPLES = (4.0, 16.0)


def look_again_structured(
    f: Any, x: Array, h: Float64Array, measured: Array, where: IndexArray
) -> tuple[tuple[Float64Array, Float64Array, Float64Array, Float64Array], int]:
    """Return values, bounds, left and right slopes at these flat indices; and the number of evaluations.

    Of the values with the step itself, 4 and 16 times as large, the one with the least bound is taken: what it differs
    from its neighbour by, and f's rounding. Where f is a `KinkedFunction`, its slopes on both sides are asked for too;
    elsewhere they are NaN.

    Parameters
    ----------
    f : structured callable
    x, h : ndarray
        The point, which f must not write into, and the steps.
    measured : ndarray
        What f's loop gave with the steps h, flat.
    where : ndarray of intp
        The entries to look at.
    """
    rounding = UNITS * UNIT_ROUNDOFF * abs(float(f(x))) / (h if h.size == 1 else h[where])
    values = [measured[where].astype(np.float64)]
    calls = 1
    for factor in MULTIPLES:
        again = np.empty_like(x)
        calls += int(f.__fastgrad_gradient__(x, h * factor, again))
        values.append(again.reshape(-1)[where].astype(np.float64))
    with np.errstate(all="ignore"):
        near, far = np.abs(values[1] - values[0]), np.abs(values[2] - values[1])
        bounds = np.stack([near + rounding, far + rounding / 4, 2 * far + rounding / 16])
    choice, each = np.argmin(np.where(np.isnan(bounds), np.inf, bounds), axis=0), np.arange(where.size)
    left = right = np.full(where.size, np.nan)
    if hasattr(type(f), "__fastgrad_slopes__"):
        below, above = np.empty_like(x), np.empty_like(x)
        calls += int(f.__fastgrad_slopes__(x, h, below, above))
        left, right = (side.reshape(-1)[where].astype(np.float64) for side in (below, above))
    return (np.stack(values)[choice, each], bounds[choice, each], left, right), calls
