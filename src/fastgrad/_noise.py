"""The noise of a function: how much its value jitters between points so close that it should not change."""

from collections.abc import Callable

import numpy as np

from fastgrad._typing import Array, Float64Array

POINTS = 8
#: The second spacing sees an f that rounds x to single precision, whose value stands still on the first. The factor
#: keeps the points off the grids of short binary fractions, on which rounding would not show.
_GOLDEN = (1 + 5**0.5) / 2
_SPACINGS = {"d": (_GOLDEN * 2.0**-44, _GOLDEN * 2.0**-22), "f": (_GOLDEN * 2.0**-18,)}


def noise(f: Callable[[Array], float], x: Array) -> float:
    """Return the standard deviation of f's noise at x, from 8 evenly spaced points on tiny lines through x.

    This is ECnoise of Moré and Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011): the k-th
    differences of a smooth function's values vanish, those of noise do not, and level k over (k!)²/(2k)! gives its
    variance. The first level from which three agree within a factor 4 is taken; where none is, the last. The line's
    direction alternates in sign, entry by entry.

    Parameters
    ----------
    f : callable
        Takes an array like x and returns a float.
    x : ndarray
        Float32 or float64, C-ordered.
    """
    sign = np.where(np.arange(x.size).reshape(x.shape) % 2, -1.0, 1.0)
    move = sign * np.maximum(np.abs(x, dtype=np.float64), 2.0**-10)
    found = []
    for spacing in _SPACINGS[x.dtype.char]:
        points = ((x + (k - POINTS // 2) * spacing * move).astype(x.dtype) for k in range(POINTS))
        found.append(from_values(np.array([f(point) for point in points])))
    return max(found)


def from_values(values: Float64Array) -> float:
    """Return the noise that the difference table of equally spaced values shows."""
    if not np.isfinite(values).all():
        return float("nan")
    levels = []
    gamma = 1.0
    table = values
    for k in range(1, values.size - 1):
        table = np.diff(table)
        gamma *= k / (2.0 * (2 * k - 1))
        levels.append(float(np.sqrt(gamma * np.mean(table**2))))
    for k in range(len(levels) - 2):
        three = levels[k : k + 3]
        if max(three) <= 4.0 * min(three):
            return levels[k]
    return levels[-1]
