"""The norm of all errors of a claim, from what it misses along several random directions."""

import math
from collections.abc import Sequence

from fastgrad._search.projections import MEAN_SQUARE

#: Directions that the norm is taken from, and the quantiles 2.5 % and 97.5 % of χ² with so many degrees of freedom.
NORMS, LOW, HIGH = 8, 2.1797, 17.5345


def interval(residuals: Sequence[float], threshold: float) -> tuple[float, float]:
    """Return the norm of the errors that make these residuals, as an interval of confidence 95 %.

    Where many entries are wrong, a residual is nearly normal, and its variance is 7/12 of the squared norm. What a
    residual may be off by widens the interval.
    """
    squares = math.fsum(s * s for s in residuals) * NORMS / len(residuals)
    low, high = math.sqrt(squares / HIGH / MEAN_SQUARE), math.sqrt(squares / LOW / MEAN_SQUARE)
    return max(low - threshold, 0.0), high + threshold


def beyond_tolerance(norm: float, atol: float, rtol: float, n: int, size: float) -> bool:
    """Tell whether errors of this norm cannot all be within tolerance, for a claim of n entries and norm `size`."""
    return norm > atol * math.sqrt(n) + rtol * (size + norm)
