"""Claimed against measured, in plain NumPy."""

import numpy as np

from fastgrad._typing import Array, Float64Array, IndexArray

__all__ = ["compare", "offenders"]


def compare(claimed: Array, measured: Array, atol: float, rtol: float) -> tuple[float, float, int, int, float, float]:
    """Return (max_error, max_relative_error, index of max_error, entries beyond tolerance, largest, squares).

    NaN is the largest error. The last two are of what is claimed: the largest magnitude, and the sum of the squares,
    which is not finite where an entry is not.
    """
    if claimed.size == 0:
        return 0.0, 0.0, -1, 0, 0.0, 0.0
    error, size, is_beyond = _judge(claimed, measured, atol, rtol)
    with np.errstate(all="ignore"):
        relative = np.where((size > 0) & np.isfinite(size), error / size, 0.0)
    at = int(np.argmax(error))  # the first NaN, where there is one
    max_error = float(error[at])
    max_relative = float("nan") if np.isnan(max_error) else float(np.max(relative))
    sizes = np.abs(claimed.astype(np.float64))
    with np.errstate(all="ignore"):
        largest, squares = float(np.fmax.reduce(sizes, initial=0.0)), float(np.sum(sizes**2))
    return max_error, max_relative, at, int(np.count_nonzero(is_beyond)), largest, squares


def offenders(claimed: Array, measured: Array, atol: float, rtol: float, out: IndexArray) -> int:
    """Write the indices of the entries beyond tolerance into out, in order; return how many there were."""
    found = np.flatnonzero(_judge(claimed, measured, atol, rtol)[2])
    out[: found.size] = found[: out.size]
    return int(found.size)


def _judge(claimed: Array, measured: Array, atol: float, rtol: float) -> tuple[Float64Array, Float64Array, Array]:
    c, m = claimed.astype(np.float64), measured.astype(np.float64)
    with np.errstate(all="ignore"):
        error = np.abs(c - m)
        size = np.maximum(np.abs(c), np.abs(m))
        is_beyond = ~((error <= atol + rtol * size) & np.isfinite(error))
    return error, size, is_beyond
