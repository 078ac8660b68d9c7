"""The largest eigenvalue of A^T A, by power iteration from a start that is always the same."""

import math
from collections.abc import Callable

import numpy as np

from fastgrad._typing import Float64Array

_SETTLED = 1e-5  # relative growth of the estimate in an iteration below which it is taken
_LEAST = 16  # iterations before it is: as many raise a part of 1e-5 in the start, and twice the eigenvalue, above that
_MOST = 200  # iterations


def largest_eigenvalue(times: Callable[[Float64Array], Float64Array], p: int) -> float:
    """Return the largest eigenvalue of a positive semidefinite matrix, given its product with a vector.

    What iteration k gives, the length of the product with a unit vector, grows with k and never exceeds the eigenvalue
    but by rounding. It falls short by a few percent where others lie close to the largest, as Kuczynski and
    Wozniakowski (1992) show for random starts, and by far less where they do not. Where all others are equal, it seems
    to have settled until the largest shows, of which the start may have little: some iterations are made in any case.

    Parameters
    ----------
    times : callable
        Maps a float64 array of shape (p,) to the product.
    p : int
        At least 1.

    Returns
    -------
    float
        Infinite or NaN where the products are.
    """
    v = np.cos(np.arange(1.0, p + 1) ** 2)  # no data have the pattern of these, so none should be orthogonal to them
    length, estimate = math.sqrt(v @ v), 0.0
    for k in range(_MOST):
        v = times(v / length)
        length = math.sqrt(v @ v)
        if not 0.0 < length < math.inf or (k >= _LEAST and length <= estimate * (1.0 + _SETTLED)):
            break
        estimate = length
    return length
